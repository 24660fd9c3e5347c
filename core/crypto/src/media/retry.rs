//! Asking the own phone to upload a file again (media document §9): the request and the answer are
//! sealed with a key that comes from the key of the file.

use crate::aead::{AeadError, Aes256Gcm, TAG};
use crate::kdf::hkdf_sha256;

const INFO: &[u8] = b"WhatsApp Media Retry Notification";

/// The key of the request and of its answer. Never printed.
///
/// Both texts are protobuf, of other crates. The id in the opened answer must be compared with the
/// id of the notification: the tag binds the latter, not what the phone wrote inside.
#[derive(Debug)]
pub struct RetryKey(Aes256Gcm);

impl RetryKey {
    /// Derives the key from the key of the file.
    ///
    /// # Errors
    /// [`AeadError::Unavailable`] when the cipher's provider has no memory left.
    pub fn new(media_key: &[u8; 32]) -> Result<Self, AeadError> {
        Aes256Gcm::new(&hkdf_sha256::<32>(media_key, &[], INFO)).map(Self)
    }

    /// Seals a request, or as the phone an answer: `enc_p` of the stanza. `nonce` is `enc_iv`, and
    /// must be fresh.
    ///
    /// # Errors
    /// [`AeadError::Unavailable`].
    pub fn seal(&self, nonce: &[u8; 12], message_id: &str, text: &[u8]) -> Result<Vec<u8>, AeadError> {
        let mut sealed = Vec::with_capacity(text.len().saturating_add(TAG));
        sealed.extend_from_slice(text);
        let tag = self.0.seal(nonce, message_id.as_bytes(), &mut sealed)?;
        sealed.extend_from_slice(&tag);
        Ok(sealed)
    }

    /// Opens an answer, or as the phone a request.
    ///
    /// # Errors
    /// [`AeadError::Tag`] when it was sealed for another file, message or nonce.
    pub fn open(&self, nonce: &[u8; 12], message_id: &str, sealed: &[u8]) -> Result<Vec<u8>, AeadError> {
        let mut text = sealed.to_vec();
        let length = self.0.open(nonce, message_id.as_bytes(), &mut text)?.len();
        text.truncate(length);
        Ok(text)
    }
}

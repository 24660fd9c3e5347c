//! AES-256-GCM in place, by the faster provider where it is built in.

use std::fmt;

#[cfg(feature = "aws-lc")]
use aws_lc as provider;
#[cfg(not(feature = "aws-lc"))]
use portable as provider;

/// Length of the tag that sealing adds.
pub const TAG: usize = 16;

/// Why a text was neither sealed nor opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AeadError {
    /// The text, its tag, the additional data or the nonce is not what was sealed under this key.
    #[error("the tag does not match")]
    Tag,
    /// The cipher's provider has no memory left, or the text is longer than the cipher allows.
    #[error("the cipher does not work on this")]
    Unavailable,
}

/// A key that is ready for use. Wiped when dropped by its provider, and never printed.
pub struct Aes256Gcm(provider::Key);

impl Aes256Gcm {
    /// Prepares a key.
    ///
    /// # Errors
    /// [`AeadError::Unavailable`] when the provider has no memory left.
    pub fn new(key: &[u8; 32]) -> Result<Self, AeadError> {
        provider::Key::new(key).map(Self)
    }

    /// Encrypts `text` where it stands and returns the tag that belongs behind it. A nonce must
    /// never be used twice under one key.
    ///
    /// # Errors
    /// [`AeadError::Unavailable`] for a text beyond 64 GiB.
    pub fn seal(&self, nonce: &[u8; 12], additional: &[u8], text: &mut [u8]) -> Result<[u8; TAG], AeadError> {
        self.0.seal(nonce, additional, text)
    }

    /// Decrypts `sealed`, a text with its tag behind it, where it stands and returns the text.
    ///
    /// # Errors
    /// [`AeadError::Tag`]; the octets of `sealed` are then worthless.
    pub fn open<'t>(
        &self,
        nonce: &[u8; 12],
        additional: &[u8],
        sealed: &'t mut [u8],
    ) -> Result<&'t mut [u8], AeadError> {
        let (text, tag) = sealed.split_last_chunk_mut::<TAG>().ok_or(AeadError::Tag)?;
        self.0.open(nonce, additional, text, tag)?;
        Ok(text)
    }
}

impl fmt::Debug for Aes256Gcm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Aes256Gcm(..)")
    }
}

#[cfg(feature = "aws-lc")]
mod aws_lc {
    use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

    use super::{AeadError, TAG};

    pub(super) struct Key(LessSafeKey);

    impl Key {
        pub(super) fn new(key: &[u8; 32]) -> Result<Self, AeadError> {
            let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| AeadError::Unavailable)?;
            Ok(Self(LessSafeKey::new(key)))
        }

        pub(super) fn seal(
            &self,
            nonce: &[u8; 12],
            additional: &[u8],
            text: &mut [u8],
        ) -> Result<[u8; TAG], AeadError> {
            let nonce = Nonce::assume_unique_for_key(*nonce);
            let tag = self.0.seal_in_place_separate_tag(nonce, Aad::from(additional), text);
            let tag = tag.map_err(|_| AeadError::Unavailable)?;
            tag.as_ref().try_into().map_err(|_| AeadError::Unavailable)
        }

        pub(super) fn open(
            &self,
            nonce: &[u8; 12],
            additional: &[u8],
            text: &mut [u8],
            tag: &[u8; TAG],
        ) -> Result<(), AeadError> {
            let nonce = Nonce::assume_unique_for_key(*nonce);
            let opened = self.0.open_in_place_separate_tag(nonce, Aad::from(additional), tag, text);
            opened.map(drop).map_err(|_| AeadError::Tag)
        }
    }
}

/// The portable form: the fallback, and the reference that tests compare with.
#[cfg(any(test, not(feature = "aws-lc")))]
mod portable {
    use aes_gcm::aead::AeadInOut;
    use aes_gcm::{Aes256Gcm, KeyInit};

    use super::{AeadError, TAG};

    pub(super) struct Key(Aes256Gcm);

    impl Key {
        #[expect(clippy::unnecessary_wraps, reason = "the other provider can fail")]
        pub(super) fn new(key: &[u8; 32]) -> Result<Self, AeadError> {
            Ok(Self(Aes256Gcm::new(key.into())))
        }

        pub(super) fn seal(
            &self,
            nonce: &[u8; 12],
            additional: &[u8],
            text: &mut [u8],
        ) -> Result<[u8; TAG], AeadError> {
            let tag = self.0.encrypt_inout_detached(nonce.into(), additional, text.into());
            tag.map(Into::into).map_err(|_| AeadError::Unavailable)
        }

        pub(super) fn open(
            &self,
            nonce: &[u8; 12],
            additional: &[u8],
            text: &mut [u8],
            tag: &[u8; TAG],
        ) -> Result<(), AeadError> {
            self.0
                .decrypt_inout_detached(nonce.into(), additional, text.into(), tag.into())
                .map_err(|_| AeadError::Tag)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [7; 32];
    const NONCE: [u8; 12] = [9; 12];

    fn sealed(text: &[u8], additional: &[u8]) -> Vec<u8> {
        let mut sealed = text.to_vec();
        let tag = Aes256Gcm::new(&KEY).unwrap().seal(&NONCE, additional, &mut sealed).unwrap();
        sealed.extend_from_slice(&tag);
        sealed
    }

    #[test]
    fn the_providers_agree() {
        let portable = portable::Key::new(&KEY).unwrap();
        for length in (0..70).chain([1500, 65_536]) {
            let text: Vec<u8> = (0..=255).cycle().take(length).collect();
            let additional = text.get(..length.min(40)).unwrap();
            let mut by_portable = text.clone();
            let tag = portable.seal(&NONCE, additional, &mut by_portable).unwrap();
            by_portable.extend_from_slice(&tag);
            assert_eq!(by_portable, sealed(&text, additional));
            let key = Aes256Gcm::new(&KEY).unwrap();
            assert_eq!(key.open(&NONCE, additional, &mut by_portable.clone()), Ok(&mut text.clone()[..]));
            let (body, tag) = by_portable.split_last_chunk_mut::<TAG>().unwrap();
            assert_eq!(portable.open(&NONCE, additional, body, tag), Ok(()));
            assert_eq!(body, text);
        }
    }

    #[test]
    fn whatever_was_changed_is_refused() {
        let key = Aes256Gcm::new(&KEY).unwrap();
        let good = sealed(b"hello", b"context");
        assert_eq!(key.open(&NONCE, b"context", &mut good.clone()), Ok(&mut b"hello".to_owned()[..]));
        for position in 0..good.len() {
            let mut bad = good.clone();
            bad[position] ^= 1;
            assert_eq!(key.open(&NONCE, b"context", &mut bad), Err(AeadError::Tag));
        }
        assert_eq!(key.open(&NONCE, b"other", &mut good.clone()), Err(AeadError::Tag));
        assert_eq!(key.open(&[8; 12], b"context", &mut good.clone()), Err(AeadError::Tag));
        assert_eq!(key.open(&NONCE, b"context", &mut good.clone()[..15]), Err(AeadError::Tag));
    }

    #[test]
    fn the_key_is_not_printed() {
        assert_eq!(format!("{:?}", Aes256Gcm::new(&KEY).unwrap()), "Aes256Gcm(..)");
    }
}

//! Small digests of the protocol that have no module of their own.

use md5::Md5;
use sha1::Sha1;
use sha2::Digest;

use crate::curve::PublicKey;

/// SHA-1 over what the service holds of this device's prekeys (pairing document §8.4):
/// identity, signed prekey, its signature, and the one-time prekeys in the listed order.
pub fn pre_key_digest<'a>(
    identity: &PublicKey,
    signed_pre_key: &PublicKey,
    signature: &[u8; 64],
    one_time: impl IntoIterator<Item = &'a PublicKey>,
) -> [u8; 20] {
    let mut hash = Sha1::new();
    hash.update(identity.as_bytes());
    hash.update(signed_pre_key.as_bytes());
    hash.update(signature);
    for key in one_time {
        hash.update(key.as_bytes());
    }
    hash.finalize().into()
}

/// MD5 of the dotted version text, sent at registration (transport document §5.3).
pub fn version_hash(version: &str) -> [u8; 16] {
    Md5::digest(version.as_bytes()).into()
}

/// Names a contact without naming it, in device-list updates (pairing document §9.2): base64 of
/// the first three octets of MD5 over the user and a fixed word.
pub fn contact_hash(user: &str) -> String {
    let mut hash = Md5::new();
    hash.update(user.as_bytes());
    hash.update(b"WA_ADD_NOTIF");
    base64(hash.finalize().get(..3).unwrap_or_default())
}

/// Standard base64 of whole groups of three octets, all that this crate needs.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (groups, rest) = bytes.as_chunks::<3>();
    debug_assert!(rest.is_empty());
    let mut text = String::with_capacity(groups.len().saturating_mul(4));
    for [a, b, c] in groups {
        let group = u32::from_be_bytes([0, *a, *b, *c]);
        for shift in [18, 12, 6, 0] {
            let index = usize::try_from(group >> shift & 63).unwrap_or(0);
            text.push(ALPHABET.get(index).copied().unwrap_or(b'A').into());
        }
    }
    text
}

/// SHA-256 of what others are to compare: files, and the options of polls.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    sha2::Sha256::digest(bytes).into()
}

//! Keys: made, recognised by their hashes, and sealed where they have to be shown again.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::KeyKind;

/// The digits of keys: no look-alikes.
const DIGITS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// Random octets from the system.
///
/// # Errors
/// When the system has none to give.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], getrandom::Error> {
    let mut octets = [0; N];
    getrandom::fill(&mut octets)?;
    Ok(octets)
}

/// A random text of so many digits, five bits each.
pub(crate) fn token(digits: usize) -> Result<String, getrandom::Error> {
    let mut octets = vec![0; digits];
    getrandom::fill(&mut octets)?;
    let digit = |octet: u8| DIGITS.get(usize::from(octet & 31)).copied().map_or('a', char::from);
    Ok(octets.into_iter().map(digit).collect())
}

/// A new key, with 130 random bits.
pub(crate) fn new_key(kind: KeyKind) -> Result<String, getrandom::Error> {
    Ok(format!("whb_{}_{}", kind.name(), token(26)?))
}

/// What is kept of a key. Keys have so many random bits that a plain hash cannot be searched.
pub(crate) fn hash(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

/// The part of a hash by which rows are looked up. It tells nothing that the hash does not.
pub(crate) fn lookup(hash: &[u8; 32]) -> String {
    hex::encode(hash.iter().take(8).copied().collect::<Vec<_>>())
}

/// Compares in constant time.
pub(crate) fn equal(one: &[u8], other: &[u8]) -> bool {
    one.ct_eq(other).into()
}

/// Seals keys that descriptions want shown at any time.
#[derive(Clone)]
pub(crate) struct Seal(Aes256Gcm);

impl Seal {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self(Aes256Gcm::new(key.into()))
    }

    /// Seals a text for a place, so that it opens nowhere else.
    pub(crate) fn close(&self, text: &str, place: &str) -> Option<Vec<u8>> {
        let nonce: [u8; 12] = random().ok()?;
        let payload = Payload { msg: text.as_bytes(), aad: place.as_bytes() };
        let sealed = self.0.encrypt(&Nonce::from(nonce), payload).ok()?;
        Some([nonce.as_slice(), &sealed].concat())
    }

    /// Opens what was sealed for a place.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "the dashboard, which shows keys again, is not there yet")
    )]
    pub(crate) fn open(&self, sealed: &[u8], place: &str) -> Option<String> {
        let (nonce, sealed) = sealed.split_first_chunk::<12>()?;
        let payload = Payload { msg: sealed, aad: place.as_bytes() };
        let text = self.0.decrypt(&Nonce::from(*nonce), payload).ok()?;
        String::from_utf8(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_say_what_they_are_for_and_differ() {
        let (one, other) = (new_key(KeyKind::Account).unwrap(), new_key(KeyKind::Account).unwrap());
        assert!(one.starts_with("whb_acct_") && one.len() == "whb_acct_".len() + 26);
        assert_ne!(one, other);
        assert_ne!(hash(&one), hash(&other));
    }

    #[test]
    fn a_sealed_key_opens_in_its_place_only() {
        let seal = Seal::new(&[7; 32]);
        let sealed = seal.close("secret", "account-1").unwrap();
        assert_eq!(seal.open(&sealed, "account-1").as_deref(), Some("secret"));
        assert_eq!(seal.open(&sealed, "account-2"), None);
        assert_eq!(Seal::new(&[8; 32]).open(&sealed, "account-1"), None);
        assert_eq!(seal.open(&sealed[..5], "account-1"), None);
    }
}

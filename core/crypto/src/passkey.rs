//! Linking that the account's owner confirms with a passkey (pairing document §7): what the companion
//! commits itself to, the code that both screens show, and the request that tells the phone the keys.

use std::fmt;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::aead::{Aes256Gcm, TAG};
use crate::curve::{AgreementError, PrivateKey, PublicKey};
use crate::kdf::hkdf_sha256;
use crate::pairing_code::Code;

const INFO: &[u8] = b"Pairing Information Encryption Key";

/// What was received does not belong to this exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasskeyError {
    /// A key allows no agreement.
    #[error("a key allows no agreement")]
    Agreement,
    /// The request does not open, or cannot be sealed.
    #[error("the request does not open")]
    Sealed,
}

impl From<AgreementError> for PasskeyError {
    fn from(_: AgreementError) -> Self {
        Self::Agreement
    }
}

/// What the companion commits itself to before it knows the phone's part: its encoded ephemeral identity
/// with a nonce that it tells later.
pub fn commitment(identity: &[u8], nonce: &[u8; 32]) -> [u8; 32] {
    Sha256::new().chain_update(identity).chain_update(nonce).finalize().into()
}

/// The code that the companion shows and the person compares with the phone's.
pub fn verification_code(companion_nonce: &[u8; 32], phone_key: &PublicKey, phone_nonce: &[u8; 32]) -> Code {
    let hash: [u8; 32] =
        Sha256::new().chain_update(companion_nonce).chain_update(phone_key.as_bytes()).finalize().into();
    let mut octets = [0; 5];
    for ((octet, theirs), ours) in octets.iter_mut().zip(phone_nonce).zip(hash) {
        *octet = theirs ^ ours;
    }
    Code::from_random(octets)
}

/// The key under which the companion tells the phone its keys. Wiped when dropped, and never printed.
pub struct RequestKey(Zeroizing<[u8; 32]>);

impl RequestKey {
    /// Derives it from the own and the other ephemeral key. `kind` is the companion's kind of device
    /// by its number, `reference` the service's name for the exchange.
    ///
    /// # Errors
    /// [`PasskeyError::Agreement`] when the other key allows none.
    pub fn derive(
        own: &PrivateKey,
        other: &PublicKey,
        kind: i32,
        reference: &str,
    ) -> Result<Self, PasskeyError> {
        let shared = own.agree(other)?;
        let salt = format!("Companion Pairing {kind} with ref {reference}");
        Ok(Self(hkdf_sha256(shared.as_bytes(), salt.as_bytes(), INFO)))
    }

    /// Encrypts the encoded request, with its tag behind it. `iv` must be fresh.
    ///
    /// # Errors
    /// [`PasskeyError::Sealed`] when the cipher does not work.
    pub fn seal(&self, iv: &[u8; 12], request: &[u8]) -> Result<Vec<u8>, PasskeyError> {
        let mut sealed = Vec::with_capacity(request.len() + TAG);
        sealed.extend_from_slice(request);
        let tag = self.cipher()?.seal(iv, &[], &mut sealed).map_err(|_| PasskeyError::Sealed)?;
        sealed.extend_from_slice(&tag);
        Ok(sealed)
    }

    /// Decrypts a request, the phone's side.
    ///
    /// # Errors
    /// [`PasskeyError::Sealed`] when it was not made under this key.
    pub fn open(&self, iv: &[u8; 12], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, PasskeyError> {
        let mut text = Zeroizing::new(sealed.to_vec());
        let length = self.cipher()?.open(iv, &[], &mut text).map_err(|_| PasskeyError::Sealed)?.len();
        text.truncate(length);
        Ok(text)
    }

    fn cipher(&self) -> Result<Aes256Gcm, PasskeyError> {
        Aes256Gcm::new(&self.0).map_err(|_| PasskeyError::Sealed)
    }
}

impl fmt::Debug for RequestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RequestKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn vectors() -> Value {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/pairing-code.json");
        let all: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        all["passkey"].clone()
    }

    fn octets(value: &Value) -> Vec<u8> {
        hex::decode(value.as_str().unwrap()).unwrap()
    }

    fn array<const N: usize>(value: &Value) -> [u8; N] {
        octets(value).try_into().unwrap()
    }

    fn keys(vectors: &Value) -> (RequestKey, RequestKey) {
        let reference = vectors["ref_ascii"].as_str().unwrap();
        let kind = i32::try_from(vectors["device_type"].as_i64().unwrap()).unwrap();
        let private = |name: &str| PrivateKey::from_bytes(array(&vectors[name]["private"]));
        let public = |name: &str| PublicKey::from_bytes(array(&vectors[name]["public"]));
        let derive = |own: &str, other: &str| {
            RequestKey::derive(&private(own), &public(other), kind, reference).unwrap()
        };
        (
            derive("companion_ephemeral", "primary_ephemeral"),
            derive("primary_ephemeral", "companion_ephemeral"),
        )
    }

    #[test]
    fn commitment_and_code_are_those_of_the_vectors() {
        let vectors = vectors();
        let nonce = array(&vectors["companion_nonce"]);
        let identity = octets(&vectors["companion_ephemeral_identity"]);
        assert_eq!(commitment(&identity, &nonce), array(&vectors["commitment"]));
        let phone = PublicKey::from_bytes(array(&vectors["primary_ephemeral"]["public"]));
        let code = verification_code(&nonce, &phone, &array(&vectors["primary_nonce"]));
        assert_eq!(code.shown(), vectors["verification_code_shown"].as_str().unwrap());
    }

    #[test]
    fn the_request_is_sealed_as_in_the_vectors_and_opens_on_the_other_side() {
        let vectors = vectors();
        let (companion, phone) = keys(&vectors);
        assert_eq!(*companion.0, array(&vectors["encryption_key"]));
        let (iv, request) = (array(&vectors["iv"]), octets(&vectors["pairing_request"]));
        let sealed = companion.seal(&iv, &request).unwrap();
        assert_eq!(sealed, octets(&vectors["encrypted_payload"]));
        assert_eq!(*phone.open(&iv, &sealed).unwrap(), request);
        assert_eq!(phone.open(&[0; 12], &sealed), Err(PasskeyError::Sealed));
        assert_eq!(phone.open(&iv, &sealed[..8]), Err(PasskeyError::Sealed));
        let small = PublicKey::from_bytes([0; 32]);
        let refused = RequestKey::derive(&PrivateKey::from_bytes([7; 32]), &small, 1, "ref").unwrap_err();
        assert_eq!(refused, PasskeyError::Agreement);
        assert_eq!(format!("{companion:?}"), "RequestKey(..)");
    }
}

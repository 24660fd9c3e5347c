//! The identity statements that bind a companion device to an account (pairing document §4.3,
//! §9): an HMAC by the scanned secret and signatures by the account and by the device.
//!
//! All inputs are bytes as received: re-encoding a protobuf would break the signatures.

use crate::curve::{PrivateKey, PublicKey};
use crate::kdf::{HmacKey, hmac_sha256};

const ACCOUNT: [u8; 2] = [6, 0];
const DEVICE: [u8; 2] = [6, 1];
const KEY_INDEX_LIST: [u8; 2] = [6, 2];
const HOSTED_ACCOUNT: [u8; 2] = [6, 5];
const HOSTED_DEVICE: [u8; 2] = [6, 6];
const HOSTED_KEY_INDEX_LIST: [u8; 2] = [6, 7];

/// Who operates a device: the person's own hardware, or the service itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Hosting {
    /// The person's own hardware: end-to-end encrypted.
    #[default]
    Own,
    /// A device hosted by the service's operator.
    Hosted,
}

/// A proof does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The HMAC was made with another secret or over something else.
    #[error("the HMAC does not match")]
    Hmac,
    /// A signature does not verify.
    #[error("the signature does not match")]
    Signature,
}

/// What stands before the container's `details` in the HMAC.
fn hmac_prefix(hosting: Hosting) -> &'static [u8] {
    match hosting {
        Hosting::Own => &[],
        Hosting::Hosted => &HOSTED_ACCOUNT,
    }
}

/// Proof 1, made by the phone: HMAC over the container's `details` with the scanned secret.
/// `hosting` is the container's account type.
pub fn hmac(adv_secret: &[u8; 32], hosting: Hosting, details: &[u8]) -> [u8; 32] {
    hmac_sha256(adv_secret, &[hmac_prefix(hosting), details])
}

/// Checks proof 1, in constant time.
///
/// # Errors
/// [`ProofError::Hmac`] when it does not match or has another length than 32.
pub fn verify_hmac(
    adv_secret: &[u8; 32],
    hosting: Hosting,
    details: &[u8],
    hmac: &[u8],
) -> Result<(), ProofError> {
    let matches = HmacKey::new(adv_secret).verifies(&[hmac_prefix(hosting), details], hmac);
    if matches { Ok(()) } else { Err(ProofError::Hmac) }
}

fn account_prefix(hosting: Hosting) -> [u8; 2] {
    match hosting {
        Hosting::Own => ACCOUNT,
        Hosting::Hosted => HOSTED_ACCOUNT,
    }
}

/// Proof 2, made by the phone: the account's signature over a device identity and the
/// companion's key. `hosting` is the `deviceType` inside `details`.
pub fn sign_account(
    account: &PrivateKey,
    hosting: Hosting,
    details: &[u8],
    companion: &PublicKey,
    random: &[u8; 64],
) -> [u8; 64] {
    account.sign(&[&account_prefix(hosting), details, companion.as_bytes()], random)
}

/// Checks proof 2.
///
/// # Errors
/// [`ProofError::Signature`] when it does not verify or has a wrong length.
pub fn verify_account(
    account: &PublicKey,
    hosting: Hosting,
    details: &[u8],
    companion: &PublicKey,
    signature: &[u8],
) -> Result<(), ProofError> {
    verify(account, &[&account_prefix(hosting), details, companion.as_bytes()], signature)
}

/// Proof 3, made by the companion with its identity key; `06 01` also for hosted devices.
pub fn sign_device(
    identity: &PrivateKey,
    companion: &PublicKey,
    details: &[u8],
    account: &PublicKey,
    random: &[u8; 64],
) -> [u8; 64] {
    identity.sign(&[&DEVICE, details, companion.as_bytes(), account.as_bytes()], random)
}

/// Checks proof 3. For hosted devices either prefix counts: the sources disagree.
///
/// # Errors
/// [`ProofError::Signature`] when it does not verify or has a wrong length.
pub fn verify_device(
    companion: &PublicKey,
    hosting: Hosting,
    details: &[u8],
    account: &PublicKey,
    signature: &[u8],
) -> Result<(), ProofError> {
    let with = |prefix: [u8; 2]| {
        verify(companion, &[&prefix, details, companion.as_bytes(), account.as_bytes()], signature)
    };
    match (with(DEVICE), hosting) {
        (Err(_), Hosting::Hosted) => with(HOSTED_DEVICE),
        (result, _) => result,
    }
}

fn list_prefix(hosting: Hosting) -> [u8; 2] {
    match hosting {
        Hosting::Own => KEY_INDEX_LIST,
        Hosting::Hosted => HOSTED_KEY_INDEX_LIST,
    }
}

/// The phone's signature over its list of valid key indexes.
pub fn sign_key_index_list(
    account: &PrivateKey,
    hosting: Hosting,
    details: &[u8],
    random: &[u8; 64],
) -> [u8; 64] {
    account.sign(&[&list_prefix(hosting), details], random)
}

/// Checks the signature of a key-index list.
///
/// # Errors
/// [`ProofError::Signature`] when it does not verify or has a wrong length.
pub fn verify_key_index_list(
    account: &PublicKey,
    hosting: Hosting,
    details: &[u8],
    signature: &[u8],
) -> Result<(), ProofError> {
    verify(account, &[&list_prefix(hosting), details], signature)
}

fn verify(key: &PublicKey, message: &[&[u8]], signature: &[u8]) -> Result<(), ProofError> {
    let signature: &[u8; 64] = signature.try_into().map_err(|_| ProofError::Signature)?;
    key.verify(message, signature).map_err(|_| ProofError::Signature)
}

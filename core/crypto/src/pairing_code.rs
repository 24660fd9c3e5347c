//! Linking by a code typed on the phone (pairing document §6): the code, the wrapping of the
//! ephemeral keys by it, and the key bundle that proves both sides typed the same one.

use aes::Aes256;
use aes_gcm::aead::{Aead, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce};
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit, StreamCipher};
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::curve::{AgreementError, PrivateKey, PublicKey};
use crate::kdf::hkdf_sha256;

/// The characters of a code: no `0`, `I`, `O`, `U`.
const ALPHABET: &[u8; 32] = b"123456789ABCDEFGHJKLMNPQRSTVWXYZ";
const ITERATIONS: u32 = 131_072;
const BUNDLE_INFO: &[u8] = b"link_code_pairing_key_bundle_encryption_key";

/// Length of a wrapped key: salt, initial counter block, key.
pub const WRAPPED_KEY: usize = 80;
/// Length of a wrapped bundle: salt, nonce, three keys, tag.
pub const WRAPPED_BUNDLE: usize = 156;

/// What was received does not belong to this code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PairingCodeError {
    /// A wrapped key or bundle has the wrong length.
    #[error("a wrapped key has the wrong length")]
    Length,
    /// A key allows no agreement; so looks a key that was unwrapped with another code.
    #[error("a key allows no agreement")]
    Agreement,
    /// The bundle does not open, or names other keys: somebody typed another code.
    #[error("the code is wrong")]
    WrongCode,
}

impl From<AgreementError> for PairingCodeError {
    fn from(_: AgreementError) -> Self {
        Self::Agreement
    }
}

/// A pairing code: eight characters.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Code([u8; 8]);

impl Code {
    /// Makes a code from five random octets.
    pub fn from_random(random: [u8; 5]) -> Self {
        let [a, b, c, d, e] = random;
        let number = u64::from_be_bytes([0, 0, 0, a, b, c, d, e]);
        let mut code = [b'1'; 8];
        for (position, character) in code.iter_mut().rev().enumerate() {
            let index = usize::try_from(number >> (5 * position) & 31).unwrap_or(0);
            *character = ALPHABET.get(index).copied().unwrap_or(b'1');
        }
        Self(code)
    }

    /// Reads what a person typed: case, blanks and dashes do not matter. `None` if it is not a
    /// code; characters that look alike are not mapped to each other.
    pub fn parse(typed: &str) -> Option<Self> {
        let characters: Vec<u8> = typed
            .bytes()
            .filter(|character| !matches!(character, b'-' | b' '))
            .map(|character| character.to_ascii_uppercase())
            .collect();
        let code: [u8; 8] = characters.try_into().ok()?;
        code.iter().all(|character| ALPHABET.contains(character)).then_some(Self(code))
    }

    /// The code as people read it: `ABCD-EFGH`.
    pub fn shown(&self) -> String {
        let mut shown: String = self.0.iter().copied().map(char::from).collect();
        shown.insert(4, '-');
        shown
    }

    /// The key that wraps ephemeral keys under this code and salt. Takes some 30 ms: that is
    /// what makes guessing slow.
    fn key(&self, salt: &[u8; 32]) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(pbkdf2::pbkdf2_hmac_array::<Sha256, 32>(&self.0, salt, ITERATIONS))
    }

    /// Wraps an ephemeral public key. `salt` and `counter` must be fresh; the last eight octets
    /// of `counter` must not all be `ff`, since implementations differ in the carry.
    pub fn wrap(&self, key: &PublicKey, salt: &[u8; 32], counter: &[u8; 16]) -> [u8; WRAPPED_KEY] {
        let mut wrapped = [0; WRAPPED_KEY];
        let (head, body) = wrapped.split_at_mut(48);
        let (head_salt, head_counter) = head.split_at_mut(32);
        head_salt.copy_from_slice(salt);
        head_counter.copy_from_slice(counter);
        body.copy_from_slice(&self.crypt(key.as_bytes(), salt, counter));
        wrapped
    }

    /// Unwraps an ephemeral public key. A wrong code gives another key, not an error: it shows
    /// when the bundle is opened.
    ///
    /// # Errors
    /// [`PairingCodeError::Length`].
    pub fn unwrap(&self, wrapped: &[u8]) -> Result<PublicKey, PairingCodeError> {
        let wrapped: &[u8; WRAPPED_KEY] = wrapped.try_into().map_err(|_| PairingCodeError::Length)?;
        let (salt, rest) = wrapped.split_first_chunk::<32>().ok_or(PairingCodeError::Length)?;
        let (counter, key) = rest.split_first_chunk::<16>().ok_or(PairingCodeError::Length)?;
        let key: &[u8; 32] = key.try_into().map_err(|_| PairingCodeError::Length)?;
        Ok(PublicKey::from_bytes(self.crypt(key, salt, counter)))
    }

    fn crypt(&self, key: &[u8; 32], salt: &[u8; 32], counter: &[u8; 16]) -> [u8; 32] {
        let mut bytes = *key;
        let mut cipher = Ctr128BE::<Aes256>::new((&*self.key(salt)).into(), counter.into());
        cipher.apply_keystream(&mut bytes);
        bytes
    }
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Code(..)")
    }
}

/// Fresh randomness for a bundle. Wiped when dropped, and never printed.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct BundleRandom {
    /// Salt of the bundle key.
    pub salt: [u8; 32],
    /// Nonce of the bundle cipher.
    pub nonce: [u8; 12],
    /// The third part of the bundle, which goes into the ADV secret.
    pub secret: [u8; 32],
}

impl std::fmt::Debug for BundleRandom {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BundleRandom(..)")
    }
}

/// Companion: answers the phone's hello. Returns the wrapped bundle, and the ADV secret that
/// must be durable before the bundle leaves.
///
/// # Errors
/// [`PairingCodeError::Agreement`] when a key allows none.
pub fn companion_finish(
    ephemeral: &PrivateKey,
    identity: &PrivateKey,
    primary_ephemeral: &PublicKey,
    primary_identity: &PublicKey,
    random: &BundleRandom,
) -> Result<([u8; WRAPPED_BUNDLE], Zeroizing<[u8; 32]>), PairingCodeError> {
    let by_ephemeral = ephemeral.agree(primary_ephemeral)?;
    let by_identity = identity.agree(primary_identity)?;
    let mut plaintext = Zeroizing::new(Vec::with_capacity(96));
    plaintext.extend_from_slice(identity.public_key().as_bytes());
    plaintext.extend_from_slice(primary_identity.as_bytes());
    plaintext.extend_from_slice(&random.secret);
    let sealed = bundle_cipher(by_ephemeral.as_bytes(), &random.salt)
        .encrypt(&Nonce::from(random.nonce), plaintext.as_slice())
        .map_err(|_| PairingCodeError::Length)?;
    let mut bundle = Vec::with_capacity(WRAPPED_BUNDLE);
    bundle.extend_from_slice(&random.salt);
    bundle.extend_from_slice(&random.nonce);
    bundle.extend_from_slice(&sealed);
    let bundle = bundle.try_into().map_err(|_| PairingCodeError::Length)?;
    Ok((bundle, adv_secret(by_ephemeral.as_bytes(), by_identity.as_bytes(), &random.secret)))
}

/// Phone: opens the companion's bundle and derives the ADV secret.
///
/// # Errors
/// [`PairingCodeError::WrongCode`] when it does not open or names other identities than the two
/// given ones.
pub fn primary_open(
    ephemeral: &PrivateKey,
    identity: &PrivateKey,
    companion_ephemeral: &PublicKey,
    companion_identity: &PublicKey,
    bundle: &[u8],
) -> Result<Zeroizing<[u8; 32]>, PairingCodeError> {
    let bundle: &[u8; WRAPPED_BUNDLE] = bundle.try_into().map_err(|_| PairingCodeError::Length)?;
    let (salt, rest) = bundle.split_first_chunk::<32>().ok_or(PairingCodeError::Length)?;
    let (nonce, sealed) = rest.split_first_chunk::<12>().ok_or(PairingCodeError::Length)?;
    let by_ephemeral = ephemeral.agree(companion_ephemeral)?;
    let plaintext = bundle_cipher(by_ephemeral.as_bytes(), salt)
        .decrypt(&Nonce::from(*nonce), sealed)
        .map(Zeroizing::new)
        .map_err(|_| PairingCodeError::WrongCode)?;
    let (companion, rest) = plaintext.split_first_chunk::<32>().ok_or(PairingCodeError::WrongCode)?;
    let (primary, rest) = rest.split_first_chunk::<32>().ok_or(PairingCodeError::WrongCode)?;
    let secret: &[u8; 32] = rest.try_into().map_err(|_| PairingCodeError::WrongCode)?;
    if companion != companion_identity.as_bytes() || primary != identity.public_key().as_bytes() {
        return Err(PairingCodeError::WrongCode);
    }
    let by_identity = identity.agree(companion_identity)?;
    Ok(adv_secret(by_ephemeral.as_bytes(), by_identity.as_bytes(), secret))
}

fn bundle_cipher(by_ephemeral: &[u8; 32], salt: &[u8; 32]) -> Aes256Gcm {
    Aes256Gcm::new((&*hkdf_sha256::<32>(by_ephemeral, salt, BUNDLE_INFO)).into())
}

fn adv_secret(by_ephemeral: &[u8; 32], by_identity: &[u8; 32], secret: &[u8; 32]) -> Zeroizing<[u8; 32]> {
    let input = Zeroizing::new([*by_ephemeral, *by_identity, *secret]);
    hkdf_sha256(input.as_flattened(), &[], b"adv_secret")
}

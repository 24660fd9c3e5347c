//! Curve25519 keys: agreement (X25519) and signatures by the same keys (XEdDSA).

mod agreement;
mod xeddsa;

use std::fmt;
use std::sync::OnceLock;

use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// The octet that stands before a public key inside Signal structures.
const KEY_TYPE: u8 = 5;

/// A public key does not have the form of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a public key has the wrong length or type")]
pub struct KeyError;

/// The other side's public key allows no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the agreement gave the all-zero secret")]
pub struct AgreementError;

/// A signature is not by this key over this message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not verify")]
pub struct SignatureError;

/// A public key: 32 octets, the Montgomery form.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// Takes 32 octets as they stand in stanzas.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 octets.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The 33 octets used inside Signal structures and signed inputs: `05` and the key.
    pub fn to_typed(&self) -> [u8; 33] {
        let mut typed = [KEY_TYPE; 33];
        if let Some((_, key)) = typed.split_first_mut() {
            key.copy_from_slice(&self.0);
        }
        typed
    }

    /// Reads either form: 32 octets, or 33 of which the first is `05`.
    ///
    /// # Errors
    /// Any other length or type.
    pub fn parse(bytes: &[u8]) -> Result<Self, KeyError> {
        let key = match bytes {
            [KEY_TYPE, key @ ..] if key.len() == 32 => key,
            key => key,
        };
        key.try_into().map(Self).map_err(|_| KeyError)
    }

    /// Checks an XEdDSA signature over the concatenated parts (pairing document §16).
    ///
    /// # Errors
    /// The signature is by another key, over another message, or in a form that no honest
    /// signer produces; keys of small order are refused.
    pub fn verify(&self, message: &[&[u8]], signature: &[u8; 64]) -> Result<(), SignatureError> {
        self.verifier()?.verify(message, signature)
    }

    /// Prepares the key for more than one verification; that saves a quarter of each.
    ///
    /// # Errors
    /// No signature can verify under this key: it is of small order, or no point at all.
    pub fn verifier(&self) -> Result<Verifier, SignatureError> {
        xeddsa::prepare(&self.0).map(Verifier)
    }
}

/// A public key prepared for verifying many signatures.
#[derive(Clone)]
pub struct Verifier(xeddsa::Prepared);

impl Verifier {
    /// As [`PublicKey::verify`].
    ///
    /// # Errors
    /// As there.
    pub fn verify(&self, message: &[&[u8]], signature: &[u8; 64]) -> Result<(), SignatureError> {
        xeddsa::verify(&self.0, message, signature)
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier(..)")
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicKey(")?;
        for byte in &self.0 {
            write!(f, "{byte:02x}")?;
        }
        f.write_str(")")
    }
}

/// A private key. Wiped when dropped, and never printed.
#[derive(Clone)]
pub struct PrivateKey {
    bytes: Zeroizing<[u8; 32]>,
    /// The Edwards form of the public key, needed for signing; made at the first signature.
    edwards: OnceLock<[u8; 32]>,
    /// The form needed for agreements and the public key; made at the first of them.
    prepared: OnceLock<agreement::Prepared>,
}

impl PrivateKey {
    /// Takes 32 octets, clamped here if they are not yet.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        let clamped = curve25519_dalek::scalar::clamp_integer(bytes);
        Self { bytes: Zeroizing::new(clamped), edwards: OnceLock::new(), prepared: OnceLock::new() }
    }

    /// Draws a new key.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        rng.fill_bytes(&mut *bytes);
        Self::from_bytes(*bytes)
    }

    /// The octets, for the store.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// Computes the public half.
    pub fn public_key(&self) -> PublicKey {
        PublicKey(self.prepared().public_key())
    }

    /// The secret that both sides compute.
    ///
    /// # Errors
    /// The other key is of small order, so the secret would be all zeros.
    pub fn agree(&self, their: &PublicKey) -> Result<SharedSecret, AgreementError> {
        self.prepared().agree(&their.0)
    }

    fn prepared(&self) -> &agreement::Prepared {
        self.prepared.get_or_init(|| agreement::Prepared::new(&self.bytes))
    }

    /// Signs the concatenated parts (XEdDSA, pairing document §16). `random` must be fresh.
    pub fn sign(&self, message: &[&[u8]], random: &[u8; 64]) -> [u8; 64] {
        let edwards = self.edwards.get_or_init(|| xeddsa::edwards_public(&self.bytes));
        xeddsa::sign(&self.bytes, edwards, message, random)
    }
}

impl PartialEq for PrivateKey {
    fn eq(&self, other: &Self) -> bool {
        self.bytes.ct_eq(&*other.bytes).into()
    }
}

impl Eq for PrivateKey {}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(..)")
    }
}

/// A private key with its public half.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPair {
    /// The private half.
    pub private: PrivateKey,
    /// The public half.
    pub public: PublicKey,
}

impl KeyPair {
    /// Draws a new pair.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        Self::from_private(PrivateKey::generate(rng))
    }

    /// Completes a private key.
    pub fn from_private(private: PrivateKey) -> Self {
        Self { public: private.public_key(), private }
    }
}

/// What two keys agree on. Wiped when dropped, and never printed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SharedSecret([u8; 32]);

impl SharedSecret {
    /// The 32 octets.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedSecret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_a_public_key_are_read() {
        let key = PublicKey::from_bytes([7; 32]);
        assert_eq!(PublicKey::parse(&[7; 32]), Ok(key));
        assert_eq!(PublicKey::parse(&key.to_typed()), Ok(key));
        let mut wrong = key.to_typed();
        wrong[0] = 6;
        assert_eq!(PublicKey::parse(&wrong), Err(KeyError));
        assert_eq!(PublicKey::parse(&[5; 31]), Err(KeyError));
        // 32 octets that begin with 05 are a key, not a key of 31 octets.
        assert!(PublicKey::parse(&[5; 32]).is_ok());
    }

    #[test]
    fn secrets_are_not_printed() {
        let pair = KeyPair::from_private(PrivateKey::from_bytes([0xab; 32]));
        let printed = format!("{:?} {:?}", pair.private, pair.private.agree(&pair.public).unwrap());
        assert_eq!(printed, "PrivateKey(..) SharedSecret(..)");
        assert!(!format!("{pair:?}").contains("abab"));
    }

    #[test]
    fn both_sides_agree() {
        let (a, b) = (PrivateKey::from_bytes([1; 32]), PrivateKey::from_bytes([2; 32]));
        let (ab, ba) = (a.agree(&b.public_key()).unwrap(), b.agree(&a.public_key()).unwrap());
        assert_eq!(ab.as_bytes(), ba.as_bytes());
        assert!(a.agree(&PublicKey::from_bytes([0; 32])).is_err());
    }

    #[test]
    fn keys_of_small_order_are_refused() {
        let field = "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f";
        let keys = [
            "00".repeat(32),
            format!("01{}", "00".repeat(31)),
            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800".to_owned(),
            "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157".to_owned(),
            // One below, at and one above the size of the field.
            format!("ec{field}"),
            format!("ed{field}"),
            format!("ee{field}"),
        ];
        let private = PrivateKey::from_bytes([9; 32]);
        for key in keys {
            let key = PublicKey::parse(&hex::decode(key).unwrap()).unwrap();
            assert_eq!(private.agree(&key).unwrap_err(), AgreementError, "{key:?}");
            // The neutral point and a response of zero sign everything under such a key.
            let mut forged = [0; 64];
            forged[0] = 1;
            for sign in [0, 0x80] {
                forged[63] = sign;
                assert_eq!(key.verify(&[b"message"], &forged), Err(SignatureError), "{key:?}");
            }
        }
    }
}

//! XEdDSA in the form that Signal libraries use (pairing document §16): Ed25519 arithmetic with
//! a Montgomery key, the sign of the Edwards point in the top bit of the signature.

use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::montgomery::MontgomeryPoint;
use curve25519_dalek::scalar::Scalar;
use sha2::{Digest, Sha512};
use zeroize::Zeroizing;

use super::SignatureError;

/// Prefix of the nonce hash: `FE` and 31 times `FF`, an encoding that no point has.
const NONCE_PREFIX: [u8; 32] = {
    let mut prefix = [0xff; 32];
    prefix[0] = 0xfe;
    prefix
};

/// The Edwards form of the public key of a clamped private key.
pub(super) fn edwards_public(private: &[u8; 32]) -> [u8; 32] {
    EdwardsPoint::mul_base_clamped(*private).compress().to_bytes()
}

fn hash(parts: &[&[u8]], message: &[&[u8]], last: &[u8]) -> Scalar {
    let mut hash = Sha512::new();
    for part in parts.iter().chain(message) {
        hash.update(part);
    }
    hash.update(last);
    let wide: Zeroizing<[u8; 64]> = Zeroizing::new(hash.finalize().into());
    Scalar::from_bytes_mod_order_wide(&wide)
}

pub(super) fn sign(private: &[u8; 32], edwards: &[u8; 32], message: &[&[u8]], random: &[u8; 64]) -> [u8; 64] {
    let key = Zeroizing::new(Scalar::from_bytes_mod_order(*private));
    let nonce = Zeroizing::new(hash(&[&NONCE_PREFIX, private], message, random));
    let commitment = EdwardsPoint::mul_base(&nonce).compress();
    let challenge = hash(&[commitment.as_bytes(), edwards], message, &[]);
    let response = *nonce + challenge * *key;

    let mut signature = [0; 64];
    let (head, tail) = signature.split_at_mut(32);
    head.copy_from_slice(commitment.as_bytes());
    tail.copy_from_slice(response.as_bytes());
    if let (Some(last), Some(sign)) = (signature.last_mut(), edwards.last()) {
        *last |= sign & 0x80;
    }
    signature
}

/// A public key in the form in which verification uses it.
#[derive(Clone)]
pub(super) struct Prepared {
    /// The point with sign 0.
    point: EdwardsPoint,
    /// Its encoding.
    encoded: [u8; 32],
}

pub(super) fn prepare(public: &[u8; 32]) -> Result<Prepared, SignatureError> {
    let point = MontgomeryPoint(*public).to_edwards(0).ok_or(SignatureError)?;
    if point.is_small_order() {
        return Err(SignatureError);
    }
    Ok(Prepared { encoded: point.compress().to_bytes(), point })
}

pub(super) fn verify(key: &Prepared, message: &[&[u8]], signature: &[u8; 64]) -> Result<(), SignatureError> {
    let (commitment, response) = signature.split_first_chunk::<32>().ok_or(SignatureError)?;
    let mut response: [u8; 32] = response.try_into().map_err(|_| SignatureError)?;
    let mut sign = 0;
    if let Some(last) = response.last_mut() {
        sign = *last & 0x80;
        *last &= 0x7f;
    }
    // s + L signs the same message: only the canonical s counts.
    let response = Option::<Scalar>::from(Scalar::from_canonical_bytes(response)).ok_or(SignatureError)?;
    // The other sign is the negated point, and the bit in its encoding.
    let (negated, mut encoded) = (if sign == 0 { -key.point } else { key.point }, key.encoded);
    if let Some(last) = encoded.last_mut() {
        *last |= sign;
    }
    let challenge = hash(&[commitment, &encoded], message, &[]);
    let expected = EdwardsPoint::vartime_double_scalar_mul_basepoint(&challenge, &negated, &response);
    if expected.compress().as_bytes() == commitment { Ok(()) } else { Err(SignatureError) }
}

//! X25519, by the faster provider where it is built in.
//!
//! The agreement is half as long with aws-lc as with the portable crate; the public key is made
//! by the portable one, whose base-point table is faster than setting up a key object.

use curve25519_dalek::edwards::EdwardsPoint;
use subtle::ConstantTimeEq;

use super::{AgreementError, SharedSecret};

/// The public half of a clamped private key.
pub(super) fn public_key(private: &[u8; 32]) -> [u8; 32] {
    EdwardsPoint::mul_base_clamped(*private).to_montgomery().to_bytes()
}

/// The shared secret, which is never all zeros.
pub(super) fn agree(private: &[u8; 32], public: &[u8; 32]) -> Result<SharedSecret, AgreementError> {
    #[cfg(feature = "aws-lc")]
    let secret = by_aws_lc(private, public)?;
    #[cfg(not(feature = "aws-lc"))]
    let secret = portable(private, public);
    if bool::from(secret.0.ct_eq(&[0; 32])) {
        return Err(AgreementError);
    }
    Ok(secret)
}

#[cfg(feature = "aws-lc")]
fn by_aws_lc(private: &[u8; 32], public: &[u8; 32]) -> Result<SharedSecret, AgreementError> {
    use aws_lc_rs::agreement::{self, PrivateKey, UnparsedPublicKey, X25519};

    let private = PrivateKey::from_private_key(&X25519, private).map_err(|_| AgreementError)?;
    let public = UnparsedPublicKey::new(&X25519, public);
    // Fails on the all-zero result by itself.
    agreement::agree(&private, public, AgreementError, |secret| {
        secret.try_into().map(SharedSecret).map_err(|_| AgreementError)
    })
}

/// The portable form: the fallback, and the reference that tests compare with.
#[cfg(any(test, not(feature = "aws-lc")))]
fn portable(private: &[u8; 32], public: &[u8; 32]) -> SharedSecret {
    SharedSecret(curve25519_dalek::MontgomeryPoint(*public).mul_clamped(*private).to_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_providers_agree() {
        for seed in 0..50_u8 {
            let private = curve25519_dalek::scalar::clamp_integer([seed; 32]);
            let other = public_key(&curve25519_dalek::scalar::clamp_integer([seed ^ 0x5a; 32]));
            let secret = agree(&private, &other).unwrap();
            assert_eq!(secret.as_bytes(), portable(&private, &other).as_bytes());
        }
    }
}

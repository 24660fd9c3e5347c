//! X25519, by the faster provider where it is built in: half the time of the portable crate.

use subtle::ConstantTimeEq;

use super::{AgreementError, SharedSecret};

/// A clamped private key, ready for agreements. Making one computes the public half; a key that
/// agrees several times, as the base key of a new session does, pays for that once.
#[derive(Clone)]
pub(super) struct Prepared(Provider);

#[cfg(feature = "aws-lc")]
type Provider = by_aws_lc::Key;
#[cfg(not(feature = "aws-lc"))]
type Provider = portable::Key;

impl Prepared {
    /// Prepares a key.
    pub(super) fn new(private: &[u8; 32]) -> Self {
        Self(Provider::new(private))
    }

    /// The public half.
    pub(super) fn public_key(&self) -> [u8; 32] {
        self.0.public_key()
    }

    /// The shared secret, which is never all zeros.
    pub(super) fn agree(&self, public: &[u8; 32]) -> Result<SharedSecret, AgreementError> {
        let secret = self.0.agree(public)?;
        if bool::from(secret.0.ct_eq(&[0; 32])) {
            return Err(AgreementError);
        }
        Ok(secret)
    }
}

#[cfg(feature = "aws-lc")]
mod by_aws_lc {
    use std::sync::Arc;

    use aws_lc_rs::agreement::{self, PrivateKey, UnparsedPublicKey, X25519};

    use super::super::{AgreementError, SharedSecret};
    use super::portable;

    /// The provider's key object, which it wipes when the last holder drops it, and the public
    /// half. It refuses only keys of a wrong length; the portable form would take over then.
    #[derive(Clone)]
    pub(super) enum Key {
        Provider(Arc<PrivateKey>, [u8; 32]),
        Portable(portable::Key),
    }

    fn provider(private: &[u8; 32]) -> Option<Key> {
        let key = PrivateKey::from_private_key(&X25519, private).ok()?;
        let public = key.compute_public_key().ok()?.as_ref().try_into().ok()?;
        Some(Key::Provider(Arc::new(key), public))
    }

    impl Key {
        pub(super) fn new(private: &[u8; 32]) -> Self {
            provider(private).unwrap_or_else(|| Self::Portable(portable::Key::new(private)))
        }

        pub(super) fn public_key(&self) -> [u8; 32] {
            match self {
                Self::Provider(_, public) => *public,
                Self::Portable(key) => key.public_key(),
            }
        }

        pub(super) fn agree(&self, public: &[u8; 32]) -> Result<SharedSecret, AgreementError> {
            match self {
                Self::Provider(key, _) => {
                    let public = UnparsedPublicKey::new(&X25519, public);
                    // Fails on the all-zero result by itself.
                    agreement::agree(key, public, AgreementError, |secret| {
                        secret.try_into().map(SharedSecret).map_err(|_| AgreementError)
                    })
                }
                Self::Portable(key) => key.agree(public),
            }
        }
    }
}

/// The portable form: the fallback, and the reference that tests compare with.
mod portable {
    use curve25519_dalek::MontgomeryPoint;
    use curve25519_dalek::edwards::EdwardsPoint;
    use zeroize::Zeroizing;

    use super::super::{AgreementError, SharedSecret};

    #[derive(Clone)]
    pub(super) struct Key(Zeroizing<[u8; 32]>);

    impl Key {
        pub(super) fn new(private: &[u8; 32]) -> Self {
            Self(Zeroizing::new(*private))
        }

        pub(super) fn public_key(&self) -> [u8; 32] {
            EdwardsPoint::mul_base_clamped(*self.0).to_montgomery().to_bytes()
        }

        #[cfg_attr(
            feature = "aws-lc",
            expect(clippy::unnecessary_wraps, reason = "the provider's form can fail")
        )]
        pub(super) fn agree(&self, public: &[u8; 32]) -> Result<SharedSecret, AgreementError> {
            Ok(SharedSecret(MontgomeryPoint(*public).mul_clamped(*self.0).to_bytes()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_providers_agree() {
        for seed in 0..50_u8 {
            let private = curve25519_dalek::scalar::clamp_integer([seed; 32]);
            let other = curve25519_dalek::scalar::clamp_integer([seed ^ 0x5a; 32]);
            let (key, reference) = (Prepared::new(&private), portable::Key::new(&private));
            assert_eq!(key.public_key(), reference.public_key());
            let public = Prepared::new(&other).public_key();
            let secret = key.agree(&public).unwrap();
            assert_eq!(secret.as_bytes(), reference.agree(&public).unwrap().as_bytes());
        }
    }
}

//! The chain of certificates by which a server proves its static key (transport document §2.6).

use std::fmt;

use subtle::ConstantTimeEq;
use whimbrel_crypto::curve::{PrivateKey, PublicKey};
use whimbrel_proto::handshake::CertChain;
use whimbrel_proto::handshake::cert_chain::NoiseCertificate;
use whimbrel_proto::handshake::cert_chain::noise_certificate::Details;

use crate::error::CertificateError;

/// Key of the service's root certificate.
const PRODUCTION_ROOT: [u8; 32] = [
    0x14, 0x23, 0x75, 0x57, 0x4d, 0x0a, 0x58, 0x71, 0x66, 0xaa, 0xe7, 0x1e, 0xbe, 0x51, 0x64, 0x37, 0xc4,
    0xa2, 0x8b, 0x73, 0xe3, 0x69, 0x5c, 0x6c, 0xe1, 0xf7, 0xf9, 0x54, 0x5d, 0xa8, 0xee, 0x6b,
];

/// Whom a client believes without proof. The default is the root of the real service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoiseRoot {
    /// The key that signs intermediate certificates.
    pub public_key: PublicKey,
    /// The number by which intermediate certificates name this root.
    pub serial: u32,
}

impl NoiseRoot {
    /// The root of the real service.
    pub const PRODUCTION: Self = Self { public_key: PublicKey::from_bytes(PRODUCTION_ROOT), serial: 0 };
}

impl Default for NoiseRoot {
    fn default() -> Self {
        Self::PRODUCTION
    }
}

/// What a client judges certificates by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trust {
    /// The root of the chain.
    pub root: NoiseRoot,
    /// The time, in seconds since 1970.
    pub now: u64,
    /// By how many seconds the clock may be wrong in either direction; zero is strict.
    pub clock_tolerance: u64,
}

impl Trust {
    /// Strict trust in a root.
    pub fn new(root: NoiseRoot, now: u64) -> Self {
        Self { root, now, clock_tolerance: 0 }
    }
}

/// When a certificate counts, in seconds since 1970, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// The first second.
    pub not_before: u64,
    /// The last second.
    pub not_after: u64,
}

impl Validity {
    /// Whether the certificate counts at this time.
    pub fn contains(&self, now: u64) -> bool {
        (self.not_before..=self.not_after).contains(&now)
    }

    fn check(&self, now: u64, tolerance: u64) -> Result<(), CertificateError> {
        if now.saturating_add(tolerance) < self.not_before {
            return Err(CertificateError::NotYetValid);
        }
        if now.saturating_sub(tolerance) > self.not_after {
            return Err(CertificateError::Expired);
        }
        Ok(())
    }
}

/// A server's key with the time for which it was certified: what a client keeps for its next
/// connection, see [`crate::client::Ik`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Certified {
    /// The server's static key.
    pub key: PublicKey,
    /// Validity of the leaf certificate.
    pub leaf: Validity,
    /// Validity of the intermediate certificate.
    pub intermediate: Validity,
}

impl Certified {
    /// Whether both certificates count at this time, so that the key may be used without seeing them
    /// again.
    pub fn valid_at(&self, now: u64) -> bool {
        self.leaf.contains(now) && self.intermediate.contains(now)
    }
}

/// A certificate with everything that must be in it, not verified.
struct Certificate<'c> {
    signed: &'c [u8],
    signature: &'c [u8; 64],
    details: Details,
}

impl<'c> Certificate<'c> {
    fn read(certificate: Option<&'c NoiseCertificate>) -> Result<Self, CertificateError> {
        let certificate = certificate.ok_or(CertificateError::Incomplete)?;
        let signed = certificate.details.as_deref().ok_or(CertificateError::Incomplete)?;
        let signature = certificate.signature.as_deref().ok_or(CertificateError::Incomplete)?;
        let signature = signature.try_into().map_err(|_| CertificateError::Incomplete)?;
        let details = whimbrel_proto::decode(signed).map_err(|_| CertificateError::Undecodable)?;
        Ok(Self { signed, signature, details })
    }

    fn signed_by(&self, key: &PublicKey) -> bool {
        key.verify(&[self.signed], self.signature).is_ok()
    }

    fn key(&self) -> Option<PublicKey> {
        let octets = self.details.key.as_deref()?;
        octets.try_into().map(PublicKey::from_bytes).ok()
    }

    fn validity(&self) -> Validity {
        Validity { not_before: self.details.not_before(), not_after: self.details.not_after() }
    }
}

/// Checks a chain for the key that the server has proved to hold.
///
/// # Errors
/// The first check that fails, in the order of [`CertificateError`].
pub fn verify(chain: &[u8], server: &PublicKey, trust: &Trust) -> Result<Certified, CertificateError> {
    let chain: CertChain = whimbrel_proto::decode(chain).map_err(|_| CertificateError::Undecodable)?;
    let intermediate = Certificate::read(chain.intermediate.as_ref())?;
    let leaf = Certificate::read(chain.leaf.as_ref())?;

    if !intermediate.signed_by(&trust.root.public_key) {
        return Err(CertificateError::IntermediateSignature);
    }
    if intermediate.details.issuer_serial() != trust.root.serial {
        return Err(CertificateError::IntermediateIssuer);
    }
    let issuer = intermediate.key().ok_or(CertificateError::IntermediateKey)?;
    if !leaf.signed_by(&issuer) {
        return Err(CertificateError::LeafSignature);
    }
    if leaf.details.issuer_serial() != intermediate.details.serial() {
        return Err(CertificateError::LeafIssuer);
    }
    // The real service's chain can be replayed by anybody; only this ties it to the other side.
    let same: bool = leaf.details.key().ct_eq(server.as_bytes()).into();
    if !same {
        return Err(CertificateError::LeafKey);
    }
    let certified = Certified { key: *server, leaf: leaf.validity(), intermediate: intermediate.validity() };
    certified.intermediate.check(trust.now, trust.clock_tolerance)?;
    certified.leaf.check(trust.now, trust.clock_tolerance)?;
    Ok(certified)
}

/// What a certificate says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statement {
    /// Number of the certificate.
    pub serial: u32,
    /// Number of the certificate, or root, whose key signs this one.
    pub issuer_serial: u32,
    /// The certified key.
    pub key: PublicKey,
    /// When it counts.
    pub validity: Validity,
}

/// A private key that signs certificates, with fresh randomness for one signature.
pub struct Issuer<'k> {
    /// The signing key.
    pub key: &'k PrivateKey,
    /// Fresh randomness.
    pub random: &'k [u8; 64],
}

impl fmt::Debug for Issuer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Issuer(..)")
    }
}

/// Makes the chain that a server shows: an intermediate certificate by the root, and a leaf by the
/// intermediate's key.
pub fn issue(intermediate: (&Statement, &Issuer<'_>), leaf: (&Statement, &Issuer<'_>)) -> Vec<u8> {
    let certificate = |(statement, issuer): (&Statement, &Issuer<'_>)| {
        let details = whimbrel_proto::encode(&Details {
            serial: Some(statement.serial),
            issuer_serial: Some(statement.issuer_serial),
            key: Some(statement.key.as_bytes().to_vec()),
            not_before: Some(statement.validity.not_before),
            not_after: Some(statement.validity.not_after),
        });
        let signature = issuer.key.sign(&[&details], issuer.random).to_vec();
        Some(NoiseCertificate { details: Some(details), signature: Some(signature) })
    };
    whimbrel_proto::encode(&CertChain { leaf: certificate(leaf), intermediate: certificate(intermediate) })
}

#[cfg(test)]
mod tests;

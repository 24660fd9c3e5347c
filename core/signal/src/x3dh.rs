//! X3DH: how two devices agree on the first keys of a session.
//!
//! The secret is 32 octets of `ff` and then, from the initiator's side, the agreements of identity with
//! signed prekey, base key with identity, base key with signed prekey and, if the bundle had one, base
//! key with one-time prekey.

use rand_core::CryptoRng;
use whimbrel_crypto::curve::{KeyPair, PrivateKey, PublicKey, SharedSecret};
use zeroize::Zeroizing;

use crate::kdf::{ChainKey, RootKey};
use crate::{BundleError, DecryptError};

/// The keys of a device that a session can be started with, as the service hands them out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// The device's registration id.
    pub registration_id: u32,
    /// The device's identity.
    pub identity: PublicKey,
    /// Id of the signed prekey.
    pub signed_prekey_id: u32,
    /// The signed prekey.
    pub signed_prekey: PublicKey,
    /// The identity's signature over the 33-octet form of the signed prekey.
    pub signed_prekey_signature: [u8; 64],
    /// Id and key of the one-time prekey; a device that has run out has none.
    pub one_time_prekey: Option<(u32, PublicKey)>,
}

impl Bundle {
    /// Checks that the signed prekey is the identity's.
    pub fn verify(&self) -> Result<(), BundleError> {
        let signed = self.signed_prekey.to_typed();
        self.identity
            .verify(&[&signed], &self.signed_prekey_signature)
            .map_err(|_| BundleError::InvalidSignature)
    }
}

/// Our side of a session that somebody else starts: the keys that the message asks for.
///
/// The prekeys are those that [`PreKeySignalMessage`](crate::PreKeySignalMessage) names, `None` if the
/// store has none with that id. They are not looked at if the record knows the message's base key.
#[derive(Debug, Clone, Copy)]
pub struct OurKeys<'a> {
    /// Our identity.
    pub identity: &'a KeyPair,
    /// The signed prekey that the message names.
    pub signed_prekey: Option<&'a KeyPair>,
    /// The one-time prekey that the message names, if it names one.
    pub one_time_prekey: Option<&'a KeyPair>,
}

/// The concatenation that root and chain are derived from.
struct Secret {
    bytes: Zeroizing<[u8; Secret::MOST]>,
    length: usize,
}

impl Secret {
    const MOST: usize = 32 * 5;

    fn new() -> Self {
        let mut bytes = Zeroizing::new([0; Self::MOST]);
        bytes.iter_mut().take(32).for_each(|octet| *octet = 0xff);
        Secret { bytes, length: 32 }
    }

    fn push(&mut self, agreement: SharedSecret) {
        let room = self.bytes.iter_mut().skip(self.length);
        for (to, from) in room.zip(agreement.as_bytes()) {
            *to = *from;
        }
        self.length += 32;
    }

    fn derive(&self) -> (RootKey, ChainKey) {
        RootKey::from_agreements(self.bytes.get(..self.length).unwrap_or(&*self.bytes))
    }
}

/// What the initiator has after X3DH and the first ratchet step.
pub(crate) struct Initiated {
    pub(crate) base_key: PublicKey,
    pub(crate) ratchet: KeyPair,
    pub(crate) root: RootKey,
    pub(crate) sending: ChainKey,
}

/// The initiator's side. Draws the base key, then the ratchet key.
pub(crate) fn initiate<R: CryptoRng>(
    identity: &PrivateKey,
    bundle: &Bundle,
    rng: &mut R,
) -> Result<Initiated, BundleError> {
    bundle.verify()?;
    let base = PrivateKey::generate(rng);
    let ratchet = KeyPair::generate(rng);
    let agree = |ours: &PrivateKey, theirs| ours.agree(theirs).map_err(|_| BundleError::InvalidKey);
    let mut secret = Secret::new();
    secret.push(agree(identity, &bundle.signed_prekey)?);
    secret.push(agree(&base, &bundle.identity)?);
    secret.push(agree(&base, &bundle.signed_prekey)?);
    if let Some((_, one_time)) = &bundle.one_time_prekey {
        secret.push(agree(&base, one_time)?);
    }
    // The chain of this first derivation would be the other side's, were it to write before it reads.
    // It never does: its session begins with a message of ours.
    let (root, _) = secret.derive();
    let (root, sending) = root.step(&agree(&ratchet.private, &bundle.signed_prekey)?);
    Ok(Initiated { base_key: base.public_key(), ratchet, root, sending })
}

/// The responder's side: root and chain under which the signed prekey is the first ratchet key.
pub(crate) fn respond(
    identity: &PrivateKey,
    signed_prekey: &PrivateKey,
    one_time: Option<&PrivateKey>,
    their_identity: &PublicKey,
    their_base_key: &PublicKey,
) -> Result<(RootKey, ChainKey), DecryptError> {
    let agree = |ours: &PrivateKey, theirs| ours.agree(theirs).map_err(|_| DecryptError::InvalidKey);
    let mut secret = Secret::new();
    secret.push(agree(signed_prekey, their_identity)?);
    secret.push(agree(identity, their_base_key)?);
    secret.push(agree(signed_prekey, their_base_key)?);
    if let Some(one_time) = one_time {
        secret.push(agree(one_time, their_base_key)?);
    }
    Ok(secret.derive())
}

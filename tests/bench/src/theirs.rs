//! The crates of whatsapp-rust, driven through their public interface.

use std::collections::HashMap;
use std::future::Future;

use async_trait::async_trait;
use futures::executor::block_on;
use rand::SeedableRng;
use rand::rngs::StdRng;
use wacore_libsignal::protocol::error::Result;
use wacore_libsignal::protocol::{
    CiphertextMessage, CiphertextMessageType, Direction, GenericSignedPreKey as _, IdentityChange,
    IdentityKey, IdentityKeyPair, IdentityKeyStore, KeyPair, PreKeyBundle, PreKeyId, PreKeyRecord,
    PreKeySignalMessage, PreKeyStore, ProtocolAddress, SenderKeyRecord, SenderKeyStore, SessionRecord,
    SessionStore, SignalMessage, SignalProtocolError, SignedPreKeyId, SignedPreKeyRecord, SignedPreKeyStore,
    Timestamp, UsePQRatchet, create_sender_key_distribution_message, group_decrypt, group_encrypt,
    message_decrypt, message_encrypt, process_prekey_bundle, process_sender_key_distribution_message,
};
use wacore_libsignal::store::sender_key_name::SenderKeyName;

/// One table in memory, playing every store of a device.
#[derive(Default)]
struct Sessions(HashMap<ProtocolAddress, SessionRecord>);
#[derive(Default)]
struct PreKeys(HashMap<PreKeyId, PreKeyRecord>);
#[derive(Default)]
struct SignedPreKeys(HashMap<SignedPreKeyId, SignedPreKeyRecord>);
#[derive(Default)]
struct SenderKeys(HashMap<SenderKeyName, SenderKeyRecord>);
struct Identities {
    own: IdentityKeyPair,
    known: HashMap<ProtocolAddress, IdentityKey>,
}

#[async_trait]
impl SessionStore for Sessions {
    async fn load_session(&self, address: &ProtocolAddress) -> Result<Option<SessionRecord>> {
        Ok(self.0.get(address).cloned())
    }

    async fn has_session(&self, address: &ProtocolAddress) -> Result<bool> {
        Ok(self.0.contains_key(address))
    }

    async fn store_session(&mut self, address: &ProtocolAddress, record: SessionRecord) -> Result<()> {
        self.0.insert(address.clone(), record);
        Ok(())
    }
}

#[async_trait]
impl PreKeyStore for PreKeys {
    async fn get_pre_key(&self, id: PreKeyId) -> Result<PreKeyRecord> {
        self.0.get(&id).cloned().ok_or(SignalProtocolError::InvalidPreKeyId)
    }

    async fn save_pre_key(&mut self, id: PreKeyId, record: &PreKeyRecord) -> Result<()> {
        self.0.insert(id, record.clone());
        Ok(())
    }

    async fn remove_pre_key(&mut self, id: PreKeyId) -> Result<()> {
        self.0.remove(&id);
        Ok(())
    }
}

#[async_trait]
impl SignedPreKeyStore for SignedPreKeys {
    async fn get_signed_pre_key(&self, id: SignedPreKeyId) -> Result<SignedPreKeyRecord> {
        self.0.get(&id).cloned().ok_or(SignalProtocolError::InvalidSignedPreKeyId)
    }

    async fn save_signed_pre_key(&mut self, id: SignedPreKeyId, record: &SignedPreKeyRecord) -> Result<()> {
        self.0.insert(id, record.clone());
        Ok(())
    }
}

#[async_trait]
impl SenderKeyStore for SenderKeys {
    async fn store_sender_key(&mut self, name: &SenderKeyName, record: SenderKeyRecord) -> Result<()> {
        self.0.insert(name.clone(), record);
        Ok(())
    }

    async fn load_sender_key(&self, name: &SenderKeyName) -> Result<Option<SenderKeyRecord>> {
        Ok(self.0.get(name).cloned())
    }
}

#[async_trait]
impl IdentityKeyStore for Identities {
    async fn get_identity_key_pair(&self) -> Result<IdentityKeyPair> {
        Ok(self.own.clone())
    }

    async fn get_local_registration_id(&self) -> Result<u32> {
        Ok(7)
    }

    async fn save_identity(
        &mut self,
        address: &ProtocolAddress,
        identity: &IdentityKey,
    ) -> Result<IdentityChange> {
        let before = self.known.insert(address.clone(), *identity);
        Ok(IdentityChange::from_changed(before.is_some_and(|before| before != *identity)))
    }

    async fn is_trusted_identity(&self, _: &ProtocolAddress, _: &IdentityKey, _: Direction) -> Result<bool> {
        Ok(true)
    }

    async fn get_identity(&self, address: &ProtocolAddress) -> Result<Option<IdentityKey>> {
        Ok(self.known.get(address).copied())
    }
}

/// A device with all its stores.
pub struct Device {
    address: ProtocolAddress,
    sessions: Sessions,
    pre_keys: PreKeys,
    signed_pre_keys: SignedPreKeys,
    sender_keys: SenderKeys,
    identities: Identities,
    bundle: PreKeyBundle,
    rng: StdRng,
}

/// Everything here answers from memory, so a call never waits.
fn now<T>(call: impl Future<Output = Result<T>>) -> T {
    block_on(call).unwrap()
}

impl Device {
    pub fn new(name: &str, seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let own = IdentityKeyPair::generate(&mut rng);
        let (one_time, signed) = (KeyPair::generate(&mut rng), KeyPair::generate(&mut rng));
        let signature =
            own.private_key().calculate_signature(&signed.public_key.serialize(), &mut rng).unwrap();
        let (id, signed_id): (PreKeyId, SignedPreKeyId) = (9.into(), 1.into());
        let bundle = PreKeyBundle::new(
            7,
            1.into(),
            Some((id, one_time.public_key)),
            signed_id,
            signed.public_key,
            signature.to_vec(),
            *own.identity_key(),
        )
        .unwrap();
        let mut device = Self {
            address: ProtocolAddress::new(name, 1.into()),
            sessions: Sessions::default(),
            pre_keys: PreKeys::default(),
            signed_pre_keys: SignedPreKeys::default(),
            sender_keys: SenderKeys::default(),
            identities: Identities { own, known: HashMap::new() },
            bundle,
            rng,
        };
        device.pre_keys.0.insert(id, PreKeyRecord::new(id, &one_time));
        let record = SignedPreKeyRecord::new(signed_id, Timestamp::from_epoch_millis(0), &signed, &signature);
        device.signed_pre_keys.0.insert(signed_id, record);
        device
    }

    /// Builds a session from the other's bundle; the signature is verified.
    pub fn open_session(&mut self, other: &Self) {
        self.sessions.0.clear();
        now(process_prekey_bundle(
            &other.address,
            &mut self.sessions,
            &mut self.identities,
            &other.bundle,
            &mut self.rng,
            UsePQRatchet::No,
        ));
    }

    pub fn encrypt(&mut self, to: &ProtocolAddress, plaintext: &[u8]) -> CiphertextMessage {
        now(message_encrypt(plaintext, to, &mut self.sessions, &mut self.identities))
    }

    pub fn decrypt(&mut self, from: &ProtocolAddress, kind: CiphertextMessageType, bytes: &[u8]) -> Vec<u8> {
        let message = match kind {
            CiphertextMessageType::PreKey => {
                CiphertextMessage::PreKeySignalMessage(PreKeySignalMessage::try_from(bytes).unwrap())
            }
            _ => CiphertextMessage::SignalMessage(SignalMessage::try_from(bytes).unwrap()),
        };
        now(message_decrypt(
            &message,
            from,
            &mut self.sessions,
            &mut self.identities,
            &mut self.pre_keys,
            &self.signed_pre_keys,
            &mut self.rng,
            UsePQRatchet::No,
        ))
        .plaintext
    }

    pub fn address(&self) -> ProtocolAddress {
        self.address.clone()
    }

    /// A sender key of this device, given to the other.
    pub fn share_sender_key(&mut self, name: &SenderKeyName, other: &mut Self) {
        let distribution =
            now(create_sender_key_distribution_message(name, &mut self.sender_keys, &mut self.rng));
        now(process_sender_key_distribution_message(name, &distribution, &mut other.sender_keys));
    }

    pub fn encrypt_for_group(&mut self, name: &SenderKeyName, plaintext: &[u8]) -> Vec<u8> {
        now(group_encrypt(&mut self.sender_keys, name, plaintext, &mut self.rng)).serialized().to_vec()
    }

    pub fn decrypt_in_group(&mut self, name: &SenderKeyName, message: &[u8]) -> Vec<u8> {
        now(group_decrypt(message, &mut self.sender_keys, name))
    }
}

/// Two devices with a session on which both sides have spoken.
pub fn acquainted() -> (Device, Device) {
    let (mut ana, mut ben) = (Device::new("ana", 1), Device::new("ben", 2));
    ana.open_session(&ben);
    let first = ana.encrypt(&ben.address(), b"hello");
    ben.decrypt(&ana.address(), first.message_type(), first.serialize());
    let answer = ben.encrypt(&ana.address(), b"hello");
    ana.decrypt(&ben.address(), answer.message_type(), answer.serialize());
    (ana, ben)
}

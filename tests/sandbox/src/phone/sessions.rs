//! A phone's sessions with other devices.

use std::collections::BTreeMap;

use rand_chacha::ChaCha20Rng;
use whimbrel_crypto::curve::PublicKey;
use whimbrel_signal::{
    Bundle, BundleError, CiphertextMessage, DecryptError, EncryptError, MAX_JUMP, MAX_JUMP_OWN_DEVICE,
    PreKeySignalMessage, SessionRecord, SignalMessage,
};
use whimbrel_wire::Jid;

use super::keys::KeyRing;
use super::stanza::messages::Ciphertext;

/// Why a ciphertext could not be read, and what follows from it (delivery document §4.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unread {
    /// It has been read before: only the receipt is missing.
    Duplicate,
    /// The author may send it again; the number is the reason that a retry receipt gives.
    Retry(u32),
    /// It is no ciphertext at all: sending it again would not help.
    Malformed,
}

impl From<DecryptError> for Unread {
    fn from(error: DecryptError) -> Self {
        match error {
            DecryptError::Duplicate { .. } => Self::Duplicate,
            DecryptError::NoSession => Self::Retry(1),
            DecryptError::InvalidKey => Self::Retry(2),
            DecryptError::InvalidSignedPreKeyId(_) | DecryptError::InvalidPreKeyId(_) => Self::Retry(3),
            DecryptError::InvalidCiphertext => Self::Retry(4),
            DecryptError::FutureMessage { .. } => Self::Retry(6),
            DecryptError::BadMac => Self::Retry(7),
            DecryptError::IdentityMismatch => Self::Retry(8),
        }
    }
}

/// Sessions by device, in the form of [`People::session_address`](super::people::People::session_address).
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    records: BTreeMap<Jid, SessionRecord>,
}

impl Sessions {
    /// Whether something can be encrypted for the device.
    pub(crate) fn has(&self, device: &Jid) -> bool {
        self.records.get(device).is_some_and(SessionRecord::has_session)
    }

    /// Registration id that the device had when the session began.
    pub(crate) fn registration_id(&self, device: &Jid) -> Option<u32> {
        self.records.get(device)?.remote_registration_id()
    }

    /// What tells one session with a device from the next.
    pub(crate) fn base_key(&self, device: &Jid) -> Option<PublicKey> {
        self.records.get(device)?.base_key().copied()
    }

    /// Begins a session; a former one is kept for late messages.
    pub(crate) fn start(
        &mut self,
        device: &Jid,
        keys: &KeyRing,
        bundle: &Bundle,
        rng: &mut ChaCha20Rng,
    ) -> Result<(), BundleError> {
        let record = self.records.entry(device.clone()).or_default();
        record.process_bundle(keys.identity(), keys.registration_id(), bundle, rng)
    }

    /// Encrypts a padded plaintext.
    pub(crate) fn encrypt(&mut self, device: &Jid, padded: &[u8]) -> Result<CiphertextMessage, EncryptError> {
        self.records.get_mut(device).ok_or(EncryptError::NoSession)?.encrypt(padded)
    }

    /// Decrypts; the result is still padded.
    pub(crate) fn decrypt(
        &mut self,
        device: &Jid,
        own: bool,
        ciphertext: Ciphertext<'_>,
        keys: &mut KeyRing,
        rng: &mut ChaCha20Rng,
    ) -> Result<Vec<u8>, Unread> {
        let jump = if own { MAX_JUMP_OWN_DEVICE } else { MAX_JUMP };
        match ciphertext {
            Ciphertext::Message(bytes) => {
                let message = SignalMessage::parse(bytes).map_err(|_| Unread::Malformed)?;
                let record = self.records.get_mut(device).ok_or(Unread::Retry(1))?;
                Ok(record.decrypt_message(&message, jump, rng)?.plaintext)
            }
            Ciphertext::PreKey(bytes) => {
                let message = PreKeySignalMessage::parse(bytes).map_err(|_| Unread::Malformed)?;
                let ours = keys.for_message(message.signed_prekey_id(), message.prekey_id());
                let record = self.records.entry(device.clone()).or_default();
                let decrypted = record.decrypt_prekey(&message, &ours, jump, rng)?;
                if let Some(id) = decrypted.consumed_prekey() {
                    keys.consumed(id);
                }
                Ok(decrypted.plaintext)
            }
        }
    }

    /// Forgets all sessions with a device. Tells whether there was one.
    pub(crate) fn forget(&mut self, device: &Jid) -> bool {
        self.records.remove(device).is_some()
    }

    /// Forgets the sessions with all devices of a person.
    pub(crate) fn forget_account(&mut self, person: &Jid) {
        self.records.retain(|device, _| !device.same_account(person));
    }

    /// Takes the sessions under a phone-number address over to the hidden one that is now known.
    pub(crate) fn migrate(&mut self, pn: &Jid, lid: &Jid) {
        let moved: Vec<Jid> = self.records.keys().filter(|device| device.same_account(pn)).cloned().collect();
        for device in moved {
            if let Some(record) = self.records.remove(&device) {
                self.records.entry(lid.with_device(device.device())).or_insert(record);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phone::keys;

    struct Side {
        jid: Jid,
        keys: KeyRing,
        sessions: Sessions,
        rng: ChaCha20Rng,
    }

    impl Side {
        fn new(number: &str) -> Self {
            let mut rng = keys::rng(1, number);
            let keys = KeyRing::generate(&mut rng);
            Self { jid: Jid::lid(number), keys, sessions: Sessions::default(), rng }
        }

        fn bundle(&mut self) -> Bundle {
            let signed = self.keys.signed_prekey();
            Bundle {
                registration_id: self.keys.registration_id(),
                identity: self.keys.identity().public,
                signed_prekey_id: signed.id,
                signed_prekey: signed.public,
                signed_prekey_signature: signed.signature,
                one_time_prekey: self.keys.new_one_time(1, &mut self.rng).into_iter().next(),
            }
        }

        fn read(&mut self, from: &Jid, message: &CiphertextMessage) -> Result<Vec<u8>, Unread> {
            let ciphertext = match message.kind {
                whimbrel_signal::CiphertextKind::PreKey => Ciphertext::PreKey(&message.bytes),
                whimbrel_signal::CiphertextKind::Message => Ciphertext::Message(&message.bytes),
            };
            self.sessions.decrypt(from, false, ciphertext, &mut self.keys, &mut self.rng)
        }
    }

    #[test]
    fn a_session_is_begun_used_and_forgotten() {
        let (mut ana, mut ben) = (Side::new("1001"), Side::new("2002"));
        let bundle = ben.bundle();
        ana.sessions.start(&ben.jid, &ana.keys, &bundle, &mut ana.rng).unwrap();
        let first = ana.sessions.encrypt(&ben.jid, b"first").unwrap();
        assert_eq!(ben.read(&ana.jid, &first), Ok(b"first".to_vec()));
        assert_eq!(ben.read(&ana.jid, &first), Err(Unread::Duplicate));

        let answer = ben.sessions.encrypt(&ana.jid, b"answer").unwrap();
        assert!(ana.sessions.forget(&ben.jid));
        assert!(!ana.sessions.forget(&ben.jid));
        assert_eq!(ana.read(&ben.jid, &answer), Err(Unread::Retry(1)));
        assert_eq!(ana.sessions.encrypt(&ben.jid, b"x"), Err(EncryptError::NoSession));

        let mut damaged = ben.sessions.encrypt(&ana.jid, b"damaged").unwrap();
        damaged.bytes.clear();
        assert_eq!(ana.read(&ben.jid, &damaged), Err(Unread::Malformed));
    }

    #[test]
    fn sessions_follow_a_person_to_the_hidden_address() {
        let (mut ana, mut ben) = (Side::new("1001"), Side::new("2002"));
        let bundle = ben.bundle();
        let pn = Jid::pn("222").with_device(7);
        ana.sessions.start(&pn, &ana.keys, &bundle, &mut ana.rng).unwrap();
        ana.sessions.migrate(&Jid::pn("222"), &Jid::lid("2002"));
        assert!(ana.sessions.has(&Jid::lid("2002").with_device(7)) && !ana.sessions.has(&pn));
        ana.sessions.forget_account(&Jid::lid("2002"));
        assert!(!ana.sessions.has(&Jid::lid("2002").with_device(7)));
    }
}

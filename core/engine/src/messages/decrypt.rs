//! Opening ciphertexts: sessions, sender keys, and why it fails (delivery document §1.8, §1.9,
//! §4.3, §4.7).

use whimbrel_crypto::padding;
use whimbrel_signal::{
    DecryptError, Decrypted, GroupDecryptError, MAX_JUMP, MAX_JUMP_OWN_DEVICE, Origin, OurKeys,
    PreKeySignalMessage, SenderKeyDistributionMessage, SenderKeyMessage, SenderKeyRecord, SessionRecord,
    SignalMessage,
};
use whimbrel_wire::Jid;

use super::signal_state::Unit;
use super::stanza::{Enc, EncKind};
use crate::devices::bundles::{self, ProofInvalid};
use crate::devices::identity::Source;
use crate::devices::sessions;
use crate::events::{EventKind, IdentityChanged};
use crate::repair::Repair;
use crate::retry::stanza::Reason;
use crate::store::StoreError;

/// Why a ciphertext gave no plaintext.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Sending it again can help.
    Retry(Reason),
    /// There is no sender key: sending it again helps if the key comes with it.
    NoSenderKey,
    /// It was opened before.
    Duplicate,
    /// Nobody can help: the service is told this number.
    Hopeless(u16),
    /// The store failed; the whole unit of work ends.
    Store(StoreError),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// The stanza cannot be read.
pub(crate) const MALFORMED: u16 = 487;
/// No ciphertext of a known kind.
pub(crate) const UNKNOWN: u16 = 488;
/// What was encrypted is no message.
pub(crate) const INVALID_CONTENT: u16 = 491;
/// The secret of an earlier message is needed.
pub(crate) const NO_SECRET: u16 = 495;

/// Whose ciphertext it is, under the addresses by which keys are kept.
pub(crate) struct Author<'a> {
    pub(crate) device: &'a Jid,
    pub(crate) chat: &'a Jid,
    /// A device of this account.
    pub(crate) own: bool,
    /// `ADVSignedDeviceIdentity` from the stanza.
    pub(crate) proof: Option<&'a [u8]>,
}

impl Unit<'_> {
    /// Opens a ciphertext; the plaintext is without padding.
    pub(crate) fn open(&mut self, author: &Author<'_>, enc: &Enc<'_>) -> Result<Vec<u8>, Failure> {
        let mut plaintext = match enc.kind {
            EncKind::PreKey => {
                let opened = self.open_pre_key(author, enc.bytes);
                self.or_by_other_address(opened, author, enc)?
            }
            EncKind::Session => {
                let opened = self.open_session(author, enc.bytes);
                self.or_by_other_address(opened, author, enc)?
            }
            EncKind::SenderKey => self.open_sender_key(author, enc.bytes)?,
            EncKind::MessageSecret => return Err(Failure::Hopeless(NO_SECRET)),
        };
        if enc.padded {
            let length = padding::unpad(&plaintext).map_err(|_| Failure::Hopeless(INVALID_CONTENT))?.len();
            plaintext.truncate(length);
        }
        Ok(plaintext)
    }

    fn open_session(&mut self, author: &Author<'_>, bytes: &[u8]) -> Result<Vec<u8>, Failure> {
        let message = SignalMessage::parse(bytes).map_err(|_| Failure::Hopeless(MALFORMED))?;
        let Some((record, rng)) = self.session_mut(author.device)? else {
            return Err(Failure::Retry(Reason::NoSession));
        };
        let decrypted = record.decrypt_message(&message, max_jump(author), rng).map_err(failure)?;
        Ok(decrypted.plaintext)
    }

    fn open_pre_key(&mut self, author: &Author<'_>, bytes: &[u8]) -> Result<Vec<u8>, Failure> {
        let message = PreKeySignalMessage::parse(bytes).map_err(|_| Failure::Hopeless(MALFORMED))?;
        let known =
            self.session(author.device)?.is_some_and(|record| record.knows_base_key(message.base_key()));
        let (mut signed, mut one_time) = (None, None);
        if !known {
            self.check_companion(author, &message)?;
            signed = self.signed_pre_key(message.signed_prekey_id())?;
            if let Some(id) = message.prekey_id() {
                one_time = self.pre_key(id)?;
            }
        }
        let identity = self.account.keys.identity.clone();
        let keys = OurKeys {
            identity: &identity,
            signed_prekey: signed.as_ref().map(|row| &row.pair),
            one_time_prekey: one_time.as_ref().map(|row| &row.pair),
        };
        let jump = max_jump(author);
        let decrypted = match self.session_mut(author.device)? {
            Some((record, rng)) => record.decrypt_prekey(&message, &keys, jump, rng).map_err(failure)?,
            None => {
                let mut record = SessionRecord::new();
                let decrypted = record.decrypt_prekey(&message, &keys, jump, self.rng()).map_err(failure)?;
                self.put_session(author.device, record);
                decrypted
            }
        };
        if let Some(id) = decrypted.consumed_prekey() {
            self.changes.pre_keys.insert(id, None);
        }
        if let Decrypted { origin: Origin::New { .. }, remote_identity, .. } = &decrypted {
            self.identity_proved(author.device, remote_identity.as_bytes())?;
        }
        Ok(decrypted.plaintext)
    }

    /// What could not be opened may belong to a session that is kept under another address of the
    /// same device. If it does, that proves the pair, and everything moves (delivery document
    /// §2.4).
    fn or_by_other_address(
        &mut self,
        opened: Result<Vec<u8>, Failure>,
        author: &Author<'_>,
        enc: &Enc<'_>,
    ) -> Result<Vec<u8>, Failure> {
        use Reason::{BadMac, InvalidKeyId, InvalidMessage, NoSession};
        let Err(Failure::Retry(NoSession | BadMac | InvalidMessage | InvalidKeyId)) = &opened else {
            return opened;
        };
        for other in self.other_addresses(author.device)? {
            // Tried on a copy: a guess that fails must not leave a trace.
            let Some(mut record) = self.session(&other)?.cloned() else { continue };
            let jump = max_jump(author);
            let decrypted = match enc.kind {
                EncKind::PreKey => {
                    let message =
                        PreKeySignalMessage::parse(enc.bytes).map_err(|_| Failure::Hopeless(MALFORMED))?;
                    if !record.knows_base_key(message.base_key()) {
                        continue;
                    }
                    let identity = self.account.keys.identity.clone();
                    let keys = OurKeys { identity: &identity, signed_prekey: None, one_time_prekey: None };
                    record.decrypt_prekey(&message, &keys, jump, self.rng())
                }
                _ => {
                    let message =
                        SignalMessage::parse(enc.bytes).map_err(|_| Failure::Hopeless(MALFORMED))?;
                    record.decrypt_message(&message, jump, self.rng())
                }
            };
            if let Ok(decrypted) = decrypted {
                tracing::info!("A session was found under another address of its device, and moved.");
                self.put_session(&other, record);
                self.learn(&other, author.device, Source::Current)?;
                let device = self.canonical(author.device)?;
                if device != other {
                    self.move_device(&other, &device)?;
                }
                return Ok(decrypted.plaintext);
            }
        }
        opened
    }

    /// Refuses a companion that does not belong to the account it writes from.
    fn check_companion(
        &mut self,
        author: &Author<'_>,
        message: &PreKeySignalMessage<'_>,
    ) -> Result<(), Failure> {
        let Some(proof) = author.proof.filter(|_| author.device.has_device()) else { return Ok(()) };
        let account = self.identity(&author.device.to_bare())?;
        bundles::check_proof(proof, message.identity(), account.as_ref()).map_err(|error| {
            tracing::warn!(%error, "A message is not taken.");
            if error == ProofInvalid::OtherAccount {
                // The phone is asked; what is sent again is judged by its answer.
                self.wish(Repair::Phone(author.device.to_bare()));
            }
            Failure::Retry(Reason::InvalidProof)
        })?;
        if sessions::is_listed(self, author.device, proof)? {
            Ok(())
        } else {
            Err(Failure::Retry(Reason::InvalidProof))
        }
    }

    /// Stores the identity that a device proved; tells the host if it had another one before,
    /// and asks for the devices of its account anew if it is the phone's.
    pub(crate) fn identity_proved(&mut self, device: &Jid, identity: &[u8; 32]) -> Result<(), StoreError> {
        if !self.trust(device, identity)? {
            return Ok(());
        }
        tracing::info!("The identity key of a device changed.");
        // Whatever it is now, it does not hold the keys that the one before it was given.
        self.key_holder_began_anew(device)?;
        if !device.has_device() {
            self.changes.device_lists.insert(device.clone(), None);
            self.wish(Repair::Devices(device.clone()));
        }
        let who = self.identity_of(device)?;
        self.event(EventKind::IdentityChanged(IdentityChanged { who, device: device.device() }));
        if !device.has_device() {
            self.wish_token_again(device)?;
        }
        Ok(())
    }

    fn open_sender_key(&mut self, author: &Author<'_>, bytes: &[u8]) -> Result<Vec<u8>, Failure> {
        let message = SenderKeyMessage::parse(bytes).map_err(|_| Failure::Hopeless(MALFORMED))?;
        let record = self.sender_key_mut(author.chat, author.device)?.ok_or(Failure::NoSenderKey)?;
        record.decrypt(&message, MAX_JUMP).map_err(|error| match error {
            GroupDecryptError::NoSenderKey { .. } => Failure::NoSenderKey,
            GroupDecryptError::InvalidSignature => Failure::Retry(Reason::InvalidSignature),
            GroupDecryptError::Duplicate { .. } => Failure::Duplicate,
            GroupDecryptError::FutureMessage { .. } => Failure::Retry(Reason::FutureMessage),
            GroupDecryptError::InvalidCiphertext => Failure::Retry(Reason::InvalidMessage),
        })
    }

    /// Takes a sender key in that a device handed out for the chat.
    pub(crate) fn take_sender_key(&mut self, author: &Author<'_>, bytes: &[u8]) -> Result<(), StoreError> {
        let distribution = match SenderKeyDistributionMessage::parse(bytes) {
            Ok(distribution) => distribution,
            Err(error) => {
                tracing::warn!(%error, "A sender key is unreadable.");
                return Ok(());
            }
        };
        match self.sender_key_mut(author.chat, author.device)? {
            Some(record) => record.process(&distribution),
            None => {
                let mut record = SenderKeyRecord::new();
                record.process(&distribution);
                self.put_sender_key(author.chat, author.device, record);
            }
        }
        Ok(())
    }
}

const fn max_jump(author: &Author<'_>) -> u32 {
    if author.own { MAX_JUMP_OWN_DEVICE } else { MAX_JUMP }
}

fn failure(error: DecryptError) -> Failure {
    Failure::Retry(match error {
        DecryptError::Duplicate { .. } => return Failure::Duplicate,
        DecryptError::NoSession => Reason::NoSession,
        DecryptError::FutureMessage { .. } => Reason::FutureMessage,
        DecryptError::BadMac => Reason::BadMac,
        DecryptError::InvalidCiphertext | DecryptError::IdentityMismatch => Reason::InvalidMessage,
        DecryptError::InvalidKey => Reason::InvalidKey,
        DecryptError::InvalidSignedPreKeyId(_) | DecryptError::InvalidPreKeyId(_) => Reason::InvalidKeyId,
    })
}

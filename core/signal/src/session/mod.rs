//! The sessions with one device: a current one and those before it.

mod codec;
mod parts;
pub(crate) mod state;

use core::fmt;

use rand_core::CryptoRng;
use whimbrel_crypto::curve::{KeyPair, PublicKey};

pub use parts::{ReceivingParts, SessionParts, SkippedKey};
pub use state::PendingPreKey;

use crate::message::{CiphertextMessage, PreKeySignalMessage, SignalMessage};
use crate::x3dh::{Bundle, OurKeys};
use crate::{BundleError, DecryptError, EncryptError};
use state::SessionState;

/// Former sessions kept per device; the oldest go first.
pub const MAX_ARCHIVED_SESSIONS: usize = 40;

/// All sessions with one remote device.
///
/// Messages are encrypted in the current session. Received ones are tried on the current session and
/// then on the archived ones, newest first; the session that opens one becomes current, so two devices
/// that start sessions at the same moment soon agree on one.
///
/// **No call that returns an error changes the record.**
///
/// # Durability
///
/// What [`encrypt`](Self::encrypt) returns must not leave before the record is durable: otherwise a
/// crash makes the same key encrypt two plaintexts. Either store the record after every encryption, or
/// lease positions: when [`lease_left`](Self::lease_left) is zero, call [`lease`](Self::lease) and
/// store; then that many encryptions need no store. [`deserialize`](Self::deserialize) continues behind
/// the stored lease, whether or not its positions were used.
///
/// A decryption can replace the sending chain, and the new one has no lease.
#[derive(Clone, Default)]
pub struct SessionRecord {
    current: Option<SessionState>,
    /// Newest first.
    archived: Vec<SessionState>,
}

/// A decrypted 1:1 message.
#[derive(Clone, PartialEq, Eq)]
pub struct Decrypted {
    /// What the sender encrypted, padding of the application included.
    pub plaintext: Vec<u8>,
    /// The identity that the message proved: compare it with the stored one, and store it.
    pub remote_identity: PublicKey,
    /// Which session opened it.
    pub origin: Origin,
}

/// Which session of a record opened a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The current one.
    Current,
    /// The archived one with this index, 0 the newest; it is current now.
    Archived(usize),
    /// One that the message itself began; it is current now.
    New {
        /// The one-time prekey that it used up: delete it in the transaction that stores the record.
        one_time_prekey: Option<u32>,
    },
}

impl Decrypted {
    /// The one-time prekey to delete in the transaction that stores the record.
    pub fn consumed_prekey(&self) -> Option<u32> {
        match self.origin {
            Origin::New { one_time_prekey } => one_time_prekey,
            _ => None,
        }
    }
}

impl fmt::Debug for Decrypted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decrypted").field("origin", &self.origin).finish_non_exhaustive()
    }
}

impl SessionRecord {
    /// A record without sessions.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether there is a session to encrypt in.
    pub fn has_session(&self) -> bool {
        self.current.is_some()
    }

    /// Whether one of the sessions, current or archived, began with this base key. A message that names
    /// it needs no prekeys.
    pub fn knows_base_key(&self, base_key: &PublicKey) -> bool {
        self.sessions().any(|session| session.base_key == *base_key)
    }

    /// The initiator's base key of the current session. Two equal values mean that the session has not
    /// been replaced in between.
    pub fn base_key(&self) -> Option<&PublicKey> {
        self.current.as_ref().map(|session| &session.base_key)
    }

    /// The base keys of the archived sessions, newest first.
    pub fn archived_base_keys(&self) -> impl Iterator<Item = &PublicKey> {
        self.archived.iter().map(|session| &session.base_key)
    }

    /// The registration id of the remote device in the current session.
    pub fn remote_registration_id(&self) -> Option<u32> {
        self.current.as_ref().map(|session| session.remote_registration_id)
    }

    /// The identity of the remote device in the current session.
    pub fn remote_identity(&self) -> Option<&PublicKey> {
        self.current.as_ref().map(|session| &session.remote_identity)
    }

    /// Whether we began the current session and nothing has come back in it yet: messages carry its
    /// keys until then.
    pub fn is_unacknowledged(&self) -> bool {
        self.current.as_ref().is_some_and(|session| session.pending.is_some())
    }

    /// The position that the next message will have in its chain.
    pub fn next_counter(&self) -> Option<u32> {
        self.current.as_ref().map(|session| session.sending.position())
    }

    /// Begins a session from a bundle; the current one, if any, is archived.
    ///
    /// The signature of the signed prekey is always verified. Draws the base key, then the ratchet key.
    pub fn process_bundle<R: CryptoRng>(
        &mut self,
        our_identity: &KeyPair,
        our_registration_id: u32,
        bundle: &Bundle,
        rng: &mut R,
    ) -> Result<(), BundleError> {
        let session = SessionState::initiate(our_identity, our_registration_id, bundle, rng)?;
        self.make_current(session);
        Ok(())
    }

    /// Encrypts in the current session. See [Durability](Self#durability).
    pub fn encrypt(&mut self, plaintext: &[u8]) -> Result<CiphertextMessage, EncryptError> {
        self.current.as_mut().ok_or(EncryptError::NoSession)?.encrypt(plaintext)
    }

    /// Decrypts a message of an established session.
    ///
    /// `max_jump` is how many positions of a chain may be passed at once:
    /// [`MAX_JUMP`](crate::MAX_JUMP), or [`MAX_JUMP_OWN_DEVICE`](crate::MAX_JUMP_OWN_DEVICE) for a
    /// device of our own account. Draws a ratchet key if the message begins a new chain.
    ///
    /// If no session opens the message, the error is [`Duplicate`](DecryptError::Duplicate) if any
    /// session has seen it, otherwise that of the current session.
    pub fn decrypt_message<R: CryptoRng>(
        &mut self,
        message: &SignalMessage<'_>,
        max_jump: u32,
        rng: &mut R,
    ) -> Result<Decrypted, DecryptError> {
        let mut failure = match &mut self.current {
            None => DecryptError::NoSession,
            Some(session) => match session.open(message, max_jump) {
                Ok(opened) => {
                    let remote_identity = session.remote_identity;
                    let plaintext = session.accept(opened, rng)?;
                    return Ok(Decrypted { plaintext, remote_identity, origin: Origin::Current });
                }
                Err(error) => error,
            },
        };
        for (index, session) in self.archived.iter_mut().enumerate() {
            match session.open(message, max_jump) {
                Ok(opened) => {
                    let remote_identity = session.remote_identity;
                    let plaintext = session.accept(opened, rng)?;
                    self.promote(index);
                    return Ok(Decrypted { plaintext, remote_identity, origin: Origin::Archived(index) });
                }
                Err(error @ DecryptError::Duplicate { .. }) => failure = error,
                Err(_) => {}
            }
        }
        Err(failure)
    }

    /// Decrypts a message that carries the keys of its session.
    ///
    /// A session that the record [knows](Self::knows_base_key) is used as it is. Otherwise the session
    /// is built from `keys`, and enters the record only if the message opens in it. See
    /// [`decrypt_message`](Self::decrypt_message) for `max_jump`.
    pub fn decrypt_prekey<R: CryptoRng>(
        &mut self,
        message: &PreKeySignalMessage<'_>,
        keys: &OurKeys<'_>,
        max_jump: u32,
        rng: &mut R,
    ) -> Result<Decrypted, DecryptError> {
        let known = self.sessions_mut().find(|(_, session)| session.base_key == message.base_key);
        if let Some((origin, session)) = known {
            if session.remote_identity != message.identity {
                return Err(DecryptError::IdentityMismatch);
            }
            let opened = session.open(&message.message, max_jump)?;
            let plaintext = session.accept(opened, rng)?;
            if let Origin::Archived(index) = origin {
                self.promote(index);
            }
            return Ok(Decrypted { plaintext, remote_identity: message.identity, origin });
        }
        let mut session = SessionState::respond(message, keys)?;
        let opened = session.open(&message.message, max_jump)?;
        let plaintext = session.accept(opened, rng)?;
        self.make_current(session);
        Ok(Decrypted {
            plaintext,
            remote_identity: message.identity,
            origin: Origin::New { one_time_prekey: message.prekey_id },
        })
    }

    /// Puts the current session away: nothing can be encrypted until there is a new one, and late
    /// messages of the old one can still be read.
    pub fn archive_current(&mut self) {
        if let Some(session) = self.current.take() {
            self.archive(session);
        }
    }

    /// Declares the next `count` positions of the current sending chain as used up in the stored form;
    /// at most [`MAX_LEASE`](crate::MAX_LEASE). See [Durability](Self#durability).
    pub fn lease(&mut self, count: u32) {
        if let Some(session) = &mut self.current {
            session.sending.lease(count);
        }
    }

    /// How many encryptions the lease still covers, given that the record was stored after
    /// [`lease`](Self::lease).
    pub fn lease_left(&self) -> u32 {
        self.current.as_ref().map_or(0, |session| session.sending.lease_left())
    }

    /// Gives unused positions back, so that an orderly end leaves no gap: store the record afterwards
    /// and encrypt no more before a new lease.
    pub fn end_lease(&mut self) {
        for (_, session) in self.sessions_mut() {
            session.sending.end_lease();
        }
    }

    /// Passes the next `count` positions of every sending chain, at most [`MAX_LEASE`](crate::MAX_LEASE):
    /// for a record of which another copy may have been used since. Receivers take the gap as lost
    /// messages.
    pub fn skip_ahead(&mut self, count: u32) {
        for (_, session) in self.sessions_mut() {
            session.sending.skip(count);
        }
    }

    fn sessions(&self) -> impl Iterator<Item = &SessionState> {
        self.current.iter().chain(&self.archived)
    }

    fn sessions_mut(&mut self) -> impl Iterator<Item = (Origin, &mut SessionState)> {
        let current = self.current.iter_mut().map(|session| (Origin::Current, session));
        let archived = self.archived.iter_mut().enumerate();
        current.chain(archived.map(|(index, session)| (Origin::Archived(index), session)))
    }

    fn promote(&mut self, index: usize) {
        if index < self.archived.len() {
            let session = self.archived.remove(index);
            self.make_current(session);
        }
    }

    fn make_current(&mut self, session: SessionState) {
        if let Some(former) = self.current.replace(session) {
            self.archive(former);
        }
    }

    fn archive(&mut self, session: SessionState) {
        self.archived.insert(0, session);
        self.archived.truncate(MAX_ARCHIVED_SESSIONS);
    }
}

impl fmt::Debug for SessionRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionRecord")
            .field("current", &self.current)
            .field("archived", &self.archived.len())
            .finish()
    }
}

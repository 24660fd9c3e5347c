//! Sessions in plain fields, for moving them from and to the stores of other clients.

use core::fmt;

use whimbrel_crypto::curve::{KeyPair, PublicKey};
use zeroize::Zeroizing;

use super::state::{MAX_RECEIVING_CHAINS, PendingPreKey, ReceivingChain, SessionState};
use super::{MAX_ARCHIVED_SESSIONS, SessionRecord};
use crate::kdf::{ChainKey, MessageKeys, RootKey, Seed};
use crate::sending::SendingChain;
use crate::skipped::SkippedKeys;

/// One session in plain fields.
#[derive(Clone)]
pub struct SessionParts {
    /// Our identity in this session.
    pub local_identity: PublicKey,
    /// The other device's identity in this session.
    pub remote_identity: PublicKey,
    /// The other device's registration id.
    pub remote_registration_id: u32,
    /// The initiator's base key.
    pub base_key: PublicKey,
    /// The root key.
    pub root_key: Zeroizing<[u8; 32]>,
    /// Our ratchet key.
    pub ratchet: KeyPair,
    /// Key of the sending chain at `next_counter`.
    pub sending_key: Zeroizing<[u8; 32]>,
    /// The position that the next message takes.
    pub next_counter: u32,
    /// Last position used in the sending chain before this one, 0 if there was none.
    pub previous_counter: u32,
    /// The other side's chains, oldest first.
    pub receiving: Vec<ReceivingParts>,
    /// Present while nothing has been received in a session that we began.
    pub pending: Option<PendingPreKey>,
}

/// A chain of the other side in plain fields.
#[derive(Clone)]
pub struct ReceivingParts {
    /// The other side's ratchet key.
    pub ratchet_key: PublicKey,
    /// Key of the chain at `next`. If the other store has thrown it away (some do with chains that have
    /// ended), fresh random octets: messages from `next` on then fail with
    /// [`BadMac`](crate::DecryptError::BadMac), and their sender is asked again. **Never a known value:**
    /// whoever knows the key of a chain can forge messages in it.
    pub chain_key: Zeroizing<[u8; 32]>,
    /// The position expected next.
    pub next: u32,
    /// Positions below `next` whose messages have not come.
    pub skipped: Vec<(u32, SkippedKey)>,
}

/// The secret of a position that a chain has passed without its message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SkippedKey {
    /// As this library keeps it.
    Seed(Seed),
    /// As libraries keep it that derive early; the seed cannot be got back.
    Derived(Box<MessageKeys>),
}

impl SkippedKey {
    /// The keys of the position's message.
    pub fn message_keys(&self) -> MessageKeys {
        match self {
            SkippedKey::Seed(seed) => seed.message_keys(),
            SkippedKey::Derived(keys) => MessageKeys::clone(keys),
        }
    }
}

impl From<Seed> for SkippedKey {
    fn from(seed: Seed) -> Self {
        SkippedKey::Seed(seed)
    }
}

impl SessionRecord {
    /// A record of sessions taken over from another store, newest archived one first. What is more than
    /// this library keeps is left out.
    pub fn from_parts(current: Option<SessionParts>, archived: Vec<SessionParts>) -> Self {
        let archived = archived.into_iter().take(MAX_ARCHIVED_SESSIONS);
        SessionRecord {
            current: current.map(SessionState::from_parts),
            archived: archived.map(SessionState::from_parts).collect(),
        }
    }

    /// The current session in plain fields.
    pub fn current_parts(&self) -> Option<SessionParts> {
        self.current.as_ref().map(SessionState::to_parts)
    }

    /// The archived sessions in plain fields, newest first.
    pub fn archived_parts(&self) -> impl Iterator<Item = SessionParts> {
        self.archived.iter().map(SessionState::to_parts)
    }
}

impl SessionState {
    fn from_parts(parts: SessionParts) -> Self {
        let too_many = parts.receiving.len().saturating_sub(MAX_RECEIVING_CHAINS);
        let receiving = parts.receiving.into_iter().skip(too_many).map(|chain| ReceivingChain {
            ratchet_key: chain.ratchet_key,
            key: ChainKey::new(*chain.chain_key),
            next: chain.next,
            skipped: SkippedKeys::from_entries(chain.skipped, chain.next),
        });
        SessionState {
            local_identity: parts.local_identity,
            remote_identity: parts.remote_identity,
            remote_registration_id: parts.remote_registration_id,
            base_key: parts.base_key,
            root: RootKey::new(*parts.root_key),
            ratchet: parts.ratchet,
            sending: SendingChain::new(ChainKey::new(*parts.sending_key), parts.next_counter),
            previous_counter: parts.previous_counter,
            receiving: receiving.collect(),
            pending: parts.pending,
        }
    }

    fn to_parts(&self) -> SessionParts {
        let receiving = self.receiving.iter().map(|chain| ReceivingParts {
            ratchet_key: chain.ratchet_key,
            chain_key: Zeroizing::new(*chain.key.as_bytes()),
            next: chain.next,
            skipped: chain.skipped.iter().map(|(position, key)| (position, key.clone())).collect(),
        });
        SessionParts {
            local_identity: self.local_identity,
            remote_identity: self.remote_identity,
            remote_registration_id: self.remote_registration_id,
            base_key: self.base_key,
            root_key: Zeroizing::new(*self.root.as_bytes()),
            ratchet: self.ratchet.clone(),
            sending_key: Zeroizing::new(*self.sending.key().as_bytes()),
            next_counter: self.sending.position(),
            previous_counter: self.previous_counter,
            receiving: receiving.collect(),
            pending: self.pending,
        }
    }
}

impl fmt::Debug for SessionParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionParts")
            .field("base_key", &self.base_key)
            .field("remote_identity", &self.remote_identity)
            .field("next_counter", &self.next_counter)
            .field("receiving", &self.receiving)
            .field("pending", &self.pending)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ReceivingParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceivingParts")
            .field("ratchet_key", &self.ratchet_key)
            .field("next", &self.next)
            .field("skipped", &self.skipped.len())
            .finish_non_exhaustive()
    }
}

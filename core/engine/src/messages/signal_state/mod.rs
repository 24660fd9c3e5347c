//! Sessions and keys of the Signal protocol, and the unit of work that changes them.
//!
//! A lane locks the state, does a unit of work, and commits what it changed *before it unlocks*:
//! whoever locks it next reads either from memory or from a store that is up to date. After a
//! failed commit the state is ahead of the store and is thrown away.

mod commit;
mod groups;
mod keys;
mod notes;
mod restrictions;
mod rows;
mod sessions;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use whimbrel_signal::{SenderKeyRecord, SessionRecord};
use whimbrel_wire::Jid;

use super::cache::Cache;
use super::peer::PeerMessages;
use crate::clock;
use crate::devices::identity::Addresses;
use crate::events::{Event, EventKind};
use crate::groups::{GroupRow, SendingState};
use crate::repair::Repair;
use crate::restrictions::{Lock, RestrictionKind};
use crate::retry::Limits;
use crate::statistics::Statistics;
use crate::store::{Account, Changes, Store};
use crate::tokens::Standing;

/// Session records kept in memory, a few hundred bytes each.
const SESSIONS: usize = 32;

/// Sender keys kept in memory.
const SENDER_KEYS: usize = 16;

/// Groups kept in memory.
const GROUPS: usize = 16;

/// Members of groups kept in memory, about a hundred bytes each; one group of any size stays.
const MEMBERS: usize = 2048;

/// What the lanes of a client share under one lock.
pub(crate) struct SignalState {
    sessions: Cache<Jid, SessionRecord>,
    sender_keys: Cache<(Jid, Jid), SenderKeyRecord>,
    addresses: Addresses,
    /// A group that was used lately is last.
    groups: Vec<(Jid, Option<Arc<GroupRow>>)>,
    sending: SendingState,
    /// Groups about which something was announced lately, and how often that was so in all.
    announced: (VecDeque<Jid>, u64),
    /// Restrictions of the account, once they were read.
    locks: Option<Vec<Lock>>,
    /// How it stands with people about tokens, as far as it was read.
    pub(crate) tokens: BTreeMap<Jid, Standing>,
    /// What is known of the account itself, as far as it was read.
    notes: BTreeMap<&'static str, Option<Vec<u8>>>,
    /// When the service was last asked about restrictions, seconds.
    restrictions_asked: BTreeMap<RestrictionKind, i64>,
    rng: Option<ChaCha20Rng>,
    /// Counted from the opening of the client.
    pub(crate) statistics: Statistics,
    limits: Limits,
    peer_messages: PeerMessages,
}

impl Default for SignalState {
    fn default() -> Self {
        Self {
            sessions: Cache::new(SESSIONS),
            sender_keys: Cache::new(SENDER_KEYS),
            addresses: Addresses::default(),
            groups: Vec::new(),
            sending: SendingState::default(),
            announced: (VecDeque::new(), 0),
            locks: None,
            tokens: BTreeMap::new(),
            notes: BTreeMap::new(),
            restrictions_asked: BTreeMap::new(),
            rng: None,
            statistics: Statistics::default(),
            limits: Limits::default(),
            peer_messages: PeerMessages::default(),
        }
    }
}

impl SignalState {
    /// Forgets what may be ahead of the store. What was never stored stays.
    pub(crate) fn reset(&mut self) {
        let Self { statistics, limits, peer_messages, .. } = std::mem::take(self);
        *self = Self { statistics, limits, peer_messages, ..Self::default() };
    }

    /// Makes room: the groups that were not used for longest go first.
    fn forget_groups(&mut self) {
        let size =
            |(_, group): &(Jid, Option<Arc<GroupRow>>)| group.as_ref().map_or(0, |group| group.members.len());
        let mut members: usize = self.groups.iter().map(size).sum();
        while self.groups.len() > GROUPS || (members > MEMBERS && self.groups.len() > 1) {
            members = members.saturating_sub(size(&self.groups.remove(0)));
        }
    }
}

/// Changes that become durable together. Reads see what this unit has changed.
pub(crate) struct Unit<'a> {
    pub(crate) store: &'a dyn Store,
    pub(crate) account: &'a Account,
    pub(crate) changes: Changes,
    /// What has to be asked of the service because of it; for the lane to take.
    pub(crate) repairs: Vec<Repair>,
    /// The name that the account has from now on. Only [`Inner::unit`](crate::client::Inner::unit)
    /// makes it durable, with the rest of the unit.
    pub(crate) push_name: Option<String>,
    state: &'a mut SignalState,
    rng: ChaCha20Rng,
    now_ms: i64,
}

impl<'a> Unit<'a> {
    /// Begins a unit of work; `rng` is asked for a seed once in the life of the state.
    pub(crate) fn begin(
        store: &'a dyn Store,
        account: &'a Account,
        state: &'a mut SignalState,
        seed: impl FnOnce() -> ChaCha20Rng,
    ) -> Self {
        let rng = state.rng.take().unwrap_or_else(seed);
        Self {
            store,
            account,
            changes: Changes::default(),
            repairs: Vec::new(),
            push_name: None,
            state,
            rng,
            now_ms: clock::now_ms(),
        }
    }

    /// Ends the unit: what there is to commit.
    pub(crate) fn finish(self) -> Changes {
        let Self { mut changes, state, rng, .. } = self;
        state.sessions.flush(|device, record| {
            changes.sessions.insert(device, Some(record.serialize()));
        });
        state.sender_keys.flush(|key, record| {
            changes.sender_keys.insert(key, Some(record.serialize()));
        });
        state.sending.finish(&mut changes);
        state.forget_groups();
        state.addresses.trim();
        state.rng = Some(rng);
        changes
    }

    /// Seconds since 1970 at the beginning of the unit.
    pub(crate) fn now(&self) -> i64 {
        self.now_ms.div_euclid(1000)
    }

    /// Milliseconds since 1970 at the beginning of the unit.
    pub(crate) fn now_ms(&self) -> i64 {
        self.now_ms
    }

    /// What is counted for the host.
    pub(crate) fn statistics(&mut self) -> &mut Statistics {
        &mut self.state.statistics
    }

    /// What was used of the limits of repair.
    pub(crate) fn limits(&mut self) -> &mut Limits {
        &mut self.state.limits
    }

    /// Messages to own devices that may be asked for again.
    pub(crate) fn peer_messages(&mut self) -> &mut PeerMessages {
        &mut self.state.peer_messages
    }

    /// Asks for a repair, once however often it is wished for.
    pub(crate) fn wish(&mut self, repair: Repair) {
        if !self.repairs.contains(&repair) {
            self.repairs.push(repair);
        }
    }

    pub(crate) fn rng(&mut self) -> &mut ChaCha20Rng {
        &mut self.rng
    }

    /// A generator of its own, for what borrows the unit while it draws.
    pub(crate) fn fork_rng(&mut self) -> ChaCha20Rng {
        ChaCha20Rng::from_rng(&mut self.rng)
    }

    /// Journals an event, and returns its id.
    pub(crate) fn event(&mut self, kind: EventKind) -> String {
        let id = format!("{:016x}", self.rng.next_u64());
        self.changes.events.push(Event { sequence: None, id: id.clone(), recorded_at_ms: self.now_ms, kind });
        id
    }

    /// How it stands with people about tokens, in memory.
    pub(crate) fn known_tokens(&mut self) -> &mut BTreeMap<Jid, Standing> {
        &mut self.state.tokens
    }

    /// What is known of addresses, in memory.
    pub(crate) fn addresses(&mut self) -> &mut Addresses {
        &mut self.state.addresses
    }
}

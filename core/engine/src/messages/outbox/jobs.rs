//! What is known of every message on its way out while the process lives.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use tokio::sync::oneshot;
use tokio::time::Instant;
use whimbrel_wire::Jid;

use super::Fate;
use super::delivery::Deliveries;
use super::fate::Orphan;
use super::group_key::HandingOut;
use super::settle::Handed;
use crate::groups::{HandedOut, Manner};
use crate::options::SendWait;
use crate::store::OutboxRow;

#[derive(Default)]
pub(super) struct Jobs {
    /// What an earlier process left has been read.
    pub(super) loaded: bool,
    pub(super) by_order: BTreeMap<u64, Job>,
    /// How many messages each address has.
    pub(super) by_chat: HashMap<Jid, usize>,
    pub(super) by_id: HashMap<String, u64>,
    pub(super) next: u64,
    /// To be sent, in order.
    pub(super) ready: VecDeque<u64>,
    /// Not yet durable.
    pub(super) unstored: BTreeSet<u64>,
    /// Chats whose devices are being looked up, with what waits for that.
    pub(super) preparing: BTreeMap<Jid, Vec<u64>>,
    /// Groups with the message that hands their key out, and what waits for the service's word on it.
    pub(super) handing_out: BTreeMap<Jid, HandingOut>,
    /// Chats with a message that the service wants later: what is newer waits behind it.
    pub(super) paused: BTreeMap<Jid, Instant>,
    /// The service got too many messages: nothing is sent before.
    pub(super) held_until: Option<Instant>,
    /// Those who wait until a recipient's device has a message, by its id.
    pub(super) deliveries: HashMap<String, Deliveries>,
    /// Fates that were handed to calls whose hosts have not taken them yet.
    pub(super) handed: HashMap<String, Handed>,
    /// Fates that nobody took: events are made of them.
    pub(super) orphans: Vec<Orphan>,
}

pub(super) struct Job {
    pub(super) row: OutboxRow,
    pub(super) stored: bool,
    pub(super) stage: Stage,
    /// It was written to some connection, or may have been by an earlier process.
    pub(super) left: bool,
    /// An attempt may have arrived on which the service has not said its word.
    pub(super) unanswered: bool,
    /// Devices and sessions were looked up: what is missing now stays missing.
    pub(super) prepared: bool,
    /// Addressed by phone number, because the service does not take the LID.
    pub(super) by_phone: bool,
    pub(super) attempts: u8,
    /// How a message to a group is to be made.
    pub(super) manner: Manner,
    /// What left with it, of a message to a group.
    pub(super) keys: Option<Box<HandedOut>>,
    /// Somebody was told that it will be sent.
    pub(super) promised: bool,
    /// It cannot be sent, which is being made durable: who asks for it now means another attempt.
    pub(super) failing: bool,
    pub(super) waiters: Vec<Waiter>,
}

pub(super) struct Waiter {
    pub(super) wait: SendWait,
    pub(super) tell: oneshot::Sender<Fate>,
}

impl Job {
    /// Whether a call takes this word, so that no event is needed.
    pub(super) fn is_told(&self, sent: bool) -> bool {
        let takes = |waiter: &Waiter| match waiter.wait {
            SendWait::Queued => false,
            SendWait::Sent => true,
            SendWait::Delivered => !sent,
        };
        self.waiters.iter().any(|waiter| takes(waiter) && !waiter.tell.is_closed())
    }
}

/// How far a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nothing has left.
    Waiting,
    /// It is being encrypted and written.
    Leaving,
    /// It was written to the connection of this generation.
    Sent { generation: u64, at: Instant },
    /// The service said its word, which is being made durable.
    Settling,
}

/// A message to be sent.
#[derive(Clone)]
pub(crate) struct Ticket {
    pub(crate) order: u64,
    pub(crate) row: OutboxRow,
    pub(crate) stored: bool,
    /// It was written to some connection before, or may have been.
    pub(crate) left: bool,
    pub(crate) prepared: bool,
    pub(crate) by_phone: bool,
    pub(crate) manner: Manner,
}

impl Jobs {
    pub(super) fn add(&mut self, row: OutboxRow, stored: bool) -> u64 {
        let order = self.next;
        self.next = order.saturating_add(1);
        self.by_id.insert(row.message_id.clone(), order);
        let count = self.by_chat.entry(row.chat.clone()).or_default();
        *count = count.saturating_add(1);
        if !stored {
            self.unstored.insert(order);
        }
        let job = Job {
            row,
            stored,
            stage: Stage::Waiting,
            left: stored,
            unanswered: stored,
            prepared: false,
            by_phone: false,
            attempts: 0,
            manner: Manner::default(),
            keys: None,
            promised: stored,
            failing: false,
            waiters: Vec::new(),
        };
        self.by_order.insert(order, job);
        order
    }

    pub(super) fn remove(&mut self, order: u64) -> Vec<Waiter> {
        let Some(job) = self.by_order.remove(&order) else { return Vec::new() };
        if let Some(count) = self.by_chat.get_mut(&job.row.chat) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.by_chat.remove(&job.row.chat);
            }
        }
        self.key_is_out(order);
        if self.by_id.get(&job.row.message_id) == Some(&order) {
            self.by_id.remove(&job.row.message_id);
        }
        self.unstored.remove(&order);
        job.waiters
    }

    pub(super) fn ticket(&self, order: u64) -> Option<Ticket> {
        let job = self.by_order.get(&order)?;
        Some(Ticket {
            order,
            row: job.row.clone(),
            stored: job.stored,
            left: job.left,
            prepared: job.prepared,
            by_phone: job.by_phone,
            manner: job.manner,
        })
    }
}

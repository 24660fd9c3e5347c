//! Messages on their way out: accepted from the host, not yet settled by the service. The store
//! has a row for each; here is what is needed while the process lives.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;
use whimbrel_wire::Jid;

use super::SentMessage;
use super::inbound::Replies;
use super::signal_state::Unit;
use super::stanza::Ack;
use crate::devices::identity;
use crate::error::{Code, Error, Outcome};
use crate::events::{EventKind, SendStatus};
use crate::groups::{self, HandedOut, Manner};
use crate::repair::Repair;
use crate::store::{OutboxRow, OutboxState, Store, StoreError};

/// Messages that may be on their way at once.
const ROOM: usize = 10_000;

/// Messages taken into one unit of work.
pub(super) const BATCH: usize = 64;

/// How long the service may take for its word on a message, before it is written again.
const ACK_WAIT: Duration = Duration::from_secs(30);

/// Refusals that may pass are answered by another attempt this often.
const ATTEMPTS: u8 = 5;

pub(crate) type Fate = Result<SentMessage, Error>;

/// The messages on their way out of one client.
#[derive(Default)]
pub(crate) struct Outbox {
    jobs: Mutex<Jobs>,
    /// Something is to be done.
    pub(super) wake: Notify,
}

#[derive(Default)]
struct Jobs {
    /// What an earlier process left has been read.
    loaded: bool,
    by_order: BTreeMap<u64, Job>,
    by_id: HashMap<String, u64>,
    next: u64,
    /// To be sent, in order.
    ready: VecDeque<u64>,
    /// Chats whose devices are being looked up, with what waits for that.
    preparing: BTreeMap<Jid, Vec<u64>>,
    /// Groups with the message that hands their key out, and what waits for the service's word on it.
    handing_out: BTreeMap<Jid, HandingOut>,
}

#[derive(Default)]
struct HandingOut {
    order: u64,
    waiting: Vec<u64>,
}

struct Job {
    row: OutboxRow,
    stored: bool,
    stage: Stage,
    /// It was written to some connection, or may have been by an earlier process.
    left: bool,
    /// Devices and sessions were looked up: what is missing now stays missing.
    prepared: bool,
    /// Addressed by phone number, because the service does not take the LID.
    by_phone: bool,
    attempts: u8,
    /// How a message to a group is to be made.
    manner: Manner,
    /// What left with it, of a message to a group.
    keys: Option<Box<HandedOut>>,
    waiters: Vec<oneshot::Sender<Fate>>,
}

/// How far a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
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
    pub(crate) prepared: bool,
    pub(crate) by_phone: bool,
    pub(crate) manner: Manner,
}

/// A message whose fate is durable.
pub(crate) struct Settled {
    order: u64,
    then: Then,
}

enum Then {
    Tell(Fate),
    TryAgain { after: Duration },
}

/// What a new message meets.
pub(super) enum Accepted {
    /// It waits with the others.
    Waiting(oneshot::Receiver<Fate>),
    /// A message of this id has settled before.
    Settled(OutboxRow),
}

/// What becomes of a message whose host stops waiting.
pub(super) enum GivenUp {
    /// It never left and never will; its row, if there is one, is to be deleted.
    Dropped,
    /// It may have arrived; the fate follows as an event.
    OnItsWay,
    /// The fate is known in a moment.
    Settling,
}

impl Outbox {
    fn lock(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads what an earlier process left, once.
    pub(super) fn load(&self, store: &dyn Store) -> Result<(), StoreError> {
        let mut jobs = self.lock();
        if jobs.loaded {
            return Ok(());
        }
        for row in store.outbox_pending()? {
            let order = jobs.add(row, true);
            jobs.ready.push_back(order);
        }
        jobs.loaded = true;
        Ok(())
    }

    /// Forgets everything: the link is gone, or the store is read anew.
    pub(crate) fn clear(&self, error: &Error) {
        let jobs = {
            let mut jobs = self.lock();
            // Numbers go on: whoever still holds one must not mean another message by it.
            let next = jobs.next;
            std::mem::replace(&mut *jobs, Jobs { next, ..Jobs::default() })
        };
        for waiter in jobs.by_order.into_values().flat_map(|job| job.waiters) {
            // Whoever does not wait any more need not be told.
            let _ = waiter.send(Err(error.clone()));
        }
    }

    /// Takes a message in. One of an id that is known joins its predecessor, whatever its text.
    pub(super) fn accept(&self, store: &dyn Store, row: OutboxRow) -> Result<Accepted, Error> {
        self.load(store)?;
        let mut jobs = self.lock();
        let (sender, receiver) = oneshot::channel();
        if let Some(job) =
            jobs.by_id.get(&row.message_id).copied().and_then(|order| jobs.by_order.get_mut(&order))
        {
            if !same_chat(store, &job.row.chat, &row.chat)? {
                return Err(Error::new(Code::InvalidArgument, "the message id is in use in another chat"));
            }
            job.waiters.push(sender);
            return Ok(Accepted::Waiting(receiver));
        }
        if let Some(settled) = find(store, &row.chat, &row.message_id)? {
            return Ok(Accepted::Settled(settled));
        }
        if jobs.by_order.len() >= ROOM {
            return Err(Error::new(Code::RateLimited, "too many messages are waiting to be sent"));
        }
        let order = jobs.add(row, false);
        if let Some(job) = jobs.by_order.get_mut(&order) {
            job.waiters.push(sender);
        }
        jobs.ready.push_back(order);
        drop(jobs);
        self.wake.notify_one();
        Ok(Accepted::Waiting(receiver))
    }

    /// The host does not wait any more for a message.
    pub(super) fn give_up(&self, id: &str) -> GivenUp {
        let mut jobs = self.lock();
        let Some(order) = jobs.by_id.get(id).copied() else { return GivenUp::Settling };
        let Some(job) = jobs.by_order.get_mut(&order) else { return GivenUp::Settling };
        job.waiters.retain(|waiter| !waiter.is_closed());
        match job.stage {
            Stage::Settling => GivenUp::Settling,
            Stage::Leaving | Stage::Sent { .. } => GivenUp::OnItsWay,
            // Others may wait for the same message.
            Stage::Waiting if job.left || job.waiters.len() > 1 => GivenUp::OnItsWay,
            Stage::Waiting => {
                jobs.remove(order);
                GivenUp::Dropped
            }
        }
    }

    /// A connection was made: what was written to an earlier one is written again, before what
    /// is newer.
    pub(super) fn reopen(&self, generation: u64) {
        let mut jobs = self.lock();
        for job in jobs.by_order.values_mut() {
            if matches!(job.stage, Stage::Sent { generation: sent, .. } if sent != generation) {
                job.stage = Stage::Waiting;
            }
        }
        jobs.line_up();
    }

    /// Takes messages to be stored only: the oldest that are not durable, whatever they wait for.
    /// A newer one must not be durable without them, or a crash would change the order.
    pub(super) fn take_unstored(&self) -> Vec<Ticket> {
        let jobs = self.lock();
        let unstored = jobs.by_order.iter().filter(|(_, job)| !job.stored);
        unstored.filter_map(|(order, _)| jobs.ticket(*order)).take(BATCH).collect()
    }

    /// Takes messages to be sent. Those whose chat is being prepared wait for that.
    pub(super) fn take_ready(&self) -> Vec<Ticket> {
        let mut jobs = self.lock();
        let mut tickets = Vec::new();
        while let Some(order) = jobs.ready.pop_front() {
            let Some(ticket) = jobs.ticket(order) else { continue };
            if let Some(waiting) = jobs.preparing.get_mut(&ticket.row.chat) {
                waiting.push(order);
                continue;
            }
            if jobs.waits_for_key(&ticket) {
                continue;
            }
            let Some(job) = jobs.by_order.get_mut(&order).filter(|job| job.stage == Stage::Waiting) else {
                continue;
            };
            job.stage = Stage::Leaving;
            tickets.push(ticket);
            if tickets.len() == BATCH {
                break;
            }
        }
        tickets
    }

    /// Rows are durable. Returns those whose message was given up meanwhile.
    pub(super) fn stored(&self, orders: impl IntoIterator<Item = u64>) -> Vec<u64> {
        let mut jobs = self.lock();
        let known = |order: &u64| match jobs.by_order.get_mut(order) {
            Some(job) => {
                job.stored = true;
                false
            }
            None => true,
        };
        orders.into_iter().filter(known).collect()
    }

    /// A stanza is queued on a connection.
    pub(super) fn sent(&self, order: u64, generation: u64, keys: Option<Box<HandedOut>>) {
        let mut jobs = self.lock();
        if let Some(job) = jobs.by_order.get_mut(&order).filter(|job| job.stage == Stage::Leaving) {
            job.stage = Stage::Sent { generation, at: Instant::now() };
            job.left = true;
            let hands_out = keys.as_ref().is_some_and(|keys| !keys.devices.is_empty());
            job.keys = keys;
            if hands_out {
                let chat = job.row.chat.clone();
                jobs.handing_out.entry(chat).or_default().order = order;
            }
        }
    }

    /// A message waits until the service has the one that hands out the key of its group.
    pub(super) fn wait_for_key(&self, ticket: &Ticket) {
        let mut jobs = self.lock();
        if let Some(job) = jobs.by_order.get_mut(&ticket.order) {
            job.stage = Stage::Waiting;
        }
        jobs.handing_out.entry(ticket.row.chat.clone()).or_default().waiting.push(ticket.order);
    }

    /// When the first message will have waited too long for the service's word.
    pub(super) fn next_overdue(&self) -> Option<Instant> {
        let jobs = self.lock();
        let sent = jobs.by_order.values().filter_map(|job| match job.stage {
            Stage::Sent { at, .. } => Some(at),
            _ => None,
        });
        sent.min().and_then(|at| at.checked_add(ACK_WAIT))
    }

    /// Messages that waited too long are written again, under the same id and in order.
    pub(super) fn repeat_overdue(&self, now: Instant) {
        let mut jobs = self.lock();
        let overdue = |job: &Job| matches!(job.stage, Stage::Sent { at, .. } if now.saturating_duration_since(at) >= ACK_WAIT);
        let orders: Vec<u64> =
            jobs.by_order.iter().filter(|(_, job)| overdue(job)).map(|(order, _)| *order).collect();
        for order in orders.into_iter().rev() {
            if let Some(job) = jobs.by_order.get_mut(&order) {
                job.stage = Stage::Waiting;
                jobs.ready.push_front(order);
            }
        }
    }

    /// Messages that did not leave after all; they keep their place.
    pub(super) fn put_back(&self, orders: &[u64]) {
        let mut jobs = self.lock();
        for order in orders.iter().rev() {
            let unsettled = |job: &&mut Job| matches!(job.stage, Stage::Leaving | Stage::Sent { .. });
            if let Some(job) = jobs.by_order.get_mut(order).filter(unsettled) {
                job.stage = Stage::Waiting;
                jobs.ready.push_front(*order);
            }
        }
    }

    /// A message waits until the devices of its chat are known. Returns whether somebody has to
    /// look them up.
    pub(super) fn prepare(&self, ticket: &Ticket) -> bool {
        let mut jobs = self.lock();
        if let Some(job) = jobs.by_order.get_mut(&ticket.order) {
            job.stage = Stage::Waiting;
        }
        let waiting = jobs.preparing.entry(ticket.row.chat.clone()).or_default();
        waiting.push(ticket.order);
        waiting.len() == 1
    }

    /// The devices of a chat were looked up, or could not be (`done` is false): what waited for
    /// it goes on in order.
    pub(super) fn prepared(&self, chat: &Jid, done: bool) {
        let mut jobs = self.lock();
        let mut waiting = jobs.preparing.remove(chat).unwrap_or_default();
        waiting.sort_unstable();
        for order in waiting.into_iter().rev() {
            if let Some(job) = jobs.by_order.get_mut(&order) {
                job.prepared = done;
                jobs.ready.push_front(order);
            }
        }
        drop(jobs);
        self.wake.notify_one();
    }

    /// Messages that wait for the devices of a chat.
    pub(super) fn waiting_for(&self, chat: &Jid) -> Vec<Ticket> {
        let jobs = self.lock();
        let waiting = jobs.preparing.get(chat).cloned().unwrap_or_default();
        waiting.into_iter().filter_map(|order| jobs.ticket(order)).collect()
    }

    /// Ends messages that cannot be sent. Their rows are gone, or were never there.
    pub(super) fn fail(&self, orders: &[u64], error: &Error) {
        let mut jobs = self.lock();
        for order in orders {
            for waiter in jobs.remove(*order) {
                let _ = waiter.send(Err(error.clone()));
            }
        }
    }

    /// The service said its word on a message, which becomes part of the unit of work.
    pub(crate) fn acknowledged(
        &self,
        unit: &mut Unit<'_>,
        ack: &Ack,
        replies: &mut Replies,
    ) -> Result<(), StoreError> {
        let chat = unit.canonical(&ack.chat.to_bare())?;
        if ack.phash.is_some() && !chat.is_group() {
            let own = unit.account.phone.clone();
            for user in std::iter::once(chat.clone()).chain(own) {
                let user = unit.canonical(&user.to_bare())?;
                unit.changes.device_lists.insert(user, None);
            }
        }
        if ack.refresh_lid {
            replies.repairs.push(Repair::Addresses(unit.phone_of(&chat)?.unwrap_or(chat)));
        }
        let Some(Judged { order, row, told, verdict, keys }) = self.judge(ack) else { return Ok(()) };
        let settle = |then| Settled { order, then };
        let identity = unit.identity_of(&row.chat)?;
        let refused = match verdict {
            Verdict::Again { after, lists } => {
                if lists {
                    let user = unit.canonical(&row.chat)?;
                    unit.changes.device_lists.insert(user, None);
                }
                replies.settled.push(settle(Then::TryAgain { after }));
                return Ok(());
            }
            Verdict::Confirmed { lid_refused } => {
                if lid_refused {
                    unit.lid_refused()?;
                }
                if let Some(keys) = keys {
                    groups::ack::confirmed(unit, &row, ack, &keys, replies)?;
                }
                None
            }
            Verdict::Refused(status) => {
                if row.chat.is_group() {
                    groups::ack::refused(unit, &row.chat)?;
                }
                Some(status)
            }
        };
        let timestamp = if ack.timestamp > 0 { ack.timestamp } else { unit.now() };
        if !told {
            let status =
                SendStatus { chat: identity.clone(), message_id: row.message_id.clone(), refused, timestamp };
            unit.event(EventKind::SendStatus(status));
        }
        let fate = match refused {
            None => Ok(SentMessage { message_id: row.message_id.clone(), chat: identity, timestamp }),
            Some(status) => Err(refusal(status)),
        };
        let state = refused.map_or(OutboxState::Confirmed, OutboxState::Refused);
        unit.changes.outbox.push(OutboxRow { state, confirmed_at: timestamp, ..row });
        replies.settled.push(settle(Then::Tell(fate)));
        Ok(())
    }

    fn judge(&self, ack: &Ack) -> Option<Judged> {
        let mut jobs = self.lock();
        let order = *jobs.by_id.get(&ack.id)?;
        let job = jobs.by_order.get_mut(&order)?;
        if !matches!(job.stage, Stage::Sent { .. } | Stage::Leaving) {
            return None;
        }
        let verdict = verdict(job, ack);
        job.stage = Stage::Settling;
        job.waiters.retain(|waiter| !waiter.is_closed());
        let told = !job.waiters.is_empty();
        Some(Judged { order, row: job.row.clone(), told, verdict, keys: job.keys.take() })
    }

    /// What the service said is durable. Returns after what time to try again, if so.
    pub(crate) fn settle(&self, settled: Settled) -> Option<Duration> {
        let mut jobs = self.lock();
        match settled.then {
            Then::Tell(fate) => {
                for waiter in jobs.remove(settled.order) {
                    let _ = waiter.send(fate.clone());
                }
                None
            }
            Then::TryAgain { after } => {
                if let Some(job) = jobs.by_order.get_mut(&settled.order) {
                    job.stage = Stage::Waiting;
                    job.prepared = false;
                }
                jobs.key_is_out(settled.order);
                Some(after)
            }
        }
    }

    /// What the service said could not be made durable: it will be asked again.
    pub(crate) fn unsettle(&self) {
        for job in self.lock().by_order.values_mut() {
            if job.stage == Stage::Settling {
                job.stage = Stage::Waiting;
            }
        }
    }

    /// Everything that waits is looked at again, in order. What is on its way stays so, on
    /// whatever connection.
    pub(crate) fn try_again(&self) {
        self.lock().line_up();
        self.wake.notify_one();
    }
}

/// A sent message, whichever address its chat had when it was accepted.
pub(crate) fn find(store: &dyn Store, chat: &Jid, id: &str) -> Result<Option<OutboxRow>, StoreError> {
    let chat = identity::canonical(store, chat)?;
    for row in store.outbox_of(id)? {
        if row.chat == chat || identity::canonical(store, &row.chat)? == chat {
            return Ok(Some(row));
        }
    }
    Ok(None)
}

/// Whether two addresses are the same chat.
fn same_chat(store: &dyn Store, one: &Jid, other: &Jid) -> Result<bool, StoreError> {
    Ok(one == other || identity::canonical(store, one)? == identity::canonical(store, other)?)
}

/// A message about which the service said its word.
struct Judged {
    order: u64,
    row: OutboxRow,
    told: bool,
    verdict: Verdict,
    /// What left with it, of a message to a group.
    keys: Option<Box<HandedOut>>,
}

/// What an ack means for a message.
enum Verdict {
    /// `lid_refused`: by phone number, after it had been refused by LID.
    Confirmed {
        lid_refused: bool,
    },
    Refused(u16),
    Again {
        after: Duration,
        lists: bool,
    },
}

fn verdict(job: &mut Job, ack: &Ack) -> Verdict {
    let Some(status) = ack.error else {
        return Verdict::Confirmed { lid_refused: job.by_phone && ack.chat.is_pn() };
    };
    job.attempts = job.attempts.saturating_add(1);
    let now = Duration::ZERO;
    match status {
        // An account that is not migrated may not be addressed by LID (delivery document §2.2).
        400 if ack.chat.is_lid() && !job.by_phone => {
            job.by_phone = true;
            Verdict::Again { after: now, lists: false }
        }
        // The members are to be addressed in the other way now, or have other devices.
        406 | 421 if job.row.chat.is_group() && !job.manner.refresh => {
            job.manner = Manner { refresh: true, addressing: ack.addressing, only_missing: false };
            Verdict::Again { after: now, lists: false }
        }
        406 if job.attempts == 1 => Verdict::Again { after: now, lists: true },
        408 | 429 | 500 | 503 if job.attempts < ATTEMPTS => {
            let after = Duration::from_secs(1 << job.attempts.min(ATTEMPTS));
            Verdict::Again { after, lists: false }
        }
        _ => Verdict::Refused(status),
    }
}

/// The error of a message that the service does not take.
pub(super) fn refusal(status: u16) -> Error {
    let (code, message) = match status {
        401 | 403 => (Code::Forbidden, "the service does not allow the message"),
        404 => (Code::NotFound, "the service does not know the chat"),
        429 => (Code::RateLimited, "the service got too many messages"),
        _ => (Code::Refused, "the service refused the message"),
    };
    Error::new(code, message).with_service_status(status).with_outcome(Outcome::Refused)
}

impl Jobs {
    /// Whether a message waits for the one that hands out the key of its group.
    fn waits_for_key(&mut self, ticket: &Ticket) -> bool {
        let Some(handing_out) = self.handing_out.get_mut(&ticket.row.chat) else { return false };
        let on_its_way = |job: &Job| job.stage != Stage::Waiting;
        let waits = handing_out.order != ticket.order
            && self.by_order.get(&handing_out.order).is_some_and(on_its_way);
        if waits {
            handing_out.waiting.push(ticket.order);
        }
        waits
    }

    /// The service said its word on the message that hands out the key of a group, or never will.
    fn key_is_out(&mut self, order: u64) {
        let of = |(_, handing_out): &(&Jid, &HandingOut)| handing_out.order == order;
        let Some(chat) = self.handing_out.iter().find(of).map(|(chat, _)| chat.clone()) else { return };
        let mut waiting = self.handing_out.remove(&chat).unwrap_or_default().waiting;
        waiting.sort_unstable();
        waiting.dedup();
        for order in waiting.into_iter().rev() {
            self.ready.push_front(order);
        }
    }

    /// Makes everything ready that waits, in order, except for what is being prepared.
    fn line_up(&mut self) {
        let preparing: BTreeSet<u64> = self.preparing.values().flatten().copied().collect();
        let waits = |(order, job): &(&u64, &Job)| job.stage == Stage::Waiting && !preparing.contains(order);
        self.ready = self.by_order.iter().filter(waits).map(|(order, _)| *order).collect();
    }

    fn add(&mut self, row: OutboxRow, stored: bool) -> u64 {
        let order = self.next;
        self.next = order.saturating_add(1);
        self.by_id.insert(row.message_id.clone(), order);
        let job = Job {
            row,
            stored,
            stage: Stage::Waiting,
            left: stored,
            prepared: false,
            by_phone: false,
            attempts: 0,
            manner: Manner::default(),
            keys: None,
            waiters: Vec::new(),
        };
        self.by_order.insert(order, job);
        order
    }

    fn remove(&mut self, order: u64) -> Vec<oneshot::Sender<Fate>> {
        let Some(job) = self.by_order.remove(&order) else { return Vec::new() };
        self.key_is_out(order);
        self.by_id.remove(&job.row.message_id);
        job.waiters
    }

    fn ticket(&self, order: u64) -> Option<Ticket> {
        let job = self.by_order.get(&order)?;
        Some(Ticket {
            order,
            row: job.row.clone(),
            stored: job.stored,
            prepared: job.prepared,
            by_phone: job.by_phone,
            manner: job.manner,
        })
    }
}

//! Messages on their way out: accepted from the host, not yet settled by the service. The store
//! has a row for each; here is what is needed while the process lives.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;
use whimbrel_wire::Jid;

use super::SentMessage;
use super::fate::{self, Orphan, Verdict};
use super::inbound::Replies;
use super::signal_state::Unit;
use super::stanza::Ack;
use crate::devices::identity;
use crate::error::{Code, Error, Outcome};
use crate::groups::{self, HandedOut, Manner};
use crate::options::SendWait;
use crate::repair::Repair;
use crate::store::{OutboxRow, OutboxState, Store, StoreError};

/// Messages that may be on their way at once.
const ROOM: usize = 10_000;

/// Messages taken into one unit of work.
pub(super) const BATCH: usize = 64;

/// How long the service may take for its word on a message, before it is written again.
const ACK_WAIT: Duration = Duration::from_secs(30);

pub(crate) type Fate = Result<Word, Error>;

/// What those who wait for a message are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// It is durable.
    Queued,
    /// The service has it.
    Sent(SentMessage),
}

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
    /// How many messages each address has.
    by_chat: HashMap<Jid, usize>,
    by_id: HashMap<String, u64>,
    next: u64,
    /// To be sent, in order.
    ready: VecDeque<u64>,
    /// Not yet durable.
    unstored: BTreeSet<u64>,
    /// Chats whose devices are being looked up, with what waits for that.
    preparing: BTreeMap<Jid, Vec<u64>>,
    /// Groups with the message that hands their key out, and what waits for the service's word on it.
    handing_out: BTreeMap<Jid, HandingOut>,
    /// Chats with a message that the service wants later: what is newer waits behind it.
    paused: BTreeMap<Jid, Instant>,
    /// The service got too many messages: nothing is sent before.
    held_until: Option<Instant>,
    /// Those who wait until a recipient's device has a message, by its id.
    deliveries: HashMap<String, Deliveries>,
    /// Fates that were handed to calls whose hosts have not taken them yet.
    handed: HashMap<String, Handed>,
    /// Fates that nobody took: events are made of them.
    orphans: Vec<Orphan>,
}

struct Deliveries {
    chat: Jid,
    waiters: Vec<oneshot::Sender<()>>,
}

/// A fate on its way through calls to the host.
struct Handed {
    orphan: Orphan,
    calls: usize,
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
    /// An attempt may have arrived on which the service has not said its word.
    unanswered: bool,
    /// Devices and sessions were looked up: what is missing now stays missing.
    prepared: bool,
    /// Addressed by phone number, because the service does not take the LID.
    by_phone: bool,
    attempts: u8,
    /// How a message to a group is to be made.
    manner: Manner,
    /// What left with it, of a message to a group.
    keys: Option<Box<HandedOut>>,
    /// Somebody was told that it will be sent.
    promised: bool,
    /// It cannot be sent, which is being made durable: who asks for it now means another attempt.
    failing: bool,
    waiters: Vec<Waiter>,
}

struct Waiter {
    wait: SendWait,
    tell: oneshot::Sender<Fate>,
}

impl Job {
    /// Whether a call takes this word, so that no event is needed.
    fn is_told(&self, sent: bool) -> bool {
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
    /// It was written to some connection before, or may have been.
    pub(crate) left: bool,
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
    /// `told`: an event says so too.
    Tell {
        fate: Fate,
        orphan: Orphan,
        told: bool,
    },
    TryAgain {
        after: Duration,
        all: bool,
    },
}

/// What a new message meets.
pub(super) struct Accepted {
    pub(super) word: First,
    /// Fires when a recipient's device has the message, if that is waited for.
    pub(super) delivery: Option<oneshot::Receiver<()>>,
}

pub(super) enum First {
    /// It waits with the others.
    Waiting(oneshot::Receiver<Fate>),
    /// A message of this id has settled before.
    Settled(OutboxRow),
}

/// What becomes of a message whose host stops waiting.
pub(super) enum GivenUp {
    /// It never left and never will; its row of this address, if there is one, is to be deleted.
    Dropped(Jid),
    /// It may have arrived; the fate follows as an event.
    OnItsWay,
    /// The fate is known in a moment.
    Settling,
}

/// What becomes of a message that the host takes back.
pub(super) enum Withdrawn {
    /// It never left and never will; its row is to be deleted.
    Dropped(Jid),
    /// It has left, or may have.
    Left,
    /// There is no such message on its way.
    Unknown,
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
        let untold = store.outbox_untold()?;
        for row in store.outbox_pending()? {
            let order = jobs.add(row, true);
            jobs.ready.push_back(order);
        }
        jobs.orphans.extend(untold.iter().map(Orphan::of));
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
            let _ = waiter.tell.send(Err(error.clone()));
        }
    }

    /// Takes a message in. One of an id that is known joins its predecessor, whatever its text; one
    /// that failed before it left is sent after all.
    pub(super) fn accept(
        &self,
        store: &dyn Store,
        row: OutboxRow,
        wait: SendWait,
    ) -> Result<Accepted, Error> {
        self.load(store)?;
        let mut jobs = self.lock();
        let (tell, receiver) = oneshot::channel();
        let waiting = |delivery| Accepted { word: First::Waiting(receiver), delivery };
        let known = jobs.by_id.get(&row.message_id).copied();
        if let Some(order) = known.filter(|order| jobs.by_order.get(order).is_some_and(|job| !job.failing)) {
            if let Some(job) = jobs.by_order.get_mut(&order) {
                if !same_chat(store, &job.row.chat, &row.chat)? {
                    return Err(Error::new(
                        Code::InvalidArgument,
                        "the message id is in use in another chat",
                    ));
                }
                if wait == SendWait::Queued && job.stored {
                    job.promised = true;
                    // The receiver is alive: it is returned below.
                    let _ = tell.send(Ok(Word::Queued));
                } else {
                    job.waiters.push(Waiter { wait, tell });
                }
            }
            let delivery = jobs.await_delivery(&row, wait);
            return Ok(waiting(delivery));
        }
        if known.is_none()
            && let Some(settled) = find(store, &row.chat, &row.message_id)?
            && !matches!(settled.state, OutboxState::Failed(_))
        {
            let missing = settled.delivered_at == 0 && settled.state == OutboxState::Confirmed;
            let delivery = if missing { jobs.await_delivery(&row, wait) } else { None };
            return Ok(Accepted { word: First::Settled(settled), delivery });
        }
        if jobs.by_order.len() >= ROOM {
            return Err(Error::new(Code::RateLimited, "too many messages are waiting to be sent"));
        }
        let row = OutboxRow { chat: jobs.address_in_use(store, row.chat)?, ..row };
        let delivery = jobs.await_delivery(&row, wait);
        let order = jobs.add(row, false);
        if let Some(job) = jobs.by_order.get_mut(&order) {
            job.waiters.push(Waiter { wait, tell });
        }
        jobs.ready.push_back(order);
        drop(jobs);
        self.wake.notify_one();
        Ok(waiting(delivery))
    }

    /// The host does not wait any more for a message.
    pub(super) fn give_up(&self, id: &str) -> GivenUp {
        let mut jobs = self.lock();
        let Some(order) = jobs.by_id.get(id).copied() else { return GivenUp::Settling };
        let Some(job) = jobs.by_order.get_mut(&order) else { return GivenUp::Settling };
        job.waiters.retain(|waiter| !waiter.tell.is_closed());
        match job.stage {
            Stage::Settling => GivenUp::Settling,
            Stage::Leaving | Stage::Sent { .. } => GivenUp::OnItsWay,
            // Others may wait for the same message, or rely on it.
            Stage::Waiting if job.left || job.promised || job.waiters.len() > 1 => GivenUp::OnItsWay,
            Stage::Waiting => {
                let chat = job.row.chat.clone();
                jobs.remove(order);
                GivenUp::Dropped(chat)
            }
        }
    }

    /// The host takes a message back.
    pub(super) fn withdraw(&self, store: &dyn Store, chat: &Jid, id: &str) -> Result<Withdrawn, Error> {
        self.load(store)?;
        let mut jobs = self.lock();
        let found = jobs.by_id.get(id).and_then(|order| Some((*order, jobs.by_order.get(order)?)));
        let Some((order, job)) = found else {
            return Ok(match find(store, chat, id)? {
                Some(row) if matches!(row.state, OutboxState::Failed(_)) => Withdrawn::Dropped(row.chat),
                Some(_) => Withdrawn::Left,
                None => Withdrawn::Unknown,
            });
        };
        if !same_chat(store, &job.row.chat, chat)? {
            return Ok(Withdrawn::Unknown);
        }
        if job.stage != Stage::Waiting || job.left {
            return Ok(Withdrawn::Left);
        }
        let chat = job.row.chat.clone();
        for waiter in jobs.remove(order) {
            let error = Error::new(Code::Cancelled, "the message was withdrawn before it left");
            let _ = waiter.tell.send(Err(error));
        }
        Ok(Withdrawn::Dropped(chat))
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
        let mut jobs = self.lock();
        let mut tickets = Vec::new();
        while let Some(order) = jobs.unstored.pop_first() {
            if let Some(ticket) = jobs.ticket(order).filter(|ticket| !ticket.stored) {
                tickets.push(ticket);
                if tickets.len() == BATCH {
                    break;
                }
            }
        }
        tickets
    }

    /// Takes messages to be sent. Those whose chat is being prepared or paused wait for that.
    pub(super) fn take_ready(&self) -> Vec<Ticket> {
        let mut jobs = self.lock();
        let mut tickets = Vec::new();
        if jobs.held_until.is_some() {
            return tickets;
        }
        while let Some(order) = jobs.ready.pop_front() {
            let Some(ticket) = jobs.ticket(order) else { continue };
            if jobs.paused.contains_key(&ticket.row.chat) {
                // It is lined up again when the pause ends.
                continue;
            }
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
        let mut gone = Vec::new();
        for order in orders {
            jobs.unstored.remove(&order);
            let Some(job) = jobs.by_order.get_mut(&order) else {
                gone.push(order);
                continue;
            };
            job.stored = true;
            let (queued, waiting) = std::mem::take(&mut job.waiters)
                .into_iter()
                .partition(|waiter: &Waiter| waiter.wait == SendWait::Queued);
            job.waiters = waiting;
            for waiter in queued {
                job.promised |= waiter.tell.send(Ok(Word::Queued)).is_ok();
            }
        }
        gone
    }

    /// A stanza is queued on a connection.
    pub(super) fn sent(&self, order: u64, generation: u64, keys: Option<Box<HandedOut>>) {
        let mut jobs = self.lock();
        if let Some(job) = jobs.by_order.get_mut(&order).filter(|job| job.stage == Stage::Leaving) {
            job.stage = Stage::Sent { generation, at: Instant::now() };
            job.left = true;
            let hands_out = keys.as_ref().is_some_and(|keys| !keys.devices.is_empty());
            let earlier = std::mem::replace(&mut job.keys, keys);
            if job.unanswered
                && let Some(keys) = &mut job.keys
            {
                keys.keep_what_was_carried_by(earlier.as_deref());
            }
            job.unanswered = true;
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

    /// When there is something to be done about messages that wait.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let jobs = self.lock();
        let sent = jobs.by_order.values().filter_map(|job| match job.stage {
            Stage::Sent { at, .. } => at.checked_add(ACK_WAIT),
            _ => None,
        });
        sent.chain(jobs.paused.values().copied()).chain(jobs.held_until).min()
    }

    /// Ends pauses that are over. Messages that waited too long for the service's word are written
    /// again, under the same id and in order.
    pub(super) fn due(&self, now: Instant) {
        let mut jobs = self.lock();
        jobs.paused.retain(|_, until| *until > now);
        jobs.held_until = jobs.held_until.filter(|until| *until > now);
        for job in jobs.by_order.values_mut() {
            let overdue =
                matches!(job.stage, Stage::Sent { at, .. } if now.saturating_duration_since(at) >= ACK_WAIT);
            if overdue {
                job.stage = Stage::Waiting;
            }
        }
        jobs.line_up();
    }

    /// Messages that did not leave after all; they keep their place.
    pub(super) fn put_back(&self, orders: &[u64]) {
        let mut jobs = self.lock();
        for order in orders.iter().rev() {
            let unsettled = |job: &&mut Job| job.stage != Stage::Waiting;
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

    /// Ends messages that could not be made durable. There are no rows of them.
    pub(super) fn fail(&self, orders: &[u64], error: &Error) {
        let mut jobs = self.lock();
        for order in orders {
            for waiter in jobs.remove(*order) {
                let _ = waiter.tell.send(Err(error.clone()));
            }
        }
    }

    /// A message cannot be sent; that becomes part of the unit of work.
    pub(super) fn reject(
        &self,
        unit: &mut Unit<'_>,
        ticket: &Ticket,
        error: &Error,
    ) -> Result<Option<Settled>, StoreError> {
        let told = {
            let mut jobs = self.lock();
            let Some(job) = jobs.by_order.get_mut(&ticket.order) else { return Ok(None) };
            job.stage = Stage::Settling;
            job.failing = error.outcome() == Outcome::NotSent;
            job.is_told(false)
        };
        let state = match error.outcome() {
            Outcome::Refused => OutboxState::Refused(error.service_status()),
            _ => OutboxState::Failed(error.code()),
        };
        let orphan = Orphan { state, timestamp: unit.now(), ..Orphan::of(&ticket.row) };
        if !told {
            fate::tell(unit, &orphan)?;
        }
        if ticket.stored {
            unit.changes.outbox_settled.push(orphan.settlement(0, !told));
        } else {
            unit.changes.outbox.push(OutboxRow { state, told: !told, ..ticket.row.clone() });
        }
        Ok(Some(Settled {
            order: ticket.order,
            then: Then::Tell { fate: Err(error.clone()), orphan, told: !told },
        }))
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
            replies.repairs.push(Repair::Addresses(chat));
        }
        let Some(Judged { order, row, told, verdict, keys }) = self.judge(ack) else { return Ok(()) };
        let state = match verdict {
            Verdict::Again { after, lists, all } => {
                if lists {
                    let user = unit.canonical(&row.chat)?;
                    unit.changes.device_lists.insert(user, None);
                }
                replies.settled.push(Settled { order, then: Then::TryAgain { after, all } });
                return Ok(());
            }
            Verdict::Confirmed { lid_refused } => {
                if lid_refused {
                    unit.lid_refused()?;
                }
                if !row.chat.is_group() {
                    unit.taken_from(&row.chat)?;
                }
                if let Some(keys) = keys {
                    groups::ack::confirmed(unit, &row, ack, &keys, replies)?;
                }
                OutboxState::Confirmed
            }
            Verdict::Refused(status) => {
                if row.chat.is_group() {
                    groups::ack::refused(unit, &row.chat)?;
                } else {
                    fate::refused(unit, &row, status)?;
                }
                OutboxState::Refused(status)
            }
        };
        let timestamp = if ack.timestamp > 0 { ack.timestamp } else { unit.now() };
        let orphan = Orphan { state, timestamp, ..Orphan::of(&row) };
        if !told {
            fate::tell(unit, &orphan)?;
        }
        let fate = match state {
            OutboxState::Refused(status) => Err(fate::refusal(status)),
            _ => Ok(Word::Sent(SentMessage {
                message_id: row.message_id,
                chat: unit.identity_of(&row.chat)?,
                timestamp,
            })),
        };
        unit.changes.outbox_settled.push(orphan.settlement(timestamp, !told));
        replies.settled.push(Settled { order, then: Then::Tell { fate, orphan, told: !told } });
        Ok(())
    }

    /// Whether somebody is told by an answer, and what the service wants.
    fn judge(&self, ack: &Ack) -> Option<Judged> {
        let mut jobs = self.lock();
        let order = *jobs.by_id.get(&ack.id)?;
        let job = jobs.by_order.get_mut(&order)?;
        if !matches!(job.stage, Stage::Sent { .. } | Stage::Leaving) {
            return None;
        }
        if ack.error.is_some() {
            job.attempts = job.attempts.saturating_add(1);
            job.unanswered = false;
        }
        let group = job.row.chat.is_group();
        let verdict = fate::verdict(ack, group, job.attempts, &mut job.by_phone, &mut job.manner);
        job.stage = Stage::Settling;
        let told = job.is_told(matches!(verdict, Verdict::Confirmed { .. }));
        let judged = Judged { order, row: job.row.clone(), told, verdict, keys: job.keys.take() };
        if let Verdict::Again { after, .. } = judged.verdict
            && !after.is_zero()
        {
            // At once: what is accepted while the unit of work is committed must not overtake it.
            jobs.paused.insert(judged.row.chat.clone(), Instant::now() + after);
        }
        Some(judged)
    }

    /// What became of a message is durable.
    pub(crate) fn settle(&self, settled: Settled) {
        let mut jobs = self.lock();
        // What waited for the key of a group may leave.
        self.wake.notify_one();
        match settled.then {
            Then::Tell { fate, orphan, told } => {
                let mut calls = 0;
                for waiter in jobs.remove(settled.order) {
                    let takes = waiter.wait == SendWait::Sent || fate.is_err();
                    let taken = waiter.tell.send(fate.clone()).is_ok();
                    calls += usize::from(takes && taken);
                }
                if told {
                    return;
                }
                if calls == 0 {
                    jobs.orphans.push(orphan);
                } else {
                    jobs.handed.insert(orphan.message_id.clone(), Handed { orphan, calls });
                }
            }
            Then::TryAgain { after, all } => {
                let Some(job) = jobs.by_order.get_mut(&settled.order) else { return };
                job.stage = Stage::Waiting;
                job.prepared = false;
                let chat = job.row.chat.clone();
                if !after.is_zero() {
                    let until = Instant::now() + after;
                    jobs.paused.insert(chat, until);
                    if all {
                        jobs.held_until = jobs.held_until.max(Some(until));
                    }
                }
                jobs.key_is_out(settled.order);
                jobs.line_up();
            }
        }
        drop(jobs);
        self.wake.notify_one();
    }

    /// The host took the fate of a message from a call. Returns what to write down about it.
    pub(super) fn taken(&self, id: &str) -> Option<(Jid, String)> {
        let handed = self.lock().handed.remove(id)?;
        Some((handed.orphan.chat, handed.orphan.message_id))
    }

    /// A call ended without handing its fate to the host.
    pub(super) fn untaken(&self, id: &str) {
        let mut jobs = self.lock();
        let Some(handed) = jobs.handed.get_mut(id) else { return };
        handed.calls = handed.calls.saturating_sub(1);
        if handed.calls == 0
            && let Some(handed) = jobs.handed.remove(id)
        {
            jobs.orphans.push(handed.orphan);
            drop(jobs);
            self.wake.notify_one();
        }
    }

    /// Fates that the host must be told by events.
    pub(super) fn take_orphans(&self) -> Vec<Orphan> {
        std::mem::take(&mut self.lock().orphans)
    }

    /// Telling did not work.
    pub(super) fn put_orphans_back(&self, orphans: Vec<Orphan>) {
        self.lock().orphans.extend(orphans);
    }

    /// A device of somebody else has messages of a chat, which has or had these addresses.
    pub(crate) fn delivered(&self, chat: &[Jid], ids: &[String]) {
        let mut jobs = self.lock();
        if jobs.deliveries.is_empty() {
            return;
        }
        let same = |waiting: &Jid| chat.contains(waiting);
        for id in ids {
            if jobs.deliveries.get(id).is_some_and(|waiting| same(&waiting.chat)) {
                let waiters = jobs.deliveries.remove(id).map(|waiting| waiting.waiters);
                for waiter in waiters.into_iter().flatten() {
                    // Whoever does not wait any more need not be told.
                    let _ = waiter.send(());
                }
            }
        }
    }

    /// Forgets those who do not wait for a delivery any more.
    pub(super) fn forget_delivery(&self, id: &str) {
        let mut jobs = self.lock();
        if let Some(waiting) = jobs.deliveries.get_mut(id) {
            waiting.waiters.retain(|waiter| !waiter.is_closed());
            if waiting.waiters.is_empty() {
                jobs.deliveries.remove(id);
            }
        }
    }

    /// What the service said could not be made durable: it will be asked again.
    pub(crate) fn unsettle(&self) {
        for job in self.lock().by_order.values_mut() {
            if job.stage == Stage::Settling {
                job.stage = Stage::Waiting;
                job.failing = false;
            }
        }
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

    /// The address by which a chat is held here. It keeps the one under which its messages wait
    /// already, though another may have been learned since: what has one address stays in order.
    fn address_in_use(&self, store: &dyn Store, chat: Jid) -> Result<Jid, StoreError> {
        if self.by_chat.is_empty() || self.by_chat.contains_key(&chat) || !chat.is_lid() {
            return Ok(chat);
        }
        let mut others = store.former_addresses(&chat)?;
        others.extend(store.phone_of(&chat)?);
        Ok(others.into_iter().find(|other| self.by_chat.contains_key(other)).unwrap_or(chat))
    }

    fn add(&mut self, row: OutboxRow, stored: bool) -> u64 {
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

    fn await_delivery(&mut self, row: &OutboxRow, wait: SendWait) -> Option<oneshot::Receiver<()>> {
        if wait != SendWait::Delivered {
            return None;
        }
        let (sender, receiver) = oneshot::channel();
        let waiting = self.deliveries.entry(row.message_id.clone());
        let waiting = waiting.or_insert_with(|| Deliveries { chat: row.chat.clone(), waiters: Vec::new() });
        waiting.waiters.push(sender);
        Some(receiver)
    }

    fn remove(&mut self, order: u64) -> Vec<Waiter> {
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

    fn ticket(&self, order: u64) -> Option<Ticket> {
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

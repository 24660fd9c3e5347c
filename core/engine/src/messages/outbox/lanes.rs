//! Whose turn it is: messages become durable and leave in the order in which they were accepted, except
//! that those whose chat is being looked up or paused wait without holding up other chats.

use std::collections::BTreeSet;

use whimbrel_wire::Jid;

use super::jobs::{Job, Jobs, Stage, Ticket, Waiter};
use super::{BATCH, Outbox, Word};
use crate::error::Error;
use crate::options::SendWait;

impl Outbox {
    /// Takes messages to be stored only: the oldest that are not durable, whatever they wait for.
    /// A newer one must not be durable without them, or a crash would change the order.
    pub(in crate::messages) fn take_unstored(&self) -> Vec<Ticket> {
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

    /// Rows are durable. Returns those whose message was given up meanwhile.
    pub(in crate::messages) fn stored(&self, orders: impl IntoIterator<Item = u64>) -> Vec<u64> {
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

    /// Ends messages that could not be made durable. There are no rows of them.
    pub(in crate::messages) fn fail(&self, orders: &[u64], error: &Error) {
        let mut jobs = self.lock();
        for order in orders {
            for waiter in jobs.remove(*order) {
                let _ = waiter.tell.send(Err(error.clone()));
            }
        }
    }

    /// Takes messages to be sent. Those whose chat is being prepared or paused wait for that.
    pub(in crate::messages) fn take_ready(&self) -> Vec<Ticket> {
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

    /// Messages that did not leave after all; they keep their place.
    pub(in crate::messages) fn put_back(&self, orders: &[u64]) {
        let mut jobs = self.lock();
        for order in orders.iter().rev() {
            let unsettled = |job: &&mut Job| job.stage != Stage::Waiting;
            if let Some(job) = jobs.by_order.get_mut(order).filter(unsettled) {
                job.stage = Stage::Waiting;
                // That it cannot be sent is not durable, so it is not so.
                job.failing = false;
                jobs.ready.push_front(*order);
            }
        }
    }

    /// A message waits until the devices of its chat are known. Returns whether somebody has to
    /// look them up.
    pub(in crate::messages) fn prepare(&self, ticket: &Ticket) -> bool {
        let mut jobs = self.lock();
        if let Some(job) = jobs.by_order.get_mut(&ticket.order) {
            job.stage = Stage::Waiting;
        }
        let waiting = jobs.preparing.entry(ticket.row.chat.clone()).or_default();
        waiting.push(ticket.order);
        waiting.len() == 1
    }

    /// The devices of a chat were looked up, or could not be (`done` says it of each message): what waited
    /// for it goes on in order.
    pub(in crate::messages) fn prepared(&self, chat: &Jid, done: impl Fn(u64) -> bool) {
        let mut jobs = self.lock();
        let mut waiting = jobs.preparing.remove(chat).unwrap_or_default();
        waiting.sort_unstable();
        for order in waiting.into_iter().rev() {
            if let Some(job) = jobs.by_order.get_mut(&order) {
                job.prepared = done(order);
                jobs.ready.push_front(order);
            }
        }
        drop(jobs);
        self.wake.notify_one();
    }

    /// Messages that wait for the devices of a chat.
    pub(in crate::messages) fn waiting_for(&self, chat: &Jid) -> Vec<Ticket> {
        let jobs = self.lock();
        let waiting = jobs.preparing.get(chat).cloned().unwrap_or_default();
        waiting.into_iter().filter_map(|order| jobs.ticket(order)).collect()
    }
}

impl Jobs {
    /// Makes everything ready that waits, in order, except for what is being prepared.
    pub(super) fn line_up(&mut self) {
        let preparing: BTreeSet<u64> = self.preparing.values().flatten().copied().collect();
        let waits = |(order, job): &(&u64, &Job)| job.stage == Stage::Waiting && !preparing.contains(order);
        self.ready = self.by_order.iter().filter(waits).map(|(order, _)| *order).collect();
    }
}

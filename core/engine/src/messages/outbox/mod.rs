//! Messages on their way out: accepted from the host, not yet settled by the service. The store
//! has a row for each; here is what is needed while the process lives.
//!
//! A message is [accepted](accept) into the [jobs](jobs), takes its turn in the [lanes](lanes) of its
//! chat, is written and [waits for the service's word](acks), which is [settled](settle) once it is
//! durable. Until it leaves it may be [withdrawn](withdraw).

mod accept;
mod acks;
mod delivery;
pub(crate) mod fate;
mod group_key;
mod jobs;
mod lanes;
mod settle;
mod withdraw;

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use whimbrel_wire::Jid;

pub(super) use self::accept::{Accepted, First};
pub(crate) use self::jobs::Ticket;
pub(crate) use self::settle::Settled;
pub(super) use self::withdraw::{GivenUp, Withdrawn};

use self::fate::Orphan;
use self::jobs::Jobs;
use super::SentMessage;
use crate::devices::identity;
use crate::error::Error;
use crate::store::{OutboxRow, Store, StoreError};

/// Messages taken into one unit of work.
pub(super) const BATCH: usize = 64;

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

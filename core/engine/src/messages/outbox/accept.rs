//! Taking messages in, and joining those that are known already.

use tokio::sync::oneshot;
use whimbrel_wire::Jid;

use super::jobs::{Jobs, Waiter};
use super::{Fate, Outbox, Word, find, same_chat};
use crate::error::{Code, Error};
use crate::options::SendWait;
use crate::store::{OutboxRow, OutboxState, Store, StoreError};

/// Messages that may be on their way at once.
const ROOM: usize = 10_000;

/// What a new message meets.
pub(in crate::messages) struct Accepted {
    pub(in crate::messages) word: First,
    /// Fires when a recipient's device has the message, if that is waited for.
    pub(in crate::messages) delivery: Option<oneshot::Receiver<()>>,
}

pub(in crate::messages) enum First {
    /// It waits with the others.
    Waiting(oneshot::Receiver<Fate>),
    /// A message of this id has settled before.
    Settled(OutboxRow),
}

impl Outbox {
    /// Takes a message in. One of an id that is known joins its predecessor, whatever its text; one
    /// that failed before it left is sent after all.
    pub(in crate::messages) fn accept(
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
}

impl Jobs {
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
}

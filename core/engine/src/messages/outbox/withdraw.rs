//! Messages whose hosts stop waiting for them, or take them back.

use whimbrel_wire::Jid;

use super::jobs::Stage;
use super::{Outbox, find, same_chat};
use crate::error::{Code, Error};
use crate::store::{OutboxState, Store};

/// What becomes of a message whose host stops waiting.
pub(in crate::messages) enum GivenUp {
    /// It never left and never will; its row of this address, if there is one, is to be deleted.
    Dropped(Jid),
    /// It may have arrived; the fate follows as an event.
    OnItsWay,
    /// The fate is known in a moment.
    Settling,
}

/// What becomes of a message that the host takes back.
pub(in crate::messages) enum Withdrawn {
    /// It never left and never will; its row is to be deleted.
    Dropped(Jid),
    /// It has left, or may have.
    Left,
    /// There is no such message on its way.
    Unknown,
}

impl Outbox {
    /// The host does not wait any more for a message.
    pub(in crate::messages) fn give_up(&self, id: &str) -> GivenUp {
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
    pub(in crate::messages) fn withdraw(
        &self,
        store: &dyn Store,
        chat: &Jid,
        id: &str,
    ) -> Result<Withdrawn, Error> {
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
}

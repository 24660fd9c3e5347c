//! What became of a message: made part of a unit of work, and told to those who wait once it is durable.

use std::time::Duration;

use tokio::time::Instant;
use whimbrel_wire::Jid;

use super::fate::{self, Orphan};
use super::jobs::{Stage, Ticket};
use super::{Fate, Outbox};
use crate::error::{Error, Outcome};
use crate::messages::signal_state::Unit;
use crate::options::SendWait;
use crate::store::{OutboxRow, OutboxState, StoreError};

/// A message whose fate is durable.
pub(crate) struct Settled {
    pub(super) order: u64,
    pub(super) then: Then,
}

pub(super) enum Then {
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

/// A fate on its way through calls to the host.
pub(super) struct Handed {
    pub(super) orphan: Orphan,
    pub(super) calls: usize,
}

impl Outbox {
    /// A message cannot be sent; that becomes part of the unit of work.
    pub(in crate::messages) fn reject(
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
    pub(in crate::messages) fn taken(&self, id: &str) -> Option<(Jid, String)> {
        let handed = self.lock().handed.remove(id)?;
        Some((handed.orphan.chat, handed.orphan.message_id))
    }

    /// A call ended without handing its fate to the host.
    pub(in crate::messages) fn untaken(&self, id: &str) {
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
    pub(in crate::messages) fn take_orphans(&self) -> Vec<Orphan> {
        std::mem::take(&mut self.lock().orphans)
    }

    /// Telling did not work.
    pub(in crate::messages) fn put_orphans_back(&self, orphans: Vec<Orphan>) {
        self.lock().orphans.extend(orphans);
    }
}

//! Messages that were written, and the service's word on them: it comes, or it is asked for again.

use std::time::Duration;

use tokio::time::Instant;

use super::fate::{self, Orphan, Verdict};
use super::jobs::Stage;
use super::settle::{Settled, Then};
use super::{Outbox, Word};
use crate::groups::{self, HandedOut};
use crate::messages::SentMessage;
use crate::messages::inbound::Replies;
use crate::messages::signal_state::Unit;
use crate::messages::stanza::Ack;
use crate::repair::Repair;
use crate::store::{OutboxRow, OutboxState, StoreError};

/// How long the service may take for its word on a message, before it is written again.
const ACK_WAIT: Duration = Duration::from_secs(30);

/// A message about which the service said its word.
struct Judged {
    order: u64,
    row: OutboxRow,
    told: bool,
    verdict: Verdict,
    /// What left with it, of a message to a group.
    keys: Option<Box<HandedOut>>,
}

impl Outbox {
    /// A stanza is queued on a connection.
    pub(in crate::messages) fn sent(&self, order: u64, generation: u64, keys: Option<Box<HandedOut>>) {
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
                jobs.hands_out_key(chat, order);
            }
        }
    }

    /// A connection was made: what was written to an earlier one is written again, before what
    /// is newer.
    pub(in crate::messages) fn reopen(&self, generation: u64) {
        let mut jobs = self.lock();
        for job in jobs.by_order.values_mut() {
            if matches!(job.stage, Stage::Sent { generation: sent, .. } if sent != generation) {
                job.stage = Stage::Waiting;
            }
        }
        jobs.line_up();
    }

    /// When there is something to be done about messages that wait.
    pub(in crate::messages) fn next_due(&self) -> Option<Instant> {
        let jobs = self.lock();
        let sent = jobs.by_order.values().filter_map(|job| match job.stage {
            Stage::Sent { at, .. } => at.checked_add(ACK_WAIT),
            _ => None,
        });
        sent.chain(jobs.paused.values().copied()).chain(jobs.held_until).min()
    }

    /// Ends pauses that are over. Messages that waited too long for the service's word are written
    /// again, under the same id and in order.
    pub(in crate::messages) fn due(&self, now: Instant) {
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

    /// The service said its word on a message, which becomes part of the unit of work.
    pub(crate) fn acknowledged(
        &self,
        unit: &mut Unit<'_>,
        ack: &Ack,
        replies: &mut Replies,
    ) -> Result<(), StoreError> {
        let chat = unit.canonical(&ack.chat.to_bare())?;
        if ack.phash.is_some() && chat.is_account() {
            let own = unit.account.phone.clone();
            for user in std::iter::once(chat.clone()).chain(own) {
                let user = unit.canonical(&user.to_bare())?;
                unit.give_up_list(&user)?;
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
                    unit.give_up_list(&user)?;
                }
                replies.settled.push(Settled { order, then: Then::TryAgain { after, all } });
                return Ok(());
            }
            Verdict::Confirmed { lid_refused } => {
                if lid_refused {
                    unit.lid_refused()?;
                }
                if row.chat.is_account() {
                    unit.taken_from(&row.chat)?;
                    unit.wish_token(&row.chat)?;
                }
                if let Some(keys) = keys.as_ref().filter(|_| row.chat.is_status()) {
                    unit.key_handed_out(&row.chat, keys.key_id, &keys.devices)?;
                } else if let Some(keys) = keys {
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
                server_id: ack.server_id,
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

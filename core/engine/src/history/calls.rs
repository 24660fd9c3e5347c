//! Calls of the phone's log, as messages of their chats (media document §19.1, messages document §9.6).

use whimbrel_content::Content;
use whimbrel_content::context::Context;
use whimbrel_content::kinds::call::{CallLog, CallOutcome, CallType};
use whimbrel_proto::sync_action::CallLogRecord;
use whimbrel_proto::sync_action::call_log_record::{CallResult, SilenceReason};
use whimbrel_wire::Jid;

use super::reading::{Reading, seconds};
use crate::archive::row::{ArchiveChange, MessageRow, SentStatus};
use crate::store::StoreError;

/// How a call ended, in the words of messages; `None` for one that is planned.
fn outcome(result: CallResult) -> Option<CallOutcome> {
    Some(match result {
        CallResult::Connected => CallOutcome::Connected,
        CallResult::Rejected => CallOutcome::Rejected,
        CallResult::Acceptedelsewhere => CallOutcome::AcceptedElsewhere,
        CallResult::Missed | CallResult::Cancelled => CallOutcome::Missed,
        CallResult::Ongoing => CallOutcome::Ongoing,
        CallResult::Invalid | CallResult::Unavailable | CallResult::Failed | CallResult::Abandoned => {
            CallOutcome::Failed
        }
        CallResult::Upcoming => return None,
    })
}

fn result(number: Option<i32>) -> Option<CallResult> {
    number.and_then(|number| CallResult::try_from(number).ok())
}

impl Reading<'_> {
    /// Takes a call. What cannot be put into a chat or names no call is left out.
    pub(super) fn call(&mut self, call: CallLogRecord) -> Result<(), StoreError> {
        self.read.calls = self.read.calls.saturating_add(1);
        let Some(id) = call.call_id.filter(|id| !id.is_empty()) else { return Ok(()) };
        let Some(mut ended) = result(call.call_result).and_then(outcome) else { return Ok(()) };
        if ended == CallOutcome::Missed {
            match call.silence_reason.and_then(|number| SilenceReason::try_from(number).ok()) {
                Some(SilenceReason::Privacy) => ended = CallOutcome::SilencedUnknownCaller,
                Some(SilenceReason::Scheduled) => ended = CallOutcome::SilencedByDnd,
                _ if call.is_dnd_mode == Some(true) => ended = CallOutcome::SilencedByDnd,
                _ => {}
            }
        }
        let mut participants = Vec::with_capacity(call.participants.len());
        for person in &call.participants {
            let who = self.address(person.user_jid.as_deref().unwrap_or_default())?;
            participants.push((who, result(person.call_result).and_then(outcome)));
        }
        let creator = self.address(call.call_creator_jid.as_deref().unwrap_or_default())?;
        let group = self.address(call.group_jid.as_deref().unwrap_or_default())?;
        let from_me = call.is_incoming == Some(false);
        let creator = creator.filter(|creator| !from_me && !self.is_own(creator));
        let other = participants.iter().find_map(|(who, _)| who.clone().filter(|who| !self.is_own(who)));
        let other = creator.clone().or(other).filter(Jid::is_account);
        let Some(chat) = group.filter(Jid::is_group).or_else(|| other.clone()) else { return Ok(()) };
        let author = if from_me { None } else { other };
        if !from_me && author.is_none() {
            return Ok(());
        }
        let log = CallLog {
            is_video: call.is_video.unwrap_or_default(),
            outcome: Some(ended),
            duration_seconds: call.duration,
            kind: call.call_type.and_then(|number| CallType::try_from(number).ok()),
            participants,
        };
        let Ok(message) = Content::CallLog(log).to_message(&Context::default()) else { return Ok(()) };
        let timestamp = call.start_time.and_then(|at| u64::try_from(at).ok()).map_or(0, seconds);
        if self.is_too_old(timestamp) {
            return Ok(());
        }
        self.changes.push(ArchiveChange::Call(Box::new(MessageRow {
            chat,
            status: author.is_none().then_some(SentStatus::Sent),
            author,
            message_id: id,
            timestamp,
            content: whimbrel_proto::encode(&message),
            starred: false,
            unread: false,
            notice: None,
        })));
        Ok(())
    }
}

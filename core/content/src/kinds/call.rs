//! Traces of calls (messages document §9.6). Real calls are signalled elsewhere.

use whimbrel_proto::e2e::message::call_log_message::CallParticipant;
use whimbrel_proto::e2e::message::{BCallMessage, CallLogMessage, ScheduledCallCreationMessage};
use whimbrel_wire::Jid;

pub use crate::names::{CallOutcome, CallType};

use crate::key::jid;
use crate::secret::Secret;

/// A call that was.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CallLog {
    /// With pictures.
    pub is_video: bool,
    /// How it ended.
    pub outcome: Option<CallOutcome>,
    /// How long it was, in seconds.
    pub duration_seconds: Option<i64>,
    /// What kind of call it was.
    pub kind: Option<CallType>,
    /// Who took part, and how it ended for each.
    pub participants: Vec<(Option<Jid>, Option<CallOutcome>)>,
}

fn outcome(number: Option<i32>) -> Option<CallOutcome> {
    number.and_then(|number| CallOutcome::try_from(number).ok())
}

impl CallLog {
    pub(crate) fn read(log: CallLogMessage) -> Self {
        let participants =
            log.participants.into_iter().map(|person| (jid(person.jid), outcome(person.call_outcome)));
        Self {
            is_video: log.is_video.unwrap_or_default(),
            outcome: outcome(log.call_outcome),
            duration_seconds: log.duration_secs,
            kind: log.call_type.and_then(|number| CallType::try_from(number).ok()),
            participants: participants.collect(),
        }
    }

    pub(crate) fn write(self) -> CallLogMessage {
        let participants = self.participants.into_iter().map(|(person, outcome)| CallParticipant {
            jid: person.as_ref().map(Jid::to_string),
            call_outcome: outcome.map(|outcome| outcome as i32),
        });
        CallLogMessage {
            is_video: Some(self.is_video),
            call_outcome: self.outcome.map(|outcome| outcome as i32),
            duration_secs: self.duration_seconds,
            call_type: self.kind.map(|kind| kind as i32),
            participants: participants.collect(),
        }
    }
}

/// A call that was planned; events have replaced them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScheduledCall {
    /// When, in milliseconds since 1970.
    pub at_ms: Option<i64>,
    /// With pictures.
    pub is_video: bool,
    /// Its name.
    pub title: Option<String>,
}

impl ScheduledCall {
    pub(crate) fn read(call: ScheduledCallCreationMessage) -> Self {
        Self { at_ms: call.scheduled_timestamp_ms, is_video: call.call_type == Some(2), title: call.title }
    }

    pub(crate) fn write(self) -> ScheduledCallCreationMessage {
        ScheduledCallCreationMessage {
            scheduled_timestamp_ms: self.at_ms,
            call_type: Some(if self.is_video { 2 } else { 1 }),
            title: self.title,
        }
    }
}

/// A call to many.
#[derive(Clone, Debug, PartialEq)]
pub struct BroadcastCall {
    /// Its id.
    pub session_id: String,
    /// With pictures.
    pub is_video: bool,
    /// Key of the call.
    pub key: Secret,
    /// Words with it.
    pub caption: Option<String>,
}

impl BroadcastCall {
    pub(crate) fn read(call: BCallMessage) -> Self {
        Self {
            session_id: call.session_id.unwrap_or_default(),
            is_video: call.media_type == Some(2),
            key: Secret::new(call.master_key.unwrap_or_default()),
            caption: call.caption,
        }
    }

    pub(crate) fn write(self) -> BCallMessage {
        BCallMessage {
            session_id: Some(self.session_id),
            media_type: Some(if self.is_video { 2 } else { 1 }),
            master_key: Some(self.key.to_wire()),
            caption: self.caption,
        }
    }
}

//! The stored form of events about calls.

use super::record::{IdentityRow, UnreadableRow, identity_of, identity_row, jid_of};
use crate::calls::{CallEnded, CallOffered, CallProgress, CallStep};

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct OfferedRow {
    #[prost(string, tag = "1")]
    call_id: String,
    #[prost(message, optional, tag = "2")]
    caller: Option<IdentityRow>,
    #[prost(string, optional, tag = "3")]
    push_name: Option<String>,
    #[prost(bool, tag = "4")]
    video: bool,
    #[prost(bool, tag = "5")]
    is_group: bool,
    #[prost(string, optional, tag = "6")]
    group: Option<String>,
    #[prost(bool, tag = "7")]
    is_notice: bool,
    #[prost(bool, tag = "8")]
    offline: bool,
    #[prost(int64, tag = "9")]
    timestamp: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ProgressRow {
    #[prost(string, tag = "1")]
    call_id: String,
    #[prost(message, optional, tag = "2")]
    caller: Option<IdentityRow>,
    #[prost(message, optional, tag = "3")]
    who: Option<IdentityRow>,
    /// 1 ringing, 2 accepted, 3 rejected, 4 changed.
    #[prost(uint32, tag = "4")]
    step: u32,
    #[prost(int64, tag = "5")]
    timestamp: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct EndedRow {
    #[prost(string, tag = "1")]
    call_id: String,
    #[prost(message, optional, tag = "2")]
    caller: Option<IdentityRow>,
    #[prost(string, tag = "3")]
    reason: String,
    #[prost(bool, tag = "4")]
    is_elsewhere: bool,
    #[prost(bool, tag = "5")]
    missed: bool,
    #[prost(uint64, optional, tag = "6")]
    duration_ms: Option<u64>,
    #[prost(bool, tag = "7")]
    offline: bool,
    #[prost(int64, tag = "8")]
    timestamp: i64,
}

impl From<&CallOffered> for OfferedRow {
    fn from(event: &CallOffered) -> Self {
        Self {
            call_id: event.call_id.clone(),
            caller: Some(identity_row(&event.caller)),
            push_name: event.push_name.clone(),
            video: event.video,
            is_group: event.is_group,
            group: event.group.as_ref().map(ToString::to_string),
            is_notice: event.is_notice,
            offline: event.offline,
            timestamp: event.timestamp,
        }
    }
}

impl TryFrom<OfferedRow> for CallOffered {
    type Error = UnreadableRow;

    fn try_from(row: OfferedRow) -> Result<Self, UnreadableRow> {
        Ok(Self {
            call_id: row.call_id,
            caller: identity_of(row.caller)?,
            push_name: row.push_name,
            video: row.video,
            is_group: row.is_group,
            group: row.group.as_deref().map(jid_of).transpose()?,
            is_notice: row.is_notice,
            offline: row.offline,
            timestamp: row.timestamp,
        })
    }
}

impl From<&CallProgress> for ProgressRow {
    fn from(event: &CallProgress) -> Self {
        Self {
            call_id: event.call_id.clone(),
            caller: Some(identity_row(&event.caller)),
            who: Some(identity_row(&event.who)),
            step: match event.step {
                CallStep::Ringing => 1,
                CallStep::Accepted => 2,
                CallStep::Rejected => 3,
                CallStep::Changed => 4,
            },
            timestamp: event.timestamp,
        }
    }
}

impl TryFrom<ProgressRow> for CallProgress {
    type Error = UnreadableRow;

    fn try_from(row: ProgressRow) -> Result<Self, UnreadableRow> {
        Ok(Self {
            call_id: row.call_id,
            caller: identity_of(row.caller)?,
            who: identity_of(row.who)?,
            step: match row.step {
                1 => CallStep::Ringing,
                2 => CallStep::Accepted,
                3 => CallStep::Rejected,
                4 => CallStep::Changed,
                _ => return Err(UnreadableRow),
            },
            timestamp: row.timestamp,
        })
    }
}

impl From<&CallEnded> for EndedRow {
    fn from(event: &CallEnded) -> Self {
        Self {
            call_id: event.call_id.clone(),
            caller: Some(identity_row(&event.caller)),
            reason: event.reason.clone(),
            is_elsewhere: event.is_elsewhere,
            missed: event.missed,
            duration_ms: event.duration_ms,
            offline: event.offline,
            timestamp: event.timestamp,
        }
    }
}

impl TryFrom<EndedRow> for CallEnded {
    type Error = UnreadableRow;

    fn try_from(row: EndedRow) -> Result<Self, UnreadableRow> {
        Ok(Self {
            call_id: row.call_id,
            caller: identity_of(row.caller)?,
            reason: row.reason,
            is_elsewhere: row.is_elsewhere,
            missed: row.missed,
            duration_ms: row.duration_ms,
            offline: row.offline,
            timestamp: row.timestamp,
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use whimbrel_wire::Jid;

    use super::*;
    use crate::events::{EventKind, Identity};

    /// One event of every kind about calls.
    pub(crate) fn every_kind(who: &Identity) -> Vec<EventKind> {
        let offered = CallOffered {
            call_id: "ABC".to_owned(),
            caller: who.clone(),
            push_name: Some("Zoë".to_owned()),
            video: true,
            is_group: true,
            group: Some(Jid::group("120363041234567890")),
            is_notice: false,
            offline: true,
            timestamp: 5,
        };
        let progress = |step| CallProgress {
            call_id: "ABC".to_owned(),
            caller: who.clone(),
            who: who.clone(),
            step,
            timestamp: 5,
        };
        let ended = CallEnded {
            call_id: "ABC".to_owned(),
            caller: who.clone(),
            reason: "timeout".to_owned(),
            is_elsewhere: false,
            missed: true,
            duration_ms: Some(7),
            offline: false,
            timestamp: 5,
        };
        vec![
            EventKind::CallOffered(Box::new(offered)),
            EventKind::CallProgress(progress(CallStep::Ringing)),
            EventKind::CallProgress(progress(CallStep::Accepted)),
            EventKind::CallProgress(progress(CallStep::Rejected)),
            EventKind::CallProgress(progress(CallStep::Changed)),
            EventKind::CallEnded(Box::new(ended)),
        ]
    }
}

//! Events about calls.

use schemars::JsonSchema;
use serde::Serialize;
use whimbrel::events;

use super::Identity;

/// Emitted when somebody calls, or a call goes on that this account may join. Ring unless `offline` or
/// `isNotice`; `reject_call` says no. There are no media here: the call is taken on another device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CallOffered {
    /// Id of the call.
    pub call_id: String,
    /// Who calls.
    pub caller: Identity,
    /// The name that the caller gives itself, if it was told.
    pub push_name: Option<String>,
    /// With pictures.
    pub video: bool,
    /// Several people are in it.
    pub is_group: bool,
    /// Address of the group that it is of, if it is one's.
    pub group: Option<String>,
    /// It was only announced: this device is not asked to take it.
    pub is_notice: bool,
    /// It waited at the service while this client was away: never ring for it.
    pub offline: bool,
    /// The service's time, seconds since 1970.
    pub timestamp: i64,
}

/// A step of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallStep {
    /// It rings there.
    Ringing,
    /// It was taken.
    Accepted,
    /// It was refused.
    Rejected,
    /// Other people are in it than before, or it became a call of several.
    Changed,
    /// A step that this version does not know.
    Unknown,
}

/// Emitted when a call got on. Stop ringing if it was accepted or rejected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CallProgress {
    /// Id of the call.
    pub call_id: String,
    /// Who began it.
    pub caller: Identity,
    /// Whose device it was.
    pub who: Identity,
    /// What happened.
    pub step: CallStep,
    /// The service's time, seconds since 1970.
    pub timestamp: i64,
}

/// Emitted when a call is over, or over for this device because another one took or refused it. Stop ringing;
/// `missed` says whether to show it as missed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CallEnded {
    /// Id of the call.
    pub call_id: String,
    /// Who began it.
    pub caller: Identity,
    /// Why, in the service's words, such as `timeout` or `accepted_elsewhere`; empty if it was not told.
    pub reason: String,
    /// Another device of this account took it or refused it.
    pub is_elsewhere: bool,
    /// Nobody of this account took it or refused it.
    pub missed: bool,
    /// How long people talked, milliseconds, if it was told.
    pub duration_ms: Option<u64>,
    /// It waited at the service while this client was away.
    pub offline: bool,
    /// The service's time, seconds since 1970.
    pub timestamp: i64,
}

impl From<&events::CallOffered> for CallOffered {
    fn from(event: &events::CallOffered) -> Self {
        Self {
            call_id: event.call_id.clone(),
            caller: (&event.caller).into(),
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

impl From<&events::CallProgress> for CallProgress {
    fn from(event: &events::CallProgress) -> Self {
        Self {
            call_id: event.call_id.clone(),
            caller: (&event.caller).into(),
            who: (&event.who).into(),
            step: match event.step {
                events::CallStep::Ringing => CallStep::Ringing,
                events::CallStep::Accepted => CallStep::Accepted,
                events::CallStep::Rejected => CallStep::Rejected,
                events::CallStep::Changed => CallStep::Changed,
                _ => CallStep::Unknown,
            },
            timestamp: event.timestamp,
        }
    }
}

impl From<&events::CallEnded> for CallEnded {
    fn from(event: &events::CallEnded) -> Self {
        Self {
            call_id: event.call_id.clone(),
            caller: (&event.caller).into(),
            reason: event.reason.clone(),
            is_elsewhere: event.is_elsewhere,
            missed: event.missed,
            duration_ms: event.duration_ms,
            offline: event.offline,
            timestamp: event.timestamp,
        }
    }
}

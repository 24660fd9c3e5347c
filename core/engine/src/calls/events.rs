//! What the host hears of calls.

use whimbrel_wire::Jid;

use crate::events::Identity;

/// Somebody calls, or a call goes on that this account may join.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
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
    /// The group that it is of, if it is one's.
    pub group: Option<Jid>,
    /// It was only announced: this device is not asked to take it.
    pub is_notice: bool,
    /// It waited at the service while this client was away: never ring for it.
    pub offline: bool,
    /// The service's time, seconds since 1970.
    pub timestamp: i64,
}

/// A call got on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
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

/// A step of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CallStep {
    /// It rings there.
    Ringing,
    /// It was taken.
    Accepted,
    /// It was refused.
    Rejected,
    /// Other people are in it than before, or it became a call of several.
    Changed,
}

/// A call is over, or over for this device.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
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

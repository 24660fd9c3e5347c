//! What the host is told of app state.

use whimbrel_appstate::{Action, Collection};

use super::names::MessageName;
use crate::error::Code;
use crate::events::Identity;

/// A change of app state: what another device of the account, or this client, did.
///
/// [`action`](Self::action) says all of it; match on it. The other fields say about whom it is, by the
/// addresses that this engine uses elsewhere.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct StateChange {
    /// The collection that it is of.
    pub collection: Collection,
    /// What is said.
    pub action: Action,
    /// The entry was taken out: what it said holds no longer. The value of the action is empty then.
    pub removed: bool,
    /// When it was done, milliseconds since 1970; 0 if it was not told.
    pub at_ms: i64,
    /// The chat or person that it is about.
    pub subject: Option<Identity>,
    /// The message that it is about.
    pub message: Option<MessageName>,
    /// This client did it.
    pub own: bool,
}

impl StateChange {
    /// The value as the JSON form of its protobuf (`SyncActionValue`), for what is not typed.
    #[must_use]
    pub fn value_json(&self) -> String {
        let value: whimbrel_proto::sync_action::SyncActionValue =
            whimbrel_proto::decode(&self.action.value(self.at_ms)).unwrap_or_default();
        let json = whimbrel_proto::json::to_json(&value, whimbrel_proto::json::Form::default());
        json.map(|json| json.to_string()).unwrap_or_default()
    }
}

/// What is wrong with a collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StateTrouble {
    /// It did not fit and was read anew; nothing is to be done.
    StartedOver,
    /// It cannot be read; the phone was asked to hand it over. The phone has to be online.
    AskedPhone,
    /// The phone handed it over, and it is read again.
    Recovered,
    /// Nothing helped: it is neither read nor written any more. Link the client anew.
    GivenUp,
    /// It cannot be read for want of a key that no device of the account has given for a week.
    NoKey,
    /// A trouble that this version does not know.
    Unknown,
}

impl StateTrouble {
    pub(crate) const fn number(self) -> i32 {
        match self {
            Self::StartedOver => 1,
            Self::AskedPhone => 2,
            Self::Recovered => 3,
            Self::GivenUp => 4,
            Self::NoKey => 5,
            Self::Unknown => 0,
        }
    }

    pub(crate) const fn of_number(number: i32) -> Self {
        match number {
            1 => Self::StartedOver,
            2 => Self::AskedPhone,
            3 => Self::Recovered,
            4 => Self::GivenUp,
            5 => Self::NoKey,
            _ => Self::Unknown,
        }
    }
}

/// A collection does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StateTroubled {
    /// Which one; `None` for what is about all of them.
    pub collection: Option<Collection>,
    /// What is wrong.
    pub trouble: StateTrouble,
}

/// A collection was read for the first time.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StateSynced {
    /// Which one.
    pub collection: Collection,
    /// Entries in it.
    pub entries: u64,
}

/// The fate of a change that the host asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StateWritten {
    /// The id that the call returned.
    pub change: String,
    /// `None`: the account's devices see it. [`Code::Superseded`]: another device changed the same
    /// meanwhile, and its word counts. Others say why it could not be written.
    pub error: Option<Code>,
}

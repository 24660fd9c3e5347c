//! The stored form of events about businesses.

use super::record::{IdentityRow, UnreadableRow, identity_of, identity_row};
use crate::business::{BusinessChange, BusinessChanged};

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ChangedRow {
    #[prost(message, optional, tag = "1")]
    who: Option<IdentityRow>,
    /// 1 name, 2 removed, 3 profile, 4 catalogue, 5 subscription.
    #[prost(uint32, tag = "2")]
    change: u32,
    #[prost(string, repeated, tag = "3")]
    ids: Vec<String>,
    #[prost(int64, tag = "4")]
    timestamp: i64,
}

impl From<&BusinessChanged> for ChangedRow {
    fn from(event: &BusinessChanged) -> Self {
        Self {
            who: Some(identity_row(&event.who)),
            change: match event.change {
                BusinessChange::Name => 1,
                BusinessChange::Removed => 2,
                BusinessChange::Profile => 3,
                BusinessChange::Catalog => 4,
                BusinessChange::Subscription => 5,
            },
            ids: event.ids.clone(),
            timestamp: event.timestamp,
        }
    }
}

impl TryFrom<ChangedRow> for BusinessChanged {
    type Error = UnreadableRow;

    fn try_from(row: ChangedRow) -> Result<Self, UnreadableRow> {
        Ok(Self {
            who: identity_of(row.who)?,
            change: match row.change {
                1 => BusinessChange::Name,
                2 => BusinessChange::Removed,
                3 => BusinessChange::Profile,
                4 => BusinessChange::Catalog,
                5 => BusinessChange::Subscription,
                _ => return Err(UnreadableRow),
            },
            ids: row.ids,
            timestamp: row.timestamp,
        })
    }
}

//! The stored form of events about people and their addresses.

use super::record::{IdentityRow, UnreadableRow, device_of, identity_of, identity_row, jid_of};
use crate::events::{ChatMoved, IdentityChanged, NumberChanged, NumberShared};

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct IdentityChangedRow {
    #[prost(message, optional, tag = "1")]
    who: Option<IdentityRow>,
    #[prost(uint32, tag = "2")]
    device: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct MovedRow {
    #[prost(message, optional, tag = "1")]
    to: Option<IdentityRow>,
    /// Empty for a number that was shared.
    #[prost(string, tag = "2")]
    from: String,
}

impl From<&IdentityChanged> for IdentityChangedRow {
    fn from(event: &IdentityChanged) -> Self {
        Self { who: Some(identity_row(&event.who)), device: event.device.into() }
    }
}

impl TryFrom<IdentityChangedRow> for IdentityChanged {
    type Error = UnreadableRow;

    fn try_from(row: IdentityChangedRow) -> Result<Self, UnreadableRow> {
        Ok(Self { who: identity_of(row.who)?, device: device_of(row.device)? })
    }
}

impl From<&ChatMoved> for MovedRow {
    fn from(event: &ChatMoved) -> Self {
        Self { to: Some(identity_row(&event.chat)), from: event.former.to_string() }
    }
}

impl TryFrom<MovedRow> for ChatMoved {
    type Error = UnreadableRow;

    fn try_from(row: MovedRow) -> Result<Self, UnreadableRow> {
        Ok(Self { former: jid_of(&row.from)?, chat: identity_of(row.to)? })
    }
}

impl From<&NumberChanged> for MovedRow {
    fn from(event: &NumberChanged) -> Self {
        Self { to: Some(identity_row(&event.who)), from: event.former.to_string() }
    }
}

impl TryFrom<MovedRow> for NumberChanged {
    type Error = UnreadableRow;

    fn try_from(row: MovedRow) -> Result<Self, UnreadableRow> {
        Ok(Self { who: identity_of(row.to)?, former: jid_of(&row.from)? })
    }
}

impl From<&NumberShared> for MovedRow {
    fn from(event: &NumberShared) -> Self {
        Self { to: Some(identity_row(&event.who)), from: String::new() }
    }
}

impl TryFrom<MovedRow> for NumberShared {
    type Error = UnreadableRow;

    fn try_from(row: MovedRow) -> Result<Self, UnreadableRow> {
        Ok(Self { who: identity_of(row.to)? })
    }
}

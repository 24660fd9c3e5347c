//! The stored form of events about the block list.

use super::record::{IdentityRow, UnreadableRow, identity_row, people_of};
use crate::events::BlockedChanged;

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct BlockedChangedRow {
    #[prost(message, repeated, tag = "1")]
    blocked: Vec<IdentityRow>,
    #[prost(message, repeated, tag = "2")]
    unblocked: Vec<IdentityRow>,
}

impl From<&BlockedChanged> for BlockedChangedRow {
    fn from(event: &BlockedChanged) -> Self {
        let rows = |people: &[crate::events::Identity]| people.iter().map(identity_row).collect();
        Self { blocked: rows(&event.blocked), unblocked: rows(&event.unblocked) }
    }
}

impl TryFrom<BlockedChangedRow> for BlockedChanged {
    type Error = UnreadableRow;

    fn try_from(row: BlockedChangedRow) -> Result<Self, UnreadableRow> {
        Ok(Self { blocked: people_of(row.blocked)?, unblocked: people_of(row.unblocked)? })
    }
}

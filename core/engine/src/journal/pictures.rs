//! The stored form of events about pictures.

use super::record::{IdentityRow, UnreadableRow, identity_of, identity_row};
use crate::events::PictureChanged;

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct PictureChangedRow {
    #[prost(message, optional, tag = "1")]
    owner: Option<IdentityRow>,
    #[prost(message, optional, tag = "2")]
    author: Option<IdentityRow>,
    #[prost(string, optional, tag = "3")]
    id: Option<String>,
    #[prost(int64, tag = "4")]
    timestamp: i64,
}

impl From<&PictureChanged> for PictureChangedRow {
    fn from(event: &PictureChanged) -> Self {
        Self {
            owner: Some(identity_row(&event.owner)),
            author: event.author.as_ref().map(identity_row),
            id: event.id.clone(),
            timestamp: event.timestamp,
        }
    }
}

impl TryFrom<PictureChangedRow> for PictureChanged {
    type Error = UnreadableRow;

    fn try_from(row: PictureChangedRow) -> Result<Self, UnreadableRow> {
        Ok(Self {
            owner: identity_of(row.owner)?,
            author: row.author.map(|author| identity_of(Some(author))).transpose()?,
            id: row.id,
            timestamp: row.timestamp,
        })
    }
}

//! Events about pictures.

use schemars::JsonSchema;
use serde::Serialize;
use whimbrel::events;

use super::Identity;

/// Emitted when the picture of a person who is known, of this account or of a group was set or removed.
/// `get_picture` tells where the new one is.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PictureChanged {
    /// Whose picture: a person's, this account's, or a group's.
    pub owner: Identity,
    /// Who changed it, if known.
    pub author: Option<Identity>,
    /// There is none any more.
    pub removed: bool,
    /// The id of the new picture; absent if there is none, or if it was not told.
    pub picture_id: Option<String>,
    /// The service's time, seconds since 1970.
    pub timestamp: i64,
}

impl From<&events::PictureChanged> for PictureChanged {
    fn from(event: &events::PictureChanged) -> Self {
        Self {
            owner: (&event.owner).into(),
            author: event.author.as_ref().map(Into::into),
            removed: event.id.is_none(),
            picture_id: event.id.clone().filter(|id| !id.is_empty()),
            timestamp: event.timestamp,
        }
    }
}

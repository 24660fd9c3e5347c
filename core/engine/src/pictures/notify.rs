//! What the service announces about pictures.

use whimbrel_wire::NodeRef;

use super::stanza;
use crate::events::{EventKind, Identity};
use crate::messages::Unit;
use crate::store::StoreError;

/// A picture was set or removed.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PictureChanged {
    /// Whose picture: a person's, this account's, or a group's.
    pub owner: Identity,
    /// Who changed it, if known.
    pub author: Option<Identity>,
    /// The id of the new picture; empty if it was not told. `None`: there is none any more.
    pub id: Option<String>,
    /// The service's time, seconds since 1970.
    pub timestamp: i64,
}

/// Deals with a `picture` notification.
pub(crate) fn notification(unit: &mut Unit<'_>, node: &NodeRef<'_>) -> Result<(), StoreError> {
    let Some(said) = stanza::notice(node) else {
        tracing::debug!("A notification about a picture changes none.");
        return Ok(());
    };
    let author = match &said.author {
        Some(author) => Some(unit.identity_of(author)?),
        None => None,
    };
    let changed = PictureChanged {
        owner: unit.identity_of(&said.owner)?,
        author,
        id: said.id,
        timestamp: node.attr_u64("t").and_then(|time| i64::try_from(time).ok()).unwrap_or_default(),
    };
    unit.event(EventKind::PictureChanged(changed));
    Ok(())
}

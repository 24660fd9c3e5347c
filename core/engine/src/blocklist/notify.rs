//! What the service announces about the block list.

use whimbrel_wire::NodeRef;

use super::stanza::{self, Notice};
use crate::events::Identity;
use crate::messages::Unit;
use crate::store::StoreError;

/// Another device of this account blocked people, or no longer does.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct BlockedChanged {
    /// Who is blocked now.
    pub blocked: Vec<Identity>,
    /// Who is blocked no more.
    pub unblocked: Vec<Identity>,
}

/// Deals with the `<blocklist>` of an `account_sync` notification.
pub(crate) fn changed_elsewhere(unit: &mut Unit<'_>, node: &NodeRef<'_>) -> Result<(), StoreError> {
    match stanza::notice(node) {
        Some(Notice::Changed { before, after, blocked, unblocked }) => {
            unit.hear_of_blocking(before.as_deref(), after, &blocked, &unblocked)
        }
        Some(Notice::Ask) => unit.give_up_blocklist(),
        None => Ok(()),
    }
}

//! Events about the block list.

use schemars::JsonSchema;
use serde::Serialize;
use whimbrel::events;

use super::Identity;

/// Emitted when another device of this account blocked people, or blocks them no more. `get_blocked` tells all.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BlockedChanged {
    /// Who is blocked now and was not before.
    pub blocked: Vec<Identity>,
    /// Who is blocked no more.
    pub unblocked: Vec<Identity>,
}

impl From<&events::BlockedChanged> for BlockedChanged {
    fn from(event: &events::BlockedChanged) -> Self {
        let people = |people: &[events::Identity]| people.iter().map(Into::into).collect();
        Self { blocked: people(&event.blocked), unblocked: people(&event.unblocked) }
    }
}

//! Events about businesses.

use schemars::JsonSchema;
use serde::Serialize;
use whimbrel::events;

use super::Identity;

/// What changed about a business.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BusinessChangeType {
    /// Its verified name.
    Name,
    /// It is no business any more.
    Removed,
    /// What it says of itself.
    Profile,
    /// What it sells.
    Catalog,
    /// What this account subscribed to of the service, or what it may use of it.
    Subscription,
    /// A change that this version does not know.
    Unknown,
}

/// Emitted when something about a business changed. Fetch again what you show of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BusinessChanged {
    /// The business.
    pub who: Identity,
    /// What changed.
    pub change: BusinessChangeType,
    /// Ids of products and collections, if it is about some.
    pub ids: Vec<String>,
    /// The service's time, seconds since 1970.
    pub timestamp: i64,
}

impl From<&events::BusinessChanged> for BusinessChanged {
    fn from(event: &events::BusinessChanged) -> Self {
        Self {
            who: (&event.who).into(),
            change: match event.change {
                events::BusinessChange::Name => BusinessChangeType::Name,
                events::BusinessChange::Removed => BusinessChangeType::Removed,
                events::BusinessChange::Profile => BusinessChangeType::Profile,
                events::BusinessChange::Catalog => BusinessChangeType::Catalog,
                events::BusinessChange::Subscription => BusinessChangeType::Subscription,
                _ => BusinessChangeType::Unknown,
            },
            ids: event.ids.clone(),
            timestamp: event.timestamp,
        }
    }
}

//! Events about privacy.

use schemars::JsonSchema;
use serde::Serialize;
use whimbrel::events;

use super::Identity;
use crate::operations::PrivacySetting;

/// Emitted when another device of this account changed who sees or may do something. `get_privacy` tells all
/// settings.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PrivacyChanged {
    /// The settings that changed, as they are now. One that is set to `contacts_except` may name other people
    /// than before.
    pub settings: Vec<PrivacySetting>,
}

impl From<&events::PrivacyChanged> for PrivacyChanged {
    fn from(event: &events::PrivacyChanged) -> Self {
        Self { settings: event.settings.iter().map(Into::into).collect() }
    }
}

/// Emitted when this account, on another device, or somebody who knows it wants another timer in new chats.
/// Chats that exist keep theirs.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DefaultTimerChanged {
    /// Who: this account, or another person.
    pub who: Identity,
    /// After how many seconds messages disappear; 0: never.
    pub seconds: u32,
    /// When it was set, seconds since 1970, if the service said so.
    pub changed_at: Option<i64>,
}

impl From<&events::DefaultTimerChanged> for DefaultTimerChanged {
    fn from(event: &events::DefaultTimerChanged) -> Self {
        Self { who: (&event.who).into(), seconds: event.seconds, changed_at: event.changed_at }
    }
}

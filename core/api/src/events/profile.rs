//! Events about profiles.

use schemars::JsonSchema;
use serde::Serialize;
use whimbrel::events;

use super::Identity;
use crate::operations::ProfileAbout;

/// Emitted when somebody who knows this account, or this account on another device, says something else of
/// itself. Show it anew.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AboutChanged {
    /// Who.
    pub who: Identity,
    /// What is said now.
    pub about: ProfileAbout,
}

impl From<&events::AboutChanged> for AboutChanged {
    fn from(event: &events::AboutChanged) -> Self {
        Self { who: (&event.who).into(), about: (&event.about).into() }
    }
}

/// Emitted when somebody who knows this account, or this account on another device, has another user name.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UsernameChanged {
    /// Who.
    pub who: Identity,
    /// The name; absent: there is none any more.
    pub username: Option<String>,
}

impl From<&events::UsernameChanged> for UsernameChanged {
    fn from(event: &events::UsernameChanged) -> Self {
        Self { who: (&event.who).into(), username: event.username.clone() }
    }
}

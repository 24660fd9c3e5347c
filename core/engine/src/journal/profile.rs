//! The stored form of events about profiles.

use super::record::{IdentityRow, UnreadableRow, identity_of, identity_row};
use crate::events::{AboutChanged, UsernameChanged};
use crate::profile::ProfileAbout;

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct AboutChangedRow {
    #[prost(message, optional, tag = "1")]
    who: Option<IdentityRow>,
    #[prost(string, optional, tag = "2")]
    text: Option<String>,
    #[prost(string, optional, tag = "3")]
    emoji: Option<String>,
    #[prost(uint32, optional, tag = "4")]
    expires_in: Option<u32>,
    #[prost(int64, optional, tag = "5")]
    changed_at: Option<i64>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct UsernameChangedRow {
    #[prost(message, optional, tag = "1")]
    who: Option<IdentityRow>,
    #[prost(string, optional, tag = "2")]
    username: Option<String>,
}

impl From<&AboutChanged> for AboutChangedRow {
    fn from(event: &AboutChanged) -> Self {
        let ProfileAbout { text, emoji, expires_in, changed_at } = event.about.clone();
        Self { who: Some(identity_row(&event.who)), text, emoji, expires_in, changed_at }
    }
}

impl TryFrom<AboutChangedRow> for AboutChanged {
    type Error = UnreadableRow;

    fn try_from(row: AboutChangedRow) -> Result<Self, UnreadableRow> {
        let AboutChangedRow { who, text, emoji, expires_in, changed_at } = row;
        Ok(Self { who: identity_of(who)?, about: ProfileAbout { text, emoji, expires_in, changed_at } })
    }
}

impl From<&UsernameChanged> for UsernameChangedRow {
    fn from(event: &UsernameChanged) -> Self {
        Self { who: Some(identity_row(&event.who)), username: event.username.clone() }
    }
}

impl TryFrom<UsernameChangedRow> for UsernameChanged {
    type Error = UnreadableRow;

    fn try_from(row: UsernameChangedRow) -> Result<Self, UnreadableRow> {
        Ok(Self { who: identity_of(row.who)?, username: row.username })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::events::{EventKind, Identity};

    /// One event of each kind.
    pub(in crate::journal) fn every_kind(who: &Identity) -> Vec<EventKind> {
        let about = ProfileAbout {
            text: Some("on the pond".into()),
            emoji: Some("🌊".into()),
            expires_in: Some(3600),
            changed_at: Some(7),
        };
        vec![
            EventKind::AboutChanged(AboutChanged { who: who.clone(), about }),
            EventKind::UsernameChanged(UsernameChanged { who: who.clone(), username: None }),
        ]
    }
}

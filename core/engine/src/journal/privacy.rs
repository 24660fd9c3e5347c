//! The stored form of events about privacy.

use super::record::{IdentityRow, UnreadableRow, identity_of, identity_row};
use crate::events::{DefaultTimerChanged, PrivacyChanged};
use crate::privacy::PrivacySetting;

/// By the service's words.
#[derive(Clone, PartialEq, prost::Message)]
struct SettingRow {
    #[prost(string, tag = "1")]
    category: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct PrivacyChangedRow {
    #[prost(message, repeated, tag = "1")]
    settings: Vec<SettingRow>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct DefaultTimerRow {
    #[prost(message, optional, tag = "1")]
    who: Option<IdentityRow>,
    #[prost(uint32, tag = "2")]
    seconds: u32,
    #[prost(int64, optional, tag = "3")]
    changed_at: Option<i64>,
}

impl From<&PrivacyChanged> for PrivacyChangedRow {
    fn from(event: &PrivacyChanged) -> Self {
        let row = |setting: &PrivacySetting| SettingRow {
            category: setting.category.wire().into_owned(),
            value: setting.value.wire().into_owned(),
        };
        Self { settings: event.settings.iter().map(row).collect() }
    }
}

impl From<PrivacyChangedRow> for PrivacyChanged {
    fn from(row: PrivacyChangedRow) -> Self {
        let settings = row.settings.iter();
        let settings = settings.map(|row| PrivacySetting::of_wire(&row.category, &row.value));
        Self { settings: settings.collect() }
    }
}

impl From<&DefaultTimerChanged> for DefaultTimerRow {
    fn from(event: &DefaultTimerChanged) -> Self {
        Self { who: Some(identity_row(&event.who)), seconds: event.seconds, changed_at: event.changed_at }
    }
}

impl TryFrom<DefaultTimerRow> for DefaultTimerChanged {
    type Error = UnreadableRow;

    fn try_from(row: DefaultTimerRow) -> Result<Self, UnreadableRow> {
        Ok(Self { who: identity_of(row.who)?, seconds: row.seconds, changed_at: row.changed_at })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::events::{EventKind, Identity};

    /// One event of each kind.
    pub(in crate::journal) fn every_kind(who: &Identity) -> Vec<EventKind> {
        let settings = [("last", "contact_blacklist"), ("new", "strange")];
        let settings = settings.map(|(category, value)| PrivacySetting::of_wire(category, value)).to_vec();
        vec![
            EventKind::PrivacyChanged(PrivacyChanged { settings }),
            EventKind::DefaultTimerChanged(DefaultTimerChanged {
                who: who.clone(),
                seconds: 86_400,
                changed_at: Some(7),
            }),
        ]
    }
}

//! The settings as they are kept.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{PrivacyCategory, PrivacyChanged, PrivacySetting, PrivacyValue, stanza, timer};
use crate::client::Inner;
use crate::connection::Connection;
use crate::error::Error;
use crate::events::EventKind;
use crate::messages::Unit;
use crate::repair::Repair;
use crate::store::StoreError;

const SUBJECT: &str = "privacy";

/// After so many seconds the settings are asked for again at a login, though the service announces changes.
const KEPT: i64 = 24 * 3600;

/// All settings by the service's words, also those that this version does not know.
#[derive(Clone, PartialEq, prost::Message)]
struct Row {
    #[prost(btree_map = "string, string", tag = "1")]
    settings: BTreeMap<String, String>,
    /// Seconds; 0: they are out of date, and are to be asked for.
    #[prost(int64, tag = "2")]
    fetched_at: i64,
}

impl Unit<'_> {
    fn privacy_row(&mut self) -> Result<Option<Row>, StoreError> {
        self.note(SUBJECT)
    }

    /// All settings, if they are known and up to date.
    pub(super) fn privacy(&mut self) -> Result<Option<Vec<PrivacySetting>>, StoreError> {
        let row = self.privacy_row()?.filter(|row| row.fetched_at > 0);
        let settings = |row: Row| {
            let settings = row.settings.iter();
            settings.map(|(category, value)| PrivacySetting::of_wire(category, value)).collect()
        };
        Ok(row.map(settings))
    }

    /// What a category is set to, as far as it is known.
    pub(super) fn privacy_of(
        &mut self,
        category: &PrivacyCategory,
    ) -> Result<Option<PrivacyValue>, StoreError> {
        let row = self.privacy_row()?;
        Ok(row.and_then(|row| {
            row.settings.get(category.wire().as_ref()).map(|word| PrivacyValue::of_wire(word))
        }))
    }

    /// Whether authors are told that this account read their messages.
    pub(crate) fn tells_of_reading(&mut self) -> Result<bool, StoreError> {
        Ok(self.privacy_of(&PrivacyCategory::ReadReceipts)? != Some(PrivacyValue::Nobody))
    }

    /// Takes all settings as the service tells them; what is not among them is set no more.
    pub(super) fn take_privacy(&mut self, settings: BTreeMap<String, String>) -> Result<(), StoreError> {
        let known = self.privacy_row()?;
        let fetched_at = self.now().max(1);
        if let Some(known) = known {
            let differs = |(name, value): &(&String, &String)| known.settings.get(*name) != Some(*value);
            self.tell_privacy(settings.iter().filter(differs));
        }
        self.set_note(SUBJECT, &Row { settings, fetched_at });
        Ok(())
    }

    /// Takes settings that another device changed.
    pub(super) fn hear_of_privacy(&mut self, changed: &BTreeMap<String, String>) -> Result<(), StoreError> {
        let mut row = self.privacy_row()?.unwrap_or_default();
        // The people who are left out may be others than before.
        let differs = |(name, value): &(&String, &String)| {
            *value == "contact_blacklist" || row.settings.get(*name) != Some(*value)
        };
        let told: Vec<_> = changed.iter().filter(differs).collect();
        self.tell_privacy(told.into_iter());
        row.settings.extend(changed.clone());
        self.set_note(SUBJECT, &row);
        Ok(())
    }

    /// What this client set itself, which is no news to the host.
    pub(super) fn set_own_privacy(
        &mut self,
        category: &PrivacyCategory,
        value: &PrivacyValue,
    ) -> Result<(), StoreError> {
        if let Some(mut row) = self.privacy_row()? {
            row.settings.insert(category.wire().into_owned(), value.wire().into_owned());
            self.set_note(SUBJECT, &row);
        }
        Ok(())
    }

    /// The settings are to be asked for again. That they are is durable before the service is told that this
    /// client knows.
    pub(super) fn give_up_privacy(&mut self) -> Result<(), StoreError> {
        if let Some(row) = self.privacy_row()? {
            self.set_note(SUBJECT, &Row { fetched_at: 0, ..row });
        }
        self.wish(Repair::Privacy);
        Ok(())
    }

    fn tell_privacy<'a>(&mut self, changed: impl Iterator<Item = (&'a String, &'a String)>) {
        let settings: Vec<_> = changed.map(|(name, value)| PrivacySetting::of_wire(name, value)).collect();
        if !settings.is_empty() {
            self.event(EventKind::PrivacyChanged(PrivacyChanged { settings }));
        }
    }
}

/// Whether a login is the time to ask for the settings.
pub(crate) fn is_due(unit: &mut Unit<'_>) -> Result<bool, StoreError> {
    let (row, now) = (unit.privacy_row()?, unit.now());
    Ok(row.is_none_or(|row| !(0..KEPT).contains(&now.saturating_sub(row.fetched_at))))
}

/// Asks for the settings.
pub(crate) async fn fetch(client: &Inner, connection: &Connection, timeout: Duration) -> Result<(), Error> {
    let answer = connection.request(client.request_ids.next(), stanza::ask(), timeout).await?;
    let settings = stanza::settings(&answer);
    client.unit(|unit| unit.take_privacy(settings)).await?;
    // What is not told now is told when another device changes it, and asked for a day later.
    if let Err(error) = timer::fetch(client, connection, timeout).await {
        tracing::debug!(%error, "The timer of new chats is not known.");
    }
    Ok(())
}

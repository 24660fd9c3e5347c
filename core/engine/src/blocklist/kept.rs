//! The list as it is kept.

use std::time::Duration;

use whimbrel_wire::Jid;

use super::notify::BlockedChanged;
use super::stanza::{self, Item, List};
use crate::client::Inner;
use crate::connection::Connection;
use crate::devices::identity::Source;
use crate::error::Error;
use crate::events::{EventKind, Identity};
use crate::messages::Unit;
use crate::repair::Repair;
use crate::store::StoreError;

const SUBJECT: &str = "blocklist";

/// After so many seconds the list is asked for again at a login, though the service announces changes.
const KEPT: i64 = 24 * 3600;

/// The list, by the addresses that the service named.
#[derive(Clone, PartialEq, prost::Message)]
struct Row {
    #[prost(string, tag = "1")]
    dhash: String,
    #[prost(string, repeated, tag = "2")]
    people: Vec<String>,
    /// Seconds; 0: the list is out of date, and is to be asked for.
    #[prost(int64, tag = "3")]
    fetched_at: i64,
}

impl Row {
    fn people(&self) -> impl Iterator<Item = Jid> + '_ {
        self.people.iter().filter_map(|person| person.parse().ok())
    }
}

impl Unit<'_> {
    fn blocked_row(&mut self) -> Result<Option<Row>, StoreError> {
        self.note(SUBJECT)
    }

    /// The people on the list, if it is known and up to date.
    pub(super) fn blocked(&mut self) -> Result<Option<Vec<Identity>>, StoreError> {
        let Some(row) = self.blocked_row()?.filter(|row| row.fetched_at > 0) else { return Ok(None) };
        row.people().map(|person| self.identity_of(&person)).collect::<Result<Vec<_>, _>>().map(Some)
    }

    /// Takes the whole list as the service tells it.
    pub(super) fn take_blocklist(&mut self, list: &List) -> Result<(), StoreError> {
        let mut now = Vec::new();
        for item in &list.items {
            now.push(self.listed(item)?);
        }
        let fetched_at = self.now().max(1);
        if let Some(before) = self.blocked_row()? {
            let mut known = Vec::new();
            for person in before.people() {
                known.push(self.canonical(&person)?);
            }
            let blocked: Vec<Jid> = now.iter().filter(|person| !known.contains(person)).cloned().collect();
            let unblocked: Vec<Jid> = known.into_iter().filter(|person| !now.contains(person)).collect();
            self.tell_blocked(&blocked, &unblocked)?;
        }
        self.write_blocked(list.dhash.clone(), &now, fetched_at);
        Ok(())
    }

    /// Takes a change by another device, if it is one of the list that is known; else the list is asked for.
    pub(super) fn hear_of_blocking(
        &mut self,
        before: Option<&str>,
        after: String,
        blocked: &[Item],
        unblocked: &[Item],
    ) -> Result<(), StoreError> {
        let row = self.blocked_row()?.filter(|row| row.fetched_at > 0);
        let Some(row) = row.filter(|row| before.is_none_or(|before| before == row.dhash)) else {
            return self.give_up_blocklist();
        };
        let fetched_at = row.fetched_at;
        let (on, off) = self.edit_blocked(row, after, fetched_at, blocked, unblocked)?;
        self.tell_blocked(&on, &off)
    }

    /// Takes what this client did, which is no news to the host.
    pub(super) fn set_own_blocking(
        &mut self,
        after: Option<String>,
        blocked: &[Item],
        unblocked: &[Item],
    ) -> Result<(), StoreError> {
        let Some(row) = self.blocked_row()? else { return Ok(()) };
        // Without a hash nobody can tell whether the next change is one of this list.
        let fetched_at = if after.is_some() { row.fetched_at } else { 0 };
        self.edit_blocked(row, after.unwrap_or_default(), fetched_at, blocked, unblocked).map(drop)
    }

    /// Changes the list. Returns who is on it now that was not, and the other way round.
    fn edit_blocked(
        &mut self,
        row: Row,
        dhash: String,
        fetched_at: i64,
        blocked: &[Item],
        unblocked: &[Item],
    ) -> Result<(Vec<Jid>, Vec<Jid>), StoreError> {
        let mut people = Vec::new();
        for person in row.people() {
            people.push(self.canonical(&person)?);
        }
        let (mut on, mut off) = (Vec::new(), Vec::new());
        for item in blocked {
            let person = self.listed(item)?;
            if !people.contains(&person) {
                people.push(person.clone());
                on.push(person);
            }
        }
        for item in unblocked {
            let person = self.listed(item)?;
            if people.contains(&person) {
                people.retain(|other| *other != person);
                off.push(person);
            }
        }
        self.write_blocked(dhash, &people, fetched_at);
        Ok((on, off))
    }

    fn write_blocked(&mut self, dhash: String, people: &[Jid], fetched_at: i64) {
        let people = people.iter().map(ToString::to_string).collect();
        self.set_note(SUBJECT, &Row { dhash, people, fetched_at });
    }

    /// Who it is; that two addresses are those of one person is learned.
    fn listed(&mut self, item: &Item) -> Result<Jid, StoreError> {
        if let Some(phone) = item.phone.as_ref().filter(|phone| **phone != item.jid) {
            self.learn(&item.jid, phone, Source::Seed)?;
        }
        self.canonical(&item.jid)
    }

    /// The list is to be asked for again. That it is, is durable before the service is told that this client
    /// knows.
    pub(super) fn give_up_blocklist(&mut self) -> Result<(), StoreError> {
        if let Some(row) = self.blocked_row()? {
            self.set_note(SUBJECT, &Row { fetched_at: 0, ..row });
        }
        self.wish(Repair::Blocklist);
        Ok(())
    }

    fn tell_blocked(&mut self, blocked: &[Jid], unblocked: &[Jid]) -> Result<(), StoreError> {
        if blocked.is_empty() && unblocked.is_empty() {
            return Ok(());
        }
        let mut people = |people: &[Jid]| {
            people.iter().map(|person| self.identity_of(person)).collect::<Result<Vec<_>, _>>()
        };
        let changed = BlockedChanged { blocked: people(blocked)?, unblocked: people(unblocked)? };
        self.event(EventKind::BlockedChanged(changed));
        Ok(())
    }
}

/// Whether a login is the time to ask for the list.
pub(crate) fn is_due(unit: &mut Unit<'_>) -> Result<bool, StoreError> {
    let (row, now) = (unit.blocked_row()?, unit.now());
    Ok(row.is_none_or(|row| !(0..KEPT).contains(&now.saturating_sub(row.fetched_at))))
}

/// Asks for the list.
pub(crate) async fn fetch(client: &Inner, connection: &Connection, timeout: Duration) -> Result<(), Error> {
    let answer = connection.request(client.request_ids.next(), stanza::ask(), timeout).await?;
    let list = stanza::list(&answer);
    client.unit(|unit| unit.take_blocklist(&list)).await
}

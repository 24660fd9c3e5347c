//! The properties as they are kept.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Property, stanza};
use crate::client::Inner;
use crate::connection::Connection;
use crate::error::Error;
use crate::messages::Unit;
use crate::store::StoreError;

const SUBJECT: &str = "properties";

/// How long they are kept unless the service says so, and what it may say, in seconds.
const KEPT: i64 = 86_400;
const SHORTEST: i64 = 600;
const LONGEST: i64 = 604_800;

#[derive(Clone, PartialEq, prost::Message)]
struct Row {
    #[prost(string, optional, tag = "1")]
    hash: Option<String>,
    #[prost(string, optional, tag = "2")]
    refresh_id: Option<String>,
    /// Seconds.
    #[prost(int64, tag = "3")]
    refresh: i64,
    #[prost(int64, tag = "4")]
    fetched_at: i64,
    #[prost(btree_map = "uint32, string", tag = "5")]
    values: BTreeMap<u32, String>,
}

impl Unit<'_> {
    fn property(&mut self, property: Property) -> Result<Option<String>, StoreError> {
        let row: Option<Row> = self.note(SUBJECT)?;
        Ok(row.and_then(|mut row| row.values.remove(&property.code())))
    }

    /// Whether a property is on, if the service says so.
    pub(crate) fn switch(&mut self, property: Property) -> Result<Option<bool>, StoreError> {
        let value = self.property(property)?;
        Ok(value.map(|value| matches!(value.to_ascii_lowercase().as_str(), "true" | "1")))
    }

    /// A property that is a number, if the service says one.
    pub(crate) fn number(&mut self, property: Property) -> Result<Option<i64>, StoreError> {
        Ok(self.property(property)?.and_then(|value| value.parse().ok()))
    }
}

/// Whether a login is the time to ask for them.
pub(crate) fn is_due(unit: &mut Unit<'_>) -> Result<bool, StoreError> {
    let row: Option<Row> = unit.note(SUBJECT)?;
    let now = unit.now();
    Ok(row.is_none_or(|row| !(0..row.refresh).contains(&now.saturating_sub(row.fetched_at))))
}

/// Asks for them. The service answers with all, with what changed, or that nothing did.
pub(crate) async fn fetch(client: &Inner, connection: &Connection, timeout: Duration) -> Result<(), Error> {
    let known: Option<Row> = client.unit(|unit| unit.note(SUBJECT)).await?;
    let (hash, refresh_id) = known.map(|row| (row.hash, row.refresh_id)).unwrap_or_default();
    let request = stanza::ask(hash, refresh_id);
    let answer = connection.request(client.request_ids.next(), request, timeout).await?;
    let Some(answer) = stanza::answer(&answer) else { return Ok(()) };
    client
        .unit(|unit| {
            let known: Option<Row> = unit.note(SUBJECT)?;
            let row = taken(known.unwrap_or_default(), answer, unit.now());
            unit.set_note(SUBJECT, &row);
            Ok(())
        })
        .await
}

fn taken(known: Row, answer: stanza::Answer, now: i64) -> Row {
    let same = answer.unchanged && (answer.delta || answer.hash.is_none() || answer.hash == known.hash);
    let mut values = if same || answer.delta { known.values } else { BTreeMap::new() };
    values.extend(answer.values);
    Row {
        hash: answer.hash.or(known.hash),
        refresh_id: answer.refresh_id.or(known.refresh_id),
        refresh: answer.refresh.unwrap_or(KEPT).clamp(SHORTEST, LONGEST),
        fetched_at: now,
        values,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_replaced_added_to_or_left_as_it_is() {
        let value = |code: u32, value: &str| (code, value.to_owned());
        let answer = |hash: &str, delta, values: &[(u32, String)]| stanza::Answer {
            hash: Some(hash.into()),
            delta,
            unchanged: values.is_empty(),
            values: values.iter().cloned().collect(),
            ..stanza::Answer::default()
        };
        let first = taken(Row::default(), answer("1", false, &[value(865, "60"), value(909, "2")]), 5);
        assert_eq!((first.refresh, first.fetched_at, first.values.len()), (KEPT, 5, 2));
        let added = taken(first.clone(), answer("2", true, &[value(909, "3")]), 6);
        assert_eq!(added.values, [value(865, "60"), value(909, "3")].into());
        let same = taken(added.clone(), answer("2", false, &[]), 7);
        assert_eq!((same.values, same.fetched_at), (added.values.clone(), 7));
        let other = taken(added, answer("3", false, &[value(4991, "1")]), 8);
        assert_eq!(other.values, [value(4991, "1")].into());
        assert!(taken(other, answer("4", false, &[]), 9).values.is_empty());
        let hasty = stanza::Answer { refresh: Some(1), ..stanza::Answer::default() };
        assert_eq!(taken(first, hasty, 9).refresh, SHORTEST);
    }
}

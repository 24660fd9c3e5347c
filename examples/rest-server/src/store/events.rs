//! The log of events.

use rusqlite::{OptionalExtension as _, Row, params};
use serde_json::Value;

use super::webhooks::{self, Subscriber};
use super::{Unit, json, now_ms};
use crate::failure::Failure;

/// An event that is to be put into the log.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NewEvent {
    /// The same however often it is told.
    pub(crate) id: String,
    /// The native type.
    pub(crate) kind: &'static str,
    /// Deliveries of one lane keep their order.
    pub(crate) lane: String,
    pub(crate) at: i64,
    pub(crate) data: Value,
    /// The protobuf message, where there is one.
    pub(crate) raw: Option<Vec<u8>>,
}

/// An event of the log.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct EventRow {
    pub(crate) sequence: i64,
    pub(crate) account: String,
    pub(crate) tenant: String,
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) lane: String,
    pub(crate) at: i64,
    pub(crate) data: Value,
    pub(crate) raw: Option<Vec<u8>>,
}

const COLUMNS: &str = "sequence, account, tenant, id, type, lane, at, data, raw";

fn row(row: &Row<'_>) -> rusqlite::Result<EventRow> {
    Ok(EventRow {
        sequence: row.get(0)?,
        account: row.get(1)?,
        tenant: row.get(2)?,
        id: row.get(3)?,
        kind: row.get(4)?,
        lane: row.get(5)?,
        at: row.get(6)?,
        data: json(&row.get::<_, String>(7)?),
        raw: row.get(8)?,
    })
}

/// Puts an event into the log and makes its deliveries, unless it is there already.
pub(crate) fn append(
    unit: &Unit<'_>,
    account: &str,
    tenant: &str,
    event: &NewEvent,
    subscribers: &[Subscriber],
) -> Result<Option<EventRow>, Failure> {
    let added = unit.execute(
        "INSERT OR IGNORE INTO events (account, tenant, id, type, lane, at, data, raw)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            account,
            tenant,
            event.id,
            event.kind,
            event.lane,
            event.at,
            event.data.to_string(),
            event.raw
        ],
    )?;
    if added == 0 {
        return Ok(None);
    }
    let row = EventRow {
        sequence: unit.last_insert_rowid(),
        account: account.to_owned(),
        tenant: tenant.to_owned(),
        id: event.id.clone(),
        kind: event.kind.to_owned(),
        lane: event.lane.clone(),
        at: event.at,
        data: event.data.clone(),
        raw: event.raw.clone(),
    };
    for subscriber in subscribers {
        for (part, name) in (0_u32..).zip((subscriber.wants)(&row)) {
            webhooks::add_delivery(unit, &subscriber.webhook, &row, part, &name, now_ms())?;
        }
    }
    Ok(Some(row))
}

/// One event.
pub(crate) fn find(unit: &Unit<'_>, sequence: i64) -> Result<Option<EventRow>, Failure> {
    let sql = format!("SELECT {COLUMNS} FROM events WHERE sequence = ?1");
    Ok(unit.query_row(&sql, [sequence], row).optional()?)
}

/// The number of the newest event, 0 if there is none.
pub(crate) fn newest(unit: &Unit<'_>) -> Result<i64, Failure> {
    Ok(unit.query_row("SELECT coalesce(max(sequence), 0) FROM events", [], |row| row.get(0))?)
}

/// Events after one, of an account or a tenant, oldest first.
pub(crate) fn after(
    unit: &Unit<'_>,
    tenant: Option<&str>,
    account: Option<&str>,
    sequence: i64,
    limit: u32,
) -> Result<Vec<EventRow>, Failure> {
    let sql = format!(
        "SELECT {COLUMNS} FROM events
         WHERE sequence > ?1 AND (?2 IS NULL OR account = ?2) AND (?3 IS NULL OR tenant = ?3)
         ORDER BY sequence LIMIT ?4"
    );
    let mut statement = unit.prepare_cached(&sql)?;
    let rows = statement.query_map((sequence, account, tenant, limit), row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Forgets events older than a moment that no webhook waits for, at most so many.
pub(crate) fn forget(unit: &Unit<'_>, before: i64, limit: u32) -> Result<usize, Failure> {
    Ok(unit.execute(
        "DELETE FROM events WHERE sequence IN (
             SELECT sequence FROM events WHERE at < ?1 AND NOT EXISTS (
                 SELECT 1 FROM deliveries WHERE event = sequence AND state != 'delivered')
             ORDER BY sequence LIMIT ?2)",
        (before, limit),
    )?)
}

//! Rows of webhooks and of their deliveries.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::{Row, params};
use serde_json::{Map, Value};

use super::events::EventRow;
use super::{Unit, json, now_ms};
use crate::failure::Failure;

/// A webhook.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct WebhookRow {
    pub(crate) id: String,
    pub(crate) tenant: String,
    /// Absent: all accounts of the tenant.
    pub(crate) account: Option<String>,
    pub(crate) dialect: String,
    pub(crate) url: String,
    pub(crate) enabled: bool,
    /// Names of the dialect's events; empty: all.
    pub(crate) events: Vec<String>,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) options: Map<String, Value>,
    pub(crate) secret: Option<String>,
    pub(crate) former_secret: Option<String>,
    pub(crate) failing_since: Option<i64>,
    pub(crate) paused: bool,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
}

/// The names under which a webhook takes an event: none, one, or several.
pub(crate) type Wants = Arc<dyn Fn(&EventRow) -> Vec<String> + Send + Sync>;

/// A webhook as the log asks it whether it wants an event.
#[derive(Clone)]
pub(crate) struct Subscriber {
    pub(crate) webhook: String,
    pub(crate) wants: Wants,
}

const COLUMNS: &str = "id, tenant, account, dialect, url, enabled, events, headers, options, secret, \
                       former_secret, failing_since, paused, created_at, updated_at";

fn row(row: &Row<'_>) -> rusqlite::Result<WebhookRow> {
    Ok(WebhookRow {
        id: row.get(0)?,
        tenant: row.get(1)?,
        account: row.get(2)?,
        dialect: row.get(3)?,
        url: row.get(4)?,
        enabled: row.get(5)?,
        events: json(&row.get::<_, String>(6)?),
        headers: json(&row.get::<_, String>(7)?),
        options: json(&row.get::<_, String>(8)?),
        secret: row.get(9)?,
        former_secret: row.get(10)?,
        failing_since: row.get(11)?,
        paused: row.get(12)?,
        created_at: row.get(13)?,
        updated_at: row.get(14)?,
    })
}

/// Adds a webhook or writes it anew.
pub(crate) fn put(unit: &Unit<'_>, webhook: &WebhookRow) -> Result<(), Failure> {
    unit.execute(
        &format!(
            "INSERT INTO webhooks ({COLUMNS})
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
             ON CONFLICT (id) DO UPDATE SET url = ?5, enabled = ?6, events = ?7, headers = ?8, options = ?9,
                 secret = ?10, former_secret = ?11, failing_since = ?12, paused = ?13, updated_at = ?15"
        ),
        params![
            webhook.id,
            webhook.tenant,
            webhook.account,
            webhook.dialect,
            webhook.url,
            webhook.enabled,
            serde_json::to_string(&webhook.events).unwrap_or_default(),
            serde_json::to_string(&webhook.headers).unwrap_or_default(),
            serde_json::to_string(&webhook.options).unwrap_or_default(),
            webhook.secret,
            webhook.former_secret,
            webhook.failing_since,
            webhook.paused,
            webhook.created_at,
            webhook.updated_at,
        ],
    )?;
    Ok(())
}

/// All webhooks.
pub(crate) fn all(unit: &Unit<'_>) -> Result<Vec<WebhookRow>, Failure> {
    let mut statement =
        unit.prepare_cached(&format!("SELECT {COLUMNS} FROM webhooks ORDER BY created_at, id"))?;
    let rows = statement.query_map([], row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Removes a webhook and what waits for it.
pub(crate) fn delete(unit: &Unit<'_>, id: &str) -> Result<bool, Failure> {
    Ok(unit.execute("DELETE FROM webhooks WHERE id = ?1", [id])? > 0)
}

/// A delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DeliveryRow {
    pub(crate) id: i64,
    pub(crate) webhook: String,
    pub(crate) event: i64,
    pub(crate) part: u32,
    pub(crate) name: String,
    pub(crate) lane: String,
    pub(crate) state: String,
    pub(crate) tries: u32,
    pub(crate) due_at: i64,
    pub(crate) last_status: Option<u16>,
    pub(crate) last_error: Option<String>,
    pub(crate) created_at: i64,
    pub(crate) done_at: Option<i64>,
}

const DELIVERY: &str = "id, webhook, event, part, name, lane, state, tries, due_at, last_status, last_error, \
                        created_at, done_at";

fn delivery(row: &Row<'_>) -> rusqlite::Result<DeliveryRow> {
    Ok(DeliveryRow {
        id: row.get(0)?,
        webhook: row.get(1)?,
        event: row.get(2)?,
        part: row.get(3)?,
        name: row.get(4)?,
        lane: row.get(5)?,
        state: row.get(6)?,
        tries: row.get(7)?,
        due_at: row.get(8)?,
        last_status: row.get(9)?,
        last_error: row.get(10)?,
        created_at: row.get(11)?,
        done_at: row.get(12)?,
    })
}

/// Adds a delivery that is due at once, behind those of its lane.
pub(crate) fn add_delivery(
    unit: &Unit<'_>,
    webhook: &str,
    event: &EventRow,
    part: u32,
    name: &str,
    now: i64,
) -> Result<(), Failure> {
    unit.execute(
        "INSERT INTO deliveries (webhook, event, part, name, lane, state, due_at, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, 'pending', ?6, ?6)",
        params![webhook, event.sequence, part, name, event.lane, now],
    )?;
    Ok(())
}

/// The first waiting delivery of each lane of a webhook that is due, oldest first, at most so many.
pub(crate) fn due(unit: &Unit<'_>, webhook: &str, now: i64, limit: u32) -> Result<Vec<DeliveryRow>, Failure> {
    let sql = format!(
        "SELECT {DELIVERY} FROM deliveries WHERE id IN (
             SELECT min(id) FROM deliveries WHERE webhook = ?1 AND state = 'pending' GROUP BY lane)
         AND due_at <= ?2 ORDER BY id LIMIT ?3"
    );
    let mut statement = unit.prepare_cached(&sql)?;
    let rows = statement.query_map((webhook, now, limit), delivery)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// When the next delivery of a webhook is due, if one waits.
pub(crate) fn next_due(unit: &Unit<'_>, webhook: &str) -> Result<Option<i64>, Failure> {
    Ok(unit.query_row(
        "SELECT min(due_at) FROM deliveries WHERE id IN (
             SELECT min(id) FROM deliveries WHERE webhook = ?1 AND state = 'pending' GROUP BY lane)",
        [webhook],
        |row| row.get(0),
    )?)
}

/// Writes what became of a try.
pub(crate) fn settle(unit: &Unit<'_>, delivery: &DeliveryRow) -> Result<(), Failure> {
    unit.execute(
        "UPDATE deliveries SET state = ?2, tries = ?3, due_at = ?4, last_status = ?5, last_error = ?6, done_at = ?7
         WHERE id = ?1",
        params![
            delivery.id,
            delivery.state,
            delivery.tries,
            delivery.due_at,
            delivery.last_status,
            delivery.last_error,
            delivery.done_at
        ],
    )?;
    Ok(())
}

/// Deliveries of a webhook, newest first, of one state or of all, before one.
pub(crate) fn deliveries(
    unit: &Unit<'_>,
    webhook: &str,
    state: Option<&str>,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<DeliveryRow>, Failure> {
    let sql = format!(
        "SELECT {DELIVERY} FROM deliveries
         WHERE webhook = ?1 AND (?2 IS NULL OR state = ?2) AND (?3 IS NULL OR id < ?3)
         ORDER BY id DESC LIMIT ?4"
    );
    let mut statement = unit.prepare_cached(&sql)?;
    let rows = statement.query_map((webhook, state, before, limit), delivery)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Lets deliveries of a webhook go again: one, or all that are dead and were made in a time.
pub(crate) fn replay(
    unit: &Unit<'_>,
    webhook: &str,
    delivery: Option<i64>,
    from: Option<i64>,
    to: Option<i64>,
) -> Result<usize, Failure> {
    Ok(unit.execute(
        "UPDATE deliveries SET state = 'pending', tries = 0, due_at = ?5, done_at = NULL
         WHERE webhook = ?1 AND state != 'pending'
           AND CASE WHEN ?2 IS NULL THEN state = 'dead' ELSE id = ?2 END
           AND (?3 IS NULL OR created_at >= ?3) AND (?4 IS NULL OR created_at < ?4)",
        (webhook, delivery, from, to, now_ms()),
    )?)
}

/// Forgets deliveries that ended before a moment.
pub(crate) fn forget(unit: &Unit<'_>, delivered_before: i64, dead_before: i64) -> Result<usize, Failure> {
    Ok(unit.execute(
        "DELETE FROM deliveries WHERE (state = 'delivered' AND done_at < ?1) OR (state = 'dead' AND done_at < ?2)",
        (delivered_before, dead_before),
    )?)
}

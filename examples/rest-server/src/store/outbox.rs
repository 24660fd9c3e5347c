//! What waits to be sent.

use std::collections::BTreeSet;

use rusqlite::{OptionalExtension as _, Row, params};
use serde_json::Value;

use super::{Unit, json};
use crate::failure::Failure;

/// A message that was accepted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OutboxRow {
    pub(crate) sequence: i64,
    pub(crate) account: String,
    pub(crate) message_id: String,
    pub(crate) chat: String,
    /// The engine's operation.
    pub(crate) operation: String,
    pub(crate) request: Value,
    /// What the dialect wants to know again.
    pub(crate) source: Value,
    /// What is shown until it leaves: `composing`, `recording` or nothing.
    pub(crate) shows: String,
    pub(crate) due_at: i64,
    pub(crate) state: String,
    pub(crate) error: Option<String>,
    pub(crate) file: Option<String>,
    pub(crate) created_at: i64,
}

const COLUMNS: &str = "sequence, account, message_id, chat, operation, request, source, shows, due_at, state, \
                       error, file, created_at";

fn row(row: &Row<'_>) -> rusqlite::Result<OutboxRow> {
    Ok(OutboxRow {
        sequence: row.get(0)?,
        account: row.get(1)?,
        message_id: row.get(2)?,
        chat: row.get(3)?,
        operation: row.get(4)?,
        request: json(&row.get::<_, String>(5)?),
        source: json(&row.get::<_, String>(6)?),
        shows: row.get(7)?,
        due_at: row.get(8)?,
        state: row.get(9)?,
        error: row.get(10)?,
        file: row.get(11)?,
        created_at: row.get(12)?,
    })
}

/// Adds a message, unless it is there. Says whether it was added.
pub(crate) fn insert(unit: &Unit<'_>, message: &OutboxRow) -> Result<bool, Failure> {
    let added = unit.execute(
        "INSERT OR IGNORE INTO outbox
             (account, message_id, chat, operation, request, source, shows, due_at, state, file, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'queued', ?9, ?10)",
        params![
            message.account,
            message.message_id,
            message.chat,
            message.operation,
            message.request.to_string(),
            message.source.to_string(),
            message.shows,
            message.due_at,
            message.file,
            message.created_at
        ],
    )?;
    Ok(added > 0)
}

/// One message.
pub(crate) fn find(unit: &Unit<'_>, account: &str, message_id: &str) -> Result<Option<OutboxRow>, Failure> {
    let sql = format!("SELECT {COLUMNS} FROM outbox WHERE account = ?1 AND message_id = ?2");
    Ok(unit.query_row(&sql, (account, message_id), row).optional()?)
}

/// What waits of an account, in order.
pub(crate) fn waiting(unit: &Unit<'_>, account: &str) -> Result<Vec<OutboxRow>, Failure> {
    let sql = format!(
        "SELECT {COLUMNS} FROM outbox WHERE account = ?1 AND state IN ('queued', 'handed') ORDER BY sequence"
    );
    let mut statement = unit.prepare_cached(&sql)?;
    let rows = statement.query_map([account], row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// How many messages wait, in all accounts.
pub(crate) fn depth(unit: &Unit<'_>) -> Result<i64, Failure> {
    let sql = "SELECT count(*) FROM outbox WHERE state IN ('queued', 'handed')";
    Ok(unit.query_row(sql, [], |row| row.get(0))?)
}

/// Writes how far a message is. What is done is never taken back.
pub(crate) fn set_state(
    unit: &Unit<'_>,
    account: &str,
    message_id: &str,
    state: &str,
    error: Option<&str>,
) -> Result<bool, Failure> {
    let changed = unit.execute(
        "UPDATE outbox SET state = ?3, error = ?4
         WHERE account = ?1 AND message_id = ?2 AND state IN ('queued', 'handed')",
        (account, message_id, state, error),
    )?;
    Ok(changed > 0)
}

/// Forgets what was done before a moment.
pub(crate) fn forget(unit: &Unit<'_>, before: i64) -> Result<usize, Failure> {
    Ok(unit.execute("DELETE FROM outbox WHERE state IN ('sent', 'failed') AND created_at < ?1", [before])?)
}

/// Forgets files that were uploaded and have expired, and names all files that are still needed.
pub(crate) fn needed_files(unit: &Unit<'_>, now: i64) -> Result<BTreeSet<String>, Failure> {
    unit.execute("DELETE FROM media WHERE expires_at < ?1", [now])?;
    let mut statement = unit.prepare_cached(
        "SELECT file FROM outbox WHERE file IS NOT NULL UNION SELECT file FROM media WHERE file IS NOT NULL",
    )?;
    let files = statement.query_map([], |row| row.get(0))?;
    Ok(files.collect::<rusqlite::Result<_>>()?)
}

//! Envelopes that wait for the message they belong to.

use rusqlite::{Connection, Row, ToSql, Transaction};
use whimbrel_wire::Jid;

use super::rows::jid;
use super::{StoreError, failed};
use crate::addons::waiting::{WaitingChange, WaitingRow, Which};
use crate::store::sqlite::read::signed;

/// The table. An envelope keeps its place in the order of arrival.
pub(super) const TABLES: &str = "
CREATE TABLE waiting_addons (
    arrived INTEGER PRIMARY KEY AUTOINCREMENT,
    chat TEXT NOT NULL,
    author TEXT NOT NULL,
    message_id TEXT NOT NULL,
    target_id TEXT NOT NULL,
    own INTEGER NOT NULL,
    timestamp INTEGER NOT NULL,
    offline INTEGER NOT NULL,
    completes TEXT,
    content BLOB NOT NULL,
    since INTEGER NOT NULL,
    UNIQUE (message_id, chat, author)
) STRICT;
CREATE INDEX waiting_addons_by_target ON waiting_addons (target_id);
";

/// What is read of an envelope.
const ENVELOPE: &str = "SELECT chat, author, message_id, target_id, own, timestamp, offline, completes, \
     content, since FROM waiting_addons";

/// Some of those that wait, the one that waits longest first.
pub(super) fn waiting(connection: &Connection, which: Which<'_>) -> Result<Vec<WaitingRow>, StoreError> {
    let (condition, parameter): (&str, &dyn ToSql) = match &which {
        Which::To(id) => ("WHERE target_id = ?1 ORDER BY arrived", id),
        Which::Of(id) => ("WHERE message_id = ?1 ORDER BY arrived", id),
        Which::Oldest(limit) => ("ORDER BY arrived LIMIT ?1", &signed(*limit as u64)),
    };
    let mut statement = connection.prepare_cached(&format!("{ENVELOPE} {condition}")).map_err(failed)?;
    let mut rows = statement.query([parameter]).map_err(failed)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        found.push(envelope(row)?);
    }
    Ok(found)
}

fn envelope(row: &Row<'_>) -> Result<WaitingRow, StoreError> {
    Ok(WaitingRow {
        chat: jid(row, 0)?,
        author: jid(row, 1)?,
        message_id: row.get(2).map_err(failed)?,
        target_id: row.get(3).map_err(failed)?,
        own: row.get(4).map_err(failed)?,
        timestamp: row.get(5).map_err(failed)?,
        offline: row.get(6).map_err(failed)?,
        completes: row.get(7).map_err(failed)?,
        content: row.get(8).map_err(failed)?,
        since: row.get(9).map_err(failed)?,
    })
}

/// How many wait.
pub(super) fn count(connection: &Connection) -> Result<usize, StoreError> {
    let count: i64 = connection
        .prepare_cached("SELECT count(*) FROM waiting_addons")
        .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
        .map_err(failed)?;
    Ok(usize::try_from(count).unwrap_or_default())
}

/// The messages that are waited for, by chat and id.
pub(super) fn targets(connection: &Connection) -> Result<Vec<(Jid, String)>, StoreError> {
    let sql = "SELECT chat, target_id FROM waiting_addons GROUP BY chat, target_id ORDER BY min(arrived)";
    let mut statement = connection.prepare_cached(sql).map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        found.push((jid(row, 0)?, row.get(1).map_err(failed)?));
    }
    Ok(found)
}

/// Writes what a unit of work says about them.
pub(super) fn write(transaction: &Transaction<'_>, changes: &[WaitingChange]) -> Result<(), StoreError> {
    let run = |sql: &str, parameters: &[&dyn ToSql]| {
        transaction
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(parameters))
            .map(drop)
            .map_err(failed)
    };
    for change in changes {
        match change {
            WaitingChange::Waits(row) => run(
                "INSERT OR REPLACE INTO waiting_addons (chat, author, message_id, target_id, own, timestamp, \
                 offline, completes, content, since) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                &[
                    &row.chat.to_string(),
                    &row.author.to_string(),
                    &row.message_id,
                    &row.target_id,
                    &row.own,
                    &row.timestamp,
                    &row.offline,
                    &row.completes,
                    &row.content,
                    &row.since,
                ],
            )?,
            WaitingChange::Gone((chat, author, id)) => run(
                "DELETE FROM waiting_addons WHERE message_id = ?3 AND chat = ?1 AND author = ?2",
                &[&chat.to_string(), &author.to_string(), id],
            )?,
        }
    }
    Ok(())
}

//! Pieces of the history, and the tokens that it brings.

use rusqlite::{Connection, OptionalExtension as _, Row, ToSql, Transaction};

use super::{StoreError, failed};
use crate::history::{HistoryChange, OWED_RECEIPTS, PieceRow, Read};
use crate::store::Changes;
use crate::store::sqlite::read::signed;

/// The tables. A piece keeps its place in the order of announcements.
pub(super) const TABLES: &str = "
CREATE TABLE history (
    announced INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id TEXT NOT NULL UNIQUE,
    notification BLOB NOT NULL,
    announced_at INTEGER NOT NULL
) STRICT;
CREATE TABLE history_read (
    message_id TEXT PRIMARY KEY,
    records INTEGER NOT NULL,
    chats INTEGER NOT NULL,
    messages INTEGER NOT NULL,
    damaged INTEGER NOT NULL,
    calls INTEGER NOT NULL,
    stickers INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    asked_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE history_owed (
    finished INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE history_nonce (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    nonce TEXT NOT NULL
) STRICT;
";

/// What is read of a piece.
const PIECE: &str = "SELECT h.message_id, h.notification, h.announced_at, r.records, r.chats, r.messages, \
     r.damaged, r.calls, r.stickers, r.failures, r.asked_at FROM history AS h \
     LEFT JOIN history_read AS r ON r.message_id = h.message_id";

/// The piece that was announced first, but for those that the phone was asked for since a time.
pub(super) fn next(connection: &Connection, asked_before: i64) -> Result<Option<PieceRow>, StoreError> {
    let sql = format!("{PIECE} WHERE ifnull(r.asked_at, 0) < ?1 ORDER BY h.announced LIMIT 1");
    connection
        .prepare_cached(&sql)
        .and_then(|mut statement| statement.query_row([asked_before], piece).optional())
        .map_err(failed)
}

/// Pieces that the phone was asked for, the first announced first.
pub(super) fn asked(connection: &Connection) -> Result<Vec<PieceRow>, StoreError> {
    let sql = format!("{PIECE} WHERE r.asked_at > 0 ORDER BY h.announced");
    connection
        .prepare_cached(&sql)
        .and_then(|mut statement| statement.query_map([], piece)?.collect())
        .map_err(failed)
}

/// Pieces whose receipts the service may not have, the one that was done with first first.
pub(super) fn owed(connection: &Connection) -> Result<Vec<String>, StoreError> {
    connection
        .prepare_cached("SELECT message_id FROM history_owed ORDER BY finished")
        .and_then(|mut statement| statement.query_map([], |row| row.get(0))?.collect())
        .map_err(failed)
}

/// What the media hosts want to see when a piece is deleted there.
pub(super) fn nonce(connection: &Connection) -> Result<Option<String>, StoreError> {
    connection
        .prepare_cached("SELECT nonce FROM history_nonce")
        .and_then(|mut statement| statement.query_row([], |row| row.get(0)).optional())
        .map_err(failed)
}

fn piece(row: &Row<'_>) -> rusqlite::Result<PieceRow> {
    let count = |row: &Row<'_>, column| -> rusqlite::Result<u64> {
        let count: Option<i64> = row.get(column)?;
        Ok(count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0))
    };
    Ok(PieceRow {
        message_id: row.get(0)?,
        notification: row.get(1)?,
        announced_at: row.get(2)?,
        read: Read {
            records: count(row, 3)?,
            chats: count(row, 4)?,
            messages: count(row, 5)?,
            damaged: count(row, 6)?,
            calls: count(row, 7)?,
            stickers: count(row, 8)?,
            failures: row.get::<_, Option<u32>>(9)?.unwrap_or(0),
            asked_at: row.get::<_, Option<i64>>(10)?.unwrap_or(0),
        },
    })
}

/// Whether a piece is not done with.
pub(super) fn is_waiting(connection: &Connection, message_id: &str) -> Result<bool, StoreError> {
    connection
        .prepare_cached("SELECT 1 FROM history WHERE message_id = ?1")
        .and_then(|mut statement| statement.exists([message_id]))
        .map_err(failed)
}

/// Writes what a unit of work says about pieces and tokens.
pub(super) fn write(transaction: &Transaction<'_>, changes: &Changes) -> Result<(), StoreError> {
    let run = |sql: &str, parameters: &[&dyn ToSql]| {
        transaction
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(parameters))
            .map(drop)
            .map_err(failed)
    };
    for change in &changes.history {
        match change {
            HistoryChange::Announced(row) => run(
                "INSERT OR IGNORE INTO history (message_id, notification, announced_at) VALUES (?1, ?2, ?3)",
                &[&row.message_id, &row.notification, &row.announced_at],
            )?,
            HistoryChange::Read(id, read) => run(
                "INSERT OR REPLACE INTO history_read VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                &[
                    id,
                    &signed(read.records),
                    &signed(read.chats),
                    &signed(read.messages),
                    &signed(read.damaged),
                    &signed(read.calls),
                    &signed(read.stickers),
                    &read.failures,
                    &read.asked_at,
                ],
            )?,
            HistoryChange::Nonce(nonce) => {
                run("INSERT OR REPLACE INTO history_nonce VALUES (1, ?1)", &[nonce])?
            }
            HistoryChange::Done(id) => {
                run("DELETE FROM history WHERE message_id = ?1", &[id])?;
                run("DELETE FROM history_read WHERE message_id = ?1", &[id])?;
            }
            HistoryChange::Owed(id) => {
                run("INSERT OR REPLACE INTO history_owed (message_id) VALUES (?1)", &[id])?;
                run(
                    "DELETE FROM history_owed WHERE finished <= (SELECT max(finished) FROM history_owed) - ?1",
                    &[&signed(OWED_RECEIPTS as u64)],
                )?;
            }
            HistoryChange::Receipted(id) => run("DELETE FROM history_owed WHERE message_id = ?1", &[id])?,
        }
    }
    for (user, token) in &changes.privacy_tokens {
        run(
            "INSERT INTO privacy_tokens VALUES (?1, ?2, ?3, ?4) ON CONFLICT (user) DO UPDATE SET \
             token = excluded.token, timestamp = excluded.timestamp, \
             sender_timestamp = ifnull(excluded.sender_timestamp, sender_timestamp) \
             WHERE excluded.timestamp > timestamp",
            &[&user.to_string(), &token.token, &token.timestamp, &token.sender_timestamp],
        )?;
    }
    for (user, issued) in &changes.tokens_issued {
        run(
            "INSERT INTO privacy_tokens VALUES (?1, x'', 0, ?2) ON CONFLICT (user) DO UPDATE SET \
             sender_timestamp = max(ifnull(sender_timestamp, 0), excluded.sender_timestamp)",
            &[&user.to_string(), issued],
        )?;
    }
    if let Some(before) = &changes.tokens_before {
        run(
            "DELETE FROM privacy_tokens WHERE timestamp < ?1 AND ifnull(sender_timestamp, 0) < ?1",
            &[before],
        )?;
    }
    if let Some(salt) = &changes.nct_salt {
        run("INSERT OR IGNORE INTO nct_salt VALUES (1, ?1)", &[salt])?;
    }
    Ok(())
}

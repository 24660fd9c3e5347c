//! The words by which messages are found. Messages are indexed many at a time, since that is much
//! cheaper than one by one: before a search, and at the end of each piece of history.

use rusqlite::{Connection, OptionalExtension as _, Transaction};

use crate::archive::words;
use crate::store::sqlite::{StoreError, failed};

/// Indexes messages that are not yet, at most so many. Returns whether there are more.
pub(in crate::store) fn index(connection: &mut Connection, limit: u32) -> Result<bool, StoreError> {
    let transaction = connection.transaction().map_err(failed)?;
    let done = indexed(&transaction)?;
    let mut last = done;
    let mut count = 0_u32;
    {
        const SQL: &str = "SELECT id, content FROM messages WHERE id > ?1 ORDER BY id LIMIT ?2";
        let mut messages = transaction.prepare_cached(SQL).map_err(failed)?;
        let mut rows = messages.query((done, limit)).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            last = row.get(0).map_err(failed)?;
            let content = row.get_ref(1).map_err(failed)?.as_blob().unwrap_or_default();
            if let Some(words) = words::of(content) {
                insert(&transaction, last, &words)?;
            }
            count = count.saturating_add(1);
        }
    }
    if last != done {
        let sql = "UPDATE archive_state SET indexed = ?1";
        transaction.prepare_cached(sql).and_then(|mut it| it.execute([last])).map_err(failed)?;
    }
    transaction.commit().map_err(failed)?;
    Ok(count == limit)
}

/// A message has other content than when it was indexed, if it was.
pub(super) fn again(transaction: &Transaction<'_>, message: i64, content: &[u8]) -> Result<(), StoreError> {
    if indexed(transaction)? < message {
        return Ok(());
    }
    let sql = "DELETE FROM message_words WHERE rowid = ?1";
    transaction.prepare_cached(sql).and_then(|mut it| it.execute([message])).map_err(failed)?;
    match words::of(content) {
        Some(words) => insert(transaction, message, &words),
        None => Ok(()),
    }
}

/// Messages are gone. Their numbers may be given out again, and those messages are not indexed then.
pub(super) fn shrunk(transaction: &Transaction<'_>) -> Result<(), StoreError> {
    let sql = "UPDATE archive_state SET indexed = min(indexed, (SELECT ifnull(max(id), 0) FROM messages))";
    transaction.prepare_cached(sql).and_then(|mut it| it.execute([])).map(drop).map_err(failed)
}

/// The last message that was indexed.
fn indexed(transaction: &Transaction<'_>) -> Result<i64, StoreError> {
    let sql = "SELECT indexed FROM archive_state";
    let indexed = transaction
        .prepare_cached(sql)
        .and_then(|mut statement| statement.query_row([], |row| row.get(0)).optional())
        .map_err(failed)?;
    Ok(indexed.unwrap_or(0))
}

fn insert(transaction: &Transaction<'_>, message: i64, words: &str) -> Result<(), StoreError> {
    let sql = "INSERT INTO message_words (rowid, words) VALUES (?1, ?2)";
    transaction.prepare_cached(sql).and_then(|mut it| it.execute((message, words))).map(drop).map_err(failed)
}

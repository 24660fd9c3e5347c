//! Where a store comes from, when that matters: a copy may be behind what was used elsewhere.
//!
//! A message key must encrypt one message only. Whoever holds a copy of a link cannot know how
//! far the other copy went, so the first open of a copy passes the positions that may have been
//! used; receivers take the gap as lost messages, which they allow far beyond this (delivery
//! document §1.3).

use rusqlite::{Connection, Transaction};
use whimbrel_signal::{MAX_LEASE, SessionRecord};

use super::{StoreError, failed};

/// Positions that are passed in a link that was moved here: its former holder has stopped, and
/// at most its last few writes are missing.
const MOVED_SKIP: u32 = 100;

/// How a store came to its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Copied {
    /// Imported from another client or from an export.
    Moved = 1,
    /// A backup: the original went on.
    Backup = 2,
}

/// Writes how the store came here, for its first open to see.
pub(super) fn mark_copied(connection: &Connection, copied: Copied) -> Result<(), StoreError> {
    connection.execute("UPDATE origin SET copied = ?1", [copied as i64]).map(drop).map_err(failed)
}

/// Writes that the link has left.
pub(super) fn mark_moved(connection: &Connection) -> Result<(), StoreError> {
    connection.execute("UPDATE origin SET moved = 1", []).map(drop).map_err(failed)
}

/// Refuses a store whose link has left, and makes a copy safe to use.
pub(super) fn check(connection: &mut Connection) -> Result<(), StoreError> {
    let (copied, moved): (i64, bool) = connection
        .query_row("SELECT copied, moved FROM origin", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .map_err(failed)?;
    if moved {
        return Err(StoreError::Moved);
    }
    if copied == 0 {
        return Ok(());
    }
    let transaction = connection.transaction().map_err(failed)?;
    make_safe(&transaction, copied == Copied::Backup as i64)?;
    transaction.execute("UPDATE origin SET copied = 0", []).map_err(failed)?;
    transaction.commit().map_err(failed)
}

fn make_safe(transaction: &Transaction<'_>, backup: bool) -> Result<(), StoreError> {
    let devices: Vec<String> = {
        let mut statement = transaction.prepare("SELECT device FROM sessions").map_err(failed)?;
        let rows = statement.query_map([], |row| row.get(0)).map_err(failed)?;
        rows.collect::<Result<_, _>>().map_err(failed)?
    };
    for device in devices {
        let stored: Vec<u8> = transaction
            .query_row("SELECT record FROM sessions WHERE device = ?1", [&device], |row| row.get(0))
            .map_err(failed)?;
        // An unreadable one is begun anew when it is needed.
        let Ok(mut record) = SessionRecord::deserialize(&stored) else { continue };
        if backup {
            // No gap is surely wide enough, and the other side may have gone on as well: the next
            // message begins a session, and late ones of this one can still be read.
            record.skip_ahead(MAX_LEASE);
            record.archive_current();
        } else {
            record.skip_ahead(MOVED_SKIP);
        }
        transaction
            .execute("UPDATE sessions SET record = ?1 WHERE device = ?2", (record.serialize(), &device))
            .map_err(failed)?;
    }
    if backup {
        // Keys that were offered since are unknown here: new ones, under ids that were not used.
        let sql = "UPDATE account SET server_has_pre_keys = 0, \
             next_pre_key_id = (next_pre_key_id + 8192) % 8388607 + 1";
        transaction.execute(sql, []).map_err(failed)?;
    }
    // Own keys of groups are made anew and handed out with the next message: no gap to choose.
    for table in ["own_sender_keys", "key_holders"] {
        transaction.execute(&format!("DELETE FROM {table}"), []).map_err(failed)?;
    }
    Ok(())
}

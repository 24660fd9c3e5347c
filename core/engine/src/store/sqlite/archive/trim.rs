//! Forgetting what is older than the host wants to keep.

use rusqlite::Connection;

use super::write::{drop_messages, forget_by_id};
use crate::store::sqlite::{StoreError, failed};

/// Forgets messages from before a time in seconds, at most so many. Returns whether there are more.
pub(in crate::store) fn trim(
    connection: &mut Connection,
    before: i64,
    limit: u32,
) -> Result<bool, StoreError> {
    // Chat by chat, by the index that messages of a chat are found with.
    const OLD: &str = "SELECT m.id FROM chats AS c CROSS JOIN messages AS m \
         ON m.chat = c.id AND m.timestamp < ?1 LIMIT ?2";
    let transaction = connection.transaction().map_err(failed)?;
    let old: Vec<i64> = {
        let mut statement = transaction.prepare_cached(OLD).map_err(failed)?;
        let rows = statement.query_map((before, limit), |row| row.get(0)).map_err(failed)?;
        rows.collect::<Result<_, _>>().map_err(failed)?
    };
    for message in &old {
        forget_by_id(&transaction, "id = ?1", &[message])?;
        drop_messages(&transaction, "id = ?1", &[message])?;
    }
    transaction.commit().map_err(failed)?;
    Ok(u32::try_from(old.len()).is_ok_and(|count| count == limit))
}

//! The archive: chats, messages and people in tables that can be searched.

mod answer;
mod find;
mod marks;
mod schema;
mod trim;
mod words;
mod write;

pub(in crate::store) use find::{chats, contacts, details, labels, messages, oldest, past_members};
pub(super) use schema::TABLES;
pub(in crate::store) use trim::trim;
pub(in crate::store) use words::index;
pub(super) use write::apply;
pub(in crate::store) use write::write;

use rusqlite::Connection;

use super::{StoreError, appstate, failed};

/// The number of this account among people.
const ME: i64 = 0;

/// The archive of a store without a file, and its app state.
pub(in crate::store) fn in_memory() -> Result<Connection, StoreError> {
    let connection = Connection::open_in_memory().map_err(failed)?;
    connection.execute_batch(TABLES).map_err(failed)?;
    connection.execute_batch(appstate::TABLES).map_err(failed)?;
    connection.execute_batch(appstate::BESIDE).map_err(failed)?;
    Ok(connection)
}

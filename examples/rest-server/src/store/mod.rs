//! The server's own SQLite file: tenants, keys, accounts, the event log, webhooks and their deliveries,
//! and what waits to be sent. Everything about an account's chats is in the engine's file of that account.

pub(crate) mod accounts;
pub(crate) mod events;
pub(crate) mod idempotency;
pub(crate) mod keys;
pub(crate) mod outbox;
pub(crate) mod webhooks;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, TransactionBehavior};

use crate::failure::{Failure, Problem};

/// The version of the schema in `PRAGMA user_version`.
const VERSION: i64 = 1;

/// The server's file. Clones share the connection.
#[derive(Clone)]
pub(crate) struct Store {
    connection: Arc<Mutex<Connection>>,
}

/// A transaction.
pub(crate) type Unit<'a> = rusqlite::Transaction<'a>;

impl Store {
    /// Opens the file, and makes it if there is none.
    pub(crate) fn open(path: &Path, fast_commits: bool) -> rusqlite::Result<Self> {
        let mut connection = Connection::open(path)?;
        connection.busy_timeout(Duration::from_secs(10))?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", if fast_commits { "normal" } else { "full" })?;
        connection.pragma_update(None, "foreign_keys", true)?;
        let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if version == 0 {
            let unit = connection.transaction_with_behavior(TransactionBehavior::Exclusive)?;
            unit.execute_batch(include_str!("schema.sql"))?;
            unit.execute(
                "INSERT INTO tenants (id, name, created_at) VALUES (?1, ?1, ?2)",
                (MAIN_TENANT, now_ms()),
            )?;
            unit.pragma_update(None, "user_version", VERSION)?;
            unit.commit()?;
        }
        Ok(Self { connection: Arc::new(Mutex::new(connection)) })
    }

    /// Runs something in one transaction, which is undone when it fails.
    pub(crate) async fn unit<T, F>(&self, work: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: FnOnce(&Unit<'_>) -> Result<T, Failure> + Send + 'static,
    {
        let connection = Arc::clone(&self.connection);
        let done = tokio::task::spawn_blocking(move || {
            let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            let unit = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let result = work(&unit)?;
            unit.commit()?;
            Ok(result)
        });
        done.await.unwrap_or_else(|error| Err(Failure::new(Problem::Unavailable, error.to_string())))
    }
}

/// The tenant of the root key.
pub(crate) const MAIN_TENANT: &str = "main";

/// The time.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Reads JSON that this server wrote.
pub(crate) fn json<T: serde::de::DeserializeOwned + Default>(text: &str) -> T {
    serde_json::from_str(text).unwrap_or_default()
}

//! The layout of the file. Its number stands in `user_version`; a file with a higher number is
//! refused, one with a lower number is brought forward step by step.

use rusqlite::Connection;

use super::{StoreError, failed};

/// "Whim" in ASCII: tells a store of this engine from other SQLite files.
const APPLICATION_ID: i32 = 0x5768_696d;

/// The newest layout that this version knows.
pub(super) const LAYOUT: u32 = 1;

/// Layout 1. Addresses are text (`user:device@server`), keys are raw bytes, times are seconds
/// unless the column says otherwise.
const LAYOUT_1: &str = "
CREATE TABLE account (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    noise_key BLOB NOT NULL,
    identity_key BLOB NOT NULL,
    registration_id INTEGER NOT NULL,
    adv_secret BLOB NOT NULL,
    adv_secret_shown INTEGER NOT NULL,
    signed_pre_key_id INTEGER NOT NULL,
    next_pre_key_id INTEGER NOT NULL,
    phone TEXT,
    lid TEXT,
    signed_identity BLOB,
    platform TEXT NOT NULL,
    business_name TEXT,
    push_name TEXT,
    pairing_unconfirmed INTEGER NOT NULL,
    logging_out INTEGER NOT NULL,
    logged_out INTEGER NOT NULL,
    server_has_pre_keys INTEGER NOT NULL,
    login_counter INTEGER NOT NULL,
    routing_info BLOB,
    server_key BLOB,
    server_key_not_before INTEGER,
    server_key_not_after INTEGER,
    found_version TEXT,
    found_version_at INTEGER,
    version_expires_at INTEGER,
    expiring_version TEXT,
    staged_signed_pre_key_id INTEGER,
    last_signed_pre_key_id INTEGER NOT NULL
) STRICT;
CREATE TABLE former_accounts (
    set_aside_at INTEGER NOT NULL,
    noise_key BLOB NOT NULL,
    identity_key BLOB NOT NULL,
    registration_id INTEGER NOT NULL,
    phone TEXT,
    lid TEXT,
    signed_identity BLOB
) STRICT;
CREATE TABLE sessions (
    device TEXT PRIMARY KEY,
    record BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE identities (
    device TEXT PRIMARY KEY,
    key BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE pre_keys (
    id INTEGER PRIMARY KEY,
    private BLOB NOT NULL,
    offered INTEGER NOT NULL,
    made_at INTEGER NOT NULL
) STRICT;
CREATE TABLE signed_pre_keys (
    id INTEGER PRIMARY KEY,
    private BLOB NOT NULL,
    signature BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE TABLE sender_keys (
    chat TEXT NOT NULL,
    device TEXT NOT NULL,
    record BLOB NOT NULL,
    PRIMARY KEY (chat, device)
) STRICT, WITHOUT ROWID;
CREATE INDEX sender_keys_by_device ON sender_keys (device);
CREATE TABLE own_sender_keys (
    chat TEXT PRIMARY KEY,
    record BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE key_holders (
    chat TEXT PRIMARY KEY,
    devices BLOB NOT NULL
) STRICT;
CREATE TABLE device_lists (
    user TEXT PRIMARY KEY,
    devices BLOB NOT NULL,
    raw_id INTEGER NOT NULL,
    signed_at INTEGER NOT NULL,
    fetched_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE groups (
    id TEXT PRIMARY KEY,
    details BLOB NOT NULL,
    members BLOB NOT NULL,
    fetched_at INTEGER NOT NULL,
    stale INTEGER NOT NULL
) STRICT;
CREATE TABLE lid_map (
    lid TEXT PRIMARY KEY,
    phone TEXT NOT NULL UNIQUE
) STRICT, WITHOUT ROWID;
CREATE TABLE former_addresses (
    address TEXT PRIMARY KEY,
    lid TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX former_addresses_by_lid ON former_addresses (lid);
CREATE TABLE lid_migration (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    migrated INTEGER NOT NULL,
    refused_at INTEGER NOT NULL
) STRICT;
CREATE TABLE restrictions (
    kind INTEGER PRIMARY KEY,
    until INTEGER NOT NULL,
    named INTEGER NOT NULL
) STRICT;
CREATE TABLE notes (
    subject TEXT PRIMARY KEY,
    note BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE known_chats (
    chat TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
CREATE TABLE inbox (
    chat TEXT NOT NULL,
    author TEXT NOT NULL,
    message_id TEXT NOT NULL,
    ciphertext_hash BLOB NOT NULL,
    retries INTEGER,
    event_id TEXT,
    phone_asked INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    PRIMARY KEY (message_id, chat, author)
) STRICT, WITHOUT ROWID;
CREATE INDEX inbox_failed ON inbox (seen_at) WHERE retries IS NOT NULL;
CREATE TABLE outbox (
    accepted INTEGER PRIMARY KEY AUTOINCREMENT,
    chat TEXT NOT NULL,
    message_id TEXT NOT NULL,
    content BLOB NOT NULL,
    route BLOB,
    state INTEGER NOT NULL,
    created_at_ms INTEGER NOT NULL,
    confirmed_at INTEGER NOT NULL,
    delivered_at INTEGER NOT NULL,
    told INTEGER NOT NULL,
    UNIQUE (message_id, chat)
) STRICT;
CREATE INDEX outbox_pending ON outbox (accepted) WHERE state = 0;
CREATE INDEX outbox_untold ON outbox (accepted) WHERE state <> 0 AND told = 0;
CREATE TABLE retry_base_keys (
    device TEXT NOT NULL,
    message_id TEXT NOT NULL,
    base_key BLOB NOT NULL,
    saved_at INTEGER NOT NULL,
    PRIMARY KEY (message_id, device)
) STRICT, WITHOUT ROWID;
CREATE TABLE journal (
    sequence INTEGER PRIMARY KEY,
    payload BLOB NOT NULL
) STRICT;
CREATE TABLE journal_bounds (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    last INTEGER NOT NULL,
    acknowledged INTEGER NOT NULL
) STRICT;
INSERT INTO journal_bounds VALUES (1, 0, 0);
CREATE TABLE origin (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    copied INTEGER NOT NULL,
    moved INTEGER NOT NULL
) STRICT;
INSERT INTO origin VALUES (1, 0, 0);
CREATE TABLE app_state_versions (
    collection TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    hash BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE app_state_macs (
    collection TEXT NOT NULL,
    index_mac BLOB NOT NULL,
    value_mac BLOB NOT NULL,
    PRIMARY KEY (collection, index_mac)
) STRICT, WITHOUT ROWID;
CREATE TABLE privacy_tokens (
    user TEXT PRIMARY KEY,
    token BLOB NOT NULL,
    timestamp INTEGER NOT NULL,
    sender_timestamp INTEGER
) STRICT, WITHOUT ROWID;
CREATE TABLE nct_salt (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    salt BLOB NOT NULL
) STRICT;
CREATE TABLE message_secrets (
    chat TEXT NOT NULL,
    sender TEXT NOT NULL,
    message_id TEXT NOT NULL,
    secret BLOB NOT NULL,
    poll BLOB,
    sent_at INTEGER NOT NULL,
    saved_at INTEGER NOT NULL,
    PRIMARY KEY (message_id, chat, sender)
) STRICT, WITHOUT ROWID;
CREATE TABLE chat_timers (
    chat TEXT PRIMARY KEY,
    seconds INTEGER NOT NULL,
    set_at INTEGER NOT NULL,
    initiator INTEGER,
    setting INTEGER,
    initiated_by_me INTEGER
) STRICT, WITHOUT ROWID;
";

/// Checks whose file this is, and creates or updates the tables.
pub(super) fn prepare(connection: &mut Connection) -> Result<(), StoreError> {
    let application: i32 = pragma(connection, "application_id")?;
    let layout: u32 = pragma(connection, "user_version")?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(failed)?;
    let fresh = application == 0 && layout == 0 && tables == 0;
    if !fresh && application != APPLICATION_ID {
        return Err(StoreError::Corrupt("the file belongs to another application".to_owned()));
    }
    if layout > LAYOUT {
        return Err(StoreError::TooNew(layout));
    }
    let mode: String =
        connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(failed)?;
    if mode != "wal" {
        return Err(StoreError::Failed(format!("the file system does not support WAL: {mode}")));
    }
    // Folds the log back when it passes 256 pages (1 MiB); keeps the file from growing for ever.
    connection.pragma_update(None, "wal_autocheckpoint", 256).map_err(failed)?;
    connection.pragma_update(None, "journal_size_limit", 4 << 20).map_err(failed)?;
    if fresh {
        let transaction = connection.transaction().map_err(failed)?;
        create(&transaction)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
        transaction.pragma_update(None, "user_version", LAYOUT).map_err(failed)?;
        transaction.commit().map_err(failed)?;
    }
    Ok(())
}

/// Makes the tables of the present layout.
pub(super) fn create(connection: &Connection) -> Result<(), StoreError> {
    connection.execute_batch(LAYOUT_1).map_err(failed)?;
    connection.execute_batch(super::history::TABLES).map_err(failed)?;
    connection.execute_batch(super::waiting::TABLES).map_err(failed)?;
    connection.execute_batch(super::appstate::TABLES).map_err(failed)?;
    connection.execute_batch(super::archive::TABLES).map_err(failed)
}

fn pragma<T: rusqlite::types::FromSql>(connection: &Connection, name: &str) -> Result<T, StoreError> {
    connection.pragma_query_value(None, name, |row| row.get(0)).map_err(failed)
}

//! App state: keys, collections, their entries, and changes that wait to be sent.

use rusqlite::{Connection, OptionalExtension as _, Row, ToSql, Transaction};
use whimbrel_appstate::{Collection, Entry, Held, IndexMac, KeyId, LtHash, Operation, State};
use zeroize::Zeroizing;

use super::{StoreError, failed};
use crate::appstate::rows::{AppStateChange, CollectionRow, KeyRow, PendingRow, Standing, WantedKey};
use crate::store::Changes;
use crate::store::sqlite::read::signed;

/// The tables. Entries are found by the code of their index, as patches name them, and by the index.
pub(super) const TABLES: &str = "
CREATE TABLE app_state_keys (
    id BLOB PRIMARY KEY,
    data BLOB NOT NULL,
    timestamp_ms INTEGER NOT NULL,
    fingerprint BLOB
) STRICT, WITHOUT ROWID;
CREATE TABLE app_state_wanted (
    id BLOB PRIMARY KEY,
    since INTEGER NOT NULL,
    asked_at INTEGER NOT NULL,
    told INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE app_state_collections (
    collection TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    hash BLOB NOT NULL,
    standing INTEGER NOT NULL,
    start_overs INTEGER NOT NULL,
    counted_from INTEGER NOT NULL,
    asked_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE app_state_entries (
    collection TEXT NOT NULL,
    index_mac BLOB NOT NULL,
    value_mac BLOB NOT NULL,
    key_id BLOB NOT NULL,
    name BLOB NOT NULL,
    value BLOB NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (collection, index_mac)
) STRICT, WITHOUT ROWID;
CREATE INDEX app_state_by_name ON app_state_entries (collection, name);
CREATE TABLE app_state_pending (
    wished INTEGER PRIMARY KEY AUTOINCREMENT,
    ticket TEXT NOT NULL,
    collection TEXT NOT NULL,
    removes INTEGER NOT NULL,
    name BLOB NOT NULL,
    value BLOB NOT NULL,
    version INTEGER NOT NULL,
    created_at_ms INTEGER NOT NULL
) STRICT;
";

/// What stands elsewhere in the layout of a file, for a store without one.
pub(super) const BESIDE: &str = "
CREATE TABLE nct_salt (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    salt BLOB NOT NULL
) STRICT;
";

/// The tables that belong to a link.
pub(super) const OF_THE_LINK: &[&str] = &[
    "app_state_keys",
    "app_state_wanted",
    "app_state_collections",
    "app_state_entries",
    "app_state_pending",
    "app_state_versions",
    "app_state_macs",
];

fn damaged(what: &'static str) -> StoreError {
    StoreError::Corrupt(format!("{what} of app state is damaged"))
}

fn rows<T>(
    connection: &Connection,
    sql: &str,
    parameters: &[&dyn ToSql],
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = connection.prepare_cached(sql).map_err(failed)?;
    let found = statement.query_map(parameters, read).map_err(failed)?;
    found.collect::<Result<_, _>>().map_err(failed)
}

/// All keys. Ids and keys of another length, which an import may have brought, are left out.
pub(in crate::store) fn keys(connection: &Connection) -> Result<Vec<KeyRow>, StoreError> {
    let sql = "SELECT id, data, timestamp_ms, fingerprint FROM app_state_keys";
    let read = |row: &Row<'_>| {
        let (id, data): (Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(1)?);
        let data = Zeroizing::new(data);
        let id = KeyId::from_slice(&id);
        let data = <[u8; 32]>::try_from(data.as_slice()).ok().map(Zeroizing::new);
        let (timestamp_ms, fingerprint) = (row.get(2)?, row.get(3)?);
        Ok(id.zip(data).map(|(id, data)| KeyRow { id, data, timestamp_ms, fingerprint }))
    };
    Ok(rows(connection, sql, &[], read)?.into_iter().flatten().collect())
}

/// Keys that are needed and not there.
pub(in crate::store) fn wanted(connection: &Connection) -> Result<Vec<WantedKey>, StoreError> {
    let sql = "SELECT id, since, asked_at, told FROM app_state_wanted";
    let read = |row: &Row<'_>| {
        let id: Vec<u8> = row.get(0)?;
        let (since, asked_at, told) = (row.get(1)?, row.get(2)?, row.get(3)?);
        Ok(KeyId::from_slice(&id).map(|id| WantedKey { id, since, asked_at, told }))
    };
    Ok(rows(connection, sql, &[], read)?.into_iter().flatten().collect())
}

/// How a collection stands.
pub(in crate::store) fn collection(
    connection: &Connection,
    collection: Collection,
) -> Result<CollectionRow, StoreError> {
    let sql = "SELECT version, hash, standing, start_overs, counted_from, asked_at \
         FROM app_state_collections WHERE collection = ?1";
    let read = |row: &Row<'_>| {
        let (version, hash): (i64, Vec<u8>) = (row.get(0)?, row.get(1)?);
        Ok((version, hash, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?))
    };
    let mut statement = connection.prepare_cached(sql).map_err(failed)?;
    let found = statement.query_row([collection.name()], read).optional().map_err(failed)?;
    let Some((version, hash, standing, start_overs, counted_from, asked_at)) = found else {
        return Ok(CollectionRow::default());
    };
    let version = u64::try_from(version).map_err(|_| damaged("a version"))?;
    let hash = LtHash::from_slice(&hash).ok_or_else(|| damaged("a hash"))?;
    let state = State { version, hash };
    let standing = Standing::of_number(standing);
    Ok(CollectionRow { state, standing, start_overs, counted_from, asked_at })
}

const ENTRY: &str = "SELECT index_mac, value_mac, key_id, name, value, version FROM app_state_entries";

type Columns = (Vec<u8>, Vec<u8>, Vec<u8>, Entry);

fn entry(row: &Row<'_>) -> rusqlite::Result<Columns> {
    let entry = Entry { index: row.get(3)?, value: row.get(4)?, version: row.get(5)? };
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, entry))
}

fn held((index_mac, value_mac, key_id, entry): Columns) -> Result<Held, StoreError> {
    let octets = |bytes: Vec<u8>| bytes.try_into().map_err(|_| damaged("a code"));
    Ok(Held {
        index_mac: octets(index_mac)?,
        value_mac: octets(value_mac)?,
        key_id: KeyId::from_slice(&key_id).ok_or_else(|| damaged("a key id"))?,
        entry,
    })
}

/// The entry with the code of an index.
pub(in crate::store) fn by_mac(
    connection: &Connection,
    collection: Collection,
    index_mac: &IndexMac,
) -> Result<Option<Held>, StoreError> {
    let sql = format!("{ENTRY} WHERE collection = ?1 AND index_mac = ?2");
    rows(connection, &sql, &[&collection.name(), index_mac], entry)?.into_iter().next().map(held).transpose()
}

/// The entries of a collection with an index: more than one while a key is being replaced.
pub(in crate::store) fn by_name(
    connection: &Connection,
    collection: Collection,
    name: &[u8],
) -> Result<Vec<Held>, StoreError> {
    let sql = format!("{ENTRY} WHERE collection = ?1 AND name = ?2");
    rows(connection, &sql, &[&collection.name(), &name], entry)?.into_iter().map(held).collect()
}

/// All entries of a collection.
pub(in crate::store) fn entries(
    connection: &Connection,
    collection: Collection,
) -> Result<Vec<Held>, StoreError> {
    let sql = format!("{ENTRY} WHERE collection = ?1");
    rows(connection, &sql, &[&collection.name()], entry)?.into_iter().map(held).collect()
}

/// Changes that the service has not taken, in the order in which they were wished for.
pub(in crate::store) fn pending(connection: &Connection) -> Result<Vec<PendingRow>, StoreError> {
    let sql = "SELECT wished, ticket, collection, removes, name, value, version, created_at_ms \
         FROM app_state_pending ORDER BY wished";
    let read = |row: &Row<'_>| {
        let collection: String = row.get(2)?;
        let Some(collection) = Collection::named(&collection) else { return Ok(None) };
        Ok(Some(PendingRow {
            order: row.get(0)?,
            ticket: row.get(1)?,
            collection,
            operation: if row.get(3)? { Operation::Remove } else { Operation::Set },
            entry: Entry { index: row.get(4)?, value: row.get(5)?, version: row.get(6)? },
            created_at_ms: row.get(7)?,
        }))
    };
    Ok(rows(connection, sql, &[], read)?.into_iter().flatten().collect())
}

/// Writes it in a transaction of its own, for a store without a file.
pub(in crate::store) fn write_alone(
    connection: &mut Connection,
    changes: &Changes,
) -> Result<(), StoreError> {
    let transaction = connection.transaction().map_err(failed)?;
    if changes.forget_link {
        transaction
            .execute_batch(
                "DELETE FROM app_state_keys; DELETE FROM app_state_wanted; DELETE FROM app_state_collections; \
                 DELETE FROM app_state_entries; DELETE FROM app_state_pending; \
                 DELETE FROM nct_salt;",
            )
            .map_err(failed)?;
    }
    write(&transaction, changes)?;
    transaction.commit().map_err(failed)
}

/// Writes what a unit of work says about app state.
pub(in crate::store) fn write(transaction: &Transaction<'_>, changes: &Changes) -> Result<(), StoreError> {
    let run = |sql: &str, parameters: &[&dyn ToSql]| {
        transaction
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(parameters))
            .map(drop)
            .map_err(failed)
    };
    for change in &changes.app_state {
        match change {
            AppStateChange::Key(KeyRow { id, data, timestamp_ms, fingerprint }) => {
                let sql = "INSERT OR IGNORE INTO app_state_keys VALUES (?1, ?2, ?3, ?4)";
                run(sql, &[id.as_bytes(), &data.as_slice(), timestamp_ms, fingerprint])?;
                run("DELETE FROM app_state_wanted WHERE id = ?1", &[id.as_bytes()])?;
            }
            AppStateChange::Wanted(WantedKey { id, since, asked_at, told }) => run(
                "INSERT OR REPLACE INTO app_state_wanted VALUES (?1, ?2, ?3, ?4)",
                &[id.as_bytes(), since, asked_at, told],
            )?,
            AppStateChange::Collection(collection, row) => run(
                "INSERT OR REPLACE INTO app_state_collections VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                &[
                    &collection.name(),
                    &signed(row.state.version),
                    row.state.hash.as_bytes(),
                    &row.standing.number(),
                    &row.start_overs,
                    &row.counted_from,
                    &row.asked_at,
                ],
            )?,
            AppStateChange::Emptied(collection) => {
                run("DELETE FROM app_state_entries WHERE collection = ?1", &[&collection.name()])?;
            }
            AppStateChange::Removed(collection, index_mac) => run(
                "DELETE FROM app_state_entries WHERE collection = ?1 AND index_mac = ?2",
                &[&collection.name(), index_mac],
            )?,
            AppStateChange::Put(collection, Held { index_mac, value_mac, key_id, entry }) => run(
                "INSERT OR REPLACE INTO app_state_entries VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                &[
                    &collection.name(),
                    index_mac,
                    value_mac,
                    key_id.as_bytes(),
                    &entry.index,
                    &entry.value,
                    &entry.version,
                ],
            )?,
            AppStateChange::Pending(row) => run(
                "INSERT INTO app_state_pending \
                 (ticket, collection, removes, name, value, version, created_at_ms) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                &[
                    &row.ticket,
                    &row.collection.name(),
                    &(row.operation == Operation::Remove),
                    &row.entry.index,
                    &row.entry.value,
                    &row.entry.version,
                    &row.created_at_ms,
                ],
            )?,
            AppStateChange::Settled(order) => {
                run("DELETE FROM app_state_pending WHERE wished = ?1", &[order])?;
            }
            // The service's word counts for more than that of the history.
            AppStateChange::Salt(Some(salt)) => {
                run("INSERT OR REPLACE INTO nct_salt VALUES (1, ?1)", &[salt])?;
            }
            AppStateChange::Salt(None) => run("DELETE FROM nct_salt", &[])?,
        }
    }
    Ok(())
}

/// The salt of tokens for strangers.
pub(in crate::store) fn salt(connection: &Connection) -> Result<Option<Vec<u8>>, StoreError> {
    let salt = connection.query_row("SELECT salt FROM nct_salt", [], |row| row.get(0));
    salt.optional().map_err(failed)
}

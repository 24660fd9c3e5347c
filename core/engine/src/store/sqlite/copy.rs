//! Stores that come into being whole: written beside their place, and put there when they are
//! complete and on the disk. A crash leaves nothing at the place, and at most an unfinished file
//! with `-new` behind its name, which the next attempt replaces.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags, Transaction};
use whimbrel_wire::Jid;

use super::origin::{self, Copied};
use super::{Changes, StoreError, connect, create_private, dump, failed, lock_file, schema, write};

/// What other clients keep that this engine does not use yet. It waits in tables of its own.
#[derive(Default)]
pub(crate) struct Carried {
    pub(crate) app_state_keys: Vec<AppStateKey>,
    /// (collection, version, hash).
    pub(crate) app_state_versions: Vec<(String, i64, Vec<u8>)>,
    /// (collection, MAC of the index, MAC of the value).
    pub(crate) app_state_macs: Vec<(String, Vec<u8>, Vec<u8>)>,
    /// (user, token, time, time of ours), seconds.
    pub(crate) privacy_tokens: Vec<(Jid, Vec<u8>, i64, Option<i64>)>,
    pub(crate) nct_salt: Option<Vec<u8>>,
    /// (chat, sender, message id, secret).
    pub(crate) message_secrets: Vec<(Jid, Jid, String, Vec<u8>)>,
}

/// A key of the app state.
pub(crate) struct AppStateKey {
    pub(crate) id: Vec<u8>,
    pub(crate) data: Vec<u8>,
    pub(crate) timestamp_ms: i64,
    /// `AppStateSyncKeyFingerprint`, encoded.
    pub(crate) fingerprint: Option<Vec<u8>>,
}

/// Makes a store of what was taken over from another client.
pub(crate) fn create(path: &Path, changes: &Changes, carried: &Carried) -> Result<(), PlaceError> {
    place(path, |new| {
        let mut connection = fresh(new)?;
        // A copy keeps what it is given, however old.
        write::commit(&mut connection, changes, &mut crate::clock::now_seconds())?;
        write_carried(&mut connection, carried)?;
        origin::mark_copied(&connection, Copied::Moved)?;
        finish(connection)
    })
}

/// Copies a store that may be in use into a file that opens as a store.
pub(crate) fn backup(source: &Path, target: &Path) -> Result<(), PlaceError> {
    place(target, |new| {
        let from = read_only(source)?;
        create_private(new)?;
        let mut to = connect(new)?;
        {
            let backup = Backup::new(&from, &mut to).map_err(failed)?;
            // In one step: it is one snapshot, for which the writer does not wait.
            backup.step(-1).map_err(failed)?;
        }
        origin::mark_copied(&to, Copied::Backup)?;
        finish(to)
    })
}

/// Writes a consistent picture of a store that may be in use.
pub(crate) fn export(source: &Path, out: &mut impl Write) -> Result<(), dump::DumpError> {
    let mut connection = read_only(source)?;
    let transaction = connection.transaction().map_err(failed)?;
    dump::write(&transaction, out)
}

/// Makes a store of what [`export`] wrote.
pub(crate) fn import(path: &Path, input: &mut impl Read) -> Result<(), PlaceError> {
    place(path, |new| {
        let mut connection = fresh(new)?;
        let transaction = connection.transaction().map_err(failed)?;
        dump::read(&transaction, input)?;
        transaction.commit().map_err(failed)?;
        origin::mark_copied(&connection, Copied::Moved)?;
        finish(connection)
    })
}

/// Marks a store that nobody has open as moved away.
pub(crate) fn mark_moved(path: &Path) -> Result<(), StoreError> {
    let connection = connect(path)?;
    connection.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
    origin::mark_moved(&connection)
}

/// Why a file could not be put in its place.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlaceError {
    /// Nothing is ever overwritten.
    #[error("there is a file at the path already")]
    Exists,
    /// The file system refused.
    #[error("the file could not be written: {0}")]
    Io(#[from] std::io::Error),
    /// The database refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is read is no export.
    #[error(transparent)]
    Dump(#[from] dump::DumpError),
}

/// Holds the lock of the place while `make` writes a file beside it, then puts that there.
fn place(path: &Path, make: impl FnOnce(&Path) -> Result<(), PlaceError>) -> Result<(), PlaceError> {
    let _lock = lock_file(path)?;
    place_file(path, make)
}

/// [`place`] for files that are no stores, and have no lock.
pub(crate) fn place_file(
    path: &Path,
    make: impl FnOnce(&Path) -> Result<(), PlaceError>,
) -> Result<(), PlaceError> {
    if path.try_exists()? {
        return Err(PlaceError::Exists);
    }
    let new = Unfinished(beside(path, "-new"));
    new.clear();
    make(&new.0)?;
    File::open(&new.0)?.sync_all()?;
    fs::rename(&new.0, path)?;
    sync_folder(path)
}

/// A file that is removed unless it was put in its place.
struct Unfinished(PathBuf);

impl Unfinished {
    fn clear(&self) {
        for suffix in ["", "-wal", "-shm", "-journal"] {
            // Most are not there.
            let _ = fs::remove_file(beside(&self.0, suffix));
        }
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        self.clear();
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// The rename is durable when the folder is.
#[cfg(unix)]
fn sync_folder(path: &Path) -> Result<(), PlaceError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    Ok(File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?)
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> Result<(), PlaceError> {
    Ok(())
}

/// A new file that only its owner may read, to write into.
pub(crate) fn private_file(path: &Path) -> Result<File, PlaceError> {
    create_private(path)?;
    Ok(OpenOptions::new().write(true).truncate(true).open(path)?)
}

fn fresh(path: &Path) -> Result<Connection, StoreError> {
    create_private(path)?;
    let mut connection = connect(path)?;
    schema::prepare(&mut connection)?;
    Ok(connection)
}

/// Folds the log in and closes, so that the one file is everything.
fn finish(connection: Connection) -> Result<(), PlaceError> {
    connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0))
        .map_err(failed)?;
    connection.close().map_err(|(_, error)| failed(error))?;
    Ok(())
}

fn read_only(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection.busy_timeout(std::time::Duration::from_secs(5)).map_err(failed)?;
    Ok(connection)
}

fn write_carried(connection: &mut Connection, carried: &Carried) -> Result<(), StoreError> {
    let transaction = connection.transaction().map_err(failed)?;
    for key in &carried.app_state_keys {
        let sql = "INSERT OR REPLACE INTO app_state_keys VALUES (?1, ?2, ?3, ?4)";
        transaction.execute(sql, (&key.id, &key.data, key.timestamp_ms, &key.fingerprint)).map_err(failed)?;
    }
    for row in &carried.app_state_versions {
        let sql = "INSERT OR REPLACE INTO app_state_versions VALUES (?1, ?2, ?3)";
        transaction.execute(sql, (&row.0, row.1, &row.2)).map_err(failed)?;
    }
    for row in &carried.app_state_macs {
        let sql = "INSERT OR REPLACE INTO app_state_macs VALUES (?1, ?2, ?3)";
        transaction.execute(sql, (&row.0, &row.1, &row.2)).map_err(failed)?;
    }
    for (user, token, timestamp, sender_timestamp) in &carried.privacy_tokens {
        let sql = "INSERT OR REPLACE INTO privacy_tokens VALUES (?1, ?2, ?3, ?4)";
        let row = (user.to_string(), token, timestamp, sender_timestamp);
        transaction.execute(sql, row).map_err(failed)?;
        know(&transaction, user)?;
    }
    if let Some(salt) = &carried.nct_salt {
        transaction.execute("INSERT OR REPLACE INTO nct_salt VALUES (1, ?1)", [salt]).map_err(failed)?;
    }
    for (chat, sender, id, secret) in &carried.message_secrets {
        let sql = "INSERT OR REPLACE INTO message_secrets VALUES (?1, ?2, ?3, ?4, NULL, 0, ?5)";
        let row = (chat.to_string(), sender.to_bare().to_string(), id, secret, crate::clock::now_seconds());
        transaction.execute(sql, row).map_err(failed)?;
        if chat.is_account() {
            know(&transaction, chat)?;
        }
    }
    transaction.commit().map_err(failed)
}

/// Remembers that a chat is no new one.
fn know(transaction: &Transaction<'_>, chat: &Jid) -> Result<(), StoreError> {
    let sql = "INSERT OR IGNORE INTO known_chats VALUES (?1)";
    transaction.execute(sql, [chat.to_bare().to_string()]).map(drop).map_err(failed)
}

//! The default store: one SQLite file per client.
//!
//! Two connections: the writer belongs to the committer, the reader never waits for a write
//! (WAL). A lock file beside the store keeps a second client or process away: two owners of one
//! set of keys throw each other out (pairing document §13.3).

pub(in crate::store) mod appstate;
pub(in crate::store) mod archive;
mod copy;
mod dump;
mod history;
mod origin;
mod read;
mod rows;
mod schema;
mod waiting;
mod write;

pub(crate) use copy::{
    AppStateKey, Carried, PlaceError, backup, create, export, import, mark_moved, place_file, private_file,
};
pub(crate) use dump::{DumpError, rehearse};

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, ErrorCode, OpenFlags};
use whimbrel_appstate::{Collection, Held, IndexMac};
use whimbrel_wire::jid::Jid;

use super::{
    Account, Changes, DeviceList, InboxEntry, JournalRow, LidMigration, OutboxRow, ParentRow, PreKeyRow,
    SignedPreKeyRow, Store, StoreError, TimerRow, Token,
};
use crate::addons::waiting::{WaitingRow, Which};
use crate::appstate::rows::{CollectionRow, KeyRow, PendingRow, WantedKey};
use crate::archive::query::{
    ChatQuery, ContactQuery, Details, FoundChat, FoundContact, FoundLabel, FoundMessage, MessageQuery,
};
use crate::archive::row::{PastMemberRow, Target};
use crate::groups::GroupRow;
use crate::history::PieceRow;
use crate::restrictions::Lock;

/// A store in one SQLite file.
pub(crate) struct SqliteStore {
    reader: Mutex<Connection>,
    writer: Mutex<Writer>,
    /// Held, not read: the lock ends with the handle.
    lock: Mutex<Option<StoreLock>>,
    path: PathBuf,
}

struct Writer {
    connection: Connection,
    /// When rows that are too old were last deleted, seconds.
    expired_at: i64,
}

impl SqliteStore {
    /// Opens or creates a store. With `sync_to_disk` every commit waits for the disk; without,
    /// commits survive a crash of the process but not of the machine.
    pub(crate) fn open(path: &Path, sync_to_disk: bool) -> Result<Self, StoreError> {
        let lock = lock_file(path)?;
        create_private(path)?;
        let mut writer = connect(path)?;
        schema::prepare(&mut writer)?;
        origin::check(&mut writer)?;
        let synchronous = if sync_to_disk { "FULL" } else { "NORMAL" };
        writer.pragma_update(None, "synchronous", synchronous).map_err(failed)?;
        let reader = connect(path)?;
        reader.pragma_update(None, "query_only", true).map_err(failed)?;
        Ok(Self {
            reader: Mutex::new(reader),
            writer: Mutex::new(Writer { connection: writer, expired_at: 0 }),
            lock: Mutex::new(Some(lock)),
            path: path.to_owned(),
        })
    }

    fn reader(&self) -> MutexGuard<'_, Connection> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for SqliteStore {
    fn account(&self) -> Result<Option<Account>, StoreError> {
        read::account(&self.reader())
    }

    fn session(&self, device: &Jid) -> Result<Option<Vec<u8>>, StoreError> {
        read::session(&self.reader(), device)
    }

    fn identity(&self, device: &Jid) -> Result<Option<[u8; 32]>, StoreError> {
        read::identity(&self.reader(), device)
    }

    fn session_devices(&self, user: &Jid) -> Result<Vec<Jid>, StoreError> {
        read::session_devices(&self.reader(), user)
    }

    fn identity_devices(&self, user: &Jid) -> Result<Vec<Jid>, StoreError> {
        read::identity_devices(&self.reader(), user)
    }

    fn pre_key(&self, id: u32) -> Result<Option<PreKeyRow>, StoreError> {
        read::pre_key(&self.reader(), id)
    }

    fn signed_pre_key(&self, id: u32) -> Result<Option<SignedPreKeyRow>, StoreError> {
        read::signed_pre_key(&self.reader(), id)
    }

    fn signed_pre_keys(&self) -> Result<Vec<SignedPreKeyRow>, StoreError> {
        read::signed_pre_keys(&self.reader())
    }

    fn sender_key(&self, group: &Jid, device: &Jid) -> Result<Option<Vec<u8>>, StoreError> {
        read::sender_key(&self.reader(), group, device)
    }

    fn sender_keys_of(&self, user: &Jid) -> Result<Vec<(Jid, Jid)>, StoreError> {
        read::sender_keys_of(&self.reader(), user)
    }

    fn own_sender_key(&self, group: &Jid) -> Result<Option<Vec<u8>>, StoreError> {
        read::own_sender_key(&self.reader(), group)
    }

    fn key_holders(&self, group: &Jid) -> Result<Option<Vec<u8>>, StoreError> {
        read::key_holders(&self.reader(), group)
    }

    fn held_groups(&self) -> Result<Vec<Jid>, StoreError> {
        read::held_groups(&self.reader())
    }

    fn device_list(&self, user: &Jid) -> Result<Option<DeviceList>, StoreError> {
        read::device_list(&self.reader(), user)
    }

    fn group(&self, group: &Jid) -> Result<Option<Arc<GroupRow>>, StoreError> {
        Ok(read::group(&self.reader(), group)?.map(Arc::new))
    }

    fn groups(&self) -> Result<Vec<Jid>, StoreError> {
        read::groups(&self.reader())
    }

    fn lid_of(&self, phone: &Jid) -> Result<Option<Jid>, StoreError> {
        read::lid_of(&self.reader(), phone)
    }

    fn phone_of(&self, lid: &Jid) -> Result<Option<Jid>, StoreError> {
        read::phone_of(&self.reader(), lid)
    }

    fn successor_of(&self, former: &Jid) -> Result<Option<Jid>, StoreError> {
        read::successor_of(&self.reader(), former)
    }

    fn former_addresses(&self, lid: &Jid) -> Result<Vec<Jid>, StoreError> {
        read::former_addresses(&self.reader(), lid)
    }

    fn lid_migration(&self) -> Result<LidMigration, StoreError> {
        read::lid_migration(&self.reader())
    }

    fn restrictions(&self) -> Result<Vec<Lock>, StoreError> {
        read::restrictions(&self.reader())
    }

    fn token(&self, user: &Jid) -> Result<Option<Token>, StoreError> {
        read::token(&self.reader(), user)
    }

    fn nct_salt(&self) -> Result<Option<Vec<u8>>, StoreError> {
        appstate::salt(&self.reader())
    }

    fn note(&self, subject: &str) -> Result<Option<Vec<u8>>, StoreError> {
        read::note(&self.reader(), subject)
    }

    fn is_known_chat(&self, chat: &Jid) -> Result<bool, StoreError> {
        read::is_known_chat(&self.reader(), chat)
    }

    fn inbox_of(&self, message_id: &str) -> Result<Vec<InboxEntry>, StoreError> {
        read::inbox_of(&self.reader(), message_id)
    }

    fn inbox_missing(&self, since: i64, limit: usize) -> Result<Vec<InboxEntry>, StoreError> {
        read::inbox_missing(&self.reader(), since, limit)
    }

    fn outbox_of(&self, message_id: &str) -> Result<Vec<OutboxRow>, StoreError> {
        read::outbox_of(&self.reader(), message_id)
    }

    fn outbox_pending(&self) -> Result<Vec<OutboxRow>, StoreError> {
        read::outbox_pending(&self.reader())
    }

    fn outbox_untold(&self) -> Result<Vec<OutboxRow>, StoreError> {
        read::outbox_untold(&self.reader())
    }

    fn retry_base_key(&self, device: &Jid, message_id: &str) -> Result<Option<[u8; 32]>, StoreError> {
        read::retry_base_key(&self.reader(), device, message_id)
    }

    fn parents_of(&self, message_id: &str) -> Result<Vec<ParentRow>, StoreError> {
        read::parents_of(&self.reader(), message_id)
    }

    fn waiting(&self, which: Which<'_>) -> Result<Vec<WaitingRow>, StoreError> {
        waiting::waiting(&self.reader(), which)
    }

    fn waiting_count(&self) -> Result<usize, StoreError> {
        waiting::count(&self.reader())
    }

    fn waiting_targets(&self) -> Result<Vec<(Jid, String)>, StoreError> {
        waiting::targets(&self.reader())
    }

    fn chat_timer(&self, chat: &Jid) -> Result<Option<TimerRow>, StoreError> {
        read::chat_timer(&self.reader(), chat)
    }

    fn journal_after(&self, sequence: u64, limit: usize) -> Result<Vec<JournalRow>, StoreError> {
        read::journal_after(&self.reader(), sequence, limit)
    }

    fn journal_sizes(&self) -> Result<Vec<u64>, StoreError> {
        read::journal_sizes(&self.reader())
    }

    fn journal_bounds(&self) -> Result<(u64, u64), StoreError> {
        read::journal_bounds(&self.reader())
    }

    fn next_piece(&self, asked_before: i64) -> Result<Option<PieceRow>, StoreError> {
        history::next(&self.reader(), asked_before)
    }

    fn asked_pieces(&self) -> Result<Vec<PieceRow>, StoreError> {
        history::asked(&self.reader())
    }

    fn history_nonce(&self) -> Result<Option<String>, StoreError> {
        history::nonce(&self.reader())
    }

    fn is_piece_waiting(&self, message_id: &str) -> Result<bool, StoreError> {
        history::is_waiting(&self.reader(), message_id)
    }

    fn owed_receipts(&self) -> Result<Vec<String>, StoreError> {
        history::owed(&self.reader())
    }

    fn app_state_keys(&self) -> Result<Vec<KeyRow>, StoreError> {
        appstate::keys(&self.reader())
    }

    fn app_state_wanted(&self) -> Result<Vec<WantedKey>, StoreError> {
        appstate::wanted(&self.reader())
    }

    fn app_state_collection(&self, collection: Collection) -> Result<CollectionRow, StoreError> {
        appstate::collection(&self.reader(), collection)
    }

    fn app_state_by_mac(
        &self,
        collection: Collection,
        index_mac: &IndexMac,
    ) -> Result<Option<Held>, StoreError> {
        appstate::by_mac(&self.reader(), collection, index_mac)
    }

    fn app_state_by_name(&self, collection: Collection, name: &[u8]) -> Result<Vec<Held>, StoreError> {
        appstate::by_name(&self.reader(), collection, name)
    }

    fn app_state_entries(&self, collection: Collection) -> Result<Vec<Held>, StoreError> {
        appstate::entries(&self.reader(), collection)
    }

    fn app_state_pending(&self) -> Result<Vec<PendingRow>, StoreError> {
        appstate::pending(&self.reader())
    }

    fn find_messages(&self, query: &MessageQuery) -> Result<Vec<FoundMessage>, StoreError> {
        archive::messages(&self.reader(), query)
    }

    fn oldest_message(&self, chat: &Jid) -> Result<Option<FoundMessage>, StoreError> {
        archive::oldest(&self.reader(), chat)
    }

    fn message_details(&self, target: &Target) -> Result<Option<Details>, StoreError> {
        archive::details(&self.reader(), target)
    }

    fn find_chats(&self, query: &ChatQuery) -> Result<Vec<FoundChat>, StoreError> {
        archive::chats(&self.reader(), query)
    }

    fn labels(&self) -> Result<Vec<FoundLabel>, StoreError> {
        archive::labels(&self.reader())
    }

    fn find_contacts(&self, query: &ContactQuery) -> Result<Vec<FoundContact>, StoreError> {
        archive::contacts(&self.reader(), query)
    }

    fn past_members(&self, group: &Jid) -> Result<Vec<PastMemberRow>, StoreError> {
        archive::past_members(&self.reader(), group)
    }

    fn trim_archive(&self, before: i64, limit: u32) -> Result<bool, StoreError> {
        archive::trim(&mut self.writer().connection, before, limit)
    }

    fn index_archive(&self, limit: u32) -> Result<bool, StoreError> {
        archive::index(&mut self.writer().connection, limit)
    }

    fn commit(&self, changes: &Changes) -> Result<(), StoreError> {
        let mut writer = self.writer();
        let Writer { connection, expired_at } = &mut *writer;
        write::commit(connection, changes, expired_at)
    }

    fn file(&self) -> Option<&Path> {
        Some(&self.path)
    }

    fn close(&self) {
        // An empty database stands in, in which every later call fails.
        if let Ok(empty) = Connection::open_in_memory() {
            self.writer().connection = empty;
        }
        if let Ok(empty) = Connection::open_in_memory() {
            *self.reader() = empty;
        }
        self.lock.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// The lock beside a store, held until it is dropped.
///
/// It is released by name and not only by closing the file: a program that this process starts at
/// that moment holds a copy of the open file for as long as it is not yet running its own code,
/// and the lock would outlive the store by that much.
#[derive(Debug)]
pub(crate) struct StoreLock(File);

impl Drop for StoreLock {
    fn drop(&mut self) {
        // What cannot be released goes with the file.
        let _ = self.0.unlock();
    }
}

/// Takes the lock beside the store. The operating system releases it with the process, so a
/// crash leaves nothing to clean up.
pub(crate) fn lock_file(path: &Path) -> Result<StoreLock, StoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push("-lock");
    let file =
        OpenOptions::new().create(true).truncate(false).write(true).open(PathBuf::from(name)).map_err(
            |error| StoreError::Failed(format!("the lock file could not be opened: {}", error.kind())),
        )?;
    match file.try_lock() {
        Ok(()) => Ok(StoreLock(file)),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked),
        Err(TryLockError::Error(error)) => {
            Err(StoreError::Failed(format!("the lock file could not be locked: {}", error.kind())))
        }
    }
}

/// Creates the file readable by its owner alone, before SQLite would create it for everybody.
fn create_private(path: &Path) -> Result<(), StoreError> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(path)
        .map(drop)
        .map_err(|error| StoreError::Failed(format!("the file could not be opened: {}", error.kind())))
}

fn connect(path: &Path) -> Result<Connection, StoreError> {
    // No mutex inside SQLite: each connection is behind one of ours.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection.set_prepared_statement_cache_capacity(32);
    // Negative: KiB. Small, since thousands of clients share a process.
    connection.pragma_update(None, "cache_size", -96).map_err(failed)?;
    connection.pragma_update(None, "temp_store", "MEMORY").map_err(failed)?;
    connection.busy_timeout(std::time::Duration::from_secs(5)).map_err(failed)?;
    Ok(connection)
}

/// Sorts SQLite's errors into ours.
fn failed(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Corrupt(error.to_string()),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Locked,
        _ => match error {
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::IntegralValueOutOfRange(..) => StoreError::Corrupt(error.to_string()),
            other => StoreError::Failed(other.to_string()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_ends_with_its_holder_though_a_copy_of_the_file_is_open() {
        let path = std::env::temp_dir().join(format!("whimbrel-lock-{}", std::process::id()));
        let lock = lock_file(&path).unwrap();
        // What a program that is being started inherits for a moment.
        let inherited = lock.0.try_clone().unwrap();
        assert!(matches!(lock_file(&path), Err(StoreError::Locked)));
        drop(lock);
        drop(lock_file(&path).unwrap());
        drop(inherited);
        std::fs::remove_file(path.with_file_name(format!("whimbrel-lock-{}-lock", std::process::id())))
            .unwrap();
    }
}

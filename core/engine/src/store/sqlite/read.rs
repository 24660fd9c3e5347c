//! The reads. One prepared statement each, kept by the connection.

use rusqlite::{Connection, OptionalExtension, Row, ToSql};
use whimbrel_content::Secret;
use whimbrel_wire::jid::Jid;

use super::rows::{array, jid, key_pair, optional_jid, outbox_state, unpack_devices};
use super::{StoreError, failed};
use crate::groups::GroupRow;
use crate::messages::route::Route;
use crate::restrictions::{Lock, RestrictionKind};
use crate::store::{
    Account, DeviceKeys, DeviceList, InboxEntry, InboxState, JournalRow, LidMigration, OutboxRow, ParentRow,
    PreKeyRow, SignedPreKeyRow, TimerRow, Token,
};

/// At most one row, turned into a value.
fn one<T>(
    connection: &Connection,
    sql: &str,
    parameters: &[&dyn ToSql],
    read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    let mut statement = connection.prepare_cached(sql).map_err(failed)?;
    statement.query_row(parameters, |row| Ok(read(row))).optional().map_err(failed)?.transpose()
}

/// All rows, each turned into a value.
fn many<T>(
    connection: &Connection,
    sql: &str,
    parameters: &[&dyn ToSql],
    read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = connection.prepare_cached(sql).map_err(failed)?;
    let mut rows = statement.query(parameters).map_err(failed)?;
    let mut values = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        values.push(read(row)?);
    }
    Ok(values)
}

pub(super) fn account(connection: &Connection) -> Result<Option<Account>, StoreError> {
    const SQL: &str = "SELECT noise_key, identity_key, registration_id, adv_secret, adv_secret_shown, \
         signed_pre_key_id, next_pre_key_id, phone, lid, signed_identity, platform, business_name, push_name, \
         pairing_unconfirmed, logging_out, logged_out, server_has_pre_keys, login_counter, routing_info, \
         server_key, server_key_not_before, server_key_not_after, found_version, found_version_at, \
         version_expires_at, expiring_version, staged_signed_pre_key_id, last_signed_pre_key_id FROM account";
    one(connection, SQL, &[], |row| {
        let server_key = match row.get::<_, Option<Vec<u8>>>(19).map_err(failed)? {
            None => None,
            Some(_) => Some((array(row, 19)?, row.get(20).map_err(failed)?, row.get(21).map_err(failed)?)),
        };
        Ok(Account {
            keys: DeviceKeys {
                noise: key_pair(row, 0)?,
                identity: key_pair(row, 1)?,
                registration_id: row.get(2).map_err(failed)?,
                adv_secret: array(row, 3)?,
            },
            adv_secret_shown: row.get(4).map_err(failed)?,
            signed_pre_key_id: row.get(5).map_err(failed)?,
            next_pre_key_id: row.get(6).map_err(failed)?,
            phone: optional_jid(row, 7)?,
            lid: optional_jid(row, 8)?,
            signed_identity: row.get(9).map_err(failed)?,
            platform: row.get(10).map_err(failed)?,
            business_name: row.get(11).map_err(failed)?,
            push_name: row.get(12).map_err(failed)?,
            pairing_unconfirmed: row.get(13).map_err(failed)?,
            logging_out: row.get(14).map_err(failed)?,
            logged_out: row.get(15).map_err(failed)?,
            server_has_pre_keys: row.get(16).map_err(failed)?,
            login_counter: row.get(17).map_err(failed)?,
            routing_info: row.get(18).map_err(failed)?,
            server_key,
            found_version: versioned(row, 22, 23)?,
            version_expires: versioned(row, 25, 24)?.map(|(version, at)| (at, version)),
            staged_signed_pre_key_id: row.get(26).map_err(failed)?,
            last_signed_pre_key_id: row.get(27).map_err(failed)?,
        })
    })
}

/// A version with a time; a text that is no version counts as none.
fn versioned(row: &Row<'_>, version: usize, time: usize) -> Result<Option<([u32; 3], i64)>, StoreError> {
    let version: Option<String> = row.get(version).map_err(failed)?;
    let time: Option<i64> = row.get(time).map_err(failed)?;
    Ok(version.as_deref().and_then(crate::version::parse).zip(time))
}

pub(super) fn session(connection: &Connection, device: &Jid) -> Result<Option<Vec<u8>>, StoreError> {
    one(connection, "SELECT record FROM sessions WHERE device = ?1", &[&device.to_string()], |row| {
        row.get(0).map_err(failed)
    })
}

pub(super) fn identity(connection: &Connection, device: &Jid) -> Result<Option<[u8; 32]>, StoreError> {
    one(connection, "SELECT key FROM identities WHERE device = ?1", &[&device.to_string()], |row| {
        array(row, 0)
    })
}

/// Rows about the devices of one user: `user@server` and `user:N@server`. ';' is the character
/// after ':'.
fn of_devices<T>(
    connection: &Connection,
    sql: &str,
    user: &Jid,
    read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let bare = user.to_bare().to_string();
    let (name, _) = bare.split_once('@').unwrap_or((&bare, ""));
    many(connection, sql, &[&bare, &format!("{name}:"), &format!("{name};")], read)
}

pub(super) fn session_devices(connection: &Connection, user: &Jid) -> Result<Vec<Jid>, StoreError> {
    const SQL: &str = "SELECT device FROM sessions WHERE device = ?1 OR (device >= ?2 AND device < ?3)";
    let found = of_devices(connection, SQL, user, |row| jid(row, 0))?;
    Ok(found.into_iter().filter(|device| device.same_bare(user)).collect())
}

pub(super) fn identity_devices(connection: &Connection, user: &Jid) -> Result<Vec<Jid>, StoreError> {
    const SQL: &str = "SELECT device FROM identities WHERE device = ?1 OR (device >= ?2 AND device < ?3)";
    let found = of_devices(connection, SQL, user, |row| jid(row, 0))?;
    Ok(found.into_iter().filter(|device| device.same_bare(user)).collect())
}

pub(super) fn sender_keys_of(connection: &Connection, user: &Jid) -> Result<Vec<(Jid, Jid)>, StoreError> {
    const SQL: &str =
        "SELECT chat, device FROM sender_keys WHERE device = ?1 OR (device >= ?2 AND device < ?3)";
    let found = of_devices(connection, SQL, user, |row| Ok((jid(row, 0)?, jid(row, 1)?)))?;
    Ok(found.into_iter().filter(|(_, device)| device.same_bare(user)).collect())
}

pub(super) fn pre_key(connection: &Connection, id: u32) -> Result<Option<PreKeyRow>, StoreError> {
    one(connection, "SELECT private, offered FROM pre_keys WHERE id = ?1", &[&id], |row| {
        Ok(PreKeyRow { id, pair: key_pair(row, 0)?, offered: row.get(1).map_err(failed)? })
    })
}

pub(super) fn signed_pre_key(
    connection: &Connection,
    id: u32,
) -> Result<Option<SignedPreKeyRow>, StoreError> {
    const SQL: &str = "SELECT id, private, signature, created_at FROM signed_pre_keys WHERE id = ?1";
    one(connection, SQL, &[&id], signed_pre_key_row)
}

pub(super) fn signed_pre_keys(connection: &Connection) -> Result<Vec<SignedPreKeyRow>, StoreError> {
    const SQL: &str = "SELECT id, private, signature, created_at FROM signed_pre_keys ORDER BY id";
    many(connection, SQL, &[], signed_pre_key_row)
}

fn signed_pre_key_row(row: &Row<'_>) -> Result<SignedPreKeyRow, StoreError> {
    Ok(SignedPreKeyRow {
        id: row.get(0).map_err(failed)?,
        pair: key_pair(row, 1)?,
        signature: array(row, 2)?,
        created_at: row.get(3).map_err(failed)?,
    })
}

pub(super) fn sender_key(
    connection: &Connection,
    chat: &Jid,
    device: &Jid,
) -> Result<Option<Vec<u8>>, StoreError> {
    const SQL: &str = "SELECT record FROM sender_keys WHERE chat = ?1 AND device = ?2";
    one(connection, SQL, &[&chat.to_string(), &device.to_string()], |row| row.get(0).map_err(failed))
}

pub(super) fn own_sender_key(connection: &Connection, group: &Jid) -> Result<Option<Vec<u8>>, StoreError> {
    one(connection, "SELECT record FROM own_sender_keys WHERE chat = ?1", &[&group.to_string()], |row| {
        row.get(0).map_err(failed)
    })
}

pub(super) fn key_holders(connection: &Connection, group: &Jid) -> Result<Option<Vec<u8>>, StoreError> {
    one(connection, "SELECT devices FROM key_holders WHERE chat = ?1", &[&group.to_string()], |row| {
        row.get(0).map_err(failed)
    })
}

pub(super) fn held_groups(connection: &Connection) -> Result<Vec<Jid>, StoreError> {
    many(connection, "SELECT chat FROM key_holders ORDER BY chat", &[], |row| jid(row, 0))
}

pub(super) fn device_list(connection: &Connection, user: &Jid) -> Result<Option<DeviceList>, StoreError> {
    const SQL: &str = "SELECT devices, raw_id, signed_at, fetched_at FROM device_lists WHERE user = ?1";
    one(connection, SQL, &[&user.to_string()], |row| {
        let packed: Vec<u8> = row.get(0).map_err(failed)?;
        Ok(DeviceList {
            devices: unpack_devices(&packed)?,
            raw_id: row.get(1).map_err(failed)?,
            signed_at: row.get(2).map_err(failed)?,
            fetched_at: row.get(3).map_err(failed)?,
        })
    })
}

pub(super) fn group(connection: &Connection, group: &Jid) -> Result<Option<GroupRow>, StoreError> {
    const SQL: &str = "SELECT details, members, fetched_at, stale FROM groups WHERE id = ?1";
    one(connection, SQL, &[&group.to_string()], |row| {
        let blob = |column| {
            let value = row.get_ref(column).map_err(failed)?;
            value.as_blob().map_err(|_| StoreError::Corrupt("a group is no blob".to_owned()))
        };
        let (fetched_at, stale) = (row.get(2).map_err(failed)?, row.get(3).map_err(failed)?);
        GroupRow::decode(blob(0)?, blob(1)?, fetched_at, stale)
            .map_err(|error| StoreError::Corrupt(error.to_string()))
    })
}

pub(super) fn groups(connection: &Connection) -> Result<Vec<Jid>, StoreError> {
    many(connection, "SELECT id FROM groups ORDER BY id", &[], |row| jid(row, 0))
}

pub(super) fn lid_of(connection: &Connection, phone: &Jid) -> Result<Option<Jid>, StoreError> {
    one(connection, "SELECT lid FROM lid_map WHERE phone = ?1", &[&phone.to_string()], |row| jid(row, 0))
}

pub(super) fn phone_of(connection: &Connection, lid: &Jid) -> Result<Option<Jid>, StoreError> {
    one(connection, "SELECT phone FROM lid_map WHERE lid = ?1", &[&lid.to_string()], |row| jid(row, 0))
}

pub(super) fn successor_of(connection: &Connection, former: &Jid) -> Result<Option<Jid>, StoreError> {
    const SQL: &str = "SELECT lid FROM former_addresses WHERE address = ?1";
    one(connection, SQL, &[&former.to_string()], |row| jid(row, 0))
}

pub(super) fn former_addresses(connection: &Connection, lid: &Jid) -> Result<Vec<Jid>, StoreError> {
    const SQL: &str = "SELECT address FROM former_addresses WHERE lid = ?1";
    many(connection, SQL, &[&lid.to_string()], |row| jid(row, 0))
}

pub(super) fn lid_migration(connection: &Connection) -> Result<LidMigration, StoreError> {
    let row = one(connection, "SELECT migrated, refused_at FROM lid_migration", &[], |row| {
        Ok(LidMigration { migrated: row.get(0).map_err(failed)?, refused_at: row.get(1).map_err(failed)? })
    });
    row.map(Option::unwrap_or_default)
}

pub(super) fn restrictions(connection: &Connection) -> Result<Vec<Lock>, StoreError> {
    many(connection, "SELECT kind, until, named FROM restrictions", &[], |row| {
        let kind = RestrictionKind::of_number(row.get(0).map_err(failed)?);
        Ok(Lock { kind, until: row.get(1).map_err(failed)?, named: row.get(2).map_err(failed)? })
    })
}

pub(super) fn note(connection: &Connection, subject: &str) -> Result<Option<Vec<u8>>, StoreError> {
    one(connection, "SELECT note FROM notes WHERE subject = ?1", &[&subject], |row| {
        row.get(0).map_err(failed)
    })
}

pub(super) fn token(connection: &Connection, user: &Jid) -> Result<Option<Token>, StoreError> {
    const SQL: &str = "SELECT token, timestamp, sender_timestamp FROM privacy_tokens WHERE user = ?1";
    one(connection, SQL, &[&user.to_string()], |row| {
        Ok(Token {
            token: row.get(0).map_err(failed)?,
            timestamp: row.get(1).map_err(failed)?,
            sender_timestamp: row.get(2).map_err(failed)?,
        })
    })
}

pub(super) fn is_known_chat(connection: &Connection, chat: &Jid) -> Result<bool, StoreError> {
    let found =
        one(connection, "SELECT 1 FROM known_chats WHERE chat = ?1", &[&chat.to_string()], |_| Ok(()));
    Ok(found?.is_some())
}

const INBOX: &str =
    "SELECT message_id, ciphertext_hash, retries, event_id, phone_asked, seen_at, chat, author FROM inbox";

fn inbox_entry(row: &Row<'_>) -> Result<InboxEntry, StoreError> {
    let retries: Option<u8> = row.get(2).map_err(failed)?;
    let event_id: Option<String> = row.get(3).map_err(failed)?;
    let phone_asked = row.get(4).map_err(failed)?;
    Ok(InboxEntry {
        chat: jid(row, 6)?,
        author: jid(row, 7)?,
        message_id: row.get(0).map_err(failed)?,
        ciphertext_hash: array(row, 1)?,
        state: match (retries, event_id) {
            (None, None) => InboxState::Done,
            (None, Some(_)) => InboxState::History,
            (Some(retries), event_id) => {
                InboxState::Failed { retries, event_id: event_id.unwrap_or_default(), phone_asked }
            }
        },
        seen_at: row.get(5).map_err(failed)?,
    })
}

pub(super) fn inbox_of(connection: &Connection, message_id: &str) -> Result<Vec<InboxEntry>, StoreError> {
    many(connection, &format!("{INBOX} WHERE message_id = ?1"), &[&message_id], inbox_entry)
}

pub(super) fn inbox_missing(
    connection: &Connection,
    since: i64,
    limit: usize,
) -> Result<Vec<InboxEntry>, StoreError> {
    let sql = format!(
        "{INBOX} WHERE retries IS NOT NULL AND event_id <> '' AND phone_asked = 0 AND seen_at > ?1 \
         ORDER BY seen_at DESC LIMIT ?2"
    );
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut latest = many(connection, &sql, &[&since, &limit], inbox_entry)?;
    latest.reverse();
    Ok(latest)
}

const OUTBOX: &str = "SELECT chat, message_id, content, state, created_at_ms, confirmed_at, delivered_at, told, \
     route FROM outbox";

fn outbox_row(row: &Row<'_>) -> Result<OutboxRow, StoreError> {
    Ok(OutboxRow {
        chat: jid(row, 0)?,
        message_id: row.get(1).map_err(failed)?,
        content: row.get(2).map_err(failed)?,
        state: outbox_state(row.get(3).map_err(failed)?)?,
        created_at_ms: row.get(4).map_err(failed)?,
        confirmed_at: row.get(5).map_err(failed)?,
        delivered_at: row.get(6).map_err(failed)?,
        told: row.get(7).map_err(failed)?,
        route: match row.get::<_, Option<Vec<u8>>>(8).map_err(failed)? {
            Some(route) => Some(Route::unpack(&route)?),
            None => None,
        },
    })
}

pub(super) fn outbox_of(connection: &Connection, message_id: &str) -> Result<Vec<OutboxRow>, StoreError> {
    many(connection, &format!("{OUTBOX} WHERE message_id = ?1"), &[&message_id], outbox_row)
}

pub(super) fn outbox_pending(connection: &Connection) -> Result<Vec<OutboxRow>, StoreError> {
    many(connection, &format!("{OUTBOX} WHERE state = 0 ORDER BY accepted"), &[], outbox_row)
}

pub(super) fn outbox_untold(connection: &Connection) -> Result<Vec<OutboxRow>, StoreError> {
    many(connection, &format!("{OUTBOX} WHERE state <> 0 AND told = 0 ORDER BY accepted"), &[], outbox_row)
}

pub(super) fn retry_base_key(
    connection: &Connection,
    device: &Jid,
    message_id: &str,
) -> Result<Option<[u8; 32]>, StoreError> {
    const SQL: &str = "SELECT base_key FROM retry_base_keys WHERE message_id = ?1 AND device = ?2";
    one(connection, SQL, &[&message_id, &device.to_string()], |row| array(row, 0))
}

pub(super) fn parents_of(connection: &Connection, message_id: &str) -> Result<Vec<ParentRow>, StoreError> {
    const SQL: &str =
        "SELECT chat, sender, secret, poll, sent_at, saved_at FROM message_secrets WHERE message_id = ?1";
    many(connection, SQL, &[&message_id], |row| {
        Ok(ParentRow {
            chat: jid(row, 0)?,
            author: jid(row, 1)?,
            message_id: message_id.to_owned(),
            secret: Secret::new(row.get(2).map_err(failed)?),
            poll: row.get(3).map_err(failed)?,
            sent_at: row.get(4).map_err(failed)?,
            saved_at: row.get(5).map_err(failed)?,
        })
    })
}

pub(super) fn chat_timer(connection: &Connection, chat: &Jid) -> Result<Option<TimerRow>, StoreError> {
    const SQL: &str =
        "SELECT seconds, set_at, initiator, setting, initiated_by_me FROM chat_timers WHERE chat = ?1";
    one(connection, SQL, &[&chat.to_string()], |row| {
        Ok(TimerRow {
            chat: chat.clone(),
            seconds: row.get(0).map_err(failed)?,
            set_at: row.get(1).map_err(failed)?,
            initiator: row.get(2).map_err(failed)?,
            trigger: row.get(3).map_err(failed)?,
            initiated_by_me: row.get(4).map_err(failed)?,
        })
    })
}

pub(super) fn journal_after(
    connection: &Connection,
    sequence: u64,
    limit: usize,
) -> Result<Vec<JournalRow>, StoreError> {
    const SQL: &str = "SELECT sequence, payload FROM journal WHERE sequence > ?1 ORDER BY sequence LIMIT ?2";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    many(connection, SQL, &[&signed(sequence), &limit], |row| {
        Ok(JournalRow {
            sequence: unsigned(row.get(0).map_err(failed)?),
            payload: row.get(1).map_err(failed)?,
        })
    })
}

pub(super) fn journal_sizes(connection: &Connection) -> Result<Vec<u64>, StoreError> {
    many(connection, "SELECT length(payload) FROM journal ORDER BY sequence", &[], |row| {
        Ok(unsigned(row.get(0).map_err(failed)?))
    })
}

pub(super) fn journal_bounds(connection: &Connection) -> Result<(u64, u64), StoreError> {
    let bounds = one(connection, "SELECT last, acknowledged FROM journal_bounds", &[], |row| {
        Ok((unsigned(row.get(0).map_err(failed)?), unsigned(row.get(1).map_err(failed)?)))
    })?;
    bounds.ok_or_else(|| StoreError::Corrupt("the journal has no bounds".to_owned()))
}

/// SQLite's integers are signed; sequence numbers never get near the limit.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

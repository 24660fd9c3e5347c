//! An SQLite database of whatsmeow (pairing document §14.2).

mod records;

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Row};
use whimbrel_crypto::curve::PublicKey;
use whimbrel_wire::Jid;

use super::problem::ImportProblem;
use super::taken::{self, Notes, OWN_SENDER_KEYS, SignedIdentity, Taken, pair};
use crate::store::sqlite::{AppStateKey, Carried};
use crate::store::{PreKeyRow, SignedPreKeyRow};

const DATABASE: &str = "the database";

/// Schemas that are known: 8 is the oldest that later versions of the client still read.
const SCHEMAS: std::ops::RangeInclusive<i64> = 8..=15;

/// Reads the account out of a database. A copy is opened, which is made beside `store`: SQLite
/// may write to what it opens, even to read.
pub(super) fn read(database: &Path, account: Option<&str>, store: &Path) -> Result<Taken, ImportProblem> {
    let copy = Copied::of(database, store)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(copy.database(), flags).map_err(refused)?;
    let reader = Reader { connection };
    reader.check_schema()?;
    let own = reader.choose(account)?;
    let mut taken = reader.device(&own)?;
    reader.keys(&own, &mut taken)?;
    reader.people(&own, &mut taken)?;
    reader.app_state(&own, &mut taken)?;
    reader.rest(&own, &mut taken)?;
    Ok(taken)
}

/// A copy of the database and its log, which is removed in the end.
struct Copied(PathBuf);

impl Copied {
    fn of(database: &Path, store: &Path) -> Result<Self, ImportProblem> {
        let unreadable = |error: std::io::Error| ImportProblem::unreadable(DATABASE, &error);
        fs::metadata(database).map_err(unreadable)?;
        let mut folder = store.as_os_str().to_owned();
        folder.push("-source");
        let copied = Self(PathBuf::from(folder));
        // What an attempt that was killed has left.
        let _ = fs::remove_dir_all(&copied.0);
        let unwritable =
            |error: std::io::Error| ImportProblem::unreadable("the folder of the new store", &error);
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&copied.0).map_err(unwritable)?;
        fs::copy(database, copied.database()).map_err(unreadable)?;
        let mut log = database.as_os_str().to_owned();
        log.push("-wal");
        match fs::copy(log, copied.0.join("database-wal")) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(unreadable(error)),
            _ => Ok(copied),
        }
    }

    fn database(&self) -> PathBuf {
        self.0.join("database")
    }
}

impl Drop for Copied {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, "The copy of an imported database could not be removed.");
        }
    }
}

fn refused(error: rusqlite::Error) -> ImportProblem {
    // The text of SQLite names tables and columns, not values.
    ImportProblem::Unreadable { what: DATABASE, why: error.to_string() }
}

const fn malformed(field: &'static str) -> ImportProblem {
    ImportProblem::Malformed { what: DATABASE, field }
}

struct Reader {
    connection: Connection,
}

impl Reader {
    fn check_schema(&self) -> Result<(), ImportProblem> {
        if !self.has("whatsmeow_version", "version")? || !self.has("whatsmeow_device", "jid")? {
            return Err(malformed("it has no tables of whatsmeow"));
        }
        let compat = if self.has("whatsmeow_version", "compat")? { "compat" } else { "version" };
        let sql = format!("SELECT version, {compat} FROM whatsmeow_version");
        let found = self.connection.query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?)));
        let (version, compat): (i64, i64) =
            found.optional().map_err(refused)?.ok_or(malformed("whatsmeow_version"))?;
        let known = SCHEMAS.contains(&version) || (version > *SCHEMAS.end() && compat <= *SCHEMAS.end());
        if known { Ok(()) } else { Err(ImportProblem::Schema { version }) }
    }

    /// Whether there is such a column; later schemas have more of them.
    fn has(&self, table: &str, column: &str) -> Result<bool, ImportProblem> {
        let sql = "SELECT count(*) FROM pragma_table_info(?1) WHERE name = ?2";
        let count: i64 =
            self.connection.query_row(sql, [table, column], |row| row.get(0)).map_err(refused)?;
        Ok(count > 0)
    }

    fn each(
        &self,
        sql: &str,
        own: &str,
        mut take: impl FnMut(&Row<'_>) -> Result<(), rusqlite::Error>,
    ) -> Result<(), ImportProblem> {
        let mut statement = self.connection.prepare(sql).map_err(refused)?;
        let mut rows =
            if statement.parameter_count() == 0 { statement.query([]) } else { statement.query([own]) }
                .map_err(refused)?;
        while let Some(row) = rows.next().map_err(refused)? {
            take(row).map_err(refused)?;
        }
        Ok(())
    }

    /// The account's name in the database.
    fn choose(&self, account: Option<&str>) -> Result<String, ImportProblem> {
        let mut found = Vec::new();
        self.each("SELECT jid, lid FROM whatsmeow_device ORDER BY jid", "", |row| {
            found.push((row.get::<_, String>(0)?, row.get::<_, Option<String>>(1)?));
            Ok(())
        })?;
        if found.is_empty() {
            return Err(ImportProblem::NotLinked);
        }
        if let Some(wanted) = account {
            let wanted = crate::parse_address(wanted).map_err(|_| ImportProblem::NoSuchAccount)?;
            found.retain(|(jid, lid)| {
                [Some(jid), lid.as_ref()].into_iter().flatten().filter_map(|own| own.parse::<Jid>().ok()).any(
                    |own| {
                        own.same_account(&wanted) && (wanted.device() == 0 || own.device() == wanted.device())
                    },
                )
            });
        }
        let count = found.len();
        match (found.pop(), count) {
            (Some((jid, _)), 1) => Ok(jid),
            (None, _) => Err(ImportProblem::NoSuchAccount),
            _ => Err(ImportProblem::Several { count }),
        }
    }

    fn device(&self, own: &str) -> Result<Taken, ImportProblem> {
        const SQL: &str = "SELECT lid, registration_id, noise_key, identity_key, signed_pre_key, \
             signed_pre_key_id, signed_pre_key_sig, adv_key, adv_details, adv_account_sig, \
             adv_account_sig_key, adv_device_sig, platform, business_name, push_name \
             FROM whatsmeow_device WHERE jid = ?1";
        let mut result = Err(ImportProblem::NoSuchAccount);
        self.each(SQL, own, |row| {
            result = device(row, own);
            Ok(())
        })?;
        result
    }

    fn keys(&self, own: &str, taken: &mut Taken) -> Result<(), ImportProblem> {
        let sql = "SELECT key_id, key, uploaded FROM whatsmeow_pre_keys WHERE jid = ?1 ORDER BY key_id";
        self.each(sql, own, |row| {
            let (id, key, offered): (u32, Vec<u8>, bool) = (row.get(0)?, row.get(1)?, row.get(2)?);
            match key.try_into().map(|key| pair(key, None, "a prekey")) {
                Ok(Ok(pair)) => {
                    taken.next_pre_key_id = taken.next_pre_key_id.max(id.saturating_add(1));
                    taken.pre_keys.push(PreKeyRow { id, pair, offered });
                }
                _ => taken.notes.leave_out("one-time prekeys", "the key is malformed"),
            }
            Ok(())
        })?;
        self.each("SELECT their_id, session FROM whatsmeow_sessions WHERE our_jid = ?1", own, |row| {
            let (address, session): (String, Vec<u8>) = (row.get(0)?, row.get(1)?);
            match (address_of(&address), records::session(&session)) {
                (Some(device), Ok(record)) => {
                    taken.sessions.insert(device, record);
                }
                (None, _) => taken.notes.leave_out("sessions", "the address is not known"),
                (_, Err(why)) => taken.notes.leave_out("sessions", why),
            }
            Ok(())
        })?;
        let sql = "SELECT chat_id, sender_id, sender_key FROM whatsmeow_sender_keys WHERE our_jid = ?1";
        self.each(sql, own, |row| {
            let (chat, sender): (String, String) = (row.get(0)?, row.get(1)?);
            let key: Vec<u8> = row.get(2)?;
            let (Ok(chat), Some(sender)) = (chat.parse::<Jid>(), address_of(&sender)) else {
                taken.notes.leave_out("sender keys", "the address is not known");
                return Ok(());
            };
            if [Some(&taken.phone), taken.lid.as_ref()].into_iter().flatten().any(|own| *own == sender) {
                taken.notes.leave_out(OWN_SENDER_KEYS.0, OWN_SENDER_KEYS.1);
                return Ok(());
            }
            match records::sender_key(&key) {
                Ok(record) => {
                    taken.sender_keys.insert((chat, sender), record);
                }
                Err(why) => taken.notes.leave_out("sender keys", why),
            }
            Ok(())
        })
    }

    fn people(&self, own: &str, taken: &mut Taken) -> Result<(), ImportProblem> {
        let sql = "SELECT their_id, identity FROM whatsmeow_identity_keys WHERE our_jid = ?1";
        self.each(sql, own, |row| {
            let (address, key): (String, Vec<u8>) = (row.get(0)?, row.get(1)?);
            match (address_of(&address), key.try_into()) {
                (Some(device), Ok(key)) => {
                    taken.identities.insert(device, key);
                }
                _ => taken.notes.leave_out("identities", "the row is malformed"),
            }
            Ok(())
        })?;
        if self.has("whatsmeow_lid_map", "lid")? {
            self.each("SELECT lid, pn FROM whatsmeow_lid_map", own, |row| {
                let (lid, phone): (String, String) = (row.get(0)?, row.get(1)?);
                taken.phones.insert(Jid::lid(&lid), Jid::pn(&phone));
                Ok(())
            })?;
        }
        if self.has("whatsmeow_privacy_tokens", "token")? {
            let sender = self.has("whatsmeow_privacy_tokens", "sender_timestamp")?;
            let sender = if sender { "sender_timestamp" } else { "NULL" };
            let sql = format!(
                "SELECT their_jid, token, timestamp, {sender} FROM whatsmeow_privacy_tokens WHERE our_jid = ?1"
            );
            self.each(&sql, own, |row| {
                let user: String = row.get(0)?;
                match user.parse::<Jid>() {
                    Ok(user) => {
                        let token = (user.to_account(), row.get(1)?, row.get(2)?, row.get(3)?);
                        taken.carried.privacy_tokens.push(token);
                    }
                    Err(_) => taken.notes.leave_out("privacy tokens", "the address is not known"),
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    fn app_state(&self, own: &str, taken: &mut Taken) -> Result<(), ImportProblem> {
        let carried = &mut taken.carried;
        let sql = "SELECT key_id, key_data, timestamp, fingerprint FROM whatsmeow_app_state_sync_keys \
             WHERE jid = ?1";
        self.each(sql, own, |row| {
            carried.app_state_keys.push(AppStateKey {
                id: row.get(0)?,
                data: row.get(1)?,
                timestamp_ms: row.get(2)?,
                fingerprint: row.get(3)?,
            });
            Ok(())
        })?;
        let sql = "SELECT name, version, hash FROM whatsmeow_app_state_version WHERE jid = ?1";
        self.each(sql, own, |row| {
            carried.app_state_versions.push((row.get(0)?, row.get(1)?, row.get(2)?));
            Ok(())
        })?;
        // Of one value the row of the highest version counts; it is written last.
        let sql = "SELECT name, index_mac, value_mac FROM whatsmeow_app_state_mutation_macs WHERE jid = ?1 \
             ORDER BY version";
        self.each(sql, own, |row| {
            carried.app_state_macs.push((row.get(0)?, row.get(1)?, row.get(2)?));
            Ok(())
        })
    }

    fn rest(&self, own: &str, taken: &mut Taken) -> Result<(), ImportProblem> {
        if self.has("whatsmeow_nct_salt", "salt")? {
            self.each("SELECT salt FROM whatsmeow_nct_salt WHERE our_jid = ?1", own, |row| {
                taken.carried.nct_salt = row.get(0)?;
                Ok(())
            })?;
        }
        if self.has("whatsmeow_message_secrets", "key")? {
            let sql = "SELECT chat_jid, sender_jid, message_id, key FROM whatsmeow_message_secrets \
                 WHERE our_jid = ?1";
            self.each(sql, own, |row| {
                let (chat, sender): (String, String) = (row.get(0)?, row.get(1)?);
                match (chat.parse(), sender.parse()) {
                    (Ok(chat), Ok(sender)) => {
                        taken.carried.message_secrets.push((chat, sender, row.get(2)?, row.get(3)?));
                    }
                    _ => taken.notes.leave_out("message secrets", "the address is not known"),
                }
                Ok(())
            })?;
        }
        let unused = [
            ("whatsmeow_contacts", "contacts", "names come again with the app state"),
            ("whatsmeow_chat_settings", "chat settings", "they come again with the app state"),
            ("whatsmeow_event_buffer", "buffered events", "their messages come again if they were not taken"),
            ("whatsmeow_retry_buffer", "messages for retries", "they cannot be sent under other keys"),
        ];
        for (table, what, why) in unused {
            if self.has(table, "our_jid")? {
                let sql = format!("SELECT count(*) FROM {table} WHERE our_jid = ?1");
                self.each(&sql, own, |row| {
                    let count: i64 = row.get(0)?;
                    taken.notes.leave_out_many(what, count.unsigned_abs(), why);
                    Ok(())
                })?;
            }
        }
        Ok(())
    }
}

fn device(row: &Row<'_>, own: &str) -> Result<Taken, ImportProblem> {
    let octets = |column, field| row.get::<_, Vec<u8>>(column).map_err(|_| malformed(field));
    let key = |column, field| octets(column, field)?.try_into().map_err(|_| malformed(field));
    let text = |column| row.get::<_, Option<String>>(column).ok().flatten().filter(|text| !text.is_empty());
    let phone = own.parse::<Jid>().map_err(|_| malformed("jid"))?.normalized();
    let lid = text(0).map(|lid| lid.parse::<Jid>()).transpose().map_err(|_| malformed("lid"))?;
    let lid = lid.map(|lid| lid.with_device(phone.device()));
    Ok(Taken {
        noise: pair(key(2, "noise_key")?, None, "noise_key")?,
        identity: pair(key(3, "identity_key")?, None, "identity_key")?,
        registration_id: row.get(1).map_err(|_| malformed("registration_id"))?,
        adv_secret: key(7, "adv_key")?,
        signed_pre_key: SignedPreKeyRow {
            id: row.get(5).map_err(|_| malformed("signed_pre_key_id"))?,
            pair: pair(key(4, "signed_pre_key")?, None, "signed_pre_key")?,
            signature: octets(6, "signed_pre_key_sig")?
                .try_into()
                .map_err(|_| malformed("signed_pre_key_sig"))?,
            created_at: taken::now(),
        },
        pre_keys: Vec::new(),
        unoffered_from: 1,
        next_pre_key_id: 1,
        phone,
        lid,
        signed_identity: SignedIdentity {
            details: octets(8, "adv_details")?,
            account_key: PublicKey::from_bytes(key(10, "adv_account_sig_key")?),
            account_signature: octets(9, "adv_account_sig")?,
            device_signature: octets(11, "adv_device_sig")?,
        },
        platform: text(12).unwrap_or_default(),
        business_name: text(13),
        push_name: text(14),
        routing_info: None,
        sessions: Default::default(),
        identities: Default::default(),
        sender_keys: Default::default(),
        phones: Default::default(),
        carried: Carried::default(),
        notes: Notes::default(),
    })
}

/// The device of a `USER:DEVICE`.
fn address_of(text: &str) -> Option<Jid> {
    let (user, number) = text.rsplit_once(':')?;
    taken::device(user, number)
}

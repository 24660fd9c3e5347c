//! Rows of accounts.

use rusqlite::{OptionalExtension as _, Row, params};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Unit, json, now_ms};
use crate::failure::{Failure, Problem};

/// An account as the server keeps it.
#[derive(Clone, Debug)]
pub(crate) struct AccountRow {
    pub(crate) id: String,
    pub(crate) number: i64,
    pub(crate) tenant: String,
    pub(crate) name: String,
    pub(crate) user: Option<i64>,
    /// The dialect that made it.
    pub(crate) dialect: String,
    /// The form of that dialect's answers.
    pub(crate) profile: String,
    pub(crate) settings: AccountSettings,
    pub(crate) standing: Standing,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
}

/// What acts on an account, whoever set it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct AccountSettings {
    /// Calls are declined.
    pub(crate) reject_calls: bool,
    /// What the caller is then told.
    pub(crate) call_text: String,
    /// Groups make no events.
    pub(crate) ignore_groups: bool,
    /// The account shows itself online.
    pub(crate) always_online: bool,
    /// Messages are marked as read when they come.
    pub(crate) read_messages: bool,
    /// Statuses are marked as seen when they come.
    pub(crate) read_status: bool,
    /// All of the history is asked for at linking.
    pub(crate) full_history: bool,
    /// What this server sends makes events of new messages too.
    pub(crate) echo_api_sends: bool,
    /// A proxy to the service, as an address.
    pub(crate) proxy: Option<String>,
    /// What the dialects keep of their own, each under its name.
    pub(crate) dialects: Map<String, Value>,
}

/// Who the account is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Standing {
    /// Address by phone number.
    pub(crate) phone: Option<String>,
    /// Address by hidden id.
    pub(crate) lid: Option<String>,
    /// Number of this device.
    pub(crate) device: u16,
    /// The name that it gives itself.
    pub(crate) push_name: Option<String>,
    /// Why the link ended, if it did.
    pub(crate) ended: Option<String>,
    /// The number that the service gave for it.
    pub(crate) ended_status: Option<u16>,
    /// When.
    pub(crate) ended_at: Option<i64>,
}

const COLUMNS: &str =
    "id, number, tenant, name, user, dialect, profile, settings, standing, created_at, updated_at";

fn row(row: &Row<'_>) -> rusqlite::Result<AccountRow> {
    Ok(AccountRow {
        id: row.get(0)?,
        number: row.get(1)?,
        tenant: row.get(2)?,
        name: row.get(3)?,
        user: row.get(4)?,
        dialect: row.get(5)?,
        profile: row.get(6)?,
        settings: json(&row.get::<_, String>(7)?),
        standing: json(&row.get::<_, String>(8)?),
        created_at: row.get(9)?,
        updated_at: row.get(10)?,
    })
}

/// Adds an account. Fails with [`Problem::Conflict`] if its tenant has one of that name.
pub(crate) fn insert(unit: &Unit<'_>, account: &mut AccountRow) -> Result<(), Failure> {
    let taken: bool = unit.query_row(
        "SELECT EXISTS (SELECT 1 FROM accounts WHERE tenant = ?1 AND name = ?2)",
        (&account.tenant, &account.name),
        |row| row.get(0),
    )?;
    if taken {
        return Err(Failure::new(Problem::Conflict, "an account of this name exists"));
    }
    unit.execute(
        "INSERT INTO accounts
             (id, tenant, name, user, dialect, profile, settings, standing, created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9)",
        params![
            account.id,
            account.tenant,
            account.name,
            account.user,
            account.dialect,
            account.profile,
            serde_json::to_string(&account.settings).unwrap_or_default(),
            serde_json::to_string(&account.standing).unwrap_or_default(),
            account.created_at,
        ],
    )?;
    account.number = unit.last_insert_rowid();
    Ok(())
}

/// All accounts, in the order in which they were made.
pub(crate) fn all(unit: &Unit<'_>) -> Result<Vec<AccountRow>, Failure> {
    let mut statement = unit.prepare_cached(&format!("SELECT {COLUMNS} FROM accounts ORDER BY number"))?;
    let rows = statement.query_map([], row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// One account.
pub(crate) fn find(unit: &Unit<'_>, id: &str) -> Result<Option<AccountRow>, Failure> {
    let sql = format!("SELECT {COLUMNS} FROM accounts WHERE id = ?1");
    Ok(unit.query_row(&sql, [id], row).optional()?)
}

/// Writes what may change of an account.
pub(crate) fn update(unit: &Unit<'_>, account: &AccountRow) -> Result<(), Failure> {
    unit.execute(
        "UPDATE accounts SET name = ?2, profile = ?3, settings = ?4, standing = ?5, updated_at = ?6 WHERE id = ?1",
        params![
            account.id,
            account.name,
            account.profile,
            serde_json::to_string(&account.settings).unwrap_or_default(),
            serde_json::to_string(&account.standing).unwrap_or_default(),
            now_ms(),
        ],
    )?;
    Ok(())
}

/// Removes an account and everything of it.
pub(crate) fn delete(unit: &Unit<'_>, id: &str) -> Result<(), Failure> {
    unit.execute("DELETE FROM accounts WHERE id = ?1", [id])?;
    Ok(())
}

//! Rows of keys and tenants. Keys are kept as hashes; those that have to be shown again are sealed too.

use std::collections::BTreeSet;

use rusqlite::{OptionalExtension as _, Row, params};

use super::{Unit, now_ms};
use crate::access::secret::{equal, hash, lookup};
use crate::access::{KeyKind, Scope};
use crate::failure::{Failure, Problem};

/// A key as it is kept.
#[derive(Clone, Debug)]
pub(crate) struct KeyRow {
    pub(crate) id: String,
    pub(crate) kind: KeyKind,
    pub(crate) tenant: String,
    pub(crate) account: Option<String>,
    pub(crate) user: Option<i64>,
    pub(crate) name: String,
    pub(crate) scopes: BTreeSet<Scope>,
    pub(crate) active: bool,
    pub(crate) sealed: Option<Vec<u8>>,
    pub(crate) created_at: i64,
    pub(crate) used_at: Option<i64>,
    pub(crate) expires_at: Option<i64>,
}

const COLUMNS: &str =
    "id, kind, tenant, account, user, name, scopes, active, sealed, created_at, used_at, expires_at";

fn row(row: &Row<'_>) -> rusqlite::Result<KeyRow> {
    let scopes: String = row.get(6)?;
    Ok(KeyRow {
        id: row.get(0)?,
        // An unknown kind of a newer server may do the least.
        kind: KeyKind::parse(&row.get::<_, String>(1)?).unwrap_or(KeyKind::Account),
        tenant: row.get(2)?,
        account: row.get(3)?,
        user: row.get(4)?,
        name: row.get(5)?,
        scopes: scopes.split(' ').filter_map(Scope::parse).collect(),
        active: row.get(7)?,
        sealed: row.get(8)?,
        created_at: row.get(9)?,
        used_at: row.get(10)?,
        expires_at: row.get(11)?,
    })
}

/// Adds a key. Fails with [`Problem::Conflict`] if somebody has this very text as a key.
pub(crate) fn insert(unit: &Unit<'_>, key: &KeyRow, text: &str) -> Result<(), Failure> {
    let hash = hash(text);
    let taken: bool =
        unit.query_row("SELECT EXISTS (SELECT 1 FROM keys WHERE hash = ?1)", [hash], |row| row.get(0))?;
    if taken {
        return Err(Failure::new(Problem::Conflict, "this key is in use"));
    }
    let scopes: Vec<_> = key.scopes.iter().map(|scope| scope.name()).collect();
    unit.execute(
        &format!(
            "INSERT INTO keys (lookup, hash, {COLUMNS})
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, NULL, ?13)"
        ),
        params![
            lookup(&hash),
            hash,
            key.id,
            key.kind.name(),
            key.tenant,
            key.account,
            key.user,
            key.name,
            scopes.join(" "),
            key.active,
            key.sealed,
            key.created_at,
            key.expires_at,
        ],
    )?;
    Ok(())
}

/// The key of this text, if it may be used now. It is searched by a part of its hash and compared in
/// constant time.
pub(crate) fn find_by_text(unit: &Unit<'_>, text: &str) -> Result<Option<KeyRow>, Failure> {
    let (wanted, now) = (hash(text), now_ms());
    let sql = format!("SELECT {COLUMNS}, hash FROM keys WHERE lookup = ?1");
    let mut statement = unit.prepare_cached(&sql)?;
    let rows =
        statement.query_map([lookup(&wanted)], |found| Ok((row(found)?, found.get::<_, [u8; 32]>(12)?)))?;
    for found in rows {
        let (key, hash) = found?;
        if equal(&hash, &wanted) && key.active && key.expires_at.is_none_or(|at| at > now) {
            // Once a minute is enough to tell a key that is used from one that is not.
            if key.used_at.is_none_or(|at| at < now - 60_000) {
                unit.execute("UPDATE keys SET used_at = ?2 WHERE id = ?1", (&key.id, now))?;
            }
            return Ok(Some(key));
        }
    }
    Ok(None)
}

/// Keys of a tenant, of all tenants, or of one account, oldest first.
pub(crate) fn list(
    unit: &Unit<'_>,
    tenant: Option<&str>,
    account: Option<&str>,
) -> Result<Vec<KeyRow>, Failure> {
    let sql = format!(
        "SELECT {COLUMNS} FROM keys
         WHERE (?1 IS NULL OR tenant = ?1) AND (?2 IS NULL OR account = ?2) ORDER BY created_at, id"
    );
    let mut statement = unit.prepare_cached(&sql)?;
    let rows = statement.query_map((tenant, account), row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// One key.
pub(crate) fn find(unit: &Unit<'_>, id: &str) -> Result<Option<KeyRow>, Failure> {
    let sql = format!("SELECT {COLUMNS} FROM keys WHERE id = ?1");
    Ok(unit.query_row(&sql, [id], row).optional()?)
}

/// Switches a key on or off, and names it.
pub(crate) fn update(unit: &Unit<'_>, id: &str, active: bool, name: &str) -> Result<(), Failure> {
    unit.execute("UPDATE keys SET active = ?2, name = ?3 WHERE id = ?1", (id, active, name))?;
    Ok(())
}

/// Removes a key.
pub(crate) fn delete(unit: &Unit<'_>, id: &str) -> Result<bool, Failure> {
    Ok(unit.execute("DELETE FROM keys WHERE id = ?1", [id])? > 0)
}

/// Removes the keys of an account.
pub(crate) fn delete_of_account(unit: &Unit<'_>, account: &str) -> Result<(), Failure> {
    unit.execute("DELETE FROM keys WHERE account = ?1", [account])?;
    Ok(())
}

/// A tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TenantRow {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) created_at: i64,
}

/// Adds a tenant.
pub(crate) fn insert_tenant(unit: &Unit<'_>, tenant: &TenantRow) -> Result<(), Failure> {
    let (id, name) = (&tenant.id, &tenant.name);
    unit.execute(
        "INSERT INTO tenants (id, name, created_at) VALUES (?1, ?2, ?3)",
        (id, name, tenant.created_at),
    )?;
    Ok(())
}

/// All tenants.
pub(crate) fn tenants(unit: &Unit<'_>) -> Result<Vec<TenantRow>, Failure> {
    let mut statement =
        unit.prepare_cached("SELECT id, name, created_at FROM tenants ORDER BY created_at, id")?;
    let rows = statement
        .query_map([], |row| Ok(TenantRow { id: row.get(0)?, name: row.get(1)?, created_at: row.get(2)? }))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Removes a tenant and everything of it; its accounts' files are the caller's business.
pub(crate) fn delete_tenant(unit: &Unit<'_>, id: &str) -> Result<bool, Failure> {
    Ok(unit.execute("DELETE FROM tenants WHERE id = ?1", [id])? > 0)
}

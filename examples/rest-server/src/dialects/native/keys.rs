//! Keys and tenants.

use std::collections::BTreeSet;

use axum::http::Method;

use super::forms::{CreatedKey, KeyPatch, KeyView, NewKey, NewTenant, Page, TenantView, parse_time};
use super::is_of_tenant;
use crate::access::{KeyKind, Principal, Scope, secret};
use crate::events::native::time;
use crate::failure::{Failure, Problem};
use crate::hosting::Hosting;
use crate::store::keys::{self, KeyRow, TenantRow};
use crate::store::{MAIN_TENANT, now_ms};
use crate::web::call::{Answer, Call, Reply};
use crate::web::route::{Gate, Route, route};

pub(super) fn routes() -> Vec<Route> {
    let gate = Gate::Key(Scope::Admin);
    let rows = vec![
        route(Method::POST, "/v1/keys", "create_key", gate, create)
            .about("Makes a key for a tenant or an account. It may do no more than the one that makes it.")
            .takes::<NewKey>()
            .answers::<CreatedKey>(201, "The key."),
        route(Method::GET, "/v1/keys", "list_keys", gate, list)
            .about("Lists the keys of the tenant; with the root key, of all tenants.")
            .answers::<Page<KeyView>>(200, "All of them."),
        route(Method::PATCH, "/v1/keys/{key}", "change_key", gate, change)
            .about("Names a key, or switches it on or off, which acts with the next request.")
            .takes::<KeyPatch>()
            .answers::<KeyView>(200, "The key as it is now."),
        route(Method::DELETE, "/v1/keys/{key}", "delete_key", gate, delete)
            .about("Removes a key.")
            .answers_nothing(204, "It is gone."),
        route(Method::POST, "/v1/tenants", "create_tenant", Gate::Root, create_tenant)
            .about("Makes a tenant. Tenants do not see each other.")
            .takes::<NewTenant>()
            .answers::<TenantView>(201, "The tenant."),
        route(Method::GET, "/v1/tenants", "list_tenants", Gate::Root, list_tenants)
            .about("Lists all tenants.")
            .answers::<Page<TenantView>>(200, "All of them."),
        route(Method::DELETE, "/v1/tenants/{tenant}", "delete_tenant", Gate::Root, delete_tenant)
            .about("Removes a tenant with its accounts and keys.")
            .answers_nothing(204, "It is gone."),
    ];
    rows.into_iter().map(|route| route.tag("Keys")).collect()
}

fn view(row: &KeyRow) -> KeyView {
    KeyView {
        id: row.id.clone(),
        kind: row.kind.name(),
        name: row.name.clone(),
        tenant: row.tenant.clone(),
        account: row.account.clone(),
        scopes: row.scopes.iter().map(|scope| scope.name()).collect(),
        active: row.active,
        created_at: time(row.created_at),
        used_at: row.used_at.map(time),
        expires_at: row.expires_at.map(time),
    }
}

fn scopes(named: Option<Vec<String>>, principal: &Principal) -> Result<BTreeSet<Scope>, Failure> {
    let Some(named) = named else {
        let all = Scope::ALL.into_iter().filter(|scope| *scope != Scope::Admin && principal.may(*scope));
        return Ok(all.collect());
    };
    let scope = |name: &String| {
        let scope = Scope::parse(name)
            .ok_or_else(|| Failure::field("scopes", format!("has an unknown scope: {name}")))?;
        if principal.may(scope) {
            Ok(scope)
        } else {
            Err(Failure::new(Problem::Forbidden, format!("the key itself lacks the scope {name}")))
        }
    };
    named.iter().map(scope).collect()
}

async fn create(call: Call) -> Answer {
    let form: NewKey = call.body()?;
    let principal = call.principal()?;
    let scopes = scopes(form.scopes, principal)?;
    let (kind, tenant, account) = match form.account {
        Some(id) => {
            let account =
                call.server.hosting.get(&id).filter(|account| principal.sees(&account.tenant, &account.id));
            let account =
                account.ok_or_else(|| Failure::new(Problem::AccountNotFound, "there is no such account"))?;
            (KeyKind::Account, account.tenant.clone(), Some(id))
        }
        None if !is_of_tenant(principal.kind) => {
            return Err(Failure::new(Problem::Forbidden, "the key makes keys of its own account only"));
        }
        None => {
            let tenant = form.tenant.unwrap_or_else(|| principal.tenant.clone());
            if principal.kind != KeyKind::Root && tenant != principal.tenant {
                return Err(Failure::new(Problem::Forbidden, "the key is of another tenant"));
            }
            (KeyKind::Tenant, tenant, None)
        }
    };
    let text = secret::new_key(kind).map_err(|error| Failure::internal(&error))?;
    let row = KeyRow {
        id: uuid::Uuid::new_v4().to_string(),
        kind,
        tenant,
        sealed: account.as_ref().and_then(|account| call.server.seal.close(&text, account)),
        account,
        user: None,
        name: form.name,
        scopes,
        active: true,
        created_at: now_ms(),
        used_at: None,
        expires_at: form.expires_at.map(|text| parse_time("expiresAt", &text)).transpose()?,
    };
    let (kept, key) = (row.clone(), text.clone());
    let unit = call.server.store.unit(move |unit| {
        if !keys::tenants(unit)?.iter().any(|tenant| tenant.id == kept.tenant) {
            return Err(Failure::missing("tenant"));
        }
        keys::insert(unit, &kept, &key)
    });
    unit.await?;
    Reply::json(201, &CreatedKey { row: view(&row), key: text })
}

/// The tenant whose keys are seen; `None`: all.
fn tenant_of(principal: &Principal) -> Option<String> {
    (principal.kind != KeyKind::Root).then(|| principal.tenant.clone())
}

async fn list(call: Call) -> Answer {
    let principal = call.principal()?;
    let (tenant, account) = (tenant_of(principal), principal.account.clone());
    let unit = move |unit: &crate::store::Unit<'_>| keys::list(unit, tenant.as_deref(), account.as_deref());
    let rows = call.server.store.unit(unit).await?;
    Reply::json(200, &Page { items: rows.iter().map(view).collect(), next: None })
}

async fn find(call: &Call) -> Result<KeyRow, Failure> {
    let (id, principal) = (call.path("key")?.to_owned(), call.principal()?.clone());
    let row = call.server.store.unit(move |unit| keys::find(unit, &id)).await?;
    let seen = row.filter(|row| match &row.account {
        Some(account) => principal.sees(&row.tenant, account),
        None => principal.account.is_none() && principal.sees(&row.tenant, ""),
    });
    seen.ok_or_else(|| Failure::missing("key"))
}

async fn change(call: Call) -> Answer {
    let mut row = find(&call).await?;
    let form: KeyPatch = call.body()?;
    row.active = form.active.unwrap_or(row.active);
    row.name = form.name.unwrap_or(row.name);
    let (id, active, name) = (row.id.clone(), row.active, row.name.clone());
    call.server.store.unit(move |unit| keys::update(unit, &id, active, &name)).await?;
    Reply::json(200, &view(&row))
}

async fn delete(call: Call) -> Answer {
    let row = find(&call).await?;
    call.server.store.unit(move |unit| keys::delete(unit, &row.id)).await?;
    Ok(Reply::empty(204))
}

async fn create_tenant(call: Call) -> Answer {
    let form: NewTenant = call.body()?;
    let row = TenantRow { id: uuid::Uuid::new_v4().to_string(), name: form.name, created_at: now_ms() };
    let kept = row.clone();
    call.server.store.unit(move |unit| keys::insert_tenant(unit, &kept)).await?;
    Reply::json(201, &tenant_view(&row))
}

fn tenant_view(row: &TenantRow) -> TenantView {
    TenantView { id: row.id.clone(), name: row.name.clone(), created_at: time(row.created_at) }
}

async fn list_tenants(call: Call) -> Answer {
    let rows = call.server.store.unit(keys::tenants).await?;
    Reply::json(200, &Page { items: rows.iter().map(tenant_view).collect(), next: None })
}

async fn delete_tenant(call: Call) -> Answer {
    let tenant = call.path("tenant")?.to_owned();
    if tenant == MAIN_TENANT {
        return Err(Failure::new(Problem::Forbidden, "the main tenant stays"));
    }
    for account in call.server.hosting.all().into_iter().filter(|account| account.tenant == tenant) {
        Hosting::delete(&call.server, &account).await?;
    }
    match call.server.store.unit(move |unit| keys::delete_tenant(unit, &tenant)).await? {
        true => Ok(Reply::empty(204)),
        false => Err(Failure::missing("tenant")),
    }
}

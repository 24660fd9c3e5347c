//! Accounts and linking.

use std::time::Duration;

use axum::http::{Method, header};

use super::forms::{
    AccountPatch, AccountView, CreatedAccount, LinkMethod, LinkRequest, LinkView, NewAccount, Page,
};
use super::is_of_tenant;
use crate::access::{KeyKind, Scope};
use crate::commands::linking;
use crate::failure::{Failure, Problem};
use crate::hosting::{Hosting, NewAccount as Made};
use crate::store::accounts::AccountSettings;
use crate::web::call::{Answer, Call, Reply};
use crate::web::route::{Gate, Route, route};

/// How long a request waits for the first code, and for a connection.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) fn routes() -> Vec<Route> {
    let account = "/v1/accounts/{account}";
    vec![
        route(Method::POST, "/v1/accounts", "create_account", Gate::Key(Scope::Manage), create)
            .tag("Accounts")
            .about("Makes an account. It is not linked to a phone yet.")
            .takes::<NewAccount>()
            .answers::<CreatedAccount>(201, "The account and its key."),
        route(Method::GET, "/v1/accounts", "list_accounts", Gate::Key(Scope::Read), list)
            .tag("Accounts")
            .about("Lists the accounts that the key sees, oldest first.")
            .query::<u32>("limit", "At most so many, 1 to 500; 100 if absent.")
            .query::<String>("cursor", "`next` of the page before.")
            .answers::<Page<AccountView>>(200, "A page of them."),
        route(Method::GET, account, "get_account_row", Gate::Account(Scope::Read), get)
            .tag("Accounts")
            .about("Tells of one account.")
            .answers::<AccountView>(200, "The account."),
        route(Method::PATCH, account, "change_account", Gate::Account(Scope::Manage), change)
            .tag("Accounts")
            .about("Changes an account's name, settings or profile.")
            .takes::<AccountPatch>()
            .answers::<AccountView>(200, "The account as it is now."),
        route(Method::DELETE, account, "delete_account", Gate::Account(Scope::Manage), delete)
            .tag("Accounts")
            .about("Ends an account: its link, its keys, and everything that is kept of it.")
            .answers_nothing(204, "It is gone."),
        route(Method::GET, format!("{account}/state"), "get_state", Gate::Account(Scope::Read), state)
            .tag("Accounts")
            .about("Tells how an account's link stands.")
            .answers::<LinkView>(200, "How it stands."),
        route(Method::POST, format!("{account}/link"), "link_account", Gate::Account(Scope::Link), link)
            .tag("Linking")
            .about("Begins linking to a phone, by a QR code to be scanned or a code to be typed there.")
            .takes::<LinkRequest>()
            .answers::<LinkView>(
                202,
                "The code. Follow the account's events, or ask again, for the next ones.",
            ),
        route(Method::GET, format!("{account}/link"), "get_link", Gate::Account(Scope::Link), shown)
            .tag("Linking")
            .about("Shows the code; as a picture with `Accept: image/png`.")
            .answers::<LinkView>(200, "How linking stands.")
            .answers_with(200, "image/png", "The QR code."),
        route(Method::DELETE, format!("{account}/link"), "cancel_link", Gate::Account(Scope::Link), cancel)
            .tag("Linking")
            .about("Stops linking. Fails if the account is linked.")
            .answers_nothing(204, "It is stopped."),
        route(
            Method::POST,
            format!("{account}/connect"),
            "connect_account",
            Gate::Account(Scope::Link),
            connect,
        )
        .tag("Accounts")
        .about("Connects a linked account, and waits for it up to ten seconds.")
        .answers::<LinkView>(200, "How it stands."),
        route(
            Method::POST,
            format!("{account}/disconnect"),
            "disconnect_account",
            Gate::Account(Scope::Link),
            away,
        )
        .tag("Accounts")
        .about("Ends the connection until `connect`. The link stays.")
        .answers::<LinkView>(200, "How it stands."),
        route(
            Method::POST,
            format!("{account}/unlink"),
            "unlink_account",
            Gate::Account(Scope::Link),
            unlink,
        )
        .tag("Linking")
        .about("Ends the link: the phone forgets this device. The account stays.")
        .answers::<LinkView>(200, "How it stands."),
        route(
            Method::POST,
            format!("{account}/key"),
            "renew_account_key",
            Gate::Account(Scope::Manage),
            new_key,
        )
        .tag("Keys")
        .about("Gives the account a new key in place of all that it has.")
        .answers::<CreatedAccount>(201, "The account and its new key."),
    ]
}

async fn create(call: Call) -> Answer {
    let form: NewAccount = call.body()?;
    let principal = call.principal()?;
    if !is_of_tenant(principal.kind) && principal.kind != KeyKind::Personal {
        return Err(Failure::new(Problem::Forbidden, "the key of an account makes no accounts"));
    }
    let tenant = match form.tenant {
        Some(tenant) if principal.kind == KeyKind::Root || tenant == principal.tenant => tenant,
        Some(_) => return Err(Failure::new(Problem::Forbidden, "the key is of another tenant")),
        None => principal.tenant.clone(),
    };
    let mut settings = AccountSettings::default();
    form.settings.unwrap_or_default().merge(&mut settings);
    let profile = form
        .profile
        .map_or_else(|| call.server.settings.evolution_profile.clone(), |it| it.name().to_owned());
    let new = Made {
        tenant,
        name: form.name,
        user: principal.user,
        dialect: "native",
        profile,
        settings,
        key: None,
    };
    let (account, key) = Hosting::create(&call.server, new).await?;
    Reply::json(201, &CreatedAccount { account: AccountView::of(&account), key })
}

async fn list(call: Call) -> Answer {
    let limit = call.query_number::<usize>("limit")?.unwrap_or(100).clamp(1, 500);
    let after = call.query_number::<i64>("cursor")?.unwrap_or(0);
    let mut seen = call.server.hosting.seen_by(call.principal()?);
    seen.retain(|account| account.number > after);
    let more = seen.len() > limit;
    seen.truncate(limit);
    let next = seen.last().filter(|_| more).map(|account| account.number.to_string());
    Reply::json(200, &Page { items: seen.iter().map(|account| AccountView::of(account)).collect(), next })
}

async fn get(call: Call) -> Answer {
    Reply::json(200, &AccountView::of(call.account()?.as_ref()))
}

async fn change(call: Call) -> Answer {
    let account = call.account()?;
    let form: AccountPatch = call.body()?;
    if let Some(name) = &form.name {
        let same = |other: &&std::sync::Arc<crate::hosting::Account>| {
            other.tenant == account.tenant && other.id != account.id && other.name() == *name
        };
        if call.server.hosting.all().iter().any(|other| same(&other)) {
            return Err(Failure::new(Problem::Conflict, "an account of this name exists"));
        }
    }
    let changed = account.change(|row| {
        if let Some(name) = form.name {
            row.name = name;
        }
        if let Some(profile) = form.profile {
            row.profile = profile.name().to_owned();
        }
        if let Some(settings) = form.settings {
            settings.merge(&mut row.settings);
        }
    });
    changed.await?;
    Reply::json(200, &AccountView::of(&account))
}

async fn delete(call: Call) -> Answer {
    Hosting::delete(&call.server, &call.account()?).await?;
    Ok(Reply::empty(204))
}

async fn state(call: Call) -> Answer {
    Reply::json(200, &LinkView::of(call.account()?.as_ref()))
}

async fn link(call: Call) -> Answer {
    let account = call.account()?;
    let form: LinkRequest = call.body()?;
    match form.method {
        LinkMethod::Qr => {
            linking::qr(&account, PATIENCE).await?;
        }
        LinkMethod::Code => {
            let phone = form.phone.ok_or_else(|| Failure::field("phone", "is required"))?;
            linking::code(&account, &phone).await?;
        }
    }
    Reply::json(202, &LinkView::of(&account))
}

async fn shown(call: Call) -> Answer {
    let account = call.account()?;
    let wants_picture = call.header("accept").is_some_and(|kinds| kinds.contains("image/png"));
    if !wants_picture {
        return Reply::json(200, &LinkView::of(&account));
    }
    let qr = account.state().qr.ok_or_else(|| Failure::new(Problem::NotFound, "no QR code is shown"))?;
    Ok(Reply::octets(200, "image/png", linking::png(&qr.text)?).header(header::CACHE_CONTROL, "no-store"))
}

async fn cancel(call: Call) -> Answer {
    let account = call.account()?;
    if account.is_linked() {
        return Err(Failure::new(Problem::Conflict, "the account is linked to a phone"));
    }
    linking::stay_away(&account).await?;
    Ok(Reply::empty(204))
}

async fn connect(call: Call) -> Answer {
    let account = call.account()?;
    linking::connect(&account, PATIENCE).await?;
    Reply::json(200, &LinkView::of(&account))
}

async fn away(call: Call) -> Answer {
    let account = call.account()?;
    if !account.is_linked() {
        return Err(Failure::new(Problem::NotLinked, "the account is not linked to a phone"));
    }
    linking::stay_away(&account).await?;
    Reply::json(200, &LinkView::of(&account))
}

async fn unlink(call: Call) -> Answer {
    let account = call.account()?;
    linking::unlink(&account).await?;
    Reply::json(200, &LinkView::of(&account))
}

async fn new_key(call: Call) -> Answer {
    let account = call.account()?;
    let key = Hosting::new_key(&call.server, &account).await?;
    Reply::json(201, &CreatedAccount { account: AccountView::of(&account), key })
}

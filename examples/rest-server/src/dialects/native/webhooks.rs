//! Webhooks, their deliveries, and replays.

use std::sync::Arc;

use axum::http::Method;
use serde_json::Value;

use super::forms::{Page, ReplayForm, Replayed, WebhookForm, WebhookView, parse_time};
use super::is_type;
use crate::access::Scope;
use crate::delivery::{self, Deliveries, new_webhook, no_webhook};
use crate::events::native::time;
use crate::failure::{Failure, Problem};
use crate::store::now_ms;
use crate::store::webhooks::{self, WebhookRow};
use crate::web::call::{Answer, Call, Reply};
use crate::web::route::{Gate, Route, route};

pub(super) fn routes() -> Vec<Route> {
    let one = "/v1/webhooks/{webhook}";
    let gate = Gate::Key(Scope::Manage);
    let rows = vec![
        route(Method::POST, "/v1/webhooks", "create_webhook", gate, create)
            .about("Makes a webhook: events are posted to its address, at least once, in order within each chat.")
            .takes::<WebhookForm>()
            .answers::<WebhookView>(201, "The webhook."),
        route(Method::GET, "/v1/webhooks", "list_webhooks", gate, list)
            .about("Lists the webhooks that the key sees.")
            .answers::<Page<WebhookView>>(200, "All of them."),
        route(Method::GET, one, "get_webhook", gate, get)
            .about("Tells of one webhook.")
            .answers::<WebhookView>(200, "The webhook."),
        route(Method::PATCH, one, "change_webhook", gate, change)
            .about("Changes a webhook.")
            .takes::<WebhookForm>()
            .answers::<WebhookView>(200, "The webhook as it is now."),
        route(Method::DELETE, one, "delete_webhook", gate, delete)
            .about("Removes a webhook and what waits for it.")
            .answers_nothing(204, "It is gone."),
        route(Method::POST, format!("{one}/resume"), "resume_webhook", gate, resume)
            .about("Lets a webhook go on that was paused because it failed for too long.")
            .answers::<WebhookView>(200, "The webhook."),
        route(Method::GET, format!("{one}/deliveries"), "list_deliveries", gate, deliveries)
            .about("Lists deliveries, newest first.")
            .query::<String>("state", "Only those that are `pending`, `delivered` or `dead`.")
            .query::<String>("cursor", "`next` of the page before.")
            .query::<u32>("limit", "At most so many, 1 to 500; 100 if absent.")
            .answers::<Page<Value>>(200, "A page of them."),
        route(Method::POST, format!("{one}/deliveries/{{delivery}}/replay"), "replay_delivery", gate, replay_one)
            .about("Delivers an event again.")
            .answers::<Replayed>(202, "It is due."),
        route(Method::POST, format!("{one}/replay"), "replay_deliveries", gate, replay)
            .about("Delivers again what could not be delivered, all of it or that of a time.")
            .takes::<ReplayForm>()
            .body_optional()
            .answers::<Replayed>(202, "They are due."),
    ];
    rows.into_iter().map(|route| route.tag("Webhooks")).collect()
}

fn view(row: &WebhookRow) -> WebhookView {
    WebhookView {
        id: row.id.clone(),
        account: row.account.clone(),
        dialect: row.dialect.clone(),
        url: row.url.clone(),
        events: row.events.clone(),
        headers: row.headers.keys().cloned().collect(),
        enabled: row.enabled,
        paused: row.paused,
        failing_since: row.failing_since.map(time),
        signed: row.secret.is_some(),
        created_at: time(row.created_at),
        updated_at: time(row.updated_at),
    }
}

/// The webhook that a request names, if its key sees it.
fn find(call: &Call) -> Result<Arc<WebhookRow>, Failure> {
    let principal = call.principal()?;
    let webhook = call.server.deliveries.get(call.path("webhook")?).ok_or_else(no_webhook)?;
    let seen = match &webhook.account {
        Some(account) => principal.sees(&webhook.tenant, account),
        // Those of a whole tenant are no business of the key of one account.
        None => principal.account.is_none() && principal.sees(&webhook.tenant, ""),
    };
    if seen { Ok(webhook) } else { Err(no_webhook()) }
}

fn fill(row: &mut WebhookRow, form: WebhookForm) -> Result<(), Failure> {
    if let Some(events) = form.events {
        // Those of other dialects have names of their own.
        if row.dialect == "native"
            && let Some(unknown) = events.iter().find(|name| !is_type(name))
        {
            return Err(Failure::field("events", format!("has an unknown type: {unknown}")));
        }
        row.events = events;
    }
    if let Some(headers) = form.headers {
        for (name, value) in &headers {
            let named = name.parse::<axum::http::HeaderName>().is_ok();
            if !named || axum::http::HeaderValue::from_str(value).is_err() {
                return Err(Failure::field("headers", format!("{name} is not a header")));
            }
        }
        row.headers = headers;
    }
    row.url = form.url.unwrap_or_else(|| row.url.clone());
    row.enabled = form.enabled.unwrap_or(row.enabled);
    if let Some(secret) = form.secret {
        row.former_secret = row.secret.take();
        row.secret = (!secret.is_empty()).then_some(secret);
        if row.secret.is_none() {
            row.former_secret = None;
        }
    }
    row.updated_at = now_ms();
    Ok(())
}

async fn create(call: Call) -> Answer {
    let form: WebhookForm = call.body()?;
    let principal = call.principal()?;
    let url = form.url.clone().ok_or_else(|| Failure::field("url", "is required"))?;
    let account = match (&form.account, &principal.account) {
        (Some(id), _) => {
            let account =
                call.server.hosting.get(id).filter(|account| principal.sees(&account.tenant, &account.id));
            Some(account.ok_or_else(|| Failure::new(Problem::AccountNotFound, "there is no such account"))?)
        }
        (None, Some(own)) => call.server.hosting.get(own),
        (None, None) => None,
    };
    let tenant = account.as_ref().map_or_else(|| principal.tenant.clone(), |account| account.tenant.clone());
    let mut row = new_webhook(&tenant, account.as_ref().map(|account| account.id.as_str()), "native", &url);
    fill(&mut row, form)?;
    let row = Deliveries::put(&call.server, row).await?;
    Reply::json(201, &view(&row))
}

async fn list(call: Call) -> Answer {
    let principal = call.principal()?;
    let seen = |webhook: &Arc<WebhookRow>| match &webhook.account {
        Some(account) => principal.sees(&webhook.tenant, account),
        None => principal.account.is_none() && principal.sees(&webhook.tenant, ""),
    };
    let items = call.server.deliveries.all().into_iter().filter(seen).map(|row| view(&row)).collect();
    Reply::json(200, &Page { items, next: None })
}

async fn get(call: Call) -> Answer {
    Reply::json(200, &view(find(&call)?.as_ref()))
}

async fn change(call: Call) -> Answer {
    let mut row = (*find(&call)?).clone();
    let form: WebhookForm = call.body()?;
    if form.account.is_some() && form.account != row.account {
        return Err(Failure::field("account", "cannot be changed"));
    }
    fill(&mut row, form)?;
    Reply::json(200, &view(Deliveries::put(&call.server, row).await?.as_ref()))
}

async fn delete(call: Call) -> Answer {
    Deliveries::remove(&call.server, &find(&call)?.id).await?;
    Ok(Reply::empty(204))
}

async fn resume(call: Call) -> Answer {
    let row = find(&call)?;
    Reply::json(200, &view(delivery::resume(&call.server, &row).await?.as_ref()))
}

async fn deliveries(call: Call) -> Answer {
    let webhook = find(&call)?.id.clone();
    let state = call.query("state").map(str::to_owned);
    if state.as_deref().is_some_and(|state| !["pending", "delivered", "dead"].contains(&state)) {
        return Err(Failure::field("state", "is not one of pending, delivered and dead"));
    }
    let before = call.query_number::<i64>("cursor")?;
    let limit = call.query_number::<u32>("limit")?.unwrap_or(100).clamp(1, 500);
    let unit = move |unit: &crate::store::Unit<'_>| {
        webhooks::deliveries(unit, &webhook, state.as_deref(), before, limit)
    };
    let rows = call.server.store.unit(unit).await?;
    let full = u32::try_from(rows.len()).is_ok_and(|count| count == limit);
    let next = rows.last().filter(|_| full).map(|row| row.id.to_string());
    Reply::json(200, &Page { items: rows.iter().map(delivery::render).collect::<Vec<Value>>(), next })
}

async fn replay_one(call: Call) -> Answer {
    let webhook = find(&call)?.id.clone();
    let id = call.path("delivery")?.parse().map_err(|_| Failure::missing("delivery"))?;
    let unit = move |unit: &crate::store::Unit<'_>| webhooks::replay(unit, &webhook, Some(id), None, None);
    match call.server.store.unit(unit).await? {
        0 => Err(Failure::missing("delivery that has ended")),
        deliveries => {
            call.server.deliveries.wake();
            Reply::json(202, &Replayed { deliveries })
        }
    }
}

async fn replay(call: Call) -> Answer {
    let webhook = find(&call)?.id.clone();
    let form: ReplayForm = call.body()?;
    let from = form.from.map(|text| parse_time("from", &text)).transpose()?;
    let to = form.to.map(|text| parse_time("to", &text)).transpose()?;
    let unit = move |unit: &crate::store::Unit<'_>| webhooks::replay(unit, &webhook, None, from, to);
    let deliveries = call.server.store.unit(unit).await?;
    call.server.deliveries.wake();
    Reply::json(202, &Replayed { deliveries })
}

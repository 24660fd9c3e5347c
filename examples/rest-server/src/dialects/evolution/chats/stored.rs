//! Stored messages.

use axum::http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::Profile;
use super::super::forms::KeyForm;
use super::super::record::{Said, address, of_content, record, status_word, text};
use super::{MOST, path};
use crate::access::Scope;
use crate::commands::recipients::{self, Named};
use crate::failure::Failure;
use crate::hosting::Account;
use crate::web::call::{Answer, Call, Reply};
use crate::web::route::{Gate, Origin, Route, route};

pub(super) fn routes() -> Vec<Route> {
    let gate = Gate::Account(Scope::Read);
    vec![
        route(Method::POST, path("findMessages"), "findMessages", gate, find_messages)
            .about("Finds stored messages, newest first.")
            .origin(Origin::Stated)
            .native("find_messages")
            .takes::<FindMessages>()
            .body_optional()
            .answers::<Value>(200, "A page of records."),
        route(Method::POST, path("findStatusMessage"), "findStatusMessage", gate, statuses)
            .about("Tells how far messages are.")
            .origin(Origin::Project)
            .native("find_messages")
            .takes::<FindMessages>()
            .body_optional()
            .answers::<Value>(200, "How far they are."),
    ]
}

/// Which messages.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
struct FindMessages {
    /// What they have to be.
    #[serde(rename = "where")]
    place: Where,
    /// The page, from 1.
    page: Option<usize>,
    /// How many are on a page.
    offset: Option<usize>,
    /// At most so many, the newest ones.
    limit: Option<usize>,
}

/// What messages have to be.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
struct Where {
    /// The message of this id.
    id: Option<String>,
    /// Those with this key.
    key: Option<KeyForm>,
    /// Those of this chat, as other versions write it.
    remote_jid: Option<String>,
    /// Those of this kind, such as `conversation`.
    message_type: Option<String>,
    /// Those of this time.
    message_timestamp: Option<Between>,
}

/// A time.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
struct Between {
    /// From then on: seconds since 1970, or RFC 3339.
    gte: Option<Value>,
    /// Until then.
    lte: Option<Value>,
}

fn seconds(value: Option<&Value>) -> Option<i64> {
    match value? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => {
            text.parse().ok().or_else(|| text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second))
        }
        _ => None,
    }
}

/// All rows that an operation of the archive finds, up to a number.
pub(in super::super) async fn all(
    account: &Account,
    operation: &str,
    mut request: Map<String, Value>,
    most: usize,
) -> Result<Vec<Value>, Failure> {
    let mut found = Vec::new();
    request.insert("limit".to_owned(), Value::from(most.clamp(1, 500)));
    loop {
        let page = account.operation(operation, Value::Object(request.clone())).await?;
        found.extend(page.get("items").and_then(Value::as_array).into_iter().flatten().cloned());
        let next = page.get("next").filter(|next| next.is_string()).cloned();
        match next {
            Some(next) if found.len() < most.min(MOST) => {
                request.insert("cursor".to_owned(), next);
            }
            _ => return Ok(found),
        }
    }
}

/// The rows that a request means.
async fn matching(call: &Call, form: &FindMessages, most: usize) -> Result<Vec<Value>, Failure> {
    let account = call.account()?;
    let key = form.place.key.clone().unwrap_or_default();
    let mut request = Map::new();
    let chat =
        key.remote_jid.clone().or_else(|| form.place.remote_jid.clone()).filter(|chat| !chat.is_empty());
    if let Some(chat) = chat {
        // A chat that cannot be is one without messages.
        let Some(named) = recipients::read(&chat) else { return Ok(Vec::new()) };
        let (Named::Address(address) | Named::Number(address)) = named;
        request.insert("chat".to_owned(), Value::from(address));
    }
    if let Some(id) = key.id.clone().or_else(|| form.place.id.clone()) {
        request.insert("messageId".to_owned(), Value::from(id));
    }
    if let Some(between) = &form.place.message_timestamp {
        if let Some(after) = seconds(between.gte.as_ref()) {
            request.insert("after".to_owned(), Value::from(after));
        }
        if let Some(until) = seconds(between.lte.as_ref()) {
            request.insert("before".to_owned(), Value::from(until + 1));
        }
    }
    let narrows = key.from_me.is_some() || form.place.message_type.is_some();
    let mut rows = all(&account, "find_messages", request, if narrows { MOST } else { most }).await?;
    rows.retain(|row| {
        let from_me = row.get("fromMe").and_then(Value::as_bool);
        let of_sender = key.from_me.is_none_or(|wanted| from_me == Some(wanted));
        let kind = form.place.message_type.as_ref();
        of_sender && kind.is_none_or(|wanted| said(row).kind == *wanted)
    });
    Ok(rows)
}

/// What a stored message says.
pub(super) fn said(row: &Value) -> Said {
    of_content(
        row.get("content").unwrap_or(&Value::Null),
        row.get("context").and_then(|context| context.get("quoted")),
    )
}

/// The record of a stored message.
pub(in super::super) fn stored(row: &Value, account: &Account) -> Value {
    let status = text(row, "/status").map(status_word);
    let mut record = record(row, said(row), &account.row(), None);
    if let Some(members) = record.as_object_mut() {
        members.insert("id".to_owned(), row.get("messageId").cloned().unwrap_or(Value::Null));
        let updates: Vec<_> = status.into_iter().map(|status| json!({"status": status})).collect();
        members.insert("MessageUpdate".to_owned(), Value::Array(updates));
    }
    record
}

async fn find_messages(call: Call) -> Answer {
    let form: FindMessages = call.body()?;
    let account = call.account()?;
    let (page, size) = (form.page.unwrap_or(1).max(1), form.offset.unwrap_or(50).clamp(1, 500));
    let paged = form.page.is_some() || form.offset.is_some();
    let profile = Profile::of(&account.profile());
    if profile == Profile::V1 || (form.limit.is_some() && !paged) {
        let limit = form.limit.unwrap_or(if profile == Profile::V1 { MOST } else { 50 });
        let rows = matching(&call, &form, limit).await?;
        let records: Vec<_> = rows.iter().take(limit).map(|row| stored(row, &account)).collect();
        return Reply::json(200, &records);
    }
    let rows = matching(&call, &form, MOST).await?;
    let total = rows.len();
    let records: Vec<_> =
        rows.iter().skip((page - 1) * size).take(size).map(|row| stored(row, &account)).collect();
    Reply::json(
        200,
        &json!({"messages": {
            "total": total, "pages": total.div_ceil(size), "currentPage": page, "records": records,
        }}),
    )
}

async fn statuses(call: Call) -> Answer {
    let form: FindMessages = call.body()?;
    let account = call.account()?;
    let (page, size) = (form.page.unwrap_or(1).max(1), form.offset.unwrap_or(50).clamp(1, 500));
    let rows = matching(&call, &form, MOST).await?;
    let told = rows.iter().filter(|row| row.get("status").is_some_and(|status| !status.is_null()));
    let updates = told.skip((page - 1) * size).take(size).map(|row| {
        json!({
            "keyId": row.get("messageId"), "remoteJid": address(row.get("chat")), "fromMe": row.get("fromMe"),
            "status": status_word(text(row, "/status").unwrap_or_default()), "instanceId": account.id,
        })
    });
    Reply::json(200, &updates.collect::<Vec<_>>())
}

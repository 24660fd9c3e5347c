//! Contacts and chats.

use std::sync::Arc;

use axum::http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::record::{address, text};
use super::stored::{all, stored};
use super::{MOST, path};
use crate::access::Scope;
use crate::commands::recipients::{self, Named};
use crate::events::native::time;
use crate::failure::Failure;
use crate::hosting::Account;
use crate::web::call::{Answer, Call, Reply};
use crate::web::route::{Gate, Origin, Route, route};

pub(super) fn routes() -> Vec<Route> {
    let gate = Gate::Account(Scope::Read);
    let find_chats = |method: Method| {
        route(method, path("findChats"), "findChats", gate, chats)
            .about("Lists chats, the one with the newest message first.")
            .origin(Origin::Project)
            .native("find_chats")
            .answers::<Value>(200, "The chats.")
    };
    vec![
        route(Method::POST, path("findContacts"), "findContacts", gate, contacts)
            .about("Lists contacts.")
            .origin(Origin::Project)
            .native("find_contacts")
            .takes::<FindForm>()
            .body_optional()
            .answers::<Value>(200, "The contacts."),
        find_chats(Method::POST).takes::<FindForm>().body_optional(),
        find_chats(Method::GET).alias(),
        route(Method::GET, path("findChatByRemoteJid"), "findChatByRemoteJid", gate, chat)
            .about("Tells of one chat.")
            .origin(Origin::Project)
            .native("find_chats")
            .query::<String>("remoteJid", "Its address.")
            .answers::<Value>(200, "The chat, or null."),
    ]
}

/// Which rows.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
struct FindForm {
    /// What they have to be.
    #[serde(rename = "where")]
    place: FindWhere,
    /// The page, from 1.
    page: Option<usize>,
    /// How many are on a page.
    offset: Option<usize>,
    /// At most so many.
    take: Option<usize>,
    /// So many are passed over.
    skip: Option<usize>,
}

/// What rows have to be.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
struct FindWhere {
    /// Of this address.
    remote_jid: Option<String>,
    /// Of this id, which is an address too.
    id: Option<String>,
    /// Of this name.
    push_name: Option<String>,
}

impl FindForm {
    fn window(&self) -> (usize, usize) {
        let size = self.offset.or(self.take).unwrap_or(MOST);
        (self.skip.unwrap_or_else(|| self.page.unwrap_or(1).saturating_sub(1).saturating_mul(size)), size)
    }

    fn address(&self) -> Option<String> {
        let text = self.place.remote_jid.as_deref().or(self.place.id.as_deref())?;
        match recipients::read(text)? {
            Named::Address(address) | Named::Number(address) => Some(address),
        }
    }
}

async fn contacts(call: Call) -> Answer {
    let form: FindForm = call.body()?;
    let account = call.account()?;
    let mut request = Map::new();
    if let Some(person) = form.address() {
        request.insert("person".to_owned(), Value::from(person));
    }
    if let Some(name) = &form.place.push_name {
        request.insert("name".to_owned(), Value::from(name.as_str()));
    }
    let (skip, take) = form.window();
    let rows = all(&account, "find_contacts", request, MOST).await?;
    let shown = rows.iter().skip(skip).take(take).map(|row| shown_contact(&account, row));
    Reply::json(200, &shown.collect::<Vec<_>>())
}

/// A contact in a list.
pub(in super::super) fn shown_contact(account: &Account, row: &Value) -> Value {
    let name = ["name", "pushName", "firstName"].iter().find_map(|name| text(row, &format!("/{name}")));
    json!({
        "id": text(row, "/who/id"), "remoteJid": address(row.get("who")), "pushName": name, "profilePicUrl": null,
        "createdAt": null, "updatedAt": null, "instanceId": account.id,
        "isGroup": false, "isSaved": row.get("name").is_some_and(|name| !name.is_null()), "type": "contact",
    })
}

/// A chat in a list.
pub(in super::super) async fn shown_chat(account: &Arc<Account>, row: &Value) -> Value {
    let id = text(row, "/chat/id").unwrap_or_default();
    let last = account.operation("find_messages", json!({"chat": id, "limit": 1})).await.ok();
    let last = last.and_then(|page| page.pointer("/items/0").map(|row| stored(row, account)));
    json!({
        "id": id, "remoteJid": address(row.get("chat")), "pushName": row.get("name"), "profilePicUrl": null,
        "updatedAt": row.get("latestAt").and_then(Value::as_i64).map(|at| time(at * 1000)),
        "windowStart": null, "windowExpires": null, "windowActive": false,
        "lastMessage": last, "unreadCount": row.get("unread"),
        "isSaved": row.get("name").is_some_and(|name| !name.is_null()),
    })
}

async fn chats(call: Call) -> Answer {
    let form: FindForm = call.body()?;
    let account = call.account()?;
    let mut request = Map::new();
    if let Some(chat) = form.address() {
        request.insert("chat".to_owned(), Value::from(chat));
    }
    let (skip, take) = form.window();
    let rows = all(&account, "find_chats", request, skip.saturating_add(take)).await?;
    let mut shown = Vec::new();
    for row in rows.iter().skip(skip).take(take) {
        shown.push(shown_chat(&account, row).await);
    }
    Reply::json(200, &shown)
}

async fn chat(call: Call) -> Answer {
    let account = call.account()?;
    let jid = call.query("remoteJid").ok_or_else(|| Failure::field("remoteJid", "is required"))?;
    let named = recipients::read(jid).ok_or_else(|| Failure::field("remoteJid", "is not an address"))?;
    let (Named::Address(address) | Named::Number(address)) = named;
    let found = account.operation("find_chats", json!({"chat": address, "limit": 1})).await?;
    match found.pointer("/items/0") {
        Some(row) => Reply::json(200, &shown_chat(&account, row).await),
        None => Reply::json(200, &Value::Null),
    }
}

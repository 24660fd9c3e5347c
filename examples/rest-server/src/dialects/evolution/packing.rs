//! What a body gets beside what the event says: files in base64, and the rows of a piece of the history.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::chats::{all, shown_chat, shown_contact, stored};
use super::record::text;
use crate::commands::media::{download, encode};
use crate::hosting::Account;
use crate::store::events::EventRow;

/// The largest file that goes into a body.
const LARGEST_FILE: u64 = 16 << 20;

/// At most so many rows go into a body.
const ROWS: usize = 500;

/// Completes a body. What cannot be had is left out: the event is told all the same.
pub(super) async fn complete(
    name: &str,
    event: &EventRow,
    account: &Arc<Account>,
    with_files: bool,
    body: &mut Value,
) {
    if with_files && matches!(name, "messages.upsert" | "send.message") {
        put_file(account, event, body).await;
    }
    if event.kind == "history.batch"
        && let Some(rows) = history(name, account).await
        && let Some(members) = body.as_object_mut()
    {
        members.insert("isLatest".to_owned(), json!(event.data.get("progress") == Some(&json!(100))));
        members.insert("progress".to_owned(), event.data.get("progress").cloned().unwrap_or(Value::Null));
        members.insert("data".to_owned(), Value::Array(rows));
    }
}

async fn put_file(account: &Arc<Account>, event: &EventRow, body: &mut Value) {
    let Some(reference) = text(&event.data, "/content/media/reference").filter(|text| !text.is_empty())
    else {
        return;
    };
    let length = event.data.pointer("/content/media/length").and_then(Value::as_u64);
    if length.is_some_and(|length| length > LARGEST_FILE) {
        return;
    }
    match download(account, reference).await {
        Ok(content) => {
            if let Some(Value::Object(members)) = body.pointer_mut("/data/message") {
                members.insert("base64".to_owned(), Value::from(encode(&content)));
            }
        }
        Err(failure) => {
            tracing::warn!(account = account.id, %failure, "The file of a message could not be put into a webhook.");
        }
    }
}

/// The rows that a piece of the history brought, as far as the archive has them: the newest ones.
async fn history(name: &str, account: &Arc<Account>) -> Option<Vec<Value>> {
    let operation = match name {
        "contacts.upsert" | "contacts.set" => "find_contacts",
        "chats.set" => "find_chats",
        "messages.set" => "find_messages",
        _ => return None,
    };
    let rows = all(account, operation, Map::new(), ROWS).await.ok()?;
    let mut shown = Vec::new();
    for row in &rows {
        shown.push(match operation {
            "find_contacts" => shown_contact(account, row),
            "find_chats" => shown_chat(account, row).await,
            _ => stored(row, account),
        });
    }
    Some(shown)
}

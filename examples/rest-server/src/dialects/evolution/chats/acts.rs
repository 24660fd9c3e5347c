//! What is done to messages: read, taken back, edited, and their files fetched.

use axum::http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::forms::{KeyForm, recipient};
use super::super::record::{Said, of_content, record, text};
use super::stored::said;
use super::{both, path};
use crate::access::Scope;
use crate::commands::media::{self, encode};
use crate::failure::{Failure, Problem};
use crate::hosting::Account;
use crate::web::call::{Answer, Call, Reply};
use crate::web::route::{Gate, Origin, Route, route};

/// How long after it was sent a message may be edited, in seconds.
const EDIT_WINDOW: i64 = 15 * 60;

pub(super) fn routes() -> Vec<Route> {
    let (read, send) = (Gate::Account(Scope::Read), Gate::Account(Scope::Send));
    let revoke = |path: String, name, origin| {
        route(Method::DELETE, path, name, send, delete)
            .about("Takes a message back, for everyone.")
            .origin(origin)
            .native("revoke_message")
            .takes::<DeleteForm>()
            .query::<String>("id", "The message, if it is not in the body.")
            .query::<String>("remoteJid", "The chat, if it is not in the body.")
            .body_optional()
            .answers::<Value>(201, "The message that takes it back.")
    };
    let mut rows = vec![
        revoke(path("deleteMessageForEveryone"), "deleteMessageForEveryone", Origin::Project),
        revoke("/message/delete/{instanceName}".to_owned(), "deleteMessage", Origin::Stated),
        route(Method::POST, path("updateMessage"), "updateMessage", send, edit)
            .about("Edits a text that this instance sent.")
            .origin(Origin::Project)
            .native("edit_message")
            .takes::<EditForm>()
            .answers::<Value>(200, "The record."),
        route(Method::POST, path("getBase64FromMediaMessage"), "getBase64FromMediaMessage", read, base64)
            .about("Answers with the file of a message.")
            .origin(Origin::Project)
            .native("download_media")
            .takes::<Base64Form>()
            .answers::<Value>(201, "The file in base64."),
    ];
    rows.extend(both(|method| {
        route(method, path("markMessageAsRead"), "markMessageAsRead", send, mark_read)
            .about("Marks messages as read; their senders are told.")
            .origin(Origin::Stated)
            .native("mark_read")
            .takes::<ReadForm>()
            .answers::<Value>(201, "It is done.")
    }));
    rows
}

/// Messages that were read.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ReadForm {
    /// Their keys.
    #[serde(alias = "read_messages")]
    #[schemars(length(min = 1))]
    read_messages: Vec<KeyForm>,
}

async fn mark_read(call: Call) -> Answer {
    let form: ReadForm = call.body()?;
    let account = call.account()?;
    account.demand_online().await?;
    for key in form.read_messages {
        let (Some(id), Some(chat)) = (key.id, key.remote_jid) else {
            return Err(Failure::field("readMessages", "needs id and remoteJid"));
        };
        if key.from_me == Some(true) {
            continue;
        }
        let to = recipient(&account, &chat).await?;
        let sender = match (&key.participant, to.id.ends_with("@g.us") || to.id.ends_with("@broadcast")) {
            (Some(participant), _) => Some(recipient(&account, participant).await?.id),
            (None, true) => sender_of(&account, &id).await,
            (None, false) => None,
        };
        let request = json!({"chat": to.id, "sender": sender, "messageIds": [id]});
        account.operation("mark_read", request).await?;
    }
    Reply::json(201, &json!({"message": "Read messages", "read": "success"}))
}

/// Who wrote a stored message.
async fn sender_of(account: &Account, id: &str) -> Option<String> {
    let found = account.operation("find_messages", json!({"messageId": id, "limit": 1})).await.ok()?;
    text(&found, "/items/0/sender/id").map(str::to_owned)
}

/// A message that is taken back.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
struct DeleteForm {
    /// Its id.
    id: Option<String>,
    /// The chat.
    remote_jid: Option<String>,
    /// Whether this instance sent it.
    from_me: Option<bool>,
    /// Who wrote it, in groups.
    participant: Option<String>,
}

async fn delete(call: Call) -> Answer {
    let form: DeleteForm = call.body()?;
    let account = call.account()?;
    let id = form.id.or_else(|| call.query("id").map(str::to_owned));
    let chat = form.remote_jid.or_else(|| call.query("remoteJid").map(str::to_owned));
    let id = id.ok_or_else(|| Failure::field("id", "is required"))?;
    let chat = chat.ok_or_else(|| Failure::field("remoteJid", "is required"))?;
    account.demand_online().await?;
    let to = recipient(&account, &chat).await?;
    let sender = match (form.from_me.unwrap_or(true), &form.participant) {
        (false, Some(participant)) => Some(recipient(&account, participant).await?.id),
        _ => None,
    };
    let request = json!({"chat": to.id, "targetId": id, "sender": sender});
    let sent = account.operation("revoke_message", request).await?;
    let data = json!({
        "messageId": sent.get("messageId"), "chat": to.json(), "fromMe": true,
        "timestamp": crate::store::now_ms() / 1000,
    });
    let said = Said {
        kind: "protocolMessage".to_owned(),
        message: json!({"protocolMessage": {
            "key": {"remoteJid": to.shown(), "fromMe": sender.is_none(), "id": id}, "type": "REVOKE",
        }}),
        context: Value::Null,
    };
    Reply::json(201, &record(&data, said, &account.row(), Some("PENDING")))
}

/// Other words for a message.
#[derive(Deserialize, JsonSchema)]
struct EditForm {
    /// The chat's number or address.
    number: String,
    /// The message.
    key: KeyForm,
    /// Its words from now on.
    text: String,
}

async fn edit(call: Call) -> Answer {
    let form: EditForm = call.body()?;
    let account = call.account()?;
    let id = form.key.id.ok_or_else(|| Failure::field("key.id", "is required"))?;
    account.demand_online().await?;
    let to = recipient(&account, &form.number).await?;
    let found = account.operation("find_messages", json!({"messageId": id, "limit": 1})).await?;
    let row = found.pointer("/items/0").cloned();
    let row = row.ok_or_else(|| Failure::new(Problem::NotFound, "Message not found"))?;
    let age = crate::store::now_ms() / 1000 - row.get("timestamp").and_then(Value::as_i64).unwrap_or(0);
    if age > EDIT_WINDOW {
        return Err(Failure::new(Problem::EditWindowPassed, "Message is older than 15 minutes"));
    }
    account.operation("edit_message", json!({"chat": to.id, "targetId": id, "text": form.text})).await?;
    let said = of_content(&json!({"type": "text", "text": form.text}), None);
    Reply::json(200, &record(&row, said, &account.row(), Some("EDITED")))
}

/// A message with a file.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Base64Form {
    /// The message, or its key.
    message: MessageForm,
    /// Not used: nothing is converted.
    #[serde(default)]
    #[expect(dead_code, reason = "clients send it")]
    convert_to_mp4: Option<bool>,
}

/// A message by its key.
#[derive(Deserialize, JsonSchema)]
struct MessageForm {
    /// Its key.
    key: KeyForm,
}

async fn base64(call: Call) -> Answer {
    let form: Base64Form = call.body()?;
    let account = call.account()?;
    let id = form.message.key.id.ok_or_else(|| Failure::field("message.key.id", "is required"))?;
    let found = account.operation("find_messages", json!({"messageId": id, "limit": 1})).await?;
    let row = found.pointer("/items/0").cloned();
    let row = row.ok_or_else(|| Failure::new(Problem::Validation, "Message not found"))?;
    let reference = text(&row, "/content/media/reference").map(str::to_owned);
    let reference =
        reference.ok_or_else(|| Failure::new(Problem::Validation, "The message is not of the media type"))?;
    let content = media::download(&account, &reference).await?;
    let said = said(&row);
    Reply::json(
        201,
        &json!({
            "mediaType": said.kind,
            "fileName": text(&row, "/content/fileName").map_or_else(|| id.clone(), str::to_owned),
            "caption": row.pointer("/content/caption"),
            "size": {
                "fileLength": content.len(),
                "height": row.pointer("/content/height"), "width": row.pointer("/content/width"),
            },
            "mimetype": row.pointer("/content/media/mimetype"),
            "base64": encode(&content),
            "buffer": null,
        }),
    )
}

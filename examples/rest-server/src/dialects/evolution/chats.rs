//! Chats, stored messages, numbers, profiles and privacy.

use std::sync::Arc;

use axum::http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Profile;
use super::forms::{KeyForm, recipient};
use super::record::{address, of_content, record, status_word, text};
use crate::access::Scope;
use crate::commands::media::{self, Given, encode};
use crate::commands::recipients::{self, Named, look_up};
use crate::events::native::time;
use crate::failure::{Failure, Problem};
use crate::hosting::Account;
use crate::web::call::{Answer, Call, Reply};
use crate::web::route::{Gate, Origin, Route, route};

/// How long after it was sent a message may be edited, in seconds.
const EDIT_WINDOW: i64 = 15 * 60;

/// At most so many rows are read for an answer.
const MOST: usize = 5000;

pub(super) fn routes() -> Vec<Route> {
    let (read, send, manage) =
        (Gate::Account(Scope::Read), Gate::Account(Scope::Send), Gate::Account(Scope::Manage));
    let path = |name: &str| format!("/chat/{name}/{{instanceName}}");
    let (post, put) = (Method::POST, Method::PUT);
    let numbers = |route: Route| {
        route
            .about("Tells which numbers are registered, in their order.")
            .native("check_numbers")
            .takes::<Numbers>()
            .answers::<Value>(200, "An entry for each.")
    };
    let mark = |route: Route| {
        route
            .about("Marks messages as read; their senders are told.")
            .native("mark_read")
            .takes::<ReadForm>()
            .answers::<Value>(201, "It is done.")
    };
    let revoke = |route: Route| {
        route
            .about("Takes a message back, for everyone.")
            .native("revoke_message")
            .takes::<DeleteForm>()
            .query::<String>("id", "The message, if it is not in the body.")
            .query::<String>("remoteJid", "The chat, if it is not in the body.")
            .body_optional()
            .answers::<Value>(201, "The message that takes it back.")
    };
    let archive = |route: Route| {
        route
            .about("Archives a chat, or takes it out of the archive.")
            .origin(Origin::Project)
            .native("archive_chat")
            .takes::<ArchiveForm>()
            .answers::<Value>(201, "It is done.")
    };
    let unread = |route: Route| {
        route
            .about("Marks a chat as unread.")
            .origin(Origin::Project)
            .native("mark_chat")
            .takes::<ChatForm>()
            .answers::<Value>(201, "It is done.")
    };
    let block = |route: Route| {
        route
            .about("Blocks somebody, or takes that back.")
            .origin(Origin::Project)
            .native("block")
            .takes::<BlockForm>()
            .answers::<Value>(201, "It is done.")
    };
    let privacy = |route: Route| {
        route
            .about("Changes privacy settings.")
            .origin(Origin::Project)
            .native("set_privacy")
            .takes::<PrivacyForm>()
            .answers::<Value>(201, "It is done.")
    };
    let rows = vec![
        numbers(route(post.clone(), path("whatsappNumbers"), "whatsappNumbers", read, check))
            .origin(Origin::Stated),
        numbers(route(post.clone(), path("checkNumbers"), "checkNumbers", read, check))
            .origin(Origin::Stated),
        numbers(route(post.clone(), path("checkIsWhatsappNumber"), "checkIsWhatsappNumber", read, check)),
        route(post.clone(), path("findMessages"), "findMessages", read, find_messages)
            .about("Finds stored messages, newest first.")
            .origin(Origin::Stated)
            .native("find_messages")
            .takes::<FindMessages>()
            .body_optional()
            .answers::<Value>(200, "A page of records."),
        mark(route(post.clone(), path("markMessageAsRead"), "markMessageAsRead", send, mark_read))
            .origin(Origin::Stated),
        mark(route(put.clone(), path("markMessageAsRead"), "markMessageAsRead", send, mark_read)).alias(),
        route(Method::GET, path("fetchProfilePictureUrl"), "fetchProfilePictureUrl", read, picture)
            .about("Tells where somebody's profile picture is; null if there is none to be seen.")
            .origin(Origin::Stated)
            .native("get_picture")
            .query::<String>("number", "Whose.")
            .answers::<Value>(200, "The address."),
        route(post.clone(), path("fetchProfilePictureUrl"), "fetchProfilePictureUrl", read, picture)
            .alias()
            .about("Tells where somebody's profile picture is; null if there is none to be seen.")
            .origin(Origin::Project)
            .native("get_picture")
            .takes::<NumberForm>()
            .body_optional()
            .answers::<Value>(200, "The address."),
        revoke(route(
            Method::DELETE,
            path("deleteMessageForEveryone"),
            "deleteMessageForEveryone",
            send,
            delete,
        ))
        .origin(Origin::Project),
        revoke(route(Method::DELETE, "/message/delete/{instanceName}", "deleteMessage", send, delete))
            .origin(Origin::Stated),
        route(post.clone(), path("updateMessage"), "updateMessage", send, edit)
            .about("Edits a text that this instance sent.")
            .origin(Origin::Project)
            .native("edit_message")
            .takes::<EditForm>()
            .answers::<Value>(200, "The record."),
        route(post.clone(), path("getBase64FromMediaMessage"), "getBase64FromMediaMessage", read, base64)
            .about("Answers with the file of a message.")
            .origin(Origin::Project)
            .native("download_media")
            .takes::<Base64Form>()
            .answers::<Value>(201, "The file in base64."),
        route(post.clone(), path("sendPresence"), "sendPresence", send, presence)
            .about("Shows in a chat that somebody types or speaks.")
            .origin(Origin::Project)
            .native("set_chat_state")
            .takes::<PresenceForm>()
            .answers::<Value>(201, "What is shown."),
        archive(route(post.clone(), path("archiveChat"), "archiveChat", manage, archived)),
        archive(route(put.clone(), path("archiveChat"), "archiveChat", manage, archived)).alias(),
        unread(route(post.clone(), path("markChatUnread"), "markChatUnread", manage, marked)),
        unread(route(put.clone(), path("markChatUnread"), "markChatUnread", manage, marked)).alias(),
        block(route(post.clone(), path("updateBlockStatus"), "updateBlockStatus", manage, blocked)),
        block(route(put.clone(), path("updateBlockStatus"), "updateBlockStatus", manage, blocked)).alias(),
        route(post.clone(), path("findContacts"), "findContacts", read, contacts)
            .about("Lists contacts.")
            .origin(Origin::Project)
            .native("find_contacts")
            .takes::<FindForm>()
            .body_optional()
            .answers::<Value>(200, "The contacts."),
        route(post.clone(), path("findChats"), "findChats", read, chats)
            .about("Lists chats, the one with the newest message first.")
            .origin(Origin::Project)
            .native("find_chats")
            .takes::<FindForm>()
            .body_optional()
            .answers::<Value>(200, "The chats."),
        route(Method::GET, path("findChats"), "findChats", read, chats)
            .alias()
            .about("Lists chats, the one with the newest message first.")
            .origin(Origin::Project)
            .native("find_chats")
            .answers::<Value>(200, "The chats."),
        route(Method::GET, path("findChatByRemoteJid"), "findChatByRemoteJid", read, chat)
            .about("Tells of one chat.")
            .origin(Origin::Project)
            .native("find_chats")
            .query::<String>("remoteJid", "Its address.")
            .answers::<Value>(200, "The chat, or null."),
        route(post.clone(), path("findStatusMessage"), "findStatusMessage", read, statuses)
            .about("Tells how far messages are.")
            .origin(Origin::Project)
            .native("find_messages")
            .takes::<FindMessages>()
            .body_optional()
            .answers::<Value>(200, "How far they are."),
        route(post.clone(), path("fetchProfile"), "fetchProfile", read, profile)
            .about("Tells of somebody's profile, or of the own one.")
            .origin(Origin::Project)
            .native("get_user_info")
            .takes::<NumberForm>()
            .body_optional()
            .answers::<Value>(200, "The profile."),
        route(post.clone(), path("fetchBusinessProfile"), "fetchBusinessProfile", read, business)
            .about("Tells of a business.")
            .origin(Origin::Project)
            .native("get_business_profile")
            .takes::<NumberForm>()
            .answers::<Value>(200, "The profile."),
        route(post.clone(), path("updateProfileName"), "updateProfileName", manage, rename)
            .about("Changes the own name.")
            .origin(Origin::Project)
            .native("set_push_name")
            .takes::<NameForm>()
            .answers::<Value>(200, "It is done."),
        route(post.clone(), path("updateProfileStatus"), "updateProfileStatus", manage, about)
            .about("Changes what the own profile says.")
            .origin(Origin::Project)
            .native("set_about")
            .takes::<StatusForm>()
            .answers::<Value>(200, "It is done."),
        route(post.clone(), path("updateProfilePicture"), "updateProfilePicture", manage, own_picture)
            .about("Changes the own picture.")
            .origin(Origin::Project)
            .native("set_picture")
            .takes_upload::<PictureForm>()
            .answers::<Value>(200, "It is done."),
        route(put, path("updateProfilePicture"), "updateProfilePicture", manage, own_picture)
            .alias()
            .about("Changes the own picture.")
            .origin(Origin::Project)
            .native("set_picture")
            .takes_upload::<PictureForm>()
            .answers::<Value>(200, "It is done."),
        route(Method::DELETE, path("removeProfilePicture"), "removeProfilePicture", manage, no_picture)
            .about("Removes the own picture.")
            .origin(Origin::Project)
            .native("remove_picture")
            .answers::<Value>(200, "It is done."),
        route(Method::GET, path("fetchPrivacySettings"), "fetchPrivacySettings", read, privacy_settings)
            .about("Tells the privacy settings.")
            .origin(Origin::Project)
            .native("get_privacy")
            .answers::<Value>(200, "The settings."),
        privacy(route(post, path("updatePrivacySettings"), "updatePrivacySettings", manage, set_privacy)),
        privacy(route(
            Method::PUT,
            path("updatePrivacySettings"),
            "updatePrivacySettings",
            manage,
            set_privacy,
        ))
        .alias(),
    ];
    rows.into_iter().map(|route| route.tag("Chats")).collect()
}

/// Numbers.
#[derive(Deserialize, JsonSchema)]
struct Numbers {
    /// Phone numbers with their country codes, and addresses.
    #[schemars(length(min = 1))]
    numbers: Vec<String>,
}

async fn check(call: Call) -> Answer {
    let form: Numbers = call.body()?;
    let account = call.account()?;
    account.demand_online().await?;
    let number_of = |text: &str| match recipients::read(text) {
        Some(Named::Number(number)) => Some(number),
        Some(Named::Address(address)) => address.strip_suffix("@s.whatsapp.net").map(str::to_owned),
        None => None,
    };
    let numbers: Vec<String> = form.numbers.iter().filter_map(|text| number_of(text)).collect();
    let looked = look_up(&account, &numbers).await?;
    let mut looked = looked.into_iter();
    let entries = form.numbers.iter().map(|text| {
        if number_of(text).is_none() {
            let exists = recipients::read(text).is_some();
            return json!({"jid": text, "exists": exists, "number": text});
        }
        let found = looked.next().and_then(|looked| looked.found);
        match found {
            Some(found) => json!({"jid": found.shown(), "exists": true, "number": text, "lid": found.lid}),
            None => json!({
                "jid": format!("{}@s.whatsapp.net", number_of(text).unwrap_or_default()),
                "exists": false, "number": text,
            }),
        }
    });
    Reply::json(200, &entries.collect::<Vec<_>>())
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
pub(super) async fn all(
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

fn said(row: &Value) -> super::record::Said {
    of_content(
        row.get("content").unwrap_or(&Value::Null),
        row.get("context").and_then(|context| context.get("quoted")),
    )
}

/// The record of a stored message.
pub(super) fn stored(row: &Value, account: &Account) -> Value {
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

/// Somebody.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
struct NumberForm {
    /// A phone number with its country code, or an address.
    number: Option<String>,
}

async fn picture(call: Call) -> Answer {
    let form: NumberForm = call.body()?;
    let number = form.number.or_else(|| call.query("number").map(str::to_owned));
    let number = number.ok_or_else(|| Failure::field("number", "is required"))?;
    let account = call.account()?;
    account.demand_online().await?;
    let who = recipient(&account, &number).await?;
    let url = picture_url(&account, &who.id).await;
    Reply::json(200, &json!({"wuid": who.shown(), "profilePictureUrl": url}))
}

/// Where a picture is; `None` if there is none to be seen.
async fn picture_url(account: &Account, owner: &str) -> Option<String> {
    let picture = account.operation("get_picture", json!({"owner": owner, "size": "full"})).await.ok()?;
    text(&picture, "/url").map(str::to_owned)
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
    let said = super::record::Said {
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

/// What is shown in a chat.
#[derive(Deserialize, JsonSchema)]
struct PresenceForm {
    /// The chat's number or address.
    number: String,
    /// What is shown.
    presence: PresenceWord,
    /// For how long, in milliseconds.
    #[serde(default)]
    delay: Option<u64>,
}

/// What is shown in a chat, or of the instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum PresenceWord {
    Composing,
    Recording,
    Paused,
    Available,
    Unavailable,
}

async fn presence(call: Call) -> Answer {
    let form: PresenceForm = call.body()?;
    let account = call.account()?;
    account.demand_online().await?;
    let to = recipient(&account, &form.number).await?;
    let word = match form.presence {
        PresenceWord::Composing => "composing",
        PresenceWord::Recording => "recording",
        PresenceWord::Paused => "paused",
        PresenceWord::Available | PresenceWord::Unavailable => {
            let word = if form.presence == PresenceWord::Available { "available" } else { "unavailable" };
            account.operation("set_presence", json!({"availability": word})).await?;
            return Reply::json(201, &json!({"presence": word}));
        }
    };
    account.operation("set_chat_state", json!({"chat": to.id, "state": word})).await?;
    let delay = form.delay.unwrap_or(0).min(20_000);
    if delay > 0 && word != "paused" {
        tokio::spawn(async move {
            tokio::time::sleep(std::time::Duration::from_millis(delay)).await;
            // It ends by itself too.
            let _ = account.operation("set_chat_state", json!({"chat": to.id, "state": "paused"})).await;
        });
    }
    Reply::json(201, &json!({"presence": word}))
}

/// A chat, by its address or by its last message.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
struct ChatForm {
    /// Its number or address.
    chat: Option<String>,
    /// Its last message.
    last_message: Option<LastMessage>,
}

/// The last message of a chat.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
struct LastMessage {
    /// Its key.
    key: KeyForm,
}

impl ChatForm {
    fn named(self) -> Result<String, Failure> {
        let by_message = self.last_message.and_then(|message| message.key.remote_jid);
        self.chat.or(by_message).ok_or_else(|| Failure::field("chat", "is required"))
    }
}

/// A chat that is archived.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ArchiveForm {
    #[serde(flatten)]
    chat: ChatForm,
    /// Whether it is from now on.
    archive: bool,
}

async fn archived(call: Call) -> Answer {
    let form: ArchiveForm = call.body()?;
    let account = call.account()?;
    account.demand_online().await?;
    let to = recipient(&account, &form.chat.named()?).await?;
    account.operation("archive_chat", json!({"chat": to.id, "archived": form.archive})).await?;
    Reply::json(201, &json!({"chatId": to.shown(), "archived": true}))
}

async fn marked(call: Call) -> Answer {
    let form: ChatForm = call.body()?;
    let account = call.account()?;
    account.demand_online().await?;
    let to = recipient(&account, &form.named()?).await?;
    account.operation("mark_chat", json!({"chat": to.id, "read": false})).await?;
    Reply::json(201, &json!({"chatId": to.shown(), "markedChatUnread": true}))
}

/// Somebody who is blocked or not.
#[derive(Deserialize, JsonSchema)]
struct BlockForm {
    /// Who.
    number: String,
    /// Which of both.
    status: BlockStatus,
}

/// Blocked or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum BlockStatus {
    Block,
    Unblock,
}

async fn blocked(call: Call) -> Answer {
    let form: BlockForm = call.body()?;
    let account = call.account()?;
    account.demand_online().await?;
    let who = recipient(&account, &form.number).await?;
    let operation = if form.status == BlockStatus::Block { "block" } else { "unblock" };
    account.operation(operation, json!({"person": who.id})).await?;
    Reply::json(201, &json!({"block": "success"}))
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
pub(super) fn shown_contact(account: &Account, row: &Value) -> Value {
    let name = ["name", "pushName", "firstName"].iter().find_map(|name| text(row, &format!("/{name}")));
    json!({
        "id": text(row, "/who/id"), "remoteJid": address(row.get("who")), "pushName": name, "profilePicUrl": null,
        "createdAt": null, "updatedAt": null, "instanceId": account.id,
        "isGroup": false, "isSaved": row.get("name").is_some_and(|name| !name.is_null()), "type": "contact",
    })
}

/// A chat in a list.
pub(super) async fn shown_chat(account: &Arc<Account>, row: &Value) -> Value {
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

async fn profile(call: Call) -> Answer {
    let form: NumberForm = call.body()?;
    let account = call.account()?;
    account.demand_online().await?;
    let number = match form.number.filter(|number| !number.is_empty()) {
        Some(number) => number,
        None => account.own_phone().map(|own| own.to_string()).unwrap_or_default(),
    };
    let who = recipient(&account, &number).await?;
    let info = account.operation("get_user_info", json!({"people": [who.id]})).await?;
    let info = info
        .pointer("/people/0")
        .or_else(|| info.pointer("/items/0"))
        .or_else(|| info.pointer("/users/0"))
        .cloned();
    let info = info.unwrap_or(Value::Null);
    let is_business = info.get("isBusiness").and_then(Value::as_bool).unwrap_or(false);
    let business = if is_business {
        let person = json!({"business": who.id});
        account.operation("get_business_profile", person).await.unwrap_or(Value::Null)
    } else {
        Value::Null
    };
    let found = account
        .operation("find_contacts", json!({"person": who.id, "limit": 1}))
        .await
        .unwrap_or(Value::Null);
    let name = ["name", "pushName"].iter().find_map(|name| text(&found, &format!("/items/0/{name}")));
    let own = account.own_phone().is_some_and(|own| who.phone.as_deref() == Some(&own.to_string()));
    let name = name.map(str::to_owned).or_else(|| account.row().standing.push_name.filter(|_| own));
    Reply::json(
        200,
        &json!({
            "wuid": who.shown(), "name": name, "numberExists": true,
            "picture": picture_url(&account, &who.id).await,
            "status": {"status": info.pointer("/about/text"), "setAt": info.pointer("/about/changedAt")},
            "isBusiness": is_business, "email": business.get("email"),
            "description": business.get("description"),
            "website": business.pointer("/websites/0"),
        }),
    )
}

async fn business(call: Call) -> Answer {
    let form: NumberForm = call.body()?;
    let account = call.account()?;
    account.demand_online().await?;
    let number = form.number.ok_or_else(|| Failure::field("number", "is required"))?;
    let who = recipient(&account, &number).await?;
    let found = account.operation("get_business_profile", json!({"business": who.id})).await;
    let mut found = match found {
        Ok(found) => found,
        Err(failure) if failure.problem == Problem::NotFound => json!({"isBusiness": false}),
        Err(failure) => return Err(failure),
    };
    if let Some(members) = found.as_object_mut() {
        members.insert("wuid".to_owned(), Value::from(who.shown()));
    }
    Reply::json(200, &found)
}

fn updated() -> Answer {
    Reply::json(200, &json!({"update": "success"}))
}

/// A name.
#[derive(Deserialize, JsonSchema)]
struct NameForm {
    /// The name.
    name: String,
}

async fn rename(call: Call) -> Answer {
    let form: NameForm = call.body()?;
    let account = call.account()?;
    account.demand_online().await?;
    account.operation("set_push_name", json!({"name": form.name})).await?;
    account.change(|row| row.standing.push_name = Some(form.name)).await?;
    updated()
}

/// What a profile says.
#[derive(Deserialize, JsonSchema)]
struct StatusForm {
    /// The words.
    status: String,
}

async fn about(call: Call) -> Answer {
    let form: StatusForm = call.body()?;
    let account = call.account()?;
    account.demand_online().await?;
    account.operation("set_about", json!({"text": form.status})).await?;
    updated()
}

/// A picture.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
struct PictureForm {
    /// An address, or the file in base64.
    picture: Option<String>,
}

async fn own_picture(call: Call) -> Answer {
    let form: PictureForm = call.body()?;
    set_picture(&call, form.picture.as_deref(), None).await?;
    updated()
}

/// Sets the picture of the account or of a group.
pub(super) async fn set_picture(call: &Call, text: Option<&str>, group: Option<&str>) -> Result<(), Failure> {
    let account = call.account()?;
    account.demand_online().await?;
    let given = Given { text, upload: call.input.files.values().next(), ..Given::default() };
    let file = media::obtain(&call.server, given).await?;
    let (name, described) = media::keep(&call.server, &file).await?;
    let request = json!({"group": group, "path": described.get("path")});
    let done = account.operation("set_picture", request).await;
    // It was read; what is left behind is forgotten with the folder.
    let _ = tokio::fs::remove_file(media::path_of(&call.server, &name)).await;
    done.map(|_| ())
}

async fn no_picture(call: Call) -> Answer {
    let account = call.account()?;
    account.demand_online().await?;
    account.operation("remove_picture", json!({})).await?;
    updated()
}

/// The words of this dialect for categories, and the engine's.
const CATEGORIES: [(&str, &str); 6] = [
    ("readreceipts", "read_receipts"),
    ("profile", "picture"),
    ("status", "about"),
    ("online", "online"),
    ("last", "last_seen"),
    ("groupadd", "group_add"),
];

/// The words of this dialect for values, and the engine's.
const VALUES: [(&str, &str); 5] = [
    ("all", "everyone"),
    ("contacts", "contacts"),
    ("contact_blacklist", "contacts_except"),
    ("none", "nobody"),
    ("match_last_seen", "match_last_seen"),
];

async fn privacy_settings(call: Call) -> Answer {
    let account = call.account()?;
    account.demand_online().await?;
    let found = account.operation("get_privacy", json!({"fresh": true})).await?;
    let settings = found.get("settings").and_then(Value::as_array).cloned().unwrap_or_default();
    let value = |category: &str| {
        let of = settings.iter().find(|setting| text(setting, "/category") == Some(category));
        let told = of.and_then(|setting| text(setting, "/value"));
        let word = told
            .map(|told| VALUES.iter().find(|(_, engine)| *engine == told).map_or(told, |(word, _)| *word));
        json!(word)
    };
    let shown: Map<String, Value> =
        CATEGORIES.iter().map(|(name, category)| ((*name).to_owned(), value(category))).collect();
    Reply::json(200, &Value::Object(shown))
}

/// Who may see what. What is absent stays as it is.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
struct PrivacyForm {
    /// `all` or `none`.
    readreceipts: Option<String>,
    /// `all`, `contacts`, `contact_blacklist` or `none`.
    profile: Option<String>,
    /// As `profile`.
    status: Option<String>,
    /// `all` or `match_last_seen`.
    online: Option<String>,
    /// As `profile`.
    last: Option<String>,
    /// As `profile`.
    groupadd: Option<String>,
}

async fn set_privacy(call: Call) -> Answer {
    let form: PrivacyForm = call.body()?;
    let account = call.account()?;
    account.demand_online().await?;
    let wanted = [&form.readreceipts, &form.profile, &form.status, &form.online, &form.last, &form.groupadd];
    let mut done = Map::new();
    for ((name, category), value) in CATEGORIES.into_iter().zip(wanted) {
        let Some(value) = value else { continue };
        let word = VALUES.iter().find(|(word, _)| word == value).map(|(_, engine)| *engine);
        let word = word.ok_or_else(|| Failure::field(name, "is not one of the words for it"))?;
        account.operation("set_privacy", json!({"category": category, "value": word})).await?;
        done.insert(name.to_owned(), Value::from(value.as_str()));
    }
    Reply::json(201, &json!({"update": "success", "data": done}))
}

//! Message records: what Evolution shows of a message, made from the event's protobuf where there is one, and
//! else from what the engine's reference calls its content.

use serde_json::{Map, Value, json};
use whimbrel_proto::e2e::Message;
use whimbrel_proto::json::{Form, to_json};

use super::Profile;
use crate::store::accounts::AccountRow;
use crate::store::events::EventRow;

/// What a message says, and the word for what it is.
pub(super) struct Said {
    pub(super) kind: String,
    pub(super) message: Value,
    pub(super) context: Value,
}

/// The text of a member.
pub(super) fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer).and_then(Value::as_str)
}

/// The address of an identity as this dialect's clients expect it: by phone number where it is known.
pub(super) fn address(identity: Option<&Value>) -> Option<String> {
    let identity = identity?;
    let found = ["/phone", "/id"].iter().find_map(|pointer| text(identity, pointer));
    found.map(str::to_owned)
}

/// The key of a message, from an event or a row of the archive.
pub(super) fn key(data: &Value) -> Value {
    let chat = data.get("chat");
    let from_me = data.get("fromMe").and_then(Value::as_bool).unwrap_or(false);
    let remote = address(chat).unwrap_or_default();
    let mut key = json!({
        "remoteJid": remote,
        "fromMe": from_me,
        "id": data.get("messageId").cloned().unwrap_or(Value::Null),
    });
    let Some(members) = key.as_object_mut() else { return key };
    let lid = chat.and_then(|chat| text(chat, "/lid"));
    if let Some(lid) = lid {
        members.insert("remoteJidAlt".to_owned(), Value::from(lid));
    }
    let by_lid = chat.and_then(|chat| text(chat, "/id")).is_some_and(|id| id.ends_with("@lid"));
    members.insert("addressingMode".to_owned(), Value::from(if by_lid { "lid" } else { "pn" }));
    if remote.ends_with("@g.us") || remote.ends_with("@broadcast") {
        let sender = data.get("sender");
        if let Some(participant) = address(sender) {
            members.insert("participant".to_owned(), Value::from(participant));
        }
        if let Some(lid) = sender.and_then(|sender| text(sender, "/lid")) {
            members.insert("participantAlt".to_owned(), Value::from(lid));
        }
    }
    key
}

/// What a message of the log says.
pub(super) fn said(event: &EventRow) -> Said {
    let decoded = event.raw.as_deref().and_then(|raw| whimbrel_proto::decode::<Message>(raw).ok());
    let json = decoded.and_then(|message| to_json(&message, Form::Named).ok());
    match json {
        Some(Value::Object(message)) if !message.is_empty() => of_protobuf(message),
        _ => of_content(event.data.get("content").unwrap_or(&Value::Null), event.data.get("quoted")),
    }
}

/// Takes envelopes off, and folds what is a plain text with surroundings into a plain text.
fn of_protobuf(mut message: Map<String, Value>) -> Said {
    const ENVELOPES: [&str; 8] = [
        "documentWithCaptionMessage",
        "ephemeralMessage",
        "viewOnceMessage",
        "viewOnceMessageV2",
        "viewOnceMessageV2Extension",
        "groupMentionedMessage",
        "botInvokeMessage",
        "deviceSentMessage",
    ];
    for _ in 0..4 {
        let inner = ENVELOPES.iter().find_map(|name| match message.get(*name)?.get("message") {
            Some(Value::Object(inner)) => Some(inner.clone()),
            _ => None,
        });
        match inner {
            Some(inner) => message = inner,
            None => break,
        }
    }
    let surroundings = message.remove("messageContextInfo");
    let mut context = Value::Null;
    if let Some(Value::Object(mut extended)) = message.remove("extendedTextMessage") {
        context = extended.remove("contextInfo").unwrap_or(Value::Null);
        message.insert("conversation".to_owned(), extended.remove("text").unwrap_or(Value::from("")));
    }
    let kind = message.keys().find(|name| name.as_str() != "senderKeyDistributionMessage").cloned();
    let kind = kind.unwrap_or_else(|| "unknown".to_owned());
    if context.is_null() {
        context =
            message.get(&kind).and_then(|inner| inner.get("contextInfo")).cloned().unwrap_or(Value::Null);
    }
    if let Some(surroundings) = surroundings {
        message.insert("messageContextInfo".to_owned(), surroundings);
    }
    Said { kind, message: Value::Object(message), context }
}

/// What content of the engine's reference is called here.
pub(super) fn of_content(content: &Value, quoted: Option<&Value>) -> Said {
    let get = |name: &str| content.get(name).cloned().unwrap_or(Value::Null);
    let mimetype = content.pointer("/media/mimetype").cloned().unwrap_or(Value::Null);
    let length = content.pointer("/media/length").and_then(Value::as_u64).map(|length| length.to_string());
    let file = |more: Value| {
        let mut inner = json!({"mimetype": mimetype, "caption": get("caption"), "fileLength": length});
        merge(&mut inner, more);
        inner
    };
    let (kind, inner) = match text(content, "/type").unwrap_or_default() {
        "text" => ("conversation", get("text")),
        "image" => ("imageMessage", file(json!({"width": get("width"), "height": get("height")}))),
        "video" | "gif" => {
            let gif = text(content, "/type") == Some("gif");
            ("videoMessage", file(json!({"seconds": get("seconds"), "gifPlayback": gif.then_some(true)})))
        }
        "video_note" => ("ptvMessage", file(json!({"seconds": get("seconds")}))),
        "audio" => ("audioMessage", file(json!({"seconds": get("seconds"), "ptt": false}))),
        "voice" => ("audioMessage", file(json!({"seconds": get("seconds"), "ptt": true}))),
        "document" => ("documentMessage", file(json!({"fileName": get("fileName"), "title": get("title")}))),
        "sticker" => ("stickerMessage", file(json!({"isAnimated": get("animated")}))),
        "location" | "live_location" => (
            "locationMessage",
            json!({
                "degreesLatitude": get("latitude"), "degreesLongitude": get("longitude"),
                "name": get("name"), "address": get("address"),
            }),
        ),
        "contact" => ("contactMessage", json!({"displayName": get("name"), "vcard": get("vcard")})),
        "contacts" => {
            let names = content.get("names").and_then(Value::as_array).cloned().unwrap_or_default();
            let cards = content.get("vcards").and_then(Value::as_array).cloned().unwrap_or_default();
            let cards = cards.into_iter().zip(names.into_iter().chain(std::iter::repeat(Value::Null)));
            let contacts: Vec<_> =
                cards.map(|(vcard, name)| json!({"displayName": name, "vcard": vcard})).collect();
            ("contactsArrayMessage", json!({"displayName": get("name"), "contacts": contacts}))
        }
        "poll" => {
            let options = content.get("options").and_then(Value::as_array).cloned().unwrap_or_default();
            let options: Vec<_> = options.into_iter().map(|option| json!({"optionName": option})).collect();
            (
                "pollCreationMessage",
                json!({
                    "name": get("name"), "options": options, "selectableOptionsCount": get("selectable"),
                }),
            )
        }
        "list" => (
            "listMessage",
            json!({
                "title": get("title"), "description": get("description"), "buttonText": get("button"),
                "footerText": get("footer"), "sections": sections(content),
            }),
        ),
        "interactive" => (
            "interactiveMessage",
            json!({
                "header": {"title": content.pointer("/header/title")},
                "body": {"text": get("body")},
                "footer": {"text": get("footer")},
                "nativeFlowMessage": {"buttons": flow_buttons(content)},
            }),
        ),
        other => {
            return Said { kind: other.to_owned(), message: json!({other: content}), context: Value::Null };
        }
    };
    let quoted = quoted.filter(|quoted| !quoted.is_null());
    let context = quoted.map_or(
        Value::Null,
        |quoted| json!({"stanzaId": quoted.get("messageId"), "participant": quoted.get("sender")}),
    );
    Said { kind: kind.to_owned(), message: json!({kind: without_nulls(inner)}), context }
}

fn sections(content: &Value) -> Vec<Value> {
    let sections = content.get("sections").and_then(Value::as_array).cloned().unwrap_or_default();
    let row = |row: &Value| json!({"title": row.get("title"), "description": row.get("description"), "rowId": row.get("id")});
    let section = |section: &Value| {
        let rows = section
            .get("rows")
            .and_then(Value::as_array)
            .map(|rows| rows.iter().map(row).collect::<Vec<_>>());
        json!({"title": section.get("title"), "rows": rows})
    };
    sections.iter().map(section).collect()
}

fn flow_buttons(content: &Value) -> Vec<Value> {
    let buttons = content.get("buttons").and_then(Value::as_array).cloned().unwrap_or_default();
    let button =
        |button: &Value| json!({"name": button.get("name"), "buttonParamsJson": button.get("paramsJson")});
    buttons.iter().map(button).collect()
}

fn merge(place: &mut Value, more: Value) {
    if let (Some(place), Value::Object(more)) = (place.as_object_mut(), more) {
        place.extend(more);
    }
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(name, value)| (name, without_nulls(value))).collect())
        }
        other => other,
    }
}

/// The record of a message.
pub(super) fn record(data: &Value, said: Said, account: &AccountRow, status: Option<&str>) -> Value {
    let seconds = data.get("timestamp").and_then(Value::as_i64).unwrap_or(0);
    let from_me = data.get("fromMe").and_then(Value::as_bool).unwrap_or(false);
    let name = data.get("pushName").filter(|name| !name.is_null()).cloned();
    let name = name.or_else(|| account.standing.push_name.clone().filter(|_| from_me).map(Value::from));
    let mut record = json!({
        "key": key(data),
        "pushName": name,
        "message": said.message,
        "contextInfo": said.context,
        "messageType": said.kind,
        // Clients of the per-number form take it for a text.
        "messageTimestamp": match Profile::of(&account.profile) {
            Profile::Flow => Value::from(seconds.to_string()),
            _ => Value::from(seconds),
        },
        "instanceId": account.id,
        "source": "unknown",
    });
    if let (Some(members), Some(status)) = (record.as_object_mut(), status) {
        members.insert("status".to_owned(), Value::from(status));
    }
    record
}

/// The word for how far a message is.
pub(super) fn status_word(native: &str) -> &'static str {
    match native {
        "failed" => "ERROR",
        "sent" => "SERVER_ACK",
        "delivered" => "DELIVERY_ACK",
        "read" | "read_self" => "READ",
        "played" => "PLAYED",
        _ => "PENDING",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_with_surroundings_are_plain_texts() {
        let message = json!({
            "messageContextInfo": {"messageSecret": "AA=="},
            "ephemeralMessage": {"message": {
                "extendedTextMessage": {"text": "hi", "contextInfo": {"stanzaId": "A"}},
            }},
        });
        let Value::Object(message) = message else { panic!() };
        let said = of_protobuf(message);
        assert_eq!((said.kind.as_str(), &said.message["conversation"]), ("conversation", &json!("hi")));
        assert_eq!(said.context, json!({"stanzaId": "A"}));
    }

    #[test]
    fn chats_are_named_by_phone_number_where_it_is_known() {
        let data = json!({
            "messageId": "A", "fromMe": false,
            "chat": {"id": "7@lid", "phone": "31612345678@s.whatsapp.net", "lid": "7@lid"},
        });
        let key = key(&data);
        assert_eq!(key["remoteJid"], "31612345678@s.whatsapp.net");
        assert_eq!((&key["remoteJidAlt"], &key["addressingMode"]), (&json!("7@lid"), &json!("lid")));
    }

    #[test]
    fn content_of_every_sent_kind_has_a_word() {
        for (content, word) in [
            (json!({"type": "text", "text": "x"}), "conversation"),
            (json!({"type": "voice"}), "audioMessage"),
            (json!({"type": "poll", "options": ["a"]}), "pollCreationMessage"),
            (json!({"type": "contacts", "vcards": ["V"], "names": []}), "contactsArrayMessage"),
        ] {
            assert_eq!(of_content(&content, None).kind, word);
        }
    }
}

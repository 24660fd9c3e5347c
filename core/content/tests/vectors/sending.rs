//! What a companion sends: composed from the typed form of every vector, it says the same in the same
//! stanza. And that nothing typed prints what nobody may read.

use serde_json::Value;
use whimbrel_content::classify::Class;
use whimbrel_content::compose::{Draft, Refused};
use whimbrel_content::stanza::attributes;
use whimbrel_content::unwrap::Wrapper;
use whimbrel_proto::e2e::Message;
use whimbrel_proto::json::{Form, to_json};

use crate::{file, from_phone, kind, kinds, vectors};

/// Kinds that companions do not send.
const READ_ONLY: [&str; 20] = [
    "buttons",
    "template",
    "ai_rich",
    "call_log",
    "call_marker",
    "scheduled_call",
    "scheduled_call_cancel",
    "broadcast_call",
    "group_history",
    "group_history_notice",
    "event_invite",
    "invoice",
    "payment",
    "music",
    "status_notice",
    "scheduled",
    "placeholder",
    "unsupported",
    "nothing",
    "dropped",
];

#[test]
fn what_is_composed_is_said_by_the_same_stanza() {
    let (mut composed, mut refused, mut same_bytes) = (0, 0, 0);
    for vector in vectors() {
        let received = from_phone(vector.message.clone());
        let Class::Message(shown) = received.class.clone() else { continue };
        let secret: [u8; 32] = match &received.secret {
            Some(secret) => *secret.key().unwrap(),
            None => [7; 32],
        };
        let draft = Draft {
            view_once: shown.view_once,
            association: shown.association,
            context: shown.context,
            in_announcement_group: vector.id == "poll_v2_announcement",
            ..Draft::new(shown.content.clone())
        };
        let kind = kind(&received);
        let made = draft.compose(secret);
        if READ_ONLY.contains(&kind.as_str()) {
            assert_eq!(made, Err(Refused::ReadOnly), "{}", vector.id);
            refused += 1;
            continue;
        }
        if vector.id == "native_flow_in_view_once" {
            // Clients on computers discard the buttons.
            assert_eq!(made, Err(Refused::NotViewOnce));
            continue;
        }
        let made = made.unwrap_or_else(|error| panic!("{}: {error}", vector.id));
        // Forwarded words of a bot are a text without their wrapper, which only phones make.
        if !received.wrappers.contains(&Wrapper::BotForwarded) {
            assert_eq!(attributes(&made.message), attributes(&vector.message), "{}", vector.id);
        }
        // Receivers see in it what they see in the vector.
        let Class::Message(again) = from_phone(made.message.clone()).class else { panic!("{}", vector.id) };
        if !vector.id.starts_with("poll_v4") {
            assert_eq!(again.content, shown.content, "{}", vector.id);
        }
        composed += 1;
        same_bytes += usize::from(made.message == vector.message);
    }
    assert!(composed >= 80 && refused >= 20, "{composed} composed, {refused} refused");
    assert!(same_bytes >= 30, "{same_bytes} of {composed}");
}

/// Values of the fields that are secrets.
fn secrets(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let is_secret = name.to_lowercase().ends_with("mediakey")
                    || ["messageSecret", "masterKey", "callKey", "keyData", "inviteCode", "token"]
                        .contains(&name.as_str());
                match value {
                    Value::String(text) if is_secret => found.push(text.clone()),
                    other => secrets(other, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| secrets(item, found)),
        _ => {}
    }
}

#[test]
fn nothing_typed_prints_a_secret() {
    let mut checked = 0;
    for vector in vectors() {
        let mut found = Vec::new();
        secrets(&to_json(&vector.message, Form::Named).unwrap(), &mut found);
        let printed = format!("{:?}", from_phone(vector.message));
        for secret in found {
            checked += 1;
            if let Some(octets) = octets(&secret) {
                assert!(!printed.contains(&format!("{octets:?}")), "{}", vector.id);
            }
            // One letter stands in every text.
            assert!(secret.len() < 3 || !printed.contains(&format!("\"{secret}\"")), "{}", vector.id);
        }
    }
    assert!(checked >= 90, "{checked}");
}

/// Base64, as far as keys need it: 32 octets.
fn octets(text: &str) -> Option<Vec<u8>> {
    let json = serde_json::json!({ "messageContextInfo": { "messageSecret": text } });
    let read = whimbrel_proto::json::from_json::<Message>(&json, whimbrel_proto::json::UnknownFields::Refuse);
    read.ok()?.message_context_info?.message_secret.filter(|octets| octets.len() == 32)
}

#[test]
fn the_table_of_kinds_has_every_vector_once() {
    let mut names: Vec<&str> = kinds::KINDS.iter().flat_map(|(_, ids)| ids.iter().copied()).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!((names.len(), count), (169, 169));
    assert_eq!(file("messages.json")["messages"].as_array().unwrap().len(), count);
}

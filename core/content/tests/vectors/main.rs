//! The protocol's messages, in both directions: what they are, what the stanza around them says, and
//! that the typed form makes the same message again.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic is the report of a failed test"
)]

mod addons;
mod kinds;
mod sending;

use serde_json::{Map, Value, json};
use whimbrel_content::classify::{Class, Received};
use whimbrel_content::key::{Arrival, Own};
use whimbrel_content::stanza::{Attributes, Biz, attributes};
use whimbrel_content::{classify, unwrap};
use whimbrel_proto::e2e::Message;
use whimbrel_proto::json::{Form, to_json};
use whimbrel_wire::{Jid, Node};

/// A vector.
pub struct Vector {
    /// Its name.
    pub id: String,
    /// The message.
    pub message: Message,
    /// What the stanza says.
    pub stanza: Value,
}

/// The whole file.
pub fn file(name: &str) -> Value {
    let path = format!("{}/../../tests/vectors/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// All messages.
pub fn vectors() -> Vec<Vector> {
    let file = file("messages.json");
    let messages = file["messages"].as_array().unwrap();
    assert_eq!(messages.len(), 169);
    let vector = |vector: &Value| Vector {
        id: vector["id"].as_str().unwrap().to_owned(),
        message: whimbrel_proto::decode(&hex::decode(vector["hex"].as_str().unwrap()).unwrap()).unwrap(),
        stanza: vector["stanza"].clone(),
    };
    messages.iter().map(vector).collect()
}

/// One message.
pub fn vector(id: &str) -> Message {
    vectors().into_iter().find(|vector| vector.id == id).unwrap().message
}

/// Types a message that came from the phone of the account.
pub fn from_phone(message: Message) -> Received {
    let own = Jid::pn("15550001001");
    let people = Own { phone: Some(own.clone()), lid: Some(Jid::lid("100000000000001")) };
    classify(message, &Arrival { chat: &Jid::pn("15550001002"), sender: &own, people: &people })
}

fn stated(attributes: &Attributes) -> Value {
    let mut stated = Map::new();
    let mut state = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            stated.insert(name.to_owned(), value);
        }
    };
    state("type", Some(attributes.kind.name().into()));
    state("enc_mediatype", attributes.mediatype.map(Value::from));
    state("enc_native_flow_name", attributes.native_flow_name.clone().map(Value::from));
    state("edit", attributes.edit.map(|edit| edit.number().to_string().into()));
    state("enc_decrypt-fail", attributes.hide.then(|| "hide".into()));
    state("meta", attributes.meta.node().map(|node| meta(&node)));
    state("category", attributes.peer.map(|_| "peer".into()));
    state("push_priority", attributes.peer.and_then(|peer| peer.push_priority).map(Value::from));
    let sensitive = attributes.peer.is_some_and(|peer| peer.privacy_sensitive);
    state("privacy_sensitive", sensitive.then(|| "1".into()));
    let biz = attributes.biz.map(|biz| match biz {
        Biz::Mixed => "mixed".to_owned(),
        Biz::List => "list".to_owned(),
        Biz::Payment(name) => format!("native_flow_name={name}"),
    });
    state("biz", biz.map(Value::from));
    Value::Object(stated)
}

fn meta(node: &Node) -> Value {
    let names = ["polltype", "event_type", "view_once", "appdata", "tag_reason"];
    let attrs = names.into_iter().filter_map(|name| Some((name.to_owned(), json!(node.attr_text(name)?))));
    Value::Object(attrs.collect())
}

#[test]
fn stanzas_say_what_the_document_says() {
    for vector in vectors() {
        assert_eq!(stated(&attributes(&vector.message)), vector.stanza, "{}", vector.id);
    }
}

/// Class and kind of a received message.
pub fn kind(received: &Received) -> String {
    match &received.class {
        Class::Message(shown) => shown.content.kind().to_owned(),
        Class::Addon(addon) => format!("addon {}", addon.kind()),
        Class::Protocol(protocol) => {
            let name = format!("{protocol:?}");
            let end = name.find(|letter: char| !letter.is_alphanumeric()).unwrap_or(name.len());
            format!("protocol {}", name.get(..end).unwrap())
        }
        Class::Nothing => "nothing".to_owned(),
        Class::Dropped(_) => "dropped".to_owned(),
        _ => "other".to_owned(),
    }
}

#[test]
fn every_vector_is_of_its_kind() {
    let mut seen = 0;
    for vector in vectors() {
        let expected = kinds::KINDS.iter().find(|(_, ids)| ids.contains(&vector.id.as_str()));
        let expected = expected.unwrap_or_else(|| panic!("{} has no kind", vector.id)).0;
        assert_eq!(kind(&from_phone(vector.message)), expected, "{}", vector.id);
        seen += 1;
    }
    assert_eq!(seen, 169);
}

/// Content that is only read.
const READ_ONLY: [&str; 5] =
    ["buttons_legacy", "template_hydrated", "template_highly_structured", "bot_rich_response", "call"];

/// Without what is as good as absent, and without the flag that stands beside the content.
fn pruned(value: &Value) -> Option<Value> {
    match value {
        Value::Object(fields) => {
            let fields = fields.iter().filter(|(name, _)| *name != "viewOnce");
            let fields: Map<_, _> =
                fields.filter_map(|(name, value)| Some((name.clone(), pruned(value)?))).collect();
            (!fields.is_empty()).then_some(Value::Object(fields))
        }
        Value::Array(items) => {
            Some(Value::Array(items.iter().map(|item| pruned(item).unwrap_or(Value::Null)).collect()))
        }
        Value::Bool(false) | Value::Null => None,
        Value::Number(number) if number.as_f64() == Some(0.0) => None,
        Value::String(text) if text.is_empty() || text == "0" => None,
        other => Some(other.clone()),
    }
}

fn json(message: &Message) -> Value {
    pruned(&to_json(message, Form::Named).unwrap()).unwrap_or(json!({}))
}

#[test]
fn typed_content_makes_the_same_message_again() {
    let (mut written, mut same_bytes, mut different) = (0, 0, Vec::new());
    for vector in vectors() {
        let Class::Message(shown) = from_phone(vector.message.clone()).class else { continue };
        let content = unwrap::open(vector.message).content;
        let kind = shown.content.kind();
        let again = shown.content.clone().to_message(&shown.context);
        if READ_ONLY.contains(&vector.id.as_str()) {
            assert!(again.is_err(), "{}", vector.id);
            continue;
        }
        let again = again.unwrap_or_else(|error| panic!("{}: {error}", vector.id));
        let mut expected = json(&content);
        if vector.id == "text_extended" {
            // Both forms are the same to people, and this is the shorter one.
            expected = json!({ "conversation": "Hello" });
        }
        if json(&again) != expected {
            different.push(format!("{} ({kind}): {} is {}", vector.id, expected, json(&again)));
        }
        written += 1;
        same_bytes += usize::from(again == content);
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
    assert!(written >= 110, "{written}");
    assert!(same_bytes >= 75, "{same_bytes} of {written}");
}

#[test]
fn what_is_for_people_counts_as_unread_once() {
    let ben = Jid::pn("15550001002");
    let people = Own { phone: Some(Jid::pn("15550001001")), lid: None };
    let unread = |id: &str, chat: &Jid| {
        let arrival = Arrival { chat, sender: &ben, people: &people };
        match classify(vector(id), &arrival).class {
            Class::Message(shown) => shown.unread,
            _ => false,
        }
    };
    for id in ["text_conversation", "image", "album_child", "album_child_wrapped", "poll_v1_multi"] {
        assert!(unread(id, &ben), "{id}");
    }
    for id in ["album", "hd_image_child", "reaction", "edit", "ephemeral_setting", "call", "device_sent"] {
        assert!(!unread(id, &ben), "{id}");
    }
    assert!(!unread("text_conversation", &"status@broadcast".parse().unwrap()));
    let mine = from_phone(vector("text_conversation"));
    assert!(mine.from_me && matches!(mine.class, Class::Message(shown) if !shown.unread));
}

#[test]
fn what_only_own_devices_may_say_is_dropped_from_others() {
    use whimbrel_content::classify::Dropped;

    let ben = Jid::pn("15550001002");
    let people = Own { phone: Some(Jid::pn("15550001001")), lid: None };
    let class = |id: &str| classify(vector(id), &Arrival { chat: &ben, sender: &ben, people: &people }).class;
    assert_eq!(class("device_sent"), Class::Dropped(Dropped::ForeignCopy));
    for id in ["history_sync_notification", "app_state_key_share", "pdo_request_history", "lid_mapping_sync"]
    {
        assert_eq!(class(id), Class::Dropped(Dropped::Untrusted), "{id}");
    }
    let copy = from_phone(vector("device_sent"));
    assert_eq!((copy.chat, copy.from_me), (Jid::pn("15550001002"), true));
    assert!(copy.secret.is_some());
}

#[test]
fn bodies_are_the_words_of_the_content() {
    let body = |id: &str| match from_phone(vector(id)).class {
        Class::Message(shown) => shown.content.body(),
        _ => None,
    };
    for (id, words) in [
        ("text_conversation", "Hello"),
        ("image", "Look"),
        ("document_caption_wrapped", "read me"),
        ("live_location", "on my way"),
        ("location", "Nairobi\nKenya"),
        ("contact", "Jane"),
        ("poll_v6", "When?"),
        ("event", "Party"),
        ("list_single_select", "Choose"),
        ("native_flow_cta_url", "Body"),
        ("list_response", "R1"),
        ("native_flow_response", "Yes"),
        ("product", "Mug"),
        ("order", "2 items"),
        ("request_payment", "rent"),
        ("scheduled_call", "Standup"),
        ("bot_rich_response", "Hello **world**"),
    ] {
        let found = body(id).unwrap_or_default();
        assert!(found.starts_with(words), "{id}: {found}");
    }
    assert_eq!(body("sticker"), None);
}

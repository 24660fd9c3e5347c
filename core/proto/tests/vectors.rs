//! The protocol's test vectors, as far as they concern encoding.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::string_slice,
    reason = "a panic is the report of a failed test"
)]

use serde_json::Value;
use whimbrel_proto::Described;
use whimbrel_proto::client::ClientPayload;
use whimbrel_proto::companion::DeviceProps;
use whimbrel_proto::e2e::Message;
use whimbrel_proto::json::{Form, UnknownFields, from_json, to_json};
use whimbrel_proto::web::WebMessageInfo;

/// Enum values that the codec behind the vectors prints as numbers because it is older than their
/// names: message, place, name, number.
const NEWER_NAMES: [(&str, &str, &str, i32); 2] = [
    ("secret_poll_edit", "/secretEncryptedMessage/secretEncType", "POLL_EDIT", 4),
    ("secret_poll_add_option", "/secretEncryptedMessage/secretEncType", "POLL_ADD_OPTION", 5),
];

fn vectors(name: &str) -> Value {
    let path = format!("{}/../../tests/vectors/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn unhex(text: &str) -> Vec<u8> {
    assert_eq!(text.len() % 2, 0);
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn hex_field(value: &Value) -> Vec<u8> {
    unhex(value["hex"].as_str().unwrap())
}

/// Decodes, and checks that encoding gives the same bytes.
fn same_bytes<M: Described + Default>(bytes: &[u8], name: &str) -> M {
    let message: M = whimbrel_proto::decode(bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(whimbrel_proto::encode(&message), bytes, "{name}");
    message
}

#[test]
fn client_payloads_keep_their_bytes_and_mean_what_is_stated() {
    let file = vectors("client-payload.json");
    let payloads = file["payloads"].as_array().unwrap();
    assert_eq!(payloads.len(), 6);
    for vector in payloads {
        let name = vector["name"].as_str().unwrap();
        let payload: ClientPayload = same_bytes(&hex_field(vector), name);
        let mut stated = vector["decoded"].clone();
        if let Some(pairing) = &payload.device_pairing_data {
            let props: DeviceProps = same_bytes(pairing.device_props.as_deref().unwrap(), name);
            let stated_props = stated.as_object_mut().unwrap().remove("deviceProps").unwrap();
            let mut json = to_json(&props, Form::Named).unwrap();
            if name == "zapo registration" {
                // The codec that stated the fields is older than these two.
                let config = json["historySyncConfig"].as_object_mut().unwrap();
                for newer in ["supportHatchHistory", "supportManusHistory"] {
                    assert_eq!(config.remove(newer), Some(Value::Bool(true)));
                }
            }
            assert_eq!(json, stated_props, "{name}");
            // These vectors state bytes in hex.
            for value in stated["devicePairingData"].as_object_mut().unwrap().values_mut() {
                let bytes = unhex(value.as_str().unwrap());
                *value = Value::from(bytes);
            }
        }
        assert_eq!(from_json::<ClientPayload>(&stated, UnknownFields::Refuse).unwrap(), payload, "{name}");
    }
}

#[test]
fn messages_keep_their_bytes_and_have_the_stated_json() {
    let file = vectors("messages.json");
    let messages = file["messages"].as_array().unwrap();
    assert_eq!(messages.len(), 169);
    for vector in messages {
        let name = vector["id"].as_str().unwrap();
        let message: Message = same_bytes(&hex_field(vector), name);
        let mut json = to_json(&message, Form::Named).unwrap();
        for (_, pointer, value, number) in NEWER_NAMES.iter().filter(|(id, ..)| *id == name) {
            let place = json.pointer_mut(pointer).unwrap();
            assert_eq!(place, value);
            *place = Value::from(*number);
        }
        assert_eq!(json, vector["json"], "{name}");
        let back: Message = from_json(&vector["json"], UnknownFields::Refuse).unwrap();
        assert_eq!(back, message, "{name}");
        let plain = to_json(&message, Form::Plain).unwrap();
        let back: Message = from_json(&plain, UnknownFields::Refuse).unwrap();
        assert_eq!(back, message, "{name}, plain form");
    }
}

#[test]
fn json_forms_are_those_seen_in_the_wild() {
    let file = vectors("messages.json");
    let forms = file["json_forms"].as_array().unwrap();
    assert_eq!(forms.len(), 4);
    for vector in forms {
        let name = vector["form"].as_str().unwrap();
        let bytes = hex_field(vector);
        let json = if name.starts_with("WebMessageInfo") {
            to_json(&same_bytes::<WebMessageInfo>(&bytes, name), Form::Named)
        } else {
            let form = if name.starts_with("C:") { Form::Plain } else { Form::Named };
            to_json(&same_bytes::<Message>(&bytes, name), form)
        };
        assert_eq!(json.unwrap(), vector["json"], "{name}");
    }
}

//! Reading the vector files.

use serde::Deserialize as _;
use serde_json::Value;
use std::{fs, path::Path};
use whimbrel_wire::{Attr, AttrValue, Jid, Node, Server};

pub(crate) fn vectors(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors").join(name);
    let text = fs::read_to_string(path).unwrap();
    let mut reader = serde_json::Deserializer::from_str(&text);
    reader.disable_recursion_limit();
    Value::deserialize(&mut reader).unwrap()
}

pub(crate) fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value.get(key).and_then(Value::as_array).unwrap()
}

pub(crate) fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_else(|| panic!("no {key} in {value}"))
}

pub(crate) fn bytes(value: &Value, key: &str) -> Vec<u8> {
    hex::decode(text(value, key)).unwrap()
}

/// The frame of a vector, written out or by recipe.
pub(crate) fn frame(vector: &Value) -> Vec<u8> {
    let Some(recipe) = vector.get("frame_recipe") else {
        return bytes(vector, "frame_hex");
    };
    let mut frame = bytes(recipe, "prefix_hex");
    frame.extend(repeated(recipe, "then_repeat_byte_hex"));
    frame
}

fn repeated(value: &Value, byte: &str) -> Vec<u8> {
    bytes(value, byte).repeat(usize::try_from(value.get("count").and_then(Value::as_u64).unwrap()).unwrap())
}

pub(crate) fn number(value: &Value, key: &str) -> u16 {
    value.get(key).and_then(Value::as_u64).unwrap_or(0).try_into().unwrap()
}

/// A JID put together without the parser under test, except where only it can set an integrator.
pub(crate) fn jid(value: &Value) -> Jid {
    let (user, server) = (text(value, "user"), text(value, "server"));
    match number(value, "integrator") {
        0 => Jid::with_server_name(user, server).with_device(number(value, "device")),
        integrator => {
            assert_eq!(Server::from_name(server), Some(Server::Interop));
            Jid::parse(&format!("{integrator}-{user}:{}@{server}", number(value, "device"))).unwrap()
        }
    }
}

/// The node that a vector describes. Attributes may repeat a key, which the builder does not do; the second
/// value is the one that counts.
pub(crate) fn node(value: &Value) -> Node {
    let mut node = Node::new(text(value, "tag").to_owned());
    for pair in value.get("attrs").and_then(Value::as_array).into_iter().flatten() {
        let key = pair.get(0).and_then(Value::as_str).unwrap().to_owned();
        let value = pair.get(1).unwrap();
        node = match value.get("jid") {
            Some(value) => node.attr(key, jid(value)),
            None => node.attr(key, text(value, "s").to_owned()),
        };
    }
    let Some(content) = value.get("content") else { return node };
    let Some((kind, value)) = content.as_object().and_then(|object| object.iter().next()) else {
        panic!("content {content}");
    };
    match kind.as_str() {
        "nodes" => node.children(value.as_array().unwrap().iter().map(self::node)),
        "nodes_repeat" => {
            let count = value.get("count").and_then(Value::as_u64).unwrap();
            let child = self::node(value.get("node").unwrap());
            node.children((0..count).map(|_| child.clone()))
        }
        "bytes_hex" => node.bytes(bytes(content, kind)),
        "bytes_repeat" => node.bytes(repeated(value, "byte_hex")),
        "text" => node.text(text(content, kind).to_owned()),
        "jid" => node.text(jid(value).to_string()),
        other => panic!("content {other}"),
    }
}

/// What a reader sees of the attributes: the last value of each key.
pub(crate) fn effective_attrs<'n>(node: &'n whimbrel_wire::NodeRef<'n>) -> Vec<(&'n str, &'n AttrValue<'n>)> {
    let keys = node.attrs().iter().map(|Attr { key, .. }| key.as_str());
    let mut seen: Vec<(&str, &AttrValue<'_>)> = Vec::new();
    for key in keys {
        if seen.iter().all(|(known, _)| *known != key) {
            seen.push((key, node.attr_value(key).unwrap()));
        }
    }
    seen
}

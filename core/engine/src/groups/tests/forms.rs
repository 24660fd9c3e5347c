//! The two forms in which vectors have stanzas, made into nodes; and nodes made comparable.

use serde_json::{Value, json};
use whimbrel_wire::{Jid, Node};

pub(crate) fn vectors(name: &str) -> Value {
    let path = format!("{}/../../tests/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Addresses as JIDs, everything else as text.
fn attr(node: &mut Node, key: &str, value: &str) {
    match value.parse::<Jid>() {
        Ok(jid) if value.contains('@') => node.set_attr(key.to_owned(), jid),
        _ => node.set_attr(key.to_owned(), value.to_owned()),
    }
}

/// A stanza in the JSON form of the vectors.
pub(crate) fn from_json(value: &Value) -> Node {
    let mut node = Node::new(value["tag"].as_str().unwrap().to_owned());
    for (key, value) in value["attrs"].as_object().into_iter().flatten() {
        attr(&mut node, key, value.as_str().unwrap());
    }
    if let Some(octets) = value["hex"].as_str().filter(|octets| !octets.is_empty()) {
        return node.bytes(hex::decode(octets).unwrap());
    }
    match value["text"].as_str() {
        Some(text) => node.text(text.to_owned()),
        None => node.children(value["children"].as_array().into_iter().flatten().map(from_json)),
    }
}

/// A stanza in a form that does not depend on the order of attributes, without its id.
pub(crate) fn comparable(node: &Node) -> Value {
    let mut attrs: Vec<(String, String)> = node
        .attrs()
        .iter()
        .map(|attr| (attr.key.to_string(), attr.value.as_text().trim_start_matches('@').to_owned()))
        .filter(|(key, _)| key != "id" || node.tag() != "iq")
        .collect();
    attrs.sort();
    let children: Vec<Value> = node.child_nodes().iter().map(comparable).collect();
    json!({ "tag": node.tag(), "attrs": attrs, "children": children, "text": node.content_text() })
}

/// A stanza in the XML form of the vectors: no comments, no entities, one line.
pub(crate) fn from_xml(text: &str) -> Node {
    let mut rest = text;
    let mut open: Vec<Node> = Vec::new();
    loop {
        let (before, tag) = rest.split_once('<').unwrap();
        if let Some(parent) = open.last_mut().filter(|_| !before.is_empty()) {
            *parent = parent.clone().text(before.to_owned());
        }
        let (inside, after) = tag.split_once('>').unwrap();
        rest = after;
        let ended = if inside.starts_with('/') {
            open.pop()
        } else {
            let (inside, alone) = inside.strip_suffix('/').map_or((inside, false), |inside| (inside, true));
            let (name, mut attrs) = inside.split_once(' ').unwrap_or((inside, ""));
            let mut node = Node::new(name.to_owned());
            while let Some((key, value)) = attrs.split_once("=\"") {
                let (value, after) = value.split_once('"').unwrap();
                attr(&mut node, key.trim(), value);
                attrs = after;
            }
            open.push(node);
            if alone { open.pop() } else { None }
        };
        if let Some(node) = ended {
            match open.last_mut() {
                Some(parent) => parent.push_child(node),
                None => return node,
            }
        }
    }
}

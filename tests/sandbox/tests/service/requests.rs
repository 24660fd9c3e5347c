//! Everything that Baileys, whatsmeow and zapo were seen to ask of the service is answered, and in the form that they
//! understood (`tests/vectors/features-requests.json`, `features-answers.json`).

use std::collections::BTreeMap;

use serde_json::Value;
use whimbrel_sandbox::{NewGroup, Sandbox};
use whimbrel_wire::{Jid, Node};

use crate::support::{Client, Keys, TestPhone, enter, link};

const OWN: &str = "5511999999999";
const PEER: &str = "5511888888888";

/// Requests that the service does not know, each with the reason.
const NOT_SERVED: &[(&str, &str)] = &[];

/// Operations that end the link or the connection, and so the test.
const ENDING: &[&str] = &["logout", "Logout", "auth.logout"];

fn vectors(name: &str) -> Value {
    let path = format!("{}/../vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// A stanza of the vectors, with the addresses of this sandbox.
struct Forms {
    names: Vec<(&'static str, String)>,
    next_id: u32,
}

impl Forms {
    fn text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (recorded, here) in &self.names {
            text = text.replace(recorded, here);
        }
        text
    }

    fn node(&mut self, value: &Value) -> Node {
        let mut node = Node::new(value["tag"].as_str().unwrap().to_owned());
        for (key, value) in value["attrs"].as_object().into_iter().flatten() {
            let text = match value.as_str().unwrap() {
                "$ID" => {
                    self.next_id += 1;
                    format!("R{}", self.next_id)
                }
                "$T" => String::from("1795176000"),
                other => self.text(other),
            };
            let is_address =
                matches!(key.as_str(), "to" | "jid" | "from" | "target" | "participant" | "pn_jid");
            match Jid::parse(&text) {
                Ok(jid) if is_address => node.set_attr(key.clone(), &jid),
                _ => node.set_attr(key.clone(), text),
            }
        }
        match (value["text"].as_str(), value["hex"].as_str()) {
            (Some(text), _) => node.text(self.text(text)),
            (None, Some(bytes)) => node.bytes(hex::decode(bytes).unwrap_or_default()),
            (None, None) => {
                let children = value["children"].as_array().cloned().unwrap_or_default();
                let children: Vec<Node> = children.iter().map(|child| self.node(child)).collect();
                node.children(children)
            }
        }
    }
}

/// The account whose requests are replayed, and what they are about.
async fn scene() -> (Sandbox, Client, Forms) {
    let sandbox = crate::support::sandbox().await;
    let mut own = TestPhone::attach(&sandbox, OWN);
    let mut peer = TestPhone::attach(&sandbox, PEER);
    own.upload().await;
    peer.upload().await;
    let keys = Keys::new(1);
    let device = link(&sandbox, &mut own, &keys).await;
    let birds = NewGroup {
        creator: OWN.to_owned(),
        subject: "Birds".to_owned(),
        members: vec![PEER.to_owned()],
        addressing: None,
    };
    let group = sandbox.create_group(&birds).unwrap().jid();
    let channel = sandbox.create_channel(OWN, &[PEER]).unwrap().jid();
    let mut client = enter(&sandbox, &keys, &device).await;
    let create = Node::new("create").attr("subject", "Animals").child(Node::new("parent"));
    let made = Node::new("iq").attr("id", "made").attr("type", "set").attr("xmlns", "w:g2");
    let made = client.ask(made.attr("to", Jid::GROUPS).child(create)).await;
    let community = made.child_named("group").unwrap().attr_text("id").unwrap().into_owned();
    let names = vec![
        ("120363041234567890", group.user().to_owned()),
        ("120363049999999999", community),
        ("120363290000000001", channel.user().to_owned()),
        ("111222333444555", own.link.lid.user().to_owned()),
        ("999888777666555", peer.link.lid.user().to_owned()),
    ];
    (sandbox, client, Forms { names, next_id: 0 })
}

/// What a request is, whoever makes it.
fn kind(request: &Value) -> String {
    let attr = |name: &str| request["attrs"][name].as_str().unwrap_or_default().to_owned();
    let children = request["children"].as_array().into_iter().flatten();
    let children: Vec<&str> = children.filter_map(|child| child["tag"].as_str()).collect();
    let query = request["children"][0]["attrs"]["query_id"].as_str().unwrap_or_default();
    format!("{} {} {} {query}", attr("xmlns"), attr("type"), children.join("+")).trim_end().to_owned()
}

/// What an answer has first: the names of its children, and of a GraphQL answer those of its data.
fn content(children: impl Iterator<Item = (String, Option<String>)>) -> Vec<String> {
    let mut names = Vec::new();
    for (tag, text) in children {
        let data: Option<Value> =
            text.filter(|_| tag == "result").and_then(|text| serde_json::from_str(&text).ok());
        match data.as_ref().and_then(|data| data["data"].as_object()) {
            Some(roots) => names.extend(roots.keys().cloned()),
            None => names.push(tag),
        }
    }
    names.sort();
    names.dedup();
    names
}

fn recorded_content(answer: &Value) -> Vec<String> {
    let children = answer["children"].as_array().into_iter().flatten();
    content(children.map(|child| {
        (child["tag"].as_str().unwrap_or_default().to_owned(), child["text"].as_str().map(str::to_owned))
    }))
}

fn content_here(answer: &Node) -> Vec<String> {
    let children = answer.child_nodes().iter();
    content(children.map(|child| (child.tag().to_owned(), child.content_text().map(str::to_owned))))
}

/// The code with which a request was refused.
fn refusal(answer: &Node) -> Option<u32> {
    answer.child_named("error")?.attr_u32("code")
}

/// The code of the first error in a GraphQL answer; 400 stands for a question that the service does not know.
fn graph_failure(answer: &Node) -> Option<u64> {
    let result: Value = serde_json::from_str(answer.child_named("result")?.content_text()?).ok()?;
    result["errors"][0]["extensions"]["error_code"].as_u64()
}

#[tokio::test]
async fn every_request_of_other_clients_is_answered_in_the_form_they_know() {
    let (requests, answers) = (vectors("features-requests"), vectors("features-answers"));
    let (_sandbox, mut client, mut forms) = scene().await;
    let mut unknown: BTreeMap<String, String> = BTreeMap::new();
    let mut other_forms = Vec::new();
    let mut asked = 0;
    for maker in ["baileys", "whatsmeow", "zapo"] {
        for (operation, recorded) in requests["requests"][maker].as_object().into_iter().flatten() {
            if ENDING.contains(&operation.as_str()) {
                continue;
            }
            let stanzas = recorded["stanzas"].as_array().into_iter().flatten();
            let stanzas: Vec<&Value> = stanzas.filter(|stanza| stanza["tag"] == "iq").collect();
            let known = answers[maker][operation]["answers"].as_array().cloned().unwrap_or_default();
            // Not every answer was recorded where there were several.
            let known = if known.len() == stanzas.len() { known } else { Vec::new() };
            for stanza in stanzas {
                let request = forms.node(stanza);
                let answer = client.ask(request).await;
                asked += 1;
                let (refused, failed) = (refusal(&answer), graph_failure(&answer));
                if refused == Some(501) || failed == Some(400) {
                    unknown.insert(kind(stanza), format!("{maker} {operation}"));
                }
                let forms: Vec<Vec<String>> = known
                    .iter()
                    .filter(|known| known["attrs"]["type"] == "result")
                    .map(recorded_content)
                    .collect();
                let found = content_here(&answer);
                // Baileys looks people up first, of which only the question was recorded.
                let looked_up = found == ["usync"] && !forms.contains(&found);
                if refused.is_some() || failed.is_some() || forms.is_empty() || looked_up {
                    continue;
                }
                if !forms.iter().any(|wanted| wanted.iter().all(|name| found.contains(name))) {
                    other_forms.push(format!("{maker} {operation}: {found:?} instead of {forms:?}"));
                }
            }
        }
    }
    assert_eq!(other_forms, Vec::<String>::new(), "{other_forms:#?}");
    assert!(asked > 300, "only {asked} requests");
    let unknown: Vec<(&str, &str)> =
        unknown.iter().map(|(kind, who)| (kind.as_str(), who.as_str())).collect();
    let expected: Vec<&str> = NOT_SERVED.iter().map(|(kind, _)| *kind).collect();
    let kinds: Vec<&str> = unknown.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, expected, "{unknown:#?}");
}

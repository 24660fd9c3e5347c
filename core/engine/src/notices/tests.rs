use std::collections::BTreeSet;

use whimbrel_wire::Node;

use super::{Deed, KINDS, notification};
use crate::groups::tests::forms::{from_xml, vectors};
use crate::messages::tests::pair;

/// The kinds that the features document lists (§13.1).
const LISTED: &[&str] = &[
    "account_sync",
    "business",
    "companion_reg_refresh",
    "contacts",
    "crsc_continuation",
    "devices",
    "digital_commerce_subscription",
    "disappearing_mode",
    "encrypt",
    "fb:update",
    "fbid:devices",
    "hosted",
    "link_code_companion_reg",
    "mediaretry",
    "mex",
    "newsletter",
    "passkey_prologue_request",
    "pay",
    "picture",
    "privacy_token",
    "psa",
    "registration",
    "server",
    "server_sync",
    "status",
    "w:gp2",
    "w:growth",
    "waffle",
];

/// Every notification that other clients were sent.
fn recorded() -> Vec<Node> {
    let vectors = vectors("features-requests");
    let lists = ["inbound", "inbound_whatsmeow"];
    let stanzas = lists.iter().flat_map(|list| vectors[*list].as_array().unwrap());
    let nodes = stanzas.map(|case| from_xml(case["stanza"].as_str().unwrap()));
    nodes.filter(|node| node.tag() == "notification").collect()
}

#[test]
fn the_table_has_every_kind_once_and_says_why_some_have_no_effect() {
    let names: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
    assert_eq!(names, LISTED);
    let known: BTreeSet<&str> = names.into_iter().collect();
    for node in recorded() {
        let kind = node.attr_text("type").unwrap();
        // One was made up, to see what clients do with a kind that they do not know.
        assert!(known.contains(kind.as_ref()) || kind == "foobar", "{kind} is in no row");
    }
    for kind in KINDS {
        if let Deed::Elsewhere(words) | Deed::Ignored(words) = kind.deed {
            assert!(words.len() > 10, "{} says nothing", kind.name);
        }
    }
}

#[test]
fn every_notification_that_was_ever_seen_is_acknowledged_once() {
    let recorded = recorded();
    assert!(recorded.len() > 60, "only {}", recorded.len());
    for node in recorded {
        let (_, mut side) = pair();
        let (_, replies, _) = side.handle(|unit, replies| notification(unit, &node, replies));
        let acks = replies.iter().filter(|reply| reply.tag() == "ack").count();
        assert_eq!(acks, 1, "{node}");
    }
    let unheard =
        Node::new("notification").attr("id", "N").attr("from", "s.whatsapp.net").attr("type", "new");
    let (_, mut side) = pair();
    let (_, replies, events) = side.handle(|unit, replies| notification(unit, &unheard, replies));
    assert_eq!((replies.len(), events.len()), (1, 0));
}

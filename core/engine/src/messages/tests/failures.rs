//! What cannot be opened: who is told what.

use super::*;
use crate::retry::stanza as retry;

pub(super) fn damaged(stanza: &Node) -> Node {
    let mut copy = Node::new("message");
    for attr in stanza.attrs() {
        copy.set_attr(attr.key.clone(), attr.value.clone());
    }
    copy.children(stanza.child_nodes().iter().map(|child| match child.content_bytes() {
        Some(bytes) if child.tag() == "enc" => {
            let mut bytes = bytes.to_vec();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            child.clone().bytes(bytes)
        }
        _ => child.clone(),
    }))
}

/// A pair whose sessions are established both ways.
pub(super) fn friends() -> (Side, Side) {
    let (mut anna, mut ben) = pair();
    let sent = anna.compose("A0", &Jid::lid("2"), "hi");
    ben.receive(&relay(&sent, &anna, &ben));
    let answer = ben.compose("B0", &Jid::lid("1"), "hi");
    anna.receive(&relay(&answer, &ben, &anna));
    (anna, ben)
}

#[test]
fn a_damaged_message_is_asked_for_four_times_and_told_once() {
    let (mut anna, mut ben) = friends();
    let stanza = damaged(&relay(&anna.compose("A1", &Jid::lid("2"), "x"), &anna, &ben));
    let (events, replies) = ben.receive(&stanza);
    let placeholder = only_placeholder(events);
    assert_eq!((placeholder.reason.as_ref(), placeholder.message_id.as_str()), ("bad_mac", "A1"));
    assert_eq!(shape(&replies), shapes(&[("receipt", "retry"), ("ack", "")]));
    assert!(replies[0].child_named("keys").is_none());
    for count in 2..=4_u8 {
        ben.restart();
        let stanza = damaged(&relay(&anna.compose("A1", &Jid::lid("2"), "x"), &anna, &ben));
        let (events, replies) = ben.receive(&stanza);
        assert_eq!((events, shape(&replies)), (vec![], shapes(&[("receipt", "retry"), ("ack", "")])));
        let asked = replies[0].clone().attr("from", ben.lid());
        let request = retry::parse(&asked).unwrap();
        assert_eq!((request.count, request.registration_id), (count, Some(101)));
        let keys = request.keys.unwrap().unwrap();
        let (id, _) = keys.bundle.one_time_prekey.unwrap();
        assert!(ben.store.pre_key(id).unwrap().unwrap().offered, "durable before it leaves");
        assert!(keys.bundle.verify().is_ok() && keys.proof.is_some());
    }
    let stanza = damaged(&relay(&anna.compose("A1", &Jid::lid("2"), "x"), &anna, &ben));
    for _ in 0..2 {
        let (events, replies) = ben.receive(&stanza);
        assert_eq!((events, shape(&replies)), (vec![], shapes(&[("ack", "")])));
    }
}

#[test]
fn a_request_that_was_lost_is_repeated_and_not_counted() {
    let (mut anna, mut ben) = friends();
    let stanza = damaged(&relay(&anna.compose("A1", &Jid::lid("2"), "x"), &anna, &ben));
    for _ in 0..6 {
        // The connection is lost before the service has the answers, so the message comes again.
        ben.restart();
        let (_, replies) = ben.receive(&stanza);
        let request = retry::parse(&replies[0].clone().attr("from", ben.lid())).unwrap();
        assert_eq!(request.count, 1);
    }
}

#[test]
fn the_resend_completes_the_placeholder() {
    let (mut anna, mut ben) = friends();
    let stanza = relay(&anna.compose("A1", &Jid::lid("2"), "x"), &anna, &ben);
    ben.receive(&damaged(&stanza));
    let entry = ben.store.inbox(&Jid::lid("1"), &anna.lid(), "A1").unwrap().unwrap();
    let crate::store::InboxState::Failed { event_id, retries: 1, .. } = entry.state else {
        panic!("{entry:?}")
    };
    let again = relay(&anna.compose("A1", &Jid::lid("2"), "x"), &anna, &ben);
    let (events, replies) = ben.receive(&again);
    assert_eq!(only_message(events).completes, Some(event_id));
    assert_eq!(shape(&replies), shapes(&[("receipt", "inactive")]));
    // What was damaged at first may still come; nobody needs it.
    assert_eq!(ben.receive(&stanza).0, []);
}

#[test]
fn a_message_of_an_unknown_session_is_asked_for() {
    let (mut anna, _) = friends();
    let mut stranger = Side::new("2", 1);
    let sent = anna.compose("A1", &Jid::lid("2"), "x");
    let (events, replies) = stranger.receive(&relay(&sent, &anna, &stranger));
    assert_eq!(only_placeholder(events).reason, "no_session");
    assert!(replies[0].child_named("retry").unwrap().attr_is("error", "1"));
}

/// A hosted device has no other way to begin a session than the keys in the request.
#[test]
fn a_hosted_device_is_sent_keys_with_the_first_request() {
    let (mut anna, mut ben) = friends();
    let mut stanza = damaged(&relay(&anna.compose("A1", &Jid::lid("2"), "x"), &anna, &ben));
    let hosted = Jid::new("1", whimbrel_wire::Server::HostedLid).with_device(anna.lid().device());
    stanza.set_attr("from", &hosted);
    let (events, replies) = ben.receive(&stanza);
    assert_eq!(only_placeholder(events).sender.id, Jid::lid("1"));
    assert!(replies[0].child_named("keys").is_some());
    assert_eq!(replies[0].attr_jid("to"), Some(hosted));
}

#[test]
fn hidden_failures_are_asked_for_but_not_told() {
    let (mut anna, mut ben) = friends();
    let enc = anna.seal(&ben.lid(), &words("x", [0; 32])).attr("decrypt-fail", "hide");
    let (events, replies) = ben.receive(&damaged(&envelope("A1", &anna.lid()).child(enc)));
    assert_eq!((events, shape(&replies)), (vec![], shapes(&[("receipt", "retry"), ("ack", "")])));
    let enc = anna.seal(&ben.lid(), &words("x", [0; 32]));
    let message = only_message(ben.receive(&envelope("A1", &anna.lid()).child(enc)).0);
    assert_eq!(message.completes, None);
}

#[test]
fn what_nobody_can_help_is_refused_with_a_number() {
    let (mut anna, mut ben) = friends();
    let enc = |kind: &'static str, bytes: &[u8]| {
        Node::new("enc").attr("v", "2").attr("type", kind).bytes(bytes.to_vec())
    };
    let from = anna.lid();
    let mut unpadded = |bytes: &[u8]| {
        let (message, _) = anna.unit(|unit| {
            let (record, _) = unit.session_mut(&ben.lid())?.unwrap();
            Ok(record.encrypt(bytes).unwrap())
        });
        enc("msg", &message.bytes)
    };
    let cases = [
        (envelope("A1", &from).child(enc("msg", &[0x33, 1])), "487"),
        (envelope("A2", &from).child(enc("frskmsg", &[1])), "488"),
        (envelope("A3", &from), "488"),
        (envelope("A4", &from).child(unpadded(&[1, 2, 0])), "491"),
        (envelope("A5", &from).child(unpadded(&[0xff, 0xff, 1])), "491"),
        (envelope("A6", &from).child(enc("msmsg", &[1])), "495"),
        (Node::new("message").attr("id", "A7").attr("from", &from), "487"),
    ];
    for (stanza, code) in cases {
        let (events, replies) = ben.receive(&stanza);
        assert_eq!((events, shape(&replies)), (vec![], shapes(&[("ack", code)])), "{stanza}");
    }
    let channel = envelope("A8", &Jid::newsletter("1"));
    assert_eq!(shape(&ben.receive(&channel).1), shapes(&[("ack", "")]));
}

#[test]
fn a_companion_of_another_account_is_not_believed() {
    let (mut anna, mut ben) = pair();
    let stranger = KeyPair::generate(&mut anna.rng);
    anna.account.signed_identity = Some(proof(&stranger, &anna.account.keys.identity, 1, true));
    let account_key = *anna.phone_key.public.as_bytes();
    ben.unit(|unit| unit.trust(&Jid::lid("1"), &account_key));
    let sent = anna.compose("A1", &Jid::lid("2"), "x");
    let (events, replies) = ben.receive(&relay(&sent, &anna, &ben));
    assert_eq!(only_placeholder(events).reason, "invalid_proof");
    assert!(replies[0].child_named("retry").unwrap().attr_is("error", "12"));
    assert!(!ben.unit(|unit| unit.has_session(&anna.account.lid.clone().unwrap())).0);
}

#[test]
fn what_the_service_has_not_got_is_a_placeholder() {
    let (anna, mut ben) = friends();
    let stanza = envelope("A1", &anna.lid()).child(Node::new("unavailable").attr("type", "view_once"));
    let (events, replies) = ben.receive(&stanza);
    assert_eq!(only_placeholder(events).reason, "view_once");
    assert_eq!(shape(&replies), shapes(&[("ack", "")]));
    assert_eq!(ben.receive(&stanza).0, []);
}

#[test]
fn a_changed_identity_is_told_and_does_not_block() {
    let (_, mut ben) = friends();
    let mut fresh = Side::new("1", 1);
    fresh.account.keys.identity = KeyPair::generate(&mut fresh.rng);
    fresh.account.signed_identity =
        Some(proof(&fresh.phone_key.clone(), &fresh.account.keys.identity, 1, true));
    fresh.know(&Jid::lid("1"), &[1]);
    fresh.know(&Jid::lid("2"), &[1]);
    fresh.meet(&mut ben, 2);
    let sent = fresh.compose("F1", &Jid::lid("2"), "new keys");
    let (events, _) = ben.receive(&relay(&sent, &fresh, &ben));
    let [EventKind::IdentityChanged(changed), EventKind::Message(message)] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!((&changed.who.id, changed.device), (&Jid::lid("1"), 1));
    assert_eq!(message.text.as_deref(), Some("new keys"));
}

#[test]
fn an_ack_of_another_stanza_is_none_of_a_message() {
    assert_eq!(stanza::ack(&Node::new("ack").attr("class", "notification").attr("id", "1")), None);
}

//! Messages in groups: sender keys come through sessions.

use whimbrel_proto::e2e::message::SenderKeyDistributionMessage;
use whimbrel_signal::OwnSenderKey;

use super::*;

fn group() -> Jid {
    Jid::group("1203-4")
}

fn in_group(id: &str, author: &Jid) -> Node {
    envelope(id, &group()).attr("participant", author).attr("addressing_mode", "lid")
}

/// A sender key of one side, and its distribution for a group.
fn sender_key(side: &mut Side, group: &Jid) -> (OwnSenderKey, Content) {
    let key = OwnSenderKey::generate(&mut side.rng);
    let distribution = SenderKeyDistributionMessage {
        group_id: Some(group.to_string()),
        axolotl_sender_key_distribution_message: Some(key.distribution().to_bytes()),
    };
    (key, Content { sender_key_distribution_message: Some(distribution.into()), ..Default::default() })
}

fn sealed(side: &mut Side, key: &mut OwnSenderKey, text: &str) -> Node {
    let mut bytes = whimbrel_proto::encode(&words(text, [1; 32]));
    padding::pad(&mut bytes, 5);
    let bytes = key.encrypt(&bytes, &mut side.rng).unwrap();
    Node::new("enc").attr("v", "2").attr("type", "skmsg").bytes(bytes)
}

#[test]
fn the_key_comes_with_the_first_message_and_serves_the_next() {
    let (mut anna, mut ben) = pair();
    let (mut key, distribution) = sender_key(&mut anna, &group());
    let first = sealed(&mut anna, &mut key, "to all");
    // The service may put the group's ciphertext first.
    let stanza = in_group("G1", &anna.lid()).child(first).child(anna.seal(&ben.lid(), &distribution));
    let (events, replies) = ben.receive(&stanza);
    let message = only_message(events);
    assert_eq!((message.text.as_deref(), message.chat.id), (Some("to all"), group()));
    assert_eq!((message.sender.id, message.sender_device), (Jid::lid("1"), 1));
    assert_eq!(replies[0].attr_jid("to"), Some(group()));
    assert_eq!(replies[0].attr_jid("participant"), Some(anna.lid()));
    for (id, text) in [("G2", "second"), ("G3", "third")] {
        ben.restart();
        let stanza = in_group(id, &anna.lid()).child(sealed(&mut anna, &mut key, text));
        assert_eq!(only_message(ben.receive(&stanza).0).text.as_deref(), Some(text));
    }
}

#[test]
fn without_the_key_it_is_asked_for_with_keys_at_once() {
    let (mut anna, mut ben) = pair();
    let (mut key, distribution) = sender_key(&mut anna, &group());
    let stanza = in_group("G1", &anna.lid()).child(sealed(&mut anna, &mut key, "to all"));
    let (events, replies) = ben.receive(&stanza);
    assert_eq!(only_placeholder(events).reason, "no_session");
    assert_eq!(shape(&replies), shapes(&[("receipt", "retry"), ("ack", "")]));
    assert!(replies[0].child_named("keys").is_some());
    // The answer is encrypted for the device and brings the key for what follows.
    let mut again = words("to all", [1; 32]);
    again.sender_key_distribution_message = distribution.sender_key_distribution_message;
    let stanza = in_group("G1", &anna.lid()).child(anna.seal(&ben.lid(), &again).attr("count", "1"));
    let message = only_message(ben.receive(&stanza).0);
    assert_eq!((message.text.as_deref(), message.completes.is_some()), (Some("to all"), true));
}

#[test]
fn a_key_for_another_group_is_not_taken() {
    let (mut anna, mut ben) = pair();
    let (mut key, distribution) = sender_key(&mut anna, &Jid::group("999-9"));
    let stanza = in_group("G1", &anna.lid()).child(anna.seal(&ben.lid(), &distribution));
    assert_eq!(ben.receive(&stanza).0, []);
    let stanza = in_group("G2", &anna.lid()).child(sealed(&mut anna, &mut key, "x"));
    only_placeholder(ben.receive(&stanza).0);
}

#[test]
fn a_failed_session_fails_the_whole_message() {
    let (mut anna, mut ben) = pair();
    let (mut key, distribution) = sender_key(&mut anna, &group());
    let carrier = anna.seal(&ben.lid(), &distribution);
    let mut bytes = carrier.content_bytes().unwrap().to_vec();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let stanza =
        in_group("G1", &anna.lid()).child(carrier.bytes(bytes)).child(sealed(&mut anna, &mut key, "x"));
    let (events, replies) = ben.receive(&stanza);
    only_placeholder(events);
    assert_eq!(shape(&replies), shapes(&[("receipt", "retry"), ("ack", "")]));
}

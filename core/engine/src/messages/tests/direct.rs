//! Direct messages and copies for own devices.

use super::*;
use crate::store::InboxState;
use whimbrel_content::protocol::Protocol;

#[test]
fn a_first_contact_and_an_answer() {
    let (mut anna, mut ben) = pair();
    let sent = anna.compose("A1", &Jid::lid("2"), "hi ben");
    assert!(sent.child_named("device-identity").is_some());
    let (events, replies) = ben.receive(&relay(&sent, &anna, &ben));
    let message = only_message(events);
    assert_eq!((message.text.as_deref(), message.push_name.as_deref()), (Some("hi ben"), Some("Zoë")));
    assert_eq!((message.chat.id.clone(), message.chat.phone.clone()), (Jid::lid("1"), Some(phone_of("1"))));
    assert_eq!((message.sender, message.sender_device, message.from_me), (message.chat, 1, false));
    assert_eq!(shape(&replies), shapes(&[("receipt", "inactive")]));
    assert_eq!(replies[0].attr_jid("to"), Some(anna.lid()));
    assert!(ben.store.pre_key(1).unwrap().is_none(), "the one-time key is used up in the same commit");
    assert_eq!(ben.store.identity(&anna.lid()).unwrap(), Some(*anna.account.keys.identity.public.as_bytes()));

    // The answer needs no bundle, and after it nobody sends keys any more, also across restarts.
    ben.restart();
    let answer = ben.compose("B1", &Jid::lid("1"), "hi anna");
    assert_eq!(only_message(anna.receive(&relay(&answer, &ben, &anna)).0).text.as_deref(), Some("hi anna"));
    anna.restart();
    let next = anna.compose("A2", &Jid::lid("2"), "well?");
    assert!(next.child_named("device-identity").is_none());
    assert_eq!(only_message(ben.receive(&relay(&next, &anna, &ben)).0).text.as_deref(), Some("well?"));
}

#[test]
fn the_same_message_is_one_event_whatever_its_ciphertext() {
    let (mut anna, mut ben) = pair();
    let first = relay(&anna.compose("A1", &Jid::lid("2"), "once"), &anna, &ben);
    only_message(ben.receive(&first).0);
    ben.restart();
    let (events, replies) = ben.receive(&first);
    assert_eq!((events, shape(&replies)), (vec![], shapes(&[("receipt", "inactive")])));
    let again = relay(&anna.compose("A1", &Jid::lid("2"), "once"), &anna, &ben);
    let (events, replies) = ben.receive(&again);
    assert_eq!((events, shape(&replies)), (vec![], shapes(&[("receipt", "inactive")])));
}

#[test]
fn a_used_key_under_a_new_id_is_asked_for_again() {
    let (mut anna, mut ben) = pair();
    let first = relay(&anna.compose("A1", &Jid::lid("2"), "once"), &anna, &ben);
    only_message(ben.receive(&first).0);
    let (events, replies) = ben.receive(&first.attr("id", "A9"));
    assert_eq!(only_placeholder(events).reason, "invalid_message");
    assert_eq!(shape(&replies), shapes(&[("receipt", "retry"), ("ack", "")]));
    let again = relay(&anna.compose("A9", &Jid::lid("2"), "another"), &anna, &ben);
    assert_eq!(only_message(ben.receive(&again).0).text.as_deref(), Some("another"));
}

#[test]
fn own_devices_get_copies_and_notes() {
    let (mut one, mut two) = (Side::new("1", 1), Side::new("1", 2));
    let mut ben = Side::new("2", 1);
    one.know(&Jid::lid("1"), &[1, 2]);
    one.know(&Jid::lid("2"), &[1]);
    one.meet(&mut two, 1);
    one.meet(&mut ben, 1);
    let sent = one.compose("A1", &Jid::lid("2"), "to ben");
    let (events, replies) = two.receive(&relay(&sent, &one, &two));
    let copy = only_message(events);
    assert_eq!((copy.text.as_deref(), copy.from_me), (Some("to ben"), true));
    assert_eq!((copy.chat.id, copy.sender.id, copy.sender_device), (Jid::lid("2"), Jid::lid("1"), 1));
    assert_eq!(
        replies[0].to_string(),
        r#"<receipt id="A1" to=J:"1:1@lid" type="sender" recipient=J:"2@lid"/>"#
    );
    let original = only_message(ben.receive(&relay(&sent, &one, &ben)).0);
    assert_eq!(original.raw, copy.raw);

    let note = one.compose("A2", &Jid::lid("1"), "a note");
    let copy = only_message(two.receive(&relay(&note, &one, &two)).0);
    assert_eq!((copy.text.as_deref(), copy.chat.id), (Some("a note"), Jid::lid("1")));
}

#[test]
fn only_own_devices_send_for_the_account() {
    let (mut anna, mut ben) = pair();
    let forged = whimbrel_content::unwrap::device_sent(&Jid::lid("3"), words("as if by ben", [0; 32]));
    let stanza = envelope("A1", &anna.lid()).child(anna.seal(&ben.lid(), &forged));
    let (events, replies) = ben.receive(&stanza);
    assert_eq!((events, shape(&replies)), (vec![], shapes(&[("receipt", "inactive")])));
}

fn control(kind: i32) -> Content {
    use whimbrel_proto::e2e::message::ProtocolMessage;
    let protocol = ProtocolMessage { r#type: Some(kind), ..Default::default() };
    Content { protocol_message: Some(protocol.into()), ..Default::default() }
}

#[test]
fn messages_between_own_devices_are_not_shown_and_have_receipts_of_their_own() {
    let (mut phone, mut client) = (Side::new("1", 0), Side::new("1", 2));
    phone.meet(&mut client, 1);
    for (id, kind, expected) in [
        ("P1", 6, &[("receipt", "peer_msg")][..]),
        // A piece of the history has its own once it was read.
        ("P2", 5, &[("receipt", "peer_msg")]),
        ("P3", 99, &[("receipt", "peer_msg")]),
    ] {
        let enc = phone.seal(&client.lid(), &control(kind));
        let stanza = envelope(id, &phone.lid()).attr("category", "peer").child(enc);
        let (events, replies) = client.receive(&stanza);
        assert_eq!((events, shape(&replies)), (vec![], shapes(expected)), "{kind}");
    }
    // From somebody else the same content has no effect, and what concerns chats is shown.
    let (mut anna, mut ben) = pair();
    let stanza = envelope("A1", &anna.lid()).child(anna.seal(&ben.lid(), &control(6)));
    assert_eq!(ben.receive(&stanza).0, []);
    // A revoke that names nobody's message is no author's.
    let stanza = envelope("A2", &anna.lid()).child(anna.seal(&ben.lid(), &control(0)));
    assert_eq!(ben.receive(&stanza).0, []);
    let stanza = envelope("A3", &anna.lid()).child(anna.seal(&ben.lid(), &control(999)));
    let told = ben.receive(&stanza).0;
    let [EventKind::Control(control)] = told.as_slice() else { panic!("a control message: {told:?}") };
    assert!(control.what == Protocol::Unknown(999) && !control.raw.is_empty());
}

#[test]
fn a_message_that_nobody_needs_to_see_is_remembered_all_the_same() {
    let (mut anna, mut ben) = pair();
    let stanza = envelope("A1", &anna.lid()).child(anna.seal(&ben.lid(), &Content::default()));
    assert_eq!(ben.receive(&stanza).0, []);
    let entry = ben.store.inbox(&Jid::lid("1"), &anna.lid(), "A1").unwrap().unwrap();
    assert_eq!(entry.state, InboxState::Done);
}

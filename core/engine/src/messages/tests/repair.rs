//! Limits of repair, what the phone is asked for and hands over, and what is counted.

use whimbrel_proto::common::MessageKey;
use whimbrel_proto::e2e::message::peer_data_operation_request_response_message::{
    PeerDataOperationResult, peer_data_operation_result::PlaceholderMessageResendResponse,
};
use whimbrel_proto::e2e::message::protocol_message::Type;
use whimbrel_proto::e2e::message::{
    HistorySyncNotification, PeerDataOperationRequestResponseMessage, ProtocolMessage,
};
use whimbrel_proto::web::WebMessageInfo;

use super::failures::{damaged, friends};
use super::*;
use crate::history::HistoryChange;
use crate::repair::Repair;
use crate::statistics::Statistics;
use crate::store::{Changes, Store as _};

/// Receives a message: the events, the answers, and what else follows.
fn take(side: &mut Side, stanza: &Node) -> (Vec<EventKind>, Replies) {
    let mut replies = Replies::default();
    let ((), events) = side.unit(|unit| receive::message(unit, stanza, &mut replies));
    (events.into_iter().map(|event| event.kind).collect(), replies)
}

fn statistics(side: &mut Side) -> Statistics {
    side.unit(|unit| Ok(unit.statistics().clone())).0
}

/// A message that nobody can open.
fn rubbish(id: &str, author: &Jid) -> Node {
    envelope(id, author).child(Node::new("enc").attr("v", "2").attr("type", "skmsg").bytes(vec![0x33; 80]))
}

#[test]
fn a_stranger_cannot_make_this_client_ask_for_ever() {
    let (mut anna, mut ben) = friends();
    let mut encs = Vec::new();
    for _ in 0..400 {
        encs.push(anna.seal(&ben.lid(), &words("x", [0; 32])));
    }
    let mut asked = 0;
    let mut told = 0;
    for (number, enc) in encs.into_iter().enumerate() {
        let stanza = damaged(&envelope(&format!("T{number}"), &anna.lid()).child(enc));
        let (events, replies) = take(&mut ben, &stanza);
        asked += replies.nodes().iter().filter(|node| node.tag() == "receipt").count();
        assert!(replies.nodes().iter().any(|node| node.tag() == "ack"), "everything is settled");
        told += events.len();
    }
    assert!((300..310).contains(&asked), "{asked}");
    assert_eq!(told, 400, "the host knows of every message");
    let counted = statistics(&mut ben);
    assert_eq!((counted.retries_sent, counted.retries_withheld), (asked as u64, 400 - asked as u64));
    assert_eq!(counted.undecryptable.get("bad_mac"), Some(&400));
    // Others are served as before.
    let mut carl = Side::new("3", 1);
    carl.know(&Jid::lid("2"), &[1]);
    carl.know(&Jid::lid("3"), &[1]);
    carl.meet(&mut ben, 3);
    let stanza = relay(&carl.compose("C1", &Jid::lid("2"), "x"), &carl, &ben);
    let (_, replies) = take(&mut ben, &damaged(&stanza));
    assert!(replies.nodes().iter().any(|node| node.attr_is("type", "retry")));
}

#[test]
fn the_session_is_begun_anew_after_some_failures_but_once_an_hour() {
    let (mut anna, mut ben) = friends();
    let mut renewed = 0;
    for number in 0..20 {
        let stanza = relay(&anna.compose(&format!("T{number}"), &Jid::lid("2"), "x"), &anna, &ben);
        let (_, replies) = take(&mut ben, &damaged(&stanza));
        for repair in &replies.repairs {
            let Repair::Renew(target) = repair else { panic!("another repair") };
            assert_eq!(target.key, anna.lid());
            renewed += 1;
        }
    }
    assert_eq!(renewed, 1);
}

#[test]
fn what_was_opened_in_between_ends_a_row_of_failures() {
    let (mut anna, mut ben) = friends();
    for number in 0..20 {
        let stanza = relay(&anna.compose(&format!("T{number}"), &Jid::lid("2"), "x"), &anna, &ben);
        let (_, replies) = take(&mut ben, &if number % 4 == 3 { stanza } else { damaged(&stanza) });
        assert!(replies.repairs.is_empty(), "{number}");
    }
}

#[test]
fn a_status_that_is_over_is_not_asked_for() {
    let mut ben = Side::new("2", 1);
    let now = ben.unit(|unit| Ok(unit.now())).0;
    let status = |id: &str, age: i64| {
        Node::new("message")
            .attr("id", id.to_owned())
            .attr("from", Jid::STATUS)
            .attr("participant", Jid::lid("1").with_device(1))
            .attr("t", now - age)
            .child(Node::new("enc").attr("v", "2").attr("type", "msg").bytes(sealed_for_nobody()))
    };
    let (events, replies) = ben.receive(&status("S1", 25 * 3600));
    assert_eq!((events, shape(&replies)), (vec![], shapes(&[("ack", "")])));
    let (events, replies) = ben.receive(&status("S2", 23 * 3600));
    assert_eq!((events.len(), shape(&replies)), (1, shapes(&[("receipt", "retry"), ("ack", "")])));
}

/// A ciphertext of a session that nobody has.
fn sealed_for_nobody() -> Vec<u8> {
    let (mut anna, ben) = friends();
    let enc = anna.seal(&ben.lid(), &words("x", [0; 32]));
    enc.content_bytes().unwrap().to_vec()
}

#[test]
fn bots_in_chats_are_not_asked() {
    let mut ben = Side::new("2", 1);
    let bot: Jid = "867051314767696@bot".parse().unwrap();
    let stanza = envelope("B1", &Jid::group("1-2"))
        .attr("participant", &bot)
        .child(Node::new("enc").attr("v", "2").attr("type", "msg").bytes(sealed_for_nobody()));
    let (events, replies) = ben.receive(&stanza);
    assert_eq!(only_placeholder(events).reason, "no_session");
    assert_eq!(shape(&replies), shapes(&[("ack", "")]));
}

#[test]
fn what_is_missing_says_why_and_only_what_the_phone_has_is_asked_for() {
    let (anna, mut ben) = friends();
    let unavailable = |kind: Option<&'static str>| Node::new("unavailable").attr_opt("type", kind);
    let cases = [
        (unavailable(None), None, "unavailable"),
        (unavailable(Some("of_tomorrow")), None, "unavailable"),
        (unavailable(Some("view_once")), None, "view_once"),
        (unavailable(Some("view_once_unavailable_fanout")), None, "view_once"),
        (unavailable(Some("hosted_unavailable_fanout")), None, "hosted"),
        (unavailable(None).attr("hosted", "true"), None, "hosted"),
        (unavailable(Some("bot_unavailable_fanout")), None, "bot"),
        (unavailable(None), Some(Node::new("bot")), "bot"),
    ];
    for (number, (unavailable, child, reason)) in cases.into_iter().enumerate() {
        let stanza = envelope(&format!("T{number}"), &anna.lid()).child(unavailable).child_opt(child);
        let (events, replies) = take(&mut ben, &stanza);
        assert_eq!(only_placeholder(events).reason, reason);
        assert_eq!(shape(replies.nodes()), shapes(&[("ack", "")]));
        assert_eq!(replies.missing().len(), usize::from(reason == "unavailable"), "{stanza}");
    }
}

/// A control message from one own device to another.
fn between_own(from: &mut Side, to: &Side, id: &str, protocol: ProtocolMessage) -> Node {
    let content = Content { protocol_message: Some(Box::new(protocol)), ..Content::default() };
    envelope(id, &from.lid()).attr("category", "peer").child(from.seal(&to.lid(), &content))
}

fn handed_over(id: &str, from_me: bool, text: &str) -> ProtocolMessage {
    let info = WebMessageInfo {
        key: Some(MessageKey {
            remote_jid: Some(phone_of("1").to_string()),
            from_me: Some(from_me),
            id: Some(id.to_owned()),
            participant: None,
        }),
        message: Some(Box::new(words(text, [4; 32]))),
        message_timestamp: Some(1_795_000_007),
        push_name: Some("Zoë".to_owned()),
        ..WebMessageInfo::default()
    };
    let result = PeerDataOperationResult {
        placeholder_message_resend_response: Some(PlaceholderMessageResendResponse {
            web_message_info_bytes: Some(whimbrel_proto::encode(&info)),
        }),
        ..PeerDataOperationResult::default()
    };
    ProtocolMessage {
        r#type: Some(Type::PeerDataOperationRequestResponseMessage.into()),
        peer_data_operation_request_response_message: Some(PeerDataOperationRequestResponseMessage {
            peer_data_operation_request_type: Some(4),
            stanza_id: Some("R1".to_owned()),
            peer_data_operation_result: vec![result],
        }),
        ..ProtocolMessage::default()
    }
}

#[test]
fn what_the_phone_hands_over_completes_the_placeholder_once() {
    let (mut anna, mut ben) = friends();
    let mut phone = Side::new("2", 0);
    phone.know(&Jid::lid("2"), &[0, 1]);
    phone.meet(&mut ben, 4);
    let lost = relay(&anna.compose("A1", &Jid::lid("2"), "told by the phone"), &anna, &ben);
    let (events, _) = take(&mut ben, &damaged(&lost));
    only_placeholder(events);
    let entry = ben.store.inbox(&Jid::lid("1"), &anna.lid(), "A1").unwrap().unwrap();
    let crate::store::InboxState::Failed { event_id, .. } = entry.state else { panic!("{entry:?}") };

    // Neither what was not missing nor what pretends to be this account's own.
    for (id, answer) in [("P2", handed_over("A0", false, "no")), ("P3", handed_over("A1", true, "no"))] {
        let stanza = between_own(&mut phone, &ben, id, answer);
        assert_eq!(take(&mut ben, &stanza).0, []);
    }
    let stanza = between_own(&mut phone, &ben, "P1", handed_over("A1", false, "told by the phone"));
    let (events, replies) = take(&mut ben, &stanza);
    let message = only_message(events);
    assert_eq!((message.text.as_deref(), message.completes), (Some("told by the phone"), Some(event_id)));
    assert_eq!((message.sender_device, message.from_me, message.timestamp), (1, false, 1_795_000_007));
    assert_eq!(shape(replies.nodes()), shapes(&[("receipt", "peer_msg")]));
    // The resend may still come.
    let again = relay(&anna.compose("A1", &Jid::lid("2"), "told by the phone"), &anna, &ben);
    let (events, replies) = take(&mut ben, &again);
    assert_eq!((events, shape(replies.nodes())), (vec![], shapes(&[("receipt", "inactive")])));
    let stanza = between_own(&mut phone, &ben, "P4", handed_over("A1", false, "again"));
    assert_eq!(take(&mut ben, &stanza).0, []);
    let counted = statistics(&mut ben);
    assert_eq!((counted.phone_answers, counted.completed), (1, 1));
}

#[test]
fn only_the_phone_hands_messages_over() {
    let (mut anna, mut ben) = friends();
    let lost = relay(&anna.compose("A1", &Jid::lid("2"), "x"), &anna, &ben);
    take(&mut ben, &damaged(&lost));
    let mut other = Side::new("2", 3);
    other.know(&Jid::lid("2"), &[0, 1, 3]);
    other.meet(&mut ben, 4);
    let stanza = between_own(&mut other, &ben, "P1", handed_over("A1", false, "forged"));
    assert_eq!(take(&mut ben, &stanza).0, []);
    // Nor somebody else.
    let forged = Content {
        protocol_message: Some(Box::new(handed_over("A1", false, "forged"))),
        ..Content::default()
    };
    let stanza = envelope("P2", &anna.lid()).child(anna.seal(&ben.lid(), &forged));
    assert_eq!(take(&mut ben, &stanza).0, []);
}

#[test]
fn a_piece_of_the_history_has_its_receipt_once_it_is_done_with_and_then_as_often_as_it_comes() {
    let mut ben = Side::new("2", 1);
    let mut phone = Side::new("2", 0);
    phone.know(&Jid::lid("2"), &[0, 1]);
    phone.meet(&mut ben, 4);
    let history = ProtocolMessage {
        r#type: Some(Type::HistorySyncNotification.into()),
        history_sync_notification: Some(Box::<HistorySyncNotification>::default()),
        ..ProtocolMessage::default()
    };
    let stanza = between_own(&mut phone, &ben, "H1", history);
    let had = shapes(&[("receipt", "peer_msg")]);
    let done = shapes(&[("receipt", "peer_msg"), ("receipt", "hist_sync")]);
    for expected in [&had, &had, &done, &done] {
        if expected == &done {
            let history = vec![HistoryChange::Done("H1".to_owned())];
            ben.store.commit(&Changes { history, ..Changes::default() }).unwrap();
        }
        let (events, replies) = ben.receive(&stanza);
        assert_eq!((events, &shape(&replies)), (vec![], expected));
        assert_eq!(ben.store.is_piece_waiting("H1").unwrap(), expected == &had);
        ben.restart();
    }
}

#[test]
fn what_is_refused_is_counted_too() {
    let mut ben = Side::new("2", 1);
    ben.receive(&rubbish("A1", &Jid::lid("1")));
    ben.receive(&envelope("A2", &Jid::lid("1")));
    let counted = statistics(&mut ben);
    assert_eq!(counted.undecryptable.get("unknown_kind"), Some(&1));
    assert_eq!(counted.undecryptable.values().sum::<u64>(), 2);
}

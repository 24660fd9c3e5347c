//! Envelopes that come before the message they belong to.

use whimbrel_content::addons::Addon as What;
use whimbrel_content::compose::{self, Envelope};
use whimbrel_content::key::Key;
use whimbrel_content::kinds::poll::Poll;

use super::*;
use crate::addons::Addon;
use crate::addons::waiting::{self, AT_MOST, PATIENCE, WaitingChange, Which};
use crate::archive::row::{ArchiveChange, MessageRow};

const SECRET: [u8; 32] = [7; 32];

fn poll() -> Poll {
    let options = ["Soup", "Tea"].map(str::to_owned).to_vec();
    Poll { name: "Lunch?".to_owned(), options, selectable: 1, ..Poll::default() }
}

fn poll_message() -> Content {
    Draft::new(whimbrel_content::Content::Poll(poll())).compose(SECRET).unwrap().message
}

/// Anna's vote on a poll of hers.
fn vote(anna: &Side, id: &str) -> Content {
    let own = anna.lid().to_bare();
    let target = Key::own(&own, id);
    let envelope = Envelope { target: &target, secret: &SECRET, author: &own, own: &own, nonce: [1; 12] };
    compose::vote(&envelope, &poll(), &["Tea".to_owned()], 9).unwrap()
}

/// What Ben's host hears of a message of Anna's.
fn sent(anna: &mut Side, ben: &mut Side, id: &str, content: &Content) -> Vec<EventKind> {
    let enc = anna.seal(&ben.lid(), content);
    let (events, replies) = ben.receive(&envelope(id, &anna.lid()).child(enc));
    assert_eq!(shape(&replies), shapes(&[("receipt", "inactive")]), "it is durable and confirmed");
    events
}

fn addon(event: EventKind) -> Addon {
    match event {
        EventKind::Addon(addon) => *addon,
        other => panic!("no add-on: {other:?}"),
    }
}

fn count(side: &Side) -> usize {
    side.store.waiting_count().unwrap()
}

#[test]
fn a_vote_waits_for_its_poll_and_is_told_once() {
    let (mut anna, mut ben) = pair();
    let content = vote(&anna, "POLL");
    assert_eq!(sent(&mut anna, &mut ben, "V1", &content), []);
    ben.restart();
    let [message, told] =
        <[EventKind; 2]>::try_from(sent(&mut anna, &mut ben, "POLL", &poll_message())).unwrap();
    assert!(matches!(message, EventKind::Message(_)), "the message is told before what is about it");
    let told = addon(told);
    assert_eq!((told.message_id.as_str(), told.target.message_id.as_str()), ("V1", "POLL"));
    assert_eq!((told.options, told.timestamp), (vec!["Tea".to_owned()], 1_795_000_000));
    assert!(matches!(told.what, What::Vote(_)) && told.opened.is_some());
    assert_eq!(whimbrel_proto::decode::<Content>(&told.raw).unwrap(), content);
    assert_eq!(count(&ben), 0);
    // The poll comes again, as after a retry.
    assert_eq!(sent(&mut anna, &mut ben, "POLL", &poll_message()), []);
    assert!(ben.unit(waiting::expire).1.is_empty());
}

#[test]
fn a_message_of_somebody_else_with_that_id_does_not_end_the_wait() {
    let (mut anna, mut ben) = pair();
    let own = anna.lid().to_bare();
    // The vote is about a message of Ben's, and Anna sends one with its id.
    let target = Key::foreign(&own, "POLL", &ben.lid().to_bare());
    let author = ben.lid().to_bare();
    let about = Envelope { target: &target, secret: &[8; 32], author: &author, own: &own, nonce: [1; 12] };
    let content = compose::vote(&about, &poll(), &["Tea".to_owned()], 9).unwrap();
    assert_eq!(sent(&mut anna, &mut ben, "V1", &content), []);
    only_message(sent(&mut anna, &mut ben, "POLL", &poll_message()));
    assert_eq!(count(&ben), 1);
}

#[test]
fn what_the_history_brings_opens_what_waits() {
    let (mut anna, mut ben) = pair();
    let content = vote(&anna, "POLL");
    assert_eq!(sent(&mut anna, &mut ben, "V1", &content), []);
    assert!(ben.unit(waiting::history_came).1.is_empty(), "it did not bring the poll");
    let row = MessageRow {
        chat: anna.lid().to_bare(),
        author: Some(anna.lid().to_bare()),
        message_id: "POLL".to_owned(),
        timestamp: 1,
        content: whimbrel_proto::encode(&poll_message()),
        status: None,
        starred: false,
        unread: false,
        notice: None,
    };
    let archive = vec![ArchiveChange::Message(Box::new(row))];
    ben.store.commit(&Changes { archive, ..Changes::default() }).unwrap();
    let ((), events) = ben.unit(waiting::history_came);
    let told: Vec<Addon> = events.into_iter().map(|event| addon(event.kind)).collect();
    assert_eq!((told.len(), told[0].options.as_slice()), (1, ["Tea".to_owned()].as_slice()));
    assert_eq!(count(&ben), 0);
    assert!(ben.unit(waiting::history_came).1.is_empty());
}

#[test]
fn what_waits_too_long_or_is_one_too_many_is_told_sealed() {
    let (mut anna, mut ben) = pair();
    for number in 0..=AT_MOST {
        let content = vote(&anna, &format!("P{number}"));
        let told = sent(&mut anna, &mut ben, &format!("V{number}"), &content);
        if number < AT_MOST {
            assert_eq!(told, [], "{number}");
            continue;
        }
        let told = addon(told.into_iter().next().unwrap());
        assert_eq!((told.message_id.as_str(), told.family()), ("V0", crate::addons::Family::Vote));
        assert!(matches!(told.what, What::Sealed(_)) && told.opened.is_none());
    }
    assert_eq!(count(&ben), AT_MOST);
    assert!(!ben.unit(waiting::expire).0);
    let mut oldest = ben.store.waiting(Which::Oldest(1)).unwrap().remove(0);
    oldest.since -= PATIENCE;
    // Only the time of the first is over.
    let rest = ben.store.waiting(Which::Oldest(AT_MOST)).unwrap().into_iter().skip(1);
    let waiting = std::iter::once(oldest).chain(rest).map(WaitingChange::Waits).collect();
    ben.store.commit(&Changes { waiting, ..Changes::default() }).unwrap();
    let (more, events) = ben.unit(waiting::expire);
    assert_eq!((more, events.len(), count(&ben)), (true, 1, AT_MOST - 1));
    let mut told = 0;
    loop {
        let (more, events) = ben.unit(waiting::end);
        told += events.len();
        if !more {
            break;
        }
    }
    assert_eq!((told, count(&ben)), (AT_MOST - 1, 0));
}

#[test]
fn what_is_revoked_while_it_waits_is_not_told() {
    let (mut anna, mut ben) = pair();
    let content = vote(&anna, "POLL");
    assert_eq!(sent(&mut anna, &mut ben, "V1", &content), []);
    let revoke = compose::revoke(&Key::own(&anna.lid().to_bare(), "V1")).unwrap();
    let [revoked] = <[EventKind; 1]>::try_from(sent(&mut anna, &mut ben, "R1", &revoke)).unwrap();
    assert!(matches!(addon(revoked).what, What::Revoke(_)));
    only_message(sent(&mut anna, &mut ben, "POLL", &poll_message()));
}

#[test]
fn what_no_secret_opens_is_told_at_once() {
    let (mut anna, mut ben) = pair();
    only_message(sent(&mut anna, &mut ben, "POLL", &poll_message()));
    let mut content = vote(&anna, "POLL");
    if let Some(vote) = content.poll_update_message.as_mut().and_then(|update| update.vote.as_mut()) {
        vote.enc_payload = Some(vec![3; 40]);
    }
    let told = addon(sent(&mut anna, &mut ben, "V1", &content).remove(0));
    assert!(matches!(told.what, What::Sealed(_)));
    // And so is what nobody opens.
    let mut planned = vote(&anna, "OTHER");
    let vote = planned.poll_update_message.take().unwrap();
    planned.secret_encrypted_message = Some(Box::new(whimbrel_proto::e2e::message::SecretEncryptedMessage {
        target_message_key: vote.poll_creation_message_key,
        enc_payload: Some(vec![1; 40]),
        enc_iv: Some(vec![1; 12]),
        secret_enc_type: Some(77),
        remote_key_id: None,
    }));
    let told = addon(sent(&mut anna, &mut ben, "V2", &planned).remove(0));
    assert!(matches!(told.what, What::Sealed(_)));
}

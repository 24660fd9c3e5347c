//! Addresses, device lists and identities that change.

use whimbrel_crypto::adv::{self, Hosting};
use whimbrel_crypto::phash;
use whimbrel_proto::adv::{AdvKeyIndexList, AdvSignedKeyIndexList};

use super::*;
use crate::devices::lists;
use crate::devices::usync::{Devices, Listed, UserAnswer};
use crate::notices;
use crate::repair::Repair;

#[test]
fn a_list_is_believed_for_a_day_whatever_the_clock_did() {
    let mut side = Side::new("1", 1);
    let fresh = |side: &mut Side, age: i64| {
        side.unit(|unit| {
            let fetched_at = unit.now() - age;
            let list = DeviceList { devices: Vec::new(), raw_id: 1, signed_at: 1, fetched_at };
            unit.changes.device_lists.insert(Jid::lid("7"), Some(list));
            Ok(crate::devices::lists::fresh(unit, &Jid::lid("7"))?.is_some())
        })
        .0
    };
    assert!(fresh(&mut side, 0) && fresh(&mut side, 23 * 3600));
    assert!(!fresh(&mut side, 25 * 3600));
    assert!(!fresh(&mut side, -3600), "it was fetched while the clock was ahead");
}

fn notify(side: &mut Side, stanza: &Node) -> (Vec<EventKind>, Vec<Node>) {
    let ((), replies, events) = side.handle(|unit, replies| notices::notification(unit, stanza, replies));
    (events, replies)
}

fn notification(kind: &'static str, from: Jid) -> Node {
    Node::new("notification").attr("id", "N1").attr("type", kind).attr("from", from).attr("t", "1795000000")
}

fn listed(side: &mut Side, user: &Jid) -> Option<Vec<u16>> {
    let list = side.unit(|unit| unit.device_list(user)).0?;
    Some(list.devices.iter().map(|entry| entry.device).collect())
}

#[test]
fn a_removed_device_is_forgotten() {
    let (mut anna, mut ben) = pair();
    ben.meet(&mut anna, 2);
    ben.know(&Jid::lid("1"), &[0, 1, 3]);
    let hash = phash::phash([("1", 0, "lid"), ("1", 3, "lid")]);
    let remove = |timestamp: &'static str| {
        let device = Node::new("device").attr("jid", phone_of("1").with_device(1)).attr("lid", anna.lid());
        let operation = Node::new("remove")
            .attr("device_lid_hash", hash.clone())
            .child(device)
            .child(Node::new("key-index-list").attr("ts", timestamp));
        notification("devices", phone_of("1")).attr("lid", Jid::lid("1")).child(operation)
    };
    let (_, replies) = notify(&mut ben, &remove("0"));
    assert_eq!(listed(&mut ben, &Jid::lid("1")), Some(vec![0, 1, 3]), "without a time it does not count");
    assert_eq!(shape(&replies), shapes(&[("ack", "")]));
    notify(&mut ben, &remove("1795000000"));
    assert_eq!(listed(&mut ben, &Jid::lid("1")), Some(vec![0, 3]));
    assert!(
        ben.store.session(&anna.lid()).unwrap().is_none()
            && ben.store.identity(&anna.lid()).unwrap().is_none()
    );
}

#[test]
fn what_does_not_fit_together_makes_the_list_unknown() {
    let mut ben = Side::new("2", 1);
    let user = Jid::lid("1");
    let device = Node::new("device").attr("jid", user.with_device(5)).attr("key-index", "5");
    let unsigned = Node::new("add")
        .child(device.clone())
        .child(Node::new("key-index-list").attr("ts", "9").bytes(vec![1]));
    let removed = Node::new("remove")
        .attr("device_lid_hash", "2:wronghash")
        .child(device)
        .child(Node::new("key-index-list").attr("ts", "9"));
    for operation in [unsigned, removed] {
        ben.know(&user, &[0, 5]);
        notify(&mut ben, &notification("devices", user.clone()).child(operation));
        assert_eq!(listed(&mut ben, &user), None);
    }
    let update = |user: &str| Node::new("update").attr("hash", whimbrel_crypto::digest::contact_hash(user));
    ben.know(&user, &[0]);
    notify(&mut ben, &notification("devices", user.clone()).child(update("777")));
    assert_eq!(listed(&mut ben, &user), Some(vec![0]));
    notify(&mut ben, &notification("devices", user.clone()).child(update("1")));
    assert_eq!(listed(&mut ben, &user), None);
}

#[test]
fn a_new_identity_voids_the_sessions_and_is_told_once() {
    let (mut anna, mut ben) = pair();
    let mut phone = Side::new("1", 0);
    ben.meet(&mut anna, 2);
    ben.meet(&mut phone, 1);
    let stanza = notification("encrypt", Jid::lid("1")).child(Node::new("identity"));
    let (events, replies) = notify(&mut ben, &stanza);
    assert!(matches!(&events[..], [EventKind::IdentityChanged(changed)] if changed.who.id == Jid::lid("1")));
    assert!(replies[0].attr_value("type").is_none());
    for device in [Jid::lid("1"), anna.lid()] {
        assert!(ben.store.session(&device).unwrap().is_none(), "{device}");
    }
    assert_eq!(listed(&mut ben, &Jid::lid("1")), None);
    assert_eq!(notify(&mut ben, &stanza).0, []);
    let own = notification("encrypt", Jid::lid("2")).child(Node::new("identity"));
    assert_eq!(notify(&mut ben, &own).0, []);
}

/// The signed list of key indexes of the account that a side belongs to.
fn signed_list(side: &Side, valid: &[u32]) -> Node {
    Node::new("key-index-list").attr("ts", "1795000000").bytes(signed(side, valid, 1, 1_795_000_000))
}

fn signed(side: &Side, valid: &[u32], raw_id: u32, timestamp: u64) -> Vec<u8> {
    let details = whimbrel_proto::encode(&AdvKeyIndexList {
        raw_id: Some(raw_id),
        timestamp: Some(timestamp),
        current_index: valid.iter().max().copied(),
        valid_indexes: valid.to_vec(),
        ..Default::default()
    });
    let signature = adv::sign_key_index_list(&side.phone_key.private, Hosting::Own, &details, &[1; 64]);
    let signed = AdvSignedKeyIndexList {
        details: Some(details),
        account_signature: Some(signature.to_vec()),
        account_signature_key: Some(side.phone_key.public.as_bytes().to_vec()),
    };
    whimbrel_proto::encode(&signed)
}

/// What the service says of Anna's devices: two companions in a list that the account signed.
fn answered(side: &Side, raw_id: u32, timestamp: u64) -> UserAnswer {
    let device = |device: u16| Listed { device, key_index: Some(u32::from(device)), hosted: false };
    UserAnswer {
        user: Jid::lid("1"),
        lid: None,
        phone: None,
        registered: None,
        devices: Some(Devices {
            listed: [0, 1, 3].map(device).to_vec(),
            signed: Some(signed(side, &[1, 3], raw_id, timestamp)),
        }),
    }
}

#[test]
fn a_list_that_was_given_up_is_still_what_others_are_judged_by() {
    let (mut anna, mut ben) = pair();
    ben.meet(&mut anna, 2);
    let user = Jid::lid("1");
    let told = |ben: &mut Side, answer: UserAnswer| ben.unit(|unit| lists::take(unit, &answer));
    let give_up = |ben: &mut Side| {
        ben.unit(|unit| unit.give_up_list(&user));
        assert_eq!(listed(ben, &user), None);
    };
    told(&mut ben, answered(&anna, 1, 1000));
    assert_eq!(listed(&mut ben, &user), Some(vec![0, 1, 3]));
    // An old list is not taken; the known one is the best that there is, until there is a newer one.
    give_up(&mut ben);
    let mut old = answered(&anna, 1, 999);
    old.devices.as_mut().unwrap().listed.pop();
    told(&mut ben, old);
    assert_eq!(listed(&mut ben, &user), Some(vec![0, 1, 3]));
    assert!(ben.unit(|unit| lists::fresh(unit, &user)).0.is_none(), "it is asked for again");
    assert!(ben.unit(|unit| unit.has_session(&anna.lid())).0);
    // Another epoch of the account: what was begun in the one before is void.
    give_up(&mut ben);
    told(&mut ben, answered(&anna, 2, 1001));
    assert_eq!(listed(&mut ben, &user), Some(vec![0, 1, 3]));
    assert!(!ben.unit(|unit| unit.has_session(&anna.lid())).0);
}

#[test]
fn the_own_list_is_kept_if_the_service_means_the_same_one() {
    let mut anna = Side::new("1", 1);
    let own = Jid::lid("1");
    let list = |side: &Side, hash: String| {
        let device = |number: u16, index: &'static str| {
            let jid = phone_of("1").with_device(number);
            Node::new("device").attr("jid", jid).attr_opt("key-index", (number > 0).then_some(index))
        };
        let devices = Node::new("devices")
            .attr("dhash", hash)
            .child(device(0, "0"))
            .child(device(1, "1"))
            .child(device(4, "4"))
            .child(signed_list(side, &[1, 4]));
        notification("account_sync", phone_of("1")).child(devices)
    };
    let user = phone_of("1");
    let right = phash::phash([0, 1, 4].map(|number| (user.user(), number, "s.whatsapp.net")));
    let stanza = list(&anna, right);
    let (repairs, ..) = anna.handle(|unit, replies| {
        notices::notification(unit, &stanza, replies)?;
        Ok(replies.repairs.len())
    });
    assert_eq!((listed(&mut anna, &own), repairs), (Some(vec![0, 1, 4]), 0));
    let stanza = list(&anna, "2:anotherX".to_owned());
    let (repairs, ..) = anna.handle(|unit, replies| {
        notices::notification(unit, &stanza, replies)?;
        Ok(replies.repairs.contains(&Repair::Devices(own.clone())))
    });
    assert_eq!((listed(&mut anna, &own), repairs), (None, true));
}

#[test]
fn a_hosted_device_is_known_as_such() {
    let (anna, mut ben) = (Side::new("1", 1), Side::new("2", 1));
    let user = Jid::lid("1");
    ben.know(&user, &[0]);
    let hosted = Jid::new("1", whimbrel_wire::Server::HostedLid).with_device(99);
    let operation = Node::new("add")
        .child(Node::new("device").attr("jid", hosted).attr("key-index", "9"))
        .child(signed_list(&anna, &[9]));
    notify(&mut ben, &notification("devices", user.clone()).child(operation));
    let list = ben.store.device_list(&user).unwrap().unwrap();
    let entries: Vec<_> = list.devices.iter().map(|entry| (entry.device, entry.hosted)).collect();
    assert_eq!(entries, [(0, false), (99, true)]);
}

#[test]
fn before_a_companion_is_refused_its_phone_is_asked() {
    let (mut anna, mut ben) = pair();
    // What is known of Anna's phone is from before it was set up anew.
    ben.unit(|unit| unit.trust(&Jid::lid("1"), &[7; 32]));
    let sent = anna.compose("A1", &Jid::lid("2"), "hello");
    let stanza = relay(&sent, &anna, &ben);
    let receive = |ben: &mut Side| {
        let (asked, replies, events) = ben.handle(|unit, replies| {
            receive::message(unit, &stanza, replies)?;
            Ok(unit.repairs.contains(&Repair::Phone(Jid::lid("1"))))
        });
        (asked, shape(&replies), events)
    };
    let (asked, replies, events) = receive(&mut ben);
    assert!(asked);
    assert_eq!(replies, shapes(&[("receipt", "retry"), ("ack", "")]));
    only_placeholder(events);
    // The phone has told its new key; what comes again is read.
    let key = *anna.phone_key.public.as_bytes();
    ben.unit(|unit| unit.identity_proved(&Jid::lid("1"), &key));
    let (asked, _, events) = receive(&mut ben);
    assert!(!asked);
    assert_eq!(only_message(events).text.as_deref(), Some("hello"));
}

#[test]
fn a_companion_that_is_not_listed_is_believed_once_the_list_was_asked_for() {
    let (mut anna, mut ben) = pair();
    let (user, device) = (Jid::lid("1"), anna.lid().device());
    // A device that was added after Anna's is in the list, and hers is not.
    ben.know(&user, &[0, device + 1]);
    let sent = anna.compose("A1", &Jid::lid("2"), "hello");
    let stanza = relay(&sent, &anna, &ben);
    let receive = |ben: &mut Side| {
        let (asked, replies, events) = ben.handle(|unit, replies| {
            receive::message(unit, &stanza, replies)?;
            Ok(unit.repairs.contains(&Repair::Devices(Jid::lid("1"))))
        });
        (asked, shape(&replies), events)
    };
    let (asked, replies, events) = receive(&mut ben);
    assert!(asked);
    assert_eq!(replies, shapes(&[("receipt", "retry"), ("ack", "")]));
    only_placeholder(events);
    let bundle = anna.bundle(2);
    assert!(!ben.unit(|unit| sessions::begin(unit, &user.with_device(device), &bundle)).0, "nor for sending");
    ben.know(&user, &[0, device, device + 1]);
    let (asked, _, events) = receive(&mut ben);
    assert!(!asked);
    assert_eq!(only_message(events).text.as_deref(), Some("hello"));
}

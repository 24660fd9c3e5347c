//! Addresses, device lists and identities that change.

use whimbrel_crypto::phash;

use super::*;
use crate::devices::notify;

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
    let ((), replies, events) = side.handle(|unit, replies| notify::notification(unit, stanza, replies));
    (events, replies)
}

fn notification(kind: &'static str, from: Jid) -> Node {
    Node::new("notification").attr("id", "N1").attr("type", kind).attr("from", from).attr("t", "1795000000")
}

fn listed(side: &Side, user: &Jid) -> Option<Vec<u16>> {
    let list = side.store.device_list(user).unwrap()?;
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
    assert_eq!(listed(&ben, &Jid::lid("1")), Some(vec![0, 1, 3]), "without a time it does not count");
    assert_eq!(shape(&replies), shapes(&[("ack", "")]));
    notify(&mut ben, &remove("1795000000"));
    assert_eq!(listed(&ben, &Jid::lid("1")), Some(vec![0, 3]));
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
        assert_eq!(listed(&ben, &user), None);
    }
    let update = |user: &str| Node::new("update").attr("hash", whimbrel_crypto::digest::contact_hash(user));
    ben.know(&user, &[0]);
    notify(&mut ben, &notification("devices", user.clone()).child(update("777")));
    assert_eq!(listed(&ben, &user), Some(vec![0]));
    notify(&mut ben, &notification("devices", user.clone()).child(update("1")));
    assert_eq!(listed(&ben, &user), None);
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
    assert_eq!(listed(&ben, &Jid::lid("1")), None);
    assert_eq!(notify(&mut ben, &stanza).0, []);
    let own = notification("encrypt", Jid::lid("2")).child(Node::new("identity"));
    assert_eq!(notify(&mut ben, &own).0, []);
}

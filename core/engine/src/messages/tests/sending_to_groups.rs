//! Messages to groups: who gets the key, when it is made anew, and what crashes leave.

use whimbrel_crypto::phash;
use whimbrel_signal::SenderKeyMessage;

use super::*;
use crate::devices::identity::Source;
use crate::groups::{Addressing, GroupRow, HandedOut, Member, Role};
use crate::messages::stanza::{self as stanzas, Ack};
use crate::options::SendWait;

fn group() -> Jid {
    Jid::group("1203-4")
}

fn member(user: &str, addressing: Addressing) -> Member {
    let (lid, phone) = (Jid::lid(user), phone_of(user));
    let (id, twin) = if addressing == Addressing::Lid { (lid, phone) } else { (phone, lid) };
    Member { id, twin: Some(twin), role: Role::Member }
}

impl Side {
    /// Knows who is in the group.
    fn know_group(&mut self, users: &[&str], addressing: Addressing) {
        let members = users.iter().map(|user| member(user, addressing)).collect();
        self.unit(|unit| {
            for user in users {
                unit.learn(&Jid::lid(user), &phone_of(user), Source::Current)?;
            }
            let row = GroupRow { members, addressing, fetched_at: unit.now(), ..GroupRow::default() };
            unit.put_group(&group(), Some(row));
            Ok(())
        });
    }

    fn ticket(id: &str, text: &str, prepared: bool) -> Ticket {
        let row = OutboxRow::new(group(), id.to_owned(), whimbrel_proto::encode(&words(text, [7; 32])), 0);
        Ticket {
            order: 0,
            row,
            stored: false,
            left: false,
            prepared,
            by_phone: false,
            manner: Manner::default(),
        }
    }

    /// Composes a text to the group; the stanza and what left with it.
    fn write(&mut self, id: &str, text: &str) -> (Node, HandedOut) {
        let ticket = Self::ticket(id, text, true);
        match self.unit(|unit| send::compose(unit, &ticket)).0 {
            Composed::Stanza { stanza, keys: Some(keys) } => (*stanza, *keys),
            Composed::Stanza { keys: None, .. } => panic!("not to a group"),
            Composed::Prepare | Composed::Wait => panic!("everything was prepared"),
            Composed::Failed(error) => panic!("{error}"),
        }
    }

    /// The service says that it has a message.
    fn has(&mut self, handed: &HandedOut) {
        self.unit(|unit| unit.key_handed_out(&group(), handed.key_id, &handed.devices));
    }
}

/// A group message as the service hands it to a device.
fn relay_group(sent: &Node, from: &Side, to: &Side) -> Node {
    let to_pn = sent.attr_is("addressing_mode", "pn");
    let address = |side: &Side| {
        if to_pn { side.account.phone.clone().unwrap() } else { side.lid() }
    };
    let own = sent.child_named("participants").and_then(|participants| {
        participants.children_named("to").find(|target| target.attr_jid("jid") == Some(address(to))).cloned()
    });
    let keys = own.iter().flat_map(|own| own.child_nodes().to_vec()).collect::<Vec<_>>();
    envelope(&sent.attr_text("id").unwrap(), &group())
        .attr("participant", address(from))
        .attr("addressing_mode", sent.attr_text("addressing_mode").unwrap().into_owned())
        .children(keys)
        .child(sent.child_named("enc").unwrap().clone())
        .child_opt(sent.child_named("device-identity").cloned())
}

fn text_of(side: &mut Side, sent: &Node, from: &Side) -> Option<String> {
    let stanza = relay_group(sent, from, side);
    only_message(side.receive(&stanza).0).text
}

/// Devices that the key went to, as the stanza addresses them.
fn keys_to(sent: &Node) -> Vec<Jid> {
    let participants = sent.child_named("participants");
    let targets = participants.iter().flat_map(|participants| participants.children_named("to"));
    targets.map(|target| target.attr_jid("jid").unwrap()).collect()
}

/// Key id and iteration of the group's ciphertext.
fn step(sent: &Node) -> (u32, u32) {
    let bytes = sent.child_named("enc").unwrap().content_bytes().unwrap();
    let message = SenderKeyMessage::parse(bytes).unwrap();
    (message.key_id(), message.iteration())
}

/// Anna with two devices, Ben and Cleo with one each, all in the group and met by Anna's first.
fn party(addressing: Addressing) -> [Side; 4] {
    let [mut anna, mut anna2] = [Side::new("1", 1), Side::new("1", 2)];
    let [mut ben, mut cleo] = [Side::new("2", 0), Side::new("3", 4)];
    anna.know(&Jid::lid("1"), &[1, 2]);
    anna.know(&Jid::lid("2"), &[0]);
    anna.know(&Jid::lid("3"), &[4]);
    for other in [&mut anna2, &mut ben, &mut cleo] {
        anna.meet(other, 1);
    }
    anna.know_group(&["1", "2", "3"], addressing);
    [anna, anna2, ben, cleo]
}

#[test]
fn the_first_message_hands_the_key_to_all_and_the_next_to_nobody() {
    for addressing in [Addressing::Lid, Addressing::PhoneNumber] {
        let [mut anna, mut anna2, mut ben, mut cleo] = party(addressing);
        let (sent, handed) = anna.write("A1", "to all");
        assert!(sent.attr_is("addressing_mode", addressing.name()) && sent.attr_is("type", "text"));
        let names = match addressing {
            Addressing::Lid => ["1", "2", "3"].map(Jid::lid),
            _ => ["1", "2", "3"].map(phone_of),
        };
        let [one, two, three] = &names;
        assert_eq!(keys_to(&sent), [one.with_device(2), two.clone(), three.with_device(4)]);
        let all = [one.with_device(1), one.with_device(2), two.clone(), three.with_device(4)];
        let expected = phash::phash(all.iter().map(|jid| (jid.user(), jid.device(), jid.server_name())));
        assert!(sent.attr_is("phash", &expected));
        assert!(sent.child_named("device-identity").is_some());
        for side in [&mut anna2, &mut ben, &mut cleo] {
            assert_eq!(text_of(side, &sent, &anna).as_deref(), Some("to all"));
        }
        anna.has(&handed);
        for (id, restart) in [("A2", false), ("A3", true), ("A4", false)] {
            if restart {
                anna.restart();
            }
            let (sent, handed) = anna.write(id, id);
            assert_eq!((keys_to(&sent), handed.devices.len()), (vec![], 0));
            assert!(sent.child_named("participants").is_none() && sent.attr_is("phash", &expected));
            assert_eq!(text_of(&mut ben, &sent, &anna).as_deref(), Some(id));
            anna.has(&handed);
        }
    }
}

#[test]
fn a_key_is_held_only_once_the_service_has_it() {
    let [mut anna, _, mut ben, _] = party(Addressing::Lid);
    let (first, _) = anna.write("A1", "never arrives");
    anna.restart();
    let (second, handed) = anna.write("A1", "never arrives");
    assert_eq!(keys_to(&first), keys_to(&second));
    let ((key, before), (same, after)) = (step(&first), step(&second));
    assert!(key == same && after > before, "the same key, at a later step");
    assert!(text_of(&mut ben, &second, &anna).is_some());
    // Word on a key that is not in use any more changes nothing.
    anna.has(&HandedOut { key_id: handed.key_id.wrapping_add(1), ..handed.clone() });
    assert_eq!(keys_to(&anna.write("A2", "x").0).len(), 3);
    anna.has(&handed);
    assert_eq!(keys_to(&anna.write("A3", "x").0), []);
}

#[test]
fn who_joins_gets_the_key_and_who_leaves_ends_it() {
    let [mut anna, _, mut ben, mut cleo] = party(Addressing::Lid);
    anna.know_group(&["1", "2"], Addressing::Lid);
    let (first, handed) = anna.write("A1", "the two of us");
    assert_eq!(keys_to(&first), [Jid::lid("1").with_device(2), Jid::lid("2")]);
    assert!(text_of(&mut ben, &first, &anna).is_some());
    anna.has(&handed);
    anna.know_group(&["1", "2", "3"], Addressing::Lid);
    let (joined, handed) = anna.write("A2", "welcome");
    assert_eq!(keys_to(&joined), [Jid::lid("3").with_device(4)]);
    assert_eq!(step(&joined).0, step(&first).0, "a new member is no reason for a new key");
    assert_eq!(text_of(&mut cleo, &joined, &anna).as_deref(), Some("welcome"));
    anna.has(&handed);
    anna.know_group(&["1", "3"], Addressing::Lid);
    anna.restart();
    let (left, handed) = anna.write("A3", "without him");
    assert_ne!(step(&left).0, step(&joined).0, "he must not read on");
    assert_eq!(keys_to(&left), [Jid::lid("1").with_device(2), Jid::lid("3").with_device(4)]);
    anna.has(&handed);
    assert_eq!(keys_to(&anna.write("A4", "x").0), []);
}

#[test]
fn devices_come_and_go() {
    let [mut anna, mut anna2, _, _] = party(Addressing::Lid);
    let (first, handed) = anna.write("A1", "x");
    anna.has(&handed);
    let mut ben2 = Side::new("2", 7);
    anna.know(&Jid::lid("2"), &[0, 7]);
    anna.meet(&mut ben2, 1);
    let (second, handed) = anna.write("A2", "x");
    assert_eq!((keys_to(&second), step(&second).0), (vec![ben2.lid()], step(&first).0));
    assert!(!second.attr_is("phash", &first.attr_text("phash").unwrap()));
    assert!(text_of(&mut ben2, &second, &anna).is_some());
    anna.has(&handed);
    // Gone for good: what it held is made anew, even if the list has it again before the next message.
    anna.unit(|unit| unit.device_gone(&ben2.lid()));
    anna.meet(&mut ben2, 2);
    let (third, handed) = anna.write("A3", "x");
    assert_ne!(step(&third).0, step(&first).0);
    assert_eq!(keys_to(&third).len(), 4);
    anna.has(&handed);
    // New keys of the same device: it gets the key again, nobody else does.
    anna.unit(|unit| unit.forget_device(&anna2.lid()));
    anna.meet(&mut anna2, 3);
    let (fourth, _) = anna.write("A4", "x");
    assert_eq!((keys_to(&fourth), step(&fourth).0), (vec![anna2.lid()], step(&third).0));
}

#[test]
fn a_rotation_waits_for_the_next_message_and_outlives_a_restart() {
    let [mut anna, _, _, _] = party(Addressing::Lid);
    let (first, handed) = anna.write("A1", "x");
    anna.has(&handed);
    anna.unit(|unit| unit.rotate(&group()));
    assert!(anna.store.own_sender_key(&group()).unwrap().is_none());
    anna.restart();
    let (second, _) = anna.write("A2", "x");
    assert_ne!(step(&second).0, step(&first).0);
    assert_eq!((keys_to(&second).len(), step(&second).1), (3, 0));
}

#[test]
fn addresses_that_are_learned_later_are_the_same_members() {
    let [mut anna, ..] = party(Addressing::Lid);
    let phones = ["1", "2", "3"].map(|user| Member { id: phone_of(user), twin: None, role: Role::Member });
    let mut stranger = Side::new("5", 0);
    anna.know(&phone_of("5"), &[0]);
    let bundle = stranger.bundle(1);
    anna.unit(|unit| sessions::begin(unit, &phone_of("5"), &bundle));
    let five = Member { id: phone_of("5"), twin: None, role: Role::Member };
    anna.unit(|unit| {
        let members = phones.into_iter().chain([five]).collect();
        unit.put_group(&group(), Some(GroupRow { members, ..GroupRow::default() }));
        Ok(())
    });
    let (first, handed) = anna.write("A1", "x");
    assert!(keys_to(&first).contains(&phone_of("5")));
    anna.has(&handed);
    anna.unit(|unit| unit.learn(&phone_of("5"), &Jid::lid("5"), Source::Current));
    let (second, _) = anna.write("A2", "x");
    assert_eq!((keys_to(&second), step(&second).0), (vec![], step(&first).0));
    let addressed: Vec<_> = keys_to(&first).iter().map(Jid::is_pn).collect();
    assert!(addressed.iter().all(|pn| *pn), "one namespace in a stanza");
    assert!(text_of(&mut stranger, &first, &anna).is_some());
}

#[test]
fn what_has_to_be_asked_is_asked_and_what_cannot_be_had_is_left_out() {
    let [mut anna, ..] = party(Addressing::Lid);
    let composed = |anna: &mut Side, prepared| {
        let ticket = Side::ticket("A1", "x", prepared);
        anna.unit(|unit| send::compose(unit, &ticket)).0
    };
    anna.know_group(&["1", "2", "3", "9"], Addressing::Lid);
    assert!(matches!(composed(&mut anna, false), Composed::Prepare), "a list is missing");
    anna.know(&Jid::lid("9"), &[0]);
    assert!(matches!(composed(&mut anna, false), Composed::Prepare), "a session is missing");
    let Composed::Stanza { keys: Some(keys), .. } = composed(&mut anna, true) else { panic!("not sent") };
    assert!(!keys.devices.contains(&Jid::lid("9")));
    anna.unit(|unit| {
        unit.has_no_keys(&Jid::lid("9"));
        Ok(())
    });
    assert!(matches!(composed(&mut anna, false), Composed::Stanza { .. }), "not asked again and again");
    // Nobody but an own device can be reached.
    anna.know_group(&["1", "9"], Addressing::Lid);
    let Composed::Failed(error) = composed(&mut anna, true) else { panic!("sent") };
    assert_eq!(error.code(), crate::error::Code::NoDevice);
    anna.know_group(&["2", "3"], Addressing::Lid);
    assert!(matches!(composed(&mut anna, false), Composed::Prepare), "a wrong list is asked for again");
    let Composed::Failed(error) = composed(&mut anna, true) else { panic!("sent") };
    assert_eq!(error.code(), crate::error::Code::Forbidden);
    anna.know_group(&["1"], Addressing::Lid);
    assert!(matches!(composed(&mut anna, true), Composed::Stanza { .. }), "a group of one is a notebook");
}

#[test]
fn hosted_devices_and_bots_have_no_part() {
    let [mut anna, ..] = party(Addressing::Lid);
    let (_, usual) = anna.write("A1", "x");
    anna.unit(|unit| {
        let mut list = unit.device_list(&Jid::lid("2"))?.unwrap();
        list.devices.push(DeviceListEntry { device: 99, key_index: 3, hosted: true });
        unit.changes.device_lists.insert(Jid::lid("2"), Some(list));
        let mut row = (*unit.group(&group())?.unwrap()).clone();
        row.members.push(Member { id: Jid::META_AI_BOT, twin: None, role: Role::Member });
        unit.put_group(&group(), Some(row));
        Ok(())
    });
    let (_, handed) = anna.write("A2", "x");
    assert_eq!((handed.phash, handed.devices), (usual.phash, usual.devices));
}

#[test]
fn the_service_may_want_the_other_addresses() {
    let [mut anna, ..] = party(Addressing::Lid);
    let mut ticket = Side::ticket("A1", "x", true);
    ticket.manner = Manner { refresh: true, addressing: Some(Addressing::PhoneNumber), only_missing: false };
    let Composed::Stanza { stanza, .. } = anna.unit(|unit| send::compose(unit, &ticket)).0 else {
        panic!("not sent")
    };
    assert!(stanza.attr_is("addressing_mode", "pn"));
    assert!(keys_to(&stanza).iter().all(Jid::is_pn));
    ticket.prepared = false;
    assert!(matches!(anna.unit(|unit| send::compose(unit, &ticket)).0, Composed::Prepare));
}

#[test]
fn a_word_on_a_message_tells_who_holds_the_key_and_who_was_missed() {
    let [mut anna, ..] = party(Addressing::Lid);
    let outbox = super::super::Outbox::default();
    let row = Side::ticket("A1", "x", true).row;
    outbox.accept(&anna.store, row, SendWait::Sent).map(drop).unwrap();
    let order = outbox.take_ready().pop().unwrap().order;
    let Composed::Stanza { keys, .. } = ({
        let ticket = Side::ticket("A1", "x", true);
        anna.unit(|unit| send::compose(unit, &ticket)).0
    }) else {
        panic!("not sent")
    };
    let handed = keys.clone().unwrap();
    outbox.sent(order, 1, keys);
    let word = Node::new("ack").attr("class", "message").attr("id", "A1").attr("from", group());
    let word = stanzas::ack(&word.attr("t", "5").attr("phash", "2:others")).unwrap();
    let said = |anna: &mut Side, word: &Ack| {
        let mut replies = Replies::default();
        anna.unit(|unit| outbox.acknowledged(unit, word, &mut replies));
        replies.repairs.len()
    };
    assert_eq!(said(&mut anna, &word), 1, "the missed ones are looked for");
    let holders = anna.unit(|unit| unit.key_holders(&group(), handed.key_id)).0;
    assert_eq!(holders.devices(), handed.devices);
    assert!(!anna.unit(|unit| Ok(unit.chase(&group(), "2:others"))).0, "but not twice for the same reason");
}

#[test]
fn what_follows_waits_for_the_key_and_leaves_in_order() {
    let bench = super::super::Outbox::default();
    let [mut anna, ..] = party(Addressing::Lid);
    let accept = |id: &str| {
        bench.accept(&anna.store, Side::ticket(id, id, true).row, SendWait::Sent).map(drop).unwrap()
    };
    for id in ["A1", "A2"] {
        accept(id);
    }
    let tickets = bench.take_ready();
    let handed = HandedOut {
        addressing: Addressing::Lid,
        phash: String::new(),
        key_id: 1,
        devices: vec![Jid::lid("2")],
    };
    bench.sent(tickets[0].order, 1, Some(Box::new(handed)));
    bench.wait_for_key(&tickets[1]);
    accept("A3");
    assert!(bench.take_ready().is_empty(), "both wait for the word on the first");
    let ack = Node::new("ack").attr("class", "message").attr("id", "A1").attr("from", group()).attr("t", "5");
    let mut replies = Replies::default();
    anna.unit(|unit| bench.acknowledged(unit, &stanzas::ack(&ack).unwrap(), &mut replies));
    for settled in replies.settled {
        bench.settle(settled);
    }
    let ids: Vec<_> = bench.take_ready().into_iter().map(|ticket| ticket.row.message_id).collect();
    assert_eq!(ids, ["A2", "A3"]);
}

/// The service takes the first of several attempts that reaches it and confirms every one.
#[test]
fn an_attempt_that_may_be_a_repetition_marks_only_what_was_carried_before() {
    let handed = |key_id, devices: &[&str]| HandedOut {
        addressing: Addressing::Lid,
        phash: String::new(),
        key_id,
        devices: devices.iter().map(|user| Jid::lid(user)).collect(),
    };
    let refused = |unit: &mut Unit<'_>, bench: &super::super::Outbox| {
        let ack = Node::new("ack").attr("class", "message").attr("id", "A1").attr("from", group());
        let ack = ack.attr("error", "421").attr("t", "5");
        let mut replies = Replies::default();
        bench.acknowledged(unit, &stanzas::ack(&ack).unwrap(), &mut replies)?;
        for settled in replies.settled {
            bench.settle(settled);
        }
        Ok(())
    };
    type Attempts = &'static [(u32, &'static [&'static str])];
    // Per case: what the attempts carried (key and devices), whether the service refused the one before the last, who
    // holds the key afterwards.
    let cases: [(Attempts, bool, &[&str]); 5] = [
        (&[(0, &["2", "3"])], false, &["2", "3"]),
        (&[(0, &["2"]), (0, &["2", "3"])], false, &["2"]),
        (&[(1, &["2", "3"]), (0, &["2", "3"])], false, &[]),
        (&[(0, &["2", "3"]), (0, &["3"]), (0, &["2", "3"])], false, &["3"]),
        (&[(1, &["2", "3"]), (0, &["2", "3"])], true, &["2", "3"]),
    ];
    for (attempts, refusal, holders) in cases {
        let bench = super::super::Outbox::default();
        let [mut anna, ..] = party(Addressing::Lid);
        let key_id = anna.unit(|unit| Ok(unit.own_sender_key(&group())?.key_id())).0;
        bench.accept(&anna.store, Side::ticket("A1", "A1", true).row, SendWait::Sent).map(drop).unwrap();
        for (generation, (other, devices)) in (1..).zip(attempts) {
            if generation > 1 && refusal {
                anna.unit(|unit| refused(unit, &bench));
            }
            bench.reopen(generation);
            let tickets = bench.take_ready();
            bench.sent(
                tickets[0].order,
                generation,
                Some(Box::new(handed(key_id.wrapping_add(*other), devices))),
            );
        }
        let ack =
            Node::new("ack").attr("class", "message").attr("id", "A1").attr("from", group()).attr("t", "5");
        let mut replies = Replies::default();
        anna.unit(|unit| bench.acknowledged(unit, &stanzas::ack(&ack).unwrap(), &mut replies));
        let found = anna.unit(|unit| unit.key_holders(&group(), key_id)).0;
        assert_eq!(found.devices(), handed(key_id, holders).devices, "{attempts:?}");
    }
    // What an earlier process sent is not known.
    let mut handed = handed(1, &["2"]);
    handed.keep_what_was_carried_by(None);
    assert!(handed.devices.is_empty());
}

/// Some clients show a message twice that comes twice.
#[test]
fn who_asked_for_a_message_is_not_sent_it_a_second_time() {
    let [mut anna, ..] = party(Addressing::Lid);
    let (_, handed) = anna.write("A1", "to all");
    let row = Side::ticket("A1", "to all", true).row;
    let manner = Manner { only_missing: true, ..Manner::default() };
    let missed = |anna: &mut Side| {
        let made = anna.unit(|unit| crate::groups::compose_for_missing(unit, &row, manner)).0;
        made.map(|(_, handed)| handed.devices).unwrap_or_default()
    };
    assert_eq!(missed(&mut anna), handed.devices);
    let (first, others) = handed.devices.split_first().unwrap();
    anna.unit(|unit| Ok(unit.may_answer(first, "A1")));
    assert_eq!(missed(&mut anna), others);
    for device in others {
        anna.unit(|unit| Ok(unit.may_answer(device, "A1")));
    }
    assert!(missed(&mut anna).is_empty());
}

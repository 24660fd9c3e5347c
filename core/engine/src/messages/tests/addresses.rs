//! The two addresses of people: which sources are believed, and what moves with a person
//! (delivery document §2.2–§2.4).

use whimbrel_proto::e2e::LidMigrationMappingSyncMessage;
use whimbrel_proto::e2e::message::ProtocolMessage;
use whimbrel_proto::lid::{LidMigrationMapping, LidMigrationMappingSyncPayload};
use whimbrel_signal::OwnSenderKey;

use super::*;
use crate::devices::identity::Source;
use crate::events::ChatMoved;
use crate::messages::decrypt::Author;
use crate::notices;
use crate::receipts;
use crate::store::{InboxEntry, InboxState};

const LIVE: Source = Source::Current;

fn number() -> Jid {
    Jid::pn("555")
}

fn learn(side: &mut Side, lid: &str, phone: &Jid, source: Source) -> Vec<EventKind> {
    let ((), events) = side.unit(|unit| unit.learn(&Jid::lid(lid), phone, source));
    events.into_iter().map(|event| event.kind).collect()
}

fn lid_of(side: &mut Side, phone: &Jid) -> Option<Jid> {
    side.unit(|unit| unit.lid_of(phone)).0
}

fn canonical(side: &mut Side, jid: &Jid) -> Jid {
    side.unit(|unit| unit.canonical(jid)).0
}

fn moved(events: &[EventKind]) -> Vec<(Jid, Jid)> {
    let of = |kind: &EventKind| match kind {
        EventKind::ChatMoved(ChatMoved { former, chat }) => Some((former.clone(), chat.id.clone())),
        _ => None,
    };
    events.iter().filter_map(of).collect()
}

/// A message of Anna's companion as it comes from her phone number, without her LID.
fn by_number(sent: &Node, anna: &Side, ben: &Side) -> Node {
    let mut message = relay(sent, anna, ben).attr("from", phone_of("1").with_device(1));
    message.remove_attr("sender_pn");
    message
}

// --- sources (delivery document §2.2) ---

#[test]
fn live_words_overwrite_replayed_ones_are_only_shown_and_seeds_are_asked_about() {
    let mut side = Side::new("1", 1);
    let events = learn(&mut side, "7", &number(), Source::Replayed);
    assert_eq!((events, lid_of(&mut side, &number())), (vec![], None));
    let shown = side.unit(|unit| unit.identity_of(&number())).0;
    assert_eq!((shown.id, shown.lid), (number(), Some(Jid::lid("7"))), "shown, not built upon");
    side.restart();
    assert_eq!(side.unit(|unit| unit.identity_of(&number())).0.lid, None, "nor stored");

    learn(&mut side, "7", &number(), Source::Seed);
    assert_eq!(lid_of(&mut side, &number()), Some(Jid::lid("7")));
    for source in [Source::Replayed, Source::Seed] {
        learn(&mut side, "8", &number(), source);
        assert_eq!(lid_of(&mut side, &number()), Some(Jid::lid("7")));
    }
    learn(&mut side, "8", &number(), Source::Seed);
    assert_eq!(side.unit(|unit| Ok(unit.take_doubts())).0, [number()], "asked about once");
    learn(&mut side, "8", &number(), Source::Seed);
    assert_eq!(side.unit(|unit| Ok(unit.take_doubts())).0, []);

    learn(&mut side, "8", &number(), LIVE);
    side.restart();
    assert_eq!(lid_of(&mut side, &number()), Some(Jid::lid("8")));
    assert_eq!(side.unit(|unit| unit.phone_of(&Jid::lid("7"))).0, None, "the stale pair is gone for good");
}

#[test]
fn the_accounts_own_addresses_are_what_the_service_said() {
    let mut side = Side::new("1", 1);
    learn(&mut side, "8", &phone_of("1"), LIVE);
    learn(&mut side, "1", &number(), LIVE);
    assert_eq!(lid_of(&mut side, &phone_of("1")), Some(Jid::lid("1")));
    assert_eq!(lid_of(&mut side, &number()), None);
}

#[test]
fn stanzas_of_every_kind_tell_both_addresses() {
    let (person, live) = (Jid::lid("7"), |node: Node| node.attr("id", "X").attr("t", "1795000000"));
    let receipts = [
        live(Node::new("receipt")).attr("from", person.with_device(3)).attr("sender_pn", number()),
        live(Node::new("receipt")).attr("from", number()).attr("sender_lid", &person),
        live(Node::new("receipt"))
            .attr("from", Jid::group("1-2"))
            .attr("participant", &person)
            .attr("participant_pn", number()),
        live(Node::new("receipt"))
            .attr("from", Jid::lid("1").with_device(2))
            .attr("recipient", &person)
            .attr("peer_recipient_pn", number()),
    ];
    for receipt in receipts {
        let mut side = Side::new("1", 1);
        side.handle(|unit, replies| receipts::receive::receipt(unit, &receipt, replies));
        assert_eq!(lid_of(&mut side, &number()), Some(person.clone()), "{receipt}");
        let mut side = Side::new("1", 1);
        let replayed = receipt.attr("offline", "1");
        side.handle(|unit, replies| receipts::receive::receipt(unit, &replayed, replies));
        assert_eq!(lid_of(&mut side, &number()), None);
    }
    let offer = Node::new("offer").attr("call-creator", person.with_device(2)).attr("caller_pn", number());
    let mut side = Side::new("1", 1);
    let call = live(Node::new("call")).attr("from", &person).child(offer);
    side.unit(|unit| crate::devices::identity::learn_from_call(unit, &call));
    assert_eq!(lid_of(&mut side, &number()), Some(person.clone()));

    let mut side = Side::new("1", 1);
    let devices = live(Node::new("notification"))
        .attr("type", "devices")
        .attr("from", number())
        .attr("lid", &person)
        .child(Node::new("update").attr("hash", "x"));
    side.handle(|unit, replies| notices::notification(unit, &devices, replies));
    assert_eq!(lid_of(&mut side, &number()), Some(person));
}

// --- what moves (delivery document §2.4) ---

#[test]
fn everything_moves_to_the_lid_when_it_is_learned_and_the_host_is_told_once() {
    let (mut anna, mut ben) = pair();
    let sent = anna.compose("A1", &Jid::lid("2"), "hi");
    let first = by_number(&sent, &anna, &ben);
    let message = only_message(ben.receive(&first).0);
    assert_eq!((message.sender.id, message.sender.lid), (phone_of("1"), None));
    // The next message tells both addresses.
    let sent = anna.compose("A2", &Jid::lid("2"), "again");
    let (events, _) = ben.receive(&relay(&sent, &anna, &ben));
    assert_eq!(moved(&events), [(phone_of("1"), Jid::lid("1"))]);
    assert!(matches!(&events[1], EventKind::Message(message)
        if message.sender.id == Jid::lid("1") && message.sender.phone == Some(phone_of("1"))));
    let old = phone_of("1").with_device(1);
    assert!(ben.store.session(&old).unwrap().is_none() && ben.store.session(&anna.lid()).unwrap().is_some());
    assert!(ben.store.identity(&old).unwrap().is_none());
    assert!(ben.store.identity(&anna.lid()).unwrap().is_some());

    // The first message again, under either address: known, whatever it was filed under.
    ben.restart();
    for again in [first, relay(&anna.compose("A1", &Jid::lid("2"), "hi"), &anna, &ben)] {
        let (events, replies) = ben.receive(&again);
        assert_eq!((events, shape(&replies)), (vec![], shapes(&[("receipt", "inactive")])));
    }
    let answer = ben.compose("B1", &phone_of("1"), "hi");
    assert_eq!(answer.attr_jid("to"), Some(Jid::lid("1")));
    assert_eq!(answer.attr_jid("peer_recipient_pn"), Some(phone_of("1")));
    only_message(anna.receive(&relay(&answer, &ben, &anna)).0);
}

#[test]
fn two_records_become_one_that_knows_all_sessions() {
    let (mut anna, mut ben) = pair();
    let (by_lid, by_number) = (anna.lid(), phone_of("1").with_device(1));
    let bundles = [anna.bundle(2), anna.bundle(3)];
    ben.unit(|unit| sessions::begin(unit, &by_lid, &bundles[0]));
    ben.unit(|unit| sessions::begin(unit, &by_number, &bundles[1]));
    let used = ben.unit(|unit| Ok(unit.session(&by_number)?.unwrap().base_key().copied())).0;
    learn(&mut ben, "1", &phone_of("1"), LIVE);
    let (sessions, _) = ben.unit(|unit| {
        let record = unit.session(&by_lid)?.unwrap();
        Ok((record.base_key().copied(), record.archived_base_keys().count()))
    });
    assert!(used.is_some());
    assert_eq!(sessions, (used, 1), "the session by number stays the current one");
}

#[test]
fn an_identity_that_the_lid_has_is_kept() {
    let mut side = Side::new("1", 1);
    let (lid, phone) = (Jid::lid("7"), number());
    side.unit(|unit| unit.trust(&lid, &[1; 32]));
    side.unit(|unit| unit.trust(&phone, &[2; 32]));
    side.unit(|unit| unit.trust(&phone.with_device(4), &[3; 32]));
    learn(&mut side, "7", &phone, LIVE);
    assert_eq!(side.store.identity(&lid).unwrap(), Some([1; 32]));
    assert_eq!(side.store.identity(&lid.with_device(4)).unwrap(), Some([3; 32]), "without a session too");
    assert_eq!(side.store.identity_devices(&phone).unwrap(), []);
}

#[test]
fn sender_keys_base_keys_and_device_lists_move() {
    let mut side = Side::new("1", 1);
    let (group, old, new) = (Jid::group("1-2"), number().with_device(3), Jid::lid("7").with_device(3));
    let mut keys = [OwnSenderKey::generate(&mut side.rng), OwnSenderKey::generate(&mut side.rng)];
    let hand_out = |side: &mut Side, device: &Jid, key: &OwnSenderKey| {
        let bytes = key.distribution().to_bytes();
        let author = Author { device, chat: &group, own: false, proof: None };
        side.unit(|unit| unit.take_sender_key(&author, &bytes));
    };
    hand_out(&mut side, &old, &keys[0]);
    hand_out(&mut side, &new, &keys[1]);
    side.unit(|unit| {
        unit.changes.retry_base_keys.insert((old.clone(), "A1".to_owned()), [9; 32]);
        Ok(())
    });
    side.know(&number(), &[0, 3]);
    side.restart();
    learn(&mut side, "7", &number(), LIVE);
    side.restart();
    assert_eq!(side.store.sender_keys_of(&number()).unwrap(), []);
    for key in &mut keys {
        let bytes = key.encrypt(b"text", &mut side.rng).unwrap();
        let (opened, _) = side.unit(|unit| {
            let message = whimbrel_signal::SenderKeyMessage::parse(&bytes).unwrap();
            let record = unit.sender_key_mut(&group, &new)?.unwrap();
            Ok(record.decrypt(&message, whimbrel_signal::MAX_JUMP).unwrap())
        });
        assert_eq!(opened, b"text");
    }
    assert_eq!(side.unit(|unit| unit.retry_base_key(&new, "A1")).0, Some([9; 32]));
    let lists = [&number(), &Jid::lid("7")].map(|user| side.store.device_list(user).unwrap().is_some());
    assert_eq!(lists, [false, true]);
}

#[test]
fn a_session_under_the_other_address_is_found_when_nothing_else_opens_a_message() {
    let (mut anna, mut ben) = pair();
    let first = by_number(&anna.compose("A1", &Jid::lid("2"), "hi"), &anna, &ben);
    only_message(ben.receive(&first).0);
    ben.know(&phone_of("1"), &[1]);
    let answer = ben.compose("B1", &phone_of("1"), "hi");
    assert_eq!(answer.attr_jid("to"), Some(phone_of("1")));
    anna.unit(|unit| unit.learn(&Jid::lid("2"), &phone_of("2"), LIVE));
    let enc = answer.child_named("participants").unwrap().first_child().unwrap().child_nodes();
    let copy = envelope("B1", &ben.lid()).children(enc.iter().cloned());
    only_message(anna.receive(&copy).0);
    // It waited, so its addresses are not believed by themselves; that it can be opened proves them.
    let replayed = relay(&anna.compose("A2", &Jid::lid("2"), "later"), &anna, &ben).attr("offline", "1");
    let (events, replies) = ben.receive(&replayed);
    assert_eq!(moved(&events), [(phone_of("1"), Jid::lid("1"))]);
    assert!(matches!(&events[1], EventKind::Message(message) if message.chat.id == Jid::lid("1")));
    assert_eq!(shape(&replies), shapes(&[("receipt", "inactive")]));
    assert_eq!(lid_of(&mut ben, &phone_of("1")), Some(Jid::lid("1")));
    assert!(ben.store.session(&anna.lid()).unwrap().is_some());
    assert!(ben.store.session(&phone_of("1").with_device(1)).unwrap().is_none());
}

#[test]
fn a_wrong_guess_leaves_no_trace() {
    let (mut anna, mut ben) = pair();
    only_message(ben.receive(&relay(&anna.compose("A1", &Jid::lid("2"), "hi"), &anna, &ben)).0);
    let answer = ben.compose("B1", &Jid::lid("1"), "hi");
    only_message(anna.receive(&relay(&answer, &ben, &anna)).0);
    // A replayed message that cannot be read claims that Anna's LID belongs to Carl's number.
    let (device, carl) = (anna.lid(), Side::new("3", 1).lid());
    ben.unit(|unit| unit.take_session(&device));
    let mut other = Side::new("3", 1);
    ben.meet(&mut other, 1);
    ben.unit(|unit| unit.move_device(&carl, &number().with_device(1)));
    let before = ben.store.session(&number().with_device(1)).unwrap();
    let sent = anna.compose("A2", &Jid::lid("2"), "hi");
    let claim = relay(&sent, &anna, &ben).attr("offline", "1").attr("sender_pn", number());
    assert_eq!(only_placeholder(ben.receive(&claim).0).reason, "no_session");
    assert!(before.is_some());
    assert_eq!(ben.store.session(&number().with_device(1)).unwrap(), before);
    assert_eq!(lid_of(&mut ben, &number()), None);
}

// --- who moves on ---

#[test]
fn a_person_with_a_new_lid_stays_one_chat_until_the_old_one_is_somebody_elses() {
    let mut side = Side::new("1", 1);
    learn(&mut side, "7", &number(), LIVE);
    side.unit(|unit| unit.trust(&Jid::lid("7").with_device(2), &[1; 32]));
    let events = learn(&mut side, "8", &number(), LIVE);
    assert_eq!(moved(&events), [(Jid::lid("7"), Jid::lid("8"))]);
    learn(&mut side, "9", &number(), LIVE);
    side.restart();
    for known in ["7", "8", "9"] {
        assert_eq!(canonical(&mut side, &Jid::lid(known).with_device(2)), Jid::lid("9").with_device(2));
    }
    assert_eq!(side.store.identity(&Jid::lid("9").with_device(2)).unwrap(), Some([1; 32]));
    // Somebody uses the old one: it means that person again.
    learn(&mut side, "7", &Jid::pn("666"), LIVE);
    side.restart();
    assert_eq!(canonical(&mut side, &Jid::lid("7")), Jid::lid("7"));
    assert_eq!(canonical(&mut side, &Jid::lid("8")), Jid::lid("9"));
}

#[test]
fn a_person_with_a_new_number_stays_one_chat() {
    let mut side = Side::new("1", 1);
    learn(&mut side, "7", &number(), LIVE);
    let new = Jid::pn("777");
    let notification = Node::new("notification")
        .attr("id", "N1")
        .attr("type", "contacts")
        .attr("from", Jid::SERVER)
        .attr("t", "1795000000")
        .child(Node::new("modify").attr("old", number()).attr("new", &new));
    let ((), replies, events) =
        side.handle(|unit, replies| notices::notification(unit, &notification, replies));
    assert_eq!(shape(&replies), shapes(&[("ack", "")]));
    assert!(matches!(&events[..], [EventKind::NumberChanged(changed)]
        if changed.former == number() && changed.who.phone == Some(new.clone())));
    side.restart();
    for address in [number(), new.clone(), Jid::lid("7")] {
        assert_eq!(canonical(&mut side, &address), Jid::lid("7"), "{address}");
    }
    // The old number is given to somebody else.
    learn(&mut side, "8", &number(), LIVE);
    assert_eq!(canonical(&mut side, &number()), Jid::lid("8"));
    assert_eq!(canonical(&mut side, &new), Jid::lid("7"));
}

#[test]
fn a_person_with_another_lid_stays_one_chat() {
    let mut side = Side::new("1", 1);
    learn(&mut side, "7", &number(), LIVE);
    let body = r#"{"data":{"xwa2_notify_lid_change":{"old":"7@lid","new":"8@lid"}}}"#;
    let update = Node::new("update").attr("op_name", "LidChangeNotification").text(body);
    let notification = Node::new("notification")
        .attr("id", "N1")
        .attr("type", "mex")
        .attr("from", Jid::SERVER)
        .child(update);
    side.handle(|unit, replies| notices::notification(unit, &notification, replies));
    side.restart();
    for address in [number(), Jid::lid("7"), Jid::lid("8")] {
        assert_eq!(canonical(&mut side, &address), Jid::lid("8"), "{address}");
    }
}

#[test]
fn what_was_sent_and_received_is_found_under_every_address() {
    let mut side = Side::new("1", 1);
    let old = number();
    side.unit(|unit| {
        unit.changes.outbox.push(OutboxRow::new(old.clone(), "A1".to_owned(), vec![1], 0));
        for (author, state) in [
            (old.clone(), InboxState::Failed { retries: 1, event_id: "e".to_owned(), phone_asked: false }),
            (Jid::lid("7"), InboxState::Done),
        ] {
            unit.changes.inbox.push(InboxEntry {
                chat: author.clone(),
                author,
                message_id: "B1".to_owned(),
                ciphertext_hash: [0; 16],
                state,
                seen_at: 0,
            });
        }
        Ok(())
    });
    learn(&mut side, "7", &old, LIVE);
    learn(&mut side, "8", &old, LIVE);
    let addresses = [old, Jid::lid("7"), Jid::lid("8")];
    for address in &addresses {
        assert!(side.unit(|unit| unit.outbox(address, "A1")).0.is_some(), "{address}");
        assert!(super::super::outbox::find(&side.store, address, "A1").unwrap().is_some());
    }
    assert!(side.unit(|unit| unit.outbox(&Jid::lid("9"), "A1")).0.is_none());
    let person = Jid::lid("8");
    let (found, _) = side.unit(|unit| unit.inbox(&person, &person, "B1"));
    assert_eq!(found.unwrap().state, InboxState::Done, "of several, what came furthest");
}

// --- the account's migration ---

fn migration(timestamp: u64) -> Content {
    let mapping = |pn, assigned, latest| LidMigrationMapping {
        pn: Some(pn),
        assigned_lid: Some(assigned),
        latest_lid: Some(latest),
    };
    let payload = LidMigrationMappingSyncPayload {
        pn_to_lid_mappings: vec![mapping(555, 7, 8), mapping(666, 9, 0), mapping(0, 5, 5)],
        chat_db_migration_timestamp: Some(timestamp),
    };
    let message =
        LidMigrationMappingSyncMessage { encoded_mapping_payload: Some(whimbrel_proto::encode(&payload)) };
    let protocol = ProtocolMessage {
        r#type: Some(22),
        lid_migration_mapping_sync_message: Some(message),
        ..Default::default()
    };
    Content { protocol_message: Some(protocol.into()), ..Default::default() }
}

/// A peer message from a device of the account to its companion.
fn peer_message(from: &mut Side, to: &mut Side, content: &Content) -> (Vec<EventKind>, Vec<Node>) {
    from.meet(to, 1);
    let enc = from.seal(&to.lid(), content);
    let proof = from.account.signed_identity.clone();
    let stanza = envelope("P1", &from.lid())
        .attr("category", "peer")
        .child(enc)
        .child_opt(proof.map(|proof| Node::new("device-identity").bytes(proof)));
    to.receive(&stanza)
}

#[test]
fn the_phone_says_which_addresses_belong_together() {
    let (mut phone, mut companion) = (Side::new("1", 0), Side::new("1", 1));
    companion.unit(|unit| unit.lid_refused());
    companion.unit(|unit| unit.trust(&Jid::pn("666").with_device(1), &[6; 32]));
    let (events, replies) = peer_message(&mut phone, &mut companion, &migration(0));
    assert_eq!(moved(&events), [(Jid::pn("666"), Jid::lid("9"))]);
    assert_eq!(shape(&replies), shapes(&[("receipt", "peer_msg")]));
    assert_eq!(lid_of(&mut companion, &number()), Some(Jid::lid("8")), "the latest LID counts");
    assert_eq!(lid_of(&mut companion, &Jid::pn("666")), Some(Jid::lid("9")));
    assert!(companion.unit(|unit| unit.prefers_phone()).0, "without a time the account is not migrated");
    let enc = phone.seal(&companion.lid(), &migration(1_795_000_000));
    companion.receive(&envelope("P2", &phone.lid()).attr("category", "peer").child(enc));
    companion.restart();
    assert!(!companion.unit(|unit| unit.prefers_phone()).0);
}

#[test]
fn nobody_but_the_phone_may_say_so() {
    let (mut other, mut companion) = (Side::new("1", 2), Side::new("1", 1));
    let (events, replies) = peer_message(&mut other, &mut companion, &migration(9));
    assert_eq!((events, shape(&replies)), (vec![], shapes(&[("receipt", "peer_msg")])));
    let (mut stranger, mut companion) = (Side::new("2", 0), Side::new("1", 1));
    let (events, _) = peer_message(&mut stranger, &mut companion, &migration(9));
    assert_eq!((events, lid_of(&mut companion, &number())), (vec![], None));
}

#[test]
fn a_refused_lid_is_remembered_for_a_day() {
    let (mut anna, _) = pair();
    learn(&mut anna, "2", &phone_of("2"), LIVE);
    assert_eq!(anna.compose("A1", &phone_of("2"), "hi").attr_jid("to"), Some(Jid::lid("2")));
    anna.unit(|unit| unit.lid_refused());
    anna.restart();
    let sent = anna.compose("A2", &Jid::lid("2"), "hi");
    assert_eq!(sent.attr_jid("to"), Some(phone_of("2")));
    let targets = sent.child_named("participants").unwrap();
    let by_phone = |target: &Node| target.attr_jid("jid").is_some_and(|jid| jid.to_account().is_pn());
    assert!(targets.child_nodes().iter().all(by_phone), "one namespace per stanza");
    anna.unit(|unit| {
        let refused_at = unit.now() - 25 * 3600;
        unit.changes.lid_migration = Some(crate::store::LidMigration { migrated: false, refused_at });
        Ok(())
    });
    assert_eq!(anna.compose("A3", &phone_of("2"), "hi").attr_jid("to"), Some(Jid::lid("2")));
}

#[test]
fn a_shared_number_is_told() {
    let (mut anna, mut ben) = pair();
    let protocol = ProtocolMessage { r#type: Some(11), ..Default::default() };
    let enc =
        anna.seal(&ben.lid(), &Content { protocol_message: Some(protocol.into()), ..Default::default() });
    let stanza = envelope("A1", &anna.lid()).attr("sender_pn", phone_of("1")).child(enc);
    let (events, _) = ben.receive(&stanza);
    assert!(matches!(&events[..], [EventKind::NumberShared(shared)]
        if shared.who.phone == Some(phone_of("1")) && shared.who.id == Jid::lid("1")));
}

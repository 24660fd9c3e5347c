//! The two addresses of people, by phone number and by LID: where pairs come from, what goes on
//! the wire, and chats that move from one address to another without a message lost or doubled.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a panic in a scenario is the report of its failure")]

use std::slice;
use std::time::Duration;

use whimbrel::events::{EventKind, Identity, ReceiptKind as Told};
use whimbrel::{Client, Code, Engine, Jid, LookupOptions, SendOptions};
use whimbrel_sandbox::phone::{Phone, ReceiptKind};
use whimbrel_sandbox::{Event, Fault, FaultRule, LidStanding, StanzaMatch};
use whimbrel_scenarios::{
    ANNA, BEN, CARA, DEADLINE, Wait as _, World, device_label, next_kind, next_message, next_moved, pn,
    quiet, quoting, send as say, within,
};

async fn person(world: &World, number: &str, standing: LidStanding) -> Phone {
    world.sandbox.create_phone_standing(Some(number), None, standing).await.unwrap()
}

/// A client linked to a phone that stands with LIDs as told.
async fn linked(world: &World, engine: &Engine, number: &str, standing: LidStanding) -> (Client, Phone) {
    person(world, number, standing).await;
    world.linked(engine, number).await
}

/// To whom an accepted message was addressed.
async fn addressed(world: &World, id: &str) -> String {
    let event =
        world.wait(|event| matches!(event, Event::Accepted { id: accepted, .. } if accepted == id)).await;
    let Event::Accepted { to, .. } = event else { panic!("another event was waited for") };
    to
}

async fn known(client: &Client, address: &Jid) -> Identity {
    client.identity(address, LookupOptions::default()).await.unwrap()
}

fn refusals(world: &World, code: u16) -> usize {
    world.count(|event| matches!(event, Event::Refused { code: refused, .. } if *refused == code))
}

fn retries(world: &World) -> usize {
    world.count(|event| matches!(event, Event::Receipt { kind, .. } if kind == "retry"))
}

// --- what goes on the wire (delivery document §2.2) ---

#[tokio::test]
async fn an_account_that_is_not_migrated_pays_for_it_once() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, own) = linked(&world, &engine, ANNA, LidStanding::Unmigrated).await;
    let (ben, cara) = (world.sandbox.phone(BEN).await.unwrap(), world.sandbox.phone(CARA).await.unwrap());
    for (number, text) in [(BEN, "one"), (BEN, "two"), (CARA, "three")] {
        let id = say(&client, &pn(number), text).await;
        assert_eq!(addressed(&world, &id).await, pn(number).to_string());
        // The phone's own copy too: one kind of address per message.
        assert_eq!(own.next_message(DEADLINE).await.unwrap().text, text);
    }
    assert_eq!(refusals(&world, 400), 1, "the refusal is remembered");
    // By LID as well, and after a restart.
    client.close(DEADLINE).await.unwrap();
    let client = engine.open(world.store(ANNA), quiet()).unwrap();
    client.wait_online().await;
    let id = say(&client, &ben.lid(), "four").await;
    assert_eq!(addressed(&world, &id).await, ben.jid().to_string());
    assert_eq!(refusals(&world, 400), 1);
    for text in ["one", "two", "four"] {
        assert_eq!(ben.next_message(DEADLINE).await.unwrap().text, text);
    }
    assert_eq!(cara.next_message(DEADLINE).await.unwrap().text, "three");
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn an_account_that_migrates_writes_by_lid_from_then_on() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, own) = linked(&world, &engine, ANNA, LidStanding::Unmigrated).await;
    let (ben, cara) = (world.sandbox.phone(BEN).await.unwrap(), world.sandbox.phone(CARA).await.unwrap());
    own.send_text(CARA, "the phone knows cara").await.unwrap();
    let id = say(&client, &pn(BEN), "before").await;
    assert_eq!(addressed(&world, &id).await, ben.jid().to_string());
    let before = world.sandbox.events().newest();
    world.sandbox.migrate(ANNA).await.unwrap();
    let device = device_label(&client, ANNA);
    let taken = |event: &Event| matches!(event, Event::Receipt { device: of, kind, .. } if *of == device && kind == "peer_msg");
    world.sandbox.events().wait_for_after(before, taken, DEADLINE).await.unwrap();
    let id = say(&client, &pn(BEN), "after").await;
    assert_eq!(addressed(&world, &id).await, ben.lid().to_string());
    // The pair came with the migration: nobody is asked.
    client.disconnect();
    assert_eq!(known(&client, &cara.lid()).await.phone, Some(cara.jid()));
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_person_without_a_lid_is_addressed_by_number() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, own) = world.linked(&engine, ANNA).await;
    let ben = person(&world, BEN, LidStanding::PnOnly).await;
    let mut events = client.events().unwrap();
    let sent = client.send_text(&pn(BEN), "hi", SendOptions::default()).await.unwrap();
    assert_eq!((sent.chat.id, sent.chat.lid), (ben.jid(), None));
    assert_eq!(ben.next_message(DEADLINE).await.unwrap().text, "hi");
    assert_eq!(own.next_message(DEADLINE).await.unwrap().text, "hi");
    ben.send_text(ANNA, "hello").await.unwrap();
    assert_eq!(next_message(&mut events).await.chat.id, ben.jid());
    assert_eq!(refusals(&world, 400), 0);
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

// --- sources of pairs (delivery document §2.2), and what a chat is that moves (§2.4) ---

#[tokio::test]
async fn the_service_says_both_addresses_of_oneself_and_of_those_one_writes_to() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, own) = world.linked(&engine, ANNA).await;
    let identity = client.account().unwrap().identity;
    assert_eq!((identity.id, identity.phone), (own.lid(), Some(own.jid())));
    let ben = world.sandbox.phone(BEN).await.unwrap();
    let legacy: Jid = format!("{BEN}@c.us").parse().unwrap();
    let sent = client.send_text(&legacy, "hi", SendOptions::default()).await.unwrap();
    assert_eq!((sent.chat.id, sent.chat.phone), (ben.lid(), Some(ben.jid())));
    engine.close(DEADLINE).await.unwrap();
}

/// Ben's chat moves from his number to his LID while both write.
async fn flip(world: &World, client: &Client, ben: &Phone, migrate: impl AsyncFnOnce()) {
    let mut events = client.events().unwrap();
    let mut texts = Vec::new();
    let first = ben.send_text(ANNA, "by number").await.unwrap();
    let message = next_message(&mut events).await;
    assert_eq!((message.chat.id.clone(), message.chat.lid.clone()), (ben.jid(), None));
    let ours = say(client, &message.chat.id, "answer by number").await;
    ben.wait_receipt(&first, ReceiptKind::Delivered, DEADLINE).await.unwrap();

    migrate().await;
    let second = ben.send_text(ANNA, "by lid").await.unwrap();
    let (from, to) = next_moved(&mut events).await;
    assert_eq!((from, to.id.clone(), to.phone.clone()), (ben.jid(), ben.lid(), Some(ben.jid())));
    let message = next_message(&mut events).await;
    assert_eq!((message.chat.clone(), message.message_id.as_str()), (to, second.as_str()));

    // The host may go on with what it knows: the old address, and ids from before.
    for (address, quoted, text) in [
        (ben.jid(), &first, "to the number"),
        (ben.lid(), &first, "to the lid"),
        (ben.jid(), &ours, "about my own"),
    ] {
        let sent = client.send_text(&address, text, quoting(quoted)).await.unwrap();
        assert_eq!(sent.chat.id, ben.lid());
        assert_eq!(addressed(world, &sent.message_id).await, ben.lid().to_string());
        texts.push(text);
    }
    client.mark_read(&ben.jid(), None, slice::from_ref(&first), within(DEADLINE)).await.unwrap();
    client.mark_read(&ben.jid(), None, slice::from_ref(&second), within(DEADLINE)).await.unwrap();
    for id in [&first, &second] {
        ben.wait_receipt(id, ReceiptKind::Read, DEADLINE).await.unwrap();
    }
    ben.mark_read(ANNA, slice::from_ref(&ours)).await.unwrap();
    let read = next_kind(&mut events, |kind| match kind {
        EventKind::Receipt(receipt) if receipt.kind == Told::Read => Some(receipt.clone()),
        _ => None,
    })
    .await;
    assert_eq!((read.chat.id, read.message_ids), (ben.lid(), vec![ours]));
    assert_eq!(ben.next_message(DEADLINE).await.unwrap().text, "answer by number");
    for text in texts {
        assert_eq!(ben.next_message(DEADLINE).await.unwrap().text, text);
    }
    assert_eq!(retries(world), 0, "the session moved with the chat");
}

#[tokio::test]
async fn a_chat_that_moves_to_the_lid_stays_one_chat() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let ben = person(&world, BEN, LidStanding::PnOnly).await;
    flip(&world, &client, &ben, async || world.sandbox.migrate(BEN).await.unwrap()).await;
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_chat_moves_while_the_client_is_away() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let ben = person(&world, BEN, LidStanding::PnOnly).await;
    // Replayed addresses are not believed; that the old session opens the message proves them.
    flip(&world, &client, &ben, async || {
        let device = device_label(&client, ANNA);
        client.disconnect();
        world.wait(|event| *event == Event::Disconnected { device: device.clone() }).await;
        world.sandbox.migrate(BEN).await.unwrap();
        let back = client.clone();
        tokio::spawn(async move { back.wait_online().await });
    })
    .await;
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_chat_of_two_engines_moves_and_survives_restarts() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, _) = linked(&world, &engine, ANNA, LidStanding::Unmigrated).await;
    let (ben, bens) = linked(&world, &engine, BEN, LidStanding::PnOnly).await;
    let (mut at_anna, mut at_ben) = (anna.events().unwrap(), ben.events().unwrap());
    say(&anna, &pn(BEN), "one").await;
    let message = next_message(&mut at_ben).await;
    assert_eq!((message.text.as_deref(), message.chat.phone.clone()), (Some("one"), Some(pn(ANNA))));
    say(&ben, &message.chat.id, "two").await;
    let message = next_message(&mut at_anna).await;
    assert_eq!((message.text.as_deref(), message.chat.id), (Some("two"), bens.jid()));
    world.sandbox.migrate(BEN).await.unwrap();
    world.sandbox.migrate(ANNA).await.unwrap();
    drop(at_anna);
    anna.close(DEADLINE).await.unwrap();
    let anna = engine.open(world.store(ANNA), quiet()).unwrap();
    anna.wait_online().await;
    let mut at_anna = anna.events().unwrap();
    // Not acknowledged before the restart, so it is offered again.
    assert_eq!(next_message(&mut at_anna).await.text.as_deref(), Some("two"));
    for round in 0..5 {
        let (there, back) = (format!("there {round}"), format!("back {round}"));
        say(&anna, &pn(BEN), &there).await;
        let message = next_message(&mut at_ben).await;
        assert_eq!((message.text, message.chat.phone), (Some(there), Some(pn(ANNA))));
        say(&ben, &pn(ANNA), &back).await;
        let message = next_message(&mut at_anna).await;
        assert_eq!((message.text, message.chat.phone), (Some(back), Some(bens.jid())));
    }
    assert_eq!(known(&anna, &pn(BEN)).await.id, bens.lid());
    assert_eq!(retries(&world), 0);
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_receipt_tells_the_lid() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let ben = person(&world, BEN, LidStanding::PnOnly).await;
    let mut events = client.events().unwrap();
    let id = say(&client, &pn(BEN), "hi").await;
    ben.next_message(DEADLINE).await.unwrap();
    world.sandbox.migrate(BEN).await.unwrap();
    ben.mark_read(ANNA, &[id]).await.unwrap();
    assert_eq!(next_moved(&mut events).await.1.id, ben.lid());
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_new_device_of_a_person_tells_the_lid() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let ben = person(&world, BEN, LidStanding::PnOnly).await;
    let mut events = client.events().unwrap();
    say(&client, &pn(BEN), "hi").await;
    world.sandbox.migrate(BEN).await.unwrap();
    world.linked(&engine, BEN).await;
    let (from, to) = next_moved(&mut events).await;
    assert_eq!((from, to.id), (ben.jid(), ben.lid()));
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn what_a_replayed_message_says_is_shown_until_the_service_confirms_it() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let ben = person(&world, BEN, LidStanding::Unmigrated).await;
    let mut events = client.events().unwrap();
    let device = device_label(&client, ANNA);
    client.disconnect();
    world.wait(|event| *event == Event::Disconnected { device: device.clone() }).await;
    ben.send_text(ANNA, "hi").await.unwrap();
    client.wait_online().await;
    let message = next_message(&mut events).await;
    assert_eq!((message.chat.id, message.chat.lid, message.offline), (ben.jid(), Some(ben.lid()), true));
    say(&client, &ben.jid(), "hello").await;
    assert_eq!(next_moved(&mut events).await.0, ben.jid());
    assert_eq!(ben.next_message(DEADLINE).await.unwrap().text, "hello");
    assert_eq!(retries(&world), 0);
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_message_from_before_the_move_is_sent_again_to_who_asks_after_it() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let ben = person(&world, BEN, LidStanding::PnOnly).await;
    say(&client, &pn(BEN), "warm").await;
    ben.next_message(DEADLINE).await.unwrap();
    ben.go_offline().await;
    say(&client, &pn(BEN), "lost").await;
    let device = client.account().unwrap();
    let address = device.identity.phone.unwrap().with_device(device.device);
    assert!(ben.reset_session(&address.to_string()).unwrap());
    world.sandbox.migrate(BEN).await.unwrap();
    ben.go_online().await.unwrap();
    assert_eq!(ben.next_message(DEADLINE).await.unwrap().text, "lost");
    assert!(retries(&world) > 0);
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

// --- people who get other addresses ---

#[tokio::test]
async fn a_person_who_registers_anew_stays_one_chat() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let ben = world.sandbox.phone(BEN).await.unwrap();
    let mut events = client.events().unwrap();
    let first = ben.send_text(ANNA, "first").await.unwrap();
    let old = next_message(&mut events).await.chat.id;
    say(&client, &old, "answer").await;
    let new = world.sandbox.renew_lid(BEN).unwrap();
    assert_ne!(old, new);
    // Nobody said so: the service does not know the old address any more, and is asked.
    let sent = client.send_text(&old, "again", quoting(&first)).await.unwrap();
    assert_eq!(sent.chat.id, new);
    assert_eq!(refusals(&world, 404), 1);
    let (from, to) = next_moved(&mut events).await;
    assert_eq!((from, to.id, to.phone), (old.clone(), new.clone(), Some(ben.jid())));
    ben.send_text(ANNA, "second").await.unwrap();
    assert_eq!(next_message(&mut events).await.chat.id, new);
    client.mark_read(&old, None, slice::from_ref(&first), within(DEADLINE)).await.unwrap();
    ben.wait_receipt(&first, ReceiptKind::Read, DEADLINE).await.unwrap();
    // Whoever writes under the new address says so himself.
    let newer = world.sandbox.renew_lid(BEN).unwrap();
    ben.send_text(ANNA, "third").await.unwrap();
    assert_eq!(next_moved(&mut events).await.1.id, newer);
    assert_eq!(next_message(&mut events).await.chat.id, newer);
    let sent = client.send_text(&old, "still you", SendOptions::default()).await.unwrap();
    assert_eq!(sent.chat.id, newer);
    for text in ["answer", "again", "still you"] {
        assert_eq!(ben.next_message(DEADLINE).await.unwrap().text, text);
    }
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_person_with_a_new_number_stays_one_chat() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let ben = world.sandbox.phone(BEN).await.unwrap();
    let mut events = client.events().unwrap();
    say(&client, &pn(BEN), "hi").await;
    let new = world.sandbox.change_number(BEN, CARA).unwrap();
    let changed = next_kind(&mut events, |kind| match kind {
        EventKind::NumberChanged(changed) => Some(changed.clone()),
        _ => None,
    })
    .await;
    assert_eq!((changed.former, changed.who.id, changed.who.phone), (pn(BEN), ben.lid(), Some(new.clone())));
    for address in [pn(BEN), new.clone(), ben.lid()] {
        let sent = client.send_text(&address, "hello", SendOptions::default()).await.unwrap();
        assert_eq!((sent.chat.id, sent.chat.phone), (ben.lid(), Some(new.clone())));
    }
    ben.send_text(ANNA, "from the new number").await.unwrap();
    let message = next_message(&mut events).await;
    assert_eq!((message.chat.id, message.chat.phone), (ben.lid(), Some(new)));
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn the_service_hints_at_a_pair_that_is_out_of_date() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let ben = world.sandbox.phone(BEN).await.unwrap();
    let mut events = client.events().unwrap();
    say(&client, &pn(BEN), "hi").await;
    // The notification gets lost; the ack of the next message says that something is wrong.
    world.sandbox.add_fault(
        FaultRule::new(Fault::Swallow)
            .device(device_label(&client, ANNA))
            .stanza(StanzaMatch::tag("notification")),
    );
    let new = world.sandbox.change_number(BEN, CARA).unwrap();
    say(&client, &ben.lid(), "hello").await;
    let who = next_kind(&mut events, |kind| match kind {
        EventKind::NumberChanged(changed) => Some(changed.who.clone()),
        _ => None,
    })
    .await;
    assert_eq!((who.id, who.phone), (ben.lid(), Some(new)));
    engine.close(DEADLINE).await.unwrap();
}

// --- asking for people ---

#[tokio::test]
async fn people_are_found_by_either_address_or_not_at_all() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, own) = world.linked(&engine, ANNA).await;
    let ben = world.sandbox.phone(BEN).await.unwrap();
    let by_number = person(&world, CARA, LidStanding::PnOnly).await;
    let expected = Identity { id: ben.lid(), phone: Some(ben.jid()), lid: Some(ben.lid()) };
    assert_eq!(known(&client, &ben.lid()).await, expected);
    assert_eq!(known(&client, &format!("{BEN}@c.us").parse().unwrap()).await, expected);
    let cara = known(&client, &by_number.jid()).await;
    assert_eq!(cara, Identity { id: by_number.jid(), phone: Some(by_number.jid()), lid: None });
    assert_eq!(known(&client, &own.jid()).await.lid, Some(own.lid()));
    for nobody in [pn("31600000000"), Jid::lid("99999999999")] {
        let error = client.identity(&nobody, LookupOptions::default()).await.unwrap_err();
        assert_eq!(error.code(), Code::NotFound, "{nobody}");
    }
    // What is known needs no connection, unless it shall be fresh.
    client.disconnect();
    assert_eq!(known(&client, &ben.jid()).await, expected);
    let mut fresh = LookupOptions::default();
    fresh.fresh = true;
    fresh.timeout = Some(Duration::from_millis(200));
    assert_eq!(client.identity(&ben.jid(), fresh).await.unwrap_err().code(), Code::TimedOut);
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_person_shares_the_number() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let ben = world.sandbox.phone(BEN).await.unwrap();
    let mut events = client.events().unwrap();
    ben.share_number(ANNA).await.unwrap();
    let who = next_kind(&mut events, |kind| match kind {
        EventKind::NumberShared(shared) => Some(shared.who.clone()),
        _ => None,
    })
    .await;
    assert_eq!((who.id, who.phone), (ben.lid(), Some(ben.jid())));
    engine.close(DEADLINE).await.unwrap();
}

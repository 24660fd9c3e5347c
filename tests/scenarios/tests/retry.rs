//! Messages that cannot be opened at first: asking again, being asked, and sessions made anew.

use whimbrel::events::EventKind;
use whimbrel::{Client, Jid, SendOptions};
use whimbrel_sandbox::phone::{ReceiptKind, SwitchChange};
use whimbrel_sandbox::{Event, Fault, FaultRule, StanzaMatch};
use whimbrel_scenarios::{
    ANNA, BEN, DEADLINE, Wait as _, World, device_label, next_kind, next_message, next_placeholder, quiet,
    read,
};
use whimbrel_wire::Node;

#[tokio::test]
async fn a_damaged_message_is_asked_for_again_and_completes_its_placeholder() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let ben = world.sandbox.phone(BEN).await.unwrap();
    let mut events = client.events().unwrap();
    for session in ["first contact", "known session"] {
        ben.set_switches(SwitchChange { damage_next: Some(1), ..SwitchChange::default() });
        let id = ben.send_text(ANNA, session).await.unwrap();
        let (event, placeholder) = next_placeholder(&mut events).await;
        assert_eq!(placeholder.message_id, id);
        assert_eq!((placeholder.chat.id, placeholder.sender.id), (ben.lid(), ben.lid()));
        let message = next_message(&mut events).await;
        assert_eq!((message.message_id, message.text.as_deref()), (id.clone(), Some(session)));
        assert_eq!(message.completes, Some(event));
        ben.wait_receipt(&id, ReceiptKind::Delivered, DEADLINE).await.unwrap();
    }
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn what_stays_damaged_is_given_up_with_one_placeholder() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let ben = world.sandbox.phone(BEN).await.unwrap();
    let mut events = client.events().unwrap();
    let name = device_label(&client, ANNA);
    let corrupt = FaultRule::new(Fault::Corrupt).device(name.clone()).stanza(StanzaMatch::tag("message"));
    world.sandbox.add_fault(corrupt.times(10));
    let id = ben.send_text(ANNA, "never").await.unwrap();
    let (_, placeholder) = next_placeholder(&mut events).await;
    assert_eq!(placeholder.message_id, id);
    let mut asked = 0;
    world
        .wait(|event| {
            let ours =
                matches!(event, Event::Receipt { device, kind, .. } if *device == name && kind == "retry");
            asked += u32::from(ours);
            asked == 4
        })
        .await;
    world.sandbox.clear_faults();
    ben.send_text(ANNA, "later").await.unwrap();
    let text = next_kind(&mut events, |kind| match kind {
        EventKind::Undecryptable(_) => Some(None),
        EventKind::Message(message) => Some(message.text.clone()),
        _ => None,
    })
    .await;
    assert_eq!(text.as_deref(), Some("later"));
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_phone_that_lost_its_session_gets_the_message_again() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, own) = world.linked(&engine, ANNA).await;
    let ben = world.sandbox.phone(BEN).await.unwrap();
    let mut events = client.events().unwrap();
    client.send_text(&Jid::pn(BEN), "first", SendOptions::default()).await.unwrap();
    assert_eq!(ben.next_message(DEADLINE).await.unwrap().text, "first");
    ben.send_text(ANNA, "back").await.unwrap();
    next_message(&mut events).await;

    let number = client.account().unwrap().device;
    let lid = own.lid().with_device(number).to_string();
    assert!(ben.reset_session(&lid).unwrap());
    client.send_text(&Jid::pn(BEN), "second", SendOptions::default()).await.unwrap();
    assert_eq!(ben.next_message(DEADLINE).await.unwrap().text, "second");
    client.send_text(&Jid::pn(BEN), "third", SendOptions::default()).await.unwrap();
    assert_eq!(ben.next_message(DEADLINE).await.unwrap().text, "third");
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn the_own_phone_gets_its_copy_again() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, own) = world.linked(&engine, ANNA).await;
    let ben = world.sandbox.phone(BEN).await.unwrap();
    client.send_text(&Jid::pn(BEN), "first", SendOptions::default()).await.unwrap();
    assert_eq!(own.next_message(DEADLINE).await.unwrap().text, "first");
    let lid = own.lid().with_device(client.account().unwrap().device).to_string();
    assert!(own.reset_session(&lid).unwrap());
    client.send_text(&Jid::pn(BEN), "second", SendOptions::default()).await.unwrap();
    let copy = own.next_message(DEADLINE).await.unwrap();
    assert_eq!((copy.text.as_str(), copy.from_me, copy.chat), ("second", true, ben.lid().to_string()));
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn engines_repair_what_was_damaged_between_them() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, _) = world.linked(&engine, ANNA).await;
    let (ben, _) = world.linked(&engine, BEN).await;
    let (mut at_anna, mut events) = (anna.events().unwrap(), ben.events().unwrap());
    let name = device_label(&ben, BEN);
    for round in 0..3_u32 {
        // Until the other side has answered in a session, messages carry keys that nothing
        // protects: a bit that is flipped there harms nobody.
        ben.send_text(&Jid::pn(ANNA), "hello", SendOptions::default()).await.unwrap();
        next_message(&mut at_anna).await;
        let corrupt = FaultRule::new(Fault::Corrupt).device(name.clone()).stanza(StanzaMatch::tag("message"));
        world.sandbox.add_fault(corrupt.times(round + 1));
        let text = format!("round {round}");
        let sent = anna.send_text(&Jid::pn(BEN), &text, SendOptions::default()).await.unwrap();
        let (event, placeholder) = next_placeholder(&mut events).await;
        assert_eq!(placeholder.message_id, sent.message_id);
        let message = next_message(&mut events).await;
        assert_eq!((message.text, message.completes), (Some(text), Some(event)));
    }
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_damaged_message_is_asked_for_across_a_restart() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let ben = world.sandbox.phone(BEN).await.unwrap();
    let mut events = client.events().unwrap();
    let name = device_label(&client, ANNA);
    // The answer to the request comes while this client is away.
    ben.set_switches(SwitchChange { damage_next: Some(1), ..SwitchChange::default() });
    let late = FaultRule::new(Fault::Delay { ms: 1500 }).device(BEN);
    world.sandbox.add_fault(late.stanza(StanzaMatch::tag("receipt").kind("retry")));
    let id = ben.send_text(ANNA, "kept").await.unwrap();
    let (event, _) = next_placeholder(&mut events).await;
    drop(events);
    client.close(DEADLINE).await.unwrap();
    world.wait(|event| *event == Event::Disconnected { device: name.clone() }).await;
    let client = engine.open(world.store(ANNA), quiet()).unwrap();
    let mut events = client.events().unwrap();
    client.wait_online().await;
    let message = next_message(&mut events).await;
    assert_eq!((message.message_id, message.completes), (id, Some(event)));
    engine.close(DEADLINE).await.unwrap();
}

/// Somebody's request for a message of Anna's.
fn request(from: Jid, id: &str, count: u16) -> Node {
    let retry = Node::new("retry").attr("v", "1").attr("count", count).attr("id", id.to_owned());
    Node::new("receipt")
        .attr("id", id.to_owned())
        .attr("from", from)
        .attr("type", "retry")
        .attr("t", "1795176000")
        .child(retry.attr("t", "1795176000"))
}

/// Waits until a device has acknowledged so many receipts about a message.
async fn acknowledged(world: &World, name: &str, wanted: &str, times: usize) {
    let mut seen = 0;
    let often_enough = |event: &Event| {
        let ours = matches!(event, Event::Settled { device, class, id, .. }
            if device == name && class == "receipt" && id == wanted);
        seen += usize::from(ours);
        seen == times
    };
    world.wait(often_enough).await;
}

#[tokio::test]
async fn the_tenth_request_for_a_message_is_not_answered_nor_is_a_fifth_try() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, own) = world.linked(&engine, ANNA).await;
    let ben = world.sandbox.phone(BEN).await.unwrap();
    // What they say about messages that arrive is not what is counted here.
    for phone in [&own, &ben] {
        phone.set_switches(SwitchChange { silent: Some(true), ..SwitchChange::default() });
    }
    let name = device_label(&client, ANNA);
    let send = async |text: &str| {
        client.send_text(&Jid::pn(BEN), text, SendOptions::default()).await.unwrap().message_id
    };
    let first = send("first").await;
    for _ in 0..12 {
        assert!(world.sandbox.enqueue(&name, request(ben.lid(), &first, 1)));
    }
    acknowledged(&world, &name, &first, 12).await;
    let counted = client.statistics().await;
    assert_eq!((counted.retries_answered, counted.retries_ignored), (9, 3));
    // Each message has its own count, and says itself how often it was asked for.
    let second = send("second").await;
    for count in [5, 200, 4] {
        assert!(world.sandbox.enqueue(&name, request(ben.lid(), &second, count)));
    }
    acknowledged(&world, &name, &second, 3).await;
    let counted = client.statistics().await;
    assert_eq!((counted.retries_answered, counted.retries_ignored), (10, 5));
    // However often they came, each is shown once.
    for text in ["first", "second", "third"] {
        if text == "third" {
            send(text).await;
        }
        assert_eq!(ben.next_message(DEADLINE).await.unwrap().text, text);
    }
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

/// An own device that asks under another registration id was linked anew: keys from it are not taken.
#[tokio::test]
async fn an_own_device_under_another_registration_gets_from_the_phone_what_is_not_sent_to_it() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, own) = world.linked(&engine, ANNA).await;
    let desk = engine.open(world.store("desk"), quiet()).unwrap();
    world.link(&desk, ANNA).await;
    let ben = world.sandbox.phone(BEN).await.unwrap();
    ben.set_switches(SwitchChange { silent: Some(true), ..SwitchChange::default() });
    let (mut events, mut at_desk) = (client.events().unwrap(), desk.events().unwrap());
    // Each has heard of the other: what is damaged now is nothing but the message itself.
    for (from, at, text) in [(&desk, &mut events, "from the desk"), (&client, &mut at_desk, "to the desk")] {
        from.send_text(&Jid::pn(BEN), text, SendOptions::default()).await.unwrap();
        assert_eq!(next_message(at).await.text.as_deref(), Some(text));
        assert_eq!(ben.next_message(DEADLINE).await.unwrap().text, text);
    }
    // It would help out.
    own.go_offline().await;
    let copies = StanzaMatch::tag("message").from(&own.lid());
    let corrupt = FaultRule::new(Fault::Corrupt).device(device_label(&desk, ANNA)).stanza(copies);
    world.sandbox.add_fault(corrupt.times(2));
    let receipts = StanzaMatch::tag("receipt").kind("retry");
    let other = FaultRule::new(Fault::OtherRegistration).device(device_label(&client, ANNA)).stanza(receipts);
    world.sandbox.add_fault(other.times(2));
    let sent = client.send_text(&Jid::pn(BEN), "damaged", SendOptions::default()).await.unwrap();
    let (_, placeholder) = next_placeholder(&mut at_desk).await;
    assert_eq!(placeholder.message_id, sent.message_id);
    acknowledged(&world, &device_label(&client, ANNA), &sent.message_id, 2).await;
    let counted = client.statistics().await;
    // The first came without keys: a new session was begun with what the service has.
    assert_eq!((counted.retries_answered, counted.retries_ignored), (1, 1));
    // The phone has got its copy meanwhile, and gives the desk what it is missing.
    own.go_online().await.unwrap();
    read(&own, "damaged").await;
    let completed = next_message(&mut at_desk).await;
    assert_eq!((completed.text.as_deref(), completed.message_id), (Some("damaged"), sent.message_id));
    let counted = desk.statistics().await;
    assert_eq!((counted.phone_requests, counted.phone_answers, counted.completed), (1, 1, 1));
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

/// Ben's engine goes back to a session whose first message was read long ago, and in which it has heard
/// nothing: what it sends is a first message again, with the keys of the session that is not the current
/// one any more.
#[tokio::test]
async fn a_first_message_of_an_older_session_is_opened_in_it() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, _) = world.linked(&engine, ANNA).await;
    let (mut ben, _) = world.linked(&engine, BEN).await;
    let mut events = anna.events().unwrap();
    let (label, store) = (device_label(&ben, BEN), world.store(BEN));
    let reopen = async |ben: Client, keep: Option<&str>, back: Option<&str>| {
        ben.close(DEADLINE).await.unwrap();
        if let Some(keep) = keep {
            std::fs::copy(&store, world.store(keep)).unwrap();
        }
        if let Some(back) = back {
            std::fs::copy(world.store(back), &store).unwrap();
            for rest in ["-wal", "-shm"] {
                let mut name = store.clone().into_os_string();
                name.push(rest);
                // Whether they are there depends on how the store was closed.
                let _ = std::fs::remove_file(name);
            }
        }
        let ben = engine.open(&store, quiet()).unwrap();
        ben.wait_online().await;
        ben
    };
    ben = reopen(ben, Some("before"), None).await;
    for (text, keep, back) in
        [("one", Some("older"), Some("before")), ("two", None, Some("older")), ("three", None, None)]
    {
        ben.send_text(&Jid::pn(ANNA), text, SendOptions::default()).await.unwrap();
        assert_eq!(next_message(&mut events).await.text.as_deref(), Some(text));
        ben = reopen(ben, keep, back).await;
    }
    // Anna answers in the session that was used last: Ben has no other.
    let mut at_ben = ben.events().unwrap();
    anna.send_text(&Jid::pn(BEN), "four", SendOptions::default()).await.unwrap();
    assert_eq!(next_message(&mut at_ben).await.text.as_deref(), Some("four"));
    ben.send_text(&Jid::pn(ANNA), "five", SendOptions::default()).await.unwrap();
    assert_eq!(next_message(&mut events).await.text.as_deref(), Some("five"));
    assert_eq!((anna.statistics().await.retries_sent, ben.statistics().await.retries_sent), (0, 0));
    // No key was used twice between them; what a store that was put back says to its own phone does not count.
    let twice = world.sandbox.violations();
    assert!(twice.iter().all(|twice| twice.sender == label && twice.recipient == BEN), "{twice:?}");
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn what_another_own_device_sends_again_without_its_envelope_belongs_to_the_chat_of_its_first_copy() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let mut events = client.events().unwrap();
    world.sandbox.phone(BEN).await.unwrap();
    let phone = world.sandbox.find_phone(ANNA).unwrap();
    let switches = SwitchChange { damage_next: Some(1), bare_resends: Some(true), ..SwitchChange::default() };
    phone.set_switches(switches);
    let id = phone.send_text(BEN, "by the way").await.unwrap();
    let (event, placeholder) = next_placeholder(&mut events).await;
    assert_eq!(placeholder.message_id, id);
    let message = next_message(&mut events).await;
    assert_eq!((message.message_id, message.from_me, message.completes), (id, true, Some(event)));
    assert_eq!(message.chat, placeholder.chat, "it is not of the chat with oneself");
    engine.close(DEADLINE).await.unwrap();
}

//! Texts in direct chats: to and from phones and other companions, durable, in order, once.

use std::time::Duration;

use whimbrel::events::EventKind;
use whimbrel::{Code, Jid, MessageKey, Outcome, SendOptions};
use whimbrel_sandbox::phone::ReceiptKind;
use whimbrel_sandbox::{Event, Fault, FaultRule, StanzaMatch};
use whimbrel_scenarios::{
    ANNA, BEN, CARA, DEADLINE, Wait as _, World, device_label, next_kind, next_message, pn, quiet, with_id,
};

#[tokio::test]
async fn a_phone_and_an_engine_talk() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, own) = world.linked(&engine, ANNA).await;
    let ben = world.sandbox.phone(BEN).await.unwrap();
    let mut events = client.events().unwrap();

    let sent = client.send_text(&pn(BEN), "hi ben", SendOptions::default()).await.unwrap();
    assert!(sent.timestamp > 0 && sent.message_id.starts_with("3EB0"));
    let got = ben.next_message(DEADLINE).await.unwrap();
    assert_eq!(
        (got.id.as_str(), got.text.as_str(), got.from_me),
        (sent.message_id.as_str(), "hi ben", false)
    );
    let copy = own.next_message(DEADLINE).await.unwrap();
    assert_eq!(
        (copy.id.as_str(), copy.text.as_str(), copy.from_me),
        (sent.message_id.as_str(), "hi ben", true)
    );
    assert_eq!(copy.chat, ben.lid().to_string());

    let id = ben.send_text(ANNA, "hi anna").await.unwrap();
    let message = next_message(&mut events).await;
    assert_eq!((message.message_id.as_str(), message.text.as_deref()), (id.as_str(), Some("hi anna")));
    assert_eq!((message.from_me, message.sender_device, message.offline), (false, 0, false));
    assert_eq!((message.chat.clone(), message.chat.id), (message.sender.clone(), ben.lid()));
    assert_eq!((message.sender.phone, message.sender.lid), (Some(ben.jid()), Some(ben.lid())));
    assert!(message.push_name.is_some() && message.completes.is_none() && !message.raw.is_empty());
    ben.wait_receipt(&id, ReceiptKind::Delivered, DEADLINE).await.unwrap();

    let id = own.send_text(BEN, "from the phone").await.unwrap();
    let message = next_message(&mut events).await;
    assert_eq!((message.message_id.as_str(), message.text.as_deref()), (id.as_str(), Some("from the phone")));
    assert!(message.from_me);
    assert_eq!(message.chat.id, ben.lid());
    assert_eq!(message.sender.id, own.lid());
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn engines_talk_quote_and_keep_their_order() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, _) = world.linked(&engine, ANNA).await;
    let (ben, _) = world.linked(&engine, BEN).await;
    let (mut at_anna, mut at_ben) = (anna.events().unwrap(), ben.events().unwrap());

    let first = anna.send_text(&pn(BEN), "first", SendOptions::default()).await.unwrap();
    let message = next_message(&mut at_ben).await;
    assert_eq!(message.message_id, first.message_id);

    let mut options = SendOptions::default();
    options.quote = Some(MessageKey { message_id: first.message_id.clone(), sender: None });
    ben.send_text(&message.chat.id, "answer", options).await.unwrap();
    let answer = next_message(&mut at_anna).await;
    assert_eq!(answer.text.as_deref(), Some("answer"));
    let quoted = answer.quoted.unwrap();
    assert_eq!(quoted.message_id, first.message_id);
    assert_eq!(quoted.sender, anna.account().unwrap().identity.lid);

    let target = pn(BEN);
    let sends = (0..100).map(|number| {
        let (anna, target) = (anna.clone(), target.clone());
        async move { anna.send_text(&target, &format!("n{number}"), SendOptions::default()).await.unwrap() }
    });
    let mut tasks = Vec::new();
    for send in sends {
        // Calls that are made one after the other arrive so, though nobody waits for their end.
        let mut send = Box::pin(send);
        if tokio::time::timeout(Duration::ZERO, &mut send).await.is_err() {
            tasks.push(tokio::spawn(send));
        }
    }
    for task in tasks {
        task.await.unwrap();
    }
    let mut got = Vec::new();
    while got.len() < 100 {
        got.push(next_message(&mut at_ben).await.text.unwrap());
    }
    assert_eq!(got, (0..100).map(|number| format!("n{number}")).collect::<Vec<_>>());
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn companions_of_one_account_see_each_other_write() {
    let world = World::start().await;
    let engine = world.engine();
    let (one, phone) = world.linked(&engine, ANNA).await;
    let other = engine.open(world.store("other"), quiet()).unwrap();
    world.link(&other, ANNA).await;
    let ben = world.sandbox.phone(BEN).await.unwrap();
    let mut at_other = other.events().unwrap();
    let sent = one.send_text(&pn(BEN), "to ben", SendOptions::default()).await.unwrap();
    let copy = next_message(&mut at_other).await;
    assert_eq!((copy.message_id, copy.text.as_deref()), (sent.message_id, Some("to ben")));
    assert!(copy.from_me);
    assert_eq!(copy.sender_device, one.account().unwrap().device);
    assert_eq!((copy.chat.id, copy.sender.id), (ben.lid(), phone.lid()));

    let note = one.send_text(&pn(ANNA), "a note", SendOptions::default()).await.unwrap();
    let copy = next_message(&mut at_other).await;
    assert_eq!(
        (copy.message_id, copy.text.as_deref(), copy.chat.id),
        (note.message_id, Some("a note"), phone.lid())
    );
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn what_waited_arrives_after_the_login_marked_as_such() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let ben = world.sandbox.phone(BEN).await.unwrap();
    let mut events = client.events().unwrap();
    ben.send_text(ANNA, "live").await.unwrap();
    assert!(!next_message(&mut events).await.offline);
    let name = device_label(&client, ANNA);
    client.disconnect();
    world.wait(|event| *event == Event::Disconnected { device: name.clone() }).await;
    for number in 0..20 {
        ben.send_text(ANNA, &format!("n{number}")).await.unwrap();
    }
    client.wait_online().await;
    for number in 0..20 {
        let message = next_message(&mut events).await;
        assert_eq!(message.text, Some(format!("n{number}")));
        assert!(message.offline);
    }
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_message_that_comes_twice_is_one_event_and_two_receipts() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let ben = world.sandbox.phone(BEN).await.unwrap();
    let mut events = client.events().unwrap();
    let name = device_label(&client, ANNA);
    world
        .sandbox
        .add_fault(FaultRule::new(Fault::Repeat).device(name.clone()).stanza(StanzaMatch::tag("message")));
    let id = ben.send_text(ANNA, "once").await.unwrap();
    ben.send_text(ANNA, "then").await.unwrap();
    assert_eq!(next_message(&mut events).await.text.as_deref(), Some("once"));
    assert_eq!(next_message(&mut events).await.text.as_deref(), Some("then"));
    let mut receipts = 0;
    world
        .wait(|event| {
            receipts += u32::from(
                matches!(event, Event::Receipt { device, ids, .. } if *device == name && ids.contains(&id)),
            );
            receipts == 2
        })
        .await;
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn an_id_given_twice_is_one_message() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let ben = world.sandbox.phone(BEN).await.unwrap();
    let first = client.send_text(&pn(BEN), "hi", with_id("my-id.1")).await.unwrap();
    let again = client.send_text(&pn(BEN), "hi", with_id("my-id.1")).await.unwrap();
    assert_eq!(first, again);
    let chat = pn(BEN);
    let both = tokio::join!(
        client.send_text(&chat, "ho", with_id("my-id.2")),
        client.send_text(&chat, "ho", with_id("my-id.2")),
    );
    assert_eq!(both.0.unwrap(), both.1.unwrap());
    assert_eq!(ben.next_message(DEADLINE).await.unwrap().text, "hi");
    assert_eq!(ben.next_message(DEADLINE).await.unwrap().text, "ho");
    let accepted = world.sandbox.events().after(0);
    let accepted =
        accepted.iter().filter(|(_, event)| matches!(event, Event::Accepted { .. } | Event::Repeated { .. }));
    let by_us = accepted.filter(|(_, event)| format!("{event:?}").contains("my-id")).count();
    assert_eq!(by_us, 2);
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_message_survives_a_cut_and_a_lost_ack() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let ben = world.sandbox.phone(BEN).await.unwrap();
    let name = device_label(&client, ANNA);
    for fault in [Fault::Cut, Fault::CutBeforeAnswer] {
        world
            .sandbox
            .add_fault(FaultRule::new(fault).device(name.clone()).stanza(StanzaMatch::tag("message")));
        let sent = client.send_text(&pn(BEN), "through", SendOptions::default()).await.unwrap();
        let got = ben.next_message(DEADLINE).await.unwrap();
        assert_eq!((got.id, got.text.as_str()), (sent.message_id, "through"));
    }
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn what_was_accepted_while_away_is_sent_after_a_restart() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let ben = world.sandbox.phone(BEN).await.unwrap();
    let name = device_label(&client, ANNA);
    world.sandbox.add_fault(FaultRule::new(Fault::Lose).device(name).stanza(StanzaMatch::tag("message")));
    let mut options = with_id("kept");
    options.timeout = Some(Duration::from_millis(300));
    let error = client.send_text(&pn(BEN), "kept", options).await.unwrap_err();
    assert_eq!((error.code(), error.outcome()), (Code::TimedOut, Outcome::Unknown));
    client.close(DEADLINE).await.unwrap();

    let client = engine.open(world.store(ANNA), quiet()).unwrap();
    let mut events = client.events().unwrap();
    client.wait_online().await;
    assert_eq!(ben.next_message(DEADLINE).await.unwrap().id, "kept");
    let status = next_kind(&mut events, |kind| match kind {
        EventKind::SendStatus(status) => Some(status.clone()),
        _ => None,
    })
    .await;
    assert_eq!((status.message_id.as_str(), status.refused), ("kept", None));
    assert_eq!(status.chat.id, ben.lid());
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn what_never_left_by_its_deadline_never_leaves() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let ben = world.sandbox.phone(BEN).await.unwrap();
    client.disconnect();
    let mut options = with_id("late");
    options.timeout = Some(Duration::from_millis(200));
    let error = client.send_text(&pn(BEN), "late", options).await.unwrap_err();
    assert_eq!((error.code(), error.outcome()), (Code::TimedOut, Outcome::NotSent));
    client.wait_online().await;
    client.send_text(&pn(BEN), "after", SendOptions::default()).await.unwrap();
    assert_eq!(ben.next_message(DEADLINE).await.unwrap().text, "after");
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn refusals_have_their_codes_and_passing_ones_are_tried_again() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let ben = world.sandbox.phone(BEN).await.unwrap();
    let name = device_label(&client, ANNA);
    let refuse = |code| {
        let fault = Fault::Refuse { code, text: None, backoff: None };
        world
            .sandbox
            .add_fault(FaultRule::new(fault).device(name.clone()).stanza(StanzaMatch::tag("message")));
    };
    for (status, code) in [(403, Code::Forbidden), (479, Code::Refused)] {
        refuse(status);
        let error = client.send_text(&pn(BEN), "no", SendOptions::default()).await.unwrap_err();
        assert_eq!((error.code(), error.service_status(), error.outcome()), (code, status, Outcome::Refused));
    }
    refuse(503);
    client.send_text(&pn(BEN), "yes", SendOptions::default()).await.unwrap();
    assert_eq!(ben.next_message(DEADLINE).await.unwrap().text, "yes");
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn an_account_that_is_not_migrated_is_addressed_by_number() {
    let world = World::start_with(|options| options.lid_migrated = false).await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let (ben, _) = world.linked(&engine, BEN).await;
    let mut events = ben.events().unwrap();
    client.send_text(&pn(BEN), "by number", SendOptions::default()).await.unwrap();
    assert_eq!(next_message(&mut events).await.text.as_deref(), Some("by number"));
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn nobody_there_and_wrong_addresses_are_told_apart() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let send = |chat: Jid| {
        let client = client.clone();
        async move { client.send_text(&chat, "x", SendOptions::default()).await.unwrap_err() }
    };
    assert_eq!(send(pn(CARA)).await.code(), Code::NoDevice);
    assert_eq!(send(Jid::group("123-456")).await.code(), Code::NotFound);
    assert_eq!(send(Jid::newsletter("123456")).await.code(), Code::NotFound);
    let list = Jid::parse("123456@broadcast").unwrap();
    assert_eq!(send(list).await.code(), Code::NotSupported);
    let unlinked = engine.open(world.store("new"), quiet()).unwrap();
    let error = unlinked.send_text(&pn(BEN), "x", SendOptions::default()).await.unwrap_err();
    assert_eq!(error.code(), Code::NotLinked);
    engine.close(DEADLINE).await.unwrap();
}

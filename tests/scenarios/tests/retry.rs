//! Messages that cannot be opened at first: asking again, being asked, and sessions made anew.

use whimbrel::events::EventKind;
use whimbrel::{Jid, SendOptions};
use whimbrel_sandbox::phone::{ReceiptKind, SwitchChange};
use whimbrel_sandbox::{Event, Fault, FaultRule, StanzaMatch};
use whimbrel_scenarios::{
    ANNA, BEN, DEADLINE, Wait as _, World, device_label, next_kind, next_message, next_placeholder, quiet,
};

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

//! Restrictions of the account: new chats are held back while one lasts, and nothing else is.

use std::time::Duration;

use whimbrel::events::{EventKind, EventStream, Restriction, RestrictionKind};
use whimbrel::{Client, Code, Error, Jid, Outcome, SendOptions, SendWait, SentMessage};
use whimbrel_sandbox::{Event, Fault, FaultRule, Restriction as Kind, StanzaMatch};
use whimbrel_scenarios::{ANNA, BEN, CLEO, DEADLINE, Wait as _, World, device_label, next_kind, quiet};

const DORA: &str = "31611112222";
const EVE: &str = "31611113333";

async fn send(client: &Client, to: &str) -> Result<SentMessage, Error> {
    client.send_text(&Jid::pn(to), "hello", SendOptions::default()).await
}

async fn next_restriction(events: &mut EventStream) -> Restriction {
    next_kind(events, |kind| match kind {
        EventKind::Restriction(restriction) => Some(restriction.clone()),
        _ => None,
    })
    .await
}

async fn await_text(events: &mut EventStream) {
    next_kind(events, |kind| matches!(kind, EventKind::Message(_)).then_some(())).await;
}

/// Messages that the service refused.
fn refused(world: &World) -> usize {
    world.count(|event| matches!(event, Event::Refused { .. }))
}

/// The service refuses a message; the engine does not let the next ones get that far.
fn assert_refused(error: &Error, status: u16) {
    assert_eq!((error.code(), error.service_status()), (Code::Restricted, status));
    assert_eq!(error.outcome(), Outcome::Refused);
}

fn assert_held_back(error: &Error) {
    assert_eq!((error.code(), error.service_status()), (Code::Restricted, 0));
    assert_eq!(error.outcome(), Outcome::NotSent);
}

#[tokio::test]
async fn old_chats_and_groups_go_on_while_new_ones_are_held_back() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, anna) = world.linked(&engine, ANNA).await;
    let mut events = client.events().unwrap();
    let ben = world.sandbox.phone(BEN).await.unwrap();
    let cleo = world.sandbox.phone(CLEO).await.unwrap();
    for other in [DORA, EVE] {
        world.sandbox.phone(other).await.unwrap();
    }
    // One wrote, the other was written to; with the third there is a group only.
    ben.send_text(ANNA, "hello").await.unwrap();
    await_text(&mut events).await;
    send(&client, DORA).await.unwrap();
    let group = world.group(ANNA, &[CLEO], None).jid();

    let hour = Duration::from_secs(3600);
    assert!(world.sandbox.restrict(ANNA, Kind::ReachoutTimelock, Some(hour), false));
    assert_refused(&send(&client, CLEO).await.unwrap_err(), 463);
    let first = next_restriction(&mut events).await;
    assert_eq!((first.kind, first.active, first.until), (RestrictionKind::ReachoutTimelock, true, None));
    // The engine asked how long it lasts.
    let second = next_restriction(&mut events).await;
    assert_eq!((second.kind, second.active), (RestrictionKind::ReachoutTimelock, true));
    assert!(second.until.is_some());
    assert_eq!(second.reason.as_deref(), Some("DEFAULT"));
    for stranger in [CLEO, EVE, CLEO] {
        let error = send(&client, stranger).await.unwrap_err();
        assert_held_back(&error);
        assert!(error.retry_after().is_some_and(|after| after <= hour && after > hour / 2));
    }
    for known in [BEN, DORA, ANNA] {
        send(&client, known).await.unwrap();
    }
    client.send_text(&group, "hello", SendOptions::default()).await.unwrap();
    // Whoever asked only for the queue is told by an event.
    let mut queued = SendOptions::default();
    queued.wait = SendWait::Queued;
    queued.message_id = Some("Q".to_owned());
    match client.send_text(&Jid::pn(EVE), "hello", queued).await {
        Ok(_) => {
            let told = next_kind(&mut events, |kind| match kind {
                EventKind::SendStatus(status) => Some((status.message_id.clone(), status.error)),
                _ => None,
            });
            assert_eq!(told.await, ("Q".to_owned(), Some(Code::Restricted)));
        }
        Err(error) => assert_held_back(&error),
    }
    assert_eq!(refused(&world), 1);

    // A new process knows it too.
    drop(events);
    client.close(DEADLINE).await.unwrap();
    let client = engine.open(world.store(ANNA), quiet()).unwrap();
    let mut events = client.events().unwrap();
    client.wait_online().await;
    let error = send(&client, EVE).await.unwrap_err();
    assert_held_back(&error);
    assert!(error.retry_after().is_some());
    send(&client, BEN).await.unwrap();
    // Whoever writes first is no stranger any more.
    cleo.send_text(ANNA, "hello").await.unwrap();
    next_kind(&mut events, |kind| match kind {
        EventKind::Message(message) => {
            message.sender.phone.as_ref().is_some_and(|phone| phone.user() == CLEO).then_some(())
        }
        _ => None,
    })
    .await;
    send(&client, CLEO).await.unwrap();
    assert_eq!(refused(&world), 1);

    assert!(world.sandbox.lift_restriction(ANNA, Kind::ReachoutTimelock, true));
    let lifted = next_kind(&mut events, |kind| match kind {
        EventKind::Restriction(restriction) => (!restriction.active).then_some(restriction.kind),
        _ => None,
    });
    assert_eq!(lifted.await, RestrictionKind::ReachoutTimelock);
    send(&client, EVE).await.unwrap();
    assert_eq!(refused(&world), 1);
    world.assert_no_findings();
    drop(anna);
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_restriction_ends_at_its_time_and_a_send_finds_out() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let mut events = client.events().unwrap();
    world.sandbox.phone(BEN).await.unwrap();
    world.sandbox.restrict(ANNA, Kind::NewChatCap, Some(Duration::from_secs(4)), false);
    assert_refused(&send(&client, BEN).await.unwrap_err(), 475);
    let first = next_restriction(&mut events).await;
    assert_eq!((first.kind, first.active), (RestrictionKind::NewChatCap, true));
    // The host waits as it is told, once the engine has asked for how long.
    let asked = next_restriction(&mut events).await;
    let waiting = async {
        while let Err(error) = send(&client, BEN).await {
            assert_held_back(&error);
            tokio::time::sleep(error.retry_after().unwrap()).await;
        }
    };
    tokio::time::timeout(DEADLINE, waiting).await.unwrap();
    assert_eq!(refused(&world), 1);
    // It is over for good: the journal says so at the latest when a new chat has begun.
    assert!(!asked.active || !next_restriction(&mut events).await.active);
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn what_the_service_announces_counts_before_anything_is_refused() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let mut events = client.events().unwrap();
    world.sandbox.phone(BEN).await.unwrap();
    for (kind, told) in [
        (Kind::NewChatCap, RestrictionKind::NewChatCap),
        (Kind::ReachoutTimelock, RestrictionKind::ReachoutTimelock),
    ] {
        world.sandbox.restrict(ANNA, kind, None, true);
        let begun = next_restriction(&mut events).await;
        assert_eq!((begun.kind, begun.active, begun.until), (told, true, None));
        let error = send(&client, BEN).await.unwrap_err();
        assert_held_back(&error);
        assert_eq!(error.retry_after(), None);
        world.sandbox.lift_restriction(ANNA, kind, true);
        let ended = next_restriction(&mut events).await;
        assert_eq!((ended.kind, ended.active), (told, false));
    }
    send(&client, BEN).await.unwrap();
    assert_eq!(refused(&world), 0);
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_refusal_that_contradicts_itself_makes_no_loop() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let mut events = client.events().unwrap();
    world.sandbox.phone(BEN).await.unwrap();
    // The service refuses every message, and says when asked that nothing is restricted.
    let rule = FaultRule::new(Fault::Refuse { code: 463, text: None, backoff: None });
    let messages = rule.device(device_label(&client, ANNA)).stanza(StanzaMatch::tag("message"));
    world.sandbox.add_fault(messages.times(u32::MAX));
    assert_refused(&send(&client, BEN).await.unwrap_err(), 463);
    assert!(next_restriction(&mut events).await.active);
    assert!(!next_restriction(&mut events).await.active);
    // So the next one goes out. That it is refused as well is believed for a minute, and not asked about.
    assert_refused(&send(&client, BEN).await.unwrap_err(), 463);
    assert!(next_restriction(&mut events).await.active);
    for _ in 0..5 {
        assert_held_back(&send(&client, BEN).await.unwrap_err());
    }
    engine.close(DEADLINE).await.unwrap();
}

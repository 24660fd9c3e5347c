//! Sent messages: what a send waits for, what becomes of one that is cancelled, refused or withdrawn, and
//! that no fate is lost.

use std::time::Duration;

use whimbrel::events::{EventKind, EventStream};
use whimbrel::{CallOptions, Cancel, Client, Code, Outcome, SendOptions, SendWait};
use whimbrel_sandbox::{Fault, FaultRule, Pace, StanzaMatch};
use whimbrel_scenarios::{
    ANNA, BEN, CARA, DEADLINE, Wait as _, World, device_label, go_away, go_away_with, next_kind, next_status,
    pn, quiet,
};

/// Long enough for what would happen by mistake to happen.
const SHORT: Duration = Duration::from_millis(300);

fn sending(id: &str, wait: SendWait) -> SendOptions {
    let mut options = SendOptions::default();
    options.message_id = Some(id.to_owned());
    options.wait = wait;
    options
}

async fn next_receipt(events: &mut EventStream) -> Vec<String> {
    next_kind(events, |kind| match kind {
        EventKind::Receipt(receipt) => Some(receipt.message_ids.clone()),
        _ => None,
    })
    .await
}

/// A rule for the messages of a client.
fn messages(client: &Client, fault: Fault) -> FaultRule {
    FaultRule::new(fault).device(device_label(client, ANNA)).stanza(StanzaMatch::tag("message"))
}

#[tokio::test]
async fn a_queued_message_outlives_the_process_and_its_fate_is_an_event() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let ben = world.sandbox.phone(BEN).await.unwrap();
    go_away(&client).await;
    let queued = client.send_text(&pn(BEN), "later", sending("Q", SendWait::Queued)).await.unwrap();
    assert_eq!((queued.message_id.as_str(), queued.timestamp), ("Q", 0));
    client.close(DEADLINE).await.unwrap();

    let client = engine.open(world.store(ANNA), quiet()).unwrap();
    let mut events = client.events().unwrap();
    client.wait_online().await;
    assert_eq!(ben.next_message(DEADLINE).await.unwrap().id, "Q");
    let status = next_status(&mut events).await;
    assert_eq!((status.message_id.as_str(), status.error), ("Q", None));
    assert!(status.timestamp > 0);
    // Asked again, the answer is that of the first.
    let again = client.send_text(&pn(BEN), "later", sending("Q", SendWait::Delivered)).await.unwrap();
    assert_eq!((again.message_id.as_str(), again.timestamp), ("Q", status.timestamp));
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn waiting_for_the_queue_does_not_wait_for_keys_or_the_service() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let ben = world.sandbox.phone(BEN).await.unwrap();
    let mut events = client.events().unwrap();
    // The devices of the chat have to be looked up, which takes a while.
    let slow = FaultRule::new(Fault::DelayAnswer { ms: 3000 }).stanza(StanzaMatch::request("usync"));
    world.sandbox.add_fault(slow);
    client.send_text(&pn(BEN), "one", sending("A", SendWait::Queued)).await.unwrap();
    assert!(ben.messages_after(0, Duration::ZERO).await.is_empty());
    assert_eq!(next_status(&mut events).await.message_id, "A");
    assert_eq!(ben.next_message(DEADLINE).await.unwrap().id, "A");
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn delivery_is_the_word_of_a_device_of_the_recipient() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let ben = world.sandbox.phone(BEN).await.unwrap();
    let mut events = client.events().unwrap();
    let sent = client.send_text(&pn(BEN), "one", sending("A", SendWait::Delivered)).await.unwrap();
    assert!(sent.timestamp > 0);
    assert_eq!(next_status(&mut events).await.message_id, "A");
    assert_eq!(next_receipt(&mut events).await, ["A"]);

    // The phone is off: the service has the message, but no device of the recipient.
    ben.go_offline().await;
    let mut options = sending("B", SendWait::Delivered);
    options.timeout = Some(SHORT);
    let error = client.send_text(&pn(BEN), "two", options).await.unwrap_err();
    assert_eq!((error.code(), error.outcome()), (Code::TimedOut, Outcome::Unknown));
    assert_eq!(next_status(&mut events).await.message_id, "B");
    // One who asks again learns it when it happens.
    let target = pn(BEN);
    let asked = client.send_text(&target, "two", sending("B", SendWait::Delivered));
    let (asked, back) = tokio::join!(asked, ben.go_online());
    back.unwrap();
    assert_eq!(asked.unwrap().message_id, "B");

    // Nobody else receives a note to oneself.
    client.send_text(&pn(ANNA), "note", sending("C", SendWait::Delivered)).await.unwrap();
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_cancelled_message_that_has_not_left_never_leaves() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let ben = world.sandbox.phone(BEN).await.unwrap();
    go_away(&client).await;
    let cancel = Cancel::default();
    let mut options = sending("A", SendWait::Sent);
    options.cancel = Some(cancel.clone());
    let target = pn(BEN);
    let call = client.send_text(&target, "no", options);
    let (ended, ()) = tokio::join!(call, async { cancel.cancel() });
    let error = ended.unwrap_err();
    assert_eq!((error.code(), error.outcome()), (Code::Cancelled, Outcome::NotSent));

    // Withdrawn by its id, after the call ended, and with another call waiting for it.
    client.send_text(&target, "no", sending("B", SendWait::Queued)).await.unwrap();
    let waiting = client.send_text(&target, "no", sending("B", SendWait::Sent));
    let withdrawing = client.cancel_send(&target, "B", CallOptions::default());
    let (ended, withdrawn) = tokio::join!(waiting, withdrawing);
    withdrawn.unwrap();
    let error = ended.unwrap_err();
    assert_eq!((error.code(), error.outcome()), (Code::Cancelled, Outcome::NotSent));
    let error = client.cancel_send(&target, "B", CallOptions::default()).await.unwrap_err();
    assert_eq!(error.code(), Code::NotFound);

    client.close(DEADLINE).await.unwrap();
    let client = engine.open(world.store(ANNA), quiet()).unwrap();
    client.wait_online().await;
    client.send_text(&target, "yes", sending("C", SendWait::Sent)).await.unwrap();
    assert_eq!(ben.next_message(DEADLINE).await.unwrap().id, "C");
    let error = client.cancel_send(&target, "C", CallOptions::default()).await.unwrap_err();
    assert_eq!(error.code(), Code::WrongState);
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_cancelled_message_that_has_left_tells_its_fate_by_an_event() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let ben = world.sandbox.phone(BEN).await.unwrap();
    let mut events = client.events().unwrap();
    world.sandbox.add_fault(messages(&client, Fault::DelayAnswer { ms: 1000 }));
    let cancel = Cancel::default();
    let mut options = sending("A", SendWait::Sent);
    options.cancel = Some(cancel.clone());
    let target = pn(BEN);
    let call = client.send_text(&target, "gone", options);
    let (ended, ()) = tokio::join!(call, async {
        ben.next_message(DEADLINE).await.unwrap();
        cancel.cancel();
    });
    let error = ended.unwrap_err();
    assert_eq!((error.code(), error.outcome()), (Code::Cancelled, Outcome::Unknown));
    let status = next_status(&mut events).await;
    assert_eq!((status.message_id.as_str(), status.error), ("A", None));
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_fate_is_told_once() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    world.sandbox.phone(BEN).await.unwrap();
    let target = pn(BEN);
    client.send_text(&target, "told by the answer", sending("A", SendWait::Sent)).await.unwrap();
    // A host that stops waiting is told by an event, whether or not the message had left by then.
    let given_up = client.send_text(&target, "told by an event", sending("B", SendWait::Sent));
    assert!(tokio::time::timeout(Duration::ZERO, given_up).await.is_err());
    let mut events = client.events().unwrap();
    assert_eq!(next_status(&mut events).await.message_id, "B");
    events.acknowledge_taken();
    drop(events);
    client.close(DEADLINE).await.unwrap();
    // What was told is not told again by the next process.
    let client = engine.open(world.store(ANNA), quiet()).unwrap();
    let mut events = client.events().unwrap();
    client.wait_online().await;
    world.sandbox.add_fault(messages(&client, Fault::Refuse { code: 403, text: None, backoff: None }));
    client.send_text(&target, "refused", sending("C", SendWait::Queued)).await.unwrap();
    let status = next_status(&mut events).await;
    assert_eq!((status.message_id.as_str(), status.refused), ("C", Some(403)));
    assert_eq!(status.error, Some(Code::Forbidden));
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_queued_message_that_cannot_be_sent_says_why() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let mut events = client.events().unwrap();
    client.send_text(&pn(CARA), "nobody", sending("A", SendWait::Queued)).await.unwrap();
    let status = next_status(&mut events).await;
    assert_eq!((status.message_id.as_str(), status.error), ("A", Some(Code::NoDevice)));
    assert_eq!(status.refused, None);
    // It never left, so it may be sent after all, under the same id.
    let cara = world.sandbox.phone(CARA).await.unwrap();
    client.send_text(&pn(CARA), "somebody", sending("A", SendWait::Sent)).await.unwrap();
    assert_eq!(cara.next_message(DEADLINE).await.unwrap().id, "A");
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn the_order_in_a_chat_survives_a_refusal_that_passes() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let (ben, cara) = (world.sandbox.phone(BEN).await.unwrap(), world.sandbox.phone(CARA).await.unwrap());
    for number in [BEN, CARA] {
        client.send_text(&pn(number), "hello", SendOptions::default()).await.unwrap();
    }
    let mut events = client.events().unwrap();
    let refuse = |code| Fault::Refuse { code, text: None, backoff: None };
    let refusal = messages(&client, refuse(503))
        .stanza(StanzaMatch { id: Some("A".to_owned()), ..StanzaMatch::tag("message") });
    world.sandbox.add_fault(refusal);
    let (to_ben, to_cara) = (pn(BEN), pn(CARA));
    client.send_text(&to_ben, "a", sending("A", SendWait::Queued)).await.unwrap();
    world
        .wait(|event| {
            matches!(
                event,
                whimbrel_sandbox::Event::Refused { code: 503, .. }
                    | whimbrel_sandbox::Event::FaultApplied { .. }
            )
        })
        .await;
    // What arrives after the refusal shows that the client has read it.
    cara.send_text(ANNA, "barrier").await.unwrap();
    next_kind(&mut events, |kind| matches!(kind, EventKind::Message(_)).then_some(())).await;
    let later = client.send_text(&to_ben, "b", sending("B", SendWait::Sent));
    let other = client.send_text(&to_cara, "c", sending("C", SendWait::Sent));
    let (later, other) = tokio::join!(later, other);
    later.unwrap();
    other.unwrap();
    let ids = |messages: Vec<(u64, whimbrel_sandbox::phone::Message)>| {
        messages.into_iter().map(|(_, message)| message.text).collect::<Vec<_>>()
    };
    ben.wait_message(|message| message.id == "B", DEADLINE).await.unwrap();
    assert_eq!(ids(ben.messages_after(0, SHORT).await), ["hello", "a", "b"]);
    assert_eq!(ids(cara.messages_after(0, SHORT).await), ["hello", "c"]);
    // A final refusal holds nobody up.
    world.sandbox.add_fault(messages(&client, refuse(403)));
    let refused = client.send_text(&to_ben, "d", sending("D", SendWait::Sent));
    let next = client.send_text(&to_ben, "e", sending("E", SendWait::Sent));
    let (refused, next) = tokio::join!(refused, next);
    assert_eq!(refused.unwrap_err().code(), Code::Forbidden);
    next.unwrap();
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_chat_whose_devices_are_looked_up_holds_up_only_itself() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let (ben, cara) = (world.sandbox.phone(BEN).await.unwrap(), world.sandbox.phone(CARA).await.unwrap());
    client.send_text(&pn(CARA), "known", SendOptions::default()).await.unwrap();
    let slow = FaultRule::new(Fault::DelayAnswer { ms: 5000 }).stanza(StanzaMatch::request("usync"));
    world.sandbox.add_fault(slow);
    let (to_ben, to_cara) = (pn(BEN), pn(CARA));
    let first = client.send_text(&to_ben, "slow", sending("A", SendWait::Sent));
    let second = client.send_text(&to_ben, "slow too", sending("B", SendWait::Sent));
    let other = client.send_text(&to_cara, "quick", sending("C", SendWait::Sent));
    let (first, second, other) = tokio::join!(first, second, async {
        let other = other.await;
        assert!(ben.messages_after(0, Duration::ZERO).await.is_empty());
        other
    });
    for ended in [first, second, other] {
        ended.unwrap();
    }
    assert_eq!(ben.next_message(DEADLINE).await.unwrap().id, "A");
    assert_eq!(ben.next_message(DEADLINE).await.unwrap().id, "B");
    assert_eq!(cara.wait_message(|message| message.id == "C", DEADLINE).await.unwrap().text, "quick");
    engine.close(DEADLINE).await.unwrap();
}

/// Messages that wait for a client in the test of the drain.
const WAITING: usize = 1000;

#[tokio::test]
async fn a_thousand_messages_that_waited_cost_few_writes_to_disk_and_hold_sends_back() {
    for pace in [Pace::Everything, Pace::Batches] {
        let world = World::start_with(|options| options.pace = pace).await;
        let engine = world.engine();
        let (client, _) = world.linked(&engine, ANNA).await;
        let ben = world.sandbox.phone(BEN).await.unwrap();
        let mut events = client.events().unwrap();
        go_away_with(&client, &mut events).await;
        for number in 0..WAITING {
            ben.send_text(ANNA, &format!("n{number}")).await.unwrap();
        }
        let before = client.store_commits();
        // Accepted while away, it leaves when everything has arrived and is dealt with.
        client.send_text(&pn(BEN), "answer", sending("A", SendWait::Queued)).await.unwrap();
        client.wait_online().await;
        let commits = client.store_commits() - before;
        println!("{WAITING} messages that had waited ({pace:?}): {commits} commits");
        assert!(commits <= 40, "{commits} commits");
        ben.wait_message(|message| message.id == "A", DEADLINE).await.unwrap();
        for number in 0..WAITING {
            let text = next_kind(&mut events, |kind| match kind {
                EventKind::Message(message) => message.text.clone(),
                _ => None,
            })
            .await;
            assert_eq!(text, format!("n{number}"));
        }
        world.assert_no_findings();
        engine.close(DEADLINE).await.unwrap();
    }
}

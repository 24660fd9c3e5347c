//! Messages in groups, from client to client: both ways of addressing, people and devices that come
//! and go, and what the service says when it knows better.

#![expect(clippy::unwrap_used, reason = "a panic in a scenario is the report of its failure")]

use std::time::Duration;

use whimbrel::events::{EventKind, EventStream, Message, Receipt, ReceiptKind};
use whimbrel::{CallOptions, Client, Code, Engine, Jid, MessageKey, Outcome, SendOptions};
use whimbrel_sandbox::phone::Phone;
use whimbrel_sandbox::{Addressing, Event, Fault, FaultRule, Group, StanzaMatch};
use whimbrel_scenarios::{
    ANNA, BEN, CLEO, DEADLINE, Wait as _, World, device_label, next_event, next_kind, next_message,
    next_receipt, quiet, send,
};

/// A linked client that takes events.
struct Person {
    client: Client,
    events: EventStream,
    number: &'static str,
    phone: Phone,
}

impl Person {
    async fn new(world: &World, engine: &Engine, number: &'static str) -> Self {
        let (client, phone) = world.linked(engine, number).await;
        let events = client.events().unwrap();
        Self { client, events, number, phone }
    }

    async fn write(&self, group: &Group, text: &str) -> String {
        send(&self.client, &group.jid(), text).await
    }

    async fn next_message(&mut self) -> Message {
        next_message(&mut self.events).await
    }

    /// Takes the next message, which must be this one, by this person.
    async fn reads(&mut self, text: &str, author: &str) {
        let message = self.next_message().await;
        assert_eq!(message.text.as_deref(), Some(text));
        assert!(message.chat.id.is_group());
        assert_eq!(message.sender.phone.as_ref().map(Jid::user), Some(author));
    }

    async fn next_receipt(&mut self, wanted: ReceiptKind) -> Receipt {
        next_receipt(&mut self.events, wanted).await
    }

    fn label(&self) -> String {
        device_label(&self.client, self.number)
    }
}

/// Nothing that the client sends or is sent of this kind passes.
fn block(world: &World, fault: Fault, device: &str, stanza: StanzaMatch) {
    world.sandbox.add_fault(FaultRule::new(fault).device(device).stanza(stanza).times(u32::MAX));
}

#[tokio::test]
async fn everybody_reads_what_anybody_writes_in_both_modes() {
    for addressing in [Addressing::Lid, Addressing::Pn] {
        let world = World::start().await;
        let engine = world.engine();
        let mut anna = Person::new(&world, &engine, ANNA).await;
        let mut ben = Person::new(&world, &engine, BEN).await;
        let cleo = world.sandbox.phone(CLEO).await.unwrap();
        let group = world.group(ANNA, &[BEN, CLEO], Some(addressing));
        for round in ["one", "two", "three"] {
            anna.write(&group, round).await;
            ben.reads(round, ANNA).await;
            ben.write(&group, round).await;
            anna.reads(round, BEN).await;
            cleo.send_text(&group.jid().to_string(), round).await.unwrap();
            anna.reads(round, CLEO).await;
            ben.reads(round, CLEO).await;
            for phone in [&anna.phone, &ben.phone, &cleo] {
                for _ in 0..if phone.number() == CLEO { 2 } else { 3 } {
                    assert_eq!(phone.next_message(DEADLINE).await.unwrap().text, round);
                }
            }
        }
        world.assert_no_findings();
        engine.close(DEADLINE).await.unwrap();
    }
}

#[tokio::test]
async fn a_burst_arrives_in_order_and_once() {
    let world = World::start().await;
    let engine = world.engine();
    let anna = Person::new(&world, &engine, ANNA).await;
    let mut ben = Person::new(&world, &engine, BEN).await;
    let group = world.group(ANNA, &[BEN], Some(Addressing::Lid));
    let texts: Vec<String> = (0..30).map(|number| format!("number {number}")).collect();
    let chat = group.jid();
    let sends = texts.iter().map(|text| anna.client.send_text(&chat, text, SendOptions::default()));
    for sent in futures_util::future::join_all(sends).await {
        sent.unwrap();
    }
    for text in &texts {
        ben.reads(text, ANNA).await;
    }
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn who_joins_reads_on_and_who_leaves_does_not() {
    let world = World::start().await;
    let engine = world.engine();
    let anna = Person::new(&world, &engine, ANNA).await;
    let mut ben = Person::new(&world, &engine, BEN).await;
    let cleo = world.sandbox.phone(CLEO).await.unwrap();
    let group = world.group(ANNA, &[BEN], Some(Addressing::Lid));
    anna.write(&group, "the two of us").await;
    ben.reads("the two of us", ANNA).await;
    group.add(ANNA, &[CLEO]).unwrap();
    anna.write(&group, "welcome").await;
    ben.reads("welcome", ANNA).await;
    assert_eq!(cleo.next_message(DEADLINE).await.unwrap().text, "welcome");
    group.leave(CLEO).unwrap();
    for text in ["she left", "she is away"] {
        anna.write(&group, text).await;
        ben.reads(text, ANNA).await;
    }
    assert_eq!(cleo.messages_after(0, Duration::ZERO).await.len(), 1);
    group.add(ANNA, &[CLEO]).unwrap();
    anna.write(&group, "welcome back").await;
    assert_eq!(cleo.next_message(DEADLINE).await.unwrap().text, "welcome back");
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn devices_linked_in_between_read_on_both_sides() {
    let world = World::start().await;
    let engine = world.engine();
    let mut anna = Person::new(&world, &engine, ANNA).await;
    let mut ben = Person::new(&world, &engine, BEN).await;
    let group = world.group(ANNA, &[BEN], Some(Addressing::Pn));
    anna.write(&group, "before").await;
    ben.reads("before", ANNA).await;
    for (number, name) in [(BEN, "ben2"), (ANNA, "anna2")] {
        let second = engine.open(world.store(name), quiet()).unwrap();
        world.link(&second, number).await;
        let mut events = second.events().unwrap();
        let text = format!("hello {name}");
        anna.write(&group, &text).await;
        ben.reads(&text, ANNA).await;
        let message = next_kind(&mut events, |kind| match kind {
            EventKind::Message(message) => Some(message.clone()),
            _ => None,
        });
        let message = message.await;
        assert_eq!((message.text, message.from_me), (Some(text), number == ANNA));
        ben.write(&group, name).await;
        anna.reads(name, BEN).await;
    }
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_device_that_nobody_told_of_is_found_by_the_hash_and_reached() {
    let world = World::start().await;
    let engine = world.engine();
    let anna = Person::new(&world, &engine, ANNA).await;
    let mut ben = Person::new(&world, &engine, BEN).await;
    let group = world.group(ANNA, &[BEN], Some(Addressing::Lid));
    anna.write(&group, "before").await;
    ben.reads("before", ANNA).await;
    block(&world, Fault::Swallow, &anna.label(), StanzaMatch::tag("notification").kind("devices"));
    let second = engine.open(world.store("ben2"), quiet()).unwrap();
    world.link(&second, BEN).await;
    let mut events = second.events().unwrap();
    // What it asks for again is not the way by which it gets the message.
    let label = device_label(&second, BEN);
    block(&world, Fault::Lose, &label, StanzaMatch::tag("receipt").kind("retry"));
    let id = anna.write(&group, "surprise").await;
    ben.reads("surprise", ANNA).await;
    let message = next_kind(&mut events, |kind| match kind {
        EventKind::Message(message) => Some(message.clone()),
        _ => None,
    });
    assert_eq!(message.await.message_id, id);
    anna.write(&group, "after").await;
    ben.reads("after", ANNA).await;
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_group_that_changes_its_addresses_is_written_to_in_the_new_ones() {
    for (before, after) in [(Addressing::Pn, Addressing::Lid), (Addressing::Lid, Addressing::Pn)] {
        let world = World::start().await;
        let engine = world.engine();
        let anna = Person::new(&world, &engine, ANNA).await;
        let mut ben = Person::new(&world, &engine, BEN).await;
        let group = world.group(ANNA, &[BEN], Some(before));
        anna.write(&group, "before").await;
        ben.reads("before", ANNA).await;
        group.set_addressing(after);
        let id = anna.write(&group, "after").await;
        world
            .wait(|event| matches!(event, Event::Refused { id: refused, code: 421, .. } if *refused == id))
            .await;
        ben.reads("after", ANNA).await;
        anna.write(&group, "and on").await;
        ben.reads("and on", ANNA).await;
        world.assert_no_findings();
        engine.close(DEADLINE).await.unwrap();
    }
}

#[tokio::test]
async fn strangers_are_told_that_they_may_not_write() {
    let world = World::start().await;
    let engine = world.engine();
    let anna = Person::new(&world, &engine, ANNA).await;
    world.sandbox.phone(BEN).await.unwrap();
    world.sandbox.phone(CLEO).await.unwrap();
    let without = world.group(BEN, &[CLEO], Some(Addressing::Lid));
    let send = |group: &Group| {
        let (client, jid) = (anna.client.clone(), group.jid());
        async move { client.send_text(&jid, "may I?", SendOptions::default()).await }
    };
    let error = send(&without).await.unwrap_err();
    assert_eq!(error.code(), Code::Forbidden);
    let with = world.group(BEN, &[ANNA, CLEO], Some(Addressing::Lid));
    send(&with).await.unwrap();
    with.set_announce(BEN, true).unwrap();
    assert_eq!(send(&with).await.unwrap_err().code(), Code::Forbidden);
    with.set_announce(BEN, false).unwrap();
    send(&with).await.unwrap();
    with.remove(BEN, &[ANNA]).unwrap();
    assert_eq!(send(&with).await.unwrap_err().code(), Code::Forbidden);
    with.add(BEN, &[ANNA]).unwrap();
    send(&with).await.unwrap();
    let nowhere = anna.client.send_text(&Jid::group("120363000000000001"), "?", SendOptions::default()).await;
    assert_eq!(nowhere.unwrap_err().code(), Code::NotFound);
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn who_was_away_reads_everything_in_order() {
    let world = World::start().await;
    let engine = world.engine();
    let anna = Person::new(&world, &engine, ANNA).await;
    let mut ben = Person::new(&world, &engine, BEN).await;
    let group = world.group(ANNA, &[BEN], Some(Addressing::Lid));
    ben.client.disconnect();
    world.wait(|event| *event == Event::Disconnected { device: ben.label() }).await;
    for text in ["one", "two", "three"] {
        anna.write(&group, text).await;
    }
    ben.client.wait_online().await;
    for text in ["one", "two", "three"] {
        ben.reads(text, ANNA).await;
    }
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn what_was_damaged_comes_again_with_the_key() {
    let world = World::start().await;
    let engine = world.engine();
    let mut anna = Person::new(&world, &engine, ANNA).await;
    let mut ben = Person::new(&world, &engine, BEN).await;
    // The first message of a session has parts that nothing protects: a bit that is flipped there
    // harms nobody.
    ben.client.send_text(&Jid::pn(ANNA), "hello", SendOptions::default()).await.unwrap();
    anna.next_message().await;
    let cleo = world.sandbox.phone(CLEO).await.unwrap();
    let group = world.group(ANNA, &[BEN, CLEO], Some(Addressing::Lid));
    for text in ["with the key", "with the known key"] {
        // What Ben's own phone sends is left alone.
        let stanza = StanzaMatch::tag("message").from(&group.jid());
        world.sandbox.add_fault(FaultRule::new(Fault::Corrupt).device(ben.label()).stanza(stanza));
        let id = anna.write(&group, text).await;
        let event = next_event(&mut ben.events, |event| match &event.kind {
            EventKind::Undecryptable(placeholder) if placeholder.message_id == id => Some(event.id.clone()),
            _ => None,
        });
        let event = event.await;
        let message = ben.next_message().await;
        assert_eq!((message.message_id, message.completes), (id, Some(event)));
        assert_eq!(cleo.next_message(DEADLINE).await.unwrap().text, text);
    }
    // A phone that has lost the keys gets them again, whoever sent.
    assert!(cleo.forget_group_keys(&group.jid()));
    anna.write(&group, "once more").await;
    ben.reads("once more", ANNA).await;
    assert_eq!(cleo.next_message(DEADLINE).await.unwrap().text, "once more");
    anna.write(&group, "on we go").await;
    assert_eq!(cleo.next_message(DEADLINE).await.unwrap().text, "on we go");
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn receipts_and_quotes_name_the_member() {
    for addressing in [Addressing::Lid, Addressing::Pn] {
        let world = World::start().await;
        let engine = world.engine();
        let mut anna = Person::new(&world, &engine, ANNA).await;
        let mut ben = Person::new(&world, &engine, BEN).await;
        let cleo = world.sandbox.phone(CLEO).await.unwrap();
        let group = world.group(ANNA, &[BEN, CLEO], Some(addressing));
        let chat = group.jid();
        let id = anna.write(&group, "who is there?").await;
        let delivered = anna.next_receipt(ReceiptKind::Delivered).await;
        assert_eq!((&delivered.chat.id, &delivered.message_ids), (&chat, &vec![id.clone()]));
        let question = ben.next_message().await;
        // By whichever address the host has of the author.
        let author = question.sender.phone.clone().unwrap();
        let ids = [id.clone()];
        ben.client.mark_read(&chat, Some(&author), &ids, CallOptions::default()).await.unwrap();
        let read = anna.next_receipt(ReceiptKind::Read).await;
        assert_eq!((&read.chat.id, read.message_ids), (&chat, ids.to_vec()));
        assert_eq!(read.sender.phone.as_ref().map(Jid::user), Some(BEN));
        let mut options = SendOptions::default();
        options.quote = Some(MessageKey { message_id: id.clone(), sender: Some(author.clone()) });
        ben.client.send_text(&chat, "me", options).await.unwrap();
        let quoted = anna.next_message().await.quoted.unwrap();
        assert_eq!(quoted.message_id, id);
        assert_eq!(quoted.sender, Some(anna.phone.lid()));
        assert_eq!(cleo.next_message(DEADLINE).await.unwrap().text, "who is there?");
        let mut nameless = SendOptions::default();
        nameless.quote = Some(MessageKey { message_id: id, sender: None });
        let error = ben.client.send_text(&chat, "whose?", nameless).await.unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument);
        world.assert_no_findings();
        engine.close(DEADLINE).await.unwrap();
    }
}

fn text_of(round: usize) -> String {
    format!("round {round}")
}

#[tokio::test]
async fn no_step_of_the_key_is_used_twice_across_cuts_and_restarts() {
    let world = World::start().await;
    let engine = world.engine();
    let mut anna = Person::new(&world, &engine, ANNA).await;
    let mut ben = Person::new(&world, &engine, BEN).await;
    let group = world.group(ANNA, &[BEN], Some(Addressing::Lid));
    for (round, fault) in [Fault::Cut, Fault::CutBeforeAnswer, Fault::SwallowAnswer].into_iter().enumerate() {
        let text = text_of(round);
        let lost = FaultRule::new(fault).device(anna.label()).stanza(StanzaMatch::tag("message"));
        world.sandbox.add_fault(lost);
        if round == 2 {
            // The process ends between the message and the word on it.
            let mut soon = SendOptions::default();
            soon.timeout = Some(Duration::from_secs(1));
            let error = anna.client.send_text(&group.jid(), &text, soon).await.unwrap_err();
            assert_eq!((error.code(), error.outcome()), (Code::TimedOut, Outcome::Unknown));
            ben.reads(&text, ANNA).await;
            anna.client.close(DEADLINE).await.unwrap();
            drop(anna.events);
            anna.client = engine.open(world.store(ANNA), quiet()).unwrap();
            anna.events = anna.client.events().unwrap();
            anna.client.wait_online().await;
            let refused = next_kind(&mut anna.events, |kind| match kind {
                EventKind::SendStatus(status) => Some(status.refused),
                _ => None,
            });
            assert_eq!(refused.await, None);
        } else {
            anna.write(&group, &text).await;
            ben.reads(&text, ANNA).await;
        }
        anna.write(&group, "on").await;
        ben.reads("on", ANNA).await;
    }
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

/// The service has the first attempt and answers the second without delivering it, with which a new key was
/// to be handed out.
#[tokio::test]
async fn a_key_that_was_in_a_repetition_only_is_handed_out_again() {
    let world = World::start().await;
    let engine = world.engine();
    let mut anna = Person::new(&world, &engine, ANNA).await;
    let mut ben = Person::new(&world, &engine, BEN).await;
    world.sandbox.phone(CLEO).await.unwrap();
    let group = world.group(ANNA, &[BEN, CLEO], Some(Addressing::Lid));
    anna.write(&group, "before").await;
    ben.reads("before", ANNA).await;
    let unanswered = FaultRule::new(Fault::SwallowAnswer).device(anna.label());
    world.sandbox.add_fault(unanswered.stanza(StanzaMatch::tag("message")));
    let (client, chat) = (anna.client.clone(), group.jid());
    let sending = tokio::spawn(async move {
        client.send_text(&chat, "twice on its way", SendOptions::default()).await.unwrap().message_id
    });
    ben.reads("twice on its way", ANNA).await;
    group.leave(CLEO).unwrap();
    let changed = next_kind(&mut anna.events, |kind| match kind {
        EventKind::GroupChanged(changed) => Some(changed.chat.id.clone()),
        _ => None,
    });
    assert_eq!(changed.await, group.jid());
    assert!(world.sandbox.disconnect(&anna.label()));
    let sent = sending.await.unwrap();
    world.wait(|event| matches!(event, Event::Repeated { id, .. } if *id == sent)).await;
    for text in ["after", "and on"] {
        anna.write(&group, text).await;
        ben.reads(text, ANNA).await;
    }
    // Nobody lacked a key.
    assert_eq!(ben.client.statistics().await.retries_sent, 0);
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

/// Who asks for a message again after having left does not get it.
#[tokio::test]
async fn who_left_gets_no_message_again() {
    let world = World::start().await;
    let engine = world.engine();
    let mut anna = Person::new(&world, &engine, ANNA).await;
    let mut ben = Person::new(&world, &engine, BEN).await;
    let cleo = world.sandbox.phone(CLEO).await.unwrap();
    let group = world.group(ANNA, &[BEN, CLEO], Some(Addressing::Lid));
    block(&world, Fault::Corrupt, CLEO, StanzaMatch::tag("message"));
    let request = StanzaMatch::tag("receipt").kind("retry");
    let late = FaultRule::new(Fault::Delay { ms: 1500 }).device(anna.label());
    world.sandbox.add_fault(late.stanza(request).times(u32::MAX));
    let id = anna.write(&group, "damaged").await;
    ben.reads("damaged", ANNA).await;
    let asked = |event: &Event| {
        matches!(event, Event::Receipt { device, ids, kind }
            if device == CLEO && kind == "retry" && ids.contains(&id))
    };
    world.wait(asked).await;
    group.leave(CLEO).unwrap();
    let changed = next_kind(&mut anna.events, |kind| match kind {
        EventKind::GroupChanged(changed) => Some(changed.chat.id.clone()),
        _ => None,
    });
    assert_eq!(changed.await, group.jid());
    let label = anna.label();
    let settled = |event: &Event| {
        matches!(event, Event::Settled { device, class, id: settled, .. }
            if *device == label && class == "receipt" && *settled == id)
    };
    world.wait(settled).await;
    anna.write(&group, "without her").await;
    ben.reads("without her", ANNA).await;
    assert_eq!(anna.client.statistics().await.retries_answered, 0);
    assert!(cleo.messages_after(0, Duration::ZERO).await.is_empty());
    engine.close(DEADLINE).await.unwrap();
}

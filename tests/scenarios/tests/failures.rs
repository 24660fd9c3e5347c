//! What cannot be opened, and why: each row of the delivery document's failure matrix (§4.6, §4.7),
//! as far as a stanza of the service or of a phone brings it about. The rest is shown by the unit
//! tests of the receiving lane.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a panic in a scenario is the report of its failure")]

use std::time::Duration;

use whimbrel::events::{EventKind, EventStream};
use whimbrel::{Client, Engine, Jid, SendOptions};
use whimbrel_sandbox::phone::{Phone, ReceiptKind, SwitchChange};
use whimbrel_sandbox::{Event, Fault, FaultRule, RandomFaults, StanzaMatch};
use whimbrel_scenarios::{
    ANNA, BEN, CARA, DEADLINE, Wait as _, World, device_label, next_event, next_kind, quiet,
};

/// What an event about a message says: the id of a placeholder and its reason, or a text.
#[derive(Debug, PartialEq)]
enum Told {
    Placeholder { event: String, reason: String },
    Text { text: String, completes: Option<String> },
}

async fn next(events: &mut EventStream) -> Told {
    next_event(events, |event| match &event.kind {
        EventKind::Message(message) => Some(Told::Text {
            text: message.text.clone().unwrap_or_default(),
            completes: message.completes.clone(),
        }),
        EventKind::Undecryptable(placeholder) => {
            Some(Told::Placeholder { event: event.id.clone(), reason: placeholder.reason.to_string() })
        }
        _ => None,
    })
    .await
}

/// Expects a placeholder; returns its event.
async fn placeholder(events: &mut EventStream, expected: &str) -> String {
    match next(events).await {
        Told::Placeholder { event, reason } if reason == expected => event,
        other => panic!("not a placeholder because of {expected}: {other:?}"),
    }
}

fn text(text: &str, completes: Option<String>) -> Told {
    Told::Text { text: text.to_owned(), completes }
}

/// Anna has an engine beside her phone, Ben a phone only; they have written to each other.
struct Scene {
    world: World,
    engine: Engine,
    anna: Client,
    ben: Phone,
    events: EventStream,
    device: String,
}

impl Scene {
    async fn set() -> Self {
        let world = World::start().await;
        let engine = world.engine();
        let (anna, _) = world.linked(&engine, ANNA).await;
        let ben = world.sandbox.phone(BEN).await.unwrap();
        let mut events = anna.events().unwrap();
        anna.send_text(&Jid::pn(BEN), "hello", SendOptions::default()).await.unwrap();
        ben.next_message(DEADLINE).await.unwrap();
        ben.send_text(ANNA, "hello").await.unwrap();
        assert_eq!(next(&mut events).await, text("hello", None));
        let device = device_label(&anna, ANNA);
        Self { world, engine, anna, ben, events, device }
    }

    /// The next message of Ben's to Anna's engine suffers a fault. What her own phone sends does not.
    fn spoil(&self, fault: Fault) {
        self.spoil_often(fault, 1);
    }

    fn spoil_often(&self, fault: Fault, times: u32) {
        let stanza = StanzaMatch::tag("message").from(&self.ben.lid());
        self.world.sandbox.add_fault(FaultRule::new(fault).device(&self.device).stanza(stanza).times(times));
    }

    /// Waits until a message is settled, and with which error.
    async fn settled(&self, wanted: &str) -> Option<String> {
        let event = self
            .world
            .wait(|event| {
                matches!(event, Event::Settled { device, class, id, .. }
                    if *device == self.device && class == "message" && id == wanted)
            })
            .await;
        match event {
            Event::Settled { error, .. } => error,
            _ => None,
        }
    }

    /// What was refused leaves no trace for the host, and what follows arrives.
    async fn refused(&mut self, id: &str, code: &str, counted: &str) {
        assert_eq!(self.settled(id).await.as_deref(), Some(code));
        self.ben.send_text(ANNA, "after").await.unwrap();
        assert_eq!(next(&mut self.events).await, text("after", None));
        assert_eq!(self.anna.statistics().await.undecryptable.get(counted), Some(&1));
    }

    async fn end(self) {
        self.world.assert_no_findings();
        self.engine.close(DEADLINE).await.unwrap();
    }
}

#[tokio::test]
async fn a_ciphertext_of_an_unknown_version_is_refused_as_malformed() {
    let mut scene = Scene::set().await;
    scene.spoil(Fault::WrongVersion);
    let id = scene.ben.send_text(ANNA, "never").await.unwrap();
    scene.refused(&id, "487", "malformed").await;
    scene.end().await;
}

#[tokio::test]
async fn a_ciphertext_of_an_unknown_type_is_refused() {
    let mut scene = Scene::set().await;
    scene.spoil(Fault::UnknownType);
    let id = scene.ben.send_text(ANNA, "never").await.unwrap();
    scene.refused(&id, "488", "unknown_kind").await;
    scene.end().await;
}

#[tokio::test]
async fn content_without_padding_is_refused() {
    let mut scene = Scene::set().await;
    scene.ben.set_switches(SwitchChange { unpadded_next: Some(1), ..SwitchChange::default() });
    let id = scene.ben.send_text(ANNA, "never").await.unwrap();
    scene.refused(&id, "491", "invalid_content").await;
    scene.end().await;
}

#[tokio::test]
async fn content_that_is_no_message_is_refused() {
    let mut scene = Scene::set().await;
    scene.ben.set_switches(SwitchChange { garbled_next: Some(1), ..SwitchChange::default() });
    let id = scene.ben.send_text(ANNA, "never").await.unwrap();
    scene.refused(&id, "491", "invalid_content").await;
    scene.end().await;
}

#[tokio::test]
async fn a_damaged_message_is_asked_for_and_completed() {
    let mut scene = Scene::set().await;
    scene.spoil(Fault::Corrupt);
    let id = scene.ben.send_text(ANNA, "damaged").await.unwrap();
    let event = placeholder(&mut scene.events, "bad_mac").await;
    assert_eq!(next(&mut scene.events).await, text("damaged", Some(event)));
    scene.ben.wait_receipt(&id, ReceiptKind::Delivered, DEADLINE).await.unwrap();
    let counted = scene.anna.statistics().await;
    assert_eq!((counted.retries_sent, counted.completed, counted.phone_requests), (1, 1, 0));
    scene.end().await;
}

#[tokio::test]
async fn a_message_that_the_service_has_settled_is_shown_once_and_confirmed_again() {
    let mut scene = Scene::set().await;
    scene.spoil(Fault::RepeatLater { ms: 300 });
    let id = scene.ben.send_text(ANNA, "once").await.unwrap();
    assert_eq!(next(&mut scene.events).await, text("once", None));
    let mut confirmed = 0;
    let twice = |event: &Event| {
        let ours = matches!(event, Event::Receipt { device, ids, kind }
            if *device == scene.device && kind == "inactive" && ids.contains(&id));
        confirmed += u32::from(ours);
        confirmed == 2
    };
    scene.world.wait(twice).await;
    scene.ben.send_text(ANNA, "after").await.unwrap();
    assert_eq!(next(&mut scene.events).await, text("after", None));
    scene.end().await;
}

#[tokio::test]
async fn a_message_encrypted_to_a_used_prekey_is_asked_for() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, _) = world.linked(&engine, ANNA).await;
    let device = device_label(&anna, ANNA);
    let mut events = anna.events().unwrap();
    let (ben, cara) = (world.sandbox.phone(BEN).await.unwrap(), world.sandbox.phone(CARA).await.unwrap());
    world.sandbox.add_fault(FaultRule::new(Fault::ReusedOneTimeKey).device(device));
    ben.send_text(ANNA, "first").await.unwrap();
    assert_eq!(next(&mut events).await, text("first", None));
    cara.send_text(ANNA, "second").await.unwrap();
    let event = placeholder(&mut events, "invalid_key_id").await;
    assert_eq!(next(&mut events).await, text("second", Some(event)));
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn without_one_time_prekeys_first_messages_arrive_all_the_same() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, _) = world.linked(&engine, ANNA).await;
    let mut events = anna.events().unwrap();
    let ben = world.sandbox.phone(BEN).await.unwrap();
    let device = device_label(&anna, ANNA);
    world.sandbox.add_fault(FaultRule::new(Fault::NoOneTimeKey).device(device));
    world.sandbox.add_fault(FaultRule::new(Fault::NoOneTimeKey).device(BEN));
    ben.send_text(ANNA, "without").await.unwrap();
    assert_eq!(next(&mut events).await, text("without", None));
    anna.send_text(&Jid::pn(BEN), "back", SendOptions::default()).await.unwrap();
    assert_eq!(ben.next_message(DEADLINE).await.unwrap().text, "back");
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn what_the_service_has_not_got_comes_from_the_phone() {
    let mut scene = Scene::set().await;
    scene.spoil(Fault::Unavailable { kind: None });
    let id = scene.ben.send_text(ANNA, "on the phone").await.unwrap();
    let event = placeholder(&mut scene.events, "unavailable").await;
    assert_eq!(scene.settled(&id).await, None);
    assert_eq!(next(&mut scene.events).await, text("on the phone", Some(event)));
    let counted = scene.anna.statistics().await;
    assert_eq!((counted.phone_requests, counted.phone_answers, counted.retries_sent), (1, 1, 0));
    scene.end().await;
}

#[tokio::test]
async fn what_may_be_seen_on_the_phone_only_is_not_asked_for() {
    let mut scene = Scene::set().await;
    for (kind, reason) in [
        ("view_once", "view_once"),
        ("view_once_unavailable_fanout", "view_once"),
        ("hosted_unavailable_fanout", "hosted"),
        ("bot_unavailable_fanout", "bot"),
    ] {
        scene.spoil(Fault::Unavailable { kind: Some(kind.to_owned()) });
        let id = scene.ben.send_text(ANNA, "once").await.unwrap();
        placeholder(&mut scene.events, reason).await;
        assert_eq!(scene.settled(&id).await, None);
    }
    assert_eq!(scene.anna.statistics().await.phone_requests, 0);
    scene.end().await;
}

#[tokio::test]
async fn what_the_sender_cannot_repair_comes_from_the_phone() {
    let mut scene = Scene::set().await;
    // The phone answers only when the sender has been asked as often as may be.
    let own = scene.world.sandbox.phone(ANNA).await.unwrap();
    own.go_offline().await;
    scene.spoil_often(Fault::Corrupt, u32::MAX);
    let id = scene.ben.send_text(ANNA, "stubborn").await.unwrap();
    let event = placeholder(&mut scene.events, "bad_mac").await;
    let mut asked = 0;
    let four_times = |event: &Event| {
        let ours = matches!(event, Event::Receipt { device, ids, kind }
            if *device == scene.device && kind == "retry" && ids.contains(&id));
        asked += u32::from(ours);
        asked == 4
    };
    scene.world.wait(four_times).await;
    own.go_online().await.unwrap();
    assert_eq!(next(&mut scene.events).await, text("stubborn", Some(event)));
    let counted = scene.anna.statistics().await;
    assert_eq!((counted.retries_sent, counted.phone_requests, counted.phone_answers), (4, 1, 1));
    scene.end().await;
}

/// A group of two engines; Ben has written and Anna has read.
struct InGroup {
    world: World,
    engine: Engine,
    anna: Client,
    ben: Client,
    group: Jid,
    events: EventStream,
    device: String,
}

impl InGroup {
    async fn set() -> Self {
        let world = World::start().await;
        let engine = world.engine();
        let (anna, _) = world.linked(&engine, ANNA).await;
        let (ben, _) = world.linked(&engine, BEN).await;
        let group: Jid = world.group(ANNA, &[BEN], None).jid().to_string().parse().unwrap();
        let events = anna.events().unwrap();
        let device = device_label(&anna, ANNA);
        Self { world, engine, anna, ben, group, events, device }
    }

    fn spoil(&self, fault: Fault) {
        let rule = FaultRule::new(fault).device(self.device.clone()).stanza(StanzaMatch::tag("message"));
        self.world.sandbox.add_fault(rule);
    }

    async fn say(&self, words: &str) {
        self.ben.send_text(&self.group, words, SendOptions::default()).await.unwrap();
    }
}

#[tokio::test]
async fn a_group_message_without_its_sender_key_is_asked_for_with_keys_at_once() {
    let mut scene = InGroup::set().await;
    scene.spoil(Fault::NoSenderKey);
    scene.say("first").await;
    let event = placeholder(&mut scene.events, "no_session").await;
    assert_eq!(next(&mut scene.events).await, text("first", Some(event)));
    scene.say("second").await;
    assert_eq!(next(&mut scene.events).await, text("second", None));
    assert_eq!(scene.anna.statistics().await.retries_sent, 1);
    assert_eq!(scene.ben.statistics().await.retries_answered, 1);
    scene.world.assert_no_findings();
    scene.engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_sender_key_may_stand_behind_what_it_opens() {
    let mut scene = InGroup::set().await;
    scene.spoil(Fault::SenderKeyLast);
    scene.say("first").await;
    assert_eq!(next(&mut scene.events).await, text("first", None));
    scene.world.assert_no_findings();
    scene.engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn wrong_lists_and_bundles_of_devices_lose_no_message() {
    for fault in [Fault::MissingDevices, Fault::ExtraDevice, Fault::BadListSignature] {
        let world = World::start().await;
        let engine = world.engine();
        let (anna, _) = world.linked(&engine, ANNA).await;
        let (ben, phone) = world.linked(&engine, BEN).await;
        let mut events = ben.events().unwrap();
        let devices = FaultRule::new(fault.clone()).device(device_label(&anna, ANNA));
        world.sandbox.add_fault(devices.stanza(StanzaMatch::request("usync")));
        anna.send_text(&Jid::pn(BEN), "first", SendOptions::default()).await.unwrap();
        assert_eq!(phone.next_message(DEADLINE).await.unwrap().text, "first");
        // Whoever was left out at first is there with the next one at the latest.
        anna.send_text(&Jid::pn(BEN), "second", SendOptions::default()).await.unwrap();
        let second = next_kind(&mut events, |kind| match kind {
            EventKind::Message(message) => message.text.clone().filter(|text| text == "second"),
            _ => None,
        });
        second.await;
        engine.close(DEADLINE).await.unwrap();
    }
}

#[tokio::test]
async fn bundles_that_prove_nothing_reach_the_phone_at_least() {
    for fault in [Fault::BadBundleSignature, Fault::BadBundleProof, Fault::NoBundle { code: 406 }] {
        let world = World::start().await;
        let engine = world.engine();
        let (anna, _) = world.linked(&engine, ANNA).await;
        let (ben, phone) = world.linked(&engine, BEN).await;
        world.sandbox.add_fault(FaultRule::new(fault.clone()).device(device_label(&ben, BEN)));
        anna.send_text(&Jid::pn(BEN), "first", SendOptions::default()).await.unwrap();
        assert_eq!(phone.next_message(DEADLINE).await.unwrap().text, "first", "{fault:?}");
        engine.close(DEADLINE).await.unwrap();
    }
}

#[tokio::test]
async fn a_cut_in_the_middle_of_a_frame_loses_nothing() {
    let mut scene = Scene::set().await;
    for bytes in [0, 1, 3, 20] {
        scene.spoil(Fault::CutInside { bytes });
        scene.ben.send_text(ANNA, "torn").await.unwrap();
        assert_eq!(next(&mut scene.events).await, text("torn", None));
    }
    scene.end().await;
}

#[tokio::test]
async fn a_late_end_of_what_waited_is_waited_for() {
    let mut scene = Scene::set().await;
    let bulletin = StanzaMatch::tag("ib").child("offline");
    scene
        .world
        .sandbox
        .add_fault(FaultRule::new(Fault::Delay { ms: 700 }).device(scene.device.clone()).stanza(bulletin));
    // The service promises more than it has: the client asks for batches, and goes on in the end.
    let preview = StanzaMatch::tag("ib").child("offline_preview");
    let more = Fault::MarkChild { name: "count".to_owned(), value: "500".to_owned() };
    scene.world.sandbox.add_fault(FaultRule::new(more).device(scene.device.clone()).stanza(preview));
    assert!(scene.world.sandbox.disconnect(&scene.device));
    scene.ben.send_text(ANNA, "waited").await.unwrap();
    assert_eq!(next(&mut scene.events).await, text("waited", None));
    scene.anna.wait_online().await;
    scene.anna.send_text(&Jid::pn(BEN), "back", SendOptions::default()).await.unwrap();
    assert_eq!(scene.ben.next_message(DEADLINE).await.unwrap().text, "back");
    scene.end().await;
}

#[tokio::test]
async fn a_jump_of_the_services_clock_loses_nothing() {
    let mut scene = Scene::set().await;
    scene.world.sandbox.clock().advance(Duration::from_secs(40 * 24 * 3600));
    scene.ben.send_text(ANNA, "from the future").await.unwrap();
    assert_eq!(next(&mut scene.events).await, text("from the future", None));
    scene.spoil(Fault::Corrupt);
    scene.ben.send_text(ANNA, "damaged").await.unwrap();
    let event = placeholder(&mut scene.events, "bad_mac").await;
    assert_eq!(next(&mut scene.events).await, text("damaged", Some(event)));
    scene.end().await;
}

#[tokio::test]
async fn faults_by_chance_lose_and_double_nothing() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, _) = world.linked(&engine, ANNA).await;
    let (ben, _) = world.linked(&engine, BEN).await;
    let mut events = ben.events().unwrap();
    let seed = std::env::var("WHIMBREL_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(41);
    // Cuts make the pauses between connections longer and longer, so there are not many of them.
    world.sandbox.set_random_faults(RandomFaults { per_mille: 12, seed, device: None });
    const COUNT: usize = 60;
    let sending = async {
        for number in 0..COUNT {
            anna.send_text(&Jid::pn(BEN), &number.to_string(), SendOptions::default()).await.unwrap();
        }
    };
    let receiving = async {
        let mut arrived = Vec::new();
        while arrived.len() < COUNT {
            if let Told::Text { text, .. } = next(&mut events).await {
                assert!(!arrived.contains(&text), "{text} came twice");
                arrived.push(text);
            }
        }
        arrived
    };
    let ((), arrived) = tokio::join!(sending, receiving);
    let mut numbers: Vec<usize> = arrived.iter().map(|text| text.parse().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..COUNT).collect::<Vec<_>>());
    world.sandbox.clear_faults();
    engine.close(DEADLINE).await.unwrap();
}

/// Ben's phone throws its session with Anna's engine away before each of her messages.
#[tokio::test]
async fn a_phone_that_forgets_its_sessions_a_hundred_times_reads_everything() {
    let scene = Scene::set().await;
    let own = scene.world.sandbox.phone(ANNA).await.unwrap();
    let address = own.lid().with_device(scene.anna.account().unwrap().device).to_string();
    for round in 0..100 {
        assert!(scene.ben.reset_session(&address).unwrap(), "{round}");
        let words = format!("round {round}");
        scene.anna.send_text(&Jid::pn(BEN), &words, SendOptions::default()).await.unwrap();
        assert_eq!(scene.ben.next_message(DEADLINE).await.unwrap().text, words);
    }
    let counted = scene.anna.statistics().await;
    assert!((100..=200).contains(&counted.retries_answered), "{counted:?}");
    assert_eq!(counted.retries_ignored, 0);
    println!("100 lost sessions were repaired by {} retry receipts", counted.retries_answered);
    scene.end().await;
}

/// Ben's engine is put back to a store without sessions again and again.
#[tokio::test]
async fn an_engine_that_loses_its_sessions_a_hundred_times_reads_everything() {
    const ROUNDS: usize = 100;
    let world = World::start().await;
    let engine = world.engine();
    let (anna, _) = world.linked(&engine, ANNA).await;
    let (ben, _) = world.linked(&engine, BEN).await;
    let label = device_label(&ben, BEN);
    ben.close(DEADLINE).await.unwrap();
    let (store, copy) = (world.store(BEN), world.store("before"));
    std::fs::copy(&store, &copy).unwrap();
    let mut most = 0;
    for round in 0..ROUNDS {
        std::fs::copy(&copy, &store).unwrap();
        for rest in ["-wal", "-shm"] {
            let mut name = store.clone().into_os_string();
            name.push(rest);
            // Whether they are there depends on how the store was closed.
            let _ = std::fs::remove_file(name);
        }
        let ben = engine.open(&store, quiet()).unwrap();
        let mut events = ben.events().unwrap();
        ben.wait_online().await;
        let words = format!("round {round}");
        anna.send_text(&Jid::pn(BEN), &words, SendOptions::default()).await.unwrap();
        loop {
            // What was not confirmed before the store was put back comes once more.
            if matches!(next(&mut events).await, Told::Text { text, .. } if text == words) {
                break;
            }
        }
        most = most.max(ben.statistics().await.retries_sent);
        drop(events);
        ben.close(DEADLINE).await.unwrap();
        world.wait(|event| *event == Event::Disconnected { device: label.clone() }).await;
    }
    assert!(most <= 4, "{most} retry receipts for one message");
    println!("{ROUNDS} lost stores were repaired by at most {most} retry receipts each");
    engine.close(DEADLINE).await.unwrap();
}

/// The service refuses the request for keys as a whole: the lists are out of date.
#[tokio::test]
async fn a_refused_request_for_keys_loses_no_message() {
    for code in [406, 503] {
        let world = World::start().await;
        let engine = world.engine();
        let (anna, _) = world.linked(&engine, ANNA).await;
        let (ben, phone) = world.linked(&engine, BEN).await;
        let mut events = ben.events().unwrap();
        let keys = StanzaMatch::request("encrypt").kind("get").child("key");
        let refused = Fault::Refuse { code, text: None, backoff: None };
        world.sandbox.add_fault(FaultRule::new(refused).device(device_label(&anna, ANNA)).stanza(keys));
        anna.send_text(&Jid::pn(BEN), "first", SendOptions::default()).await.unwrap();
        assert_eq!(phone.next_message(DEADLINE).await.unwrap().text, "first", "{code}");
        assert_eq!(next(&mut events).await, text("first", None), "{code}");
        world.assert_no_findings();
        engine.close(DEADLINE).await.unwrap();
    }
}

/// Two people who have never met write to each other at once; each begins a session of their own.
#[tokio::test]
async fn who_write_to_each_other_at_once_read_each_other() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, _) = world.linked(&engine, ANNA).await;
    let (ben, _) = world.linked(&engine, BEN).await;
    let (mut at_anna, mut at_ben) = (anna.events().unwrap(), ben.events().unwrap());
    // Neither hears of the other's before both have left.
    for (client, number) in [(&anna, ANNA), (&ben, BEN)] {
        let late = FaultRule::new(Fault::Delay { ms: 400 }).device(device_label(client, number));
        world.sandbox.add_fault(late.stanza(StanzaMatch::tag("message")));
    }
    let (to_anna, to_ben) = (Jid::pn(ANNA), Jid::pn(BEN));
    for words in ["at once", "again", "and again"] {
        let sent = tokio::join!(
            anna.send_text(&to_ben, words, SendOptions::default()),
            ben.send_text(&to_anna, words, SendOptions::default()),
        );
        assert!(sent.0.is_ok() && sent.1.is_ok());
        assert_eq!(next(&mut at_anna).await, text(words, None));
        assert_eq!(next(&mut at_ben).await, text(words, None));
    }
    assert_eq!((anna.statistics().await.retries_sent, ben.statistics().await.retries_sent), (0, 0));
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

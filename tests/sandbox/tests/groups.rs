//! Simulated phones talk in groups, with real sender keys.

#![expect(clippy::unwrap_used, reason = "a panic is how a test reports")]

use std::time::Duration;

use whimbrel_sandbox::phone::{Message, Phone, PhoneError, ReceiptKind, SwitchChange};
use whimbrel_sandbox::{Addressing, Event, Fault, FaultRule, Group, NewGroup, Options, Sandbox, StanzaMatch};

const DEADLINE: Duration = Duration::from_secs(20);
const ANA: &str = "15550001";
const BEN: &str = "15550002";
const CARA: &str = "15550003";

struct Scene {
    sandbox: Sandbox,
    ana: Phone,
    ben: Phone,
    cara: Phone,
    group: Group,
}

impl Scene {
    /// Ana, Ben and Cara in a group.
    async fn set(addressing: Addressing) -> Self {
        let sandbox = Sandbox::start(Options { strict: true, ..Options::default() }).await.unwrap();
        let ana = sandbox.create_phone(Some(ANA), Some("Ana")).await.unwrap();
        let ben = sandbox.phone(BEN).await.unwrap();
        let cara = sandbox.phone(CARA).await.unwrap();
        let group = sandbox
            .create_group(&NewGroup {
                creator: ANA.to_owned(),
                subject: "Birds".to_owned(),
                members: vec![BEN.to_owned(), CARA.to_owned()],
                addressing: Some(addressing),
            })
            .unwrap();
        Self { sandbox, ana, ben, cara, group }
    }

    async fn send(&self, from: &Phone, text: &str) -> String {
        from.send_text(&self.group.jid().to_string(), text).await.unwrap()
    }

    fn assert_clean(&self) {
        assert_eq!(self.sandbox.violations(), [], "message keys used twice");
        assert_eq!(self.sandbox.findings(), [], "stanzas that no real phone sends");
    }
}

async fn expect(phone: &Phone, id: &str) -> Message {
    let message = phone.next_message(DEADLINE).await.unwrap();
    assert_eq!(message.id, id);
    message
}

#[tokio::test]
async fn phones_talk_in_groups_of_both_kinds() {
    for addressing in [Addressing::Lid, Addressing::Pn] {
        let scene = Scene::set(addressing).await;
        for round in 0..5 {
            let text = format!("hello {round}");
            let id = scene.send(&scene.ana, &text).await;
            for phone in [&scene.ben, &scene.cara] {
                let message = expect(phone, &id).await;
                assert_eq!(message.chat, scene.group.jid().to_string());
                assert_eq!((message.author, message.from_me), (scene.ana.lid().to_string(), false));
                assert_eq!((message.text, message.push_name.as_deref()), (text.clone(), Some("Ana")));
                scene.ana.wait_receipt(&id, ReceiptKind::Delivered, DEADLINE).await.unwrap();
            }
            scene.ben.mark_read(&scene.group.jid().to_string(), std::slice::from_ref(&id)).await.unwrap();
            scene.ana.wait_receipt(&id, ReceiptKind::Read, DEADLINE).await.unwrap();
            let answer = scene.send(&scene.ben, "and back").await;
            expect(&scene.ana, &answer).await;
            expect(&scene.cara, &answer).await;
        }
        scene.assert_clean();
    }
}

#[tokio::test]
async fn whoever_joins_reads_from_then_on_and_whoever_leaves_reads_no_more() {
    let scene = Scene::set(Addressing::Lid).await;
    scene.group.remove(ANA, &[CARA]).unwrap();
    for round in 0..3 {
        let without = scene.send(&scene.ana, "without Cara").await;
        expect(&scene.ben, &without).await;
        scene.group.add(ANA, &[CARA]).unwrap();
        let with = scene.send(&scene.ana, "with Cara").await;
        expect(&scene.ben, &with).await;
        expect(&scene.cara, &with).await;
        let by_cara = scene.send(&scene.cara, &format!("back for the {round}th time")).await;
        expect(&scene.ana, &by_cara).await;
        expect(&scene.ben, &by_cara).await;
        scene.group.leave(CARA).unwrap();
    }
    let refused = scene.cara.send_text(&scene.group.jid().to_string(), "?").await;
    assert!(matches!(refused, Err(PhoneError::Refused { code: 403, .. })));
    scene.assert_clean();
}

#[tokio::test]
async fn a_group_that_changes_its_addressing_goes_on() {
    let scene = Scene::set(Addressing::Pn).await;
    for addressing in [Addressing::Lid, Addressing::Pn, Addressing::Lid] {
        for phone in [&scene.ana, &scene.ben] {
            let id = scene.send(phone, "before").await;
            expect(&scene.cara, &id).await;
        }
        scene.group.set_addressing(addressing);
        for phone in [&scene.ana, &scene.ben] {
            let id = scene.send(phone, "after").await;
            let message = expect(&scene.cara, &id).await;
            assert_eq!(message.author, phone.lid().to_string());
        }
    }
    scene.assert_clean();
}

#[tokio::test]
async fn damaged_messages_and_lost_keys_heal() {
    let scene = Scene::set(Addressing::Lid).await;
    let first = scene.send(&scene.ana, "first").await;
    expect(&scene.ben, &first).await;
    scene.ana.set_switches(SwitchChange { damage_next: Some(1), ..SwitchChange::default() });
    let damaged = scene.send(&scene.ana, "damaged").await;
    assert_eq!(expect(&scene.ben, &damaged).await.text, "damaged");
    scene.ana.wait_receipt(&damaged, ReceiptKind::Retry, DEADLINE).await.unwrap();

    assert!(scene.ben.forget_group_keys(&scene.group.jid()));
    let unknown = scene.send(&scene.ana, "with an unknown key").await;
    assert_eq!(expect(&scene.ben, &unknown).await.text, "with an unknown key");
    scene.ana.wait_receipt(&unknown, ReceiptKind::Delivered, DEADLINE).await.unwrap();

    scene.ben.reset_session(&scene.ana.lid().to_string()).unwrap();
    scene.ben.forget_group_keys(&scene.group.jid());
    let both = scene.send(&scene.ana, "without key and session").await;
    assert_eq!(expect(&scene.ben, &both).await.text, "without key and session");
    for text in ["first", "damaged", "with an unknown key", "without key and session"] {
        let wanted = |message: &Message| message.text == text;
        scene.cara.wait_message(wanted, DEADLINE).await.unwrap();
    }
    scene.assert_clean();
}

#[tokio::test]
async fn what_comes_while_a_phone_is_off_waits_for_it() {
    let scene = Scene::set(Addressing::Lid).await;
    scene.cara.go_offline().await;
    let mut ids = Vec::new();
    for round in 0..10 {
        let from = if round % 2 == 0 { &scene.ana } else { &scene.ben };
        ids.push(scene.send(from, &round.to_string()).await);
    }
    scene.cara.go_online().await.unwrap();
    for id in ids {
        assert!(expect(&scene.cara, &id).await.offline);
    }
    scene.assert_clean();
}

#[tokio::test]
async fn all_at_once_is_read_once_by_all() {
    let scene = Scene::set(Addressing::Lid).await;
    let phones = [&scene.ana, &scene.ben, &scene.cara];
    const ROUNDS: usize = 10;
    let talk = async |phone: &Phone| {
        for round in 0..ROUNDS {
            scene.send(phone, &format!("{} {round}", phone.number())).await;
        }
    };
    tokio::join!(talk(&scene.ana), talk(&scene.ben), talk(&scene.cara));
    for reader in phones {
        let mut seen = Vec::new();
        while seen.len() < 2 * ROUNDS {
            seen.push(reader.next_message(DEADLINE).await.unwrap().text);
        }
        for author in phones.iter().filter(|author| author.number() != reader.number()) {
            let by_author: Vec<_> = seen.iter().filter(|text| text.starts_with(author.number())).collect();
            let expected: Vec<_> = (0..ROUNDS).map(|round| format!("{} {round}", author.number())).collect();
            assert_eq!(by_author, expected.iter().collect::<Vec<_>>());
        }
    }
    scene.assert_clean();
}

#[tokio::test]
async fn a_device_that_was_not_known_is_reached_after_the_ack_has_told_the_true_hash() {
    let scene = Scene::set(Addressing::Lid).await;
    let id = scene.send(&scene.ana, "three of us").await;
    expect(&scene.ben, &id).await;
    // Ana does not hear that Dan comes.
    let unheard = StanzaMatch::tag("notification").kind("w:gp2");
    scene.sandbox.add_fault(FaultRule::new(Fault::Swallow).device(ANA).stanza(unheard));
    let dan = scene.sandbox.phone("15550004").await.unwrap();
    scene.group.add(BEN, &["15550004"]).unwrap();
    let id = scene.send(&scene.ana, "four of us").await;
    assert_eq!(expect(&dan, &id).await.text, "four of us");
    let id = scene.send(&scene.ana, "still four").await;
    assert_eq!(expect(&dan, &id).await.text, "still four");
    scene.assert_clean();
}

#[tokio::test]
async fn a_thousand_members_cost_little() {
    let scene = Scene::set(Addressing::Lid).await;
    let mut members = scene.sandbox.create_crowd(1_022);
    members.push(BEN.to_owned());
    let big = NewGroup { creator: ANA.to_owned(), members, ..NewGroup::default() };
    let group = scene.sandbox.create_group(&big).unwrap();
    assert_eq!(group.state().unwrap().members.len(), 1_024);
    for text in ["first", "second"] {
        let id = scene.ana.send_text(&group.jid().to_string(), text).await.unwrap();
        assert_eq!(expect(&scene.ben, &id).await.text, text);
    }
    let keys_taken = scene.sandbox.events().after(0).into_iter();
    let keys_taken = keys_taken.filter(|(_, event)| matches!(event, Event::BundleTaken { .. })).count();
    assert_eq!(keys_taken, 1_023, "the second message needs no keys");
    let states = scene.sandbox.state().devices.into_iter();
    let counted: Vec<u64> = states.filter_map(|device| device.counted).collect();
    // The creation of the group, and two messages.
    assert_eq!((counted.len(), counted.iter().all(|count| *count == 3)), (1_022, true));
    assert_eq!(
        scene
            .sandbox
            .create_group(&NewGroup {
                members: scene.sandbox.create_crowd(1_024),
                creator: ANA.to_owned(),
                ..NewGroup::default()
            })
            .unwrap_err()
            .code,
        419
    );
    scene.assert_clean();
}

//! The key that an engine writes to a group with, as the service sees it: when it stays, when it changes, and
//! who is given it (delivery document §3.6, §4.9).

#![expect(clippy::unwrap_used, reason = "a panic in a scenario is the report of its failure")]

use std::time::Duration;

use whimbrel::events::EventStream;
use whimbrel::{Client, Code, Engine, Jid, SendOptions};
use whimbrel_sandbox::phone::{Phone, SwitchChange};
use whimbrel_sandbox::{Event, Fault, FaultRule, Group, StanzaMatch};
use whimbrel_scenarios::{
    ANNA, BEN, CLEO, DAN, DEADLINE, World, device_label, next_message, quiet, read, send,
};
use whimbrel_wire::Node;

/// Anna and Ben have an engine beside their phones, Cleo has a phone; all three are in a group. Dan is not.
struct Scene {
    world: World,
    engine: Engine,
    anna: Client,
    ben: Client,
    at_ben: EventStream,
    cleo: Phone,
    dan: Phone,
    group: Group,
}

impl Scene {
    async fn set() -> Self {
        let world = World::start().await;
        let engine = world.engine();
        let (anna, _) = world.linked(&engine, ANNA).await;
        let (ben, _) = world.linked(&engine, BEN).await;
        let (cleo, dan) = (world.sandbox.phone(CLEO).await.unwrap(), world.sandbox.phone(DAN).await.unwrap());
        let group = world.group(ANNA, &[BEN, CLEO], None);
        let at_ben = ben.events().unwrap();
        Self { world, engine, anna, ben, at_ben, cleo, dan, group }
    }

    fn label(&self) -> String {
        device_label(&self.anna, ANNA)
    }

    /// Anna's engine writes and Ben's reads; the id of the message.
    async fn write(&mut self, text: &str) -> String {
        let sent = send(&self.anna, &self.group.jid(), text).await;
        assert_eq!(next_message(&mut self.at_ben).await.text.as_deref(), Some(text));
        sent
    }

    /// Id of the key of a message, and who was given the key with it.
    fn key_of(&self, message: &str) -> (u32, Vec<String>) {
        let events = self.world.sandbox.events().after(0).into_iter();
        let mut keys = events.filter_map(|(_, event)| match event {
            Event::SenderKeyUsed { id, key_id, handed_to, .. } if id == message => Some((key_id, handed_to)),
            _ => None,
        });
        keys.next().unwrap()
    }

    /// Anna's engine has taken every notification that it was sent since an event.
    async fn heard(&self, since: u64) {
        let (events, label) = (self.world.sandbox.events(), self.label());
        let queued = events.after(since).into_iter().filter_map(|(_, event)| match event {
            Event::Queued { device, class, id } if device == label && class == "notification" => Some(id),
            _ => None,
        });
        let queued: Vec<String> = queued.collect();
        assert!(!queued.is_empty(), "nothing was told");
        for id in queued {
            let taken = |event: &Event| {
                matches!(event, Event::Settled { device, class, id: settled, .. }
                    if *device == label && class == "notification" && *settled == id)
            };
            self.world.wait(taken).await;
        }
    }

    /// No phone says that it has a message.
    async fn phones_are_silent(&self) {
        for number in [ANNA, BEN, CLEO] {
            let phone = self.world.sandbox.phone(number).await.unwrap();
            phone.set_switches(SwitchChange { silent: Some(true), ..SwitchChange::default() });
        }
    }

    /// Anna's engine has taken so many receipts about a message.
    async fn receipts_taken(&self, message: &str, times: usize) {
        let (label, mut seen) = (self.label(), 0);
        let often_enough = |event: &Event| {
            let ours = matches!(event, Event::Settled { device, class, id, .. }
                if *device == label && class == "receipt" && id == message);
            seen += usize::from(ours);
            seen == times
        };
        self.world.wait(often_enough).await;
    }

    fn newest(&self) -> u64 {
        self.world.sandbox.events().newest()
    }

    async fn end(self) {
        self.world.assert_no_findings();
        self.engine.close(DEADLINE).await.unwrap();
    }
}

/// What happens to the group or to the devices of its members.
enum Change {
    Nothing,
    Joins(&'static str),
    Leaves(&'static str),
    IsRemoved(&'static str),
    Subject,
    LinksDevice,
    UnlinksDevice,
}

#[tokio::test]
async fn the_key_changes_when_somebody_may_read_no_more_and_only_then() {
    let mut scene = Scene::set().await;
    let ben_at_desk = device_label(&scene.ben, BEN);
    let all = [ANNA, CLEO, BEN, ben_at_desk.as_str()];
    let first = scene.write("first").await;
    let (mut key, mut given) = scene.key_of(&first);
    given.sort();
    let mut expected = all.map(str::to_owned).to_vec();
    expected.sort();
    assert_eq!(given, expected);
    let mut tablet: Option<Client> = None;
    // Whether there is a new key, and how many are given one.
    for (step, (change, anew, count)) in [
        (Change::Nothing, false, 0),
        (Change::Joins(DAN), false, 1),
        (Change::Subject, false, 0),
        (Change::LinksDevice, false, 1),
        (Change::Nothing, false, 0),
        (Change::UnlinksDevice, true, 5),
        (Change::Leaves(CLEO), true, 4),
        (Change::Joins(CLEO), false, 1),
        (Change::IsRemoved(DAN), true, 4),
        (Change::Nothing, false, 0),
    ]
    .into_iter()
    .enumerate()
    {
        let since = scene.newest();
        match &change {
            Change::Nothing => {}
            Change::Joins(number) => scene.group.add(ANNA, &[*number]).unwrap(),
            Change::Leaves(number) => scene.group.leave(number).unwrap(),
            Change::IsRemoved(number) => scene.group.remove(ANNA, &[*number]).unwrap(),
            Change::Subject => scene.group.set_subject(ANNA, "Owls").unwrap(),
            Change::LinksDevice => {
                let client = scene.engine.open(scene.world.store("tablet"), quiet()).unwrap();
                scene.world.link(&client, BEN).await;
                tablet = Some(client);
            }
            Change::UnlinksDevice => {
                let number = tablet.take().unwrap().account().unwrap().device;
                scene.world.sandbox.phone(BEN).await.unwrap().unlink(number).await.unwrap();
            }
        }
        if !matches!(change, Change::Nothing) {
            scene.heard(since).await;
        }
        let written = scene.write(&format!("step {step}")).await;
        let (now, given) = scene.key_of(&written);
        assert_eq!((now != key, given.len()), (anew, count), "step {step}: given to {given:?}");
        key = now;
    }
    assert_eq!(scene.ben.statistics().await.retries_sent, 0);
    scene.end().await;
}

/// A request of somebody who is not in the group: no message, no key, and the key is another one from then on.
#[tokio::test]
async fn a_stranger_who_asks_for_a_message_gets_neither_it_nor_the_key() {
    let mut scene = Scene::set().await;
    scene.phones_are_silent().await;
    let asked = scene.write("for members").await;
    // What Ben's engine says about the message comes first.
    scene.receipts_taken(&asked, 1).await;
    let (before, _) = scene.key_of(&asked);
    let retry = Node::new("retry").attr("v", "1").attr("count", "1").attr("id", asked.clone());
    let receipt = Node::new("receipt")
        .attr("id", asked.clone())
        .attr("from", scene.group.jid())
        .attr("participant", scene.dan.lid())
        .attr("type", "retry")
        .attr("t", "1795176000")
        .child(retry.attr("t", "1795176000"));
    let label = scene.label();
    assert!(scene.world.sandbox.enqueue(&label, receipt));
    scene.receipts_taken(&asked, 2).await;
    let next = scene.write("for members again").await;
    let (after, given) = scene.key_of(&next);
    assert!(after != before);
    assert_eq!(given.len(), 4);
    assert!(given.iter().all(|device| !device.starts_with(DAN)));
    let counted = scene.anna.statistics().await;
    assert_eq!((counted.retries_answered, counted.retries_ignored), (0, 1));
    assert!(scene.dan.messages_after(0, Duration::ZERO).await.is_empty());
    scene.end().await;
}

/// The service refuses a message to a group because it names devices that are not there any more.
#[tokio::test]
async fn a_group_message_that_is_not_acceptable_is_made_anew_once() {
    let mut scene = Scene::set().await;
    scene.write("before").await;
    let label = scene.label();
    let refuse = |times: u32| {
        let refused = FaultRule::new(Fault::Refuse { code: 406, text: None, backoff: None });
        refused.device(label.clone()).stanza(StanzaMatch::tag("message")).times(times)
    };
    scene.world.sandbox.add_fault(refuse(1));
    let sent = scene.write("refused once").await;
    let refused = |event: &Event| matches!(event, Event::Refused { id, code: 406, .. } if *id == sent);
    scene.world.wait(refused).await;
    read(&scene.cleo, "refused once").await;
    scene.world.sandbox.add_fault(refuse(2));
    let error = scene.anna.send_text(&scene.group.jid(), "refused twice", SendOptions::default()).await;
    let error = error.unwrap_err();
    assert_eq!((error.code(), error.service_status()), (Code::Refused, 406));
    scene.write("after").await;
    scene.end().await;
}

/// Of one device of a member, a companion or the phone itself, the service has no keys at first.
#[tokio::test]
async fn a_member_device_without_keys_holds_up_nobody_and_reads_in_the_end() {
    for (phone, code) in [(false, 406), (false, 404), (true, 406), (true, 503)] {
        let mut scene = Scene::set().await;
        let device = if phone { CLEO.to_owned() } else { device_label(&scene.ben, BEN) };
        if !phone {
            // Its own phone is not the one that is refused.
            let greeted = |event: &Event| matches!(event, Event::BundleTaken { device: of, by, .. } if *of == device && by == BEN);
            scene.world.wait(greeted).await;
        }
        scene.world.sandbox.add_fault(FaultRule::new(Fault::NoBundle { code }).device(device.clone()));
        let first = scene.write("first").await;
        assert!(!scene.key_of(&first).1.contains(&device), "{device} {code}");
        scene.write("second").await;
        for text in ["first", "second"] {
            read(&scene.cleo, text).await;
        }
        scene.end().await;
    }
}

/// A device that is gone from one's own list asks: what it asks for is between members' devices.
#[tokio::test]
async fn a_device_that_a_member_does_not_have_gets_nothing() {
    let mut scene = Scene::set().await;
    scene.phones_are_silent().await;
    let asked = scene.write("for devices that exist").await;
    // What Ben's engine says about the message comes first.
    scene.receipts_taken(&asked, 1).await;
    let retry = Node::new("retry").attr("v", "1").attr("count", "1").attr("id", asked.clone());
    let nobody: Jid = scene.cleo.lid().with_device(77);
    let receipt = Node::new("receipt")
        .attr("id", asked.clone())
        .attr("from", scene.group.jid())
        .attr("participant", nobody)
        .attr("type", "retry")
        .attr("t", "1795176000")
        .child(retry.attr("t", "1795176000"));
    let label = scene.label();
    assert!(scene.world.sandbox.enqueue(&label, receipt));
    scene.receipts_taken(&asked, 2).await;
    let counted = scene.anna.statistics().await;
    assert_eq!((counted.retries_answered, counted.retries_ignored), (0, 1));
    scene.write("after").await;
    scene.end().await;
}

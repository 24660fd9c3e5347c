//! Devices that come and go on both sides of conversations, direct and in groups, and phones that are set
//! up anew.

#![expect(clippy::unwrap_used, reason = "a panic in a scenario is the report of its failure")]

use std::time::Duration;

use whimbrel::events::EventStream;
use whimbrel::{Client, Engine, Jid, LookupOptions, SendOptions};
use whimbrel_sandbox::phone::{Phone, SwitchChange};
use whimbrel_sandbox::{Event, Fault, FaultRule, Group, StanzaMatch};
use whimbrel_scenarios::{
    ANNA, BEN, CARA, DEADLINE, World, device_label, next_identity, next_logout, next_message, quiet, read,
    send,
};
use whimbrel_wire::Node;

/// Anna has an engine beside her phone, Ben and Cara have phones; all three are in a group.
struct Scene {
    world: World,
    engine: Engine,
    client: Client,
    events: EventStream,
    anna: Phone,
    ben: Phone,
    cara: Phone,
    group: Group,
}

impl Scene {
    async fn set() -> Self {
        let world = World::start().await;
        let engine = world.engine();
        let (client, anna) = world.linked(&engine, ANNA).await;
        let ben = world.sandbox.phone(BEN).await.unwrap();
        let cara = world.sandbox.phone(CARA).await.unwrap();
        let group = world.group(ANNA, &[BEN, CARA], None);
        let events = client.events().unwrap();
        Self { world, engine, client, events, anna, ben, cara, group }
    }

    /// Anna's engine writes to Ben and to the group; all of these read both.
    async fn anna_writes(&self, text: &str, readers: &mut [&mut EventStream]) {
        send(&self.client, &self.ben.lid(), &format!("{text}, ben")).await;
        send(&self.client, &self.group.jid(), &format!("{text}, all")).await;
        for text in [format!("{text}, ben"), format!("{text}, all")] {
            read(&self.ben, &text).await;
            read(&self.anna, &text).await;
            for reader in readers.iter_mut() {
                assert_eq!(next_message(reader).await.text.as_deref(), Some(text.as_str()));
            }
        }
        read(&self.cara, &format!("{text}, all")).await;
    }

    /// Ben's phone writes to Anna and to the group; all of these read both.
    async fn ben_writes(&mut self, text: &str, readers: &mut [&mut EventStream]) {
        self.ben.send_text(ANNA, &format!("{text}, anna")).await.unwrap();
        self.ben.send_text(&self.group.jid().to_string(), &format!("{text}, all")).await.unwrap();
        for text in [format!("{text}, anna"), format!("{text}, all")] {
            let message = next_message(&mut self.events).await;
            assert_eq!((message.text.as_deref(), message.sender.id), (Some(text.as_str()), self.ben.lid()));
            for reader in readers.iter_mut() {
                assert_eq!(next_message(reader).await.text.as_deref(), Some(text.as_str()));
            }
        }
    }

    /// Requests that Anna's engine has made.
    fn requests(&self) -> u64 {
        let label = device_label(&self.client, ANNA);
        let devices = self.world.sandbox.state().devices;
        devices.into_iter().find(|device| device.device == label).unwrap().requests
    }

    /// Another engine beside somebody's phone.
    async fn companion(&self, number: &str, name: &str) -> (Client, EventStream) {
        let client = self.engine.open(self.world.store(name), quiet()).unwrap();
        self.world.link(&client, number).await;
        let events = client.events().unwrap();
        (client, events)
    }

    /// The service says that something about Ben's devices changed: Anna's engine asks before it writes.
    async fn made_to_look(&self, id: &'static str) {
        let update = Node::new("update").attr("hash", contact_hash(BEN));
        let notification = Node::new("notification")
            .attr("type", "devices")
            .attr("from", self.ben.jid())
            .attr("lid", self.ben.lid())
            .attr("id", id)
            .attr("t", "1795176000")
            .child(update);
        let device = device_label(&self.client, ANNA);
        assert!(self.world.sandbox.enqueue(&device, notification));
        self.world.wait(|event| matches!(event, Event::Settled { id: settled, .. } if settled == id)).await;
    }

    /// Devices whose keys Anna's engine was given since an event.
    fn met_since(&self, event: u64) -> Vec<String> {
        let asking = device_label(&self.client, ANNA);
        let events = self.world.sandbox.events().after(event).into_iter();
        let met = events.filter_map(|(_, event)| match event {
            Event::BundleTaken { device, by, .. } if by == asking => Some(device),
            _ => None,
        });
        met.collect()
    }

    /// Id of the key that Anna's engine last wrote to the group with, and who was given it then.
    fn group_key(&self) -> (u32, Vec<String>) {
        let writing = device_label(&self.client, ANNA);
        let events = self.world.sandbox.events().after(0).into_iter().rev();
        let mut keys = events.filter_map(|(_, event)| match event {
            Event::SenderKeyUsed { device, key_id, handed_to, .. } if device == writing => {
                Some((key_id, handed_to))
            }
            _ => None,
        });
        keys.next().unwrap()
    }

    /// Anna's engine does not get the next notifications of this type.
    fn unheard(&self, kind: &str) {
        let stanza = StanzaMatch::tag("notification").kind(kind);
        let device = device_label(&self.client, ANNA);
        self.world.sandbox.add_fault(FaultRule::new(Fault::Swallow).device(device).stanza(stanza).times(9));
    }

    async fn end(self) {
        self.world.assert_no_findings();
        self.engine.close(DEADLINE).await.unwrap();
    }
}

#[tokio::test]
async fn devices_of_others_join_and_leave_a_conversation() {
    let mut scene = Scene::set().await;
    scene.anna_writes("first", &mut []).await;
    scene.ben_writes("first", &mut []).await;
    let (desk, mut at_desk) = scene.companion(BEN, "desk").await;
    scene.anna_writes("with the desk", &mut [&mut at_desk]).await;
    scene.ben_writes("with the desk", &mut [&mut at_desk]).await;
    send(&desk, &scene.anna.lid(), "from the desk").await;
    let message = next_message(&mut scene.events).await;
    assert_eq!((message.text.as_deref(), message.sender.id), (Some("from the desk"), scene.ben.lid()));
    assert_eq!(message.sender_device, desk.account().unwrap().device);
    read(&scene.ben, "from the desk").await;

    scene.ben.unlink(desk.account().unwrap().device).await.unwrap();
    assert_eq!(next_logout(&mut at_desk).await.reason, "removed");
    scene.anna_writes("without the desk", &mut []).await;
    scene.ben_writes("without the desk", &mut []).await;
    // The number may be given again, to another device with other keys.
    let (_tablet, mut at_tablet) = scene.companion(BEN, "tablet").await;
    scene.anna_writes("with the tablet", &mut [&mut at_tablet]).await;
    scene.end().await;
}

#[tokio::test]
async fn own_devices_join_and_leave_a_conversation() {
    let mut scene = Scene::set().await;
    scene.anna_writes("alone", &mut []).await;
    let (desk, mut at_desk) = scene.companion(ANNA, "desk").await;
    scene.anna_writes("in company", &mut [&mut at_desk]).await;
    scene.ben_writes("to both", &mut [&mut at_desk]).await;
    send(&desk, &scene.ben.lid(), "by the other").await;
    let copy = next_message(&mut scene.events).await;
    assert_eq!(
        (copy.text.as_deref(), copy.from_me, copy.chat.id),
        (Some("by the other"), true, scene.ben.lid())
    );
    send(&desk, &scene.group.jid(), "by the other to all").await;
    let copy = next_message(&mut scene.events).await;
    assert_eq!((copy.text.as_deref(), copy.from_me), (Some("by the other to all"), true));
    read(&scene.cara, "by the other to all").await;

    scene.anna.unlink(desk.account().unwrap().device).await.unwrap();
    assert_eq!(next_logout(&mut at_desk).await.reason, "removed");
    scene.anna_writes("alone again", &mut []).await;
    scene.ben_writes("to one", &mut []).await;
    scene.end().await;
}

#[tokio::test]
async fn what_devices_do_while_a_client_is_away_counts_when_it_is_back() {
    let mut scene = Scene::set().await;
    scene.anna_writes("before", &mut []).await;
    let device = device_label(&scene.client, ANNA);
    scene.client.disconnect();
    scene.world.wait(|event| matches!(event, Event::Disconnected { device: gone } if *gone == device)).await;
    let (_desk, mut at_desk) = scene.companion(BEN, "desk").await;
    let (_own, mut at_own) = scene.companion(ANNA, "own").await;
    scene.ben.send_text(ANNA, "meanwhile").await.unwrap();
    assert_eq!(next_message(&mut at_own).await.text.as_deref(), Some("meanwhile"));
    assert_eq!(next_message(&mut at_desk).await.text.as_deref(), Some("meanwhile"));
    whimbrel_scenarios::Wait::wait_online(&scene.client).await;
    let message = next_message(&mut scene.events).await;
    assert_eq!((message.text.as_deref(), message.offline), (Some("meanwhile"), true));
    scene.anna_writes("after", &mut [&mut at_desk, &mut at_own]).await;
    scene.end().await;
}

#[tokio::test]
async fn a_phone_that_is_set_up_anew_goes_on_talking_and_the_host_is_told() {
    let mut scene = Scene::set().await;
    let (_desk, mut at_desk) = scene.companion(BEN, "desk").await;
    scene.anna_writes("before", &mut [&mut at_desk]).await;
    scene.ben_writes("before", &mut [&mut at_desk]).await;
    scene.world.sandbox.reinstall(&scene.ben).await.unwrap();
    next_logout(&mut at_desk).await;
    let changed = next_identity(&mut scene.events).await;
    assert_eq!((changed.who.id, changed.device), (scene.ben.lid(), 0));
    scene.anna_writes("after", &mut []).await;
    scene.ben_writes("after", &mut []).await;
    let (_new_desk, mut at_desk) = scene.companion(BEN, "new desk").await;
    scene.anna_writes("at last", &mut [&mut at_desk]).await;
    scene.end().await;
}

#[tokio::test]
async fn a_new_identity_is_noticed_by_the_first_message_with_it() {
    let mut scene = Scene::set().await;
    scene.anna_writes("before", &mut []).await;
    scene.ben_writes("before", &mut []).await;
    scene.unheard("encrypt");
    scene.world.sandbox.reinstall(&scene.ben).await.unwrap();
    scene.ben.send_text(ANNA, "it is me").await.unwrap();
    let changed = next_identity(&mut scene.events).await;
    assert_eq!((changed.who.id, changed.device), (scene.ben.lid(), 0));
    assert_eq!(next_message(&mut scene.events).await.text.as_deref(), Some("it is me"));
    scene.anna_writes("so it is", &mut []).await;
    scene.ben_writes("still me", &mut []).await;
    scene.end().await;
}

/// Nobody told that Ben's phone is another one; its companion is vouched for by a key that is not known.
#[tokio::test]
async fn a_companion_of_an_unheard_of_phone_is_believed_once_the_phone_was_asked() {
    for companion_first in [true, false] {
        let mut scene = Scene::set().await;
        scene.anna_writes("before", &mut []).await;
        scene.unheard("encrypt");
        scene.unheard("devices");
        scene.world.sandbox.reinstall(&scene.ben).await.unwrap();
        let (desk, mut at_desk) = scene.companion(BEN, "desk").await;
        if companion_first {
            send(&desk, &scene.anna.lid(), "from a new desk").await;
            assert_eq!(next_identity(&mut scene.events).await.who.id, scene.ben.lid());
            let message = next_message(&mut scene.events).await;
            assert_eq!(message.text.as_deref(), Some("from a new desk"));
            assert_eq!(message.sender_device, desk.account().unwrap().device);
        } else {
            // Something makes the engine look: a list of devices, signed by the new key.
            scene.world.sandbox.clear_faults();
            scene.made_to_look("update-1").await;
        }
        scene.anna_writes("to the new ones", &mut [&mut at_desk]).await;
        scene.end().await;
    }
}

/// As the service names a contact without naming it.
fn contact_hash(number: &str) -> String {
    whimbrel_crypto::digest::contact_hash(number)
}

#[tokio::test]
async fn a_list_that_is_not_signed_right_is_not_believed() {
    let mut scene = Scene::set().await;
    scene.anna_writes("before", &mut []).await;
    let forged = Node::new("add")
        .child(
            Node::new("device")
                .attr("jid", scene.ben.jid().with_device(7))
                .attr("lid", scene.ben.lid().with_device(7))
                .attr("key-index", "1"),
        )
        .child(Node::new("key-index-list").attr("ts", "1795176000").bytes(vec![1, 2, 3]));
    let notification = Node::new("notification")
        .attr("type", "devices")
        .attr("from", scene.ben.jid())
        .attr("lid", scene.ben.lid())
        .attr("id", "forged-1")
        .attr("t", "1795176000")
        .child(forged);
    let device = device_label(&scene.client, ANNA);
    assert!(scene.world.sandbox.enqueue(&device, notification));
    scene.world.wait(|event| matches!(event, Event::Settled { id, .. } if id == "forged-1")).await;
    // Nothing is sent to a device that does not exist: the service would find fault with it.
    scene.anna_writes("after", &mut []).await;
    scene.ben_writes("after", &mut []).await;
    scene.end().await;
}

#[tokio::test]
async fn a_phone_that_is_set_up_anew_while_a_client_is_away_is_known_when_it_is_back() {
    for writes in [true, false] {
        let mut scene = Scene::set().await;
        let (_desk, mut at_desk) = scene.companion(BEN, "desk").await;
        scene.anna_writes("before", &mut [&mut at_desk]).await;
        scene.ben_writes("before", &mut [&mut at_desk]).await;
        let device = device_label(&scene.client, ANNA);
        scene.client.disconnect();
        scene
            .world
            .wait(|event| matches!(event, Event::Disconnected { device: gone } if *gone == device))
            .await;
        scene.world.sandbox.reinstall(&scene.ben).await.unwrap();
        if writes {
            scene.ben.send_text(ANNA, "it is me").await.unwrap();
        }
        whimbrel_scenarios::Wait::wait_online(&scene.client).await;
        let changed = next_identity(&mut scene.events).await;
        assert_eq!((changed.who.id, changed.device), (scene.ben.lid(), 0));
        if writes {
            assert_eq!(next_message(&mut scene.events).await.text.as_deref(), Some("it is me"));
        }
        scene.anna_writes("after", &mut []).await;
        scene.ben_writes("after", &mut []).await;
        scene.end().await;
    }
}

/// Of two new devices only the second was heard of; the first one's proof names an older key index.
#[tokio::test]
async fn a_companion_that_nobody_told_of_is_believed() {
    let mut scene = Scene::set().await;
    scene.anna_writes("before", &mut []).await;
    scene.unheard("devices");
    let (desk, _at_desk) = scene.companion(BEN, "desk").await;
    scene.world.sandbox.clear_faults();
    let (tablet, _at_tablet) = scene.companion(BEN, "tablet").await;
    for (client, text) in [(&desk, "from the desk"), (&tablet, "from the tablet")] {
        send(client, &scene.anna.lid(), text).await;
        let message = next_message(&mut scene.events).await;
        assert_eq!((message.text.as_deref(), message.sender.id), (Some(text), scene.ben.lid()));
    }
    scene.end().await;
}

/// Devices that go while they are written to: nobody else misses anything, and they read nothing more.
#[tokio::test]
async fn a_device_that_goes_unheard_of_holds_up_nobody() {
    let mut scene = Scene::set().await;
    let (desk, mut at_desk) = scene.companion(BEN, "desk").await;
    scene.anna_writes("with the desk", &mut [&mut at_desk]).await;
    scene.unheard("devices");
    scene.ben.unlink(desk.account().unwrap().device).await.unwrap();
    assert_eq!(next_logout(&mut at_desk).await.reason, "removed");
    scene.anna_writes("without it", &mut []).await;
    scene.anna_writes("and on", &mut []).await;
    scene.ben_writes("as ever", &mut []).await;
    scene.engine.close(DEADLINE).await.unwrap();
}

/// The same phone and the same companions, but the account's list says that it was made anew.
#[tokio::test]
async fn another_raw_id_alone_ends_the_sessions_with_companions() {
    let mut scene = Scene::set().await;
    let (desk, mut at_desk) = scene.companion(BEN, "desk").await;
    scene.anna_writes("before", &mut [&mut at_desk]).await;
    scene.ben_writes("before", &mut [&mut at_desk]).await;
    let (before, label) = (scene.group_key().0, device_label(&desk, BEN));
    scene.ben.change_raw_id().await.unwrap();
    let since = scene.world.sandbox.events().newest();
    scene.made_to_look("update-1").await;
    scene.anna_writes("after", &mut [&mut at_desk]).await;
    assert_eq!(
        scene.met_since(since),
        std::slice::from_ref(&label),
        "the phone's session is as good as before"
    );
    let (after, given) = scene.group_key();
    assert!(after != before && given.contains(&label), "the companion held the key");
    send(&desk, &scene.anna.lid(), "from the desk").await;
    assert_eq!(next_message(&mut scene.events).await.text.as_deref(), Some("from the desk"));
    scene.ben_writes("after", &mut [&mut at_desk]).await;
    assert_eq!(scene.client.statistics().await.retries_sent, 0);
    scene.end().await;
}

/// What the account itself signed at an earlier time brings no device back that is gone.
#[tokio::test]
async fn an_old_list_with_its_old_signature_brings_no_device_back() {
    let mut scene = Scene::set().await;
    let (desk, mut at_desk) = scene.companion(BEN, "desk").await;
    let (_tablet, mut at_tablet) = scene.companion(BEN, "tablet").await;
    scene.anna_writes("with both", &mut [&mut at_desk, &mut at_tablet]).await;
    // Lists are dated by the second.
    scene.world.sandbox.clock().advance(std::time::Duration::from_secs(10));
    scene.ben.unlink(desk.account().unwrap().device).await.unwrap();
    assert_eq!(next_logout(&mut at_desk).await.reason, "removed");
    scene.made_to_look("update-1").await;
    scene.anna_writes("without the desk", &mut [&mut at_tablet]).await;

    let device = device_label(&scene.client, ANNA);
    let old = FaultRule::new(Fault::FormerDevices).device(device.clone());
    scene.world.sandbox.add_fault(old.stanza(StanzaMatch::request("usync")).times(u32::MAX));
    // Whoever believes the list asks for the keys of the device that is gone.
    let keys = StanzaMatch::request("encrypt").kind("get").child("key");
    let asked = FaultRule::new(Fault::DelayAnswer { ms: 0 }).device(device).stanza(keys);
    scene.world.sandbox.add_fault(asked);
    scene.made_to_look("update-2").await;
    scene.anna_writes("and still without", &mut [&mut at_tablet]).await;
    scene.ben_writes("and still without", &mut [&mut at_tablet]).await;
    let applied: Vec<String> = scene
        .world
        .sandbox
        .events()
        .after(0)
        .into_iter()
        .filter_map(|(_, event)| match event {
            Event::FaultApplied { fault, .. } => Some(fault),
            _ => None,
        })
        .collect();
    assert!(applied.contains(&"FormerDevices".to_owned()), "{applied:?}");
    assert!(applied.iter().all(|fault| fault == "FormerDevices"), "{applied:?}");
    scene.end().await;
}

#[tokio::test]
async fn a_hosted_device_takes_part_in_chats_but_not_in_groups() {
    let mut scene = Scene::set().await;
    let (desk, mut at_desk) = scene.companion(BEN, "desk").await;
    let label = device_label(&desk, BEN);
    assert!(scene.world.sandbox.set_hosted(&label));
    send(&scene.client, &scene.ben.lid(), "to ben").await;
    assert_eq!(next_message(&mut at_desk).await.text.as_deref(), Some("to ben"));
    read(&scene.ben, "to ben").await;
    send(&desk, &scene.anna.lid(), "from the desk").await;
    let message = next_message(&mut scene.events).await;
    assert_eq!((message.text.as_deref(), message.sender.id), (Some("from the desk"), scene.ben.lid()));
    assert_eq!((message.sender_device, message.chat.id), (desk.account().unwrap().device, scene.ben.lid()));
    read(&scene.anna, "from the desk").await;

    for text in ["to all", "to all again"] {
        let sent = send(&scene.client, &scene.group.jid(), text).await;
        for phone in [&scene.ben, &scene.cara, &scene.anna] {
            read(phone, text).await;
        }
        // The service counts the devices as the engine does: it has nothing to complain of.
        let events = scene.world.sandbox.events().after(0);
        let accepted = events
            .iter()
            .filter(|(_, event)| matches!(event, Event::Accepted { id, copies: 3, .. } if *id == sent));
        assert_eq!(accepted.count(), 1);
    }
    assert!(!scene.group_key().1.contains(&label));
    send(&scene.client, &scene.ben.lid(), "to ben again").await;
    assert_eq!(next_message(&mut at_desk).await.text.as_deref(), Some("to ben again"));
    scene.end().await;
}

/// A hosted device whose message cannot be opened is sent keys at once, and goes on with them.
#[tokio::test]
async fn what_a_hosted_device_sent_is_repaired() {
    let mut scene = Scene::set().await;
    let (desk, mut at_desk) = scene.companion(BEN, "desk").await;
    assert!(scene.world.sandbox.set_hosted(&device_label(&desk, BEN)));
    send(&desk, &scene.anna.lid(), "hello").await;
    assert_eq!(next_message(&mut scene.events).await.text.as_deref(), Some("hello"));
    send(&scene.client, &scene.ben.lid(), "hello too").await;
    assert_eq!(next_message(&mut at_desk).await.text.as_deref(), Some("hello too"));
    let damaged = StanzaMatch::tag("message").from(&scene.ben.lid());
    let device = device_label(&scene.client, ANNA);
    scene.world.sandbox.add_fault(FaultRule::new(Fault::Corrupt).device(device).stanza(damaged));
    send(&desk, &scene.anna.lid(), "damaged").await;
    let message = next_message(&mut scene.events).await;
    assert_eq!(message.text.as_deref(), Some("damaged"));
    assert!(message.completes.is_some());
    assert_eq!(desk.statistics().await.retries_answered, 1);
    send(&scene.client, &scene.ben.lid(), "repaired").await;
    assert_eq!(next_message(&mut at_desk).await.text.as_deref(), Some("repaired"));
    scene.end().await;
}

/// The word on a message says that there are other devices than were written to: the next one reaches them.
#[tokio::test]
async fn a_device_that_nobody_told_of_is_reached_by_the_next_direct_message() {
    let scene = Scene::set().await;
    scene.anna_writes("before", &mut []).await;
    scene.unheard("devices");
    let (desk, mut at_desk) = scene.companion(BEN, "desk").await;
    send(&scene.client, &scene.ben.lid(), "missed").await;
    read(&scene.ben, "missed").await;
    let since = scene.world.sandbox.events().newest();
    send(&scene.client, &scene.ben.lid(), "seen").await;
    assert_eq!(next_message(&mut at_desk).await.text.as_deref(), Some("seen"));
    assert_eq!(scene.met_since(since), [device_label(&desk, BEN)]);
    scene.end().await;
}

/// A message tells that its sender's list of devices was signed anew: the next message reaches them all, and
/// nobody is asked twice.
#[tokio::test]
async fn a_list_that_a_message_shows_to_be_old_is_asked_for_before_the_next_one() {
    let mut scene = Scene::set().await;
    scene.ben.set_switches(SwitchChange { tells_list: Some(true), ..SwitchChange::default() });
    scene.anna_writes("before", &mut []).await;
    // Signed in a later second than the list was asked for in.
    scene.world.sandbox.clock().advance(Duration::from_secs(2));
    scene.unheard("devices");
    let (_desk, mut at_desk) = scene.companion(BEN, "desk").await;
    for text in ["first", "second"] {
        scene.ben.send_text(ANNA, &format!("{text} of ben")).await.unwrap();
        let told = next_message(&mut scene.events).await;
        assert_eq!(told.text, Some(format!("{text} of ben")));
        let before = scene.requests();
        send(&scene.client, &scene.ben.lid(), text).await;
        for expected in [format!("{text} of ben"), text.to_owned()] {
            assert_eq!(next_message(&mut at_desk).await.text, Some(expected));
        }
        // The list, and the keys of the device that was not known.
        assert_eq!(scene.requests() - before, if text == "first" { 2 } else { 0 });
    }
    scene.end().await;
}

#[tokio::test]
async fn two_chats_with_the_same_stranger_take_one_key_of_each_device() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let ben = world.sandbox.phone(BEN).await.unwrap();
    // Both addresses are known to belong together.
    client.identity(&Jid::pn(BEN), LookupOptions::default()).await.unwrap();
    let before = world.sandbox.events().newest();
    let (by_number, by_lid) = (Jid::pn(BEN), ben.lid());
    let group = world.group(ANNA, &[BEN], None).jid();
    let send = |chat: &Jid| {
        let (client, chat) = (client.clone(), chat.clone());
        async move { client.send_text(&chat, "hello", SendOptions::default()).await.unwrap() }
    };
    tokio::join!(send(&by_number), send(&by_lid), send(&group));
    let asking = device_label(&client, ANNA);
    let taken = world.sandbox.events().after(before).into_iter().filter(|(_, event)| {
        matches!(event, Event::BundleTaken { device, by, .. } if *by == asking && device.starts_with(BEN))
    });
    assert_eq!(taken.count(), 1);
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

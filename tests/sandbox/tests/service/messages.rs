//! Messages, receipts, queues, pre-keys and faults, as devices see them.

use crate::support::{Client, DEADLINE, Keys, TestPhone, enter, link, login, message, request, sandbox};
use whimbrel_sandbox::{Event, Fault, FaultRule, Options, Pace, Sandbox, StanzaMatch};
use whimbrel_wire::{Jid, Node};

/// Ana with a phone and two companions, Ben with a phone.
struct Scene {
    sandbox: Sandbox,
    ana: TestPhone,
    first: (Keys, Jid),
    second: (Keys, Jid),
    ben: TestPhone,
}

impl Scene {
    async fn set(options: Options) -> Self {
        let sandbox = Sandbox::start(options).await.unwrap();
        let mut ana = TestPhone::attach(&sandbox, "15550001");
        let mut ben = TestPhone::attach(&sandbox, "15550002");
        ana.upload().await;
        ben.upload().await;
        let (one, two) = (Keys::new(1), Keys::new(2));
        let first = link(&sandbox, &mut ana, &one).await;
        let second = link(&sandbox, &mut ana, &two).await;
        Self { sandbox, ana, first: (one, first), second: (two, second), ben }
    }

    async fn enter_first(&self) -> Client {
        enter(&self.sandbox, &self.first.0, &self.first.1).await
    }

    async fn enter_second(&self) -> Client {
        enter(&self.sandbox, &self.second.0, &self.second.1).await
    }

    /// The devices that a message of the first companion to Ben goes to, by LID.
    fn devices(&self) -> Vec<Jid> {
        let (ana, ben) = (&self.ana.link.lid, &self.ben.link.lid);
        vec![ben.clone(), ana.clone(), ana.with_device(2)]
    }

    fn to_ben(&self, id: &str) -> Node {
        message(id, &self.ben.link.lid, &self.devices())
    }
}

fn body(node: &Node) -> &[u8] {
    node.child_bytes("enc").unwrap()
}

#[tokio::test]
async fn every_device_gets_its_own_copy_and_only_that() {
    let mut scene = Scene::set(Options::default()).await;
    let mut first = scene.enter_first().await;
    let mut second = scene.enter_second().await;
    first.send(&scene.to_ben("M1")).await;
    let ack = first.expect("ack").await;
    assert!(ack.attr_is("class", "message") && ack.attr_is("id", "M1"), "{ack}");
    assert_eq!(ack.attr_jid("from"), Some(scene.ben.link.lid.clone()));
    assert!(ack.attr_u64("t").is_some());
    assert!(ack.attr_value("phash").is_none(), "{ack}");

    let lid = scene.ana.link.lid.clone();
    let at_ben = scene.ben.expect("message").await;
    assert_eq!(at_ben.attr_jid("from"), Some(lid.with_device(1)));
    assert_eq!(at_ben.attr_jid("sender_pn"), Some(scene.ana.link.pn.clone()));
    assert!(at_ben.attr_value("recipient").is_none());
    assert!(at_ben.attr_is("notify", "Phone 15550001"));
    assert_eq!(body(&at_ben), format!("for {}", scene.ben.link.lid).as_bytes());
    assert!(at_ben.child_named("participants").is_none());

    let at_second = second.expect("message").await;
    assert_eq!(at_second.attr_jid("from"), Some(lid.with_device(1)));
    assert_eq!(at_second.attr_jid("recipient"), Some(scene.ben.link.lid.clone()));
    assert_eq!(at_second.attr_jid("peer_recipient_pn"), Some(scene.ben.link.pn.clone()));
    assert_eq!(body(&at_second), format!("for {}", lid.with_device(2)).as_bytes());
    let times = [&ack, &at_ben, &at_second].map(|node| node.attr_u64("t"));
    assert!(times.iter().all(|time| *time == times[0]));
}

#[tokio::test]
async fn a_missing_device_is_told_by_the_true_hash() {
    let scene = Scene::set(Options::default()).await;
    let mut first = scene.enter_first().await;
    let partial = message("M1", &scene.ben.link.lid, &scene.devices()[..2]);
    first.send(&partial).await;
    let ack = first.expect("ack").await;
    let devices = scene.devices();
    let expected = whimbrel_crypto::phash::phash(devices.iter().map(|jid| (jid.user(), jid.device(), "lid")));
    assert!(ack.attr_is("phash", &expected), "{ack}");
}

#[tokio::test]
async fn two_address_spaces_in_one_message_are_refused() {
    let mut scene = Scene::set(Options::default()).await;
    let mut first = scene.enter_first().await;
    let mut devices = scene.devices();
    devices[1] = scene.ana.link.pn.clone();
    first.send(&message("M1", &scene.ben.link.lid, &devices)).await;
    let ack = first.expect("ack").await;
    assert!(ack.attr_is("error", "400"), "{ack}");
    first.send(&scene.to_ben("M2")).await;
    let next = scene.ben.expect("message").await;
    assert!(next.attr_is("id", "M2"), "nothing of the refused message was delivered: {next}");
}

#[tokio::test]
async fn copies_for_strangers_and_unknown_people_are_refused() {
    let scene = Scene::set(Options::default()).await;
    let stranger = TestPhone::attach(&scene.sandbox, "15550003");
    let mut first = scene.enter_first().await;
    let mut devices = scene.devices();
    devices.push(stranger.link.lid.clone());
    first.send(&message("M1", &scene.ben.link.lid, &devices)).await;
    assert!(first.expect("ack").await.attr_is("error", "400"));
    first.send(&message("M2", &Jid::lid("999"), &[Jid::lid("999")])).await;
    assert!(first.expect("ack").await.attr_is("error", "404"));
}

#[tokio::test]
async fn a_repeated_id_is_acked_again_and_delivered_once() {
    let mut scene = Scene::set(Options::default()).await;
    let mut first = scene.enter_first().await;
    for _ in 0..2 {
        first.send(&scene.to_ben("M1")).await;
        assert!(first.expect("ack").await.attr_is("id", "M1"));
    }
    first.send(&scene.to_ben("M2")).await;
    let ids: Vec<_> = [scene.ben.expect("message").await, scene.ben.expect("message").await]
        .iter()
        .map(|node| node.attr_text("id").unwrap().into_owned())
        .collect();
    assert_eq!(ids, ["M1", "M2"]);
}

#[tokio::test]
async fn what_waited_comes_after_active_in_order_with_true_counts_until_it_is_settled() {
    let scene = Scene::set(Options::default()).await;
    let mut first = scene.enter_first().await;
    let mut second = scene.enter_second().await;
    second.send(&request("out", "set", "passive", Node::new("passive"))).await;
    second.expect_where(|node| node.attr_is("id", "out")).await;
    for id in ["M1", "M2"] {
        first.send(&scene.to_ben(id)).await;
        first.expect("ack").await;
    }
    drop(second);
    let gone = |event: &Event| matches!(event, Event::Disconnected { device } if device == "15550001:2");
    scene.sandbox.events().wait_for(gone, DEADLINE).await.unwrap();

    let mut second = Client::connect(&scene.sandbox, &scene.second.0, &login(&scene.second.1, true)).await;
    second.expect("success").await;
    second.send(&request("act", "set", "passive", Node::new("active"))).await;
    let answer = second.next().await.unwrap();
    assert!(answer.attr_is("id", "act"), "the answer comes before the queue: {answer}");
    let preview = second.next().await.unwrap();
    assert!(preview.child_named("offline_preview").unwrap().attr_is("message", "2"), "{preview}");
    for (id, place) in [("M1", "1"), ("M2", "2")] {
        let message = second.next().await.unwrap();
        assert!(message.attr_is("id", id) && message.attr_is("offline", place), "{message}");
    }
    let end = second.next().await.unwrap();
    assert!(end.child_named("offline").unwrap().attr_is("count", "2"), "{end}");
    // Only the first is confirmed, so the other one comes again.
    let sender = scene.ana.link.lid.with_device(1);
    second.send(&Node::new("receipt").attr("id", "M1").attr("to", sender).attr("type", "sender")).await;
    second.expect("ack").await;
    let before = scene.sandbox.events().newest();
    drop(second);
    scene.sandbox.events().wait_for_after(before, gone, DEADLINE).await.unwrap();
    let mut second = Client::connect(&scene.sandbox, &scene.second.0, &login(&scene.second.1, false)).await;
    let again = second.expect("message").await;
    assert!(again.attr_is("id", "M2"), "{again}");
}

#[tokio::test]
async fn batches_come_as_they_are_asked_for() {
    let options = Options { pace: Pace::StrictBatches, ..Options::default() };
    let scene = Scene::set(options).await;
    let mut first = scene.enter_first().await;
    for number in 0..8 {
        first.send(&scene.to_ben(&format!("M{number}"))).await;
        first.expect("ack").await;
    }
    let mut second = Client::connect(&scene.sandbox, &scene.second.0, &login(&scene.second.1, false)).await;
    for number in 0..5 {
        let message = second.expect("message").await;
        assert!(message.attr_is("id", &format!("M{number}")), "{message}");
    }
    second.send(&Node::new("ib").child(Node::new("offline_batch").attr("count", "2"))).await;
    assert!(second.next().await.unwrap().attr_is("id", "M5"));
    assert!(second.next().await.unwrap().attr_is("id", "M6"));
    second.send(&Node::new("ib").child(Node::new("offline_batch").attr("count", "200"))).await;
    assert!(second.next().await.unwrap().attr_is("id", "M7"));
    let end = second.next().await.unwrap();
    assert!(end.child_named("offline").unwrap().attr_is("count", "8"), "{end}");
}

#[tokio::test]
async fn receipts_find_the_author_and_the_readers_other_devices() {
    let mut scene = Scene::set(Options::default()).await;
    let mut first = scene.enter_first().await;
    let mut second = scene.enter_second().await;
    first.send(&scene.to_ben("M1")).await;
    first.expect("ack").await;
    let message = scene.ben.expect("message").await;
    let author = message.attr_jid("from").unwrap();
    scene.ben.send(Node::new("receipt").attr("id", "M1").attr("to", &author)).await;
    let ack = scene.ben.expect("ack").await;
    assert!(ack.attr_is("class", "receipt") && ack.attr_is("id", "M1"), "{ack}");
    for client in [&mut first, &mut second] {
        let delivered = client.expect("receipt").await;
        assert_eq!(delivered.attr_jid("from"), Some(scene.ben.link.lid.clone()));
        assert!(
            delivered.attr_u64("t").is_some() && delivered.attr_value("recipient").is_none(),
            "{delivered}"
        );
    }
    // A message to Ana is read on her first companion.
    let (ana, ben) = (scene.ana.link.lid.clone(), scene.ben.link.lid.clone());
    let devices = [ana.clone(), ana.with_device(1), ana.with_device(2)];
    scene.ben.send(crate::support::message("M2", &ana, &devices)).await;
    let incoming = first.expect("message").await;
    first.send(&Node::new("receipt").attr("id", "M2").attr("to", &ben).attr("type", "read")).await;
    assert!(incoming.attr_is("id", "M2"));
    let read = scene.ben.expect_where(|node| node.tag() == "receipt").await;
    assert!(read.attr_is("type", "read"), "{read}");
    assert_eq!(read.attr_jid("from"), Some(ana.with_device(1)));
    let own = second.expect_where(|node| node.tag() == "receipt" && node.attr_is("id", "M2")).await;
    assert!(own.attr_is("type", "read-self"), "{own}");
    assert_eq!(own.attr_jid("recipient"), Some(ben));
}

#[tokio::test]
async fn a_retry_receipt_reaches_the_author_and_its_answer_only_the_asker() {
    let mut scene = Scene::set(Options::default()).await;
    let mut first = scene.enter_first().await;
    first.send(&scene.to_ben("M1")).await;
    first.expect("ack").await;
    let message = scene.ben.expect("message").await;
    let author = message.attr_jid("from").unwrap();
    let retry = Node::new("receipt")
        .attr("id", "M1")
        .attr("to", &author)
        .attr("type", "retry")
        .child(Node::new("retry").attr("v", "1").attr("count", "1").attr("id", "M1"))
        .child(Node::new("registration").bytes(vec![0, 0, 0, 1]));
    scene.ben.send(retry).await;
    let relayed = first.expect("receipt").await;
    assert!(relayed.attr_is("type", "retry"), "{relayed}");
    assert_eq!(relayed.attr_jid("from"), Some(scene.ben.link.lid.clone()));
    assert_eq!(relayed.child_bytes("registration"), Some(&[0, 0, 0, 1][..]));
    // The retry receipt does not settle, the ack beside it does.
    let settled = |event: &Event| matches!(event, Event::Settled { device, class, .. } if device == "15550002" && class == "message");
    assert!(!scene.sandbox.events().after(0).iter().any(|(_, event)| settled(event)));
    scene.ben.send(Node::new("ack").attr("class", "message").attr("id", "M1").attr("to", &author)).await;
    scene.sandbox.events().wait_for(settled, DEADLINE).await.unwrap();

    let enc = Node::new("enc").attr("v", "2").attr("type", "msg").attr("count", "1").bytes(vec![1, 2]);
    let answer = Node::new("message").attr("id", "M1").attr("to", &scene.ben.link.lid).attr("type", "text");
    first.send(&answer.child(enc)).await;
    let again = scene.ben.expect("message").await;
    assert!(again.attr_is("id", "M1") && body(&again) == [1, 2], "{again}");
    assert_eq!(again.attr_u64("t"), message.attr_u64("t"), "the time stays that of the message");
}

#[tokio::test]
async fn one_time_keys_are_counted_handed_out_once_and_asked_for_when_low() {
    let mut scene = Scene::set(Options::default()).await;
    let mut first = scene.enter_first().await;
    let count = first.ask(request("c", "get", "encrypt", Node::new("count"))).await;
    assert!(count.child_named("count").unwrap().attr_is("value", "30"), "{count}");
    let digest = first.ask(request("d", "get", "encrypt", Node::new("digest"))).await;
    let digest = digest.child_named("digest").unwrap();
    assert_eq!(digest.child_bytes("hash").map(<[u8]>::len), Some(20));
    assert_eq!(digest.child_named("list").unwrap().child_nodes().len(), 30);

    let device = scene.first.1.clone();
    let mut ids = Vec::new();
    for number in 0..31 {
        let key = Node::new("key").child(Node::new("user").attr("jid", &device));
        let answer = scene.ben.ask(request(&format!("k{number}"), "get", "encrypt", key)).await;
        let user = answer.child_named("list").unwrap().child_named("user").unwrap();
        assert!(user.child_bytes("device-identity").is_some());
        ids.push(user.child_named("key").map(|key| key.child_bytes("id").unwrap().to_vec()));
    }
    assert!(ids.last().unwrap().is_none(), "an exhausted device still has a bundle");
    ids.pop();
    ids.dedup();
    assert_eq!(ids.len(), 30);
    let low = first.expect("notification").await;
    assert!(
        low.attr_is("type", "encrypt") && low.child_named("count").unwrap().attr_is("value", "9"),
        "{low}"
    );

    let unknown = Node::new("key").child(Node::new("user").attr("jid", device.with_device(9)));
    let answer = scene.ben.ask(request("u", "get", "encrypt", unknown)).await;
    let user = answer.child_named("list").unwrap().child_named("user").unwrap();
    assert!(user.child_named("error").unwrap().attr_is("code", "406"), "{answer}");
}

#[tokio::test]
async fn uploads_are_checked() {
    let scene = Scene::set(Options::default()).await;
    let mut first = scene.enter_first().await;
    let keys = &scene.first.0;
    let foreign = first.ask(scene.second.0.upload("f", 5)).await;
    assert!(foreign.child_named("error").unwrap().attr_is("code", "406"), "another identity");
    let empty = first.ask(keys.upload("e", 0)).await;
    assert!(empty.child_named("error").unwrap().attr_is("code", "400"), "no keys");
    let rotate = Node::new("rotate").child(
        Node::new("skey")
            .child(Node::new("id").bytes(vec![0, 0, 2]))
            .child(Node::new("value").bytes(vec![8; 32]))
            .child(Node::new("signature").bytes(keys.signature.to_vec())),
    );
    let rotated = first.ask(request("r", "set", "encrypt", rotate)).await;
    assert!(rotated.child_named("error").unwrap().attr_is("code", "406"), "a signature over another key");
    let good = first.ask(request("g", "set", "encrypt", Node::new("rotate").child(keys.skey()))).await;
    assert!(good.attr_is("type", "result"), "{good}");
}

#[tokio::test]
async fn usync_names_devices_lids_and_contacts() {
    let scene = Scene::set(Options::default()).await;
    let mut first = scene.enter_first().await;
    let query = Node::new("query")
        .child(Node::new("devices").attr("version", "2"))
        .child(Node::new("lid"))
        .child(Node::new("contact"))
        .child(Node::new("nonsense"));
    let list = Node::new("list")
        .child(Node::new("user").attr("jid", &scene.ana.link.pn))
        .child(Node::new("user").child(Node::new("contact").text("+15550002")))
        .child(Node::new("user").child(Node::new("contact").text("+15559999")));
    let usync =
        Node::new("usync").attr("sid", "s1").attr("mode", "query").attr("index", "0").attr("last", "true");
    let answer = first.ask(request("u", "get", "usync", usync.child(query).child(list))).await;
    let usync = answer.child_named("usync").unwrap();
    assert!(usync.attr_is("sid", "s1"));
    let unknown = usync.child_named("result").unwrap().child_named("nonsense").unwrap();
    assert!(unknown.child_named("error").unwrap().attr_is("code", "501"));
    let users = usync.child_named("list").unwrap().child_nodes();
    let devices = users[0].child_named("devices").unwrap();
    let numbers: Vec<_> = devices
        .child_named("device-list")
        .unwrap()
        .child_nodes()
        .iter()
        .map(|device| (device.attr_u32("id").unwrap(), device.attr_u32("key-index")))
        .collect();
    assert_eq!(numbers, [(0, None), (1, Some(1)), (2, Some(2))]);
    assert!(devices.child_bytes("key-index-list").is_some());
    assert_eq!(users[0].child_named("lid").unwrap().attr_jid("val"), Some(scene.ana.link.lid.clone()));
    assert_eq!(users[1].attr_jid("jid"), Some(scene.ben.link.pn.clone()));
    let contact = users[1].child_named("contact").unwrap();
    assert!(contact.attr_is("type", "in") && contact.content_text() == Some("+15550002"));
    assert!(users[2].child_named("contact").unwrap().attr_is("type", "out"));
}

#[tokio::test]
async fn contacts_hear_of_new_and_removed_devices() {
    let mut scene = Scene::set(Options::default()).await;
    let mut first = scene.enter_first().await;
    first.send(&scene.to_ben("M1")).await;
    first.expect("ack").await;
    let third = Keys::new(3);
    let device = link(&scene.sandbox, &mut scene.ana, &third).await;
    let is = |tag: &'static str| {
        move |node: &Node| node.attr_is("type", "devices") && node.first_child().unwrap().tag() == tag
    };
    let added = scene.ben.expect_where(is("add")).await;
    let add = added.child_named("add").unwrap();
    let named = add.child_named("device").unwrap();
    assert_eq!(named.attr_jid("jid"), Some(device.clone()));
    assert_eq!(named.attr_jid("lid"), Some(scene.ana.link.lid.with_device(3)));
    assert!(named.attr_is("key-index", "3") && add.child_bytes("key-index-list").is_some(), "{added}");
    let pn = scene.ana.link.pn.user().to_owned();
    let hash = whimbrel_crypto::phash::phash((0..4).map(|number| (pn.as_str(), number, "s.whatsapp.net")));
    assert!(add.attr_is("device_hash", &hash), "{added}");
    scene.sandbox.unlink("15550001:3");
    let removed = scene.ben.expect_where(is("remove")).await;
    let remove = removed.child_named("remove").unwrap();
    assert_eq!(remove.child_named("device").unwrap().attr_jid("jid"), Some(device));
    assert!(remove.child_named("key-index-list").is_some());

    // Whoever keeps the list under the hidden address is told under that one, and the number of a
    // device that is gone is not given to the next.
    let ana = scene.ana.link.lid.clone();
    let query = Node::new("query").child(Node::new("devices").attr("version", "2"));
    let list = Node::new("list").child(Node::new("user").attr("jid", ana.clone()));
    let usync = Node::new("usync").attr("sid", "1").child(query).child(list);
    scene.ben.ask(request("u1", "get", "usync", usync)).await;
    link(&scene.sandbox, &mut scene.ana, &Keys::new(4)).await;
    let added = scene.ben.expect_where(is("add")).await;
    assert!(added.attr_jid("from") == Some(ana.clone()) && added.attr_value("lid").is_none(), "{added}");
    let named = added.child_named("add").unwrap().child_named("device").unwrap();
    assert_eq!(named.attr_jid("jid"), Some(ana.with_device(4)));
}

#[tokio::test]
async fn a_message_key_used_twice_is_noticed() {
    use whimbrel_proto::{ProtoMessage, signal::SignalMessage};
    let scene = Scene::set(Options::default()).await;
    let mut first = scene.enter_first().await;
    let ciphertext = |body: &[u8]| {
        let message = SignalMessage {
            ratchet_key: Some(vec![5; 33]),
            counter: Some(0),
            previous_counter: Some(0),
            ciphertext: Some(body.to_vec()),
        };
        [&[0x33][..], &message.encode_to_vec(), &[0; 8]].concat()
    };
    for (id, body) in [("M1", b"one"), ("M2", b"two")] {
        let enc = Node::new("enc").attr("v", "2").attr("type", "msg").bytes(ciphertext(body));
        let message =
            Node::new("message").attr("id", id).attr("to", &scene.ben.link.lid).attr("type", "text");
        first.send(&message.child(enc)).await;
        first.expect("ack").await;
    }
    let violations = scene.sandbox.violations();
    assert_eq!(violations.len(), 1);
    assert_eq!((violations[0].sender.as_str(), violations[0].id.as_str()), ("15550001:1", "M2"));
}

#[tokio::test]
async fn faults_happen_on_demand() {
    let mut scene = Scene::set(Options::default()).await;
    let mut first = scene.enter_first().await;
    let messages = || StanzaMatch::tag("message");
    let rule = |fault| FaultRule::new(fault).device("15550001:1").stanza(messages());

    scene.sandbox.add_fault(rule(Fault::Refuse { code: 479, text: None, backoff: None }));
    first.send(&scene.to_ben("M1")).await;
    assert!(first.expect("ack").await.attr_is("error", "479"));

    scene.sandbox.add_fault(rule(Fault::SwallowAnswer));
    first.send(&scene.to_ben("M2")).await;
    first.send(&scene.to_ben("M3")).await;
    assert!(first.expect("ack").await.attr_is("id", "M3"), "the ack of M2 is swallowed");
    assert!(scene.ben.expect("message").await.attr_is("id", "M2"), "but M2 was delivered");

    scene.sandbox.add_fault(FaultRule::new(Fault::Corrupt).device("15550002").stanza(messages()));
    first.send(&scene.to_ben("M4")).await;
    scene.ben.expect_where(|node| node.attr_is("id", "M3")).await;
    let corrupted = scene.ben.expect("message").await;
    assert_ne!(body(&corrupted), format!("for {}", scene.ben.link.lid).as_bytes());

    scene.sandbox.add_fault(FaultRule::new(Fault::NoOneTimeKey).device("15550001:1"));
    let key = Node::new("key").child(Node::new("user").attr("jid", &scene.first.1));
    let answer = scene.ben.ask(request("k", "get", "encrypt", key)).await;
    let user = answer.child_named("list").unwrap().child_named("user").unwrap();
    assert!(user.child_named("key").is_none() && user.child_named("skey").is_some(), "{answer}");

    scene.sandbox.add_fault(rule(Fault::StreamError { code: Some(515), conflict: None }));
    first.send(&scene.to_ben("M5")).await;
    let rest = first.rest().await;
    assert!(rest.iter().any(|node| node.tag() == "stream:error" && node.attr_is("code", "515")), "{rest:?}");
    assert!(scene.sandbox.state().faults.is_empty());

    scene.sandbox.add_fault(FaultRule::new(Fault::Failure { reason: 503 }).device("15550001:1"));
    let client = Client::connect(&scene.sandbox, &scene.first.0, &login(&scene.first.1, true)).await;
    assert!(client.rest().await.iter().any(|node| node.attr_is("reason", "503")));
    let mut first = scene.enter_first().await;
    first.send(&scene.to_ben("M5")).await;
    assert!(first.expect("ack").await.attr_is("id", "M5"));
}

#[tokio::test]
async fn strict_mode_refuses_what_no_real_client_sends() {
    let scene = Scene::set(Options { strict: true, ..Options::default() }).await;
    let mut first = scene.enter_first().await;
    let mut typed_as_text = scene.to_ben("M1");
    typed_as_text.set_attr("to", scene.ben.link.lid.to_string());
    first.send(&typed_as_text).await;
    assert!(first.expect("ack").await.attr_is("error", "479"));
    let answer = first.ask(request("x", "get", "no:such:thing", Node::new("y"))).await;
    assert!(answer.child_named("error").unwrap().attr_is("code", "501"), "{answer}");
    let rules: Vec<_> = scene.sandbox.findings().iter().map(|finding| finding.rule).collect();
    assert_eq!(rules, ["address as text", "request refused"]);
}

#[tokio::test]
async fn malformed_stanzas_end_the_stream() {
    let scene = Scene::set(Options::default()).await;
    let mut first = scene.enter_first().await;
    first.send_plaintext(vec![0, 0xf8, 0x03, 0x01]).await;
    let rest = first.rest().await;
    assert!(rest.iter().any(|node| node.child_named("xml-not-well-formed").is_some()), "{rest:?}");
    let mut first = scene.enter_first().await;
    first.send(&Node::new("ack").attr("id", "1")).await;
    let rest = first.rest().await;
    assert!(rest.iter().any(|node| node.child_named("xml-not-well-formed").is_some()), "{rest:?}");
}

#[tokio::test]
async fn equal_seeds_make_equal_services() {
    let (one, two) = (sandbox().await, sandbox().await);
    assert_eq!(one.noise_root(), two.noise_root());
    let lids = [&one, &two].map(|sandbox| TestPhone::attach(sandbox, "15550001").link.lid.clone());
    assert_eq!(lids[0], lids[1]);
}

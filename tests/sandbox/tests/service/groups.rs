//! Groups as devices see them: requests, notifications, messages, receipts, retries.

use std::slice::from_ref;

use crate::support::{Client, Keys, TestPhone, enter, link};
use whimbrel_sandbox::{Addressing, Event, Group, NewGroup, Options, Sandbox};
use whimbrel_wire::{Jid, Node};

/// Ana with a phone and two companions, Ben with a phone and a companion, Cara with a phone. Ana and
/// Ben share a group.
struct Scene {
    sandbox: Sandbox,
    ana: TestPhone,
    ben: TestPhone,
    cara: TestPhone,
    ana_keys: Keys,
    ben_keys: Keys,
    group: Group,
}

const ANA: &str = "15550001";
const BEN: &str = "15550002";
const CARA: &str = "15550003";

impl Scene {
    async fn set(addressing: Addressing) -> Self {
        let sandbox = Sandbox::start(Options::default()).await.unwrap();
        let mut ana = TestPhone::attach(&sandbox, ANA);
        let mut ben = TestPhone::attach(&sandbox, BEN);
        let mut cara = TestPhone::attach(&sandbox, CARA);
        for phone in [&mut ana, &mut ben, &mut cara] {
            phone.upload().await;
        }
        let (ana_keys, ben_keys) = (Keys::new(1), Keys::new(2));
        link(&sandbox, &mut ana, &ana_keys).await;
        link(&sandbox, &mut ana, &Keys::new(3)).await;
        link(&sandbox, &mut ben, &ben_keys).await;
        let group = sandbox
            .create_group(&NewGroup {
                creator: ANA.to_owned(),
                subject: "Birds".to_owned(),
                members: vec![BEN.to_owned()],
                addressing: Some(addressing),
            })
            .unwrap();
        Self { sandbox, ana, ben, cara, ana_keys, ben_keys, group }
    }

    async fn enter_ana(&self) -> Client {
        enter(&self.sandbox, &self.ana_keys, &self.ana.link.pn.with_device(1)).await
    }

    async fn enter_ben(&self) -> Client {
        enter(&self.sandbox, &self.ben_keys, &self.ben.link.pn.with_device(1)).await
    }

    /// All devices of Ana and Ben but Ana's first companion, by LID.
    fn others(&self) -> Vec<Jid> {
        let (ana, ben) = (&self.ana.link.lid, &self.ben.link.lid);
        vec![ana.clone(), ana.with_device(2), ben.clone(), ben.with_device(1)]
    }

    fn phash(&self) -> String {
        self.phash_with(&self.ana.link.lid.with_device(1))
    }

    /// The hash over all devices of Ana and Ben, and this one.
    fn phash_with(&self, more: &Jid) -> String {
        let mut all = self.others();
        all.extend([self.ana.link.lid.with_device(1), more.clone()]);
        all.sort();
        all.dedup();
        whimbrel_crypto::phash::phash(all.iter().map(|jid| (jid.user(), jid.device(), "lid")))
    }

    /// A group message with a sender key for these devices.
    fn message(&self, id: &str, mode: &'static str, keyed: &[Jid]) -> Node {
        let copies = keyed.iter().map(|jid| {
            let enc = Node::new("enc").attr("v", "2").attr("type", "msg");
            Node::new("to").attr("jid", jid).child(enc.bytes(format!("key for {jid}").into_bytes()))
        });
        let participants =
            (!keyed.is_empty()).then(|| Node::new("participants").children(copies.collect::<Vec<_>>()));
        Node::new("message")
            .attr("id", id.to_owned())
            .attr("to", self.group.jid())
            .attr("type", "text")
            .attr("addressing_mode", mode)
            .child_opt(participants)
            .child(Node::new("enc").attr("v", "2").attr("type", "skmsg").bytes(b"for all".to_vec()))
    }
}

fn is_message(id: &'static str) -> impl FnMut(&Node) -> bool {
    move |node| node.tag() == "message" && node.attr_is("id", id)
}

fn change(tag: &'static str) -> impl FnMut(&Node) -> bool {
    move |node| node.attr_is("type", "w:gp2") && node.child_named(tag).is_some()
}

fn ask(id: &str, kind: &'static str, to: Jid, child: Node) -> Node {
    Node::new("iq")
        .attr("id", id.to_owned())
        .attr("type", kind)
        .attr("xmlns", "w:g2")
        .attr("to", to)
        .child(child)
}

fn person(jid: &Jid) -> Node {
    Node::new("participant").attr("jid", jid)
}

/// Types of the ciphertexts in a message.
fn kinds(node: &Node) -> Vec<String> {
    node.children_named("enc").map(|enc| enc.attr_text("type").unwrap().into_owned()).collect()
}

#[tokio::test]
async fn a_made_group_is_told_to_all_but_the_asking_device_and_can_be_queried() {
    let mut scene = Scene::set(Addressing::Lid).await;
    let mut first = scene.enter_ana().await;
    let create = Node::new("create")
        .attr("subject", "Fish")
        .attr("key", "K1")
        .child(person(&scene.ben.link.pn))
        .child(person(&scene.cara.link.lid));
    let answer = first.ask(ask("c1", "set", Jid::GROUPS, create)).await;
    let made = answer.child_named("group").unwrap();
    let id = made.attr_text("id").unwrap().into_owned();
    assert!(id.bytes().all(|byte| byte.is_ascii_digit()), "{made}");
    assert!(made.attr_is("subject", "Fish") && made.attr_is("addressing_mode", "lid"), "{made}");
    assert_eq!(made.attr_jid("creator"), Some(scene.ana.link.lid.clone()));
    assert!(made.child_named("membership_approval_mode").is_none());
    let roles: Vec<_> = made.children_named("participant").map(|entry| entry.attr_text("type")).collect();
    assert_eq!(roles.iter().filter(|role| role.as_deref() == Some("superadmin")).count(), 1);
    assert_eq!(roles.len(), 3);
    for entry in made.children_named("participant") {
        assert!(entry.attr_jid("jid").unwrap().is_lid() && entry.attr_jid("phone_number").unwrap().is_pn());
    }

    let told = scene.cara.expect_where(change("create")).await;
    assert_eq!(told.attr_jid("from"), Some(Jid::group(&id)));
    assert_eq!(told.attr_jid("participant"), Some(scene.ana.link.lid.clone()));
    assert!(told.child_named("create").unwrap().attr_is("key", "K1"));
    assert!(told.child_named("create").unwrap().child_named("group").unwrap().attr_is("id", &id));
    let own = scene
        .ana
        .expect_where(|node| change("create")(node) && node.attr_jid("from") == Some(Jid::group(&id)));
    own.await;

    let query = Node::new("query").attr("request", "interactive");
    let answer = first.ask(ask("q1", "get", Jid::group(&id), query)).await;
    assert!(answer.child_named("group").unwrap().attr_is("size", "3"), "{answer}");
    let all = Node::new("participating").child(Node::new("participants")).child(Node::new("description"));
    let answer = first.ask(ask("q2", "get", Jid::GROUPS, all)).await;
    assert_eq!(answer.child_named("groups").unwrap().children_named("group").count(), 2);
    let mut ben = scene.enter_ben().await;
    let unknown = ben.ask(ask("q3", "get", Jid::group("120363"), Node::new("query"))).await;
    assert!(unknown.child_named("error").unwrap().attr_is("code", "404"), "{unknown}");
}

#[tokio::test]
async fn members_come_and_go_and_everybody_concerned_is_told() {
    let mut scene = Scene::set(Addressing::Lid).await;
    let group = scene.group.jid();
    let mut first = scene.enter_ana().await;
    let add = Node::new("add").child(person(&scene.cara.link.pn)).child(person(&Jid::pn("15559999")));
    let answer = first.ask(ask("a1", "set", group.clone(), add)).await;
    let entries: Vec<_> = answer.child_named("add").unwrap().children_named("participant").collect();
    assert!(entries[0].attr_value("error").is_none() && entries[1].attr_is("error", "404"), "{answer}");
    for phone in [&mut scene.cara, &mut scene.ben] {
        let told = phone.expect_where(change("add")).await;
        let entry = told.child_named("add").unwrap().child_named("participant").unwrap();
        assert_eq!(entry.attr_jid("phone_number"), Some(Jid::pn(CARA)));
    }
    // An ordinary member may not throw others out.
    let remove = |jid: &Jid| Node::new("remove").child(person(jid));
    let mut ben = scene.enter_ben().await;
    let refused = ben.ask(ask("r1", "set", group.clone(), remove(&scene.cara.link.lid))).await;
    assert!(refused.child_named("error").unwrap().attr_is("code", "403"), "{refused}");
    first.ask(ask("r2", "set", group.clone(), remove(&scene.cara.link.lid))).await;
    for phone in [&mut scene.cara, &mut scene.ben] {
        phone.expect_where(change("remove")).await;
    }
    let leave = Node::new("leave").child(Node::new("group").attr("id", group.clone()));
    ben.ask(ask("l1", "set", Jid::GROUPS, leave)).await;
    let told = scene.ana.expect_where(|node| {
        change("remove")(node) && node.attr_jid("participant") == Some(scene.ben.link.lid.clone())
    });
    told.await;
    let query = ben.ask(ask("q1", "get", group, Node::new("query"))).await;
    assert!(query.child_named("error").unwrap().attr_is("code", "403"), "{query}");
    let members = scene.group.state().unwrap().members;
    assert_eq!(members.iter().map(|member| member.number.as_str()).collect::<Vec<_>>(), [ANA]);
}

#[tokio::test]
async fn a_group_message_reaches_every_device_with_its_own_key_before_it() {
    let mut scene = Scene::set(Addressing::Lid).await;
    let (mut first, mut ben) = (scene.enter_ana().await, scene.enter_ben().await);
    let keyed = [scene.ben.link.lid.clone(), scene.ben.link.lid.with_device(1)];
    let message = scene.message("M1", "lid", &keyed).attr("phash", scene.phash());
    first.send(&message).await;
    let ack = first.expect("ack").await;
    assert!(ack.attr_is("class", "message") && ack.attr_value("error").is_none(), "{ack}");
    assert_eq!(ack.attr_jid("from"), Some(scene.group.jid()));
    assert!(ack.attr_value("phash").is_none(), "{ack}");

    let at_ben = ben.expect_where(is_message("M1")).await;
    assert_eq!(at_ben.attr_jid("from"), Some(scene.group.jid()));
    assert_eq!(at_ben.attr_jid("participant"), Some(scene.ana.link.lid.with_device(1)));
    assert_eq!(at_ben.attr_jid("participant_pn"), Some(scene.ana.link.pn.clone()));
    assert!(at_ben.attr_is("addressing_mode", "lid") && at_ben.attr_is("notify", "Phone 15550001"));
    assert_eq!(kinds(&at_ben), ["msg", "skmsg"]);
    let key = format!("key for {}", scene.ben.link.lid.with_device(1));
    assert_eq!(at_ben.child_bytes("enc"), Some(key.as_bytes()));
    // Own devices have the key already.
    let own = scene.ana.expect_where(is_message("M1")).await;
    assert_eq!(kinds(&own), ["skmsg"]);
    assert!(own.attr_value("recipient").is_none());

    // Delivery and reading are told to all of the author's devices.
    let receipt = Node::new("receipt")
        .attr("id", "M1")
        .attr("to", scene.group.jid())
        .attr("participant", scene.ana.link.lid.with_device(1));
    ben.send(&receipt).await;
    ben.send(&receipt.attr("type", "read")).await;
    for kind in [None, Some("read")] {
        let told = first.expect("receipt").await;
        assert_eq!(told.attr_text("type").as_deref(), kind);
        assert_eq!(told.attr_jid("from"), Some(scene.group.jid()));
        assert_eq!(told.attr_jid("participant"), Some(scene.ben.link.lid.with_device(1)));
    }
    scene.ana.expect("receipt").await;
    // The reader's phone learns what was read on the companion.
    let own = scene.ben.expect_where(|node| node.attr_is("type", "read-self")).await;
    assert_eq!(own.attr_jid("participant"), Some(scene.ben.link.lid.with_device(1)));
}

#[tokio::test]
async fn only_members_write_and_only_admins_where_that_is_the_rule() {
    let scene = Scene::set(Addressing::Lid).await;
    let (mut first, mut ben) = (scene.enter_ana().await, scene.enter_ben().await);
    scene.group.set_announce(ANA, true).unwrap();
    assert_eq!(scene.group.set_announce(BEN, false).unwrap_err().code, 403);
    ben.send(&scene.message("M1", "lid", &[])).await;
    assert!(ben.expect("ack").await.attr_is("error", "403"));
    first.send(&scene.message("M2", "lid", &[])).await;
    assert!(first.expect("ack").await.attr_value("error").is_none());
    scene.group.set_announce(ANA, false).unwrap();
    scene.group.remove(ANA, &[BEN]).unwrap();
    ben.send(&scene.message("M3", "lid", &[])).await;
    assert!(ben.expect_where(|node| node.attr_is("id", "M3")).await.attr_is("error", "403"));
}

#[tokio::test]
async fn whoever_names_members_in_the_former_way_is_told_the_present_one() {
    let scene = Scene::set(Addressing::Pn).await;
    let mut first = scene.enter_ana().await;
    first.send(&scene.message("M1", "pn", from_ref(&scene.ben.link.pn))).await;
    assert!(first.expect("ack").await.attr_value("error").is_none());
    scene.group.set_addressing(Addressing::Lid);
    first.send(&scene.message("M2", "pn", from_ref(&scene.ben.link.pn))).await;
    let ack = first.expect("ack").await;
    assert!(ack.attr_is("error", "421") && ack.attr_is("addressing_mode", "lid"), "{ack}");
    first.send(&scene.message("M2", "lid", from_ref(&scene.ben.link.lid))).await;
    assert!(first.expect("ack").await.attr_value("error").is_none());
    first.send(&scene.message("M3", "lid", from_ref(&scene.ben.link.pn))).await;
    assert!(first.expect("ack").await.attr_is("error", "400"), "two spaces in one message");
}

#[tokio::test]
async fn a_second_attempt_after_the_true_hash_reaches_only_those_that_were_left_out() {
    let mut scene = Scene::set(Addressing::Lid).await;
    let (mut first, mut ben) = (scene.enter_ana().await, scene.enter_ben().await);
    let known = scene.ben.link.lid.clone();
    let message = scene.message("M1", "lid", from_ref(&known)).attr("phash", "2:stale123");
    first.send(&message).await;
    let ack = first.expect("ack").await;
    assert!(ack.attr_is("phash", &scene.phash()), "{ack}");
    let missing = scene.ben.link.lid.with_device(1);
    // Whoever joins now was not meant.
    scene.group.add(ANA, &[CARA]).unwrap();
    let again = scene.message("M1", "lid", &[missing, scene.cara.link.lid.clone()]);
    let again = again.attr("phash", scene.phash_with(&scene.cara.link.lid));
    first.send(&again).await;
    assert!(first.expect("ack").await.attr_value("phash").is_none());
    // Now the message is complete: a third one goes nowhere.
    first.send(&again).await;
    first.expect("ack").await;
    first.send(&scene.message("M2", "lid", &[])).await;

    let kinds_seen = [
        kinds(&ben.expect_where(is_message("M1")).await),
        kinds(&ben.expect_where(is_message("M1")).await),
        kinds(&ben.expect("message").await),
    ];
    assert_eq!(kinds_seen, [vec!["skmsg"], vec!["msg", "skmsg"], vec!["skmsg"]]);
    let at_phone = [scene.ben.expect("message").await, scene.ben.expect("message").await];
    assert!(at_phone[0].attr_is("id", "M1") && at_phone[1].attr_is("id", "M2"));
    assert!(scene.cara.expect("message").await.attr_is("id", "M2"), "she joined after the first");
}

#[tokio::test]
async fn a_retry_receipt_goes_to_the_author_device_and_the_answer_to_the_asker_alone() {
    let mut scene = Scene::set(Addressing::Lid).await;
    let (mut first, mut ben) = (scene.enter_ana().await, scene.enter_ben().await);
    first.send(&scene.message("M1", "lid", &[])).await;
    ben.expect_where(is_message("M1")).await;
    let author = scene.ana.link.lid.with_device(1);
    let retry = Node::new("receipt")
        .attr("id", "M1")
        .attr("to", scene.group.jid())
        .attr("participant", author.clone())
        .attr("type", "retry")
        .child(Node::new("retry").attr("v", "1").attr("count", "1").attr("id", "M1"));
    ben.send(&retry).await;
    let told = first.expect_where(|node| node.attr_is("type", "retry")).await;
    let asker = told.attr_jid("participant").unwrap();
    assert_eq!(asker, scene.ben.link.lid.with_device(1));
    assert_eq!(told.attr_jid("from"), Some(scene.group.jid()));
    assert!(told.child_named("retry").is_some());
    let enc = Node::new("enc").attr("v", "2").attr("type", "msg").attr("count", "1");
    let answer = Node::new("message")
        .attr("id", "M1")
        .attr("to", scene.group.jid())
        .attr("participant", asker)
        .attr("type", "text")
        .attr("addressing_mode", "lid")
        .child(enc.bytes(b"again".to_vec()));
    first.send(&answer).await;
    let again = ben.expect_where(is_message("M1")).await;
    assert_eq!(kinds(&again), ["msg"]);
    assert_eq!(again.attr_jid("participant"), Some(author));
    first.send(&scene.message("M2", "lid", &[])).await;
    let at_phone = [scene.ben.expect("message").await, scene.ben.expect("message").await];
    assert!(at_phone[0].attr_is("id", "M1") && at_phone[1].attr_is("id", "M2"), "the phone got the answer");
}

#[tokio::test]
async fn strangers_are_found_but_not_those_who_have_just_left() {
    let scene = Scene::set(Addressing::Lid).await;
    let mut first = scene.enter_ana().await;
    scene.group.add(ANA, &[CARA]).unwrap();
    scene.group.leave(CARA).unwrap();
    first.send(&scene.message("M1", "lid", from_ref(&scene.cara.link.lid))).await;
    first.expect("ack").await;
    assert_eq!(scene.sandbox.findings(), []);
    let stranger = TestPhone::attach(&scene.sandbox, "15550009");
    let odd = [
        scene.ana.link.lid.with_device(1),
        scene.ana.link.lid.clone(),
        scene.ana.link.lid.clone(),
        stranger.link.lid.clone(),
    ];
    first.send(&scene.message("M2", "lid", &odd)).await;
    first.expect("ack").await;
    let rules: Vec<_> = scene.sandbox.findings().iter().map(|finding| finding.rule).collect();
    assert_eq!(rules, ["two copies for one device", "copy for a stranger"]);
}

#[tokio::test]
async fn members_of_a_group_hear_of_each_others_devices() {
    let mut scene = Scene::set(Addressing::Lid).await;
    // Nobody has written to anybody: they only share the group.
    assert!(scene.sandbox.unlink("15550002:1"));
    let gone = |node: &Node| {
        let device = node.child_named("remove").and_then(|gone| gone.child_named("device")?.attr_jid("jid"));
        device == Some(Jid::pn(BEN).with_device(1))
    };
    scene.ana.expect_where(gone).await;
    let mut first = scene.enter_ana().await;
    first.send(&scene.message("M1", "lid", &[]).attr("phash", scene.phash())).await;
    assert!(first.expect("ack").await.attr_value("phash").is_some());
}

#[tokio::test]
async fn settings_are_changed_once_and_told_in_one_notification_each() {
    let mut scene = Scene::set(Addressing::Lid).await;
    let group = scene.group.jid();
    let mut first = scene.enter_ana().await;
    let mut set = async |id: &str, child: Node| first.ask(ask(id, "set", group.clone(), child)).await;
    let answer = set("s1", Node::new("subject").bytes(b"Seabirds".to_vec())).await;
    assert!(answer.attr_is("type", "result"), "{answer}");
    let told = scene.ben.expect_where(change("subject")).await;
    assert!(told.child_named("subject").unwrap().attr_is("subject", "Seabirds"));
    assert!(told.child_named("subject").unwrap().attr_value("s_t").is_some());
    let body = |text: &str| Node::new("body").bytes(text.as_bytes().to_vec());
    set("s2", Node::new("description").attr("id", "D1").child(body("gulls"))).await;
    let lost = set("s3", Node::new("description").attr("id", "D2").child(body("terns"))).await;
    assert!(lost.child_named("error").unwrap().attr_is("code", "409"), "{lost}");
    set("s4", Node::new("announcement")).await;
    let told = scene.ben.expect_where(change("announcement")).await;
    assert!(told.child_named("announcement").unwrap().attr_value("v_id").is_some());
    set("s5", Node::new("announcement")).await;
    set("s6", Node::new("not_announcement")).await;
    scene
        .ben
        .expect_where(|node| {
            assert!(!change("announcement")(node), "told twice: {node}");
            change("not_announcement")(node)
        })
        .await;
    let strange = set("s7", Node::new("levitation")).await;
    assert!(strange.child_named("error").unwrap().attr_is("code", "501"));
}

#[tokio::test]
async fn the_link_lets_people_in_until_it_is_reset() {
    let mut scene = Scene::set(Addressing::Lid).await;
    let group = scene.group.jid();
    let mut first = scene.enter_ana().await;
    let answer = first.ask(ask("i1", "get", group.clone(), Node::new("invite"))).await;
    let code = answer.child_named("invite").unwrap().attr_text("code").unwrap().into_owned();
    let invite = |code: &str| Node::new("invite").attr("code", code.to_owned());
    let info = scene.cara.ask(ask("i2", "get", Jid::GROUPS, invite(&code))).await;
    assert!(info.child_named("group").unwrap().attr_is("subject", "Birds"), "{info}");
    let joined = scene.cara.ask(ask("i3", "set", Jid::GROUPS, invite(&code))).await;
    assert_eq!(joined.child_named("group").unwrap().attr_jid("jid"), Some(group.clone()));
    let told = scene.ben.expect_where(change("add")).await;
    assert!(told.child_named("add").unwrap().attr_is("reason", "invite"));
    let reset = first.ask(ask("i4", "set", group.clone(), Node::new("invite"))).await;
    assert!(!reset.child_named("invite").unwrap().attr_is("code", &code));
    let gone = scene.cara.ask(ask("i5", "get", Jid::GROUPS, invite(&code))).await;
    assert!(gone.child_named("error").unwrap().attr_is("code", "410"), "{gone}");

    // With approval on, whoever comes by the link waits for an admin.
    scene.group.remove(ANA, &[CARA]).unwrap();
    let approval = Node::new("membership_approval_mode").child(Node::new("group_join").attr("state", "on"));
    first.ask(ask("i6", "set", group.clone(), approval)).await;
    let link = scene.group.state().unwrap().link;
    let waits = scene.cara.ask(ask("i7", "set", Jid::GROUPS, invite(&link))).await;
    assert!(waits.child_named("membership_approval_request").is_some(), "{waits}");
    first.expect_where(change("created_membership_requests")).await;
    let list = first.ask(ask("i8", "get", group.clone(), Node::new("membership_approval_requests"))).await;
    let list = list.child_named("membership_approval_requests").unwrap();
    assert_eq!(list.first_child().unwrap().attr_jid("jid"), Some(scene.cara.link.lid.clone()));
    let approve = Node::new("approve").child(person(&scene.cara.link.lid));
    first.ask(ask("i9", "set", group, Node::new("membership_requests_action").child(approve))).await;
    assert_eq!(scene.group.state().unwrap().members.len(), 3);
}

#[tokio::test]
async fn changes_are_in_the_log_and_unknown_people_are_refused() {
    let scene = Scene::set(Addressing::Pn).await;
    let state = scene.group.state().unwrap();
    assert_eq!((state.addressing_mode, state.subject.as_str()), ("pn", "Birds"));
    scene.group.add(ANA, &[CARA]).unwrap();
    let added = Event::GroupChanged {
        group: scene.group.jid().to_string(),
        change: "add".to_owned(),
        by: ANA.to_owned(),
        members: vec![CARA.to_owned()],
    };
    assert!(scene.sandbox.events().after(0).iter().any(|(_, event)| *event == added));
    assert_eq!(scene.group.add(ANA, &[CARA]).unwrap_err().code, 409);
    assert_eq!(scene.group.add(ANA, &["15559999"]).unwrap_err().code, 404);
    assert_eq!(scene.group.leave("15559999").unwrap_err().code, 404);
    let nobody = NewGroup { creator: "15559999".to_owned(), ..NewGroup::default() };
    assert_eq!(scene.sandbox.create_group(&nobody).unwrap_err().code, 404);
    assert!(scene.sandbox.find_group(&Jid::group("120363")).is_none());
}

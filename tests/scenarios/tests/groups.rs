//! Groups: made, looked up, changed, and kept in step with what others change.

#![expect(clippy::unwrap_used, reason = "a panic in a scenario is the report of its failure")]

use whimbrel::events::GroupChange;
use whimbrel::{
    Addressing, CallOptions, Client, Code, Engine, Group, GroupOptions, Jid, Outcome, Role, SendOptions,
};
use whimbrel_sandbox::phone::Phone;
use whimbrel_sandbox::{Event, Fault, FaultRule, StanzaMatch};
use whimbrel_scenarios::{
    ANNA, BEN, CARA, DAN, DEADLINE, Wait as _, World, device_label, next_group_change as next_changed,
    next_joined, next_left, next_message, pn, send,
};
use whimbrel_wire::Node;

const NOBODY: &str = "31600000000";

/// Anna has an engine beside her phone; the others have phones only.
struct Scene {
    world: World,
    engine: Engine,
    client: Client,
    anna: Phone,
    ben: Phone,
    cara: Phone,
}

impl Scene {
    async fn set() -> Self {
        let world = World::start().await;
        let engine = world.engine();
        let (client, anna) = world.linked(&engine, ANNA).await;
        let ben = world.sandbox.phone(BEN).await.unwrap();
        let cara = world.sandbox.phone(CARA).await.unwrap();
        Self { world, engine, client, anna, ben, cara }
    }

    /// A group that somebody made on a phone.
    fn make(&self, creator: &str, members: &[&str]) -> whimbrel_sandbox::Group {
        self.make_addressed(creator, members, whimbrel_sandbox::Addressing::Lid)
    }

    fn make_addressed(
        &self,
        creator: &str,
        members: &[&str],
        addressing: whimbrel_sandbox::Addressing,
    ) -> whimbrel_sandbox::Group {
        self.world.group(creator, members, Some(addressing))
    }

    async fn known(&self, group: &Jid) -> Group {
        self.client.group(group, false, CallOptions::default()).await.unwrap()
    }

    fn device(&self) -> String {
        device_label(&self.client, ANNA)
    }

    /// The next questions about groups are not answered: whatever works, works without them.
    fn no_questions(&self) {
        let question = StanzaMatch::request("w:g2").kind("get");
        let refused = Fault::Refuse { code: 500, text: None, backoff: None };
        self.world.sandbox.add_fault(FaultRule::new(refused).device(self.device()).stanza(question).times(9));
    }

    async fn end(self) {
        self.world.assert_no_findings();
        self.engine.close(DEADLINE).await.unwrap();
    }
}

fn roles(group: &Group) -> Vec<(String, Role)> {
    let phone =
        |participant: &whimbrel::Participant| participant.who.phone.as_ref().unwrap().user().to_owned();
    let mut roles: Vec<_> =
        group.participants.iter().map(|participant| (phone(participant), participant.role)).collect();
    roles.sort_by(|one, other| one.0.cmp(&other.0));
    roles
}

fn expected(roles: &[(&str, Role)]) -> Vec<(String, Role)> {
    let mut roles: Vec<_> = roles.iter().map(|(number, role)| ((*number).to_owned(), *role)).collect();
    roles.sort_by(|one, other| one.0.cmp(&other.0));
    roles
}

#[tokio::test]
async fn a_group_is_made_looked_up_and_written_to() {
    let scene = Scene::set().await;
    let mut setup = GroupOptions::default();
    (setup.announce, setup.locked, setup.ephemeral_seconds) = (true, true, 86_400);
    let people = [pn(BEN), scene.cara.lid(), pn(BEN), pn(NOBODY)];
    let created = scene.client.create_group("Birds", &people, setup, CallOptions::default()).await.unwrap();
    let group = created.group;
    assert_eq!((group.subject.as_str(), group.addressing), ("Birds", Addressing::Lid));
    assert!(group.announce && group.locked && group.ephemeral_seconds == 86_400 && group.created_at > 0);
    assert_eq!(group.creator.as_ref().unwrap().id, scene.anna.lid());
    let all = [(ANNA, Role::SuperAdmin), (BEN, Role::Member), (CARA, Role::Member)];
    assert_eq!(roles(&group), expected(&all));
    let refused: Vec<_> = created.refused.iter().map(|entry| (entry.who.id.clone(), entry.refused)).collect();
    assert_eq!(refused, [(pn(NOBODY), Some(404))]);

    // What the answer said is enough from now on.
    scene.no_questions();
    assert_eq!(scene.known(&group.id).await, group);
    send(&scene.client, &group.id, "who flies?").await;
    for phone in [&scene.ben, &scene.cara, &scene.anna] {
        assert_eq!(phone.next_message(DEADLINE).await.unwrap().text, "who flies?");
    }
    scene.world.sandbox.clear_faults();
    let asked = scene.client.group(&group.id, true, CallOptions::default()).await.unwrap();
    assert_eq!(asked, group);
    let all = scene.client.groups(CallOptions::default()).await.unwrap();
    assert_eq!(all, [group]);
    scene.end().await;
}

#[tokio::test]
async fn members_come_go_and_rise() {
    for addressing in [whimbrel_sandbox::Addressing::Lid, whimbrel_sandbox::Addressing::Pn] {
        let scene = Scene::set().await;
        let dan = scene.world.sandbox.phone(DAN).await.unwrap();
        let group = scene.make_addressed(ANNA, &[BEN], addressing).jid();
        let options = CallOptions::default;
        scene.known(&group).await;
        let added = scene
            .client
            .add_participants(&group, &[pn(CARA), dan.lid(), pn(BEN), pn(NOBODY)], options())
            .await
            .unwrap();
        let added: Vec<_> = added.into_iter().map(|entry| (entry.who.phone, entry.refused)).collect();
        let done = |number| (Some(pn(number)), None);
        assert_eq!(added, [done(CARA), done(DAN), done(BEN), (Some(pn(NOBODY)), Some(404))]);
        let promoted = scene.client.promote_participants(&group, &[pn(CARA)], options()).await.unwrap();
        assert_eq!(promoted[0].refused, None);
        let members =
            [(ANNA, Role::SuperAdmin), (BEN, Role::Member), (CARA, Role::Admin), (DAN, Role::Member)];
        assert_eq!(roles(&scene.known(&group).await), expected(&members));
        send(&scene.client, &group, "five").await;
        for phone in [&scene.ben, &scene.cara, &dan] {
            assert_eq!(phone.next_message(DEADLINE).await.unwrap().text, "five");
        }

        let demoted = scene.client.demote_participants(&group, &[scene.cara.lid()], options()).await.unwrap();
        assert_eq!((demoted[0].refused, &demoted[0].who.lid), (None, &Some(scene.cara.lid())));
        let removed =
            scene.client.remove_participants(&group, &[pn(DAN), pn(NOBODY)], options()).await.unwrap();
        assert_eq!((removed[0].refused, removed[1].refused), (None, Some(404)));
        let members = [(ANNA, Role::SuperAdmin), (BEN, Role::Member), (CARA, Role::Member)];
        assert_eq!(roles(&scene.known(&group).await), expected(&members));

        // The key was made anew: whoever is still in it gets it, and the one who left does not.
        send(&scene.client, &group, "four").await;
        for phone in [&scene.ben, &scene.cara] {
            assert_eq!(phone.next_message(DEADLINE).await.unwrap().text, "four");
        }
        assert_eq!(dan.messages_after(1, std::time::Duration::ZERO).await, []);
        // What the service has is the same.
        let asked = scene.client.group(&group, true, options()).await.unwrap();
        assert_eq!(roles(&asked), expected(&members));
        scene.end().await;
    }
}

#[tokio::test]
async fn a_group_is_renamed_and_left() {
    let scene = Scene::set().await;
    let group = scene.make(ANNA, &[BEN]);
    let jid = group.jid();
    scene.known(&jid).await;
    scene.client.set_group_subject(&jid, "Owls", CallOptions::default()).await.unwrap();
    assert_eq!(group.state().unwrap().subject, "Owls");
    scene.no_questions();
    let known = scene.known(&jid).await;
    assert_eq!((known.subject.as_str(), known.subject_author.unwrap().id), ("Owls", scene.anna.lid()));
    scene.world.sandbox.clear_faults();
    scene.client.leave_group(&jid, CallOptions::default()).await.unwrap();
    let members: Vec<_> = group.state().unwrap().members.into_iter().map(|member| member.number).collect();
    assert_eq!(members, [BEN]);
    for result in [
        scene.client.group(&jid, false, CallOptions::default()).await.map(drop),
        scene.client.send_text(&jid, "still there?", SendOptions::default()).await.map(drop),
    ] {
        assert_eq!(result.unwrap_err().code(), Code::Forbidden);
    }
    let again = scene.client.leave_group(&jid, CallOptions::default()).await.unwrap_err();
    assert_eq!((again.code(), again.service_status()), (Code::NotFound, 404));
    scene.end().await;
}

#[tokio::test]
async fn what_is_not_allowed_is_told_apart() {
    let scene = Scene::set().await;
    let group = scene.make(BEN, &[ANNA, CARA]);
    let foreign = scene.make(BEN, &[CARA]);
    let (client, options) = (&scene.client, CallOptions::default);
    let error = |result: Result<_, whimbrel::Error>| {
        let error = result.unwrap_err();
        (error.code(), error.service_status(), error.outcome())
    };
    let forbidden = (Code::Forbidden, 403, Outcome::Refused);
    let cara = [pn(CARA)];
    assert_eq!(error(client.remove_participants(&group.jid(), &cara, options()).await.map(drop)), forbidden);
    assert_eq!(error(client.promote_participants(&group.jid(), &cara, options()).await.map(drop)), forbidden);
    assert_eq!(error(client.group(&foreign.jid(), false, options()).await.map(drop)), forbidden);
    assert_eq!(error(client.add_participants(&foreign.jid(), &cara, options()).await.map(drop)), forbidden);
    let unknown = Jid::group("120363999999999999");
    let not_found = (Code::NotFound, 404, Outcome::Refused);
    assert_eq!(error(client.group(&unknown, false, options()).await.map(drop)), not_found);
    group.set_locked(BEN, true).unwrap();
    assert_eq!(error(client.set_group_subject(&group.jid(), "Mine", options()).await), forbidden);
    let long = "x".repeat(101);
    let refused = (Code::Refused, 406, Outcome::Refused);
    let made = client.create_group(&long, &[], GroupOptions::default(), options()).await;
    assert_eq!(error(made.map(drop)), refused);

    let usage = |result: Result<(), whimbrel::Error>| result.unwrap_err().code();
    assert_eq!(usage(client.group(&pn(BEN), false, options()).await.map(drop)), Code::InvalidArgument);
    assert_eq!(
        usage(client.add_participants(&group.jid(), &[], options()).await.map(drop)),
        Code::InvalidArgument
    );
    let no_person = [group.jid()];
    let added = client.add_participants(&group.jid(), &no_person, options()).await;
    assert_eq!(usage(added.map(drop)), Code::InvalidArgument);
    assert_eq!(usage(client.set_group_subject(&group.jid(), "", options()).await), Code::InvalidArgument);
    scene.end().await;
}

/// An operation of the service's side, and what the host is told of it.
#[tokio::test]
async fn what_others_change_is_told_and_known() {
    let scene = Scene::set().await;
    let dan = scene.world.sandbox.phone(DAN).await.unwrap();
    let mut events = scene.client.events().unwrap();
    let group = scene.make(BEN, &[ANNA, CARA]);
    let joined = next_joined(&mut events).await;
    assert_eq!((joined.chat.id, joined.subject.as_deref()), (group.jid(), Some("Birds")));
    let author = joined.author.unwrap();
    assert_eq!((author.id, author.phone), (scene.ben.lid(), Some(scene.ben.jid())));
    // The announcement has everything in it.
    scene.no_questions();

    let person = |phone: &Phone| whimbrel::Identity {
        id: phone.lid(),
        phone: Some(phone.jid()),
        lid: Some(phone.lid()),
    };
    group.add(BEN, &[DAN]).unwrap();
    assert_eq!(next_changed(&mut events).await.change, GroupChange::Added(vec![person(&dan)]));
    group.promote(BEN, &[CARA]).unwrap();
    assert_eq!(next_changed(&mut events).await.change, GroupChange::Promoted(vec![person(&scene.cara)]));
    group.demote(BEN, &[CARA]).unwrap();
    assert_eq!(next_changed(&mut events).await.change, GroupChange::Demoted(vec![person(&scene.cara)]));
    group.set_subject(BEN, "Owls").unwrap();
    let renamed = next_changed(&mut events).await;
    assert_eq!(renamed.change, GroupChange::Subject("Owls".to_owned()));
    assert_eq!(renamed.author, Some(person(&scene.ben)));
    assert!(renamed.timestamp > 0 && renamed.chat.id == group.jid());
    group.set_locked(BEN, true).unwrap();
    assert_eq!(next_changed(&mut events).await.change, GroupChange::Locked(true));
    group.set_announce(BEN, true).unwrap();
    assert_eq!(next_changed(&mut events).await.change, GroupChange::Announce(true));
    group.set_announce(BEN, false).unwrap();
    assert_eq!(next_changed(&mut events).await.change, GroupChange::Announce(false));
    group.remove(BEN, &[DAN]).unwrap();
    assert_eq!(next_changed(&mut events).await.change, GroupChange::Removed(vec![person(&dan)]));
    group.leave(CARA).unwrap();
    assert_eq!(next_changed(&mut events).await.change, GroupChange::Left(vec![person(&scene.cara)]));

    let known = scene.known(&group.jid()).await;
    assert_eq!(roles(&known), expected(&[(ANNA, Role::Member), (BEN, Role::SuperAdmin)]));
    assert_eq!((known.subject.as_str(), known.locked, known.announce), ("Owls", true, false));

    group.remove(BEN, &[ANNA]).unwrap();
    let left = next_left(&mut events).await;
    assert_eq!((left.chat.id, left.reason.as_ref()), (group.jid(), "removed"));
    scene.world.sandbox.clear_faults();
    let gone = scene.client.group(&group.jid(), false, CallOptions::default()).await.unwrap_err();
    assert_eq!(gone.code(), Code::Forbidden);
    group.add(BEN, &[ANNA]).unwrap();
    assert_eq!(next_joined(&mut events).await.chat.id, group.jid());
    let known = scene.known(&group.jid()).await;
    assert_eq!(roles(&known), expected(&[(ANNA, Role::Member), (BEN, Role::SuperAdmin)]));
    // Left on the phone of the same account.
    group.leave(ANNA).unwrap();
    assert_eq!(next_left(&mut events).await.reason, "left");
    scene.end().await;
}

#[tokio::test]
async fn what_changed_while_away_is_told_and_known_afterwards() {
    let scene = Scene::set().await;
    let group = scene.make(ANNA, &[BEN, CARA]);
    let jid = group.jid();
    send(&scene.client, &jid, "three").await;
    assert_eq!(scene.cara.next_message(DEADLINE).await.unwrap().text, "three");
    let mut events = scene.client.events().unwrap();
    next_joined(&mut events).await;
    scene.client.disconnect();
    let device = scene.device();
    scene.world.wait(|event| matches!(event, Event::Disconnected { device: gone } if *gone == device)).await;
    let dan = scene.world.sandbox.phone(DAN).await.unwrap();
    group.remove(ANNA, &[CARA]).unwrap();
    group.add(ANNA, &[DAN]).unwrap();
    group.set_subject(ANNA, "Owls").unwrap();
    scene.no_questions();
    scene.client.wait_online().await;
    for wanted in ["removed", "added", "subject"] {
        let told = match next_changed(&mut events).await.change {
            GroupChange::Removed(who) => ("removed", who.len()),
            GroupChange::Added(who) => ("added", who.len()),
            GroupChange::Subject(_) => ("subject", 1),
            other => panic!("something else changed: {other:?}"),
        };
        assert_eq!(told, (wanted, 1));
    }
    let members = [(ANNA, Role::SuperAdmin), (BEN, Role::Member), (DAN, Role::Member)];
    assert_eq!(roles(&scene.known(&jid).await), expected(&members));
    send(&scene.client, &jid, "new three").await;
    assert_eq!(dan.next_message(DEADLINE).await.unwrap().text, "new three");
    assert_eq!(scene.ben.next_message(DEADLINE).await.unwrap().text, "three");
    assert_eq!(scene.ben.next_message(DEADLINE).await.unwrap().text, "new three");
    assert_eq!(scene.cara.messages_after(1, std::time::Duration::ZERO).await, []);
    scene.end().await;
}

#[tokio::test]
async fn messages_of_a_group_that_nobody_told_of_arrive_and_can_be_answered() {
    let scene = Scene::set().await;
    let unheard = StanzaMatch::tag("notification").kind("w:gp2");
    let swallow = FaultRule::new(Fault::Swallow).device(scene.device()).stanza(unheard).times(2);
    scene.world.sandbox.add_fault(swallow);
    let group = scene.make(BEN, &[ANNA, CARA]);
    let mut events = scene.client.events().unwrap();
    scene.ben.send_text(&group.jid().to_string(), "do you hear me?").await.unwrap();
    let message = next_message(&mut events).await;
    assert_eq!((message.chat.id, message.text.as_deref()), (group.jid(), Some("do you hear me?")));
    assert_eq!(message.sender.id, scene.ben.lid());
    // Nor that somebody came: a hash of the service tells it, or the list that is asked for now.
    scene.world.sandbox.phone(DAN).await.unwrap();
    group.add(BEN, &[DAN]).unwrap();
    send(&scene.client, &group.jid(), "yes").await;
    for phone in [&scene.ben, &scene.cara, &scene.world.sandbox.find_phone(DAN).unwrap()] {
        phone.wait_message(|message| message.text == "yes", DEADLINE).await.unwrap();
    }
    assert_eq!(scene.known(&group.jid()).await.participants.len(), 4);
    scene.end().await;
}

#[tokio::test]
async fn groups_that_are_out_of_date_are_fetched_again() {
    let scene = Scene::set().await;
    let group = scene.make(ANNA, &[BEN]);
    let other = scene.make(ANNA, &[CARA]);
    let mut events = scene.client.events().unwrap();
    next_joined(&mut events).await;
    next_joined(&mut events).await;
    let unheard = StanzaMatch::tag("notification").kind("w:gp2");
    let swallow = FaultRule::new(Fault::Swallow).device(scene.device()).stanza(unheard).times(2);
    scene.world.sandbox.add_fault(swallow);
    group.add(ANNA, &[CARA]).unwrap();
    other.leave(ANNA).unwrap();
    assert_eq!(scene.known(&group.jid()).await.participants.len(), 2);

    // The bit is cleared when everything was fetched: that is when the answer is swallowed.
    let clean = StanzaMatch::request("urn:xmpp:whatsapp:dirty");
    let device = scene.device();
    scene.world.sandbox.add_fault(FaultRule::new(Fault::SwallowAnswer).device(&device).stanza(clean));
    let dirty = Node::new("dirty").attr("type", "groups").attr("timestamp", "1795176000");
    assert!(scene.world.sandbox.inject(&device, Node::new("ib").attr("from", Jid::SERVER).child(dirty)));
    scene
        .world
        .wait(|event| matches!(event, Event::FaultApplied { fault, .. } if fault == "SwallowAnswer"))
        .await;
    scene.world.sandbox.clear_faults();
    assert_eq!(scene.known(&group.jid()).await.participants.len(), 3);
    let gone = scene.client.group(&other.jid(), false, CallOptions::default()).await.unwrap_err();
    assert_eq!(gone.code(), Code::Forbidden);
    scene.end().await;
}

#[tokio::test]
async fn another_way_of_addressing_is_noticed() {
    let scene = Scene::set().await;
    let mut events = scene.client.events().unwrap();
    let group = scene.make_addressed(BEN, &[ANNA], whimbrel_sandbox::Addressing::Pn);
    next_joined(&mut events).await;
    assert_eq!(scene.known(&group.jid()).await.addressing, Addressing::PhoneNumber);
    group.set_addressing(whimbrel_sandbox::Addressing::Lid);
    group.set_subject(BEN, "Owls").unwrap();
    assert_eq!(next_changed(&mut events).await.change, GroupChange::Addressing(Addressing::Lid));
    assert_eq!(next_changed(&mut events).await.change, GroupChange::Subject("Owls".to_owned()));
    let known = scene.known(&group.jid()).await;
    assert_eq!((known.addressing, known.participants.len()), (Addressing::Lid, 2));
    send(&scene.client, &group.jid(), "hello").await;
    assert_eq!(scene.ben.next_message(DEADLINE).await.unwrap().text, "hello");
    scene.end().await;
}

#[tokio::test]
async fn an_answer_that_a_return_to_the_group_overtook_fails_no_message() {
    let scene = Scene::set().await;
    let group = scene.make(BEN, &[ANNA]);
    let mut events = scene.client.events().unwrap();
    next_joined(&mut events).await;
    group.remove(BEN, &[ANNA]).unwrap();
    next_left(&mut events).await;
    // The service says that Anna is no member, and the answer is on its way while she becomes one again.
    let late = FaultRule::new(Fault::DelayAnswer { ms: 1000 }).device(scene.device());
    scene.world.sandbox.add_fault(late.stanza(StanzaMatch::request("w:g2").kind("get")));
    let (client, chat) = (scene.client.clone(), group.jid());
    let sending = tokio::spawn(async move { client.send_text(&chat, "back", SendOptions::default()).await });
    scene.world.wait(|event| matches!(event, Event::FaultApplied { .. })).await;
    group.add(BEN, &[ANNA]).unwrap();
    next_joined(&mut events).await;
    sending.await.unwrap().unwrap();
    assert_eq!(scene.ben.next_message(DEADLINE).await.unwrap().text, "back");
    scene.engine.close(DEADLINE).await.unwrap();
}

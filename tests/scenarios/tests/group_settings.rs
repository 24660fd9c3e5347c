//! Settings of groups, looking groups up, reports and suspensions: as one client changes them and another
//! one is told.

#![expect(clippy::unwrap_used, reason = "a panic in a scenario is the report of its failure")]

use whimbrel::events::{EventStream, GroupChange};
use whimbrel::{CallOptions, Client, Code, Engine, Group, GroupOptions, GroupSetting, Jid, Outcome};
use whimbrel_sandbox::{Fault, FaultRule, StanzaMatch};
use whimbrel_scenarios::{
    ANNA, BEN, CARA, DEADLINE, World, device_label, next_group_change as next_changed, next_joined, pn,
};
use whimbrel_wire::Node;

/// A picture, of which the client makes what the service takes.
const GIF: &[u8] = include_bytes!("../../vectors/media/animated.gif");

/// Anna and Ben, each with an engine's client, in a group that Anna made.
struct Scene {
    world: World,
    engine: Engine,
    anna: Client,
    ben: Client,
    heard: EventStream,
    group: whimbrel_sandbox::Group,
}

impl Scene {
    async fn set() -> Self {
        let world = World::start().await;
        let engine = world.engine();
        let (anna, _) = world.linked(&engine, ANNA).await;
        let (ben, _) = world.linked(&engine, BEN).await;
        world.sandbox.phone(CARA).await.unwrap();
        let mut heard = ben.events().unwrap();
        let group = world.group(ANNA, &[BEN], None);
        next_joined(&mut heard).await;
        Self { world, engine, anna, ben, heard, group }
    }

    fn jid(&self) -> Jid {
        self.group.jid()
    }

    async fn fresh(&self, client: &Client) -> Group {
        client.group(&self.jid(), true, CallOptions::default()).await.unwrap()
    }

    /// What a client has without asking.
    async fn known(&self, client: &Client) -> Group {
        client.group(&self.jid(), false, CallOptions::default()).await.unwrap()
    }

    /// The next questions of a client about groups are not answered: whatever works, works without them.
    fn no_questions(&self, client: &Client, number: &str) {
        let question = StanzaMatch::request("w:g2").kind("get");
        let refused = Fault::Refuse { code: 500, text: None, backoff: None };
        let device = device_label(client, number);
        self.world.sandbox.add_fault(FaultRule::new(refused).device(device).stanza(question).times(99));
    }

    async fn end(self) {
        self.world.assert_no_findings();
        self.engine.close(DEADLINE).await.unwrap();
    }
}

const SETTINGS: [GroupSetting; 10] = [
    GroupSetting::Announce,
    GroupSetting::Locked,
    GroupSetting::ApprovalRequired,
    GroupSetting::MembersMayAdd,
    GroupSetting::MembersMayInvite,
    GroupSetting::MembersMayShareHistory,
    GroupSetting::SharingLimited,
    GroupSetting::ForwardingLimited,
    GroupSetting::HistoryShared,
    GroupSetting::AdminReports,
];

fn is_on(group: &Group, setting: GroupSetting) -> bool {
    match setting {
        GroupSetting::Announce => group.announce,
        GroupSetting::Locked => group.locked,
        GroupSetting::ApprovalRequired => group.approval_required,
        GroupSetting::MembersMayAdd => group.members_may_add,
        GroupSetting::MembersMayInvite => group.members_may_invite,
        GroupSetting::MembersMayShareHistory => group.members_may_share_history,
        GroupSetting::SharingLimited => group.sharing_limited,
        GroupSetting::ForwardingLimited => group.forwarding_limited,
        GroupSetting::HistoryShared => group.history_shared,
        GroupSetting::AdminReports => group.admin_reports,
        _ => group.members_may_create_groups,
    }
}

fn change(setting: GroupSetting, on: bool) -> GroupChange {
    match setting {
        GroupSetting::Announce => GroupChange::Announce(on),
        GroupSetting::Locked => GroupChange::Locked(on),
        GroupSetting::ApprovalRequired => GroupChange::ApprovalRequired(on),
        GroupSetting::MembersMayAdd => GroupChange::MembersMayAdd(on),
        GroupSetting::MembersMayInvite => GroupChange::MembersMayInvite(on),
        GroupSetting::MembersMayShareHistory => GroupChange::MembersMayShareHistory(on),
        GroupSetting::SharingLimited => GroupChange::SharingLimited(on),
        GroupSetting::ForwardingLimited => GroupChange::ForwardingLimited(on),
        GroupSetting::HistoryShared => GroupChange::HistoryShared(on),
        GroupSetting::AdminReports => GroupChange::AdminReports(on),
        _ => GroupChange::MembersMayCreateGroups(on),
    }
}

#[tokio::test]
async fn every_setting_is_changed_told_and_known() {
    let mut scene = Scene::set().await;
    let at_first = scene.fresh(&scene.anna).await;
    for setting in SETTINGS {
        let wanted = !is_on(&at_first, setting);
        for on in [wanted, !wanted] {
            let done = scene.anna.set_group_setting(&scene.jid(), setting, on, CallOptions::default()).await;
            done.unwrap();
            assert_eq!(next_changed(&mut scene.heard).await.change, change(setting, on), "{setting:?}");
            assert_eq!(is_on(&scene.fresh(&scene.anna).await, setting), on, "{setting:?}");
            scene.no_questions(&scene.anna, ANNA);
            scene.no_questions(&scene.ben, BEN);
            assert_eq!(is_on(&scene.known(&scene.anna).await, setting), on, "{setting:?}");
            assert_eq!(is_on(&scene.known(&scene.ben).await, setting), on, "{setting:?}");
            scene.world.sandbox.clear_faults();
        }
    }
    // Who is no admin changes none of them.
    for setting in SETTINGS {
        let error = scene.ben.set_group_setting(&scene.jid(), setting, true, CallOptions::default()).await;
        assert_eq!(error.unwrap_err().code(), Code::Forbidden, "{setting:?}");
    }
    let only_communities = GroupSetting::MembersMayCreateGroups;
    let error =
        scene.anna.set_group_setting(&scene.jid(), only_communities, true, CallOptions::default()).await;
    assert_eq!(error.unwrap_err().code(), Code::Refused);
    scene.end_expecting("request refused").await;
}

impl Scene {
    /// The end of a scene in which requests were malformed on purpose.
    async fn end_expecting(self, rule: &str) {
        assert!(self.world.sandbox.findings().iter().all(|finding| finding.rule == rule));
        self.engine.close(DEADLINE).await.unwrap();
    }
}

#[tokio::test]
async fn a_description_is_written_replaced_and_taken_away() {
    let mut scene = Scene::set().await;
    let (jid, options) = (scene.jid(), CallOptions::default);
    scene.anna.set_group_description(&jid, Some("all birds"), options()).await.unwrap();
    let told = next_changed(&mut scene.heard).await;
    assert_eq!(told.change, GroupChange::Description(Some("all birds".to_owned())));
    let description = scene.known(&scene.ben).await.description.unwrap();
    assert_eq!((description.text.as_str(), description.author.unwrap().phone), ("all birds", Some(pn(ANNA))));
    // Ben knows the id of it from the announcement, and replaces it.
    scene.ben.set_group_description(&jid, Some("some birds"), options()).await.unwrap();
    assert_eq!(scene.fresh(&scene.anna).await.description.unwrap().text, "some birds");

    // Anna does not hear that Ben changed it, and does not overwrite it.
    let unheard = StanzaMatch::tag("notification").kind("w:gp2");
    let device = device_label(&scene.anna, ANNA);
    scene.world.sandbox.add_fault(FaultRule::new(Fault::Swallow).device(device).stanza(unheard));
    scene.ben.set_group_description(&jid, Some("no birds"), options()).await.unwrap();
    let lost = scene.anna.set_group_description(&jid, Some("mine"), options()).await.unwrap_err();
    assert_eq!((lost.code(), lost.service_status(), lost.outcome()), (Code::Refused, 409, Outcome::Refused));
    assert_eq!(scene.known(&scene.anna).await.description.unwrap().text, "no birds");
    scene.anna.set_group_description(&jid, None, options()).await.unwrap();
    assert_eq!(next_changed(&mut scene.heard).await.change, GroupChange::Description(None));
    assert_eq!(scene.known(&scene.ben).await.description, None);
    let long = "x".repeat(2049);
    let error = scene.anna.set_group_description(&jid, Some(&long), options()).await.unwrap_err();
    assert_eq!(error.service_status(), 406);
    scene.end().await;
}

#[tokio::test]
async fn a_group_is_made_with_every_option() {
    let scene = Scene::set().await;
    let mut setup = GroupOptions::default();
    (setup.announce, setup.locked, setup.approval_required) = (true, true, true);
    setup.ephemeral_seconds = 604_800;
    setup.description = Some("who may what".to_owned());
    (setup.members_may_add, setup.members_may_invite) = (Some(false), Some(false));
    let options = CallOptions::default;
    let group = scene.anna.create_group("Owls", &[pn(BEN)], setup, options()).await.unwrap().group;
    assert!(group.announce && group.locked && group.approval_required && group.ephemeral_seconds == 604_800);
    assert!(!group.members_may_add && !group.members_may_invite && group.size == 2);
    assert_eq!(group.description.as_ref().unwrap().text, "who may what");
    assert_eq!(scene.anna.group(&group.id, true, options()).await.unwrap(), group);
    scene.end().await;
}

#[tokio::test]
async fn groups_are_looked_up_together_and_compared() {
    let scene = Scene::set().await;
    let options = CallOptions::default;
    let foreign = scene.world.group(BEN, &[CARA], None).jid();
    let unknown = Jid::group("120363999999999999");
    let named = [scene.jid(), foreign.clone(), unknown.clone()];
    let found = scene.anna.groups_named(&named, options()).await.unwrap();
    let told: Vec<_> = found.iter().map(|one| (one.id.clone(), one.refused, one.group.is_some())).collect();
    assert_eq!(told, [(scene.jid(), None, true), (foreign, Some(403), false), (unknown, Some(404), false)]);

    // The members are the same: nothing is fetched, and what is known is told.
    let known = scene.known(&scene.anna).await;
    assert_eq!(scene.anna.check_group(&scene.jid(), options()).await.unwrap(), known);
    let unheard = StanzaMatch::tag("notification").kind("w:gp2");
    let device = device_label(&scene.anna, ANNA);
    scene.world.sandbox.add_fault(FaultRule::new(Fault::Swallow).device(device).stanza(unheard));
    scene.group.add(ANNA, &[CARA]).unwrap();
    assert_eq!(scene.known(&scene.anna).await.participants.len(), 2);
    assert_eq!(scene.anna.check_group(&scene.jid(), options()).await.unwrap().participants.len(), 3);
    assert_eq!(scene.known(&scene.anna).await.participants.len(), 3);

    assert_eq!(scene.anna.group_pictures(&[scene.jid()], options()).await.unwrap(), []);
    let id = scene.anna.set_picture(Some(&scene.jid()), GIF.to_vec(), options()).await.unwrap();
    let pictures = scene.anna.group_pictures(&[scene.jid()], options()).await.unwrap();
    assert_eq!((pictures[0].group.clone(), &pictures[0].id), (scene.jid(), &id));
    assert!(pictures[0].url.is_some() && pictures[0].direct_path.is_some());
    for empty in [
        scene.anna.groups_named(&[], options()).await.map(drop),
        scene.anna.group_pictures(&[pn(BEN)], options()).await.map(drop),
    ] {
        assert_eq!(empty.unwrap_err().code(), Code::InvalidArgument);
    }
    scene.end().await;
}

#[tokio::test]
async fn reports_reach_the_admins() {
    let mut scene = Scene::set().await;
    let (jid, options) = (scene.jid(), CallOptions::default);
    let mut admin = scene.anna.events().unwrap();
    let named = ["3EB0AA".to_owned(), "3EB0BB".to_owned()];
    let off = scene.ben.report_to_admins(&jid, &named, options()).await.unwrap_err();
    assert_eq!(off.code(), Code::Forbidden);
    scene.anna.set_group_setting(&jid, GroupSetting::AdminReports, true, options()).await.unwrap();
    next_changed(&mut scene.heard).await;
    assert_eq!(scene.ben.report_to_admins(&jid, &named, options()).await.unwrap(), []);
    assert_eq!(next_changed(&mut admin).await.change, GroupChange::Reported);
    let reported = scene.anna.reported_messages(&jid, options()).await.unwrap();
    let told: Vec<_> = reported.iter().map(|message| message.message_id.as_str()).collect();
    assert_eq!(told, ["3EB0AA", "3EB0BB"]);
    assert!(reported[0].reported_at > 0 && reported[0].by[0].phone == Some(pn(BEN)));
    assert_eq!(scene.ben.reported_messages(&jid, options()).await.unwrap_err().code(), Code::Forbidden);
    let nothing = scene.ben.report_to_admins(&jid, &[], options()).await.unwrap_err();
    assert_eq!(nothing.code(), Code::InvalidArgument);
    scene.ben.confirm_group(&jid, options()).await.unwrap();
    scene.end().await;
}

#[tokio::test]
async fn a_suspended_group_is_told_and_can_be_appealed_for() {
    let mut scene = Scene::set().await;
    let (jid, options) = (scene.jid(), CallOptions::default);
    scene.group.set_suspended(true);
    assert_eq!(next_changed(&mut scene.heard).await.change, GroupChange::Suspended(true));
    assert!(scene.known(&scene.ben).await.is_suspended);
    let locked = scene.anna.set_group_subject(&jid, "Owls", options()).await.unwrap_err();
    assert_eq!(locked.service_status(), 423);
    scene.anna.appeal_group_suspension(&jid, "only birds", options()).await.unwrap();
    let again = scene.anna.appeal_group_suspension(&jid, "only birds", options()).await.unwrap_err();
    assert_eq!((again.code(), again.service_status()), (Code::Refused, 409));
    let member = scene.ben.appeal_group_suspension(&jid, "please", options()).await.unwrap_err();
    assert_eq!(member.code(), Code::Forbidden);
    scene.group.set_suspended(false);
    assert_eq!(next_changed(&mut scene.heard).await.change, GroupChange::Suspended(false));
    // What is announced and not known is told by its name, and the group asked for.
    scene.group.announce(&Node::new("something_new"));
    let told = next_changed(&mut scene.heard).await.change;
    assert_eq!(told, GroupChange::Other("something_new".to_owned()));
    assert!(!scene.known(&scene.ben).await.is_suspended);
    scene.end().await;
}

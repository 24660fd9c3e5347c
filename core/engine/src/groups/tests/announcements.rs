//! What announcements change, and what the host is told.

use whimbrel_wire::Node;

use super::forms::{from_xml, vectors};
use super::*;
use crate::events::{EventKind, GroupChange, GroupRelation, GrowthLock, Identity, JoinRequestState};
use crate::groups::query;
use crate::messages::tests::Side;

const TIME: i64 = 1_795_176_000;

/// This device, in a group of three with one version of its list.
struct Scene {
    side: Side,
    count: u32,
}

fn third(role: Role) -> Member {
    let phone = jid("5511777777777@s.whatsapp.net");
    Member { id: jid("333222111000999@lid"), twin: Some(phone), role }
}

fn known() -> GroupRow {
    GroupRow {
        subject: "Birds".to_owned(),
        addressing: Addressing::Lid,
        members: vec![me(Role::SuperAdmin), peer(Role::Admin), third(Role::Member)],
        version: Some("2".to_owned()),
        fetched_at: TIME - 100,
        ..GroupRow::default()
    }
}

impl Scene {
    fn new(row: Option<GroupRow>) -> Self {
        let mut side = Side::new("111222333444555", 1);
        side.account.phone = Some(jid("5511999999999:1@s.whatsapp.net"));
        if let Some(row) = row {
            side.unit(|unit| query::store(unit, &group(), row));
        }
        Self { side, count: 0 }
    }

    fn announce(&mut self, child: Node) -> Vec<EventKind> {
        self.count += 1;
        self.announce_as(&format!("N{}", self.count), child, TIME)
    }

    fn announce_as(&mut self, id: &str, child: Node, time: i64) -> Vec<EventKind> {
        let node = Node::new("notification")
            .attr("type", "w:gp2")
            .attr("id", id.to_owned())
            .attr("from", group())
            .attr("participant", peer(Role::Member).id)
            .attr("t", u64::try_from(time).unwrap())
            .child(child);
        self.take(&node)
    }

    fn take(&mut self, node: &Node) -> Vec<EventKind> {
        let ((), replies, events) =
            self.side.handle(|unit, replies| crate::notices::notification(unit, node, replies));
        assert_eq!(replies.len(), 1);
        assert!(replies[0].attr_is("class", "notification") && replies[0].attr_is("type", "w:gp2"));
        events
    }

    fn row(&mut self) -> Option<GroupRow> {
        self.side.restart();
        self.side.unit(|unit| unit.group(&group())).0.map(|row| (*row).clone())
    }
}

fn changes(events: Vec<EventKind>) -> Vec<GroupChange> {
    let change = |kind| match kind {
        EventKind::GroupChanged(changed) => {
            assert_eq!((changed.chat.id, changed.timestamp), (group(), TIME));
            changed.change
        }
        other => panic!("no change: {other:?}"),
    };
    events.into_iter().map(change).collect()
}

fn identity(member: &Member) -> Identity {
    Identity { id: member.id.clone(), phone: member.twin.clone(), lid: Some(member.id.clone()) }
}

fn about(action: &'static str, member: &Member) -> Node {
    let participant =
        Node::new("participant").attr("jid", &member.id).attr_opt("phone_number", member.twin.as_ref());
    Node::new(action).child(participant)
}

fn versioned(node: Node, after: &'static str, before: &'static str) -> Node {
    node.attr("v_id", after).attr("prev_v_id", before)
}

fn community() -> Jid {
    jid("120363049999999999@g.us")
}

/// Children that no vector has, and what the host is told of each.
#[test]
fn every_other_announcement_is_told() {
    let word = |tag: &'static str, text: &'static str| Node::new(tag).text(text);
    for (child, change) in [
        (word("member_link_mode", "all_member_link"), GroupChange::MembersMayInvite(true)),
        (word("member_share_group_history_mode", "admin_share"), GroupChange::MembersMayShareHistory(false)),
        (Node::new("limit_sharing_enabled").attr("trigger", "1"), GroupChange::SharingLimited(true)),
        (Node::new("no_frequently_forwarded"), GroupChange::ForwardingLimited(true)),
        (Node::new("frequently_forwarded_ok"), GroupChange::ForwardingLimited(false)),
        (Node::new("group_history"), GroupChange::HistoryShared(true)),
        (Node::new("no_group_history"), GroupChange::HistoryShared(false)),
        (Node::new("allow_admin_reports"), GroupChange::AdminReports(true)),
        (Node::new("not_allow_admin_reports"), GroupChange::AdminReports(false)),
        (Node::new("allow_non_admin_sub_group_creation"), GroupChange::MembersMayCreateGroups(true)),
        (Node::new("not_allow_non_admin_sub_group_creation"), GroupChange::MembersMayCreateGroups(false)),
        (Node::new("growth_unlocked"), GroupChange::GrowthLock(None)),
        (Node::new("suspended"), GroupChange::Suspended(true)),
        (Node::new("unsuspended"), GroupChange::Suspended(false)),
        (Node::new("reports"), GroupChange::Reported),
        (Node::new("auto_add_disabled"), GroupChange::AutoAddDisabled),
        (Node::new("is_capi_hosted_group"), GroupChange::BusinessHosted),
        (Node::new("group_safety_check"), GroupChange::SafetyCheck),
        (Node::new("missing_participant_identification"), GroupChange::ParticipantUnidentified),
        (
            about("linked_group_demote", &peer(Role::Member)),
            GroupChange::LinkedDemoted(None, vec![identity(&peer(Role::Member))]),
        ),
    ] {
        let mut scene = Scene::new(Some(known()));
        assert_eq!(changes(scene.announce(child.clone())), [change], "{child}");
        assert!(!scene.row().unwrap().stale, "{child}");
    }
}

#[test]
fn what_is_told_of_a_group_is_kept() {
    let mut scene = Scene::new(Some(known()));
    scene.announce(Node::new("suspended"));
    scene.announce(Node::new("growth_locked").attr("type", "invite").attr("expiration", "9"));
    scene.announce(Node::new("group_history"));
    let parent =
        Node::new("group").attr("jid", community()).attr("subject", "All").child(Node::new("hidden_group"));
    scene.announce(Node::new("link").attr("link_type", "parent_group").child(parent.clone()));
    let row = scene.row().unwrap();
    assert!(row.suspended && row.switches.has(GroupSetting::HistoryShared) && !row.stale);
    assert_eq!((row.growth_lock.unwrap().until, row.community), (Some(9), Some(community())));
    scene.announce(Node::new("growth_unlocked"));
    let unlink =
        Node::new("unlink").attr("unlink_type", "parent_group").attr("unlink_reason", "delete_parent");
    scene.announce(unlink.child(parent));
    let row = scene.row().unwrap();
    assert_eq!((row.growth_lock, row.community), (None, None));
}

#[test]
fn requests_of_others_and_own_ones_are_told_apart() {
    let state = |child: Node| {
        let mut scene = Scene::new(Some(known()));
        let events = scene.announce(child);
        let [EventKind::JoinRequest(request)] = &events[..] else { panic!("no request: {events:?}") };
        (request.state, request.people.len())
    };
    let revoked = |member: &Member| about("revoked_membership_requests", member);
    assert_eq!(state(revoked(&third(Role::Member))), (JoinRequestState::Rejected, 1));
    assert_eq!(state(revoked(&peer(Role::Member))), (JoinRequestState::Withdrawn, 1));
    let own = Node::new("membership_approval_request").attr("request_method", "invite_link");
    assert_eq!(state(own), (JoinRequestState::Own, 0));
}

#[test]
fn suggestions_are_told_with_all_that_is_known() {
    let suggestion = from_xml(
        "<sub_group_suggestion jid=\"120363048888888888@g.us\" creator=\"999888777666555@lid\" creation=\"7\" \
         reason=\"approved\"><subject>Gulls</subject><description><body>white</body></description>\
         <is_existing_group/><participant_count>4</participant_count></sub_group_suggestion>",
    );
    for (tag, open) in [("created_sub_group_suggestion", true), ("revoked_sub_group_suggestions", false)] {
        let mut scene = Scene::new(Some(known()));
        let events = scene.announce(Node::new(tag).child(suggestion.clone()));
        let [EventKind::GroupSuggested(told)] = &events[..] else { panic!("not told: {events:?}") };
        assert_eq!((told.open, told.reason.as_deref()), (open, Some("approved")));
        let told = &told.suggestions[0];
        assert_eq!((told.id.user(), told.subject.as_str()), ("120363048888888888", "Gulls"));
        assert_eq!((told.description.as_deref(), told.created_at), (Some("white"), 7));
        assert_eq!((told.creator.clone(), told.size), (Some(identity(&peer(Role::Member))), Some(4)));
        assert!(told.is_existing && !told.is_hidden);
    }
}

/// Every announcement of the vectors, and what the host is told of it.
#[test]
fn every_announcement_is_told() {
    let vectors = vectors("features-requests");
    let (me, peer, third) = (me(Role::Member), peer(Role::Member), third(Role::Member));
    let people = |member: &Member| vec![identity(member)];
    let lock = GrowthLock { reason: Some("invite".to_owned()), until: Some(1_795_999_999) };
    let renamed = GroupChange::Subject("A".to_owned());
    let stranger = Identity { id: jid("444@lid"), phone: None, lid: Some(jid("444@lid")) };
    let expected = [
        ("add other", vec![GroupChange::Added(people(&third))]),
        ("remove", vec![GroupChange::Removed(people(&third))]),
        ("remove self-leave", vec![GroupChange::Left(people(&peer))]),
        ("promote", vec![GroupChange::Promoted(people(&me))]),
        ("demote", vec![GroupChange::Demoted(people(&me))]),
        ("modify", vec![GroupChange::NumberChanged(vec![stranger])]),
        ("subject", vec![GroupChange::Subject("Renamed".to_owned())]),
        ("description", vec![GroupChange::Description(Some("about".to_owned()))]),
        ("description delete", vec![GroupChange::Description(None)]),
        ("locked", vec![GroupChange::Locked(true)]),
        ("unlocked", vec![GroupChange::Locked(false)]),
        ("announcement", vec![GroupChange::Announce(true)]),
        ("not_announcement", vec![GroupChange::Announce(false)]),
        ("ephemeral", vec![GroupChange::Ephemeral(86_400)]),
        ("not_ephemeral", vec![GroupChange::Ephemeral(0)]),
        ("invite", vec![GroupChange::InviteLink("NEWCODE".to_owned())]),
        ("member_add_mode", vec![GroupChange::MembersMayAdd(true)]),
        ("membership_approval_mode on", vec![GroupChange::ApprovalRequired(true)]),
        ("revoke", vec![GroupChange::InvitationsRevoked(people(&peer))]),
        ("growth_locked", vec![GroupChange::GrowthLock(Some(lock))]),
        ("linked_group_promote", vec![GroupChange::LinkedPromoted(Some(community()), people(&peer))]),
        ("two children", vec![renamed, GroupChange::Locked(true)]),
    ];
    let mut told = 0;
    for entry in vectors["inbound"].as_array().unwrap() {
        let Some(name) = entry["name"].as_str().unwrap().strip_prefix("w:gp2 ") else { continue };
        let mut scene = Scene::new(Some(known()));
        let events = scene.take(&from_xml(entry["stanza"].as_str().unwrap()));
        told += 1;
        match name {
            "create" | "add self (reason invite)" | "delete" => {
                assert_eq!(events.len(), 1, "{name}");
                let left = matches!(&events[0], EventKind::GroupLeft(left) if left.reason == "deleted");
                let joined = matches!(&events[0], EventKind::GroupJoined(_));
                // Whom the list has already, it cannot have again.
                assert!(left == (name == "delete") && joined == (name == "create"), "{name}");
            }
            "created_membership_requests" | "revoked_membership_requests" => {
                let [EventKind::JoinRequest(request)] = &events[..] else { panic!("{name}: {events:?}") };
                let created = name.starts_with("created");
                let state = if created { JoinRequestState::Created } else { JoinRequestState::Withdrawn };
                assert_eq!((request.state, &request.people), (state, &people(&peer)));
                assert_eq!(request.method.as_deref(), created.then_some("invite_link"));
            }
            "link sub_group" | "unlink" => {
                let [EventKind::GroupLinked(linked)] = &events[..] else { panic!("{name}: {events:?}") };
                assert_eq!((linked.linked, linked.relation), (name != "unlink", GroupRelation::Group));
                assert_eq!((&linked.groups[0].id, linked.groups[0].subject.as_str()), (&community(), "Sub"));
                assert_eq!(linked.reason.as_deref(), (name == "unlink").then_some("unlink_group"));
            }
            _ => {
                let expected = expected.iter().find(|(listed, _)| *listed == name);
                assert_eq!(changes(events), expected.unwrap().1, "{name}");
            }
        }
    }
    assert_eq!(told, expected.len() + 7);
}

#[test]
fn a_new_group_is_known_from_its_announcement() {
    let vectors = vectors("features-requests");
    let mut scene = Scene::new(None);
    let create = from_xml(vectors["inbound"][0]["stanza"].as_str().unwrap());
    let [EventKind::GroupJoined(joined)] = &scene.take(&create)[..] else { panic!("not joined") };
    assert_eq!(joined.subject.as_deref(), Some("New group"));
    assert_eq!(joined.author, Some(identity(&peer(Role::Member))));
    let row = scene.row().unwrap();
    assert_eq!(row.members, [peer(Role::SuperAdmin), me(Role::Member)]);
    assert!(!row.stale);
    // The addresses of its members are learned with it.
    let lid = scene.side.unit(|unit| unit.lid_of(peer(Role::Member).twin.as_ref().unwrap())).0;
    assert_eq!(lid, Some(peer(Role::Member).id));
}

#[test]
fn the_list_follows_changes_that_come_next() {
    let mut scene = Scene::new(Some(known()));
    let fourth = Member { id: jid("444@lid"), twin: Some(jid("4400@s.whatsapp.net")), role: Role::Member };
    scene.announce(versioned(about("add", &fourth), "3", "2"));
    scene.announce(versioned(about("remove", &third(Role::Member)), "4", "3"));
    scene.announce(about("promote", &fourth));
    scene.announce(about("demote", &peer(Role::Member)));
    let row = scene.row().unwrap();
    let fourth = Member { role: Role::Admin, ..fourth };
    assert_eq!(row.members, [me(Role::SuperAdmin), peer(Role::Member), fourth]);
    assert_eq!((row.version.as_deref(), row.stale), (Some("4"), false));
}

#[test]
fn members_are_kept_under_the_kind_of_address_of_the_group() {
    let mut scene = Scene::new(Some(known()));
    let by_phone =
        Node::new("participant").attr("jid", jid("4400@s.whatsapp.net")).attr("lid", jid("444@lid"));
    scene.announce(versioned(Node::new("add").child(by_phone), "3", "2"));
    let row = scene.row().unwrap();
    assert_eq!(row.members.last().unwrap().id, jid("444@lid"));
    assert!(!row.stale);
    let unknown = Node::new("participant").attr("jid", jid("5500@s.whatsapp.net"));
    scene.announce(versioned(Node::new("add").child(unknown), "4", "3"));
    assert!(scene.row().unwrap().stale);
}

#[test]
fn what_does_not_fit_marks_the_group_and_changes_nothing() {
    let fourth = Member { id: jid("444@lid"), twin: None, role: Role::Member };
    for child in [
        // A version is missing in between.
        versioned(about("add", &fourth), "4", "3"),
        // Somebody is removed or promoted who is not in the list.
        versioned(about("remove", &fourth), "3", "2"),
        about("promote", &fourth),
        // A number changed, from or to what is told.
        about("modify", &third(Role::Member)),
        Node::new("add"),
        Node::new("something_new"),
        Node::new("link").attr("link_type", "parent_group"),
        Node::new("link").attr("link_type", "cousin_group"),
        Node::new("member_add_mode").text("whoever"),
    ] {
        let mut scene = Scene::new(Some(known()));
        scene.announce(child.clone());
        let row = scene.row().unwrap();
        assert_eq!((row.members.as_slice(), row.stale), (known().members.as_slice(), true), "{child}");
    }
    // Without versions the list may be newer than the announcement.
    let mut scene = Scene::new(Some(GroupRow { fetched_at: TIME + 1, version: None, ..known() }));
    scene.announce(about("add", &fourth));
    assert!(scene.row().unwrap().stale);
}

#[test]
fn what_the_list_has_already_is_not_applied_twice() {
    let mut scene = Scene::new(Some(GroupRow { version: Some("5".to_owned()), ..known() }));
    let events = scene.announce(versioned(about("remove", &third(Role::Member)), "4", "3"));
    assert_eq!(changes(events).len(), 1);
    let row = scene.row().unwrap();
    assert_eq!((row.members.len(), row.stale), (3, false));
}

#[test]
fn an_announcement_that_comes_again_is_told_once() {
    let mut scene = Scene::new(Some(known()));
    let removed = versioned(about("remove", &third(Role::Member)), "3", "2");
    assert_eq!(scene.announce_as("N", removed.clone(), TIME).len(), 1);
    scene.side.restart();
    assert_eq!(scene.announce_as("N", removed, TIME), []);
    // Another one under the same id is another one.
    assert_eq!(scene.announce_as("N", Node::new("locked"), TIME).len(), 1);
    let row = scene.row().unwrap();
    assert_eq!((row.members.len(), row.switches.has(GroupSetting::Locked), row.stale), (2, true, false));
}

#[test]
fn own_removal_ends_it_and_a_new_beginning_is_asked_for() {
    for (author, reason) in [(peer(Role::Member), "removed"), (me(Role::Member), "left")] {
        let mut scene = Scene::new(Some(known()));
        let node = Node::new("notification")
            .attr("type", "w:gp2")
            .attr("id", "1")
            .attr("from", group())
            .attr("participant", author.id)
            .attr("t", "1795176000")
            .child(about("remove", &me(Role::Member)));
        let [EventKind::GroupLeft(left)] = &scene.take(&node)[..] else { panic!("not left") };
        assert_eq!(left.reason, reason);
        assert_eq!(scene.row(), None);
        let events = scene.announce(about("add", &me(Role::Member)));
        assert!(matches!(events[..], [EventKind::GroupJoined(_)]));
        assert_eq!(scene.row(), None);
    }
}

#[test]
fn another_kind_of_address_is_told_and_the_members_asked_for() {
    let mut scene = Scene::new(Some(known()));
    let node = Node::new("notification")
        .attr("type", "w:gp2")
        .attr("id", "1")
        .attr("from", group())
        .attr("t", "1795176000")
        .attr("addressing_mode", "pn");
    let events = scene.take(&node);
    assert_eq!(changes(events), [GroupChange::Addressing(Addressing::PhoneNumber)]);
    let row = scene.row().unwrap();
    assert!(row.stale && row.addressing == Addressing::PhoneNumber);
}

#[test]
fn settings_are_kept_unless_newer_ones_are_known() {
    let mut scene = Scene::new(Some(known()));
    scene.announce(Node::new("subject").attr("subject", "Owls").attr("s_t", "1795176000"));
    scene.announce(Node::new("subject").attr("subject", "late").attr("s_t", "1795175999"));
    scene.announce(Node::new("announcement"));
    scene.announce(Node::new("ephemeral").attr("expiration", "604800"));
    let row = scene.row().unwrap();
    let announce = row.switches.has(GroupSetting::Announce);
    assert_eq!((row.subject.as_str(), announce, row.ephemeral), ("Owls", true, 604_800));
    let mut scene = Scene::new(Some(GroupRow { fetched_at: TIME + 1, ..known() }));
    scene.announce(Node::new("announcement"));
    let row = scene.row().unwrap();
    assert!(row.stale && !row.switches.has(GroupSetting::Announce));
}

#[test]
fn an_answer_that_an_announcement_overtook_is_known_as_such() {
    let mut scene = Scene::new(Some(known()));
    let (before, _) = scene.side.unit(|unit| Ok(unit.announcements()));
    let since =
        |scene: &mut Scene, group: &Jid| scene.side.unit(|unit| Ok(unit.announced_since(group, before))).0;
    assert!(!since(&mut scene, &group()));
    scene.announce(Node::new("locked"));
    assert!(since(&mut scene, &group()) && !since(&mut scene, &jid("1-2@g.us")));
    for _ in 0..40 {
        scene.announce(Node::new("unlocked"));
    }
    // So many that nobody remembers which groups they were about.
    assert!(since(&mut scene, &jid("1-2@g.us")));
}

//! Requests as other clients send them.

use serde_json::{Value, json};
use whimbrel_wire::{Jid, Node};

use super::forms::{comparable, from_json, vectors};
use super::{group, jid, peer};
use crate::groups::communities::{self, CommunityOptions};
use crate::groups::create::GroupOptions;
use crate::groups::invites::Invitation;
use crate::groups::notice::What;
use crate::groups::row::{Member, Role};
use crate::groups::stanza::{self, Draft, Shape, invites, requests, settings};
use crate::groups::switch::GroupSetting;
use crate::mex;

fn community() -> Jid {
    jid("120363049999999999@g.us")
}

fn by_lid() -> Member {
    Member { twin: None, ..peer(Role::Member) }
}

fn by_phone() -> Member {
    Member { id: jid("5511888888888@s.whatsapp.net"), twin: None, role: Role::Member }
}

/// What another client sends for an operation, as its last stanza.
fn theirs(vectors: &Value, client: &str, operation: &str) -> Node {
    let stanzas = vectors["requests"][client][operation]["stanzas"].as_array();
    from_json(stanzas.unwrap_or_else(|| panic!("{client} has no {operation}")).last().unwrap())
}

fn switch(setting: GroupSetting, on: bool) -> Node {
    settings::setting(&group(), setting, on).unwrap()
}

#[test]
fn requests_are_those_that_other_clients_send() {
    let vectors = vectors("features-requests");
    let one = [by_lid()];
    let invitation = Invitation::new(group(), "V4CODE", 1_795_400_000, by_phone().id);
    let built = [
        ("GetGroupInfo", stanza::query(&group(), None)),
        ("GetJoinedGroups", stanza::participating()),
        ("LeaveGroup", stanza::leave(&group())),
        ("SetGroupName", settings::subject(&group(), "New subject")),
        (
            "SetGroupTopic(previous given)",
            settings::description(&group(), "D2", Some("D1"), Some("New text")),
        ),
        ("SetGroupTopic(delete)", settings::description(&group(), "D2", Some("D1"), None)),
        ("SetGroupLocked(true)", switch(GroupSetting::Locked, true)),
        ("SetGroupLocked(false)", switch(GroupSetting::Locked, false)),
        ("SetGroupAnnounce(true)", switch(GroupSetting::Announce, true)),
        ("SetGroupAnnounce(false)", switch(GroupSetting::Announce, false)),
        ("SetGroupMemberAddMode(admin_add)", switch(GroupSetting::MembersMayAdd, false)),
        ("SetGroupJoinApprovalMode(true)", switch(GroupSetting::ApprovalRequired, true)),
        ("SetGroupJoinApprovalMode(false)", switch(GroupSetting::ApprovalRequired, false)),
        ("UpdateGroupParticipants(add)", stanza::participants(&group(), What::Added, &[peer(Role::Member)])),
        ("UpdateGroupParticipants(remove)", stanza::participants(&group(), What::Removed, &one)),
        ("UpdateGroupParticipants(promote)", stanza::participants(&group(), What::Promoted, &one)),
        ("UpdateGroupParticipants(demote)", stanza::participants(&group(), What::Demoted, &one)),
        ("GetGroupRequestParticipants", requests::list(&group())),
        ("UpdateGroupRequestParticipants(approve)", requests::decide(&group(), true, &[peer(Role::Member)])),
        ("UpdateGroupRequestParticipants(reject)", requests::decide(&group(), false, &one)),
        ("GetGroupInviteLink", invites::link(&group())),
        ("GetGroupInviteLink(reset)", invites::reset_link(&group())),
        ("GetGroupInfoFromLink", invites::preview_link("INVITECODE")),
        ("JoinGroupWithLink", invites::join_by_link("INVITECODE")),
        ("GetGroupInfoFromInvite", invites::preview_invitation(&invitation)),
        ("JoinGroupWithInvite", invites::accept_invitation(&invitation)),
        ("LinkGroup", communities::stanza::link(&community(), &[group()], false)),
        ("UnlinkGroup", communities::stanza::unlink(&community(), &[group()], false)),
        ("GetSubGroups", communities::stanza::groups(&community())),
        ("GetLinkedGroupsParticipants", communities::stanza::participants(&community())),
    ];
    for (operation, built) in built {
        let theirs = theirs(&vectors, "whatsmeow", operation);
        assert_eq!(comparable(&built), comparable(&theirs), "{operation}");
    }
}

#[test]
fn requests_that_fewer_clients_have_are_theirs() {
    let vectors = vectors("features-requests");
    let everywhere = stanza::participants_everywhere(&community(), &[by_phone()]);
    for (client, operation, built) in [
        ("baileys", "groupRevokeInviteV4", invites::revoke_invitations(&group(), &[by_phone()])),
        ("baileys", "communityLeave", stanza::leave_community(&community())),
        ("baileys", "communityParticipantsUpdate(remove)", everywhere),
        ("zapo", "group.setMemberLinkMode", switch(GroupSetting::MembersMayInvite, true)),
        ("zapo", "group.setMemberShareGroupHistoryMode", switch(GroupSetting::MembersMayShareHistory, true)),
        (
            "zapo",
            "group.setSetting(no_frequently_forwarded,true)",
            switch(GroupSetting::ForwardingLimited, true),
        ),
        (
            "zapo",
            "group.setSetting(no_frequently_forwarded,false)",
            switch(GroupSetting::ForwardingLimited, false),
        ),
        ("zapo", "group.setSetting(group_history,true)", switch(GroupSetting::HistoryShared, true)),
        ("zapo", "group.setSetting(group_history,false)", switch(GroupSetting::HistoryShared, false)),
        ("zapo", "group.setSetting(allow_admin_reports,true)", switch(GroupSetting::AdminReports, true)),
        ("zapo", "group.setSetting(allow_admin_reports,false)", switch(GroupSetting::AdminReports, false)),
        (
            "zapo",
            "group.setSetting(allow_non_admin_sub_group_creation,true)",
            switch(GroupSetting::MembersMayCreateGroups, true),
        ),
        (
            "zapo",
            "group.setSetting(allow_non_admin_sub_group_creation,false)",
            switch(GroupSetting::MembersMayCreateGroups, false),
        ),
        ("zapo", "group.deactivateCommunity", communities::stanza::deactivate(&community())),
        ("zapo", "group.unlinkSubGroups", communities::stanza::unlink(&community(), &[group()], true)),
        ("zapo", "group.joinLinkedGroup", communities::stanza::join(&community(), &group())),
        ("zapo", "group.cancelMembershipRequests", requests::cancel(&group(), &by_lid().id)),
    ] {
        assert_eq!(comparable(&built), comparable(&theirs(&vectors, client, operation)), "{operation}");
    }
}

/// The variables of a request of the GraphQL interface, and its number.
fn graph(node: &Node) -> (String, Value) {
    let query = node.child_named("query").unwrap();
    let body: Value = serde_json::from_str(query.content_text().unwrap()).unwrap();
    (query.attr_text("query_id").unwrap().into_owned(), body["variables"].clone())
}

#[test]
fn operations_of_the_graph_are_asked_for_as_another_client_does() {
    let vectors = vectors("features-requests");
    let about = communities::stanza::about(&community());
    // One client names a group beside it as a hint, which is left out here.
    let mut hinted = about.clone();
    hinted["sub_group_hint_id"] = json!(group().to_string());
    let appeal = stanza::reports::appeal(&group(), "r");
    for (operation, (name, _), variables) in [
        ("group.fetchSubGroups", communities::stanza::GROUPS, about),
        ("group.fetchSubgroupSuggestions", communities::stanza::SUGGESTIONS, hinted),
        (
            "group.transferCommunityOwnership",
            communities::stanza::TRANSFER,
            communities::stanza::transfer(&community(), &by_lid().id),
        ),
        ("group.submitGroupSuspensionAppeal", stanza::reports::APPEAL, appeal),
    ] {
        let built = mex::request(name, &variables).unwrap();
        assert_eq!(graph(&built), graph(&theirs(&vectors, "zapo", operation)), "{operation}");
    }
    let limit = settings::property(&group(), GroupSetting::SharingLimited, true).unwrap();
    assert_eq!(limit["update"]["limit_sharing"]["limit_sharing_enabled"], true);
    assert!(mex::request(settings::PROPERTY.0, &limit).is_some());
    assert!(mex::request(communities::stanza::SIZES.0, &communities::stanza::sizes(&community())).is_some());
    assert!(settings::property(&group(), GroupSetting::Locked, true).is_none());
    assert!(settings::setting(&group(), GroupSetting::SharingLimited, true).is_none());
}

fn draft<'a>(subject: &'a str, members: &'a [Member], shape: Shape<'a>) -> Draft<'a> {
    Draft { subject, key: "K".to_owned(), members, description: None, shape }
}

/// The children of a request to make a group, without the names that are given, but for those named.
fn parts(request: &Node, without: &[&str]) -> Vec<Value> {
    let create = request.child_named("create").unwrap();
    let mut parts: Vec<Value> = create
        .child_nodes()
        .iter()
        .filter(|child| !without.contains(&child.tag()))
        .map(comparable)
        .map(|mut part| {
            // Ids of descriptions are made anew each time.
            if part["tag"] == "description" {
                part["attrs"] = json!([]);
            }
            part
        })
        .collect();
    parts.sort_by_key(ToString::to_string);
    parts
}

#[test]
fn new_groups_are_set_up_as_other_clients_do() {
    let vectors = vectors("features-requests");
    let people = [by_phone(), by_lid()];
    let plain = GroupOptions::default();
    let built = Draft {
        key: "3EB0AC6B382A762808E56A".to_owned(),
        ..draft("My group", &people, Shape::Group(&plain))
    };
    let built = stanza::create(&built);
    assert_eq!(comparable(&built), comparable(&theirs(&vectors, "baileys", "groupCreate")));

    let setup = GroupOptions {
        announce: true,
        locked: true,
        approval_required: true,
        ephemeral_seconds: 86_400,
        members_may_add: Some(true),
        ..GroupOptions::default()
    };
    let built = stanza::create(&draft("My group", &people[1..], Shape::Group(&setup)));
    let same = theirs(&vectors, "whatsmeow", "CreateGroup(options)");
    assert_eq!(parts(&built, &[]), parts(&same, &[]));
    // They say what is off, too.
    let off = ["member_add_mode", "ephemeral", "membership_approval_mode"];
    let within = GroupOptions { community: Some(community()), ..GroupOptions::default() };
    let built = stanza::create(&draft("Sub", &[], Shape::Group(&within)));
    assert_eq!(parts(&built, &[]), parts(&theirs(&vectors, "whatsmeow", "CreateGroup(in community)"), &off));
    let built = stanza::create(&draft("Sub", &people[..1], Shape::Group(&within)));
    assert_eq!(parts(&built, &[]), parts(&theirs(&vectors, "baileys", "communityCreateGroup"), &[]));
    let hidden = GroupOptions { hidden: true, members_may_invite: Some(false), ..within };
    let built = stanza::create(&draft("Sub", &[], Shape::Group(&hidden)));
    let create = built.child_named("create").unwrap();
    assert!(create.child_named("hidden_group").is_some());
    assert_eq!(create.child_text("member_link_mode"), Some("admin_link"));
    let described =
        Draft { description: Some(("1".to_owned(), "D")), ..draft("Subj", &people, Shape::Group(&plain)) };
    let same = theirs(&vectors, "zapo", "group.createGroup");
    assert_eq!(parts(&stanza::create(&described), &[]), parts(&same, &[]));
    let unnamed = stanza::create(&draft("", &people, Shape::Group(&plain)));
    assert!(unnamed.child_named("create").unwrap().attr_value("subject").is_none());
}

#[test]
fn new_communities_are_set_up_as_other_clients_do() {
    let vectors = vectors("features-requests");
    let all = CommunityOptions {
        approval_required: true,
        members_may_create_groups: true,
        general_chat: true,
        ..CommunityOptions::default()
    };
    let built =
        Draft { description: Some(("1".to_owned(), "Body")), ..draft("Comm", &[], Shape::Community(&all)) };
    let same = theirs(&vectors, "baileys", "communityCreate");
    assert_eq!(parts(&stanza::create(&built), &[]), parts(&same, &[]));
    let closed = CommunityOptions { approval_required: true, ..CommunityOptions::default() };
    let built = stanza::create(&draft("My community", &[], Shape::Community(&closed)));
    let off = ["member_add_mode", "ephemeral", "membership_approval_mode"];
    let same = theirs(&vectors, "whatsmeow", "CreateGroup(community)");
    assert_eq!(parts(&built, &[]), parts(&same, &off));
    let open = stanza::create(&draft("C", &[], Shape::Community(&CommunityOptions::default())));
    let parent = open.child_named("create").unwrap().child_named("parent").unwrap();
    assert!(parent.attr_value("default_membership_approval_mode").is_none());
}

#[test]
fn several_groups_are_asked_for_at_once() {
    let both = [group(), community()];
    let asked = stanza::batch(&both);
    let named: Vec<_> = asked
        .child_named("query")
        .unwrap()
        .children_named("group")
        .map(|node| node.attr_jid("jid"))
        .collect();
    assert_eq!(named, [Some(group()), Some(community())]);
    let asked = stanza::pictures(&both[..1]);
    let picture = asked.child_named("pictures").unwrap().child_named("picture").unwrap();
    assert!(picture.attr_is("type", "preview") && picture.attr_jid("jid") == Some(group()));
    let known = stanza::query(&group(), Some("2:abc".to_owned()));
    assert!(known.child_named("query").unwrap().attr_is("phash", "2:abc"));
}

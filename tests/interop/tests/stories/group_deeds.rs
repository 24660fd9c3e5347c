//! What can be done with groups and communities: a peer does it and a client of ours is told, and the other way round.

use serde_json::{Value, json};
use whimbrel::events::{EventKind, GroupChange, GroupRelation, JoinRequestState};
use whimbrel::{CallOptions, CommunityOptions, GroupOptions, GroupSetting, Jid};
use whimbrel_interop::{Peer, Program};

use crate::support::{Device, Stage};

/// What a peer does by a method of its own, and what the others are told.
type Deed = (&'static str, Value, GroupChange);

const WEEK: u32 = 604_800;

fn deeds(program: Program, group: &str) -> Vec<Deed> {
    use GroupChange as Change;
    let text = |text: &str| text.to_owned();
    match program {
        Program::Baileys => vec![
            ("groupUpdateSubject", json!([group, "Owls"]), Change::Subject(text("Owls"))),
            (
                "groupUpdateDescription",
                json!([group, "all owls"]),
                Change::Description(Some(text("all owls"))),
            ),
            ("groupUpdateDescription", json!([group]), Change::Description(None)),
            ("groupSettingUpdate", json!([group, "announcement"]), Change::Announce(true)),
            ("groupSettingUpdate", json!([group, "not_announcement"]), Change::Announce(false)),
            ("groupSettingUpdate", json!([group, "locked"]), Change::Locked(true)),
            ("groupSettingUpdate", json!([group, "unlocked"]), Change::Locked(false)),
            ("groupMemberAddMode", json!([group, "admin_add"]), Change::MembersMayAdd(false)),
            ("groupMemberAddMode", json!([group, "all_member_add"]), Change::MembersMayAdd(true)),
            ("groupJoinApprovalMode", json!([group, "on"]), Change::ApprovalRequired(true)),
            ("groupJoinApprovalMode", json!([group, "off"]), Change::ApprovalRequired(false)),
            ("groupToggleEphemeral", json!([group, WEEK]), Change::Ephemeral(WEEK)),
            ("groupToggleEphemeral", json!([group, 0]), Change::Ephemeral(0)),
        ],
        Program::Whatsmeow => vec![
            ("SetGroupName", json!([group, "Owls"]), Change::Subject(text("Owls"))),
            ("SetGroupDescription", json!([group, "all owls"]), Change::Description(Some(text("all owls")))),
            ("SetGroupAnnounce", json!([group, true]), Change::Announce(true)),
            ("SetGroupAnnounce", json!([group, false]), Change::Announce(false)),
            ("SetGroupLocked", json!([group, true]), Change::Locked(true)),
            ("SetGroupLocked", json!([group, false]), Change::Locked(false)),
            ("SetGroupMemberAddMode", json!([group, "admin_add"]), Change::MembersMayAdd(false)),
            ("SetGroupMemberAddMode", json!([group, "all_member_add"]), Change::MembersMayAdd(true)),
            ("SetGroupJoinApprovalMode", json!([group, true]), Change::ApprovalRequired(true)),
            ("SetGroupJoinApprovalMode", json!([group, false]), Change::ApprovalRequired(false)),
            (
                "SetDisappearingTimer",
                json!([group, u64::from(WEEK) * 1_000_000_000, "0001-01-01T00:00:00Z"]),
                Change::Ephemeral(WEEK),
            ),
        ],
    }
}

/// What a peer says under the first of these names that it knows.
fn text_of<'a>(value: Option<&'a Value>, names: &[&str]) -> Option<&'a str> {
    names.iter().find_map(|name| value?.get(name)?.as_str())
}

/// The next change of a group that a client of ours is told, apart from who is in it.
async fn changed(device: &Device, group: &Jid) -> GroupChange {
    device
        .event("a change of the group", |event| match event {
            EventKind::GroupChanged(told) if told.chat.id == *group => Some(told.change.clone()),
            _ => None,
        })
        .await
}

async fn joined(device: &Device) -> Jid {
    device
        .event("a group to be in", |event| match event {
            EventKind::GroupJoined(told) => Some(told.chat.id.clone()),
            _ => None,
        })
        .await
}

/// A change that a peer is told, by the name of its field.
async fn peer_told(peer: &Peer, program: Program, group: &str, field: &str, wanted: &Value) {
    let (event, group_field) = match program {
        Program::Baileys => ("groups.update", "/0/id"),
        Program::Whatsmeow => ("GroupInfo", "/JID"),
    };
    let told = |value: &Value| {
        let about = value.pointer(group_field).and_then(Value::as_str) == Some(group);
        about && value.pointer(field) == Some(wanted)
    };
    peer.was_told(event, told).await.unwrap_or_else(|error| panic!("{field} = {wanted}: {error}"));
}

async fn settings(program: Program, story: &str) {
    let stage = Stage::new(story).await;
    let (ana, ben) = (stage.person("15550001", "Ana").await, stage.person("15550002", "Ben").await);
    let (peer, ours) = (stage.peer(program, &ana).await, stage.whimbrel(&ben).await);
    let theirs = peer.as_peer().create_group("Birds", &[&ben.jid().to_string()]).await.unwrap();
    let group = joined(&ours).await;
    assert_eq!(group.to_string(), theirs);
    for (method, arguments, change) in deeds(program, &theirs) {
        peer.as_peer().call(method, arguments.clone()).await.unwrap();
        assert_eq!(changed(&ours, &group).await, change, "{method} {arguments}");
    }
    let (method, arguments) = match program {
        Program::Baileys => ("groupRevokeInvite", json!([theirs])),
        Program::Whatsmeow => ("GetGroupInviteLink", json!([theirs, true])),
    };
    let link = peer.as_peer().call(method, arguments).await.unwrap();
    let GroupChange::InviteLink(code) = changed(&ours, &group).await else { panic!("another change") };
    assert!(link.as_str().unwrap().ends_with(&code), "{link} is not {code}");

    // And what ours does.
    let client = ours.as_client();
    let options = CallOptions::default;
    let mut setup = GroupOptions::default();
    (setup.members_may_add, setup.members_may_invite) = (Some(true), Some(true));
    let own = client.create_group("Finches", &[ana.jid()], setup, options()).await.unwrap().group.id;
    let (own_text, them) = (own.to_string(), peer.as_peer());
    them.group_change(&own_text, "create").await.unwrap();
    // Baileys puts together what it is told in one go, and loses some of it: one at a time.
    let told = async |baileys: &str, whatsmeow: &str, wanted: Value| {
        let field = if program == Program::Baileys { baileys } else { whatsmeow };
        peer_told(them, program, &own_text, field, &wanted).await;
    };
    client.set_group_subject(&own, "Siskins", options()).await.unwrap();
    told("/0/subject", "/Name/Name", json!("Siskins")).await;
    client.set_group_description(&own, Some("all siskins"), options()).await.unwrap();
    told("/0/desc", "/Topic/Topic", json!("all siskins")).await;
    for (setting, baileys, whatsmeow) in [
        (GroupSetting::Announce, "/0/announce", "/Announce/IsAnnounce"),
        (GroupSetting::Locked, "/0/restrict", "/Locked/IsLocked"),
        (
            GroupSetting::ApprovalRequired,
            "/0/joinApprovalMode",
            "/MembershipApprovalMode/IsJoinApprovalRequired",
        ),
    ] {
        client.set_group_setting(&own, setting, true, options()).await.unwrap();
        told(baileys, whatsmeow, json!(true)).await;
    }
    let link = client.reset_invite_link(&own, options()).await.unwrap();
    let wanted = if program == Program::Baileys { link.code } else { link.url };
    told("/0/inviteCode", "/NewInviteLink", json!(wanted)).await;
    stage.is_quiet().await;
    stage.finish();
}

#[tokio::test]
async fn settings_of_groups_are_told_between_whimbrel_and_baileys() {
    settings(Program::Baileys, "group-settings-baileys").await;
}

#[tokio::test]
async fn settings_of_groups_are_told_between_whimbrel_and_whatsmeow() {
    settings(Program::Whatsmeow, "group-settings-whatsmeow").await;
}

async fn invitations(program: Program, story: &str) {
    let stage = Stage::new(story).await;
    let (ana, ben) = (stage.person("15550001", "Ana").await, stage.person("15550002", "Ben").await);
    let (peer, ours) = (stage.peer(program, &ana).await, stage.whimbrel(&ben).await);
    let (client, options) = (ours.as_client(), CallOptions::default);
    let them = peer.as_peer();
    let theirs = them.create_group("Owls", &[]).await.unwrap();
    let (approve, code, list, decide) = match program {
        Program::Baileys => (
            ("groupJoinApprovalMode", json!([theirs, "on"])),
            ("groupInviteCode", json!([theirs])),
            "groupRequestParticipantsList",
            "groupRequestParticipantsUpdate",
        ),
        Program::Whatsmeow => (
            ("SetGroupJoinApprovalMode", json!([theirs, true])),
            ("GetGroupInviteLink", json!([theirs, false])),
            "GetGroupRequestParticipants",
            "UpdateGroupRequestParticipants",
        ),
    };
    them.call(approve.0, approve.1).await.unwrap();
    let link = them.call(code.0, code.1).await.unwrap();
    let link = link.as_str().unwrap();
    let seen = client.preview_invite_link(link, options()).await.unwrap();
    assert_eq!((seen.id.to_string(), seen.subject.as_str()), (theirs.clone(), "Owls"));
    let asked = client.join_by_link(link, options()).await.unwrap();
    assert_eq!((asked.group.to_string(), asked.waiting), (theirs.clone(), true));
    let waiting = them.call(list, json!([theirs])).await.unwrap();
    let who = text_of(waiting.get(0), &["jid", "JID"]).unwrap().to_owned();
    assert!([ben.jid().to_string(), ben.lid().to_string()].contains(&who), "{who} waits");
    them.call(decide, json!([theirs, [who], "approve"])).await.unwrap();
    assert_eq!(joined(&ours).await.to_string(), theirs);

    // The other way round.
    let mut setup = GroupOptions::default();
    setup.approval_required = true;
    let own = client.create_group("Finches", &[], setup, options()).await.unwrap().group.id;
    let link = client.invite_link(&own, options()).await.unwrap();
    let (preview, join) = match program {
        Program::Baileys => ("groupGetInviteInfo", "groupAcceptInvite"),
        Program::Whatsmeow => ("GetGroupInfoFromLink", "JoinGroupWithLink"),
    };
    let seen = them.call(preview, json!([link.code])).await.unwrap();
    assert_eq!(text_of(Some(&seen), &["subject", "Name"]), Some("Finches"));
    them.call(join, json!([link.code])).await.unwrap();
    ours.event("somebody who wants in", |event| match event {
        EventKind::JoinRequest(request) => {
            (request.chat.id == own && request.state == JoinRequestState::Created).then_some(())
        }
        _ => None,
    })
    .await;
    let waiting = client.join_requests(&own, options()).await.unwrap();
    let people: Vec<Jid> = waiting.into_iter().map(|request| request.who.id).collect();
    let decided = client.decide_join_requests(&own, &people, true, options()).await.unwrap();
    assert!(decided.iter().all(|result| result.refused.is_none()));
    them.group_change(&own.to_string(), "add").await.unwrap();
    // Without approval.
    let next = client.create_group("Wrens", &[], GroupOptions::default(), options()).await.unwrap().group.id;
    let link = client.invite_link(&next, options()).await.unwrap();
    them.call(join, json!([link.code])).await.unwrap();
    assert!(matches!(changed(&ours, &next).await, GroupChange::Added(people) if people.len() == 1));
    stage.is_quiet().await;
    stage.finish();
}

#[tokio::test]
async fn links_and_requests_go_between_whimbrel_and_baileys() {
    invitations(Program::Baileys, "group-links-baileys").await;
}

#[tokio::test]
async fn links_and_requests_go_between_whimbrel_and_whatsmeow() {
    invitations(Program::Whatsmeow, "group-links-whatsmeow").await;
}

/// The next time that a client of ours is told which groups belong together.
async fn linked(device: &Device, linked: bool, relation: GroupRelation) -> Vec<Jid> {
    device
        .event("groups that belong together", |event| match event {
            EventKind::GroupLinked(told) if told.linked == linked && told.relation == relation => {
                Some(told.groups.iter().map(|group| group.id.clone()).collect())
            }
            _ => None,
        })
        .await
}

async fn communities(program: Program, story: &str) {
    let stage = Stage::new(story).await;
    let (ana, ben) = (stage.person("15550001", "Ana").await, stage.person("15550002", "Ben").await);
    let (peer, ours) = (stage.peer(program, &ana).await, stage.whimbrel(&ben).await);
    let (client, options) = (ours.as_client(), CallOptions::default);
    let them = peer.as_peer();
    let made = match program {
        Program::Baileys => them.call("communityCreate", json!(["Animals", "all of them"])).await,
        Program::Whatsmeow => {
            them.call("CreateGroup", json!([{"Name": "Animals", "IsParent": true, "Participants": []}])).await
        }
    };
    let made = made.unwrap();
    let community = text_of(Some(&made), &["id", "JID"]).unwrap().to_owned();
    let group = them.create_group("Owls", &[&ben.jid().to_string()]).await.unwrap();
    assert_eq!(joined(&ours).await.to_string(), group);
    let (link, unlink) = match program {
        Program::Baileys => (
            ("communityLinkGroup", json!([group, community])),
            ("communityUnlinkGroup", json!([group, community])),
        ),
        Program::Whatsmeow => {
            (("LinkGroup", json!([community, group])), ("UnlinkGroup", json!([community, group])))
        }
    };
    them.call(link.0, link.1).await.unwrap();
    let parents = linked(&ours, true, GroupRelation::Community).await;
    assert_eq!(parents.iter().map(Jid::to_string).collect::<Vec<_>>(), [community.as_str()]);
    let known = client.group(parents.first().unwrap(), true, options()).await.unwrap();
    assert_eq!((known.subject.as_str(), known.is_community), ("Animals", true));
    let groups = client.community_groups(&known.id, false, options()).await.unwrap();
    assert!(groups.iter().any(|found| found.id.to_string() == group), "{groups:?}");
    them.call(unlink.0, unlink.1).await.unwrap();
    linked(&ours, false, GroupRelation::Community).await;

    // The other way round.
    let own =
        client.create_community("Plants", CommunityOptions::default(), options()).await.unwrap().group.id;
    let mut setup = GroupOptions::default();
    setup.community = Some(own.clone());
    let ferns = client.create_group("Ferns", &[ana.jid()], setup, options()).await.unwrap().group.id;
    them.group_change(&ferns.to_string(), "create").await.unwrap();
    let (method, subjects) = match program {
        Program::Baileys => ("communityFetchLinkedGroups", "/linkedGroups"),
        Program::Whatsmeow => ("GetSubGroups", ""),
    };
    let found = them.call(method, json!([own.to_string()])).await.unwrap();
    let found = found.pointer(subjects).and_then(Value::as_array).unwrap();
    let named = |name| found.iter().any(|group| text_of(Some(group), &["subject", "Name"]) == Some(name));
    assert!(named("Ferns"), "{found:?}");
    stage.is_quiet().await;
    stage.finish();
}

#[tokio::test]
async fn communities_are_told_between_whimbrel_and_baileys() {
    communities(Program::Baileys, "communities-baileys").await;
}

#[tokio::test]
async fn communities_are_told_between_whimbrel_and_whatsmeow() {
    communities(Program::Whatsmeow, "communities-whatsmeow").await;
}

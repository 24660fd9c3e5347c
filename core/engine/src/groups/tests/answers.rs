//! Answers as the vectors have them, and in the other forms that occur.

use serde_json::json;
use whimbrel_wire::{Jid, Node};

use super::forms::{from_json, from_xml, vectors};
use super::{group, jid, peer};
use crate::groups::communities::stanza as communities;
use crate::groups::participants::{self, InvitationCode};
use crate::groups::row::Role;
use crate::groups::stanza::{self, invites, reports, requests};
use crate::mex;

fn iq(inside: &str) -> Node {
    from_xml(&format!("<iq type=\"result\">{inside}</iq>"))
}

#[test]
fn what_came_of_a_change_is_told_for_each_person() {
    let vectors = vectors("features-answers");
    let read = |client: &str, operation: &str, tag: &str| {
        let answer = from_json(&vectors[client][operation]["answers"][0]);
        participants::results(answer.child_named(tag).unwrap()).remove(0)
    };
    let invitation = Some(InvitationCode { code: "AbC".to_owned(), expires_at: 1_795_400_000 });
    for (client, operation) in
        [("whatsmeow", "UpdateGroupParticipants(add,403)"), ("baileys", "groupParticipantsUpdate(add)")]
    {
        let refused = read(client, operation, "add");
        assert_eq!((refused.refused, refused.invitation), (Some(403), invitation.clone()), "{client}");
    }
    for (operation, tag) in [
        ("UpdateGroupParticipants(add)", "add"),
        ("UpdateGroupParticipants(remove)", "remove"),
        ("UpdateGroupParticipants(promote)", "promote"),
        ("UpdateGroupParticipants(demote)", "demote"),
    ] {
        let done = read("whatsmeow", operation, tag);
        assert_eq!((done.member, done.refused), (peer(Role::Member), None), "{operation}");
    }
    assert_eq!(read("whatsmeow", "UpdateGroupParticipants(add,error=200)", "add").refused, None);
}

#[test]
fn links_and_joining_are_read() {
    let vectors = vectors("features-answers");
    let answer = |client: &str, operation: &str| from_json(&vectors[client][operation]["answers"][0]);
    assert_eq!(invites::code(&answer("whatsmeow", "GetGroupInviteLink")).as_deref(), Some("INVITECODE"));
    assert_eq!(
        invites::code(&answer("whatsmeow", "GetGroupInviteLink(reset)")).as_deref(),
        Some("INVITECODE2")
    );
    assert_eq!(invites::code(&answer("baileys", "groupInviteCode")).as_deref(), Some("INVITECODE"));
    for (client, operation, waiting) in [
        ("whatsmeow", "JoinGroupWithLink", false),
        ("whatsmeow", "JoinGroupWithLink(approval)", true),
        ("whatsmeow", "JoinGroupWithInvite", false),
        ("baileys", "groupAcceptInvite", false),
        ("baileys", "groupAcceptInviteV4", false),
        ("zapo", "group.joinGroupViaInvite", false),
    ] {
        let joined = invites::joined(&answer(client, operation), None);
        assert_eq!(joined, Some((group(), waiting)), "{client} {operation}");
    }
    // Some are told nothing, and know what they asked for.
    let empty = Node::new("iq").attr("type", "result");
    assert_eq!(invites::joined(&empty, Some(&group())), Some((group(), false)));
    assert_eq!(invites::joined(&empty, None), None);
    for (client, operation) in [
        ("whatsmeow", "GetGroupInfoFromLink"),
        ("whatsmeow", "GetGroupInfoFromInvite"),
        ("baileys", "groupGetInviteInfo"),
        ("zapo", "group.queryGroupInviteInfo"),
    ] {
        let answer = answer(client, operation);
        let (id, row) = stanza::group(answer.child_named("group").unwrap(), 0).unwrap();
        assert_eq!((id, row.subject.as_str()), (group(), "Subj"), "{client} {operation}");
    }
}

#[test]
fn requests_to_be_let_in_are_read() {
    let vectors = vectors("features-answers");
    for (client, operation) in [
        ("whatsmeow", "GetGroupRequestParticipants"),
        ("baileys", "groupRequestParticipantsList"),
        ("zapo", "group.queryMembershipApprovalRequests"),
    ] {
        let answer = from_json(&vectors[client][operation]["answers"][0]);
        let waiting = requests::waiting(&answer).unwrap().remove(0);
        assert_eq!((waiting.who, waiting.since), (peer(Role::Member), 1_795_176_000), "{client}");
        assert_eq!(waiting.method.as_deref(), Some("invite_link"));
    }
    let decided = from_json(&vectors["whatsmeow"]["UpdateGroupRequestParticipants(approve)"]["answers"][0]);
    assert_eq!(requests::decided(&decided, true).unwrap()[0].1, None);
    assert_eq!(requests::decided(&decided, false), None);
    let failed = iq(
        "<membership_requests_action><reject><participant jid=\"1@lid\" error=\"404\"/></reject></membership_requests_action>",
    );
    assert_eq!(requests::decided(&failed, false).unwrap()[0].1, Some(404));
}

#[test]
fn groups_of_communities_are_read() {
    let vectors = vectors("features-answers");
    for (client, operation, at) in
        [("whatsmeow", "GetSubGroups", 0), ("baileys", "communityFetchLinkedGroups", 1)]
    {
        let answer = from_json(&vectors[client][operation]["answers"][at]);
        let listed = communities::listed(&answer).unwrap();
        let told: Vec<_> = listed.iter().map(|(id, group)| (id.user(), group.subject.as_str())).collect();
        assert_eq!(told, [(group().user(), "Sub"), ("120363047777777777", "Ann")], "{client}");
        assert!(listed[1].1.is_announcements && !listed[0].1.is_announcements);
        assert_eq!((listed[0].1.size, listed[0].1.created_at), (Some(2), 1_795_176_000));
    }
    let answer = from_json(&vectors["zapo"]["group.fetchSubGroups"]["answers"][0]);
    let listed = communities::listed_graph(&mex::read(&answer, communities::GROUPS.1).unwrap()).unwrap();
    let told: Vec<_> = listed.iter().map(|(id, group)| (id.user(), group.subject.as_str())).collect();
    assert_eq!(told, [("120363047777777777", "Announcements"), (group().user(), "Sub")]);
    assert!(listed[0].1.is_announcements);
    assert_eq!((listed[1].1.approval, listed[1].1.is_hidden), (Some(false), false));
    let everybody = from_json(&vectors["whatsmeow"]["GetLinkedGroupsParticipants"]["answers"][0]);
    assert_eq!(communities::everybody(&everybody), Some(vec![peer(Role::Member)]));
    let answer = from_json(&vectors["zapo"]["group.transferCommunityOwnership"]["answers"][0]);
    let answer = mex::read(&answer, communities::TRANSFER.1).unwrap();
    assert_eq!(communities::transferred(&answer), Some(()));
}

#[test]
fn what_came_of_links_is_read_in_both_forms() {
    let vectors = vectors("features-answers");
    let answer = from_json(&vectors["baileys"]["communityLinkGroup"]["answers"][0]);
    let failed = jid("120363048888888888@g.us");
    let expected = vec![(group(), None), (failed.clone(), Some(406))];
    assert_eq!(communities::linked(&answer), Some(expected));
    let inside = iq(
        "<links><link link_type=\"sub_group\"><group jid=\"120363048888888888@g.us\"><error code=\"406\"/></group></link></links>",
    );
    assert_eq!(communities::linked(&inside), Some(vec![(failed, Some(406))]));
    let answer = from_json(&vectors["whatsmeow"]["UnlinkGroup"]["answers"][0]);
    assert_eq!(communities::linked(&answer), Some(vec![(group(), None)]));
    assert_eq!(communities::linked(&iq("<something/>")), None);
}

#[test]
fn counts_and_suggestions_are_read() {
    let answer = json!({ "sub_groups": { "edges": [
        { "node": { "id": "1203@g.us", "total_participants_count": 7 } },
        { "node": { "id": "1204", "total_participants_count": "8" } },
        { "node": { "id": "no group" } },
    ] } });
    let counted = communities::counted(&answer).unwrap();
    assert_eq!(counted, [(Jid::group("1203"), 7), (Jid::group("1204"), 8)]);
    assert_eq!(communities::counted(&json!({ "id": "1" })), Some(Vec::new()));
    assert_eq!(communities::counted(&json!(null)), None);
    let answer = json!({ "sub_group_suggestions": { "edges": [ { "node": {
        "id": "1205@g.us", "subject": { "value": "Gulls" }, "description": { "value": "white", "id": "1" },
        "creator": { "id": "5@lid" }, "creation_time": "9", "total_participants_count": 3,
        "is_existing_group": true, "hidden_group": false,
    } } ] } });
    let suggested = communities::suggested(&answer).unwrap().remove(0);
    assert_eq!((suggested.id.user(), suggested.subject.as_str()), ("1205", "Gulls"));
    assert_eq!((suggested.creator, suggested.created_at, suggested.size), (Some(Jid::lid("5")), 9, Some(3)));
    assert!(suggested.is_existing && !suggested.is_hidden);
}

#[test]
fn batches_pictures_and_reports_are_read() {
    let answer = iq(
        "<groups><group id=\"1\" error=\"403\"/><group id=\"2\" size=\"20000\" truncated=\"true\"/></groups><communities><community id=\"3\" subject=\"C\"><parent/></community></communities>",
    );
    let told = stanza::told(&answer, 5).unwrap();
    assert_eq!(told[0], stanza::Told::Refused(Jid::group("1"), 403));
    let stanza::Told::Group(id, row) = &told[1] else { panic!("refused") };
    assert_eq!((id.user(), row.size, row.stale), ("2", 20_000, true));
    let stanza::Told::Group(id, row) = &told[2] else { panic!("refused") };
    assert_eq!((id.user(), row.is_community), ("3", true));
    assert_eq!(stanza::told(&iq("<something/>"), 5), None);

    let answer = iq(
        "<pictures><picture jid=\"1203@g.us\" id=\"17\" type=\"preview\" direct_path=\"/p\"/><picture jid=\"1204@g.us\" error=\"404\"/></pictures>",
    );
    let pictures = stanza::told_pictures(&answer).unwrap();
    assert_eq!((pictures.len(), pictures[0].id.as_str()), (1, "17"));
    assert_eq!((pictures[0].direct_path.as_deref(), &pictures[0].url), (Some("/p"), &None));

    let answer = iq(
        "<reports><report message_id=\"M1\" reporter=\"1@lid\" timestamp=\"9\"/><report message_id=\"M2\" t=\"8\"><reporter jid=\"2@lid\"/><reporter jid=\"3@lid\"/></report></reports>",
    );
    let told = reports::reported(&answer).unwrap();
    assert_eq!(
        (told[0].message_id.as_str(), told[0].by.as_slice(), told[0].at),
        ("M1", &[Jid::lid("1")][..], 9)
    );
    assert_eq!((told[1].by.len(), told[1].at), (2, 8));
    let answer =
        iq("<reports><report message_id=\"M1\" error=\"404\"/><report message_id=\"M2\"/></reports>");
    assert_eq!(reports::unreported(&answer), [("M1".to_owned(), 404)]);
    assert_eq!(reports::unreported(&iq("<x/>")), []);
}

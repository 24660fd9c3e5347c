//! Groups without a network: stanzas as the vectors have them, and what announcements change.

mod announcements;
mod answers;
pub(crate) mod forms;
mod requests;

use whimbrel_wire::{Jid, Node};

use super::row::{Addressing, GroupRow, Member, Role};
use super::stanza;
use super::switch::{GroupSetting, Switches};
use forms::{from_json, vectors};

fn jid(text: &str) -> Jid {
    text.parse().unwrap()
}

fn group() -> Jid {
    jid("120363041234567890@g.us")
}

fn peer(role: Role) -> Member {
    let phone = jid("5511888888888@s.whatsapp.net");
    Member { id: jid("999888777666555@lid"), twin: Some(phone), role }
}

fn me(role: Role) -> Member {
    let phone = jid("5511999999999@s.whatsapp.net");
    Member { id: jid("111222333444555@lid"), twin: Some(phone), role }
}

#[test]
fn answers_are_read_as_other_clients_read_them() {
    let vectors = vectors("features-answers");
    let answer = from_json(&vectors["whatsmeow"]["GetGroupInfo"]["answers"][0]);
    let expected = GroupRow {
        subject: "Subj".to_owned(),
        subject_author: Some(me(Role::Member).id),
        subject_changed_at: 1_795_176_000,
        addressing: Addressing::Lid,
        members: vec![me(Role::SuperAdmin), peer(Role::Member)],
        creator: Some(me(Role::Member).id),
        created_at: 1_795_176_000,
        description: Some(super::row::Description {
            id: "D1".to_owned(),
            text: "Desc".to_owned(),
            author: Some(me(Role::Member).id),
            changed_at: 1_795_176_000,
        }),
        switches: Switches::default()
            .with(GroupSetting::Announce)
            .with(GroupSetting::Locked)
            .with(GroupSetting::ApprovalRequired)
            .with(GroupSetting::MembersMayAdd),
        ephemeral: 86_400,
        version: Some("1".to_owned()),
        fetched_at: 5,
        ..GroupRow::default()
    };
    let read = stanza::group(answer.child_named("group").unwrap(), 5);
    assert_eq!(read, Some((group(), expected.clone())));
    let all = from_json(&vectors["whatsmeow"]["GetJoinedGroups"]["answers"][0]);
    let told = stanza::told(&all, 5).unwrap();
    assert_eq!(told, [stanza::Told::Group(group(), Box::new(expected))]);
}

#[test]
fn a_group_is_read_in_every_form_that_occurs() {
    let member = |jid: &str| Node::new("participant").attr("jid", self::jid(jid));
    let bare = Node::new("group").attr("id", "1203").child(member("55@s.whatsapp.net"));
    let (id, row) = stanza::group(&bare, 5).unwrap();
    assert_eq!((id, row.addressing, row.stale), (jid("1203@g.us"), Addressing::PhoneNumber, false));
    let whole = Node::new("group").attr("jid", jid("1203@g.us")).child(member("55@lid"));
    assert_eq!(stanza::group(&whole, 5).unwrap().1.addressing, Addressing::Lid);
    // A list that was cut is not to be relied on; those who could not be added are not in it.
    let cut = Node::new("group").attr("id", "1203").attr("size", 3).child(member("55@lid"));
    assert!(stanza::group(&cut, 5).unwrap().1.stale);
    let refused = whole.clone().child(member("66@lid").attr("error", "403"));
    assert_eq!(stanza::group(&refused, 5).unwrap().1.members.len(), 1);
    assert_eq!(stanza::group(&Node::new("group").attr("id", "7@lid"), 5), None);
    assert_eq!(stanza::group(&Node::new("group"), 5), None);
    // The other address of a member is of the other kind.
    let wrong = member("55@lid").attr("phone_number", jid("66@lid"));
    assert_eq!(stanza::member(&wrong).unwrap().twin, None);
}

#[test]
fn failed_leaves_are_told_apart() {
    let vectors = vectors("features-answers");
    let answer = from_json(&vectors["baileys"]["groupLeave"]["answers"][0]);
    assert_eq!(stanza::left_with(&answer, &group()), Ok(()));
    let failed = |status: &'static str| {
        let entry = Node::new("group").attr("id", group()).attr("error", status);
        Node::new("iq").child(Node::new("leave").child(entry))
    };
    assert_eq!(stanza::left_with(&failed("404"), &group()), Err(404));
    assert_eq!(stanza::left_with(&failed("200"), &group()), Ok(()));
    assert_eq!(stanza::left_with(&failed("404"), &jid("1-2@g.us")), Ok(()));
    let community = Node::new("community").attr("id", group()).attr("error", "403");
    let community = Node::new("iq").child(Node::new("leave").child(community));
    assert_eq!(stanza::left_with(&community, &group()), Err(403));
}

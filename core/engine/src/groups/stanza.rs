//! Requests about groups and what is read of the answers (features document §2). Pure.

use whimbrel_wire::{Jid, Node, NodeRef};

use super::change::GroupOptions;
use super::notice::What;
use super::row::{Addressing, Description, GroupRow, Member, Role};

fn request(to: &Jid, kind: &'static str) -> Node {
    Node::new("iq").attr("to", to).attr("type", kind).attr("xmlns", "w:g2")
}

/// Asks for everything about a group.
pub(crate) fn query(group: &Jid) -> Node {
    request(group, "get").child(Node::new("query").attr("request", "interactive"))
}

/// Asks for everything about all groups of this account.
pub(crate) fn participating() -> Node {
    let wanted = Node::new("participating").child(Node::new("participants")).child(Node::new("description"));
    request(&Jid::GROUPS, "get").child(wanted)
}

/// Makes a group. `key` is repeated in what the service announces about it.
pub(crate) fn create(subject: &str, key: &str, members: &[Member], setup: &GroupOptions) -> Node {
    let flag = |on: bool, tag: &'static str| on.then(|| Node::new(tag));
    let ephemeral = (setup.ephemeral_seconds > 0)
        .then(|| Node::new("ephemeral").attr("expiration", setup.ephemeral_seconds).attr("trigger", "1"));
    let approval = setup
        .approval_required
        .then(|| Node::new("membership_approval_mode").child(Node::new("group_join").attr("state", "on")));
    let create = Node::new("create")
        .attr_opt("subject", Some(subject.to_owned()).filter(|subject| !subject.is_empty()))
        .attr("key", key.to_owned())
        .children(members.iter().map(participant))
        .child_opt(flag(setup.locked, "locked"))
        .child_opt(flag(setup.announce, "announcement"))
        .child_opt(ephemeral)
        .child_opt(approval);
    request(&Jid::GROUPS, "set").child(create)
}

/// The name of a change of members.
pub(crate) const fn action(what: What) -> &'static str {
    match what {
        What::Added => "add",
        What::Removed => "remove",
        What::Promoted => "promote",
        What::Demoted => "demote",
        What::NumberChanged => "modify",
    }
}

/// Changes members.
pub(crate) fn participants(group: &Jid, what: What, members: &[Member]) -> Node {
    request(group, "set").child(Node::new(action(what)).children(members.iter().map(participant)))
}

fn participant(member: &Member) -> Node {
    let phone = member.twin.as_ref().filter(|_| member.id.is_lid());
    Node::new("participant").attr("jid", &member.id).attr_opt("phone_number", phone)
}

/// Leaves a group.
pub(crate) fn leave(group: &Jid) -> Node {
    let leave = Node::new("leave").child(Node::new("group").attr("id", group));
    request(&Jid::GROUPS, "set").child(leave)
}

/// Why leaving a group failed, if the answer says so.
pub(crate) fn left_with(answer: &NodeRef<'_>, group: &Jid) -> Option<u16> {
    let groups = answer.child_named("leave")?.children_named("group");
    groups.into_iter().find(|node| group_id(node).as_ref() == Some(group)).and_then(error)
}

/// The number of a failure of one entry. Some call a success 200.
pub(crate) fn error(node: &NodeRef<'_>) -> Option<u16> {
    let status = node.attr_u64("error").and_then(|status| u16::try_from(status).ok());
    status.filter(|status| !matches!(status, 0 | 200))
}

/// Sets after how many seconds messages of a group disappear; 0: never.
pub(crate) fn timer(group: &Jid, seconds: u32) -> Node {
    let timer = match seconds {
        0 => Node::new("not_ephemeral"),
        seconds => Node::new("ephemeral").attr("expiration", seconds),
    };
    request(group, "set").child(timer)
}

/// Gives a group another name.
pub(crate) fn subject(group: &Jid, subject: &str) -> Node {
    request(group, "set").child(Node::new("subject").text(subject.to_owned()))
}

/// Reads a whole `<group>`, with its address. What is unknown in it is skipped.
pub(crate) fn group(node: &NodeRef<'_>, now: i64) -> Option<(Jid, GroupRow)> {
    let id = group_id(node)?;
    // Those with an error are told because they could not be added.
    let entries = node.children_named("participant").filter(|entry| error(entry).is_none());
    let members: Vec<Member> = entries.filter_map(member).collect();
    let addressing = match node.attr_text("addressing_mode").as_deref().and_then(Addressing::from_name) {
        Some(addressing) => addressing,
        // Old groups do not say it; their members do.
        None if members.first().is_some_and(|member| member.id.is_lid()) => Addressing::Lid,
        None => Addressing::PhoneNumber,
    };
    // A list that was cut short cannot be sent to.
    let complete = node.attr_u64("size").is_none_or(|size| size <= count(&members));
    let row = GroupRow {
        subject: text(node, "subject").unwrap_or_default(),
        subject_author: account(node, "s_o"),
        subject_changed_at: time(node, "s_t"),
        addressing,
        members,
        creator: account(node, "creator"),
        created_at: time(node, "creation"),
        description: node.child_named("description").and_then(description),
        announce: node.child_named("announcement").is_some(),
        locked: node.child_named("locked").is_some(),
        approval: node.child_named("membership_approval_mode").is_some_and(is_on),
        members_add: node.child_text("member_add_mode") == Some("all_member_add"),
        ephemeral: node.child_named("ephemeral").map_or(0, expiration),
        is_community: node.child_named("parent").is_some(),
        community: node.child_named("linked_parent").and_then(|parent| parent.attr_jid("jid")),
        is_announcements: node.child_named("default_sub_group").is_some(),
        version: text(node, "p_v_id"),
        fetched_at: now,
        stale: !complete,
    };
    Some((id, row))
}

fn count(members: &[Member]) -> u64 {
    u64::try_from(members.len()).unwrap_or(u64::MAX)
}

/// The address of a `<group>`: bare digits, by some a whole JID.
fn group_id(node: &NodeRef<'_>) -> Option<Jid> {
    let id = node.attr_text("id").or_else(|| node.attr_text("jid"))?;
    let jid = if id.contains('@') { id.parse().ok()? } else { Jid::group(&id) };
    Some(jid).filter(Jid::is_group)
}

/// Reads a `<participant>`.
pub(crate) fn member(node: &NodeRef<'_>) -> Option<Member> {
    let id = account(node, "jid")?;
    let twin = account(node, if id.is_lid() { "phone_number" } else { "lid" });
    let twin = twin.filter(|twin| twin.is_lid() != id.is_lid() && twin.is_account());
    let role = match node.attr_text("type").as_deref() {
        Some("superadmin") => Role::SuperAdmin,
        Some("admin") => Role::Admin,
        _ => Role::Member,
    };
    Some(Member { id, twin, role })
}

/// Reads a `<description>` that has a text.
pub(crate) fn description(node: &NodeRef<'_>) -> Option<Description> {
    Some(Description {
        id: text(node, "id")?,
        text: node.child_text("body")?.to_owned(),
        author: account(node, "participant"),
        changed_at: time(node, "t"),
    })
}

/// Whether a join approval is on: its presence means so, unless it says otherwise.
pub(crate) fn is_on(mode: &NodeRef<'_>) -> bool {
    mode.child_named("group_join").is_none_or(|join| !join.attr_is("state", "off"))
}

/// After how many seconds messages disappear.
pub(crate) fn expiration(node: &NodeRef<'_>) -> u32 {
    node.attr_u32("expiration").unwrap_or(0)
}

/// The account in an attribute.
pub(crate) fn account(node: &NodeRef<'_>, key: &str) -> Option<Jid> {
    node.attr_jid(key).filter(|jid| !jid.is_server()).map(|jid| jid.to_account())
}

pub(crate) fn time(node: &NodeRef<'_>, key: &str) -> i64 {
    node.attr_u64(key).and_then(|time| i64::try_from(time).ok()).unwrap_or(0)
}

fn text(node: &NodeRef<'_>, key: &str) -> Option<String> {
    node.attr_text(key).map(std::borrow::Cow::into_owned)
}

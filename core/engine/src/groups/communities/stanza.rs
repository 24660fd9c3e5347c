//! Requests about communities and what is read of the answers. Pure.

use serde_json::{Value, json};
use whimbrel_wire::{Jid, Node, NodeRef};

use super::super::row::Member;
use super::super::stanza::{account, error, group_id, member, request, text, time};
use super::notice::Suggested;

/// Operations of the GraphQL interface, each with what it answers under.
pub(crate) const GROUPS: (&str, &str) = ("FetchAllSubgroups", "xwa2_group_query_by_id");
pub(crate) const SIZES: (&str, &str) = ("QuerySubgroupParticipantCount", "xwa2_group_query_by_id");
pub(crate) const SUGGESTIONS: (&str, &str) = ("FetchSubgroupSuggestions", "xwa2_group_query_by_id");
pub(crate) const TRANSFER: (&str, &str) = ("TransferCommunityOwnership", "xwa2_group_update_users_role");

/// Puts groups into a community.
pub(crate) fn link(community: &Jid, groups: &[Jid], hidden: bool) -> Node {
    let entries = groups.iter().map(|group| {
        Node::new("group").attr("jid", group).child_opt(hidden.then(|| Node::new("hidden_group")))
    });
    let link = Node::new("link").attr("link_type", "sub_group").children(entries);
    request(community, "set", Node::new("links").child(link))
}

/// Takes groups out of a community, with those of their members or without who are in no other of its
/// groups.
pub(crate) fn unlink(community: &Jid, groups: &[Jid], remove_orphans: bool) -> Node {
    let orphans = remove_orphans.then_some("true");
    let entries = groups
        .iter()
        .map(|group| Node::new("group").attr("jid", group).attr_opt("remove_orphaned_members", orphans));
    request(community, "set", Node::new("unlink").attr("unlink_type", "sub_group").children(entries))
}

/// Reads what came of either, for each group.
pub(crate) fn linked(answer: &NodeRef<'_>) -> Option<Vec<(Jid, Option<u16>)>> {
    let links = answer.child_named("links").and_then(|links| links.child_named("link"));
    let done = links.or_else(|| answer.child_named("unlink"))?;
    Some(done.children_named("group").filter_map(|node| Some((group_id(node)?, error(node)))).collect())
}

/// Asks for the groups of a community.
pub(crate) fn groups(community: &Jid) -> Node {
    request(community, "get", Node::new("sub_groups"))
}

/// A group of a community as stanzas tell it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) subject: String,
    pub(crate) subject_changed_at: i64,
    pub(crate) created_at: i64,
    pub(crate) creator: Option<Jid>,
    pub(crate) size: Option<u32>,
    pub(crate) is_announcements: bool,
    pub(crate) is_general_chat: bool,
    pub(crate) is_hidden: bool,
    pub(crate) approval: Option<bool>,
    pub(crate) waiting: Option<u32>,
}

/// Reads the groups of a community.
pub(crate) fn listed(answer: &NodeRef<'_>) -> Option<Vec<(Jid, Listed)>> {
    let read = |node: &NodeRef<'_>| {
        let listed = Listed {
            subject: text(node, "subject").unwrap_or_default(),
            subject_changed_at: time(node, "s_t"),
            created_at: time(node, "creation"),
            creator: account(node, "creator"),
            size: node.attr_u32("size"),
            is_announcements: node.child_named("default_sub_group").is_some(),
            is_general_chat: node.child_named("general_chat").is_some(),
            is_hidden: node.child_named("hidden_group").is_some(),
            ..Listed::default()
        };
        Some((group_id(node)?, listed))
    };
    Some(answer.child_named("sub_groups")?.children_named("group").filter_map(read).collect())
}

/// Asks for everybody in any group of a community.
pub(crate) fn participants(community: &Jid) -> Node {
    request(community, "get", Node::new("linked_groups_participants"))
}

/// Reads everybody.
pub(crate) fn everybody(answer: &NodeRef<'_>) -> Option<Vec<Member>> {
    let list = answer.child_named("linked_groups_participants")?;
    Some(list.children_named("participant").filter_map(member).collect())
}

/// Asks what one group of a community is, which this account is not in.
pub(crate) fn preview(community: &Jid, group: &Jid) -> Node {
    let query = Node::new("query_linked").attr("type", "sub_group").attr("jid", group);
    request(community, "get", query)
}

/// Joins a group of a community.
pub(crate) fn join(community: &Jid, group: &Jid) -> Node {
    request(community, "set", Node::new("join_linked_group").attr("jid", group))
}

/// Ends a community; its groups go on without it.
pub(crate) fn deactivate(community: &Jid) -> Node {
    request(community, "set", Node::new("delete_parent"))
}

/// The variables that ask for the groups of a community, or for suggested ones.
pub(crate) fn about(community: &Jid) -> Value {
    json!({ "group_id": community.to_string(), "query_context": "INTERACTIVE" })
}

/// The variables that ask how many are in each group.
pub(crate) fn sizes(community: &Jid) -> Value {
    json!({ "input": { "group_jid": community.to_string(), "query_context": "INTERACTIVE" } })
}

/// The variables that make somebody else the owner.
pub(crate) fn transfer(community: &Jid, to: &Jid) -> Value {
    let update = json!({ "new_role": "SUPERADMIN_MEMBER", "user_jid": to.to_string() });
    json!({ "input": { "group_id": community.to_string(), "role_updates": [update] } })
}

/// Reads the groups of a community from an answer of the GraphQL interface.
pub(crate) fn listed_graph(answer: &Value) -> Option<Vec<(Jid, Listed)>> {
    let mut all = Vec::new();
    if let Some((id, listed)) = answer.get("default_sub_group").and_then(node) {
        all.push((id, Listed { is_announcements: true, ..listed }));
    }
    all.extend(nodes(answer, "sub_groups")?.filter_map(node));
    Some(all)
}

fn node(node: &Value) -> Option<(Jid, Listed)> {
    let properties = node.get("properties");
    let is = |name: &str| properties.and_then(|set| set.get(name)).and_then(Value::as_bool);
    let waiting = node.get("membership_approval_requests").and_then(|list| number(list, "total_count"));
    let listed = Listed {
        subject: word(node.get("subject"), "value").unwrap_or_default(),
        subject_changed_at: node
            .get("subject")
            .and_then(|subject| number(subject, "creation_time"))
            .unwrap_or(0),
        is_general_chat: is("general_chat").unwrap_or(false),
        is_hidden: is("hidden_group").unwrap_or(false),
        approval: is("membership_approval_mode_enabled"),
        waiting: waiting.and_then(|count| u32::try_from(count).ok()),
        ..Listed::default()
    };
    Some((id(node)?, listed))
}

/// Reads how many are in each group.
pub(crate) fn counted(answer: &Value) -> Option<Vec<(Jid, u32)>> {
    let count = |node: &Value| {
        let count = number(node, "total_participants_count")?;
        Some((id(node)?, u32::try_from(count).ok()?))
    };
    Some(nodes(answer, "sub_groups")?.filter_map(count).collect())
}

/// Reads the groups that are suggested for a community.
pub(crate) fn suggested(answer: &Value) -> Option<Vec<Suggested>> {
    let read = |node: &Value| {
        let is = |name: &str| node.get(name).and_then(Value::as_bool).unwrap_or(false);
        let creator = word(node.get("creator"), "id").and_then(|id| id.parse::<Jid>().ok());
        Some(Suggested {
            id: id(node)?,
            subject: word(node.get("subject"), "value").unwrap_or_default(),
            description: word(node.get("description"), "value"),
            creator: creator.map(|jid| jid.to_account()),
            created_at: number(node, "creation_time").unwrap_or(0),
            is_existing: is("is_existing_group"),
            is_hidden: is("hidden_group"),
            size: number(node, "total_participants_count").and_then(|count| u32::try_from(count).ok()),
        })
    };
    Some(nodes(answer, "sub_group_suggestions")?.filter_map(read).collect())
}

/// Whether an answer about a change is about this community.
pub(crate) fn transferred(answer: &Value) -> Option<()> {
    answer.get("group_id").map(drop)
}

/// The nodes of a list; none if the list is absent, as for a community without groups.
fn nodes<'a>(answer: &'a Value, list: &str) -> Option<impl Iterator<Item = &'a Value>> {
    let object = answer.as_object()?;
    let edges = object.get(list).and_then(|list| list.get("edges")).and_then(Value::as_array);
    Some(edges.into_iter().flatten().filter_map(|edge| edge.get("node")))
}

fn id(node: &Value) -> Option<Jid> {
    let text = node.get("id")?.as_str()?;
    let jid = if text.contains('@') { text.parse().ok()? } else { Jid::group(text) };
    Some(jid).filter(Jid::is_group)
}

fn word(value: Option<&Value>, name: &str) -> Option<String> {
    value?.get(name)?.as_str().map(str::to_owned)
}

/// A number, which may be text.
fn number(value: &Value, name: &str) -> Option<i64> {
    match value.get(name)? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

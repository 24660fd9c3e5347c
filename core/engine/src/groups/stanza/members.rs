//! Changes of members, and leaving.

use whimbrel_wire::{Jid, Node, NodeRef};

use super::super::notice::What;
use super::super::row::Member;
use super::{error, group_id, request};

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
    request(group, "set", Node::new(action(what)).children(members.iter().map(participant)))
}

/// Removes people from a community and all groups in it.
pub(crate) fn participants_everywhere(community: &Jid, members: &[Member]) -> Node {
    let remove = Node::new(action(What::Removed)).attr("linked_groups", "true");
    request(community, "set", remove.children(members.iter().map(participant)))
}

pub(super) fn participant(member: &Member) -> Node {
    let phone = member.twin.as_ref().filter(|_| member.id.is_lid());
    Node::new("participant").attr("jid", &member.id).attr_opt("phone_number", phone)
}

/// Leaves a group.
pub(crate) fn leave(group: &Jid) -> Node {
    let leave = Node::new("leave").child(Node::new("group").attr("id", group));
    request(&Jid::GROUPS, "set", leave)
}

/// Leaves a community and all groups in it.
pub(crate) fn leave_community(community: &Jid) -> Node {
    let leave = Node::new("leave").child(Node::new("community").attr("id", community));
    request(&Jid::GROUPS, "set", leave)
}

/// Why leaving a group failed, if the answer says so. Communities are answered like groups by some.
pub(crate) fn left_with(answer: &NodeRef<'_>, group: &Jid) -> Result<(), u16> {
    let entries = answer.child_named("leave").map(NodeRef::child_nodes).unwrap_or_default();
    let own = entries.iter().find(|node| group_id(node).as_ref() == Some(group));
    own.and_then(error).map_or(Ok(()), Err)
}

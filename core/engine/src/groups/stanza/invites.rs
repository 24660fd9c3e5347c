//! Invitation links, and invitations of single people (features document §2.6, §2.7).

use whimbrel_wire::{Jid, Node, NodeRef};

use super::super::invites::Invitation;
use super::super::row::Member;
use super::{members, request, text};

/// Asks for the code of a group's link.
pub(crate) fn link(group: &Jid) -> Node {
    request(group, "get", Node::new("invite"))
}

/// Makes a group's link void and a new one.
pub(crate) fn reset_link(group: &Jid) -> Node {
    request(group, "set", Node::new("invite"))
}

/// The code in an answer about a link.
pub(crate) fn code(answer: &NodeRef<'_>) -> Option<String> {
    text(answer.child_named("invite")?, "code").filter(|code| !code.is_empty())
}

/// Asks what a link leads to.
pub(crate) fn preview_link(code: &str) -> Node {
    request(&Jid::GROUPS, "get", Node::new("invite").attr("code", code.to_owned()))
}

/// Joins by a link.
pub(crate) fn join_by_link(code: &str) -> Node {
    request(&Jid::GROUPS, "set", Node::new("invite").attr("code", code.to_owned()))
}

fn invited(tag: &'static str, invitation: &Invitation) -> Node {
    Node::new(tag)
        .attr("code", invitation.code.clone())
        .attr("expiration", u64::try_from(invitation.expires_at).unwrap_or(0))
        .attr("admin", &invitation.admin)
}

/// Asks what an invitation leads to.
pub(crate) fn preview_invitation(invitation: &Invitation) -> Node {
    let query = Node::new("query").child(invited("add_request", invitation));
    request(&invitation.group, "get", query)
}

/// Accepts an invitation.
pub(crate) fn accept_invitation(invitation: &Invitation) -> Node {
    request(&invitation.group, "set", invited("accept", invitation))
}

/// Takes invitations back.
pub(crate) fn revoke_invitations(group: &Jid, people: &[Member]) -> Node {
    request(group, "set", Node::new("revoke").children(people.iter().map(members::participant)))
}

/// Which group the account is in now, or waits to get into. Some answer an acceptance with nothing.
pub(crate) fn joined(answer: &NodeRef<'_>, asked: Option<&Jid>) -> Option<(Jid, bool)> {
    let waits = answer.child_named("membership_approval_request");
    if let Some(waiting) = waits {
        return Some((super::group_id(waiting).or_else(|| asked.cloned())?, true));
    }
    let group = answer.child_named("group").and_then(super::group_id);
    Some((group.or_else(|| asked.cloned())?, false))
}

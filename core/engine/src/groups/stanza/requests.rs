//! People who wait to be let in (features document §2.8).

use whimbrel_wire::{Jid, Node, NodeRef};

use super::super::row::Member;
use super::{account, error, member, members, request, text, time};

/// Asks who waits.
pub(crate) fn list(group: &Jid) -> Node {
    request(group, "get", Node::new("membership_approval_requests"))
}

/// Somebody who waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) who: Member,
    /// Seconds since 1970.
    pub(crate) since: i64,
    pub(crate) method: Option<String>,
    pub(crate) requestor: Option<Jid>,
    pub(crate) community: Option<Jid>,
}

/// Reads who waits.
pub(crate) fn waiting(answer: &NodeRef<'_>) -> Option<Vec<Waiting>> {
    let read = |node: &NodeRef<'_>| {
        Some(Waiting {
            who: member(node)?,
            since: time(node, "request_time"),
            method: text(node, "request_method"),
            requestor: account(node, "requestor"),
            community: node.attr_jid("parent_group_jid"),
        })
    };
    let list = answer.child_named("membership_approval_requests")?;
    Some(list.children_named("membership_approval_request").filter_map(read).collect())
}

const fn verdict(approve: bool) -> &'static str {
    if approve { "approve" } else { "reject" }
}

/// Lets people in, or not.
pub(crate) fn decide(group: &Jid, approve: bool, people: &[Member]) -> Node {
    let named = Node::new(verdict(approve)).children(people.iter().map(|person| {
        // Without the phone number: nobody sends it here.
        members::participant(&Member { twin: None, ..person.clone() })
    }));
    request(group, "set", Node::new("membership_requests_action").child(named))
}

/// Reads what came of it for each.
pub(crate) fn decided(answer: &NodeRef<'_>, approve: bool) -> Option<Vec<(Member, Option<u16>)>> {
    let done = answer.child_named("membership_requests_action")?.child_named(verdict(approve))?;
    Some(done.children_named("participant").filter_map(|node| Some((member(node)?, error(node)))).collect())
}

/// This account does not want to be let in any more.
pub(crate) fn cancel(group: &Jid, own: &Jid) -> Node {
    let own = Node::new("participant").attr("jid", own);
    request(group, "set", Node::new("cancel_membership_requests").child(own))
}

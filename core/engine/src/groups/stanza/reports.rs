//! Reports to a group's admins, and the like (features document §2.9).

use serde_json::{Value, json};
use whimbrel_wire::{Jid, Node, NodeRef};

use super::{account, error, request, text, time};

/// The operation of the GraphQL interface that asks to lift a suspension, and what it answers under.
pub(crate) const APPEAL: (&str, &str) = ("GroupSuspensionAppeal", "wa_create_group_suspension_appeal");

/// Says that this account knows of a group that somebody unknown put it into.
pub(crate) fn acknowledge(group: &Jid) -> Node {
    request(group, "set", Node::new("ack"))
}

/// Reports messages to the admins.
pub(crate) fn report(group: &Jid, messages: &[String]) -> Node {
    let entries = messages.iter().map(|id| Node::new("report").attr("message_id", id.clone()));
    request(group, "set", Node::new("reports").children(entries))
}

/// Which messages could not be reported, with the service's numbers. An answer may say nothing.
pub(crate) fn unreported(answer: &NodeRef<'_>) -> Vec<(String, u16)> {
    let entries = answer.child_named("reports").map(NodeRef::child_nodes).unwrap_or_default();
    entries.iter().filter_map(|node| Some((text(node, "message_id")?, error(node)?))).collect()
}

/// Asks what was reported.
pub(crate) fn list(group: &Jid) -> Node {
    request(group, "get", Node::new("reports"))
}

/// A message that somebody reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) message_id: String,
    /// Who reported it.
    pub(crate) by: Vec<Jid>,
    /// When it was last reported, seconds since 1970; 0 if not told.
    pub(crate) at: i64,
}

/// Reads what was reported. How reporters are named is not known for certain, so both forms are read.
pub(crate) fn reported(answer: &NodeRef<'_>) -> Option<Vec<Report>> {
    let read = |node: &NodeRef<'_>| {
        let mut by: Vec<Jid> =
            ["reporter", "participant"].iter().find_map(|key| account(node, key)).into_iter().collect();
        let reporters =
            node.child_nodes().iter().filter(|node| matches!(node.tag(), "reporter" | "participant"));
        by.extend(reporters.filter_map(|node| account(node, "jid")));
        let at = [time(node, "timestamp"), time(node, "t")].into_iter().max().unwrap_or(0);
        Some(Report { message_id: text(node, "message_id")?, by, at })
    };
    Some(answer.child_named("reports")?.children_named("report").filter_map(read).collect())
}

/// The variables of an appeal. The group is named by its digits here.
pub(crate) fn appeal(group: &Jid, reason: &str) -> Value {
    json!({ "input": { "group_jid": group.user(), "appeal_reason": reason, "debug_info": "{}" } })
}

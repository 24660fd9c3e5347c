//! Requests about groups and what is read of the answers (features document §2). Pure.

mod create;
pub(crate) mod invites;
mod members;
mod read;
pub(crate) mod reports;
pub(crate) mod requests;
pub(crate) mod settings;

use whimbrel_wire::{Jid, Node, NodeRef};

pub(crate) use create::{Draft, Shape, create};
pub(crate) use members::{action, leave, leave_community, left_with, participants, participants_everywhere};
pub(crate) use read::{description, expiration, group, group_id, growth_lock, member};

/// A request about one group, or about groups at all.
pub(crate) fn request(to: &Jid, kind: &'static str, child: Node) -> Node {
    Node::new("iq").attr("to", to).attr("type", kind).attr("xmlns", "w:g2").child(child)
}

/// Asks for everything about a group. With the hash of the members that are known, the answer is empty
/// if the service has the same ones.
pub(crate) fn query(group: &Jid, phash: Option<String>) -> Node {
    request(group, "get", Node::new("query").attr("request", "interactive").attr_opt("phash", phash))
}

/// Asks for everything about all groups of this account.
pub(crate) fn participating() -> Node {
    let wanted = Node::new("participating").child(Node::new("participants")).child(Node::new("description"));
    request(&Jid::GROUPS, "get", wanted)
}

/// Asks for several groups at once.
pub(crate) fn batch(groups: &[Jid]) -> Node {
    let wanted = groups.iter().map(|group| Node::new("group").attr("jid", group));
    request(&Jid::GROUPS, "get", Node::new("query").children(wanted))
}

/// What a batch says of one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// All of it; of a very large group without some of its members.
    Group(Jid, Box<super::GroupRow>),
    /// The service's number for why not.
    Refused(Jid, u16),
}

/// Reads the answer to a batch, or to the question for all groups: some answer communities apart.
pub(crate) fn told(answer: &NodeRef<'_>, now: i64) -> Option<Vec<Told>> {
    let lists = [("groups", "group"), ("communities", "community")];
    let mut found = false;
    let mut told = Vec::new();
    for (list, entry) in lists {
        let Some(list) = answer.child_named(list) else { continue };
        found = true;
        for node in list.children_named(entry) {
            match (error(node), group_id(node)) {
                (Some(status), Some(id)) => told.push(Told::Refused(id, status)),
                (None, Some(_)) => {
                    told.extend(group(node, now).map(|(id, row)| Told::Group(id, Box::new(row))))
                }
                (_, None) => {}
            }
        }
    }
    found.then_some(told)
}

/// Asks for the pictures of several groups, small ones.
pub(crate) fn pictures(groups: &[Jid]) -> Node {
    let wanted = groups.iter().map(|group| Node::new("picture").attr("jid", group).attr("type", "preview"));
    request(&Jid::GROUPS, "get", Node::new("pictures").children(wanted))
}

/// A picture of a group, as the service names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Picture {
    pub(crate) group: Jid,
    pub(crate) id: String,
    pub(crate) url: Option<String>,
    pub(crate) direct_path: Option<String>,
}

/// Reads the answer with pictures. Groups without one are not in it.
pub(crate) fn told_pictures(answer: &NodeRef<'_>) -> Option<Vec<Picture>> {
    let read = |node: &NodeRef<'_>| {
        error(node).is_none().then_some(())?;
        Some(Picture {
            group: node.attr_jid("jid").filter(Jid::is_group)?,
            id: text(node, "id")?,
            url: text(node, "url"),
            direct_path: text(node, "direct_path"),
        })
    };
    Some(answer.child_named("pictures")?.children_named("picture").filter_map(read).collect())
}

/// The number of a failure of one entry, in either of the forms that occur. Some call a success 200.
pub(crate) fn error(node: &NodeRef<'_>) -> Option<u16> {
    let inside = || node.child_named("error").and_then(|error| error.attr_u64("code"));
    let status = node.attr_u64("error").or_else(inside).and_then(|status| u16::try_from(status).ok());
    status.filter(|status| !matches!(status, 0 | 200))
}

/// The account in an attribute.
pub(crate) fn account(node: &NodeRef<'_>, key: &str) -> Option<Jid> {
    node.attr_jid(key).filter(|jid| !jid.is_server()).map(|jid| jid.to_account())
}

pub(crate) fn time(node: &NodeRef<'_>, key: &str) -> i64 {
    node.attr_u64(key).and_then(|time| i64::try_from(time).ok()).unwrap_or(0)
}

pub(crate) fn text(node: &NodeRef<'_>, key: &str) -> Option<String> {
    node.attr_text(key).map(std::borrow::Cow::into_owned)
}

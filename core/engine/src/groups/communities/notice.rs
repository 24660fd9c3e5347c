//! What announcements say of the groups of a community (features document §2.11). Pure.

use whimbrel_wire::{Jid, NodeRef};

use super::super::events::{GroupRelation, LinkedGroup};
use super::super::notice::Notice;
use super::super::stanza;

/// A suggested group, with its maker as the stanza names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Suggested {
    pub(crate) id: Jid,
    pub(crate) subject: String,
    pub(crate) description: Option<String>,
    pub(crate) creator: Option<Jid>,
    pub(crate) created_at: i64,
    pub(crate) is_existing: bool,
    pub(crate) is_hidden: bool,
    pub(crate) size: Option<u32>,
}

/// Reads `link` and `unlink`.
pub(crate) fn links(child: &NodeRef<'_>, linked: bool) -> Notice {
    let kind = stanza::text(child, if linked { "link_type" } else { "unlink_type" });
    let relation = match kind.as_deref() {
        Some("parent_group") => GroupRelation::Community,
        Some("sub_group") => GroupRelation::Group,
        Some("sibling_group") => GroupRelation::Sibling,
        _ => GroupRelation::Other,
    };
    let groups = child.children_named("group").filter_map(linked_group).collect();
    let reason = stanza::text(child, if linked { "reason" } else { "unlink_reason" });
    Notice::Links { linked, relation, groups, reason }
}

/// Reads a `<group>` of which others than its members are told.
pub(crate) fn linked_group(node: &NodeRef<'_>) -> Option<LinkedGroup> {
    Some(LinkedGroup {
        id: stanza::group_id(node)?,
        subject: stanza::text(node, "subject").unwrap_or_default(),
        is_hidden: node.child_named("hidden_group").is_some(),
        is_announcements: node.child_named("default_sub_group").is_some(),
    })
}

/// Reads `created_sub_group_suggestion` and `revoked_sub_group_suggestions`.
pub(crate) fn suggestions(child: &NodeRef<'_>, open: bool) -> Notice {
    let read = |node: &NodeRef<'_>| {
        let subject = node.child_text("subject").map(ToOwned::to_owned);
        let about = node.child_named("description");
        let about = about.and_then(|about| about.child_text("body").or_else(|| about.content_text()));
        let count = node.child_named("participant_count");
        let size = count.and_then(|count| {
            let told = count.content_text().and_then(|text| text.parse().ok());
            told.or_else(|| count.attr_u32("value"))
        });
        Some(Suggested {
            id: stanza::group_id(node)?,
            subject: subject.or_else(|| stanza::text(node, "subject")).unwrap_or_default(),
            description: about.map(ToOwned::to_owned),
            creator: stanza::account(node, "creator"),
            created_at: stanza::time(node, "creation"),
            is_existing: node.child_named("is_existing_group").is_some(),
            is_hidden: node.child_named("hidden_group").is_some(),
            size,
        })
    };
    let suggestions: Vec<Suggested> = child.children_named("sub_group_suggestion").filter_map(read).collect();
    let inner = child.child_named("sub_group_suggestion").and_then(|node| stanza::text(node, "reason"));
    Notice::Suggestions { open, suggestions, reason: stanza::text(child, "reason").or(inner) }
}

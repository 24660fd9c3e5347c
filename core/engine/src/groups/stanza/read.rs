//! What the service says of a group and of people in it (features document §2.1).

use whimbrel_wire::{Jid, NodeRef};

use super::super::row::{Addressing, Description, GroupRow, GrowthLock, Member, Role};
use super::super::switch::{GroupSetting, Switches};
use super::{account, error, text, time};

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
    let listed = u32::try_from(members.len()).unwrap_or(u32::MAX);
    let cut = node.attr_u32("size").filter(|size| *size > listed);
    let parent = node.child_named("parent");
    let mut switches = Switches::of_group(node);
    if parent.is_some_and(|parent| parent.attr_is("default_membership_approval_mode", "request_required")) {
        switches.set(GroupSetting::ApprovalRequired, true);
    }
    let has = |tag| node.child_named(tag).is_some();
    let row = GroupRow {
        subject: text(node, "subject").unwrap_or_default(),
        subject_author: account(node, "s_o"),
        subject_changed_at: time(node, "s_t"),
        addressing,
        members,
        creator: account(node, "creator"),
        created_at: time(node, "creation"),
        description: node.child_named("description").and_then(description),
        switches,
        ephemeral: node.child_named("ephemeral").map_or(0, expiration),
        is_community: parent.is_some(),
        community: node.child_named("linked_parent").and_then(|parent| parent.attr_jid("jid")),
        is_announcements: has("default_sub_group"),
        is_general_chat: has("general_chat"),
        is_hidden: has("hidden_group"),
        suspended: has("suspended"),
        growth_lock: node.child_named("growth_locked").map(growth_lock),
        size: cut.unwrap_or(0),
        version: text(node, "p_v_id"),
        fetched_at: now,
        stale: cut.is_some() || node.attr_true("truncated"),
    };
    Some((id, row))
}

/// The address of a `<group>`: bare digits, by some a whole JID.
pub(crate) fn group_id(node: &NodeRef<'_>) -> Option<Jid> {
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

/// Reads that nobody can join for some time.
pub(crate) fn growth_lock(node: &NodeRef<'_>) -> GrowthLock {
    let until = node.attr_u64("expiration").and_then(|time| i64::try_from(time).ok());
    GrowthLock { reason: text(node, "type"), until }
}

/// After how many seconds messages disappear.
pub(crate) fn expiration(node: &NodeRef<'_>) -> u32 {
    node.attr_u32("expiration").unwrap_or(0)
}

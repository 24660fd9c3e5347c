//! What the children of a `w:gp2` notification say (features document §2.11). Pure.

use whimbrel_wire::{Jid, NodeRef};

use super::row::{Description, GroupRow, Member};
use super::stanza;

/// What one child says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// This account is in a new group.
    Created { group: Jid, row: Box<GroupRow>, reason: Option<String> },
    /// Something happened to members.
    Members { what: What, members: Vec<Member>, reason: Option<String>, versions: Versions },
    /// A setting changed.
    Setting(Setting),
    /// The group is gone.
    Deleted,
    /// Nothing that this device keeps is changed by it.
    Other(String),
    /// It may change anything.
    Unknown(String),
}

/// What happened to members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Added,
    Removed,
    Promoted,
    Demoted,
    NumberChanged,
}

/// Versions of the list of members after and before a change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Versions {
    pub(crate) after: Option<String>,
    pub(crate) before: Option<String>,
}

/// A setting with its new value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Setting {
    Subject { subject: String, author: Option<Jid>, changed_at: i64 },
    Description(Option<Description>),
    Announce(bool),
    Locked(bool),
    Approval(bool),
    MembersAdd(bool),
    Ephemeral(u32),
}

/// Children that are worth telling and change nothing that is kept.
const HARMLESS: [&str; 21] = [
    "invite",
    "revoke",
    "created_membership_requests",
    "revoked_membership_requests",
    "membership_approval_request",
    "growth_locked",
    "growth_unlocked",
    "suspended",
    "unsuspended",
    "linked_group_promote",
    "linked_group_demote",
    "created_sub_group_suggestion",
    "revoked_sub_group_suggestions",
    "reports",
    "allow_admin_reports",
    "not_allow_admin_reports",
    "no_frequently_forwarded",
    "frequently_forwarded_ok",
    "group_history",
    "no_group_history",
    "limit_sharing_enabled",
];

/// Reads a child of a notification. `author` and `time` are the notification's.
pub(crate) fn notice(child: &NodeRef<'_>, author: Option<&Jid>, time: i64) -> Notice {
    let unknown = || Notice::Unknown(child.tag().to_owned());
    let setting = match child.tag() {
        "create" => return created(child, time).unwrap_or_else(unknown),
        "add" => return members(What::Added, child),
        "remove" => return members(What::Removed, child),
        "promote" => return members(What::Promoted, child),
        "demote" => return members(What::Demoted, child),
        "modify" => return members(What::NumberChanged, child),
        "change_number" => {
            let member = stanza::member(child).into_iter().collect();
            return Notice::Members {
                what: What::NumberChanged,
                members: member,
                reason: None,
                versions: Versions::default(),
            };
        }
        "delete" => return Notice::Deleted,
        "subject" => child.attr_text("subject").map(|subject| Setting::Subject {
            subject: subject.into_owned(),
            author: stanza::account(child, "s_o").or_else(|| author.cloned()),
            changed_at: Some(stanza::time(child, "s_t")).filter(|time| *time > 0).unwrap_or(time),
        }),
        "description" => description(child, author, time).map(Setting::Description),
        "announcement" => Some(Setting::Announce(true)),
        "not_announcement" => Some(Setting::Announce(false)),
        "locked" => Some(Setting::Locked(true)),
        "unlocked" => Some(Setting::Locked(false)),
        "membership_approval_mode" => Some(Setting::Approval(stanza::is_on(child))),
        "member_add_mode" => match child.content_text() {
            Some("all_member_add") => Some(Setting::MembersAdd(true)),
            Some("admin_add") => Some(Setting::MembersAdd(false)),
            _ => None,
        },
        "ephemeral" => Some(Setting::Ephemeral(stanza::expiration(child))),
        "not_ephemeral" => Some(Setting::Ephemeral(0)),
        tag if HARMLESS.contains(&tag) => return Notice::Other(tag.to_owned()),
        _ => None,
    };
    setting.map_or_else(unknown, Notice::Setting)
}

fn created(child: &NodeRef<'_>, time: i64) -> Option<Notice> {
    let (group, row) = stanza::group(child.child_named("group")?, time)?;
    Some(Notice::Created { group, row: Box::new(row), reason: reason(child) })
}

fn members(what: What, child: &NodeRef<'_>) -> Notice {
    let text = |key| child.attr_text(key).map(std::borrow::Cow::into_owned);
    Notice::Members {
        what,
        members: child.children_named("participant").filter_map(stanza::member).collect(),
        reason: reason(child),
        versions: Versions { after: text("v_id"), before: text("prev_v_id") },
    }
}

fn reason(child: &NodeRef<'_>) -> Option<String> {
    child.attr_text("reason").map(std::borrow::Cow::into_owned)
}

/// A new description, or that there is none any more; nothing if it says neither.
fn description(child: &NodeRef<'_>, author: Option<&Jid>, time: i64) -> Option<Option<Description>> {
    if child.child_named("delete").is_some() {
        return Some(None);
    }
    let told = stanza::description(child)?;
    Some(Some(Description {
        author: told.author.or_else(|| author.cloned()),
        changed_at: if told.changed_at > 0 { told.changed_at } else { time },
        ..told
    }))
}

//! What the children of a `w:gp2` notification say (features document §2.11). Pure.

use whimbrel_wire::{Jid, NodeRef};

use super::communities::notice as communities;
use super::events::{GroupRelation, LinkedGroup};
use super::row::{Description, GroupRow, GrowthLock, Member};
use super::stanza;
use super::switch::GroupSetting;

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
    /// The link has this code now.
    InviteLink(String),
    /// Invitations of these are void.
    InvitationsRevoked(Vec<Member>),
    /// Somebody wants to get in, or no longer.
    Requests { what: Requests, people: Vec<Member>, method: Option<String>, community: Option<Jid> },
    /// Nobody can join for some time, or everybody again.
    Growth(Option<GrowthLock>),
    /// The service has suspended the group, or lifted that.
    Suspended(bool),
    /// Groups belong together now, or no more.
    Links { linked: bool, relation: GroupRelation, groups: Vec<LinkedGroup>, reason: Option<String> },
    /// Members of another group of the community are admins there now, or no more.
    LinkedRoles { promoted: bool, group: Option<Jid>, members: Vec<Member> },
    /// Groups are suggested for a community, or no more.
    Suggestions { open: bool, suggestions: Vec<communities::Suggested>, reason: Option<String> },
    /// Nothing that this device keeps is changed by it.
    Remark(Remark),
    /// It may change anything.
    Unknown(String),
}

/// What happened to requests to be let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Requests {
    Created,
    /// By those who made them, or by an admin.
    Revoked,
    Own,
}

/// What is only told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remark {
    Reported,
    AutoAddDisabled,
    BusinessHosted,
    SafetyCheck,
    ParticipantUnidentified,
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
    Switch(GroupSetting, bool),
    Ephemeral(u32),
}

/// Reads a child of a notification. `author` and `time` are the notification's.
pub(crate) fn notice(child: &NodeRef<'_>, author: Option<&Jid>, time: i64) -> Notice {
    let unknown = || Notice::Unknown(child.tag().to_owned());
    if let Some(known) = members_notice(child).or_else(|| other_notice(child)) {
        return known;
    }
    let setting = match child.tag() {
        "create" => return created(child, time).unwrap_or_else(unknown),
        "subject" => child.attr_text("subject").map(|subject| Setting::Subject {
            subject: subject.into_owned(),
            author: stanza::account(child, "s_o").or_else(|| author.cloned()),
            changed_at: Some(stanza::time(child, "s_t")).filter(|time| *time > 0).unwrap_or(time),
        }),
        "description" => description(child, author, time).map(Setting::Description),
        "ephemeral" => Some(Setting::Ephemeral(stanza::expiration(child))),
        "not_ephemeral" => Some(Setting::Ephemeral(0)),
        _ => GroupSetting::announced(child).map(|(setting, on)| Setting::Switch(setting, on)),
    };
    setting.map_or_else(unknown, Notice::Setting)
}

fn members_notice(child: &NodeRef<'_>) -> Option<Notice> {
    let what = match child.tag() {
        "add" => What::Added,
        "remove" => What::Removed,
        "promote" => What::Promoted,
        "demote" => What::Demoted,
        "modify" => What::NumberChanged,
        "change_number" => {
            let members = stanza::member(child).into_iter().collect();
            let (what, versions) = (What::NumberChanged, Versions::default());
            return Some(Notice::Members { what, members, reason: None, versions });
        }
        _ => return None,
    };
    let versions = Versions { after: stanza::text(child, "v_id"), before: stanza::text(child, "prev_v_id") };
    Some(Notice::Members { what, members: participants(child), reason: reason(child), versions })
}

fn other_notice(child: &NodeRef<'_>) -> Option<Notice> {
    Some(match child.tag() {
        "delete" => Notice::Deleted,
        "invite" => Notice::InviteLink(stanza::text(child, "code")?),
        "revoke" => Notice::InvitationsRevoked(participants(child)),
        "created_membership_requests" => requests(Requests::Created, child),
        "revoked_membership_requests" => requests(Requests::Revoked, child),
        "membership_approval_request" => requests(Requests::Own, child),
        "growth_locked" => Notice::Growth(Some(stanza::growth_lock(child))),
        "growth_unlocked" => Notice::Growth(None),
        "suspended" => Notice::Suspended(true),
        "unsuspended" => Notice::Suspended(false),
        "link" => communities::links(child, true),
        "unlink" => communities::links(child, false),
        "linked_group_promote" => linked_roles(true, child),
        "linked_group_demote" => linked_roles(false, child),
        "created_sub_group_suggestion" => communities::suggestions(child, true),
        "revoked_sub_group_suggestions" => communities::suggestions(child, false),
        "reports" => Notice::Remark(Remark::Reported),
        "auto_add_disabled" => Notice::Remark(Remark::AutoAddDisabled),
        "is_capi_hosted_group" => Notice::Remark(Remark::BusinessHosted),
        "group_safety_check" => Notice::Remark(Remark::SafetyCheck),
        "missing_participant_identification" => Notice::Remark(Remark::ParticipantUnidentified),
        _ => return None,
    })
}

fn linked_roles(promoted: bool, child: &NodeRef<'_>) -> Notice {
    let group = child.attr_jid("jid").filter(Jid::is_group);
    Notice::LinkedRoles { promoted, group, members: participants(child) }
}

fn requests(what: Requests, child: &NodeRef<'_>) -> Notice {
    let named =
        child.child_nodes().iter().filter(|node| matches!(node.tag(), "requested_user" | "participant"));
    Notice::Requests {
        what,
        people: named.filter_map(stanza::member).collect(),
        method: stanza::text(child, "request_method"),
        community: child.attr_jid("parent_group_jid").filter(Jid::is_group),
    }
}

fn created(child: &NodeRef<'_>, time: i64) -> Option<Notice> {
    let (group, row) = stanza::group(child.child_named("group")?, time)?;
    Some(Notice::Created { group, row: Box::new(row), reason: reason(child) })
}

fn participants(child: &NodeRef<'_>) -> Vec<Member> {
    child.children_named("participant").filter_map(stanza::member).collect()
}

fn reason(child: &NodeRef<'_>) -> Option<String> {
    stanza::text(child, "reason")
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

//! Making a group or a community (features document §2.3, §3).

use whimbrel_wire::{Jid, Node};

use super::super::communities::CommunityOptions;
use super::super::create::GroupOptions;
use super::super::row::Member;
use super::super::switch::{GroupSetting, approval};
use super::members::participant;
use super::request;
use super::settings;

/// What is to be made.
#[derive(Clone, Debug)]
pub(crate) struct Draft<'a> {
    pub(crate) subject: &'a str,
    /// Repeated in what the service announces about it.
    pub(crate) key: String,
    pub(crate) members: &'a [Member],
    /// Its description, and the id of that.
    pub(crate) description: Option<(String, &'a str)>,
    pub(crate) shape: Shape<'a>,
}

/// What kind of group it is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape<'a> {
    Group(&'a GroupOptions),
    Community(&'a CommunityOptions),
}

/// Makes a group.
pub(crate) fn create(draft: &Draft<'_>) -> Node {
    let subject = Some(draft.subject.to_owned()).filter(|subject| !subject.is_empty());
    let description = draft.description.as_ref();
    let create = Node::new("create")
        .attr_opt("subject", subject)
        .attr("key", draft.key.clone())
        .children(draft.members.iter().map(participant))
        .child_opt(description.map(|(id, text)| settings::described(id, None, text)));
    let create = match draft.shape {
        Shape::Group(setup) => group(create, setup),
        Shape::Community(setup) => community(create, setup),
    };
    request(&Jid::GROUPS, "set", create)
}

fn group(create: Node, setup: &GroupOptions) -> Node {
    let word = |setting: GroupSetting, on: Option<bool>| on.and_then(|on| setting.element(on));
    let flag = |setting: GroupSetting, on: bool| on.then(|| setting.element(true)).flatten();
    let ephemeral = (setup.ephemeral_seconds > 0)
        .then(|| Node::new("ephemeral").attr("expiration", setup.ephemeral_seconds).attr("trigger", "1"));
    let parent = setup.community.as_ref().map(|jid| Node::new("linked_parent").attr("jid", jid));
    create
        .child_opt(word(GroupSetting::MembersMayAdd, setup.members_may_add))
        .child_opt(word(GroupSetting::MembersMayInvite, setup.members_may_invite))
        .child_opt(parent)
        .child_opt((setup.hidden && setup.community.is_some()).then(|| Node::new("hidden_group")))
        .child_opt(flag(GroupSetting::Locked, setup.locked))
        .child_opt(flag(GroupSetting::Announce, setup.announce))
        .child_opt(ephemeral)
        .child_opt(setup.approval_required.then(|| approval(true)))
}

fn community(create: Node, setup: &CommunityOptions) -> Node {
    let approval = setup.approval_required.then_some("request_required");
    let free = setup.members_may_create_groups;
    create
        .child(Node::new("parent").attr_opt("default_membership_approval_mode", approval))
        .child_opt(free.then(|| GroupSetting::MembersMayCreateGroups.element(true)).flatten())
        .child_opt(setup.general_chat.then(|| Node::new("create_general_chat")))
}

//! The group node, participant entries and `w:gp2` notifications (features document §2.1, §2.11).

use whimbrel_wire::{Jid, Node};

use super::super::Service;
use super::super::accounts::{Account, AccountId, DeviceId, Space};
use super::state::{Group, Place, Role};

/// How an addressing mode is written.
pub(crate) fn mode_name(mode: Space) -> &'static str {
    match mode {
        Space::Pn => "pn",
        Space::Lid => "lid",
    }
}

/// How much of a group is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Detail {
    pub(super) participants: bool,
    pub(super) description: bool,
}

impl Detail {
    pub(super) const FULL: Self = Self { participants: true, description: true };
    /// What somebody sees who was only invited.
    pub(super) const TRIMMED: Self = Self { participants: false, description: true };
}

/// A person as entries of a group name him: the address in the group's space, and the other one.
pub(super) fn participant(account: &Account, mode: Space) -> Node {
    let twin = match mode {
        Space::Lid => "phone_number",
        Space::Pn => "lid",
    };
    Node::new("participant").attr("jid", account.bare(mode)).attr_opt(twin, account.twin(mode))
}

impl Service {
    /// A participant entry of a group, with the role.
    pub(super) fn participant_of(&self, group: &Group, account: AccountId) -> Option<Node> {
        let entry = participant(self.accounts.get(account)?, group.mode());
        Some(entry.attr_opt("type", group.role(account).and_then(Role::name)))
    }

    /// The group node. Its `id` is bare digits: whatsmeow makes the address of it.
    pub(super) fn group_node(&self, group: &Group, detail: Detail) -> Node {
        let mode = group.mode();
        let lid = mode == Space::Lid;
        let name = |account: AccountId, space: Space| self.accounts.bare(account, space);
        let pn = |account: AccountId| name(account, Space::Pn).filter(|_| lid);
        let mut node = Node::new("group")
            .attr("id", group.id.clone())
            .attr("subject", group.subject.clone())
            .attr("s_t", group.subject_time)
            .attr_opt("s_o", name(group.subject_owner, mode))
            .attr_opt("s_o_pn", pn(group.subject_owner))
            .attr("creation", group.created)
            .attr_opt("creator", name(group.creator, mode))
            .attr_opt("creator_pn", pn(group.creator))
            .attr("size", group.members.len())
            .attr("addressing_mode", mode_name(mode))
            .attr("p_v_id", group.members_version)
            .attr("a_v_id", group.announce_version);
        if detail.participants {
            node = node.children(group.members().filter_map(|member| self.participant_of(group, member)));
        }
        if let Some(description) = group.description.as_ref().filter(|_| detail.description) {
            let described = Node::new("description")
                .attr("id", description.id.clone())
                .attr_opt("participant", name(description.author, mode))
                .attr_opt("participant_pn", pn(description.author))
                .attr("t", description.time)
                .child(Node::new("body").bytes(description.body.clone().into_bytes()));
            node = node.child(described);
        }
        let flag = |set: bool, tag: &'static str| set.then(|| Node::new(tag));
        node = node
            .child_opt(flag(group.announce, "announcement"))
            .child_opt(flag(group.locked, "locked"))
            .child_opt(
                (group.ephemeral > 0).then(|| Node::new("ephemeral").attr("expiration", group.ephemeral)),
            )
            .child(text("member_add_mode", add_mode(group.admins_add)))
            .child(text("member_link_mode", link_mode(group.admins_link)));
        // Clients take the element's mere presence for "on".
        if group.approval {
            node = node.child(approval("on"));
        }
        let parent = group.community.as_ref().map(|community| {
            let mode = community.approval.then_some("request_required");
            Node::new("parent").attr_opt("default_membership_approval_mode", mode)
        });
        let linked = group.parent.as_ref().map(|id| Node::new("linked_parent").attr("jid", Jid::group(id)));
        let growth = group.growth_locked.filter(|until| *until > self.now).map(growth_locked);
        node = node
            .child_opt(
                group.members_share.then(|| text("member_share_group_history_mode", share_mode(false))),
            )
            .child_opt(linked)
            .child_opt(flag(group.place == Place::Announcements, "default_sub_group"))
            .child_opt(flag(group.place == Place::General, "general_chat"))
            .child_opt(flag(group.hidden, "hidden_group"))
            .child_opt(parent)
            .child_opt(group.sharing_limited.then(|| limited(true)))
            .child_opt(flag(group.suspended, "suspended"))
            .child_opt(growth);
        node.children(group.switches.iter().map(|switch| Node::new(*switch)))
    }

    /// Tells the devices of these people what happened in a group, all but one device. One child
    /// for each notification: Baileys reads the first only.
    pub(super) fn tell_members(
        &mut self,
        group: &Jid,
        author: AccountId,
        except: Option<DeviceId>,
        people: impl IntoIterator<Item = AccountId>,
        child: &Node,
    ) {
        let Some(mode) = self.groups.find(group).map(Group::mode) else { return };
        let Some(person) = self.accounts.get(author) else { return };
        let (from, pn, name) = (person.bare(mode), person.bare(Space::Pn), person.name.clone());
        for target in
            people.into_iter().flat_map(|account| self.accounts.devices(account)).collect::<Vec<_>>()
        {
            if Some(target) == except || self.count_only(target) {
                continue;
            }
            let notification = self
                .notification("w:gp2", group.clone())
                .attr("participant", from.clone())
                .attr_opt("participant_pn", (mode == Space::Lid).then(|| pn.clone()))
                .attr_opt("notify", Some(name.clone()).filter(|name| !name.is_empty()))
                .attr("addressing_mode", mode_name(mode))
                .child(child.clone());
            self.push(target, notification);
        }
    }
}

/// An element that holds a word.
pub(super) fn text(tag: &'static str, word: &'static str) -> Node {
    Node::new(tag).bytes(word.as_bytes().to_vec())
}

pub(super) fn add_mode(admins: bool) -> &'static str {
    if admins { "admin_add" } else { "all_member_add" }
}

pub(super) fn link_mode(admins: bool) -> &'static str {
    if admins { "admin_link" } else { "all_member_link" }
}

pub(super) fn share_mode(admins: bool) -> &'static str {
    if admins { "admin_share" } else { "all_member_share" }
}

/// That content may not be taken out, or may again. How the latter is announced is not known.
pub(super) fn limited(on: bool) -> Node {
    let off = (!on).then_some("false");
    Node::new("limit_sharing_enabled").attr("trigger", "1").attr_opt("enabled", off)
}

pub(super) fn growth_locked(until: u64) -> Node {
    Node::new("growth_locked").attr("type", "invite").attr("expiration", until)
}

/// A group as those see it who are not in it.
pub(super) fn outline(group: &Group) -> Node {
    let flag = |set: bool, tag: &'static str| set.then(|| Node::new(tag));
    Node::new("group")
        .attr("jid", group.jid())
        .attr("id", group.id.clone())
        .attr("subject", group.subject.clone())
        .attr("s_t", group.subject_time)
        .child_opt(flag(group.hidden, "hidden_group"))
        .child_opt(flag(group.place == Place::Announcements, "default_sub_group"))
        .child_opt(flag(group.place == Place::General, "general_chat"))
}

pub(super) fn approval(state: &'static str) -> Node {
    Node::new("membership_approval_mode").child(Node::new("group_join").attr("state", state))
}

//! Communities: a group with a group for announcements, and others that are linked to it (features
//! document §3). Whoever is in any of its groups is in the community and in the group for announcements;
//! whoever leaves the community leaves all.

mod graph;
mod links;
mod members;

use whimbrel_wire::{Jid, Node};

use super::super::Service;
use super::super::accounts::{AccountId, DeviceId, Space};
use super::Actor;
use super::stanza::{Detail, outline, participant};
use super::state::{Community, Group, Place, Role, Suggestion};
use crate::stanza::{self, Refusal};

/// Most groups of a community.
const LINK_LIMIT: usize = 100;

impl Service {
    /// The community that a new group is to be in, by its digits.
    pub(super) fn parent_of(&self, actor: Actor, create: &Node) -> Result<Option<String>, Refusal> {
        let Some(linked) = create.child_named("linked_parent") else { return Ok(None) };
        if create.child_named("parent").is_some() {
            return Err(Refusal::code(400));
        }
        let jid = linked.attr_jid("jid").ok_or_else(|| Refusal::code(400))?;
        let parent = self.groups.find(&jid).ok_or_else(|| Refusal::code(404))?;
        if parent.community.is_none() {
            return Err(Refusal::code(400));
        }
        let free = parent.switches.contains("allow_non_admin_sub_group_creation");
        if !parent.is_member(actor.account) || !(free || parent.is_admin(actor.account)) {
            return Err(Refusal::code(403));
        }
        if self.groups.within(&parent.id).len() >= LINK_LIMIT {
            return Err(Refusal::code(406));
        }
        Ok(Some(parent.id.clone()))
    }

    /// Makes a new group a community, with its group for announcements.
    pub(super) fn found_community(&mut self, id: &str, actor: Actor, create: &Node) -> Result<(), Refusal> {
        let approval = create
            .child_named("parent")
            .is_some_and(|parent| parent.attr_is("default_membership_approval_mode", "request_required"));
        let group = self.groups.get_mut(id).ok_or_else(|| Refusal::code(500))?;
        group.community = Some(Community { approval, suggestions: Vec::new() });
        group.approval |= approval;
        if create.child_named("allow_non_admin_sub_group_creation").is_some() {
            group.switches.insert("allow_non_admin_sub_group_creation");
        }
        let (subject, mode) = (group.subject.clone(), group.mode());
        let mut places = vec![Place::Announcements];
        if create.child_named("create_general_chat").is_some() {
            places.push(Place::General);
        }
        for place in places {
            let sub = self.new_group(actor.account, &subject, mode)?;
            if let Some(group) = self.groups.get_mut(&sub) {
                group.parent = Some(id.to_owned());
                group.place = place;
                group.announce = place == Place::Announcements;
            }
            // Nobody asked for these groups, so all devices are told.
            self.populate(&sub, Actor { device: None, ..actor }, &[], None);
        }
        Ok(())
    }

    /// What the members of a community ask about it.
    pub(super) fn community_query(
        &self,
        device: DeviceId,
        community: &Group,
        asked: &Node,
    ) -> Result<Node, Refusal> {
        if community.community.is_none() {
            return Err(Refusal::code(400));
        }
        let visible = |group: &&Group| !group.hidden || group.is_member(device.account);
        let groups: Vec<&Group> = self.groups.within(&community.id).into_iter().filter(visible).collect();
        match asked.tag() {
            "sub_groups" => {
                let entries = groups.into_iter().map(|group| {
                    outline(group)
                        .attr("creation", group.created)
                        .attr_opt("creator", self.accounts.bare(group.creator, group.mode()))
                        .attr("size", group.members.len())
                });
                Ok(Node::new("sub_groups").children(entries))
            }
            "linked_groups_participants" => {
                let mut everybody: Vec<AccountId> = groups.iter().flat_map(|group| group.members()).collect();
                everybody.sort();
                everybody.dedup();
                let entry = |account| Some(participant(self.accounts.get(account)?, community.mode()));
                Ok(Node::new("linked_groups_participants").children(everybody.into_iter().filter_map(entry)))
            }
            _ => {
                let jid = asked.attr_jid("jid").ok_or_else(|| Refusal::code(400))?;
                let group = groups.into_iter().find(|group| group.jid() == jid);
                let group = group.ok_or_else(|| Refusal::code(404))?;
                Ok(Node::new("linked_group").child(self.group_node(group, Detail::TRIMMED)))
            }
        }
    }

    /// A member suggests a group, as on the phone.
    pub(crate) fn suggest_group(
        &mut self,
        by: &str,
        jid: &Jid,
        subject: &str,
        description: &str,
    ) -> Result<Jid, Refusal> {
        let creator = self.accounts.by_pn(by).ok_or_else(|| Refusal::code(404))?;
        let (id, now) = (format!("120363{}", self.random_digits(12)), self.now);
        let community = self.community_mut(jid)?;
        let suggestion = Suggestion {
            id: id.clone(),
            subject: subject.to_owned(),
            description: description.to_owned(),
            creator,
            time: now,
        };
        community.suggestions.push(suggestion.clone());
        let told = Node::new("created_sub_group_suggestion").child(self.suggestion_node(jid, &suggestion));
        self.tell_admins(jid, creator, &told);
        Ok(Jid::group(&id))
    }

    /// A suggestion is over, for a reason.
    pub(crate) fn end_suggestion(
        &mut self,
        by: &str,
        jid: &Jid,
        id: &Jid,
        reason: &'static str,
    ) -> Result<(), Refusal> {
        let author = self.accounts.by_pn(by).ok_or_else(|| Refusal::code(404))?;
        let community = self.community_mut(jid)?;
        let at = community.suggestions.iter().position(|suggestion| suggestion.id == id.user());
        let suggestion = community.suggestions.remove(at.ok_or_else(|| Refusal::code(404))?);
        let entry = self.suggestion_node(jid, &suggestion).attr("reason", reason);
        self.tell_admins(jid, author, &Node::new("revoked_sub_group_suggestions").child(entry));
        Ok(())
    }

    fn community_mut(&mut self, jid: &Jid) -> Result<&mut Community, Refusal> {
        let group = self.groups.get_mut(jid.user()).ok_or_else(|| Refusal::code(404))?;
        group.community.as_mut().ok_or_else(|| Refusal::code(400))
    }

    fn suggestion_node(&self, jid: &Jid, suggestion: &Suggestion) -> Node {
        let mode = self.groups.find(jid).map_or(Space::Lid, Group::mode);
        let words = |tag: &'static str, text: &str| Node::new(tag).bytes(text.as_bytes().to_vec());
        Node::new("sub_group_suggestion")
            .attr("jid", Jid::group(&suggestion.id))
            .attr_opt("creator", self.accounts.bare(suggestion.creator, mode))
            .attr("creation", suggestion.time)
            .child(words("subject", &suggestion.subject))
            .child(Node::new("description").child(words("body", &suggestion.description)))
            .child(words("participant_count", "1"))
    }

    fn tell_admins(&mut self, jid: &Jid, author: AccountId, told: &Node) {
        let group = self.groups.find(jid);
        let admins: Vec<AccountId> =
            group.into_iter().flat_map(|group| group.members().filter(|one| group.is_admin(*one))).collect();
        self.tell_members(jid, author, None, admins, told);
    }

    /// The digits of the community that a change of members concerns: the group's own, if it is one.
    fn community_of(&self, jid: &Jid) -> Option<String> {
        let group = self.groups.find(jid)?;
        if group.community.is_some() { Some(group.id.clone()) } else { group.parent.clone() }
    }

    fn is_admin_of(&self, id: &str, account: AccountId) -> bool {
        self.groups.get(id).is_some_and(|group| group.role(account).is_some_and(Role::is_admin))
    }
}

/// The word in an attribute that says what kind of link is meant.
fn links_groups(node: &Node, key: &str) -> bool {
    stanza::plain(node, key) == Some("sub_group")
}

//! Groups put into a community and taken out, and its end.

use whimbrel_wire::{Jid, Node};

use super::super::super::Service;
use super::super::super::accounts::AccountId;
use super::super::Actor;
use super::super::participants::Change;
use super::super::stanza::outline;
use super::super::state::{Group, Place};
use super::{LINK_LIMIT, links_groups};
use crate::stanza::Refusal;

impl Service {
    /// Puts groups into a community.
    pub(in super::super) fn link_groups(
        &mut self,
        actor: Actor,
        jid: &Jid,
        asked: &Node,
    ) -> Result<Node, Refusal> {
        self.check_admin(actor, jid)?;
        let link = asked.child_named("link").filter(|link| links_groups(link, "link_type"));
        let link = link.ok_or_else(|| Refusal::code(400))?;
        let mut answer = Node::new("link").attr("link_type", "sub_group");
        for entry in link.children_named("group") {
            let group = entry.attr_jid("jid").ok_or_else(|| Refusal::code(400))?;
            let hidden = entry.child_named("hidden_group").is_some();
            let done = self.link_group(actor, jid, &group, hidden);
            answer.push_child(told(group, done));
        }
        Ok(Node::new("links").child(answer))
    }

    fn link_group(&mut self, actor: Actor, jid: &Jid, group: &Jid, hidden: bool) -> Result<(), u16> {
        let linked = self.groups.within(jid.user()).len();
        let sub = self.groups.get_mut(group.user()).ok_or(404_u16)?;
        if sub.community.is_some() {
            return Err(406);
        }
        match &sub.parent {
            Some(parent) if parent == jid.user() => return Ok(()),
            Some(_) => return Err(409),
            None if !sub.is_admin(actor.account) => return Err(403),
            None if linked >= LINK_LIMIT => return Err(406),
            None => {}
        }
        sub.parent = Some(jid.user().to_owned());
        sub.hidden = hidden;
        let people: Vec<AccountId> = sub.members().collect();
        self.announce_link(actor, jid.user(), group.user());
        self.join_community_of(group, &people);
        Ok(())
    }

    /// Tells the members of a group and of its community that they belong together.
    pub(in super::super) fn announce_link(&mut self, actor: Actor, community: &str, group: &str) {
        let (Some(parent), Some(sub)) = (self.groups.get(community), self.groups.get(group)) else { return };
        let told = |kind: &'static str, other: &Group| {
            Node::new("link").attr("link_type", kind).child(outline(other))
        };
        let (to_sub, to_parent) = (told("parent_group", parent), told("sub_group", sub));
        let to_sibling = told("sibling_group", sub);
        self.announce_links(actor, community, group, [to_sub, to_parent, to_sibling]);
    }

    fn announce_unlink(&mut self, actor: Actor, community: &str, group: &str, reason: &'static str) {
        let (Some(parent), Some(sub)) = (self.groups.get(community), self.groups.get(group)) else { return };
        let told = |kind: &'static str, other: &Group| {
            Node::new("unlink").attr("unlink_type", kind).attr("unlink_reason", reason).child(outline(other))
        };
        let (to_sub, to_parent) = (told("parent_group", parent), told("sub_group", sub));
        let to_sibling = told("sibling_group", sub);
        self.announce_links(actor, community, group, [to_sub, to_parent, to_sibling]);
    }

    fn announce_links(
        &mut self,
        actor: Actor,
        community: &str,
        group: &str,
        [to_sub, to_parent, to_sibling]: [Node; 3],
    ) {
        let jid = Jid::group(group);
        let hidden = self.groups.get(group).is_some_and(|group| group.hidden);
        self.log_group(&jid, to_sub.tag(), actor.account, &[]);
        let members = |service: &Self, id: &str| -> Vec<AccountId> {
            service.groups.get(id).into_iter().flat_map(Group::members).collect()
        };
        let people = members(self, group);
        self.tell_members(&jid, actor.account, actor.device, people, &to_sub);
        // Those who are not in it do not see a hidden one.
        if hidden {
            return;
        }
        let people = members(self, community);
        self.tell_members(&Jid::group(community), actor.account, actor.device, people, &to_parent);
        let siblings: Vec<String> = self
            .groups
            .within(community)
            .into_iter()
            .filter(|sibling| sibling.id != group && sibling.place == Place::Ordinary)
            .map(|sibling| sibling.id.clone())
            .collect();
        for sibling in siblings {
            let people = members(self, &sibling);
            self.tell_members(&Jid::group(&sibling), actor.account, actor.device, people, &to_sibling);
        }
    }

    /// Takes groups out of a community.
    pub(in super::super) fn unlink_groups(
        &mut self,
        actor: Actor,
        jid: &Jid,
        asked: &Node,
    ) -> Result<Node, Refusal> {
        self.check_admin(actor, jid)?;
        if !links_groups(asked, "unlink_type") {
            return Err(Refusal::code(400));
        }
        let mut answer = Node::new("unlink").attr("unlink_type", "sub_group");
        for entry in asked.children_named("group") {
            let group = entry.attr_jid("jid").ok_or_else(|| Refusal::code(400))?;
            let done = self.unlink_group(actor, jid, &group, entry.attr_true("remove_orphaned_members"));
            answer.push_child(told(group, done));
        }
        Ok(answer)
    }

    fn unlink_group(&mut self, actor: Actor, jid: &Jid, group: &Jid, orphans: bool) -> Result<(), u16> {
        let sub = self.groups.find(group).ok_or(404_u16)?;
        if sub.parent.as_deref() != Some(jid.user()) {
            return Err(404);
        }
        if sub.place == Place::Announcements {
            return Err(406);
        }
        let people: Vec<AccountId> = sub.members().collect();
        self.announce_unlink(actor, jid.user(), group.user(), "unlink_group");
        if let Some(sub) = self.groups.get_mut(group.user()) {
            (sub.parent, sub.hidden, sub.place) = (None, false, Place::Ordinary);
        }
        if orphans {
            let elsewhere = |service: &Self, account: AccountId| {
                let others = service.groups.within(jid.user());
                others.iter().any(|one| one.place == Place::Ordinary && one.is_member(account))
            };
            let gone: Vec<AccountId> = people
                .into_iter()
                .filter(|account| !self.is_admin_of(jid.user(), *account) && !elsewhere(self, *account))
                .collect();
            self.part_with_all(actor, jid.user(), &gone);
        }
        Ok(())
    }

    /// Ends a community: its groups go on alone, the one for announcements is gone.
    pub(in super::super) fn end_community(&mut self, actor: Actor, jid: &Jid) -> Result<(), Refusal> {
        let community = self.groups.find(jid).ok_or_else(|| Refusal::code(404))?;
        if community.community.is_none() {
            return Err(Refusal::code(400));
        }
        if community.owner() != Some(actor.account) {
            return Err(Refusal::code(403));
        }
        let groups: Vec<(String, Place)> =
            self.groups.within(jid.user()).into_iter().map(|group| (group.id.clone(), group.place)).collect();
        for (id, _) in groups.iter().filter(|(_, place)| *place != Place::Announcements) {
            self.announce_unlink(actor, jid.user(), id, "delete_parent");
            if let Some(group) = self.groups.get_mut(id) {
                (group.parent, group.hidden, group.place) = (None, false, Place::Ordinary);
            }
        }
        for (id, _) in groups.iter().filter(|(_, place)| *place == Place::Announcements) {
            self.delete_group(actor, id);
        }
        self.delete_group(actor, jid.user());
        Ok(())
    }

    fn delete_group(&mut self, actor: Actor, id: &str) {
        let jid = Jid::group(id);
        let people: Vec<AccountId> = self.groups.get(id).into_iter().flat_map(Group::members).collect();
        let told = Node::new("delete").attr("reason", "delete_parent");
        self.log_group(&jid, "delete", actor.account, &people);
        self.tell_members(&jid, actor.account, actor.device, people, &told);
        self.groups.remove(id);
    }

    fn check_admin(&self, actor: Actor, jid: &Jid) -> Result<(), Refusal> {
        let community = self.groups.find(jid).ok_or_else(|| Refusal::code(404))?;
        if community.community.is_none() {
            return Err(Refusal::code(400));
        }
        if community.is_admin(actor.account) { Ok(()) } else { Err(Refusal::code(403)) }
    }

    /// Takes people out of a community and all of its groups.
    pub(in super::super) fn part_with_all(&mut self, actor: Actor, community: &str, people: &[AccountId]) {
        let mut ids: Vec<String> =
            self.groups.within(community).into_iter().map(|group| group.id.clone()).collect();
        ids.push(community.to_owned());
        for id in ids {
            let Some(group) = self.groups.get_mut(&id) else { continue };
            let gone: Vec<AccountId> =
                people.iter().copied().filter(|account| group.is_member(*account)).collect();
            for account in &gone {
                group.part(*account);
            }
            let told = Actor { device: None, ..actor };
            self.announce_change_of_members(Change::Remove, told, &Jid::group(&id), &gone, None);
        }
    }
}

/// The entry of one group in an answer. A failure stands there in both forms that are in use.
fn told(group: Jid, done: Result<(), u16>) -> Node {
    let entry = Node::new("group").attr("jid", group);
    match done {
        Ok(()) => entry,
        Err(code) => entry.attr("error", code).child(Node::new("error").attr("code", code)),
    }
}

//! Invitation links, and invitations for those who cannot be added (features document §2.6, §2.7).

use whimbrel_wire::{Jid, Node};

use super::super::Service;
use super::super::accounts::{AccountId, DeviceId};
use super::Actor;
use super::participants::Change;
use super::stanza::Detail;
use super::state::{Group, Invitation, Role, Waiting};
use crate::stanza::{self, Refusal};

impl Service {
    /// A code that nobody guesses.
    pub(super) fn link_code(&mut self) -> String {
        hex::encode(self.random::<11>())
    }

    fn by_link(&self, asked: &Node) -> Result<&Group, Refusal> {
        let code = stanza::text(asked, "code").ok_or_else(|| Refusal::code(400))?;
        let found = self.groups.iter().find(|group| group.link == code);
        let void = || self.groups.iter().any(|group| group.void_links.contains(&code));
        found.ok_or_else(|| Refusal::code(if void() { 410 } else { 406 }))
    }

    /// Whether anybody can come in at all now.
    fn lets_in(&self, group: &Group) -> Result<(), Refusal> {
        let locked = group.growth_locked.is_some_and(|until| until > self.now);
        match (group.suspended, locked) {
            (true, _) => Err(Refusal::code(423)),
            (_, true) => Err(Refusal::code(436)),
            _ => Ok(()),
        }
    }

    /// What the link leads to.
    pub(super) fn link_info(&self, asked: &Node) -> Result<Node, Refusal> {
        let group = self.by_link(asked)?;
        self.lets_in(group)?;
        Ok(self.group_node(group, Detail::TRIMMED))
    }

    /// Somebody comes by the link.
    pub(super) fn join_by_link(&mut self, actor: Actor, asked: &Node) -> Result<Node, Refusal> {
        let group = self.by_link(asked)?;
        self.lets_in(group)?;
        // Whoever was thrown out does not come back by himself, unless an admin looks at it.
        if group.expelled.contains(&actor.account) && !group.approval {
            return Err(Refusal::code(405));
        }
        let full = |id: &String| self.groups.get(id).is_some_and(Group::is_full);
        if group.parent.as_ref().is_some_and(full) {
            return Err(Refusal::code(412));
        }
        let jid = group.jid();
        self.come_in(actor, &jid, "invite_link", None)
    }

    /// Somebody comes in, or asks to.
    pub(super) fn come_in(
        &mut self,
        actor: Actor,
        jid: &Jid,
        method: &'static str,
        community: Option<String>,
    ) -> Result<Node, Refusal> {
        let now = self.now;
        let group = self.groups.get_mut(jid.user()).ok_or_else(|| Refusal::code(404))?;
        if group.is_member(actor.account) {
            return Err(Refusal::code(409));
        }
        if group.is_full() {
            return Err(Refusal::code(419));
        }
        if group.approval {
            return Ok(self.request_entry(actor, jid, Waiting { since: now, method, community }));
        }
        group.join(actor.account, Role::Member);
        let reason = if community.is_some() { "linked_group_join" } else { "invite" };
        self.announce_change_of_members(Change::Add, actor, jid, &[actor.account], Some(reason));
        self.join_community_of(jid, &[actor.account]);
        let id = jid.user().to_owned();
        Ok(Node::new("group").attr("jid", jid.clone()).attr("id", id))
    }

    /// Makes the link void and a new one.
    pub(super) fn reset_link(&mut self, actor: Actor, jid: &Jid) -> Result<Node, Refusal> {
        let code = self.link_code();
        let group = self.groups.get_mut(jid.user()).ok_or_else(|| Refusal::code(404))?;
        if !group.is_admin(actor.account) {
            return Err(Refusal::code(401));
        }
        let former = std::mem::replace(&mut group.link, code.clone());
        group.void_links.insert(former);
        let people: Vec<AccountId> = group.members().collect();
        let told = Node::new("invite").attr("code", code);
        self.tell_members(jid, actor.account, actor.device, people, &told);
        Ok(told)
    }

    fn invitation(&self, group: &Group, account: AccountId, asked: &Node) -> Result<Invitation, Refusal> {
        let code = stanza::text(asked, "code").ok_or_else(|| Refusal::code(400))?;
        let fits = |invitation: &&Invitation| invitation.code == code && invitation.account == account;
        let found = group.invitations.iter().find(fits).ok_or_else(|| Refusal::code(404))?;
        if found.expires <= self.now || !group.is_member(found.admin) {
            return Err(Refusal::code(410));
        }
        Ok(found.clone())
    }

    /// What an invitation leads to.
    pub(super) fn invitation_info(
        &self,
        device: DeviceId,
        group: &Group,
        asked: &Node,
    ) -> Result<Node, Refusal> {
        self.invitation(group, device.account, asked)?;
        Ok(self.group_node(group, Detail::TRIMMED))
    }

    /// Somebody comes because he was invited.
    pub(super) fn accept_invitation(
        &mut self,
        actor: Actor,
        jid: &Jid,
        asked: &Node,
    ) -> Result<Node, Refusal> {
        let group = self.groups.find(jid).ok_or_else(|| Refusal::code(404))?;
        if group.is_member(actor.account) {
            return Err(Refusal::code(409));
        }
        self.invitation(group, actor.account, asked)?;
        self.lets_in(group)?;
        self.come_in(actor, jid, "invite_link", None)
    }

    /// Takes invitations back.
    pub(super) fn revoke_invitations(
        &mut self,
        actor: Actor,
        jid: &Jid,
        asked: &Node,
    ) -> Result<(), Refusal> {
        let named: Vec<AccountId> = asked
            .children_named("participant")
            .filter_map(|entry| self.accounts.find(&entry.attr_jid("jid")?))
            .collect();
        let group = self.groups.get_mut(jid.user()).ok_or_else(|| Refusal::code(404))?;
        let admin = group.is_admin(actor.account);
        if named.is_empty() {
            return Err(Refusal::code(400));
        }
        group.invitations.retain(|invitation| {
            !named.contains(&invitation.account) || !(admin || invitation.admin == actor.account)
        });
        let Some(group) = self.groups.find(jid) else { return Ok(()) };
        let admins: Vec<AccountId> = group.members().filter(|member| group.is_admin(*member)).collect();
        let told = Node::new("revoke")
            .children(named.iter().filter_map(|account| self.participant_of(group, *account)));
        self.tell_members(jid, actor.account, actor.device, admins, &told);
        Ok(())
    }
}

//! People who wait for an admin to let them in (features document §2.8).

use whimbrel_wire::{Jid, Node};

use super::super::Service;
use super::super::accounts::{AccountId, Space};
use super::Actor;
use super::participants::Change;
use super::stanza::participant;
use super::state::{Group, Role, Waiting};
use crate::stanza::Refusal;

impl Service {
    /// Who waits.
    pub(super) fn waiting_list(&self, group: &Group) -> Node {
        let waiting = group.waiting.iter().filter_map(|(account, waiting)| {
            let person = self.accounts.get(*account)?;
            let lid = group.mode() == Space::Lid;
            Some(
                Node::new("membership_approval_request")
                    .attr("jid", person.bare(group.mode()))
                    .attr_opt("phone_number", lid.then(|| person.bare(Space::Pn)))
                    .attr("request_time", waiting.since)
                    .attr("request_method", waiting.method)
                    .attr_opt("parent_group_jid", waiting.community.as_ref().map(|id| Jid::group(id))),
            )
        });
        Node::new("membership_approval_requests").children(waiting)
    }

    fn admins(&self, jid: &Jid) -> Vec<AccountId> {
        let group = self.groups.find(jid);
        group.into_iter().flat_map(|group| group.members().filter(|member| group.is_admin(*member))).collect()
    }

    /// Somebody wants to come in; the admins are told, and his own other devices.
    pub(super) fn request_entry(&mut self, actor: Actor, jid: &Jid, waiting: Waiting) -> Node {
        let Waiting { method, community, .. } = waiting.clone();
        let community = community.map(|id| Jid::group(&id));
        if let Some(group) = self.groups.get_mut(jid.user()) {
            group.waiting.insert(actor.account, waiting);
        }
        let answer = Node::new("membership_approval_request").attr("jid", jid.clone());
        let Some(mode) = self.groups.find(jid).map(Group::mode) else { return answer };
        let Some(person) = self.accounts.get(actor.account) else { return answer };
        let user = Node::new("requested_user")
            .attr("jid", person.bare(mode))
            .attr_opt("phone_number", (mode == Space::Lid).then(|| person.bare(Space::Pn)));
        let told = |tag: &'static str| {
            Node::new(tag).attr("request_method", method).attr_opt("parent_group_jid", community.clone())
        };
        let created = told("created_membership_requests").child(user);
        let admins = self.admins(jid);
        self.log_group(jid, "created_membership_requests", actor.account, &[]);
        self.tell_members(jid, actor.account, actor.device, admins, &created);
        let own = told("membership_approval_request");
        self.tell_members(jid, actor.account, actor.device, [actor.account], &own);
        answer
    }

    /// Somebody does not want to come in any more.
    pub(super) fn cancel_request(&mut self, actor: Actor, jid: &Jid) -> Result<(), Refusal> {
        let group = self.groups.get_mut(jid.user()).ok_or_else(|| Refusal::code(404))?;
        group.waiting.remove(&actor.account).ok_or_else(|| Refusal::code(404))?;
        self.announce_end_of_request(actor, jid, actor.account);
        Ok(())
    }

    fn announce_end_of_request(&mut self, actor: Actor, jid: &Jid, account: AccountId) {
        let Some(mode) = self.groups.find(jid).map(Group::mode) else { return };
        let entry = self.accounts.get(account).map(|person| participant(person, mode));
        let told = Node::new("revoked_membership_requests").child_opt(entry);
        let admins = self.admins(jid);
        self.tell_members(jid, actor.account, actor.device, admins, &told);
    }

    /// An admin lets people in, or not.
    pub(super) fn decide_requests(&mut self, actor: Actor, jid: &Jid, asked: &Node) -> Result<Node, Refusal> {
        let group = self.groups.find(jid).ok_or_else(|| Refusal::code(404))?;
        if !group.is_admin(actor.account) {
            return Err(Refusal::code(403));
        }
        let mut answer = Node::new("membership_requests_action");
        for decision in asked.child_nodes() {
            let approve = match decision.tag() {
                "approve" => true,
                "reject" => false,
                _ => return Err(Refusal::code(400)),
            };
            let mut done = Node::new(decision.tag().to_owned());
            for entry in decision.children_named("participant") {
                let named = entry.attr_jid("jid").ok_or_else(|| Refusal::code(400))?;
                let decided = self.decide_request(actor, jid, &named, approve);
                let error = decided.err();
                done.push_child(Node::new("participant").attr("jid", named).attr_opt("error", error));
            }
            answer.push_child(done);
        }
        Ok(answer)
    }

    fn decide_request(&mut self, actor: Actor, jid: &Jid, named: &Jid, approve: bool) -> Result<(), u16> {
        let account = self.accounts.find(named).ok_or(404_u16)?;
        let group = self.groups.get_mut(jid.user()).ok_or(404_u16)?;
        if !group.waiting.contains_key(&account) {
            return Err(if group.is_member(account) { 409 } else { 404 });
        }
        if approve && group.is_full() {
            return Err(419);
        }
        group.waiting.remove(&account);
        if approve {
            group.join(account, Role::Member);
            self.announce_change_of_members(Change::Add, actor, jid, &[account], Some("invite"));
            self.join_community_of(jid, &[account]);
        } else {
            self.announce_end_of_request(actor, jid, account);
        }
        Ok(())
    }
}

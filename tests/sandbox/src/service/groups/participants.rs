//! Who comes, who goes, who may what (features document §2.5, §2.9).

use whimbrel_wire::{Jid, Node};

use super::super::Service;
use super::super::accounts::AccountId;
use super::Actor;
use super::state::{Invitation, Role};
use crate::stanza::Refusal;

/// Life of an invitation, in seconds.
const INVITATION: u64 = 3 * 86_400;

/// Whether somebody can be put into a group.
#[derive(Debug)]
pub(super) enum Addition {
    Allowed,
    /// Not directly; the entry says why.
    Refused(Node),
}

/// What a change of members does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Add,
    Remove,
    Promote,
    Demote,
}

impl Change {
    fn parse(tag: &str) -> Option<Self> {
        Some(match tag {
            "add" => Self::Add,
            "remove" => Self::Remove,
            "promote" => Self::Promote,
            "demote" => Self::Demote,
            _ => return None,
        })
    }

    fn tag(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Remove => "remove",
            Self::Promote => "promote",
            Self::Demote => "demote",
        }
    }
}

impl Service {
    pub(super) fn change_members(&mut self, actor: Actor, jid: &Jid, asked: &Node) -> Result<Node, Refusal> {
        let change = Change::parse(asked.tag()).ok_or_else(|| Refusal::code(400))?;
        let group = self.groups.find(jid).ok_or_else(|| Refusal::code(404))?;
        if (change != Change::Add || group.admins_add) && !group.is_admin(actor.account) {
            return Err(Refusal::code(403));
        }
        let named: Vec<Jid> = asked
            .children_named("participant")
            .map(|entry| entry.attr_jid("jid"))
            .collect::<Option<_>>()
            .filter(|named: &Vec<Jid>| !named.is_empty())
            .ok_or_else(|| Refusal::code(400))?;
        let mut answer = Node::new(change.tag());
        let mut done = Vec::new();
        for named in named {
            match self.one_change(change, actor, jid, &named) {
                Ok(account) => {
                    let person = self.accounts.get(account).map(|person| {
                        // Entries come back under the address they were named by.
                        Node::new("participant").attr("jid", named.to_bare()).attr_opt(
                            "phone_number",
                            named.is_lid().then(|| person.bare(super::super::accounts::Space::Pn)),
                        )
                    });
                    if let Some(person) = person {
                        answer.push_child(person);
                    }
                    done.push(account);
                }
                Err(entry) => answer.push_child(entry),
            }
        }
        self.announce_change_of_members(change, actor, jid, &done, None);
        self.follow_in_community(change, actor, jid, &done, asked.attr_true("linked_groups"));
        Ok(answer)
    }

    /// Makes one change, or returns the entry that says why not.
    pub(super) fn one_change(
        &mut self,
        change: Change,
        actor: Actor,
        jid: &Jid,
        named: &Jid,
    ) -> Result<AccountId, Node> {
        let refused = |code: u16| Node::new("participant").attr("jid", named.to_bare()).attr("error", code);
        let account = self.accounts.find(named).ok_or_else(|| refused(404))?;
        if change == Change::Add {
            let id = jid.user().to_owned();
            if let Addition::Refused(entry) = self.addition(&id, actor.account, account) {
                return Err(entry);
            }
        }
        let group = self.groups.get_mut(jid.user()).ok_or_else(|| refused(404))?;
        let role = group.role(account);
        match (change, role) {
            (Change::Add, Some(_)) => return Err(refused(409)),
            (Change::Add, None) => group.join(account, Role::Member),
            (_, None) => return Err(refused(404)),
            (_, Some(Role::SuperAdmin)) => return Err(refused(403)),
            (Change::Remove, Some(_)) => {
                group.part(account);
                group.expelled.insert(account);
            }
            (Change::Promote, Some(Role::Admin)) | (Change::Demote, Some(Role::Member)) => {
                return Err(refused(409));
            }
            (Change::Promote | Change::Demote, Some(_)) => {
                let role = if change == Change::Promote { Role::Admin } else { Role::Member };
                if let Some(member) = group.members.get_mut(&account) {
                    member.role = role;
                }
            }
        }
        Ok(account)
    }

    /// Whether a person can be added, by the size of the group and by what he wants himself.
    pub(super) fn addition(&mut self, id: &str, adder: AccountId, account: AccountId) -> Addition {
        let now = self.now;
        let Some(person) = self.accounts.get(account) else {
            return Addition::Refused(Node::new("participant").attr("error", 404_u16));
        };
        let wanted = self.sees(account, "groupadd", adder);
        let blocked = person.settings.blocks(adder);
        let Some(group) = self.groups.get(id) else {
            return Addition::Refused(Node::new("participant").attr("error", 404_u16));
        };
        let entry = super::stanza::participant(person, group.mode());
        let full = group.is_full();
        let known = group.is_member(account);
        if known || (wanted && !blocked && !full) {
            return Addition::Allowed;
        }
        if full || blocked {
            return Addition::Refused(entry.attr("error", if full { 419_u16 } else { 401 }));
        }
        let code = self.link_code();
        let expires = now + INVITATION;
        if let Some(group) = self.groups.get_mut(id) {
            group.invitations.push(Invitation { code: code.clone(), account, admin: adder, expires });
        }
        let request = Node::new("add_request").attr("code", code).attr("expiration", expires);
        Addition::Refused(entry.attr("error", 403_u16).child(request))
    }

    /// Tells old and new members of a change that was made.
    pub(super) fn announce_change_of_members(
        &mut self,
        change: Change,
        actor: Actor,
        jid: &Jid,
        changed: &[AccountId],
        reason: Option<&'static str>,
    ) {
        if changed.is_empty() {
            return;
        }
        let Some(group) = self.groups.get_mut(jid.user()) else { return };
        let former = group.members_version;
        group.members_version += 1;
        let Some(group) = self.groups.find(jid) else { return };
        let mut people: Vec<AccountId> = group.members().collect();
        if change == Change::Remove {
            people.extend(changed);
        }
        let entries = changed.iter().filter_map(|account| self.participant_of(group, *account));
        let child = Node::new(change.tag())
            .attr_opt("reason", reason)
            .attr("v_id", group.members_version)
            .attr("prev_v_id", former)
            .children(entries);
        self.log_group(jid, change.tag(), actor.account, changed);
        self.tell_members(jid, actor.account, actor.device, people, &child);
    }

    /// A person leaves groups.
    pub(super) fn leave(&mut self, actor: Actor, asked: &Node) -> Node {
        let mut answer = Node::new("leave");
        for entry in asked.child_nodes() {
            let Some(jid) = entry.attr_jid("id").or_else(|| entry.attr_jid("jid")) else { continue };
            let left = self.part(actor, &jid);
            let error = (!left).then_some(404_u16);
            let tag = if entry.tag() == "community" { "community" } else { "group" };
            answer.push_child(Node::new(tag).attr("id", jid).attr_opt("error", error));
        }
        answer
    }

    /// Takes the actor out of a group. Tells whether he was in it.
    pub(super) fn part(&mut self, actor: Actor, jid: &Jid) -> bool {
        let Some(group) = self.groups.get_mut(jid.user()) else { return false };
        if !group.is_member(actor.account) {
            return false;
        }
        group.part(actor.account);
        self.announce_change_of_members(Change::Remove, actor, jid, &[actor.account], None);
        self.leave_community_of(actor, jid);
        true
    }
}

//! Making of groups (features document §2.3).

use whimbrel_wire::{Jid, Node};

use super::super::Service;
use super::super::accounts::{AccountId, Space};
use super::participants::Addition;
use super::stanza::Detail;
use super::state::{Description, Group, Role};
use super::{Actor, DESCRIPTION_LIMIT, SIZE_LIMIT, SUBJECT_LIMIT};
use crate::stanza::{self, Refusal};

impl Service {
    /// Makes a group as a client asks for it.
    pub(super) fn create_group(&mut self, actor: Actor, create: &Node) -> Result<Node, Refusal> {
        let subject = stanza::text(create, "subject").unwrap_or_default();
        let parent = self.parent_of(actor, create)?;
        let mut added = Vec::new();
        let mut refused = Vec::new();
        for entry in create.children_named("participant") {
            let jid = entry.attr_jid("jid").ok_or_else(|| Refusal::code(400))?;
            match self.accounts.find(&jid) {
                None => refused.push(Node::new("participant").attr("jid", jid).attr("error", 404_u16)),
                Some(account) if account == actor.account || added.contains(&account) => {}
                Some(account) => added.push(account),
            }
        }
        let id = self.new_group(actor.account, &subject, self.options.group_addressing.into())?;
        let mut listed = Vec::new();
        if added.len() >= SIZE_LIMIT {
            self.groups.remove(&id);
            return Err(Refusal::code(419));
        }
        for account in added {
            match self.addition(&id, actor.account, account) {
                Addition::Allowed => listed.push(account),
                Addition::Refused(entry) => refused.push(entry),
            }
        }
        self.apply_options(&id, actor, create)?;
        if create.child_named("parent").is_some() {
            self.found_community(&id, actor, create)?;
        }
        if let (Some(parent), Some(group)) = (&parent, self.groups.get_mut(&id)) {
            group.parent = Some(parent.clone());
            group.hidden = create.child_named("hidden_group").is_some();
        }
        self.populate(&id, actor, &listed, stanza::text(create, "key"));
        if let Some(parent) = parent {
            self.announce_link(actor, &parent, &id);
            let mut people = listed.clone();
            people.push(actor.account);
            self.join_community_of(&Jid::group(&id), &people);
        }
        let group = self.groups.get(&id).ok_or_else(|| Refusal::code(500))?;
        Ok(self.group_node(group, Detail::FULL).children(refused))
    }

    /// A group with its maker alone. Nobody is told yet.
    pub(super) fn new_group(
        &mut self,
        creator: AccountId,
        subject: &str,
        mode: Space,
    ) -> Result<String, Refusal> {
        if subject.chars().count() > SUBJECT_LIMIT {
            return Err(Refusal::code(406));
        }
        let id = loop {
            let id = format!("120363{}", self.random_digits(12));
            if self.groups.get(&id).is_none() {
                break id;
            }
        };
        let link = self.link_code();
        let subject = subject.to_owned();
        self.groups.add(Group::new(id.clone(), subject, creator, self.now, mode, link));
        Ok(id)
    }

    fn apply_options(&mut self, id: &str, actor: Actor, create: &Node) -> Result<(), Refusal> {
        let now = self.now;
        let group = self.groups.get_mut(id).ok_or_else(|| Refusal::code(500))?;
        for option in create.child_nodes() {
            let word = || option.content_text().unwrap_or_default();
            match option.tag() {
                "locked" => group.locked = true,
                "announcement" => group.announce = true,
                "ephemeral" => group.ephemeral = option.attr_u32("expiration").unwrap_or(0),
                "member_add_mode" => group.admins_add = word() == "admin_add",
                "member_link_mode" => group.admins_link = word() == "admin_link",
                "membership_approval_mode" => {
                    group.approval =
                        option.child_named("group_join").is_some_and(|join| join.attr_is("state", "on"));
                }
                "description" => {
                    if option.child_text("body").is_some_and(|body| body.chars().count() > DESCRIPTION_LIMIT)
                    {
                        self.groups.remove(id);
                        return Err(Refusal::code(406));
                    }
                    group.description = Some(Description {
                        id: stanza::id(option),
                        body: option.child_text("body").unwrap_or_default().to_owned(),
                        author: actor.account,
                        time: now,
                    });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Puts the first members into a new group and tells everybody of it.
    pub(super) fn populate(&mut self, id: &str, actor: Actor, members: &[AccountId], key: Option<String>) {
        let Some(group) = self.groups.get_mut(id) else { return };
        for member in members.iter().take(SIZE_LIMIT - 1) {
            group.join(*member, Role::Member);
        }
        let jid = group.jid();
        let people: Vec<AccountId> = group.members().collect();
        let Some(group) = self.groups.get(id) else { return };
        let created = Node::new("create")
            .attr("type", "new")
            .attr_opt("key", key)
            .child(self.group_node(group, Detail::FULL));
        self.log_group(&jid, "create", actor.account, &people);
        self.tell_members(&jid, actor.account, actor.device, people, &created);
    }
}

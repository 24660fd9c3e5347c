//! What tests do to groups from outside, as if people did it on their phones.

use serde::Serialize;
use whimbrel_wire::{Jid, Node};

use super::super::Service;
use super::super::accounts::{AccountId, Space};
use super::stanza::mode_name;
use super::state::{Group, Place};
use super::{Actor, SIZE_LIMIT};
use crate::stanza::Refusal;

/// A group as the service knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GroupState {
    /// Its address.
    pub jid: String,
    /// What it is called.
    pub subject: String,
    /// `lid` or `pn`.
    pub addressing_mode: &'static str,
    /// Whether only admins may write.
    pub announce: bool,
    /// Whether only admins may change subject and description.
    pub locked: bool,
    /// Whether it is a community.
    pub community: bool,
    /// Address of the community that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// Code of the invitation link.
    pub link: String,
    /// The members, in the order of their accounts.
    pub members: Vec<MemberState>,
}

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MemberState {
    /// Phone number.
    pub number: String,
    /// Address by LID.
    pub lid: String,
    /// `admin` or `superadmin`; nothing for ordinary members.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<&'static str>,
}

impl Service {
    pub(crate) fn group_states(&self) -> Vec<GroupState> {
        self.groups.iter().map(|group| self.state_of(group)).collect()
    }

    pub(crate) fn group_state(&self, jid: &Jid) -> Option<GroupState> {
        self.groups.find(jid).map(|group| self.state_of(group))
    }

    fn state_of(&self, group: &Group) -> GroupState {
        let members = group.members().filter_map(|member| {
            let account = self.accounts.get(member)?;
            Some(MemberState {
                number: account.pn.clone(),
                lid: account.bare(Space::Lid).to_string(),
                role: group.role(member)?.name(),
            })
        });
        GroupState {
            jid: group.jid().to_string(),
            subject: group.subject.clone(),
            addressing_mode: mode_name(group.mode()),
            announce: group.announce,
            locked: group.locked,
            community: group.community.is_some(),
            parent: group.parent.as_ref().map(|id| Jid::group(id).to_string()),
            link: group.link.clone(),
            members: members.collect(),
        }
    }

    fn person(&self, number: &str) -> Result<AccountId, Refusal> {
        self.accounts.by_pn(number).ok_or_else(|| Refusal::code(404))
    }

    /// Makes a group of people given by their numbers, whatever they want themselves.
    pub(crate) fn make_group(
        &mut self,
        creator: &str,
        subject: &str,
        members: &[String],
        mode: Option<Space>,
        announcements: bool,
    ) -> Result<Jid, Refusal> {
        let creator = self.person(creator)?;
        let mut people = Vec::new();
        for number in members {
            let account = self.person(number)?;
            if account != creator && !people.contains(&account) {
                people.push(account);
            }
        }
        if people.len() >= SIZE_LIMIT {
            return Err(Refusal::code(419));
        }
        let id = self.new_group(creator, subject, mode.unwrap_or(self.options.group_addressing.into()))?;
        if announcements {
            let community = format!("120363{}", self.random_digits(12));
            if let Some(group) = self.groups.get_mut(&id) {
                (group.parent, group.place) = (Some(community), Place::Announcements);
                group.announce = true;
            }
        }
        self.populate(&id, Actor { account: creator, device: None }, &people, None);
        Ok(Jid::group(&id))
    }

    /// Changes a group as the person with this number would on the phone. The change is written as
    /// in a `w:g2` request.
    pub(crate) fn change_group(&mut self, by: &str, jid: &Jid, change: &Node) -> Result<(), Refusal> {
        let actor = Actor { account: self.person(by)?, device: None };
        let group = self.groups.find(jid).ok_or_else(|| Refusal::code(404))?;
        match change.tag() {
            "join" => return self.join_by_link(actor, change).map(drop),
            "cancel_membership_requests" => return self.cancel_request(actor, jid),
            _ if !group.is_member(actor.account) => return Err(Refusal::code(403)),
            _ => {}
        }
        match change.tag() {
            "add" | "remove" | "promote" | "demote" => {
                let answer = self.change_members(actor, jid, change)?;
                let error = answer.child_nodes().iter().find_map(|entry| entry.attr_u32("error"));
                match error.and_then(|code| u16::try_from(code).ok()) {
                    Some(code) => Err(Refusal::code(code)),
                    None => Ok(()),
                }
            }
            "leave" => {
                self.part(actor, jid);
                Ok(())
            }
            "join_linked_group" => self.join_linked(actor, jid, change).map(drop),
            "links" => self.link_groups(actor, jid, change).and_then(|answer| no_error(&answer)),
            "unlink" => self.unlink_groups(actor, jid, change).and_then(|answer| no_error(&answer)),
            "delete_parent" => self.end_community(actor, jid),
            "reports" => self.report_messages(actor, jid, change).map(drop),
            "invite" => self.reset_link(actor, jid).map(drop),
            "revoke" => self.revoke_invitations(actor, jid, change),
            "membership_requests_action" => self.decide_requests(actor, jid, change).map(drop),
            _ => self.change_setting(actor, jid, change),
        }
    }

    /// Names the members in the other space from now on. The real service tells nobody: clients
    /// learn it from the next stanza of the group, or when what they send is refused.
    pub(crate) fn switch_group(&mut self, jid: &Jid, mode: Space) -> bool {
        let Some(group) = self.groups.get_mut(jid.user()) else { return false };
        group.mode = mode;
        let change = format!("addressing {}", mode_name(mode));
        let creator = group.creator;
        self.log_group(jid, &change, creator, &[]);
        true
    }
}

/// The first error in an answer with entries.
fn no_error(answer: &Node) -> Result<(), Refusal> {
    let lists = std::iter::once(answer).chain(answer.child_nodes());
    let mut errors = lists.flat_map(Node::child_nodes).filter_map(|entry| entry.attr_u32("error"));
    match errors.next().and_then(|code| u16::try_from(code).ok()) {
        Some(code) => Err(Refusal::code(code)),
        None => Ok(()),
    }
}

//! Groups: who is in them, what they are called, who may do what (features document §2).

mod communities;
mod control;
mod create;
mod invite;
mod participants;
mod query;
mod reports;
mod requests;
mod settings;
mod stanza;
mod state;

use whimbrel_wire::{Jid, Node};

use super::Service;
use super::accounts::{AccountId, DeviceId};
use super::iq::Reply;
use crate::events::Event;
use crate::stanza::Refusal;

pub use control::{GroupState, MemberState};
pub(super) use stanza::mode_name;
pub(super) use state::{Group, Groups};

/// Most members of a group.
const SIZE_LIMIT: usize = 1024;
/// Most members of a community.
const ANNOUNCEMENTS_LIMIT: usize = 5000;
/// Longest subject and description, in characters.
const SUBJECT_LIMIT: usize = 100;
const DESCRIPTION_LIMIT: usize = 2048;

/// Who does something in a group. Without a device it comes from outside of all devices, so all of
/// them are told.
#[derive(Debug, Clone, Copy)]
struct Actor {
    account: AccountId,
    device: Option<DeviceId>,
}

impl From<DeviceId> for Actor {
    fn from(device: DeviceId) -> Self {
        Self { account: device.account, device: Some(device) }
    }
}

impl Service {
    /// A `w:g2` request that asks for something.
    pub(super) fn group_query(&mut self, device: DeviceId, request: &Node) -> Result<Reply, Refusal> {
        let (to, child) = addressed(request)?;
        if to.is_server() {
            return match child.tag() {
                "participating" => Ok(Reply::Child(self.participating(device, child))),
                "query" => Ok(Reply::Child(self.batch(device, child))),
                "invite" => self.link_info(child).map(Reply::Child),
                "pictures" => Ok(Reply::Child(self.group_pictures(device, child))),
                _ => Err(Refusal::code(501)),
            };
        }
        let group = self.groups.find(&to).ok_or_else(|| Refusal::code(404))?;
        if let Some(invitation) = child.child_named("add_request") {
            return self.invitation_info(device, group, invitation).map(Reply::Child);
        }
        if !group.is_member(device.account) {
            return Err(Refusal::code(403));
        }
        match child.tag() {
            "query" => Ok(self.metadata(group, child)),
            "invite" if group.admins_link && !group.is_admin(device.account) => Err(Refusal::code(401)),
            "invite" => Ok(Reply::Child(Node::new("invite").attr("code", group.link.clone()))),
            "membership_approval_requests" if group.is_admin(device.account) => {
                Ok(Reply::Child(self.waiting_list(group)))
            }
            "membership_approval_requests" | "reports" if !group.is_admin(device.account) => {
                Err(Refusal::code(403))
            }
            "reports" => Ok(Reply::Child(self.reported(group))),
            "pictures" => Ok(Reply::Child(self.group_pictures(device, child))),
            "sub_groups" | "linked_groups_participants" | "query_linked" => {
                self.community_query(device, group, child).map(Reply::Child)
            }
            _ => Err(Refusal::code(501)),
        }
    }

    /// A `w:g2` request that changes something.
    pub(super) fn group_change(&mut self, device: DeviceId, request: &Node) -> Result<Reply, Refusal> {
        let (to, child) = addressed(request)?;
        let actor = Actor::from(device);
        if to.is_server() {
            return match child.tag() {
                "create" => self.create_group(actor, child).map(Reply::Child),
                "leave" => Ok(Reply::Child(self.leave(actor, child))),
                "invite" => self.join_by_link(actor, child).map(Reply::Child),
                _ => Err(Refusal::code(501)),
            };
        }
        let group = self.groups.find(&to).ok_or_else(|| Refusal::code(404))?;
        match child.tag() {
            "accept" => return self.accept_invitation(actor, &to, child).map(Reply::Child),
            "cancel_membership_requests" => {
                return self.cancel_request(actor, &to).map(|()| Reply::Empty);
            }
            _ if !group.is_member(device.account) => return Err(Refusal::code(403)),
            // Nothing can be done in a group that is suspended.
            _ if group.suspended => return Err(Refusal::code(423)),
            _ => {}
        }
        match child.tag() {
            "add" | "remove" | "promote" | "demote" => {
                self.change_members(actor, &to, child).map(Reply::Child)
            }
            "invite" => self.reset_link(actor, &to).map(Reply::Child),
            "revoke" => self.revoke_invitations(actor, &to, child).map(|()| Reply::Empty),
            "membership_requests_action" => self.decide_requests(actor, &to, child).map(Reply::Child),
            "ack" => Ok(Reply::Empty),
            "reports" => self.report_messages(actor, &to, child).map(Reply::Child),
            "links" => self.link_groups(actor, &to, child).map(Reply::Child),
            "unlink" => self.unlink_groups(actor, &to, child).map(Reply::Child),
            "join_linked_group" => self.join_linked(actor, &to, child),
            "delete_parent" => self.end_community(actor, &to).map(|()| Reply::Empty),
            _ => self.change_setting(actor, &to, child).map(|()| Reply::Empty),
        }
    }

    /// Notes a change for whoever waits for it.
    fn log_group(&self, group: &Jid, change: &str, author: AccountId, members: &[AccountId]) {
        let number = |account: AccountId| {
            self.accounts.get(account).map(|account| account.pn.clone()).unwrap_or_default()
        };
        self.log(Event::GroupChanged {
            group: group.to_string(),
            change: change.to_owned(),
            by: number(author),
            members: members.iter().map(|member| number(*member)).collect(),
        });
    }
}

/// Where a request goes and what it asks.
fn addressed(request: &Node) -> Result<(Jid, &Node), Refusal> {
    let to = request.attr_jid("to").ok_or_else(|| Refusal::code(400))?;
    let child = request.first_child().ok_or_else(|| Refusal::code(400))?;
    Ok((to, child))
}

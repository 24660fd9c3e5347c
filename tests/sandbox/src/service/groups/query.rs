//! Queries about groups (features document §2.2).

use whimbrel_wire::{Jid, Node};

use super::super::Service;
use super::super::accounts::DeviceId;
use super::super::iq::Reply;
use super::super::messages::participant_hash;
use super::stanza::Detail;
use super::state::Group;
use crate::stanza;

/// Members that a batch lists of one group.
const LISTED: usize = 19_999;

impl Service {
    /// One group. Whoever names the present hash of the members is told that nothing changed.
    pub(super) fn metadata(&self, group: &Group, query: &Node) -> Reply {
        let known = stanza::plain(query, "phash");
        if known.is_some_and(|known| known == self.members_hash(group)) {
            return Reply::Empty;
        }
        Reply::Child(self.group_node(group, Detail::FULL))
    }

    /// The hash over the members themselves, without their devices.
    fn members_hash(&self, group: &Group) -> String {
        participant_hash(group.members().filter_map(|member| self.accounts.bare(member, group.mode())))
    }

    /// All groups of the asker.
    pub(super) fn participating(&self, device: DeviceId, asked: &Node) -> Node {
        let detail = Detail {
            participants: asked.child_named("participants").is_some(),
            description: asked.child_named("description").is_some(),
        };
        let groups = self.groups.of(device.account).map(|group| self.group_node(group, detail));
        Node::new("groups").children(groups)
    }

    /// Pictures of several groups.
    pub(super) fn group_pictures(&self, device: DeviceId, asked: &Node) -> Node {
        let picture = |wanted: &Node| {
            let jid = wanted.attr_jid("jid").or_else(|| wanted.attr_jid("parent_group_jid"))?;
            self.groups.find(&jid).filter(|group| group.is_member(device.account))?;
            self.group_picture(&jid, stanza::plain(wanted, "type") == Some("image"))
        };
        Node::new("pictures").children(asked.children_named("picture").filter_map(picture))
    }

    /// Several groups at once.
    pub(super) fn batch(&self, device: DeviceId, asked: &Node) -> Node {
        let refused =
            |jid: &Jid, code: u16| Node::new("group").attr("id", jid.user().to_owned()).attr("error", code);
        let answers = asked.children_named("group").filter_map(|wanted| wanted.attr_jid("jid")).map(|jid| {
            match self.groups.find(&jid) {
                None => refused(&jid, 404),
                Some(group) if !group.is_member(device.account) => refused(&jid, 403),
                Some(group) if group.members.len() > LISTED => Node::new("group")
                    .attr("id", group.id.clone())
                    .attr("size", group.members.len())
                    .attr("truncated", "true"),
                Some(group) => self.group_node(group, Detail::FULL),
            }
        });
        Node::new("groups").children(answers)
    }
}

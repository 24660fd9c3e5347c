//! Whom an account does not want to hear of (features document §8.3).

use whimbrel_wire::Node;

use super::Service;
use super::accounts::{DeviceId, Space};
use super::iq::Reply;
use super::settings::Settings;
use crate::options::LidStanding;
use crate::stanza::{self, Refusal};

impl Settings {
    fn dhash(&self) -> String {
        self.blocklist_version.to_string()
    }
}

impl Service {
    pub(super) fn blocklist(&mut self, device: DeviceId) -> Result<Reply, Refusal> {
        let account = self.accounts.get(device.account).ok_or_else(|| Refusal::code(401))?;
        let items = account.settings.blocked.iter().filter_map(|id| self.accounts.get(*id)).map(|blocked| {
            Node::new("item").attr("jid", blocked.bare(Space::Lid)).attr("pn_jid", blocked.bare(Space::Pn))
        });
        let list = Node::new("list").attr("dhash", account.settings.dhash()).children(items);
        Ok(Reply::Child(list))
    }

    pub(super) fn change_blocklist(&mut self, device: DeviceId, request: &Node) -> Result<Reply, Refusal> {
        let item = request.child_named("item").ok_or_else(|| Refusal::code(400))?;
        let jid = item.attr_jid("jid").ok_or_else(|| Refusal::code(400))?;
        let block = match stanza::plain(item, "action") {
            Some("block") => true,
            Some("unblock") => false,
            _ => return Err(Refusal::code(400)),
        };
        let other = self.accounts.find(&jid).ok_or_else(|| Refusal::code(404))?;
        // An account that lives by its LID names others by theirs, unless they have none that is known.
        let standing = |id| self.accounts.get(id).map(|account| account.standing);
        let by_lid = standing(device.account) == Some(LidStanding::Migrated)
            && standing(other) != Some(LidStanding::PnOnly);
        if by_lid && Space::of(&jid) != Some(Space::Lid) {
            return Err(Refusal::code(400));
        }
        if other == device.account {
            return Err(Refusal::code(406));
        }
        let settings = self.settings_mut(device)?;
        let prev_dhash = settings.dhash();
        if block {
            settings.blocked.insert(other);
        } else {
            settings.blocked.remove(&other);
        }
        settings.blocklist_version += 1;
        let dhash = settings.dhash();
        let action = if block { "block" } else { "unblock" };
        let item = Node::new("item").attr("jid", jid.to_bare()).attr("action", action);
        let change = Node::new("blocklist")
            .attr("dhash", dhash.clone())
            .attr("prev_dhash", prev_dhash)
            .child(item.clone());
        self.sync_account(device, change);
        Ok(Reply::Child(Node::new("list").attr("dhash", dhash).child(item)))
    }
}

//! Channels (newsletters): posts of their admins for all followers, in the clear (messages document §14,
//! features document §4).

mod announce;
mod directory;
mod graph;
mod json;
mod manage;
mod post;
mod posts;
mod reading;
mod roles;
mod state;
mod terms;

use whimbrel_wire::{Jid, Node};

use super::accounts::{AccountId, DeviceId};
use super::messages::{MessageError, ack_of};
use super::{Service, StreamId};
use crate::events::Event;
use crate::stanza;

pub(crate) use state::Channels;
pub use state::{ChannelState, PostState};

/// Who does something: a device, or a person on a phone of a test.
#[derive(Debug, Clone, Copy)]
pub(super) struct By {
    pub(super) account: AccountId,
    pub(super) device: Option<DeviceId>,
}

impl From<DeviceId> for By {
    fn from(device: DeviceId) -> Self {
        Self { account: device.account, device: Some(device) }
    }
}

impl Service {
    /// What a device sends to a channel.
    pub(super) fn channel_message(&mut self, stream: StreamId, device: DeviceId, node: &Node) {
        match self.taken_by_channel(stream, device, node) {
            Ok(server_id) => {
                let ack = ack_of(node, self.now).attr_opt("server_id", server_id);
                self.answer(stream, device, node, ack);
            }
            Err(code) => self.refuse_message(stream, device, node, code),
        }
    }

    fn taken_by_channel(
        &mut self,
        stream: StreamId,
        device: DeviceId,
        node: &Node,
    ) -> Result<Option<u64>, MessageError> {
        let channel = node.attr_jid("to").ok_or(404_u16)?;
        let id = stanza::id(node);
        if id.is_empty() {
            return Err(400);
        }
        self.channels.get(&channel).filter(|known| !known.deleted).ok_or(404_u16)?;
        let is_act = node.attr_is("type", "reaction") || node.child_named("votes").is_some();
        let done = match (is_act, stanza::plain(node, "edit")) {
            (true, _) => self.act_on_post(device, &channel, node)?,
            (false, Some("3")) => Some(self.edit_post(device, &channel, node)?),
            (false, Some("8")) => Some(self.revoke_post(device, &channel, node)?),
            (false, None) => Some(self.new_post(stream, device, &channel, node)?),
            (false, Some(_)) => return Err(479),
        };
        let label = self.accounts.label(device);
        self.log(Event::Accepted { device: label, to: channel.to_string(), id, copies: 0 });
        Ok(done)
    }

    /// Tells everybody who reads the channel, as far as they are there: nothing waits for anybody.
    fn tell_readers(&mut self, channel: &Jid, except: Option<DeviceId>, stanza: impl Fn(AccountId) -> Node) {
        let Some(known) = self.channels.get(channel) else { return };
        let readers: Vec<AccountId> = known.readers().collect();
        for device in
            readers.into_iter().flat_map(|account| self.accounts.devices(account)).collect::<Vec<_>>()
        {
            let here = |device| self.accounts.device(device).is_some_and(|device| device.stream.is_some());
            if Some(device) != except && here(device) {
                self.push(device, stanza(device.account));
            }
        }
    }

    pub(crate) fn channel_state(&self, channel: &Jid) -> Option<ChannelState> {
        let number =
            |account| self.accounts.get(account).map(|account| account.pn.clone()).unwrap_or_default();
        self.channels.get(channel).map(|channel| channel.state(self.now, number))
    }
}

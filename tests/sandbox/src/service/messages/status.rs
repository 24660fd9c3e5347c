//! Statuses (signal document §3.7, §5.3): a group whose members are whoever the sender names.

use std::collections::{BTreeMap, BTreeSet};

use whimbrel_wire::Node;

use super::super::accounts::{AccountId, DeviceId, Space};
use super::super::{Service, StreamId};
use super::direct::{twin_key, with_content};
use super::{Accepted, MessageError, Outbound};
use crate::stanza;

/// Whose setting a post may name.
const SETTINGS: [&str; 4] = ["contacts", "allowlist", "denylist", "close_friends"];

impl Service {
    pub(super) fn in_status(
        &mut self,
        stream: StreamId,
        message: &Outbound<'_>,
        time: u64,
    ) -> Result<Accepted, MessageError> {
        if let Some(what) = wrong_form(message.node)
            && self.find_fault(Some(message.sender), stream, what, message.id.clone())
        {
            return Err(479);
        }
        if let Some(asking) = message.node.attr_jid("participant") {
            return self.status_again(message, &asking, time);
        }
        let mut named: BTreeMap<DeviceId, Vec<&Node>> = BTreeMap::new();
        let mut audience: BTreeSet<AccountId> = [message.sender.account].into();
        for (jid, encs) in &message.copies {
            let Some(target) = self.accounts.device_named(jid) else { continue };
            audience.insert(target.account);
            // Baileys and whatsmeow hand keys to themselves too.
            if encs.is_empty() || target == message.sender {
                continue;
            }
            if named.insert(target, encs.clone()).is_some() {
                let what = "two copies for one device";
                if self.find_fault(Some(message.sender), stream, what, jid.to_string()) {
                    return Err(400);
                }
            }
        }
        let for_all = message.bare.iter().any(|enc| enc.attr_is("type", "skmsg"));
        let mut accepted = Accepted::default();
        for account in audience {
            for device in self.accounts.devices(account) {
                let own = named.get(&device).map(Vec::as_slice).unwrap_or_default();
                let hosted = self.accounts.device(device).is_none_or(|device| device.hosted);
                if device == message.sender || hosted || (own.is_empty() && !for_all) {
                    continue;
                }
                let encs: Vec<&Node> = own.iter().chain(&message.bare).copied().collect();
                if let Some(stanza) = self.status_copy(message, &encs, time) {
                    accepted.stanzas.push((device, stanza));
                }
            }
        }
        if for_all {
            let sender = self.accounts.label(message.sender);
            for enc in message.bare.iter().filter_map(|enc| enc.content_bytes()) {
                self.counters.look(&sender, "status@broadcast", &message.id, "skmsg", enc);
            }
            self.log_sender_key(message, named.keys().copied());
        }
        Ok(accepted)
    }

    /// The answer to a retry receipt: for the one device that asked, if it was of the audience.
    fn status_again(
        &self,
        message: &Outbound<'_>,
        asking: &whimbrel_wire::Jid,
        time: u64,
    ) -> Result<Accepted, MessageError> {
        let target = self.accounts.device_named(asking).ok_or(404_u16)?;
        let mut accepted = Accepted::default();
        if self.routes.authors(target, &message.id).contains(&message.sender) {
            let copies = message.copies.iter().flat_map(|(_, encs)| encs.iter());
            let encs: Vec<&Node> = copies.chain(&message.bare).copied().collect();
            let stanza = self.status_copy(message, &encs, time).ok_or(404_u16)?;
            accepted.stanzas.push((target, stanza));
        }
        Ok(accepted)
    }

    fn status_copy(&self, message: &Outbound<'_>, encs: &[&Node], time: u64) -> Option<Node> {
        let sender = self.accounts.get(message.sender.account)?;
        // Whoever names people by number is named so.
        let named = message.copies.first().and_then(|(jid, _)| Space::of(jid));
        let space = named.unwrap_or(Space::Lid);
        let stanza = self
            .envelope(message, space, time)?
            .attr("from", message.to.clone())
            .attr("participant", sender.jid(message.sender.number, space))
            .attr_opt(twin_key(space, "participant_pn", "participant_lid"), sender.twin(space));
        Some(with_content(stanza, message.node, encs))
    }
}

/// What the service does not take.
fn wrong_form(node: &Node) -> Option<&'static str> {
    let meta = node.child_named("meta");
    let setting = meta.and_then(|meta| stanza::plain(meta, "status_setting"));
    let is_act = node.attr_is("type", "reaction") || node.attr_value("edit").is_some();
    if node.attr_value("addressing_mode").is_some() {
        Some("addressing mode of a status")
    } else if is_act && setting.is_some() {
        Some("status setting of something that is no post")
    } else if setting.is_some_and(|setting| !SETTINGS.contains(&setting)) {
        Some("status setting that there is not")
    } else {
        None
    }
}

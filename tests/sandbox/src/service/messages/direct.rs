//! Direct messages, copies for the sender's own devices, and messages from device to device of one
//! account (signal document §3.3, §3.8, §5.3).

use std::collections::BTreeSet;

use whimbrel_wire::Node;

use super::super::accounts::{AccountId, DeviceId, Space};
use super::super::{Service, StreamId};
use super::{Accepted, MessageError, Outbound, participant_hash};
use crate::options::LidStanding;
use crate::stanza;

/// Children that accompany the ciphertexts to every recipient.
const COPIED: [&str; 6] = ["meta", "biz", "bot", "reporting", "multicast", "franking"];
/// Attributes that recipients get as they were written.
const COPIED_ATTRS: [&str; 3] = ["type", "edit", "category"];

impl Service {
    pub(super) fn direct(
        &mut self,
        stream: StreamId,
        message: &Outbound<'_>,
        space: Space,
        time: u64,
    ) -> Result<Accepted, MessageError> {
        let recipient = self.accounts.find(&message.to).ok_or(404_u16)?;
        let own = message.sender.account;
        let standing = |id| self.accounts.get(id).map(|account| account.standing);
        if space == Space::Lid && standing(own) != Some(LidStanding::Migrated) {
            return Err(400);
        }
        if space == Space::Lid && own != recipient && standing(recipient) == Some(LidStanding::PnOnly) {
            return Err(404);
        }
        let mixed = message.copies.iter().any(|(jid, _)| Space::of(jid) != Some(space));
        if mixed {
            self.find_fault(
                Some(message.sender),
                stream,
                "two address spaces in one message",
                message.id.clone(),
            );
            return Err(400);
        }
        if message.node.attr_is("category", "peer") {
            return self.peer(stream, message, recipient, time);
        }
        let trusted = self.is_trusted(own, recipient, message.node);
        let needed = self.needs_tokens(own) && own != recipient;
        let refused = if needed { Some(463) } else { self.refused_contact(own, recipient) };
        if let Some(code) = refused.filter(|code| *code != 463 || !trusted) {
            return Err(code);
        }
        let copies = self.addressed(stream, message, recipient)?;
        let blocked = !self.sees(recipient, "messages", own);
        let mut accepted = Accepted::default();
        for (target, encs) in &copies {
            // Whoever is blocked, or no contact where only those may write, is not told; what he sends just
            // goes nowhere.
            if blocked && target.account == recipient {
                continue;
            }
            if let Some(stanza) = self.direct_copy(message, *target, encs, space, recipient, time) {
                accepted.stanzas.push((*target, stanza));
            }
        }
        if !message.resend && message.bare.is_empty() {
            accepted.phash = self.hash_if_other(message, recipient, space, &copies);
        }
        if own != recipient && !blocked {
            self.acquaint(own, recipient);
        }
        Ok(accepted)
    }

    /// The devices that a message is addressed to and what each gets. Devices that do not exist are
    /// left out; devices of strangers are refused.
    fn addressed<'n>(
        &mut self,
        stream: StreamId,
        message: &Outbound<'n>,
        recipient: AccountId,
    ) -> Result<Vec<(DeviceId, Vec<&'n Node>)>, MessageError> {
        let sender = message.sender;
        let mut copies: Vec<(DeviceId, Vec<&Node>)> = Vec::new();
        if !message.bare.is_empty() {
            let target = self.accounts.device_named(&message.to).ok_or(404_u16)?;
            copies.push((target, message.bare.clone()));
        }
        let mut seen = BTreeSet::new();
        for (jid, encs) in &message.copies {
            let target = self.accounts.device_named(jid);
            let Some(target) =
                target.filter(|target| target.account == recipient || target.account == sender.account)
            else {
                self.find_fault(Some(sender), stream, "copy for a stranger", jid.to_string());
                return Err(400);
            };
            if target == sender || !seen.insert(target) {
                let what = if target == sender {
                    "copy for the sending device"
                } else {
                    "two copies for one device"
                };
                if self.find_fault(Some(sender), stream, what, jid.to_string()) {
                    return Err(400);
                }
                continue;
            }
            copies.push((target, encs.clone()));
        }
        copies.retain(|(target, _)| self.accounts.device(*target).is_some());
        Ok(copies)
    }

    fn direct_copy(
        &self,
        message: &Outbound<'_>,
        target: DeviceId,
        encs: &[&Node],
        space: Space,
        recipient: AccountId,
        time: u64,
    ) -> Option<Node> {
        let sender = self.accounts.get(message.sender.account)?;
        let mut stanza = self.envelope(message, space, time)?;
        if target.account == message.sender.account {
            // A copy for the own devices says which chat it belongs to; an answer to a retry receipt
            // repeats what that said.
            let chat = message.node.attr_jid("recipient").unwrap_or_else(|| message.to.to_bare());
            let twin = self.accounts.find(&chat).or(Some(recipient)).and_then(|id| self.accounts.get(id))?;
            let twin_key = twin_key(space, "peer_recipient_pn", "peer_recipient_lid");
            stanza = stanza.attr("recipient", chat).attr_opt(twin_key, twin.twin(space));
        } else {
            stanza = stanza.attr_opt(twin_key(space, "sender_pn", "sender_lid"), sender.twin(space));
        }
        Some(with_content(stanza, message.node, encs))
    }

    /// The attributes that every copy has.
    pub(super) fn envelope(&self, message: &Outbound<'_>, space: Space, time: u64) -> Option<Node> {
        let sender = self.accounts.get(message.sender.account)?;
        let mut stanza = Node::new("message")
            .attr("id", message.id.clone())
            .attr("from", sender.jid(message.sender.number, space))
            .attr("t", time);
        for key in COPIED_ATTRS {
            stanza = stanza.attr_opt(key, stanza::text(message.node, key));
        }
        Some(stanza.attr_opt("notify", Some(sender.name.clone()).filter(|name| !name.is_empty())))
    }

    /// A message from device to device of one account: one recipient, one ciphertext.
    fn peer(
        &mut self,
        stream: StreamId,
        message: &Outbound<'_>,
        account: AccountId,
        time: u64,
    ) -> Result<Accepted, MessageError> {
        let sender = message.sender;
        let tokens = ["tctoken", "cstoken"].iter().any(|token| message.node.child_named(token).is_some());
        if account != sender.account || message.bare.len() != 1 || !message.copies.is_empty() || tokens {
            self.find_fault(Some(sender), stream, "form of a peer message", message.id.clone());
            return Err(479);
        }
        let target = self.accounts.device_named(&message.to).ok_or(404_u16)?;
        if self.accounts.device(target).is_none() {
            return Err(404);
        }
        let space = Space::of(&message.to).ok_or(404_u16)?;
        let stanza = self.envelope(message, space, time).ok_or(404_u16)?;
        let stanza = with_content(stanza, message.node, &message.bare);
        Ok(Accepted { stanzas: vec![(target, stanza)], ..Accepted::default() })
    }

    /// The true hash, if the sender addressed another set of devices than the true one.
    fn hash_if_other(
        &self,
        message: &Outbound<'_>,
        recipient: AccountId,
        space: Space,
        copies: &[(DeviceId, Vec<&Node>)],
    ) -> Option<String> {
        let truth: BTreeSet<DeviceId> = [recipient, message.sender.account]
            .into_iter()
            .flat_map(|account| self.accounts.devices(account))
            .filter(|device| *device != message.sender)
            .collect();
        let addressed: BTreeSet<DeviceId> = copies.iter().map(|(device, _)| *device).collect();
        let named = message.copies.len();
        if truth == addressed && named == addressed.len() {
            return None;
        }
        Some(participant_hash(truth.into_iter().filter_map(|device| self.accounts.jid(device, space))))
    }

    /// Two people have exchanged a message and hear of each other's devices from now on.
    fn acquaint(&mut self, one: AccountId, other: AccountId) {
        for (id, contact) in [(one, other), (other, one)] {
            if let Some(account) = self.accounts.get_mut(id) {
                account.contacts.insert(contact);
            }
        }
    }
}

pub(super) fn twin_key(space: Space, in_lid: &'static str, in_pn: &'static str) -> &'static str {
    match space {
        Space::Lid => in_lid,
        Space::Pn => in_pn,
    }
}

pub(super) fn with_content(stanza: Node, original: &Node, encs: &[&Node]) -> Node {
    let first_contact = encs.iter().any(|enc| enc.attr_is("type", "pkmsg"));
    let identity = original.child_named("device-identity").filter(|_| first_contact).cloned();
    let copied = original.child_nodes().iter().filter(|child| COPIED.contains(&child.tag())).cloned();
    stanza.children(encs.iter().map(|enc| (*enc).clone())).child_opt(identity).children(copied)
}

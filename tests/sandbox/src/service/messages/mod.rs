//! Messages: what is accepted, whom it goes to, and what the sender is told (signal document §3.3,
//! §5.2–§5.4). The ciphertexts are opaque.

mod content;
mod direct;
mod group;
mod routes;
mod status;

use whimbrel_crypto::phash::phash;
use whimbrel_wire::{AttrValue, Jid, Node};

pub(super) use routes::{Route, Routes};

use routes::Incomplete;

use super::accounts::{DeviceId, Space};
use super::groups::mode_name;
use super::{Service, StreamId};
use crate::events::Event;
use crate::stanza;

/// The group names its members in another way by now.
const STALE_ADDRESSING: MessageError = 421;

/// Longest id of a message.
const ID_LIMIT: usize = 128;

/// Why a message is not accepted: the error of its ack.
pub(super) type MessageError = u16;

/// A message as its sender wrote it.
#[derive(Debug)]
struct Outbound<'n> {
    node: &'n Node,
    sender: DeviceId,
    id: String,
    to: Jid,
    /// Ciphertexts by addressed device.
    copies: Vec<(Jid, Vec<&'n Node>)>,
    /// Ciphertexts that stand directly in the message.
    bare: Vec<&'n Node>,
    /// Whether it answers a retry receipt, by its own form.
    resend: bool,
}

/// What becomes of an accepted message.
#[derive(Debug, Default)]
struct Accepted {
    /// The stanza for each device.
    stanzas: Vec<(DeviceId, Node)>,
    /// Copies for devices that nobody uses: they are only counted.
    counted: usize,
    /// The true participant hash, if the sender's differs from it.
    phash: Option<String>,
    /// How far a group message got whose sender did not know all devices.
    incomplete: Option<Incomplete>,
}

impl Service {
    /// A message of a device.
    pub(super) fn message(&mut self, stream: StreamId, device: DeviceId, node: &Node) {
        if node.attr_jid("to").is_some_and(|to| to.is_newsletter()) {
            return self.channel_message(stream, device, node);
        }
        let result = self.parse(stream, device, node).and_then(|message| self.accept(stream, &message));
        match result {
            Ok(ack) => self.answer(stream, device, node, ack),
            Err(code) => self.refuse_message(stream, device, node, code),
        }
    }

    pub(super) fn refuse_message(
        &mut self,
        stream: StreamId,
        device: DeviceId,
        node: &Node,
        code: MessageError,
    ) {
        let label = self.accounts.label(device);
        self.log(Event::Refused { device: label, id: stanza::id(node), code });
        let mut ack = ack_of(node, self.now).attr("error", code);
        let group = node.attr_jid("to").and_then(|to| self.groups.find(&to));
        if let Some(group) = group.filter(|_| code == STALE_ADDRESSING) {
            // Whoever named the members of a group in the wrong way is told the right one. The hash is
            // what makes whatsmeow forget whom it took for the members.
            let hash = node.attr_value("phash").map(|_| self.group_hash(group));
            ack = ack.attr("addressing_mode", mode_name(group.mode())).attr_opt("phash", hash);
        }
        self.answer(stream, device, node, ack);
    }

    fn parse<'n>(
        &mut self,
        stream: StreamId,
        sender: DeviceId,
        node: &'n Node,
    ) -> Result<Outbound<'n>, MessageError> {
        let id = stanza::id(node);
        if id.is_empty() || id.len() > ID_LIMIT {
            return Err(400);
        }
        if !matches!(node.attr_value("to"), Some(AttrValue::Jid(_)))
            && self.find_fault(Some(sender), stream, "address as text", "message to".to_owned())
        {
            return Err(479);
        }
        let to = node.attr_jid("to").ok_or(404_u16)?;
        let mut copies = Vec::new();
        if let Some(participants) = node.child_named("participants") {
            for target in participants.children_named("to") {
                let jid = target.attr_jid("jid").ok_or(400_u16)?;
                copies.push((jid, target.children_named("enc").collect::<Vec<_>>()));
            }
        }
        let bare: Vec<&Node> = node.children_named("enc").collect();
        let all = || copies.iter().flat_map(|(_, encs)| encs.iter()).chain(bare.iter());
        if all().next().is_none() {
            self.find_fault(Some(sender), stream, "message without ciphertext", String::new());
            return Err(479);
        }
        for enc in all() {
            let broken = match (stanza::plain(enc, "v"), stanza::plain(enc, "type"), enc.content_bytes()) {
                (Some("2" | "3"), Some("pkmsg" | "msg" | "skmsg" | "msmsg" | "frskmsg"), Some(bytes)) => {
                    bytes.is_empty()
                }
                _ => true,
            };
            if broken && self.find_fault(Some(sender), stream, "form of enc", id.clone()) {
                return Err(479);
            }
        }
        let counted = all().all(|enc| enc.attr_u32("count").is_some_and(|count| count > 0));
        let resend = counted || node.attr_is("device_fanout", "false");
        Ok(Outbound { node, sender, id, to, copies, bare, resend })
    }

    fn accept(&mut self, stream: StreamId, message: &Outbound<'_>) -> Result<Node, MessageError> {
        let known = self.routes.get(message.sender, &message.id).cloned();
        let again = |route: &Route| message.resend || !route.asked.is_empty() || route.incomplete.is_some();
        let repeated = known.as_ref().is_some_and(|route| !again(route));
        let time = known.as_ref().map_or(self.now, |route| route.time);
        if repeated {
            let device = self.accounts.label(message.sender);
            self.log(Event::Repeated { device, id: message.id.clone() });
            return Ok(ack_of(message.node, time));
        }
        self.check_content(stream, message)?;
        let accepted = match Space::of(&message.to) {
            Some(space) => self.direct(stream, message, space, time)?,
            None if message.to.is_group() => self.in_group(stream, message, known.as_ref(), time)?,
            None if message.to.is_status() => self.in_status(stream, message, time)?,
            None => return Err(404),
        };
        let device = self.accounts.label(message.sender);
        let targets: Vec<DeviceId> = accepted.stanzas.iter().map(|(target, _)| *target).collect();
        self.routes.record(message.sender, &message.id, &message.to, time, &targets);
        self.routes.set_incomplete(message.sender, &message.id, accepted.incomplete);
        self.log(Event::Accepted {
            device,
            to: message.to.to_string(),
            id: message.id.clone(),
            copies: targets.len() + accepted.counted,
        });
        for (target, stanza) in accepted.stanzas {
            self.look_at(message, target, &stanza);
            self.push(target, stanza);
        }
        let ack = ack_of(message.node, time).attr_opt("phash", accepted.phash);
        Ok(ack.attr_opt("refresh_lid", self.names_stale_number(message).then_some("true")))
    }

    /// Whether the sender believes that the LID belongs to another number than it does.
    fn names_stale_number(&self, message: &Outbound<'_>) -> bool {
        let named = message.node.attr_jid("peer_recipient_pn");
        let account = self.accounts.find(&message.to).and_then(|id| self.accounts.get(id));
        match (named, account) {
            (Some(named), Some(account)) => !named.same_bare(&account.bare(Space::Pn)),
            _ => false,
        }
    }

    fn look_at(&mut self, message: &Outbound<'_>, target: DeviceId, stanza: &Node) {
        let (sender, recipient) = (self.accounts.label(message.sender), self.accounts.label(target));
        for enc in stanza.children_named("enc") {
            let kind = stanza::plain(enc, "type").unwrap_or_default();
            let Some(bytes) = enc.content_bytes() else { continue };
            if kind != "skmsg" {
                self.counters.look(&sender, &recipient, &message.id, kind, bytes);
            }
        }
    }
}

/// The positive ack of a message; its sender takes the time of the message from it.
pub(super) fn ack_of(node: &Node, time: u64) -> Node {
    Node::new("ack")
        .attr("class", "message")
        .attr("id", stanza::id(node))
        .attr("from", node.attr_jid("to").unwrap_or(Jid::SERVER))
        .attr("t", time)
}

/// The participant hash over devices (signal document §2.9).
pub(super) fn participant_hash(devices: impl IntoIterator<Item = Jid>) -> String {
    let devices: Vec<Jid> = devices.into_iter().filter(|jid| !jid.is_hosted()).collect();
    phash(devices.iter().map(|jid| (jid.user(), jid.device(), jid.server_name())))
}

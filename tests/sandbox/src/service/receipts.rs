//! Receipts and acks: what settles a queued stanza, and whom a receipt is passed on to (signal
//! document §5.5–§5.7, transport document §6.10).

use whimbrel_wire::{Jid, Node};

use super::accounts::{AccountId, DeviceId, Space};
use super::messages::Route;
use super::offline::Settlement;
use super::{Service, StreamId};
use crate::events::Event;
use crate::stanza;

/// A receipt as a device sent it.
#[derive(Debug)]
struct Incoming<'n> {
    node: &'n Node,
    device: DeviceId,
    kind: Option<String>,
    to: Option<Jid>,
}

impl Service {
    /// An ack of a device: it has a stanza, or cannot use it.
    pub(super) fn ack(&mut self, stream: StreamId, device: DeviceId, node: &Node) {
        let (id, class) = (stanza::id(node), stanza::text(node, "class").unwrap_or_default());
        if id.is_empty() || class.is_empty() {
            self.find_fault(Some(device), stream, "ack without id or class", format!("class {class:?}"));
            self.malformed(stream);
            return;
        }
        if let Some(error) = stanza::text(node, "error") {
            let detail = format!("{class} {error}");
            self.find_fault_softly(device, "negative ack", detail);
        }
        let (to, participant) = (node.attr_jid("to"), node.attr_jid("participant"));
        let error = stanza::text(node, "error");
        let settlement = Settlement {
            class: &class,
            id: &id,
            to: to.as_ref(),
            participant: participant.as_ref(),
            error: error.as_deref(),
        };
        self.settle(device, settlement);
    }

    /// Notes something that real clients do, but that a test may want to know of.
    fn find_fault_softly(&self, device: DeviceId, rule: &'static str, detail: String) {
        let device = self.accounts.label(device);
        self.log(Event::Reported { device, rule: rule.to_owned(), detail });
    }

    /// A receipt of a device.
    pub(super) fn receipt(&mut self, stream: StreamId, device: DeviceId, node: &Node) {
        if node.attr_jid("to").is_some_and(|to| to.is_newsletter()) && !stanza::id(node).is_empty() {
            return self.channel_receipt(stream, device, node);
        }
        if !stanza::id(node).is_empty() && self.call_receipt(device, node) {
            let to = node.attr_jid("to");
            let settlement = Settlement {
                class: "call",
                id: &stanza::id(node),
                to: to.as_ref(),
                participant: None,
                error: None,
            };
            self.settle(device, settlement);
            let ack = Node::new("ack")
                .attr("class", "receipt")
                .attr("id", stanza::id(node))
                .attr("from", to.unwrap_or(Jid::SERVER));
            return self.answer(stream, device, node, ack);
        }
        let mut ids = vec![stanza::id(node)];
        if let Some(list) = node.child_named("list") {
            ids.extend(list.children_named("item").map(stanza::id));
        }
        if ids.iter().any(String::is_empty) {
            self.find_fault(Some(device), stream, "receipt without id", String::new());
            self.malformed(stream);
            return;
        }
        let receipt = Incoming { node, device, kind: stanza::text(node, "type"), to: node.attr_jid("to") };
        let kind = receipt.kind.as_deref().unwrap_or_default();
        let label = self.accounts.label(device);
        self.log(Event::Receipt { device: label, ids: ids.clone(), kind: kind.to_owned() });
        if !matches!(kind, "retry" | "server-error" | "enc_rekey_retry") {
            let participant = node.attr_jid("participant");
            for id in &ids {
                self.settle(
                    device,
                    Settlement {
                        class: "message",
                        id,
                        to: receipt.to.as_ref(),
                        participant: participant.as_ref(),
                        error: None,
                    },
                );
            }
        }
        let author = ids.first().and_then(|id| self.author_of(&receipt, id));
        let from = receipt.to.clone().or_else(|| author.as_ref().map(|(_, route)| route.chat.clone()));
        let ack = Node::new("ack")
            .attr("class", "receipt")
            .attr("id", stanza::id(node))
            .attr("from", from.unwrap_or(Jid::SERVER))
            .attr_opt("type", receipt.kind.clone())
            .attr_opt("participant", node.attr_jid("participant"));
        if kind == "server-error"
            && let Some(error) = self.wrong_media_retry(device, node)
        {
            let detail = format!("error {error}");
            self.find_fault(Some(device), stream, "request for a file that names no message", detail);
            self.answer(stream, device, node, ack.attr("error", error));
            return;
        }
        self.answer(stream, device, node, ack);
        match kind {
            "server-error" => self.relay_to_phone_of(&receipt),
            "hist_sync" => self.relay_history_receipt(&receipt),
            "retry" => self.relay_retry(&receipt, &ids, author),
            _ => {
                if let Some((author, route)) = author {
                    self.relay(&receipt, author, &route);
                }
            }
        }
    }

    /// Who wrote a message that the device has, and what is known of it.
    fn author_of(&self, receipt: &Incoming<'_>, id: &str) -> Option<(DeviceId, Route)> {
        let authors = self.routes.authors(receipt.device, id);
        let participant = receipt.node.attr_jid("participant");
        let addressed = participant.as_ref().or(receipt.to.as_ref());
        let account = addressed.and_then(|jid| self.accounts.find(jid));
        let author = match authors {
            [] => return None,
            [only] => *only,
            several => *several.iter().find(|author| Some(author.account) == account)?,
        };
        Some((author, self.routes.get(author, id)?.clone()))
    }

    /// Passes a receipt on to the author of the message.
    fn relay(&mut self, receipt: &Incoming<'_>, author: DeviceId, route: &Route) {
        if route.chat.is_group() || route.chat.is_status() {
            return self.relay_in_group(receipt, author, &route.chat);
        }
        let Some(space) = Space::of(&route.chat) else { return };
        let reader = receipt.device;
        let own = author.account == reader.account;
        let kind = receipt.kind.as_deref().unwrap_or_default();
        match kind {
            // The reader's other devices learn what was read here.
            "read-self" | "played-self" => self.tell_own_devices(receipt, author, route, space),
            "peer_msg" | "sender" if own => {
                let stanza = self.relayed(receipt, space).map(|stanza| match kind {
                    "sender" => stanza.attr("recipient", route.chat.clone()),
                    _ => stanza,
                });
                if let Some(stanza) = stanza {
                    self.push(author, stanza);
                }
            }
            // A plain receipt of an own device says what `sender` says, in the words of old clients.
            _ if own => {}
            "read" | "played" => {
                self.tell_own_devices(receipt, author, route, space);
                if self.shows_reading(author.account) && self.shows_reading(reader.account) {
                    self.tell_author(receipt, author, space);
                }
            }
            _ => self.tell_author(receipt, author, space),
        }
    }

    /// As [`Service::relay`], for a message in a group.
    fn relay_in_group(&mut self, receipt: &Incoming<'_>, author: DeviceId, group: &Jid) {
        let reader = receipt.device;
        let kind = receipt.kind.as_deref().unwrap_or_default();
        let others = |service: &Self, account: AccountId| {
            service.accounts.devices(account).into_iter().filter(move |device| *device != reader)
        };
        let mut targets = Vec::new();
        let mut own_kind = None;
        match kind {
            "sender" => targets.push(author),
            _ if author.account == reader.account && !kind.ends_with("-self") => {}
            "read" | "played" | "read-self" | "played-self" => {
                if !kind.ends_with("-self")
                    && self.shows_reading(author.account)
                    && self.shows_reading(reader.account)
                {
                    targets.extend(self.accounts.devices(author.account));
                }
                let played = kind.starts_with("played");
                own_kind = Some(if played { "played-self" } else { "read-self" });
            }
            _ => targets.extend(self.accounts.devices(author.account)),
        }
        for target in targets {
            if let Some(stanza) = self.relayed_in_group(receipt, group) {
                self.push(target, stanza);
            }
        }
        let Some(own_kind) = own_kind else { return };
        for target in others(self, reader.account).collect::<Vec<_>>() {
            if let Some(stanza) = self.relayed_in_group(receipt, group) {
                self.push(target, stanza.attr("type", own_kind));
            }
        }
    }

    /// A receipt from a group, as others get it.
    fn relayed_in_group(&self, receipt: &Incoming<'_>, group: &Jid) -> Option<Node> {
        let reader = self.accounts.get(receipt.device.account)?;
        // Statuses have no way of addressing of their own.
        let mode = if group.is_status() { Space::Lid } else { self.groups.find(group)?.mode() };
        let twin = match mode {
            Space::Lid => "participant_pn",
            Space::Pn => "participant_lid",
        };
        Some(
            Node::new("receipt")
                .attr("id", stanza::id(receipt.node))
                .attr("from", group.clone())
                .attr("participant", reader.jid(receipt.device.number, mode))
                .attr_opt(twin, reader.twin(mode))
                .attr_opt("type", receipt.kind.clone())
                .attr("t", self.now)
                .children(receipt.node.child_nodes().iter().cloned()),
        )
    }

    fn tell_author(&mut self, receipt: &Incoming<'_>, author: DeviceId, space: Space) {
        for target in self.accounts.devices(author.account) {
            if let Some(stanza) = self.relayed(receipt, space) {
                self.push(target, stanza);
            }
        }
    }

    fn tell_own_devices(&mut self, receipt: &Incoming<'_>, author: DeviceId, route: &Route, space: Space) {
        let reader = receipt.device;
        // For the reader the chat is the other person: the author, or whom he himself wrote to.
        let chat = if author.account == reader.account {
            Some(route.chat.clone())
        } else {
            self.accounts.bare(author.account, space)
        };
        let own_kind = match receipt.kind.as_deref() {
            Some("played" | "played-self") => "played-self",
            _ => "read-self",
        };
        for target in self.accounts.devices(reader.account) {
            if target == reader {
                continue;
            }
            let stanza = self
                .relayed(receipt, space)
                .map(|stanza| stanza.attr("type", own_kind).attr_opt("recipient", chat.clone()));
            if let Some(stanza) = stanza {
                self.push(target, stanza);
            }
        }
    }

    fn shows_reading(&self, account: AccountId) -> bool {
        self.accounts.get(account).is_none_or(|account| account.settings.privacy("readreceipts") != "none")
    }

    /// A receipt as others get it.
    fn relayed(&self, receipt: &Incoming<'_>, space: Space) -> Option<Node> {
        let reader = self.accounts.get(receipt.device.account)?;
        let twin = match space {
            Space::Lid => "sender_pn",
            Space::Pn => "sender_lid",
        };
        Some(
            Node::new("receipt")
                .attr("id", stanza::id(receipt.node))
                .attr("from", reader.jid(receipt.device.number, space))
                .attr_opt("type", receipt.kind.clone())
                .attr("t", self.now)
                .attr_opt(twin, reader.twin(space))
                .children(receipt.node.child_nodes().iter().cloned()),
        )
    }

    /// A device could not decrypt a message and asks the author's device for it again.
    fn relay_retry(&mut self, receipt: &Incoming<'_>, ids: &[String], author: Option<(DeviceId, Route)>) {
        let Some((author, route)) = author else { return };
        for id in ids {
            self.routes.ask_again(author, id, receipt.device);
        }
        if route.chat.is_group() || route.chat.is_status() {
            if let Some(stanza) = self.relayed_in_group(receipt, &route.chat) {
                self.push(author, stanza);
            }
            return;
        }
        let space = receipt.to.as_ref().and_then(Space::of).unwrap_or(Space::Pn);
        let Some(stanza) = self.relayed(receipt, space) else { return };
        let mut stanza = stanza.attr_opt("recipient", receipt.node.attr_jid("recipient"));
        if let Some(category) = stanza::text(receipt.node, "category") {
            stanza.set_attr("category", category);
        }
        self.push(author, stanza);
    }

    /// A companion asks the phone to upload media again.
    fn relay_to_phone_of(&mut self, receipt: &Incoming<'_>) {
        let phone = DeviceId { number: 0, ..receipt.device };
        if receipt.device.number != 0
            && let Some(stanza) = self.relayed(receipt, Space::Pn)
        {
            let stanza = stanza.attr_opt("category", stanza::text(receipt.node, "category"));
            self.push(phone, stanza);
        }
    }

    /// A companion has taken a piece of history from the phone.
    fn relay_history_receipt(&mut self, receipt: &Incoming<'_>) {
        self.relay_to_phone_of(receipt);
    }
}

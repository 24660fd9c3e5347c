//! Presence and chat state: never queued, never stored (features document §6).

use whimbrel_wire::{Jid, Node};

use super::accounts::{AccountId, DeviceId, Space};
use super::{Service, StreamId};
use crate::stanza;

impl Service {
    pub(super) fn presence(&mut self, stream: StreamId, device: DeviceId, node: &Node) {
        let name = stanza::text(node, "name").filter(|name| !name.is_empty());
        if let (Some(name), Some(account)) = (name, self.accounts.get_mut(device.account)) {
            account.name = name;
        }
        match stanza::plain(node, "type") {
            Some(kind @ ("available" | "unavailable")) => {
                let available = kind == "available";
                let Some(own) = self.accounts.device_mut(device) else { return };
                if std::mem::replace(&mut own.available, available) != available {
                    self.announce_presence(device.account);
                }
                if available {
                    self.tell_subscribed(stream, device);
                }
            }
            Some("subscribe") => {
                let Some(target) = node.attr_jid("to").and_then(|to| self.accounts.find(&to)) else { return };
                if let Some(own) = self.accounts.device_mut(device) {
                    own.subscriptions.insert(target);
                }
                self.watches(device.account, target, node);
                self.tell_presence(stream, device, target);
            }
            Some("unsubscribe") => {
                let target = node.attr_jid("to").and_then(|to| self.accounts.find(&to));
                if let (Some(target), Some(own)) = (target, self.accounts.device_mut(device)) {
                    own.subscriptions.remove(&target);
                }
            }
            // Without a type it only tells the push name, or nothing at all.
            None => {}
            Some(other) => {
                let detail = other.to_owned();
                self.find_fault(Some(device), stream, "presence type", detail);
            }
        }
    }

    fn tell_subscribed(&mut self, stream: StreamId, device: DeviceId) {
        let targets = self.accounts.device(device).map(|own| own.subscriptions.clone()).unwrap_or_default();
        for target in targets {
            self.tell_presence(stream, device, target);
        }
    }

    /// Tells everybody who wants to know that a person came or went.
    pub(super) fn announce_presence(&mut self, account: AccountId) {
        let watchers: Vec<(DeviceId, StreamId)> = self
            .accounts
            .iter()
            .flat_map(|other| {
                other.devices.iter().filter_map(|(number, device)| {
                    let watching = device.available && device.subscriptions.contains(&account);
                    let id = DeviceId { account: other.id, number: *number };
                    device.stream.filter(|_| watching).map(|stream| (id, stream))
                })
            })
            .collect();
        for (device, stream) in watchers {
            self.tell_presence(stream, device, account);
        }
    }

    fn tell_presence(&mut self, stream: StreamId, watcher: DeviceId, target: AccountId) {
        let watching = self.accounts.device(watcher).is_some_and(|device| device.available);
        let Some(person) = self.accounts.get(target) else { return };
        if !watching
            || !self.may_watch(watcher.account, target)
            || !self.sees(target, "online", watcher.account)
        {
            return;
        }
        let presence = Node::new("presence").attr("from", person.bare(Space::Lid));
        let available = person.devices.values().any(|device| device.available);
        let presence = if available {
            presence.attr("type", "available")
        } else {
            let last_seen = person.devices.values().map(|device| device.last_seen).max().unwrap_or_default();
            let shown = self.sees(target, "last", watcher.account);
            let last = if shown { last_seen.to_string() } else { "deny".to_owned() };
            presence.attr("type", "unavailable").attr("last", last)
        };
        self.send(stream, presence);
    }

    /// Typing or recording in a direct chat.
    pub(super) fn chat_state(&mut self, device: DeviceId, node: &Node) {
        let Some(to) = node.attr_jid("to") else { return };
        if to.is_group() {
            return self.group_chat_state(device, &to, node);
        }
        let (Some(target), Some(space)) = (self.accounts.find(&to), Space::of(&to)) else { return };
        let Some(from) = self.accounts.bare(device.account, space) else { return };
        let blocked = self.accounts.get(target).is_some_and(|person| person.settings.blocks(device.account));
        if blocked {
            return;
        }
        let state = Node::new("chatstate").attr("from", from).children(node.child_nodes().iter().cloned());
        self.send_to_active(target, &state);
    }

    /// Typing or recording in a group.
    fn group_chat_state(&mut self, device: DeviceId, to: &Jid, node: &Node) {
        let Some(group) = self.groups.find(to).filter(|group| group.is_member(device.account)) else {
            return;
        };
        let Some(participant) = self.accounts.bare(device.account, group.mode()) else { return };
        let others: Vec<AccountId> = group.members().filter(|member| *member != device.account).collect();
        let state = Node::new("chatstate")
            .attr("from", to.clone())
            .attr("participant", participant)
            .children(node.child_nodes().iter().cloned());
        for account in others {
            self.send_to_active(account, &state);
        }
    }

    /// Sends a stanza that nobody keeps to the devices of a person that take part in live traffic.
    fn send_to_active(&mut self, account: AccountId, stanza: &Node) {
        for recipient in self.accounts.devices(account) {
            let stream =
                self.accounts.device(recipient).filter(|found| found.active).and_then(|found| found.stream);
            if let Some(stream) = stream {
                self.send(stream, stanza.clone());
            }
        }
    }

    /// A bulletin of a client.
    pub(super) fn client_bulletin(&mut self, stream: StreamId, device: DeviceId, node: &Node) {
        for child in node.child_nodes() {
            match child.tag() {
                "offline_batch" => {
                    let count = child.attr_u32("count").and_then(|count| usize::try_from(count).ok());
                    self.drain_some(device, stream, count.unwrap_or(0));
                }
                "unified_session" => {}
                other => {
                    let detail = other.to_owned();
                    self.find_fault(Some(device), stream, "unknown bulletin", detail);
                }
            }
        }
    }
}

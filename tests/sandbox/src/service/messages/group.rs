//! Messages to groups (signal document §3.6, §5.2, §5.3): one ciphertext for all members, and the
//! sender key for each device that does not have it.

use std::collections::{BTreeMap, BTreeSet};

use whimbrel_wire::{Jid, Node};

use super::super::accounts::{DeviceId, Space};
use super::super::groups::{Group, mode_name};
use super::super::{Service, StreamId};
use super::content;
use super::direct::{twin_key, with_content};
use super::{Accepted, Incomplete, MessageError, Outbound, Route, STALE_ADDRESSING, participant_hash};
use crate::counters::sender_key_id;
use crate::events::Event;
use crate::stanza;

/// The property that lets accounts hand on what was written in a group.
const HISTORY_SEND: u32 = 15_313;

/// Ciphertexts by the device that they are for.
type Copies<'n> = BTreeMap<DeviceId, Vec<&'n Node>>;

impl Service {
    pub(super) fn in_group(
        &mut self,
        stream: StreamId,
        message: &Outbound<'_>,
        known: Option<&Route>,
        time: u64,
    ) -> Result<Accepted, MessageError> {
        let group = self.groups.find(&message.to).ok_or(404_u16)?;
        // In the announcement group of a community everybody reacts and comments.
        let annotates = group.is_announcements() && group.is_member(message.sender.account);
        let annotates = annotates && message.bare.iter().all(|enc| enc.attr_is("decrypt-fail", "hide"));
        if !annotates && !group.lets_write(message.sender.account) {
            return Err(403);
        }
        if content::is_admin_revoke(message.node) && !group.is_admin(message.sender.account) {
            return Err(479);
        }
        // Histories are handed on only by accounts that may (features document §2.10).
        let brings_history = |enc: &&Node| enc.attr_is("mediatype", "group_history");
        let mut encs = message.copies.iter().flat_map(|(_, encs)| encs.iter().copied());
        if encs.any(|enc| brings_history(&enc)) && !self.properties.is_on(HISTORY_SEND) {
            return Err(479);
        }
        let mode = group.mode();
        // Some clients leave the mode out; then the addresses have to fit by themselves.
        let named = stanza::plain(message.node, "addressing_mode");
        if named.is_some_and(|named| named != mode_name(mode)) {
            return Err(STALE_ADDRESSING);
        }
        if message.copies.iter().any(|(jid, _)| Space::of(jid) != Some(mode)) {
            if named.is_none() {
                return Err(STALE_ADDRESSING);
            }
            let what = "two address spaces in one message";
            self.find_fault(Some(message.sender), stream, what, message.id.clone());
            return Err(400);
        }
        let copies = self.group_copies(stream, message)?;
        if let Some(asking) = message.node.attr_jid("participant") {
            let sent = self.again_for(message, &asking, copies, mode, time)?;
            let incomplete = known.and_then(|route| route.incomplete.clone());
            return Ok(Accepted { incomplete, ..sent });
        }
        self.look_at_group_ciphertexts(message, &copies);
        Ok(self.fan_out(message, known, &copies, mode, time))
    }

    /// What each named device gets of its own. Devices that are gone are left out.
    fn group_copies<'n>(
        &mut self,
        stream: StreamId,
        message: &Outbound<'n>,
    ) -> Result<Copies<'n>, MessageError> {
        let mut copies = Copies::new();
        for (jid, encs) in &message.copies {
            let target = self.accounts.device_named(jid);
            let group = self.groups.find(&message.to).ok_or(404_u16)?;
            let what = match target {
                // Whoever has just left may still be on the sender's list.
                Some(target) if !group.has_known(target.account) => "copy for a stranger",
                None => "copy for a stranger",
                // Baileys hands its key to itself too where members are named by hidden numbers.
                Some(target) if target == message.sender => continue,
                Some(target) if copies.contains_key(&target) => "two copies for one device",
                Some(target) if self.is_hosted(target) => "a group's key for a hosted device",
                Some(target) => {
                    if group.is_member(target.account) && self.accounts.device(target).is_some() {
                        copies.insert(target, encs.clone());
                    }
                    continue;
                }
            };
            if self.find_fault(Some(message.sender), stream, what, jid.to_string()) {
                return Err(400);
            }
        }
        Ok(copies)
    }

    /// The answer to a retry receipt: for the one device that asked.
    fn again_for(
        &self,
        message: &Outbound<'_>,
        asking: &Jid,
        mut copies: Copies<'_>,
        mode: Space,
        time: u64,
    ) -> Result<Accepted, MessageError> {
        let target = self.accounts.device_named(asking).ok_or(404_u16)?;
        let encs = match copies.remove(&target) {
            Some(encs) => encs,
            None => message.bare.clone(),
        };
        let group = self.groups.find(&message.to).ok_or(404_u16)?;
        let mut accepted = Accepted::default();
        // Whoever is not a member any more gets nothing.
        if group.is_member(target.account) && self.accounts.device(target).is_some() {
            let stanza = self.group_copy(message, &encs, mode, time).ok_or(404_u16)?;
            accepted.stanzas.push((target, stanza));
        }
        Ok(accepted)
    }

    fn fan_out(
        &mut self,
        message: &Outbound<'_>,
        known: Option<&Route>,
        copies: &Copies<'_>,
        mode: Space,
        time: u64,
    ) -> Accepted {
        let mut accepted = Accepted::default();
        let Some(group) = self.groups.find(&message.to) else { return accepted };
        let devices = self.member_devices(group);
        let for_all = message.bare.iter().any(|enc| enc.attr_is("type", "skmsg"));
        let claimed = stanza::plain(message.node, "phash");
        let before = known.and_then(|route| route.incomplete.clone());
        let left_out = |device: &DeviceId| {
            let Some(route) = known else { return false };
            // A second attempt with a hash is for those that the first did not name. One without is how
            // Baileys answers a phone's retry receipt: for that phone.
            match (claimed, &before) {
                (Some(_), Some(before)) => {
                    let served = self.routes.authors(*device, &message.id).contains(&message.sender);
                    let news = copies.contains_key(device) && !before.named.contains(device);
                    !before.members.contains(&device.account) || (served && !news)
                }
                (Some(_), None) => true,
                (None, _) => !route.asked.contains(device),
            }
        };
        // What is left out is decided before anything is counted.
        let devices: Vec<DeviceId> = devices.into_iter().filter(|device| !left_out(device)).collect();
        for device in &devices {
            let own = copies.get(device).map(Vec::as_slice).unwrap_or_default();
            if *device == message.sender || (own.is_empty() && !for_all) {
                continue;
            }
            if self.count_only(*device) {
                accepted.counted += 1;
                continue;
            }
            let encs: Vec<&Node> = own.iter().chain(&message.bare).copied().collect();
            if let Some(stanza) = self.group_copy(message, &encs, mode, time) {
                accepted.stanzas.push((*device, stanza));
            }
        }
        if !for_all {
            return accepted;
        }
        if let (Some(claimed), Some(group)) = (claimed, self.groups.find(&message.to)) {
            accepted.phash = Some(self.group_hash(group)).filter(|truth| truth != claimed);
        }
        if accepted.phash.is_some() {
            let present = || devices.iter().map(|device| device.account).collect();
            let before = before.unwrap_or_else(|| Incomplete { members: present(), named: BTreeSet::new() });
            let named = before.named.into_iter().chain(copies.keys().copied()).collect();
            accepted.incomplete = Some(Incomplete { named, ..before });
        }
        accepted
    }

    /// All devices of all members; hosted ones have no part in groups (signal document §2.8).
    fn member_devices(&self, group: &Group) -> Vec<DeviceId> {
        let devices = group.members().flat_map(|member| self.accounts.devices(member));
        devices.filter(|device| !self.is_hosted(*device)).collect()
    }

    fn is_hosted(&self, device: DeviceId) -> bool {
        self.accounts.device(device).is_some_and(|device| device.hosted)
    }

    /// The participant hash over them.
    pub(super) fn group_hash(&self, group: &Group) -> String {
        let devices = self.member_devices(group).into_iter();
        participant_hash(devices.filter_map(|device| self.accounts.jid(device, group.mode())))
    }

    fn group_copy(&self, message: &Outbound<'_>, encs: &[&Node], mode: Space, time: u64) -> Option<Node> {
        let sender = self.accounts.get(message.sender.account)?;
        let mut stanza = self
            .envelope(message, mode, time)?
            .attr("from", message.to.clone())
            .attr("participant", sender.jid(message.sender.number, mode))
            .attr_opt(twin_key(mode, "participant_pn", "participant_lid"), sender.twin(mode))
            .attr("addressing_mode", mode_name(mode));
        if let Some(expiration) = stanza::text(message.node, "expiration") {
            stanza.set_attr("expiration", expiration);
        }
        Some(with_content(stanza, message.node, encs))
    }

    fn look_at_group_ciphertexts(&mut self, message: &Outbound<'_>, copies: &Copies<'_>) {
        let (sender, group) = (self.accounts.label(message.sender), message.to.to_string());
        for enc in message.bare.iter().filter(|enc| enc.attr_is("type", "skmsg")) {
            let Some(bytes) = enc.content_bytes() else { continue };
            self.counters.look(&sender, &group, &message.id, "skmsg", bytes);
        }
        self.log_sender_key(message, copies.keys().copied());
    }

    /// Notes which key a message was encrypted with, and whom it was handed to.
    pub(super) fn log_sender_key(&self, message: &Outbound<'_>, handed_to: impl Iterator<Item = DeviceId>) {
        let (device, group) = (self.accounts.label(message.sender), message.to.to_string());
        let handed_to: Vec<String> = handed_to.map(|device| self.accounts.label(device)).collect();
        for enc in message.bare.iter().filter(|enc| enc.attr_is("type", "skmsg")) {
            let Some(bytes) = enc.content_bytes() else { continue };
            if let Some(key_id) = sender_key_id(bytes) {
                self.log(Event::SenderKeyUsed {
                    device: device.clone(),
                    group: group.clone(),
                    id: message.id.clone(),
                    key_id,
                    handed_to: handed_to.clone(),
                });
            }
        }
    }
}

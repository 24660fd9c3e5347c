//! Sending to groups: the sender key for devices that lack it, one ciphertext for all.

use std::collections::BTreeSet;

use whimbrel_crypto::padding;
use whimbrel_proto::e2e::Message as Plain;
use whimbrel_proto::e2e::message::SenderKeyDistributionMessage as KeyMessage;
use whimbrel_signal::CiphertextMessage;
use whimbrel_wire::{Jid, Node};

use crate::phone::send::damage_bytes;
use crate::phone::stanza::groups::{self as stanzas, GroupInfo, GroupMessage};
use crate::phone::stanza::messages::{About, Resend};
use crate::phone::stanza::retry::Wish;
use crate::phone::stanza::usync;
use crate::phone::state::State;
use crate::phone::{Phone, PhoneError, keys};

/// The service wants the members named in the other way.
const STALE_ADDRESSING: u16 = 421;

/// A group message that is under way, for a second attempt with the same ciphertext.
struct Shared {
    key_id: u32,
    /// The key as of before this message.
    distribution: Vec<u8>,
    ciphertext: Vec<u8>,
    /// What the stanza says about it.
    about: About,
}

impl Phone {
    /// Sends a text to a group and waits until the service has taken it.
    pub(in crate::phone) async fn deliver_group_text(
        &self,
        group: &Jid,
        text: &str,
    ) -> Result<String, PhoneError> {
        let message = self.compose_text(text);
        self.deliver_to_group(group, message).await
    }

    /// Sends a message to a group.
    pub(in crate::phone) async fn deliver_to_group(
        &self,
        group: &Jid,
        message: Plain,
    ) -> Result<String, PhoneError> {
        let id = self.state().message_id();
        let _order = self.inner.sending.lock().await;
        self.state().keep(&id, group, &message, self.inner.clock.now(), false);
        match self.post_to_group(group, &id, &message).await {
            Err(PhoneError::Refused { code: STALE_ADDRESSING, .. }) => {
                self.state().groups.changed(group, false);
                self.post_to_group(group, &id, &message).await?;
            }
            other => other?,
        }
        Ok(id)
    }

    async fn post_to_group(&self, group: &Jid, id: &str, message: &Plain) -> Result<(), PhoneError> {
        let info = self.group_info(group).await?;
        let devices = self.member_devices(&info).await?;
        let (shared, missing) = {
            let mut state = self.state();
            let addresses = addresses(&state, &devices);
            let State { groups, rng, switches, .. } = &mut *state;
            let own = groups.own_key(group, &addresses, rng);
            // What new holders shall read comes after the state of the key that they get.
            let distribution = own.key.distribution().to_bytes();
            let mut padded = whimbrel_proto::encode(message);
            let [random] = keys::draw(rng);
            padding::pad(&mut padded, random);
            let mut ciphertext = own.key.encrypt(&padded, rng).map_err(|_| PhoneError::NoDevice)?;
            if switches.damage_next > 0 {
                switches.damage_next -= 1;
                damage_bytes(&mut ciphertext);
            }
            let about = About::of(&whimbrel_proto::encode(message));
            let about = if group.is_status() { about.of_status() } else { about };
            let shared = Shared { key_id: own.key.key_id(), distribution, ciphertext, about };
            let missing: Vec<Jid> = addresses.difference(&own.holders).cloned().collect();
            (shared, missing)
        };
        let told = self.post_shared(group, &info, id, &shared, &devices, missing).await?;
        let Some(told) = told else { return Ok(()) };
        // The service knows other devices: ask again and hand the key to those that were missed.
        tracing::debug!(%group, id, told, "a phone did not know all devices of a group");
        self.state().groups.changed(group, false);
        let info = self.group_info(group).await?;
        let devices = self.member_devices(&info).await?;
        let missing: Vec<Jid> = {
            let state = self.state();
            let holders = state.groups.own.get(group).map(|own| own.holders.clone()).unwrap_or_default();
            addresses(&state, &devices).difference(&holders).cloned().collect()
        };
        if !missing.is_empty() {
            self.post_shared(group, &info, id, &shared, &devices, missing).await?;
        }
        Ok(())
    }

    /// Sends a message with the key for the devices that miss it. Returns the true hash if the
    /// service's differs.
    async fn post_shared(
        &self,
        group: &Jid,
        info: &GroupInfo,
        id: &str,
        shared: &Shared,
        devices: &[Jid],
        missing: Vec<Jid>,
    ) -> Result<Option<String>, PhoneError> {
        self.ensure_sessions(&missing).await?;
        let (stanza, keyed) = {
            let mut state = self.state();
            let plaintext = key_message(group, &shared.distribution);
            let mut copies: Vec<(Jid, CiphertextMessage)> = Vec::new();
            let mut keyed = Vec::new();
            for device in devices {
                let address = state.people.session_address(device);
                if !missing.contains(&address) {
                    continue;
                }
                // Devices that have no keys to give stay without.
                if let Ok(ciphertext) = state.seal(&address, &plaintext) {
                    copies.push((device.clone(), ciphertext));
                    keyed.push(address);
                }
            }
            let own = if info.by_lid { state.lid.clone() } else { state.pn.clone() };
            let message = GroupMessage {
                id,
                group,
                by_lid: info.by_lid,
                devices: devices.iter().chain([&own]),
                copies,
                ciphertext: &shared.ciphertext,
                about: &shared.about,
            };
            (stanzas::message(message), keyed)
        };
        let ack = self.inner.line.post(id, stanza).await?;
        self.state().groups.was_handed_out(group, shared.key_id, keyed);
        Ok(ack.attr_text("phash").map(|phash| phash.into_owned()))
    }

    /// Who is in a group.
    async fn group_info(&self, group: &Jid) -> Result<GroupInfo, PhoneError> {
        let known = self.state().groups.known.get(group).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let answer = self.inner.line.request(stanzas::query(group)).await?;
        let info = stanzas::read_info(&answer).ok_or(PhoneError::Answer("group"))?;
        let mut state = self.state();
        for (member, twin) in &info.members {
            if let Some(twin) = twin {
                state.learn(member, twin);
            }
        }
        state.groups.known.insert(group.clone(), info.clone());
        Ok(info)
    }

    /// All devices of all members but this phone, named as the group names them.
    async fn member_devices(&self, info: &GroupInfo) -> Result<Vec<Jid>, PhoneError> {
        let people: Vec<Jid> = info.members.iter().map(|(member, _)| member.clone()).collect();
        let answer = self.inner.line.request(usync::devices(self.sid(), &people)).await?;
        let own = [self.lid(), self.jid()];
        let listed = usync::read_devices(&answer);
        let devices = listed
            .iter()
            .flat_map(|(person, devices)| devices.iter().map(|device| person.with_device(*device)));
        Ok(devices.filter(|device| !own.contains(device)).collect())
    }

    /// The answer to a device that could not read a group message; nothing for who is no member.
    pub(in crate::phone) async fn group_resend(
        &self,
        group: &Jid,
        wish: &Wish,
        device: &Jid,
    ) -> Result<Option<Node>, PhoneError> {
        self.state().groups.is_missing(group, device);
        let info = self.group_info(group).await?;
        let is_member = {
            let state = self.state();
            info.members.iter().any(|(member, _)| state.people.same(member, device))
        };
        if !is_member {
            self.state().groups.changed(group, true);
            return Ok(None);
        }
        let mut state = self.state();
        let Some(original) = state.originals.get(&wish.id).cloned() else { return Ok(None) };
        let mut plain: Plain =
            whimbrel_proto::decode(&original.plaintext).map_err(|_| PhoneError::UnknownMessage)?;
        let State { groups, .. } = &mut *state;
        // A key that is over is not handed out again; the next message brings the new one.
        if let Some(own) = groups.own.get_mut(group) {
            let distribution = own.key.distribution().to_bytes();
            plain.sender_key_distribution_message = Some(key(group, &distribution));
        }
        let ciphertext =
            state.seal(device, &whimbrel_proto::encode(&plain)).map_err(|_| PhoneError::NoDevice)?;
        let again = Resend {
            id: &wish.id,
            device: &wish.device,
            recipient: None,
            peer: false,
            count: wish.count,
            timestamp: original.timestamp,
        };
        Ok(Some(stanzas::resend(group, info.by_lid, &again, ciphertext)))
    }

    /// Forgets all sender keys of a group, the phone's own among them, as after a loss of storage.
    /// Tells whether there were any.
    pub fn forget_group_keys(&self, group: &Jid) -> bool {
        self.state().groups.forget_keys(group)
    }
}

fn addresses(state: &State, devices: &[Jid]) -> BTreeSet<Jid> {
    devices.iter().map(|device| state.people.session_address(device)).collect()
}

fn key(group: &Jid, distribution: &[u8]) -> Box<KeyMessage> {
    Box::new(KeyMessage {
        group_id: Some(group.to_string()),
        axolotl_sender_key_distribution_message: Some(distribution.to_vec()),
    })
}

fn key_message(group: &Jid, distribution: &[u8]) -> Vec<u8> {
    whimbrel_proto::encode(&Plain {
        sender_key_distribution_message: Some(key(group, distribution)),
        ..Plain::default()
    })
}

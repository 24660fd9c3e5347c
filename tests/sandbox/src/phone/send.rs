//! Sending: direct messages, messages from device to device, read receipts, answers to retry receipts.

use std::collections::BTreeMap;

use whimbrel_proto::e2e::Message as Plain;
use whimbrel_proto::e2e::message::PeerDataOperationRequestMessage;
use whimbrel_signal::CiphertextMessage;
use whimbrel_wire::{Jid, Node};

use super::appstate::{self, AppStateKeys, KeySharing};
use super::data::{self, Recorded};
use super::records::Message;
use super::stanza::messages::{self, Resend};
use super::stanza::retry::Wish;
use super::stanza::{acks, keys as key_stanzas, usync};
use super::state::State;
use super::{PREKEYS, Phone, PhoneError, content, keys};

/// From this attempt on a device is not answered any more (delivery document §4.9).
const GIVE_UP: u32 = 5;
/// Messages that one read receipt names at most.
const READ_BATCH: usize = 256;
/// Devices whose bundles one request asks for at most.
const FETCH_BATCH: usize = 500;

impl Phone {
    /// Sends a text to a phone number, to the address of a person or to that of a group, and waits until the service has taken it. Returns
    /// the message's id.
    pub async fn send_text(&self, to: &str, text: &str) -> Result<String, PhoneError> {
        let chat = self.chat(to).await?;
        self.deliver_text(&chat, text).await
    }

    /// Sends a message of any kind, as [`send_text`](Self::send_text) sends a text. Its stanza says what one
    /// of an official client would say about it.
    pub async fn send_message(&self, to: &str, message: Plain) -> Result<String, PhoneError> {
        let chat = self.chat(to).await?;
        if chat.is_group() {
            return self.deliver_to_group(&chat, message).await;
        }
        self.deliver(&chat, message).await
    }

    /// Sends a person octets as a message, such as one of a later version of the protocol.
    pub async fn send_raw(&self, to: &str, raw: Vec<u8>) -> Result<String, PhoneError> {
        let chat = self.resolve(to).await?;
        let message = whimbrel_proto::decode(&raw).unwrap_or_default();
        self.deliver_as(&chat, message, Some(raw)).await
    }

    /// The group with this address, or the person as [`Phone::resolve`] finds him.
    pub(super) async fn chat(&self, named: &str) -> Result<Jid, PhoneError> {
        match Jid::parse(named) {
            Ok(chat) if chat.is_group() || chat.is_status() => Ok(chat),
            _ => self.resolve(named).await,
        }
    }

    /// Tells the other side that messages of a chat were read.
    pub async fn mark_read(&self, chat: &str, ids: &[String]) -> Result<(), PhoneError> {
        let chat = self.chat(chat).await?;
        // A receipt is about messages of one author; in a group there are several.
        let mut by_author: BTreeMap<Option<Jid>, Vec<String>> = BTreeMap::new();
        for id in ids {
            let found = self.inner.messages.find(|message: &Message| message.id == *id && !message.from_me);
            let message = found.ok_or(PhoneError::UnknownMessage)?;
            let address = Jid::parse(&message.chat).map_err(|_| PhoneError::UnknownMessage)?;
            if address != chat && !self.state().people.same(&address, &chat) {
                return Err(PhoneError::UnknownMessage);
            }
            let author = Jid::parse(&message.author).ok().filter(|_| !chat.is_account());
            by_author.entry(author).or_default().push(id.clone());
        }
        if by_author.is_empty() {
            return Err(PhoneError::UnknownMessage);
        }
        let to = self.state().addressee(&chat);
        for (author, ids) in by_author {
            for batch in ids.chunks(READ_BATCH) {
                let receipt = acks::read(&to, author.as_ref(), batch, self.inner.clock.now());
                self.inner.line.send(receipt).await?;
            }
        }
        Ok(())
    }

    /// The address of a person that is named by number or by either address: the hidden one if there
    /// is one.
    pub(super) async fn resolve(&self, person: &str) -> Result<Jid, PhoneError> {
        let digits = person.strip_prefix('+').unwrap_or(person);
        if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            if let Some(lid) = self.state().people.lid(&Jid::pn(digits)) {
                return Ok(lid.to_bare());
            }
            let query = usync::number(self.sid(), digits);
            return self.ask_person(query).await;
        }
        let jid = Jid::parse(person).map_err(|_| PhoneError::BadAddress)?.normalized().to_bare();
        if !jid.is_account() {
            return Err(PhoneError::BadAddress);
        }
        let known = self.state().people.lid(&jid);
        match known {
            // The hidden address is known, but whether it is still somebody's is not.
            Some(lid) if jid.is_pn() || self.state().people.pn(&lid).is_some() => Ok(lid),
            _ => self.ask_person(usync::lid(self.sid(), &jid)).await,
        }
    }

    async fn ask_person(&self, query: Node) -> Result<Jid, PhoneError> {
        let person = usync::read_person(&self.inner.line.request(query).await?)?;
        match person.lid {
            Some(lid) => {
                self.state().learn(&person.jid, &lid);
                Ok(lid)
            }
            None if person.jid.is_pn() => Ok(person.jid),
            None => Err(PhoneError::UnknownUser),
        }
    }

    pub(super) fn sid(&self) -> String {
        self.state().message_id()
    }

    /// Sends a text to a group or a person.
    pub(super) async fn deliver_text(&self, chat: &Jid, text: &str) -> Result<String, PhoneError> {
        if chat.is_group() {
            return self.deliver_group_text(chat, text).await;
        }
        let message = self.compose_text(text);
        self.deliver(chat, message).await
    }

    /// A text of this phone.
    pub(super) fn compose_text(&self, text: &str) -> Plain {
        let tells_list = self.switches().tells_list;
        let mut state = self.state();
        let signed_at = state.companions.signed_at().filter(|_| tells_list);
        content::text(text, keys::draw(&mut state.rng), signed_at)
    }

    /// Sends a message to a person.
    pub(super) async fn deliver(&self, chat: &Jid, message: Plain) -> Result<String, PhoneError> {
        self.deliver_as(chat, message, None).await
    }

    /// As [`deliver`](Self::deliver), with these octets instead of the message's own.
    async fn deliver_as(
        &self,
        chat: &Jid,
        message: Plain,
        raw: Option<Vec<u8>>,
    ) -> Result<String, PhoneError> {
        let id = self.state().message_id();
        let _order = self.inner.sending.lock().await;
        // All of a stanza's addresses are of one kind: that of the chat.
        let (chat, own) = {
            let state = self.state();
            let by_number = state.by_number(chat);
            (state.wire(chat, by_number), state.wire(&state.lid, by_number))
        };
        let devices = self.devices(&chat, own).await?;
        self.ensure_sessions(&devices).await?;
        let stanza = {
            let mut state = self.state();
            state.keep(&id, &chat, &message, self.inner.clock.now(), false);
            if let Some(raw) = raw {
                state.originals.replace(&id, raw);
            }
            direct(&mut state, &id, &chat, &devices)?
        };
        self.inner.line.post(&id, stanza).await?;
        Ok(id)
    }

    /// All devices that a message to this chat goes to, the own companions included.
    pub(super) async fn devices(&self, chat: &Jid, own: Jid) -> Result<Vec<Jid>, PhoneError> {
        let mut people = vec![chat.clone()];
        if *chat != own {
            people.push(own.clone());
        }
        let answer = self.inner.line.request(usync::devices(self.sid(), &people)).await?;
        let listed = usync::read_devices(&answer);
        let devices = listed
            .iter()
            .flat_map(|(person, devices)| devices.iter().map(|device| person.with_device(*device)));
        Ok(devices.filter(|device| *device != own).collect())
    }

    /// Fetches bundles for the devices that have no session yet. Devices that have none to give stay
    /// without.
    pub(super) async fn ensure_sessions(&self, devices: &[Jid]) -> Result<(), PhoneError> {
        let missing: Vec<Jid> = {
            let state = self.state();
            let met = |device: &Jid| state.sessions.has(&state.people.session_address(device));
            devices.iter().filter(|device| !met(device)).cloned().collect()
        };
        if missing.is_empty() {
            return Ok(());
        }
        let mut bundles = Vec::new();
        for devices in missing.chunks(FETCH_BATCH) {
            let answer = self.inner.line.request(key_stanzas::fetch(devices)).await?;
            bundles.extend(key_stanzas::read_bundles(&answer));
        }
        // A phone's own identity comes first: it vouches for the companions.
        bundles.sort_by_key(|bundle| bundle.device.device());
        let mut state = self.state();
        let State { people, identities, sessions, keys, rng, .. } = &mut *state;
        for found in bundles {
            let device = people.session_address(&found.device);
            identities.learn(&device, found.bundle.identity);
            let vouched = match &found.device_identity {
                Some(proof) if device.has_device() => {
                    identities.check(&device, &found.bundle.identity, proof).is_ok()
                }
                _ => true,
            };
            if !vouched {
                tracing::warn!(%device, "a phone skips a device that its account does not vouch for");
            } else if let Err(error) = sessions.start(&device, keys, &found.bundle, rng) {
                tracing::warn!(%device, %error, "a phone skips a device with an unusable bundle");
            }
        }
        Ok(())
    }

    /// Sends a message to one of the own companions, without showing it anywhere.
    pub(super) async fn send_peer(&self, device: &Jid, message: &Plain) -> Result<String, PhoneError> {
        let _order = self.inner.sending.lock().await;
        self.ensure_sessions(std::slice::from_ref(device)).await?;
        let (id, stanza) = {
            let mut state = self.state();
            let id = state.message_id();
            state.keep(&id, device, message, self.inner.clock.now(), true);
            let ciphertext =
                state.seal(device, &whimbrel_proto::encode(message)).map_err(|_| PhoneError::NoDevice)?;
            let to = state.pn.with_device(device.device());
            let stanza = messages::peer(&id, &to, ciphertext);
            (id, stanza)
        };
        self.inner.line.post(&id, stanza).await?;
        Ok(id)
    }

    /// Hands app-state keys to a companion that asked for them.
    pub(super) async fn share_keys(&self, device: &Jid, ids: &[Vec<u8>]) -> Result<(), PhoneError> {
        let keys = {
            let state = self.state();
            match state.switches.app_state_keys {
                KeySharing::Share | KeySharing::OnRequest => {
                    state.app_state.keys.share(ids, &state.companions)
                }
                KeySharing::Deny => AppStateKeys::deny(ids),
                KeySharing::Withhold => return Ok(()),
            }
        };
        self.send_peer(device, &content::key_share(keys)).await.map(drop)
    }

    /// Answers a companion's request for data, as far as the phone can.
    pub(super) async fn answer_data(
        &self,
        device: &Jid,
        id: &str,
        request: &PeerDataOperationRequestMessage,
    ) -> Result<(), PhoneError> {
        if let Some(older) = data::wanted_history(request) {
            return self.hand_over_older(device, id, older).await;
        }
        if let Some(full) = data::wanted_full(request) {
            return self.hand_over_full(device, id, full).await;
        }
        if let Some(piece) = data::wanted_piece(request) {
            return self.make_again(device, id, piece).await;
        }
        if let Some(collection) = appstate::wanted_collection(request) {
            return self.hand_over_collection(device, id, collection).await;
        }
        let Some(wanted) = data::wanted_messages(request) else { return Ok(()) };
        let found = wanted.iter().filter_map(|id| self.recorded(id)).collect();
        self.send_peer(device, &content::data(data::resent_messages(id, found))).await.map(drop)
    }

    /// A message that the phone has received or sent.
    fn recorded(&self, id: &str) -> Option<Recorded> {
        let chat = |address: &Jid| match address.is_group() {
            true => Some(address.to_string()),
            false => Some(self.state().people.pn(address)?.to_string()),
        };
        if let Some(received) = self.inner.messages.find(|message| message.id == id) {
            return Some(Recorded {
                chat: chat(&Jid::parse(&received.chat).ok()?)?,
                from_me: received.from_me,
                participant: Jid::parse(&received.chat).ok()?.is_group().then_some(received.author),
                timestamp: received.timestamp,
                message: whimbrel_proto::decode(&received.raw).ok()?,
                id: received.id,
            });
        }
        let sent = self.state().originals.get(id).filter(|original| !original.peer).cloned()?;
        Some(Recorded {
            id: id.to_owned(),
            chat: chat(&sent.chat)?,
            from_me: true,
            participant: None,
            timestamp: sent.timestamp,
            message: whimbrel_proto::decode(&sent.plaintext).ok()?,
        })
    }

    /// Uploads one-time prekeys.
    pub(super) async fn upload_prekeys(&self) -> Result<(), PhoneError> {
        let upload = {
            let mut state = self.state();
            let State { keys, rng, .. } = &mut *state;
            let one_time = keys.new_one_time(PREKEYS, rng);
            key_stanzas::upload(
                keys.registration_id(),
                &keys.identity().public,
                &keys.signed_prekey(),
                &one_time,
            )
        };
        self.inner.line.request(upload).await?;
        Ok(())
    }

    /// Sends something again to a device that could not read it, then settles the receipt.
    pub(super) async fn answer_retry(&self, wish: &Wish, ack: Node) -> Result<(), PhoneError> {
        let resent = self.resend(wish).await;
        self.inner.line.send(ack).await?;
        resent
    }

    async fn resend(&self, wish: &Wish) -> Result<(), PhoneError> {
        if wish.count >= GIVE_UP {
            return Ok(());
        }
        let _order = self.inner.sending.lock().await;
        let device = self.state().people.session_address(&wish.device);
        if !self.was_sent_to(wish, &device) {
            tracing::debug!(id = wish.id, %device, "a phone is asked again for what it did not send");
            return Ok(());
        }
        self.renew_session(wish, &device);
        self.ensure_sessions(std::slice::from_ref(&device)).await?;
        if let Some(group) = &wish.group {
            if let Some(stanza) = self.group_resend(group, wish, &device).await? {
                self.inner.line.post(&wish.id, stanza).await?;
            }
            return Ok(());
        }
        let stanza = {
            let mut state = self.state();
            let bare = state.switches.bare_resends;
            let own = state.is_own(&device);
            let Some(original) = state.originals.get(&wish.id).cloned() else { return Ok(()) };
            let plaintext = match &original.own_copy {
                Some(copy) if own && !bare => copy,
                _ => &original.plaintext,
            };
            let chat = state.wire(&original.chat, wish.device.to_account().is_pn());
            let ciphertext = state.seal(&device, plaintext).map_err(|_| PhoneError::NoDevice)?;
            let again = Resend {
                id: &wish.id,
                device: &wish.device,
                recipient: (own && !original.peer && !bare).then_some(&chat),
                peer: original.peer,
                count: wish.count,
                timestamp: original.timestamp,
            };
            messages::resend(&again, ciphertext)
        };
        self.inner.line.post(&wish.id, stanza).await?;
        Ok(())
    }

    /// Whether the device is one that the message went to.
    fn was_sent_to(&self, wish: &Wish, device: &Jid) -> bool {
        let state = self.state();
        let Some(original) = state.originals.get(&wish.id) else { return false };
        if original.peer {
            state.people.session_address(&original.chat) == *device
        } else if !original.chat.is_account() {
            wish.group.as_ref() == Some(&original.chat)
        } else {
            state.is_own(device) || state.people.same(device, &original.chat)
        }
    }

    /// Gives the session up where the receipt says that it is useless (delivery document §4.9, steps 5, 6).
    fn renew_session(&self, wish: &Wish, device: &Jid) {
        let mut state = self.state();
        let base_key = state.sessions.base_key(device);
        let State { sessions, originals, keys, rng, .. } = &mut *state;
        if let Some(bundle) = &wish.keys {
            if let Err(error) = sessions.start(device, keys, bundle, rng) {
                tracing::warn!(%device, %error, "a phone got unusable keys with a retry receipt");
            }
            return;
        }
        let replaced =
            wish.registration_id.is_some() && sessions.registration_id(device) != wish.registration_id;
        if replaced || originals.session_is_useless(device, &wish.id, wish.count, base_key) {
            sessions.forget(device);
        }
    }
}

/// Encrypts a kept message for every device that can be reached.
fn direct(state: &mut State, id: &str, chat: &Jid, devices: &[Jid]) -> Result<Node, PhoneError> {
    let original = state.originals.get(id).cloned().ok_or(PhoneError::UnknownMessage)?;
    let damaged = used_up(&mut state.switches.damage_next);
    let unpadded = used_up(&mut state.switches.unpadded_next);
    let garbled = used_up(&mut state.switches.garbled_next);
    let note_to_self = state.is_own(chat);
    let mut copies = Vec::with_capacity(devices.len());
    let mut reached = note_to_self;
    for device in devices {
        let own = state.is_own(device);
        let plaintext = match &original.own_copy {
            Some(copy) if own => copy,
            _ => &original.plaintext,
        };
        let address = state.people.session_address(device);
        let sealed = match (unpadded, garbled) {
            // More padding is claimed than there are octets.
            (true, _) => state.sessions.encrypt(&address, &[9, 9, 9]),
            (_, true) => state.seal(&address, &[0xff; 3]),
            _ => state.seal(&address, plaintext),
        };
        if let Ok(mut ciphertext) = sealed {
            if damaged {
                damage(&mut ciphertext);
            }
            reached |= !own;
            copies.push((device.clone(), ciphertext));
        }
    }
    if !reached || copies.is_empty() {
        return Err(PhoneError::NoDevice);
    }
    let number = if chat.is_lid() { state.people.pn(chat) } else { None };
    let about = messages::About::of(&original.plaintext);
    Ok(messages::direct(id, chat, number.as_ref(), copies, &about))
}

/// Whether a switch that counts down was on.
fn used_up(switch: &mut u32) -> bool {
    let on = *switch > 0;
    *switch = switch.saturating_sub(1);
    on
}

/// Makes a ciphertext unreadable without touching its form.
fn damage(ciphertext: &mut CiphertextMessage) {
    damage_bytes(&mut ciphertext.bytes);
}

/// As [`damage`], for any form of ciphertext.
pub(super) fn damage_bytes(bytes: &mut [u8]) {
    // The middle is authenticated in all forms; the end of a session's first message is not.
    let middle = bytes.len() / 2;
    if let Some(octet) = bytes.get_mut(middle) {
        *octet ^= 0x40;
    }
}

//! The server's side of linking (pairing document §3–§6).
//!
//! A companion without an address opens a registration connection and is offered references. A
//! phone that scanned one (or took part in the pairing-code exchange, see [`code`]) uploads a signed
//! identity for it; the service hands that to the companion, checks what the companion signs, and
//! only then creates the device.

mod code;
mod passkey;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use whimbrel_proto::ProtoMessage as _;
use whimbrel_proto::adv::{AdvSignedDeviceIdentity, AdvSignedDeviceIdentityHmac};
use whimbrel_wire::{Jid, Node};

use code::CodeSession;
use passkey::Passkey;

use super::accounts::{AccountId, Device, DeviceId, Space};
use super::login::key_index;
use super::prekeys::{KeyStore, SignedPrekey};
use super::proof::{self, KeyIndexList};
use super::{Closing, Effect, Service, StreamId, Wake, millis};
use crate::events::Event;
use crate::stanza::{self, Refusal};

/// Largest signed identity that is passed on.
const IDENTITY_LIMIT: usize = 500;

/// What a companion registers with.
#[derive(Clone)]
pub(super) struct Registration {
    pub(super) noise_key: [u8; 32],
    pub(super) registration_id: u32,
    pub(super) identity: [u8; 32],
    pub(super) signed_prekey: SignedPrekey,
    pub(super) props: Vec<u8>,
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration").field("registration_id", &self.registration_id).finish_non_exhaustive()
    }
}

/// A registration connection.
#[derive(Debug)]
struct Companion {
    registration: Registration,
    /// Which round of references is valid.
    round: u32,
    refs: Vec<String>,
    refs_end: u64,
    /// Id of the `pair-device` request until it is acknowledged.
    offered: Option<String>,
    /// What a phone uploaded, until the companion has signed it.
    upload: Option<Upload>,
    /// The passkey that was demanded of it.
    passkey: Option<Passkey>,
}

/// A phone's upload under way.
#[derive(Debug)]
struct Upload {
    phone: DeviceId,
    phone_stream: StreamId,
    request: Node,
    /// Number that the device gets.
    number: u16,
    container: Vec<u8>,
    list: KeyIndexList,
    /// Id of the `pair-success` request.
    success: String,
}

/// Everything about linking that is under way.
#[derive(Debug, Default)]
pub(super) struct Links {
    companions: BTreeMap<StreamId, Companion>,
    codes: Vec<CodeSession>,
}

impl Service {
    /// Offers references to a companion that has just connected.
    pub(super) fn offer_refs(&mut self, stream: StreamId, registration: Registration) {
        let companion = Companion {
            registration,
            round: 0,
            refs: Vec::new(),
            refs_end: 0,
            offered: None,
            upload: None,
            passkey: None,
        };
        self.links.companions.insert(stream, companion);
        self.log(Event::Registering { connection: stream.0 });
        self.new_round(stream);
    }

    /// Offers a new round of references; those of the round before are void.
    pub(crate) fn new_round(&mut self, stream: StreamId) {
        let refs: Vec<String> = (0..self.options.limits.refs_per_round)
            .map(|_| format!("2@{}", URL_SAFE_NO_PAD.encode(self.random::<32>())))
            .collect();
        let id = self.next_id();
        let life = self.options.limits.refs;
        let refs_end = self.now + life.as_secs();
        let Some(companion) = self.links.companions.get_mut(&stream) else { return };
        companion.round += 1;
        companion.refs.clone_from(&refs);
        companion.refs_end = refs_end;
        companion.offered = Some(id.clone());
        let round = companion.round;
        let pair_device =
            Node::new("pair-device").children(refs.into_iter().map(|text| Node::new("ref").text(text)));
        self.send(stream, md_request(id).child(pair_device));
        self.wake(Wake::RefsUnacknowledged { stream }, millis(self.options.limits.pairing_answer));
        self.wake(Wake::RefsOver { stream, round }, millis(life));
    }

    pub(super) fn refs_unacknowledged(&mut self, stream: StreamId) {
        if self.links.companions.get(&stream).is_some_and(|companion| companion.offered.is_some()) {
            self.close(stream, Closing::Code(1000), 0);
        }
    }

    pub(super) fn refs_over(&mut self, stream: StreamId, round: u32) {
        let waits = self.code_of(stream).is_some();
        let over = |companion: &Companion| companion.round == round && companion.upload.is_none();
        if !waits && self.links.companions.get(&stream).is_some_and(over) {
            self.send(stream, Node::new("xmlstreamend"));
            self.close(stream, Closing::Code(1000), 0);
        }
    }

    pub(super) fn signature_missing(&mut self, stream: StreamId) {
        if self.links.companions.get(&stream).is_some_and(|companion| companion.upload.is_some()) {
            self.link_failed(stream, &Refusal::code(500));
        }
    }

    pub(super) fn registration_gone(&mut self, stream: StreamId) {
        self.links.codes.retain(|session| session.companion != stream);
        let upload = self.links.companions.remove(&stream).and_then(|companion| companion.upload);
        if let Some(upload) = upload {
            self.tell_phone_of_failure(&upload, &Refusal::code(404));
        }
    }

    /// A stanza on a registration connection.
    pub(super) fn registering_stanza(&mut self, stream: StreamId, node: &Node) {
        match (node.tag(), stanza::plain(node, "type")) {
            ("iq", Some("result" | "error")) => self.companion_answer(stream, node),
            ("iq", Some("get")) if matches!(stanza::plain(node, "xmlns"), Some("w:p" | "urn:xmpp:ping")) => {
                let pong = stanza::result(node).attr("t", self.now);
                self.send(stream, pong);
            }
            ("iq", _) if stanza::plain(node, "xmlns") == Some("md") => {
                self.companion_code_request(stream, node)
            }
            ("iq", _) => {
                let what = stanza::text(node, "xmlns").unwrap_or_default();
                self.find_fault(None, stream, "request before linking", what);
                self.send(stream, stanza::error(node, &Refusal::code(403)));
            }
            ("ib" | "presence" | "ack", _) => {}
            (other, _) => {
                self.find_fault(None, stream, "stanza before linking", format!("<{other}>"));
            }
        }
    }

    fn companion_answer(&mut self, stream: StreamId, node: &Node) {
        let id = stanza::id(node);
        let Some(companion) = self.links.companions.get_mut(&stream) else { return };
        if companion.offered.as_ref() == Some(&id) {
            companion.offered = None;
            self.log(Event::ReadyToLink { connection: stream.0 });
        } else if companion.upload.as_ref().is_some_and(|upload| upload.success == id) {
            self.companion_signed(stream, node);
        } else {
            self.find_fault(None, stream, "answer to nothing", format!("iq {id}"));
        }
    }

    /// A phone uploads the identity of a companion whose code it has scanned.
    pub(super) fn pair_device(
        &mut self,
        phone_stream: StreamId,
        phone: DeviceId,
        request: &Node,
    ) -> Result<(), Refusal> {
        if phone.number != 0 {
            return Err(Refusal::code(403));
        }
        let upload = request.child_named("pair-device").ok_or_else(|| Refusal::code(400))?;
        let reference = upload.child_text("ref").ok_or_else(|| Refusal::code(400))?.to_owned();
        let noise_key: [u8; 32] = stanza::octets(upload, "pub-key").ok_or_else(|| Refusal::code(400))?;
        let container = upload
            .child_bytes("device-identity")
            .filter(|container| !container.is_empty() && container.len() <= IDENTITY_LIMIT)
            .ok_or_else(|| Refusal::code(400))?
            .to_vec();
        let list = self.checked_list(phone.account, upload)?;

        let stream = self.companion_with(&reference).ok_or_else(|| Refusal::code(404))?;
        let number = self.free_number(phone.account).ok_or_else(|| Refusal::code(409))?;
        let success = self.next_id();
        let companion = self.links.companions.get_mut(&stream).ok_or_else(|| Refusal::code(404))?;
        if companion.registration.noise_key != noise_key {
            return Err(Refusal::code(400));
        }
        if companion.upload.is_some() {
            return Err(Refusal::code(404));
        }
        let account = self.accounts.get(phone.account).ok_or_else(|| Refusal::code(403))?;
        let pair_success = Node::new("pair-success")
            .child_opt(upload.child_named("client-props").cloned())
            .child(Node::new("platform").attr("name", "android"))
            .child(Node::new("device-identity").bytes(container.clone()))
            .child(
                Node::new("device")
                    .attr("jid", account.jid(number, Space::Pn))
                    .attr("lid", account.jid(number, Space::Lid)),
            )
            .child_opt(
                account.settings.business_name().map(|name| Node::new("biz").attr("name", name.to_owned())),
            );
        companion.refs.clear();
        companion.upload = Some(Upload {
            phone,
            phone_stream,
            request: request.clone(),
            number,
            container,
            list,
            success: success.clone(),
        });
        let stanza = md_request(success).attr("t", self.now).child(pair_success);
        self.send(stream, stanza);
        self.wake(Wake::SignatureMissing { stream }, millis(self.options.limits.pairing_answer));
        Ok(())
    }

    fn companion_with(&self, reference: &str) -> Option<StreamId> {
        let by_qr = self.links.companions.iter().find_map(|(stream, companion)| {
            let valid = companion.refs.iter().any(|own| own == reference) && self.now < companion.refs_end;
            valid.then_some(*stream)
        });
        by_qr.or_else(|| self.companion_by_code(reference))
    }

    /// The next device number, if the account may have another companion. Numbers go up, so that
    /// nobody takes a new companion for the one that had its number before.
    fn free_number(&self, account: AccountId) -> Option<u16> {
        let account = self.accounts.get(account)?;
        let mut taken: BTreeSet<u16> = account.devices.keys().copied().collect();
        let uploads = self.links.companions.values().filter_map(|companion| companion.upload.as_ref());
        taken.extend(uploads.filter(|upload| upload.phone.account == account.id).map(|upload| upload.number));
        if taken.len() > self.options.limits.companions {
            return None;
        }
        const LAST: u16 = u8::MAX as u16;
        let unused = account.last_companion.saturating_add(1)..=LAST;
        unused.chain(1..=LAST).find(|number| !taken.contains(number))
    }

    /// The companion answered `pair-success`.
    fn companion_signed(&mut self, stream: StreamId, answer: &Node) {
        if stanza::plain(answer, "type") == Some("error") {
            let error = answer.child_named("error");
            let code =
                error.and_then(|error| error.attr_u32("code")).and_then(|code| u16::try_from(code).ok());
            let usual = Refusal::code(code.unwrap_or(500));
            let text =
                error.and_then(|error| stanza::text(error, "text")).unwrap_or_else(|| usual.text.clone());
            self.link_failed(stream, &Refusal { text, ..usual });
            return;
        }
        match self.checked_signature(stream, answer) {
            Ok(identity) => self.create_device(stream, identity),
            Err(broken) => {
                self.find_fault(None, stream, "signed identity", broken.to_owned());
                self.link_failed(stream, &Refusal::code(500));
            }
        }
    }

    /// Checks what the companion signed (pairing document §4.5); returns the complete identity.
    fn checked_signature(
        &self,
        stream: StreamId,
        answer: &Node,
    ) -> Result<AdvSignedDeviceIdentity, &'static str> {
        let companion = self.links.companions.get(&stream).ok_or("no such companion")?;
        let upload = companion.upload.as_ref().ok_or("nothing was uploaded")?;
        let node = answer
            .child_named("pair-device-sign")
            .and_then(|sign| sign.child_named("device-identity"))
            .ok_or("device-identity is missing")?;
        let signed = AdvSignedDeviceIdentity::decode(node.content_bytes().ok_or("device-identity is empty")?)
            .map_err(|_| "device-identity does not decode")?;
        let sent = AdvSignedDeviceIdentityHmac::decode(upload.container.as_slice())
            .ok()
            .and_then(|container| AdvSignedDeviceIdentity::decode(container.details?.as_slice()).ok())
            .ok_or("a broken container was accepted")?;
        let details = sent.details.as_deref().ok_or("a container without details was accepted")?;
        if signed.details.as_deref() != Some(details) || signed.account_signature != sent.account_signature {
            return Err("details or account signature were changed");
        }
        if signed.account_signature_key.is_some()
            && signed.account_signature_key != sent.account_signature_key
        {
            return Err("the account key was changed");
        }
        if node.attr_u32("key-index") != key_index(details) {
            return Err("the key index is another");
        }
        let account_key = account_key(&sent).ok_or("the account key is not 32 octets")?;
        let signature = signed.device_signature.as_deref().ok_or("the device signature is missing")?;
        if !proof::device_signature(&companion.registration.identity, details, &account_key, signature) {
            return Err("the device signature does not verify");
        }
        Ok(AdvSignedDeviceIdentity { device_signature: signed.device_signature, ..sent })
    }

    fn create_device(&mut self, stream: StreamId, identity: AdvSignedDeviceIdentity) {
        let now = self.now;
        let Some(companion) = self.links.companions.remove(&stream) else { return };
        let Some(upload) = companion.upload else { return };
        self.links.codes.retain(|session| session.companion != stream);
        let Registration { noise_key, registration_id, identity: key, signed_prekey, props } =
            companion.registration;
        let index = identity.details.as_deref().and_then(key_index).unwrap_or_default();
        let device = Device {
            noise_key: Some(noise_key),
            props: props.clone(),
            signed_identity: Some(identity.encode_to_vec()),
            key_index: index,
            ..Device::new(KeyStore::new(registration_id, key, signed_prekey), now)
        };
        let id = DeviceId { account: upload.phone.account, number: upload.number };
        let Some(account) = self.accounts.get_mut(id.account) else { return };
        account.last_companion = account.last_companion.max(id.number);
        account.devices.insert(id.number, device);
        account.key_index_list = Some(upload.list);
        let jid = account.jid(id.number, Space::Pn);
        let label = self.accounts.label(id);
        self.log(Event::Linked { device: label });
        let result = stanza::result(&upload.request)
            .child(Node::new("device").attr("jid", jid))
            .child(Node::new("companion-props").bytes(props));
        self.answer(upload.phone_stream, upload.phone, &upload.request, result);
        self.device_added(id);
        self.send(stream, Node::new("stream:error").attr("code", "515"));
        self.end_with(stream, Node::new("xmlstreamend"));
    }

    fn link_failed(&mut self, stream: StreamId, refusal: &Refusal) {
        let upload = self.links.companions.get_mut(&stream).and_then(|companion| companion.upload.take());
        if let Some(upload) = upload {
            self.tell_phone_of_failure(&upload, refusal);
        }
        self.stream_error(stream, Some(500), None);
    }

    fn tell_phone_of_failure(&mut self, upload: &Upload, refusal: &Refusal) {
        let number = self.accounts.label(upload.phone);
        self.log(Event::LinkFailed { number, code: refusal.code });
        let error = stanza::error(&upload.request, refusal);
        self.effects.push(Effect::Send { stream: upload.phone_stream, node: error, after_ms: 0 });
    }
}

/// The account key in a signed identity, without its type octet.
fn account_key(identity: &AdvSignedDeviceIdentity) -> Option<[u8; 32]> {
    let key = identity.account_signature_key.as_deref()?;
    match key.split_first() {
        Some((5, key)) if key.len() == 32 => key.try_into().ok(),
        _ => key.try_into().ok(),
    }
}

fn md_request(id: String) -> Node {
    Node::new("iq").attr("type", "set").attr("xmlns", "md").attr("from", Jid::SERVER).attr("id", id)
}

//! Pre-keys: upload, count, digest, rotation, and handing out of bundles (pairing document §8).

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use whimbrel_crypto::curve::{KeyPair, PublicKey};
use whimbrel_crypto::digest::pre_key_digest;
use whimbrel_wire::{Jid, Node};

use super::accounts::DeviceId;
use super::iq::Reply;
use super::{Service, proof};
use crate::events::Event;
use crate::faults::{Fault, Point, Seen};
use crate::stanza::{self, Refusal};

/// Most one-time keys in one upload.
const UPLOAD_LIMIT: usize = 1000;
/// Most devices in one query for bundles.
const FETCH_LIMIT: usize = 500;
/// Seconds between two notices that keys are running low.
const NOTICE_PAUSE: u64 = 60;

/// A signed pre-key, public part.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SignedPrekey {
    pub(super) id: u32,
    pub(super) public: [u8; 32],
    pub(super) signature: [u8; 64],
}

impl fmt::Debug for SignedPrekey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedPrekey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The public keys of a device.
#[derive(Debug)]
pub(crate) struct KeyStore {
    pub(super) registration_id: u32,
    pub(super) identity: [u8; 32],
    pub(super) signed: SignedPrekey,
    /// One-time keys in the order of upload.
    one_time: VecDeque<(u32, [u8; 32])>,
    /// Every id that was ever uploaded, with its key.
    ever: BTreeMap<u32, [u8; 32]>,
    /// Uploads of an id that had another key before.
    pub(super) reused: usize,
    /// Whether the device has ever uploaded; before, nobody can write to it.
    uploaded: bool,
    /// When the device was last told that keys are running low, and that it has not uploaded since.
    notice: Option<u64>,
    /// Of a device that nobody uses: where its keys come from, when they are asked for.
    source: Option<Source>,
}

/// Keys that are drawn when somebody asks for them. Nobody keeps the private halves.
#[derive(Debug)]
struct Source {
    rng: ChaCha20Rng,
    /// Id of the last one-time key.
    last: u32,
}

impl KeyStore {
    pub(super) fn new(registration_id: u32, identity: [u8; 32], signed: SignedPrekey) -> Self {
        Self {
            registration_id,
            identity,
            signed,
            one_time: VecDeque::new(),
            ever: BTreeMap::new(),
            reused: 0,
            uploaded: false,
            notice: None,
            source: None,
        }
    }

    /// Keys of a device that nobody uses: real ones, but none of them exists before it is asked for.
    pub(super) fn drawn_on_demand(registration_id: u32, seed: [u8; 32]) -> Self {
        let unsigned = SignedPrekey { id: 1, public: [0; 32], signature: [0; 64] };
        let source = Source { rng: ChaCha20Rng::from_seed(seed), last: 0 };
        Self { uploaded: true, source: Some(source), ..Self::new(registration_id, [0; 32], unsigned) }
    }

    /// Draws what the next bundle needs, if this store has a source.
    fn draw(&mut self) {
        let Some(source) = &mut self.source else { return };
        if source.last == 0 {
            let (identity, signed) = (KeyPair::generate(&mut source.rng), KeyPair::generate(&mut source.rng));
            let mut nonce = [0; 64];
            source.rng.fill_bytes(&mut nonce);
            self.identity = *identity.public.as_bytes();
            self.signed.public = *signed.public.as_bytes();
            self.signed.signature = identity.private.sign(&[&signed.public.to_typed()], &nonce);
        }
        source.last += 1;
        let one_time = KeyPair::generate(&mut source.rng);
        self.one_time.push_back((source.last, *one_time.public.as_bytes()));
    }

    pub(super) fn count(&self) -> usize {
        self.one_time.len()
    }

    fn add(&mut self, keys: Vec<(u32, [u8; 32])>) {
        for (id, public) in keys {
            self.one_time.retain(|(known, _)| *known != id);
            if self.ever.insert(id, public).is_some_and(|before| before != public) {
                self.reused += 1;
            }
            self.one_time.push_back((id, public));
        }
        self.notice = None;
        self.uploaded = true;
    }
}

impl Service {
    pub(super) fn prekey_query(&mut self, device: DeviceId, request: &Node) -> Result<Reply, Refusal> {
        let child = request.first_child().ok_or_else(|| Refusal::code(400))?;
        match child.tag() {
            "count" => {
                let count = self.accounts.device(device).map_or(0, |own| own.keys.count());
                Ok(Reply::Child(Node::new("count").attr("value", count)))
            }
            "digest" => {
                let keys = &self.accounts.device(device).ok_or_else(|| Refusal::code(404))?.keys;
                if keys.count() == 0 { Err(Refusal::code(404)) } else { Ok(Reply::Child(digest(keys))) }
            }
            "key" => self.bundles(device, child),
            _ => Err(Refusal::code(400)),
        }
    }

    pub(super) fn prekey_change(&mut self, device: DeviceId, request: &Node) -> Result<Reply, Refusal> {
        if let Some(rotate) = request.child_named("rotate") {
            let signed = signed_prekey(rotate).ok_or_else(|| Refusal::code(400))?;
            let own = self.accounts.device_mut(device).ok_or_else(|| Refusal::code(406))?;
            if !proof::signed_prekey(&own.keys.identity, &signed) {
                return Err(Refusal::code(406));
            }
            let id = signed.id;
            if own.keys.signed.id == id && own.keys.signed.public != signed.public {
                own.keys.reused += 1;
            }
            own.keys.signed = signed;
            let label = self.accounts.label(device);
            self.log(Event::SignedPrekeyRotated { device: label, id });
            return Ok(Reply::Empty);
        }
        let malformed = || Refusal::code(400);
        let registration_id = stanza::number(request, "registration").ok_or_else(malformed)?;
        let identity: [u8; 32] = stanza::octets(request, "identity").ok_or_else(malformed)?;
        let signed = signed_prekey(request).ok_or_else(malformed)?;
        let keys = one_time_keys(request).ok_or_else(malformed)?;
        if stanza::octets(request, "type") != Some([proof::KEY_TYPE]) {
            return Err(malformed());
        }
        let own = self.accounts.device_mut(device).ok_or_else(|| Refusal::code(406))?;
        if own.keys.identity != identity
            || own.keys.registration_id != registration_id
            || !proof::signed_prekey(&identity, &signed)
        {
            return Err(Refusal::code(406));
        }
        let added = keys.len();
        own.keys.add(keys);
        own.keys.signed = signed;
        let held = own.keys.count();
        let label = self.accounts.label(device);
        self.log(Event::PrekeysUploaded { device: label, added, held });
        Ok(Reply::Empty)
    }

    fn bundles(&mut self, asking: DeviceId, key: &Node) -> Result<Reply, Refusal> {
        let users: Vec<&Node> = key.children_named("user").collect();
        if users.is_empty() || users.len() > FETCH_LIMIT {
            return Err(Refusal::code(400));
        }
        let mut list = Node::new("list");
        for user in users {
            let jid = user.attr_jid("jid").ok_or_else(|| Refusal::code(400))?;
            list.push_child(self.bundle(asking, jid));
        }
        Ok(Reply::Child(list))
    }

    fn bundle(&mut self, asking: DeviceId, jid: Jid) -> Node {
        let user = Node::new("user").attr("jid", &jid);
        let refused = |user: Node, code: u16| {
            let refusal = Refusal::code(code);
            user.child(Node::new("error").attr("code", code).attr("text", refusal.text))
        };
        let Some(id) = self.accounts.device_named(&jid) else { return refused(user, 406) };
        let label = self.accounts.label(id);
        let fault = self.faults.take(Point::Bundle, &label, &Seen::default());
        if let Some(fault) = &fault {
            self.log(Event::FaultApplied { device: label.clone(), fault: format!("{fault:?}") });
        }
        if let Some(Fault::NoBundle { code }) = fault {
            return refused(user, code);
        }
        let Some(device) = self.accounts.device_mut(id).filter(|device| device.keys.uploaded) else {
            return refused(user, 406);
        };
        device.keys.draw();
        let one_time = match fault {
            Some(Fault::NoOneTimeKey) => None,
            Some(Fault::ReusedOneTimeKey) => device.keys.one_time.front().copied(),
            _ => device.keys.one_time.pop_front(),
        };
        let mut signed = device.keys.signed.clone();
        if let (Some(Fault::BadBundleSignature), [first, ..]) = (&fault, &mut signed.signature) {
            *first ^= 1;
        }
        let mut identity = device.signed_identity.clone().filter(|_| id.number != 0);
        if let (Some(Fault::BadBundleProof), Some([.., last])) = (&fault, identity.as_deref_mut()) {
            *last ^= 1;
        }
        let user = user
            .child(Node::new("registration").bytes(device.keys.registration_id.to_be_bytes().to_vec()))
            .child(Node::new("type").bytes(vec![proof::KEY_TYPE]))
            .child(Node::new("identity").bytes(device.keys.identity.to_vec()))
            .child(skey(&signed))
            .child_opt(one_time.map(|(id, public)| {
                Node::new("key")
                    .child(Node::new("id").bytes(be24(id)))
                    .child(Node::new("value").bytes(public.to_vec()))
            }))
            .child_opt(identity.map(|identity| Node::new("device-identity").bytes(identity)));
        let by = self.accounts.label(asking);
        self.log(Event::BundleTaken { device: label, by, one_time: one_time.is_some() });
        self.notice_low_keys(id);
        user
    }

    /// Loses all but so many of a device's one-time keys. Tells whether the device exists.
    pub(crate) fn lose_prekeys(&mut self, label: &str, keep: usize) -> bool {
        let device = self.accounts.labelled(label).and_then(|id| self.accounts.device_mut(id));
        device.is_some_and(|device| {
            device.keys.one_time.truncate(keep);
            true
        })
    }

    /// Damages one of a device's one-time keys, as a confused server would. Tells whether there
    /// was one.
    pub(crate) fn damage_prekey(&mut self, label: &str) -> bool {
        let device = self.accounts.labelled(label).and_then(|id| self.accounts.device_mut(id));
        let key = device.and_then(|device| device.keys.one_time.front_mut());
        key.is_some_and(|(_, public)| {
            public.reverse();
            true
        })
    }

    /// Asks the device for more keys if few are left (pairing document §8.3).
    fn notice_low_keys(&mut self, id: DeviceId) {
        let (now, low) = (self.now, self.options.limits.low_prekeys);
        let Some(device) = self.accounts.device_mut(id) else { return };
        if device.counted.is_some() {
            return;
        }
        let count = device.keys.count();
        let due = device.keys.notice.is_none_or(|last| now >= last + NOTICE_PAUSE);
        if count >= low || !due {
            return;
        }
        device.keys.notice = Some(now);
        device.queue.supersede(|node| {
            stanza::plain(node, "type") == Some("encrypt") && node.child_named("count").is_some()
        });
        let notification =
            self.notification("encrypt", Jid::SERVER).child(Node::new("count").attr("value", count));
        self.push(id, notification);
    }
}

fn digest(keys: &KeyStore) -> Node {
    let one_time = keys.one_time.iter();
    let identity = PublicKey::from_bytes(keys.identity);
    let signed = PublicKey::from_bytes(keys.signed.public);
    let publics: Vec<PublicKey> =
        one_time.clone().map(|(_, public)| PublicKey::from_bytes(*public)).collect();
    let hash = pre_key_digest(&identity, &signed, &keys.signed.signature, &publics);
    Node::new("digest")
        .child(Node::new("registration").bytes(keys.registration_id.to_be_bytes().to_vec()))
        .child(Node::new("type").bytes(vec![proof::KEY_TYPE]))
        .child(Node::new("identity").bytes(keys.identity.to_vec()))
        .child(skey(&keys.signed))
        .child(Node::new("list").children(one_time.map(|(id, _)| Node::new("id").bytes(be24(*id)))))
        .child(Node::new("hash").bytes(hash.to_vec()))
}

fn skey(signed: &SignedPrekey) -> Node {
    Node::new("skey")
        .child(Node::new("id").bytes(be24(signed.id)))
        .child(Node::new("value").bytes(signed.public.to_vec()))
        .child(Node::new("signature").bytes(signed.signature.to_vec()))
}

fn be24(id: u32) -> Vec<u8> {
    let [_, rest @ ..] = id.to_be_bytes();
    rest.to_vec()
}

fn key_id(node: &Node) -> Option<u32> {
    let id: [u8; 3] = stanza::octets(node, "id")?;
    let [high, middle, low] = id;
    Some(u32::from_be_bytes([0, high, middle, low])).filter(|id| *id != 0)
}

fn signed_prekey(parent: &Node) -> Option<SignedPrekey> {
    let node = parent.child_named("skey")?;
    Some(SignedPrekey {
        id: key_id(node)?,
        public: stanza::octets(node, "value")?,
        signature: stanza::octets(node, "signature")?,
    })
}

/// The uploaded one-time keys, if there is a sensible number of them and their ids differ.
fn one_time_keys(request: &Node) -> Option<Vec<(u32, [u8; 32])>> {
    let keys: Vec<(u32, [u8; 32])> = request
        .child_named("list")?
        .children_named("key")
        .map(|key| Some((key_id(key)?, stanza::octets(key, "value")?)))
        .collect::<Option<_>>()?;
    let distinct: BTreeSet<u32> = keys.iter().map(|(id, _)| *id).collect();
    let sensible = !keys.is_empty() && keys.len() <= UPLOAD_LIMIT && distinct.len() == keys.len();
    sensible.then_some(keys)
}

//! What a phone knows, and how it reacts to stanzas. Synchronous: what takes time is handed out as
//! [`Job`]s.

use std::collections::VecDeque;
use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use rand_core::Rng as _;
use whimbrel_appstate::Collection;
use whimbrel_crypto::curve::PublicKey;
use whimbrel_crypto::padding;
use whimbrel_proto::e2e::Message as Plain;
use whimbrel_proto::e2e::message::PeerDataOperationRequestMessage;
use whimbrel_signal::{CiphertextMessage, EncryptError, PreKeySignalMessage};
use whimbrel_wire::{Jid, Node};

use super::companions::Companions;
use super::content::{self, Content};
use super::groups::Groups;
use super::keys::{self, KeyRing};
use super::media::{self, HeldMedia};
use super::originals::{Original, Originals};
use super::past::Past;
use super::people::People;
use super::records::{Message, Switches};
use super::seen::{Familiar, Seen};
use super::sessions::{Sessions, Unread};
use super::stanza::acks;
use super::stanza::messages::{self, Ciphertext, Envelope};
use super::stanza::retry::{self, OfferedKeys, Wish};
use super::{adv, appstate, history};
use crate::LidStanding;

/// Everything a phone remembers.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) pn: Jid,
    pub(crate) lid: Jid,
    pub(crate) standing: LidStanding,
    pub(crate) rng: ChaCha20Rng,
    pub(crate) keys: KeyRing,
    pub(crate) people: People,
    pub(crate) sessions: Sessions,
    pub(crate) identities: adv::Identities,
    pub(crate) originals: Originals,
    pub(crate) media: HeldMedia,
    pub(crate) companions: Companions,
    pub(crate) groups: Groups,
    pub(crate) app_state: appstate::AppState,
    pub(crate) switches: Switches,
    pub(crate) seen: Seen,
    /// What it remembers of before.
    pub(crate) past: Option<Past>,
    /// Pieces of that which it handed over, the latest last.
    pub(crate) handed: VecDeque<history::Handed>,
}

/// Work that needs answers of the service.
#[derive(Debug)]
pub(crate) enum Job {
    /// Send something again; then settle the receipt that asked for it.
    Resend {
        /// What is wanted.
        wish: Box<Wish>,
        /// The ack of the receipt.
        ack: Node,
    },
    /// Send a text back.
    Echo {
        /// To whom.
        chat: Jid,
        /// What.
        text: String,
    },
    /// Hand app-state keys to a companion.
    ShareKeys {
        /// The companion.
        device: Jid,
        /// The keys that it asked for.
        ids: Vec<Vec<u8>>,
    },
    /// Read what changed in app state.
    SyncAppState {
        /// The collections; all if empty.
        collections: Vec<Collection>,
    },
    /// Throw all companions out: one of them gave app state up.
    UnlinkAll,
    /// Answer a companion's request for data.
    Data {
        /// The companion.
        device: Jid,
        /// Message that asked.
        id: String,
        /// What it asks for.
        request: Box<PeerDataOperationRequestMessage>,
    },
    /// Upload a file again that a companion asks for; then settle the receipt.
    UploadAgain {
        /// What is wanted.
        wanted: Box<media::Wanted>,
    },
    /// Hand a piece of the past over again.
    HandOver {
        /// What is wanted.
        wanted: Box<history::WantedPiece>,
    },
    /// Upload further one-time prekeys.
    MorePrekeys,
    /// Sign and publish the list of valid key indexes.
    PublishIndexes,
}

/// What follows from a stanza.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// To be sent at once, in this order.
    pub(crate) replies: Vec<Node>,
    /// To be done afterwards.
    pub(crate) jobs: Vec<Job>,
    /// To be shown.
    pub(crate) shown: Option<Message>,
    /// Message with a file that came.
    pub(crate) file: Option<String>,
}

/// Reason of a retry receipt: the author's account does not vouch for it.
const ADV_FAILURE: u32 = 12;

/// The identity that a message claims which begins a session.
fn claimed_identity(ciphertext: Ciphertext<'_>) -> Option<PublicKey> {
    match ciphertext {
        Ciphertext::PreKey(bytes) => Some(*PreKeySignalMessage::parse(bytes).ok()?.identity()),
        Ciphertext::Message(_) => None,
    }
}

impl Outcome {
    pub(crate) fn reply(node: Node) -> Self {
        Self { replies: vec![node], ..Self::default() }
    }
}

impl State {
    /// The state of a phone that is switched on for the first time.
    pub(crate) fn new(seed: u64, number: &str, now: u64) -> Self {
        let mut rng = keys::rng(seed, number);
        let keys = KeyRing::generate(&mut rng);
        // 31 bits, as phones draw it; zero is left out because it reads as absent.
        let raw_id = (rng.next_u32() >> 1).max(1);
        let companions = Companions::new(raw_id);
        let app_state = appstate::AppState::new(&mut rng, Duration::from_secs(now));
        Self {
            pn: Jid::pn(number),
            lid: Jid::pn(number),
            standing: LidStanding::Migrated,
            keys,
            people: People::default(),
            sessions: Sessions::default(),
            identities: adv::Identities::default(),
            originals: Originals::default(),
            media: HeldMedia::default(),
            companions,
            groups: Groups::default(),
            app_state,
            switches: Switches::default(),
            seen: Seen::default(),
            past: None,
            handed: VecDeque::new(),
            rng,
        }
    }

    /// The service has told the account's addresses.
    pub(crate) fn attached(&mut self, pn: Jid, lid: Jid, standing: LidStanding) {
        self.learn(&pn, &lid);
        self.standing = standing;
        self.pn = pn;
        self.lid = lid;
    }

    /// A message id in the form that phones use.
    pub(crate) fn message_id(&mut self) -> String {
        let bytes: [u8; 15] = keys::draw(&mut self.rng);
        format!("AC{}", hex::encode_upper(bytes))
    }

    /// Notes that two addresses belong to one person.
    pub(crate) fn learn(&mut self, one: &Jid, other: &Jid) {
        let former = [one, other].into_iter().find(|jid| jid.is_pn()).and_then(|pn| self.people.lid(pn));
        self.people.learn(one, other);
        if let (Some(pn), Some(lid)) = (self.people.pn(one), self.people.lid(one)) {
            for old in [Some(pn), former.filter(|former| !former.same_account(&lid))].into_iter().flatten() {
                self.sessions.migrate(&old, &lid);
                self.identities.migrate(&old, &lid);
            }
        }
    }

    /// Whether a person is addressed by phone number: because this account may not do otherwise, or
    /// because the person has no other address.
    pub(crate) fn by_number(&self, person: &Jid) -> bool {
        self.standing != LidStanding::Migrated || self.people.lid(person).is_none()
    }

    /// A chat as stanzas name it.
    pub(crate) fn addressee(&self, chat: &Jid) -> Jid {
        if chat.is_account() { self.wire(chat, self.by_number(chat)) } else { chat.clone() }
    }

    /// A device as stanzas of one address space name it.
    pub(crate) fn wire(&self, device: &Jid, by_number: bool) -> Jid {
        let device = self.people.session_address(device);
        let number = if by_number { self.people.pn(&device) } else { None };
        number.unwrap_or(device)
    }

    /// Whether a device belongs to this account.
    pub(crate) fn is_own(&self, device: &Jid) -> bool {
        self.people.same(device, &self.lid)
    }

    /// Reacts to a message.
    pub(crate) fn message(&mut self, node: &Node) -> Outcome {
        let Some(envelope) = messages::read_envelope(node) else {
            // Lists and channels: phones of the sandbox take no part in them.
            return Outcome::reply(acks::ack(node));
        };
        if let Some(twin) = &envelope.author_twin {
            self.learn(&envelope.author, twin);
        }
        if let (Some(recipient), Some(twin)) = (&envelope.recipient, &envelope.recipient_twin) {
            self.learn(recipient, twin);
        }
        if let Some(group) = envelope.group.clone() {
            return self.group_message(node, envelope, &group);
        }
        let Some((ciphertext, answered)) = messages::read_ciphertext(node) else {
            let settled = match node.child_named("unavailable") {
                Some(_) => acks::ack(node),
                None => acks::nack(node, 488),
            };
            return Outcome::reply(settled);
        };
        let address = self.people.session_address(&envelope.author);
        let own = self.is_own(&envelope.author);
        let bytes = ciphertext.bytes();
        let familiar = self.seen.look_up(&address, &envelope.id, bytes);
        if familiar == Familiar::Same {
            return Outcome::reply(self.settle(node, own));
        }
        match self.decrypt(node, &address, own, ciphertext) {
            Err(unread) => self.unread(node, &envelope, &address, answered, unread),
            Ok(padded) => {
                self.seen.was_read(&address, &envelope.id, bytes);
                let plain = padding::unpad(&padded)
                    .ok()
                    .and_then(|plain| whimbrel_proto::decode::<Plain>(plain).ok());
                match plain {
                    Some(plain) => self.show(node, envelope, own, familiar, plain),
                    None => Outcome::reply(acks::nack(node, 491)),
                }
            }
        }
    }

    /// Decrypts what a device has encrypted for the phone alone; the result is still padded.
    pub(crate) fn decrypt(
        &mut self,
        node: &Node,
        address: &Jid,
        own: bool,
        ciphertext: Ciphertext<'_>,
    ) -> Result<Vec<u8>, Unread> {
        let identity = claimed_identity(ciphertext);
        if let (Some(identity), Some(proof)) = (identity, node.child_bytes("device-identity"))
            && self.identities.check(address, &identity, proof).is_err()
        {
            return Err(Unread::Retry(ADV_FAILURE));
        }
        let padded = self.sessions.decrypt(address, own, ciphertext, &mut self.keys, &mut self.rng)?;
        if let Some(identity) = identity {
            self.identities.learn(address, identity);
        }
        Ok(padded)
    }

    /// What settles a message that the phone has.
    pub(crate) fn settle(&self, node: &Node, own: bool) -> Node {
        if self.switches.silent { acks::ack(node) } else { acks::delivery(node, own) }
    }

    pub(crate) fn unread(
        &mut self,
        node: &Node,
        envelope: &Envelope,
        address: &Jid,
        answered: u32,
        why: Unread,
    ) -> Outcome {
        let own = self.is_own(&envelope.author);
        match why {
            Unread::Duplicate => Outcome::reply(self.settle(node, own)),
            Unread::Malformed => Outcome::reply(acks::nack(node, 487)),
            Unread::Retry(reason) => self.ask_for(node, envelope, address, answered, (reason, false)),
        }
    }

    /// Asks for a message again and settles the stanza. `why` is the reason, and whether fresh keys
    /// are sent with the first wish already.
    pub(crate) fn ask_for(
        &mut self,
        node: &Node,
        envelope: &Envelope,
        address: &Jid,
        answered: u32,
        (reason, with_keys): (u32, bool),
    ) -> Outcome {
        tracing::debug!(id = envelope.id, reason, "a phone could not read a message");
        let mut replies = Vec::new();
        if let Some(count) = self.seen.next_retry(address, &envelope.id, answered) {
            replies.push(self.ask_again(envelope, count, reason, with_keys || count > 1));
        }
        // The retry receipt settles nothing; the ack beside it does.
        replies.push(acks::ack(node));
        Outcome { replies, ..Outcome::default() }
    }

    /// The receipt that asks for a message again, perhaps with fresh keys.
    fn ask_again(&mut self, envelope: &Envelope, count: u32, reason: u32, with_keys: bool) -> Node {
        let one_time =
            with_keys.then(|| self.keys.new_one_time(1, &mut self.rng).into_iter().next()).flatten();
        let signed = self.keys.signed_prekey();
        let identity = self.keys.identity().public;
        let offered = one_time.map(|one_time| OfferedKeys { identity: &identity, one_time, signed: &signed });
        retry::request(envelope, self.keys.registration_id(), count, reason, offered)
    }

    /// Acts on a message that was decrypted.
    pub(crate) fn show(
        &mut self,
        node: &Node,
        envelope: Envelope,
        own: bool,
        familiar: Familiar,
        plain: Plain,
    ) -> Outcome {
        let mut outcome = Outcome::reply(self.settle(node, own));
        outcome.file = self.media.note(&envelope.id, &plain).then(|| envelope.id.clone());
        let author = self.people.session_address(&envelope.author);
        let (chat, shown, from_me) = match content::read(plain, own) {
            Content::Shown(shown) => (envelope.group.clone().unwrap_or_else(|| author.to_bare()), shown, own),
            _ if envelope.group.is_some() => return outcome,
            Content::Sent { chat, shown } => match Jid::parse(&chat) {
                Ok(chat) => (self.people.session_address(&chat), shown, true),
                Err(_) => return outcome,
            },
            Content::KeyRequest(ids) => {
                outcome.jobs.push(Job::ShareKeys { device: author, ids });
                return outcome;
            }
            Content::DataRequest(request) => {
                outcome.jobs.push(Job::Data { device: author, id: envelope.id, request });
                return outcome;
            }
            Content::KeyShare(shared) => {
                self.app_state.keys.take_all(&shared, Duration::from_secs(envelope.timestamp));
                outcome.jobs.push(Job::SyncAppState { collections: Vec::new() });
                return outcome;
            }
            Content::AppStateGivenUp => {
                outcome.jobs.push(Job::UnlinkAll);
                return outcome;
            }
            Content::Unsupported => return outcome,
            Content::Forged => {
                tracing::warn!(id = envelope.id, "a stranger sent what only own devices may send");
                return outcome;
            }
        };
        if familiar == Familiar::Reencrypted {
            return outcome;
        }
        if !from_me && self.switches.auto_read && !self.switches.silent {
            let participant = envelope.group.is_some().then_some(&envelope.author);
            let ids = std::slice::from_ref(&envelope.id);
            let to = self.addressee(&chat);
            outcome.replies.push(acks::read(&to, participant, ids, envelope.timestamp));
        }
        // Two phones that echo each other would never stop, so only companions are answered.
        if !from_me && self.switches.echo && author.has_device() && shown.kind == "text" {
            outcome.jobs.push(Job::Echo { chat: chat.clone(), text: shown.text.clone() });
        }
        outcome.shown = Some(Message {
            id: envelope.id,
            chat: chat.to_string(),
            author: author.to_string(),
            from_me,
            kind: shown.kind.to_owned(),
            text: shown.text,
            raw: shown.raw,
            timestamp: envelope.timestamp,
            push_name: envelope.push_name,
            offline: envelope.offline,
        });
        outcome
    }

    /// Reacts to a notification other than one about linking.
    pub(crate) fn notification(&mut self, node: &Node) -> Outcome {
        let mut outcome = Outcome::reply(acks::ack(node));
        let kind = node.attr_text("type").unwrap_or_default();
        match kind.as_ref() {
            "encrypt" if node.child_named("count").is_some() => outcome.jobs.push(Job::MorePrekeys),
            "encrypt" if node.child_named("identity").is_some() => self.identity_changed(node),
            "account_sync" => {
                if let Some(devices) = node.child_named("devices") {
                    outcome.jobs.extend(self.own_devices(devices));
                }
            }
            "devices" => {
                if let Some(removed) = node.child_named("remove") {
                    for device in removed.children_named("device").filter_map(|device| device.attr_jid("jid"))
                    {
                        let address = self.people.session_address(&device);
                        self.sessions.forget(&address);
                        self.groups.device_gone(&address);
                    }
                }
            }
            "w:gp2" => self.group_changed(node),
            "server_sync" => {
                let named = node.children_named("collection");
                let collections = named.filter_map(|child| Collection::named(&child.attr_text("name")?));
                outcome.jobs.push(Job::SyncAppState { collections: collections.collect() });
            }
            _ => {}
        }
        outcome
    }

    fn identity_changed(&mut self, node: &Node) {
        if let Some(person) =
            node.attr_jid("from").filter(|person| !person.has_device() && !self.is_own(person))
        {
            let address = self.people.session_address(&person);
            self.sessions.forget_account(&address);
            self.identities.forget(&address);
        }
    }

    /// The service has listed the account's devices: whoever is gone loses its key index.
    fn own_devices(&mut self, list: &Node) -> Option<Job> {
        let listed: Vec<u16> = list
            .children_named("device")
            .filter_map(|device| Some(device.attr_jid("jid")?.device()))
            .collect();
        let gone: Vec<u16> =
            self.companions.devices().into_iter().filter(|device| !listed.contains(device)).collect();
        for device in &gone {
            let address = self.lid.with_device(*device);
            self.sessions.forget(&address);
            self.groups.device_gone(&address);
        }
        self.companions.retain(&listed);
        (!gone.is_empty()).then_some(Job::PublishIndexes)
    }

    /// Encrypts a message for one device.
    pub(crate) fn seal(&mut self, device: &Jid, plaintext: &[u8]) -> Result<CiphertextMessage, EncryptError> {
        let [random] = keys::draw(&mut self.rng);
        let mut padded = plaintext.to_vec();
        padding::pad(&mut padded, random);
        self.sessions.encrypt(device, &padded)
    }

    /// Keeps what is about to be sent, for devices that cannot read it at first.
    pub(crate) fn keep(&mut self, id: &str, chat: &Jid, message: &Plain, timestamp: u64, peer: bool) {
        self.media.note(id, message);
        // In a group everybody gets the same.
        let own_copy = (!peer && chat.is_account())
            .then(|| whimbrel_proto::encode(&content::device_sent(&chat.to_string(), message.clone())));
        let original = Original {
            chat: chat.clone(),
            plaintext: whimbrel_proto::encode(message),
            own_copy,
            peer,
            timestamp,
        };
        self.originals.keep(id, original);
    }
}

//! Two sides in memory: what the one composes, the other receives. No network, no tasks.

mod addresses;
mod devices;
mod direct;
mod failures;
mod groups;
mod outbox;
mod repair;
mod sending_to_groups;
mod waiting;

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use whimbrel_content::compose::Draft;
use whimbrel_content::kinds::text::Text;
use whimbrel_crypto::curve::KeyPair;
use whimbrel_crypto::padding;
use whimbrel_proto::e2e::Message as Content;
use whimbrel_signal::Bundle;
use whimbrel_wire::{Jid, Node};

use super::inbound::Replies;
use super::outbox::Ticket;
use super::send::{self, Composed};
use super::signal_state::{SignalState, Unit};
use super::{receive, stanza};
use crate::devices::bundles::DeviceBundle;
use crate::devices::bundles::tests::proof;
use crate::devices::sessions;
use crate::events::{Event, EventKind, Message, Undecryptable};
use crate::groups::Manner;
use crate::link;
use crate::prekeys;
use crate::random;
use crate::store::{
    Account, Changes, DeviceKeys, DeviceList, DeviceListEntry, MemoryStore, OutboxRow, PreKeyRow, Store,
    StoreError,
};

/// A text as clients send it.
pub(crate) fn words(text: &str, secret: [u8; 32]) -> Content {
    let draft = Draft::new(whimbrel_content::Content::Text(Text::new(text)));
    draft.compose(secret).unwrap().message
}

/// A client without a connection.
pub(crate) struct Side {
    store: MemoryStore,
    pub(crate) account: Account,
    state: SignalState,
    rng: ChaCha20Rng,
    /// Key of the account, which signs companions.
    phone_key: KeyPair,
}

impl Side {
    /// The device with this number of the account with this LID.
    pub(crate) fn new(user: &str, device: u16) -> Self {
        let mut rng = random::generator(Some(user.parse().unwrap()), u64::from(device)).unwrap();
        // Companions of one account agree on the account's key.
        let mut account_rng = random::generator(Some(user.parse().unwrap()), 0).unwrap();
        let phone_key = KeyPair::generate(&mut account_rng);
        let identity = if device == 0 { phone_key.clone() } else { KeyPair::generate(&mut rng) };
        let signed_identity = (device != 0).then(|| proof(&phone_key, &identity, device.into(), true));
        let keys = DeviceKeys {
            noise: KeyPair::generate(&mut rng),
            identity,
            registration_id: 100 + u32::from(device),
            adv_secret: [0; 32],
        };
        let account = Account {
            next_pre_key_id: 2,
            phone: Some(phone_of(user).with_device(device)),
            lid: Some(Jid::lid(user).with_device(device)),
            signed_identity,
            server_has_pre_keys: true,
            ..link::new_account(keys)
        };
        let store = MemoryStore::default();
        let signed = prekeys::sign(&account.keys.identity, 1, &mut rng);
        let mut changes = Changes::default();
        changes.signed_pre_keys.insert(1, Some(signed));
        for id in 1..10 {
            changes
                .pre_keys
                .insert(id, Some(PreKeyRow { id, pair: KeyPair::generate(&mut rng), offered: true }));
        }
        store.commit(&changes).unwrap();
        Self { store, account, state: SignalState::default(), rng, phone_key }
    }

    fn lid(&self) -> Jid {
        self.account.lid.clone().unwrap()
    }

    /// Does a unit of work, makes it durable, and returns what it told the host.
    pub(crate) fn unit<T>(
        &mut self,
        work: impl FnOnce(&mut Unit<'_>) -> Result<T, StoreError>,
    ) -> (T, Vec<Event>) {
        let seed = || ChaCha20Rng::from_rng(&mut self.rng);
        let mut unit = Unit::begin(&self.store, &self.account, &mut self.state, seed);
        let value = work(&mut unit).unwrap();
        let mut changes = unit.finish();
        let events = std::mem::take(&mut changes.events);
        self.store.commit(&changes).unwrap();
        (value, events)
    }

    /// The process ends and begins again.
    pub(crate) fn restart(&mut self) {
        self.state = SignalState::default();
    }

    fn bundle(&mut self, one_time: u32) -> DeviceBundle {
        let signed = self.store.signed_pre_key(1).unwrap().unwrap();
        let one_time = self.store.pre_key(one_time).unwrap().map(|row| (row.id, row.pair.public));
        let bundle = Bundle {
            registration_id: self.account.keys.registration_id,
            identity: self.account.keys.identity.public,
            signed_prekey_id: signed.id,
            signed_prekey: signed.pair.public,
            signed_prekey_signature: signed.signature,
            one_time_prekey: one_time,
        };
        DeviceBundle { bundle, proof: self.account.signed_identity.clone() }
    }

    /// Knows the devices of an account.
    fn know(&mut self, user: &Jid, devices: &[u16]) {
        let entry =
            |device: &u16| DeviceListEntry { device: *device, key_index: (*device).into(), hosted: false };
        let devices = devices.iter().map(entry).collect();
        self.unit(|unit| {
            let list = DeviceList { devices, raw_id: 1, signed_at: 1, fetched_at: unit.now() };
            unit.changes.device_lists.insert(user.clone(), Some(list));
            Ok(())
        });
    }

    /// Begins a session with another side.
    fn meet(&mut self, other: &mut Side, one_time: u32) {
        let (device, bundle) = (other.lid(), other.bundle(one_time));
        assert!(self.unit(|unit| sessions::begin(unit, &device, &bundle)).0);
    }

    /// Composes a text; the stanza as it leaves.
    fn compose(&mut self, id: &str, chat: &Jid, text: &str) -> Node {
        let content = whimbrel_proto::encode(&words(text, [7; 32]));
        let row = OutboxRow::new(chat.clone(), id.to_owned(), content, 0);
        let ticket = Ticket {
            order: 0,
            row,
            stored: false,
            left: false,
            prepared: true,
            by_phone: false,
            manner: Manner::default(),
        };
        match self.unit(|unit| send::compose(unit, &ticket)).0 {
            Composed::Stanza { stanza, .. } => *stanza,
            Composed::Prepare | Composed::Wait => panic!("everything was prepared"),
            Composed::Failed(error) => panic!("{error}"),
        }
    }

    /// Encrypts any content for one device, as it stands in a stanza.
    fn seal(&mut self, device: &Jid, content: &Content) -> Node {
        let mut bytes = whimbrel_proto::encode(content);
        padding::pad(&mut bytes, 3);
        let (message, _) = self.unit(|unit| {
            let (record, _) = unit.session_mut(device)?.unwrap();
            Ok(record.encrypt(&bytes).unwrap())
        });
        Node::new("enc").attr("v", "2").attr("type", message.kind.enc_type()).bytes(message.bytes)
    }

    /// Receives a message; what it tells the host, and what it answers.
    fn receive(&mut self, stanza: &Node) -> (Vec<EventKind>, Vec<Node>) {
        let ((), replies, events) = self.handle(|unit, replies| receive::message(unit, stanza, replies));
        (events, replies)
    }

    pub(crate) fn handle<T>(
        &mut self,
        work: impl FnOnce(&mut Unit<'_>, &mut Replies) -> Result<T, StoreError>,
    ) -> (T, Vec<Node>, Vec<EventKind>) {
        let mut replies = Replies::default();
        let (value, events) = self.unit(|unit| work(unit, &mut replies));
        (value, replies.nodes().to_vec(), events.into_iter().map(|event| event.kind).collect())
    }
}

fn phone_of(user: &str) -> Jid {
    Jid::pn(&format!("99{user}"))
}

/// A message as the service hands it to a device: the device's own ciphertext, and the sender.
fn relay(sent: &Node, from: &Side, to: &Side) -> Node {
    let target = sent.child_named("participants").unwrap().children_named("to");
    let own = target
        .into_iter()
        .find(|target| target.attr_jid("jid") == Some(to.lid()))
        .expect("a copy for the device");
    let mut message =
        envelope(&sent.attr_text("id").unwrap(), &from.lid()).children(own.child_nodes().iter().cloned());
    let account = from.account.phone.as_ref().unwrap().to_bare();
    if from.lid().same_account(&to.lid()) {
        message.set_attr("recipient", sent.attr_jid("to").unwrap());
    } else {
        message.set_attr("sender_pn", account);
    }
    message.child_opt(sent.child_named("device-identity").cloned())
}

fn envelope(id: &str, from: &Jid) -> Node {
    Node::new("message")
        .attr("id", id.to_owned())
        .attr("from", from)
        .attr("t", 1_795_000_000_u64)
        .attr("type", "text")
        .attr("notify", "Zoë")
}

fn only_message(events: Vec<EventKind>) -> Message {
    match <[EventKind; 1]>::try_from(events) {
        Ok([EventKind::Message(message)]) => *message,
        other => panic!("not one message: {other:?}"),
    }
}

fn only_placeholder(events: Vec<EventKind>) -> Undecryptable {
    match <[EventKind; 1]>::try_from(events) {
        Ok([EventKind::Undecryptable(placeholder)]) => placeholder,
        other => panic!("not one placeholder: {other:?}"),
    }
}

/// Tag and type, or for acks tag and error, of answers.
fn shape(replies: &[Node]) -> Vec<(String, String)> {
    let key = |node: &Node| if node.tag() == "ack" { "error" } else { "type" };
    replies
        .iter()
        .map(|node| (node.tag().to_owned(), node.attr_text(key(node)).unwrap_or_default().into_owned()))
        .collect()
}

fn shapes(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(tag, kind)| ((*tag).to_owned(), (*kind).to_owned())).collect()
}

/// Two people with one companion each that have met.
pub(crate) fn pair() -> (Side, Side) {
    let (mut anna, mut ben) = (Side::new("1", 1), Side::new("2", 1));
    anna.know(&Jid::lid("1"), &[1]);
    anna.know(&Jid::lid("2"), &[1]);
    ben.know(&Jid::lid("1"), &[1]);
    ben.know(&Jid::lid("2"), &[1]);
    anna.meet(&mut ben, 1);
    (anna, ben)
}

//! A received message: whose it is, whether it is new, what is inside, and what is answered
//! (delivery document §4).

use sha2::{Digest as _, Sha256};
use whimbrel_proto::e2e::Message as Content;
use whimbrel_wire::{Jid, NodeRef};

use super::arrival::{self, Arrived, History, Inside, look_inside};
use super::bot;
use super::decrypt::{Author, Failure, INVALID_CONTENT, MALFORMED, NO_SECRET, UNKNOWN};
use super::inbound::Replies;
use super::signal_state::Unit;
use super::stanza::{Enc, EncKind, Received};
use crate::channels;
use crate::devices::identity::Source;
use crate::devices::lists;
use crate::devices::sessions::Target;
use crate::receipts::stanza::{self as receipt, Kind};
use crate::repair::Repair;
use crate::retry::outgoing::{self, Failed};
use crate::retry::phone;
use crate::retry::stanza::Reason;
use crate::store::{InboxEntry, InboxState, StoreError};

/// Where a message belongs, by the addresses under which things are kept.
struct Place {
    chat: Jid,
    author: Jid,
    own: bool,
}

/// Deals with a `<message>`.
pub(crate) fn message(
    unit: &mut Unit<'_>,
    node: &NodeRef<'_>,
    replies: &mut Replies,
) -> Result<(), StoreError> {
    let received = match Received::parse(node) {
        Ok(received) => received,
        Err(error) => {
            tracing::warn!(%error, "A message is unreadable.");
            replies.ack(node, Some(MALFORMED));
            return Ok(());
        }
    };
    if received.from.is_newsletter() {
        return channels::receive::message(unit, node, &received.from.to_bare(), replies);
    }
    let place = place(unit, &received)?;
    let encs: Vec<Enc<'_>> = received.encs().collect();
    if encs.is_empty() {
        return without_ciphertext(unit, &received, &place, replies);
    }
    let hash = hash(&encs);
    let known = unit.inbox(&place.chat, &place.author, &received.id)?;
    let done = known.as_ref().filter(|known| !matches!(known.state, InboxState::Failed { .. }));
    let is_done = done.is_some();
    if let Some(done) = done.filter(|known| known.ciphertext_hash == hash) {
        tracing::debug!("A message came again.");
        answer(&received, &place, replies);
        if done.state == InboxState::History && !unit.store.is_piece_waiting(&received.id)? {
            // Its first receipt may be lost, and the phone waits for it.
            replies.push(receipt::delivery(&received, Kind::History));
        }
        return Ok(());
    }
    match open_all(unit, &received, &place, &encs) {
        Ok(mut inside) => {
            let history = inside.history;
            replies.full_history.append(&mut inside.full_history);
            if encs.iter().any(Enc::is_of_session) {
                unit.opened(&place.author);
            }
            take(unit, &received, place, known, hash, inside, replies)?;
            match history {
                History::Nothing => {}
                History::Waits | History::GivenUp => replies.history = true,
                History::DoneWith => replies.push(receipt::delivery(&received, Kind::History)),
            }
        }
        Err(Failure::Duplicate) if is_done => answer(&received, &place, replies),
        Err(Failure::Hopeless(code)) => {
            tracing::warn!(code, "A message cannot be read.");
            unit.statistics().failed(refusal(code));
            replies.ack(node, Some(code));
        }
        Err(Failure::Store(error)) => return Err(error),
        Err(failure) => {
            let by_session = !matches!(failure, Failure::NoSenderKey);
            let (reason, keys_at_once) = match failure {
                Failure::Retry(reason) => (reason, false),
                // A used key under an id that nobody has seen: clients that send while they receive use keys
                // twice. To call it delivered would lose the message.
                Failure::Duplicate => (Reason::InvalidMessage, false),
                // Without a session there is nothing by which the sender could hand the key over.
                _ => (Reason::NoSession, encs.iter().all(|enc| enc.kind == EncKind::SenderKey)),
            };
            let failed = Failed {
                chat: &place.chat,
                author: &place.author,
                hash,
                known,
                sent_again: encs.iter().map(|enc| enc.count).max().unwrap_or(0),
                hidden: received.peer || encs.iter().any(|enc| enc.hide),
                reason,
                keys_at_once,
            };
            outgoing::ask_again(unit, &received, failed, replies)?;
            let in_vain = by_session && reason.is_of_session() && !received.offline;
            if in_vain && !is_done && unit.failed_to_open(&place.author) {
                let target = Target { key: place.author, wire: received.author().clone() };
                replies.repairs.push(Repair::Renew(target));
            }
        }
    }
    Ok(())
}

/// The word under which refused messages are counted.
const fn refusal(code: u16) -> &'static str {
    match code {
        MALFORMED => "malformed",
        UNKNOWN => "unknown_kind",
        NO_SECRET => "no_secret",
        _ => "invalid_content",
    }
}

/// Finds out who wrote a message and in which chat, and learns addresses from it (delivery
/// document §4.1).
fn place(unit: &mut Unit<'_>, received: &Received<'_>) -> Result<Place, StoreError> {
    let source = if received.offline { Source::Replayed } else { Source::Current };
    if let Some(twin) = received.author_twin() {
        unit.learn(received.author(), &twin, source)?;
    }
    if let (Some(recipient), Some(twin)) = (&received.recipient, received.recipient_twin()) {
        unit.learn(recipient, &twin, source)?;
    }
    let own = unit.is_own(received.author());
    let chat = match &received.recipient {
        Some(recipient) if own && received.from.is_account() => recipient,
        _ => &received.from,
    };
    let (chat, author) = (unit.canonical(&chat.to_bare())?, unit.canonical(received.author())?);
    let meant = if own && unit.is_own(&chat) { sent_again(unit, received, &author)? } else { None };
    Ok(Place { chat: meant.unwrap_or(chat), author, own })
}

/// The chat of a message that another device of this account sends again as if it were for this account:
/// Baileys leaves out the envelope that names the chat. It is known by its id from when it first came.
fn sent_again(unit: &mut Unit<'_>, received: &Received<'_>, author: &Jid) -> Result<Option<Jid>, StoreError> {
    for entry in unit.inbox_of(&received.id)? {
        let chat = unit.canonical(&entry.chat)?;
        if !unit.is_own(&chat) && unit.canonical(&entry.author)? == *author {
            return Ok(Some(chat));
        }
    }
    Ok(None)
}

fn hash(encs: &[Enc<'_>]) -> [u8; 16] {
    let mut hash = Sha256::new();
    for enc in encs {
        hash.update(enc.bytes);
    }
    let hash: [u8; 32] = hash.finalize().into();
    hash.first_chunk().copied().unwrap_or_default()
}

/// Opens every ciphertext. A failed session ciphertext fails the message: what follows needs
/// the sender key in it.
fn open_all(
    unit: &mut Unit<'_>,
    received: &Received<'_>,
    place: &Place,
    encs: &[Enc<'_>],
) -> Result<Inside, Failure> {
    let mut inside = Inside::default();
    let mut again = None;
    for enc in encs {
        // What was opened before may have shown by which address the author is known.
        let device = unit.canonical(&place.author)?;
        let author = Author {
            device: &device,
            chat: &place.chat,
            own: place.own,
            proof: received.node.child_bytes("device-identity"),
        };
        let opened = match enc.kind {
            EncKind::MessageSecret => bot::open(unit, received, &place.chat, enc.bytes),
            _ => unit.open(&author, enc),
        };
        let plaintext = match opened {
            Ok(plaintext) => plaintext,
            // One of several may have come before, as after a retry that brought the sender key.
            Err(Failure::Duplicate) if encs.len() > 1 => {
                again = Some(Failure::Duplicate);
                continue;
            }
            Err(failure) => return Err(failure),
        };
        let message: Content =
            whimbrel_proto::decode(&plaintext).map_err(|_| Failure::Hopeless(INVALID_CONTENT))?;
        again = None;
        take_keys(unit, &author, &message)?;
        hear_of_devices(unit, &author, &message)?;
        look_inside(unit, &author, &received.id, message, plaintext, &mut inside)?;
    }
    match again {
        Some(failure) if inside.told.is_none() => Err(failure),
        _ => Ok(inside),
    }
}

/// Takes the key for a group that a message hands out.
fn take_keys(unit: &mut Unit<'_>, author: &Author<'_>, message: &Content) -> Result<(), StoreError> {
    let Some(keys) = &message.sender_key_distribution_message else { return Ok(()) };
    let group = keys.group_id.as_deref().and_then(|group| group.parse::<Jid>().ok());
    if group.as_ref() != Some(author.chat) {
        tracing::warn!("A sender key for another chat than its message's is not taken.");
        return Ok(());
    }
    match &keys.axolotl_sender_key_distribution_message {
        Some(bytes) => unit.take_sender_key(author, bytes),
        None => Ok(()),
    }
}

/// Takes note of how new the author's list of devices is.
fn hear_of_devices(unit: &mut Unit<'_>, author: &Author<'_>, message: &Content) -> Result<(), StoreError> {
    if message.device_sent_message.is_some() && !author.own {
        return Ok(());
    }
    let sent = message.device_sent_message.as_ref().and_then(|sent| sent.message.as_ref());
    let inner = sent.and_then(|inner| inner.message_context_info.as_ref());
    let context = inner.or(message.message_context_info.as_ref());
    let metadata = context.and_then(|context| context.device_list_metadata.as_ref());
    match metadata.and_then(|metadata| metadata.sender_timestamp) {
        Some(signed_at) => lists::heard_of(unit, author.device, signed_at),
        None => Ok(()),
    }
}

/// Journals an opened message, remembers it, and says so.
fn take(
    unit: &mut Unit<'_>,
    received: &Received<'_>,
    place: Place,
    known: Option<InboxEntry>,
    hash: [u8; 16],
    inside: Inside,
    replies: &mut Replies,
) -> Result<(), StoreError> {
    answer(received, &place, replies);
    let completes = match known.map(|known| known.state) {
        // Another ciphertext of a message that the host has: opened for its keys only.
        Some(InboxState::Done | InboxState::History) => return Ok(()),
        Some(InboxState::Failed { event_id, .. }) => Some(event_id).filter(|id| !id.is_empty()),
        None => None,
    };
    if let Some(told) = inside.told.filter(|_| !received.peer) {
        let arrived = Arrived {
            message_id: received.id.clone().into_owned(),
            chat: &place.chat,
            author: &place.author,
            own: place.own,
            timestamp: received.timestamp,
            push_name: received.node.attr_text("notify").map(std::borrow::Cow::into_owned),
            offline: received.offline,
            completes,
        };
        arrival::tell(unit, arrived, told)?;
    }
    let seen_at = unit.now();
    unit.changes.inbox.push(InboxEntry {
        chat: place.chat,
        author: place.author,
        message_id: received.id.clone().into_owned(),
        ciphertext_hash: hash,
        state: match inside.history {
            History::Nothing | History::GivenUp => InboxState::Done,
            History::Waits | History::DoneWith => InboxState::History,
        },
        seen_at,
    });
    Ok(())
}

/// The receipt that says that this device has a message.
fn answer(received: &Received<'_>, place: &Place, replies: &mut Replies) {
    let kind = match (received.peer, place.own) {
        (true, true) => Kind::Peer,
        (_, true) => Kind::Sender,
        (_, false) if replies.is_looked_at => Kind::LookedAt,
        (_, false) => Kind::Delivered,
    };
    replies.push(receipt::delivery(received, kind));
}

/// A stanza without any ciphertext that this version knows.
fn without_ciphertext(
    unit: &mut Unit<'_>,
    received: &Received<'_>,
    place: &Place,
    replies: &mut Replies,
) -> Result<(), StoreError> {
    let Some(unavailable) = received.node.child_named("unavailable") else {
        tracing::warn!("A message has no ciphertext of a known kind.");
        unit.statistics().failed(refusal(UNKNOWN));
        replies.ack(received.node, Some(UNKNOWN));
        return Ok(());
    };
    // The service has nothing for this device; should it come later, it completes the event.
    if unit.inbox(&place.chat, &place.author, &received.id)?.is_none() {
        let why = Unavailable::of(received, unavailable);
        unit.statistics().failed(why.word());
        let shown = Some(why.word()).filter(|_| !received.peer);
        outgoing::placeholder(unit, received, &place.chat, &place.author, [0; 16], 0, shown)?;
        if why == Unavailable::Here && !received.peer {
            replies.ask_phone(phone::Missing {
                chat: place.chat.clone(),
                author: place.author.clone(),
                message_id: received.id.clone().into_owned(),
            });
        }
    }
    replies.ack(received.node, None);
    Ok(())
}

/// Why the service has no ciphertext for this device (delivery document §4.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unavailable {
    /// The sender did not know this device, or the like: the phone has it.
    Here,
    /// It may be seen once, on the phone only.
    ViewOnce,
    /// It was sent by a hosted device.
    Hosted,
    /// It is a bot's.
    Bot,
}

impl Unavailable {
    fn of(received: &Received<'_>, unavailable: &NodeRef<'_>) -> Self {
        let kind = unavailable.attr_text("type");
        if received.node.child_named("bot").is_some() {
            return Self::Bot;
        }
        // Two spellings are in use.
        match kind.as_deref() {
            Some("view_once" | "view_once_unavailable_fanout") => Self::ViewOnce,
            Some("hosted_unavailable_fanout") => Self::Hosted,
            Some("bot_unavailable_fanout") => Self::Bot,
            _ if unavailable.attr_true("hosted") => Self::Hosted,
            _ => Self::Here,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Here => "unavailable",
            Self::ViewOnce => "view_once",
            Self::Hosted => "hosted",
            Self::Bot => "bot",
        }
    }
}

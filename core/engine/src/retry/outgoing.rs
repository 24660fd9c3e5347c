//! Asking for a message again that could not be opened (delivery document §4.7, §4.8).

use std::borrow::Cow;

use rand_core::Rng as _;
use whimbrel_crypto::curve::KeyPair;
use whimbrel_wire::Jid;

use super::phone::Missing;
use super::stanza::{self, Keys, Reason, TRIES};
use crate::events::{EventKind, Undecryptable};
use crate::messages::{Received, Replies, Unit};
use crate::statistics::count;
use crate::store::{InboxEntry, InboxState, PreKeyRow, StoreError};

/// A status that could not be opened is not worth asking for after this time, seconds.
const STATUS_LIFE: i64 = 24 * 3600;

/// A message that could not be opened.
pub(crate) struct Failed<'a> {
    pub(crate) chat: &'a Jid,
    pub(crate) author: &'a Jid,
    pub(crate) hash: [u8; 16],
    pub(crate) known: Option<InboxEntry>,
    /// How often the sender says that it sent it again.
    pub(crate) sent_again: u8,
    /// The host is not to be told.
    pub(crate) hidden: bool,
    pub(crate) reason: Reason,
    /// The sender needs keys to answer at all.
    pub(crate) keys_at_once: bool,
}

/// Asks for a message again, unless that was done often enough; the host is told once.
pub(crate) fn ask_again(
    unit: &mut Unit<'_>,
    received: &Received<'_>,
    failed: Failed<'_>,
    replies: &mut Replies,
) -> Result<(), StoreError> {
    let same = failed.known.as_ref().is_some_and(|known| known.ciphertext_hash == failed.hash);
    let (asked, event_id, phone_asked) = match failed.known.map(|known| known.state) {
        Some(InboxState::Failed { retries, event_id, phone_asked }) => (retries, Some(event_id), phone_asked),
        // The host has it: this is another ciphertext that nobody needs.
        Some(InboxState::Done | InboxState::History) => {
            replies.ack(received.node, None);
            return Ok(());
        }
        None => (0, None, false),
    };
    unit.statistics().failed(failed.reason.word());
    let age = unit.now().saturating_sub(received.timestamp);
    if received.from.is_status() && age > STATUS_LIFE {
        tracing::debug!("A status that is over could not be opened.");
        replies.ack(received.node, None);
        return Ok(());
    }
    // The same ciphertext comes again when the connection was lost before the service had our answer:
    // the request is repeated, and not counted as another one, or cuts would use all tries up.
    let again = if same { asked.max(1) } else { asked.saturating_add(1) };
    let number = again.max(failed.sent_again.saturating_add(1));
    tracing::info!(reason = failed.reason.word(), number, "A message could not be opened.");
    let due = number <= TRIES;
    let asks = due && may_ask(unit, received, failed.author);
    if asks {
        // Hosted devices do not look up keys by themselves.
        let at_once = failed.keys_at_once || received.author().is_hosted();
        let keys = if number >= 2 || at_once { fresh_keys(unit)? } else { None };
        let identity = &unit.account.keys.identity;
        let signed = keys.as_ref();
        let request = stanza::request(
            received,
            number,
            failed.reason,
            unit.account.keys.registration_id,
            signed.map(|(one_time, signed)| Keys {
                identity,
                signed,
                one_time,
                proof: unit.account.signed_identity.as_deref(),
            }),
        );
        replies.push(request);
    }
    replies.ack(received.node, None);
    let retries = if due && !asks { asked } else { number.min(TRIES + 1) };
    match event_id {
        None => {
            let reason = (!failed.hidden).then_some(failed.reason.word());
            if !failed.hidden {
                replies.ask_phone(Missing {
                    chat: failed.chat.clone(),
                    author: failed.author.clone(),
                    message_id: received.id.clone().into_owned(),
                });
            }
            placeholder(unit, received, failed.chat, failed.author, failed.hash, retries, reason)
        }
        Some(event_id) => {
            let state = InboxState::Failed { retries, event_id, phone_asked };
            remember(unit, received, failed.chat, failed.author, failed.hash, state);
            Ok(())
        }
    }
}

/// Whether the sender of a message can and may be asked for it.
fn may_ask(unit: &mut Unit<'_>, received: &Received<'_>, author: &Jid) -> bool {
    // Bots that take part in chats do not send anything again.
    if author.is_bot() && !received.from.is_bot() {
        return false;
    }
    if unit.may_ask(author) {
        count(&mut unit.statistics().retries_sent);
        return true;
    }
    tracing::debug!("A device is not asked for a message: that was done too often.");
    count(&mut unit.statistics().retries_withheld);
    false
}

/// Remembers a message that this client has not got, and tells the host if there is a reason to
/// tell.
pub(crate) fn placeholder(
    unit: &mut Unit<'_>,
    received: &Received<'_>,
    chat: &Jid,
    author: &Jid,
    hash: [u8; 16],
    retries: u8,
    reason: Option<&'static str>,
) -> Result<(), StoreError> {
    let event_id = match reason {
        None => String::new(),
        Some(reason) => {
            let event = Undecryptable {
                message_id: received.id.clone().into_owned(),
                chat: unit.identity_of(chat)?,
                sender: unit.identity_of(author)?,
                sender_device: author.device(),
                timestamp: received.timestamp,
                reason: Cow::Borrowed(reason),
            };
            unit.event(EventKind::Undecryptable(event))
        }
    };
    let state = InboxState::Failed { retries, event_id, phone_asked: false };
    remember(unit, received, chat, author, hash, state);
    Ok(())
}

fn remember(
    unit: &mut Unit<'_>,
    received: &Received<'_>,
    chat: &Jid,
    author: &Jid,
    hash: [u8; 16],
    state: InboxState,
) {
    let seen_at = unit.now();
    unit.changes.inbox.push(InboxEntry {
        chat: chat.clone(),
        author: author.clone(),
        message_id: received.id.clone().into_owned(),
        ciphertext_hash: hash,
        state,
        seen_at,
    });
}

/// A new one-time key, in the unit of work and marked as offered, and the signed key.
fn fresh_keys(unit: &mut Unit<'_>) -> Result<Option<(PreKeyRow, crate::store::SignedPreKeyRow)>, StoreError> {
    let Some(signed) = unit.signed_pre_key(unit.account.signed_pre_key_id)? else { return Ok(None) };
    let id = loop {
        let id = PreKeyRow::FOR_RETRIES | (unit.rng().next_u32() & (PreKeyRow::FOR_RETRIES - 1));
        if unit.pre_key(id)?.is_none() {
            break id;
        }
    };
    let row = PreKeyRow { id, pair: KeyPair::generate(unit.rng()), offered: true };
    unit.changes.pre_keys.insert(id, Some(row.clone()));
    Ok(Some((row, signed)))
}

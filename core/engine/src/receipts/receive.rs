//! Received receipts: what became of messages of this account (delivery document §4.11).

use whimbrel_wire::{Jid, NodeRef};

use super::stanza::{self, Meaning};
use crate::devices::identity::Source;
use crate::events::{EventKind, Identity, Receipt, ReceiptKind};
use crate::messages::{Replies, Unit};
use crate::repair::Repair;
use crate::store::StoreError;

/// Deals with a `<receipt>`. Every one is acknowledged; a retry receipt after it was answered.
pub(crate) fn receipt(
    unit: &mut Unit<'_>,
    node: &NodeRef<'_>,
    replies: &mut Replies,
) -> Result<(), StoreError> {
    let meaning = stanza::meaning(node.attr_text("type").as_deref());
    if let Some(from) = node.attr_jid("from").map(Jid::normalized) {
        learn(unit, node, &from)?;
    }
    if meaning == Meaning::Retry {
        replies.repairs.push(Repair::Resend(Box::new(node.to_node())));
        return Ok(());
    }
    tell(unit, node, meaning, replies)?;
    replies.ack(node, None);
    Ok(())
}

fn tell(
    unit: &mut Unit<'_>,
    node: &NodeRef<'_>,
    meaning: Meaning,
    replies: &mut Replies,
) -> Result<(), StoreError> {
    let Some(from) = node.attr_jid("from").map(Jid::normalized) else { return Ok(()) };
    let timestamp = node.attr_u64("t").and_then(|time| i64::try_from(time).ok());
    let timestamp = timestamp.unwrap_or_else(|| unit.now());
    if let Some((id, readers)) = stanza::grouped(node) {
        let chat = unit.identity_of(&from)?;
        for reader in readers {
            let Meaning::Tell(kind) = reader.meaning.unwrap_or(meaning) else { continue };
            if !unit.is_own(&reader.user) {
                delivered(unit, &chat, std::slice::from_ref(&id), timestamp, replies)?;
            }
            let event = Receipt {
                chat: chat.clone(),
                sender: unit.identity_of(&reader.user)?,
                sender_device: reader.user.device(),
                message_ids: vec![id.clone()],
                kind,
                timestamp: reader.timestamp.unwrap_or(timestamp),
            };
            unit.event(EventKind::Receipt(event));
        }
        return Ok(());
    }
    let Meaning::Tell(kind) = meaning else { return Ok(()) };
    let sender = match node.attr_jid("participant") {
        Some(participant) if !from.is_account() => participant.normalized(),
        _ => from.clone(),
    };
    let own = unit.is_own(&sender);
    let recipient = node.attr_jid("recipient").map(Jid::normalized);
    let kind = match (own, kind) {
        // What an own device has is no news, and what it read is read here too.
        (true, ReceiptKind::Delivered) => return Ok(()),
        (true, _) => ReceiptKind::ReadSelf,
        (false, kind) => kind,
    };
    let chat = recipient.filter(|_| own && from.is_account()).unwrap_or_else(|| from.to_bare());
    let message_ids = stanza::ids(node);
    if message_ids.is_empty() {
        return Ok(());
    }
    let chat = unit.identity_of(&chat)?;
    if kind != ReceiptKind::ReadSelf {
        delivered(unit, &chat, &message_ids, timestamp, replies)?;
    }
    let event = Receipt {
        chat,
        sender: unit.identity_of(&sender)?,
        sender_device: sender.device(),
        message_ids,
        kind,
        timestamp,
    };
    unit.event(EventKind::Receipt(event));
    Ok(())
}

/// A device of somebody else has messages, whatever was done with them there.
fn delivered(
    unit: &mut Unit<'_>,
    chat: &Identity,
    ids: &[String],
    time: i64,
    replies: &mut Replies,
) -> Result<(), StoreError> {
    // The row may have been written while the chat had another address.
    let mut addresses = unit.other_addresses(&chat.id)?;
    addresses.push(chat.id.clone());
    for (address, id) in addresses.iter().flat_map(|chat| ids.iter().map(move |id| (chat, id))) {
        unit.changes.outbox_delivered.push((address.clone(), id.clone(), time));
    }
    replies.delivered.push((addresses, ids.to_vec()));
    Ok(())
}

/// Learns the addresses that a receipt tells: of its sender, and of the chat of an own device's.
fn learn(unit: &mut Unit<'_>, node: &NodeRef<'_>, from: &Jid) -> Result<(), StoreError> {
    let source = if node.attr_value("offline").is_some() { Source::Replayed } else { Source::Current };
    let participant = node.attr_jid("participant");
    let recipient = node.attr_jid("recipient");
    let told = [
        (Some(from), ["sender_lid", "sender_pn"]),
        (participant.as_ref(), ["participant_lid", "participant_pn"]),
        (recipient.as_ref(), ["peer_recipient_lid", "peer_recipient_pn"]),
        (recipient.as_ref(), ["recipient_lid", "recipient_pn"]),
    ];
    for (person, keys) in told {
        let Some(person) = person.filter(|person| person.is_account()) else { continue };
        for twin in keys.into_iter().filter_map(|key| node.attr_jid(key)) {
            unit.learn(person, &twin, source)?;
        }
    }
    Ok(())
}

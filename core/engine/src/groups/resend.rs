//! A member that could not open a message to a group (delivery document §4.9).

use whimbrel_wire::Jid;

use super::row::Addressing;
use super::send;
use crate::messages::Unit;
use crate::store::{OutboxRow, StoreError};

/// Whose device asks for a message to a group again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asker {
    /// A member's: it gets the message.
    Member,
    /// It is not known who is in the group.
    Unknown,
    /// Nobody's who is in the group: it must not read on.
    Stranger,
}

/// Notes that a device could not open a message to a group. `sure`: who is in the group was asked
/// just now; before, a device that is not known may be that of somebody who has just joined.
pub(crate) fn asked(unit: &mut Unit<'_>, group: &Jid, device: &Jid, sure: bool) -> Result<Asker, StoreError> {
    let Some(row) = unit.group(group)?.filter(|row| !row.stale) else { return Ok(Asker::Unknown) };
    let user = device.to_bare();
    let twin = if user.is_lid() { unit.phone_of(&user)? } else { None };
    if row.member(&user).is_none() && twin.is_none_or(|twin| row.member(&twin).is_none()) {
        if !sure {
            return Ok(Asker::Unknown);
        }
        unit.rotate(group)?;
        return Ok(Asker::Stranger);
    }
    unit.key_missing(group, device)?;
    Ok(Asker::Member)
}

/// The message with the key, which the device lacks.
pub(crate) fn content(unit: &mut Unit<'_>, row: &OutboxRow) -> Result<Vec<u8>, StoreError> {
    let key = unit.own_sender_key(&row.chat)?.distribution().to_bytes();
    // Fields may stand in any order, so what the host gave is not taken apart.
    let mut content = row.content.clone();
    content.extend(whimbrel_proto::encode(&send::distribution(&row.chat, key)));
    Ok(content)
}

/// The group of an answer, or the feed of statuses, with the way in which it addresses the device.
pub(crate) fn address<'a>(chat: &'a Jid, device: &Jid) -> Option<(&'a Jid, Option<&'static str>)> {
    if chat.is_status() {
        return Some((chat, None));
    }
    let addressing = if device.to_account().is_lid() { Addressing::Lid } else { Addressing::PhoneNumber };
    chat.is_group().then_some((chat, Some(addressing.name())))
}

//! A device that could not open a status (delivery document §4.9).

use whimbrel_wire::Jid;

use super::send;
use crate::groups::resend::Asker;
use crate::messages::Unit;
use crate::messages::route::Route;
use crate::messages::stanza::About;
use crate::store::{OutboxRow, StoreError};

/// Notes that a device could not open a status or a reaction to one, and says whether it was for it.
pub(crate) fn asked(unit: &mut Unit<'_>, row: &OutboxRow, device: &Jid) -> Result<Asker, StoreError> {
    let user = unit.canonical(&device.to_bare())?;
    if unit.is_own(&user) || is_for(unit, row, &user)? {
        if is_shared(row) {
            unit.key_missing(&row.chat, device)?;
        }
        return Ok(Asker::Member);
    }
    // Whoever has the key and is not of the audience must not read on.
    if is_shared(row) {
        unit.rotate(&row.chat)?;
    }
    Ok(Asker::Stranger)
}

fn is_for(unit: &mut Unit<'_>, row: &OutboxRow, user: &Jid) -> Result<bool, StoreError> {
    let people = match &row.route {
        Some(Route::Audience { people, .. }) => people.clone(),
        _ => send::poster(row).into_iter().collect(),
    };
    for person in people {
        if unit.canonical(&person.to_account())? == *user {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether it was encrypted with the sender key, and not for single devices.
pub(crate) const fn is_shared(row: &OutboxRow) -> bool {
    matches!(row.route, Some(Route::Audience { .. }))
}

/// What the stanza says about the message.
pub(crate) fn about(row: &OutboxRow, now: i64) -> About {
    send::about(row, now)
}

//! A message in a group for some members alone: encrypted for each of their devices, without the key of the
//! group (delivery document §3.6).

use whimbrel_wire::Jid;

use super::super::fanout;
use super::super::query;
use crate::client::Inner;
use crate::connection::Connection;
use crate::devices::{lists, sessions};
use crate::error::{Code, Error};
use crate::groups::Addressing;
use crate::messages::Unit;
use crate::messages::outbox::Ticket;
use crate::messages::route::Route;
use crate::messages::send::{self, Composed};
use crate::messages::stanza::{About, ToMembers};
use crate::store::{OutboxRow, StoreError};

/// Whom a message in a group is for, if not for all.
pub(crate) fn people(row: &OutboxRow) -> Option<&[Jid]> {
    match &row.route {
        Some(Route::Members { people }) => Some(people),
        _ => None,
    }
}

/// Whether a message that a device asks for again is for it.
pub(crate) fn is_for(unit: &mut Unit<'_>, row: &OutboxRow, device: &Jid) -> Result<bool, StoreError> {
    let Some(people) = people(row) else { return Ok(true) };
    let user = unit.canonical(&device.to_bare())?;
    for person in people {
        if unit.canonical(&person.to_account())? == user {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Makes the stanza.
pub(crate) fn compose(unit: &mut Unit<'_>, ticket: &Ticket, people: &[Jid]) -> Result<Composed, StoreError> {
    let row = &ticket.row;
    let Some(group) = unit.group(&row.chat)?.filter(|group| fanout::is_member(unit, group)) else {
        return Ok(match ticket.prepared {
            true => Composed::Failed(fanout::not_a_member()),
            false => Composed::Prepare,
        });
    };
    let mut targets = Vec::new();
    for person in people {
        let known = unit.canonical(&person.to_account())?;
        // Whoever has left meanwhile gets nothing.
        let Some(member) = group.member(person).or_else(|| group.member(&known)).cloned() else { continue };
        let (user, wire) = fanout::addresses(unit, &member, group.addressing)?;
        if !send::targets(unit, ticket, &user, &wire, &mut targets)? {
            return Ok(Composed::Prepare);
        }
    }
    let mut sealed = Vec::with_capacity(targets.len());
    send::seal(unit, targets, row.content.clone(), &mut sealed)?;
    if sealed.is_empty() {
        let message = "no device of the members can be reached";
        return Ok(Composed::Failed(Error::new(Code::NoDevice, message)));
    }
    let message = ToMembers {
        id: &row.message_id,
        to: &row.chat,
        addressing: group.addressing.name(),
        proof: unit.account.signed_identity.as_deref(),
        about: &About::of(&row.content, unit.now()),
    };
    let stanza = message.build(sealed);
    send::keep(unit, ticket)?;
    Ok(Composed::Stanza { stanza: Box::new(stanza), keys: None })
}

/// Looks up the members, their devices, and sessions with those.
pub(crate) async fn prepare(
    client: &Inner,
    connection: &Connection,
    group: &Jid,
    people: &[Jid],
) -> Result<(), Error> {
    let known = client.unit(|unit| Ok(unit.group(group)?.filter(|row| !row.stale))).await?;
    let row = match known {
        Some(row) => row,
        None => {
            query::query(client, connection, group, lists::TIMEOUT).await?;
            let row = client.unit(|unit| unit.group(group)).await?;
            row.ok_or_else(fanout::not_a_member)?
        }
    };
    sessions::prepare(client, connection, people, row.addressing == Addressing::PhoneNumber).await
}

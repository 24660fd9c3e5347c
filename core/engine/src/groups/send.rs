//! A message to a group: encrypted once, with the key handed to each device that lacks it
//! (delivery document §3.6).

use std::collections::BTreeSet;

use rand_core::Rng as _;
use whimbrel_crypto::padding;
use whimbrel_proto::e2e::Message as Content;
use whimbrel_proto::e2e::message::SenderKeyDistributionMessage;
use whimbrel_wire::{Jid, Node};

use super::fanout::{self, Manner, Plan, Planned};
use super::query;
use super::row::{Addressing, GroupRow};
use crate::client::Inner;
use crate::connection::Connection;
use crate::devices::usync::Context;
use crate::devices::{lists, sessions};
use crate::error::{Code, Error};
use crate::messages::Unit;
use crate::messages::outbox::Ticket;
use crate::messages::reporting;
use crate::messages::send::{self, Composed};
use crate::messages::stanza::{About, Sealed, ToGroup};
use crate::store::{OutboxRow, StoreError};

/// What left with a message to a group, to be compared with the service's word on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HandedOut {
    pub(crate) addressing: Addressing,
    pub(crate) phash: String,
    pub(crate) key_id: u32,
    /// Devices that the key was encrypted for.
    pub(crate) devices: Vec<Jid>,
}

impl HandedOut {
    /// The service takes one of several attempts under an id, and may have taken an earlier one: only what
    /// that one carried as well has arrived for sure. `None`: it is not known what it carried.
    pub(crate) fn keep_what_was_carried_by(&mut self, earlier: Option<&Self>) {
        match earlier.filter(|earlier| earlier.key_id == self.key_id) {
            Some(earlier) => {
                let carried: BTreeSet<&Jid> = earlier.devices.iter().collect();
                self.devices.retain(|device| carried.contains(device));
            }
            None => self.devices.clear(),
        }
    }
}

/// Makes the stanza of a message to a group.
pub(crate) fn compose(unit: &mut Unit<'_>, ticket: &Ticket) -> Result<Composed, StoreError> {
    let (group, manner) = (&ticket.row.chat, ticket.manner);
    if manner == Manner::default()
        && let Some(known) = unit.known_fanout(group)
    {
        let (addressing, phash, key_id) = (known.addressing, known.phash.clone(), known.key_id());
        // A key that was made anew is one that nobody holds.
        if unit.own_key_id(group)? == Some(key_id) {
            let handed = HandedOut { addressing, phash, key_id, devices: Vec::new() };
            return build(unit, ticket, handed, Vec::new());
        }
    }
    let mut plan = match fanout::plan(unit, group, manner, ticket.prepared)? {
        Planned::Plan(plan) => plan,
        Planned::Prepare => return Ok(Composed::Prepare),
        Planned::Failed(error) => return Ok(Composed::Failed(error)),
    };
    if !plan.unmet.is_empty() && !ticket.prepared {
        return Ok(Composed::Prepare);
    }
    if !plan.reaches {
        return Ok(Composed::Failed(Error::new(Code::NoDevice, "no device of a member can be reached")));
    }
    let wanted = plan.lacking.len();
    let (handed, sealed) = hand_out(unit, group, &mut plan)?;
    if manner == Manner::default() && handed.devices.len() == wanted {
        let known = plan.remember(handed.key_id, handed.devices.clone());
        unit.remember_fanout(group, known);
    }
    build(unit, ticket, handed, sealed)
}

/// Encrypts the key for those who lack it, as it is before the message: they read from this
/// message on.
pub(crate) fn hand_out(
    unit: &mut Unit<'_>,
    group: &Jid,
    plan: &mut Plan,
) -> Result<(HandedOut, Vec<Sealed>), StoreError> {
    let key = unit.own_sender_key(group)?;
    let (key_id, keys) = (key.key_id(), distribution(group, key.distribution().to_bytes()));
    let targets = std::mem::take(&mut plan.lacking);
    let mut sealed = Vec::with_capacity(targets.len());
    if !targets.is_empty() {
        send::seal(unit, targets.clone(), whimbrel_proto::encode(&keys), &mut sealed)?;
    }
    // In the same order, with those left out for which it did not work.
    let mut done = sealed.iter().map(|sealed| &sealed.device).peekable();
    let reached = targets.into_iter().filter(|target| done.next_if(|wire| **wire == target.wire).is_some());
    let devices = reached.map(|target| target.key).collect();
    Ok((HandedOut { addressing: plan.addressing, phash: plan.phash.clone(), key_id, devices }, sealed))
}

fn build(
    unit: &mut Unit<'_>,
    ticket: &Ticket,
    handed: HandedOut,
    sealed: Vec<Sealed>,
) -> Result<Composed, StoreError> {
    let Some(stanza) = stanza(unit, &ticket.row, &handed, sealed)? else {
        return Ok(Composed::Failed(Error::new(Code::Internal, "the message could not be encrypted")));
    };
    send::keep(unit, ticket)?;
    Ok(Composed::Stanza { stanza, keys: Some(Box::new(handed)) })
}

fn stanza(
    unit: &mut Unit<'_>,
    row: &OutboxRow,
    handed: &HandedOut,
    sealed: Vec<Sealed>,
) -> Result<Option<Box<Node>>, StoreError> {
    let Some(body) = encrypt(unit, &row.chat, row.content.clone())? else { return Ok(None) };
    let message = ToGroup {
        id: &row.message_id,
        to: &row.chat,
        addressing: handed.addressing.name(),
        phash: &handed.phash,
        proof: unit.account.signed_identity.as_deref(),
        about: &About::of(&row.content, unit.now()),
    };
    let own = match handed.addressing {
        Addressing::Lid => unit.account.lid.as_ref(),
        Addressing::PhoneNumber => unit.account.phone.as_ref(),
    };
    let message = message.build(sealed, body);
    Ok(Some(Box::new(match own {
        Some(own) => reporting::attach(message, &row.content, &row.message_id, &own.to_bare(), &row.chat),
        None => message,
    })))
}

/// Makes a message that the service has again, for the devices that did not get the key with it and have not
/// asked for it themselves: some clients show a message twice that comes twice. `None` if there are none.
pub(crate) fn compose_for_missing(
    unit: &mut Unit<'_>,
    row: &OutboxRow,
    manner: Manner,
) -> Result<Option<(Box<Node>, HandedOut)>, StoreError> {
    let Planned::Plan(mut plan) = fanout::plan(unit, &row.chat, manner, true)? else { return Ok(None) };
    plan.lacking.retain(|target| !unit.asked_for(&target.key, &row.message_id));
    if plan.lacking.is_empty() || unit.own_key_id(&row.chat)?.is_none() {
        return Ok(None);
    }
    let (handed, sealed) = hand_out(unit, &row.chat, &mut plan)?;
    Ok(stanza(unit, row, &handed, sealed)?.map(|stanza| (stanza, handed)))
}

/// Encrypts a content with the key for a group.
pub(crate) fn encrypt(
    unit: &mut Unit<'_>,
    group: &Jid,
    mut content: Vec<u8>,
) -> Result<Option<Vec<u8>>, StoreError> {
    let [random, ..] = unit.rng().next_u32().to_le_bytes();
    padding::pad(&mut content, random);
    let mut rng = unit.fork_rng();
    let key = unit.own_sender_key(group)?;
    match key.encrypt(&content, &mut rng) {
        Ok(body) => Ok(Some(body)),
        Err(error) => {
            // A chain that is used up: the next attempt begins a new one.
            tracing::error!(%error, "A message could not be encrypted for a group.");
            unit.rotate(group)?;
            Ok(None)
        }
    }
}

/// What hands the key for a group to one device.
pub(crate) fn distribution(group: &Jid, key: Vec<u8>) -> Content {
    let keys = SenderKeyDistributionMessage {
        group_id: Some(group.to_string()),
        axolotl_sender_key_distribution_message: Some(key),
    };
    Content { sender_key_distribution_message: Some(keys.into()), ..Default::default() }
}

/// Looks up what a message to a group needs: its members, their devices, and sessions with those
/// that lack the key.
pub(crate) async fn prepare(
    client: &Inner,
    connection: &Connection,
    group: &Jid,
    manner: Manner,
) -> Result<(), Error> {
    let usable = client.unit(|unit| {
        let row = unit.group(group)?.filter(|row| !row.stale && !manner.refresh);
        Ok(row.is_some_and(|row| fanout::is_member(unit, &row)))
    });
    if !usable.await? {
        query::query(client, connection, group, lists::TIMEOUT).await?;
    }
    let stale = client.unit(|unit| stale(unit, group, manner)).await?;
    let stale = stale.ok_or_else(fanout::not_a_member)?;
    if !stale.is_empty() {
        let context = if manner.refresh { Context::Notification } else { Context::Message };
        lists::query(client, connection, &stale, context).await?;
    }
    let unmet = client.unit(|unit| {
        Ok(match fanout::plan(unit, group, manner, true)? {
            Planned::Plan(plan) => Ok(plan.unmet),
            Planned::Failed(error) => Err(error),
            Planned::Prepare => Ok(Vec::new()),
        })
    });
    let unmet = unmet.await??;
    if unmet.is_empty() {
        return Ok(());
    }
    sessions::fetch_missing(client, connection, unmet).await
}

/// Members whose devices have to be asked for; `None` if this account is not one of them.
fn stale(unit: &mut Unit<'_>, group: &Jid, manner: Manner) -> Result<Option<Vec<Jid>>, StoreError> {
    let Some(row) = unit.group(group)?.filter(|row| fanout::is_member(unit, row)) else { return Ok(None) };
    stale_among(unit, &row, manner.refresh).map(Some)
}

/// Those of these members whose devices have to be asked for.
pub(crate) fn stale_among(
    unit: &mut Unit<'_>,
    row: &GroupRow,
    refresh: bool,
) -> Result<Vec<Jid>, StoreError> {
    let mut stale = Vec::new();
    for member in &row.members {
        let user = unit.canonical(&member.id)?;
        if user.is_account() && (refresh || lists::fresh(unit, &user)?.is_none()) {
            stale.push(user);
        }
    }
    stale.sort_unstable();
    stale.dedup();
    Ok(stale)
}

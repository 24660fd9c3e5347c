//! The outbox lane: resolves devices, encrypts, makes durable, writes (delivery document §3).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use rand_core::Rng as _;
use tokio::time::Instant;
use whimbrel_content::unwrap;
use whimbrel_crypto::padding;
use whimbrel_proto::e2e::Message as Content;
use whimbrel_wire::{Jid, Node};

use super::outbox::{Settled, Ticket, fate};
use super::reporting;
use super::signal_state::Unit;
use super::stanza::{About, Direct, Sealed};
use crate::channels;
use crate::client::{Goal, Inner};
use crate::connection::Connection;
use crate::devices::lists;
use crate::devices::sessions::{self, Target};
use crate::error::{Code, Error};
use crate::events::ConnectionState;
use crate::groups::{self, HandedOut};
use crate::status;
use crate::store::{Changes, OutboxRow, StoreError};

/// How often the devices of a chat are looked up on one connection before its messages fail.
const LOOKUPS: u32 = 3;

/// Pause between two such attempts.
const LOOKUP_PAUSE: Duration = Duration::from_secs(2);

/// What becomes of a ticket in its unit of work.
pub(crate) enum Composed {
    Stanza {
        stanza: Box<Node>,
        /// What left with a message to a group.
        keys: Option<Box<HandedOut>>,
    },
    /// Devices or sessions have to be looked up first.
    Prepare,
    /// An earlier message of this unit hands out the key that this one needs: it waits for the
    /// service's word on that.
    Wait,
    Failed(Error),
}

/// Runs the outbox lane until the client closes.
pub(crate) async fn run(client: Arc<Inner>) {
    let (mut status, mut goal) = (client.watch_status(), client.watch_goal());
    let mut generation = None;
    loop {
        if *goal.borrow_and_update() == Goal::Closed {
            return;
        }
        status.mark_unchanged();
        if let Err(error) = work(&client, &mut generation).await {
            tracing::error!(%error, "Messages could not be made durable; they wait.");
            if let Some(connection) = client.connection() {
                connection.close();
            }
        }
        let due = client.outbox.next_due();
        tokio::select! {
            () = client.outbox.wake.notified() => {}
            () = at(due), if due.is_some() => client.outbox.due(Instant::now()),
            changed = status.changed() => if changed.is_err() { return },
            changed = goal.changed() => if changed.is_err() { return },
        }
    }
}

async fn at(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}

/// The connection, once what waited at the service has arrived: a session may change by that.
fn online(client: &Inner) -> Option<Arc<Connection>> {
    if client.status().state != ConnectionState::Online {
        return None;
    }
    client.connection().filter(|connection| !connection.is_closed())
}

async fn work(client: &Arc<Inner>, generation: &mut Option<u64>) -> Result<(), Error> {
    if client.linked_account().is_err() {
        let error = Error::new(Code::NotLinked, "the client is not linked to a phone");
        client.outbox.clear(&error);
        return Ok(());
    }
    client.outbox.load(&*client.store)?;
    tell_orphans(client).await?;
    loop {
        let Some(connection) = online(client) else { return store_waiting(client).await };
        if *generation != Some(connection.generation) {
            *generation = Some(connection.generation);
            client.outbox.reopen(connection.generation);
        }
        let tickets = client.outbox.take_ready();
        if tickets.is_empty() {
            // What has to wait is durable meanwhile.
            return store_waiting(client).await;
        }
        send(client, &connection, tickets).await?;
    }
}

/// Journals fates that no call took.
async fn tell_orphans(client: &Inner) -> Result<(), Error> {
    let orphans = client.outbox.take_orphans();
    if orphans.is_empty() {
        return Ok(());
    }
    let told = client.unit(|unit| {
        for orphan in &orphans {
            fate::tell(unit, orphan)?;
            unit.changes.outbox_told.push((orphan.chat.clone(), orphan.message_id.clone()));
        }
        Ok(())
    });
    let told = told.await;
    if told.is_err() {
        client.outbox.put_orphans_back(orphans);
    }
    told
}

/// Messages that do not leave now are at least durable.
async fn store_waiting(client: &Inner) -> Result<(), Error> {
    loop {
        let tickets = client.outbox.take_unstored();
        if tickets.is_empty() {
            return Ok(());
        }
        let orders: Vec<u64> = tickets.iter().map(|ticket| ticket.order).collect();
        let rows: Vec<_> = tickets.iter().map(|ticket| ticket.row.clone()).collect();
        // A unit of work, so that nothing is written behind the end of the link.
        let stored = client.unit(|unit| {
            for row in rows {
                unit.keep_sent_parent(&row)?;
                unit.changes.outbox.push(row);
            }
            Ok(())
        });
        if let Err(error) = stored.await {
            client.outbox.fail(&orders, &error);
            return Err(error);
        }
        let gone = client.outbox.stored(orders);
        delete_rows(client, tickets.iter().filter(|ticket| gone.contains(&ticket.order))).await?;
    }
}

async fn send(client: &Arc<Inner>, connection: &Arc<Connection>, tickets: Vec<Ticket>) -> Result<(), Error> {
    let orders: Vec<u64> = tickets.iter().map(|ticket| ticket.order).collect();
    let composed = client.unit(|unit| {
        let (mut settled, mut handing_out) = (Vec::new(), BTreeSet::new());
        let mut all = Vec::with_capacity(tickets.len());
        for ticket in &tickets {
            let composed = compose_next(unit, ticket, &mut handing_out)?;
            match &composed {
                Composed::Failed(error) => settled.extend(client.outbox.reject(unit, ticket, error)?),
                // What has to wait is durable meanwhile.
                Composed::Prepare | Composed::Wait => keep(unit, ticket)?,
                Composed::Stanza { .. } => {}
            }
            all.push(composed);
        }
        Ok((all, settled))
    });
    let (composed, settled): (Vec<Composed>, Vec<Settled>) = match composed.await {
        Ok(done) => done,
        Err(error) => {
            // Who is not durable is told at once, so that the host can act.
            let (stored, fresh): (Vec<_>, Vec<_>) = tickets.iter().partition(|ticket| ticket.stored);
            client.outbox.put_back(&stored.iter().map(|ticket| ticket.order).collect::<Vec<_>>());
            client.outbox.fail(&fresh.iter().map(|ticket| ticket.order).collect::<Vec<_>>(), &error);
            return Err(error);
        }
    };
    for settled in settled {
        client.outbox.settle(settled);
    }
    let kept = tickets.iter().zip(&composed).filter(|(_, composed)| !matches!(composed, Composed::Failed(_)));
    // What was taken up cannot be given up.
    client.outbox.stored(kept.map(|(ticket, _)| ticket.order).collect::<Vec<_>>());
    for (at, (ticket, composed)) in tickets.iter().zip(composed).enumerate() {
        match composed {
            Composed::Stanza { stanza, keys } => {
                client.outbox.sent(ticket.order, connection.generation, keys);
                if connection.send(*stanza).await.is_err() {
                    // Everything that did not leave is sent on the next connection.
                    client.outbox.put_back(orders.get(at..).unwrap_or_default());
                    return Ok(());
                }
            }
            Composed::Prepare => {
                if client.outbox.prepare(ticket) {
                    client.spawn(prepare(Arc::clone(client), Arc::clone(connection), ticket.clone()));
                }
            }
            Composed::Wait => client.outbox.wait_for_key(ticket),
            Composed::Failed(_) => {}
        }
    }
    Ok(())
}

async fn delete_rows(client: &Inner, tickets: impl Iterator<Item = &Ticket>) -> Result<(), Error> {
    let outbox_dropped: Vec<_> =
        tickets.map(|ticket| (ticket.row.chat.clone(), ticket.row.message_id.clone())).collect();
    if outbox_dropped.is_empty() {
        return Ok(());
    }
    client.commit.commit(Changes { outbox_dropped, ..Changes::default() }).await
}

/// Ends messages that cannot be sent.
async fn reject(client: &Inner, tickets: &[Ticket], error: &Error) -> Result<(), Error> {
    let settled = client.unit(|unit| {
        let settled = tickets.iter().map(|ticket| client.outbox.reject(unit, ticket, error));
        settled.filter_map(Result::transpose).collect::<Result<Vec<_>, _>>()
    });
    for settled in settled.await? {
        client.outbox.settle(settled);
    }
    Ok(())
}

/// Looks up the devices of a chat and begins the sessions that are missing.
async fn prepare(client: Arc<Inner>, connection: Arc<Connection>, ticket: Ticket) {
    let people = groups::history::send::people(&ticket.row).map(<[Jid]>::to_vec);
    let Ticket { row: OutboxRow { chat, .. }, by_phone, manner, order, .. } = ticket;
    let Some(own) = client.account().and_then(|account| account.phone.as_ref().map(Jid::to_bare)) else {
        client.outbox.prepared(&chat, |_| false);
        return;
    };
    let users = [chat.clone(), own];
    for attempt in 1..=LOOKUPS {
        // Each status has an audience of its own: what comes in later is looked up later.
        let waiting = if chat.is_status() { client.outbox.waiting_for(&chat) } else { Vec::new() };
        let prepared = if let Some(people) = &people {
            groups::history::send::prepare(&client, &connection, &chat, people).await
        } else if chat.is_group() {
            groups::send::prepare(&client, &connection, &chat, manner).await
        } else if chat.is_status() {
            status::send::prepare(&client, &connection, &waiting).await
        } else {
            sessions::prepare(&client, &connection, &users, by_phone).await
        };
        let error = match prepared {
            Ok(()) if chat.is_status() => {
                let looked_up: BTreeSet<u64> = waiting.iter().map(|ticket| ticket.order).collect();
                client.outbox.prepared(&chat, |order| looked_up.contains(&order));
                return;
            }
            // What is for all needs more than what is for a few.
            Ok(()) if people.is_some() => {
                client.outbox.prepared(&chat, |prepared| prepared == order);
                return;
            }
            Ok(()) => {
                client.outbox.prepared(&chat, |_| true);
                return;
            }
            Err(error) => error,
        };
        if connection.is_closed() || client.commit.has_failed() {
            // The next connection looks again.
            client.outbox.prepared(&chat, |_| false);
            return;
        }
        tracing::info!(%error, attempt, "The devices of a chat could not be looked up.");
        if attempt == LOOKUPS || matches!(error.code(), Code::NoDevice | Code::Forbidden | Code::NotFound) {
            let waiting = client.outbox.waiting_for(&chat);
            if let Err(error) = reject(&client, &waiting, &error).await {
                tracing::error!(%error, "That messages cannot be sent could not be written down.");
                client.outbox.unsettle();
            }
            client.outbox.prepared(&chat, |_| false);
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(error.retry_after().unwrap_or(LOOKUP_PAUSE)) => {}
            () = client.gate.closed() => {}
        }
    }
}

/// Makes the stanza of a message behind others. One that hands the key for a group out holds up what
/// follows in the group: it may be refused, and encrypting the key twice for a thousand devices costs
/// more than the time.
fn compose_next<'t>(
    unit: &mut Unit<'_>,
    ticket: &'t Ticket,
    handing_out: &mut BTreeSet<&'t Jid>,
) -> Result<Composed, StoreError> {
    if handing_out.contains(&ticket.row.chat) {
        return Ok(Composed::Wait);
    }
    let composed = compose(unit, ticket)?;
    if matches!(&composed, Composed::Stanza { keys: Some(keys), .. } if !keys.devices.is_empty()) {
        handing_out.insert(&ticket.row.chat);
    }
    Ok(composed)
}

pub(super) fn compose(unit: &mut Unit<'_>, ticket: &Ticket) -> Result<Composed, StoreError> {
    if let Some(people) = groups::history::send::people(&ticket.row) {
        return groups::history::send::compose(unit, ticket, people);
    }
    if ticket.row.chat.is_group() {
        return groups::send::compose(unit, ticket);
    }
    if ticket.row.chat.is_status() {
        return status::send::compose(unit, ticket);
    }
    if ticket.row.chat.is_newsletter() {
        return channels::send::compose(unit, ticket);
    }
    let row = &ticket.row;
    let Some(own) = unit.account.phone.clone() else {
        return Ok(Composed::Failed(Error::new(Code::NotLinked, "the client is not linked to a phone")));
    };
    let chat = unit.canonical(&row.chat)?;
    // What may have left before may have arrived: its fate is for the service to say.
    if !ticket.left
        && let Some(error) = unit.held_back(&chat)?
    {
        return Ok(Composed::Failed(error));
    }
    let by_phone = ticket.by_phone || unit.prefers_phone()?;
    let to = sessions::wire_user(unit, &chat, by_phone)?;
    let own = unit.canonical(&own.to_bare())?;
    // One namespace per stanza: own devices are addressed as the recipient's are.
    let own_wire = sessions::wire_user(unit, &own, to.is_pn())?;
    let mut recipients = Vec::new();
    let mut others = Vec::new();
    let known = (chat == own || targets(unit, ticket, &chat, &to, &mut recipients)?)
        && targets(unit, ticket, &own, &own_wire, &mut others)?;
    if !known {
        return Ok(Composed::Prepare);
    }
    if recipients.is_empty() && (chat != own || others.is_empty()) {
        return Ok(Composed::Failed(Error::new(Code::NoDevice, "no device of the recipient can be reached")));
    }
    let mut sealed = Vec::with_capacity(recipients.len().saturating_add(others.len()));
    seal(unit, recipients, row.content.clone(), &mut sealed)?;
    if !others.is_empty() {
        match whimbrel_proto::decode::<Content>(&row.content) {
            Ok(message) => {
                let copy = whimbrel_proto::encode(&unwrap::device_sent(&to, message));
                seal(unit, others, copy, &mut sealed)?;
            }
            Err(error) => tracing::error!(%error, "A stored message is unreadable; own devices get no copy."),
        }
    }
    let peer_phone = if to.is_lid() { unit.phone_of(&to)? } else { None };
    let token = unit.token_on_message(&chat)?;
    let direct = Direct {
        id: &row.message_id,
        to: &to,
        peer_phone: peer_phone.as_ref(),
        proof: unit.account.signed_identity.as_deref(),
        about: &About::of(&row.content, unit.now()),
        token,
    };
    let stanza = direct.build(sealed);
    let stanza = reporting::attach(stanza, &row.content, &row.message_id, &own_wire, &to);
    keep(unit, ticket)?;
    Ok(Composed::Stanza { stanza: Box::new(stanza), keys: None })
}

/// Makes a message durable, if it is not.
pub(crate) fn keep(unit: &mut Unit<'_>, ticket: &Ticket) -> Result<(), StoreError> {
    if !ticket.stored {
        unit.keep_sent_parent(&ticket.row)?;
        unit.changes.outbox.push(ticket.row.clone());
    }
    Ok(())
}

/// Adds the devices of a user, this one left out. Returns whether nothing has to be looked up.
pub(crate) fn targets(
    unit: &mut Unit<'_>,
    ticket: &Ticket,
    user: &Jid,
    wire: &Jid,
    into: &mut Vec<Target>,
) -> Result<bool, StoreError> {
    let list = if ticket.prepared { unit.device_list(user)? } else { lists::fresh(unit, user)? };
    let Some(list) = list else { return Ok(ticket.prepared) };
    for entry in &list.devices {
        let target = sessions::target(user, wire, entry);
        if sessions::is_this_device(unit, &target.key) {
            continue;
        }
        if unit.has_session(&target.key)? {
            into.push(target);
        } else if !ticket.prepared {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Encrypts a content for devices; one without a usable session is left out.
pub(crate) fn seal(
    unit: &mut Unit<'_>,
    targets: Vec<Target>,
    mut content: Vec<u8>,
    into: &mut Vec<Sealed>,
) -> Result<(), StoreError> {
    let [random, ..] = unit.rng().next_u32().to_le_bytes();
    padding::pad(&mut content, random);
    for Target { key, wire } in targets {
        let Some((record, _)) = unit.session_mut(&key)? else { continue };
        match record.encrypt(&content) {
            Ok(message) => into.push(Sealed { device: wire, kind: message.kind, bytes: message.bytes }),
            Err(error) => tracing::warn!(%error, "A message was not encrypted for one device."),
        }
    }
    Ok(())
}

/// Encrypts a message for one device that asked for it again.
pub(crate) fn seal_one(
    unit: &mut Unit<'_>,
    target: Target,
    content: Vec<u8>,
) -> Result<Option<Sealed>, StoreError> {
    let mut sealed = Vec::with_capacity(1);
    seal(unit, vec![target], content, &mut sealed)?;
    Ok(sealed.pop())
}

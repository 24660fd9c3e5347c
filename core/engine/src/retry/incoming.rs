//! Answering a device that could not open a message of ours (delivery document §4.9).

use whimbrel_content::unwrap;
use whimbrel_proto::e2e::Message as Content;
use whimbrel_wire::{Jid, Node};

use super::stanza::{self, Request, TRIES};
use crate::client::Inner;
use crate::connection::{Connection, iq};
use crate::devices::bundles;
use crate::devices::lists;
use crate::devices::sessions::{self, Target};
use crate::devices::usync::Context;
use crate::error::{Code, Error};
use crate::groups::{self, resend::Asker};
use crate::messages::stanza::{About, Again};
use crate::messages::{Unit, send};
use crate::statistics::count;
use crate::status;
use crate::store::{OutboxRow, StoreError};

/// What a request needs before it can be answered.
enum Step {
    Stanza(Box<Node>),
    /// Keys of the device, which has no usable session.
    Fetch(Target),
    /// The identity of the user's phone, which vouches for the device with another one than is known.
    Phone(Jid),
    /// The list of the user, which does not name the device.
    List(Jid),
    /// The members of the group.
    Members(Jid),
    /// Nothing can be done.
    Nothing(&'static str),
}

/// Sends a message again to the device that asks for it, and acknowledges the request.
pub(crate) async fn answer(client: &Inner, connection: &Connection, receipt: &Node) -> Result<(), Error> {
    if let Some(request) = stanza::parse(receipt) {
        resend(client, connection, &request).await?;
    }
    match iq::ack(receipt, None) {
        Some(ack) => connection.send(ack).await,
        None => Ok(()),
    }
}

async fn resend(client: &Inner, connection: &Connection, request: &Request) -> Result<(), Error> {
    if request.count > TRIES {
        tracing::info!("A device asks too often for a message.");
        return note(client, false).await;
    }
    let admitted = client.unit(|unit| {
        let device = unit.canonical(&request.device)?;
        Ok(unit.may_answer(&device, &request.message_id))
    });
    if !admitted.await? {
        tracing::info!("A device asks too often for messages.");
        return note(client, false).await;
    }
    let mut step = client.unit(|unit| first(unit, request, false)).await?;
    if let Step::Members(group) = step {
        match groups::query(client, connection, &group, lists::TIMEOUT).await {
            Ok(_) => {}
            // This account is not in it either.
            Err(error) if matches!(error.code(), Code::Forbidden | Code::NotFound) => return Ok(()),
            Err(error) => return Err(error),
        }
        step = client.unit(|unit| first(unit, request, true)).await?;
    }
    if let Step::List(user) = step {
        lists::query(client, connection, &[user], Context::Notification).await?;
        step = client.unit(|unit| second(unit, request, true)).await?;
    }
    if let Step::Phone(user) = step {
        sessions::refresh_phone(client, connection, &user).await?;
        step = client.unit(|unit| third(unit, request, true)).await?;
    }
    if let Step::Fetch(target) = step {
        sessions::fetch(client, connection, vec![target], bundles::Reason::NoSession).await?;
        step = client.unit(|unit| compose(unit, request)).await?;
    }
    match step {
        Step::Stanza(stanza) => {
            note(client, true).await?;
            connection.send(*stanza).await
        }
        Step::Nothing(why) => {
            tracing::info!(why, "A message is not sent again.");
            note(client, false).await
        }
        Step::Fetch(_) | Step::List(_) | Step::Members(_) | Step::Phone(_) => Ok(()),
    }
}

/// Counts a request.
async fn note(client: &Inner, answered: bool) -> Result<(), Error> {
    let counted = client.unit(|unit| {
        let statistics = unit.statistics();
        count(if answered { &mut statistics.retries_answered } else { &mut statistics.retries_ignored });
        Ok(())
    });
    counted.await
}

/// Puts the session with the device right, as far as the request says how.
fn first(unit: &mut Unit<'_>, request: &Request, sure: bool) -> Result<Step, StoreError> {
    let device = unit.canonical(&request.device)?;
    if request.chat.is_group() {
        match groups::resend::asked(unit, &request.chat, &device, sure)? {
            Asker::Member => {}
            Asker::Unknown => return Ok(Step::Members(request.chat.clone())),
            Asker::Stranger => return Ok(Step::Nothing("it is not a member's any more")),
        }
    }
    let Some(row) = find(unit, request)? else { return Ok(Step::Nothing("it is not known")) };
    if !groups::history::send::is_for(unit, &row, &device)? {
        return Ok(Step::Nothing("it is for other members"));
    }
    if row.chat.is_status() && status::resend::asked(unit, &row, &device)? != Asker::Member {
        return Ok(Step::Nothing("it is not of the audience"));
    }
    if sessions::is_this_device(unit, &device) {
        return Ok(Step::Nothing("it is this device's own"));
    }
    second(unit, request, false)
}

fn second(unit: &mut Unit<'_>, request: &Request, listed: bool) -> Result<Step, StoreError> {
    let device = unit.canonical(&request.device)?;
    let user = device.to_bare();
    let known = unit.device_list(&user)?;
    if !known.is_some_and(|list| list.devices.iter().any(|entry| entry.device == device.device())) {
        return Ok(if listed { Step::Nothing("the device does not exist") } else { Step::List(user) });
    }
    third(unit, request, false)
}

/// Takes the keys that came with the request. `asked`: the phone of the account was asked about them.
fn third(unit: &mut Unit<'_>, request: &Request, asked: bool) -> Result<Step, StoreError> {
    let device = unit.canonical(&request.device)?;
    match &request.keys {
        Some(Some(keys)) => {
            let session = unit.session(&device)?.and_then(|record| record.remote_registration_id());
            let moved = session.is_some_and(|id| id != keys.bundle.registration_id);
            if moved && unit.is_own(&device) {
                return Ok(Step::Nothing("the device was linked anew"));
            }
            if !asked && sessions::is_of_other_account(unit, &device, keys)? {
                return Ok(Step::Phone(device.to_bare()));
            }
            if !sessions::begin(unit, &device, keys)? {
                return Ok(Step::Nothing("the keys in the request are not usable"));
            }
        }
        Some(None) => return Ok(Step::Nothing("the keys in the request are malformed")),
        None if judge_session(unit, request, &device)? => {
            let wire = request.device.clone();
            return Ok(Step::Fetch(Target { key: device, wire }));
        }
        None => {}
    }
    compose(unit, request)
}

/// Without keys in the request, a session is given up that the other side evidently cannot use, but
/// once an hour at most. Returns whether a new one is to be begun from fetched keys.
fn judge_session(unit: &mut Unit<'_>, request: &Request, device: &Jid) -> Result<bool, StoreError> {
    let Some(record) = unit.session(device)? else { return Ok(false) };
    let base_key = record.base_key().map(|key| *key.as_bytes());
    let moved = request.registration_id.is_some_and(|id| record.remote_registration_id() != Some(id));
    let key = (device.clone(), request.message_id.clone());
    let stuck = match (request.count, base_key) {
        (0..=1, _) | (_, None) => false,
        (2, Some(base_key)) => {
            unit.changes.retry_base_keys.insert(key, base_key);
            false
        }
        (_, Some(base_key)) => unit.retry_base_key(device, &request.message_id)? == Some(base_key),
    };
    if !(moved || request.count >= 2) || !unit.may_renew(device) {
        return Ok(false);
    }
    if moved || stuck {
        unit.take_session(device)?;
    }
    Ok(true)
}

/// The row of the message. Rows of this unit of work cannot be asked for yet.
fn find(unit: &mut Unit<'_>, request: &Request) -> Result<Option<OutboxRow>, StoreError> {
    if !request.peer {
        return unit.outbox(&request.chat, &request.message_id);
    }
    // What is between own devices is nobody else's.
    if !unit.is_own(&request.device) {
        return Ok(None);
    }
    let content = unit.peer_messages().get(&request.message_id).map(<[u8]>::to_vec);
    Ok(content.map(|content| OutboxRow::new(request.chat.clone(), request.message_id.clone(), content, 0)))
}

fn compose(unit: &mut Unit<'_>, request: &Request) -> Result<Step, StoreError> {
    let Some(row) = find(unit, request)? else { return Ok(Step::Nothing("it is not known")) };
    let key = unit.canonical(&request.device)?;
    let target = Target { key, wire: request.device.clone() };
    let own = unit.is_own(&target.key);
    let group = request.chat.is_group() || request.chat.is_status();
    let for_few = groups::history::send::people(&row).is_some();
    let shared = request.chat.is_group() && !for_few || status::resend::is_shared(&row);
    if !own && !group && !unit.canonical(&row.chat)?.same_account(&target.key) {
        return Ok(Step::Nothing("it was not for that device"));
    }
    if !unit.has_session(&target.key)? {
        return Ok(Step::Fetch(target));
    }
    let chat = sessions::wire_user(unit, &request.chat, request.device.to_account().is_pn())?;
    let content = match own && !group && !request.peer {
        false if shared => groups::resend::content(unit, &row)?,
        false => row.content.clone(),
        true => match whimbrel_proto::decode::<Content>(&row.content) {
            Ok(message) => whimbrel_proto::encode(&unwrap::device_sent(&chat, message)),
            Err(_) => return Ok(Step::Nothing("its stored form is unreadable")),
        },
    };
    let Some(sealed) = send::seal_one(unit, target, content)? else {
        return Ok(Step::Nothing("it could not be encrypted"));
    };
    let again = Again {
        id: &request.message_id,
        group: groups::resend::address(&request.chat, &request.device),
        recipient: (own && !group && !request.peer).then_some(&chat),
        count: request.count,
        timestamp: row.confirmed_at,
        peer: request.peer,
        proof: unit.account.signed_identity.as_deref(),
        about: &match row.chat.is_status() {
            true => status::resend::about(&row, unit.now()),
            false => About::of(&row.content, unit.now()),
        },
    };
    Ok(Step::Stanza(Box::new(again.build(sealed))))
}

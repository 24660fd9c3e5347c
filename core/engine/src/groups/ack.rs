//! The service's word on a message to a group (delivery document §3.6).

use std::sync::Arc;

use whimbrel_wire::Jid;

use super::fanout::Manner;
use super::send::{self, HandedOut};
use crate::client::Inner;
use crate::connection::Connection;
use crate::devices::lists;
use crate::error::Error;
use crate::messages::stanza::{self, Ack};
use crate::messages::{Replies, Unit, outbox};
use crate::repair::Repair;
use crate::store::{OutboxRow, StoreError};

/// A message of which the service has other recipients in mind than this client had.
#[derive(PartialEq)]
pub(crate) struct Missed {
    group: Jid,
    message_id: String,
    manner: Manner,
}

/// The service has a message: who was handed the key with it holds it. If the service reckons with
/// other devices, they are looked for.
pub(crate) fn confirmed(
    unit: &mut Unit<'_>,
    row: &OutboxRow,
    ack: &Ack,
    handed: &HandedOut,
    replies: &mut Replies,
) -> Result<(), StoreError> {
    unit.key_handed_out(&row.chat, handed.key_id, &handed.devices)?;
    let addressing = ack.addressing.filter(|addressing| *addressing != handed.addressing);
    let phash = ack.phash.as_ref().filter(|phash| **phash != handed.phash);
    let differs = phash.is_some_and(|phash| unit.chase(&row.chat, phash));
    if differs || addressing.is_some() {
        tracing::info!("The service reckons with other devices of a group.");
        replies.repairs.push(Repair::Missed(Missed {
            group: row.chat.clone(),
            message_id: row.message_id.clone(),
            manner: Manner { refresh: true, addressing, only_missing: true },
        }));
    }
    Ok(())
}

/// The service does not let this account write: what is known of the group is not true any more.
pub(crate) fn refused(unit: &mut Unit<'_>, group: &Jid) -> Result<(), StoreError> {
    super::distrust(unit, group)
}

/// Looks the group up anew and sends a message again, under its id, to the devices that did not get
/// the key with it.
pub(crate) async fn reach(client: Arc<Inner>, connection: Arc<Connection>, missed: Missed) {
    if let Err(error) = try_to_reach(&client, &connection, &missed).await {
        // They ask for it themselves.
        tracing::warn!(%error, "Devices of a group that were missed could not be reached.");
    }
}

async fn try_to_reach(client: &Inner, connection: &Connection, missed: &Missed) -> Result<(), Error> {
    let Missed { group, message_id, manner } = missed;
    send::prepare(client, connection, group, *manner).await?;
    let made = client.unit(|unit| match outbox::find(unit.store, group, message_id)? {
        Some(row) => send::compose_for_missing(unit, &row, *manner),
        None => Ok(None),
    });
    let Some((stanza, handed)) = made.await? else { return Ok(()) };
    let ack = connection.send_awaiting_ack(*stanza, lists::TIMEOUT).await?;
    match stanza::ack(&ack) {
        Some(Ack { error: None, .. }) => {
            client.unit(|unit| unit.key_handed_out(group, handed.key_id, &handed.devices)).await
        }
        _ => Ok(()),
    }
}

//! The last resort: the phone hands over a collection that cannot be read (app-state document §7.4).
//!
//! What would make the phone throw all companions out is never sent.

use std::io::Read as _;
use std::sync::Arc;

use flate2::read::GzDecoder;
use whimbrel_appstate::{Collection, Recovery, SyncError};
use whimbrel_proto::e2e::message::peer_data_operation_request_message::SyncDCollectionFatalRecoveryRequest;
use whimbrel_proto::e2e::message::protocol_message::Type;
use whimbrel_proto::e2e::message::{
    PeerDataOperationRequestMessage, PeerDataOperationRequestResponseMessage, PeerDataOperationRequestType,
    ProtocolMessage,
};

use super::News;
use super::events::{StateTrouble, StateTroubled, StateWritten};
use super::keys::Ring;
use super::rows::{AppStateChange, CollectionRow, Standing};
use crate::client::Inner;
use crate::clock;
use crate::connection::Connection;
use crate::error::{Code, Error};
use crate::events::EventKind;
use crate::messages::Unit;
use crate::messages::peer::{self, Priority};
use crate::repair::Repair;

/// Octets of a collection that the phone hands over.
const LONGEST: u64 = 32 << 20;
/// How often the phone is asked for one collection, seconds.
const AGAIN: i64 = 24 * 3600;

/// Asks the phone for a collection. If it was asked a while ago, the collection is given up.
pub(super) async fn ask(
    client: &Inner,
    connection: &Connection,
    collection: Collection,
) -> Result<(), Error> {
    let row = client.store.app_state_collection(collection)?;
    let now = clock::now_seconds();
    if row.asked_at > 0 && now.saturating_sub(row.asked_at) < AGAIN {
        return give_up(client, collection, row).await;
    }
    let request = PeerDataOperationRequestMessage {
        peer_data_operation_request_type: Some(
            PeerDataOperationRequestType::CompanionSyncdSnapshotFatalRecovery.into(),
        ),
        syncd_collection_fatal_recovery_request: Some(SyncDCollectionFatalRecoveryRequest {
            collection_name: Some(collection.name().to_owned()),
            timestamp: Some(clock::now_ms()),
        }),
        ..PeerDataOperationRequestMessage::default()
    };
    let message = ProtocolMessage {
        r#type: Some(Type::PeerDataOperationRequestMessage.into()),
        peer_data_operation_request_message: Some(Box::new(request)),
        ..ProtocolMessage::default()
    };
    let sent = peer::send_to_phone(client, connection, message, Some(Priority::HighForce), |unit| {
        let row = CollectionRow { standing: Standing::AskedPhone, asked_at: now, ..row };
        unit.changes.app_state.push(AppStateChange::Collection(collection, row));
        trouble(unit, collection, StateTrouble::AskedPhone);
        Ok(true)
    });
    sent.await.map(drop)
}

fn trouble(unit: &mut Unit<'_>, collection: Collection, trouble: StateTrouble) {
    unit.event(EventKind::StateTrouble(StateTroubled { collection: Some(collection), trouble }));
}

/// Nothing helps. What the host wanted to be written there cannot be.
async fn give_up(client: &Inner, collection: Collection, row: CollectionRow) -> Result<(), Error> {
    let pending = client.store.app_state_pending()?;
    client
        .unit(|unit| {
            let row = CollectionRow { standing: Standing::GivenUp, ..row };
            unit.changes.app_state.push(AppStateChange::Collection(collection, row));
            trouble(unit, collection, StateTrouble::GivenUp);
            let mut told = None;
            for wish in pending.into_iter().filter(|wish| wish.collection == collection) {
                unit.changes.app_state.push(AppStateChange::Settled(wish.order));
                if told.as_ref() != Some(&wish.ticket) {
                    let written =
                        StateWritten { change: wish.ticket.clone(), error: Some(Code::AppStateLost) };
                    unit.event(EventKind::StateWritten(written));
                    told = Some(wish.ticket);
                }
            }
            Ok(())
        })
        .await
}

/// Takes collections out of what the phone answers.
pub(crate) fn answered(unit: &mut Unit<'_>, response: &PeerDataOperationRequestResponseMessage) {
    for result in &response.peer_data_operation_result {
        let Some(given) = &result.syncd_snapshot_fatal_recovery_response else { continue };
        let bytes = given.collection_snapshot.as_deref().unwrap_or_default();
        let mut plain = Vec::new();
        let inflated = match given.is_compressed.unwrap_or_default() {
            true => GzDecoder::new(bytes).take(LONGEST).read_to_end(&mut plain).is_ok(),
            false => {
                plain.extend_from_slice(bytes);
                true
            }
        };
        if inflated && !plain.is_empty() {
            unit.wish(Repair::AppState(News::Recovery(plain)));
        } else {
            tracing::warn!("A collection that the phone handed over is unreadable.");
        }
    }
}

/// Takes a collection that the phone handed over.
pub(super) async fn take(client: &Arc<Inner>, ring: &Ring, bytes: Vec<u8>) -> Result<(), Error> {
    let recovery = match Recovery::decode(&bytes) {
        Ok(recovery) => recovery,
        Err(error) => {
            tracing::warn!(%error, "A collection that the phone handed over is not what it should be.");
            return Ok(());
        }
    };
    let collection = recovery.collection;
    let row = client.store.app_state_collection(collection)?;
    // Only what was asked for is taken, and nothing that is older than what is held.
    if row.standing != Standing::AskedPhone || recovery.version() <= row.state.version {
        return Ok(());
    }
    match recovery.check(|id| ring.get(id)) {
        Ok(applied) => {
            super::fetch::replace(client, collection, row, applied).await?;
            let row = client.store.app_state_collection(collection)?;
            client
                .unit(|unit| {
                    let row = CollectionRow { standing: Standing::Good, ..row };
                    unit.changes.app_state.push(AppStateChange::Collection(collection, row));
                    trouble(unit, collection, StateTrouble::Recovered);
                    Ok(())
                })
                .await?;
            client.app_state.todo().fetch.insert(collection);
        }
        Err(SyncError::MissingKeys(_)) => client.app_state.todo().recoveries.push(bytes),
        Err(error) => tracing::warn!(%error, "A collection that the phone handed over does not fit."),
    }
    Ok(())
}

//! Handing a collection to a companion that cannot read it (app-state document §7.4).

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use whimbrel_appstate::Collection;
use whimbrel_proto::e2e::message::peer_data_operation_request_response_message::PeerDataOperationResult;
use whimbrel_proto::e2e::message::peer_data_operation_request_response_message::peer_data_operation_result::SyncDSnapshotFatalRecoveryResponse;
use whimbrel_proto::e2e::message::{
    PeerDataOperationRequestMessage, PeerDataOperationRequestResponseMessage, PeerDataOperationRequestType,
};
use whimbrel_proto::syncd::{SyncdPlainTextRecord, SyncdSnapshotRecovery, SyncdVersion};
use whimbrel_wire::Jid;

use crate::phone::{Phone, PhoneError, content};

/// Octets above which the collection is compressed.
const COMPRESSED: usize = 1024;

/// The collection that a companion asks for; `None` if it asks for something else.
pub(in crate::phone) fn wanted_collection(request: &PeerDataOperationRequestMessage) -> Option<Collection> {
    let kind = request.peer_data_operation_request_type();
    if kind != PeerDataOperationRequestType::CompanionSyncdSnapshotFatalRecovery {
        return None;
    }
    let wanted = request.syncd_collection_fatal_recovery_request.as_ref()?;
    Collection::named(wanted.collection_name.as_deref()?)
}

impl Phone {
    pub(in crate::phone) async fn hand_over_collection(
        &self,
        device: &Jid,
        request: &str,
        collection: Collection,
    ) -> Result<(), PhoneError> {
        if self.switches().no_recovery {
            return Ok(());
        }
        let plain = {
            let state = self.state();
            let Some(book) = state.app_state.books.get(&collection) else { return Ok(()) };
            let record = |held: &whimbrel_appstate::Held| SyncdPlainTextRecord {
                value: whimbrel_proto::decode(&held.entry.encode()).ok().map(Box::new),
                key_id: Some(held.key_id.as_bytes().to_vec()),
                mac: Some(held.value_mac.to_vec()),
            };
            SyncdSnapshotRecovery {
                version: Some(SyncdVersion { version: Some(book.state.version) }),
                collection_name: Some(collection.name().to_owned()),
                mutation_records: book.entries().map(record).collect(),
                collection_lthash: Some(book.state.hash.as_bytes().to_vec()),
            }
        };
        let plain = whimbrel_proto::encode(&plain);
        let compressed = plain.len() > COMPRESSED;
        let snapshot = if compressed {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(&plain).map_err(PhoneError::piece)?;
            encoder.finish().map_err(PhoneError::piece)?
        } else {
            plain
        };
        let response = PeerDataOperationRequestResponseMessage {
            peer_data_operation_request_type: Some(
                PeerDataOperationRequestType::CompanionSyncdSnapshotFatalRecovery.into(),
            ),
            stanza_id: Some(request.to_owned()),
            peer_data_operation_result: vec![PeerDataOperationResult {
                syncd_snapshot_fatal_recovery_response: Some(SyncDSnapshotFatalRecoveryResponse {
                    collection_snapshot: Some(snapshot),
                    is_compressed: Some(compressed),
                }),
                ..PeerDataOperationResult::default()
            }],
        };
        self.send_peer(device, &content::data(response)).await.map(drop)
    }
}

//! The announcement of a piece.

use whimbrel_proto::e2e::message::peer_data_operation_request_response_message::peer_data_operation_result::HistorySyncChunkRetryResponse;
use whimbrel_proto::e2e::message::{HistorySyncNotification, PeerDataOperationRequestResponseMessage};

use super::piece::{HistoryChange, PieceRow, Read};
use crate::messages::Unit;
use crate::store::StoreError;

/// Kinds that are announcements alone (media document §18.1): the phone hands nothing over, and whether
/// it grants access to messages.
const WITHOUT_PIECE: [i32; 2] = [7, 8];

/// Writes an announced piece down. Returns whether there is anything to read.
pub(crate) fn announced(
    unit: &mut Unit<'_>,
    message_id: &str,
    notification: &HistorySyncNotification,
) -> bool {
    if WITHOUT_PIECE.contains(&notification.sync_type.unwrap_or_default()) {
        return false;
    }
    let row = PieceRow {
        message_id: message_id.to_owned(),
        notification: whimbrel_proto::encode(notification),
        announced_at: unit.now(),
        read: Read::default(),
    };
    if let Some(original) = &notification.original_message_id {
        // It comes again, under another name.
        unit.changes.history.push(HistoryChange::Done(original.clone()));
    }
    unit.changes.history.push(HistoryChange::Announced(row));
    true
}

/// Takes answers of the phone that it will not make a damaged piece anew (media document §21.3). Returns
/// whether there is a piece to be given up.
pub(crate) fn refused(
    unit: &mut Unit<'_>,
    answer: &PeerDataOperationRequestResponseMessage,
) -> Result<bool, StoreError> {
    let refusals = answer.peer_data_operation_result.iter();
    let refusals = refusals.filter_map(|result| result.history_sync_chunk_retry_response.as_ref());
    let refusals: Vec<_> = refusals.filter(|refusal| refusal.can_recover != Some(true)).collect();
    if refusals.is_empty() {
        return Ok(false);
    }
    let mut given_up = false;
    for piece in unit.store.asked_pieces()? {
        let notification: HistorySyncNotification =
            whimbrel_proto::decode(&piece.notification).unwrap_or_default();
        if refusals.iter().any(|refusal| is_of(refusal, &notification)) {
            // As if it were asked for long ago.
            let read = Read { asked_at: 1, ..piece.read };
            unit.changes.history.push(HistoryChange::Read(piece.message_id, read));
            given_up = true;
        }
    }
    Ok(given_up)
}

fn is_of(refusal: &HistorySyncChunkRetryResponse, notification: &HistorySyncNotification) -> bool {
    refusal.sync_type == notification.sync_type && refusal.chunk_order == notification.chunk_order
}

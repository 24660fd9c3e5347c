//! The announcement of a piece.

use whimbrel_proto::e2e::message::HistorySyncNotification;

use super::piece::{HistoryChange, PieceRow, Read};
use crate::messages::Unit;

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

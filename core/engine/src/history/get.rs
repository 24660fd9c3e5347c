//! Getting a piece: with its announcement, from the media hosts, or anew from the phone; and deleting it
//! there when it is in the archive.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::time::Instant;
use whimbrel_content::kinds::media::Media;
use whimbrel_content::{MediaKind, MediaReference, Secret};
use whimbrel_proto::e2e::message::HistorySyncNotification;
use whimbrel_proto::e2e::message::peer_data_operation_request_message::HistorySyncChunkRetryRequest;
use whimbrel_proto::e2e::message::protocol_message::Type;
use whimbrel_proto::e2e::message::{
    PeerDataOperationRequestMessage, PeerDataOperationRequestType, ProtocolMessage,
};

use super::piece::{HistoryChange, PieceRow, Read};
use super::work::Failure;
use crate::client::Inner;
use crate::clock;
use crate::error::{Category, Code};
use crate::media::{self, Progress};
use crate::messages::peer::{self, Priority};
use crate::store::Changes;

/// How long a connection may take, and a download without getting on.
const PATIENCE: Duration = Duration::from_secs(3600);

/// Removes a piece that was downloaded.
pub(super) fn remove(file: Option<PathBuf>) {
    if let Some(error) = file.and_then(|file| std::fs::remove_file(file).err()) {
        tracing::warn!(%error, "A piece of the history that was read could not be removed.");
    }
}

/// Where a piece is read from.
pub(super) enum Place {
    /// It came with its announcement.
    Inline(Vec<u8>),
    /// It was downloaded.
    File(PathBuf),
}

/// Gets a piece.
pub(super) async fn fetch(
    client: &Arc<Inner>,
    piece: &PieceRow,
    notification: &HistorySyncNotification,
) -> Result<Place, Failure> {
    match &notification.initial_hist_bootstrap_inline_payload {
        Some(payload) if !payload.is_empty() => Ok(Place::Inline(payload.clone())),
        _ => download(client, piece, notification).await.map(Place::File),
    }
}

/// Downloads a piece beside the store, where it stays until it was read: a crash in between costs no
/// second download.
async fn download(
    client: &Arc<Inner>,
    piece: &PieceRow,
    notification: &HistorySyncNotification,
) -> Result<PathBuf, Failure> {
    let path = place(client, piece);
    if path.is_file() {
        return Ok(path);
    }
    let reference = MediaReference {
        kind: MediaKind::History,
        media: Media {
            direct_path: notification.direct_path.clone(),
            key: notification.media_key.clone().map(Secret::new),
            sha256: notification.file_sha256.clone(),
            encrypted_sha256: notification.file_enc_sha256.clone(),
            ..Media::default()
        },
        message: None,
    };
    // Without a link to the service nobody says where the media hosts are.
    client.wait_for_connection(Instant::now() + PATIENCE).await?;
    let progress = Progress::default();
    let fetching =
        media::fetch_piece(client, reference, path.clone(), progress.clone(), Instant::now() + PATIENCE);
    match super::progress::of_download(client, notification, &progress, fetching).await {
        Ok(()) => Ok(path),
        Err(error)
            if matches!(
                error.code(),
                Code::MediaCorrupt | Code::MediaNotAuthentic | Code::MediaMalformed | Code::MediaMismatch
            ) =>
        {
            tracing::warn!(%error, "A piece of the history is not what it should be.");
            Err(Failure::Corrupt)
        }
        Err(error)
            if error.code().category() == Category::Media && error.code() != Code::MediaUnreachable =>
        {
            tracing::warn!(%error, "A piece of the history cannot be downloaded.");
            Err(Failure::Gone)
        }
        Err(error) => Err(error.into()),
    }
}

/// Where a piece is put.
fn place(client: &Inner, piece: &PieceRow) -> PathBuf {
    let hash = Sha256::digest(piece.message_id.as_bytes());
    let mut name = std::ffi::OsString::from("-history-");
    for octet in hash.iter().take(8) {
        name.push(format!("{octet:02x}"));
    }
    match client.store.file() {
        Some(store) => {
            let mut path = store.as_os_str().to_owned();
            path.push(name);
            path.into()
        }
        None => {
            let mut path = std::ffi::OsString::from("whimbrel");
            path.push(name);
            client.options.temporary_folder().join(path)
        }
    }
}

/// Asks the phone to hand a piece over again (media document §9.4). It comes under another id.
pub(super) async fn ask_again(
    client: &Arc<Inner>,
    piece: &PieceRow,
    notification: &HistorySyncNotification,
) -> Result<(), Failure> {
    let key: Option<&[u8; 32]> = notification.media_key.as_deref().and_then(|key| key.try_into().ok());
    if let Some(key) = key {
        media::ask_for_piece(client, &piece.message_id, key).await?;
        tracing::info!("The phone is asked for a piece of the history again.");
    }
    let read = super::Read { asked_at: clock::now_seconds(), ..piece.read };
    let history = vec![HistoryChange::Read(piece.message_id.clone(), read)];
    client.commit.commit(Changes { history, ..Changes::default() }).await?;
    Ok(())
}

/// Asks the phone to make a damaged piece anew (media document §21.3). It comes under another id.
pub(super) async fn ask_anew(
    client: &Arc<Inner>,
    piece: &PieceRow,
    notification: &HistorySyncNotification,
) -> Result<(), Failure> {
    let request = HistorySyncChunkRetryRequest {
        sync_type: notification.sync_type,
        chunk_order: notification.chunk_order,
        chunk_notification_id: Some(piece.message_id.clone()),
        regenerate_chunk: Some(true),
    };
    let message = ProtocolMessage {
        r#type: Some(Type::PeerDataOperationRequestMessage.into()),
        peer_data_operation_request_message: Some(Box::new(PeerDataOperationRequestMessage {
            peer_data_operation_request_type: Some(
                PeerDataOperationRequestType::HistorySyncChunkRetry.into(),
            ),
            history_sync_chunk_retry_request: Some(request),
            ..PeerDataOperationRequestMessage::default()
        })),
        ..ProtocolMessage::default()
    };
    let connection = client.wait_for_connection(Instant::now() + PATIENCE).await?;
    let read = Read { asked_at: clock::now_seconds(), ..piece.read };
    let id = piece.message_id.clone();
    // Once: that it was asked for is durable with the request.
    let sent = peer::send_to_phone(client, &connection, message, Some(Priority::HighForce), move |unit| {
        unit.changes.history.push(HistoryChange::Read(id, read));
        Ok(true)
    });
    sent.await?;
    tracing::info!("The phone is asked to make a damaged piece of the history anew.");
    Ok(())
}

/// Deletes a piece that is in the archive from the media hosts. It may stay there: nobody but this device
/// can open it, and the hosts forget it by themselves.
pub(super) fn delete(client: &Arc<Inner>, notification: &HistorySyncNotification) {
    let hash: Option<[u8; 32]> =
        notification.file_enc_sha256.as_deref().and_then(|hash| hash.try_into().ok());
    let (Some(hash), Some(path)) = (hash, notification.direct_path.clone()) else { return };
    let (handle, client) = (notification.enc_handle.clone(), Arc::clone(client));
    client.clone().spawn(async move {
        let nonce = client.store.history_nonce().unwrap_or_default();
        let deletion = media::PieceDeletion { hash, path, handle, nonce };
        tokio::select! {
            deleted = media::delete_piece(&client, deletion) => if let Err(error) = deleted {
                tracing::info!(%error, "A piece of the history stays on the media hosts.");
            },
            () = super::work::closing(&client) => {}
        }
    });
}

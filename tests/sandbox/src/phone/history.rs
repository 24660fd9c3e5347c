//! Handing the past to a companion: in pieces, which are compressed, encrypted and uploaded, or come
//! with their announcement when they are small (media document §17, §18, §21).

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use whimbrel_crypto::media::{Encryptor, MediaKeys, MediaType, RetryKey};
use whimbrel_proto::e2e::Message;
use whimbrel_proto::e2e::message::peer_data_operation_request_message::{
    FullHistorySyncOnDemandRequest, HistorySyncChunkRetryRequest, HistorySyncOnDemandRequest,
};
use whimbrel_proto::e2e::message::peer_data_operation_request_response_message::peer_data_operation_result::FullHistorySyncOnDemandResponseCode as Word;
use whimbrel_proto::e2e::message::protocol_message::Type;
use whimbrel_proto::e2e::message::{
    FullHistorySyncOnDemandRequestMetadata, HistorySyncNotification, HistorySyncType, ProtocolMessage,
};
use whimbrel_proto::history::{HistorySync, Pushname, StickerMetadata, history_sync};
use whimbrel_wire::{Jid, Node};

use super::extras;
use super::keys::draw;
use super::media::MediaToSend;
use super::past::Past;
use super::records::FullHistory;
use super::{Phone, PhoneError, content, data};
use crate::media::{Incoming, Kind};
use crate::stanza;

/// Octets of a compressed piece that comes with its announcement.
const INLINE: usize = 64 << 10;

/// Messages that are handed over at a time when a companion asks for older ones.
const ON_DEMAND: u32 = 50;

/// A file on its way to the media host, encrypted as it is written.
struct Upload {
    encryptor: Encryptor,
    incoming: Incoming,
    sealed: Vec<u8>,
}

impl Write for Upload {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.sealed.clear();
        self.encryptor.update(bytes, &mut self.sealed);
        self.incoming.write(&self.sealed)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Pieces that are remembered, for companions that ask for one again.
const HANDED: usize = 64;

/// A companion's request for a piece that is gone.
#[derive(Debug)]
pub(crate) struct WantedPiece {
    id: String,
    device: Jid,
    sealed: Vec<u8>,
    nonce: [u8; 12],
}

/// Reads a receipt that asks for a piece again.
pub(super) fn read_request(receipt: &Node) -> Option<WantedPiece> {
    if !receipt.attr_is("type", "server-error") || !receipt.attr_is("category", "peer") {
        return None;
    }
    let encrypt = receipt.child_named("encrypt")?;
    Some(WantedPiece {
        id: stanza::id(receipt),
        device: receipt.attr_jid("from")?,
        sealed: encrypt.child_bytes("enc_p")?.to_vec(),
        nonce: stanza::octets(encrypt, "enc_iv")?,
    })
}

/// Which piece it is.
#[derive(Clone)]
struct Announcement {
    kind: history_sync::HistorySyncType,
    order: u32,
    progress: u32,
    request: Option<String>,
    /// The message that announced it first.
    original: Option<String>,
    /// The request for all of the history that it belongs to.
    full: Option<FullHistorySyncOnDemandRequestMetadata>,
}

/// A piece that was handed over.
#[derive(Clone)]
pub(crate) struct Handed {
    id: String,
    key: Option<Vec<u8>>,
    announcement: Announcement,
    contents: Contents,
}

impl std::fmt::Debug for Handed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handed").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What is in a piece.
#[derive(Clone)]
struct Contents {
    /// Chats, with which of their messages.
    chats: Vec<(u32, std::ops::Range<u32>)>,
    tail: HistorySync,
}

/// Writes a piece: what stands in its head, chat after chat, and what stands behind them. Each is a
/// part of the same message, so that none has to be held for the others.
fn write<W: Write>(
    out: W,
    past: &Past,
    now: u64,
    head: &HistorySync,
    contents: &Contents,
) -> std::io::Result<W> {
    let mut piece = ZlibEncoder::new(out, Compression::fast());
    piece.write_all(&whimbrel_proto::encode(head))?;
    for (chat, numbers) in &contents.chats {
        let chat = past.chat(now, *chat, numbers.clone());
        let part = HistorySync { conversations: vec![chat], ..HistorySync::default() };
        piece.write_all(&whimbrel_proto::encode(&part))?;
    }
    piece.write_all(&whimbrel_proto::encode(&contents.tail))?;
    piece.finish()
}

impl Phone {
    /// Gives the phone a past, which it hands to companions that are linked from now on.
    pub fn remember(&self, past: Past) {
        self.state().past = Some(past);
    }

    /// Hands a companion the past of the phone, if there is one.
    pub(super) async fn hand_over_past(&self, device: &Jid) -> Result<(), PhoneError> {
        let Some(past) = self.state().past.clone() else { return Ok(()) };
        let kind = history_sync::HistorySyncType::InitialBootstrap;
        let newest = past.messages.saturating_sub(past.newest)..past.messages;
        let all: Vec<u32> = (0..past.chats).collect();
        let chats = all.iter().map(|chat| (*chat, newest.clone())).collect();
        let nonce: [u8; 16] = draw(&mut self.state().rng);
        let nonce = nonce.iter().map(|octet| format!("{octet:02x}")).collect();
        let tail = HistorySync { companion_meta_nonce: Some(nonce), ..HistorySync::default() };
        let announcement =
            Announcement { kind, order: 1, progress: 5, request: None, original: None, full: None };
        self.hand_over(device, &past, announcement, Contents { chats, tail }).await?;
        // Baileys takes names from no other kind of piece.
        let tail = HistorySync { pushnames: Self::push_names(&past), ..HistorySync::default() };
        let kind = history_sync::HistorySyncType::PushName;
        let announcement =
            Announcement { kind, order: 1, progress: 5, request: None, original: None, full: None };
        self.hand_over(device, &past, announcement, Contents { chats: Vec::new(), tail }).await?;
        if past.extras {
            let stickers = self.recent_stickers()?;
            let tail = extras::others(&past, self.inner.clock.now(), stickers);
            let contents = Contents { chats: Vec::new(), tail };
            let kind = history_sync::HistorySyncType::NonBlockingData;
            let announcement =
                Announcement { kind, order: 1, progress: 5, request: None, original: None, full: None };
            self.hand_over(device, &past, announcement, contents).await?;
        }

        let oldest = past.messages.saturating_sub(past.recent.unwrap_or(past.messages));
        let pieces: Vec<&[u32]> = all.chunks(past.chats_in_piece.max(1) as usize).collect();
        for (index, piece) in pieces.iter().enumerate() {
            let chats = piece.iter().map(|chat| (*chat, oldest..past.messages)).collect();
            let tail = HistorySync { phone_number_to_lid_mappings: past.people(), ..HistorySync::default() };
            let last = index + 1 == pieces.len();
            let progress = if last { 100 } else { (index + 1) * 95 / pieces.len() };
            let announcement = Announcement {
                kind: history_sync::HistorySyncType::Recent,
                order: u32::try_from(index + 1).unwrap_or(u32::MAX),
                progress: u32::try_from(progress).unwrap_or(100),
                request: None,
                original: None,
                full: None,
            };
            self.hand_over(device, &past, announcement, Contents { chats, tail }).await?;
        }
        Ok(())
    }

    /// Two stickers that the phone used lately, the first one last.
    fn recent_stickers(&self) -> Result<Vec<StickerMetadata>, PhoneError> {
        let now_ms = i64::try_from(self.inner.clock.now()).unwrap_or_default().saturating_mul(1000);
        let sticker = |number: u8| {
            let media = MediaToSend {
                kind: MediaType::Sticker,
                mimetype: "image/webp".to_owned(),
                bytes: vec![number; 64],
                caption: None,
            };
            let message = self.media_message(&media)?.sticker_message.unwrap_or_default();
            Ok(StickerMetadata {
                url: message.url,
                file_sha256: message.file_sha256,
                file_enc_sha256: message.file_enc_sha256,
                media_key: message.media_key,
                mimetype: message.mimetype,
                height: Some(512),
                width: Some(512),
                direct_path: message.direct_path,
                file_length: message.file_length,
                weight: Some(1.0),
                last_sticker_sent_ts: Some(now_ms.saturating_sub(i64::from(number) * 1000)),
                ..StickerMetadata::default()
            })
        };
        (1..=2).map(sticker).collect()
    }

    fn push_names(past: &Past) -> Vec<Pushname> {
        let name = |chat| Pushname {
            id: Some(Past::address(chat)),
            pushname: Some(if chat == 1 { "-".to_owned() } else { format!("Person {chat}") }),
        };
        (0..past.chats.min(50)).filter(|chat| !Past::is_group(*chat)).map(name).collect()
    }

    /// Answers a companion that asks for older messages of a chat.
    pub(super) async fn hand_over_older(
        &self,
        device: &Jid,
        id: &str,
        request: &HistorySyncOnDemandRequest,
    ) -> Result<(), PhoneError> {
        let Some(past) = self.state().past.clone() else { return Ok(()) };
        let count = request.on_demand_msg_count.and_then(|count| u32::try_from(count).ok());
        let chat = request.chat_jid.as_deref().unwrap_or_default();
        let oldest = request.oldest_msg_id.as_deref().unwrap_or_default();
        let found = past.before(chat, oldest, count.unwrap_or(ON_DEMAND));
        let chats = found.into_iter().collect();
        let contents = Contents { chats, tail: HistorySync::default() };
        let announcement = Announcement {
            kind: history_sync::HistorySyncType::OnDemand,
            order: 1,
            progress: 100,
            request: Some(id.to_owned()),
            original: None,
            full: None,
        };
        self.hand_over(device, &past, announcement, contents).await
    }

    /// Answers a companion that asks for all of the history, and hands it over if the phone shall.
    pub(super) async fn hand_over_full(
        &self,
        device: &Jid,
        id: &str,
        request: &FullHistorySyncOnDemandRequest,
    ) -> Result<(), PhoneError> {
        let word = match self.state().switches.full_history {
            FullHistory::Private => Word::ErrorRequestOnNonSmbPrimary,
            FullHistory::Give => Word::RequestSuccess,
            FullHistory::Decline => Word::DeclinedSharingHistory,
            FullHistory::Ignore => return Ok(()),
        };
        self.send_peer(device, &content::data(data::full_history(id, request, word))).await?;
        let Some(past) = self.state().past.clone().filter(|_| word == Word::RequestSuccess) else {
            return Ok(());
        };
        let days = request.full_history_sync_on_demand_config.and_then(|config| config.history_duration_days);
        let oldest = match days {
            None => 0,
            Some(days) => {
                let kept = u64::from(days) * 86_400 / past.pace.max(1);
                past.messages.saturating_sub(u32::try_from(kept).unwrap_or(u32::MAX))
            }
        };
        let all: Vec<u32> = (0..past.chats).collect();
        let pieces: Vec<&[u32]> = all.chunks(past.chats_in_piece.max(1) as usize).collect();
        for (index, piece) in pieces.iter().enumerate() {
            let chats = piece.iter().map(|chat| (*chat, oldest..past.messages)).collect();
            let announcement = Announcement {
                kind: history_sync::HistorySyncType::Full,
                order: u32::try_from(index + 1).unwrap_or(u32::MAX),
                progress: u32::try_from((index + 1) * 100 / pieces.len()).unwrap_or(100),
                request: None,
                original: None,
                full: request.request_metadata.clone(),
            };
            let contents = Contents { chats, tail: HistorySync::default() };
            self.hand_over(device, &past, announcement, contents).await?;
        }
        Ok(())
    }

    /// Makes a piece, puts it where the companion finds it, and announces it.
    async fn hand_over(
        &self,
        device: &Jid,
        past: &Past,
        announcement: Announcement,
        contents: Contents,
    ) -> Result<(), PhoneError> {
        let making = {
            let (phone, past) = (self.clone(), past.clone());
            let (announcement, contents) = (announcement.clone(), contents.clone());
            // Large pieces take seconds to make.
            tokio::task::spawn_blocking(move || phone.make(&past, announcement, &contents))
        };
        let notification = making.await.map_err(|error| PhoneError::Piece(error.to_string()))??;
        let key = notification.media_key.clone();
        let message = Message {
            protocol_message: Some(Box::new(ProtocolMessage {
                r#type: Some(Type::HistorySyncNotification.into()),
                history_sync_notification: Some(Box::new(notification)),
                ..ProtocolMessage::default()
            })),
            ..Message::default()
        };
        let id = self.send_peer(device, &message).await?;
        let mut state = self.state();
        state.handed.push_back(Handed { id, key, announcement, contents });
        if state.handed.len() > HANDED {
            state.handed.pop_front();
        }
        Ok(())
    }

    /// Makes a piece anew for a companion to which it came damaged; one that the phone has forgotten, or shall
    /// not make, is refused (media document §21.3).
    pub(super) async fn make_again(
        &self,
        device: &Jid,
        id: &str,
        wanted: &HistorySyncChunkRetryRequest,
    ) -> Result<(), PhoneError> {
        let (past, handed) = {
            let state = self.state();
            let of = wanted.chunk_notification_id.as_deref().unwrap_or_default();
            (state.past.clone(), state.handed.iter().find(|handed| handed.id == of).cloned())
        };
        let refuses = self.state().switches.refuse_pieces;
        match (past, handed) {
            (Some(past), Some(handed)) if !refuses => {
                let announcement = Announcement { original: Some(handed.id), ..handed.announcement };
                self.hand_over(device, &past, announcement, handed.contents).await
            }
            _ => self.send_peer(device, &content::data(data::refused_piece(id, wanted))).await.map(drop),
        }
    }

    /// Hands a piece over again, for a companion to which it is gone: with another key, under another id.
    pub(super) async fn hand_over_again(&self, wanted: &WantedPiece) -> Result<(), PhoneError> {
        let (past, handed) = {
            let state = self.state();
            (state.past.clone(), state.handed.iter().find(|handed| handed.id == wanted.id).cloned())
        };
        let (Some(past), Some(handed)) = (past, handed) else { return Ok(()) };
        // Whoever asks shows that it had the piece by its key.
        let opens = handed
            .key
            .as_deref()
            .and_then(|key| <&[u8; 32]>::try_from(key).ok())
            .and_then(|key| RetryKey::new(key).ok())
            .and_then(|key| key.open(&wanted.nonce, &wanted.id, &wanted.sealed).ok())
            .is_some();
        if !opens {
            return Ok(());
        }
        let announcement = Announcement { original: Some(handed.id), ..handed.announcement };
        let device = self.lid().with_device(wanted.device.device());
        self.hand_over(&device, &past, announcement, handed.contents).await
    }

    fn make(
        &self,
        past: &Past,
        announcement: Announcement,
        contents: &Contents,
    ) -> Result<HistorySyncNotification, PhoneError> {
        let now = self.inner.clock.now();
        let Announcement { kind, order, progress, request, original, full } = announcement;
        let head = HistorySync {
            sync_type: Some(kind.into()),
            chunk_order: Some(order),
            progress: Some(progress),
            ..HistorySync::default()
        };
        let messages: u64 = contents.chats.iter().map(|(_, numbers)| numbers.len() as u64).sum();
        let sync_type = match kind {
            history_sync::HistorySyncType::Recent => HistorySyncType::Recent,
            history_sync::HistorySyncType::Full => HistorySyncType::Full,
            history_sync::HistorySyncType::OnDemand => HistorySyncType::OnDemand,
            history_sync::HistorySyncType::PushName => HistorySyncType::PushName,
            history_sync::HistorySyncType::NonBlockingData => HistorySyncType::NonBlockingData,
            _ => HistorySyncType::InitialBootstrap,
        };
        let damaged = {
            let mut state = self.state();
            let left = state.switches.damage_pieces.checked_sub(1);
            state.switches.damage_pieces = left.unwrap_or_default();
            left.is_some()
        };
        let told = HistorySyncNotification {
            sync_type: Some(sync_type.into()),
            chunk_order: Some(order),
            progress: Some(progress),
            peer_data_request_session_id: request,
            original_message_id: original,
            full_history_sync_on_demand_request_metadata: full,
            ..HistorySyncNotification::default()
        };
        // What is surely large is not tried in memory.
        if !past.uploaded && messages < 2_000 {
            let mut bytes = write(Vec::new(), past, now, &head, contents).map_err(PhoneError::piece)?;
            if damaged {
                bytes.truncate(bytes.len() / 2);
            }
            if bytes.len() <= INLINE {
                return Ok(HistorySyncNotification {
                    file_length: Some(bytes.len() as u64),
                    initial_hist_bootstrap_inline_payload: Some(bytes),
                    ..told
                });
            }
        }
        let key: [u8; 32] = draw(&mut self.state().rng);
        let keys = MediaKeys::expand(&key, MediaType::History);
        let upload =
            Upload { encryptor: Encryptor::new(&keys), incoming: Incoming::new(), sealed: Vec::new() };
        let upload = if damaged {
            let mut upload = upload;
            let bytes = write(Vec::new(), past, now, &head, contents).map_err(PhoneError::piece)?;
            upload.write_all(bytes.get(..bytes.len() / 2).unwrap_or_default()).map_err(PhoneError::piece)?;
            upload
        } else {
            write(upload, past, now, &head, contents).map_err(PhoneError::piece)?
        };
        let Upload { encryptor, mut incoming, mut sealed } = upload;
        sealed.clear();
        let made = encryptor.finish(&mut sealed);
        incoming.write(&sealed).map_err(PhoneError::piece)?;
        let (hash, blob) = incoming.finish();
        let kind = Kind::encrypted(MediaType::History.name());
        let path = self.inner.media.keep(&kind, hash, blob);
        Ok(HistorySyncNotification {
            file_sha256: Some(made.file_sha256.to_vec()),
            file_length: Some(made.file_length),
            media_key: Some(key.to_vec()),
            file_enc_sha256: Some(made.file_enc_sha256.to_vec()),
            direct_path: Some(path),
            // Opaque to companions.
            enc_handle: Some(format!("handle/{}", order)),
            ..told
        })
    }
}

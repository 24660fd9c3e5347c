//! Files in messages: a phone sends them, opens those that come, and uploads them again when a
//! companion asks for it (media document §9, §25).

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use whimbrel_crypto::media::{Decryptor, Encryptor, Expected, MediaKeys, MediaType, RetryKey};
use whimbrel_proto::e2e::Message as Plain;
use whimbrel_proto::e2e::message::{
    AudioMessage, DocumentMessage, FutureProofMessage, ImageMessage, StickerMessage, VideoMessage,
};
use whimbrel_proto::media::{MediaRetryNotification, ServerErrorReceipt, media_retry_notification};
use whimbrel_wire::{Jid, Node};

use super::keys::draw;
use super::state::State;
use super::{Phone, PhoneError};
use crate::events::Event;
use crate::media::Kind;
use crate::stanza;

/// Files remembered; the oldest go first.
const KEPT: usize = 2_000;

/// A file that a phone shall send.
#[derive(Debug, Clone)]
pub struct MediaToSend {
    /// What it is to the message: picture, film, voice note …
    pub kind: MediaType,
    /// What the file is.
    pub mimetype: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Words below it, where there can be some.
    pub caption: Option<String>,
}

/// A file of a message, decrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedMedia {
    /// Id of the message.
    pub id: String,
    /// What it is to the message.
    pub kind: MediaType,
    /// What the file is.
    pub mimetype: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// What a phone remembers of a message's file.
#[derive(Clone)]
pub(crate) struct Held {
    kind: MediaType,
    mimetype: String,
    key: [u8; 32],
    enc_sha256: [u8; 32],
    sha256: [u8; 32],
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Held").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// Files by the id of their message.
#[derive(Debug, Default)]
pub(crate) struct HeldMedia {
    files: BTreeMap<String, Held>,
    order: VecDeque<String>,
}

impl HeldMedia {
    /// Remembers the file of a message, if there is one. Tells whether there is.
    pub(crate) fn note(&mut self, id: &str, message: &Plain) -> bool {
        let Some(held) = file_of(message) else { return false };
        if self.files.insert(id.to_owned(), held).is_none() {
            self.order.push_back(id.to_owned());
        }
        if self.order.len() > KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.files.remove(&oldest);
        }
        true
    }
}

/// The file of a message, through the wrappers around it.
fn file_of(message: &Plain) -> Option<Held> {
    if let Some(sent) = &message.device_sent_message {
        return file_of(sent.message.as_deref()?);
    }
    let wrapped: [&Option<Box<FutureProofMessage>>; 5] = [
        &message.ephemeral_message,
        &message.view_once_message,
        &message.view_once_message_v2,
        &message.view_once_message_v2_extension,
        &message.document_with_caption_message,
    ];
    if let Some(wrapper) = wrapped.into_iter().find_map(Option::as_deref) {
        return file_of(wrapper.message.as_deref()?);
    }
    let held = |kind,
                mimetype: &Option<String>,
                key: &Option<Vec<u8>>,
                enc: &Option<Vec<u8>>,
                plain: &Option<Vec<u8>>| {
        let octets = |bytes: &Option<Vec<u8>>| bytes.as_deref()?.try_into().ok();
        Some(Held {
            kind,
            mimetype: mimetype.clone().unwrap_or_default(),
            key: octets(key)?,
            enc_sha256: octets(enc)?,
            sha256: octets(plain)?,
        })
    };
    if let Some(file) = &message.image_message {
        return held(
            MediaType::Image,
            &file.mimetype,
            &file.media_key,
            &file.file_enc_sha256,
            &file.file_sha256,
        );
    }
    if let Some((file, round)) = message
        .video_message
        .as_ref()
        .map(|file| (file, false))
        .or_else(|| message.ptv_message.as_ref().map(|file| (file, true)))
    {
        let kind = match (round, file.gif_playback.unwrap_or_default()) {
            (true, _) => MediaType::Ptv,
            (false, true) => MediaType::Gif,
            (false, false) => MediaType::Video,
        };
        return held(kind, &file.mimetype, &file.media_key, &file.file_enc_sha256, &file.file_sha256);
    }
    if let Some(file) = &message.audio_message {
        let kind = if file.ptt.unwrap_or_default() { MediaType::Ptt } else { MediaType::Audio };
        return held(kind, &file.mimetype, &file.media_key, &file.file_enc_sha256, &file.file_sha256);
    }
    if let Some(file) = &message.document_message {
        return held(
            MediaType::Document,
            &file.mimetype,
            &file.media_key,
            &file.file_enc_sha256,
            &file.file_sha256,
        );
    }
    let file = message.sticker_message.as_ref()?;
    held(MediaType::Sticker, &file.mimetype, &file.media_key, &file.file_enc_sha256, &file.file_sha256)
}

/// How a phone answers a companion that asks for a file again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaRetry {
    /// It uploads the file, if it has it.
    #[default]
    Upload,
    /// It has not got it.
    NotFound,
    /// Something went wrong.
    GeneralError,
    /// Something went wrong, said outside the encryption.
    ErrorNode,
    /// The answer names another message inside than outside.
    OtherMessage,
    /// It says nothing.
    Silent,
}

/// A companion's request for a file.
#[derive(Debug)]
pub(crate) struct Wanted {
    id: String,
    device: Jid,
    sealed: Option<(Vec<u8>, [u8; 12])>,
    rmr: Option<Node>,
}

/// Reads a receipt that asks for a file again.
pub(super) fn read_request(receipt: &Node) -> Option<Wanted> {
    if !receipt.attr_is("type", "server-error") || receipt.attr_is("category", "peer") {
        return None;
    }
    let sealed = receipt.child_named("encrypt").and_then(|encrypt| {
        Some((encrypt.child_bytes("enc_p")?.to_vec(), stanza::octets(encrypt, "enc_iv")?))
    });
    Some(Wanted {
        id: stanza::id(receipt),
        device: receipt.attr_jid("from")?,
        sealed,
        rmr: receipt.child_named("rmr").cloned(),
    })
}

impl Phone {
    /// Sends a file to a phone number, to the address of a person or to that of a group. Returns the
    /// message's id.
    pub async fn send_media(&self, to: &str, media: &MediaToSend) -> Result<String, PhoneError> {
        let message = self.media_message(media)?;
        self.send_message(to, message).await
    }

    /// Uploads a file and makes the message around it.
    pub fn media_message(&self, media: &MediaToSend) -> Result<Plain, PhoneError> {
        let key: [u8; 32] = draw(&mut self.state().rng);
        let keys = MediaKeys::expand(&key, media.kind);
        let mut encryptor = Encryptor::new(&keys);
        if media.kind.has_sidecar() {
            encryptor = encryptor.with_sidecar(&keys);
        }
        let mut blob = Vec::new();
        encryptor.update(&media.bytes, &mut blob);
        let made = encryptor.finish(&mut blob);
        let kind = Kind::encrypted(media.kind.name());
        let (_, path) = self.inner.media.put(&kind, &blob).map_err(|_| PhoneError::UnknownMessage)?;
        let url = None;
        let (mimetype, caption) = (Some(media.mimetype.clone()), media.caption.clone());
        let (sha256, enc_sha256) = (Some(made.file_sha256.to_vec()), Some(made.file_enc_sha256.to_vec()));
        let (length, media_key, direct_path) = (Some(made.file_length), Some(key.to_vec()), Some(path));
        let media_key_timestamp = i64::try_from(self.inner.clock.now()).ok();
        let video = || VideoMessage {
            url: url.clone(),
            mimetype: mimetype.clone(),
            caption: caption.clone(),
            file_sha256: sha256.clone(),
            file_enc_sha256: enc_sha256.clone(),
            file_length: length,
            media_key: media_key.clone(),
            media_key_timestamp,
            direct_path: direct_path.clone(),
            seconds: Some(1),
            gif_playback: (media.kind == MediaType::Gif).then_some(true),
            streaming_sidecar: made.streaming_sidecar.clone(),
            ..VideoMessage::default()
        };
        let mut message = Plain::default();
        match media.kind {
            MediaType::Video | MediaType::Gif => message.video_message = Some(Box::new(video())),
            MediaType::Ptv => message.ptv_message = Some(Box::new(video())),
            MediaType::Audio | MediaType::Ptt => {
                message.audio_message = Some(Box::new(AudioMessage {
                    url,
                    mimetype,
                    file_sha256: sha256,
                    file_enc_sha256: enc_sha256,
                    file_length: length,
                    media_key,
                    media_key_timestamp,
                    direct_path,
                    seconds: Some(1),
                    ptt: (media.kind == MediaType::Ptt).then_some(true),
                    streaming_sidecar: made.streaming_sidecar,
                    ..AudioMessage::default()
                }));
            }
            MediaType::Sticker => {
                message.sticker_message = Some(Box::new(StickerMessage {
                    url,
                    mimetype,
                    file_sha256: sha256,
                    file_enc_sha256: enc_sha256,
                    file_length: length,
                    media_key,
                    media_key_timestamp,
                    direct_path,
                    ..StickerMessage::default()
                }));
            }
            MediaType::Image => {
                message.image_message = Some(Box::new(ImageMessage {
                    url,
                    mimetype,
                    caption,
                    file_sha256: sha256,
                    file_enc_sha256: enc_sha256,
                    file_length: length,
                    media_key,
                    media_key_timestamp,
                    direct_path,
                    ..ImageMessage::default()
                }));
            }
            _ => {
                message.document_message = Some(Box::new(DocumentMessage {
                    url,
                    mimetype,
                    caption,
                    file_name: Some("file".to_owned()),
                    file_sha256: sha256,
                    file_enc_sha256: enc_sha256,
                    file_length: length,
                    media_key,
                    media_key_timestamp,
                    direct_path,
                    ..DocumentMessage::default()
                }));
            }
        }
        Ok(message)
    }

    /// The next file that came in a message, or that a companion sent, decrypted and checked.
    pub async fn wait_media(&self, id: &str, deadline: Duration) -> Result<OpenedMedia, PhoneError> {
        let found = self.inner.media_seen.wait_for(0, deadline, |seen| seen == id).await;
        found.ok_or(PhoneError::Timeout)?;
        self.open_media(id)
    }

    /// The file of a message that this phone received or sent.
    pub fn open_media(&self, id: &str) -> Result<OpenedMedia, PhoneError> {
        let held = self.state().media.files.get(id).cloned().ok_or(PhoneError::UnknownMessage)?;
        let blob = self.inner.media.content(&held.enc_sha256).ok_or(PhoneError::UnknownMessage)?;
        let expected = Expected { file_enc_sha256: Some(held.enc_sha256), file_sha256: Some(held.sha256) };
        let mut decryptor = Decryptor::new(&MediaKeys::expand(&held.key, held.kind), &expected);
        let mut bytes = Vec::new();
        decryptor.update(&blob, &mut bytes);
        decryptor.finish(&mut bytes).map_err(|_| PhoneError::UnknownMessage)?;
        Ok(OpenedMedia { id: id.to_owned(), kind: held.kind, mimetype: held.mimetype, bytes })
    }

    /// Answers a companion that asks for a file again.
    pub(super) async fn upload_again(&self, wanted: &Wanted) -> Result<(), PhoneError> {
        use media_retry_notification::ResultType;
        let (answer, result) = {
            let mut state = self.state();
            let State { media, switches, rng, .. } = &mut *state;
            let how = switches.media_retry;
            let held = media.files.get(&wanted.id);
            let key = held.and_then(|held| RetryKey::new(&held.key).ok());
            let opens = |key: &RetryKey| {
                let Some((sealed, nonce)) = &wanted.sealed else { return true };
                let opened = key.open(nonce, &wanted.id, sealed).ok();
                let request =
                    opened.and_then(|text| whimbrel_proto::decode::<ServerErrorReceipt>(&text).ok());
                request.is_some_and(|request| request.stanza_id.as_ref() == Some(&wanted.id))
            };
            let (result, path) = match (how, held, &key) {
                (MediaRetry::Silent, ..) => return Ok(()),
                (MediaRetry::GeneralError | MediaRetry::ErrorNode, ..) => (ResultType::GeneralError, None),
                (MediaRetry::Upload | MediaRetry::OtherMessage, Some(held), Some(key)) if opens(key) => {
                    match self.inner.media.path(&held.enc_sha256) {
                        Some(path) => (ResultType::Success, Some(path)),
                        None => (ResultType::NotFound, None),
                    }
                }
                (MediaRetry::Upload | MediaRetry::OtherMessage, Some(_), _) => {
                    (ResultType::DecryptionError, None)
                }
                _ => (ResultType::NotFound, None),
            };
            let inside = if how == MediaRetry::OtherMessage { "another" } else { &wanted.id };
            let text = whimbrel_proto::encode(&MediaRetryNotification {
                stanza_id: Some(inside.to_owned()),
                direct_path: path,
                result: Some(result.into()),
                message_secret: None,
            });
            let nonce: [u8; 12] = draw(rng);
            let sealed =
                key.filter(|_| how != MediaRetry::ErrorNode && result != ResultType::DecryptionError);
            let sealed = sealed.and_then(|key| key.seal(&nonce, &wanted.id, &text).ok());
            let answer = match sealed {
                Some(sealed) => Node::new("encrypt")
                    .child(Node::new("enc_p").bytes(sealed))
                    .child(Node::new("enc_iv").bytes(nonce.to_vec())),
                // Without the key, or told so by a test, the phone can only say it openly.
                None => Node::new("error").attr("code", i32::from(result).unsigned_abs()),
            };
            (answer, result)
        };
        let notification = Node::new("notification")
            .attr("id", wanted.id.clone())
            .attr("type", "mediaretry")
            .attr("to", wanted.device.clone())
            .child(answer)
            .child_opt(wanted.rmr.clone());
        let (number, id) = (self.number().to_owned(), wanted.id.clone());
        self.inner.events.push(Event::MediaUploadedAgain { number, id, result: result.into() });
        self.inner.line.send(notification).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_found_in_its_wrappers() {
        let image = ImageMessage {
            media_key: Some(vec![1; 32]),
            file_sha256: Some(vec![2; 32]),
            file_enc_sha256: Some(vec![3; 32]),
            ..ImageMessage::default()
        };
        let message = Plain { image_message: Some(Box::new(image)), ..Plain::default() };
        let wrapper = FutureProofMessage { message: Some(Box::new(message)) };
        let once = Plain { view_once_message_v2: Some(Box::new(wrapper)), ..Plain::default() };
        let held = file_of(&once).unwrap();
        assert_eq!((held.kind, held.enc_sha256), (MediaType::Image, [3; 32]));
        assert!(!format!("{held:?}").contains("1, 1"));
        assert!(file_of(&Plain::default()).is_none());
    }
}

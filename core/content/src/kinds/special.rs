//! Forms of statuses and channels, shared history, answers of the AI, music, and what a companion
//! cannot see (messages document §9.7, §9.8, §12, §13, §14).

use whimbrel_proto::e2e::message::{
    ConditionalRevealMessage, MessageHistoryBundle, MessageHistoryMetadata, MessageHistoryNotice,
    MusicMessage, QuestionResponseMessage, StatusNotificationMessage, StatusQuestionAnswerMessage,
    StatusQuotedMessage, StatusStickerInteractionMessage,
};
use whimbrel_proto::e2e::{AiRichResponseMessage, EmbeddedMusic};
use whimbrel_wire::Jid;

pub use crate::names::StatusNotificationType;

use super::media::Media;
use crate::key::{Key, jid};
use crate::secret::Secret;

/// Past messages that a new member gets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GroupHistory {
    /// The file; absent in the notice to the group.
    pub media: Option<Media>,
    /// Who got them.
    pub receivers: Vec<Jid>,
    /// How many messages there are.
    pub message_count: Option<i64>,
    /// Server time of the oldest one, in seconds since 1970.
    pub oldest_at: Option<i64>,
}

impl GroupHistory {
    fn described(media: Option<Media>, about: Option<MessageHistoryMetadata>) -> Self {
        let about = about.unwrap_or_default();
        Self {
            media,
            receivers: about.history_receivers.into_iter().filter_map(|user| jid(Some(user))).collect(),
            message_count: about.message_count,
            oldest_at: about.oldest_message_timestamp_in_window,
        }
    }

    fn about(&self) -> MessageHistoryMetadata {
        MessageHistoryMetadata {
            history_receivers: self.receivers.iter().map(Jid::to_string).collect(),
            message_count: self.message_count,
            oldest_message_timestamp_in_window: self.oldest_at,
            ..MessageHistoryMetadata::default()
        }
    }

    pub(crate) fn read(bundle: MessageHistoryBundle) -> Self {
        let media = Media {
            url: None,
            direct_path: bundle.direct_path,
            key: bundle.media_key.map(Secret::new),
            key_timestamp: bundle.media_key_timestamp,
            sha256: bundle.file_sha256,
            encrypted_sha256: bundle.file_enc_sha256,
            length: None,
            mimetype: bundle.mimetype,
        };
        Self::described(Some(media), bundle.message_history_metadata)
    }

    pub(crate) fn read_notice(notice: MessageHistoryNotice) -> Self {
        Self::described(None, notice.message_history_metadata)
    }

    pub(crate) fn write(self) -> MessageHistoryBundle {
        let about = self.about();
        let media = self.media.unwrap_or_default();
        MessageHistoryBundle {
            direct_path: media.direct_path,
            media_key: media.key.map(|key| key.to_wire()),
            media_key_timestamp: media.key_timestamp,
            file_sha256: media.sha256,
            file_enc_sha256: media.encrypted_sha256,
            mimetype: media.mimetype,
            message_history_metadata: Some(about),
            ..MessageHistoryBundle::default()
        }
    }

    pub(crate) fn write_notice(&self) -> MessageHistoryNotice {
        MessageHistoryNotice {
            message_history_metadata: Some(self.about()),
            ..MessageHistoryNotice::default()
        }
    }
}

/// A rich answer of the AI; the raw form has more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AiRich {
    /// Its words, one after the other.
    pub text: String,
    /// Its pieces of code: language and lines.
    pub code: Vec<(Option<String>, String)>,
    /// The newer form of all of it, JSON.
    pub unified: Option<Vec<u8>>,
}

impl AiRich {
    pub(crate) fn read(answer: AiRichResponseMessage) -> Self {
        let mut read =
            Self { unified: answer.unified_response.and_then(|unified| unified.data), ..Self::default() };
        for part in answer.submessages {
            read.text.push_str(&part.message_text.unwrap_or_default());
            if let Some(code) = part.code_metadata {
                let lines = code.code_blocks.into_iter().filter_map(|block| block.code_content);
                read.code.push((code.code_language, lines.collect()));
            }
        }
        read
    }
}

/// A piece of music.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Music {
    /// Its name.
    pub title: Option<String>,
    /// Who made it.
    pub author: Option<String>,
    /// Its id.
    pub song_id: Option<String>,
    /// Where it is.
    pub song_uri: Option<String>,
    /// Where its picture is.
    pub artwork_uri: Option<String>,
    /// Number of the way it is drawn.
    pub style: Option<i32>,
}

impl Music {
    pub(crate) fn read(music: MusicMessage) -> Self {
        let song = music.embedded_music.map(|song| *song).unwrap_or_default();
        Self {
            title: song.title,
            author: song.author,
            song_id: song.song_id,
            song_uri: music.song_uri,
            artwork_uri: music.artwork_uri,
            style: music.style,
        }
    }

    pub(crate) fn write(self) -> MusicMessage {
        let song = EmbeddedMusic {
            title: self.title,
            author: self.author,
            song_id: self.song_id,
            ..EmbeddedMusic::default()
        };
        MusicMessage {
            embedded_music: Some(Box::new(song)),
            song_uri: self.song_uri,
            artwork_uri: self.artwork_uri,
            style: self.style,
            ..MusicMessage::default()
        }
    }
}

/// A message that will be readable later, when its key comes.
#[derive(Clone, Debug, PartialEq)]
pub struct Scheduled {
    /// The content, encrypted.
    pub payload: Vec<u8>,
    /// Its nonce.
    pub nonce: Vec<u8>,
    /// Id of the key that will come.
    pub key_id: Option<String>,
}

impl Scheduled {
    pub(crate) fn read(message: ConditionalRevealMessage) -> Self {
        Self {
            payload: message.enc_payload.unwrap_or_default(),
            nonce: message.enc_iv.unwrap_or_default(),
            key_id: message.reveal_key_id,
        }
    }

    pub(crate) fn write(self) -> ConditionalRevealMessage {
        ConditionalRevealMessage {
            enc_payload: Some(self.payload),
            enc_iv: Some(self.nonce),
            conditional_reveal_message_type: Some(1),
            reveal_key_id: self.key_id,
        }
    }
}

/// Something happened to a status.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum StatusNotice {
    /// It was answered with another one, or shown again.
    Notification {
        /// The other status.
        response: Option<Key>,
        /// The status.
        original: Option<Key>,
        /// What happened.
        kind: Option<StatusNotificationType>,
    },
    /// Its question was answered.
    Answer {
        /// The status.
        status: Key,
        /// The answer.
        text: String,
    },
    /// Its sticker was tapped.
    Sticker {
        /// The status.
        status: Key,
        /// The sticker.
        sticker: Option<String>,
    },
    /// It is quoted.
    Quoted {
        /// The status.
        status: Option<Key>,
        /// Its words.
        text: Option<String>,
        /// A small picture, JPEG.
        thumbnail: Option<Vec<u8>>,
    },
}

impl StatusNotice {
    pub(crate) fn read_notification(notice: StatusNotificationMessage) -> Self {
        Self::Notification {
            response: Key::read_some(notice.response_message_key),
            original: Key::read_some(notice.original_message_key),
            kind: notice.r#type.and_then(|number| StatusNotificationType::try_from(number).ok()),
        }
    }

    pub(crate) fn read_answer(answer: StatusQuestionAnswerMessage) -> Self {
        Self::Answer { status: Key::read(answer.key), text: answer.text.unwrap_or_default() }
    }

    pub(crate) fn read_sticker(sticker: StatusStickerInteractionMessage) -> Self {
        Self::Sticker { status: Key::read(sticker.key), sticker: sticker.sticker_key }
    }

    pub(crate) fn read_quoted(quoted: StatusQuotedMessage) -> Self {
        Self::Quoted {
            status: Key::read_some(quoted.original_status_id),
            text: quoted.text,
            thumbnail: quoted.thumbnail,
        }
    }

    pub(crate) fn put(self, content: &mut whimbrel_proto::e2e::Message) {
        match self {
            Self::Notification { response, original, kind } => {
                content.status_notification_message = Some(Box::new(StatusNotificationMessage {
                    response_message_key: response.as_ref().map(Key::write),
                    original_message_key: original.as_ref().map(Key::write),
                    r#type: kind.map(|kind| kind as i32),
                }));
            }
            Self::Answer { status, text } => {
                content.status_question_answer_message = Some(Box::new(StatusQuestionAnswerMessage {
                    key: Some(status.write()),
                    text: Some(text),
                }));
            }
            Self::Sticker { status, sticker } => {
                content.status_sticker_interaction_message =
                    Some(Box::new(StatusStickerInteractionMessage {
                        key: Some(status.write()),
                        sticker_key: sticker,
                        r#type: Some(1),
                    }));
            }
            Self::Quoted { status, text, thumbnail } => {
                content.status_quoted_message = Some(Box::new(StatusQuotedMessage {
                    r#type: Some(1),
                    text,
                    thumbnail,
                    original_status_id: status.as_ref().map(Key::write),
                }));
            }
        }
    }
}

/// A follower's answer to the question of a channel.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QuestionResponse {
    /// The question.
    pub question: Key,
    /// The answer.
    pub text: String,
}

impl QuestionResponse {
    pub(crate) fn read(response: QuestionResponseMessage) -> Self {
        Self { question: Key::read(response.key), text: response.text.unwrap_or_default() }
    }

    pub(crate) fn write(self) -> QuestionResponseMessage {
        QuestionResponseMessage { key: Some(self.question.write()), text: Some(self.text) }
    }
}

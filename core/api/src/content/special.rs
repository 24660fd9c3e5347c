//! Traces of calls, shared history, music, notices, and what only phones show.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use whimbrel::Error;
use whimbrel::content::kinds::call::{BroadcastCall, CallLog, CallOutcome, ScheduledCall};
use whimbrel::content::kinds::special::{AiRich, GroupHistory, Music, QuestionResponse, StatusNotice};
use whimbrel::content::reference::MediaKind;

use super::{MediaFile, NamedMessage, Source, address};

const OUTCOMES: [(CallOutcome, &str); 8] = [
    (CallOutcome::Connected, "connected"),
    (CallOutcome::Missed, "missed"),
    (CallOutcome::Failed, "failed"),
    (CallOutcome::Rejected, "rejected"),
    (CallOutcome::AcceptedElsewhere, "accepted_elsewhere"),
    (CallOutcome::Ongoing, "ongoing"),
    (CallOutcome::SilencedByDnd, "silenced_by_dnd"),
    (CallOutcome::SilencedUnknownCaller, "silenced_unknown_caller"),
];

fn outcome_word(outcome: Option<CallOutcome>) -> Option<String> {
    let named = OUTCOMES.iter().find(|(named, _)| Some(*named) == outcome)?;
    Some(named.1.to_owned())
}

/// A call that was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CallLogContent {
    /// With pictures.
    #[serde(default)]
    pub video: bool,
    /// How it ended: `connected`, `missed`, `failed`, `rejected`, `accepted_elsewhere`, `ongoing`,
    /// `silenced_by_dnd`, `silenced_unknown_caller`.
    #[serde(default)]
    pub outcome: Option<String>,
    /// How long it was, in seconds.
    #[serde(default)]
    pub seconds: Option<i64>,
    /// Who took part.
    #[serde(default)]
    pub participants: Vec<CallParticipant>,
}

/// Somebody who took part in a call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CallParticipant {
    /// Who.
    #[serde(default)]
    pub user: Option<String>,
    /// How it ended for them.
    #[serde(default)]
    pub outcome: Option<String>,
}

impl From<&CallLog> for CallLogContent {
    fn from(log: &CallLog) -> Self {
        let participants = log
            .participants
            .iter()
            .map(|(user, outcome)| CallParticipant { user: address(user), outcome: outcome_word(*outcome) });
        Self {
            video: log.is_video,
            outcome: outcome_word(log.outcome),
            seconds: log.duration_seconds,
            participants: participants.collect(),
        }
    }
}

/// A call that is planned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScheduledCallContent {
    /// When, milliseconds since 1970.
    #[serde(default)]
    pub at_ms: Option<i64>,
    /// With pictures.
    #[serde(default)]
    pub video: bool,
    /// Its name.
    #[serde(default)]
    pub title: Option<String>,
}

impl From<&ScheduledCall> for ScheduledCallContent {
    fn from(call: &ScheduledCall) -> Self {
        Self { at_ms: call.at_ms, video: call.is_video, title: call.title.clone() }
    }
}

/// A planned call does not take place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScheduledCallCancelContent {
    /// The message with the call.
    pub call: NamedMessage,
}

/// A call to many.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BroadcastCallContent {
    /// Its id.
    pub session_id: String,
    /// With pictures.
    #[serde(default)]
    pub video: bool,
    /// Words with it.
    #[serde(default)]
    pub caption: Option<String>,
}

impl From<&BroadcastCall> for BroadcastCallContent {
    fn from(call: &BroadcastCall) -> Self {
        Self { session_id: call.session_id.clone(), video: call.is_video, caption: call.caption.clone() }
    }
}

/// Past messages for a new member of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GroupHistoryContent {
    /// The file; absent in the notice to the group.
    #[serde(default)]
    pub media: Option<MediaFile>,
    /// Who got them.
    #[serde(default)]
    pub receivers: Vec<String>,
    /// How many messages there are.
    #[serde(default)]
    pub message_count: Option<i64>,
    /// The service's time of the oldest one, seconds since 1970.
    #[serde(default)]
    pub oldest_at: Option<i64>,
}

impl GroupHistoryContent {
    pub(super) fn of(history: &GroupHistory, source: Source<'_>) -> Self {
        let media = history.media.as_ref();
        Self {
            media: media.and_then(|media| MediaFile::of(media, MediaKind::History, source)),
            receivers: history.receivers.iter().map(ToString::to_string).collect(),
            message_count: history.message_count,
            oldest_at: history.oldest_at,
        }
    }
}

/// A rich answer of the AI; the raw form has more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AiRichContent {
    /// Its words, one after the other.
    pub text: String,
    /// Its pieces of code.
    #[serde(default)]
    pub code: Vec<CodeBlock>,
}

/// A piece of code.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CodeBlock {
    /// Its language.
    #[serde(default)]
    pub language: Option<String>,
    /// Its lines.
    pub lines: String,
}

impl From<&AiRich> for AiRichContent {
    fn from(rich: &AiRich) -> Self {
        let block = |(language, lines): &(Option<String>, String)| CodeBlock {
            language: language.clone(),
            lines: lines.clone(),
        };
        Self { text: rich.text.clone(), code: rich.code.iter().map(block).collect() }
    }
}

/// A piece of music.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MusicContent {
    /// Its name.
    #[serde(default)]
    pub title: Option<String>,
    /// Who made it.
    #[serde(default)]
    pub author: Option<String>,
    /// Its id.
    #[serde(default)]
    pub song_id: Option<String>,
    /// Where it is.
    #[serde(default)]
    pub song_uri: Option<String>,
    /// Where its picture is.
    #[serde(default)]
    pub artwork_uri: Option<String>,
}

impl From<&Music> for MusicContent {
    fn from(music: &Music) -> Self {
        Self {
            title: music.title.clone(),
            author: music.author.clone(),
            song_id: music.song_id.clone(),
            song_uri: music.song_uri.clone(),
            artwork_uri: music.artwork_uri.clone(),
        }
    }
}

/// Something happened to a status.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StatusNoticeContent {
    /// What: `notification`, `answer`, `sticker`, `quoted`.
    pub notice: String,
    /// The status.
    #[serde(default)]
    pub status: Option<NamedMessage>,
    /// Words with it.
    #[serde(default)]
    pub text: Option<String>,
}

impl From<&StatusNotice> for StatusNoticeContent {
    fn from(notice: &StatusNotice) -> Self {
        let (word, status, text) = match notice {
            StatusNotice::Notification { original, .. } => ("notification", original.as_ref(), None),
            StatusNotice::Answer { status, text } => ("answer", Some(status), Some(text.clone())),
            StatusNotice::Sticker { status, .. } => ("sticker", Some(status), None),
            StatusNotice::Quoted { status, text, .. } => ("quoted", status.as_ref(), text.clone()),
            _ => ("unknown", None, None),
        };
        Self { notice: word.to_owned(), status: status.map(Into::into), text }
    }
}

/// A follower's answer to the question of a channel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct QuestionResponseContent {
    /// The question.
    pub question: NamedMessage,
    /// The answer.
    pub text: String,
}

impl From<&QuestionResponse> for QuestionResponseContent {
    fn from(response: &QuestionResponse) -> Self {
        Self { question: (&response.question).into(), text: response.text.clone() }
    }
}

impl TryFrom<QuestionResponseContent> for QuestionResponse {
    type Error = Error;

    fn try_from(content: QuestionResponseContent) -> Result<Self, Error> {
        Ok(Self { question: content.question.try_into()?, text: content.text })
    }
}

/// A message that will be readable later.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScheduledContent {
    /// Id of the key that will come.
    #[serde(default)]
    pub key_id: Option<String>,
}

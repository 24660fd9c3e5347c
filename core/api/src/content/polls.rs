//! Polls, their results, and events.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use whimbrel::content::kinds::event::Event;
use whimbrel::content::kinds::poll::{Poll as Kind, PollResult};

use super::Place;

/// A poll or a quiz.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Poll {
    /// The question.
    pub name: String,
    /// The answers, without repetition: 2 to 12.
    pub options: Vec<String>,
    /// How many of them one voter may select; 0: any number.
    #[serde(default)]
    pub selectable: u32,
    /// Which of them is right, for a quiz.
    #[serde(default)]
    pub correct: Option<String>,
    /// It is a quiz.
    #[serde(default)]
    pub quiz: bool,
    /// When it ends, seconds since 1970.
    #[serde(default)]
    pub ends_at: Option<i64>,
    /// Nobody sees who voted for what.
    #[serde(default)]
    pub hides_voters: bool,
    /// Voters may add options.
    #[serde(default)]
    pub open: bool,
}

impl From<&Kind> for Poll {
    fn from(poll: &Kind) -> Self {
        Self {
            name: poll.name.clone(),
            options: poll.options.clone(),
            selectable: poll.selectable,
            correct: poll.correct.clone(),
            quiz: poll.is_quiz,
            ends_at: poll.ends_at,
            hides_voters: poll.hides_voters,
            open: poll.open,
        }
    }
}

impl From<Poll> for Kind {
    fn from(content: Poll) -> Self {
        Self {
            name: content.name,
            options: content.options,
            selectable: content.selectable,
            is_quiz: content.quiz || content.correct.is_some(),
            correct: content.correct,
            ends_at: content.ends_at,
            hides_voters: content.hides_voters,
            open: content.open,
            ..Self::default()
        }
    }
}

/// A poll's result at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PollResultContent {
    /// The question.
    pub name: String,
    /// The answers, and how many voted for each.
    #[serde(default)]
    pub options: Vec<PollResultOption>,
    /// It was a quiz.
    #[serde(default)]
    pub quiz: bool,
}

/// An option of a poll, and how many voted for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PollResultOption {
    /// The answer.
    pub option: String,
    /// How many voted for it.
    pub votes: i64,
}

impl From<&PollResult> for PollResultContent {
    fn from(result: &PollResult) -> Self {
        let option =
            |(option, votes): &(String, i64)| PollResultOption { option: option.clone(), votes: *votes };
        Self {
            name: result.name.clone(),
            options: result.votes.iter().map(option).collect(),
            quiz: result.is_quiz,
        }
    }
}

impl From<PollResultContent> for PollResult {
    fn from(content: PollResultContent) -> Self {
        let votes = content.options.into_iter().map(|option| (option.option, option.votes));
        Self { name: content.name, votes: votes.collect(), is_quiz: content.quiz }
    }
}

/// An event.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EventDetails {
    /// Its name.
    pub name: String,
    /// About it.
    #[serde(default)]
    pub description: Option<String>,
    /// Where it takes place.
    #[serde(default)]
    pub location: Option<Place>,
    /// The call that it is.
    #[serde(default)]
    pub join_link: Option<String>,
    /// When it begins, seconds since 1970; needed to send it.
    #[serde(default)]
    pub starts_at: Option<i64>,
    /// When it ends, seconds since 1970.
    #[serde(default)]
    pub ends_at: Option<i64>,
    /// Guests may bring others.
    #[serde(default)]
    pub extra_guests: bool,
    /// It is a call.
    #[serde(default)]
    pub call: bool,
    /// It does not take place.
    #[serde(default)]
    pub cancelled: bool,
    /// How long before it guests are reminded, in seconds.
    #[serde(default)]
    pub reminder_seconds: Option<i64>,
}

impl From<&Event> for EventDetails {
    fn from(event: &Event) -> Self {
        Self {
            name: event.name.clone(),
            description: event.description.clone(),
            location: event.location.as_ref().map(Into::into),
            join_link: event.join_link.clone(),
            starts_at: event.starts_at,
            ends_at: event.ends_at,
            extra_guests: event.extra_guests,
            call: event.is_call,
            cancelled: event.is_cancelled,
            reminder_seconds: event.reminder_seconds,
        }
    }
}

impl From<EventDetails> for Event {
    fn from(content: EventDetails) -> Self {
        Self {
            name: content.name,
            description: content.description,
            location: content.location.map(Into::into),
            join_link: content.join_link,
            starts_at: content.starts_at,
            ends_at: content.ends_at,
            extra_guests: content.extra_guests,
            is_call: content.call,
            is_cancelled: content.cancelled,
            reminder_seconds: content.reminder_seconds,
        }
    }
}

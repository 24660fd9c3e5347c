//! Polls, quizzes and their frozen results (messages document §7.4).

use whimbrel_crypto::digest::sha256;
use whimbrel_proto::e2e::Message;
use whimbrel_proto::e2e::message::poll_creation_message::Option as WireOption;
use whimbrel_proto::e2e::message::poll_result_snapshot_message::PollVote;
use whimbrel_proto::e2e::message::{
    PollContentType, PollCreationMessage, PollResultSnapshotMessage, PollType,
};

/// Which field of the message a poll is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PollForm {
    /// Several answers.
    #[default]
    Multiple,
    /// In the announcement group of a community.
    Announcement,
    /// Exactly one answer.
    Single,
    /// Quizzes, and newer polls of channels.
    Quiz,
    /// With options that voters add, hidden voters or an end.
    Extended,
}

/// A poll.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Poll {
    /// The question.
    pub name: String,
    /// The answers, without repetition.
    pub options: Vec<String>,
    /// How many of them one voter may select; 0: any number.
    pub selectable: u32,
    /// Which of them is right: it is a quiz.
    pub correct: Option<String>,
    /// It is a quiz.
    pub is_quiz: bool,
    /// When it ends. The unit is seconds since 1970 as far as known.
    pub ends_at: Option<i64>,
    /// Nobody sees who voted for what.
    pub hides_voters: bool,
    /// Voters may add options.
    pub open: bool,
    /// The options are pictures.
    pub has_pictures: bool,
    /// Which field of the message it is in.
    pub form: PollForm,
}

/// What a vote says instead of an option's words.
pub type OptionHash = [u8; 32];

/// What a vote says for this option.
#[must_use]
pub fn option_hash(option: &str) -> OptionHash {
    sha256(option.as_bytes())
}

impl Poll {
    /// The field that a poll to be sent belongs in.
    #[must_use]
    pub fn form_for(&self, announcement_group: bool) -> PollForm {
        if self.open || self.hides_voters || self.ends_at.is_some() {
            PollForm::Extended
        } else if self.is_quiz {
            PollForm::Quiz
        } else if announcement_group {
            PollForm::Announcement
        } else if self.selectable == 1 {
            PollForm::Single
        } else {
            PollForm::Multiple
        }
    }

    pub(crate) fn take(content: &mut Message) -> Option<Self> {
        let slots = [
            (&mut content.poll_creation_message, PollForm::Multiple),
            (&mut content.poll_creation_message_v2, PollForm::Announcement),
            (&mut content.poll_creation_message_v3, PollForm::Single),
            (&mut content.poll_creation_message_v5, PollForm::Quiz),
            (&mut content.poll_creation_message_v6, PollForm::Extended),
        ];
        slots.into_iter().find_map(|(slot, form)| Some(Self::read(*slot.take()?, form)))
    }

    pub(crate) fn put(self, content: &mut Message) {
        let slot = match self.form {
            PollForm::Multiple => &mut content.poll_creation_message,
            PollForm::Announcement => &mut content.poll_creation_message_v2,
            PollForm::Single => &mut content.poll_creation_message_v3,
            PollForm::Quiz => &mut content.poll_creation_message_v5,
            PollForm::Extended => &mut content.poll_creation_message_v6,
        };
        *slot = Some(Box::new(self.write()));
    }

    fn read(poll: PollCreationMessage, form: PollForm) -> Self {
        Self {
            name: poll.name.unwrap_or_default(),
            options: poll.options.into_iter().map(|option| option.option_name.unwrap_or_default()).collect(),
            selectable: poll.selectable_options_count.unwrap_or_default(),
            is_quiz: poll.poll_type == Some(PollType::Quiz as i32),
            correct: poll.correct_answer.and_then(|answer| answer.option_name),
            ends_at: poll.end_time,
            hides_voters: poll.hide_participant_name.unwrap_or_default(),
            open: poll.allow_add_option.unwrap_or_default(),
            has_pictures: poll.poll_content_type == Some(PollContentType::Image as i32),
            form,
        }
    }

    fn write(self) -> PollCreationMessage {
        let option = |name: String| WireOption { option_name: Some(name), option_hash: None };
        let content_type = if self.has_pictures { PollContentType::Image } else { PollContentType::Text };
        let newer = matches!(self.form, PollForm::Quiz | PollForm::Extended);
        let poll_type = if self.is_quiz { PollType::Quiz } else { PollType::Poll };
        PollCreationMessage {
            name: Some(self.name),
            options: self.options.into_iter().map(option).collect(),
            selectable_options_count: Some(self.selectable),
            poll_content_type: (newer || self.has_pictures).then_some(content_type as i32),
            poll_type: (newer || self.is_quiz).then_some(poll_type as i32),
            correct_answer: self.correct.map(|correct| {
                let hash = option_hash(&correct).iter().map(|octet| format!("{octet:02x}")).collect();
                WireOption { option_hash: Some(hash), ..option(correct) }
            }),
            end_time: self.ends_at,
            // Older clients cannot show a poll that says `false` here.
            hide_participant_name: self.hides_voters.then_some(true),
            allow_add_option: self.open.then_some(true),
            ..PollCreationMessage::default()
        }
    }
}

/// A poll's result at one moment: what is left of a poll that is forwarded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PollResult {
    /// The question.
    pub name: String,
    /// Options, and how many voted for each.
    pub votes: Vec<(String, i64)>,
    /// It was a quiz.
    pub is_quiz: bool,
}

impl PollResult {
    pub(crate) fn read(result: PollResultSnapshotMessage) -> Self {
        let votes = result
            .poll_votes
            .into_iter()
            .map(|vote| (vote.option_name.unwrap_or_default(), vote.option_vote_count.unwrap_or_default()));
        Self {
            name: result.name.unwrap_or_default(),
            votes: votes.collect(),
            is_quiz: result.poll_type == Some(PollType::Quiz as i32),
        }
    }

    pub(crate) fn write(self) -> PollResultSnapshotMessage {
        let votes = self
            .votes
            .into_iter()
            .map(|(name, count)| PollVote { option_name: Some(name), option_vote_count: Some(count) });
        PollResultSnapshotMessage {
            name: Some(self.name),
            poll_votes: votes.collect(),
            poll_type: self.is_quiz.then_some(PollType::Quiz as i32),
            ..PollResultSnapshotMessage::default()
        }
    }
}

//! What can be asked of the archive, and its answers as the store gives them.

use whimbrel_wire::Jid;

use super::row::{AnswerRow, Author, KeepRow, LabelRow, PinRow, ReactionRow, SentStatus, Times, VoteRow};

/// A place in an order by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) timestamp: i64,
    pub(crate) row: i64,
}

impl Position {
    pub(crate) fn write(self) -> String {
        format!("{}.{}", self.timestamp, self.row)
    }

    pub(crate) fn read(text: &str) -> Option<Self> {
        let (timestamp, row) = text.split_once('.')?;
        Some(Self { timestamp: timestamp.parse().ok()?, row: row.parse().ok()? })
    }
}

/// Which messages.
#[derive(Clone, Debug, Default)]
pub(crate) struct MessageQuery {
    pub(crate) chat: Option<Jid>,
    pub(crate) author: Option<Author>,
    pub(crate) message_id: Option<String>,
    /// As the index takes it: see [`search`].
    pub(crate) words: Option<String>,
    /// From this time on, seconds.
    pub(crate) after: Option<i64>,
    /// Before this time, seconds.
    pub(crate) before: Option<i64>,
    /// Pinned at this time, seconds.
    pub(crate) pinned_at: Option<i64>,
    /// Behind this one.
    pub(crate) from: Option<Position>,
    pub(crate) limit: u32,
}

/// A message that was found.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FoundMessage {
    pub(crate) position: Position,
    pub(crate) chat: Jid,
    pub(crate) author: Author,
    pub(crate) message_id: String,
    pub(crate) content: Vec<u8>,
    pub(crate) status: Option<SentStatus>,
    pub(crate) starred: bool,
    pub(crate) edited_at_ms: Option<i64>,
    pub(crate) revoked: Option<(Author, i64)>,
    pub(crate) notice: Option<(u32, Vec<String>)>,
    pub(crate) pin: Option<PinRow>,
    pub(crate) keep: Option<KeepRow>,
    pub(crate) comments: u32,
    pub(crate) reactions: Vec<ReactionRow>,
}

/// A message and what others did with it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Details {
    pub(crate) message: FoundMessage,
    pub(crate) receipts: Vec<(Jid, Times)>,
    pub(crate) votes: Vec<VoteRow>,
    pub(crate) answers: Vec<AnswerRow>,
}

/// Which chats.
#[derive(Clone, Debug, Default)]
pub(crate) struct ChatQuery {
    pub(crate) chat: Option<Jid>,
    pub(crate) name: Option<String>,
    pub(crate) unread: bool,
    pub(crate) archived: Option<bool>,
    pub(crate) pinned: Option<bool>,
    pub(crate) locked: Option<bool>,
    /// With this label.
    pub(crate) label: Option<String>,
    pub(crate) from: Option<Position>,
    pub(crate) limit: u32,
}

/// A chat that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FoundChat {
    pub(crate) position: Position,
    pub(crate) address: Jid,
    pub(crate) name: Option<String>,
    pub(crate) unread: u32,
    pub(crate) archived: bool,
    pub(crate) pinned_at: Option<i64>,
    pub(crate) muted_until: Option<i64>,
    pub(crate) timer: u32,
    pub(crate) history_end: Option<u32>,
    pub(crate) locked: bool,
    pub(crate) marked_unread: bool,
    pub(crate) labels: Vec<String>,
}

/// A label that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FoundLabel {
    pub(crate) id: String,
    pub(crate) row: LabelRow,
}

/// Which people.
#[derive(Clone, Debug, Default)]
pub(crate) struct ContactQuery {
    pub(crate) person: Option<Jid>,
    pub(crate) name: Option<String>,
    pub(crate) from: Option<i64>,
    pub(crate) limit: u32,
}

/// A person that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FoundContact {
    pub(crate) row: i64,
    pub(crate) address: Jid,
    pub(crate) name: Option<String>,
    pub(crate) first_name: Option<String>,
    pub(crate) push_name: Option<String>,
    pub(crate) username: Option<String>,
}

/// What people type, as the index takes it: every word has to be there, or the beginning of one.
/// `None` if there is no word in it.
pub(crate) fn search(text: &str) -> Option<String> {
    let mut words = String::new();
    for word in text.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)) {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push('"');
        words.push_str(&word.replace('"', "\"\""));
        words.push_str("\"*");
    }
    (!words.is_empty()).then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_the_index() {
        assert_eq!(search(" red  bird ").as_deref(), Some("\"red\"* \"bird\"*"));
        assert_eq!(search("a\"b OR -").as_deref(), Some("\"a\"\"b\"* \"OR\"*"));
        assert_eq!((search(""), search(" - \"")), (None, None));
    }

    #[test]
    fn positions_are_read_as_they_are_written() {
        let position = Position { timestamp: -5, row: 77 };
        assert_eq!(Position::read(&position.write()), Some(position));
        assert_eq!((Position::read(""), Position::read("1"), Position::read("1.x")), (None, None, None));
    }
}

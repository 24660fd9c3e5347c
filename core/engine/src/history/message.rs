//! A message of the history, as far as the archive keeps it (media document §19.3).

use prost::Message as _;
use whimbrel_history::RawMessage;

/// The part of a `WebMessageInfo` that is kept; the message itself stays as it is.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Kept {
    #[prost(message, optional, tag = "1")]
    pub(super) key: Option<Key>,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) content: Vec<u8>,
    #[prost(uint64, tag = "3")]
    pub(super) timestamp: u64,
    #[prost(uint64, optional, tag = "4")]
    pub(super) status: Option<u64>,
    #[prost(string, optional, tag = "5")]
    pub(super) participant: Option<String>,
    #[prost(bool, tag = "17")]
    pub(super) starred: bool,
    #[prost(string, optional, tag = "19")]
    pub(super) push_name: Option<String>,
    #[prost(uint32, tag = "24")]
    pub(super) notice: u32,
    #[prost(string, repeated, tag = "26")]
    pub(super) notice_parameters: Vec<String>,
    #[prost(message, repeated, tag = "40")]
    pub(super) receipts: Vec<UserReceipt>,
    #[prost(message, repeated, tag = "41")]
    pub(super) reactions: Vec<Reaction>,
    #[prost(message, repeated, tag = "45")]
    pub(super) votes: Vec<PollUpdate>,
    #[prost(bytes = "vec", tag = "49")]
    pub(super) secret: Vec<u8>,
    #[prost(message, optional, tag = "50")]
    pub(super) keep: Option<Keep>,
    #[prost(uint64, tag = "52")]
    pub(super) revoked_at: u64,
    #[prost(message, optional, tag = "54")]
    pub(super) pin: Option<Pin>,
    #[prost(message, repeated, tag = "61")]
    pub(super) answers: Vec<EventAnswer>,
    #[prost(message, repeated, tag = "68")]
    pub(super) addons: Vec<AddOn>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Keep {
    #[prost(int32, tag = "1")]
    pub(super) kind: i32,
    #[prost(message, optional, tag = "3")]
    pub(super) key: Option<Key>,
    #[prost(int64, optional, tag = "5")]
    pub(super) at_ms: Option<i64>,
    #[prost(int64, optional, tag = "6")]
    pub(super) server_at_ms: Option<i64>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Pin {
    #[prost(int32, tag = "1")]
    pub(super) kind: i32,
    #[prost(message, optional, tag = "2")]
    pub(super) key: Option<Key>,
    #[prost(int64, optional, tag = "3")]
    pub(super) at_ms: Option<i64>,
    #[prost(int64, optional, tag = "4")]
    pub(super) server_at_ms: Option<i64>,
    #[prost(message, optional, tag = "5")]
    pub(super) context: Option<PinContext>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct PinContext {
    #[prost(uint32, optional, tag = "1")]
    pub(super) seconds: Option<u32>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct EventAnswer {
    #[prost(message, optional, tag = "1")]
    pub(super) key: Option<Key>,
    #[prost(int64, tag = "2")]
    pub(super) at_ms: i64,
    #[prost(bytes = "vec", tag = "3")]
    pub(super) answer: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct AddOn {
    #[prost(bytes = "vec", tag = "2")]
    pub(super) content: Vec<u8>,
    #[prost(int64, optional, tag = "3")]
    pub(super) at_ms: Option<i64>,
    #[prost(int64, optional, tag = "4")]
    pub(super) server_at_ms: Option<i64>,
    #[prost(message, optional, tag = "6")]
    pub(super) context: Option<PinContext>,
    #[prost(message, optional, tag = "7")]
    pub(super) key: Option<Key>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Key {
    #[prost(string, optional, tag = "1")]
    pub(super) chat: Option<String>,
    #[prost(bool, tag = "2")]
    pub(super) from_me: bool,
    #[prost(string, tag = "3")]
    pub(super) id: String,
    #[prost(string, optional, tag = "4")]
    pub(super) participant: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct UserReceipt {
    #[prost(string, tag = "1")]
    pub(super) user: String,
    #[prost(int64, optional, tag = "2")]
    pub(super) delivered_at: Option<i64>,
    #[prost(int64, optional, tag = "3")]
    pub(super) read_at: Option<i64>,
    #[prost(int64, optional, tag = "4")]
    pub(super) played_at: Option<i64>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Reaction {
    #[prost(message, optional, tag = "1")]
    pub(super) key: Option<Key>,
    #[prost(string, tag = "2")]
    pub(super) emoji: String,
    #[prost(int64, tag = "4")]
    pub(super) at_ms: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct PollUpdate {
    #[prost(message, optional, tag = "1")]
    pub(super) key: Option<Key>,
    #[prost(message, optional, tag = "2")]
    pub(super) vote: Option<Vote>,
    #[prost(int64, tag = "3")]
    pub(super) at_ms: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Vote {
    #[prost(bytes = "vec", repeated, tag = "1")]
    pub(super) options: Vec<Vec<u8>>,
}

/// Whether there is anything in a message that makes no entry of its own in the chat.
#[derive(Clone, PartialEq, prost::Message)]
struct Hidden {
    /// A control message.
    #[prost(bytes = "vec", optional, tag = "12")]
    control: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "46")]
    reaction: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "50")]
    vote: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "51")]
    keep: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "56")]
    sealed_reaction: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "58")]
    edit: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "63")]
    pin: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "71")]
    sealed_comment: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "76")]
    sealed_answer: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "77")]
    comment: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "82")]
    sealed: Option<Vec<u8>>,
}

/// The envelope of a message, of which only the secret is written.
#[derive(Clone, PartialEq, prost::Message)]
struct Envelope {
    #[prost(message, optional, tag = "35")]
    info: Option<Info>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Info {
    #[prost(bytes = "vec", tag = "3")]
    secret: Vec<u8>,
}

impl Kept {
    /// Reads a message; `None` if it is none, or has no id.
    pub(super) fn read(message: RawMessage<'_>) -> Option<Self> {
        let mut kept = Self::decode(message.bytes()).ok()?;
        if kept.key.as_ref()?.id.is_empty() {
            return None;
        }
        if !kept.secret.is_empty() {
            // Fields of an encoded message may come in parts, which readers put together: so the secret
            // need not be put into the message itself.
            let secret = std::mem::take(&mut kept.secret);
            Envelope { info: Some(Info { secret }) }.encode(&mut kept.content).ok()?;
        }
        Some(kept)
    }

    /// Whether it is an entry in its chat.
    pub(super) fn is_shown(&self) -> bool {
        if self.notice != 0 {
            return true;
        }
        let hidden = Hidden::decode(self.content.as_slice()).unwrap_or_default();
        !self.content.is_empty() && hidden == Hidden::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use whimbrel_proto::e2e::message::ProtocolMessage;
    use whimbrel_proto::e2e::{Message, MessageContextInfo};
    use whimbrel_proto::encode;

    #[test]
    fn a_secret_outside_gets_into_the_message_beside_what_is_there() {
        let info = MessageContextInfo { message_add_on_duration_in_secs: Some(9), ..Default::default() };
        let message = Message {
            conversation: Some("hi".to_owned()),
            message_context_info: Some(Box::new(info)),
            ..Message::default()
        };
        let key = Key { id: "A".to_owned(), ..Key::default() };
        let kept = Kept { key: Some(key), content: encode(&message), secret: vec![7; 32], ..Kept::default() };
        let bytes = kept.encode_to_vec();
        let read = Kept::read(RawMessage::new(&bytes)).unwrap();
        assert!(read.is_shown());
        let message: Message = whimbrel_proto::decode(&read.content).unwrap();
        let info = message.message_context_info.unwrap();
        assert_eq!((info.message_secret, info.message_add_on_duration_in_secs), (Some(vec![7; 32]), Some(9)));
        assert_eq!(message.conversation.as_deref(), Some("hi"));
    }

    #[test]
    fn control_messages_are_no_entries_and_notices_are() {
        let control =
            Message { protocol_message: Some(Box::new(ProtocolMessage::default())), ..Message::default() };
        let control = Kept { content: encode(&control), ..Kept::default() };
        assert!(!control.is_shown() && !Kept::default().is_shown());
        assert!(Kept { notice: 21, ..Kept::default() }.is_shown());
        let nameless = Kept::default().encode_to_vec();
        assert!(Kept::read(RawMessage::new(&nameless)).is_none());
        assert!(Kept::read(RawMessage::new(&[0xff])).is_none());
    }
}

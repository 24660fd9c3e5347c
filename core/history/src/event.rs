//! What a chunk of history tells, in the order in which it stands there.

use whimbrel_proto::history::{
    Account, Conversation, GlobalSettings, InlineContact, PastParticipants, PhoneNumberToLidMapping,
    Pushname, StickerMetadata,
};
use whimbrel_proto::sync_action::CallLogRecord;

use crate::message::RawMessage;

/// One record of a chunk, or what stands in its head.
///
/// A chat comes as [`ChatBegins`](Self::ChatBegins), its messages, and
/// [`ChatEnds`](Self::ChatEnds) with everything else that is known of it; or, when it is damaged,
/// [`Damaged`](Self::Damaged) at any point in place of the rest.
#[derive(Debug)]
pub enum Event<'a> {
    /// The kind of the chunk, by number: kinds of newer phones survive.
    SyncType(i32),
    /// Which of the chunks of its kind this is.
    ChunkOrder(u32),
    /// How much of the history there is with this chunk, in percent.
    Progress(u32),
    /// A chat begins.
    ChatBegins {
        /// Its address.
        id: &'a str,
    },
    /// A message of the chat that began last.
    Message {
        /// Address of the chat.
        chat: &'a str,
        /// The message, not decoded yet.
        message: RawMessage<'a>,
        /// Where it stands in the chat.
        order: Option<u64>,
    },
    /// A chat ends.
    ChatEnds {
        /// All of it but the messages.
        chat: Box<Conversation>,
        /// How many messages there were, also those that were skipped.
        messages: u64,
    },
    /// Something was left out, since it is not what it should be.
    Damaged(Damage),
    /// A status update.
    Status(RawMessage<'a>),
    /// The name that somebody gave themselves. `-` means none.
    PushName(Pushname),
    /// Settings of the account.
    GlobalSettings(Box<GlobalSettings>),
    /// A secret for the analytics of disappearing messages, kept as it is.
    ThreadIdUserSecret(&'a [u8]),
    /// Belongs to the former.
    ThreadTimeframeOffset(u32),
    /// A sticker that was used lately.
    RecentSticker(Box<StickerMetadata>),
    /// Who left a group.
    PastParticipants(PastParticipants),
    /// A call.
    CallLog(Box<CallLogRecord>),
    /// Whether the account waits for the assistant, by number.
    AiWaitListState(i32),
    /// The two addresses of one account.
    LidMapping(PhoneNumberToLidMapping),
    /// What the service wants to see when this chunk is deleted there.
    CompanionMetaNonce(&'a str),
    /// The key of shareable addresses of chats.
    ShareableChatKey(&'a [u8]),
    /// What is known of an account with a user name.
    Account(Account),
    /// The salt of the tokens for those who never wrote.
    NctSalt(&'a [u8]),
    /// A contact.
    InlineContact(InlineContact),
    /// Whether contacts come in this way.
    InlineContactsProvided(bool),
}

/// What was left out of a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Damage {
    /// The rest of the chat that began last, or all of one that never did.
    Chat,
    /// One message.
    Message,
    /// One record of the chunk, by the number of its field.
    Record(u32),
}

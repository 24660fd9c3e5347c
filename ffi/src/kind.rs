//! Kinds of events, receipts and log lines, by number and name. They are append-only.

/// Kinds of events, as whimbrel_event_kind() returns them. Numbers below 100 are journaled: they
/// have a sequence number and are offered again until acknowledged. Ignore numbers that are not
/// here: newer libraries have more.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum whimbrel_kind {
    /// A message arrived, or another device of this account sent one.
    Message = 1,
    /// A message arrived that could not be decrypted; a message may follow that completes it.
    Undecryptable = 2,
    /// Somebody's device received, read or played messages of this account.
    Receipt = 3,
    /// The fate of a sent message is known after its call had ended.
    SendStatus = 4,
    /// The identity key of a person's device changed.
    IdentityChanged = 5,
    /// This client was linked to a phone.
    Linked = 6,
    /// This device is no longer part of the account.
    LoggedOut = 7,
    /// Another connection with this client's keys took over.
    Replaced = 8,
    /// The service refuses the account or this version for now.
    ConnectionRefused = 9,
    /// The service restricts the account, or lifts that: new chats are held back meanwhile.
    Restriction = 13,
    /// The service says when it stops accepting the client's version, or takes that back.
    VersionExpires = 16,
    /// This account was added to a group, or another device of it made one.
    GroupJoined = 20,
    /// This account is in a group no more.
    GroupLeft = 21,
    /// Somebody changed a group: its members or its settings.
    GroupChanged = 22,
    /// Somebody wants to be let into a group, or no longer.
    JoinRequest = 23,
    /// Groups were put into a community, or taken out.
    GroupLinked = 24,
    /// Groups are suggested for a community, or no longer.
    GroupSuggested = 25,
    /// The address changed that identifies a person or chat.
    ChatMoved = 30,
    /// A person changed the phone number.
    NumberChanged = 31,
    /// A person shared a number that was hidden.
    NumberShared = 32,
    /// Somebody reacted to a message, or took that back.
    Reaction = 40,
    /// A message has new words.
    MessageEdited = 41,
    /// A message was taken back.
    MessageRevoked = 42,
    /// Somebody voted.
    PollVote = 43,
    /// A poll has new content.
    PollEdited = 44,
    /// A poll has a new option.
    PollOptionAdded = 45,
    /// Somebody answered an event.
    EventAnswer = 46,
    /// An event has a new state.
    EventEdited = 47,
    /// A message was pinned or unpinned.
    MessagePinned = 48,
    /// A disappearing message is kept, or no longer.
    MessageKept = 49,
    /// Somebody commented on a post.
    Comment = 50,
    /// Something about a message that cannot be opened.
    SealedAddon = 51,
    /// The timer of a chat was set.
    ChatTimerChanged = 52,
    /// Whether content of a chat may be shared was set.
    ChatPrivacyChanged = 53,
    /// The label of a member of a group was set.
    MemberLabelChanged = 54,
    /// Another control message.
    ControlMessage = 55,
    /// A channel has a new post, or one has another content or was taken back.
    ChannelPost = 56,
    /// How posts of a channel are received.
    ChannelCounts = 57,
    /// A piece of the history was dealt with.
    History = 60,
    /// The picture of a person or group was set or removed.
    PictureChanged = 61,
    /// Another device of this account changed who sees or may do something.
    PrivacyChanged = 62,
    /// Somebody wants another timer in new chats.
    DefaultTimerChanged = 63,
    /// Another device of this account blocked people, or no longer does.
    BlockedChanged = 64,
    /// Somebody says something else of itself.
    AboutChanged = 65,
    /// Somebody has another user name.
    UsernameChanged = 66,
    /// A chat was archived, pinned, muted, locked, marked, cleared or deleted.
    ChatChanged = 70,
    /// A message got or lost its star, or was deleted for this account.
    MessageMarked = 71,
    /// A contact was saved or removed.
    ContactChanged = 72,
    /// A setting that the account's devices share has another value.
    SettingChanged = 73,
    /// A label was changed, given or taken away.
    LabelChanged = 74,
    /// A quick reply was made, changed or deleted.
    QuickReplyChanged = 75,
    /// Something is wrong with what the account's devices share.
    AppStateTrouble = 76,
    /// Something else changed that the account's devices share.
    AppStateChanged = 77,
    /// The fate of a change that this client asked for is known.
    AppStateWritten = 78,
    /// What the account's devices share was read for the first time.
    AppStateSynced = 79,
    /// This account follows a channel, or posts in it, that it did not before.
    ChannelJoined = 80,
    /// This account follows a channel no more.
    ChannelLeft = 81,
    /// A channel has another name, picture or the like, or goes on no more.
    ChannelChanged = 82,
    /// Somebody has another role in a channel.
    ChannelRoleChanged = 83,
    /// Another device of this account muted something of a channel, or wants to hear of it again.
    ChannelMuted = 84,
    /// Somebody calls, or a call goes on that this account may join.
    CallOffered = 90,
    /// A call got on: it rings, was taken or refused.
    CallProgress = 91,
    /// A call is over, or over for this device.
    CallEnded = 92,
    /// Something about a business changed.
    BusinessChanged = 93,
    /// There is a QR text to show.
    Qr = 100,
    /// A linking attempt ended without a link.
    LinkFailed = 101,
    /// The connection changed its state.
    Connection = 102,
    /// The client is closed; nothing follows.
    Closed = 103,
    /// There is another pairing code to show.
    PairingCode = 104,
    /// A pairing code is over without a link.
    PairingCodeFailed = 105,
    /// The service demands a passkey for this link; `answer_passkey` gives one.
    PasskeyRequired = 106,
    /// A transfer of a file got on that was given a name.
    MediaProgress = 107,
    /// The download or the reading of a piece of the history got on.
    HistoryProgress = 108,
    /// A watched person came online or went.
    Presence = 109,
    /// Somebody writes or records in a chat, or stopped.
    ChatState = 110,
}

/// What happened to messages, as in whimbrel_receipt_view. Newer libraries may have more.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum whimbrel_receipt {
    /// A kind that this version does not know.
    Unknown = 0,
    /// A device has them.
    Delivered = 1,
    /// The person read them.
    Read = 2,
    /// The person played or opened them.
    Played = 3,
    /// Read on another device of this account.
    ReadSelf = 4,
}

/// Levels of the log.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum whimbrel_level {
    /// Nothing.
    Off = 0,
    /// What failed and needs somebody's attention.
    Error = 1,
    /// What failed and was dealt with.
    Warn = 2,
    /// What happened, in few lines.
    Info = 3,
    /// What happened, in many lines.
    Debug = 4,
    /// Everything.
    Trace = 5,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_those_of_the_table() {
        use whimbrel_kind as Kind;
        let here = [
            Kind::Message,
            Kind::Undecryptable,
            Kind::Receipt,
            Kind::SendStatus,
            Kind::IdentityChanged,
            Kind::Linked,
            Kind::LoggedOut,
            Kind::Replaced,
            Kind::ConnectionRefused,
            Kind::Restriction,
            Kind::VersionExpires,
            Kind::GroupJoined,
            Kind::GroupLeft,
            Kind::GroupChanged,
            Kind::JoinRequest,
            Kind::GroupLinked,
            Kind::GroupSuggested,
            Kind::ChatMoved,
            Kind::NumberChanged,
            Kind::NumberShared,
            Kind::Reaction,
            Kind::MessageEdited,
            Kind::MessageRevoked,
            Kind::PollVote,
            Kind::PollEdited,
            Kind::PollOptionAdded,
            Kind::EventAnswer,
            Kind::EventEdited,
            Kind::MessagePinned,
            Kind::MessageKept,
            Kind::Comment,
            Kind::SealedAddon,
            Kind::ChatTimerChanged,
            Kind::ChatPrivacyChanged,
            Kind::MemberLabelChanged,
            Kind::ControlMessage,
            Kind::ChannelPost,
            Kind::ChannelCounts,
            Kind::History,
            Kind::PictureChanged,
            Kind::PrivacyChanged,
            Kind::DefaultTimerChanged,
            Kind::BlockedChanged,
            Kind::AboutChanged,
            Kind::UsernameChanged,
            Kind::ChatChanged,
            Kind::MessageMarked,
            Kind::ContactChanged,
            Kind::SettingChanged,
            Kind::LabelChanged,
            Kind::QuickReplyChanged,
            Kind::AppStateTrouble,
            Kind::AppStateChanged,
            Kind::AppStateWritten,
            Kind::AppStateSynced,
            Kind::ChannelJoined,
            Kind::ChannelLeft,
            Kind::ChannelChanged,
            Kind::ChannelRoleChanged,
            Kind::ChannelMuted,
            Kind::CallOffered,
            Kind::CallProgress,
            Kind::CallEnded,
            Kind::BusinessChanged,
            Kind::Qr,
            Kind::LinkFailed,
            Kind::Connection,
            Kind::Closed,
            Kind::PairingCode,
            Kind::PairingCodeFailed,
            Kind::PasskeyRequired,
            Kind::MediaProgress,
            Kind::HistoryProgress,
            Kind::Presence,
            Kind::ChatState,
        ];
        let here: Vec<_> = here.iter().map(|kind| (*kind as u32, snake(&format!("{kind:?}")))).collect();
        let table: Vec<_> = whimbrel_api::events::EVENTS
            .iter()
            .map(|entry| (u32::from(entry.number), entry.name.to_owned()))
            .collect();
        assert_eq!(here, table);
        assert!(whimbrel_api::events::EVENTS.iter().all(|entry| entry.journaled == (entry.number < 100)));
    }

    fn snake(name: &str) -> String {
        let mut snake = String::new();
        for character in name.chars() {
            if character.is_uppercase() && !snake.is_empty() {
                snake.push('_');
            }
            snake.extend(character.to_lowercase());
        }
        snake
    }
}

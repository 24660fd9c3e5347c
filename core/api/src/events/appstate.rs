//! Events about what the account's devices share: chat settings, contacts, labels and the like.

use schemars::JsonSchema;
use serde::Serialize;
use whimbrel::appstate::{Action, StateTrouble as Trouble};
use whimbrel::events;

use super::Identity;

/// What changed about a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChatChangeType {
    /// `enabled`: it is archived.
    Archived,
    /// `enabled`: it is pinned.
    Pinned,
    /// `enabled`: it is muted, until `untilMs`.
    Muted,
    /// `enabled`: it is behind the phone's lock.
    Locked,
    /// `enabled`: it is marked as read; otherwise as unread.
    MarkedRead,
    /// Its messages are deleted up to `untilMs`.
    Cleared,
    /// It is deleted with its messages up to `untilMs`.
    Deleted,
    /// `enabled`: the status posts of the person are muted.
    StatusMuted,
    /// A change that this version does not know.
    Unknown,
}

/// Emitted when a chat was archived, pinned, muted, locked, marked, cleared or deleted, or the status
/// posts of a person were muted, on a device of the account. Show the chat as it is now.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChatChanged {
    /// The chat or person.
    pub chat: Option<Identity>,
    /// What changed; it says which of the fields below count.
    pub change: ChatChangeType,
    /// Whether something is on now.
    pub enabled: Option<bool>,
    /// A time, milliseconds since 1970; -1: for ever.
    pub until_ms: Option<i64>,
    /// Files go too, of what is deleted.
    pub media: Option<bool>,
    /// Messages with a star go too, of what is cleared.
    pub starred: Option<bool>,
    /// This client asked for it.
    pub own: bool,
    /// When it was done, milliseconds since 1970; 0 if that was not told.
    pub at_ms: i64,
}

/// What was done to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MessageMarkType {
    /// It has a star.
    Starred,
    /// It has no star any more.
    Unstarred,
    /// It was deleted, for this account only.
    Deleted,
    /// Something that this version does not know.
    Unknown,
}

/// Emitted when a message got or lost its star, or was deleted for this account only.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageMarked {
    /// The chat.
    pub chat: Option<Identity>,
    /// Id of the message.
    pub message_id: String,
    /// Written by this account.
    pub from_me: bool,
    /// Who wrote it, in groups, if that is told.
    pub sender: Option<Identity>,
    /// What was done.
    pub mark: MessageMarkType,
    /// This client asked for it.
    pub own: bool,
    /// When it was done, milliseconds since 1970; 0 if that was not told.
    pub at_ms: i64,
}

/// Emitted when a contact of the account's address book was saved or removed.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ContactChanged {
    /// The person.
    pub who: Option<Identity>,
    /// It is not in the address book any more.
    pub removed: bool,
    /// The whole name.
    pub name: Option<String>,
    /// The first name.
    pub first_name: Option<String>,
    /// The user name.
    pub username: Option<String>,
    /// This client asked for it.
    pub own: bool,
    /// When it was done, milliseconds since 1970; 0 if that was not told.
    pub at_ms: i64,
}

/// A setting that the account's devices share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SettingType {
    /// `text`: the name that the account gives itself.
    PushName,
    /// `text`: the language of the phone.
    Locale,
    /// `enabled`: a new message brings a chat back from the archive.
    UnarchiveChats,
    /// `enabled`: locked chats are hidden.
    ChatLock,
    /// `enabled`: links are shown without previews.
    DisableLinkPreviews,
    /// `enabled`: all calls are relayed.
    RelayAllCalls,
    /// `text`: who sees the own status posts, such as `CONTACTS`; `addresses`: the people who do or do not.
    StatusPrivacy,
    /// `enabled`: times are shown with 24 hours.
    TwentyFourHours,
    /// `addresses`: the favourite chats, in their order.
    Favorites,
    /// A setting that this version does not know.
    Unknown,
}

/// Emitted when a setting that the account's devices share has another value.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SettingChanged {
    /// Which one; it says which of the fields below count.
    pub setting: SettingType,
    /// Whether it is on.
    pub enabled: Option<bool>,
    /// A text.
    pub text: Option<String>,
    /// Chats or people.
    pub addresses: Vec<String>,
    /// This client asked for it.
    pub own: bool,
    /// When it was done, milliseconds since 1970; 0 if that was not told.
    pub at_ms: i64,
}

/// What changed about labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LabelChangeType {
    /// The label was made or changed.
    Edited,
    /// The label was deleted.
    Deleted,
    /// `chat` got the label.
    ChatLabelled,
    /// `chat` lost the label.
    ChatUnlabelled,
    /// The message got the label.
    MessageLabelled,
    /// The message lost the label.
    MessageUnlabelled,
    /// `order`: the labels have this order.
    Reordered,
    /// A change that this version does not know.
    Unknown,
}

/// Emitted when a label was made, changed or deleted, or a chat or message got or lost one.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LabelChanged {
    /// Id of the label.
    pub label: Option<String>,
    /// What changed; it says which of the fields below count.
    pub change: LabelChangeType,
    /// Its name.
    pub name: Option<String>,
    /// Number of its colour.
    pub color: Option<i32>,
    /// The chat.
    pub chat: Option<Identity>,
    /// The message.
    pub message_id: Option<String>,
    /// Ids of labels.
    pub order: Vec<String>,
    /// This client asked for it.
    pub own: bool,
    /// When it was done, milliseconds since 1970; 0 if that was not told.
    pub at_ms: i64,
}

/// Emitted when a quick reply of a business was made, changed or deleted.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct QuickReplyChanged {
    /// Its id.
    pub reply_id: String,
    /// It was deleted.
    pub deleted: bool,
    /// What is typed for it.
    pub shortcut: Option<String>,
    /// What it says.
    pub message: Option<String>,
    /// Words by which it is found.
    pub keywords: Vec<String>,
    /// This client asked for it.
    pub own: bool,
    /// When it was done, milliseconds since 1970; 0 if that was not told.
    pub at_ms: i64,
}

/// What is wrong with what the account's devices share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AppStateTroubleType {
    /// It did not fit and was read anew; nothing is to be done.
    StartedOver,
    /// It cannot be read; the phone was asked to hand it over, and has to be online for that.
    AskedPhone,
    /// The phone handed it over, and it is read again.
    Recovered,
    /// Nothing helped: it is neither read nor written any more. Link the client anew.
    GivenUp,
    /// It cannot be read for want of a key that no device of the account has given for a week.
    NoKey,
    /// A trouble that this version does not know.
    Unknown,
}

/// Emitted when something is wrong with what the account's devices share. Only `given_up` asks for
/// something: link the client anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AppStateTrouble {
    /// Name of the collection; absent for what is about all of them.
    pub collection: Option<&'static str>,
    /// What is wrong.
    pub trouble: AppStateTroubleType,
}

/// Emitted when something else changed that the account's devices share.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AppStateChanged {
    /// Name of the collection.
    pub collection: &'static str,
    /// The parts of the index; the first one is the name of the action.
    pub index: Vec<String>,
    /// The entry was taken out.
    pub removed: bool,
    /// The chat or person that it is about.
    pub subject: Option<Identity>,
    /// What it says: a `SyncActionValue` in the JSON form of protobuf, as a text.
    pub value: String,
    /// This client asked for it.
    pub own: bool,
    /// When it was done, milliseconds since 1970; 0 if that was not told.
    pub at_ms: i64,
}

/// Emitted when the fate of a change is known that this client asked for: the account's devices see
/// it, or it could not be written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AppStateWritten {
    /// The id that the operation returned.
    pub change: String,
    /// Absent: the account's devices see it. Otherwise the name of the error code: `SUPERSEDED` when
    /// another device changed the same meanwhile.
    pub error: Option<&'static str>,
}

/// Emitted when what the account's devices share was read for the first time, collection by collection.
/// There are no events about each of its entries: look with `find_chats`, `find_contacts`, `list_labels`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AppStateSynced {
    /// Name of the collection.
    pub collection: &'static str,
    /// Entries in it.
    pub entries: u64,
}

fn subject(event: &events::StateChange) -> Option<Identity> {
    event.subject.as_ref().map(Into::into)
}

impl From<&events::StateChange> for ChatChanged {
    fn from(event: &events::StateChange) -> Self {
        use ChatChangeType as Type;
        let on = |value: Option<bool>| Some(!event.removed && value.unwrap_or_default());
        let end = |range: Option<&_>| {
            let end = whimbrel::appstate::MessageRange::read(range).end();
            Some(end.map_or(event.at_ms, |end| end.saturating_mul(1000)))
        };
        let (change, enabled, until_ms) = match &event.action {
            Action::Archive { value, .. } => (Type::Archived, on(value.archived), None),
            Action::Pin { value, .. } => (Type::Pinned, on(value.pinned), None),
            Action::Mute { value, .. } => {
                let muted = on(value.muted);
                (Type::Muted, muted, value.mute_end_timestamp.filter(|_| muted == Some(true)))
            }
            Action::Lock { value, .. } => (Type::Locked, on(value.locked), None),
            Action::MarkChatAsRead { value, .. } => (Type::MarkedRead, on(value.read), None),
            Action::UserStatusMute { value, .. } => (Type::StatusMuted, on(value.muted), None),
            Action::ClearChat { value, .. } => (Type::Cleared, None, end(value.message_range.as_ref())),
            Action::DeleteChat { value, .. } => (Type::Deleted, None, end(value.message_range.as_ref())),
            _ => (Type::Unknown, None, None),
        };
        let (media, starred) = match &event.action {
            Action::ClearChat { delete_media, delete_starred, .. } => {
                (Some(*delete_media), Some(*delete_starred))
            }
            Action::DeleteChat { delete_media, .. } => (Some(*delete_media), None),
            _ => (None, None),
        };
        let (chat, own, at_ms) = (subject(event), event.own, event.at_ms);
        Self { chat, change, enabled, until_ms, media, starred, own, at_ms }
    }
}

impl From<&events::StateChange> for MessageMarked {
    fn from(event: &events::StateChange) -> Self {
        let mark = match &event.action {
            Action::Star { value, .. } if !event.removed && value.starred.unwrap_or_default() => {
                MessageMarkType::Starred
            }
            Action::Star { .. } => MessageMarkType::Unstarred,
            Action::DeleteMessageForMe { .. } => MessageMarkType::Deleted,
            _ => MessageMarkType::Unknown,
        };
        let message = event.message.as_ref();
        Self {
            chat: subject(event),
            message_id: message.map(|message| message.message_id.clone()).unwrap_or_default(),
            from_me: message.is_some_and(|message| message.from_me),
            sender: message.and_then(|message| message.sender.as_ref()).map(Into::into),
            mark,
            own: event.own,
            at_ms: event.at_ms,
        }
    }
}

impl From<&events::StateChange> for ContactChanged {
    fn from(event: &events::StateChange) -> Self {
        let (name, first_name, username) = match &event.action {
            Action::Contact { value, .. } => {
                (value.full_name.clone(), value.first_name.clone(), value.username.clone())
            }
            Action::LidContact { value, .. } => {
                (value.full_name.clone(), value.first_name.clone(), value.username.clone())
            }
            Action::OutContact { value, .. } => (value.full_name.clone(), value.first_name.clone(), None),
            _ => (None, None, None),
        };
        let (who, removed, own, at_ms) = (subject(event), event.removed, event.own, event.at_ms);
        Self { who, removed, name, first_name, username, own, at_ms }
    }
}

impl From<&events::StateChange> for SettingChanged {
    fn from(event: &events::StateChange) -> Self {
        use SettingType as Type;
        let mut changed = Self {
            setting: Type::Unknown,
            enabled: None,
            text: None,
            addresses: Vec::new(),
            own: event.own,
            at_ms: event.at_ms,
        };
        let on = |value: Option<bool>| Some(!event.removed && value.unwrap_or_default());
        let (setting, enabled) = match &event.action {
            Action::PushName { value } => {
                changed.text.clone_from(&value.name);
                (Type::PushName, None)
            }
            Action::Locale { value } => {
                changed.text.clone_from(&value.locale);
                (Type::Locale, None)
            }
            Action::UnarchiveChats { value } => (Type::UnarchiveChats, on(value.unarchive_chats)),
            Action::ChatLockSettings { value } => (Type::ChatLock, on(value.hide_locked_chats)),
            Action::DisableLinkPreviews { value } => {
                (Type::DisableLinkPreviews, on(value.is_previews_disabled))
            }
            Action::RelayAllCalls { value } => (Type::RelayAllCalls, on(value.is_enabled)),
            Action::TimeFormat { value } => {
                (Type::TwentyFourHours, on(value.is_twenty_four_hour_format_enabled))
            }
            Action::StatusPrivacy { value } => {
                changed.text = value.mode.map(|_| value.mode().as_str_name().to_owned());
                changed.addresses.clone_from(&value.user_jid);
                (Type::StatusPrivacy, None)
            }
            Action::Favorites { value } => {
                changed.addresses = value.favorites.iter().filter_map(|chat| chat.id.clone()).collect();
                (Type::Favorites, None)
            }
            _ => (Type::Unknown, None),
        };
        Self { setting, enabled, ..changed }
    }
}

impl From<&events::StateChange> for LabelChanged {
    fn from(event: &events::StateChange) -> Self {
        use LabelChangeType as Type;
        let mut changed = Self {
            label: None,
            change: Type::Unknown,
            name: None,
            color: None,
            chat: subject(event),
            message_id: event.message.as_ref().map(|message| message.message_id.clone()),
            order: Vec::new(),
            own: event.own,
            at_ms: event.at_ms,
        };
        let on = |value: Option<bool>| !event.removed && value.unwrap_or_default();
        changed.change = match &event.action {
            Action::LabelEdit { label, value } => {
                changed.label = Some(label.clone());
                changed.name.clone_from(&value.name);
                changed.color = value.color;
                let gone = event.removed || value.deleted.unwrap_or_default();
                if gone { Type::Deleted } else { Type::Edited }
            }
            Action::LabelChat { label, value, .. } => {
                changed.label = Some(label.clone());
                if on(value.labeled) { Type::ChatLabelled } else { Type::ChatUnlabelled }
            }
            Action::LabelMessage { label, value, .. } => {
                changed.label = Some(label.clone());
                if on(value.labeled) { Type::MessageLabelled } else { Type::MessageUnlabelled }
            }
            Action::LabelReordering { value } => {
                changed.order = value.sorted_label_ids.iter().map(ToString::to_string).collect();
                Type::Reordered
            }
            _ => Type::Unknown,
        };
        changed
    }
}

impl From<&events::StateChange> for QuickReplyChanged {
    fn from(event: &events::StateChange) -> Self {
        let (id, value) = match &event.action {
            Action::QuickReply { id, value } => (id.clone(), Some(value)),
            _ => (String::new(), None),
        };
        Self {
            reply_id: id,
            deleted: event.removed || value.is_none_or(|value| value.deleted.unwrap_or_default()),
            shortcut: value.and_then(|value| value.shortcut.clone()),
            message: value.and_then(|value| value.message.clone()),
            keywords: value.map(|value| value.keywords.clone()).unwrap_or_default(),
            own: event.own,
            at_ms: event.at_ms,
        }
    }
}

impl From<&events::StateChange> for AppStateChanged {
    fn from(event: &events::StateChange) -> Self {
        Self {
            collection: event.collection.name(),
            index: event.action.index(),
            removed: event.removed,
            subject: subject(event),
            value: event.value_json(),
            own: event.own,
            at_ms: event.at_ms,
        }
    }
}

impl From<&events::StateTroubled> for AppStateTrouble {
    fn from(event: &events::StateTroubled) -> Self {
        let trouble = match event.trouble {
            Trouble::StartedOver => AppStateTroubleType::StartedOver,
            Trouble::AskedPhone => AppStateTroubleType::AskedPhone,
            Trouble::Recovered => AppStateTroubleType::Recovered,
            Trouble::GivenUp => AppStateTroubleType::GivenUp,
            Trouble::NoKey => AppStateTroubleType::NoKey,
            _ => AppStateTroubleType::Unknown,
        };
        Self { collection: event.collection.map(|collection| collection.name()), trouble }
    }
}

impl From<&events::StateWritten> for AppStateWritten {
    fn from(event: &events::StateWritten) -> Self {
        let error = event.error.map(|code| crate::codes::info(code).name);
        Self { change: event.change.clone(), error }
    }
}

impl From<&events::StateSynced> for AppStateSynced {
    fn from(event: &events::StateSynced) -> Self {
        Self { collection: event.collection.name(), entries: event.entries }
    }
}

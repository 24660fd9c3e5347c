//! What the account's devices share about chats, messages, contacts and settings.
//!
//! Every operation here writes the change down, so that it outlives a crash, and answers with its id. An
//! `app_state_written` event tells when the account's devices see it, or why they do not.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use whimbrel::appstate::{self, Mute, StateCollection};
use whimbrel::{CallOptions, Client, Code, Error, Jid, MessageKey, parse_address};

use super::Operation;

/// A change that was written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StateChangeId {
    /// Its id, which the `app_state_written` event has too.
    pub change: String,
}

impl StateChangeId {
    pub(super) fn of(change: String) -> Self {
        Self { change }
    }
}

/// Names a message of a chat.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MessageName {
    /// Its id.
    pub message_id: String,
    /// Who wrote it. Absent: the other person of a chat with one person; needed in groups and for messages
    /// of this account.
    #[serde(default)]
    #[schemars(extend("format" = "address"))]
    pub sender: Option<String>,
}

impl MessageName {
    pub(super) fn key(self) -> Result<MessageKey, Error> {
        let sender = self.sender.as_deref().map(parse_address).transpose()?;
        Ok(MessageKey { message_id: self.message_id, sender })
    }
}

/// Archives a chat, or brings it back. An archived chat is not pinned any more.
///
/// Writes the change down, so that it outlives a crash, and answers with its id; an `app_state_written`
/// event tells when the account's devices see it. Fails with `APP_STATE_LOST` if the devices do not agree
/// any more and the client has to be linked anew.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ArchiveChat {
    /// Address of the chat.
    #[schemars(extend("format" = "address"))]
    pub chat: String,
    /// Whether it is archived from now on.
    pub archived: bool,
}

impl Operation for ArchiveChat {
    const NAME: &'static str = "archive_chat";
    type Output = StateChangeId;

    async fn run(self, client: &Client, _: CallOptions) -> Result<StateChangeId, Error> {
        client.archive_chat(&parse_address(&self.chat)?, self.archived).await.map(StateChangeId::of)
    }
}

/// Pins a chat to the top of the list, or takes it off. A pinned chat is not archived any more.
///
/// Answers and fails as `archive_chat` does.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PinChat {
    /// Address of the chat.
    #[schemars(extend("format" = "address"))]
    pub chat: String,
    /// Whether it is pinned from now on.
    pub pinned: bool,
}

impl Operation for PinChat {
    const NAME: &'static str = "pin_chat";
    type Output = StateChangeId;

    async fn run(self, client: &Client, _: CallOptions) -> Result<StateChangeId, Error> {
        client.pin_chat(&parse_address(&self.chat)?, self.pinned).await.map(StateChangeId::of)
    }
}

/// Mutes a chat, or ends that.
///
/// Answers and fails as `archive_chat` does.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MuteChat {
    /// Address of the chat.
    #[schemars(extend("format" = "address"))]
    pub chat: String,
    /// Whether it is muted from now on.
    pub muted: bool,
    /// Until when, milliseconds since 1970; absent: until that is taken back.
    #[serde(default)]
    pub until_ms: Option<i64>,
}

impl Operation for MuteChat {
    const NAME: &'static str = "mute_chat";
    type Output = StateChangeId;

    async fn run(self, client: &Client, _: CallOptions) -> Result<StateChangeId, Error> {
        let mute = match (self.muted, self.until_ms) {
            (false, _) => Mute::Off,
            (true, Some(until)) => Mute::Until(until),
            (true, None) => Mute::Forever,
        };
        client.mute_chat(&parse_address(&self.chat)?, mute).await.map(StateChangeId::of)
    }
}

/// Marks a chat as read up to its newest message, or as unread, on the account's own devices; `mark_read`
/// tells the authors.
///
/// Answers and fails as `archive_chat` does.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MarkChat {
    /// Address of the chat.
    #[schemars(extend("format" = "address"))]
    pub chat: String,
    /// Whether it is read; otherwise it is marked as unread.
    pub read: bool,
}

impl Operation for MarkChat {
    const NAME: &'static str = "mark_chat";
    type Output = StateChangeId;

    async fn run(self, client: &Client, _: CallOptions) -> Result<StateChangeId, Error> {
        client.mark_chat(&parse_address(&self.chat)?, self.read).await.map(StateChangeId::of)
    }
}

/// Puts a chat behind the lock of the phone, or takes it out. A locked chat is neither archived nor pinned.
///
/// Answers and fails as `archive_chat` does.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LockChat {
    /// Address of the chat.
    #[schemars(extend("format" = "address"))]
    pub chat: String,
    /// Whether it is locked from now on.
    pub locked: bool,
}

impl Operation for LockChat {
    const NAME: &'static str = "lock_chat";
    type Output = StateChangeId;

    async fn run(self, client: &Client, _: CallOptions) -> Result<StateChangeId, Error> {
        client.lock_chat(&parse_address(&self.chat)?, self.locked).await.map(StateChangeId::of)
    }
}

/// Deletes the messages of a chat up to the newest one that this client knows, on the account's own
/// devices.
///
/// Answers and fails as `archive_chat` does.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClearChat {
    /// Address of the chat.
    #[schemars(extend("format" = "address"))]
    pub chat: String,
    /// Messages with a star go too.
    #[serde(default)]
    pub starred: bool,
    /// Files of the messages go too.
    #[serde(default)]
    pub media: bool,
}

impl Operation for ClearChat {
    const NAME: &'static str = "clear_chat";
    type Output = StateChangeId;

    async fn run(self, client: &Client, _: CallOptions) -> Result<StateChangeId, Error> {
        let chat = parse_address(&self.chat)?;
        client.clear_chat(&chat, self.starred, self.media).await.map(StateChangeId::of)
    }
}

/// Deletes a chat with its messages, on the account's own devices. A message that comes later brings the
/// chat back.
///
/// Answers and fails as `archive_chat` does.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeleteChat {
    /// Address of the chat.
    #[schemars(extend("format" = "address"))]
    pub chat: String,
    /// Files of the messages go too.
    #[serde(default)]
    pub media: bool,
}

impl Operation for DeleteChat {
    const NAME: &'static str = "delete_chat";
    type Output = StateChangeId;

    async fn run(self, client: &Client, _: CallOptions) -> Result<StateChangeId, Error> {
        client.delete_chat(&parse_address(&self.chat)?, self.media).await.map(StateChangeId::of)
    }
}

/// Gives messages of a chat a star, or takes it away: 1 to 1000 of them.
///
/// Answers and fails as `archive_chat` does.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StarMessages {
    /// Address of the chat.
    #[schemars(extend("format" = "address"))]
    pub chat: String,
    /// The messages.
    pub messages: Vec<MessageName>,
    /// Whether they have a star from now on.
    pub starred: bool,
}

impl Operation for StarMessages {
    const NAME: &'static str = "star_messages";
    type Output = StateChangeId;

    async fn run(self, client: &Client, _: CallOptions) -> Result<StateChangeId, Error> {
        let messages = self.messages.into_iter().map(MessageName::key).collect::<Result<_, _>>()?;
        let chat = parse_address(&self.chat)?;
        client.star_messages(&chat, messages, self.starred).await.map(StateChangeId::of)
    }
}

/// Deletes a message, on the account's own devices only; `revoke_message` takes it back everywhere.
///
/// Answers and fails as `archive_chat` does.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeleteMessageForMe {
    /// Address of the chat.
    #[schemars(extend("format" = "address"))]
    pub chat: String,
    /// The message.
    pub message: MessageName,
    /// Its file goes too.
    #[serde(default)]
    pub media: bool,
}

impl Operation for DeleteMessageForMe {
    const NAME: &'static str = "delete_message_for_me";
    type Output = StateChangeId;

    async fn run(self, client: &Client, _: CallOptions) -> Result<StateChangeId, Error> {
        let chat = parse_address(&self.chat)?;
        let deleted = client.delete_message_for_me(&chat, self.message.key()?, self.media);
        deleted.await.map(StateChangeId::of)
    }
}

/// Mutes the status posts of a person, or shows them again.
///
/// Answers and fails as `archive_chat` does.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MuteStatus {
    /// Address of the person.
    #[schemars(extend("format" = "address"))]
    pub person: String,
    /// Whether they are muted from now on.
    pub muted: bool,
}

impl Operation for MuteStatus {
    const NAME: &'static str = "mute_status";
    type Output = StateChangeId;

    async fn run(self, client: &Client, _: CallOptions) -> Result<StateChangeId, Error> {
        client.mute_status(&parse_address(&self.person)?, self.muted).await.map(StateChangeId::of)
    }
}

/// Saves a person in the account's address book, or changes the names there.
///
/// Answers and fails as `archive_chat` does.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SaveContact {
    /// Address of the person.
    #[schemars(extend("format" = "address"))]
    pub person: String,
    /// The whole name.
    pub name: String,
    /// The first name.
    #[serde(default)]
    pub first_name: Option<String>,
    /// The phone takes the contact into its own address book as well.
    #[serde(default)]
    pub on_phone: bool,
}

impl Operation for SaveContact {
    const NAME: &'static str = "save_contact";
    type Output = StateChangeId;

    async fn run(self, client: &Client, _: CallOptions) -> Result<StateChangeId, Error> {
        let person = parse_address(&self.person)?;
        let first_name = self.first_name.as_deref();
        let saved = client.save_contact(&person, &self.name, first_name, self.on_phone);
        saved.await.map(StateChangeId::of)
    }
}

/// Takes a person out of the account's address book.
///
/// Answers and fails as `archive_chat` does.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RemoveContact {
    /// Address of the person.
    #[schemars(extend("format" = "address"))]
    pub person: String,
}

impl Operation for RemoveContact {
    const NAME: &'static str = "remove_contact";
    type Output = StateChangeId;

    async fn run(self, client: &Client, _: CallOptions) -> Result<StateChangeId, Error> {
        client.remove_contact(&parse_address(&self.person)?).await.map(StateChangeId::of)
    }
}

/// Names the account's favourite chats: all of them, in their order.
///
/// Answers and fails as `archive_chat` does.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetFavorites {
    /// Addresses of the chats.
    pub chats: Vec<String>,
}

impl Operation for SetFavorites {
    const NAME: &'static str = "set_favorites";
    type Output = StateChangeId;

    async fn run(self, client: &Client, _: CallOptions) -> Result<StateChangeId, Error> {
        let chats = self.chats.iter().map(|chat| parse_address(chat)).collect::<Result<Vec<Jid>, Error>>()?;
        client.set_favorites(chats).await.map(StateChangeId::of)
    }
}

/// Changes a setting that the account's devices share; exactly one of the fields is given.
///
/// Answers and fails as `archive_chat` does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SetSetting {
    /// The name that the account gives itself, 1 to 25 characters.
    pub push_name: Option<String>,
    /// The language, such as `pt_BR`.
    pub locale: Option<String>,
    /// Whether a new message brings a chat back from the archive.
    pub unarchive_chats: Option<bool>,
    /// Whether links are shown without previews.
    pub disable_link_previews: Option<bool>,
    /// Whether all calls are relayed.
    pub relay_all_calls: Option<bool>,
    /// Whether times are shown with 24 hours.
    pub twenty_four_hours: Option<bool>,
}

impl Operation for SetSetting {
    const NAME: &'static str = "set_setting";
    type Output = StateChangeId;

    async fn run(self, client: &Client, _: CallOptions) -> Result<StateChangeId, Error> {
        use appstate::Setting;
        let given = [
            self.push_name.map(Setting::PushName),
            self.locale.map(Setting::Locale),
            self.unarchive_chats.map(Setting::UnarchiveChats),
            self.disable_link_previews.map(Setting::DisableLinkPreviews),
            self.relay_all_calls.map(Setting::RelayAllCalls),
            self.twenty_four_hours.map(Setting::TwentyFourHours),
        ];
        let mut given = given.into_iter().flatten();
        match (given.next(), given.next()) {
            (Some(setting), None) => client.set_setting(setting).await.map(StateChangeId::of),
            _ => Err(Error::new(Code::InvalidArgument, "exactly one setting is changed at a time")),
        }
    }
}

/// Changes an entry of what the account's devices share, for actions that have no operation of their own.
///
/// Answers and fails as `archive_chat` does. Other devices take what is written; make sure that it is what
/// official clients would write.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChangeAppState {
    /// Name of the collection, such as `regular_low`.
    pub collection: String,
    /// The parts of the index; the first one is the name of the action.
    pub index: Vec<String>,
    /// The version of the action.
    pub version: i32,
    /// A `SyncActionValue` in the JSON form of protobuf, as a text; its time is set. Absent: the entry is
    /// taken out.
    #[serde(default)]
    pub value: Option<String>,
}

impl Operation for ChangeAppState {
    const NAME: &'static str = "change_app_state";
    type Output = StateChangeId;

    async fn run(self, client: &Client, _: CallOptions) -> Result<StateChangeId, Error> {
        let collection = StateCollection::named(&self.collection);
        let collection = collection
            .ok_or_else(|| Error::new(Code::InvalidArgument, "there is no collection of that name"))?;
        let value = self.value.as_deref().map(appstate::value_from_json).transpose()?;
        let changed = client.change_state(collection, self.index, self.version, value);
        changed.await.map(StateChangeId::of)
    }
}

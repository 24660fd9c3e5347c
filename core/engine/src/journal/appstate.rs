//! The stored form of events about app state.

use whimbrel_appstate::{Action, Collection, Entry};

use super::record::{IdentityRow, UnreadableRow, identity_of, identity_row, status_of};
use crate::appstate::MessageName;
use crate::error::Code;
use crate::events::{StateChange, StateSynced, StateTrouble, StateTroubled, StateWritten};

/// The entry itself is kept, so that a later version understands what this one does not.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ChangeRow {
    #[prost(string, tag = "1")]
    collection: String,
    #[prost(bytes = "vec", tag = "2")]
    index: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    value: Vec<u8>,
    #[prost(int32, tag = "4")]
    version: i32,
    #[prost(bool, tag = "5")]
    removed: bool,
    #[prost(int64, tag = "6")]
    at_ms: i64,
    #[prost(message, optional, tag = "7")]
    subject: Option<IdentityRow>,
    #[prost(message, optional, tag = "8")]
    message: Option<NameRow>,
    #[prost(bool, tag = "9")]
    own: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
struct NameRow {
    #[prost(string, tag = "1")]
    message_id: String,
    #[prost(bool, tag = "2")]
    from_me: bool,
    #[prost(message, optional, tag = "3")]
    sender: Option<IdentityRow>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct TroubleRow {
    #[prost(string, optional, tag = "1")]
    collection: Option<String>,
    #[prost(int32, tag = "2")]
    trouble: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct WrittenRow {
    #[prost(string, tag = "1")]
    change: String,
    #[prost(uint32, optional, tag = "2")]
    error: Option<u32>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct SyncedRow {
    #[prost(string, tag = "1")]
    collection: String,
    #[prost(uint64, tag = "2")]
    entries: u64,
}

fn collection_of(name: &str) -> Result<Collection, UnreadableRow> {
    Collection::named(name).ok_or(UnreadableRow)
}

impl From<&StateChange> for ChangeRow {
    fn from(event: &StateChange) -> Self {
        let Entry { index, value, version } = event.action.entry(event.at_ms);
        let message = event.message.as_ref().map(|message| NameRow {
            message_id: message.message_id.clone(),
            from_me: message.from_me,
            sender: message.sender.as_ref().map(identity_row),
        });
        Self {
            collection: event.collection.name().to_owned(),
            index,
            value,
            version,
            removed: event.removed,
            at_ms: event.at_ms,
            subject: event.subject.as_ref().map(identity_row),
            message,
            own: event.own,
        }
    }
}

impl TryFrom<ChangeRow> for StateChange {
    type Error = UnreadableRow;

    fn try_from(row: ChangeRow) -> Result<Self, UnreadableRow> {
        let entry = Entry { index: row.index, value: row.value, version: row.version };
        let name = |row: NameRow| {
            let sender = row.sender.map(|sender| identity_of(Some(sender))).transpose()?;
            Ok(MessageName { message_id: row.message_id, from_me: row.from_me, sender })
        };
        Ok(Self {
            collection: collection_of(&row.collection)?,
            action: Action::read(&entry, row.removed).ok_or(UnreadableRow)?,
            removed: row.removed,
            at_ms: row.at_ms,
            subject: row.subject.map(|subject| identity_of(Some(subject))).transpose()?,
            message: row.message.map(name).transpose()?,
            own: row.own,
        })
    }
}

impl From<&StateTroubled> for TroubleRow {
    fn from(event: &StateTroubled) -> Self {
        let collection = event.collection.map(|collection| collection.name().to_owned());
        Self { collection, trouble: event.trouble.number() }
    }
}

impl TryFrom<TroubleRow> for StateTroubled {
    type Error = UnreadableRow;

    fn try_from(row: TroubleRow) -> Result<Self, UnreadableRow> {
        let collection = row.collection.as_deref().map(collection_of).transpose()?;
        Ok(Self { collection, trouble: StateTrouble::of_number(row.trouble) })
    }
}

impl From<&StateWritten> for WrittenRow {
    fn from(event: &StateWritten) -> Self {
        Self { change: event.change.clone(), error: event.error.map(|code| u32::from(code.number())) }
    }
}

impl TryFrom<WrittenRow> for StateWritten {
    type Error = UnreadableRow;

    fn try_from(row: WrittenRow) -> Result<Self, UnreadableRow> {
        // A newer version may have codes that this one does not know.
        let error = |number| status_of(number).ok().and_then(Code::of_number).unwrap_or(Code::Internal);
        Ok(Self { change: row.change, error: row.error.map(error) })
    }
}

impl From<&StateSynced> for SyncedRow {
    fn from(event: &StateSynced) -> Self {
        Self { collection: event.collection.name().to_owned(), entries: event.entries }
    }
}

impl TryFrom<SyncedRow> for StateSynced {
    type Error = UnreadableRow;

    fn try_from(row: SyncedRow) -> Result<Self, UnreadableRow> {
        Ok(Self { collection: collection_of(&row.collection)?, entries: row.entries })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use whimbrel_proto::sync_action::sync_action_value::{
        ArchiveChatAction, ContactAction, LabelEditAction, PushNameSetting, QuickReplyAction, StarAction,
    };

    use super::*;
    use crate::events::{EventKind, Identity};

    /// One event of every kind about app state.
    pub(crate) fn every_kind(who: &Identity) -> Vec<EventKind> {
        let text = |text: &str| Some(text.to_owned());
        let change = |action: Action, removed| {
            Box::new(StateChange {
                collection: action.kind().map_or(Collection::Regular, |kind| kind.collection()),
                action,
                removed,
                at_ms: 1_790_000_000_123,
                subject: None,
                message: None,
                own: false,
            })
        };
        let archive = ArchiveChatAction { archived: Some(true), message_range: None };
        let chat = Action::Archive { chat: who.id.to_string(), value: Box::new(archive) };
        let message = whimbrel_appstate::MessageRef {
            chat: "1203630@g.us".into(),
            id: "3EB0AA".into(),
            from_me: false,
            participant: Some(who.id.to_string()),
        };
        let star = Action::Star { message, value: Box::new(StarAction { starred: Some(true) }) };
        let name = MessageName { message_id: "3EB0AA".into(), from_me: false, sender: Some(who.clone()) };
        let contact = Action::Contact { person: who.id.to_string(), value: Box::<ContactAction>::default() };
        let label = LabelEditAction { name: text("new"), ..LabelEditAction::default() };
        let reply = QuickReplyAction { shortcut: text("hi"), ..QuickReplyAction::default() };
        let unknown = Action::Unknown { index: vec!["tomorrow".into()], value: vec![8, 1], version: 9 };
        let subject = Some(who.clone());
        vec![
            EventKind::ChatChanged(Box::new(StateChange {
                subject: subject.clone(),
                own: true,
                ..*change(chat, false)
            })),
            EventKind::MessageMarked(Box::new(StateChange { message: Some(name), ..*change(star, false) })),
            EventKind::ContactChanged(Box::new(StateChange { subject, ..*change(contact, true) })),
            EventKind::SettingChanged(change(
                Action::PushName { value: Box::new(PushNameSetting { name: text("Zoë") }) },
                false,
            )),
            EventKind::LabelChanged(change(
                Action::LabelEdit { label: "4".into(), value: Box::new(label) },
                false,
            )),
            EventKind::QuickReplyChanged(change(
                Action::QuickReply { id: "7".into(), value: Box::new(reply) },
                false,
            )),
            EventKind::StateChanged(change(unknown, false)),
            EventKind::StateTrouble(StateTroubled {
                collection: Some(Collection::RegularHigh),
                trouble: StateTrouble::AskedPhone,
            }),
            EventKind::StateWritten(StateWritten { change: "ab".into(), error: Some(Code::Superseded) }),
            EventKind::StateSynced(StateSynced { collection: Collection::Regular, entries: 4 }),
        ]
    }
}

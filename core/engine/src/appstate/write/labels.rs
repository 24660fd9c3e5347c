//! Labels and quick replies.

use std::collections::BTreeMap;
use std::sync::Arc;

use whimbrel_appstate::{Action, Kind, Operation};
use whimbrel_proto::sync_action::sync_action_value::label_edit_action::ListType;
use whimbrel_proto::sync_action::sync_action_value::{
    LabelAssociationAction, LabelEditAction, LabelReorderingAction, QuickReplyAction,
};
use whimbrel_wire::Jid;

use super::{Desk, wrong};
use crate::client::{Client, Inner};
use crate::error::Error;
use crate::messages::MessageKey;

/// A label, or list, as a host wants it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LabelEdit {
    /// Its name.
    pub name: String,
    /// Number of its colour, 0 to 19.
    pub color: i32,
}

/// A quick reply of a business, as a host wants it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct QuickReply {
    /// What is typed for it.
    pub shortcut: String,
    /// What it says.
    pub message: String,
    /// Words by which it is found.
    pub keywords: Vec<String>,
}

impl Client {
    /// Makes a label for chats and messages, or changes one. Without an id a new one is made; the ids of
    /// the change and of the label are returned.
    ///
    /// # Errors
    /// [`crate::Code::InvalidArgument`] for an empty name, a colour that there is not and an id that is
    /// no number, and those of [`archive_chat`](Self::archive_chat).
    pub async fn edit_label(&self, label: Option<&str>, edit: LabelEdit) -> Result<(String, String), Error> {
        let label = match label {
            Some(label) => label.to_owned(),
            None => self.free_label()?,
        };
        let id = label.clone();
        let change = self.wish("edit_label", move |desk| {
            if edit.name.trim().is_empty() || !(0..20).contains(&edit.color) {
                return Err(wrong("a label has a name, and a colour from 0 to 19"));
            }
            let present = desk.label(&label)?;
            let value = LabelEditAction {
                name: Some(edit.name),
                color: Some(edit.color),
                deleted: Some(false),
                is_active: Some(true),
                r#type: Some(ListType::Custom.into()),
                ..present.unwrap_or_default()
            };
            Ok(vec![(Operation::Set, Action::LabelEdit { label, value: Box::new(value) })])
        });
        Ok((change.await?, id))
    }

    /// A number that no label has.
    fn free_label(&self) -> Result<String, Error> {
        let store = &self.inner().store;
        let mut highest = 0_u32;
        let entries = store.app_state_entries(Kind::LabelEdit.collection())?;
        let waiting = store.app_state_pending()?;
        let all = entries.iter().map(|held| &held.entry).chain(waiting.iter().map(|wish| &wish.entry));
        for entry in all {
            if let Some(Action::LabelEdit { label, .. }) = Action::read(entry, true) {
                highest = highest.max(label.parse().unwrap_or(0));
            }
        }
        Ok(highest.saturating_add(1).to_string())
    }

    /// Deletes a label. Chats and messages lose it.
    ///
    /// # Errors
    /// As [`edit_label`](Self::edit_label).
    pub async fn delete_label(&self, label: &str) -> Result<String, Error> {
        let label = label.to_owned();
        self.wish("delete_label", move |desk| {
            let value = LabelEditAction { deleted: Some(true), ..desk.label(&label)?.unwrap_or_default() };
            Ok(vec![(Operation::Set, Action::LabelEdit { label, value: Box::new(value) })])
        })
        .await
    }

    /// Gives a chat a label, or takes it away.
    ///
    /// # Errors
    /// As [`edit_label`](Self::edit_label).
    pub async fn label_chat(&self, label: &str, chat: &Jid, labelled: bool) -> Result<String, Error> {
        let (label, chat) = (label.to_owned(), chat.clone());
        self.wish("label_chat", move |desk| {
            desk.label(&label)?;
            let kind = Kind::LabelChat;
            let index = |chat: &str| [kind.name(), &label, chat].map(str::to_owned).to_vec();
            let chat = desk.named(&chat, kind.collection(), index)?;
            let value = Box::new(LabelAssociationAction { labeled: Some(labelled), ..Default::default() });
            Ok(vec![(Operation::Set, Action::LabelChat { label, chat, value })])
        })
        .await
    }

    /// Gives a message a label, or takes it away.
    ///
    /// # Errors
    /// As [`edit_label`](Self::edit_label).
    pub async fn label_message(
        &self,
        label: &str,
        chat: &Jid,
        message: MessageKey,
        labelled: bool,
    ) -> Result<String, Error> {
        let (label, chat) = (label.to_owned(), chat.clone());
        self.wish("label_message", move |desk| {
            desk.label(&label)?;
            let kind = Kind::LabelMessage;
            let id = message.message_id;
            // All clients write these two parts as zeros.
            let index = |chat: &str| [kind.name(), &label, chat, &id, "0", "0"].map(str::to_owned).to_vec();
            let chat = desk.named(&chat, kind.collection(), index)?;
            let value = Box::new(LabelAssociationAction { labeled: Some(labelled), ..Default::default() });
            let participant = "0".to_owned();
            let action = Action::LabelMessage { label, chat, id, from_me: false, participant, value };
            Ok(vec![(Operation::Set, action)])
        })
        .await
    }

    /// Puts the labels in an order; all of them have to be named.
    ///
    /// # Errors
    /// As [`edit_label`](Self::edit_label).
    pub async fn order_labels(&self, labels: Vec<String>) -> Result<String, Error> {
        self.wish("order_labels", move |_| {
            let number = |label: &String| label.parse().map_err(|_| wrong("ids of labels are numbers"));
            let sorted_label_ids = labels.iter().map(number).collect::<Result<Vec<i32>, Error>>()?;
            let value = Box::new(LabelReorderingAction { sorted_label_ids });
            Ok(vec![(Operation::Set, Action::LabelReordering { value })])
        })
        .await
    }

    /// Makes a quick reply, or changes one. Without an id a new one is made; the ids of the change and of
    /// the reply are returned.
    ///
    /// # Errors
    /// [`crate::Code::InvalidArgument`] for an empty shortcut or message, and those of
    /// [`archive_chat`](Self::archive_chat).
    pub async fn edit_quick_reply(
        &self,
        id: Option<&str>,
        reply: QuickReply,
    ) -> Result<(String, String), Error> {
        let id = match id {
            Some(id) => id.to_owned(),
            None => self.free_reply()?,
        };
        let told = id.clone();
        let change = self.wish("edit_quick_reply", move |_| {
            if reply.shortcut.trim().is_empty() || reply.message.is_empty() || id.is_empty() {
                return Err(wrong("a quick reply has a shortcut and a message"));
            }
            let value = Box::new(QuickReplyAction {
                shortcut: Some(reply.shortcut),
                message: Some(reply.message),
                keywords: reply.keywords,
                count: Some(0),
                deleted: Some(false),
                associated_label_ids: Vec::new(),
            });
            Ok(vec![(Operation::Set, Action::QuickReply { id, value })])
        });
        Ok((change.await?, told))
    }

    /// A name that no quick reply has. Other clients name them by the second in which they are made, which
    /// is the same for two that are made one after the other.
    fn free_reply(&self) -> Result<String, Error> {
        let store = &self.inner().store;
        let mut next = crate::clock::now_seconds();
        let entries = store.app_state_entries(Kind::QuickReply.collection())?;
        let waiting = store.app_state_pending()?;
        let all = entries.iter().map(|held| &held.entry).chain(waiting.iter().map(|wish| &wish.entry));
        for entry in all {
            if let Some(Action::QuickReply { id, .. }) = Action::read(entry, true) {
                next = next.max(id.parse().map_or(0, |id: i64| id.saturating_add(1)));
            }
        }
        Ok(next.to_string())
    }

    /// Lists the quick replies of the account, as its devices share them, by their ids.
    ///
    /// # Errors
    /// [`crate::Code::NotLinked`]; [`crate::Code::StoreFailed`].
    pub async fn quick_replies(&self) -> Result<Vec<(String, QuickReply)>, Error> {
        let list = |client: Arc<Inner>, _| async move {
            client.linked_account()?;
            let mut replies = BTreeMap::new();
            for held in client.store.app_state_entries(Kind::QuickReply.collection())? {
                let Some(Action::QuickReply { id, value }) = Action::read(&held.entry, false) else {
                    continue;
                };
                if value.deleted.unwrap_or_default() {
                    continue;
                }
                let reply = QuickReply {
                    shortcut: value.shortcut.unwrap_or_default(),
                    message: value.message.unwrap_or_default(),
                    keywords: value.keywords,
                };
                replies.insert(id, reply);
            }
            Ok(replies.into_iter().collect())
        };
        self.call("list_quick_replies", None, list).await
    }

    /// Deletes a quick reply.
    ///
    /// # Errors
    /// As [`edit_quick_reply`](Self::edit_quick_reply).
    pub async fn delete_quick_reply(&self, id: &str) -> Result<String, Error> {
        let id = id.to_owned();
        self.wish("delete_quick_reply", move |_| {
            let value = Box::new(QuickReplyAction { deleted: Some(true), ..QuickReplyAction::default() });
            Ok(vec![(Operation::Set, Action::QuickReply { id, value })])
        })
        .await
    }
}

impl Desk<'_> {
    /// What is there of a label.
    fn label(&self, label: &str) -> Result<Option<LabelEditAction>, Error> {
        if label.parse::<u32>().is_err() {
            return Err(wrong("ids of labels are numbers"));
        }
        let kind = Kind::LabelEdit;
        let name = whimbrel_appstate::index_bytes(&[kind.name(), label]);
        for held in self.client.store.app_state_by_name(kind.collection(), &name)? {
            if let Some(Action::LabelEdit { value, .. }) = Action::read(&held.entry, false) {
                return Ok(Some(*value));
            }
        }
        Ok(None)
    }
}

//! Labels and quick replies.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use whimbrel::appstate;
use whimbrel::{CallOptions, Client, Error, parse_address};

use super::Operation;
use super::chats::{MessageName, StateChangeId};

/// A label that was written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EditedLabel {
    /// Id of the change, which the `app_state_written` event has too.
    pub change: String,
    /// Id of the label.
    pub label: String,
}

/// Makes a label for chats and messages, or changes one.
///
/// Answers and fails as `archive_chat` does.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EditLabel {
    /// Id of the label, a number; absent: a new one is made.
    #[serde(default)]
    pub label: Option<String>,
    /// Its name.
    pub name: String,
    /// Number of its colour, 0 to 19.
    #[serde(default)]
    pub color: i32,
}

impl Operation for EditLabel {
    const NAME: &'static str = "edit_label";
    type Output = EditedLabel;

    async fn run(self, client: &Client, _: CallOptions) -> Result<EditedLabel, Error> {
        let mut edit = appstate::LabelEdit::default();
        edit.name = self.name;
        edit.color = self.color;
        let (change, label) = client.edit_label(self.label.as_deref(), edit).await?;
        Ok(EditedLabel { change, label })
    }
}

/// Deletes a label. Chats and messages lose it.
///
/// Answers and fails as `archive_chat` does.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeleteLabel {
    /// Id of the label.
    pub label: String,
}

impl Operation for DeleteLabel {
    const NAME: &'static str = "delete_label";
    type Output = StateChangeId;

    async fn run(self, client: &Client, _: CallOptions) -> Result<StateChangeId, Error> {
        client.delete_label(&self.label).await.map(StateChangeId::of)
    }
}

/// Gives a chat a label, or takes it away.
///
/// Answers and fails as `archive_chat` does.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LabelChat {
    /// Id of the label.
    pub label: String,
    /// Address of the chat.
    #[schemars(extend("format" = "address"))]
    pub chat: String,
    /// Whether the chat has the label from now on.
    pub labelled: bool,
}

impl Operation for LabelChat {
    const NAME: &'static str = "label_chat";
    type Output = StateChangeId;

    async fn run(self, client: &Client, _: CallOptions) -> Result<StateChangeId, Error> {
        let chat = parse_address(&self.chat)?;
        client.label_chat(&self.label, &chat, self.labelled).await.map(StateChangeId::of)
    }
}

/// Gives a message a label, or takes it away.
///
/// Answers and fails as `archive_chat` does.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LabelMessage {
    /// Id of the label.
    pub label: String,
    /// Address of the chat.
    #[schemars(extend("format" = "address"))]
    pub chat: String,
    /// The message.
    pub message: MessageName,
    /// Whether the message has the label from now on.
    pub labelled: bool,
}

impl Operation for LabelMessage {
    const NAME: &'static str = "label_message";
    type Output = StateChangeId;

    async fn run(self, client: &Client, _: CallOptions) -> Result<StateChangeId, Error> {
        let chat = parse_address(&self.chat)?;
        let labelled = client.label_message(&self.label, &chat, self.message.key()?, self.labelled);
        labelled.await.map(StateChangeId::of)
    }
}

/// Puts the labels in an order; all of them are named.
///
/// Answers and fails as `archive_chat` does.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OrderLabels {
    /// Ids of the labels.
    pub labels: Vec<String>,
}

impl Operation for OrderLabels {
    const NAME: &'static str = "order_labels";
    type Output = StateChangeId;

    async fn run(self, client: &Client, _: CallOptions) -> Result<StateChangeId, Error> {
        client.order_labels(self.labels).await.map(StateChangeId::of)
    }
}

/// A label for chats and messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Label {
    /// Its id, a number.
    pub label: String,
    /// Its name.
    pub name: String,
    /// Number of its colour.
    pub color: Option<i32>,
    /// Which of the labels it is that every account has.
    pub predefined: Option<i32>,
    /// Its place among the labels.
    pub order: Option<i32>,
}

/// The account's labels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LabelList {
    /// The labels, in their order.
    pub items: Vec<Label>,
}

/// Lists the account's labels, in their order. `find_chats` finds the chats of one.
///
/// Fails with `NOT_SUPPORTED` if the client was opened without an archive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListLabels {}

impl Operation for ListLabels {
    const NAME: &'static str = "list_labels";
    type Output = LabelList;

    async fn run(self, client: &Client, options: CallOptions) -> Result<LabelList, Error> {
        let label = |label: whimbrel::Label| Label {
            label: label.id,
            name: label.name,
            color: label.color,
            predefined: label.predefined,
            order: label.order,
        };
        let items = client.labels(options).await?.into_iter().map(label).collect();
        Ok(LabelList { items })
    }
}

/// A quick reply that was written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EditedQuickReply {
    /// Id of the change, which the `app_state_written` event has too.
    pub change: String,
    /// Id of the quick reply.
    pub id: String,
}

/// Makes a quick reply of a business, or changes one.
///
/// Answers and fails as `archive_chat` does.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EditQuickReply {
    /// Its id; absent: a new one is made.
    #[serde(default)]
    pub id: Option<String>,
    /// What is typed for it.
    pub shortcut: String,
    /// What it says.
    pub message: String,
    /// Words by which it is found.
    #[serde(default)]
    pub keywords: Vec<String>,
}

impl Operation for EditQuickReply {
    const NAME: &'static str = "edit_quick_reply";
    type Output = EditedQuickReply;

    async fn run(self, client: &Client, _: CallOptions) -> Result<EditedQuickReply, Error> {
        let mut reply = appstate::QuickReply::default();
        reply.shortcut = self.shortcut;
        reply.message = self.message;
        reply.keywords = self.keywords;
        let (change, id) = client.edit_quick_reply(self.id.as_deref(), reply).await?;
        Ok(EditedQuickReply { change, id })
    }
}

/// A quick reply of a business.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct QuickReply {
    /// Its id.
    pub id: String,
    /// What is typed for it.
    pub shortcut: String,
    /// What it says.
    pub message: String,
    /// Words by which it is found.
    pub keywords: Vec<String>,
}

/// The quick replies of the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct QuickReplyList {
    /// The quick replies, by their ids.
    pub items: Vec<QuickReply>,
}

/// Lists the quick replies of the account, as its devices share them: also those from before the link, of
/// which there were no events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListQuickReplies {}

impl Operation for ListQuickReplies {
    const NAME: &'static str = "list_quick_replies";
    type Output = QuickReplyList;

    async fn run(self, client: &Client, _: CallOptions) -> Result<QuickReplyList, Error> {
        let reply = |(id, reply): (String, appstate::QuickReply)| QuickReply {
            id,
            shortcut: reply.shortcut,
            message: reply.message,
            keywords: reply.keywords,
        };
        Ok(QuickReplyList { items: client.quick_replies().await?.into_iter().map(reply).collect() })
    }
}

/// Deletes a quick reply.
///
/// Answers and fails as `archive_chat` does.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeleteQuickReply {
    /// Its id.
    pub id: String,
}

impl Operation for DeleteQuickReply {
    const NAME: &'static str = "delete_quick_reply";
    type Output = StateChangeId;

    async fn run(self, client: &Client, _: CallOptions) -> Result<StateChangeId, Error> {
        client.delete_quick_reply(&self.id).await.map(StateChangeId::of)
    }
}

//! What is shown in chats, and how they stand: typing, archived, unread.

use axum::http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::forms::{KeyForm, recipient};
use super::{both, path};
use crate::access::Scope;
use crate::failure::Failure;
use crate::web::call::{Answer, Call, Reply};
use crate::web::route::{Gate, Origin, Route, route};

pub(super) fn routes() -> Vec<Route> {
    let manage = Gate::Account(Scope::Manage);
    let mut rows = vec![
        route(Method::POST, path("sendPresence"), "sendPresence", Gate::Account(Scope::Send), presence)
            .about("Shows in a chat that somebody types or speaks.")
            .origin(Origin::Project)
            .native("set_chat_state")
            .takes::<PresenceForm>()
            .answers::<Value>(201, "What is shown."),
    ];
    rows.extend(both(|method| {
        route(method, path("archiveChat"), "archiveChat", manage, archived)
            .about("Archives a chat, or takes it out of the archive.")
            .origin(Origin::Project)
            .native("archive_chat")
            .takes::<ArchiveForm>()
            .answers::<Value>(201, "It is done.")
    }));
    rows.extend(both(|method| {
        route(method, path("markChatUnread"), "markChatUnread", manage, marked)
            .about("Marks a chat as unread.")
            .origin(Origin::Project)
            .native("mark_chat")
            .takes::<ChatForm>()
            .answers::<Value>(201, "It is done.")
    }));
    rows
}

/// What is shown in a chat.
#[derive(Deserialize, JsonSchema)]
struct PresenceForm {
    /// The chat's number or address.
    number: String,
    /// What is shown.
    presence: PresenceWord,
    /// For how long, in milliseconds.
    #[serde(default)]
    delay: Option<u64>,
}

/// What is shown in a chat, or of the instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum PresenceWord {
    Composing,
    Recording,
    Paused,
    Available,
    Unavailable,
}

async fn presence(call: Call) -> Answer {
    let form: PresenceForm = call.body()?;
    let account = call.account()?;
    account.demand_online().await?;
    let to = recipient(&account, &form.number).await?;
    let word = match form.presence {
        PresenceWord::Composing => "composing",
        PresenceWord::Recording => "recording",
        PresenceWord::Paused => "paused",
        PresenceWord::Available | PresenceWord::Unavailable => {
            let word = if form.presence == PresenceWord::Available { "available" } else { "unavailable" };
            account.operation("set_presence", json!({"availability": word})).await?;
            return Reply::json(201, &json!({"presence": word}));
        }
    };
    account.operation("set_chat_state", json!({"chat": to.id, "state": word})).await?;
    let delay = form.delay.unwrap_or(0).min(20_000);
    if delay > 0 && word != "paused" {
        tokio::spawn(async move {
            tokio::time::sleep(std::time::Duration::from_millis(delay)).await;
            // It ends by itself too.
            let _ = account.operation("set_chat_state", json!({"chat": to.id, "state": "paused"})).await;
        });
    }
    Reply::json(201, &json!({"presence": word}))
}

/// A chat, by its address or by its last message.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
struct ChatForm {
    /// Its number or address.
    chat: Option<String>,
    /// Its last message.
    last_message: Option<LastMessage>,
}

/// The last message of a chat.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
struct LastMessage {
    /// Its key.
    key: KeyForm,
}

impl ChatForm {
    fn named(self) -> Result<String, Failure> {
        let by_message = self.last_message.and_then(|message| message.key.remote_jid);
        self.chat.or(by_message).ok_or_else(|| Failure::field("chat", "is required"))
    }
}

/// A chat that is archived.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ArchiveForm {
    #[serde(flatten)]
    chat: ChatForm,
    /// Whether it is from now on.
    archive: bool,
}

async fn archived(call: Call) -> Answer {
    let form: ArchiveForm = call.body()?;
    let account = call.account()?;
    account.demand_online().await?;
    let to = recipient(&account, &form.chat.named()?).await?;
    account.operation("archive_chat", json!({"chat": to.id, "archived": form.archive})).await?;
    Reply::json(201, &json!({"chatId": to.shown(), "archived": true}))
}

async fn marked(call: Call) -> Answer {
    let form: ChatForm = call.body()?;
    let account = call.account()?;
    account.demand_online().await?;
    let to = recipient(&account, &form.named()?).await?;
    account.operation("mark_chat", json!({"chat": to.id, "read": false})).await?;
    Reply::json(201, &json!({"chatId": to.shown(), "markedChatUnread": true}))
}

//! What several endpoints of this dialect take.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::commands::recipients::{self, Recipient};
use crate::commands::sending::{self, Outgoing};
use crate::failure::Failure;
use crate::hosting::Account;
use crate::web::call::{Answer, Call, Reply};

/// The key of a message.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct KeyForm {
    /// Its id.
    pub(super) id: Option<String>,
    /// The chat.
    pub(super) remote_jid: Option<String>,
    /// Whether this instance sent it.
    #[serde(default)]
    pub(super) from_me: Option<bool>,
    /// Who wrote it, in groups.
    pub(super) participant: Option<String>,
}

/// A message that is quoted.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct QuotedForm {
    /// Its key.
    #[serde(default)]
    pub(super) key: KeyForm,
}

/// What every message may have.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Common {
    /// A phone number with its country code, or the address of a group, person or channel.
    pub(super) number: String,
    /// It leaves no earlier than after so many milliseconds; typing is shown meanwhile.
    #[serde(default)]
    pub(super) delay: Option<i64>,
    /// The message that it answers.
    #[serde(default)]
    pub(super) quoted: Option<QuotedForm>,
    /// Everyone in the group is mentioned.
    #[serde(default)]
    pub(super) mentions_every_one: Option<bool>,
    /// Numbers or addresses of people who are mentioned.
    #[serde(default)]
    pub(super) mentioned: Vec<String>,
    /// Accepted, and not used: no page is fetched for a preview.
    #[serde(default)]
    #[expect(dead_code, reason = "clients send it")]
    link_preview: Option<bool>,
}

/// Finds a recipient; what is wrong with it is told of `number`.
pub(super) async fn recipient(account: &Account, number: &str) -> Result<Recipient, Failure> {
    recipients::resolve(account, number).await.map_err(|mut failure| {
        for violation in &mut failure.violations {
            violation.field = "number".to_owned();
        }
        failure
    })
}

impl Common {
    /// Sends content with what every message may have, and answers with its record.
    pub(super) async fn send(
        self,
        call: &Call,
        content: Value,
        shows: &'static str,
        file: Option<String>,
        more: Map<String, Value>,
    ) -> Answer {
        let account = call.account()?;
        let to = recipient(&account, &self.number).await?;
        let mut outgoing = Outgoing::new(to, content);
        outgoing.extras = more;
        if let Some(id) = self.quoted.as_ref().and_then(|quoted| quoted.key.id.clone()) {
            let quoted = quote(&account, &id, self.quoted.as_ref().map(|quoted| &quoted.key)).await;
            outgoing.extras.insert("quote".to_owned(), quoted);
        }
        let mut mentions = Vec::new();
        for person in self.mentioned.iter().filter(|person| !person.is_empty()) {
            mentions.push(recipient(&account, person).await?.id);
        }
        outgoing.extras.insert("mentions".to_owned(), json!(mentions));
        outgoing
            .extras
            .insert("mentionsEveryone".to_owned(), json!(self.mentions_every_one.unwrap_or(false)));
        (outgoing.delay_ms, outgoing.shows) = (self.delay.unwrap_or(0), shows);
        outgoing.file = file;
        outgoing.message_id = Some(call.message_id(0)?);
        let accepted = sending::send(&call.server, &account, outgoing).await?;
        let said = super::record::said(&accepted.event);
        Reply::json(201, &super::record::record(&accepted.event.data, said, &account.row(), Some("PENDING")))
    }
}

/// A message that is quoted, with its sender if the archive or the request knows who it was.
async fn quote(account: &Account, id: &str, key: Option<&KeyForm>) -> Value {
    let found = account.operation("find_messages", json!({"messageId": id, "limit": 1})).await.ok();
    let stored = found.as_ref().and_then(|found| found.pointer("/items/0/sender/id")).cloned();
    let sender = stored.or_else(|| {
        let key = key?;
        if key.from_me == Some(true) {
            return account.own_phone().map(|own| Value::from(own.to_string()));
        }
        key.participant.clone().map(Value::from)
    });
    json!({"messageId": id, "sender": sender})
}

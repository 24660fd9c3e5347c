//! Sending: checked, kept, answered, and then sent.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::recipients::Recipient;
use crate::access::secret;
use crate::failure::{Failure, Problem};
use crate::hosting::Account;
use crate::hosting::outbox::Fate;
use crate::server::Server;
use crate::store::events::{self, EventRow, NewEvent};
use crate::store::now_ms;
use crate::store::outbox::{self, OutboxRow};

/// How long a request waits for the engine to take its message: what is wrong with it is told then.
const TAKING: Duration = Duration::from_millis(2500);

/// The longest delay of a message.
pub(crate) const MAX_DELAY_MS: i64 = 120_000;

/// A message that is to be sent.
pub(crate) struct Outgoing {
    pub(crate) to: Recipient,
    /// What it says, as the engine's reference has it.
    pub(crate) content: Value,
    /// Further members of the operation `send_message`: quote, mentions and the like.
    pub(crate) extras: Map<String, Value>,
    /// Its id; made if absent.
    pub(crate) message_id: Option<String>,
    /// It leaves no earlier than after so many milliseconds.
    pub(crate) delay_ms: i64,
    /// What is shown until then: `composing`, `recording` or nothing.
    pub(crate) shows: &'static str,
    /// What the dialect wants to know again.
    pub(crate) source: Map<String, Value>,
    /// The name of a file of the server's own that goes with it.
    pub(crate) file: Option<String>,
}

impl Outgoing {
    /// A message without anything special.
    pub(crate) fn new(to: Recipient, content: Value) -> Self {
        Self {
            to,
            content,
            extras: Map::new(),
            message_id: None,
            delay_ms: 0,
            shows: "",
            source: Map::new(),
            file: None,
        }
    }
}

/// A message that was accepted: it is kept, and told of as an event.
#[derive(Clone, Debug)]
pub(crate) struct Accepted {
    pub(crate) message_id: String,
    pub(crate) to: Recipient,
    /// The event `message.sent`.
    pub(crate) event: EventRow,
}

/// The id of a message. With the seed of an idempotency key it is the same however often it is made.
pub(crate) fn message_id(seed: Option<[u8; 16]>, number: u32) -> Result<String, Failure> {
    let seed = match seed {
        Some(seed) => seed,
        None => secret::random::<16>().map_err(|error| Failure::internal(&error))?,
    };
    let hash = Sha256::new().chain_update(seed).chain_update(number.to_be_bytes()).finalize();
    let tail: Vec<u8> = hash.iter().take(9).copied().collect();
    Ok(format!("3EB0{}", hex::encode_upper(tail)))
}

/// Accepts a message: it is durable when this returns. What the engine refuses at once is a failure.
pub(crate) async fn send(
    server: &Arc<Server>,
    account: &Arc<Account>,
    outgoing: Outgoing,
) -> Result<Accepted, Failure> {
    account.demand_online().await?;
    let message_id = match outgoing.message_id {
        Some(id) => id,
        None => message_id(None, 0)?,
    };
    let mut request = Map::new();
    request.insert("chat".to_owned(), Value::from(outgoing.to.id.as_str()));
    request.insert("content".to_owned(), outgoing.content.clone());
    request.extend(outgoing.extras);
    let request = Value::Object(request);
    // What the engine's operation does not understand is told before anything is kept.
    if let Err(error) = serde_json::from_value::<whimbrel_api::operations::SendMessage>(request.clone()) {
        return Err(Failure::field("", error.to_string()));
    }
    let now = now_ms();
    let delay = outgoing.delay_ms.clamp(0, MAX_DELAY_MS);
    let event = sent_event(account, &outgoing.to, &message_id, &request, &outgoing.source, now);
    let mut source = outgoing.source;
    source.insert("chat".to_owned(), outgoing.to.json());
    let row = OutboxRow {
        sequence: 0,
        account: account.id.clone(),
        message_id: message_id.clone(),
        chat: outgoing.to.id.clone(),
        operation: "send_message".to_owned(),
        request,
        source: Value::Object(source),
        shows: outgoing.shows.to_owned(),
        due_at: now.saturating_add(delay),
        state: "queued".to_owned(),
        error: None,
        file: outgoing.file,
        created_at: now,
    };
    let fate = account.fates.wait(&message_id);
    let (subscribers, tenant) = (server.deliveries.subscribers(account), account.tenant.clone());
    let kept = server.store.unit(move |unit| {
        let added = outbox::insert(unit, &row)?;
        let told = events::append(unit, &row.account, &tenant, &event, &subscribers)?;
        Ok((added, told, event))
    });
    let (added, told, event) = kept.await?;
    account.outbox.notify_one();
    let row = told.clone().unwrap_or_else(|| unlogged(account, event));
    server.publish(told.into_iter().collect());
    if added
        && delay == 0
        && let Ok(Ok(Fate::Failed(_, failed))) = tokio::time::timeout(TAKING, fate).await
    {
        return Err(Failure::new(failed.problem, failed.detail));
    }
    Ok(Accepted { message_id, to: outgoing.to, event: row })
}

/// Waits until the service has a message that was accepted.
pub(crate) async fn wait_sent(
    account: &Arc<Account>,
    message_id: &str,
    timeout: Duration,
) -> Result<(), Failure> {
    let deadline = tokio::time::Instant::now() + timeout;
    let server = account.server()?;
    loop {
        let fate = account.fates.wait(message_id);
        // It may have been decided before anybody waited.
        let (id, message) = (account.id.clone(), message_id.to_owned());
        let row = server.store.unit(move |unit| outbox::find(unit, &id, &message)).await?;
        match row.as_ref().map(|row| row.state.as_str()) {
            Some("sent") => return Ok(()),
            Some("failed") => {
                let error = row.and_then(|row| row.error).unwrap_or_default();
                return Err(Failure::new(Problem::Upstream, format!("the message was not sent: {error}")));
            }
            None => return Err(Failure::missing("message")),
            _ => {}
        }
        if tokio::time::timeout_at(deadline, fate).await.is_err() {
            return Err(Failure::new(Problem::Timeout, "the service has not taken the message yet"));
        }
    }
}

/// The event of a message that this server sends: as that of one that another device of the account sent.
fn sent_event(
    account: &Account,
    to: &Recipient,
    message_id: &str,
    request: &Value,
    source: &Map<String, Value>,
    now: i64,
) -> NewEvent {
    let content = request.get("content").cloned().unwrap_or(Value::Null);
    let text = ["text", "caption", "name", "question"].iter().find_map(|name| content.get(name)?.as_str());
    let standing = account.row().standing;
    let me = account.client.account().map(|info| whimbrel_api::events::Identity::from(&info.identity));
    let mut data = json!({
        "kind": "message",
        "messageId": message_id,
        "chat": to.json(),
        "sender": me,
        "senderDevice": standing.device,
        "fromMe": true,
        "timestamp": now / 1000,
        "pushName": standing.push_name,
        "content": without_files(&content),
        "text": text,
        "quoted": request.get("quote").cloned().unwrap_or(Value::Null),
        "viewOnce": request.get("viewOnce").cloned().unwrap_or(Value::Bool(false)),
        "isStatus": to.id == "status@broadcast",
        "viaApi": true,
    });
    if let Some(members) = data.as_object_mut() {
        members.insert("source".to_owned(), Value::Object(source.clone()));
    }
    NewEvent {
        id: format!("{message_id}-sent"),
        kind: "message.sent",
        lane: to.id.clone(),
        at: now,
        data,
        raw: None,
    }
}

/// Content without the names of this server's files.
fn without_files(content: &Value) -> Value {
    match content {
        Value::Object(members) => {
            let kept = members.iter().filter(|(name, _)| !matches!(name.as_str(), "path" | "thumbnailPath"));
            Value::Object(kept.map(|(name, value)| (name.clone(), without_files(value))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(without_files).collect()),
        other => other.clone(),
    }
}

/// The event of a message that was accepted before, as it was told then.
fn unlogged(account: &Account, event: NewEvent) -> EventRow {
    EventRow {
        sequence: 0,
        account: account.id.clone(),
        tenant: account.tenant.clone(),
        id: event.id,
        kind: event.kind.to_owned(),
        lane: event.lane,
        at: event.at,
        data: event.data,
        raw: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_a_repeated_request_are_the_same_and_look_like_those_of_a_client() {
        let one = message_id(Some([1; 16]), 0).unwrap();
        assert_eq!(one, message_id(Some([1; 16]), 0).unwrap());
        assert_ne!(one, message_id(Some([1; 16]), 1).unwrap());
        assert_ne!(message_id(None, 0).unwrap(), message_id(None, 0).unwrap());
        assert!(one.starts_with("3EB0") && one.len() == 22);
    }

    #[test]
    fn names_of_local_files_are_not_told() {
        let content = json!({"type": "image", "media": {"path": "/x", "mimetype": "image/png"}});
        assert_eq!(without_files(&content), json!({"type": "image", "media": {"mimetype": "image/png"}}));
    }
}

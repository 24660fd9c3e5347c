//! Asking the own phone for a message that this device cannot open or did not get (pairing
//! document §12.6, delivery document §4.6). The phone has it, as a rule.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use whimbrel_proto::common::MessageKey;
use whimbrel_proto::e2e::message::peer_data_operation_request_message::PlaceholderMessageResendRequest;
use whimbrel_proto::e2e::message::protocol_message::Type;
use whimbrel_proto::e2e::message::{
    PeerDataOperationRequestMessage, PeerDataOperationRequestResponseMessage, PeerDataOperationRequestType,
    ProtocolMessage,
};
use whimbrel_proto::web::WebMessageInfo;
use whimbrel_wire::Jid;

use crate::client::Inner;
use crate::connection::Connection;
use crate::error::Error;
use crate::events::ConnectionState;
use crate::messages::Unit;
use crate::messages::arrival::{self, Arrived, Inside};
use crate::messages::decrypt::Author;
use crate::messages::peer::{self, Priority};
use crate::statistics::count;
use crate::store::{InboxEntry, InboxState, StoreError};

/// How long the sender has to send the message again before the phone is asked.
pub(crate) const GRACE: Duration = Duration::from_secs(5);

/// Pause when the phone was asked often enough.
const PAUSE: Duration = Duration::from_secs(10);

/// The phone is not asked for older messages, seconds.
const OLDEST: i64 = 14 * 24 * 3600;

/// Messages that wait to be asked for; beyond it the oldest are not asked for.
const WAITING: usize = 256;

/// A message that is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Missing {
    pub(crate) chat: Jid,
    pub(crate) author: Jid,
    pub(crate) message_id: String,
}

/// A message that waits to be asked for.
struct Waiting {
    due: Instant,
    missing: Missing,
    /// It was asked for, but the request may not have left.
    again: bool,
}

/// Messages that the phone is to be asked for.
#[derive(Default)]
pub(crate) struct Queue {
    waiting: Mutex<VecDeque<Waiting>>,
    changed: Notify,
    /// What an earlier process left is in the queue.
    loaded: AtomicBool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for a message when its sender has had time to send it again.
    pub(crate) fn add(&self, missing: Missing) {
        self.push(Waiting { due: Instant::now() + GRACE, missing, again: false });
    }

    fn push(&self, waiting: Waiting) {
        let mut queue = self.lock();
        if queue.iter().any(|other| other.missing == waiting.missing) {
            return;
        }
        if queue.len() >= WAITING {
            queue.pop_front();
        }
        queue.push_back(waiting);
        self.changed.notify_one();
    }

    fn next_due(&self) -> Option<Instant> {
        self.lock().iter().map(|waiting| waiting.due).min()
    }

    fn take_due(&self, now: Instant) -> Option<Waiting> {
        let mut queue = self.lock();
        let at = queue.iter().position(|waiting| waiting.due <= now)?;
        queue.remove(at)
    }
}

/// Asks for what is due, until the connection is over.
pub(crate) async fn run(client: &Inner, connection: &Connection) {
    if !client.phone.loaded.swap(true, Ordering::Relaxed) {
        match client.store.inbox_missing(crate::clock::now_seconds().saturating_sub(OLDEST), WAITING) {
            Ok(entries) => {
                for entry in entries {
                    let InboxEntry { chat, author, message_id, .. } = entry;
                    client.phone.add(Missing { chat, author, message_id });
                }
            }
            Err(error) => tracing::warn!(%error, "What is missing since an earlier time could not be read."),
        }
    }
    let mut status = client.watch_status();
    loop {
        let due = client.phone.next_due();
        tokio::select! {
            () = connection.closed() => return,
            () = client.phone.changed.notified() => continue,
            () = at(due), if due.is_some() => {}
        }
        tokio::select! {
            () = connection.closed() => return,
            // What waits at the service may hold what is missing.
            online = status.wait_for(|status| status.state == ConnectionState::Online) => {
                if online.is_err() {
                    return;
                }
            }
        }
        let Some(waiting) = client.phone.take_due(Instant::now()) else { continue };
        match ask(client, connection, &waiting).await {
            Ok(Asked::Done) => {}
            Ok(Asked::Later) => client.phone.push(Waiting { due: Instant::now() + PAUSE, ..waiting }),
            Err(error) => {
                tracing::info!(%error, "The phone was not asked for a message.");
                if connection.is_closed() {
                    client.phone.push(Waiting { due: Instant::now(), again: true, ..waiting });
                }
            }
        }
    }
}

async fn at(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}

enum Asked {
    /// It was, or need not be.
    Done,
    /// The phone was asked often enough for now.
    Later,
}

async fn ask(client: &Inner, connection: &Connection, waiting: &Waiting) -> Result<Asked, Error> {
    let Waiting { missing, again, .. } = waiting;
    let needed = client.unit(|unit| {
        let Some(key) = needed(unit, missing, *again)? else { return Ok(Err(Asked::Done)) };
        Ok(if unit.may_ask_phone() { Ok(key) } else { Err(Asked::Later) })
    });
    let key = match needed.await? {
        Ok(key) => key,
        Err(asked) => return Ok(asked),
    };
    let sent = peer::send_to_phone(client, connection, request(key), Some(Priority::HighForce), |unit| {
        mark(unit, missing, *again)
    });
    if sent.await?.is_some() {
        tracing::info!("The phone was asked for a message.");
    }
    Ok(Asked::Done)
}

/// The entry of a message that is still missing and was not asked for.
fn entry(unit: &mut Unit<'_>, missing: &Missing, again: bool) -> Result<Option<InboxEntry>, StoreError> {
    let (chat, author) = (unit.canonical(&missing.chat)?, unit.canonical(&missing.author)?);
    let entry = unit.inbox(&chat, &author, &missing.message_id)?;
    Ok(entry.filter(|entry| match entry.state {
        InboxState::Failed { phone_asked, .. } => again || !phone_asked,
        InboxState::Done | InboxState::History => false,
    }))
}

fn needed(unit: &mut Unit<'_>, missing: &Missing, again: bool) -> Result<Option<MessageKey>, StoreError> {
    let Some(entry) = entry(unit, missing, again)? else { return Ok(None) };
    if unit.now().saturating_sub(entry.seen_at) > OLDEST {
        return Ok(None);
    }
    let chat = unit.identity_of(&entry.chat)?;
    // Phones name people by number in these requests.
    let remote_jid = chat.phone.unwrap_or(chat.id);
    let participant = (!entry.chat.is_account()).then(|| entry.author.to_bare().to_string());
    Ok(Some(MessageKey {
        remote_jid: Some(remote_jid.to_string()),
        from_me: Some(unit.is_own(&entry.author)),
        id: Some(entry.message_id),
        participant,
    }))
}

/// Notes that the phone is asked, in the unit of work that makes the request.
fn mark(unit: &mut Unit<'_>, missing: &Missing, again: bool) -> Result<bool, StoreError> {
    let Some(mut entry) = entry(unit, missing, again)? else { return Ok(false) };
    if let InboxState::Failed { phone_asked, .. } = &mut entry.state {
        *phone_asked = true;
    }
    unit.changes.inbox.push(entry);
    count(&mut unit.statistics().phone_requests);
    Ok(true)
}

fn request(key: MessageKey) -> ProtocolMessage {
    let request = PeerDataOperationRequestMessage {
        peer_data_operation_request_type: Some(PeerDataOperationRequestType::PlaceholderMessageResend.into()),
        placeholder_message_resend_request: vec![PlaceholderMessageResendRequest { message_key: Some(key) }],
        ..Default::default()
    };
    ProtocolMessage {
        r#type: Some(Type::PeerDataOperationRequestMessage.into()),
        peer_data_operation_request_message: Some(Box::new(request)),
        ..Default::default()
    }
}

/// Takes what the phone handed over: each message that is still missing is delivered.
pub(crate) fn answered(
    unit: &mut Unit<'_>,
    response: &PeerDataOperationRequestResponseMessage,
) -> Result<(), StoreError> {
    for result in &response.peer_data_operation_result {
        let Some(found) = &result.placeholder_message_resend_response else { continue };
        let info: Option<WebMessageInfo> =
            found.web_message_info_bytes.as_deref().and_then(|bytes| whimbrel_proto::decode(bytes).ok());
        let Some(info) = info else {
            tracing::warn!("A message that the phone handed over is unreadable.");
            continue;
        };
        take(unit, info)?;
    }
    Ok(())
}

fn take(unit: &mut Unit<'_>, info: WebMessageInfo) -> Result<(), StoreError> {
    let jid = |text: Option<&str>| text.and_then(|text| text.parse::<Jid>().ok()).map(Jid::normalized);
    let Some(key) = &info.key else { return Ok(()) };
    let (Some(chat), Some(id)) = (jid(key.remote_jid.as_deref()), &key.id) else { return Ok(()) };
    let chat = unit.canonical(&chat.to_bare())?;
    let participant = match jid(key.participant.as_deref()) {
        Some(participant) => Some(unit.canonical(&participant.to_bare())?),
        None => None,
    };
    let mut missing = None;
    for entry in unit.inbox_of(id)? {
        let author = unit.canonical(&entry.author)?;
        let same = unit.canonical(&entry.chat)? == chat
            && key.from_me.unwrap_or(false) == unit.is_own(&author)
            && participant.as_ref().is_none_or(|named| named.same_account(&author));
        if !same {
            continue;
        }
        match entry.state {
            InboxState::Failed { .. } => missing = Some((entry, author)),
            // It came in between.
            InboxState::Done | InboxState::History => return Ok(()),
        }
    }
    let Some((entry, author)) = missing else {
        tracing::debug!("The phone handed a message over that is not missing.");
        return Ok(());
    };
    let Some(message) = info.message.map(|message| *message) else {
        tracing::info!("The phone has not got the content of a message either.");
        return Ok(());
    };
    let InboxState::Failed { event_id, .. } = &entry.state else { return Ok(()) };
    let whole = whimbrel_proto::encode(&message);
    let own = unit.is_own(&author);
    let mut inside = Inside::default();
    arrival::look_inside(
        unit,
        &Author { device: &author, chat: &chat, own, proof: None },
        &entry.message_id,
        message,
        whole,
        &mut inside,
    )?;
    let arrived = Arrived {
        message_id: entry.message_id.clone(),
        chat: &chat,
        author: &author,
        own,
        timestamp: info.message_timestamp.and_then(|time| i64::try_from(time).ok()).unwrap_or(entry.seen_at),
        push_name: info.push_name.filter(|name| !name.is_empty()),
        offline: false,
        completes: Some(event_id.clone()).filter(|id| !id.is_empty()),
    };
    match inside.told {
        Some(told) => arrival::tell(unit, arrived, told)?,
        None => return Ok(()),
    }
    count(&mut unit.statistics().phone_answers);
    let seen_at = unit.now();
    unit.changes.inbox.push(InboxEntry { state: InboxState::Done, seen_at, ..entry });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector(id: &str) -> Vec<u8> {
        let vectors = include_str!("../../../../tests/vectors/messages.json");
        let vectors: serde_json::Value = serde_json::from_str(vectors).unwrap();
        let messages = vectors["messages"].as_array().unwrap();
        let message = messages.iter().find(|message| message["id"] == id).unwrap();
        hex::decode(message["hex"].as_str().unwrap()).unwrap()
    }

    #[test]
    fn a_request_is_the_one_of_the_vectors() {
        let key = MessageKey {
            remote_jid: Some("15550001002@s.whatsapp.net".to_owned()),
            from_me: Some(false),
            id: Some("3EB0EE".to_owned()),
            participant: None,
        };
        let content = whimbrel_proto::e2e::Message {
            protocol_message: Some(Box::new(request(key))),
            ..Default::default()
        };
        assert_eq!(whimbrel_proto::encode(&content), vector("pdo_request_placeholder"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_waits_its_time_and_once() {
        let queue = Queue::default();
        let missing =
            |id: &str| Missing { chat: Jid::lid("1"), author: Jid::lid("1"), message_id: id.to_owned() };
        queue.add(missing("a"));
        queue.add(missing("a"));
        assert!(queue.take_due(Instant::now()).is_none());
        tokio::time::advance(GRACE).await;
        assert_eq!(queue.take_due(Instant::now()).unwrap().missing, missing("a"));
        assert!(queue.next_due().is_none());
        for number in 0..=WAITING {
            queue.add(missing(&number.to_string()));
        }
        assert_eq!(queue.lock().len(), WAITING);
        assert_eq!(queue.lock().front().unwrap().missing, missing("1"));
    }
}

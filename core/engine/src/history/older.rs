//! Asking the phone for older messages of a chat (media document §21.2).

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use tokio::time::Instant;
use whimbrel_proto::e2e::message::peer_data_operation_request_message::HistorySyncOnDemandRequest;
use whimbrel_proto::e2e::message::protocol_message::Type;
use whimbrel_proto::e2e::message::{
    PeerDataOperationRequestMessage, PeerDataOperationRequestType, ProtocolMessage,
};
use whimbrel_wire::Jid;

use super::events::HistorySync;
use crate::archive::query::FoundMessage;
use crate::client::{Client, Inner};
use crate::devices::identity;
use crate::error::{Code, Error, Outcome};
use crate::messages::peer::{self, Priority};
use crate::options::CallOptions;

/// Messages that phones hand over at a time.
pub(super) const AT_ONCE: u32 = 50;

/// Answers that are kept for calls that are about to ask for them.
const RECENT: usize = 16;

/// Calls that wait for a phone's answer, by the id of their request.
#[derive(Default)]
pub(super) struct Waiting(Mutex<Answers>);

#[derive(Default)]
struct Answers {
    waiting: BTreeMap<String, oneshot::Sender<HistorySync>>,
    /// Answers for which nobody waited yet.
    recent: VecDeque<(String, HistorySync)>,
}

impl Waiting {
    fn lock(&self) -> MutexGuard<'_, Answers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A piece is in the archive.
    pub(super) fn done(&self, sync: &HistorySync) {
        let Some(id) = &sync.request_id else { return };
        let mut answers = self.lock();
        match answers.waiting.remove(id) {
            // Whoever asked may have given up.
            Some(waiting) => drop(waiting.send(sync.clone())),
            None => {
                answers.recent.push_back((id.clone(), sync.clone()));
                if answers.recent.len() > RECENT {
                    answers.recent.pop_front();
                }
            }
        }
    }

    /// Waits for the answer to a request, which may be here already.
    fn answer(&self, id: &str) -> oneshot::Receiver<HistorySync> {
        let (tell, answer) = oneshot::channel();
        let mut answers = self.lock();
        match answers.recent.iter().position(|(known, _)| known == id) {
            Some(at) => {
                if let Some((_, sync)) = answers.recent.remove(at) {
                    // The receiver is alive: it is returned below.
                    drop(tell.send(sync));
                }
            }
            None => drop(answers.waiting.insert(id.to_owned(), tell)),
        }
        answer
    }

    fn give_up(&self, id: &str) {
        self.lock().waiting.remove(id);
    }
}

impl Client {
    /// Asks the phone for messages of a chat that are older than the oldest one here, 50 at a time, and
    /// returns when they are in the archive. [`HistorySync::messages`] is 0 if there are none. The phone
    /// has to be online.
    ///
    /// # Errors
    /// [`Code::NotFound`] if the archive has no message of the chat, from which the phone could count;
    /// [`Code::TimedOut`] if the phone does not answer, which it does not for chats that it does not know
    /// either; [`Code::NotSupported`] if the client has no archive. Repeating is safe.
    pub async fn request_history(&self, chat: &Jid, options: CallOptions) -> Result<HistorySync, Error> {
        let chat = chat.to_account();
        let request = |client: Arc<Inner>, deadline| async move { request(&client, &chat, deadline).await };
        self.call("request_history", options.timeout, request).await
    }
}

async fn request(client: &Arc<Inner>, chat: &Jid, deadline: Instant) -> Result<HistorySync, Error> {
    if !client.options.archive {
        return Err(Error::new(Code::NotSupported, "the client was opened without an archive"));
    }
    client.linked_account()?;
    let chat = identity::canonical(&*client.store, chat)?;
    let oldest = client.store.oldest_message(&chat)?;
    let oldest = oldest
        .ok_or_else(|| Error::new(Code::NotFound, "the archive has no message of the chat to count from"))?;
    let connection = client.wait_for_connection(deadline).await?;
    let message = asking(client, &chat, &oldest)?;
    let sent = peer::send_to_phone(client, &connection, message, Some(Priority::HighForce), |_| Ok(true));
    let unsent = || Error::new(Code::Internal, "the request was not made");
    let id = sent.await?.ok_or_else(unsent)?;
    let answer = client.history.waiting.answer(&id);
    match tokio::time::timeout_at(deadline, answer).await {
        Ok(Ok(sync)) => Ok(sync),
        Ok(Err(_)) => Err(crate::engine::closed()),
        Err(_) => {
            client.history.waiting.give_up(&id);
            let error = Error::new(Code::TimedOut, "the phone did not hand over older messages in time");
            Err(error.with_outcome(Outcome::Unknown))
        }
    }
}

/// The request, which names the chat as the phone does.
fn asking(client: &Inner, chat: &Jid, oldest: &FoundMessage) -> Result<ProtocolMessage, Error> {
    let account = client.linked_account()?;
    let phone = if chat.is_lid() { client.store.phone_of(chat)? } else { None };
    let request = HistorySyncOnDemandRequest {
        chat_jid: Some(phone.as_ref().unwrap_or(chat).to_string()),
        oldest_msg_id: Some(oldest.message_id.clone()),
        oldest_msg_from_me: Some(oldest.author.is_none()),
        on_demand_msg_count: i32::try_from(AT_ONCE).ok(),
        // Seconds, whatever the name of the field says.
        oldest_msg_timestamp_ms: Some(oldest.position.timestamp),
        account_lid: account.lid.as_ref().map(|lid| lid.to_bare().to_string()),
        support_inline_response: Some(true),
    };
    Ok(ProtocolMessage {
        r#type: Some(Type::PeerDataOperationRequestMessage.into()),
        peer_data_operation_request_message: Some(Box::new(PeerDataOperationRequestMessage {
            peer_data_operation_request_type: Some(PeerDataOperationRequestType::HistorySyncOnDemand.into()),
            history_sync_on_demand_request: Some(request),
            ..PeerDataOperationRequestMessage::default()
        })),
        ..ProtocolMessage::default()
    })
}

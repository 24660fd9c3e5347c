//! Asking the phone for all of its history after the link was made (media document §21.4). It answers whether
//! it will hand it over, and then does so piece by piece, as after linking.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use tokio::time::Instant;
use whimbrel_crypto::message_id::message_id;
use whimbrel_proto::e2e::message::peer_data_operation_request_message::FullHistorySyncOnDemandRequest;
use whimbrel_proto::e2e::message::peer_data_operation_request_response_message::peer_data_operation_result::FullHistorySyncOnDemandResponseCode as Word;
use whimbrel_proto::e2e::message::protocol_message::Type;
use whimbrel_proto::e2e::message::{
    FullHistorySyncOnDemandConfig, FullHistorySyncOnDemandRequestMetadata, PeerDataOperationRequestMessage,
    PeerDataOperationRequestResponseMessage, PeerDataOperationRequestType, ProtocolMessage,
};

use crate::client::{Client, Inner};
use crate::connection::payload::history_config;
use crate::error::{Code, Error, Outcome};
use crate::messages::peer::{self, Priority};
use crate::options::CallOptions;

/// The phone's word on a request: its id, and the number of the word.
pub(crate) type Answer = (String, i32);

/// Calls that wait for the phone's word, by the id of their request.
#[derive(Default)]
pub(super) struct Waiting(Mutex<BTreeMap<String, oneshot::Sender<i32>>>);

impl Waiting {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, oneshot::Sender<i32>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn answered(&self, (id, word): Answer) {
        if let Some(waiting) = self.lock().remove(&id) {
            // Whoever asked may have given up.
            let _ = waiting.send(word);
        }
    }
}

/// Whoever gives up waits no more.
struct Asked<'a>(&'a Waiting, String);

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.0.lock().remove(&self.1);
    }
}

/// What an answer of the phone says of such requests.
pub(crate) fn answers(answer: &PeerDataOperationRequestResponseMessage) -> Vec<Answer> {
    let results = answer.peer_data_operation_result.iter();
    let responses = results.filter_map(|it| it.full_history_sync_on_demand_request_response.as_ref());
    let read = responses.filter_map(|response| {
        let id = response.request_metadata.as_ref()?.request_id.clone()?;
        Some((id, response.response_code.unwrap_or_default()))
    });
    read.collect()
}

impl Client {
    /// Asks the phone for all messages that it has, of so many days back or of all time, and returns the id
    /// of the request when the phone has agreed. They come as after linking: a
    /// [`History`](crate::events::EventKind::History) event of the kind
    /// [`Full`](crate::events::HistoryKind::Full) for each piece, with this id in
    /// [`request_id`](crate::events::HistorySync::request_id). The phone has to be online, and be one of a
    /// business.
    ///
    /// # Errors
    /// [`Code::NotSupported`] if the phone is no business phone, or the client has no archive;
    /// [`Code::HistoryDeclined`] if the phone does not hand its history over; [`Code::TimedOut`] if it does
    /// not answer. Repeating is safe, though it may make the phone hand over everything once more.
    pub async fn request_full_history(
        &self,
        days: Option<u32>,
        options: CallOptions,
    ) -> Result<String, Error> {
        let request =
            move |client: Arc<Inner>, deadline| async move { request(&client, days, deadline).await };
        self.call("request_full_history", options.timeout, request).await
    }
}

async fn request(client: &Arc<Inner>, days: Option<u32>, deadline: Instant) -> Result<String, Error> {
    if !client.options.archive {
        return Err(Error::new(Code::NotSupported, "the client was opened without an archive"));
    }
    if days == Some(0) {
        return Err(Error::new(Code::InvalidArgument, "the history of 0 days is empty"));
    }
    let account = client.linked_account()?;
    let own = account.phone.as_ref().map(|own| own.to_bare().to_string()).unwrap_or_default();
    let id = message_id(
        u64::try_from(crate::clock::now_seconds()).unwrap_or(0),
        &own,
        &crate::random::bytes(&mut client.rng()),
    );
    let connection = client.wait_for_connection(deadline).await?;
    let (tell, answer) = oneshot::channel();
    client.history.full.lock().insert(id.clone(), tell);
    let _asked = Asked(&client.history.full, id.clone());
    let message = asking(client, &id, days);
    let sent = peer::send_to_phone(client, &connection, message, Some(Priority::High), |_| Ok(true));
    sent.await?.ok_or_else(|| Error::new(Code::Internal, "the request was not made"))?;
    match tokio::time::timeout_at(deadline, answer).await {
        Ok(Ok(word)) => judged(word).map(|()| id),
        Ok(Err(_)) => Err(crate::engine::closed()),
        Err(_) => {
            let error = Error::new(Code::TimedOut, "the phone did not answer in time");
            Err(error.with_outcome(Outcome::Unknown))
        }
    }
}

fn judged(word: i32) -> Result<(), Error> {
    let (code, message) = match Word::try_from(word) {
        Ok(Word::RequestSuccess) => return Ok(()),
        Ok(Word::ErrorRequestOnNonSmbPrimary) => {
            (Code::NotSupported, "only phones of businesses hand all of their history over later")
        }
        Ok(Word::RequestTimeExpired) => (Code::TimedOut, "the phone saw the request too late"),
        Ok(Word::DeclinedSharingHistory) => {
            (Code::HistoryDeclined, "the owner of the phone does not share the history")
        }
        _ => (Code::HistoryDeclined, "the phone failed to hand its history over"),
    };
    Err(Error::new(code, message))
}

fn asking(client: &Inner, id: &str, days: Option<u32>) -> ProtocolMessage {
    let request = FullHistorySyncOnDemandRequest {
        request_metadata: Some(FullHistorySyncOnDemandRequestMetadata {
            request_id: Some(id.to_owned()),
            ..FullHistorySyncOnDemandRequestMetadata::default()
        }),
        history_sync_config: Some(history_config(&client.options, days, None)),
        full_history_sync_on_demand_config: days.map(|days| FullHistorySyncOnDemandConfig {
            history_duration_days: Some(days),
            history_from_timestamp: None,
        }),
    };
    ProtocolMessage {
        r#type: Some(Type::PeerDataOperationRequestMessage.into()),
        peer_data_operation_request_message: Some(Box::new(PeerDataOperationRequestMessage {
            peer_data_operation_request_type: Some(
                PeerDataOperationRequestType::FullHistorySyncOnDemand.into(),
            ),
            full_history_sync_on_demand_request: Some(Box::new(request)),
            ..PeerDataOperationRequestMessage::default()
        })),
        ..ProtocolMessage::default()
    }
}

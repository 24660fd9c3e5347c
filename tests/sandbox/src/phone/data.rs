//! Data that companions ask their phone for (pairing document §12.6).
//!
//! Phones of the sandbox answer four kinds of requests: for messages that a companion could not read, for
//! older messages of a chat, for all of the history, and for a piece of it that came damaged.

use whimbrel_proto::common::MessageKey;
use whimbrel_proto::e2e::Message;
use whimbrel_proto::e2e::message::peer_data_operation_request_message::{
    FullHistorySyncOnDemandRequest, HistorySyncChunkRetryRequest, HistorySyncOnDemandRequest,
};
use whimbrel_proto::e2e::message::peer_data_operation_request_response_message::PeerDataOperationResult;
use whimbrel_proto::e2e::message::peer_data_operation_request_response_message::peer_data_operation_result::{
    FullHistorySyncOnDemandRequestResponse, FullHistorySyncOnDemandResponseCode,
    HistorySyncChunkRetryResponse, HistorySyncChunkRetryResponseCode, PlaceholderMessageResendResponse,
};
use whimbrel_proto::e2e::message::{
    PeerDataOperationRequestMessage, PeerDataOperationRequestResponseMessage, PeerDataOperationRequestType,
};
use whimbrel_proto::web::WebMessageInfo;

/// A message as the phone has it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Recorded {
    pub(crate) id: String,
    /// Phone-number address of the chat.
    pub(crate) chat: String,
    pub(crate) from_me: bool,
    /// Who wrote it, in a group.
    pub(crate) participant: Option<String>,
    pub(crate) timestamp: u64,
    pub(crate) message: Message,
}

/// Which older messages of a chat a companion asks for; `None` if it asks for something else.
pub(crate) fn wanted_history(
    request: &PeerDataOperationRequestMessage,
) -> Option<&HistorySyncOnDemandRequest> {
    let kind = request.peer_data_operation_request_type();
    let wanted = request.history_sync_on_demand_request.as_ref();
    wanted.filter(|_| kind == PeerDataOperationRequestType::HistorySyncOnDemand)
}

/// The request of a companion for all of the history; `None` if it asks for something else.
pub(crate) fn wanted_full(
    request: &PeerDataOperationRequestMessage,
) -> Option<&FullHistorySyncOnDemandRequest> {
    let kind = request.peer_data_operation_request_type();
    let wanted = request.full_history_sync_on_demand_request.as_deref();
    wanted.filter(|_| kind == PeerDataOperationRequestType::FullHistorySyncOnDemand)
}

/// The phone's word on such a request.
pub(crate) fn full_history(
    id: &str,
    wanted: &FullHistorySyncOnDemandRequest,
    word: FullHistorySyncOnDemandResponseCode,
) -> PeerDataOperationRequestResponseMessage {
    PeerDataOperationRequestResponseMessage {
        peer_data_operation_request_type: Some(PeerDataOperationRequestType::FullHistorySyncOnDemand.into()),
        stanza_id: Some(id.to_owned()),
        peer_data_operation_result: vec![PeerDataOperationResult {
            full_history_sync_on_demand_request_response: Some(FullHistorySyncOnDemandRequestResponse {
                request_metadata: wanted.request_metadata.clone(),
                response_code: Some(word.into()),
            }),
            ..PeerDataOperationResult::default()
        }],
    }
}

/// Which piece of history a companion wants anew; `None` if it asks for something else.
pub(crate) fn wanted_piece(
    request: &PeerDataOperationRequestMessage,
) -> Option<&HistorySyncChunkRetryRequest> {
    let kind = request.peer_data_operation_request_type();
    let wanted = request.history_sync_chunk_retry_request.as_ref();
    wanted.filter(|_| kind == PeerDataOperationRequestType::HistorySyncChunkRetry)
}

/// The answer that a piece is not made anew.
pub(crate) fn refused_piece(
    request: &str,
    wanted: &HistorySyncChunkRetryRequest,
) -> PeerDataOperationRequestResponseMessage {
    PeerDataOperationRequestResponseMessage {
        peer_data_operation_request_type: Some(PeerDataOperationRequestType::HistorySyncChunkRetry.into()),
        stanza_id: Some(request.to_owned()),
        peer_data_operation_result: vec![PeerDataOperationResult {
            history_sync_chunk_retry_response: Some(HistorySyncChunkRetryResponse {
                sync_type: wanted.sync_type,
                chunk_order: wanted.chunk_order,
                request_id: Some(request.to_owned()),
                response_code: Some(HistorySyncChunkRetryResponseCode::ChunkConsumed.into()),
                can_recover: Some(false),
            }),
            ..PeerDataOperationResult::default()
        }],
    }
}

/// Ids of the messages that a companion asks for; `None` if it asks for something else.
pub(crate) fn wanted_messages(request: &PeerDataOperationRequestMessage) -> Option<Vec<String>> {
    (request.peer_data_operation_request_type() == PeerDataOperationRequestType::PlaceholderMessageResend
        && request.peer_data_operation_request_type.is_some())
    .then(|| {
        let wanted = request.placeholder_message_resend_request.iter();
        wanted.filter_map(|wanted| wanted.message_key.as_ref()?.id.clone()).collect()
    })
}

/// The answer to such a request, which the message with the id `request` carried.
pub(crate) fn resent_messages(
    request: &str,
    messages: Vec<Recorded>,
) -> PeerDataOperationRequestResponseMessage {
    PeerDataOperationRequestResponseMessage {
        peer_data_operation_request_type: Some(PeerDataOperationRequestType::PlaceholderMessageResend.into()),
        stanza_id: Some(request.to_owned()),
        peer_data_operation_result: messages
            .into_iter()
            .map(|recorded| PeerDataOperationResult {
                placeholder_message_resend_response: Some(PlaceholderMessageResendResponse {
                    web_message_info_bytes: Some(whimbrel_proto::encode(&recorded.into_info())),
                }),
                ..PeerDataOperationResult::default()
            })
            .collect(),
    }
}

impl Recorded {
    fn into_info(self) -> WebMessageInfo {
        WebMessageInfo {
            key: Some(MessageKey {
                remote_jid: Some(self.chat),
                from_me: Some(self.from_me),
                id: Some(self.id),
                participant: self.participant,
            }),
            message: Some(Box::new(self.message)),
            message_timestamp: Some(self.timestamp),
            ..WebMessageInfo::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use whimbrel_proto::e2e::message::peer_data_operation_request_message::PlaceholderMessageResendRequest;

    #[test]
    fn only_requests_for_messages_are_answered() {
        let key = MessageKey { id: Some("M1".to_owned()), ..MessageKey::default() };
        let request = PeerDataOperationRequestMessage {
            peer_data_operation_request_type: Some(
                PeerDataOperationRequestType::PlaceholderMessageResend.into(),
            ),
            placeholder_message_resend_request: vec![PlaceholderMessageResendRequest {
                message_key: Some(key),
            }],
            ..PeerDataOperationRequestMessage::default()
        };
        assert_eq!(wanted_messages(&request), Some(vec!["M1".to_owned()]));
        assert_eq!(wanted_messages(&PeerDataOperationRequestMessage::default()), None);
    }

    #[test]
    fn what_the_phone_has_reads_back() {
        let recorded = Recorded {
            id: "M1".to_owned(),
            chat: "222@s.whatsapp.net".to_owned(),
            from_me: true,
            participant: None,
            timestamp: 7,
            message: Message { conversation: Some("hi".to_owned()), ..Message::default() },
        };
        let answer = resent_messages("R1", vec![recorded]);
        let bytes = answer.peer_data_operation_result[0]
            .placeholder_message_resend_response
            .as_ref()
            .and_then(|response| response.web_message_info_bytes.clone());
        let info: WebMessageInfo = whimbrel_proto::decode(&bytes.unwrap()).unwrap();
        assert_eq!(info.key.unwrap().remote_jid.as_deref(), Some("222@s.whatsapp.net"));
        assert_eq!(info.message.unwrap().conversation.as_deref(), Some("hi"));
        assert_eq!(resent_messages("R1", Vec::new()).peer_data_operation_result.len(), 0);
    }
}

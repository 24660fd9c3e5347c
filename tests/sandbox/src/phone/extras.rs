//! What is in a past beside plain messages (media document §19, messages document §15.1): things that
//! people did to the newest messages of the first chat, calls, stickers and former members of groups.

use whimbrel_proto::common::MessageKey;
use whimbrel_proto::e2e::message::event_response_message::EventResponseType;
use whimbrel_proto::e2e::message::{EventMessage, EventResponseMessage, ReactionMessage};
use whimbrel_proto::e2e::{KeepType, Message};
use whimbrel_proto::history::past_participant::LeaveReason;
use whimbrel_proto::history::{HistorySync, PastParticipant, PastParticipants, StickerMetadata};
use whimbrel_proto::sync_action::CallLogRecord;
use whimbrel_proto::sync_action::call_log_record::{CallResult, ParticipantInfo};
use whimbrel_proto::web::web_message_info::StubType;
use whimbrel_proto::web::{
    EventResponse, KeepInChat, MessageAddOn, MessageAddOnContextInfo, PinInChat, WebMessageInfo,
    message_add_on, pin_in_chat,
};

use super::past::{Past, person};

/// How long a message of the past is pinned, seconds.
const PINNED_FOR: u32 = 604_800;

/// Does something to a message of the first chat: the newest is pinned, the next kept, the next taken back,
/// the next an event with an answer, and the next has a reaction as an add-on.
pub(super) fn decorate(info: &mut WebMessageInfo, from_the_end: u32) {
    let key = info.key.clone();
    let at_ms = info.message_timestamp.unwrap_or_default().saturating_mul(1000).saturating_add(9);
    let at_ms = i64::try_from(at_ms).ok();
    let target = key.clone().unwrap_or_default();
    let doing =
        |id: &str| Some(MessageKey { id: Some(id.to_owned()), from_me: Some(false), ..target.clone() });
    match from_the_end {
        1 => {
            info.pin_in_chat = Some(Box::new(PinInChat {
                r#type: Some(pin_in_chat::Type::PinForAll.into()),
                key,
                sender_timestamp_ms: at_ms,
                message_add_on_context_info: Some(MessageAddOnContextInfo {
                    message_add_on_duration_in_secs: Some(PINNED_FOR),
                    message_add_on_expiry_type: None,
                }),
                ..PinInChat::default()
            }));
        }
        2 => {
            info.keep_in_chat = Some(Box::new(KeepInChat {
                keep_type: Some(KeepType::KeepForAll.into()),
                key,
                client_timestamp_ms: at_ms,
                ..KeepInChat::default()
            }));
        }
        3 => {
            info.message = None;
            info.message_stub_type = Some(StubType::Revoke.into());
            info.reactions.clear();
        }
        4 => {
            let event = EventMessage { name: Some("regatta".to_owned()), ..EventMessage::default() };
            info.message =
                Some(Box::new(Message { event_message: Some(Box::new(event)), ..Message::default() }));
            info.event_responses = vec![EventResponse {
                event_response_message_key: doing("ANSWER"),
                timestamp_ms: at_ms,
                event_response_message: Some(EventResponseMessage {
                    response: Some(EventResponseType::Going.into()),
                    timestamp_ms: at_ms,
                    extra_guest_count: Some(2),
                }),
                unread: None,
            }];
        }
        5 => {
            let reaction = ReactionMessage {
                key,
                text: Some("⛵".to_owned()),
                sender_timestamp_ms: at_ms,
                ..ReactionMessage::default()
            };
            info.reactions.clear();
            info.message_add_ons = vec![MessageAddOn {
                message_add_on_type: Some(message_add_on::MessageAddOnType::Reaction.into()),
                message_add_on: Some(Box::new(Message {
                    reaction_message: Some(Box::new(reaction)),
                    ..Message::default()
                })),
                sender_timestamp_ms: at_ms,
                message_add_on_key: doing("ADDON"),
                ..MessageAddOn::default()
            }];
        }
        _ => {}
    }
}

/// What is handed over beside the chats.
pub(super) fn others(past: &Past, now: u64, recent_stickers: Vec<StickerMetadata>) -> HistorySync {
    let seconds = |ago: u64| i64::try_from(now.saturating_sub(ago)).ok();
    let call = |id: &str, other: u32, incoming: bool, result: CallResult| CallLogRecord {
        call_result: Some(result.into()),
        duration: Some(if result == CallResult::Connected { 61 } else { 0 }),
        start_time: seconds(30),
        is_incoming: Some(incoming),
        is_video: Some(!incoming),
        call_id: Some(id.to_owned()),
        call_creator_jid: incoming.then(|| person(other).0),
        participants: vec![ParticipantInfo {
            user_jid: Some(person(other).0),
            call_result: Some(result.into()),
        }],
        ..CallLogRecord::default()
    };
    let groups = (0..past.chats).map(Past::address).filter(|address| address.ends_with("@g.us"));
    let member = |index: u32, reason: LeaveReason| PastParticipant {
        user_jid: Some(person(index).0),
        leave_reason: Some(reason.into()),
        leave_ts: Some(now.saturating_sub(u64::from(index) + 40)),
    };
    HistorySync {
        recent_stickers,
        past_participants: groups
            .map(|group| PastParticipants {
                group_jid: Some(group),
                past_participants: vec![member(0, LeaveReason::Left), member(1, LeaveReason::Removed)],
            })
            .collect(),
        call_log_records: vec![
            call("CALL1", 0, true, CallResult::Missed),
            call("CALL2", 1, false, CallResult::Connected),
        ],
        ..HistorySync::default()
    }
}

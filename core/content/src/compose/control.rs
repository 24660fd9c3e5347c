//! Control messages that a host may send (messages document §10).

use whimbrel_proto::common::LimitSharing;
use whimbrel_proto::common::limit_sharing::TriggerType;
use whimbrel_proto::e2e::message::ProtocolMessage;
use whimbrel_proto::e2e::message::protocol_message::Type;
use whimbrel_proto::e2e::{MemberLabel, Message};

use super::limits::{self, Refused};

pub(super) fn control(kind: Type, protocol: ProtocolMessage) -> Message {
    let protocol = ProtocolMessage { r#type: Some(kind as i32), ..protocol };
    Message { protocol_message: Some(Box::new(protocol)), ..Message::default() }
}

/// Sets the timer of a direct chat; groups have a query for it. `seconds`: how long messages stay,
/// 0 for ever. `now`: seconds since 1970.
///
/// # Errors
/// [`Refused::ChatTimer`] for a timer that no client offers.
pub fn chat_timer(seconds: u32, now: i64) -> Result<Message, Refused> {
    limits::chat_timer(seconds)?;
    let protocol = ProtocolMessage {
        ephemeral_expiration: Some(seconds),
        ephemeral_setting_timestamp: Some(now),
        ..ProtocolMessage::default()
    };
    Ok(control(Type::EphemeralSetting, protocol))
}

/// Says whether content of a direct chat may be shared. `now_ms`: milliseconds since 1970.
#[must_use]
pub fn chat_privacy(limited: bool, now_ms: i64) -> Message {
    let limit = LimitSharing {
        sharing_limited: Some(limited),
        trigger: Some(TriggerType::ChatSetting as i32),
        limit_sharing_setting_timestamp: Some(now_ms),
        initiated_by_me: Some(true),
    };
    control(Type::LimitSharing, ProtocolMessage { limit_sharing: Some(limit), ..ProtocolMessage::default() })
}

/// Tells the other person of a chat by LID this account's phone number.
#[must_use]
pub fn share_phone_number() -> Message {
    control(Type::SharePhoneNumber, ProtocolMessage::default())
}

/// Sets this account's label in a group; empty words remove it. `now`: seconds since 1970.
///
/// # Errors
/// [`Refused::TooLong`].
pub fn member_label(label: &str, now: i64) -> Result<Message, Refused> {
    limits::label(label)?;
    let label = MemberLabel { label: Some(label.to_owned()), label_timestamp: Some(now) };
    let protocol = ProtocolMessage { member_label: Some(label), ..ProtocolMessage::default() };
    Ok(control(Type::GroupMemberLabelChange, protocol))
}

//! The stored form of journaled events: protobuf, so that a newer version may add fields and
//! an older one still reads what it knows. Field numbers are never reused.

use std::time::Duration;

use prost::Message as _;
use whimbrel_wire::jid::Jid;

use crate::error::Code;
use crate::events::{
    ChatMoved, ConnectionRefused, Event, EventKind, Identity, IdentityChanged, Linked, LoggedOut, Message,
    NumberChanged, NumberShared, Receipt, ReceiptKind, Restriction, RestrictionKind, SendStatus,
    Undecryptable, VersionExpires,
};
use crate::journal::groups;
use crate::messages::MessageKey;

/// A row that this version cannot read: damaged, or of a kind that a newer version wrote.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a journal row could not be read")]
pub(crate) struct UnreadableRow;

#[derive(Clone, PartialEq, prost::Message)]
struct RecordRow {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(int64, tag = "2")]
    recorded_at_ms: i64,
    #[prost(oneof = "KindRow", tags = "10, 11, 12, 13, 14, 15, 16, 17, 18, 25, 30, 40, 41, 42, 50, 51, 52")]
    kind: Option<KindRow>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum KindRow {
    #[prost(message, tag = "10")]
    Message(MessageRow),
    #[prost(message, tag = "11")]
    Undecryptable(UndecryptableRow),
    #[prost(message, tag = "12")]
    Receipt(ReceiptRow),
    #[prost(message, tag = "13")]
    SendStatus(SendStatusRow),
    #[prost(message, tag = "14")]
    IdentityChanged(IdentityChangedRow),
    #[prost(message, tag = "15")]
    Linked(LinkedRow),
    #[prost(message, tag = "16")]
    LoggedOut(LoggedOutRow),
    #[prost(message, tag = "17")]
    Replaced(EmptyRow),
    #[prost(message, tag = "18")]
    ConnectionRefused(ConnectionRefusedRow),
    #[prost(message, tag = "25")]
    Restriction(RestrictionRow),
    #[prost(message, tag = "30")]
    VersionExpires(VersionExpiresRow),
    #[prost(message, tag = "40")]
    GroupJoined(groups::JoinedRow),
    #[prost(message, tag = "41")]
    GroupLeft(groups::LeftRow),
    #[prost(message, tag = "42")]
    GroupChanged(groups::ChangedRow),
    #[prost(message, tag = "50")]
    ChatMoved(MovedRow),
    #[prost(message, tag = "51")]
    NumberChanged(MovedRow),
    #[prost(message, tag = "52")]
    NumberShared(MovedRow),
}

#[derive(Clone, PartialEq, prost::Message)]
struct EmptyRow {}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct IdentityRow {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(string, optional, tag = "2")]
    phone: Option<String>,
    #[prost(string, optional, tag = "3")]
    lid: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct KeyRow {
    #[prost(string, tag = "1")]
    message_id: String,
    #[prost(string, optional, tag = "2")]
    sender: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct MessageRow {
    #[prost(string, tag = "1")]
    message_id: String,
    #[prost(message, optional, tag = "2")]
    chat: Option<IdentityRow>,
    #[prost(message, optional, tag = "3")]
    sender: Option<IdentityRow>,
    #[prost(uint32, tag = "4")]
    sender_device: u32,
    #[prost(bool, tag = "5")]
    from_me: bool,
    #[prost(int64, tag = "6")]
    timestamp: i64,
    #[prost(string, optional, tag = "7")]
    push_name: Option<String>,
    #[prost(string, optional, tag = "8")]
    text: Option<String>,
    #[prost(message, optional, tag = "9")]
    quoted: Option<KeyRow>,
    #[prost(bool, tag = "10")]
    offline: bool,
    #[prost(string, optional, tag = "11")]
    completes: Option<String>,
    #[prost(bytes = "vec", tag = "12")]
    raw: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct UndecryptableRow {
    #[prost(string, tag = "1")]
    message_id: String,
    #[prost(message, optional, tag = "2")]
    chat: Option<IdentityRow>,
    #[prost(message, optional, tag = "3")]
    sender: Option<IdentityRow>,
    #[prost(uint32, tag = "4")]
    sender_device: u32,
    #[prost(int64, tag = "5")]
    timestamp: i64,
    #[prost(string, tag = "6")]
    reason: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct ReceiptRow {
    #[prost(message, optional, tag = "1")]
    chat: Option<IdentityRow>,
    #[prost(message, optional, tag = "2")]
    sender: Option<IdentityRow>,
    #[prost(uint32, tag = "3")]
    sender_device: u32,
    #[prost(string, repeated, tag = "4")]
    message_ids: Vec<String>,
    /// 1 delivered, 2 read, 3 played, 4 read on an own device.
    #[prost(uint32, tag = "5")]
    kind: u32,
    #[prost(int64, tag = "6")]
    timestamp: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
struct SendStatusRow {
    #[prost(message, optional, tag = "1")]
    chat: Option<IdentityRow>,
    #[prost(string, tag = "2")]
    message_id: String,
    #[prost(uint32, optional, tag = "3")]
    refused: Option<u32>,
    #[prost(int64, tag = "4")]
    timestamp: i64,
    #[prost(uint32, optional, tag = "5")]
    error: Option<u32>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct IdentityChangedRow {
    #[prost(message, optional, tag = "1")]
    who: Option<IdentityRow>,
    #[prost(uint32, tag = "2")]
    device: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
struct MovedRow {
    #[prost(message, optional, tag = "1")]
    to: Option<IdentityRow>,
    /// Empty for a number that was shared.
    #[prost(string, tag = "2")]
    from: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct LinkedRow {
    #[prost(message, optional, tag = "1")]
    account: Option<IdentityRow>,
    #[prost(uint32, tag = "2")]
    device: u32,
    #[prost(string, tag = "3")]
    platform: String,
    #[prost(string, optional, tag = "4")]
    business_name: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct LoggedOutRow {
    #[prost(string, tag = "1")]
    reason: String,
    #[prost(uint32, tag = "2")]
    service_status: u32,
    #[prost(string, optional, tag = "3")]
    message: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct RestrictionRow {
    /// 1 reach-out time lock, 2 new-chat cap.
    #[prost(uint32, tag = "1")]
    kind: u32,
    #[prost(bool, tag = "2")]
    active: bool,
    #[prost(int64, optional, tag = "3")]
    until: Option<i64>,
    #[prost(string, optional, tag = "4")]
    reason: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct VersionExpiresRow {
    #[prost(int64, optional, tag = "1")]
    at: Option<i64>,
    #[prost(string, tag = "2")]
    version: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct ConnectionRefusedRow {
    #[prost(uint32, tag = "1")]
    service_status: u32,
    #[prost(uint32, tag = "2")]
    detail: u32,
    #[prost(uint64, optional, tag = "3")]
    expires_in_ms: Option<u64>,
    #[prost(string, optional, tag = "4")]
    conflict: Option<String>,
    #[prost(string, optional, tag = "5")]
    message: Option<String>,
    #[prost(string, optional, tag = "6")]
    url: Option<String>,
}

/// Encodes an event for the journal. Ephemeral events have no stored form: their kind is left
/// out, and they are never given to this function by the committer.
pub(crate) fn encode(event: &Event) -> Vec<u8> {
    RecordRow { id: event.id.clone(), recorded_at_ms: event.recorded_at_ms, kind: kind_row(&event.kind) }
        .encode_to_vec()
}

/// Decodes a journal row.
pub(crate) fn decode(sequence: u64, payload: &[u8]) -> Result<Event, UnreadableRow> {
    let row = RecordRow::decode(payload).map_err(|_| UnreadableRow)?;
    let kind = row.kind.ok_or(UnreadableRow)?;
    Ok(Event {
        sequence: Some(sequence),
        id: row.id,
        recorded_at_ms: row.recorded_at_ms,
        kind: kind_of(kind)?,
    })
}

fn kind_row(kind: &EventKind) -> Option<KindRow> {
    Some(match kind {
        EventKind::Message(message) => KindRow::Message(message_row(message)),
        EventKind::Undecryptable(event) => KindRow::Undecryptable(UndecryptableRow {
            message_id: event.message_id.clone(),
            chat: Some(identity_row(&event.chat)),
            sender: Some(identity_row(&event.sender)),
            sender_device: event.sender_device.into(),
            timestamp: event.timestamp,
            reason: event.reason.clone().into_owned(),
        }),
        EventKind::Receipt(event) => KindRow::Receipt(ReceiptRow {
            chat: Some(identity_row(&event.chat)),
            sender: Some(identity_row(&event.sender)),
            sender_device: event.sender_device.into(),
            message_ids: event.message_ids.clone(),
            kind: match event.kind {
                ReceiptKind::Delivered => 1,
                ReceiptKind::Read => 2,
                ReceiptKind::Played => 3,
                ReceiptKind::ReadSelf => 4,
            },
            timestamp: event.timestamp,
        }),
        EventKind::SendStatus(event) => KindRow::SendStatus(SendStatusRow {
            chat: Some(identity_row(&event.chat)),
            message_id: event.message_id.clone(),
            refused: event.refused.map(u32::from),
            timestamp: event.timestamp,
            error: event.error.map(|code| u32::from(code.number())),
        }),
        EventKind::IdentityChanged(event) => KindRow::IdentityChanged(IdentityChangedRow {
            who: Some(identity_row(&event.who)),
            device: event.device.into(),
        }),
        EventKind::Linked(event) => KindRow::Linked(LinkedRow {
            account: Some(identity_row(&event.account)),
            device: event.device.into(),
            platform: event.platform.clone(),
            business_name: event.business_name.clone(),
        }),
        EventKind::LoggedOut(event) => KindRow::LoggedOut(LoggedOutRow {
            reason: event.reason.clone().into_owned(),
            service_status: event.service_status.into(),
            message: event.message.clone(),
        }),
        EventKind::Replaced => KindRow::Replaced(EmptyRow {}),
        EventKind::ConnectionRefused(event) => KindRow::ConnectionRefused(ConnectionRefusedRow {
            service_status: event.service_status.into(),
            detail: event.detail.into(),
            expires_in_ms: event.expires_in.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
            conflict: event.conflict.clone(),
            message: event.message.clone(),
            url: event.url.clone(),
        }),
        EventKind::Restriction(event) => KindRow::Restriction(RestrictionRow {
            kind: event.kind.number().into(),
            active: event.active,
            until: event.until,
            reason: event.reason.clone(),
        }),
        EventKind::VersionExpires(event) => {
            KindRow::VersionExpires(VersionExpiresRow { at: event.at, version: event.version.clone() })
        }
        EventKind::GroupJoined(event) => KindRow::GroupJoined(event.into()),
        EventKind::GroupLeft(event) => KindRow::GroupLeft(event.into()),
        EventKind::GroupChanged(event) => KindRow::GroupChanged(event.into()),
        EventKind::ChatMoved(event) => KindRow::ChatMoved(moved_row(&event.chat, Some(&event.former))),
        EventKind::NumberChanged(event) => KindRow::NumberChanged(moved_row(&event.who, Some(&event.former))),
        EventKind::NumberShared(event) => KindRow::NumberShared(moved_row(&event.who, None)),
        EventKind::Qr(_)
        | EventKind::PairingCode(_)
        | EventKind::PairingCodeFailed(_)
        | EventKind::PasskeyRequired(_)
        | EventKind::LinkFailed(_)
        | EventKind::Connection(_)
        | EventKind::Closed(_) => return None,
    })
}

fn message_row(message: &Message) -> MessageRow {
    MessageRow {
        message_id: message.message_id.clone(),
        chat: Some(identity_row(&message.chat)),
        sender: Some(identity_row(&message.sender)),
        sender_device: message.sender_device.into(),
        from_me: message.from_me,
        timestamp: message.timestamp,
        push_name: message.push_name.clone(),
        text: message.text.clone(),
        quoted: message.quoted.as_ref().map(|key| KeyRow {
            message_id: key.message_id.clone(),
            sender: key.sender.as_ref().map(ToString::to_string),
        }),
        offline: message.offline,
        completes: message.completes.clone(),
        raw: message.raw.clone(),
    }
}

fn moved_row(to: &Identity, from: Option<&Jid>) -> MovedRow {
    MovedRow { to: Some(identity_row(to)), from: from.map(ToString::to_string).unwrap_or_default() }
}

pub(super) fn identity_row(identity: &Identity) -> IdentityRow {
    IdentityRow {
        id: identity.id.to_string(),
        phone: identity.phone.as_ref().map(ToString::to_string),
        lid: identity.lid.as_ref().map(ToString::to_string),
    }
}

fn kind_of(row: KindRow) -> Result<EventKind, UnreadableRow> {
    Ok(match row {
        KindRow::Message(row) => EventKind::Message(Message {
            message_id: row.message_id,
            chat: identity_of(row.chat)?,
            sender: identity_of(row.sender)?,
            sender_device: device_of(row.sender_device)?,
            from_me: row.from_me,
            timestamp: row.timestamp,
            push_name: row.push_name,
            text: row.text,
            quoted: row.quoted.map(key_of).transpose()?,
            offline: row.offline,
            completes: row.completes,
            raw: row.raw,
        }),
        KindRow::Undecryptable(row) => EventKind::Undecryptable(Undecryptable {
            message_id: row.message_id,
            chat: identity_of(row.chat)?,
            sender: identity_of(row.sender)?,
            sender_device: device_of(row.sender_device)?,
            timestamp: row.timestamp,
            reason: row.reason.into(),
        }),
        KindRow::Receipt(row) => EventKind::Receipt(Receipt {
            chat: identity_of(row.chat)?,
            sender: identity_of(row.sender)?,
            sender_device: device_of(row.sender_device)?,
            message_ids: row.message_ids,
            kind: match row.kind {
                1 => ReceiptKind::Delivered,
                2 => ReceiptKind::Read,
                3 => ReceiptKind::Played,
                4 => ReceiptKind::ReadSelf,
                _ => return Err(UnreadableRow),
            },
            timestamp: row.timestamp,
        }),
        KindRow::SendStatus(row) => EventKind::SendStatus(SendStatus {
            chat: identity_of(row.chat)?,
            message_id: row.message_id,
            refused: row.refused.map(status_of).transpose()?,
            // A newer version may have codes that this one does not know.
            error: row
                .error
                .map(|number| status_of(number).ok().and_then(Code::of_number).unwrap_or(Code::Refused)),
            timestamp: row.timestamp,
        }),
        KindRow::IdentityChanged(row) => EventKind::IdentityChanged(IdentityChanged {
            who: identity_of(row.who)?,
            device: device_of(row.device)?,
        }),
        KindRow::Linked(row) => EventKind::Linked(Linked {
            account: identity_of(row.account)?,
            device: device_of(row.device)?,
            platform: row.platform,
            business_name: row.business_name,
        }),
        KindRow::LoggedOut(row) => EventKind::LoggedOut(LoggedOut {
            reason: row.reason.into(),
            service_status: status_of(row.service_status)?,
            message: row.message,
        }),
        KindRow::Replaced(EmptyRow {}) => EventKind::Replaced,
        KindRow::ConnectionRefused(row) => EventKind::ConnectionRefused(ConnectionRefused {
            service_status: status_of(row.service_status)?,
            detail: status_of(row.detail)?,
            expires_in: row.expires_in_ms.map(Duration::from_millis),
            conflict: row.conflict,
            message: row.message,
            url: row.url,
        }),
        KindRow::Restriction(row) => EventKind::Restriction(Restriction {
            kind: RestrictionKind::of_number(row.kind),
            active: row.active,
            until: row.until,
            reason: row.reason,
        }),
        KindRow::VersionExpires(row) => {
            EventKind::VersionExpires(VersionExpires { at: row.at, version: row.version })
        }
        KindRow::GroupJoined(row) => EventKind::GroupJoined(row.try_into()?),
        KindRow::GroupLeft(row) => EventKind::GroupLeft(row.try_into()?),
        KindRow::GroupChanged(row) => EventKind::GroupChanged(row.try_into()?),
        KindRow::ChatMoved(row) => {
            EventKind::ChatMoved(ChatMoved { former: jid_of(&row.from)?, chat: identity_of(row.to)? })
        }
        KindRow::NumberChanged(row) => {
            EventKind::NumberChanged(NumberChanged { who: identity_of(row.to)?, former: jid_of(&row.from)? })
        }
        KindRow::NumberShared(row) => EventKind::NumberShared(NumberShared { who: identity_of(row.to)? }),
    })
}

pub(super) fn identity_of(row: Option<IdentityRow>) -> Result<Identity, UnreadableRow> {
    let row = row.ok_or(UnreadableRow)?;
    Ok(Identity {
        id: jid_of(&row.id)?,
        phone: row.phone.as_deref().map(jid_of).transpose()?,
        lid: row.lid.as_deref().map(jid_of).transpose()?,
    })
}

fn key_of(row: KeyRow) -> Result<MessageKey, UnreadableRow> {
    Ok(MessageKey { message_id: row.message_id, sender: row.sender.as_deref().map(jid_of).transpose()? })
}

fn jid_of(text: &str) -> Result<Jid, UnreadableRow> {
    text.parse().map_err(|_| UnreadableRow)
}

fn device_of(number: u32) -> Result<u16, UnreadableRow> {
    u16::try_from(number).map_err(|_| UnreadableRow)
}

fn status_of(number: u32) -> Result<u16, UnreadableRow> {
    u16::try_from(number).map_err(|_| UnreadableRow)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(user: &str) -> Identity {
        let lid: Jid = format!("{user}@lid").parse().unwrap();
        Identity { id: lid.clone(), phone: Some("15550001@s.whatsapp.net".parse().unwrap()), lid: Some(lid) }
    }

    /// One event of every journaled kind.
    pub(crate) fn every_kind() -> Vec<EventKind> {
        let groups = groups::tests::every_kind(&identity("9"));
        let others = vec![
            EventKind::Message(Message {
                message_id: "3EB0AA".into(),
                chat: identity("1"),
                sender: identity("2"),
                sender_device: 7,
                from_me: false,
                timestamp: 1_795_168_800,
                push_name: Some("Zoë".into()),
                text: Some("hello\0🐦".into()),
                quoted: Some(MessageKey {
                    message_id: "3EB0BB".into(),
                    sender: Some("3@lid".parse().unwrap()),
                }),
                offline: true,
                completes: Some("00ff".into()),
                raw: vec![1, 2, 3],
            }),
            EventKind::Undecryptable(Undecryptable {
                message_id: "3EB0AA".into(),
                chat: identity("1"),
                sender: identity("2"),
                sender_device: 0,
                timestamp: -1,
                reason: "bad_mac".into(),
            }),
            EventKind::Receipt(Receipt {
                chat: identity("1"),
                sender: identity("1"),
                sender_device: 3,
                message_ids: vec!["a".into(), "b".into()],
                kind: ReceiptKind::Played,
                timestamp: 5,
            }),
            EventKind::SendStatus(SendStatus {
                chat: identity("1"),
                message_id: "a".into(),
                refused: Some(479),
                error: Some(Code::Refused),
                timestamp: 5,
            }),
            EventKind::IdentityChanged(IdentityChanged { who: identity("9"), device: 2 }),
            EventKind::Linked(Linked {
                account: identity("9"),
                device: 77,
                platform: "android".into(),
                business_name: None,
            }),
            EventKind::LoggedOut(LoggedOut {
                reason: "removed".into(),
                service_status: 401,
                message: Some("gone".into()),
            }),
            EventKind::Replaced,
            EventKind::ConnectionRefused(ConnectionRefused {
                service_status: 402,
                detail: 101,
                expires_in: Some(Duration::from_secs(3600)),
                conflict: Some("unknown".into()),
                message: None,
                url: Some("https://faq".into()),
            }),
            EventKind::Restriction(Restriction {
                kind: RestrictionKind::NewChatCap,
                active: true,
                until: Some(6),
                reason: Some("DEFAULT".into()),
            }),
            EventKind::VersionExpires(VersionExpires { at: Some(5), version: "2.3000.1".into() }),
            EventKind::ChatMoved(ChatMoved {
                former: "15550001@s.whatsapp.net".parse().unwrap(),
                chat: identity("9"),
            }),
            EventKind::NumberChanged(NumberChanged {
                who: identity("9"),
                former: "15550009@s.whatsapp.net".parse().unwrap(),
            }),
            EventKind::NumberShared(NumberShared { who: identity("9") }),
        ];
        others.into_iter().chain(groups).collect()
    }

    #[test]
    fn every_journaled_kind_is_read_as_it_was_written() {
        for (index, kind) in every_kind().into_iter().enumerate() {
            let event = Event { sequence: Some(4), id: format!("id{index}"), recorded_at_ms: 12, kind };
            assert_eq!(decode(4, &encode(&event)), Ok(event));
        }
    }

    /// The stored form is a promise to files already written: a change of this text is a change
    /// of the format and needs a reader for both.
    #[test]
    fn the_stored_form_of_a_receipt_stays_the_same() {
        let event = Event {
            sequence: Some(1),
            id: "ab".into(),
            recorded_at_ms: 3,
            kind: EventKind::Receipt(Receipt {
                chat: Identity { id: "1@lid".parse().unwrap(), phone: None, lid: None },
                sender: Identity { id: "1@lid".parse().unwrap(), phone: None, lid: None },
                sender_device: 2,
                message_ids: vec!["m".into()],
                kind: ReceiptKind::Read,
                timestamp: 9,
            }),
        };
        let hex: String = encode(&event).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "0a0261621003621b0a070a0531406c696412070a0531406c6964180222016d28023009");
    }

    #[test]
    fn a_row_of_an_unknown_kind_is_refused_and_unknown_fields_are_skipped() {
        assert_eq!(decode(1, &[0x0a, 0x01, b'a']), Err(UnreadableRow));
        assert_eq!(decode(1, &[0xff]), Err(UnreadableRow));
        let event = Event { sequence: Some(1), id: "x".into(), recorded_at_ms: 0, kind: EventKind::Replaced };
        let mut newer = encode(&event);
        newer.extend([0xf8, 0x07, 0x01]);
        assert_eq!(decode(1, &newer), Ok(event));
    }
}

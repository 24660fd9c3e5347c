//! The stored form of journaled events: protobuf, so that a newer version may add fields and
//! an older one still reads what it knows. Field numbers are never reused.

use prost::Message as _;
use whimbrel_wire::jid::Jid;

use super::{
    account, addons, appstate, blocklist, business, calls, channels, communities, groups, history, messages,
    people, pictures, privacy, profile,
};
use crate::events::{Event, EventKind, Identity};

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
    #[prost(
        oneof = "KindRow",
        tags = "10, 11, 12, 13, 14, 15, 16, 17, 18, 20, 21, 25, 30, 40, 41, 42, 43, 44, 45, 50, 51, 52, 56, 57, 60, 61, 62, 63, 64, 65, 66, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 83, 84, 90, 91, 92, 93"
    )]
    kind: Option<KindRow>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum KindRow {
    #[prost(message, tag = "10")]
    Message(messages::MessageRow),
    #[prost(message, tag = "11")]
    Undecryptable(messages::UndecryptableRow),
    #[prost(message, tag = "12")]
    Receipt(messages::ReceiptRow),
    #[prost(message, tag = "13")]
    SendStatus(messages::SendStatusRow),
    #[prost(message, tag = "14")]
    IdentityChanged(people::IdentityChangedRow),
    #[prost(message, tag = "15")]
    Linked(account::LinkedRow),
    #[prost(message, tag = "16")]
    LoggedOut(account::LoggedOutRow),
    #[prost(message, tag = "17")]
    Replaced(EmptyRow),
    #[prost(message, tag = "18")]
    ConnectionRefused(account::ConnectionRefusedRow),
    #[prost(message, tag = "20")]
    Addon(addons::AddonRow),
    #[prost(message, tag = "21")]
    Control(addons::AddonRow),
    #[prost(message, tag = "25")]
    Restriction(account::RestrictionRow),
    #[prost(message, tag = "30")]
    VersionExpires(account::VersionExpiresRow),
    #[prost(message, tag = "40")]
    GroupJoined(groups::JoinedRow),
    #[prost(message, tag = "41")]
    GroupLeft(groups::LeftRow),
    #[prost(message, tag = "42")]
    GroupChanged(groups::ChangedRow),
    #[prost(message, tag = "43")]
    JoinRequest(communities::JoinRequestRow),
    #[prost(message, tag = "44")]
    GroupLinked(communities::LinkedRow),
    #[prost(message, tag = "45")]
    GroupSuggested(communities::SuggestedRow),
    #[prost(message, tag = "50")]
    ChatMoved(people::MovedRow),
    #[prost(message, tag = "51")]
    NumberChanged(people::MovedRow),
    #[prost(message, tag = "52")]
    NumberShared(people::MovedRow),
    #[prost(message, tag = "56")]
    ChannelPost(channels::PostRow),
    #[prost(message, tag = "57")]
    ChannelCounts(channels::CountsRow),
    #[prost(message, tag = "60")]
    History(history::HistoryRow),
    #[prost(message, tag = "61")]
    PictureChanged(pictures::PictureChangedRow),
    #[prost(message, tag = "62")]
    PrivacyChanged(privacy::PrivacyChangedRow),
    #[prost(message, tag = "63")]
    DefaultTimerChanged(privacy::DefaultTimerRow),
    #[prost(message, tag = "64")]
    BlockedChanged(blocklist::BlockedChangedRow),
    #[prost(message, tag = "65")]
    AboutChanged(profile::AboutChangedRow),
    #[prost(message, tag = "66")]
    UsernameChanged(profile::UsernameChangedRow),
    #[prost(message, tag = "70")]
    ChatChanged(appstate::ChangeRow),
    #[prost(message, tag = "71")]
    MessageMarked(appstate::ChangeRow),
    #[prost(message, tag = "72")]
    ContactChanged(appstate::ChangeRow),
    #[prost(message, tag = "73")]
    SettingChanged(appstate::ChangeRow),
    #[prost(message, tag = "74")]
    LabelChanged(appstate::ChangeRow),
    #[prost(message, tag = "75")]
    QuickReplyChanged(appstate::ChangeRow),
    #[prost(message, tag = "76")]
    StateTrouble(appstate::TroubleRow),
    #[prost(message, tag = "77")]
    StateChanged(appstate::ChangeRow),
    #[prost(message, tag = "78")]
    StateWritten(appstate::WrittenRow),
    #[prost(message, tag = "79")]
    StateSynced(appstate::SyncedRow),
    #[prost(message, tag = "80")]
    ChannelJoined(channels::JoinedRow),
    #[prost(message, tag = "81")]
    ChannelLeft(channels::LeftRow),
    #[prost(message, tag = "82")]
    ChannelChanged(channels::ChangedRow),
    #[prost(message, tag = "83")]
    ChannelRoleChanged(channels::RoleRow),
    #[prost(message, tag = "84")]
    ChannelMuted(channels::MutedRow),
    #[prost(message, tag = "90")]
    CallOffered(calls::OfferedRow),
    #[prost(message, tag = "91")]
    CallProgress(calls::ProgressRow),
    #[prost(message, tag = "92")]
    CallEnded(calls::EndedRow),
    #[prost(message, tag = "93")]
    BusinessChanged(business::ChangedRow),
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
        EventKind::Message(event) => KindRow::Message(event.as_ref().into()),
        EventKind::Addon(event) => KindRow::Addon(event.as_ref().into()),
        EventKind::Control(event) => KindRow::Control(event.as_ref().into()),
        EventKind::Undecryptable(event) => KindRow::Undecryptable(event.into()),
        EventKind::Receipt(event) => KindRow::Receipt(event.into()),
        EventKind::SendStatus(event) => KindRow::SendStatus(event.into()),
        EventKind::IdentityChanged(event) => KindRow::IdentityChanged(event.into()),
        EventKind::Linked(event) => KindRow::Linked(event.into()),
        EventKind::LoggedOut(event) => KindRow::LoggedOut(event.into()),
        EventKind::Replaced => KindRow::Replaced(EmptyRow {}),
        EventKind::ConnectionRefused(event) => KindRow::ConnectionRefused(event.into()),
        EventKind::Restriction(event) => KindRow::Restriction(event.into()),
        EventKind::VersionExpires(event) => KindRow::VersionExpires(event.into()),
        EventKind::GroupJoined(event) => KindRow::GroupJoined(event.into()),
        EventKind::GroupLeft(event) => KindRow::GroupLeft(event.into()),
        EventKind::GroupChanged(event) => KindRow::GroupChanged(event.into()),
        EventKind::JoinRequest(event) => KindRow::JoinRequest(event.into()),
        EventKind::GroupLinked(event) => KindRow::GroupLinked(event.into()),
        EventKind::GroupSuggested(event) => KindRow::GroupSuggested(event.into()),
        EventKind::ChatMoved(event) => KindRow::ChatMoved(event.into()),
        EventKind::NumberChanged(event) => KindRow::NumberChanged(event.into()),
        EventKind::ChannelPost(event) => KindRow::ChannelPost(event.as_ref().into()),
        EventKind::ChannelCounts(event) => KindRow::ChannelCounts(event.into()),
        EventKind::ChannelJoined(event) => KindRow::ChannelJoined(event.as_ref().into()),
        EventKind::ChannelLeft(event) => KindRow::ChannelLeft(event.into()),
        EventKind::ChannelChanged(event) => KindRow::ChannelChanged(event.as_ref().into()),
        EventKind::ChannelRoleChanged(event) => KindRow::ChannelRoleChanged(event.into()),
        EventKind::ChannelMuted(event) => KindRow::ChannelMuted(event.into()),
        EventKind::CallOffered(event) => KindRow::CallOffered(event.as_ref().into()),
        EventKind::CallProgress(event) => KindRow::CallProgress(event.into()),
        EventKind::CallEnded(event) => KindRow::CallEnded(event.as_ref().into()),
        EventKind::BusinessChanged(event) => KindRow::BusinessChanged(event.into()),
        EventKind::PictureChanged(event) => KindRow::PictureChanged(event.into()),
        EventKind::History(event) => KindRow::History(event.into()),
        EventKind::NumberShared(event) => KindRow::NumberShared(event.into()),
        EventKind::ChatChanged(event) => KindRow::ChatChanged(event.as_ref().into()),
        EventKind::MessageMarked(event) => KindRow::MessageMarked(event.as_ref().into()),
        EventKind::ContactChanged(event) => KindRow::ContactChanged(event.as_ref().into()),
        EventKind::SettingChanged(event) => KindRow::SettingChanged(event.as_ref().into()),
        EventKind::LabelChanged(event) => KindRow::LabelChanged(event.as_ref().into()),
        EventKind::QuickReplyChanged(event) => KindRow::QuickReplyChanged(event.as_ref().into()),
        EventKind::StateTrouble(event) => KindRow::StateTrouble(event.into()),
        EventKind::StateChanged(event) => KindRow::StateChanged(event.as_ref().into()),
        EventKind::StateWritten(event) => KindRow::StateWritten(event.into()),
        EventKind::StateSynced(event) => KindRow::StateSynced(event.into()),
        EventKind::PrivacyChanged(event) => KindRow::PrivacyChanged(event.into()),
        EventKind::DefaultTimerChanged(event) => KindRow::DefaultTimerChanged(event.into()),
        EventKind::BlockedChanged(event) => KindRow::BlockedChanged(event.into()),
        EventKind::AboutChanged(event) => KindRow::AboutChanged(event.into()),
        EventKind::UsernameChanged(event) => KindRow::UsernameChanged(event.into()),
        EventKind::Qr(_)
        | EventKind::PairingCode(_)
        | EventKind::PairingCodeFailed(_)
        | EventKind::PasskeyRequired(_)
        | EventKind::LinkFailed(_)
        | EventKind::MediaProgress(_)
        | EventKind::HistoryProgress(_)
        | EventKind::Presence(_)
        | EventKind::ChatState(_)
        | EventKind::Connection(_)
        | EventKind::Closed(_) => return None,
    })
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
        KindRow::Message(row) => EventKind::Message(Box::new(row.try_into()?)),
        KindRow::Addon(row) => EventKind::Addon(Box::new(row.try_into()?)),
        KindRow::Control(row) => EventKind::Control(Box::new(row.try_into()?)),
        KindRow::Undecryptable(row) => EventKind::Undecryptable(row.try_into()?),
        KindRow::Receipt(row) => EventKind::Receipt(row.try_into()?),
        KindRow::SendStatus(row) => EventKind::SendStatus(row.try_into()?),
        KindRow::IdentityChanged(row) => EventKind::IdentityChanged(row.try_into()?),
        KindRow::Linked(row) => EventKind::Linked(row.try_into()?),
        KindRow::LoggedOut(row) => EventKind::LoggedOut(row.try_into()?),
        KindRow::Replaced(EmptyRow {}) => EventKind::Replaced,
        KindRow::ConnectionRefused(row) => EventKind::ConnectionRefused(row.try_into()?),
        KindRow::Restriction(row) => EventKind::Restriction(row.into()),
        KindRow::VersionExpires(row) => EventKind::VersionExpires(row.into()),
        KindRow::GroupJoined(row) => EventKind::GroupJoined(row.try_into()?),
        KindRow::GroupLeft(row) => EventKind::GroupLeft(row.try_into()?),
        KindRow::GroupChanged(row) => EventKind::GroupChanged(row.try_into()?),
        KindRow::JoinRequest(row) => EventKind::JoinRequest(row.try_into()?),
        KindRow::GroupLinked(row) => EventKind::GroupLinked(row.try_into()?),
        KindRow::GroupSuggested(row) => EventKind::GroupSuggested(row.try_into()?),
        KindRow::ChatMoved(row) => EventKind::ChatMoved(row.try_into()?),
        KindRow::NumberChanged(row) => EventKind::NumberChanged(row.try_into()?),
        KindRow::ChannelPost(row) => EventKind::ChannelPost(Box::new(row.try_into()?)),
        KindRow::ChannelCounts(row) => EventKind::ChannelCounts(row.try_into()?),
        KindRow::ChannelJoined(row) => EventKind::ChannelJoined(Box::new(row.try_into()?)),
        KindRow::ChannelLeft(row) => EventKind::ChannelLeft(row.try_into()?),
        KindRow::ChannelChanged(row) => EventKind::ChannelChanged(Box::new(row.try_into()?)),
        KindRow::ChannelRoleChanged(row) => EventKind::ChannelRoleChanged(row.try_into()?),
        KindRow::ChannelMuted(row) => EventKind::ChannelMuted(row.try_into()?),
        KindRow::CallOffered(row) => EventKind::CallOffered(Box::new(row.try_into()?)),
        KindRow::CallProgress(row) => EventKind::CallProgress(row.try_into()?),
        KindRow::CallEnded(row) => EventKind::CallEnded(Box::new(row.try_into()?)),
        KindRow::BusinessChanged(row) => EventKind::BusinessChanged(row.try_into()?),
        KindRow::PictureChanged(row) => EventKind::PictureChanged(row.try_into()?),
        KindRow::History(row) => EventKind::History(row.try_into()?),
        KindRow::NumberShared(row) => EventKind::NumberShared(row.try_into()?),
        KindRow::ChatChanged(row) => EventKind::ChatChanged(Box::new(row.try_into()?)),
        KindRow::MessageMarked(row) => EventKind::MessageMarked(Box::new(row.try_into()?)),
        KindRow::ContactChanged(row) => EventKind::ContactChanged(Box::new(row.try_into()?)),
        KindRow::SettingChanged(row) => EventKind::SettingChanged(Box::new(row.try_into()?)),
        KindRow::LabelChanged(row) => EventKind::LabelChanged(Box::new(row.try_into()?)),
        KindRow::QuickReplyChanged(row) => EventKind::QuickReplyChanged(Box::new(row.try_into()?)),
        KindRow::StateTrouble(row) => EventKind::StateTrouble(row.try_into()?),
        KindRow::StateChanged(row) => EventKind::StateChanged(Box::new(row.try_into()?)),
        KindRow::StateWritten(row) => EventKind::StateWritten(row.try_into()?),
        KindRow::PrivacyChanged(row) => EventKind::PrivacyChanged(row.into()),
        KindRow::DefaultTimerChanged(row) => EventKind::DefaultTimerChanged(row.try_into()?),
        KindRow::BlockedChanged(row) => EventKind::BlockedChanged(row.try_into()?),
        KindRow::AboutChanged(row) => EventKind::AboutChanged(row.try_into()?),
        KindRow::UsernameChanged(row) => EventKind::UsernameChanged(row.try_into()?),
        KindRow::StateSynced(row) => EventKind::StateSynced(row.try_into()?),
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

pub(super) fn people_of(rows: Vec<IdentityRow>) -> Result<Vec<Identity>, UnreadableRow> {
    rows.into_iter().map(|row| identity_of(Some(row))).collect()
}

pub(super) fn jid_of(text: &str) -> Result<Jid, UnreadableRow> {
    text.parse().map_err(|_| UnreadableRow)
}

pub(super) fn device_of(number: u32) -> Result<u16, UnreadableRow> {
    u16::try_from(number).map_err(|_| UnreadableRow)
}

pub(super) fn status_of(number: u32) -> Result<u16, UnreadableRow> {
    u16::try_from(number).map_err(|_| UnreadableRow)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use whimbrel_content::addons::{self, Parent};
    use whimbrel_content::classify::{Class, reread};
    use whimbrel_content::compose::{self, Draft, Envelope};
    use whimbrel_content::key::Key;
    use whimbrel_content::kinds::poll::Poll;
    use whimbrel_content::kinds::text::Text;
    use whimbrel_proto::e2e::Message as Content;

    use super::*;
    use crate::error::Code;
    use crate::events::{
        Addon, BlockedChanged, ChannelCounts, ChannelPost, ChatMoved, ConnectionRefused, Control,
        HistoryKind, HistorySync, IdentityChanged, Linked, LoggedOut, Message, NumberChanged, NumberShared,
        PictureChanged, PostChange, PostCounts, Receipt, ReceiptKind, Restriction, RestrictionKind,
        SendStatus, Target, Undecryptable, VersionExpires,
    };
    use crate::messages::MessageKey;

    fn identity(user: &str) -> Identity {
        let lid: Jid = format!("{user}@lid").parse().unwrap();
        Identity { id: lid.clone(), phone: Some("15550001@s.whatsapp.net".parse().unwrap()), lid: Some(lid) }
    }

    fn raw(content: &Content) -> Vec<u8> {
        whimbrel_proto::encode(content)
    }

    fn message() -> Message {
        let mut draft = Draft::new(whimbrel_content::Content::Text(Text::new("hello\0🐦")));
        draft.context.mentions = vec![Jid::lid("4")];
        let sent = draft.compose([7; 32]).unwrap().message;
        let Class::Message(shown) = reread(sent.clone(), &Jid::lid("1"), false).class else {
            panic!("a message")
        };
        Message {
            message_id: "3EB0AA".into(),
            chat: identity("1"),
            sender: identity("2"),
            sender_device: 7,
            from_me: false,
            timestamp: 1_795_168_800,
            push_name: Some("Zoë".into()),
            text: Some("hello\0🐦".into()),
            quoted: Some(MessageKey { message_id: "3EB0BB".into(), sender: Some("3@lid".parse().unwrap()) }),
            content: shown.content,
            context: shown.context,
            view_once: false,
            is_status: false,
            mentions_me: true,
            association: None,
            unread: true,
            offline: true,
            completes: Some("00ff".into()),
            raw: raw(&sent),
        }
    }

    /// A vote, opened or not.
    fn addon(opened: bool) -> Addon {
        let poll = Poll { name: "?".into(), options: vec!["a".into(), "b".into()], ..Poll::default() };
        let (target, author) = (Key::foreign(&Jid::lid("1"), "3EB0CC", &Jid::lid("1")), Jid::lid("1"));
        let envelope = Envelope {
            target: &target,
            secret: &[7; 32],
            author: &author,
            own: &Jid::lid("2"),
            nonce: [3; 12],
        };
        let sent = compose::vote(&envelope, &poll, &["b".into()], 5).unwrap();
        let Class::Addon(what) = reread(sent.clone(), &Jid::lid("1"), false).class else {
            panic!("an add-on")
        };
        let addons::Addon::Sealed(sealed) = *what else { panic!("an envelope") };
        let parent =
            Parent { secret: &[7; 32], authors: std::slice::from_ref(&author), modifiers: &[Jid::lid("2")] };
        let text = sealed.decrypt(&parent).unwrap().to_vec();
        Addon {
            message_id: "3EB0AB".into(),
            chat: identity("1"),
            sender: identity("2"),
            sender_device: 1,
            from_me: true,
            timestamp: 9,
            offline: false,
            completes: None,
            target: Target { message_id: "3EB0CC".into(), author: Some(author), from_me: false },
            what: if opened { sealed.read(&text).unwrap() } else { addons::Addon::Sealed(sealed) },
            options: if opened { vec!["b".into()] } else { Vec::new() },
            raw: raw(&sent),
            opened: opened.then_some(text),
        }
    }

    fn control() -> Control {
        let sent = compose::chat_timer(86_400, 77).unwrap();
        let Class::Protocol(what) = reread(sent.clone(), &Jid::lid("1"), false).class else {
            panic!("a control message")
        };
        Control {
            message_id: "3EB0AD".into(),
            chat: identity("1"),
            sender: identity("1"),
            sender_device: 0,
            from_me: false,
            timestamp: 9,
            offline: true,
            completes: None,
            what: *what,
            raw: raw(&sent),
        }
    }

    /// One event of every journaled kind.
    pub(crate) fn every_kind() -> Vec<EventKind> {
        let mut groups = groups::tests::every_kind(&identity("9"));
        groups.extend(communities::tests::every_kind(&identity("9")));
        groups.extend(privacy::tests::every_kind(&identity("9")));
        groups.extend(profile::tests::every_kind(&identity("9")));
        let others = vec![
            EventKind::Message(Box::new(message())),
            EventKind::Addon(Box::new(addon(true))),
            EventKind::Addon(Box::new(addon(false))),
            EventKind::Control(Box::new(control())),
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
            EventKind::BusinessChanged(crate::events::BusinessChanged {
                who: identity("9"),
                change: crate::events::BusinessChange::Catalog,
                ids: vec!["1".into()],
                timestamp: 5,
            }),
            EventKind::BlockedChanged(BlockedChanged {
                blocked: vec![identity("7"), identity("8")],
                unblocked: vec![identity("9")],
            }),
            EventKind::PictureChanged(PictureChanged {
                owner: identity("1"),
                author: Some(identity("2")),
                id: Some("17".into()),
                timestamp: 5,
            }),
            EventKind::History(HistorySync {
                kind: HistoryKind::OnDemand,
                chunk: 3,
                progress: Some(40),
                chats: 1,
                messages: 50,
                damaged: 2,
                calls: 4,
                stickers: 6,
                request_id: Some("3EB0".into()),
                error: Some(Code::HistoryDamaged),
            }),
        ];
        let states = appstate::tests::every_kind(&identity("9"));
        let channels = channels()
            .into_iter()
            .chain(channels::tests::every_kind(&identity("9")))
            .chain(calls::tests::every_kind(&identity("9")));
        others.into_iter().chain(groups).chain(channels).chain(states).collect()
    }

    fn channels() -> Vec<EventKind> {
        let channel: Jid = "120363000000000002@newsletter".parse().unwrap();
        let counts = PostCounts {
            server_id: 101,
            views: Some(9),
            forwards: None,
            responses: Some(0),
            reactions: Some(vec![("👍".into(), 3)]),
            votes: Some(vec![(vec![7; 32], 2)]),
        };
        let words = Content { conversation: Some("news".into()), ..Content::default() };
        let post = ChannelPost {
            channel: channel.clone(),
            message_id: "3EB0AB".into(),
            server_id: 101,
            change: PostChange::Edited,
            from_me: true,
            timestamp: 5,
            edited_at_ms: Some(6_000),
            offline: false,
            content: Some(whimbrel_content::Content::Text(Text::new("news"))),
            text: Some("news".into()),
            counts: counts.clone(),
            raw: raw(&words),
        };
        let gone = ChannelPost {
            change: PostChange::Revoked,
            content: None,
            text: None,
            raw: Vec::new(),
            ..post.clone()
        };
        let told = ChannelCounts { channel, posts: vec![counts], timestamp: 7 };
        vec![
            EventKind::ChannelPost(Box::new(post)),
            EventKind::ChannelPost(Box::new(gone)),
            EventKind::ChannelCounts(told),
        ]
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

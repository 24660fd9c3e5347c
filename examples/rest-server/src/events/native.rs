//! The engine's events under native names. `data` is what every language of the engine gets, so that the
//! engine's reference describes it.

use serde_json::{Value, json};
use whimbrel::events::{Event, EventKind, Identity};

use crate::store::events::{EventRow, NewEvent};
use crate::store::now_ms;
use crate::store::outbox::OutboxRow;

/// The types of events and when each is told, in the order of the reference.
pub(crate) const TYPES: &[(&str, &str)] = &[
    ("account.state", "The link of an account changed: look at `state`."),
    ("account.qr", "A new QR text is shown to be scanned."),
    ("account.code", "A new pairing code is shown to be typed."),
    ("account.linked", "A phone accepted the account as its companion."),
    ("account.logged_out", "The link ended: the account has to be linked again."),
    ("account.restricted", "The service restricts the account, or lifts a restriction."),
    ("message.received", "A message came."),
    ("message.sent", "This account sent a message: through this server, or by another device of it."),
    ("message.status", "How far a sent message is: sent, delivered, read, played or failed."),
    ("message.undecryptable", "A message came that cannot be read yet; the sender is asked for it again."),
    ("message.edited", "A message has other words now."),
    ("message.deleted", "A message was taken back."),
    ("message.reaction", "Somebody reacted to a message, or took that back."),
    ("message.poll_vote", "Somebody voted in a poll, or changed the vote."),
    ("message.pinned", "A message was pinned or unpinned."),
    ("message.marked", "A message was starred, or deleted for this account only."),
    ("message.addon", "Something else was done to a message."),
    ("history.batch", "A piece of the history is in the archive."),
    ("chat.updated", "A chat was muted, pinned, archived, marked, cleared or deleted."),
    ("chat.moved", "A person or chat is identified by another address from now on."),
    ("presence", "A person came online, went offline, types or speaks."),
    ("contact.updated", "The address book, a name, a picture or an about text changed."),
    ("group.updated", "A group was joined, left or changed."),
    ("group.participants", "People joined or left a group, or their roles changed."),
    ("group.request", "Somebody asks to join a group."),
    ("channel.updated", "A channel was joined, left, or changed, or a post's counts did."),
    ("call", "A call rings, was answered, or ended."),
    ("label.updated", "A label was changed, or put on something or taken off."),
    ("settings.updated", "A setting of the account changed."),
    ("app_state", "How far the state shared between devices is."),
    ("webhook.paused", "A webhook failed for too long: no more is sent to it until it is resumed."),
];

/// Whether an event is about a group, or a message in one.
pub(crate) fn is_of_group(kind: &EventKind) -> bool {
    lane(kind).is_some_and(|chat| chat.id.is_group())
}

/// The chat that an event is about.
fn lane(kind: &EventKind) -> Option<&Identity> {
    match kind {
        EventKind::Message(message) => Some(&message.chat),
        EventKind::Addon(addon) => Some(&addon.chat),
        EventKind::Control(control) => Some(&control.chat),
        EventKind::Undecryptable(message) => Some(&message.chat),
        EventKind::Receipt(receipt) => Some(&receipt.chat),
        EventKind::SendStatus(status) => Some(&status.chat),
        EventKind::ChatMoved(moved) => Some(&moved.chat),
        EventKind::ChatState(state) => Some(&state.chat),
        _ => None,
    }
}

/// The native type of an event of the engine; `None` for what is nobody's business.
fn kind_of(kind: &EventKind) -> Option<&'static str> {
    Some(match kind {
        EventKind::Message(message) if message.from_me => "message.sent",
        EventKind::Message(_) | EventKind::ChannelPost(_) => "message.received",
        EventKind::Addon(_) => addon(&name(kind)),
        EventKind::Control(_) => "chat.updated",
        EventKind::Undecryptable(_) => "message.undecryptable",
        EventKind::Receipt(_) | EventKind::SendStatus(_) => "message.status",
        EventKind::ChatMoved(_) => "chat.moved",
        EventKind::NumberChanged(_) | EventKind::NumberShared(_) | EventKind::IdentityChanged(_) => {
            "contact.updated"
        }
        EventKind::Linked(_) => "account.linked",
        EventKind::LoggedOut(_) => "account.logged_out",
        EventKind::Restriction(_) => "account.restricted",
        EventKind::GroupJoined(_) | EventKind::GroupLeft(_) => "group.updated",
        EventKind::GroupChanged(_) => participants(&name_of_change(kind)),
        EventKind::GroupLinked(_) | EventKind::GroupSuggested(_) => "group.updated",
        EventKind::JoinRequest(_) => "group.request",
        EventKind::PictureChanged(_) | EventKind::AboutChanged(_) | EventKind::UsernameChanged(_) => {
            "contact.updated"
        }
        EventKind::ContactChanged(_) | EventKind::BusinessChanged(_) => "contact.updated",
        EventKind::PrivacyChanged(_) | EventKind::BlockedChanged(_) | EventKind::DefaultTimerChanged(_) => {
            "settings.updated"
        }
        EventKind::SettingChanged(_) | EventKind::QuickReplyChanged(_) => "settings.updated",
        EventKind::History(_) => "history.batch",
        EventKind::ChannelCounts(_)
        | EventKind::ChannelJoined(_)
        | EventKind::ChannelLeft(_)
        | EventKind::ChannelChanged(_)
        | EventKind::ChannelRoleChanged(_)
        | EventKind::ChannelMuted(_) => "channel.updated",
        EventKind::CallOffered(_) | EventKind::CallProgress(_) | EventKind::CallEnded(_) => "call",
        EventKind::ChatChanged(_) => "chat.updated",
        EventKind::MessageMarked(_) => "message.marked",
        EventKind::LabelChanged(_) => "label.updated",
        EventKind::StateTrouble(_) | EventKind::StateChanged(_) => "app_state",
        EventKind::StateWritten(_) | EventKind::StateSynced(_) => "app_state",
        EventKind::Qr(_) => "account.qr",
        EventKind::PairingCode(_) => "account.code",
        EventKind::Presence(_) | EventKind::ChatState(_) => "presence",
        // Told as `account.state`, or by the answers of those who asked.
        _ => return None,
    })
}

fn name(kind: &EventKind) -> String {
    let number = whimbrel_api::events::number(kind);
    let entry = whimbrel_api::events::EVENTS.iter().find(|entry| entry.number == number);
    entry.map(|entry| entry.name).unwrap_or_default().to_owned()
}

fn name_of_change(kind: &EventKind) -> String {
    let data = body(kind);
    data.get("change").and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn addon(name: &str) -> &'static str {
    match name {
        "reaction" => "message.reaction",
        "message_edited" => "message.edited",
        "message_revoked" => "message.deleted",
        "poll_vote" => "message.poll_vote",
        "message_pinned" => "message.pinned",
        _ => "message.addon",
    }
}

fn participants(change: &str) -> &'static str {
    let of_people =
        ["added", "removed", "promoted", "demoted", "joined", "left", "add", "remove", "promote", "demote"];
    if of_people.contains(&change) || change.contains("participant") {
        "group.participants"
    } else {
        "group.updated"
    }
}

/// The JSON of an event, as every language of the engine gets it.
fn body(kind: &EventKind) -> Value {
    serde_json::to_value(whimbrel_api::events::EventBody::from(kind)).unwrap_or_default()
}

/// An event of the engine as it goes into the log.
pub(crate) fn of(event: &Event) -> Option<NewEvent> {
    let kind = kind_of(&event.kind)?;
    let id = if event.id.is_empty() { uuid::Uuid::new_v4().to_string() } else { event.id.clone() };
    Some(NewEvent {
        id,
        kind,
        lane: lane(&event.kind).map(|chat| chat.id.to_string()).unwrap_or_default(),
        at: event.recorded_at_ms,
        data: body(&event.kind),
        raw: event.kind.raw().map(<[u8]>::to_vec),
    })
}

/// What is told when a message cannot be handed to the engine.
pub(crate) fn not_sent(row: &OutboxRow, error: &str) -> NewEvent {
    NewEvent {
        id: format!("{}-failed", row.message_id),
        kind: "message.status",
        lane: row.chat.clone(),
        at: now_ms(),
        data: json!({
            "kind": "send_status",
            "chat": row.source.get("chat").cloned().unwrap_or(Value::Null),
            "messageId": row.message_id,
            "error": error,
            "refused": null,
            "timestamp": now_ms() / 1000,
        }),
        raw: None,
    }
}

/// An event in the native form.
pub(crate) fn render(event: &EventRow) -> Value {
    json!({
        "id": event.sequence.to_string(),
        "type": event.kind,
        "account": event.account,
        "time": time(event.at),
        "data": event.data,
    })
}

/// A time in RFC 3339, UTC, with milliseconds.
pub(crate) fn time(ms: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    format!("{at:.3}")
}

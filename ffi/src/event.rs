//! Events: opaque, with typed views of the frequent kinds and JSON of all.

use std::sync::{Arc, OnceLock};

use safer_ffi::prelude::*;
use whimbrel::events::{EventKind, Message, Receipt, ReceiptKind};

use crate::bytes::{whimbrel_bytes, whimbrel_str};
use crate::guard::shielded;
use crate::kind::whimbrel_receipt;
use crate::sized;
use crate::views::{whimbrel_message_view, whimbrel_receipt_view};

/// One event. What it lends lives as long as it does. All its functions take null.
#[derive_ReprC]
#[repr(opaque)]
pub struct whimbrel_event {
    shared: Arc<Shared>,
}

struct Shared {
    event: whimbrel::Event,
    json: OnceLock<String>,
    addresses: OnceLock<Addresses>,
    ids: OnceLock<Ids>,
}

/// Addresses as text, made when first looked at.
#[derive(Default)]
struct Addresses {
    chat: String,
    chat_phone: Option<String>,
    sender: String,
    sender_phone: Option<String>,
    quoted_sender: Option<String>,
}

/// Views of ids that live in the same event.
struct Ids(Vec<whimbrel_str>);

// SAFETY: the views point into strings of the event that owns them, which are never changed.
unsafe impl Send for Ids {}
// SAFETY: as above.
unsafe impl Sync for Ids {}

impl whimbrel_event {
    pub(crate) fn new(event: whimbrel::Event) -> Self {
        let shared =
            Shared { event, json: OnceLock::new(), addresses: OnceLock::new(), ids: OnceLock::new() };
        Self { shared: Arc::new(shared) }
    }

    /// Another handle to the same event.
    pub(crate) fn keep(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }

    fn kind(&self) -> &EventKind {
        &self.shared.event.kind
    }
}

/// Returns the kind: a number of `whimbrel_kind`; 0 for null.
#[ffi_export]
pub extern "C" fn whimbrel_event_kind(event: Option<&whimbrel_event>) -> u32 {
    event.map_or(0, |event| u32::from(whimbrel_api::events::number(event.kind())))
}

/// Returns the position in the journal, from 1 and gap-free; 0 for events that are not journaled.
#[ffi_export]
pub extern "C" fn whimbrel_event_sequence(event: Option<&whimbrel_event>) -> u64 {
    event.and_then(|event| event.shared.event.sequence).unwrap_or(0)
}

/// Returns the stable id of a journaled event, the same on every delivery and after every
/// restart; empty for others.
#[ffi_export]
pub extern "C" fn whimbrel_event_id(event: Option<&whimbrel_event>) -> whimbrel_str {
    event.map_or(whimbrel_str::ABSENT, |event| whimbrel_str::of(&event.shared.event.id))
}

/// Returns when the engine recorded it, milliseconds since 1970.
#[ffi_export]
pub extern "C" fn whimbrel_event_recorded_at_ms(event: Option<&whimbrel_event>) -> i64 {
    event.map_or(0, |event| event.shared.event.recorded_at_ms)
}

/// Returns the event in JSON, made when first asked for.
#[ffi_export]
pub extern "C" fn whimbrel_event_json(event: Option<&whimbrel_event>) -> whimbrel_str {
    shielded(whimbrel_str::ABSENT, || {
        let Some(event) = event else { return whimbrel_str::ABSENT };
        let json = event.shared.json.get_or_init(|| {
            let event = whimbrel_api::events::Event::from(&event.shared.event);
            // Writing strings and numbers to memory does not fail.
            serde_json::to_string(&event).unwrap_or_default()
        });
        whimbrel_str::of(json)
    })
}

/// Returns the text of a message or of a QR event; absent for other events and contents.
#[ffi_export]
pub extern "C" fn whimbrel_event_text(event: Option<&whimbrel_event>) -> whimbrel_str {
    whimbrel_str::of_optional(match event.map(whimbrel_event::kind) {
        Some(EventKind::Message(message)) => message.text.as_deref(),
        Some(EventKind::Qr(qr)) => Some(&qr.text),
        _ => None,
    })
}

/// Fills a view of a message. Returns 1, or 0 if the event is another one.
#[ffi_export]
pub extern "C" fn whimbrel_event_message(
    event: Option<&whimbrel_event>,
    view: *mut whimbrel_message_view,
) -> u32 {
    shielded(0, || {
        let Some(event) = event else { return 0 };
        let EventKind::Message(message) = event.kind() else { return 0 };
        let addresses = event.shared.addresses.get_or_init(|| Addresses::of_message(message));
        let view_of = |text: &Option<String>| whimbrel_str::of_optional(text.as_deref());
        let filled = whimbrel_message_view {
            struct_size: 0,
            message_id: whimbrel_str::of(&message.message_id),
            chat: whimbrel_str::of(&addresses.chat),
            chat_phone: view_of(&addresses.chat_phone),
            sender: whimbrel_str::of(&addresses.sender),
            sender_phone: view_of(&addresses.sender_phone),
            push_name: view_of(&message.push_name),
            text: view_of(&message.text),
            quoted_message_id: message
                .quoted
                .as_ref()
                .map_or(whimbrel_str::ABSENT, |key| whimbrel_str::of(&key.message_id)),
            quoted_sender: view_of(&addresses.quoted_sender),
            completes: view_of(&message.completes),
            raw: whimbrel_bytes::of(&message.raw),
            timestamp: message.timestamp,
            sender_device: u32::from(message.sender_device),
            from_me: u32::from(message.from_me),
            offline: u32::from(message.offline),
            reserved: 0,
            content_type: whimbrel_str::of(message.content.kind()),
        };
        // SAFETY: the header asks for a struct whose first field is its size, or null.
        u32::from(unsafe { sized::write(view, &filled) })
    })
}

/// Fills a view of a receipt. Returns 1, or 0 if the event is another one.
#[ffi_export]
pub extern "C" fn whimbrel_event_receipt(
    event: Option<&whimbrel_event>,
    view: *mut whimbrel_receipt_view,
) -> u32 {
    shielded(0, || {
        let Some(event) = event else { return 0 };
        let EventKind::Receipt(receipt) = event.kind() else { return 0 };
        let addresses = event.shared.addresses.get_or_init(|| Addresses::of_receipt(receipt));
        let ids = || Ids(receipt.message_ids.iter().map(|id| whimbrel_str::of(id)).collect());
        let ids = &event.shared.ids.get_or_init(ids).0;
        let filled = whimbrel_receipt_view {
            struct_size: 0,
            chat: whimbrel_str::of(&addresses.chat),
            sender: whimbrel_str::of(&addresses.sender),
            message_ids: ids.as_ptr(),
            message_count: ids.len(),
            timestamp: receipt.timestamp,
            sender_device: u32::from(receipt.sender_device),
            receipt: receipt_number(receipt.kind) as u32,
        };
        // SAFETY: the header asks for a struct whose first field is its size, or null.
        u32::from(unsafe { sized::write(view, &filled) })
    })
}

/// Returns the message that brought an event as protobuf (`Message`): of messages, of what changes or annotates
/// them, and of control messages; absent for other events.
#[ffi_export]
pub extern "C" fn whimbrel_event_raw(event: Option<&whimbrel_event>) -> whimbrel_bytes {
    match event.and_then(|event| event.kind().raw()) {
        Some(raw) => whimbrel_bytes::of(raw),
        None => whimbrel_bytes::ABSENT,
    }
}

/// Keeps an event beyond the callback that it was lent to. Release the result with
/// whimbrel_event_free().
#[ffi_export]
#[must_use]
pub extern "C" fn whimbrel_event_clone(
    event: Option<&whimbrel_event>,
) -> Option<repr_c::Box<whimbrel_event>> {
    event.map(|event| Box::new(event.keep()).into())
}

/// Releases an event that was kept. Null is allowed.
#[ffi_export]
pub extern "C" fn whimbrel_event_free(event: Option<repr_c::Box<whimbrel_event>>) {
    drop(event);
}

fn receipt_number(kind: ReceiptKind) -> whimbrel_receipt {
    match kind {
        ReceiptKind::Delivered => whimbrel_receipt::Delivered,
        ReceiptKind::Read => whimbrel_receipt::Read,
        ReceiptKind::Played => whimbrel_receipt::Played,
        ReceiptKind::ReadSelf => whimbrel_receipt::ReadSelf,
        _ => whimbrel_receipt::Unknown,
    }
}

impl Addresses {
    fn of_message(message: &Message) -> Self {
        let quoted = message.quoted.as_ref().and_then(|key| key.sender.as_ref());
        Self {
            chat: message.chat.id.to_string(),
            chat_phone: message.chat.phone.as_ref().map(ToString::to_string),
            sender: message.sender.id.to_string(),
            sender_phone: message.sender.phone.as_ref().map(ToString::to_string),
            quoted_sender: quoted.map(ToString::to_string),
        }
    }

    fn of_receipt(receipt: &Receipt) -> Self {
        Self { chat: receipt.chat.id.to_string(), sender: receipt.sender.id.to_string(), ..Self::default() }
    }
}

//! Typed views of what is read most often. The caller sets `struct_size`; the library fills what
//! fits. What a view lends lives as long as the event or reply.

use std::mem::size_of;

use safer_ffi::prelude::*;

use crate::bytes::{whimbrel_bytes, whimbrel_str};
use crate::sized::Growing;

/// A message. Absent text has a null pointer.
#[derive_ReprC]
#[repr(C)]
#[derive(Clone, Copy)]
pub struct whimbrel_message_view {
    /// Size of this struct.
    pub struct_size: usize,
    /// Id within the chat and sender.
    pub message_id: whimbrel_str,
    /// Address of the chat.
    pub chat: whimbrel_str,
    /// Address of the chat by phone number; absent for groups and if not known.
    pub chat_phone: whimbrel_str,
    /// Who wrote it.
    pub sender: whimbrel_str,
    /// Who wrote it, by phone number, if known.
    pub sender_phone: whimbrel_str,
    /// Name that the sender gives itself, if the service told it.
    pub push_name: whimbrel_str,
    /// The text; absent for kinds of content that this version does not read.
    pub text: whimbrel_str,
    /// Id of the message that this one quotes, if any.
    pub quoted_message_id: whimbrel_str,
    /// Who wrote the quoted message; absent for the other person of a direct chat.
    pub quoted_sender: whimbrel_str,
    /// Id of the undecryptable event that this message completes, if any.
    pub completes: whimbrel_str,
    /// The whole content as protobuf (`Message`).
    pub raw: whimbrel_bytes,
    /// The service's time, seconds since 1970.
    pub timestamp: i64,
    /// Number of the sender's device; 0 is the phone.
    pub sender_device: u32,
    /// 1: written by this account, on another device of it.
    pub from_me: u32,
    /// 1: it waited at the service while this client was away.
    pub offline: u32,
    /// Zero.
    pub reserved: u32,
    /// What kind of content it has, such as `text`, `image` or `poll`; whimbrel_event_json() has all of it.
    pub content_type: whimbrel_str,
}

/// A receipt.
#[derive_ReprC]
#[repr(C)]
#[derive(Clone, Copy)]
pub struct whimbrel_receipt_view {
    /// Size of this struct.
    pub struct_size: usize,
    /// Address of the chat.
    pub chat: whimbrel_str,
    /// Whose device it was.
    pub sender: whimbrel_str,
    /// Ids of the messages.
    pub message_ids: *const whimbrel_str,
    /// Number of messages.
    pub message_count: usize,
    /// The service's time, seconds since 1970.
    pub timestamp: i64,
    /// Number of the device.
    pub sender_device: u32,
    /// What happened to the messages: a number of `whimbrel_receipt`.
    pub receipt: u32,
}

/// A message that the service has.
#[derive_ReprC]
#[repr(C)]
#[derive(Clone, Copy)]
pub struct whimbrel_sent_view {
    /// Size of this struct.
    pub struct_size: usize,
    /// Its id.
    pub message_id: whimbrel_str,
    /// Address of the chat.
    pub chat: whimbrel_str,
    /// The service's time, seconds since 1970.
    pub timestamp: i64,
}

// SAFETY: repr(C), size first, integers and pointers only; a test looks for padding.
unsafe impl Growing for whimbrel_message_view {
    const FIRST_SIZE: usize = size_of::<Self>();
}
// SAFETY: as above.
unsafe impl Growing for whimbrel_receipt_view {
    const FIRST_SIZE: usize = size_of::<Self>();
}
// SAFETY: as above.
unsafe impl Growing for whimbrel_sent_view {
    const FIRST_SIZE: usize = size_of::<Self>();
}

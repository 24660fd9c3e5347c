//! What happened in the service, for tests that wait for it.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::journal::Journal;

/// How far a companion is of which a passkey was demanded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PasskeyStep {
    /// It told what an authenticator answered.
    Offered,
    /// It opened its commitment: codes are compared.
    Opened,
    /// It told the phone its keys.
    Requested,
}

/// Something that happened. Devices are written as `number` (the phone) or `number:device`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// A device asked to be told how posts of a channel are received.
    ChannelWatched {
        /// The device.
        device: String,
        /// Address of the channel.
        channel: String,
    },
    /// A connection finished the handshake and was offered linking references.
    Registering {
        /// Number of the connection.
        connection: u64,
    },
    /// A registration connection acknowledged its references: codes can be shown and typed now.
    ReadyToLink {
        /// Number of the connection.
        connection: u64,
    },
    /// A phone typed a pairing code that is over or was tried too often, or that nobody shows.
    CodeRefused {
        /// The phone.
        number: String,
    },
    /// A companion of which a passkey was demanded went on.
    Passkey {
        /// Number of the connection.
        connection: u64,
        /// How far it is.
        step: PasskeyStep,
    },
    /// A companion was linked.
    Linked {
        /// The companion.
        device: String,
    },
    /// Linking failed after the phone had scanned or typed the code.
    LinkFailed {
        /// Number of the phone.
        number: String,
        /// Error that the phone was told.
        code: u16,
    },
    /// A device logged in.
    LoggedIn {
        /// The device.
        device: String,
        /// Whether it asked to be held passive at first.
        passive: bool,
    },
    /// A login was refused.
    LoginRefused {
        /// The device that the client claimed to be.
        device: String,
        /// Reason code of the failure.
        reason: u16,
    },
    /// A device's connection ended.
    Disconnected {
        /// The device.
        device: String,
    },
    /// A device was unlinked.
    Unlinked {
        /// The device.
        device: String,
    },
    /// A device takes part in live traffic from now on.
    Active {
        /// The device.
        device: String,
    },
    /// The offline queue of a device was handed out.
    QueueDrained {
        /// The device.
        device: String,
        /// How many stanzas it held.
        count: usize,
    },
    /// A message was taken from a device.
    Accepted {
        /// The sender.
        device: String,
        /// Chat as addressed.
        to: String,
        /// Id of the message.
        id: String,
        /// Devices that a copy was queued for.
        copies: usize,
    },
    /// A message to a group was encrypted with a sender key.
    SenderKeyUsed {
        /// The sender.
        device: String,
        /// The group.
        group: String,
        /// Id of the message.
        id: String,
        /// Id of the key.
        key_id: u32,
        /// Devices that were given the key with the message.
        handed_to: Vec<String>,
    },
    /// A message with an id that the device had sent before was answered without delivering it again.
    Repeated {
        /// The sender.
        device: String,
        /// Id of the message.
        id: String,
    },
    /// A message was refused.
    Refused {
        /// The sender.
        device: String,
        /// Id of the message.
        id: String,
        /// Error of the ack.
        code: u16,
    },
    /// A stanza was put into a device's queue.
    Queued {
        /// The recipient.
        device: String,
        /// Tag of the stanza.
        class: String,
        /// Its id.
        id: String,
    },
    /// A stanza left a device's queue because the device has it.
    Settled {
        /// The recipient.
        device: String,
        /// Tag of the stanza.
        class: String,
        /// Its id.
        id: String,
        /// Whether it was settled by a negative ack.
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
    /// A receipt was taken from a device.
    Receipt {
        /// The device.
        device: String,
        /// Ids of the messages.
        ids: Vec<String>,
        /// `type` of the receipt, empty for plain delivery.
        kind: String,
    },
    /// A group was made or changed.
    GroupChanged {
        /// Its address.
        group: String,
        /// What was done, in the words of the protocol: `create`, `add`, `remove`, `subject` …
        change: String,
        /// Number of whoever did it.
        by: String,
        /// Numbers of the members that it is about.
        members: Vec<String>,
    },
    /// A picture was set or removed.
    PictureChanged {
        /// Number of the person, or address of the group.
        of: String,
        /// Number of whoever did it.
        by: String,
        /// Id of the new picture.
        id: Option<String>,
    },
    /// Somebody reported others to the service.
    SpamReported {
        /// The device.
        device: String,
        /// Address of whom or what it was about.
        chat: String,
        /// From where in the program, in the words of the protocol.
        flow: String,
        /// Ids of the messages that went along.
        messages: Vec<String>,
        /// How many of them went along in the clear.
        raw: usize,
    },
    /// Somebody gave another person a token.
    TokenGiven {
        /// Number of whoever gave it.
        from: String,
        /// Number of whoever has it now.
        to: String,
        /// As of when, seconds.
        time: u64,
    },
    /// A file was uploaded to a media host.
    MediaUploaded {
        /// The device.
        device: String,
        /// Number of the host.
        host: usize,
        /// What it is, in the words of the protocol.
        kind: String,
        /// Hash of what was uploaded.
        hash: String,
        /// Its length.
        length: u64,
        /// Where an upload that was cut before went on.
        resumed_from: u64,
    },
    /// Somebody asked how much of an upload a media host has.
    MediaAsked {
        /// The device.
        device: String,
        /// The answer; absent if all of it is there.
        held: Option<u64>,
    },
    /// A media host began to give a file out, or a part of it.
    MediaDownloaded {
        /// Number of the host.
        host: usize,
        /// Hash of the file.
        hash: String,
        /// Where the part begins.
        from: u64,
        /// Length of the part.
        length: u64,
    },
    /// A media host refused a request.
    MediaRefused {
        /// Number of the host.
        host: usize,
        /// `upload`, `ask`, `download` or `delete`.
        request: String,
        /// Path of the request.
        path: String,
        /// The status.
        status: u16,
    },
    /// A file was deleted from the media hosts by whoever received it.
    MediaDeleted {
        /// Its hash.
        hash: String,
    },
    /// A phone answered a companion that asked for a file again.
    MediaUploadedAgain {
        /// Number of the phone.
        number: String,
        /// Id of the message.
        id: String,
        /// The result: 1 if the file is there again.
        result: i32,
    },
    /// Somebody read the web page that names the present version of the web client.
    VersionPageRead {},
    /// A device has another signed pre-key.
    SignedPrekeyRotated {
        /// The device.
        device: String,
        /// Id of the new one.
        id: u32,
    },
    /// One-time pre-keys were uploaded.
    PrekeysUploaded {
        /// The owner.
        device: String,
        /// How many came.
        added: usize,
        /// How many the service holds now.
        held: usize,
    },
    /// A bundle was handed out.
    BundleTaken {
        /// The owner.
        device: String,
        /// Who asked.
        by: String,
        /// Whether it held a one-time pre-key.
        one_time: bool,
    },
    /// A fault rule was applied.
    FaultApplied {
        /// The device it hit.
        device: String,
        /// What was done.
        fault: String,
    },
    /// A client did what no real client does.
    Reported {
        /// The device or connection.
        device: String,
        /// The broken rule.
        rule: String,
        /// What was seen.
        detail: String,
    },
}

/// Numbered events, oldest first, beginning with number 1. Clones share the log.
#[derive(Debug, Clone)]
pub struct EventLog {
    journal: Arc<Journal<Event>>,
}

/// Nothing that was waited for happened before the deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the awaited event did not happen in time")]
pub struct NotInTime;

impl EventLog {
    pub(crate) fn new() -> Self {
        Self { journal: Arc::new(Journal::new()) }
    }

    pub(crate) fn push(&self, event: Event) {
        self.journal.push(event);
    }

    /// Number of the newest event, 0 if there was none.
    #[must_use]
    pub fn newest(&self) -> u64 {
        self.journal.newest()
    }

    /// All events with a greater number than `after`.
    #[must_use]
    pub fn after(&self, after: u64) -> Vec<(u64, Event)> {
        self.journal.after(after)
    }

    /// As [`EventLog::after`], but waits up to `deadline` for the first such event.
    pub async fn wait_after(&self, after: u64, deadline: Duration) -> Vec<(u64, Event)> {
        self.journal.wait_after(after, deadline).await
    }

    /// Waits for the first event that `predicate` accepts, among those that already happened too.
    pub async fn wait_for(
        &self,
        predicate: impl FnMut(&Event) -> bool,
        deadline: Duration,
    ) -> Result<Event, NotInTime> {
        self.wait_for_after(0, predicate, deadline).await.map(|(_, event)| event)
    }

    /// As [`EventLog::wait_for`], beginning after event number `after`.
    pub async fn wait_for_after(
        &self,
        after: u64,
        predicate: impl FnMut(&Event) -> bool,
        deadline: Duration,
    ) -> Result<(u64, Event), NotInTime> {
        self.journal.wait_for(after, deadline, predicate).await.ok_or(NotInTime)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn linked(device: &str) -> Event {
        Event::Linked { device: device.to_owned() }
    }

    #[tokio::test]
    async fn waiting_sees_what_already_happened_and_what_is_still_to_come() {
        let log = EventLog::new();
        log.push(linked("1:1"));
        let found = log.wait_for(|event| *event == linked("1:1"), Duration::from_secs(5)).await;
        assert_eq!(found, Ok(linked("1:1")));
        let later = log.clone();
        let waiting = tokio::spawn(async move {
            later.wait_for_after(1, |event| *event == linked("1:2"), Duration::from_secs(5)).await
        });
        log.push(linked("1:3"));
        log.push(linked("1:2"));
        assert_eq!(waiting.await.ok(), Some(Ok((3, linked("1:2")))));
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_ends_at_the_deadline() {
        let log = EventLog::new();
        log.push(linked("1:1"));
        let never = log.wait_for(|event| *event == linked("9:9"), Duration::from_secs(3)).await;
        assert_eq!(never, Err(NotInTime));
    }
}

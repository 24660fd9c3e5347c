//! What the chaos test and its clients tell each other: one JSON text a line.

use serde::{Deserialize, Serialize};

/// A text to be sent. Told again after a kill, under the same id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Id of the message.
    pub id: String,
    /// Address of the chat.
    pub chat: String,
    /// What to say.
    pub text: String,
}

/// What a client reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Report {
    /// A code to be scanned.
    Qr(String),
    /// Logged in and up to date, as this device.
    Online(u16),
    /// The service has the message of this id.
    Sent(String),
    /// The message will not be sent, or the client is at an end.
    Failed(String),
    /// The service ended the link.
    LoggedOut(String),
    /// One more line is in the notes: of a placeholder, or of this text.
    Noted(Option<String>),
}

/// A line of the notes: an event of the journal that is about a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Position in the journal.
    pub sequence: u64,
    /// Id of the event.
    pub event: String,
    /// The chat's id.
    pub chat: String,
    /// Phone number or LID of the writer, as the engine calls the person.
    pub sender: String,
    /// The writer's device.
    pub device: u16,
    /// Id of the message.
    pub message: String,
    /// The text; absent in a placeholder.
    pub text: Option<String>,
    /// Id of the placeholder's event that this one completes.
    pub completes: Option<String>,
}

use std::collections::BTreeMap;

use serde::Deserialize;

/// Something a peer reported; the names are those of the protocol.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Event {
    /// Another linking code is to be shown.
    Qr {
        /// The text a phone's camera would read.
        text: String,
    },
    /// The code to type on the phone.
    PairingCode {
        /// Eight characters without dash.
        code: String,
    },
    /// Linking is done; the service restarts the stream next.
    Linked(Identity),
    /// Linking did not work.
    PairingFailed {
        /// The client's words.
        reason: String,
    },
    /// Logged in and usable.
    Connected(Identity),
    /// Everything that waited for the device has been delivered.
    CaughtUp {
        /// Number of stanzas, where the client says it.
        count: Option<u64>,
    },
    /// The connection is gone.
    Disconnected(Disconnected),
    /// The device is no longer linked.
    LoggedOut(LoggedOut),
    /// A message that the peer could read.
    Message(Message),
    /// A message that the peer could not read, or not yet.
    Undecryptable(Undecryptable),
    /// Somebody reports on messages.
    Receipt(Receipt),
    /// Somebody is online, offline, typing or recording.
    Presence {
        /// Who.
        sender: String,
        /// Where, unless it holds everywhere.
        chat: Option<String>,
        /// `available`, `unavailable`, `composing`, `recording` or `paused`.
        state: String,
    },
    /// The members of a group changed.
    Group(GroupChange),
    /// An event of the client, under the client's own name and in its own form.
    Told {
        /// As `chats.update` of Baileys, or `GroupInfo` of whatsmeow.
        r#type: String,
        /// What it says.
        value: serde_json::Value,
    },
    /// A piece of history arrived.
    History {
        /// The protocol's number for the kind of history.
        sync_type: Option<i32>,
        /// Number of chats in it.
        chats: u64,
        /// Number of messages in it.
        messages: u64,
        /// Names of chats, by address.
        names: BTreeMap<String, String>,
        /// Names that people give themselves, by address.
        people: BTreeMap<String, String>,
        /// The messages.
        texts: Vec<PastText>,
    },
    /// Something the program survived but an application would want to know.
    Fault {
        /// What it was.
        text: String,
    },
}

/// A message of a piece of history.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PastText {
    /// The chat, as the key of the message names it.
    pub chat: String,
    /// Id of the message.
    pub id: String,
    /// Written by this account.
    pub from_me: bool,
    /// What it says, if it is a text.
    pub text: Option<String>,
}

/// A device's own addresses.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Identity {
    /// By phone number, with the device number.
    pub jid: String,
    /// By LID, with the device number, when known.
    pub lid: Option<String>,
}

/// How a connection ended.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Disconnected {
    /// The client's number for it: a wire code or one of its own.
    pub code: Option<u16>,
    /// The client's words.
    pub reason: String,
    /// Whether the peer tries again by itself.
    pub will_reconnect: bool,
}

/// How a device lost its link.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct LoggedOut {
    /// The wire code, where the client says it.
    pub code: Option<u16>,
    /// `self` when the test asked for it, else the client's words.
    pub reason: String,
}

/// A message as the peer's client gave it to its application.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// The message id.
    pub id: String,
    /// The chat it belongs to.
    pub chat: String,
    /// The device that sent it.
    pub sender: String,
    /// Whether the peer's own account sent it.
    pub from_me: bool,
    /// The text, of text messages.
    pub text: Option<String>,
    /// The protobuf field that is set, e.g. `conversation`.
    pub content: String,
    /// Seconds since 1970.
    pub timestamp: i64,
    /// The sender's name for itself.
    pub push_name: Option<String>,
    /// The message this one quotes.
    pub quoted_id: Option<String>,
    /// The attributes of the stanza; empty with whatsmeow, which does not pass them on.
    pub attrs: BTreeMap<String, String>,
    /// The whole message as protobuf, hexadecimal.
    #[serde(default)]
    pub raw: String,
    /// Hashes of the options of a vote that the client could read, hexadecimal; whatsmeow only.
    #[serde(default)]
    pub vote: Option<Vec<String>>,
}

/// A message that could not be decrypted.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Undecryptable {
    /// The message id.
    pub id: String,
    /// The chat it belongs to.
    pub chat: String,
    /// The device that sent it.
    pub sender: String,
    /// The client's words.
    pub reason: String,
}

/// A report on messages.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Receipt {
    /// The messages it is about.
    pub ids: Vec<String>,
    /// The chat they belong to.
    pub chat: String,
    /// Who reports.
    pub sender: String,
    /// `delivered`, `read`, `played`, `sender`, `inactive`, `retry`, …
    pub r#type: String,
}

/// A change in a group.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct GroupChange {
    /// The group.
    pub chat: String,
    /// `create`, `add`, `remove`, `promote` or `demote`.
    pub change: String,
    /// Whom it is about.
    pub members: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_programs_write() {
        let read = |line: &str| serde_json::from_str::<Event>(line).unwrap();
        assert_eq!(
            read(r#"{"code":null,"event":"disconnected","reason":"replaced","willReconnect":false}"#),
            Event::Disconnected(Disconnected {
                code: None,
                reason: "replaced".into(),
                will_reconnect: false
            })
        );
        assert_eq!(
            read(
                r#"{"event":"history","syncType":0,"chats":2,"messages":5,"names":{"1@lid":"Ben"},"people":{},
                    "texts":[{"chat":"1@lid","id":"A","fromMe":true,"text":null}]}"#
            ),
            Event::History {
                sync_type: Some(0),
                chats: 2,
                messages: 5,
                names: BTreeMap::from([("1@lid".into(), "Ben".into())]),
                people: BTreeMap::new(),
                texts: vec![PastText { chat: "1@lid".into(), id: "A".into(), from_me: true, text: None }],
            }
        );
        let Event::Message(message) = read(
            r#"{"event":"message","id":"3EB0","chat":"1@lid","sender":"1:2@lid","fromMe":true,"text":"hi",
                "content":"conversation","timestamp":1795168800,"pushName":null,"quotedId":null,
                "attrs":{"type":"text"}}"#,
        ) else {
            panic!("not a message")
        };
        assert_eq!((message.text.as_deref(), message.from_me), (Some("hi"), true));
        assert_eq!(message.attrs["type"], "text");
    }

    #[test]
    fn refuses_an_event_that_is_not_in_the_protocol() {
        assert!(serde_json::from_str::<Event>(r#"{"event":"surprise"}"#).is_err());
    }
}

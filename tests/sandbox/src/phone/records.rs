//! What a phone shows to the test that drives it, and the switches of its behaviour.

use serde::{Deserialize, Serialize};

use super::appstate::KeySharing;
use super::media::MediaRetry;

/// A message that the phone shows, received or sent by another device of its account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// Id that the sender chose.
    pub id: String,
    /// The chat: the other person's address without a device, or the group's.
    pub chat: String,
    /// Device that wrote the message.
    pub author: String,
    /// Whether a device of this account wrote it.
    pub from_me: bool,
    /// What kind of content, add-on or control message it is: `text`, `image`, `reaction` and so on.
    pub kind: String,
    /// Its words, or the emoji of a reaction; may be empty.
    pub text: String,
    /// The message as protobuf; hexadecimal in JSON.
    #[serde(serialize_with = "hexadecimal")]
    pub raw: Vec<u8>,
    /// When the service accepted it, in seconds.
    pub timestamp: u64,
    /// Name that the author gives himself, if the service told it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub push_name: Option<String>,
    /// Whether it had waited for the phone to come online.
    pub offline: bool,
}

fn hexadecimal<S: serde::Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&hex::encode(bytes))
}

/// A receipt for a message that the phone sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Receipt {
    /// Message that the receipt is about.
    pub id: String,
    /// Device or person that it comes from.
    pub from: String,
    /// What it says.
    pub kind: ReceiptKind,
    /// When, in seconds.
    pub timestamp: u64,
}

/// What a receipt says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptKind {
    /// A device has the message.
    Delivered,
    /// A person has read it.
    Read,
    /// A person has played it.
    Played,
    /// A device could not decrypt it and asks for it again.
    Retry,
    /// Another device of the own account has it.
    Sender,
    /// A companion has taken a message from device to device.
    PeerMessage,
    /// A companion has taken a piece of history.
    HistorySync,
    /// Something else.
    Other,
}

impl ReceiptKind {
    /// Reads the `type` attribute of a receipt.
    pub(crate) fn parse(kind: Option<&str>) -> Self {
        match kind {
            None | Some("inactive") => Self::Delivered,
            Some("read") => Self::Read,
            Some("played") => Self::Played,
            Some("retry") => Self::Retry,
            Some("sender") => Self::Sender,
            Some("peer_msg") => Self::PeerMessage,
            Some("hist_sync") => Self::HistorySync,
            Some(_) => Self::Other,
        }
    }
}

/// What is seen of somebody else, and kept by nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sign {
    /// The chat: the person's address, or the group's.
    pub chat: String,
    /// Who it is.
    pub from: String,
    /// What is seen.
    pub kind: SignKind,
    /// When the person was last online, as the service says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<String>,
}

/// What is seen of somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignKind {
    /// Online.
    Available,
    /// Not online.
    Unavailable,
    /// Writes.
    Composing,
    /// Records a voice message.
    Recording,
    /// Neither any more.
    Paused,
}

/// How a phone answers companions that ask for all of its history long after they were linked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FullHistory {
    /// It is no business phone, and says so.
    #[default]
    Private,
    /// It is a business phone, and hands it over.
    Give,
    /// It is a business phone whose owner does not want to.
    Decline,
    /// It says nothing.
    Ignore,
}

/// How a phone behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Switches {
    /// Marks everything as read that arrives.
    pub auto_read: bool,
    /// Sends every text back to its author.
    pub echo: bool,
    /// Sends no delivery receipts, only the acks that settle a stanza.
    pub silent: bool,
    /// Takes linking codes of old clients, which have no client type.
    pub lenient_qr: bool,
    /// Tells in every text when its list of devices was last signed.
    pub tells_list: bool,
    /// How many of the next encrypted texts are damaged on the way out, so that the reader has
    /// to ask for them again.
    pub damage_next: u32,
    /// How many of the next texts are encrypted without sensible padding.
    pub unpadded_next: u32,
    /// How many of the next texts are no messages once they are decrypted.
    pub garbled_next: u32,
    /// How it answers companions that ask for a file again.
    pub media_retry: MediaRetry,
    /// How many of the next pieces of its past are cut off when they are made.
    pub damage_pieces: u32,
    /// Makes no damaged piece anew.
    pub refuse_pieces: bool,
    /// How it answers companions that ask for all of its history later.
    pub full_history: FullHistory,
    /// What it sends again to companions has no envelope that names the chat, and neither has the stanza, as with
    /// Baileys.
    pub bare_resends: bool,
    /// Who gets the keys of app state.
    pub app_state_keys: KeySharing,
    /// Hands no collection of app state over to companions that cannot read it.
    pub no_recovery: bool,
}

/// A change of some switches; what is left out stays.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SwitchChange {
    /// See [`Switches::auto_read`].
    pub auto_read: Option<bool>,
    /// See [`Switches::echo`].
    pub echo: Option<bool>,
    /// See [`Switches::silent`].
    pub silent: Option<bool>,
    /// See [`Switches::lenient_qr`].
    pub lenient_qr: Option<bool>,
    /// See [`Switches::tells_list`].
    pub tells_list: Option<bool>,
    /// See [`Switches::damage_next`].
    pub damage_next: Option<u32>,
    /// See [`Switches::unpadded_next`].
    pub unpadded_next: Option<u32>,
    /// See [`Switches::garbled_next`].
    pub garbled_next: Option<u32>,
    /// See [`Switches::media_retry`].
    pub media_retry: Option<MediaRetry>,
    /// See [`Switches::damage_pieces`].
    pub damage_pieces: Option<u32>,
    /// See [`Switches::refuse_pieces`].
    pub refuse_pieces: Option<bool>,
    /// See [`Switches::full_history`].
    pub full_history: Option<FullHistory>,
    /// See [`Switches::bare_resends`].
    pub bare_resends: Option<bool>,
    /// See [`Switches::app_state_keys`].
    pub app_state_keys: Option<KeySharing>,
    /// See [`Switches::no_recovery`].
    pub no_recovery: Option<bool>,
}

impl Switches {
    /// Applies a change.
    pub(crate) fn change(&mut self, change: SwitchChange) {
        self.damage_pieces = change.damage_pieces.unwrap_or(self.damage_pieces);
        self.refuse_pieces = change.refuse_pieces.unwrap_or(self.refuse_pieces);
        self.full_history = change.full_history.unwrap_or(self.full_history);
        self.bare_resends = change.bare_resends.unwrap_or(self.bare_resends);
        self.auto_read = change.auto_read.unwrap_or(self.auto_read);
        self.echo = change.echo.unwrap_or(self.echo);
        self.silent = change.silent.unwrap_or(self.silent);
        self.lenient_qr = change.lenient_qr.unwrap_or(self.lenient_qr);
        self.tells_list = change.tells_list.unwrap_or(self.tells_list);
        self.damage_next = change.damage_next.unwrap_or(self.damage_next);
        self.unpadded_next = change.unpadded_next.unwrap_or(self.unpadded_next);
        self.garbled_next = change.garbled_next.unwrap_or(self.garbled_next);
        self.media_retry = change.media_retry.unwrap_or(self.media_retry);
        self.app_state_keys = change.app_state_keys.unwrap_or(self.app_state_keys);
        self.no_recovery = change.no_recovery.unwrap_or(self.no_recovery);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_touches_only_what_it_names() {
        let mut switches = Switches { echo: true, ..Switches::default() };
        switches.change(SwitchChange { damage_next: Some(2), ..SwitchChange::default() });
        assert_eq!(switches, Switches { echo: true, damage_next: 2, ..Switches::default() });
    }

    #[test]
    fn an_inactive_device_counts_as_delivered() {
        assert_eq!(ReceiptKind::parse(None), ReceiptKind::Delivered);
        assert_eq!(ReceiptKind::parse(Some("inactive")), ReceiptKind::Delivered);
        assert_eq!(ReceiptKind::parse(Some("no such type")), ReceiptKind::Other);
    }
}

//! What a phone remembers: chats and messages, made from a seed, as many as a test wants. The same
//! seed always makes the same past, so that it need not be kept anywhere.

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use serde::{Deserialize, Serialize};
use whimbrel_proto::common::MessageKey;
use whimbrel_proto::e2e::Message;
use whimbrel_proto::history::{Conversation, HistorySyncMsg, PhoneNumberToLidMapping};
use whimbrel_proto::web::{Reaction, UserReceipt, WebMessageInfo};

use super::extras;
use super::keys::draw;

/// One chat in this many is a group.
const GROUPS: u32 = 5;

/// One message in this many has a reaction, of those that others wrote.
const REACTIONS: u32 = 16;

/// Words that messages are made of.
const WORDS: [&str; 32] = [
    "tide", "marsh", "heron", "letter", "bread", "window", "Tuesday", "market", "train", "rain", "garden",
    "lamp", "coffee", "harbour", "ticket", "sister", "music", "paper", "river", "bicycle", "soup", "north",
    "morning", "kettle", "orange", "winter", "meeting", "photo", "mountain", "candle", "bridge", "whistle",
];

/// A past that a phone shall have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Past {
    /// What it is made from.
    pub seed: u64,
    /// Chats; one in five is a group.
    pub chats: u32,
    /// Messages of each chat.
    pub messages: u32,
    /// Words of each message, on average.
    pub words: u32,
    /// Messages of each chat that come with the first piece.
    pub newest: u32,
    /// Messages of each chat that come at all without being asked for; all of them if absent.
    pub recent: Option<u32>,
    /// Chats whose messages are together in one piece.
    pub chats_in_piece: u32,
    /// Seconds between two messages of a chat.
    pub pace: u64,
    /// With calls, stickers, former members of groups, and what people did to messages of the first chat; see
    /// [`extras`](super::extras).
    pub extras: bool,
    /// Pieces are uploaded; otherwise those that are small come with their announcement.
    pub uploaded: bool,
}

impl Default for Past {
    fn default() -> Self {
        Self {
            seed: 1,
            chats: 5,
            messages: 20,
            words: 8,
            newest: 3,
            recent: None,
            chats_in_piece: 1000,
            pace: 60,
            extras: false,
            uploaded: false,
        }
    }
}

/// A person of the past.
pub(super) fn person(index: u32) -> (String, String) {
    (format!("1556{index:07}@s.whatsapp.net"), format!("25{index:013}@lid"))
}

/// The hidden number of a person of the past: whoever has that number has it.
pub(super) fn hidden_number(number: &str) -> Option<String> {
    let index = number.strip_prefix("1556").filter(|digits| digits.len() == 7)?.parse().ok()?;
    let (_, lid) = person(index);
    lid.strip_suffix("@lid").map(str::to_owned)
}

/// Of a message, what is drawn.
struct Drawn {
    from_me: bool,
    member: u32,
    secret: [u8; 32],
}

impl Past {
    /// Whether a chat is a group.
    pub(super) const fn is_group(chat: u32) -> bool {
        chat % GROUPS == GROUPS - 1
    }

    /// Address of a chat: people stand there by number, as in old backups.
    #[must_use]
    pub fn address(chat: u32) -> String {
        if Self::is_group(chat) { format!("1203630{chat:011}@g.us") } else { person(chat).0 }
    }

    fn find(&self, address: &str) -> Option<u32> {
        let same = |chat: &u32| Self::address(*chat) == address || person(*chat).1 == address;
        (0..self.chats).find(same)
    }

    /// Id of a message, of which the oldest is number 0.
    #[must_use]
    pub fn message_id(chat: u32, number: u32) -> String {
        format!("PAST{chat:06X}{number:08X}")
    }

    fn rng(&self, chat: u32, number: u32) -> ChaCha20Rng {
        let mut rng = ChaCha20Rng::seed_from_u64(self.seed);
        rng.set_stream((u64::from(chat) << 32) | u64::from(number));
        rng
    }

    /// What a message says.
    #[must_use]
    pub fn text(&self, chat: u32, number: u32) -> String {
        let mut rng = self.rng(chat, number);
        let count = 1 + rng.next_u32() % (2 * self.words).max(1);
        let word = |rng: &mut ChaCha20Rng| {
            let index = rng.next_u32() as usize % WORDS.len();
            WORDS.get(index).copied().unwrap_or_default()
        };
        let mut text = word(&mut rng).to_owned();
        for _ in 1..count {
            text.push(' ');
            text.push_str(word(&mut rng));
        }
        text
    }

    fn drawn(&self, chat: u32, number: u32) -> Drawn {
        let mut rng = self.rng(chat, number);
        rng.set_word_pos(1 << 20);
        let from_me = rng.next_u32().is_multiple_of(3);
        let member = (chat + 1 + rng.next_u32() % 3) % self.chats.max(1);
        Drawn { from_me, member, secret: draw(&mut rng) }
    }

    /// The secret of a message.
    #[must_use]
    pub fn secret(&self, chat: u32, number: u32) -> [u8; 32] {
        self.drawn(chat, number).secret
    }

    /// Whether the phone itself wrote a message.
    #[must_use]
    pub fn is_mine(&self, chat: u32, number: u32) -> bool {
        self.drawn(chat, number).from_me
    }

    fn message(&self, now: u64, chat: u32, number: u32) -> WebMessageInfo {
        let Drawn { from_me, member, secret } = self.drawn(chat, number);
        let address = Self::address(chat);
        let author = if Self::is_group(chat) { member } else { chat };
        let participant = (Self::is_group(chat) && !from_me).then(|| person(author).0);
        let timestamp = self.timestamp(now, number);
        let key = MessageKey {
            remote_jid: Some(address.clone()),
            from_me: Some(from_me),
            id: Some(Self::message_id(chat, number)),
            participant: participant.clone(),
        };
        let reacted = !from_me && number.is_multiple_of(REACTIONS);
        let reactions = if reacted {
            let own = MessageKey { from_me: Some(true), id: Some(format!("R{number:08X}")), ..key.clone() };
            vec![Reaction {
                key: Some(own),
                text: Some("👍".to_owned()),
                sender_timestamp_ms: i64::try_from(timestamp * 1000 + 5).ok(),
                ..Reaction::default()
            }]
        } else {
            Vec::new()
        };
        let receipts = if from_me && !Self::is_group(chat) {
            let at = i64::try_from(timestamp).unwrap_or(i64::MAX);
            vec![UserReceipt {
                user_jid: Some(address),
                receipt_timestamp: Some(at + 1),
                read_timestamp: Some(at + 2),
                ..UserReceipt::default()
            }]
        } else {
            Vec::new()
        };
        let mut info = WebMessageInfo {
            key: Some(key),
            message: Some(Box::new(Message {
                conversation: Some(self.text(chat, number)),
                ..Message::default()
            })),
            message_timestamp: Some(timestamp),
            status: from_me.then_some(4),
            participant,
            push_name: (!from_me).then(|| format!("Person {author}")),
            reactions,
            user_receipt: receipts,
            message_secret: Some(secret.to_vec()),
            ..WebMessageInfo::default()
        };
        if self.extras && chat == 0 {
            extras::decorate(&mut info, self.messages - number);
        }
        info
    }

    fn timestamp(&self, now: u64, number: u32) -> u64 {
        now.saturating_sub(u64::from(self.messages - number) * self.pace)
    }

    /// A chat at a time, in seconds, with some of its messages, newest first as phones write them.
    pub(crate) fn chat(&self, now: u64, chat: u32, numbers: std::ops::Range<u32>) -> Conversation {
        let more = numbers.start > 0;
        let messages = numbers.rev().map(|number| HistorySyncMsg {
            message: Some(Box::new(self.message(now, chat, number))),
            msg_order_id: Some(u64::from(number)),
        });
        let group = Self::is_group(chat);
        Conversation {
            id: Some(Self::address(chat)),
            messages: messages.collect(),
            name: Some(if group { format!("Group {chat}") } else { format!("Friend {chat}") }),
            conversation_timestamp: Some(self.timestamp(now, self.messages.saturating_sub(1))),
            unread_count: Some(chat % 3),
            archived: Some(chat % 7 == 3),
            pinned: Some(if chat == 0 { 1_700_000_000 } else { 0 }),
            ephemeral_expiration: (chat % 4 == 1).then_some(86_400),
            end_of_history_transfer: Some(true),
            end_of_history_transfer_type: Some(i32::from(!more)),
            tc_token: (!group).then(|| vec![7; 11]),
            tc_token_timestamp: (!group).then_some(now),
            ..Conversation::default()
        }
    }

    /// How many octets all of its chats have as phones write them, before they are compressed.
    #[must_use]
    pub fn octets(&self) -> u64 {
        let chats = (0..self.chats)
            .map(|chat| whimbrel_proto::encode(&self.chat(1_800_000_000, chat, 0..self.messages)));
        chats.map(|chat| chat.len() as u64).sum()
    }

    /// The addresses of its people. They stand behind the chats, as phones write them.
    pub(crate) fn people(&self) -> Vec<PhoneNumberToLidMapping> {
        let pairs = (0..self.chats).filter(|chat| !Self::is_group(*chat)).map(person);
        let mapping = |(pn, lid)| PhoneNumberToLidMapping { pn_jid: Some(pn), lid_jid: Some(lid) };
        pairs.map(mapping).collect()
    }

    /// The messages before one, for a companion that asks for them: the chat, and which.
    pub(crate) fn before(&self, chat: &str, id: &str, count: u32) -> Option<(u32, std::ops::Range<u32>)> {
        let chat = self.find(chat)?;
        let number = (0..self.messages).find(|number| Self::message_id(chat, *number) == id)?;
        Some((chat, number.saturating_sub(count)..number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    #[test]
    fn the_same_seed_makes_the_same_past() {
        let past = Past::default();
        assert_eq!(past.chat(NOW, 4, 0..20), past.chat(NOW, 4, 0..20));
        let other = Past { seed: 2, ..past.clone() };
        assert_ne!(past.text(1, 1), other.text(1, 1));
        assert_eq!(past.people().len(), 4);
    }

    #[test]
    fn older_messages_are_found_from_a_newer_one() {
        let past = Past::default();
        let address = Past::address(2);
        assert_eq!(past.before(&address, &Past::message_id(2, 17), 5), Some((2, 12..17)));
        assert_eq!(past.before(&address, &Past::message_id(2, 3), 5), Some((2, 0..3)));
        assert_eq!(past.before(&address, "other", 5), None);
    }
}

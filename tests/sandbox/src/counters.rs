//! Checks on ciphertexts that go by: no message key is ever used for two plaintexts.
//!
//! The service cannot decrypt, but the headers are visible: the ratchet key and counter of a
//! direct ciphertext, the key id and iteration of a group ciphertext. The same pair with another
//! ciphertext means that a sender used a key twice.

use std::collections::BTreeMap;

use serde::Serialize;
use sha2::{Digest as _, Sha256};
use whimbrel_proto::ProtoMessage as _;
use whimbrel_proto::signal::{PreKeySignalMessage, SenderKeyMessage, SignalMessage};

/// Positions remembered; the oldest are forgotten, in the order of their keys.
const KEPT: usize = 1_000_000;
/// Octets of the MAC behind a direct message and of the signature behind a group message.
const MAC: usize = 8;
const SIGNATURE: usize = 64;

/// A message key used twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// The sending device (`number` or `number:device`).
    pub sender: String,
    /// The receiving device, or the group.
    pub recipient: String,
    /// The chain: ratchet key in hex, or key id.
    pub chain: String,
    /// The counter within the chain.
    pub counter: u32,
    /// Id of the message that used it again.
    pub id: String,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Position {
    sender: String,
    recipient: String,
    chain: Vec<u8>,
    counter: u32,
}

/// What has gone by.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    seen: BTreeMap<Position, [u8; 32]>,
    violations: Vec<Violation>,
}

impl Counters {
    /// Looks at a ciphertext. Tells whether it could be read as one of its type.
    pub(crate) fn look(
        &mut self,
        sender: &str,
        recipient: &str,
        id: &str,
        kind: &str,
        ciphertext: &[u8],
    ) -> bool {
        let Some((chain, counter, body)) = header(kind, ciphertext) else { return false };
        if self.seen.len() >= KEPT {
            self.seen.pop_first();
        }
        let position =
            Position { sender: sender.to_owned(), recipient: recipient.to_owned(), chain, counter };
        let hash: [u8; 32] = Sha256::digest(&body).into();
        if self.seen.get(&position).is_some_and(|known| *known != hash) {
            self.violations.push(Violation {
                sender: position.sender.clone(),
                recipient: position.recipient.clone(),
                chain: hex::encode(&position.chain),
                counter,
                id: id.to_owned(),
            });
        }
        self.seen.insert(position, hash);
        true
    }

    pub(crate) fn violations(&self) -> &[Violation] {
        &self.violations
    }
}

/// Id of the key that a group ciphertext was made with.
pub(crate) fn sender_key_id(ciphertext: &[u8]) -> Option<u32> {
    let (chain, ..) = header("skmsg", ciphertext)?;
    chain.try_into().ok().map(u32::from_be_bytes)
}

/// Chain, counter and body of a ciphertext.
fn header(kind: &str, ciphertext: &[u8]) -> Option<(Vec<u8>, u32, Vec<u8>)> {
    let (version, rest) = ciphertext.split_first()?;
    if version >> 4 != 3 {
        return None;
    }
    match kind {
        "msg" => {
            let length = rest.len().checked_sub(MAC)?;
            let (message, _) = rest.split_at_checked(length)?;
            let message = SignalMessage::decode(message).ok()?;
            Some((message.ratchet_key?, message.counter?, message.ciphertext?))
        }
        "pkmsg" => {
            let message = PreKeySignalMessage::decode(rest).ok()?;
            header("msg", &message.message?)
        }
        "skmsg" => {
            let length = rest.len().checked_sub(SIGNATURE)?;
            let (message, _) = rest.split_at_checked(length)?;
            let message = SenderKeyMessage::decode(message).ok()?;
            Some((message.id?.to_be_bytes().to_vec(), message.iteration?, message.ciphertext?))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(counter: u32, ciphertext: &[u8]) -> Vec<u8> {
        let message = SignalMessage {
            ratchet_key: Some(vec![5; 33]),
            counter: Some(counter),
            previous_counter: Some(0),
            ciphertext: Some(ciphertext.to_vec()),
        };
        [&[0x33][..], &message.encode_to_vec(), &[0; MAC]].concat()
    }

    #[test]
    fn a_key_used_for_two_ciphertexts_is_found() {
        let mut counters = Counters::default();
        assert!(counters.look("1:2", "3", "A", "msg", &message(4, b"one")));
        assert!(counters.look("1:2", "3", "A", "msg", &message(4, b"one")));
        assert!(counters.look("1:2", "3:1", "A", "msg", &message(4, b"two")));
        assert!(counters.look("1:2", "3", "B", "msg", &message(5, b"two")));
        assert!(counters.violations().is_empty());
        assert!(counters.look("1:2", "3", "C", "msg", &message(5, b"three")));
        let found = counters.violations();
        assert_eq!(found.len(), 1);
        assert_eq!(found.first().map(|found| (found.counter, found.id.as_str())), Some((5, "C")));
    }

    #[test]
    fn what_is_no_ciphertext_is_told() {
        let mut counters = Counters::default();
        assert!(!counters.look("1", "2", "A", "msg", b"x"));
        assert!(!counters.look("1", "2", "A", "plain", &message(1, b"x")));
    }
}

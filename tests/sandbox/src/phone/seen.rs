//! Which messages the phone has read already, and how often it asked for those it could not read.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use whimbrel_wire::Jid;

/// Messages remembered; the oldest go first.
const KEPT: usize = 10_000;
/// A message is asked for this often, then given up (delivery document §4.8).
const MOST_RETRIES: u32 = 4;

type Key = (Jid, String);

/// What the phone knows of a message that arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Familiar {
    /// Never read.
    New,
    /// Read, and this is the very same ciphertext.
    Same,
    /// Read, but encrypted anew: its keys still count, its text does not.
    Reencrypted,
}

/// Memory of received messages by author device and id.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    read: BTreeMap<Key, u64>,
    order: VecDeque<Key>,
    retries: BTreeMap<Key, u32>,
}

fn digest(ciphertext: &[u8]) -> u64 {
    // Only equality of honest copies is asked for, so a plain hash will do.
    let mut hasher = DefaultHasher::new();
    ciphertext.hash(&mut hasher);
    hasher.finish()
}

impl Seen {
    /// What is known of this message.
    pub(crate) fn look_up(&self, author: &Jid, id: &str, ciphertext: &[u8]) -> Familiar {
        match self.read.get(&(author.clone(), id.to_owned())) {
            None => Familiar::New,
            Some(known) if *known == digest(ciphertext) => Familiar::Same,
            Some(_) => Familiar::Reencrypted,
        }
    }

    /// The message could be read.
    pub(crate) fn was_read(&mut self, author: &Jid, id: &str, ciphertext: &[u8]) {
        let key = (author.clone(), id.to_owned());
        self.retries.remove(&key);
        if self.read.insert(key.clone(), digest(ciphertext)).is_none() {
            self.order.push_back(key);
        }
        if self.order.len() > KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.read.remove(&oldest);
        }
    }

    /// The message could not be read. Tells which attempt the next wish for it is; `None` when it is
    /// given up. `answered` is the attempt that this copy answered.
    pub(crate) fn next_retry(&mut self, author: &Jid, id: &str, answered: u32) -> Option<u32> {
        if self.retries.len() >= KEPT {
            self.retries.pop_first();
        }
        let asked = self.retries.entry((author.clone(), id.to_owned())).or_default();
        *asked = (*asked).max(answered) + 1;
        (*asked <= MOST_RETRIES).then_some(*asked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_message_is_recognised_by_its_ciphertext() {
        let mut seen = Seen::default();
        let ana = Jid::lid("1001");
        assert_eq!(seen.look_up(&ana, "M", b"one"), Familiar::New);
        seen.was_read(&ana, "M", b"one");
        assert_eq!(seen.look_up(&ana, "M", b"one"), Familiar::Same);
        assert_eq!(seen.look_up(&ana, "M", b"two"), Familiar::Reencrypted);
        assert_eq!(seen.look_up(&ana.with_device(3), "M", b"one"), Familiar::New);
    }

    #[test]
    fn asks_four_times_and_counts_what_was_answered() {
        let mut seen = Seen::default();
        let ana = Jid::lid("1001");
        assert_eq!(seen.next_retry(&ana, "M", 0), Some(1));
        assert_eq!(seen.next_retry(&ana, "M", 1), Some(2));
        assert_eq!(seen.next_retry(&ana, "N", 3), Some(4));
        assert_eq!(seen.next_retry(&ana, "N", 4), None);
        seen.was_read(&ana, "M", b"one");
        assert_eq!(seen.next_retry(&ana, "M", 0), Some(1));
    }

    #[test]
    fn memory_is_bounded() {
        let mut seen = Seen::default();
        for number in 0..=KEPT {
            seen.was_read(&Jid::lid("1001"), &number.to_string(), b"x");
        }
        assert_eq!(seen.read.len(), KEPT);
        assert_eq!(seen.look_up(&Jid::lid("1001"), "0", b"x"), Familiar::New);
    }
}

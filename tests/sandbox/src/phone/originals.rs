//! What the phone has sent, kept for devices that cannot read it at first.

use std::collections::{BTreeMap, VecDeque};

use whimbrel_crypto::curve::PublicKey;
use whimbrel_wire::Jid;

/// Sent messages kept; the oldest go first.
const KEPT: usize = 2_000;

/// A sent message.
#[derive(Debug, Clone)]
pub(crate) struct Original {
    /// Where it went; the companion itself for a message from device to device.
    pub(crate) chat: Jid,
    /// Unpadded plaintext for devices of the other side, or for the companion.
    pub(crate) plaintext: Vec<u8>,
    /// Unpadded plaintext for the account's own other devices, where it differs.
    pub(crate) own_copy: Option<Vec<u8>>,
    /// Whether it went from device to device.
    pub(crate) peer: bool,
    pub(crate) timestamp: u64,
}

/// Sent messages by id, and what was tried to repair them.
#[derive(Debug, Default)]
pub(crate) struct Originals {
    sent: BTreeMap<String, Original>,
    order: VecDeque<String>,
    /// Session in which a message went out when a device first complained about it twice.
    base_keys: BTreeMap<(Jid, String), PublicKey>,
}

impl Originals {
    /// Keeps a message before it is sent, so that even the fastest complaint finds it.
    pub(crate) fn keep(&mut self, id: &str, original: Original) {
        if self.sent.insert(id.to_owned(), original).is_none() {
            self.order.push_back(id.to_owned());
        }
        if self.order.len() > KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.sent.remove(&oldest);
            self.base_keys.retain(|(_, id), _| *id != oldest);
        }
    }

    /// Puts other octets in the place of what others get of a message.
    pub(crate) fn replace(&mut self, id: &str, plaintext: Vec<u8>) {
        if let Some(original) = self.sent.get_mut(id) {
            original.plaintext = plaintext;
        }
    }

    /// A sent message.
    pub(crate) fn get(&self, id: &str) -> Option<&Original> {
        self.sent.get(id)
    }

    /// Whether the session must be given up, because the device keeps complaining about messages
    /// that were sent in this very one (delivery document §4.9, step 6).
    pub(crate) fn session_is_useless(
        &mut self,
        device: &Jid,
        id: &str,
        count: u32,
        base_key: Option<PublicKey>,
    ) -> bool {
        let key = (device.clone(), id.to_owned());
        match (count, base_key) {
            (2, Some(base_key)) => {
                self.base_keys.insert(key, base_key);
                false
            }
            (3.., Some(base_key)) => self.base_keys.get(&key) == Some(&base_key),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn original(text: &str) -> Original {
        Original {
            chat: Jid::lid("2002"),
            plaintext: text.as_bytes().to_vec(),
            own_copy: None,
            peer: false,
            timestamp: 1,
        }
    }

    #[test]
    fn the_oldest_are_dropped() {
        let mut originals = Originals::default();
        for number in 0..=KEPT {
            originals.keep(&number.to_string(), original("x"));
        }
        assert!(originals.get("0").is_none() && originals.get("1").is_some());
        originals.keep("1", original("y"));
        assert_eq!(originals.sent.len(), KEPT);
    }

    #[test]
    fn a_session_is_given_up_when_the_third_complaint_is_about_the_same_one() {
        let mut originals = Originals::default();
        let device = Jid::lid("2002").with_device(7);
        let (first, second) = (PublicKey::from_bytes([1; 32]), PublicKey::from_bytes([2; 32]));
        assert!(!originals.session_is_useless(&device, "M", 1, Some(first)));
        assert!(!originals.session_is_useless(&device, "M", 2, Some(first)));
        assert!(originals.session_is_useless(&device, "M", 3, Some(first)));
        assert!(!originals.session_is_useless(&device, "M", 3, Some(second)));
        assert!(!originals.session_is_useless(&device, "M", 3, None));
    }
}

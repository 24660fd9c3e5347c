//! A phone's part in groups: who is in them, and the sender keys (delivery document §1.6, §3.6).

mod receive;
mod send;
mod status;

use std::collections::{BTreeMap, BTreeSet};

use rand_chacha::ChaCha20Rng;
use whimbrel_signal::{
    GroupDecryptError, MAX_JUMP, OwnSenderKey, SenderKeyDistributionMessage, SenderKeyMessage,
    SenderKeyRecord,
};
use whimbrel_wire::Jid;

use super::sessions::Unread;
use super::stanza::groups::GroupInfo;

/// The phone's own key for a group, and who can read what is encrypted with it.
#[derive(Debug)]
struct OwnKey {
    key: OwnSenderKey,
    /// Devices that the service has taken the key for, in the form of session addresses.
    holders: BTreeSet<Jid>,
}

/// What a phone knows of the groups it is in.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    /// As last asked; forgotten when the service tells of a change.
    known: BTreeMap<Jid, GroupInfo>,
    own: BTreeMap<Jid, OwnKey>,
    /// Keys of others, by group and author device.
    senders: BTreeMap<(Jid, Jid), SenderKeyRecord>,
}

impl From<GroupDecryptError> for Unread {
    fn from(error: GroupDecryptError) -> Self {
        match error {
            GroupDecryptError::Duplicate { .. } => Self::Duplicate,
            GroupDecryptError::NoSenderKey { .. } => Self::Retry(1),
            GroupDecryptError::InvalidSignature => Self::Retry(5),
            GroupDecryptError::FutureMessage { .. } => Self::Retry(6),
            GroupDecryptError::InvalidCiphertext => Self::Retry(4),
        }
    }
}

impl Groups {
    /// Takes another device's key in.
    fn take_key(&mut self, group: &Jid, author: &Jid, distribution: &[u8]) {
        match SenderKeyDistributionMessage::parse(distribution) {
            Ok(distribution) => {
                self.senders.entry((group.clone(), author.clone())).or_default().process(&distribution);
            }
            Err(error) => tracing::warn!(%group, %author, %error, "a phone got an unusable sender key"),
        }
    }

    /// Decrypts what was encrypted for the whole group; the result is still padded.
    fn decrypt(&mut self, group: &Jid, author: &Jid, bytes: &[u8]) -> Result<Vec<u8>, Unread> {
        let message = SenderKeyMessage::parse(bytes).map_err(|_| Unread::Malformed)?;
        let record = self.senders.get_mut(&(group.clone(), author.clone())).ok_or(Unread::Retry(1))?;
        Ok(record.decrypt(&message, MAX_JUMP)?)
    }

    /// The own key, made anew if there is none or if a device holds it that may not read any more.
    fn own_key(&mut self, group: &Jid, devices: &BTreeSet<Jid>, rng: &mut ChaCha20Rng) -> &mut OwnKey {
        if self.own.get(group).is_some_and(|own| !own.holders.is_subset(devices)) {
            self.own.remove(group);
        }
        self.own
            .entry(group.clone())
            .or_insert_with(|| OwnKey { key: OwnSenderKey::generate(rng), holders: BTreeSet::new() })
    }

    /// Notes who has the key with this id now.
    fn was_handed_out(&mut self, group: &Jid, key_id: u32, devices: impl IntoIterator<Item = Jid>) {
        if let Some(own) = self.own.get_mut(group).filter(|own| own.key.key_id() == key_id) {
            own.holders.extend(devices);
        }
    }

    /// A device has lost the key, or never got it.
    fn is_missing(&mut self, group: &Jid, device: &Jid) {
        if let Some(own) = self.own.get_mut(group) {
            own.holders.remove(device);
        }
    }

    /// Who is in the group has changed.
    fn changed(&mut self, group: &Jid, somebody_left: bool) {
        self.known.remove(group);
        if somebody_left {
            self.own.remove(group);
        }
    }

    /// A device is gone: it can read what is encrypted with the keys that it has, so these are over.
    pub(crate) fn device_gone(&mut self, device: &Jid) {
        self.own.retain(|_, own| !own.holders.contains(device));
        self.senders.retain(|(_, author), _| author != device);
    }

    /// Forgets the phone's own keys and those of others, as after a loss of storage. Tells whether
    /// there were any.
    pub(crate) fn forget_keys(&mut self, group: &Jid) -> bool {
        let before = self.senders.len();
        self.senders.retain(|(known, _), _| known != group);
        self.own.remove(group).is_some() || self.senders.len() < before
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phone::keys;

    #[test]
    fn a_key_is_over_when_somebody_holds_it_who_is_gone() {
        let mut rng = keys::rng(1, "15550001");
        let mut groups = Groups::default();
        let group = Jid::group("120363000000000001");
        let [ana, ben] = ["1001", "2002"].map(Jid::lid);
        let both = BTreeSet::from([ana.clone(), ben.clone()]);
        let first = groups.own_key(&group, &both, &mut rng).key.key_id();
        groups.was_handed_out(&group, first, both.clone());
        assert_eq!(groups.own_key(&group, &both, &mut rng).key.key_id(), first);
        let alone = BTreeSet::from([ana.clone()]);
        let second = groups.own_key(&group, &alone, &mut rng).key.key_id();
        assert_ne!(first, second);
        // What is learned late about the former key does not count.
        groups.was_handed_out(&group, first, [ben.clone()]);
        assert_eq!(groups.own_key(&group, &alone, &mut rng).key.key_id(), second);
        groups.was_handed_out(&group, second, [ana.clone()]);
        groups.device_gone(&ben);
        assert_eq!(groups.own_key(&group, &alone, &mut rng).key.key_id(), second);
        groups.device_gone(&ana);
        assert_ne!(groups.own_key(&group, &both, &mut rng).key.key_id(), second);
    }

    #[test]
    fn messages_are_read_with_the_key_of_their_author() {
        let mut rng = keys::rng(1, "15550001");
        let (mut ana, mut ben) = (Groups::default(), Groups::default());
        let group = Jid::group("120363000000000001");
        let author = Jid::lid("1001");
        let own = ana.own_key(&group, &BTreeSet::new(), &mut rng);
        let distribution = own.key.distribution().to_bytes();
        let message = own.key.encrypt(b"hello", &mut rng).unwrap();
        assert_eq!(ben.decrypt(&group, &author, &message), Err(Unread::Retry(1)));
        ben.take_key(&group, &author, &distribution);
        assert_eq!(ben.decrypt(&group, &Jid::lid("9"), &message), Err(Unread::Retry(1)));
        assert_eq!(ben.decrypt(&group, &author, &message), Ok(b"hello".to_vec()));
        assert_eq!(ben.decrypt(&group, &author, &message), Err(Unread::Duplicate));
        assert_eq!(ben.decrypt(&group, &author, b"x"), Err(Unread::Malformed));
        assert!(ben.forget_keys(&group) && !ben.forget_keys(&group));
    }
}

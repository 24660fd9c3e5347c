//! The phone's book of key indexes (pairing document §3.5, §9.1).
//!
//! Every companion gets an index that no other companion of the account ever had, and the phone
//! signs the list of those that are still valid. Clients drop a companion whose index the list
//! does not admit, so the book must survive unlinking.

use std::collections::BTreeMap;

/// Index of the phone itself; always valid.
const PHONE_INDEX: u32 = 0;

/// Which companions the phone has admitted.
#[derive(Debug, Clone)]
pub(crate) struct Companions {
    raw_id: u32,
    current_index: u32,
    /// Key index of each linked companion, by device number.
    by_device: BTreeMap<u16, u32>,
    /// Indexes given to companions that are still being linked.
    pending: Vec<u32>,
    /// When the list was signed that the service has, in seconds.
    signed_at: Option<u64>,
}

impl Companions {
    /// A book for an account epoch; `raw_id` changes when the phone is set up anew.
    pub(crate) fn new(raw_id: u32) -> Self {
        Self {
            raw_id,
            current_index: PHONE_INDEX,
            by_device: BTreeMap::new(),
            pending: Vec::new(),
            signed_at: None,
        }
    }

    /// Number of the account's epoch.
    pub(crate) fn raw_id(&self) -> u32 {
        self.raw_id
    }

    /// The account begins another epoch; the companions stay.
    pub(crate) fn begin_epoch(&mut self, raw_id: u32) {
        self.raw_id = raw_id;
    }

    /// When the list was signed that the service has, in seconds.
    pub(crate) fn signed_at(&self) -> Option<u64> {
        self.signed_at
    }

    /// The service has a list of this time.
    pub(crate) fn published(&mut self, timestamp: u64) {
        self.signed_at = Some(timestamp);
    }

    /// Highest index ever given out.
    pub(crate) fn current_index(&self) -> u32 {
        self.current_index
    }

    /// Indexes that the next signed list admits, ascending, the phone's first.
    pub(crate) fn valid_indexes(&self) -> Vec<u32> {
        let mut indexes: Vec<u32> = std::iter::once(PHONE_INDEX)
            .chain(self.by_device.values().copied())
            .chain(self.pending.iter().copied())
            .collect();
        indexes.sort_unstable();
        indexes
    }

    /// Device numbers of the linked companions, ascending.
    pub(crate) fn devices(&self) -> Vec<u16> {
        self.by_device.keys().copied().collect()
    }

    /// Takes a fresh index for a companion that is about to be linked.
    pub(crate) fn allocate(&mut self) -> u32 {
        self.current_index += 1;
        self.pending.push(self.current_index);
        self.current_index
    }

    /// The service has created the device that `index` was taken for.
    pub(crate) fn linked(&mut self, device: u16, index: u32) {
        self.pending.retain(|pending| *pending != index);
        self.by_device.insert(device, index);
    }

    /// Linking failed: the index is lost for ever, but no longer valid.
    pub(crate) fn abandoned(&mut self, index: u32) {
        self.pending.retain(|pending| *pending != index);
    }

    /// A companion is gone. Tells whether it was known.
    pub(crate) fn removed(&mut self, device: u16) -> bool {
        self.by_device.remove(&device).is_some()
    }

    /// Keeps only the companions that the service still lists.
    pub(crate) fn retain(&mut self, devices: &[u16]) {
        self.by_device.retain(|device, _| devices.contains(device));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_never_given_twice() {
        let mut book = Companions::new(7);
        let first = book.allocate();
        book.linked(1, first);
        let second = book.allocate();
        book.abandoned(second);
        assert!(book.removed(1));
        let third = book.allocate();
        assert_eq!((first, second, third), (1, 2, 3));
        assert_eq!(book.current_index(), 3);
        assert_eq!(book.valid_indexes(), [0, 3]);
    }

    #[test]
    fn the_list_admits_the_phone_the_linked_and_the_one_being_linked() {
        let mut book = Companions::new(7);
        let first = book.allocate();
        book.linked(77, first);
        book.allocate();
        assert_eq!(book.valid_indexes(), [0, 1, 2]);
        assert_eq!(book.devices(), [77]);
    }

    #[test]
    fn devices_the_service_no_longer_lists_are_forgotten() {
        let mut book = Companions::new(7);
        for device in [3, 4] {
            let index = book.allocate();
            book.linked(device, index);
        }
        book.retain(&[4]);
        assert_eq!(book.valid_indexes(), [0, 2]);
        assert!(!book.removed(3));
    }
}

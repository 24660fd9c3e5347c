//! A bounded cache of rows that are costly to read, and that remembers which of them changed.

use std::collections::BTreeMap;

/// Rows by key, the least recently used go first. What changed stays until it was written.
pub(crate) struct Cache<K, V> {
    rows: BTreeMap<K, Row<V>>,
    changed: Vec<K>,
    clock: u64,
    room: usize,
}

struct Row<V> {
    value: V,
    used: u64,
    changed: bool,
}

impl<K: Ord + Clone, V> Cache<K, V> {
    pub(crate) const fn new(room: usize) -> Self {
        Self { rows: BTreeMap::new(), changed: Vec::new(), clock: 0, room }
    }

    pub(crate) fn contains(&self, key: &K) -> bool {
        self.rows.contains_key(key)
    }

    /// A row as the store has it.
    pub(crate) fn fill(&mut self, key: K, value: V) {
        self.clock = self.clock.saturating_add(1);
        self.rows.insert(key, Row { value, used: self.clock, changed: false });
    }

    pub(crate) fn get(&mut self, key: &K) -> Option<&V> {
        self.clock = self.clock.saturating_add(1);
        let row = self.rows.get_mut(key)?;
        row.used = self.clock;
        Some(&row.value)
    }

    /// A row that is going to change; it is reported by [`flush`](Self::flush).
    pub(crate) fn change(&mut self, key: &K) -> Option<&mut V> {
        self.clock = self.clock.saturating_add(1);
        let row = self.rows.get_mut(key)?;
        row.used = self.clock;
        if !row.changed {
            row.changed = true;
            self.changed.push(key.clone());
        }
        Some(&mut row.value)
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        self.changed.retain(|changed| changed != key);
        self.rows.remove(key).map(|row| row.value)
    }

    /// Keys of the rows that changed.
    pub(crate) fn changed(&self) -> impl Iterator<Item = &K> {
        self.changed.iter()
    }

    /// Hands every changed row to be written, once however often it changed, and then makes room.
    pub(crate) fn flush(&mut self, mut write: impl FnMut(K, &V)) {
        for key in self.changed.drain(..) {
            if let Some(row) = self.rows.get_mut(&key) {
                row.changed = false;
                write(key, &row.value);
            }
        }
        if let Some(beyond) = self.rows.len().checked_sub(self.room).filter(|beyond| *beyond > 0) {
            // In one go: a message to a large group uses a thousand rows.
            let mut used: Vec<u64> = self.rows.values().map(|row| row.used).collect();
            let (_, first_kept, _) = used.select_nth_unstable(beyond);
            let first_kept = *first_kept;
            self.rows.retain(|_, row| row.used >= first_kept);
        }
        // A large unit of work must not cost memory for ever.
        self.changed.shrink_to(8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flushed(cache: &mut Cache<u32, u32>) -> Vec<(u32, u32)> {
        let mut written = Vec::new();
        cache.flush(|key, value| written.push((key, *value)));
        written
    }

    #[test]
    fn changed_rows_are_written_once() {
        let mut cache = Cache::new(8);
        cache.fill(1, 10);
        cache.fill(2, 20);
        *cache.change(&1).unwrap() = 11;
        *cache.change(&1).unwrap() = 12;
        assert_eq!(flushed(&mut cache), [(1, 12)]);
        assert_eq!(flushed(&mut cache), []);
        assert_eq!(cache.get(&1), Some(&12));
    }

    #[test]
    fn the_least_recently_used_go_but_nothing_before_it_is_written() {
        let mut cache = Cache::new(2);
        for key in 0..4 {
            cache.fill(key, key);
            cache.change(&key).unwrap();
        }
        assert!((0..4).all(|key| cache.contains(&key)));
        cache.get(&0);
        assert_eq!(flushed(&mut cache).len(), 4);
        let left: Vec<u32> = (0..4).filter(|key| cache.contains(key)).collect();
        assert_eq!(left, [0, 3]);
    }

    #[test]
    fn a_removed_row_is_not_written() {
        let mut cache = Cache::new(2);
        cache.fill(1, 1);
        *cache.change(&1).unwrap() = 2;
        assert_eq!(cache.remove(&1), Some(2));
        assert_eq!(flushed(&mut cache), []);
        assert!(cache.change(&1).is_none() && cache.get(&1).is_none());
    }
}

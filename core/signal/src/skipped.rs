//! Keys of positions that a chain has passed without a message.

use core::fmt;
use std::collections::VecDeque;

use crate::kdf::{ChainKey, ChainStep, Seed};

/// Most keys kept per chain; the oldest go first.
pub(crate) const MAX_SKIPPED: usize = 2000;

/// The passed positions of one chain, lowest first.
#[derive(Clone)]
pub(crate) struct SkippedKeys<K> {
    keys: VecDeque<(u32, K)>,
}

impl<K> Default for SkippedKeys<K> {
    fn default() -> Self {
        SkippedKeys { keys: VecDeque::new() }
    }
}

impl<K: From<Seed>> SkippedKeys<K> {
    pub(crate) fn get(&self, position: u32) -> Option<&K> {
        let index = self.index(position)?;
        self.keys.get(index).map(|(_, key)| key)
    }

    pub(crate) fn remove(&mut self, position: u32) {
        if let Some(index) = self.index(position) {
            self.keys.remove(index);
            if self.keys.is_empty() {
                // A chain that has caught up gives back what a burst of losses took.
                self.keys = VecDeque::new();
            }
        }
    }

    /// Adds a position above all present ones and drops the lowest if there are too many.
    pub(crate) fn push(&mut self, position: u32, key: K) {
        debug_assert!(self.keys.back().is_none_or(|(last, _)| *last < position));
        if self.keys.len() >= MAX_SKIPPED {
            self.keys.pop_front();
        }
        self.keys.push_back((position, key));
    }

    /// Walks `chain` from `from` up to `to`, keeps the seeds of the positions between, and returns the
    /// chain key of `to`. Positions that would be dropped at once are not derived.
    pub(crate) fn walk(&mut self, chain: &ChainKey, from: u32, to: u32) -> ChainKey {
        let dropped = to.saturating_sub(from).saturating_sub(MAX_SKIPPED as u32);
        let mut key = chain.advanced(dropped);
        for position in from.saturating_add(dropped)..to {
            let ChainStep { seed, next } = key.step();
            self.push(position, K::from(seed));
            key = next;
        }
        key
    }

    /// Takes over what another store kept: sorted, without positions that the chain has not passed.
    pub(crate) fn from_entries(mut entries: Vec<(u32, K)>, next: u32) -> Self {
        entries.retain(|(position, _)| *position < next);
        entries.sort_by_key(|(position, _)| *position);
        entries.dedup_by_key(|(position, _)| *position);
        let mut keys = VecDeque::from(entries);
        keys.drain(..keys.len().saturating_sub(MAX_SKIPPED));
        SkippedKeys { keys }
    }

    /// Forgets all positions from `bound` on.
    pub(crate) fn keep_below(&mut self, bound: u32) {
        let keep = self.keys.partition_point(|(position, _)| *position < bound);
        self.keys.truncate(keep);
    }

    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &K)> {
        self.keys.iter().map(|(position, key)| (*position, key))
    }

    fn index(&self, position: u32) -> Option<usize> {
        self.keys.binary_search_by_key(&position, |(position, _)| *position).ok()
    }
}

impl<K> fmt::Debug for SkippedKeys<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SkippedKeys({})", self.keys.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_keeps_the_positions_between() {
        let chain = ChainKey::new([3; 32]);
        let mut skipped = SkippedKeys::<Seed>::default();
        let end = skipped.walk(&chain, 10, 13);
        assert_eq!(end, chain.advanced(3));
        assert_eq!(skipped.iter().map(|(position, _)| position).collect::<Vec<_>>(), [10, 11, 12]);
        assert!(skipped.get(11) == Some(&chain.advanced(1).step().seed));
        skipped.remove(11);
        assert!(skipped.get(11).is_none());
        assert_eq!(skipped.len(), 2);
    }

    #[test]
    fn the_oldest_go_first_and_are_not_even_derived() {
        let chain = ChainKey::new([3; 32]);
        let (mut at_once, mut in_pieces) = (SkippedKeys::<Seed>::default(), SkippedKeys::default());
        let end = at_once.walk(&chain, 0, 5000);
        let middle = in_pieces.walk(&chain, 0, 1500);
        assert_eq!(in_pieces.walk(&middle, 1500, 5000), end);
        assert_eq!(at_once.len(), MAX_SKIPPED);
        assert!(at_once.iter().eq(in_pieces.iter()));
        assert!(at_once.get(2999).is_none() && at_once.get(3000).is_some());
    }

    #[test]
    fn positions_from_a_bound_on_can_be_forgotten() {
        let mut skipped = SkippedKeys::<Seed>::default();
        skipped.walk(&ChainKey::new([3; 32]), 0, 10);
        skipped.keep_below(4);
        assert_eq!(skipped.len(), 4);
        assert!(skipped.get(4).is_none());
    }
}

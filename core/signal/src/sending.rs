//! A chain that we encrypt with, and its lease.
//!
//! A position must never encrypt two different plaintexts, also not across a crash. Making every step
//! durable before its message leaves costs one disk flush per message. A *lease* makes it one per many:
//! the stored form says "positions below `leased` may have been used", and reading it moves the chain to
//! that end. The receiver sees a gap, which it takes as lost messages.

use crate::kdf::{ChainKey, ChainStep, Seed};
use crate::store::{Reader, Writer};
use crate::{MAX_LEASE, RecordError};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SendingChain {
    key: ChainKey,
    position: u32,
    leased: u32,
}

impl SendingChain {
    pub(crate) fn new(key: ChainKey, position: u32) -> Self {
        SendingChain { key, position, leased: position }
    }

    pub(crate) fn key(&self) -> &ChainKey {
        &self.key
    }

    /// The position that the next message takes.
    pub(crate) fn position(&self) -> u32 {
        self.position
    }

    /// Uses up one position; `None` when there is none left.
    pub(crate) fn take(&mut self) -> Option<(u32, Seed)> {
        let position = self.position;
        self.position = position.checked_add(1)?;
        let ChainStep { seed, next } = self.key.step();
        self.key = next;
        Some((position, seed))
    }

    pub(crate) fn lease(&mut self, count: u32) {
        let end = self.position.saturating_add(count.min(MAX_LEASE));
        self.leased = self.leased.max(end);
    }

    pub(crate) fn lease_left(&self) -> u32 {
        self.leased.saturating_sub(self.position)
    }

    pub(crate) fn end_lease(&mut self) {
        self.leased = self.position;
    }

    /// Passes positions that another copy of the chain may have used.
    pub(crate) fn skip(&mut self, count: u32) {
        let end = self.position.saturating_add(count.min(MAX_LEASE));
        self.key = self.key.advanced(end.saturating_sub(self.position));
        self.position = end;
        self.leased = self.leased.max(end);
    }

    pub(crate) const STORED_LEN: usize = 32 + 4 + 4;

    pub(crate) fn write(&self, out: &mut Writer) {
        out.bytes(self.key.as_bytes());
        out.u32(self.position);
        out.u32(self.leased.max(self.position));
    }

    /// Reads the stored form and moves to the end of the lease in it.
    pub(crate) fn read(input: &mut Reader<'_>) -> Result<Self, RecordError> {
        let key = ChainKey::new(input.array()?);
        let position = input.u32()?;
        let leased = input.u32()?;
        match leased.checked_sub(position) {
            Some(ahead @ 0..=MAX_LEASE) => Ok(SendingChain::new(key.advanced(ahead), leased)),
            _ => Err(RecordError::Damaged("a lease ends out of range")),
        }
    }
}

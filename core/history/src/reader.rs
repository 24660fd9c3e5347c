//! A compressed chunk, record by record.

use std::ops::ControlFlow;

use crate::event::Event;
use crate::inflate::{InflateError, InflateLimits, Inflater};
use crate::walker::{WalkError, WalkLimits, Walker};

/// The bounds of both halves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Of inflating.
    pub inflate: InflateLimits,
    /// Of the records.
    pub walk: WalkLimits,
}

/// Why a chunk was not read to its end. What was given out before is right, but may be incomplete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// It was not inflated.
    #[error(transparent)]
    Inflate(#[from] InflateError),
    /// What was inflated is no history.
    #[error(transparent)]
    Walk(#[from] WalkError),
}

/// Reads a compressed chunk that comes in parts.
#[derive(Debug)]
pub struct Reader {
    inflater: Inflater,
    walker: Walker,
}

impl Reader {
    /// Begins a chunk.
    pub fn new(limits: Limits) -> Self {
        Self::with(Inflater::new(limits.inflate), Walker::new(limits.walk))
    }

    /// Begins a chunk with a walker that was told what to leave out.
    pub fn with(inflater: Inflater, walker: Walker) -> Self {
        Self { inflater, walker }
    }

    /// Takes the next octets and gives out what they hold.
    ///
    /// # Errors
    /// [`ReadError`]; [`WalkError::Stopped`] when `give` said so.
    pub fn update(
        &mut self,
        chunk: &[u8],
        give: &mut dyn FnMut(Event<'_>) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        let walker = &mut self.walker;
        self.inflater.update(chunk, |inflated| walker.update(inflated, give).map_err(ReadError::from))
    }

    /// How many records were given out or skipped; see [`Walker::records`].
    pub fn records(&self) -> u64 {
        self.walker.records()
    }

    /// Ends the chunk.
    ///
    /// # Errors
    /// [`ReadError`] for one that ends too early.
    pub fn finish(self) -> Result<(), ReadError> {
        self.inflater.finish()?;
        Ok(self.walker.finish()?)
    }
}

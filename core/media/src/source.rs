//! Where the bytes of a file come from, and reading them with bounds.

use std::io;

use crate::ProbeError;

/// A file that can be read at any place: a slice, or a file of the host.
pub trait Source {
    /// Length of the file.
    fn length(&self) -> u64;

    /// Reads octets at an offset and returns how many; fewer than asked for only at the end.
    ///
    /// # Errors
    /// Those of the file.
    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;
}

impl Source for &[u8] {
    fn length(&self) -> u64 {
        u64::try_from(self.len()).unwrap_or(u64::MAX)
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|offset| self.get(offset..)).unwrap_or_default();
        for (to, from) in buffer.iter_mut().zip(rest) {
            *to = *from;
        }
        Ok(rest.len().min(buffer.len()))
    }
}

/// How much is read at once.
const CACHED: usize = 4096;
/// How many parts of a file are looked at before it is given up. A film of an hour has some
/// hundred parts at the levels that are looked at, an animation of 16 MB some 70,000.
const MAX_STEPS: u32 = 1 << 20;
/// How much of a file is ever held at once.
pub(crate) const MAX_HELD: usize = 1 << 16;

/// Reads small parts of a file with bounds.
pub(crate) struct Reader<'s> {
    source: &'s mut dyn Source,
    length: u64,
    cache: Vec<u8>,
    cached_at: u64,
    steps: u32,
}

impl<'s> Reader<'s> {
    pub(crate) fn new(source: &'s mut dyn Source) -> Self {
        let length = source.length();
        Self { source, length, cache: Vec::new(), cached_at: 0, steps: 0 }
    }

    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Counts a part of the file, so that no file is looked at for ever.
    pub(crate) fn step(&mut self) -> Result<(), ProbeError> {
        self.steps = self.steps.saturating_add(1);
        if self.steps > MAX_STEPS { Err(ProbeError::TooComplex) } else { Ok(()) }
    }

    /// `N` octets at an offset.
    pub(crate) fn array<const N: usize>(&mut self, offset: u64) -> Result<[u8; N], ProbeError> {
        const { assert!(N <= CACHED, "larger than the cache") };
        if let Some(bytes) = self.cached(offset) {
            return Ok(bytes);
        }
        let wanted = self.length.saturating_sub(offset).min(4096);
        self.cache = self.read(offset, usize::try_from(wanted).unwrap_or(CACHED))?;
        self.cached_at = offset;
        self.cached(offset).ok_or(ProbeError::Truncated)
    }

    fn cached<const N: usize>(&self, offset: u64) -> Option<[u8; N]> {
        let start = usize::try_from(offset.checked_sub(self.cached_at)?).ok()?;
        self.cache.get(start..)?.first_chunk().copied()
    }

    /// Some octets at an offset, at most [`MAX_HELD`].
    pub(crate) fn bytes(&mut self, offset: u64, length: usize) -> Result<Vec<u8>, ProbeError> {
        if length > MAX_HELD {
            return Err(ProbeError::TooComplex);
        }
        let rest = self.length.saturating_sub(offset);
        if u64::try_from(length).is_ok_and(|length| length > rest) {
            return Err(ProbeError::Truncated);
        }
        self.read(offset, length)
    }

    fn read(&mut self, offset: u64, length: usize) -> Result<Vec<u8>, ProbeError> {
        let mut bytes = vec![0; length];
        let read = self.source.read_at(offset, &mut bytes).map_err(|error| ProbeError::Read(error.kind()))?;
        if read < length {
            return Err(ProbeError::Truncated);
        }
        Ok(bytes)
    }

    pub(crate) fn u8(&mut self, offset: u64) -> Result<u8, ProbeError> {
        self.array(offset).map(u8::from_be_bytes)
    }

    pub(crate) fn u16_be(&mut self, offset: u64) -> Result<u16, ProbeError> {
        self.array(offset).map(u16::from_be_bytes)
    }

    pub(crate) fn u16_le(&mut self, offset: u64) -> Result<u16, ProbeError> {
        self.array(offset).map(u16::from_le_bytes)
    }

    pub(crate) fn u32_be(&mut self, offset: u64) -> Result<u32, ProbeError> {
        self.array(offset).map(u32::from_be_bytes)
    }

    pub(crate) fn u32_le(&mut self, offset: u64) -> Result<u32, ProbeError> {
        self.array(offset).map(u32::from_le_bytes)
    }

    pub(crate) fn u64_be(&mut self, offset: u64) -> Result<u64, ProbeError> {
        self.array(offset).map(u64::from_be_bytes)
    }
}

/// The sum of an offset and what lies behind it; beyond what a number holds there is no file.
pub(crate) fn after(offset: u64, length: impl Into<u64>) -> Result<u64, ProbeError> {
    offset.checked_add(length.into()).ok_or(ProbeError::Truncated)
}

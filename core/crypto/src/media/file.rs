//! Media without keys: what newsletters carry, and some of what the service makes (§3.3, §14).

use sha2::{Digest, Sha256};

use super::decrypt::MediaError;

/// What is known of a file once it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hashed {
    /// SHA-256 of the file, which is also what its upload is named by.
    pub file_sha256: [u8; 32],
    /// Length of the file.
    pub file_length: u64,
}

/// Hashes a file that comes in chunks.
#[derive(Debug, Clone, Default)]
pub struct FileHash {
    hash: Sha256,
    length: u64,
}

impl FileHash {
    /// Begins a file.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next octets of the file.
    pub fn update(&mut self, chunk: &[u8]) {
        self.hash.update(chunk);
        self.length = self.length.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
    }

    /// Ends the file; `expected` is what the message says, if it says it.
    ///
    /// # Errors
    /// [`MediaError::PlainHash`].
    pub fn finish(self, expected: Option<&[u8; 32]>) -> Result<Hashed, MediaError> {
        let file_sha256 = self.hash.finalize().into();
        if expected.is_some_and(|expected| *expected != file_sha256) {
            return Err(MediaError::PlainHash);
        }
        Ok(Hashed { file_sha256, file_length: self.length })
    }
}

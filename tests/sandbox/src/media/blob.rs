//! The bytes of one file: in memory while they are few, else in a temporary file.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest as _, Sha256};

/// Files up to this length stay in memory.
const IN_MEMORY: usize = 4 << 20;

/// A file that was taken in whole.
#[derive(Debug)]
pub(crate) struct Blob {
    bytes: Bytes,
    length: u64,
}

#[derive(Debug)]
enum Bytes {
    Memory(Vec<u8>),
    Disk(Temporary),
}

/// A file that goes with this.
#[derive(Debug)]
struct Temporary {
    file: File,
    path: PathBuf,
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // A file that is left in the temporary folder harms nobody.
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Blob {
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Up to `most` octets from an offset on; fewer at the end only.
    pub(crate) fn read(&self, from: u64, most: usize) -> io::Result<Vec<u8>> {
        let length = usize::try_from(self.length.saturating_sub(from)).unwrap_or(usize::MAX).min(most);
        match &self.bytes {
            Bytes::Memory(bytes) => {
                let from = usize::try_from(from).unwrap_or(usize::MAX);
                let rest = bytes.get(from..).unwrap_or_default();
                Ok(rest.get(..length).unwrap_or_default().to_vec())
            }
            Bytes::Disk(disk) => {
                let mut bytes = vec![0; length];
                disk.file.read_exact_at(&mut bytes, from)?;
                Ok(bytes)
            }
        }
    }
}

/// A file that is being taken in.
#[derive(Debug)]
pub(crate) struct Incoming {
    blob: Blob,
    hash: Sha256,
}

impl Incoming {
    pub(crate) fn new() -> Self {
        Self { blob: Blob { bytes: Bytes::Memory(Vec::new()), length: 0 }, hash: Sha256::new() }
    }

    pub(crate) fn length(&self) -> u64 {
        self.blob.length
    }

    /// Takes the next octets.
    pub(crate) fn write(&mut self, chunk: &[u8]) -> io::Result<()> {
        if let Bytes::Memory(bytes) = &self.blob.bytes
            && bytes.len().saturating_add(chunk.len()) > IN_MEMORY
        {
            let mut disk = Temporary::new()?;
            disk.file.write_all(bytes)?;
            self.blob.bytes = Bytes::Disk(disk);
        }
        match &mut self.blob.bytes {
            Bytes::Memory(bytes) => bytes.extend_from_slice(chunk),
            Bytes::Disk(disk) => disk.file.write_all(chunk)?,
        }
        self.hash.update(chunk);
        self.blob.length += chunk.len() as u64;
        Ok(())
    }

    /// The whole file, with its hash.
    pub(crate) fn finish(self) -> ([u8; 32], Blob) {
        (self.hash.finalize().into(), self.blob)
    }
}

impl Temporary {
    fn new() -> io::Result<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("whimbrel-sandbox-{}-{count}.blob", std::process::id());
        let path = std::env::temp_dir().join(name);
        let file = File::options().read(true).write(true).create(true).truncate(true).open(&path)?;
        Ok(Self { file, path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_file_moves_to_the_disk_and_reads_the_same() {
        let piece: Vec<u8> = (0..1 << 20).map(|at: u32| at.to_le_bytes()[1]).collect();
        let mut incoming = Incoming::new();
        for _ in 0..5 {
            incoming.write(&piece).unwrap();
        }
        let (hash, blob) = incoming.finish();
        assert_eq!(blob.length(), 5 << 20);
        let Bytes::Disk(disk) = &blob.bytes else { panic!("it stayed in memory") };
        let path = disk.path.clone();
        assert_eq!(blob.read(1 << 20, 1 << 20).unwrap(), piece);
        assert_eq!(blob.read((5 << 20) - 3, 99).unwrap(), piece[piece.len() - 3..]);
        assert_eq!(<[u8; 32]>::from(Sha256::digest(piece.repeat(5))), hash);
        drop(blob);
        assert!(!path.exists());
        let mut short = Incoming::new();
        short.write(b"abc").unwrap();
        assert_eq!(short.finish().1.read(1, 9).unwrap(), b"bc");
    }
}

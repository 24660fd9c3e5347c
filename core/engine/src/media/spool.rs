//! Bytes between two passes over a file: in memory while they are few, else in a temporary file.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroize as _;

/// Up to so many bytes stay in memory.
const IN_MEMORY: usize = 512 * 1024;

/// A file that goes with this, unless it is kept.
#[derive(Debug)]
pub(super) struct Temporary {
    file: File,
    path: PathBuf,
    kept: bool,
}

impl Temporary {
    /// Makes a file that nobody else may read, under a name that nobody guesses.
    pub(super) fn new(folder: &Path, name: &str) -> io::Result<Self> {
        let path = folder.join(name);
        let mut options = File::options();
        options.read(true).write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Ok(Self { file: options.open(&path)?, path, kept: false })
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    /// Begins anew.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0)).map(drop)
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(offset))?;
        self.file.read_exact(buffer)
    }

    /// Gives the file its name; what stood there is replaced. It is on the disk then.
    pub(super) fn keep(mut self, path: &Path) -> io::Result<()> {
        self.file.sync_all()?;
        std::fs::rename(&self.path, path)?;
        self.kept = true;
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.kept {
            // There is nobody to tell; the name says what it is.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Bytes that are written once and then read at any place.
pub(super) struct Spool {
    folder: PathBuf,
    name: String,
    bytes: Bytes,
    length: u64,
}

enum Bytes {
    Memory(Vec<u8>),
    Disk(Temporary),
}

impl Spool {
    /// Keeps what does not fit into memory under this name.
    pub(super) fn new(folder: PathBuf, name: String) -> Self {
        Self { folder, name, bytes: Bytes::Memory(Vec::new()), length: 0 }
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    pub(super) fn write(&mut self, chunk: &[u8]) -> io::Result<()> {
        if let Bytes::Memory(bytes) = &mut self.bytes
            && bytes.len().saturating_add(chunk.len()) > IN_MEMORY
        {
            let mut disk = Temporary::new(&self.folder, &self.name)?;
            disk.write(bytes)?;
            bytes.zeroize();
            self.bytes = Bytes::Disk(disk);
        }
        match &mut self.bytes {
            Bytes::Memory(bytes) => bytes.extend_from_slice(chunk),
            Bytes::Disk(disk) => disk.write(chunk)?,
        }
        self.length = self.length.saturating_add(chunk.len() as u64);
        Ok(())
    }

    /// Begins anew.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        self.length = 0;
        match &mut self.bytes {
            Bytes::Memory(bytes) => {
                bytes.zeroize();
                Ok(())
            }
            Bytes::Disk(disk) => disk.clear(),
        }
    }

    /// Up to `most` bytes from an offset on; fewer at the end only.
    pub(super) fn read(&mut self, offset: u64, most: usize) -> io::Result<Vec<u8>> {
        let length = usize::try_from(self.length.saturating_sub(offset)).unwrap_or(usize::MAX).min(most);
        match &mut self.bytes {
            Bytes::Memory(bytes) => {
                let rest = usize::try_from(offset).ok().and_then(|offset| bytes.get(offset..));
                Ok(rest.and_then(|rest| rest.get(..length)).unwrap_or_default().to_vec())
            }
            Bytes::Disk(disk) => {
                let mut buffer = vec![0; length];
                disk.read_at(offset, &mut buffer)?;
                Ok(buffer)
            }
        }
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        if let Bytes::Memory(bytes) = &mut self.bytes {
            bytes.zeroize();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_into_memory_lies_in_a_file_that_goes() {
        let folder = std::env::temp_dir();
        let name = format!("whimbrel-spool-{}", std::process::id());
        let mut spool = Spool::new(folder.clone(), name.clone());
        let piece: Vec<u8> = (0..100_000_u32).map(|at| at.to_le_bytes()[0]).collect();
        spool.write(&piece).unwrap();
        assert!(!folder.join(&name).exists());
        for _ in 0..9 {
            spool.write(&piece).unwrap();
        }
        assert!(folder.join(&name).exists());
        assert_eq!(spool.length(), 1_000_000);
        assert_eq!(spool.read(300_000, 100_000).unwrap(), piece);
        assert_eq!(spool.read(999_990, 100).unwrap(), piece[piece.len() - 10..]);
        spool.clear().unwrap();
        spool.write(b"new").unwrap();
        assert_eq!(spool.read(0, 9).unwrap(), b"new");
        drop(spool);
        assert!(!folder.join(&name).exists());
    }

    #[test]
    fn a_kept_file_replaces_what_stood_there() {
        let folder = std::env::temp_dir();
        let (name, kept) = (
            format!("whimbrel-temporary-{}", std::process::id()),
            folder.join(format!("whimbrel-kept-{}", std::process::id())),
        );
        std::fs::write(&kept, b"old").unwrap();
        let mut file = Temporary::new(&folder, &name).unwrap();
        file.write(b"half").unwrap();
        assert!(Temporary::new(&folder, &name).is_err());
        file.clear().unwrap();
        file.write(b"new").unwrap();
        file.keep(&kept).unwrap();
        assert_eq!(std::fs::read(&kept).unwrap(), b"new");
        assert!(!folder.join(&name).exists());
        std::fs::remove_file(&kept).unwrap();
    }
}

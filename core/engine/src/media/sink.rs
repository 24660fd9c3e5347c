//! From what comes to what the host of this engine gets: decrypted as it comes, and given out when all
//! of it was checked (media document §3.3, §4.2).

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use whimbrel_crypto::media::{Decryptor, Expected, FileHash, MediaError, MediaKeys};

use super::options::MediaTarget;
use super::spool::{Spool, Temporary};

/// How much is copied at once.
const STEP: usize = 128 * 1024;

/// How what comes is opened.
pub(super) enum Opening {
    /// With keys.
    Keys(MediaKeys, Expected),
    /// It is not encrypted.
    Plain(Option<[u8; 32]>),
}

/// Where the bytes go until they are checked.
enum Out {
    File(Temporary, PathBuf),
    Memory(Vec<u8>),
    Spool(Spool, Box<dyn Write + Send>),
}

enum Work {
    Decrypt(Box<Decryptor>),
    Hash(FileHash, Option<[u8; 32]>),
}

/// Takes a file in.
pub(super) struct Sink {
    out: Out,
    work: Work,
    buffer: Vec<u8>,
}

/// What a file turned out to be.
pub(super) struct Finished {
    pub(super) length: u64,
    pub(super) sha256: [u8; 32],
    pub(super) bytes: Option<Bytes>,
}

/// Why a file was not given out.
pub(super) enum SinkError {
    /// It is not what the message announces. The sink can begin anew.
    Wrong(MediaError, Box<Sink>),
    /// It is longer than was allowed.
    TooLong,
    /// It could not be written.
    Local(io::Error),
}

fn work(opening: &Opening) -> Work {
    match opening {
        Opening::Keys(keys, expected) => Work::Decrypt(Box::new(Decryptor::new(keys, expected))),
        Opening::Plain(expected) => Work::Hash(FileHash::new(), *expected),
    }
}

impl Sink {
    /// Begins a file. Temporary files lie beside what they become, else in `folder`.
    pub(super) fn new(
        target: MediaTarget,
        opening: &Opening,
        folder: PathBuf,
        name: String,
    ) -> io::Result<Self> {
        let out = match target {
            MediaTarget::Memory => Out::Memory(Vec::new()),
            MediaTarget::Writer(writer) => Out::Spool(Spool::new(folder, name), writer),
            MediaTarget::Path(path) => {
                if path.file_name().is_none() {
                    return Err(io::Error::new(io::ErrorKind::InvalidInput, "the path names no file"));
                }
                let beside = path.parent().filter(|parent| !parent.as_os_str().is_empty());
                Out::File(Temporary::new(beside.unwrap_or(Path::new(".")), &name)?, path)
            }
        };
        Ok(Self { out, work: work(opening), buffer: Vec::new() })
    }

    /// Begins anew.
    pub(super) fn restart(&mut self, opening: &Opening) -> io::Result<()> {
        self.work = work(opening);
        match &mut self.out {
            Out::File(file, _) => file.clear(),
            Out::Memory(bytes) => {
                bytes.clear();
                Ok(())
            }
            Out::Spool(spool, _) => spool.clear(),
        }
    }

    /// Takes the next octets.
    pub(super) fn write(&mut self, chunks: &[Bytes]) -> io::Result<()> {
        for chunk in chunks {
            match (&mut self.work, &mut self.out) {
                // Decrypted where they stay.
                (Work::Decrypt(decryptor), Out::Memory(bytes)) => decryptor.update(chunk, bytes),
                (Work::Decrypt(decryptor), out) => {
                    decryptor.update(chunk, &mut self.buffer);
                    out.write(&self.buffer)?;
                    self.buffer.clear();
                }
                (Work::Hash(hash, _), out) => {
                    hash.update(chunk);
                    out.write(chunk)?;
                }
            }
        }
        Ok(())
    }

    /// Checks the whole, and gives it out if it is not longer than `most`.
    pub(super) fn finish(mut self, opening: &Opening, most: u64) -> Result<Finished, SinkError> {
        let checked = match std::mem::replace(&mut self.work, work(opening)) {
            Work::Decrypt(decryptor) => {
                decryptor.finish(&mut self.buffer).map(|made| (made.file_sha256, made.file_length))
            }
            Work::Hash(hash, expected) => {
                hash.finish(expected.as_ref()).map(|made| (made.file_sha256, made.file_length))
            }
        };
        let (sha256, length) = match checked {
            Ok(checked) => checked,
            Err(error) => {
                self.buffer.clear();
                return Err(SinkError::Wrong(error, Box::new(self)));
            }
        };
        // What came may be some octets longer than the file, so this is known only now.
        if length > most {
            return Err(SinkError::TooLong);
        }
        self.out.write(&self.buffer).map_err(SinkError::Local)?;
        let bytes = self.out.give().map_err(SinkError::Local)?;
        Ok(Finished { length, sha256, bytes })
    }
}

impl Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::File(file, _) => file.write(bytes),
            Self::Memory(out) => {
                out.extend_from_slice(bytes);
                Ok(())
            }
            Self::Spool(spool, _) => spool.write(bytes),
        }
    }

    fn give(self) -> io::Result<Option<Bytes>> {
        match self {
            Self::Memory(bytes) => return Ok(Some(bytes.into())),
            Self::File(file, path) => file.keep(&path)?,
            Self::Spool(mut spool, mut writer) => {
                let mut at = 0;
                loop {
                    let piece = spool.read(at, STEP)?;
                    if piece.is_empty() {
                        break;
                    }
                    writer.write_all(&piece)?;
                    at = at.saturating_add(piece.len() as u64);
                }
                writer.flush()?;
            }
        }
        Ok(None)
    }
}

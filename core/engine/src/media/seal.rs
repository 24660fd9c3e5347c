//! From a source to what is uploaded, in one pass and with bounded memory (media document §4.1).

use std::fs::File;
use std::io::{self, Read};
use std::sync::{Arc, Mutex};

use bytes::{Buf as _, Bytes};
use whimbrel_content::MediaKind;
use whimbrel_crypto::media::{Encryptor, FileHash, MediaKeys};
use zeroize::Zeroizing;

use super::failure;
use super::options::MediaSource;
use super::spool::Spool;
use crate::client::Inner;
use crate::error::Error;

/// How much is read at once.
const STEP: usize = 128 * 1024;

/// A file that is ready to leave.
pub(super) struct Sealed {
    pub(super) spool: Arc<Mutex<Spool>>,
    /// The key; none for what is not encrypted.
    pub(super) key: Option<Zeroizing<[u8; 32]>>,
    /// Hash of what is uploaded, which names it.
    pub(super) hash: [u8; 32],
    /// Length of what is uploaded.
    pub(super) blob_length: u64,
    pub(super) sha256: [u8; 32],
    pub(super) length: u64,
    pub(super) streaming_sidecar: Option<Vec<u8>>,
    pub(super) first_frame_sidecar: Option<[u8; 10]>,
}

/// Where a file goes. Only what is for messages is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Destination {
    Messages,
    Channels,
    /// The large pictures of businesses.
    CoverPhotos,
}

/// How a file is made ready.
pub(super) struct Manner {
    pub(super) kind: MediaKind,
    pub(super) destination: Destination,
    pub(super) first_frame_length: Option<u64>,
    /// The key that another file has already; one is drawn if there is none.
    pub(super) key: Option<Zeroizing<[u8; 32]>>,
}

enum Work {
    Encrypt(Box<Encryptor>),
    Hash(FileHash),
}

struct Sealing {
    source: Source,
    work: Work,
    spool: Spool,
    input: Zeroizing<Vec<u8>>,
    output: Vec<u8>,
    taken: u64,
}

enum Source {
    Unopened(std::path::PathBuf),
    File(File),
    Bytes(Bytes),
    Reader(Box<dyn Read + Send>),
}

impl Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Self::Unopened(path) = self {
            *self = Self::File(File::open(path)?);
        }
        match self {
            Self::Unopened(_) => Ok(0),
            Self::File(file) => file.read(buffer),
            Self::Reader(reader) => reader.read(buffer),
            Self::Bytes(bytes) => {
                let length = bytes.len().min(buffer.len());
                bytes.copy_to_slice(buffer.get_mut(..length).unwrap_or_default());
                Ok(length)
            }
        }
    }
}

/// Encrypts a file, or only hashes it.
pub(super) async fn seal(client: &Inner, source: MediaSource, manner: &Manner) -> Result<Sealed, Error> {
    let draw = || Zeroizing::new(crate::random::bytes(&mut client.rng()));
    let key: Option<Zeroizing<[u8; 32]>> =
        (manner.destination == Destination::Messages).then(|| manner.key.clone().unwrap_or_else(draw));
    let work = match &key {
        None => Work::Hash(FileHash::new()),
        Some(key) => {
            let keys = MediaKeys::expand(key, manner.kind);
            let mut encryptor = Encryptor::new(&keys);
            if manner.kind.has_sidecar() {
                encryptor = encryptor.with_sidecar(&keys);
            }
            if let Some(length) = manner.first_frame_length {
                encryptor = encryptor.with_first_frame(&keys, length);
            }
            Work::Encrypt(Box::new(encryptor))
        }
    };
    let spool = Spool::new(client.options.temporary_folder(), super::temporary_name(client));
    let source = match source {
        MediaSource::Path(path) => Source::Unopened(path),
        MediaSource::Bytes(bytes) => Source::Bytes(bytes),
        MediaSource::Reader(reader) => Source::Reader(reader),
    };
    let input = Zeroizing::new(vec![0; STEP]);
    let mut sealing = Sealing { source, work, spool, input, output: Vec::new(), taken: 0 };
    loop {
        // Step by step, so that a call that was given up stops soon.
        let stepped = tokio::task::spawn_blocking(move || sealing.step());
        let (next, ended) = stepped.await.map_err(failure::worker)?.map_err(failure::local)?;
        if next.taken > super::LONGEST {
            return Err(failure::too_large());
        }
        if ended {
            let finished = tokio::task::spawn_blocking(move || next.finish(key));
            return finished.await.map_err(failure::worker)?.map_err(failure::local);
        }
        sealing = next;
    }
}

impl Sealing {
    /// Takes the next bytes. Says whether there were none.
    fn step(mut self) -> io::Result<(Self, bool)> {
        let read = loop {
            match self.source.read(&mut self.input) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        let chunk = self.input.get(..read).unwrap_or_default();
        self.taken = self.taken.saturating_add(read as u64);
        match &mut self.work {
            Work::Encrypt(encryptor) => {
                encryptor.update(chunk, &mut self.output);
                self.spool.write(&self.output)?;
                self.output.clear();
            }
            Work::Hash(hash) => {
                hash.update(chunk);
                self.spool.write(chunk)?;
            }
        }
        Ok((self, read == 0))
    }

    fn finish(mut self, key: Option<Zeroizing<[u8; 32]>>) -> io::Result<Sealed> {
        let mut sealed = match self.work {
            Work::Encrypt(encryptor) => {
                let made = encryptor.finish(&mut self.output);
                self.spool.write(&self.output)?;
                Sealed {
                    hash: made.file_enc_sha256,
                    sha256: made.file_sha256,
                    length: made.file_length,
                    streaming_sidecar: made.streaming_sidecar,
                    first_frame_sidecar: made.first_frame_sidecar,
                    blob_length: 0,
                    key,
                    spool: Arc::new(Mutex::new(self.spool)),
                }
            }
            Work::Hash(hash) => {
                let made = hash.finish(None).map_err(io::Error::other)?;
                Sealed {
                    hash: made.file_sha256,
                    sha256: made.file_sha256,
                    length: made.file_length,
                    streaming_sidecar: None,
                    first_frame_sidecar: None,
                    blob_length: 0,
                    key: None,
                    spool: Arc::new(Mutex::new(self.spool)),
                }
            }
        };
        sealed.blob_length = sealed.spool.lock().unwrap_or_else(std::sync::PoisonError::into_inner).length();
        Ok(sealed)
    }
}

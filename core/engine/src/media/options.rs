//! Where files come from and go to, and how.

use std::fmt;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;

use super::progress::Progress;
use crate::options::Cancel;
use crate::stickers::StickerInfo;

/// Where the bytes of a file come from.
#[non_exhaustive]
pub enum MediaSource {
    /// A file.
    Path(PathBuf),
    /// Memory.
    Bytes(Bytes),
    /// Anything else, read once and to its end on a thread for blocking work; while it makes wait, that
    /// thread waits.
    Reader(Box<dyn Read + Send>),
}

impl fmt::Debug for MediaSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(_) => f.write_str("Path(..)"),
            Self::Bytes(bytes) => f.debug_struct("Bytes").field("length", &bytes.len()).finish(),
            Self::Reader(_) => f.write_str("Reader(..)"),
        }
    }
}

impl From<&Path> for MediaSource {
    fn from(path: &Path) -> Self {
        Self::Path(path.to_owned())
    }
}

impl From<PathBuf> for MediaSource {
    fn from(path: PathBuf) -> Self {
        Self::Path(path)
    }
}

impl From<Vec<u8>> for MediaSource {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes.into())
    }
}

impl From<Bytes> for MediaSource {
    fn from(bytes: Bytes) -> Self {
        Self::Bytes(bytes)
    }
}

/// Where the bytes of a file go to.
#[non_exhaustive]
pub enum MediaTarget {
    /// A file. It appears when all of it was checked; what stood there is replaced then.
    Path(PathBuf),
    /// Memory: [`Downloaded::bytes`](super::Downloaded::bytes).
    Memory,
    /// Anything else. It gets its first byte when all of the file was checked, on a thread for blocking
    /// work; until then the file lies in a temporary one.
    Writer(Box<dyn Write + Send>),
}

impl fmt::Debug for MediaTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Path(_) => "Path(..)",
            Self::Memory => "Memory",
            Self::Writer(_) => "Writer(..)",
        })
    }
}

/// Options of an upload.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct UploadOptions {
    /// What the file is, such as `image/jpeg`. `None`: what its first bytes say, else
    /// `application/octet-stream`.
    pub mimetype: Option<String>,
    /// For a channel: the file is not encrypted, as everybody may read it. Default `false`.
    pub newsletter: bool,
    /// Where the first picture of an animated sticker ends, in bytes, for its code;
    /// [`Description::first_frame_length`](super::Description::first_frame_length) says it.
    pub first_frame_length: Option<u64>,
    /// What a sticker is to say of itself and of its pack, in place of what it says; only for
    /// [`attach`](crate::Client::attach), and for WebP of at most a MiB.
    pub sticker: Option<StickerInfo>,
    /// A name of the host's for this transfer: with one,
    /// [`MediaProgress`](crate::events::EventKind::MediaProgress) events tell how far it is.
    pub transfer: Option<String>,
    /// Tells how far the transfer is.
    pub progress: Option<Progress>,
    /// Deadline, from the moment of the call. `None`: as long as there is progress.
    pub timeout: Option<Duration>,
    /// What cancels the call.
    pub cancel: Option<Cancel>,
}

/// Options of a download.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DownloadOptions {
    /// Longest file to take. Default: 2 GiB, which is the most that phones send.
    pub max_length: u64,
    /// Ask the phone to upload the file again when it is gone, if the reference names its message.
    /// Default `true`. When many old files are gone, phones get busy: ask for them one by one.
    pub ask_phone: bool,
    /// A name of the host's for this transfer: with one,
    /// [`MediaProgress`](crate::events::EventKind::MediaProgress) events tell how far it is.
    pub transfer: Option<String>,
    /// Tells how far the transfer is.
    pub progress: Option<Progress>,
    /// Deadline, from the moment of the call. `None`: as long as there is progress.
    pub timeout: Option<Duration>,
    /// What cancels the call.
    pub cancel: Option<Cancel>,
}

impl Default for DownloadOptions {
    fn default() -> Self {
        Self {
            max_length: super::LONGEST,
            ask_phone: true,
            transfer: None,
            progress: None,
            timeout: None,
            cancel: None,
        }
    }
}

/// Options of reading a part of a file.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ReadOptions {
    /// The codes of the file's parts, from its message: only with them can a part be checked.
    pub streaming_sidecar: Option<Vec<u8>>,
    /// Deadline, from the moment of the call. `None`: as long as there is progress.
    pub timeout: Option<Duration>,
    /// What cancels the call.
    pub cancel: Option<Cancel>,
}

//! Files of messages: up to the media hosts, down from them, and again from the phone when they are
//! gone (media document §4–§9).
//!
//! A file is encrypted on its way into a temporary file (in memory while it is short) and uploaded
//! from there, so that an upload that breaks goes on where it was, with the same bytes. A download is
//! decrypted as it comes, into a file that gets its name when everything about it was checked.
//! Whatever the length of a file, less than a MiB of it is in memory.
//!
//! ```no_run
//! use whimbrel::media::{DownloadOptions, MediaKind, MediaTarget, UploadOptions};
//! # async fn example(client: whimbrel::Client) -> Result<(), whimbrel::Error> {
//! let picture = std::path::Path::new("finch.jpg");
//! let uploaded = client.upload(picture, MediaKind::Image, UploadOptions::default()).await?;
//! // One text that says where the file is and how it is opened.
//! let reference = uploaded.reference.to_text();
//! # drop(reference);
//! let target = MediaTarget::Path("copy.jpg".into());
//! client.download(&uploaded.reference, target, DownloadOptions::default()).await?;
//! # Ok(())
//! # }
//! ```

mod address;
mod appstate;
mod attach;
mod connection;
mod cover;
mod describe;
mod download;
pub(crate) mod failure;
mod fetch;
mod history;
mod options;
mod phone;
mod progress;
mod range;
mod seal;
mod sink;
mod spool;
mod stanza;
mod store;
mod upload;

pub use whimbrel_content::kinds::media::Media;
pub use whimbrel_content::reference::ReferenceError;
pub use whimbrel_content::{MediaKind, MediaReference};

pub use attach::Attached;
pub(crate) use describe::{Again, PictureInput, on as on_source, read_whole};
pub use describe::{Description, Preview};
pub use download::Downloaded;
pub use options::{DownloadOptions, MediaSource, MediaTarget, ReadOptions, UploadOptions};
pub use progress::{Progress, Transferred};
pub use range::Part;
pub use upload::Uploaded;
pub(crate) use upload::upload_with_key;

use std::fmt::Write as _;
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use crate::client::{Client, Inner};
use crate::error::{Code, Error};
use crate::options::Cancel;
pub(crate) use appstate::{fetch_bytes, store_bytes};
pub(crate) use attach::file_of;
use connection::MediaHosts;
pub(crate) use cover::post_cover;
pub(crate) use history::{PieceDeletion, ask_for_piece, delete_piece, fetch_piece};
use phone::PhoneRequests;
pub(crate) use store::Posted;

/// Longest file: what phones send.
const LONGEST: u64 = 2 << 30;

/// Pictures that may be decoded at a time: each may take some dozens of MiB.
const DESCRIPTIONS: usize = 2;

/// What a client knows about media.
pub(crate) struct MediaState {
    pub(crate) hosts: MediaHosts,
    pub(crate) phone: PhoneRequests,
    describing: Semaphore,
}

impl Default for MediaState {
    fn default() -> Self {
        Self {
            hosts: MediaHosts::default(),
            phone: PhoneRequests::default(),
            describing: Semaphore::new(DESCRIPTIONS),
        }
    }
}

impl MediaState {
    /// Waits until a picture may be decoded; the turn ends when what is returned is dropped.
    pub(crate) async fn decoding_turn(&self) -> Result<SemaphorePermit<'_>, Error> {
        self.describing.acquire().await.map_err(|_| crate::client::cancelled())
    }
}

/// A name for a temporary file that nobody guesses.
pub(crate) fn temporary_name(client: &Inner) -> String {
    let random: [u8; 16] = crate::random::bytes(&mut client.rng());
    let mut name = String::from(".whimbrel-");
    for octet in random {
        // Writing to a string cannot fail.
        let _ = write!(name, "{octet:02x}");
    }
    name.push_str(".part");
    name
}

impl Client {
    /// Runs a transfer: it ends at its deadline, if it has one, or when it is cancelled, and what it
    /// had made goes with it. Silence of the hosts ends it by itself.
    pub(crate) async fn transfer<T: Send + 'static, F: Future<Output = Result<T, Error>> + Send + 'static>(
        &self,
        operation: &'static str,
        timeout: Option<Duration>,
        cancel: Option<Cancel>,
        work: impl FnOnce(std::sync::Arc<Inner>, Instant) -> F + Send + 'static,
    ) -> Result<T, Error> {
        if let Some(cancel) = &cancel {
            cancel.heed();
        }
        let timeout = timeout.unwrap_or(crate::client::LONGEST_TIMEOUT);
        let running = |client: std::sync::Arc<Inner>, deadline| async move {
            let cancelled = async {
                match &cancel {
                    Some(cancel) => cancel.cancelled().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = cancelled => Err(Error::new(Code::Cancelled, "the transfer was cancelled")),
                result = work(client, deadline) => result,
                () = tokio::time::sleep_until(deadline) => {
                    Err(Error::new(Code::TimedOut, "the transfer did not end in time"))
                }
            }
        };
        self.call(operation, Some(timeout), running).await
    }
}

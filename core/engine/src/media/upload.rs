//! Uploading: what the host of this engine calls.

use std::sync::Arc;

use tokio::time::Instant;
use whimbrel_content::kinds::media::Media;
use whimbrel_content::{MediaKind, MediaReference, Secret};

use super::describe::{self, Again};
use super::options::{MediaSource, UploadOptions};
use super::progress::Meter;
use super::seal::{self, Destination, Manner};
use super::{address, store};
use crate::client::{Client, Inner};
use crate::clock;
use crate::error::{Code, Error};
use crate::events::MediaDirection;
use zeroize::Zeroizing;

/// What a file is sent as when nothing is known of it.
const UNKNOWN: &str = "application/octet-stream";

/// A file on the media hosts, to be sent in messages.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Uploaded {
    /// Where it is, and with which key it is opened.
    pub reference: MediaReference,
    /// Codes of its parts, for messages with sound or film.
    pub streaming_sidecar: Option<Vec<u8>>,
    /// Code of the first picture of an animated sticker, if its length was given.
    pub first_frame_sidecar: Option<Vec<u8>>,
    /// What messages of channels name it by.
    pub handle: Option<String>,
}

impl Client {
    /// Encrypts a file and uploads it, to be sent in messages. The hosts keep it for some weeks.
    ///
    /// An upload that breaks goes on where it was, at the same host or another one. Repeating a call
    /// that failed is safe: nobody knows of what it may have left at the hosts.
    ///
    /// # Errors
    /// [`Code::FileFailed`] when the source cannot be read, [`Code::MediaTooLarge`],
    /// [`Code::MediaUnreachable`] or [`Code::MediaRefused`] when no host took it,
    /// [`Code::RateLimited`], [`Code::Cancelled`] and those of a client without a connection.
    pub async fn upload(
        &self,
        source: impl Into<MediaSource>,
        kind: MediaKind,
        options: UploadOptions,
    ) -> Result<Uploaded, Error> {
        let source = source.into();
        let again = Again::of(&source);
        let (timeout, cancel) = (options.timeout, options.cancel.clone());
        let upload = move |client: Arc<Inner>, deadline| async move {
            let mut options = options;
            if let (None, Some(again)) = (&options.mimetype, again) {
                options.mimetype = describe::mimetype(again).await.map(str::to_owned);
            }
            run(client, source, kind, options, None, deadline).await
        };
        self.transfer("upload", timeout, cancel, upload).await
    }
}

/// Uploads a file that shares its key with another one.
pub(crate) async fn upload_with_key(
    client: Arc<Inner>,
    source: MediaSource,
    kind: MediaKind,
    options: UploadOptions,
    key: [u8; 32],
    deadline: Instant,
) -> Result<Uploaded, Error> {
    run(client, source, kind, options, Some(Zeroizing::new(key)), deadline).await
}

/// Uploads a file.
pub(super) async fn run(
    client: Arc<Inner>,
    source: MediaSource,
    kind: MediaKind,
    options: UploadOptions,
    key: Option<Zeroizing<[u8; 32]>>,
    deadline: Instant,
) -> Result<Uploaded, Error> {
    let destination = if options.newsletter { Destination::Channels } else { Destination::Messages };
    if address::upload(kind, destination, &[0; 32]).is_none() {
        return Err(Error::new(Code::InvalidArgument, "files of this kind are not uploaded"));
    }
    client.linked_account()?;
    let mimetype = options.mimetype.unwrap_or_else(|| UNKNOWN.to_owned());
    let UploadOptions { first_frame_length, transfer, progress, .. } = options;
    let manner = Manner { kind, destination, first_frame_length, key };
    let sealed = seal::seal(&client, source, &manner).await?;
    let made_at = clock::now_ms() / 1000;
    let meter = Arc::new(Meter::new(Arc::clone(&client), MediaDirection::Upload, transfer, progress));
    meter.set_total(sealed.blob_length);
    let stored = store::store(&client, &sealed, &manner, &meter, deadline).await?;
    meter.set_done(sealed.blob_length);
    let media = Media {
        url: stored.url,
        direct_path: stored.direct_path,
        key_timestamp: sealed.key.is_some().then_some(made_at),
        encrypted_sha256: sealed.key.is_some().then(|| sealed.hash.to_vec()),
        key: sealed.key.as_ref().map(|key| Secret::from(**key)),
        sha256: Some(sealed.sha256.to_vec()),
        length: Some(sealed.length),
        mimetype: Some(mimetype),
    };
    Ok(Uploaded {
        reference: MediaReference::new(kind, media),
        streaming_sidecar: sealed.streaming_sidecar,
        first_frame_sidecar: sealed.first_frame_sidecar.map(|code| code.to_vec()),
        handle: stored.handle,
    })
}

//! Files of app state: snapshots and long patches, which are read and written by the engine itself.

use std::sync::Arc;

use tokio::time::Instant;
use whimbrel_content::{MediaKind, MediaReference};
use whimbrel_proto::syncd::ExternalBlobReference;

use super::options::{DownloadOptions, MediaTarget, UploadOptions};
use super::{download, upload};
use crate::client::Inner;
use crate::error::{Code, Error};

/// Longest file: a hundred thousand entries with long names are less.
const LONGEST: u64 = 64 << 20;

/// Downloads a file into memory.
pub(crate) async fn fetch_bytes(
    client: &Arc<Inner>,
    reference: MediaReference,
    deadline: Instant,
) -> Result<Vec<u8>, Error> {
    // Nobody uploads these files again; the service makes them anew.
    let options = DownloadOptions { ask_phone: false, max_length: LONGEST, ..DownloadOptions::default() };
    let got = download::run(Arc::clone(client), reference, MediaTarget::Memory, options, deadline).await?;
    let bytes = got.bytes.ok_or_else(|| Error::new(Code::Internal, "a file in memory has no bytes"))?;
    Ok(bytes.to_vec())
}

/// Uploads a file, and tells where it is.
pub(crate) async fn store_bytes(
    client: &Arc<Inner>,
    bytes: Vec<u8>,
    deadline: Instant,
) -> Result<ExternalBlobReference, Error> {
    let options = UploadOptions::default();
    let kind = MediaKind::AppState;
    let stored = upload::run(Arc::clone(client), bytes.into(), kind, options, None, deadline).await?;
    let media = stored.reference.media;
    Ok(ExternalBlobReference {
        media_key: media.key.as_ref().and_then(|key| key.key()).map(|key| key.to_vec()),
        direct_path: media.direct_path,
        handle: stored.handle,
        file_size_bytes: media.length,
        file_sha256: media.sha256,
        file_enc_sha256: media.encrypted_sha256,
    })
}

//! Files from and into memory: what bindings do beside the operations, because bytes never travel in
//! JSON.

use serde::Deserialize;
use whimbrel::media::{DownloadOptions, MediaTarget, UploadOptions};
use whimbrel::{CallOptions, Client, Code, Error};

use crate::operations::{DownloadedMedia, MediaKind, UploadedMedia, media_reference};

/// As the operation `upload_media`, without a path.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Upload {
    kind: MediaKind,
    #[serde(default)]
    mimetype: Option<String>,
    #[serde(default)]
    newsletter: bool,
    #[serde(default)]
    transfer: Option<String>,
}

/// As the operation `download_media`, without a path.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Download {
    reference: String,
    #[serde(default)]
    max_length: Option<u64>,
    #[serde(default)]
    ask_phone: Option<bool>,
    #[serde(default)]
    transfer: Option<String>,
}

fn read<'r, T: Deserialize<'r>>(request: &'r str) -> Result<T, Error> {
    serde_json::from_str(request).map_err(|error| {
        // serde's text names fields and positions, and quotes at most the offending word.
        Error::new(Code::InvalidArgument, format!("the request is malformed: {error}"))
    })
}

fn written<T: serde::Serialize>(answer: &T) -> Result<String, Error> {
    serde_json::to_string(answer)
        .map_err(|error| Error::new(Code::Internal, "the answer could not be written").because(error))
}

/// Uploads bytes. Request and answer are those of `upload_media`, without the path.
///
/// # Errors
/// Those of [`Client::upload`].
pub async fn upload(
    client: &Client,
    request: &str,
    bytes: Vec<u8>,
    options: CallOptions,
) -> Result<String, Error> {
    let run = async {
        let request: Upload = read(request)?;
        let mut upload = UploadOptions::default();
        upload.mimetype = request.mimetype;
        upload.newsletter = request.newsletter;
        upload.transfer = request.transfer;
        upload.timeout = options.timeout;
        upload.cancel = options.cancel;
        let uploaded = client.upload(bytes, request.kind.into(), upload).await?;
        written(&UploadedMedia::from(uploaded))
    };
    run.await.map_err(|error: Error| error.in_operation("upload_media"))
}

/// A file in memory. Printing it does not show its bytes.
pub struct Downloaded {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What `download_media` answers.
    pub json: String,
    /// The reference from now on, if the phone had to upload the file again.
    pub moved: Option<String>,
}

impl std::fmt::Debug for Downloaded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Downloaded").field("length", &self.bytes.len()).finish_non_exhaustive()
    }
}

/// Downloads a file into memory. The request is that of `download_media`, without the path.
///
/// # Errors
/// Those of [`Client::download`].
pub async fn download(client: &Client, request: &str, options: CallOptions) -> Result<Downloaded, Error> {
    let run = async {
        let request: Download = read(request)?;
        let reference = media_reference(&request.reference)?;
        let mut download = DownloadOptions::default();
        download.max_length = request.max_length.unwrap_or(download.max_length);
        download.ask_phone = request.ask_phone.unwrap_or(download.ask_phone);
        download.transfer = request.transfer;
        download.timeout = options.timeout;
        download.cancel = options.cancel;
        let mut downloaded = client.download(&reference, MediaTarget::Memory, download).await?;
        let bytes = downloaded.bytes.take().map(Vec::from).unwrap_or_default();
        let answer = DownloadedMedia::from(&downloaded);
        Ok(Downloaded { bytes, json: written(&answer)?, moved: answer.moved })
    };
    run.await.map_err(|error: Error| error.in_operation("download_media"))
}

//! Reading a picture: a plain JPEG, without keys and tokens.

use std::time::Duration;

use whimbrel_wire::Jid;

use super::lookup::{FoundPicture, Picture, PictureOptions, PictureSize};
use crate::client::Client;
use crate::error::{Code, Error};
use crate::media::{DownloadOptions, Media, MediaKind, MediaReference, MediaTarget};
use crate::options::{CallOptions, Cancel};

/// Longest picture that is taken.
const LONGEST: u64 = 4 << 20;

/// A picture that was read.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DownloadedPicture {
    /// Names this picture.
    pub id: String,
    /// Its length.
    pub length: u64,
    /// Its bytes, for [`MediaTarget::Memory`]: JPEG.
    pub bytes: Option<bytes::Bytes>,
}

impl std::fmt::Debug for DownloadedPicture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DownloadedPicture").field("id", &self.id).field("length", &self.length).finish()
    }
}

impl Client {
    /// Looks a picture up and reads it. `None`: there is none, or it is hidden.
    ///
    /// # Errors
    /// Those of [`picture`](Self::picture), and those of [`download`](Self::download) about hosts and files.
    pub async fn download_picture(
        &self,
        owner: &Jid,
        size: PictureSize,
        target: MediaTarget,
        options: CallOptions,
    ) -> Result<Option<DownloadedPicture>, Error> {
        let CallOptions { timeout, cancel, .. } = options;
        let lookup = PictureOptions { timeout, ..PictureOptions::default() };
        match self.picture(owner, size, lookup).await? {
            FoundPicture::Picture(found) => self.read(found, target, timeout, cancel).await.map(Some),
            _ => Ok(None),
        }
    }

    async fn read(
        &self,
        found: Picture,
        target: MediaTarget,
        timeout: Option<Duration>,
        cancel: Option<Cancel>,
    ) -> Result<DownloadedPicture, Error> {
        let media = Media { url: Some(found.url), direct_path: found.direct_path, ..Media::default() };
        let reference = MediaReference::new(MediaKind::Image, media);
        let download = DownloadOptions {
            max_length: LONGEST,
            ask_phone: false,
            timeout,
            cancel,
            ..DownloadOptions::default()
        };
        let read = self.download(&reference, target, download).await;
        let read = read.map_err(|error| match error.code() {
            Code::MediaGone => {
                Error::new(Code::MediaGone, "the picture is another one by now; look it up again")
            }
            _ => error,
        })?;
        Ok(DownloadedPicture { id: found.id, length: read.length, bytes: read.bytes })
    }
}

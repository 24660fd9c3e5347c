//! The large picture of this business's profile.

use tokio::time::Instant;
use whimbrel_media::{ThumbnailError, ThumbnailOptions};

use super::stanza;
use crate::client::Client;
use crate::error::{Code, Error};
use crate::groups::left;
use crate::media::{self, MediaSource, PictureInput};
use crate::options::CallOptions;

/// Longest edge of the picture, in pixels: those of official clients are shown at half of it.
const EDGE: u16 = 1280;

impl Client {
    /// Sets the large picture of this business's profile, in the place of the one that is there. A JPEG,
    /// PNG, WebP or GIF of at most 16 MiB and 25 megapixels is made at most 1280 pixels long and wide.
    /// Returns the picture's id, by which it is removed.
    ///
    /// # Errors
    /// [`Code::MediaUnsupported`] for what is no such picture; [`Code::FileFailed`] when it cannot be read;
    /// those of [`upload`](Self::upload); [`Code::Forbidden`] if this account is no business;
    /// [`Code::Refused`]; [`Code::NotLinked`]; [`Code::TimedOut`]. Repeating is safe.
    pub async fn set_cover_photo(
        &self,
        picture: impl Into<MediaSource>,
        options: CallOptions,
    ) -> Result<String, Error> {
        let input = PictureInput::of(&picture.into());
        self.call("set_cover_photo", options.timeout, move |client, deadline: Instant| async move {
            client.linked_account()?;
            let jpeg = input.made(&client, smaller).await?;
            let posted = media::post_cover(&client, jpeg, deadline).await?;
            let connection = client.wait_for_connection(deadline).await?;
            let request = stanza::set_cover_photo(&posted);
            connection.request(client.request_ids.next(), request, left(deadline)).await?;
            Ok(posted.id)
        })
        .await
    }

    /// Takes the large picture of this business's profile away, by its id.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`]; [`Code::Forbidden`] if this account is no business; [`Code::NotFound`];
    /// [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn remove_cover_photo(&self, id: &str, options: CallOptions) -> Result<(), Error> {
        let operation = "remove_cover_photo";
        if id.is_empty() {
            return Err(Error::new(Code::InvalidArgument, "no picture is named").in_operation(operation));
        }
        self.ask_business(operation, stanza::remove_cover_photo(id), |_| Some(()), options).await
    }
}

fn smaller(picture: &[u8], max_pixels: u64) -> Result<Vec<u8>, ThumbnailError> {
    let options = ThumbnailOptions { longest_edge: EDGE, quality: 80, max_pixels };
    whimbrel_media::thumbnail(picture, &options).map(|made| made.jpeg)
}

//! Setting and removing pictures. Whatever the host gives becomes what the service takes: a square JPEG of
//! at most 640 pixels.

use std::time::Duration;

use tokio::time::Instant;
use whimbrel_media::ThumbnailOptions;
use whimbrel_wire::{Jid, Node};

use super::stanza;
use crate::client::{Client, Inner};
use crate::connection::Connection;
use crate::error::{Code, Error, Outcome};
use crate::media::{MediaSource, PictureInput};
use crate::options::CallOptions;

/// The edge of a picture (media document §15).
const EDGE: u16 = 640;
/// Qualities to try until the picture is short enough.
const QUALITIES: [u8; 3] = [80, 60, 35];
/// Longest picture: peers send some dozens of KiB.
const LONGEST: usize = 300 * 1024;

impl Client {
    /// Sets the picture of this account, or with `group` that of a group. A JPEG, PNG, WebP or GIF of at
    /// most 16 MiB and 25 megapixels is cut to the square in its middle and made at most 640 pixels wide.
    /// Returns the picture's id. The other devices of the account, and those who may see it, are told.
    ///
    /// # Errors
    /// [`Code::MediaUnsupported`] for what is no such picture, [`Code::FileFailed`] when it cannot be read;
    /// [`Code::InvalidArgument`] for an address that is no group's; [`Code::Forbidden`] if this account may not
    /// change the group; [`Code::NotFound`]; [`Code::Refused`]; [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn set_picture(
        &self,
        group: Option<&Jid>,
        picture: impl Into<MediaSource>,
        options: CallOptions,
    ) -> Result<String, Error> {
        let operation = "set_picture";
        let target = target(group).map_err(|error| error.in_operation(operation))?;
        let input = PictureInput::of(&picture.into());
        self.call(operation, options.timeout, move |client, deadline| async move {
            client.linked_account()?;
            let jpeg = input.made(&client, square).await?;
            let connection = client.wait_for_connection(deadline).await?;
            let left = deadline.saturating_duration_since(Instant::now());
            let request = stanza::set(target.as_ref(), jpeg);
            let answer = request_change(&client, &connection, request, left).await?;
            stanza::set_id(&answer).ok_or_else(|| {
                let message = "the service did not say which picture it set";
                Error::new(Code::Refused, message).with_outcome(Outcome::Unknown)
            })
        })
        .await
    }

    /// Removes the picture of this account, or with `group` that of a group. That there is none is no error.
    ///
    /// # Errors
    /// As [`set_picture`](Self::set_picture), but for those about the file.
    pub async fn remove_picture(&self, group: Option<&Jid>, options: CallOptions) -> Result<(), Error> {
        let operation = "remove_picture";
        let target = target(group).map_err(|error| error.in_operation(operation))?;
        self.call(operation, options.timeout, move |client, deadline| async move {
            client.linked_account()?;
            let connection = client.wait_for_connection(deadline).await?;
            let left = deadline.saturating_duration_since(Instant::now());
            request_change(&client, &connection, stanza::remove(target.as_ref()), left).await.map(drop)
        })
        .await
    }
}

/// The group; the own picture has no target, as in peers.
fn target(group: Option<&Jid>) -> Result<Option<Jid>, Error> {
    let Some(group) = group.map(Jid::to_bare) else { return Ok(None) };
    if group.is_group() {
        Ok(Some(group))
    } else {
        Err(Error::new(Code::InvalidArgument, "the address is not that of a group"))
    }
}

async fn request_change(
    client: &Inner,
    connection: &Connection,
    request: Node,
    left: Duration,
) -> Result<Node, Error> {
    connection.request(client.request_ids.next(), request, left).await.map_err(|error| {
        match error.service_status() {
            // Rights, in both of the service's ways.
            401 => Error::new(Code::Forbidden, "this account may not change the picture")
                .with_service_status(401)
                .with_outcome(Outcome::Refused),
            406 => Error::new(Code::MediaUnsupported, "the service does not take this picture")
                .with_service_status(406)
                .with_outcome(Outcome::Refused),
            _ => error,
        }
    })
}

pub(crate) fn square(picture: &[u8], most_pixels: u64) -> Result<Vec<u8>, whimbrel_media::ThumbnailError> {
    let mut jpeg = Vec::new();
    for quality in QUALITIES {
        let options = ThumbnailOptions { longest_edge: EDGE, quality, max_pixels: most_pixels };
        jpeg = whimbrel_media::square(picture, &options)?.jpeg;
        if jpeg.len() <= LONGEST {
            break;
        }
    }
    Ok(jpeg)
}

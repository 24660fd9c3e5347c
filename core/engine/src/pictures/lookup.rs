//! Asking for a picture.

use std::time::Duration;

use tokio::time::Instant;
use whimbrel_wire::Jid;

use super::stanza::{self, Answer};
use crate::client::Client;
use crate::error::{Code, Error, Outcome};
use crate::properties::Property;
use crate::tokens::Credential;

/// How large a picture is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PictureSize {
    /// About 96 pixels wide.
    #[default]
    Preview,
    /// As it was set: up to 640 pixels wide.
    Full,
}

impl PictureSize {
    fn name(self) -> &'static str {
        match self {
            Self::Preview => "preview",
            Self::Full => "image",
        }
    }
}

/// How a picture is looked up.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct PictureOptions {
    /// The id of the picture that is known already: if it is still that one, nothing more is told.
    pub known_id: Option<String>,
    /// Deadline, from the moment of the call. `None`: that of the client.
    pub timeout: Option<Duration>,
}

/// A picture of a person or group.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Picture {
    /// Names this picture; another one has another id.
    pub id: String,
    /// Where it is, for some days: a plain JPEG that anybody who has the address can read.
    pub url: String,
    /// Its path on the media hosts.
    pub direct_path: Option<String>,
}

/// What became of looking a picture up.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FoundPicture {
    /// There is one.
    Picture(Picture),
    /// It is still the one with the known id.
    Unchanged,
    /// There is none.
    None,
    /// Its owner does not show it to this account, or there is no such person or group.
    Hidden,
}

impl Client {
    /// Looks up the picture of a person or a group: its id, and where it can be read.
    /// [`download_picture`](Self::download_picture) reads it.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for an address that is neither; [`Code::Refused`]; [`Code::NotLinked`];
    /// [`Code::TimedOut`]. That there is none, or that it is hidden, is no error.
    pub async fn picture(
        &self,
        owner: &Jid,
        size: PictureSize,
        options: PictureOptions,
    ) -> Result<FoundPicture, Error> {
        let operation = "get_picture";
        let target = super::owner(owner).map_err(|error| error.in_operation(operation))?;
        let PictureOptions { known_id, timeout } = options;
        self.call(operation, timeout, move |client, deadline| async move {
            client.linked_account()?;
            let connection = client.wait_for_connection(deadline).await?;
            let token = client.unit(|unit| unit.credential_for(&target, Property::TokenOnPictures, true));
            let token = token.await?.map(Credential::node);
            let request = stanza::ask(&target, size.name(), known_id.as_deref(), token);
            let left = deadline.saturating_duration_since(Instant::now());
            let answer = match connection.request(client.request_ids.next(), request, left).await {
                Ok(answer) => stanza::answer(&answer, known_id.is_some()),
                // Peers take both for "none that is to be seen"; only 404 says that there is none.
                Err(error) => match error.service_status() {
                    404 => Answer::None,
                    401 | 403 => Answer::Hidden,
                    _ => return Err(error),
                },
            };
            Ok(match answer {
                Answer::Found { id, url, direct_path } => {
                    FoundPicture::Picture(Picture { id, url, direct_path })
                }
                Answer::Unchanged => FoundPicture::Unchanged,
                Answer::None => FoundPicture::None,
                Answer::Hidden => FoundPicture::Hidden,
                Answer::Refused(status) => {
                    return Err(Error::new(Code::Refused, "the service did not tell the picture")
                        .with_service_status(status)
                        .with_outcome(Outcome::Refused));
                }
            })
        })
        .await
    }
}

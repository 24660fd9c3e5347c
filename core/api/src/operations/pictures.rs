//! Pictures of people and groups.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use whimbrel::media::MediaTarget;
use whimbrel::pictures::{self, FoundPicture, PictureOptions};
use whimbrel::{CallOptions, Client, Error, Jid, parse_address};

use super::{Done, Operation};

/// How large a picture is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PictureSize {
    /// About 96 pixels wide.
    #[default]
    Preview,
    /// As it was set: up to 640 pixels wide.
    Full,
}

impl From<PictureSize> for pictures::PictureSize {
    fn from(size: PictureSize) -> Self {
        match size {
            PictureSize::Preview => Self::Preview,
            PictureSize::Full => Self::Full,
        }
    }
}

/// What is known of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PictureState {
    /// There is one.
    Exists,
    /// It is still the one with the known id.
    Unchanged,
    /// There is none.
    Missing,
    /// Its owner does not show it to this account, or there is no such person or group.
    Hidden,
}

/// Looks up the picture of a person or a group: its id, and where it can be read. That there is none, or
/// that it is hidden, is no error: look at `state`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetPicture {
    /// Address of the person or group: a JID, or a phone number with its country code.
    #[schemars(extend("format" = "address"))]
    pub owner: String,
    /// How large it is wanted; the preview if it is absent.
    #[serde(default)]
    pub size: Option<PictureSize>,
    /// The id of the picture that is known already: if it is still that one, nothing more is told.
    #[serde(default)]
    pub known_id: Option<String>,
}

/// A picture that was looked up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PictureInfo {
    /// What is known of it.
    pub state: PictureState,
    /// Names the picture; another one has another id.
    pub id: Option<String>,
    /// Where it is, for some days: a plain JPEG that anybody who has the address can read.
    pub url: Option<String>,
}

impl Operation for GetPicture {
    const NAME: &'static str = "get_picture";
    type Output = PictureInfo;

    async fn run(self, client: &Client, options: CallOptions) -> Result<PictureInfo, Error> {
        let owner = parse_address(&self.owner)?;
        let mut lookup = PictureOptions::default();
        lookup.known_id = self.known_id;
        lookup.timeout = options.timeout;
        let found = client.picture(&owner, self.size.unwrap_or_default().into(), lookup).await?;
        let without = |state| PictureInfo { state, id: None, url: None };
        Ok(match found {
            FoundPicture::Picture(found) => {
                PictureInfo { state: PictureState::Exists, id: Some(found.id), url: Some(found.url) }
            }
            FoundPicture::Unchanged => without(PictureState::Unchanged),
            FoundPicture::None => without(PictureState::Missing),
            _ => without(PictureState::Hidden),
        })
    }
}

/// Looks up the picture of a person or a group and reads it: a JPEG.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DownloadPicture {
    /// Address of the person or group: a JID, or a phone number with its country code.
    #[schemars(extend("format" = "address"))]
    pub owner: String,
    /// How large it is wanted; the preview if it is absent.
    #[serde(default)]
    pub size: Option<PictureSize>,
    /// Where to; what stood there is replaced. Without a picture that is to be seen nothing happens to it.
    pub path: String,
}

/// A picture that was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PictureFile {
    /// Whether there is one that is to be seen.
    pub exists: bool,
    /// Names the picture.
    pub id: Option<String>,
    /// Its length in bytes.
    pub length: Option<u64>,
}

impl Operation for DownloadPicture {
    const NAME: &'static str = "download_picture";
    type Output = PictureFile;

    async fn run(self, client: &Client, options: CallOptions) -> Result<PictureFile, Error> {
        let owner = parse_address(&self.owner)?;
        let target = MediaTarget::Path(PathBuf::from(self.path));
        let size = self.size.unwrap_or_default().into();
        let read = client.download_picture(&owner, size, target, options).await?;
        let (id, length) = read.map(|read| (read.id, read.length)).unzip();
        Ok(PictureFile { exists: id.is_some(), id, length })
    }
}

/// Sets the picture of this account or of a group. A JPEG, PNG, WebP or GIF is cut to the square in its
/// middle and made at most 640 pixels wide.
///
/// Fails with `MEDIA_UNSUPPORTED` for other files, and with `FORBIDDEN` if this account may not change the
/// group.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetPicture {
    /// Path of the picture.
    pub path: String,
    /// Address of the group; absent for the own picture.
    #[serde(default)]
    #[schemars(extend("format" = "address"))]
    pub group: Option<String>,
}

/// A picture that was set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SetPictureResult {
    /// Names the picture.
    pub id: String,
}

fn group(address: Option<&str>) -> Result<Option<Jid>, Error> {
    address.map(parse_address).transpose()
}

impl Operation for SetPicture {
    const NAME: &'static str = "set_picture";
    type Output = SetPictureResult;

    async fn run(self, client: &Client, options: CallOptions) -> Result<SetPictureResult, Error> {
        let group = group(self.group.as_deref())?;
        let id = client.set_picture(group.as_ref(), PathBuf::from(self.path), options).await?;
        Ok(SetPictureResult { id })
    }
}

/// Removes the picture of this account or of a group. That there is none is no error.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RemovePicture {
    /// Address of the group; absent for the own picture.
    #[serde(default)]
    #[schemars(extend("format" = "address"))]
    pub group: Option<String>,
}

impl Operation for RemovePicture {
    const NAME: &'static str = "remove_picture";
    type Output = Done;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Done, Error> {
        let group = group(self.group.as_deref())?;
        client.remove_picture(group.as_ref(), options).await.map(|()| Done {})
    }
}

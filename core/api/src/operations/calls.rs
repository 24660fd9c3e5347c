//! Calls, as far as they are signalling.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use whimbrel::{CallOptions, Client, Code, Error, parse_address};

use super::{Done, Operation};
use crate::events::Identity;

/// Says no to a call: it stops ringing on all devices of the account, and the caller is told.
///
/// Fails with `NOT_FOUND` if there is no such call any more.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RejectCall {
    /// Address of the caller, as `call_offered` told it.
    #[schemars(extend("format" = "address"))]
    pub caller: String,
    /// Id of the call.
    pub call_id: String,
}

impl Operation for RejectCall {
    const NAME: &'static str = "reject_call";
    type Output = Done;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Done, Error> {
        let caller = parse_address(&self.caller)?;
        client.reject_call(&caller, &self.call_id, options).await.map(|()| Done {})
    }
}

/// Calls somebody. Fails with `NOT_SUPPORTED`: this engine has no media for calls, and a call without them
/// would only ring.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StartCall {
    /// Address of the person.
    #[schemars(extend("format" = "address"))]
    pub to: String,
    /// With pictures.
    #[serde(default)]
    pub video: bool,
}

impl Operation for StartCall {
    const NAME: &'static str = "start_call";
    type Output = Done;

    async fn run(self, _: &Client, _: CallOptions) -> Result<Done, Error> {
        parse_address(&self.to)?;
        Err(no_media())
    }
}

/// Takes a call. Fails with `NOT_SUPPORTED`: this engine has no media for calls, and the caller would hear
/// nothing. Take it on another device, or say no with `reject_call`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AcceptCall {
    /// Address of the caller.
    #[schemars(extend("format" = "address"))]
    pub caller: String,
    /// Id of the call.
    pub call_id: String,
}

impl Operation for AcceptCall {
    const NAME: &'static str = "accept_call";
    type Output = Done;

    async fn run(self, _: &Client, _: CallOptions) -> Result<Done, Error> {
        parse_address(&self.caller)?;
        Err(no_media())
    }
}

/// Joins the call that a link leads to. Fails with `NOT_SUPPORTED`: this engine has no media for calls, and
/// whoever is in the call would hear and see nothing of this account. `preview_call_link` says what the link
/// leads to; open it on another device.
///
/// Fails with `INVALID_ARGUMENT` for what is no link to a call.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct JoinCallLink {
    /// The link.
    pub url: String,
}

impl Operation for JoinCallLink {
    const NAME: &'static str = "join_call_link";
    type Output = Done;

    async fn run(self, _: &Client, _: CallOptions) -> Result<Done, Error> {
        if whimbrel::is_call_link(&self.url) {
            return Err(no_media());
        }
        Err(Error::new(Code::InvalidArgument, "this is no link to a call"))
    }
}

fn no_media() -> Error {
    Error::new(Code::NotSupported, "there are no media of calls in this engine")
}

/// A link that leads into a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CallLink {
    /// The link.
    pub url: String,
    /// What names the call in it.
    pub token: String,
    /// The call has pictures.
    pub video: bool,
}

impl From<whimbrel::CallLink> for CallLink {
    fn from(link: whimbrel::CallLink) -> Self {
        Self { url: link.url, token: link.token, video: link.video }
    }
}

/// Makes a link that leads into a call of this account. Whoever opens it in an official client joins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateCallLink {
    /// With pictures.
    pub video: bool,
    /// When it is to begin, seconds since 1970; absent: now.
    #[serde(default)]
    pub starts_at: Option<i64>,
}

impl Operation for CreateCallLink {
    const NAME: &'static str = "create_call_link";
    type Output = CallLink;

    async fn run(self, client: &Client, options: CallOptions) -> Result<CallLink, Error> {
        client.create_call_link(self.video, self.starts_at, options).await.map(Into::into)
    }
}

/// Looks up what a link to a call leads to. Nobody in the call is told.
///
/// Fails with `NOT_FOUND` if there is no such link.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PreviewCallLink {
    /// The link.
    pub url: String,
}

/// What is known of a call that a link leads to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CallPreview {
    /// The link.
    pub link: CallLink,
    /// Who made it, if it was told.
    pub creator: Option<Identity>,
    /// Whoever comes waits until somebody in the call lets them in.
    pub has_waiting_room: bool,
    /// This account may let them in.
    pub is_admin: bool,
}

impl Operation for PreviewCallLink {
    const NAME: &'static str = "preview_call_link";
    type Output = CallPreview;

    async fn run(self, client: &Client, options: CallOptions) -> Result<CallPreview, Error> {
        let told = client.preview_call_link(&self.url, options).await?;
        Ok(CallPreview {
            link: told.link.into(),
            creator: told.creator.as_ref().map(Into::into),
            has_waiting_room: told.has_waiting_room,
            is_admin: told.is_admin,
        })
    }
}

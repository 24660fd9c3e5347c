//! Channels as their owners and admins make and change them (features document §4.2).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use whimbrel_wire::Jid;

use super::channel::{Channel, ChannelReactions, PinnedPost};
use super::terms::{self, ChannelTerms};
use super::{address, graph, people};
use crate::client::{Client, Inner};
use crate::error::{Code, Error};
use crate::groups::{left, unclear};
use crate::media::{MediaSource, PictureInput};
use crate::mex;
use crate::options::CallOptions;
use crate::pictures::square;

/// A channel that is to be made.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct NewChannel {
    /// Its name, not empty.
    pub name: String,
    /// Its description; empty for none.
    pub description: String,
    /// Its picture: a JPEG, PNG, WebP or GIF, which is cut to the square in its middle.
    pub picture: Option<MediaSource>,
    /// The host has shown the service's terms for channels, and its user accepts them. Without, the call
    /// fails where the service wants that.
    pub accept_terms: bool,
}

/// What shall be otherwise in a channel. `None`: as it was.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct ChannelUpdate {
    /// Another name, not empty.
    pub name: Option<String>,
    /// Another description; empty for none.
    pub description: Option<String>,
    /// Another picture, or none.
    pub picture: Option<NewPicture>,
    /// Other reactions.
    pub reactions: Option<ChannelReactions>,
}

/// What becomes of a picture.
#[derive(Debug)]
#[non_exhaustive]
pub enum NewPicture {
    /// It is this from now on: a JPEG, PNG, WebP or GIF, which is cut to the square in its middle.
    Set(MediaSource),
    /// There is none from now on.
    Removed,
}

impl Client {
    /// Makes a channel of this account.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] without a name; [`Code::TermsNotAccepted`] if the service wants its terms
    /// accepted first; [`Code::MediaUnsupported`] and [`Code::FileFailed`] about the picture;
    /// [`Code::Forbidden`]; [`Code::Refused`]; [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn create_channel(&self, new: NewChannel, options: CallOptions) -> Result<Channel, Error> {
        let operation = "create_channel";
        if new.name.is_empty() {
            return Err(Error::new(Code::InvalidArgument, "the name is empty").in_operation(operation));
        }
        let NewChannel { name, description, picture, accept_terms } = new;
        let picture = picture.as_ref().map(PictureInput::of);
        self.call(operation, options.timeout, move |client, deadline| async move {
            client.linked_account()?;
            let picture = made(&client, picture).await?;
            let connection = client.wait_for_connection(deadline).await?;
            terms::require(&client, &connection, ChannelTerms::Create, accept_terms, deadline).await?;
            let variables = graph::create(&name, &description, picture.as_deref());
            let (asked, root) = graph::CREATE;
            let answer = mex::ask(&client, &connection, asked, variables, root, left(deadline)).await?;
            Channel::read(&answer).ok_or_else(not_told)
        })
        .await
    }

    /// Changes a channel, and returns it as it is then, without what this account is in it.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] if nothing shall change, or the name be empty; [`Code::Forbidden`] if this
    /// account may not; [`Code::NotFound`]; [`Code::MediaUnsupported`] and [`Code::FileFailed`] about the
    /// picture; [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn update_channel(
        &self,
        channel: &Jid,
        update: ChannelUpdate,
        options: CallOptions,
    ) -> Result<Channel, Error> {
        let operation = "update_channel";
        let channel = address(channel).map_err(|error| error.in_operation(operation))?;
        let ChannelUpdate { name, description, picture, reactions } = update;
        let invalid = |message| Err(Error::new(Code::InvalidArgument, message).in_operation(operation));
        if name.as_deref().is_some_and(str::is_empty) {
            return invalid("the name is empty");
        }
        if reactions.is_some_and(|reactions| reactions.word().is_none()) {
            return invalid("reactions cannot be limited in this way");
        }
        if name.is_none() && description.is_none() && picture.is_none() && reactions.is_none() {
            return invalid("nothing is to be changed");
        }
        let (set, removed) = match picture {
            Some(NewPicture::Set(source)) => (Some(PictureInput::of(&source)), false),
            Some(NewPicture::Removed) => (None, true),
            None => (None, false),
        };
        self.call(operation, options.timeout, move |client, deadline| async move {
            client.linked_account()?;
            // An empty one takes it away.
            let picture = made(&client, set).await?.or_else(|| removed.then(String::new));
            let connection = client.wait_for_connection(deadline).await?;
            let picture = picture.as_deref();
            let variables =
                graph::update(&channel, name.as_deref(), description.as_deref(), picture, reactions);
            let variables = variables.ok_or_else(not_told)?;
            let (asked, root) = graph::UPDATE;
            let answer = mex::ask(&client, &connection, asked, variables, root, left(deadline)).await?;
            Channel::read(&answer).ok_or_else(not_told)
        })
        .await
    }

    /// Deletes a channel of this account for everybody and for good.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`]; [`Code::Forbidden`] if it is not this account's; [`Code::NotFound`];
    /// [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn delete_channel(&self, channel: &Jid, options: CallOptions) -> Result<(), Error> {
        self.do_to_channel("delete_channel", channel, graph::DELETE, graph::about, options).await
    }

    /// Makes an admin of this account's channel its owner. This account stays an admin.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`]; [`Code::Forbidden`] if the channel is not this account's;
    /// [`Code::NotFound`] if there is no such channel, or the person is no admin of it;
    /// [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn transfer_channel(&self, channel: &Jid, to: &Jid, options: CallOptions) -> Result<(), Error> {
        people::act(self, "transfer_channel", channel, to, graph::TRANSFER, options).await.map(drop)
    }

    /// Pins a post of a channel, or takes the pin away. Returns what is pinned then.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`]; [`Code::Forbidden`] if this account may not; [`Code::NotFound`];
    /// [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn pin_post(
        &self,
        channel: &Jid,
        message_id: &str,
        pinned: bool,
        options: CallOptions,
    ) -> Result<Vec<PinnedPost>, Error> {
        let operation = "pin_post";
        let channel = address(channel).map_err(|error| error.in_operation(operation))?;
        if message_id.is_empty() {
            return Err(Error::new(Code::InvalidArgument, "no post is named").in_operation(operation));
        }
        let variables = graph::pin(&channel, message_id);
        let asked = if pinned { graph::PIN } else { graph::UNPIN };
        let take = |_: &mut crate::messages::Unit<'_>, answer| Ok(graph::read_pinned(&answer));
        self.ask_graph(operation, options, asked, move |_| Ok(variables), take).await
    }

    /// Does something to a channel that is answered with its address.
    pub(super) async fn do_to_channel(
        &self,
        operation: &'static str,
        channel: &Jid,
        asked: graph::Graph,
        variables: impl FnOnce(&Jid) -> serde_json::Value,
        options: CallOptions,
    ) -> Result<(), Error> {
        let channel = address(channel).map_err(|error| error.in_operation(operation))?;
        let variables = variables(&channel);
        let take =
            |_: &mut crate::messages::Unit<'_>, answer| Ok(super::channel::address(&answer, "id").map(drop));
        self.ask_graph(operation, options, asked, move |_| Ok(variables), take).await
    }
}

pub(super) fn not_told() -> Error {
    unclear("the service did not say what became of the request")
}

/// The picture as the service takes it.
async fn made(client: &Inner, picture: Option<PictureInput>) -> Result<Option<String>, Error> {
    let Some(picture) = picture else { return Ok(None) };
    let jpeg = picture.made(client, square).await?;
    Ok(Some(BASE64.encode(jpeg)))
}

//! Channels: making, finding, following and changing them.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use whimbrel::media::MediaSource;
use whimbrel::{CallOptions, Client, Error, parse_address};

use super::{Done, Operation};

/// Whether a channel goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChannelState {
    /// It does.
    Active,
    /// The service has suspended it.
    Suspended,
    /// The service has suspended it in this country.
    SuspendedHere,
    /// Its owner has deleted it.
    Deleted,
    /// There is none.
    Missing,
    /// A state that this version does not know.
    Unknown,
}

/// What somebody is in a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChannelRole {
    /// It is theirs.
    Owner,
    /// Posts.
    Admin,
    /// Reads.
    Follower,
    /// Neither.
    Guest,
    /// A role that this version does not know.
    Unknown,
}

/// Which reactions posts take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChannelReactions {
    /// Every emoji.
    All,
    /// The usual few.
    Basic,
    /// None.
    None,
    /// Every emoji but some; cannot be asked for.
    Blocklist,
    /// A rule that this version does not know; cannot be asked for.
    Unknown,
}

/// What can be muted in a channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChannelActivity {
    /// What its admins do: posts.
    #[default]
    Posts,
    /// What followers do: reactions and the like. For those who post.
    Followers,
}

/// What the service wants its terms accepted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChannelTerms {
    /// Making channels.
    Create,
    /// Following them.
    Follow,
    /// Becoming an admin of one.
    Administer,
}

impl From<whimbrel::ChannelState> for ChannelState {
    fn from(state: whimbrel::ChannelState) -> Self {
        match state {
            whimbrel::ChannelState::Active => Self::Active,
            whimbrel::ChannelState::Suspended => Self::Suspended,
            whimbrel::ChannelState::SuspendedHere => Self::SuspendedHere,
            whimbrel::ChannelState::Deleted => Self::Deleted,
            whimbrel::ChannelState::Missing => Self::Missing,
            _ => Self::Unknown,
        }
    }
}

impl From<whimbrel::ChannelRole> for ChannelRole {
    fn from(role: whimbrel::ChannelRole) -> Self {
        match role {
            whimbrel::ChannelRole::Owner => Self::Owner,
            whimbrel::ChannelRole::Admin => Self::Admin,
            whimbrel::ChannelRole::Follower => Self::Follower,
            whimbrel::ChannelRole::Guest => Self::Guest,
            _ => Self::Unknown,
        }
    }
}

impl From<whimbrel::ChannelReactions> for ChannelReactions {
    fn from(reactions: whimbrel::ChannelReactions) -> Self {
        match reactions {
            whimbrel::ChannelReactions::All => Self::All,
            whimbrel::ChannelReactions::Basic => Self::Basic,
            whimbrel::ChannelReactions::None => Self::None,
            whimbrel::ChannelReactions::Blocklist => Self::Blocklist,
            _ => Self::Unknown,
        }
    }
}

impl From<ChannelReactions> for whimbrel::ChannelReactions {
    fn from(reactions: ChannelReactions) -> Self {
        match reactions {
            ChannelReactions::All => Self::All,
            ChannelReactions::Basic => Self::Basic,
            ChannelReactions::None => Self::None,
            ChannelReactions::Blocklist => Self::Blocklist,
            ChannelReactions::Unknown => Self::Unknown,
        }
    }
}

impl From<whimbrel::ChannelActivity> for ChannelActivity {
    fn from(activity: whimbrel::ChannelActivity) -> Self {
        match activity {
            whimbrel::ChannelActivity::Followers => Self::Followers,
            _ => Self::Posts,
        }
    }
}

impl From<ChannelActivity> for whimbrel::ChannelActivity {
    fn from(activity: ChannelActivity) -> Self {
        match activity {
            ChannelActivity::Posts => Self::Posts,
            ChannelActivity::Followers => Self::Followers,
        }
    }
}

impl From<ChannelTerms> for whimbrel::ChannelTerms {
    fn from(terms: ChannelTerms) -> Self {
        match terms {
            ChannelTerms::Create => Self::Create,
            ChannelTerms::Follow => Self::Follow,
            ChannelTerms::Administer => Self::Administer,
        }
    }
}

/// A picture of a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChannelPicture {
    /// Names it; another one has another name.
    pub id: String,
    /// Its path on any media host, where it lies in the clear.
    pub direct_path: Option<String>,
}

/// A post that is pinned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PinnedPost {
    /// Its id.
    pub message_id: String,
    /// Until when, seconds since 1970, if it was told.
    pub until: Option<i64>,
}

/// A channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Channel {
    /// Its address.
    pub id: String,
    /// Whether it goes on.
    pub state: ChannelState,
    /// Its name; empty if it was not told.
    pub name: String,
    /// Its description, if it has one.
    pub description: Option<String>,
    /// Its picture, if it has one.
    pub picture: Option<ChannelPicture>,
    /// The same, small.
    pub preview: Option<ChannelPicture>,
    /// The code of its link, `https://whatsapp.com/channel/` and this.
    pub invite: Option<String>,
    /// Its name in links, if it has one.
    pub handle: Option<String>,
    /// How many follow it, if it was told.
    pub followers: Option<u64>,
    /// The service vouches that it is whose it says it is.
    pub is_verified: bool,
    /// When it was made, seconds since 1970, if it was told.
    pub created_at: Option<i64>,
    /// Which reactions its posts take, if it was told.
    pub reactions: Option<ChannelReactions>,
    /// The posts that are pinned in it.
    pub pinned: Vec<PinnedPost>,
    /// What this account is in it, if it was told.
    pub role: Option<ChannelRole>,
    /// Nothing is to be shown on account of its posts, if it was told.
    pub posts_muted: Option<bool>,
    /// Nothing is to be shown on account of what followers do, if it was told. For those who post.
    pub followers_muted: Option<bool>,
}

impl From<&whimbrel::ChannelPicture> for ChannelPicture {
    fn from(picture: &whimbrel::ChannelPicture) -> Self {
        Self { id: picture.id.clone(), direct_path: picture.direct_path.clone() }
    }
}

impl From<&whimbrel::PinnedPost> for PinnedPost {
    fn from(post: &whimbrel::PinnedPost) -> Self {
        Self { message_id: post.message_id.clone(), until: post.until }
    }
}

impl From<&whimbrel::Channel> for Channel {
    fn from(channel: &whimbrel::Channel) -> Self {
        Self {
            id: channel.id.to_string(),
            state: channel.state.into(),
            name: channel.name.clone(),
            description: channel.description.clone(),
            picture: channel.picture.as_ref().map(Into::into),
            preview: channel.preview.as_ref().map(Into::into),
            invite: channel.invite.clone(),
            handle: channel.handle.clone(),
            followers: channel.followers,
            is_verified: channel.is_verified,
            created_at: channel.created_at,
            reactions: channel.reactions.map(Into::into),
            pinned: channel.pinned.iter().map(Into::into).collect(),
            role: channel.role.map(Into::into),
            posts_muted: channel.posts_muted,
            followers_muted: channel.followers_muted,
        }
    }
}

/// Several channels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChannelList {
    /// The channels.
    pub channels: Vec<Channel>,
}

impl From<Vec<whimbrel::Channel>> for ChannelList {
    fn from(channels: Vec<whimbrel::Channel>) -> Self {
        Self { channels: channels.iter().map(Into::into).collect() }
    }
}

/// Makes a channel of this account.
///
/// Fails with `TERMS_NOT_ACCEPTED` if the service wants its terms accepted first: show them, and call again
/// with `acceptTerms`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateChannel {
    /// Its name, not empty.
    pub name: String,
    /// Its description, if it has one.
    #[serde(default)]
    pub description: Option<String>,
    /// Path of its picture: a JPEG, PNG, WebP or GIF, which is cut to the square in its middle.
    #[serde(default)]
    pub picture: Option<String>,
    /// The user has seen the service's terms for channels and accepts them.
    #[serde(default)]
    pub accept_terms: bool,
}

impl Operation for CreateChannel {
    const NAME: &'static str = "create_channel";
    type Output = Channel;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Channel, Error> {
        let mut new = whimbrel::NewChannel::default();
        new.name = self.name;
        new.description = self.description.unwrap_or_default();
        new.picture = self.picture.map(|path| MediaSource::from(PathBuf::from(path)));
        new.accept_terms = self.accept_terms;
        client.create_channel(new, options).await.map(|channel| (&channel).into())
    }
}

/// Looks a channel up. A deleted one is still known by its state.
///
/// Fails with `NOT_FOUND` if there is none.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetChannel {
    /// Its address, its link, or the code of that.
    pub channel: String,
}

impl Operation for GetChannel {
    const NAME: &'static str = "get_channel";
    type Output = Channel;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Channel, Error> {
        client.channel(&self.channel, options).await.map(|channel| (&channel).into())
    }
}

/// Returns the channels that this account follows or posts in.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListChannels {}

impl Operation for ListChannels {
    const NAME: &'static str = "list_channels";
    type Output = ChannelList;

    async fn run(self, client: &Client, options: CallOptions) -> Result<ChannelList, Error> {
        client.channels(options).await.map(Into::into)
    }
}

/// Follows a channel: its posts arrive while this client is connected; `get_posts` fetches others.
///
/// Fails with `TERMS_NOT_ACCEPTED` if the service wants its terms accepted first: show them, and call again
/// with `acceptTerms`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FollowChannel {
    /// Address of the channel.
    #[schemars(extend("format" = "address"))]
    pub channel: String,
    /// The user has seen the service's terms for channels and accepts them.
    #[serde(default)]
    pub accept_terms: bool,
}

impl Operation for FollowChannel {
    const NAME: &'static str = "follow_channel";
    type Output = Done;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Done, Error> {
        let channel = parse_address(&self.channel)?;
        client.follow_channel(&channel, self.accept_terms, options).await.map(|()| Done {})
    }
}

/// Follows a channel no more.
///
/// Fails with `FORBIDDEN` for its owner, who gives it away or deletes it instead.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UnfollowChannel {
    /// Address of the channel.
    #[schemars(extend("format" = "address"))]
    pub channel: String,
}

impl Operation for UnfollowChannel {
    const NAME: &'static str = "unfollow_channel";
    type Output = Done;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Done, Error> {
        client.unfollow_channel(&parse_address(&self.channel)?, options).await.map(|()| Done {})
    }
}

/// Says whether the account's devices show something on account of a channel. What arrives stays the same.
///
/// Fails with `FORBIDDEN` if this account does not follow the channel.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MuteChannel {
    /// Address of the channel.
    #[schemars(extend("format" = "address"))]
    pub channel: String,
    /// Whether it is muted from now on.
    pub muted: bool,
    /// What of it; posts if it is absent.
    #[serde(default)]
    pub activity: Option<ChannelActivity>,
}

impl Operation for MuteChannel {
    const NAME: &'static str = "mute_channel";
    type Output = Done;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Done, Error> {
        let channel = parse_address(&self.channel)?;
        let activity = self.activity.unwrap_or_default().into();
        client.mute_channel(&channel, activity, self.muted, options).await.map(|()| Done {})
    }
}

/// Changes a channel; what is absent stays as it was. Answers with the channel as it is then, without what
/// this account is in it.
///
/// Fails with `FORBIDDEN` if this account does not post in it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdateChannel {
    /// Address of the channel.
    #[schemars(extend("format" = "address"))]
    pub channel: String,
    /// Another name, not empty.
    #[serde(default)]
    pub name: Option<String>,
    /// Another description; empty for none.
    #[serde(default)]
    pub description: Option<String>,
    /// Path of another picture: a JPEG, PNG, WebP or GIF, which is cut to the square in its middle.
    #[serde(default)]
    pub picture: Option<String>,
    /// It has no picture from now on. Not together with `picture`.
    #[serde(default)]
    pub remove_picture: bool,
    /// Which reactions its posts take.
    #[serde(default)]
    pub reactions: Option<ChannelReactions>,
}

impl Operation for UpdateChannel {
    const NAME: &'static str = "update_channel";
    type Output = Channel;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Channel, Error> {
        let channel = parse_address(&self.channel)?;
        let mut update = whimbrel::ChannelUpdate::default();
        update.name = self.name;
        update.description = self.description;
        update.picture = match (self.picture, self.remove_picture) {
            (Some(_), true) => {
                let message = "a picture is set and removed";
                return Err(Error::new(whimbrel::Code::InvalidArgument, message));
            }
            (Some(path), false) => Some(whimbrel::NewPicture::Set(MediaSource::from(PathBuf::from(path)))),
            (None, true) => Some(whimbrel::NewPicture::Removed),
            (None, false) => None,
        };
        update.reactions = self.reactions.map(Into::into);
        client.update_channel(&channel, update, options).await.map(|channel| (&channel).into())
    }
}

/// Deletes a channel of this account for everybody and for good.
///
/// Fails with `FORBIDDEN` if it is not this account's.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeleteChannel {
    /// Address of the channel.
    #[schemars(extend("format" = "address"))]
    pub channel: String,
}

impl Operation for DeleteChannel {
    const NAME: &'static str = "delete_channel";
    type Output = Done;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Done, Error> {
        client.delete_channel(&parse_address(&self.channel)?, options).await.map(|()| Done {})
    }
}

/// An account's standing with the service's terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TermsState {
    /// They are accepted, or the service does not want them accepted.
    pub accepted: bool,
}

/// Asks whether the account has accepted the service's terms for channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetChannelTerms {
    /// What for.
    pub terms: ChannelTerms,
}

impl Operation for GetChannelTerms {
    const NAME: &'static str = "get_channel_terms";
    type Output = TermsState;

    async fn run(self, client: &Client, options: CallOptions) -> Result<TermsState, Error> {
        let accepted = client.channel_terms(self.terms.into(), options).await?;
        Ok(TermsState { accepted })
    }
}

/// Accepts the service's terms for channels in the account's name: show them to its user first. No other
/// operation accepts them unless it is told to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AcceptChannelTerms {
    /// What for.
    pub terms: ChannelTerms,
}

impl Operation for AcceptChannelTerms {
    const NAME: &'static str = "accept_channel_terms";
    type Output = Done;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Done, Error> {
        client.accept_channel_terms(self.terms.into(), options).await.map(|()| Done {})
    }
}

//! People of channels: admins, those who are invited to be, followers, and who reacted and voted (features
//! document §4.2).

use serde_json::Value;
use tokio::time::Instant;
use whimbrel_content::kinds::poll::option_hash;
use whimbrel_wire::Jid;

use super::address;
use super::channel::ChannelRole;
use super::graph::{self, Graph};
use super::manage::not_told;
use super::terms::{self, ChannelTerms};
use crate::client::{Client, Inner};
use crate::connection::Connection;
use crate::devices::identity::Source;
use crate::devices::lookup;
use crate::error::{Code, Error};
use crate::events::Identity;
use crate::groups::left;
use crate::messages::Unit;
use crate::mex;
use crate::options::CallOptions;
use crate::store::StoreError;

/// Followers in one answer.
const FOLLOWERS: u32 = 5_000;

/// What admins of a channel are told of their like.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChannelAdmins {
    /// How many there are, the owner among them.
    pub count: u32,
    /// They may show who they are.
    pub profiles_shown: bool,
    /// What they may do in this channel, in the service's words in lower case, such as `pinned_messages`.
    pub capabilities: Vec<String>,
    /// Who was invited to be one and has not answered.
    pub invited: Vec<Identity>,
}

/// Somebody who follows a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChannelFollower {
    /// The person.
    pub who: Identity,
    /// The name that it gives itself, if it was told.
    pub name: Option<String>,
    /// What it is in the channel.
    pub role: ChannelRole,
    /// Since when, seconds since 1970, if it was told.
    pub since: Option<i64>,
}

/// Somebody who voted for an option of a post's poll.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PostVoter {
    /// The person.
    pub who: Identity,
    /// When, seconds since 1970, if it was told.
    pub voted_at: Option<i64>,
}

/// Those who reacted to a post with an emoji.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PostReaction {
    /// The emoji.
    pub emoji: String,
    /// The people.
    pub senders: Vec<Identity>,
}

impl Client {
    /// Invites a person to be an admin of a channel of this account. The person learns of it by a message
    /// that the host sends ([`ChannelAdminInvite`](whimbrel_content::Content::ChannelAdminInvite)). Returns
    /// until when it holds, seconds since 1970, if the service says so.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`]; [`Code::Forbidden`]; [`Code::NotFound`] if there is no such channel or
    /// person; [`Code::Refused`] with the service's number 419 when there are as many admins as there may
    /// be; [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn invite_channel_admin(
        &self,
        channel: &Jid,
        person: &Jid,
        options: CallOptions,
    ) -> Result<Option<i64>, Error> {
        let answer = act(self, "invite_channel_admin", channel, person, graph::INVITE, options).await?;
        graph::read_invitation(&answer).ok_or_else(not_told)
    }

    /// Takes such an invitation back.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`]; [`Code::Forbidden`]; [`Code::NotFound`] if there is none;
    /// [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn revoke_channel_invitation(
        &self,
        channel: &Jid,
        person: &Jid,
        options: CallOptions,
    ) -> Result<(), Error> {
        let operation = "revoke_channel_invitation";
        act(self, operation, channel, person, graph::REVOKE, options).await.map(drop)
    }

    /// Becomes an admin of a channel to which this account was invited. With `accept_terms` the service's
    /// terms for admins are accepted if it wants that.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`]; [`Code::TermsNotAccepted`]; [`Code::Forbidden`] and [`Code::NotFound`] if
    /// there is no invitation; [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn accept_channel_invitation(
        &self,
        channel: &Jid,
        accept_terms: bool,
        options: CallOptions,
    ) -> Result<(), Error> {
        let operation = "accept_channel_invitation";
        let channel = address(channel).map_err(|error| error.in_operation(operation))?;
        self.call(operation, options.timeout, move |client, deadline| async move {
            client.linked_account()?;
            let connection = client.wait_for_connection(deadline).await?;
            terms::require(&client, &connection, ChannelTerms::Administer, accept_terms, deadline).await?;
            let variables = graph::about(&channel);
            let answer = ask(&client, &connection, graph::ACCEPT, variables, deadline).await?;
            super::channel::address(&answer, "id").map(drop).ok_or_else(not_told)
        })
        .await
    }

    /// Makes an admin of a channel a follower again; oneself too.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`]; [`Code::Forbidden`]; [`Code::NotFound`]; [`Code::NotLinked`];
    /// [`Code::TimedOut`].
    pub async fn demote_channel_admin(
        &self,
        channel: &Jid,
        person: &Jid,
        options: CallOptions,
    ) -> Result<(), Error> {
        act(self, "demote_channel_admin", channel, person, graph::DEMOTE, options).await.map(drop)
    }

    /// What admins of a channel are told of their like. Who they are is among the
    /// [followers](Self::channel_followers).
    ///
    /// # Errors
    /// [`Code::InvalidArgument`]; [`Code::Forbidden`] if this account is none; [`Code::NotFound`];
    /// [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn channel_admins(&self, channel: &Jid, options: CallOptions) -> Result<ChannelAdmins, Error> {
        let operation = "get_channel_admins";
        let channel = address(channel).map_err(|error| error.in_operation(operation))?;
        self.call(operation, options.timeout, move |client, deadline| async move {
            client.linked_account()?;
            let connection = client.wait_for_connection(deadline).await?;
            let question = |asked: Graph| ask(&client, &connection, asked, graph::about(&channel), deadline);
            let admins = question(graph::ADMINS).await?;
            let (count, profiles_shown) = graph::read_admins(&admins).ok_or_else(not_told)?;
            let capabilities = question(graph::CAPABILITIES).await?;
            let capabilities = graph::read_capabilities(&capabilities).ok_or_else(not_told)?;
            let invited = graph::read_invited(&question(graph::INVITED).await?).ok_or_else(not_told)?;
            let invited = client.unit(|unit| {
                let who = |(id, phone): (Jid, Option<Jid>)| known(unit, &id, phone.as_ref());
                invited.into_iter().map(who).collect::<Result<Vec<_>, _>>()
            });
            Ok(ChannelAdmins { count, profiles_shown, capabilities, invited: invited.await? })
        })
        .await
    }

    /// Who follows a channel of this account, its admins and owner among them: at most so many, 1 to 5,000.
    /// The service shows only those whom it wants to.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`]; [`Code::Forbidden`] if this account is no admin; [`Code::NotFound`];
    /// [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn channel_followers(
        &self,
        channel: &Jid,
        limit: u32,
        options: CallOptions,
    ) -> Result<Vec<ChannelFollower>, Error> {
        let operation = "list_channel_followers";
        let channel = address(channel).map_err(|error| error.in_operation(operation))?;
        if !(1..=FOLLOWERS).contains(&limit) {
            let message = "the limit is not between 1 and 5,000";
            return Err(Error::new(Code::InvalidArgument, message).in_operation(operation));
        }
        let variables = graph::followers(&channel, limit);
        let take = |unit: &mut Unit<'_>, answer: Value| {
            let Some(told) = graph::read_followers(&answer) else { return Ok(None) };
            let follower = |told: graph::ToldFollower| {
                let who = known(unit, &told.id, told.phone.as_ref())?;
                Ok(ChannelFollower { who, name: told.name, role: told.role, since: told.since })
            };
            told.into_iter().map(follower).collect::<Result<Vec<_>, _>>().map(Some)
        };
        self.ask_graph(operation, options, graph::FOLLOWERS, move |_| Ok(variables), take).await
    }

    /// Who voted for an option of a poll that this account's channel posted: at most so many, 1 to 5,000.
    ///
    /// # Errors
    /// Those of [`channel_followers`](Self::channel_followers).
    pub async fn post_voters(
        &self,
        channel: &Jid,
        server_id: u64,
        choice: &str,
        limit: u32,
        options: CallOptions,
    ) -> Result<Vec<PostVoter>, Error> {
        let operation = "list_post_voters";
        let channel = address(channel).map_err(|error| error.in_operation(operation))?;
        if !(1..=FOLLOWERS).contains(&limit) {
            let message = "the limit is not between 1 and 5,000";
            return Err(Error::new(Code::InvalidArgument, message).in_operation(operation));
        }
        let variables = graph::voters(&channel, server_id, &option_hash(choice), limit);
        let take = |unit: &mut Unit<'_>, answer: Value| {
            let Some(told) = graph::read_voters(&answer) else { return Ok(None) };
            let voter =
                |(id, voted_at): (Jid, Option<i64>)| Ok(PostVoter { who: unit.identity_of(&id)?, voted_at });
            told.into_iter().map(voter).collect::<Result<Vec<_>, _>>().map(Some)
        };
        self.ask_graph(operation, options, graph::VOTERS, move |_| Ok(variables), take).await
    }

    /// Who reacted to a post of this account's channel, by emoji.
    ///
    /// # Errors
    /// Those of [`channel_followers`](Self::channel_followers).
    pub async fn post_reactions(
        &self,
        channel: &Jid,
        server_id: u64,
        options: CallOptions,
    ) -> Result<Vec<PostReaction>, Error> {
        let operation = "list_post_reactions";
        let channel = address(channel).map_err(|error| error.in_operation(operation))?;
        let variables = graph::reactions(&channel, server_id);
        let take = |unit: &mut Unit<'_>, answer: Value| {
            let Some(told) = graph::read_reactions(&answer) else { return Ok(None) };
            let reaction = |(emoji, senders): (String, Vec<Jid>)| {
                let senders = senders.iter().map(|sender| unit.identity_of(sender));
                Ok(PostReaction { emoji, senders: senders.collect::<Result<_, _>>()? })
            };
            told.into_iter().map(reaction).collect::<Result<Vec<_>, _>>().map(Some)
        };
        self.ask_graph(operation, options, graph::REACTIONS, move |_| Ok(variables), take).await
    }
}

/// Does something to somebody in a channel, who is named by LID there.
pub(super) async fn act(
    client: &Client,
    operation: &'static str,
    channel: &Jid,
    person: &Jid,
    asked: Graph,
    options: CallOptions,
) -> Result<Value, Error> {
    let channel = address(channel).map_err(|error| error.in_operation(operation))?;
    let person = person.to_account();
    if !person.is_account() {
        let message = "the address is not that of a person";
        return Err(Error::new(Code::InvalidArgument, message).in_operation(operation));
    }
    let work = move |client: std::sync::Arc<Inner>, deadline: Instant| async move {
        client.linked_account()?;
        let connection = client.wait_for_connection(deadline).await?;
        let hidden = match client.unit(|unit| unit.lid_of(&person)).await? {
            _ if person.is_lid() => Some(person),
            Some(known) => Some(known),
            None => {
                lookup::ask(&client, &connection, &person, deadline).await?;
                client.unit(|unit| unit.lid_of(&person)).await?
            }
        };
        let hidden =
            hidden.ok_or_else(|| Error::new(Code::NotFound, "the person's hidden address is not known"))?;
        let variables = graph::about_person(&channel, &hidden);
        let answer = ask(&client, &connection, asked, variables, deadline).await?;
        super::channel::address(&answer, "id").ok_or_else(not_told)?;
        Ok(answer)
    };
    client.call(operation, options.timeout, work).await
}

async fn ask(
    client: &Inner,
    connection: &Connection,
    (asked, root): Graph,
    variables: Value,
    deadline: Instant,
) -> Result<Value, Error> {
    mex::ask(client, connection, asked, variables, root, left(deadline)).await
}

/// Somebody under both addresses, which are remembered.
pub(super) fn known(unit: &mut Unit<'_>, id: &Jid, phone: Option<&Jid>) -> Result<Identity, StoreError> {
    if let Some(phone) = phone.filter(|phone| phone.is_pn() && id.is_lid()) {
        unit.learn(id, phone, Source::Seed)?;
    }
    unit.identity_of(id)
}

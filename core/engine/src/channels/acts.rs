//! What is done to posts of channels: changed by their admins, reacted to and voted on by readers. Each is
//! asked of the service at once, under no cover of the outbox: repeating it changes nothing.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use whimbrel_content::Content;
use whimbrel_content::compose::{Draft, limits};
use whimbrel_content::kinds::poll::option_hash;
use whimbrel_crypto::message_id::message_id;
use whimbrel_wire::{Jid, Node};

use super::{send, stanza};
use crate::archive::row::{ArchiveChange, Target};
use crate::client::{Client, Inner};
use crate::clock;
use crate::error::{Code, Error};
use crate::messages::compose::refused;
use crate::messages::outbox::fate::refusal;
use crate::messages::stanza::ack;
use crate::options::CallOptions;
use crate::random;
use crate::store::Changes;

impl Client {
    /// Gives a post of this account's channel another content, all of it.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for what is no channel, and content that readers would not show;
    /// [`Code::Forbidden`] if this account may not change it; [`Code::NotFound`]; [`Code::NotLinked`];
    /// [`Code::TimedOut`].
    pub async fn edit_post(
        &self,
        channel: &Jid,
        message_id: &str,
        content: Content,
        options: CallOptions,
    ) -> Result<(), Error> {
        let operation = "edit_post";
        let made = send::compose_post(Draft::new(content)).map_err(|error| error.in_operation(operation))?;
        let stanza = stanza::edit(channel, message_id, &made.message);
        let target = own(channel, message_id);
        let raw = whimbrel_proto::encode(&made.message);
        let change = ArchiveChange::Edited(target, raw, clock::now_ms());
        self.act_on_channel(operation, channel, message_id, stanza, Some(change), options).await
    }

    /// Takes a post of this account's channel back.
    ///
    /// # Errors
    /// Those of [`edit_post`](Self::edit_post).
    pub async fn revoke_post(
        &self,
        channel: &Jid,
        message_id: &str,
        options: CallOptions,
    ) -> Result<(), Error> {
        let stanza = stanza::revoke(channel, message_id);
        let change = ArchiveChange::Revoked(own(channel, message_id), None, clock::now_seconds());
        self.act_on_channel("revoke_post", channel, message_id, stanza, Some(change), options).await
    }

    /// Reacts to a post with one emoji, by the number of the post; `None` takes the reaction back.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`]; [`Code::Forbidden`] if this account does not follow the channel;
    /// [`Code::NotFound`]; [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn react_to_post(
        &self,
        channel: &Jid,
        server_id: u64,
        emoji: Option<&str>,
        options: CallOptions,
    ) -> Result<(), Error> {
        let operation = "react_to_post";
        if let Some(emoji) = emoji {
            limits::emoji(emoji).map_err(|reason| refused(&reason).in_operation(operation))?;
        }
        let id = self.fresh_id();
        let stanza = stanza::reaction(channel, &id, server_id, emoji);
        self.act_on_channel(operation, channel, &id, stanza, None, options).await
    }

    /// Votes for options of a poll that a channel posted, in their own words; none takes the vote back.
    /// Whether the poll has such options nobody checks.
    ///
    /// # Errors
    /// Those of [`react_to_post`](Self::react_to_post).
    pub async fn vote_in_post(
        &self,
        channel: &Jid,
        server_id: u64,
        choices: &[String],
        options: CallOptions,
    ) -> Result<(), Error> {
        let id = self.fresh_id();
        let hashes = choices.iter().map(|choice| option_hash(choice)).collect();
        let stanza = stanza::vote(channel, &id, server_id, hashes);
        self.act_on_channel("vote_in_post", channel, &id, stanza, None, options).await
    }

    pub(super) fn fresh_id(&self) -> String {
        let noise = random::bytes::<16>(&mut self.inner().rng());
        let account = self.inner().account();
        let own = account.and_then(|account| account.phone.as_ref().map(|own| own.user().to_owned()));
        let now = u64::try_from(clock::now_seconds()).unwrap_or(0);
        message_id(now, &own.unwrap_or_default(), &noise)
    }

    async fn act_on_channel(
        &self,
        operation: &'static str,
        channel: &Jid,
        id: &str,
        stanza: Node,
        done: Option<ArchiveChange>,
        options: CallOptions,
    ) -> Result<(), Error> {
        if !channel.is_newsletter() || id.is_empty() {
            let message = "the address is not that of a channel, or no post is named";
            return Err(Error::new(Code::InvalidArgument, message).in_operation(operation));
        }
        let act = move |client: Arc<Inner>, deadline: Instant| async move {
            client.linked_account()?;
            let connection = client.wait_for_connection(deadline).await?;
            let left: Duration = deadline.saturating_duration_since(Instant::now());
            let answer = connection.send_awaiting_ack(stanza, left).await?;
            if let Some(status) = ack(&answer).and_then(|ack| ack.error) {
                return Err(refusal(status));
            }
            let archive: Vec<ArchiveChange> = done.into_iter().collect();
            if archive.is_empty() {
                return Ok(());
            }
            // Nobody tells this device what it did itself.
            client.commit.commit(Changes { archive, ..Changes::default() }).await
        };
        self.call(operation, options.timeout, act).await
    }
}

/// The name of a post of this account.
fn own(channel: &Jid, message_id: &str) -> Target {
    Target { chat: channel.clone(), message_id: message_id.to_owned(), author: Some(None) }
}

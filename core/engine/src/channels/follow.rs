//! Channels as their readers find, follow and mute them (features document §4.2).

use whimbrel_wire::Jid;

use super::channel::{Channel, ChannelActivity};
use super::graph::{self, Key};
use super::terms::{self, ChannelTerms};
use super::{address, manage};
use crate::client::Client;
use crate::error::{Code, Error, Outcome};
use crate::groups::left;
use crate::messages::Unit;
use crate::mex;
use crate::options::CallOptions;

/// What links of channels begin with.
const LINKS: [&str; 4] = [
    "https://whatsapp.com/channel/",
    "https://www.whatsapp.com/channel/",
    "http://whatsapp.com/channel/",
    "whatsapp.com/channel/",
];

/// Longest code of a link.
const LONGEST: usize = 64;

impl Client {
    /// Looks a channel up, by its address, its link or the code of that. A deleted one is still known by
    /// its state.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for what is neither; [`Code::NotFound`]; [`Code::NotLinked`];
    /// [`Code::TimedOut`].
    pub async fn channel(&self, name: &str, options: CallOptions) -> Result<Channel, Error> {
        let operation = "get_channel";
        let key = key(name).map_err(|error| error.in_operation(operation))?;
        let take = |_: &mut Unit<'_>, answer: serde_json::Value| {
            Ok(if answer.is_null() { Some(None) } else { Channel::read(&answer).map(Some) })
        };
        let variables = graph::get(&key);
        let found = self.ask_graph(operation, options, graph::GET, move |_| Ok(variables), take).await?;
        found.ok_or_else(|| {
            let missing = Error::new(Code::NotFound, "there is no such channel");
            missing.with_outcome(Outcome::Refused).in_operation(operation)
        })
    }

    /// The channels that this account follows or posts in.
    ///
    /// # Errors
    /// [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn channels(&self, options: CallOptions) -> Result<Vec<Channel>, Error> {
        let take = |_: &mut Unit<'_>, answer| Ok(graph::read_list(&answer));
        self.ask_graph("list_channels", options, graph::LIST, |_| Ok(graph::list()), take).await
    }

    /// Follows a channel: its posts arrive while this client is connected. With `accept_terms` the service's
    /// terms for channels are accepted if it wants that.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`]; [`Code::TermsNotAccepted`]; [`Code::NotFound`]; [`Code::Forbidden`];
    /// [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn follow_channel(
        &self,
        channel: &Jid,
        accept_terms: bool,
        options: CallOptions,
    ) -> Result<(), Error> {
        let operation = "follow_channel";
        let channel = address(channel).map_err(|error| error.in_operation(operation))?;
        self.call(operation, options.timeout, move |client, deadline| async move {
            client.linked_account()?;
            let connection = client.wait_for_connection(deadline).await?;
            terms::require(&client, &connection, ChannelTerms::Follow, accept_terms, deadline).await?;
            let (asked, root) = graph::FOLLOW;
            let variables = graph::about(&channel);
            let answer = mex::ask(&client, &connection, asked, variables, root, left(deadline)).await?;
            super::channel::address(&answer, "id").map(drop).ok_or_else(manage::not_told)
        })
        .await
    }

    /// Follows a channel no more.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`]; [`Code::NotFound`]; [`Code::Forbidden`] for its owner;
    /// [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn unfollow_channel(&self, channel: &Jid, options: CallOptions) -> Result<(), Error> {
        self.do_to_channel("unfollow_channel", channel, graph::UNFOLLOW, graph::about, options).await?;
        self.inner().channels.forget(&channel.to_bare());
        Ok(())
    }

    /// Says whether something is to be shown on account of a channel. It changes what the account's devices
    /// show, not what arrives.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`]; [`Code::NotFound`]; [`Code::Forbidden`] if this account does not follow
    /// it; [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn mute_channel(
        &self,
        channel: &Jid,
        activity: ChannelActivity,
        muted: bool,
        options: CallOptions,
    ) -> Result<(), Error> {
        let variables = |channel: &Jid| graph::mute(channel, activity, muted);
        self.do_to_channel("mute_channel", channel, graph::MUTE, variables, options).await
    }
}

/// What a channel is named by.
fn key(name: &str) -> Result<Key, Error> {
    let name = name.trim();
    if let Ok(jid) = name.parse::<Jid>()
        && jid.is_newsletter()
    {
        return Ok(Key::Address(jid.to_bare()));
    }
    let code = LINKS.iter().find_map(|link| name.strip_prefix(link)).unwrap_or(name);
    let code = code.split(['?', '/', '#']).next().unwrap_or_default();
    let fits = |letter: u8| letter.is_ascii_alphanumeric() || matches!(letter, b'-' | b'_');
    if code.is_empty() || code.len() > LONGEST || !code.bytes().all(fits) {
        let message = "this is neither the address of a channel nor a link to one";
        return Err(Error::new(Code::InvalidArgument, message));
    }
    Ok(Key::Invite(code.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_named_by_address_link_or_code() {
        let invite = Key::Invite("0029VaABC_-1".to_owned());
        for name in [
            "0029VaABC_-1",
            " https://whatsapp.com/channel/0029VaABC_-1 ",
            "https://www.whatsapp.com/channel/0029VaABC_-1/120",
            "whatsapp.com/channel/0029VaABC_-1?x=y",
        ] {
            assert_eq!(key(name).unwrap(), invite, "{name}");
        }
        assert_eq!(key("7@newsletter").unwrap(), Key::Address(Jid::newsletter("7")));
        let longer = "x".repeat(65);
        for wrong in ["", "7@g.us", "https://chat.whatsapp.com/x", "a b", longer.as_str()] {
            assert_eq!(key(wrong).unwrap_err().code(), Code::InvalidArgument, "{wrong}");
        }
    }
}

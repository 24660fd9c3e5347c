//! What the host does about calls.

use tokio::time::Instant;
use whimbrel_wire::{Jid, Node};

use super::stanza;
use crate::client::{Client, Inner};
use crate::connection::{Connection, iq};
use crate::error::{Code, Error};
use crate::events::Identity;
use crate::groups::{left, unclear};
use crate::options::CallOptions;
use crate::random;

/// What links to calls begin with, before the kind of call.
const LINKS: &str = "https://call.whatsapp.com/";

/// Longest id of a call, and longest token of a link.
const LONGEST: usize = 128;

/// A link that leads into a call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallLink {
    /// The link.
    pub url: String,
    /// What names the call in it.
    pub token: String,
    /// The call has pictures.
    pub video: bool,
}

/// What is known of a call that a link leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
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

impl Client {
    /// Says no to a call: it stops ringing on all devices of the account, and the caller is told.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for an address that is no person's, or an id that is none;
    /// [`Code::NotFound`]; [`Code::Refused`]; [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn reject_call(&self, caller: &Jid, call_id: &str, options: CallOptions) -> Result<(), Error> {
        let operation = "reject_call";
        let caller = caller.to_account();
        if !caller.is_account() || call_id.is_empty() || call_id.len() > LONGEST {
            let message = "the caller is not a person, or no call is named";
            return Err(Error::new(Code::InvalidArgument, message).in_operation(operation));
        }
        let call_id = call_id.to_owned();
        self.call(operation, options.timeout, move |client, deadline| async move {
            let account = client.linked_account()?;
            let connection = client.wait_for_connection(deadline).await?;
            let own = if caller.is_lid() { account.lid.as_ref() } else { account.phone.as_ref() };
            let own = own.or(account.phone.as_ref()).map(Jid::to_bare);
            let own = own.ok_or_else(|| Error::new(Code::Internal, "the account has no address"))?;
            let stanza = stanza::reject(&fresh_id(&client), &own, &caller, &call_id);
            exchange(&connection, stanza, deadline).await.map(drop)
        })
        .await
    }

    /// Makes a link that leads into a call of this account: now, or at a time in seconds since 1970.
    ///
    /// # Errors
    /// [`Code::Refused`]; [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn create_call_link(
        &self,
        video: bool,
        starts_at: Option<i64>,
        options: CallOptions,
    ) -> Result<CallLink, Error> {
        self.call("create_call_link", options.timeout, move |client, deadline| async move {
            client.linked_account()?;
            let connection = client.wait_for_connection(deadline).await?;
            let stanza = stanza::link_create(&fresh_id(&client), video, starts_at);
            let answer = exchange(&connection, stanza, deadline).await?;
            let made = answer.child_named("link_create").and_then(|made| made.attr_text("token"));
            let token = made.filter(|token| !token.is_empty());
            let token = token.ok_or_else(|| unclear("the service did not say which link it made"))?;
            Ok(link(&token, video))
        })
        .await
    }

    /// Looks up what a link leads to. Nobody in the call is told.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for what is no link to a call; [`Code::NotFound`]; [`Code::Refused`];
    /// [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn preview_call_link(&self, url: &str, options: CallOptions) -> Result<CallPreview, Error> {
        let operation = "preview_call_link";
        let (token, video) = parse(url).ok_or_else(|| {
            Error::new(Code::InvalidArgument, "this is no link to a call").in_operation(operation)
        })?;
        self.call(operation, options.timeout, move |client, deadline| async move {
            client.linked_account()?;
            let connection = client.wait_for_connection(deadline).await?;
            let stanza = stanza::link_query(&fresh_id(&client), &token, video);
            let answer = exchange(&connection, stanza, deadline).await?;
            let told = answer.child_named("link_query").cloned();
            let told = told.ok_or_else(|| unclear("the service did not say what the link leads to"))?;
            let room = told.child_named("waiting_room");
            let is_admin =
                room.is_some_and(|room| room.attr_is("is_admin", "1") || room.attr_true("is_admin"));
            let has_waiting_room =
                room.is_some_and(|room| room.attr_is("enabled", "1") || room.attr_true("enabled"));
            let creator = match told.attr_jid("link_creator").filter(Jid::is_account) {
                Some(creator) => Some(client.unit(|unit| unit.identity_of(&creator.to_account())).await?),
                None => None,
            };
            Ok(CallPreview { link: link(&token, video), creator, has_waiting_room, is_admin })
        })
        .await
    }
}

/// An id as calls have them.
fn fresh_id(client: &Inner) -> String {
    use std::fmt::Write as _;
    let random = random::bytes::<16>(&mut client.rng());
    random.iter().fold(String::with_capacity(32), |mut id, octet| {
        // Writing to a string cannot fail.
        let _ = write!(id, "{octet:02X}");
        id
    })
}

/// Sends a step of a call and waits for what the service says to it.
async fn exchange(connection: &Connection, stanza: Node, deadline: Instant) -> Result<Node, Error> {
    let answer = connection.send_awaiting_ack(stanza, left(deadline)).await?;
    match answer.attr_u64("error").and_then(|code| u16::try_from(code).ok()) {
        Some(status) => Err(iq::refusal(status)),
        None => Ok(answer),
    }
}

fn link(token: &str, video: bool) -> CallLink {
    let kind = if video { "video" } else { "voice" };
    CallLink { url: format!("{LINKS}{kind}/{token}"), token: token.to_owned(), video }
}

/// Whether a text is a link to a call. Nobody is asked.
#[must_use]
pub fn is_call_link(url: &str) -> bool {
    parse(url).is_some()
}

/// The token of a link, and whether the call has pictures. Newer clients write `audio` for `voice`.
fn parse(url: &str) -> Option<(String, bool)> {
    let (kind, token) = url.trim().strip_prefix(LINKS)?.split_once('/')?;
    let video = match kind {
        "video" => true,
        "voice" | "audio" => false,
        _ => return None,
    };
    let token = token.split(['?', '#', '/']).next().unwrap_or_default();
    let fits = |letter: u8| letter.is_ascii_alphanumeric() || matches!(letter, b'-' | b'_');
    let sound = !token.is_empty() && token.len() <= LONGEST && token.bytes().all(fits);
    sound.then(|| (token.to_owned(), video))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_read_in_every_form() {
        for (url, expected) in [
            ("https://call.whatsapp.com/voice/AbC-1", Some(("AbC-1", false))),
            (" https://call.whatsapp.com/audio/AbC?x=1 ", Some(("AbC", false))),
            ("https://call.whatsapp.com/video/AbC/", Some(("AbC", true))),
            ("https://call.whatsapp.com/fax/AbC", None),
            ("https://call.whatsapp.com/voice/", None),
            ("https://chat.whatsapp.com/AbC", None),
            ("AbC", None),
        ] {
            let expected = expected.map(|(token, video)| (token.to_owned(), video));
            assert_eq!(parse(url), expected, "{url}");
        }
        assert_eq!(parse(&link("AbC", true).url), Some(("AbC".to_owned(), true)));
    }
}

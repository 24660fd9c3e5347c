//! What an account says of itself.

use serde_json::Value;
use whimbrel_wire::Jid;

use super::notify::AboutChanged;
use super::{left, stanza};
use crate::client::{Client, Inner};
use crate::connection::Connection;
use crate::devices::{lists, sessions};
use crate::error::{Code, Error};
use crate::events::EventKind;
use crate::mex;
use crate::options::CallOptions;
use crate::properties::Property;
use crate::tokens::Credential;

/// Most characters, as official clients have it.
const LONGEST: usize = 139;

/// What somebody says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProfileAbout {
    /// The words; `None` if there are none, or they are hidden.
    pub text: Option<String>,
    /// An emoji that is shown beside them.
    pub emoji: Option<String>,
    /// After how many seconds from its setting it disappears, if it does.
    pub expires_in: Option<u32>,
    /// When it was set, seconds since 1970, if the service said so.
    pub changed_at: Option<i64>,
}

/// What this account is to say of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewAbout {
    /// The words, at most 139 characters; empty for none.
    pub text: String,
    /// An emoji to show beside them.
    pub emoji: Option<String>,
    /// After how many seconds it disappears; `None` for never.
    pub expires_in: Option<u32>,
}

impl Client {
    /// Sets what this account says of itself. People who may see it are told.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for more than 139 characters; [`Code::Refused`]; [`Code::NotLinked`];
    /// [`Code::TimedOut`].
    pub async fn set_about(&self, about: NewAbout, options: CallOptions) -> Result<(), Error> {
        let operation = "set_about";
        if about.text.chars().count() > LONGEST {
            let message = "what an account says of itself has at most 139 characters";
            return Err(Error::new(Code::InvalidArgument, message).in_operation(operation));
        }
        self.call(operation, options.timeout, move |client, deadline| async move {
            client.linked_account()?;
            let connection = client.wait_for_connection(deadline).await?;
            if about.emoji.is_none() && about.expires_in.is_none() {
                let request = stanza::set_about(&about.text);
                return connection
                    .request(client.request_ids.next(), request, left(deadline))
                    .await
                    .map(drop);
            }
            let variables = stanza::text_status(&about.text, about.emoji.as_deref(), about.expires_in);
            let (name, root) = ("UpdateTextStatus", "xwa2_update_text_status");
            let answer = mex::ask(&client, &connection, name, variables, root, left(deadline)).await?;
            super::usernames::succeeded(&answer)
        })
        .await
    }

    /// What a person says of itself; without an address, what this account does.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for an address that is no person's; [`Code::NotLinked`]; [`Code::TimedOut`].
    /// That it is hidden is no error.
    pub async fn about(&self, who: Option<&Jid>, options: CallOptions) -> Result<ProfileAbout, Error> {
        let operation = "get_about";
        let who = who.map(Jid::to_account);
        if who.as_ref().is_some_and(|who| !who.is_account()) {
            let error = Error::new(Code::InvalidArgument, "the address is not that of a person");
            return Err(error.in_operation(operation));
        }
        self.call(operation, options.timeout, move |client, deadline| async move {
            client.linked_account()?;
            let connection = client.wait_for_connection(deadline).await?;
            ask(&client, &connection, who.as_ref(), left(deadline)).await
        })
        .await
    }
}

async fn ask(
    client: &Inner,
    connection: &Connection,
    who: Option<&Jid>,
    left: std::time::Duration,
) -> Result<ProfileAbout, Error> {
    let own = crate::privacy::own(client)?;
    let wanted = client.unit(|unit| {
        let by_phone = unit.prefers_phone()?;
        let Some(who) = who else { return Ok((own, None)) };
        let token = unit.credential_for(who, Property::TokenOnAbout, false)?;
        Ok((sessions::wire_user(unit, who, by_phone)?, token.map(Credential::node)))
    });
    let (wanted, token) = wanted.await?;
    let id = client.request_ids.next();
    let request = stanza::ask_about(&wanted, token, id.clone());
    let answer = connection.request(id, request, left).await?;
    Ok(stanza::about(&answer))
}

/// Another device set what this account says of itself: asks what, and tells it.
pub(crate) async fn refresh(client: &Inner, connection: &Connection) -> Result<(), Error> {
    let about = ask(client, connection, None, lists::TIMEOUT).await?;
    let own = crate::privacy::own(client)?;
    client
        .unit(|unit| {
            let who = unit.identity_of(&own)?;
            unit.event(EventKind::AboutChanged(AboutChanged { who, about }));
            Ok(())
        })
        .await
}

/// Reads what an announcement says of somebody.
pub(super) fn announced(state: &Value) -> Option<(Jid, ProfileAbout)> {
    let who: Jid = state.get("jid")?.as_str()?.parse().ok()?;
    let text = |value: Option<&Value>| value?.as_str().map(str::to_owned).filter(|text| !text.is_empty());
    let number = |name: &str| match state.get(name)? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    let expires_in = number("ephemeral_duration_sec").filter(|seconds| *seconds > 0);
    Some((
        who.to_account(),
        ProfileAbout {
            text: text(state.get("text")),
            emoji: text(state.get("emoji").and_then(|emoji| emoji.get("content"))),
            expires_in: expires_in.and_then(|seconds| u32::try_from(seconds).ok()),
            changed_at: number("last_update_time").filter(|time| *time > 0),
        },
    ))
}

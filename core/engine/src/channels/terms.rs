//! The service's terms for channels (features document §4.6). They are accepted only when the host says
//! so: by the call itself, or with `accept_terms` in a call for which the service wants them.

use tokio::time::Instant;
use whimbrel_wire::{Jid, Node, NodeRef};

use crate::client::{Client, Inner};
use crate::connection::Connection;
use crate::error::{Code, Error, Outcome};
use crate::groups::{left, unclear};
use crate::options::CallOptions;

/// What the service wants its terms accepted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChannelTerms {
    /// Making channels.
    Create,
    /// Following them.
    Follow,
    /// Becoming an admin of one.
    Administer,
}

impl ChannelTerms {
    /// The number of the service's notice.
    pub(super) const fn notice(self) -> &'static str {
        match self {
            Self::Create => "20601217",
            Self::Follow => "20601216",
            Self::Administer => "20610101",
        }
    }
}

impl Client {
    /// Whether the account has accepted the service's terms.
    ///
    /// # Errors
    /// [`Code::Refused`] if the service does not say so; [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn channel_terms(&self, terms: ChannelTerms, options: CallOptions) -> Result<bool, Error> {
        self.call("get_channel_terms", options.timeout, move |client, deadline| async move {
            client.linked_account()?;
            let connection = client.wait_for_connection(deadline).await?;
            let answer = connection.request(client.request_ids.next(), ask(terms), left(deadline)).await?;
            accepted(&answer, terms).ok_or_else(|| unclear("the service did not tell about its terms"))
        })
        .await
    }

    /// Accepts the service's terms for the account: show them to its user first.
    ///
    /// # Errors
    /// [`Code::Refused`]; [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn accept_channel_terms(&self, terms: ChannelTerms, options: CallOptions) -> Result<(), Error> {
        self.call("accept_channel_terms", options.timeout, move |client, deadline| async move {
            client.linked_account()?;
            let connection = client.wait_for_connection(deadline).await?;
            connection.request(client.request_ids.next(), accept(terms), left(deadline)).await.map(drop)
        })
        .await
    }
}

/// Asks for the terms before something that needs them, as the web client does. A service that does not tell
/// is not in the way.
pub(super) async fn require(
    client: &Inner,
    connection: &Connection,
    terms: ChannelTerms,
    accepting: bool,
    deadline: Instant,
) -> Result<(), Error> {
    let asked = connection.request(client.request_ids.next(), ask(terms), left(deadline)).await;
    let told = match &asked {
        Ok(answer) => accepted(answer, terms),
        Err(error) if error.outcome() == Outcome::Refused => None,
        Err(_) => return asked.map(drop),
    };
    match (told, accepting) {
        (Some(false), true) => {
            connection.request(client.request_ids.next(), accept(terms), left(deadline)).await.map(drop)
        }
        (Some(false), false) => Err(Error::new(
            Code::TermsNotAccepted,
            "the account has not accepted the service's terms for this",
        )),
        (Some(true) | None, _) => Ok(()),
    }
}

fn request(kind: &'static str, child: Node) -> Node {
    Node::new("iq").attr("to", Jid::SERVER).attr("type", kind).attr("xmlns", "tos").child(child)
}

fn notice(terms: ChannelTerms) -> Node {
    Node::new("notice").attr("id", terms.notice())
}

pub(super) fn ask(terms: ChannelTerms) -> Node {
    request("get", Node::new("request").child(notice(terms)))
}

pub(super) fn accept(terms: ChannelTerms) -> Node {
    request("set", Node::new("request").attr("type", "session_update").child(notice(terms)))
}

/// Whatever is not said to be open is accepted, as the web client reads it.
pub(super) fn accepted(answer: &NodeRef<'_>, terms: ChannelTerms) -> Option<bool> {
    let told = answer.child_named("tos")?;
    let notice = told.children_named("notice").find(|notice| notice.attr_is("id", terms.notice()));
    Some(notice.is_none_or(|notice| !notice.attr_is("state", "false")))
}

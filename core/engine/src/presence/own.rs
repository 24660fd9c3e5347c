//! What others see of this account.

use crate::client::{Client, Inner};
use crate::connection::{Connection, stream};
use crate::error::{Code, Error, Outcome};
use crate::options::CallOptions;

use super::stanza;

/// Whether this account is online, for those who may see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Availability {
    /// Somebody looks at the messages.
    Available,
    /// Nobody does.
    Unavailable,
}

impl Client {
    /// Says whether this account is online. Without, it is not, whatever the connection does.
    ///
    /// While it is available, others see it online, the phone keeps its notifications to itself, delivery
    /// receipts say that the messages are being looked at, and the service tells what watched people do.
    /// It is said again after each login until this process ends.
    ///
    /// # Errors
    /// [`Code::WrongState`] while the account's name is not known, which the service wants with it;
    /// [`Code::NotLinked`]; [`Code::TimedOut`] without a connection before the deadline.
    pub async fn set_presence(&self, availability: Availability, options: CallOptions) -> Result<(), Error> {
        self.call("set_presence", options.timeout, move |client, deadline| async move {
            client.linked_account()?;
            let connection = client.wait_for_connection(deadline).await?;
            let _order = client.presence.saying.lock().await;
            say(&client, &connection, availability).await
        })
        .await
    }
}

/// Tells the service. The caller holds the lock on saying.
pub(super) async fn say(
    client: &Inner,
    connection: &Connection,
    availability: Availability,
) -> Result<(), Error> {
    let name = client.linked_account()?.push_name.clone().filter(|name| !name.is_empty());
    let Some(name) = name else {
        let unnamed = Error::new(Code::WrongState, "the account's name is not known yet");
        return Err(unnamed.with_outcome(Outcome::NotSent));
    };
    if availability == Availability::Available {
        connection.send(stream::unified_session(client.server_now_ms())).await?;
    }
    connection.send(stanza::own(availability, &name)).await?;
    client.presence.said(availability, connection.generation);
    Ok(())
}

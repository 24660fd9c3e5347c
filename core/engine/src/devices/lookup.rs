//! Looking a person up: under which addresses the service knows it, and whether it exists at all.

use tokio::time::Instant;
use whimbrel_wire::Jid;

use super::lists;
use super::usync::{self, UserAnswer};
use crate::client::{Client, Inner};
use crate::connection::Connection;
use crate::error::{Code, Error};
use crate::events::Identity;
use crate::options::LookupOptions;

impl Client {
    /// Returns a person, chat or group under every address that is known for it. A person of whom
    /// only one address is known is looked up at the service.
    ///
    /// # Errors
    /// [`Code::NotFound`] if the service knows no such person, as when a number is not registered.
    pub async fn identity(&self, address: &Jid, options: LookupOptions) -> Result<Identity, Error> {
        let address = address.to_account();
        let LookupOptions { fresh, timeout } = options;
        self.call("get_identity", timeout, move |client, deadline| async move {
            client.linked_account()?;
            let known = client.unit(|unit| unit.identity_of(&address)).await?;
            let complete = !address.is_account() || (known.phone.is_some() && known.lid.is_some());
            if complete && !fresh {
                return Ok(known);
            }
            let connection = client.wait_for_connection(deadline).await?;
            ask(&client, &connection, &address, deadline).await
        })
        .await
    }
}

/// Asks for the addresses of a person of whom one is known to be out of date, by each until one
/// leads to somebody.
pub(crate) async fn refresh(client: &Inner, connection: &Connection, user: &Jid) -> Result<(), Error> {
    let known = client.unit(|unit| unit.identity_of(user)).await?;
    let mut result = Ok(());
    for address in [known.phone, known.lid].into_iter().flatten() {
        let deadline = Instant::now() + lists::TIMEOUT;
        match ask(client, connection, &address, deadline).await {
            Ok(_) => return Ok(()),
            Err(error) if error.code() == Code::NotFound => result = Err(error),
            Err(error) => return Err(error),
        }
    }
    result
}

/// Asks the service for the addresses of a person, learns them, and returns what is known then.
pub(crate) async fn ask(
    client: &Inner,
    connection: &Connection,
    address: &Jid,
    deadline: Instant,
) -> Result<Identity, Error> {
    let id = client.request_ids.next();
    let query = usync::addresses(address, id.clone());
    let left = deadline.saturating_duration_since(Instant::now());
    let answers = usync::parse(&connection.request(id, query, left).await?);
    let unknown = || Error::new(Code::NotFound, "the service knows nobody under the address");
    let Some(answer) = answers.into_iter().next() else { return Err(unknown()) };
    if !exists(&answer) {
        return Err(unknown());
    }
    client
        .unit(|unit| {
            lists::learn(unit, &answer)?;
            unit.identity_of(&answer.user)
        })
        .await
}

/// What is said of nobody is an empty answer, or one that says so.
fn exists(answer: &UserAnswer) -> bool {
    answer.registered.unwrap_or(answer.lid.is_some() || answer.phone.is_some())
}

//! Reading and changing the block list.

use std::time::Duration;

use tokio::time::Instant;
use whimbrel_wire::Jid;

use super::kept::fetch;
use super::stanza::{self, Item};
use crate::client::Client;
use crate::error::{Code, Error};
use crate::events::Identity;
use crate::options::{CallOptions, LookupOptions};
use crate::privacy::listed;

impl Client {
    /// Whom this account has blocked. Known from the login on and kept up to date; with `fresh` the service is
    /// asked.
    ///
    /// # Errors
    /// [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn blocked(&self, options: LookupOptions) -> Result<Vec<Identity>, Error> {
        let LookupOptions { fresh, timeout } = options;
        self.call("get_blocked", timeout, move |client, deadline| async move {
            client.linked_account()?;
            if !fresh && let Some(people) = client.unit(|unit| unit.blocked()).await? {
                return Ok(people);
            }
            let connection = client.wait_for_connection(deadline).await?;
            fetch(&client, &connection, left(deadline)).await?;
            Ok(client.unit(|unit| unit.blocked()).await?.unwrap_or_default())
        })
        .await
    }

    /// Blocks a person: whatever that person sends does not arrive any more, nor are this account's presence,
    /// picture and about shown there. The person is not told. The account's other devices are. Who is
    /// blocked already stays so.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for an address that is not another person's; [`Code::NotFound`] if nobody is
    /// registered under a number; [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn block(&self, person: &Jid, options: CallOptions) -> Result<(), Error> {
        self.change_blocked("block", person, true, options).await
    }

    /// Blocks a person no more. Who is not blocked stays so.
    ///
    /// # Errors
    /// As [`block`](Self::block).
    pub async fn unblock(&self, person: &Jid, options: CallOptions) -> Result<(), Error> {
        self.change_blocked("unblock", person, false, options).await
    }

    async fn change_blocked(
        &self,
        operation: &'static str,
        person: &Jid,
        blocked: bool,
        options: CallOptions,
    ) -> Result<(), Error> {
        let person = person.to_account();
        self.call(operation, options.timeout, move |client, deadline| async move {
            client.linked_account()?;
            if !person.is_account() || client.unit(|unit| Ok(unit.is_own(&person))).await? {
                let message = "only other people are blocked";
                return Err(Error::new(Code::InvalidArgument, message));
            }
            let connection = client.wait_for_connection(deadline).await?;
            let known = listed(&client, &connection, &[person], deadline).await?;
            let items: Vec<Item> = known.into_iter().map(|(jid, phone)| Item { jid, phone }).collect();
            for item in &items {
                let request = if blocked { stanza::block(item) } else { stanza::unblock(&item.jid) };
                let answer = connection.request(client.request_ids.next(), request, left(deadline)).await?;
                let (on, off) = if blocked { (&items[..], &[][..]) } else { (&[][..], &items[..]) };
                client.unit(|unit| unit.set_own_blocking(stanza::hash(&answer), on, off)).await?;
            }
            Ok(())
        })
        .await
    }
}

fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

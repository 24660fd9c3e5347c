//! After a login: the service has forgotten what it was told on the connection before.

use whimbrel_wire::Jid;

use super::{own, stanza, watch};
use crate::client::Inner;
use crate::connection::Connection;
use crate::error::Error;
use crate::tokens::Credential;

/// Says again what the host said, and asks for those whom it watches.
pub(crate) async fn restore(client: &Inner, connection: &Connection) {
    if let Err(error) = say_again(client, connection).await {
        tracing::debug!(%error, "The presence was not said again.");
    }
}

async fn say_again(client: &Inner, connection: &Connection) -> Result<(), Error> {
    let _order = client.presence.saying.lock().await;
    let (own, watched) = {
        let known = client.presence.known();
        (known.own, known.watched.iter().cloned().collect::<Vec<Jid>>())
    };
    if let Some(own) = own {
        own::say(client, connection, own).await?;
    }
    if watched.is_empty() {
        return Ok(());
    }
    let watched = client.unit(|unit| {
        let mut found = Vec::with_capacity(watched.len());
        for who in &watched {
            let token = unit.credential(who)?.map(Credential::node);
            found.push((watch::addresses(unit, who)?.1, token));
        }
        Ok(found)
    });
    for (to, token) in watched.await? {
        connection.send(stanza::subscribe(&to, token)).await?;
    }
    Ok(())
}

//! After a login: the service has forgotten what it was told on the connection before.

use whimbrel_wire::Jid;

use super::{own, stanza, watch};
use crate::client::Inner;
use crate::connection::Connection;
use crate::error::Error;

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
    let watched = client
        .unit(|unit| watched.iter().map(|who| watch::addresses(unit, who)).collect::<Result<Vec<_>, _>>());
    for (_, to) in watched.await? {
        connection.send(stanza::subscribe(&to)).await?;
    }
    Ok(())
}

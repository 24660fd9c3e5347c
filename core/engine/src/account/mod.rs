//! What is asked about the account itself after a login, and again when the service says that it changed.

use std::sync::Arc;
use std::time::Duration;

use whimbrel_wire::NodeRef;

use crate::blocklist;
use crate::client::Inner;
use crate::connection::Connection;
use crate::error::Error;
use crate::messages::Unit;
use crate::privacy;
use crate::profile;
use crate::properties;
use crate::store::StoreError;

/// How long the service may take for an answer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Asks for what is not known yet, or for too long already. What fails is asked for at the next login, or by
/// those who need it.
pub(crate) async fn look(client: &Arc<Inner>, connection: &Arc<Connection>) {
    let due = client.unit(|unit| {
        let properties = properties::is_due(unit)?;
        if properties {
            // As rarely as those are asked for.
            unit.forget_old_tokens()?;
        }
        Ok((properties, privacy::is_due(unit)?, blocklist::is_due(unit)?))
    });
    let Ok((properties, privacy, blocklist)) = due.await else { return };
    let properties = async {
        if properties && let Err(error) = properties::fetch(client, connection, TIMEOUT).await {
            tracing::debug!(%error, "The properties could not be fetched.");
        }
    };
    let privacy = async {
        if privacy && let Err(error) = privacy::fetch(client, connection, TIMEOUT).await {
            tracing::debug!(%error, "The settings of privacy could not be fetched.");
        }
    };
    let blocklist = async {
        if blocklist && let Err(error) = blocklist::fetch(client, connection, TIMEOUT).await {
            tracing::debug!(%error, "The block list could not be fetched.");
        }
    };
    tokio::join!(properties, privacy, blocklist);
}

/// Asks for everything: it changed while this client was not told.
pub(crate) async fn look_again(client: &Arc<Inner>, connection: &Arc<Connection>) -> Result<(), Error> {
    privacy::fetch(client, connection, TIMEOUT).await?;
    blocklist::fetch(client, connection, TIMEOUT).await
}

/// Deals with what an `account_sync` notification says of the account, but for its devices (features document
/// §13.2).
pub(crate) fn changed_elsewhere(unit: &mut Unit<'_>, node: &NodeRef<'_>) -> Result<(), StoreError> {
    if node.child_named("privacy").is_some() {
        privacy::notify::changed_elsewhere(unit, node)?;
    }
    blocklist::notify::changed_elsewhere(unit, node)?;
    profile::notify::changed_elsewhere(unit, node)?;
    if node.child_named("disappearing_mode").is_some() {
        privacy::notify::timer(unit, node)?;
    }
    Ok(())
}

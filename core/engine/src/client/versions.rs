//! What a client does about the version that it presents: look for a newer one when the service
//! refuses it, or says that it will, and keep what was found.

use std::sync::Arc;

use super::Inner;
use super::session::interrupted;
use super::status::Wish;
use crate::error::Error;
use crate::store::Changes;
use crate::version::{ClientVersion, Version};

impl Inner {
    /// What the next connection presents, and until when the service accepts it.
    pub(crate) fn client_version(&self) -> ClientVersion {
        let current = self.engine.versions.current();
        let expires = self.account().and_then(|account| account.version_expires);
        let expires_at = expires.filter(|(_, of)| *of == current.version).map(|(at, _)| at);
        ClientVersion { expires_at, ..current }
    }

    /// Looks for the present version because the host asks.
    pub(crate) async fn find_client_version(&self) -> Result<ClientVersion, Error> {
        self.engine.versions.fetch(&self.engine.route(&self.options)).await?;
        self.keep_found_version().await?;
        Ok(self.client_version())
    }

    /// Keeps what was found, by whichever client, for the next process.
    async fn keep_found_version(&self) -> Result<(), Error> {
        let found = self.engine.versions.found();
        match self.account() {
            Some(account) if account.found_version != found => {
                self.commit_account(Changes::default(), |account| account.found_version = found).await
            }
            _ => Ok(()),
        }
    }
}

/// The service refused `used` as too old. Whether another attempt makes sense, with a newer one.
pub(super) async fn renew(client: &Inner, used: Version, wish: Wish) -> Result<bool, Error> {
    let route = client.engine.route(&client.options);
    let mut goal = client.watch_goal();
    let renewed = tokio::select! {
        renewed = client.engine.versions.renew(used, &route) => renewed,
        // The host does not want to wait for it.
        () = interrupted(&mut goal, wish.epoch) => false,
    };
    if renewed {
        client.keep_found_version().await?;
    }
    Ok(renewed)
}

/// The service will refuse `used`: the next connection should present a newer version.
pub(super) async fn look_ahead(client: Arc<Inner>, used: Version) {
    let route = client.engine.route(&client.options);
    let renewed = tokio::select! {
        renewed = client.engine.versions.renew(used, &route) => renewed,
        () = client.gate.closed() => false,
    };
    if renewed && let Err(error) = client.keep_found_version().await {
        tracing::warn!(%error, "The version that was found is not kept.");
    }
}

//! The version of the web client that is presented to the service.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use whimbrel::{CallOptions, Client, Error};

use super::Operation;

/// Returns the version of the web client that the next connection presents to the service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetClientVersion {}

/// Sets the version of the web client that the next connections present, of all clients on this
/// client's engine. Clients that are connected stay so.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetClientVersion {
    /// The version, as its three numbers; absent leaves the choice to the engine again.
    pub version: Option<[u32; 3]>,
}

/// Looks for the present version of the web client on the service's page, through this client's
/// proxy, and keeps it.
///
/// The next connections present it, unless one was set or the built-in one is newer. The engine
/// does this by itself when the service refuses a version as too old.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FindClientVersion {}

/// The version of the web client that is presented to the service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClientVersion {
    /// Its three numbers.
    pub version: [u32; 3],
    /// Where it comes from.
    pub source: VersionSource,
    /// When the service says that it stops accepting it, seconds since 1970.
    pub expires_at: Option<i64>,
}

/// Where a version comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VersionSource {
    /// The engine was built with it.
    BuiltIn,
    /// It was found on the service's page.
    Found,
    /// It was set.
    Host,
    /// A source that this version does not know.
    Unknown,
}

impl From<whimbrel::ClientVersion> for ClientVersion {
    fn from(version: whimbrel::ClientVersion) -> Self {
        let source = match version.source {
            whimbrel::VersionSource::BuiltIn => VersionSource::BuiltIn,
            whimbrel::VersionSource::Found => VersionSource::Found,
            whimbrel::VersionSource::Host => VersionSource::Host,
            _ => VersionSource::Unknown,
        };
        Self { version: version.version, source, expires_at: version.expires_at }
    }
}

impl Operation for GetClientVersion {
    const NAME: &'static str = "get_client_version";
    type Output = ClientVersion;

    async fn run(self, client: &Client, _: CallOptions) -> Result<ClientVersion, Error> {
        Ok(client.client_version().into())
    }
}

impl Operation for SetClientVersion {
    const NAME: &'static str = "set_client_version";
    type Output = ClientVersion;

    async fn run(self, client: &Client, _: CallOptions) -> Result<ClientVersion, Error> {
        client.set_client_version(self.version);
        Ok(client.client_version().into())
    }
}

impl Operation for FindClientVersion {
    const NAME: &'static str = "find_client_version";
    type Output = ClientVersion;

    async fn run(self, client: &Client, options: CallOptions) -> Result<ClientVersion, Error> {
        client.find_client_version(options).await.map(Into::into)
    }
}

//! The connection to the service.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use whimbrel::{CallOptions, Client, Error};

use super::{Done, Operation};
use crate::events::ConnectionChanged;

/// Connects, and returns when the client is online.
///
/// A client that was opened with `autoStart` does this by itself. Once connected it stays so:
/// lost connections are made again until `disconnect`, `logout` or `close`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Connect {}

impl Operation for Connect {
    const NAME: &'static str = "connect";
    type Output = Done;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Done, Error> {
        client.connect(options).await.map(|()| Done {})
    }
}

/// Disconnects and stays so until `connect`.
///
/// Messages wait at the service meanwhile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Disconnect {}

impl Operation for Disconnect {
    const NAME: &'static str = "disconnect";
    type Output = Done;

    async fn run(self, client: &Client, _: CallOptions) -> Result<Done, Error> {
        client.disconnect();
        Ok(Done {})
    }
}

/// Returns the state of the connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetConnection {}

/// State of the connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionInfo {
    /// The state, as in the `connection` event.
    #[serde(flatten)]
    pub connection: ConnectionChanged,
}

impl Operation for GetConnection {
    const NAME: &'static str = "get_connection";
    type Output = ConnectionInfo;

    async fn run(self, client: &Client, _: CallOptions) -> Result<ConnectionInfo, Error> {
        Ok(ConnectionInfo { connection: ConnectionChanged::from(&client.connection_state()) })
    }
}

//! Presence and chat state.

use schemars::JsonSchema;
use serde::Deserialize;
use whimbrel::{CallOptions, Client, Error, parse_address};

use super::{Done, Operation};
use crate::events::ChatState;

/// Whether this account is online, for those who may see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Availability {
    /// Somebody looks at the messages.
    Available,
    /// Nobody does.
    Unavailable,
}

/// Says whether this account is online. Without, it is not, whatever the connection does.
///
/// While it is available, others see it online, the phone keeps its notifications to itself, delivery
/// receipts say that the messages are being looked at, and the service tells what watched people do. It is
/// said again after each login until this process ends. Fails with `WRONG_STATE` while the account's name
/// is not known, which the service wants with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetPresence {
    /// Whether it is.
    pub availability: Availability,
}

impl Operation for SetPresence {
    const NAME: &'static str = "set_presence";
    type Output = Done;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Done, Error> {
        let availability = match self.availability {
            Availability::Available => whimbrel::Availability::Available,
            Availability::Unavailable => whimbrel::Availability::Unavailable,
        };
        client.set_presence(availability, options).await.map(|()| Done {})
    }
}

/// Watches whether a person is online, or how many members of a group are: `presence` events tell it at
/// once and at each change.
///
/// The service tells only while this account is available itself (`set_presence`), and only what the
/// person lets it see; nothing comes otherwise. It is asked for again after each login until this process
/// ends. At most 512 are watched at a time; one more fails with `WRONG_STATE`, and a
/// number under which nobody is registered with `NOT_FOUND`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WatchPresence {
    /// Address of the person or group.
    #[schemars(extend("format" = "address"))]
    pub address: String,
}

impl Operation for WatchPresence {
    const NAME: &'static str = "watch_presence";
    type Output = Done;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Done, Error> {
        client.watch_presence(&parse_address(&self.address)?, options).await.map(|()| Done {})
    }
}

/// Ends what `watch_presence` began.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UnwatchPresence {
    /// Address of the person or group.
    #[schemars(extend("format" = "address"))]
    pub address: String,
}

impl Operation for UnwatchPresence {
    const NAME: &'static str = "unwatch_presence";
    type Output = Done;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Done, Error> {
        client.unwatch_presence(&parse_address(&self.address)?, options).await.map(|()| Done {})
    }
}

/// Says in a chat what is being done: writing, recording, or neither any more.
///
/// Others forget it after about 25 s: say it again every ten seconds, and end it with `paused` or a
/// message. They see it while this account is available (`set_presence`). Nothing tells whether it
/// arrived, and it is never kept for later.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetChatState {
    /// Address of the chat: a person or a group.
    #[schemars(extend("format" = "address"))]
    pub chat: String,
    /// What is done.
    pub state: ChatState,
}

impl Operation for SetChatState {
    const NAME: &'static str = "set_chat_state";
    type Output = Done;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Done, Error> {
        let chat = parse_address(&self.chat)?;
        client.set_chat_state(&chat, self.state.into(), options).await.map(|()| Done {})
    }
}

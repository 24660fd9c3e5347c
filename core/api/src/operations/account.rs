//! The linked account.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use whimbrel::{CallOptions, Client, Code, Error};

use super::{Done, Operation};
use crate::events::Identity;

/// Returns the linked account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetAccount {}

/// The linked account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// The person.
    pub identity: Identity,
    /// Number of this device in the account.
    pub device: u16,
    /// The phone's platform, such as `android` or `iphone`.
    pub platform: String,
    /// Name that others see, if known.
    pub push_name: Option<String>,
}

impl Operation for GetAccount {
    const NAME: &'static str = "get_account";
    type Output = Account;

    async fn run(self, client: &Client, _: CallOptions) -> Result<Account, Error> {
        let account = client
            .account()
            .ok_or_else(|| Error::new(Code::NotLinked, "the client is not linked to a phone"))?;
        Ok(Account {
            identity: (&account.identity).into(),
            device: account.device,
            platform: account.platform,
            push_name: account.push_name,
        })
    }
}

/// Removes this device from the account and sets its keys aside.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Logout {}

impl Operation for Logout {
    const NAME: &'static str = "logout";
    type Output = Done;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Done, Error> {
        client.logout(options).await.map(|()| Done {})
    }
}

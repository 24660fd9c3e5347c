//! The block list.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use whimbrel::{CallOptions, Client, Error, LookupOptions, parse_address};

use super::{Done, Operation};
use crate::events::Identity;

/// Tells whom this account has blocked. It is known from the login on and kept up to date.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetBlocked {
    /// Whether the service is asked even so.
    #[serde(default)]
    pub fresh: bool,
}

/// Whom an account has blocked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Blocked {
    /// The people.
    pub people: Vec<Identity>,
}

impl Operation for GetBlocked {
    const NAME: &'static str = "get_blocked";
    type Output = Blocked;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Blocked, Error> {
        let mut lookup = LookupOptions::default();
        lookup.fresh = self.fresh;
        lookup.timeout = options.timeout;
        let people = client.blocked(lookup).await?;
        Ok(Blocked { people: people.iter().map(Into::into).collect() })
    }
}

/// Blocks a person: whatever that person sends does not arrive any more, nor are this account's presence,
/// picture and about shown there. The person is not told; the account's other devices are. Who is blocked
/// already stays so.
///
/// Fails with `INVALID_ARGUMENT` for an address that is not another person's, and with `NOT_FOUND` if nobody is
/// registered under a number.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Block {
    /// Address of the person: a JID, or a phone number with its country code.
    #[schemars(extend("format" = "address"))]
    pub person: String,
}

impl Operation for Block {
    const NAME: &'static str = "block";
    type Output = Done;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Done, Error> {
        client.block(&parse_address(&self.person)?, options).await.map(|()| Done {})
    }
}

/// Blocks a person no more. Who is not blocked stays so.
///
/// Fails as `block` does.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Unblock {
    /// Address of the person: a JID, or a phone number with its country code.
    #[schemars(extend("format" = "address"))]
    pub person: String,
}

impl Operation for Unblock {
    const NAME: &'static str = "unblock";
    type Output = Done;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Done, Error> {
        client.unblock(&parse_address(&self.person)?, options).await.map(|()| Done {})
    }
}

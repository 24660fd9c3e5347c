//! People and their addresses.

use schemars::JsonSchema;
use serde::Deserialize;
use whimbrel::{CallOptions, Client, Error, LookupOptions, parse_address};

use super::Operation;
use crate::events::Identity;

/// Returns a person under both addresses: by phone number and by hidden id.
///
/// A person of whom only one address is known is looked up at the service. The error `NOT_FOUND`
/// says that nobody is registered under the number or address.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetIdentity {
    /// Any address of the person: a JID, or a phone number with its country code.
    #[schemars(extend("format" = "address"))]
    pub address: String,
    /// Ask the service even if both addresses are known: whether a number is registered now.
    #[serde(default)]
    pub fresh: bool,
}

impl Operation for GetIdentity {
    const NAME: &'static str = "get_identity";
    type Output = Identity;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Identity, Error> {
        let address = parse_address(&self.address)?;
        let mut lookup = LookupOptions::default();
        lookup.fresh = self.fresh;
        lookup.timeout = options.timeout;
        client.identity(&address, lookup).await.map(|identity| (&identity).into())
    }
}

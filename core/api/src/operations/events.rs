//! Acknowledging events.

use schemars::JsonSchema;
use serde::Deserialize;
use whimbrel::{CallOptions, Client, Error};

use super::{Done, Operation};

/// Acknowledges all journaled events up to a sequence number: they are not offered again.
///
/// For clients that were opened with `manualAcknowledge`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Acknowledge {
    /// The sequence number of the newest event that the host is done with.
    pub sequence: u64,
}

impl Operation for Acknowledge {
    const NAME: &'static str = "acknowledge";
    type Output = Done;
    // A host goes on with the events that it has while its client closes; what comes too late is
    // offered again.
    const AFTER_CLOSE: bool = true;

    async fn run(self, client: &Client, _: CallOptions) -> Result<Done, Error> {
        client.acknowledge(self.sequence);
        Ok(Done {})
    }
}

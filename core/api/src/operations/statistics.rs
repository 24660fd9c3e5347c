//! What went wrong and was repaired.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use whimbrel::{CallOptions, Client, Error};

use super::Operation;

/// Returns what went wrong with messages and was repaired since the client was opened. Watch
/// `undecryptable` beside `completed`: both grow when other people's devices lose their sessions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetStatistics {}

/// Attempts to decrypt that failed for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FailureCount {
    /// A stable lowercase word, as in `undecryptable` events, or `malformed`, `invalid_content`,
    /// `unknown_kind`, `no_secret` for messages that were refused.
    pub reason: String,
    /// How often.
    pub count: u64,
}

/// What went wrong and was repaired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Statistics {
    /// Received messages that could not be decrypted, by reason. Each attempt counts.
    pub undecryptable: Vec<FailureCount>,
    /// Requests to senders to send a message again.
    pub retries_sent: u64,
    /// Requests that were not made because there had been too many.
    pub retries_withheld: u64,
    /// Requests of others to send a message again that were answered.
    pub retries_answered: u64,
    /// Requests of others that were not answered.
    pub retries_ignored: u64,
    /// Messages that the phone was asked for.
    pub phone_requests: u64,
    /// Messages that the phone handed over.
    pub phone_answers: u64,
    /// Messages that could be delivered after an `undecryptable` event.
    pub completed: u64,
    /// Sessions that were begun anew after several failures.
    pub sessions_renewed: u64,
    /// How often the service held other prekeys than this device, or hardly any, and got new ones.
    pub prekeys_replaced: u64,
}

impl Operation for GetStatistics {
    const NAME: &'static str = "get_statistics";
    type Output = Statistics;

    async fn run(self, client: &Client, _: CallOptions) -> Result<Statistics, Error> {
        let counted = client.statistics().await;
        let failures = counted.undecryptable.iter();
        Ok(Statistics {
            undecryptable: failures
                .map(|(reason, count)| FailureCount { reason: (*reason).to_owned(), count: *count })
                .collect(),
            retries_sent: counted.retries_sent,
            retries_withheld: counted.retries_withheld,
            retries_answered: counted.retries_answered,
            retries_ignored: counted.retries_ignored,
            phone_requests: counted.phone_requests,
            phone_answers: counted.phone_answers,
            completed: counted.completed,
            sessions_renewed: counted.sessions_renewed,
            prekeys_replaced: counted.prekeys_replaced,
        })
    }
}

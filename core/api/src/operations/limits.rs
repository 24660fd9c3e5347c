//! Limits of the account, and reports to the service.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use whimbrel::{CallOptions, Client, Error, parse_address};

use super::Operation;

/// Asks the service how far this account may go: whether it may write to strangers, and how many chats it may
/// begin. What it says is heeded from then on, as when it says so by itself.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetLimits {}

/// How many chats an account may begin in a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewChats {
    /// So many in all, if the service said it.
    pub total: Option<i64>,
    /// So many of them are begun.
    pub used: Option<i64>,
    /// When the time began, seconds since 1970.
    pub cycle_start: Option<i64>,
    /// When it ends, seconds since 1970.
    pub cycle_end: Option<i64>,
    /// The service's word: `NONE`, `FIRST_WARNING`, `SECOND_WARNING`, `CAPPED`.
    pub status: String,
    /// The service's word for one extension: `NOT_ELIGIBLE`, `ELIGIBLE`, `ACTIVE_IN_CURRENT_CYCLE`, `EXHAUSTED`.
    pub extension: Option<String>,
    /// The service's word for what a paid verification adds: `NOT_ELIGIBLE`, `NOT_ACTIVE`, `ACTIVE`,
    /// `ACTIVE_UPGRADE_AVAILABLE`.
    pub verification: Option<String>,
}

/// What the service says of an account's limits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountLimits {
    /// Whether the account may not write to people whom it has had no contact with.
    pub reachout_locked: bool,
    /// When that ends, seconds since 1970, if the service said so.
    pub reachout_until: Option<i64>,
    /// The service's word for the reason, such as `BIZ_QUALITY`, if it gave one.
    pub reachout_reason: Option<String>,
    /// How many chats the account may begin; absent where the service does not count them.
    pub new_chats: Option<NewChats>,
}

impl Operation for GetLimits {
    const NAME: &'static str = "get_limits";
    type Output = AccountLimits;

    async fn run(self, client: &Client, options: CallOptions) -> Result<AccountLimits, Error> {
        let limits = client.limits(options).await?;
        Ok(AccountLimits {
            reachout_locked: limits.reachout_locked,
            reachout_until: limits.reachout_until,
            reachout_reason: limits.reachout_reason,
            new_chats: limits.new_chats.map(|chats| NewChats {
                total: chats.total,
                used: chats.used,
                cycle_start: chats.cycle_start,
                cycle_end: chats.cycle_end,
                status: chats.status,
                extension: chats.extension,
                verification: chats.verification,
            }),
        })
    }
}

/// Reports a person, a group or a status to the service, with messages of the chat that are in the archive. They
/// are handed over in the clear. Nobody is blocked by it.
///
/// Fails with `NOT_FOUND` for a message that the archive does not have, and with `INVALID_ARGUMENT` for another
/// kind of chat, or more than five messages.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReportSpam {
    /// Address of the person or group, or `status@broadcast`.
    #[schemars(extend("format" = "address"))]
    pub chat: String,
    /// Ids of messages; at most five.
    #[serde(default)]
    pub message_ids: Vec<String>,
}

/// A report that the service has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpamReport {
    /// The service's id of it, if it says one.
    pub report_id: Option<String>,
}

impl Operation for ReportSpam {
    const NAME: &'static str = "report_spam";
    type Output = SpamReport;

    async fn run(self, client: &Client, options: CallOptions) -> Result<SpamReport, Error> {
        let chat = parse_address(&self.chat)?;
        let report_id = client.report_spam(&chat, &self.message_ids, options).await?;
        Ok(SpamReport { report_id })
    }
}

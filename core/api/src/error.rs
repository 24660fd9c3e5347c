//! Errors as JSON.

use serde::Serialize;
use whimbrel::Error;

use crate::codes::{category_name, info, outcome_name};

/// An error as every JSON surface shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorJson {
    /// The stable number.
    pub code: u16,
    /// The stable name.
    pub name: &'static str,
    /// The coarse kind.
    pub category: &'static str,
    /// A lowercase fragment without user data.
    pub message: String,
    /// The operation that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<&'static str>,
    /// The number that the service answered with, 0 if it did not.
    pub service_status: u16,
    /// After what time a repetition makes sense.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// `not_sent`, `unknown` or `refused`: whether repeating may duplicate.
    pub outcome: &'static str,
}

impl From<&Error> for ErrorJson {
    fn from(error: &Error) -> Self {
        let info = info(error.code());
        Self {
            code: info.number,
            name: info.name,
            category: category_name(error.category()),
            message: error.message().to_owned(),
            operation: error.operation(),
            service_status: error.service_status(),
            retry_after_ms: error
                .retry_after()
                .map(|after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX)),
            outcome: outcome_name(error.outcome()),
        }
    }
}

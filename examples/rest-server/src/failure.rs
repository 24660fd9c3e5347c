//! What can go wrong, once for all dialects. Each dialect has one table from [`Problem`] to its own form.

use std::time::Duration;

use serde_json::Value;
use whimbrel::{Category, Code, Outcome};

/// The kinds of failures, with stable codes: those that the native dialect shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Problem {
    /// No key, or one that is not valid.
    Unauthorized,
    /// The key is valid and may not do this.
    Forbidden,
    /// No such account, or one of another tenant.
    AccountNotFound,
    /// No such thing within the account or tenant.
    NotFound,
    /// No such route, or not with this method.
    NoRoute,
    /// The account is linked to no phone.
    NotLinked,
    /// The account is linked, and has no connection.
    NotConnected,
    /// The request is not what the route takes.
    Validation,
    /// Something exists already.
    Conflict,
    /// The number is not registered.
    RecipientNotOnWhatsapp,
    /// The recipient blocked the account, or the account the recipient.
    RecipientBlocked,
    /// The service does not let this account begin chats for now.
    ReachoutRestricted,
    /// A file could not be fetched from where the request says it is.
    MediaUnreachable,
    /// A file or body is larger than allowed.
    MediaTooLarge,
    /// A file is not at the service any more.
    MediaGone,
    /// The message is too old to be edited.
    EditWindowPassed,
    /// Too many requests.
    RateLimited,
    /// The same idempotency key with another body, or while the first request is under way.
    IdempotencyConflict,
    /// No answer in time; what was begun goes on.
    Timeout,
    /// The service does not accept this version of the engine any more.
    ClientOutdated,
    /// The service answered with an error.
    Upstream,
    /// This is not offered.
    NotSupported,
    /// The server is stopping, or a store cannot be used.
    Unavailable,
    /// A fault of this server.
    Internal,
}

impl Problem {
    /// Every kind.
    pub const ALL: [Self; 24] = [
        Self::Unauthorized,
        Self::Forbidden,
        Self::AccountNotFound,
        Self::NotFound,
        Self::NoRoute,
        Self::NotLinked,
        Self::NotConnected,
        Self::Validation,
        Self::Conflict,
        Self::RecipientNotOnWhatsapp,
        Self::RecipientBlocked,
        Self::ReachoutRestricted,
        Self::MediaUnreachable,
        Self::MediaTooLarge,
        Self::MediaGone,
        Self::EditWindowPassed,
        Self::RateLimited,
        Self::IdempotencyConflict,
        Self::Timeout,
        Self::ClientOutdated,
        Self::Upstream,
        Self::NotSupported,
        Self::Unavailable,
        Self::Internal,
    ];

    /// The stable code of the native dialect.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::AccountNotFound => "account_not_found",
            Self::NotFound => "not_found",
            Self::NoRoute => "no_route",
            Self::NotLinked => "not_linked",
            Self::NotConnected => "not_connected",
            Self::Validation => "validation",
            Self::Conflict => "conflict",
            Self::RecipientNotOnWhatsapp => "recipient_not_on_whatsapp",
            Self::RecipientBlocked => "recipient_blocked",
            Self::ReachoutRestricted => "reachout_restricted",
            Self::MediaUnreachable => "media_unreachable",
            Self::MediaTooLarge => "media_too_large",
            Self::MediaGone => "media_gone",
            Self::EditWindowPassed => "edit_window_passed",
            Self::RateLimited => "rate_limited",
            Self::IdempotencyConflict => "idempotency_conflict",
            Self::Timeout => "timeout",
            Self::ClientOutdated => "client_outdated",
            Self::Upstream => "upstream",
            Self::NotSupported => "not_supported",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
        }
    }

    /// The status that HTTP has for it, which the native dialect uses.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::Validation | Self::RecipientNotOnWhatsapp | Self::MediaUnreachable => 400,
            Self::EditWindowPassed => 400,
            Self::Unauthorized => 401,
            Self::Forbidden | Self::RecipientBlocked => 403,
            Self::AccountNotFound | Self::NotFound | Self::NoRoute => 404,
            Self::NotLinked | Self::NotConnected | Self::Conflict | Self::IdempotencyConflict => 409,
            Self::MediaGone => 410,
            Self::MediaTooLarge => 413,
            Self::RateLimited | Self::ReachoutRestricted => 429,
            Self::Internal => 500,
            Self::NotSupported => 501,
            Self::Upstream | Self::ClientOutdated => 502,
            Self::Unavailable => 503,
            Self::Timeout => 504,
        }
    }

    /// A title for people, the same for every failure of the kind.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Unauthorized => "The key is missing or not valid",
            Self::Forbidden => "The key may not do this",
            Self::AccountNotFound => "There is no such account",
            Self::NotFound => "There is no such thing",
            Self::NoRoute => "There is no such route",
            Self::NotLinked => "The account is not linked to a phone",
            Self::NotConnected => "The account is not connected",
            Self::Validation => "The request is not valid",
            Self::Conflict => "It exists already",
            Self::RecipientNotOnWhatsapp => "The recipient is not on WhatsApp",
            Self::RecipientBlocked => "The recipient is blocked",
            Self::ReachoutRestricted => "The account may not begin chats for now",
            Self::MediaUnreachable => "The file could not be fetched",
            Self::MediaTooLarge => "The file is too large",
            Self::MediaGone => "The file is gone",
            Self::EditWindowPassed => "The message is too old to be edited",
            Self::RateLimited => "Too many requests",
            Self::IdempotencyConflict => "The idempotency key was used for something else",
            Self::Timeout => "No answer in time",
            Self::ClientOutdated => "The service wants a newer version",
            Self::Upstream => "The service answered with an error",
            Self::NotSupported => "Not supported",
            Self::Unavailable => "The server cannot do this now",
            Self::Internal => "A fault of this server",
        }
    }

    /// Whether the same request may succeed later without a change.
    #[must_use]
    pub fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::NotConnected
                | Self::RateLimited
                | Self::ReachoutRestricted
                | Self::MediaUnreachable
                | Self::Timeout
                | Self::Upstream
                | Self::Unavailable
                | Self::Internal
        )
    }
}

/// What is wrong with one member of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Where, as names joined by dots; empty: the body itself.
    pub field: String,
    /// What, as a fragment that follows the field's name: `is required`.
    pub rule: String,
}

/// A request that failed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The kind.
    pub problem: Problem,
    /// What exactly, for people; no user data.
    pub detail: String,
    /// When a repetition makes sense.
    pub retry_after: Option<Duration>,
    /// For [`Problem::Validation`]: every rule that is broken.
    pub violations: Vec<Violation>,
    /// Something that a dialect puts into its answer.
    pub extra: Option<Value>,
}

impl Failure {
    /// A failure of a kind.
    pub fn new(problem: Problem, detail: impl Into<String>) -> Self {
        Self { problem, detail: detail.into(), retry_after: None, violations: Vec::new(), extra: None }
    }

    /// A request with one member that is wrong.
    pub fn field(field: impl Into<String>, rule: impl Into<String>) -> Self {
        let violation = Violation { field: field.into(), rule: rule.into() };
        Self::invalid(vec![violation])
    }

    /// A request that breaks rules.
    #[must_use]
    pub fn invalid(violations: Vec<Violation>) -> Self {
        let words = violations.iter().map(|one| format!("{} {}", one.field, one.rule).trim().to_owned());
        let detail = words.collect::<Vec<_>>().join("; ");
        Self { violations, ..Self::new(Problem::Validation, detail) }
    }

    /// A thing that is not there.
    pub fn missing(what: &str) -> Self {
        Self::new(Problem::NotFound, format!("there is no such {what}"))
    }

    /// A fault of this server, which is logged; the client is told nothing of it.
    pub fn internal(error: &dyn std::fmt::Display) -> Self {
        tracing::error!(%error, "A request failed for a fault of the server.");
        Self::new(Problem::Internal, "the server could not do it")
    }

    /// After what time a repetition makes sense.
    #[must_use]
    pub fn after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    /// With something for the dialect's answer.
    #[must_use]
    pub fn with(mut self, extra: Value) -> Self {
        self.extra = Some(extra);
        self
    }

    /// Whole seconds for `Retry-After`, at least one.
    #[must_use]
    pub fn retry_after_seconds(&self) -> Option<u64> {
        self.retry_after.map(|after| u64::max(1, after.as_millis().div_ceil(1000).try_into().unwrap_or(1)))
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.problem.code(), self.detail)
    }
}

impl std::error::Error for Failure {}

impl From<whimbrel::Error> for Failure {
    fn from(error: whimbrel::Error) -> Self {
        let problem = match error.code() {
            Code::InvalidArgument | Code::UnknownOperation | Code::TermsNotAccepted => Problem::Validation,
            Code::MediaMalformed | Code::MediaUnsupported | Code::MediaMismatch => Problem::Validation,
            Code::NotSupported => Problem::NotSupported,
            Code::WrongState | Code::Superseded | Code::FileExists => Problem::Conflict,
            Code::NotLinked | Code::LoggedOut => Problem::NotLinked,
            Code::NotConnected | Code::ConnectFailed | Code::ProxyFailed | Code::Replaced => {
                Problem::NotConnected
            }
            Code::TemporaryBan => Problem::Forbidden,
            Code::NotFound => Problem::NotFound,
            Code::Forbidden => Problem::Forbidden,
            Code::RateLimited => Problem::RateLimited,
            Code::TimedOut | Code::Cancelled | Code::PhoneNoAnswer => Problem::Timeout,
            Code::Restricted => Problem::ReachoutRestricted,
            Code::NoDevice => Problem::RecipientNotOnWhatsapp,
            Code::ClientOutdated => Problem::ClientOutdated,
            Code::MediaGone => Problem::MediaGone,
            Code::MediaTooLarge => Problem::MediaTooLarge,
            Code::MediaUnreachable => Problem::MediaUnreachable,
            Code::Closed => Problem::Unavailable,
            _ => match error.category() {
                Category::Service | Category::Account | Category::Network => Problem::Upstream,
                Category::Store => Problem::Unavailable,
                _ if error.outcome() == Outcome::Refused => Problem::Upstream,
                _ => Problem::Internal,
            },
        };
        let mut failure = Self::new(problem, error.message());
        failure.retry_after = error.retry_after();
        if problem == Problem::Internal {
            tracing::error!(%error, "The engine failed.");
        }
        failure
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::internal(&error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_has_a_code_of_its_own() {
        let mut codes: Vec<_> = Problem::ALL.iter().map(|problem| problem.code()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Problem::ALL.len());
    }

    #[test]
    fn a_wait_is_told_in_whole_seconds_and_never_as_none() {
        let failure = |millis| Failure::new(Problem::RateLimited, "x").after(Duration::from_millis(millis));
        let seconds: Vec<_> =
            [0, 1, 1000, 1001].map(|millis| failure(millis).retry_after_seconds().unwrap()).into();
        assert_eq!(seconds, [1, 1, 1, 2]);
    }
}

//! What the host wants of the connection, and how far it is.

use crate::error::{Code, Error};
use crate::events::ConnectionState;

/// What the supervisor works towards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Goal {
    /// No connection.
    Rest,
    /// A connection: logged in if there is a link, else showing codes. The number grows with
    /// each wish of the host, and a new wish ends a back-off.
    Connected(u64),
    /// No connection ever again.
    Closed,
}

/// How the connection is, and why it is not better.
#[derive(Clone, Debug)]
pub(crate) struct Status {
    pub(crate) state: ConnectionState,
    /// Why the last connection or attempt ended; cleared by a login.
    pub(crate) failure: Option<Error>,
    /// The wish that was being worked on when this was written.
    pub(crate) wish: u64,
}

impl Default for Status {
    fn default() -> Self {
        Self { state: ConnectionState::Stopped, failure: None, wish: 0 }
    }
}

impl Status {
    /// Whether logged in, so that requests can be made.
    pub(crate) fn is_logged_in(&self) -> bool {
        matches!(self.state, ConnectionState::CatchingUp | ConnectionState::Online)
    }

    /// The outcome for a host that waits for `wish`: `None` while it is still open.
    pub(crate) fn outcome(&self, wish: u64) -> Option<Result<(), Error>> {
        match (&self.state, &self.failure) {
            (ConnectionState::Online, _) => Some(Ok(())),
            _ if self.wish < wish => None,
            (ConnectionState::Stopped, Some(failure)) => Some(Err(failure.clone())),
            (ConnectionState::Stopped, None) => {
                Some(Err(Error::new(Code::NotConnected, "the connection was ended by the host")))
            }
            (ConnectionState::Waiting { .. }, Some(failure)) if failure.code() == Code::UntrustedServer => {
                Some(Err(failure.clone()))
            }
            _ => None,
        }
    }
}

/// The error of a host whose deadline passed before the connection was made.
pub(crate) fn not_connected_in_time(failure: Option<Error>) -> Error {
    match failure {
        Some(failure) if failure.code() == Code::ConnectFailed => failure,
        Some(failure) => {
            Error::new(Code::ConnectFailed, "the service could not be reached in time").because(failure)
        }
        None => Error::new(Code::TimedOut, "the service did not answer in time"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn waiting(code: Code) -> Status {
        let state = ConnectionState::Waiting { retry_in: Duration::from_secs(1), reason: "unreachable" };
        Status { state, failure: Some(Error::new(code, "as a test")), wish: 1 }
    }

    #[test]
    fn a_wish_is_open_until_online_or_hopeless() {
        assert!(waiting(Code::ConnectFailed).outcome(1).is_none());
        let error = waiting(Code::UntrustedServer).outcome(1).unwrap().unwrap_err();
        assert_eq!(error.code(), Code::UntrustedServer);
        let online = Status { state: ConnectionState::Online, failure: None, wish: 1 };
        assert!(online.outcome(9).unwrap().is_ok());
    }

    #[test]
    fn an_old_failure_does_not_answer_a_new_wish() {
        let stopped = Status {
            state: ConnectionState::Stopped,
            failure: Some(Error::new(Code::Replaced, "as a test")),
            wish: 1,
        };
        assert!(stopped.outcome(2).is_none());
        assert_eq!(stopped.outcome(1).unwrap().unwrap_err().code(), Code::Replaced);
    }
}

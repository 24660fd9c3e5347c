//! What the host wants of the connection, and how far it is.

use crate::error::{Code, Error};
use crate::events::ConnectionState;

/// A wish of the host for a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wish {
    /// Grows with each wish; a new wish ends a back-off.
    pub(crate) number: u64,
    /// Grows with each time the host wants no connection: one that was made for an earlier
    /// epoch is not what is wished now.
    pub(crate) epoch: u64,
}

/// What the supervisor works towards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Goal {
    /// No connection. The last wish, with the epoch of the next.
    Rest(Wish),
    /// A connection: logged in if there is a link, else showing codes.
    Connected(Wish),
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
    pub(crate) wish: Wish,
}

impl Default for Status {
    fn default() -> Self {
        Self { state: ConnectionState::Stopped, failure: None, wish: Wish::default() }
    }
}

impl Status {
    /// The outcome for a host that waits for `wish`: `None` while it is still open.
    pub(crate) fn outcome(&self, wish: Wish) -> Option<Result<(), Error>> {
        match (&self.state, &self.failure) {
            (ConnectionState::Online, _) if self.wish.epoch >= wish.epoch => Some(Ok(())),
            _ if self.wish.number < wish.number => None,
            (ConnectionState::Stopped, Some(failure)) => Some(Err(failure.clone())),
            (ConnectionState::Stopped, None) => {
                Some(Err(Error::new(Code::NotConnected, "the connection was ended by the host")))
            }
            (ConnectionState::Waiting { reason, .. }, Some(failure)) if is_hopeless(reason) => {
                Some(Err(failure.clone()))
            }
            _ => None,
        }
    }
}

/// Whether trying again helps only if somebody changes something.
fn is_hopeless(reason: &str) -> bool {
    matches!(reason, "untrusted_server" | "proxy_credentials")
}

/// The error of a host whose deadline passed before the connection was made.
pub(crate) fn not_connected_in_time(failure: Option<Error>) -> Error {
    match failure {
        Some(failure) if matches!(failure.code(), Code::ConnectFailed | Code::ProxyFailed) => failure,
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

    fn wish(number: u64, epoch: u64) -> Wish {
        Wish { number, epoch }
    }

    fn waiting(code: Code, reason: &'static str) -> Status {
        let state = ConnectionState::Waiting { retry_in: Duration::from_secs(1), reason };
        Status { state, failure: Some(Error::new(code, "as a test")), wish: wish(1, 0) }
    }

    #[test]
    fn a_wish_is_open_until_online_or_hopeless() {
        assert!(waiting(Code::ConnectFailed, "unreachable").outcome(wish(1, 0)).is_none());
        assert!(waiting(Code::ProxyFailed, "proxy_unreachable").outcome(wish(1, 0)).is_none());
        for (code, reason) in
            [(Code::UntrustedServer, "untrusted_server"), (Code::ProxyFailed, "proxy_credentials")]
        {
            let error = waiting(code, reason).outcome(wish(1, 0)).unwrap().unwrap_err();
            assert_eq!(error.code(), code);
        }
    }

    #[test]
    fn a_connection_that_was_to_end_does_not_answer_a_new_wish() {
        let online = Status { state: ConnectionState::Online, failure: None, wish: wish(1, 3) };
        assert!(online.outcome(wish(9, 3)).unwrap().is_ok(), "it is what the host wishes again");
        assert!(online.outcome(wish(9, 4)).is_none(), "the host wanted it ended in between");
        assert!(online.outcome(wish(1, 2)).unwrap().is_ok(), "an older wish is fulfilled by a newer one");
    }

    #[test]
    fn an_old_failure_does_not_answer_a_new_wish() {
        let failure = Some(Error::new(Code::Replaced, "as a test"));
        let stopped = Status { state: ConnectionState::Stopped, failure, wish: wish(1, 0) };
        assert!(stopped.outcome(wish(2, 1)).is_none());
        assert_eq!(stopped.outcome(wish(1, 0)).unwrap().unwrap_err().code(), Code::Replaced);
    }
}

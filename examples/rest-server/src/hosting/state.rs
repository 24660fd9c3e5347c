//! How an account's link stands, as one value that is derived from what the engine tells.

use whimbrel::events::{ConnectionState, EventKind};

/// Where a link is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    /// No phone, and nothing is under way.
    Unlinked,
    /// A QR or pairing code waits for a phone.
    Linking,
    /// A phone accepted, and the first login is not complete.
    Pairing,
    /// Linked, and on the way to the service.
    Connecting,
    /// Messages go both ways.
    Online,
    /// Linked, and told to stay away, or put aside by another connection with the same keys.
    Offline,
    /// The service refuses the login until somebody connects again.
    Refused,
}

impl Link {
    /// The native word.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Unlinked => "unlinked",
            Self::Linking => "linking",
            Self::Pairing => "pairing",
            Self::Connecting => "connecting",
            Self::Online => "online",
            Self::Offline => "offline",
            Self::Refused => "refused",
        }
    }
}

/// A QR text that is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ShownQr {
    pub(crate) text: String,
    /// The how manyth of this attempt, from 1.
    pub(crate) count: u32,
    pub(crate) expires_at: i64,
}

/// How an account stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) link: Link,
    pub(crate) qr: Option<ShownQr>,
    pub(crate) code: Option<String>,
    /// Why it is as it is: a stable lowercase word.
    pub(crate) reason: Option<String>,
    /// The number that the service gave for it.
    pub(crate) status: Option<u16>,
}

impl State {
    pub(crate) fn new(linked: bool) -> Self {
        let link = if linked { Link::Offline } else { Link::Unlinked };
        Self { link, qr: None, code: None, reason: None, status: None }
    }

    fn at(&self, link: Link) -> Self {
        Self { link, ..Self::new(false) }
    }

    fn because(self, reason: &str, status: Option<u16>) -> Self {
        Self { reason: Some(reason.to_owned()), status, ..self }
    }

    /// The state after an event; `None` if it says nothing of it. `linked`: whether the client has a phone.
    pub(crate) fn after(&self, event: &EventKind, linked: bool, now_ms: i64) -> Option<Self> {
        Some(match event {
            EventKind::Qr(qr) => {
                let count = self.qr.as_ref().map_or(0, |qr| qr.count).saturating_add(1);
                let valid = i64::try_from(qr.valid_for.as_millis()).unwrap_or(0);
                let shown =
                    ShownQr { text: qr.text.clone(), count, expires_at: now_ms.saturating_add(valid) };
                Self { qr: Some(shown), code: self.code.clone(), ..self.at(Link::Linking) }
            }
            EventKind::PairingCode(code) => {
                Self { code: Some(code.code.clone()), qr: self.qr.clone(), ..self.at(Link::Linking) }
            }
            EventKind::Linked(_) => self.at(Link::Pairing),
            EventKind::LinkFailed(failed) => self.at(Link::Unlinked).because(failed.reason, None),
            EventKind::LoggedOut(out) => self
                .at(Link::Unlinked)
                .because(&out.reason, Some(out.service_status).filter(|status| *status != 0)),
            EventKind::Replaced => self.at(Link::Offline).because("replaced", None),
            EventKind::ConnectionRefused(refused) => {
                self.at(Link::Refused).because("refused", Some(refused.service_status))
            }
            EventKind::Connection(state) => return self.after_connection(state, linked),
            _ => return None,
        })
    }

    fn after_connection(&self, state: &ConnectionState, linked: bool) -> Option<Self> {
        let keeps = matches!(self.link, Link::Refused) || self.reason.as_deref() == Some("replaced");
        match state {
            ConnectionState::Online => Some(self.at(Link::Online)),
            ConnectionState::Stopped if keeps => None,
            ConnectionState::Stopped if linked => Some(self.at(Link::Offline)),
            ConnectionState::Stopped if self.link == Link::Unlinked => None,
            ConnectionState::Stopped => Some(self.at(Link::Unlinked)),
            // Before a phone is found, connections come and go behind the codes.
            _ if !linked => None,
            _ if self.link == Link::Pairing => None,
            ConnectionState::Unresponsive | ConnectionState::Waiting { .. } => {
                Some(self.at(Link::Connecting))
            }
            ConnectionState::Connecting | ConnectionState::CatchingUp => Some(self.at(Link::Connecting)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(linked: bool, states: &[ConnectionState]) -> Link {
        let mut state = State::new(linked);
        for connection in states {
            let event = EventKind::Connection(connection.clone());
            state = state.after(&event, linked, 0).unwrap_or(state);
        }
        state.link
    }

    #[test]
    fn a_linked_account_goes_online_and_back() {
        use ConnectionState::{CatchingUp, Connecting, Online, Stopped, Unresponsive};
        assert_eq!(run(true, &[]), Link::Offline);
        assert_eq!(run(true, &[Connecting, CatchingUp]), Link::Connecting);
        assert_eq!(run(true, &[Connecting, CatchingUp, Online]), Link::Online);
        assert_eq!(run(true, &[Online, Unresponsive]), Link::Connecting);
        assert_eq!(run(true, &[Online, Stopped]), Link::Offline);
        assert_eq!(run(false, &[Connecting, Stopped]), Link::Unlinked);
    }
}

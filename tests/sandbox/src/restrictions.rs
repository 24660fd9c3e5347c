//! Restrictions of accounts, as a test sets them.

use std::time::Duration;

use crate::Sandbox;

/// What an account may not do for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Restriction {
    /// Write to people with whom it has exchanged no message (error 463).
    ReachoutTimelock,
    /// The same, because it has begun too many chats (error 475).
    NewChatCap,
    /// Write to anybody whose token it does not show (error 463), or see presences and pictures of such people.
    TokensOnly,
}

impl Sandbox {
    /// Restricts an account: messages to people with whom it has exchanged none are refused, for this
    /// long or until it is lifted. `announce`: its companions are told; otherwise they find out.
    /// Tells whether the account exists.
    pub fn restrict(
        &self,
        number: &str,
        restriction: Restriction,
        lasts: Option<Duration>,
        announce: bool,
    ) -> bool {
        self.with(|service| service.restrict(number, restriction, lasts, announce))
    }

    /// Lifts a restriction. `announce`: the account's companions are told. Tells whether the account
    /// exists.
    pub fn lift_restriction(&self, number: &str, restriction: Restriction, announce: bool) -> bool {
        self.with(|service| service.lift_restriction(number, restriction, announce))
    }
}

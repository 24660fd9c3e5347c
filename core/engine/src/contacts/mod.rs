//! People, as the service knows them: who is registered under a number, and what people say of
//! themselves (features document §7.3).

mod check;
mod info;
mod stanza;

use std::time::Duration;

use tokio::time::Instant;

pub use check::{NumberCheck, NumberStatus};
pub use info::{About, DefaultTimer, UserInfo};

/// The timer that the only person in an answer wants in new chats.
pub(crate) fn timer_in(answer: &whimbrel_wire::Node) -> Option<DefaultTimer> {
    stanza::told(answer).into_values().next()?.default_timer
}

fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

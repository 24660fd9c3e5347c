//! People, as the service knows them: who is registered under a number, and what people say of
//! themselves (features document §7.3).

mod check;
mod info;
mod stanza;

use std::time::Duration;

use tokio::time::Instant;

pub use check::{NumberCheck, NumberStatus};
pub use info::{About, DefaultTimer, UserInfo};

fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

//! What people say of themselves: name, about and user name, and the links that lead to them (features document
//! §7.1, §7.5, §7.7).

mod about;
mod links;
mod name;
pub(crate) mod notify;
mod stanza;
mod username;
mod usernames;

pub use about::{NewAbout, ProfileAbout};
pub use links::{ContactLink, FoundContactLink, MessageLink};
pub use notify::{AboutChanged, UsernameChanged};
pub use username::UsernameProblem;
pub use usernames::{FoundUsername, OwnUsername, UsernameCheck};

pub(crate) use about::refresh as refresh_about;

use std::time::Duration;

use tokio::time::Instant;

fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

//! What every test needs: a sandbox with phones, a server on it, an HTTP client, and a receiver of webhooks.

mod receiver;
mod stream;
mod world;

pub(crate) use receiver::{Delivery, Receiver};
pub(crate) use stream::Events;
pub(crate) use world::{Answer, Json, ROOT, World};

/// One black pixel.
pub(crate) const PIXEL: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==";

use std::time::Duration;

/// How long anything may take.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

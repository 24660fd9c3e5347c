//! What entries say: the registry of actions (app-state document §10).

mod parts;
mod registry;

pub use parts::MessageRef;
pub use registry::{Action, Kind};

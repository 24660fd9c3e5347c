//! What every scenario needs: a sandbox, an engine that trusts it, clients that are linked to
//! simulated phones, people and groups to talk to, and ways to wait for events. Everything in one
//! process.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a panic in a scenario is the report of its failure")]

mod groups;
mod people;
pub mod proxies;
mod saying;
mod shared;
mod waiting;
mod world;

pub use people::{ANNA, BEN, CARA, CLEO, DAN, NUMBER, device_label, pn};
pub use saying::{quoting, read, send, with_id};
pub use shared::{all_written, companion, synced, written};
pub use waiting::{
    DEADLINE, Wait, go_away, go_away_with, next_event, next_group_change, next_identity, next_join_request,
    next_joined, next_kind, next_left, next_linked, next_logout, next_message, next_moved, next_placeholder,
    next_receipt, next_state, next_status, next_suggested, stopped, waiting_reason, within,
};
pub use world::{World, quiet};

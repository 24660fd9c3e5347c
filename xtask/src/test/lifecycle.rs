//! How programs end: with a live engine, in a flood, forked, interrupted, thrown out of a callback,
//! with a closed loop or a worker that was stopped. What fails once in fifty ends fails somewhere
//! every day, so each is repeated.
//!
//! `WHIMBREL_REPEAT` says how often; without it the areas of the languages run each once.

use std::path::Path;

use super::{TaskResult, cargo, check, node, python};

/// In every run.
pub(super) fn short(root: &Path) -> TaskResult {
    endings(root, "5")
}

/// The campaign.
pub(super) fn long(root: &Path) -> TaskResult {
    endings(root, "100")
}

fn endings(root: &Path, times: &str) -> TaskResult {
    let programs = ["test", "--package", "whimbrel-ffi", "--test", "interface", "programs_end_in_order"];
    check(cargo(root).args(programs).env("RUST_BACKTRACE", "0").env("WHIMBREL_REPEAT", times))?;
    python::endings(root, times)?;
    node::endings(root, times)
}

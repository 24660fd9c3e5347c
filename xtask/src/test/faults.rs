//! Crashes, cuts and damage. Needs Node with npm, for the clients of Baileys among ours.
//!
//! `WHIMBREL_SEED` replaces the fixed seeds; any value must pass.

use std::path::Path;

use super::{cargo, check};
use crate::TaskResult;

/// Stories of the long kill tests, five kills each.
const STORIES: &str = "400";

/// Texts of the long chaos test.
const TEXTS: &str = "10000";

/// The short forms.
pub(super) fn run(root: &Path) -> TaskResult {
    check(cargo(root).args(["test", "--package", "whimbrel-faults", "--", "--nocapture"]))
}

/// Many more kills, at other points.
pub(super) fn kills(root: &Path) -> TaskResult {
    check(
        cargo(root)
            .args(["test", "--package", "whimbrel-faults", "--test", "kill"])
            .env("WHIMBREL_STORIES", STORIES),
    )
}

/// A longer conversation.
pub(super) fn chaos(root: &Path) -> TaskResult {
    check(
        cargo(root)
            .args(["test", "--package", "whimbrel-faults", "--test", "chaos", "--", "--nocapture"])
            .env("WHIMBREL_MESSAGES", TEXTS),
    )
}

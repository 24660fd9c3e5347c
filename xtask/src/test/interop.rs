//! Clients that we did not write, unmodified, against the sandbox and the engine. Needs Node with
//! npm, and Go.

use std::path::Path;

use super::{cargo, check};
use crate::TaskResult;

/// Runs the area. The tests install and build the programs by themselves, and limit how many of
/// them run at the same time.
pub(super) fn run(root: &Path) -> TaskResult {
    check(cargo(root).args(["test", "--quiet", "-p", "whimbrel-interop"]))
}

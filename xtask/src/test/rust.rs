//! The Rust crates: format, lints, and all tests of libraries, sandbox and scenarios.

use std::path::Path;

use super::{TaskResult, cargo, check};

/// Formatting and lints of the whole workspace, warnings being errors.
pub(super) fn lint(root: &Path) -> TaskResult {
    check(cargo(root).args(["fmt", "--all", "--check"]))?;
    check(cargo(root).args(["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]))
}

/// Every test of the crates that need no other language. The C interface, other clients,
/// faults and the language packages have areas of their own.
pub(super) fn test(root: &Path) -> TaskResult {
    check(cargo(root).args(["test", "--exclude", "whimbrel-ffi", "--exclude", "whimbrel-interop"]).args([
        "--exclude",
        "whimbrel-python",
        "--exclude",
        "whimbrel-node",
        "--exclude",
        "whimbrel-faults",
        "--workspace",
    ]))
}

/// The C interface: header, exported names, and the C and C++ programs, under valgrind too.
pub(super) fn ffi(root: &Path) -> TaskResult {
    check(cargo(root).args(["test", "--package", "whimbrel-ffi"]).env("RUST_BACKTRACE", "0"))
}

/// Licences, sources and duplicates of the dependencies; installs the tool where it is missing.
pub(super) fn deny(root: &Path) -> TaskResult {
    const VERSION: &str = "0.20.2";
    let installed =
        cargo(root).args(["deny", "--version"]).output().is_ok_and(|output| output.status.success());
    if !installed {
        check(cargo(root).args(["install", "cargo-deny", "--locked", "--version", VERSION]))?;
    }
    check(cargo(root).args(["deny", "check", "licenses", "bans", "sources"]))
}

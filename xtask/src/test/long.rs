//! Campaigns that take too long for every run: `cargo xtask test --long`.

use std::path::Path;

use super::{TaskResult, cargo, check};

/// Seconds that each fuzz target runs.
const FUZZ_SECONDS: u32 = 120;

/// Every fuzz target for a while, from its corpus. Needs a nightly toolchain; installs the tool
/// where it is missing.
pub(super) fn fuzz(root: &Path) -> TaskResult {
    let fuzz = || {
        let mut command = std::process::Command::new("cargo");
        command.current_dir(root).arg("+nightly").arg("fuzz");
        // The toolchain that runs this task must not reach into the other one.
        for variable in ["CARGO", "RUSTUP_TOOLCHAIN", "CARGO_MANIFEST_DIR"] {
            command.env_remove(variable);
        }
        command
    };
    let installed = fuzz().arg("--version").output().is_ok_and(|output| output.status.success());
    if !installed {
        check(cargo(root).args(["install", "cargo-fuzz", "--locked"]))?;
    }
    let listed = fuzz().arg("list").output().map_err(|error| format!("cargo fuzz list: {error}"))?;
    for target in String::from_utf8_lossy(&listed.stdout).lines() {
        // What is found grows apart from the corpora that are kept.
        let grown = root.join("fuzz/target/corpus").join(target);
        std::fs::create_dir_all(&grown).map_err(|error| format!("{}: {error}", grown.display()))?;
        let mut run = fuzz();
        run.args(["run", target]).arg(&grown).arg(root.join("fuzz/corpus").join(target));
        check(run.args(["--", &format!("-max_total_time={FUZZ_SECONDS}")]))?;
    }
    Ok(())
}

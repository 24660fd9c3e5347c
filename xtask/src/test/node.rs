//! The Node.js package: its addon built and put beside the TypeScript, types checked, and tested
//! against the sandbox.

use std::path::Path;
use std::process::Command;

use super::{build_folder, cargo, check, stamp};
use crate::TaskResult;

const PACKAGE: &str = "bindings/node";

/// Runs the area.
pub(super) fn run(root: &Path) -> TaskResult {
    build(root)?;
    check(&mut npm(root, &["run", "--silent", "types"]))?;
    check(
        npm(root, &["test", "--silent"]).env("WHIMBREL_SANDBOX", build_folder(root).join("whimbrel-sandbox")),
    )
}

/// How programs end, that many times each.
pub(super) fn endings(root: &Path, times: &str) -> TaskResult {
    build(root)?;
    let mut tests = Command::new("node");
    tests.args(["--test", "test/lifecycle.test.mjs"]).current_dir(root.join(PACKAGE));
    tests.env("WHIMBREL_SANDBOX", build_folder(root).join("whimbrel-sandbox"));
    check(tests.env("WHIMBREL_REPEAT", times))
}

/// Makes the package, in its folder.
pub(super) fn build(root: &Path) -> TaskResult {
    install(root)?;
    check(cargo(root).args(["build", "--quiet", "-p", "whimbrel-node", "-p", "whimbrel-sandbox"]))?;
    place_addon(root)?;
    compile(root)
}

/// Installs what the package is compiled with, as its lock file says.
pub(crate) fn install(root: &Path) -> TaskResult {
    let package = root.join(PACKAGE);
    // The stamp lies in the folder that `npm ci` makes anew.
    stamp::once(&package.join("node_modules"), "lock", &[&package.join("package-lock.json")], || {
        check(&mut npm(root, &["ci", "--ignore-scripts"]))
    })
}

/// Puts the addon that was built where the package looks first.
pub(crate) fn place_addon(root: &Path) -> TaskResult {
    let package = root.join(PACKAGE);
    let extension = if cfg!(target_os = "macos") { "dylib" } else { "so" };
    let from = build_folder(root).join(format!("libwhimbrel_node.{extension}"));
    let (fresh, to) = (package.join("whimbrel.node.new"), package.join("whimbrel.node"));
    // Renamed into place: a process that has the old one loaded keeps it.
    std::fs::copy(&from, &fresh)
        .and_then(|_| std::fs::rename(&fresh, &to))
        .map_err(|error| format!("{}: {error}", from.display()))
}

/// Compiles the package's TypeScript.
pub(crate) fn compile(root: &Path) -> TaskResult {
    check(&mut npm(root, &["run", "--silent", "build"]))
}

fn npm(root: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("npm");
    command.current_dir(root.join(PACKAGE)).args(arguments);
    command
}

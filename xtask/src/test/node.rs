//! The Node.js package: its addon built and put beside the TypeScript, types checked, and tested
//! against the sandbox.

use std::path::Path;
use std::process::Command;

use super::{build_folder, cargo, check, stamp};
use crate::TaskResult;

const PACKAGE: &str = "bindings/node";

/// Runs the area.
pub(super) fn run(root: &Path) -> TaskResult {
    let package = root.join(PACKAGE);
    let npm = |arguments: &[&str]| {
        let mut command = Command::new("npm");
        command.current_dir(&package).args(arguments);
        command
    };
    let lock = package.join("package-lock.json");
    // The stamp lies in the folder that `npm ci` makes anew.
    stamp::once(&package.join("node_modules"), "lock", &[&lock], || {
        check(&mut npm(&["ci", "--ignore-scripts"]))
    })?;
    addon(root, &package)?;
    check(&mut npm(&["run", "--silent", "build"]))?;
    check(&mut npm(&["run", "--silent", "types"]))?;
    check(npm(&["test", "--silent"]).env("WHIMBREL_SANDBOX", build_folder(root).join("whimbrel-sandbox")))
}

/// Builds the addon and the sandbox, and puts the addon where the package looks first.
fn addon(root: &Path, package: &Path) -> TaskResult {
    check(cargo(root).args(["build", "--quiet", "-p", "whimbrel-node", "-p", "whimbrel-sandbox"]))?;
    let extension = if cfg!(target_os = "macos") { "dylib" } else { "so" };
    let from = build_folder(root).join(format!("libwhimbrel_node.{extension}"));
    let (fresh, to) = (package.join("whimbrel.node.new"), package.join("whimbrel.node"));
    // Renamed into place: a process that has the old one loaded keeps it.
    std::fs::copy(&from, &fresh)
        .and_then(|_| std::fs::rename(&fresh, &to))
        .map_err(|error| format!("{}: {error}", from.display()))
}

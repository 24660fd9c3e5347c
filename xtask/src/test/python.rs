//! The Python package: built into its source folder, type-checked, and tested against the
//! sandbox.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{build_folder, cargo, check, stamp};
use crate::TaskResult;

const PACKAGE: &str = "bindings/python";
/// The folder in which the package lies, with its extension, once that was placed.
pub(crate) const SOURCES: &str = "bindings/python/python";

/// Runs the area.
pub(super) fn run(root: &Path) -> TaskResult {
    let python = build(root)?;
    let tool = |module: &str| tool(root, &python, module);
    check(tool("mypy").args(["python/whimbrel", "tests", "../../examples/python"]))?;
    check(
        tool("mypy.stubtest").arg("whimbrel._whimbrel").env("MYPYPATH", "python").env("PYTHONPATH", "python"),
    )?;
    check(
        tool("pytest")
            .args(["-q", "tests"])
            .env("WHIMBREL_SANDBOX", build_folder(root).join("whimbrel-sandbox"))
            .env("PYTHONPATH", "python"),
    )
}

/// How programs end, that many times each.
pub(super) fn endings(root: &Path, times: &str) -> TaskResult {
    let python = build(root)?;
    let mut tests = tool(root, &python, "pytest");
    tests.args(["-q", "-m", "ending", "tests"]).env("WHIMBREL_REPEAT", times).env("PYTHONPATH", "python");
    check(tests.env("WHIMBREL_SANDBOX", build_folder(root).join("whimbrel-sandbox")))
}

/// Makes the package, in its folder, and returns the interpreter of its tools.
pub(super) fn build(root: &Path) -> Result<PathBuf, String> {
    let python = environment(root)?;
    check(cargo(root).args(["build", "--quiet", "-p", "whimbrel-python", "-p", "whimbrel-sandbox"]))?;
    place_extension(root)?;
    Ok(python)
}

/// A module that is a program, in the package's folder.
fn tool(root: &Path, python: &Path, module: &str) -> Command {
    let mut command = Command::new(python);
    command.current_dir(root.join(PACKAGE)).args(["-m", module]);
    command
}

/// The interpreter of a virtual environment with the tools of `requirements-dev.txt`.
fn environment(root: &Path) -> Result<PathBuf, String> {
    let folder = root.join(".venv");
    let python = folder.join("bin/python");
    let requirements = root.join(PACKAGE).join("requirements-dev.txt");
    stamp::once(&folder, "requirements", &[&requirements], || {
        check(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
        check(
            Command::new(&python)
                .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"])
                .arg(&requirements),
        )
    })?;
    Ok(python)
}

/// Puts the extension that was built beside the Python sources, where an installed wheel has it.
pub(crate) fn place_extension(root: &Path) -> TaskResult {
    let extension = if cfg!(target_os = "macos") { "dylib" } else { "so" };
    let from = build_folder(root).join(format!("lib_whimbrel.{extension}"));
    let folder = root.join(SOURCES).join("whimbrel");
    let (fresh, to) = (folder.join("_whimbrel.abi3.so.new"), folder.join("_whimbrel.abi3.so"));
    // Renamed into place: a process that has the old one loaded keeps it.
    std::fs::copy(&from, &fresh)
        .and_then(|_| std::fs::rename(&fresh, &to))
        .map_err(|error| format!("{}: {error}", from.display()))
}

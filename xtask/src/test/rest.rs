//! The REST server and clients that were not written for it.

use std::path::Path;
use std::process::Command;

use super::{build_folder, cargo, check, stamp};
use crate::TaskResult;

const CLIENTS: &str = "examples/rest-server/tests/clients";

/// Runs the area.
pub(super) fn run(root: &Path) -> TaskResult {
    check(cargo(root).args(["build", "--quiet", "-p", "whimbrel-rest"]))?;
    let folder = build_folder(root).join("rest-clients");
    let python = folder.join("bin/python");
    let requirements = root.join(CLIENTS).join("requirements.txt");
    stamp::once(&folder, "requirements", &[&requirements], || {
        check(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
        check(
            Command::new(&python)
                .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"])
                .arg(&requirements),
        )
    })?;
    check(
        Command::new(&python)
            .current_dir(root.join(CLIENTS))
            .args(["-m", "pytest", "-q", "-p", "no:cacheprovider", "."])
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("WHIMBREL_REST", build_folder(root).join("whimbrel-rest")),
    )
}

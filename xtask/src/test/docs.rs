//! The documentation: the site is built, its links lead somewhere, and what documents show of Python
//! and JavaScript is run against the sandbox.

use std::path::Path;
use std::process::Command;

use super::{build_folder, check, node, python};
use crate::TaskResult;
use crate::docs;

/// Documents beside the pages of the site.
pub(super) const DOCUMENTS: [&str; 3] = ["README.md", "bindings/python/README.md", "bindings/node/README.md"];

/// Runs the area.
pub(super) fn run(root: &Path) -> TaskResult {
    docs::build(root)?;
    let python = python::build(root)?;
    node::build(root)?;
    let project = build_folder(root).join("snippets");
    let modules = project.join("node_modules");
    let link = modules.join("whimbrel");
    if !link.exists() {
        std::fs::create_dir_all(&modules)
            .and_then(|()| std::os::unix::fs::symlink(root.join("bindings/node"), &link))
            .map_err(|error| format!("{}: {error}", link.display()))?;
    }
    let mut snippets = Command::new(python);
    snippets.arg(root.join("tests/snippets/run.py")).arg("--node").arg(&project);
    snippets.args(DOCUMENTS).args(docs::pages(root)?).current_dir(root);
    snippets.env("PYTHONPATH", root.join(python::SOURCES));
    check(snippets.env("WHIMBREL_SANDBOX", build_folder(root).join("whimbrel-sandbox")))
}

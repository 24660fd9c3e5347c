//! `cargo xtask docs`: the documentation site, from the pages of `docs/site`, a reference of what
//! `bindings/api.json` describes, and the example programs; written to `target/docs/html`.
//!
//! A link that leads nowhere fails it. What the pages show of Python and JavaScript is run by the
//! area `docs` of the tests.

mod reference;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::bindings::api::Api;
use crate::test::{check, stamp};
use crate::{TaskResult, workspace};

/// The pages that are written by hand.
pub(crate) const PAGES: &str = "docs/site";

/// Programs that pages show whole.
const SHOWN: [(&str, &str); 3] = [
    ("examples/rust/src/bin/echo-bot.rs", "echo-bot.rs"),
    ("examples/c/echo_bot.c", "echo_bot.c"),
    ("examples/cpp/echo_bot.cpp", "echo_bot.cpp"),
];

/// Runs the task.
pub(crate) fn run(arguments: &[String]) -> TaskResult {
    if !arguments.is_empty() {
        return Err(String::from("there are no options"));
    }
    let root = workspace::root()?;
    let html = build(&root)?;
    println!("open {}", html.join("index.html").display());
    Ok(())
}

/// Builds the site and returns its folder.
pub(crate) fn build(root: &Path) -> Result<PathBuf, String> {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder));
    let folder = target.join("docs");
    let source = folder.join("source");
    for old in [&source, &folder.join("examples")] {
        if old.exists() {
            fs::remove_dir_all(old).map_err(|error| said(old, error))?;
        }
    }
    for page in pages(root)? {
        write(&source.join(page.file_name().unwrap_or_default()), &read(&page)?)?;
    }
    write(&source.join("conf.py"), &read(&root.join(PAGES).join("conf.py"))?)?;
    for (from, name) in SHOWN {
        write(&folder.join("examples").join(name), &read(&root.join(from))?)?;
    }
    let description: Value = serde_json::from_str(&read(&root.join("bindings/api.json"))?)
        .map_err(|error| format!("bindings/api.json: {error}"))?;
    for (name, text) in reference::pages(&Api::parse(&description)?)? {
        write(&source.join("reference").join(name), &text)?;
    }

    let python = environment(root, &folder)?;
    let html = folder.join("html");
    let mut sphinx = Command::new(python);
    sphinx.args(["-m", "sphinx", "-b", "html", "-q", "-W", "--keep-going", "-E", "-d"]);
    check(sphinx.arg(folder.join("doctrees")).arg(&source).arg(&html))?;
    Ok(html)
}

/// The pages that are written by hand, sorted.
pub(crate) fn pages(root: &Path) -> Result<Vec<PathBuf>, String> {
    let folder = root.join(PAGES);
    let entries = fs::read_dir(&folder).map_err(|error| said(&folder, error))?;
    let mut pages: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    pages.sort();
    Ok(pages)
}

/// The interpreter of a virtual environment with the generator of the site.
fn environment(root: &Path, folder: &Path) -> Result<PathBuf, String> {
    let environment = folder.join("venv");
    let python = environment.join("bin/python");
    let requirements = root.join(PAGES).join("requirements.txt");
    stamp::once(&environment, "requirements", &[&requirements], || {
        check(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
        let mut pip = Command::new(&python);
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]);
        check(pip.arg(&requirements))
    })?;
    Ok(python)
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| said(path, error))
}

fn write(path: &Path, text: &str) -> TaskResult {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|error| said(folder, error))?;
    }
    fs::write(path, text).map_err(|error| said(path, error))
}

fn said(path: &Path, error: impl std::fmt::Display) -> String {
    format!("{}: {error}", path.display())
}

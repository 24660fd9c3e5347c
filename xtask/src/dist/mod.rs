//! `cargo xtask dist`: the packages, as they are installed.
//!
//! One release build feeds all of them: the C prefix, the Python wheel and the Node.js packages.
//! `--prefix FOLDER` lays the C package out there; otherwise everything lies under `target/dist`.
//! `--no-build` takes what was built before; `--sandbox` makes `whimbrel-sandbox` as well.

mod c;
mod elf;
mod node;
mod notices;
mod python;

use std::fs;
use std::path::{Path, PathBuf};

use crate::test::{cargo, check};
use crate::{TaskResult, workspace};

pub(crate) use c::PRIVATE;

/// How large the wheel and the platform package of npm should be at most, in bytes; not reached yet.
const BAR: u64 = 8_000_000;

/// How large they may be: they are to shrink from here, not to grow.
const LARGEST: u64 = 10_000_000;

/// What is built together, so that the engine is compiled once.
const PACKAGES: [&str; 3] = ["whimbrel-ffi", "whimbrel-python", "whimbrel-node"];

/// Where things are and which version they have.
pub(crate) struct Dist {
    root: PathBuf,
    /// Where cargo put the release build.
    built: PathBuf,
    /// Where the packages go.
    pub(crate) folder: PathBuf,
    /// Where the C package goes.
    pub(crate) prefix: PathBuf,
    pub(crate) version: String,
    url: String,
}

/// Runs the task.
pub(crate) fn run(arguments: &[String]) -> TaskResult {
    let root = workspace::root()?;
    let mut dist = Dist::new(&root)?;
    let (mut build, mut sandbox) = (true, false);
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--no-build" => build = false,
            "--sandbox" => sandbox = true,
            "--prefix" => {
                dist.prefix = rest.next().map(PathBuf::from).ok_or("--prefix needs a folder")?;
            }
            other => return Err(format!("there is no option {other}")),
        }
    }
    dist.make(build)?;
    if sandbox { dist.sandbox() } else { Ok(()) }
}

impl Dist {
    /// The packages of this checkout.
    pub(crate) fn new(root: &Path) -> Result<Self, String> {
        let manifest = read(&root.join("Cargo.toml"))?;
        let member = |key: &str| {
            let line = manifest.lines().find(|line| line.starts_with(&format!("{key} = ")));
            line.and_then(|line| line.split('"').nth(1)).map(str::to_owned)
        };
        let target = std::env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| root.join("target"), |folder| root.join(folder));
        let folder = target.join("dist");
        Ok(Self {
            root: root.to_owned(),
            built: target.join("release"),
            prefix: folder.join("c"),
            folder,
            version: member("version").ok_or("the workspace has no version")?,
            url: member("repository").ok_or("the workspace has no repository")?,
        })
    }

    /// Makes all packages.
    pub(crate) fn make(&self, build: bool) -> TaskResult {
        if build {
            let mut release = cargo(&self.root);
            release.args(["build", "--release", "--lib"]);
            for package in PACKAGES {
                release.args(["-p", package]);
            }
            // See the packages' build scripts.
            check(release.env("WHIMBREL_FOLD", "1"))?;
        }
        let notices = notices::write(&self.root)?;
        c::lay_out(self, &notices)?;
        let wheel = python::wheel(self, &notices)?;
        let platform = node::packages(self, &notices)?;
        for package in [wheel, platform] {
            let size = fs::metadata(&package).map_err(|error| said(&package, error))?.len();
            let name = package.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let missed =
                if size > BAR { format!(", bar {:.0} MB missed", BAR as f64 / 1e6) } else { String::new() };
            println!("{name}: {:.2} MB{missed}", size as f64 / 1e6);
            if size > LARGEST {
                return Err(format!("{name} has {size} bytes, more than {LARGEST}"));
            }
        }
        Ok(())
    }

    /// Makes the sandbox program. It has dependencies of its own, so it is built apart.
    fn sandbox(&self) -> TaskResult {
        check(cargo(&self.root).args(["build", "--release", "-p", "whimbrel-sandbox", "--bins"]))?;
        copy(&self.built.join("whimbrel-sandbox"), &self.folder.join("sandbox/whimbrel-sandbox"))
    }

    /// A shared library that was built, and where it goes without symbols that nobody links with.
    fn strip(&self, library: &str, to: &Path) -> TaskResult {
        let from = self.built.join(library);
        let fresh = to.with_extension("new");
        fs::copy(&from, &fresh).map_err(|error| said(&from, error))?;
        check(std::process::Command::new("strip").arg("--strip-unneeded").arg(&fresh))?;
        // Renamed into place: a process that has the old one loaded keeps it.
        fs::rename(&fresh, to).map_err(|error| said(to, error))
    }
}

/// A text with its `@name@`s filled in.
fn filled(template: &str, values: &[(&str, &str)]) -> String {
    values.iter().fold(template.to_owned(), |text, (name, value)| text.replace(&format!("@{name}@"), value))
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| said(path, error))
}

fn write(path: &Path, text: &str) -> TaskResult {
    folder_of(path)?;
    fs::write(path, text).map_err(|error| said(path, error))
}

fn copy(from: &Path, to: &Path) -> TaskResult {
    folder_of(to)?;
    fs::copy(from, to).map(drop).map_err(|error| said(from, error))
}

fn folder_of(path: &Path) -> TaskResult {
    let Some(folder) = path.parent() else { return Ok(()) };
    fs::create_dir_all(folder).map_err(|error| said(folder, error))
}

/// An empty folder.
fn emptied(folder: &Path) -> TaskResult {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(|error| said(folder, error))?;
    }
    fs::create_dir_all(folder).map_err(|error| said(folder, error))
}

fn said(path: &Path, error: impl std::fmt::Display) -> String {
    format!("{}: {error}", path.display())
}

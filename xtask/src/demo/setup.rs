//! Everything that the demo's programs need: built, compiled, and put where they find it.

use std::ffi::OsString;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::TaskResult;
use crate::test::{build_folder, cargo, check, node, python};

/// A folder that is removed with everything in it when this value is dropped.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    /// Makes the folder.
    pub(super) fn new() -> Result<Self, String> {
        let folder = std::env::temp_dir().join(format!("whimbrel-demo-{}", std::process::id()));
        std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(Self(folder))
    }

    /// A path in the folder.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left lies where such folders are cleaned up.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Builds the sandbox and the engine for every language.
pub(super) fn build(root: &Path) -> TaskResult {
    let mut build = cargo(root);
    build.arg("build");
    for package in ["whimbrel-sandbox", "whimbrel-ffi", "whimbrel-python", "whimbrel-node"] {
        build.args(["-p", package]);
    }
    check(&mut build)
}

/// The Python program. It needs nothing but the interpreter and the package's folder.
pub(super) fn python_program(root: &Path) -> Result<Command, String> {
    python::place_extension(root)?;
    let python = "python3";
    let version = "import sys; sys.exit(sys.version_info < (3, 10))";
    check(Command::new(python).args(["-c", version]))
        .map_err(|_| String::from("python3 is missing or older than 3.10"))?;
    let mut command = Command::new(python);
    command.arg(root.join("examples/python/chat.py")).env("PYTHONPATH", root.join(python::SOURCES));
    Ok(command)
}

/// The Node.js program, with the package linked beside it as npm links a folder.
pub(super) fn node_program(root: &Path) -> Result<Command, String> {
    node::install(root)?;
    node::place_addon(root)?;
    node::compile(root)?;
    let modules = root.join("examples/node/node_modules");
    let link = modules.join("whimbrel");
    if !link.exists() {
        std::fs::create_dir_all(&modules)
            .and_then(|()| symlink("../../../bindings/node", &link))
            .map_err(|error| format!("{}: {error}", link.display()))?;
    }
    let mut command = Command::new("node");
    command.arg(root.join("examples/node/chat.mjs"));
    Ok(command)
}

/// The C program, compiled against the header and the shared library under its installed names.
pub(super) fn c_program(root: &Path, scratch: &Scratch) -> Result<Command, String> {
    let (built, linked, loaded) = if cfg!(target_os = "macos") {
        ("libwhimbrel_ffi.dylib", "libwhimbrel.dylib", "libwhimbrel.1.dylib")
    } else {
        ("libwhimbrel_ffi.so", "libwhimbrel.so", "libwhimbrel.so.1")
    };
    for name in [linked, loaded] {
        symlink(build_folder(root).join(built), scratch.path(name))
            .map_err(|error| format!("{name}: {error}"))?;
    }
    let program = scratch.path("chat");
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let mut rpath = OsString::from("-Wl,-rpath,");
    rpath.push(&scratch.0);
    check(
        Command::new(compiler)
            .args(["-Wall", "-Wextra", "-O2", "-I"])
            .arg(root.join("include"))
            .arg("-o")
            .arg(&program)
            .arg(root.join("examples/c/chat.c"))
            .arg("-L")
            .arg(&scratch.0)
            .arg("-lwhimbrel")
            .arg(rpath),
    )?;
    Ok(Command::new(program))
}

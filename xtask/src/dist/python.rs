//! The Python wheel: the package's sources with the extension that was built, for every CPython of
//! the stable interface.
//!
//! `pip` builds from source with maturin, as `pyproject.toml` says; here the release build that the
//! other packages share is packed, so that the engine is not compiled twice.

use std::path::PathBuf;
use std::process::Command;

use super::{Dist, copy, elf, emptied, folder_of, read, write};
use crate::test::check;

/// Packs the wheel and returns its path.
pub(super) fn wheel(dist: &Dist, notices: &str) -> Result<PathBuf, String> {
    let package = dist.root.join("bindings/python");
    let staged = dist.folder.join("stage/python");
    emptied(&staged)?;
    let tracked = Command::new("git")
        .args(["ls-files", "-z", "python/whimbrel"])
        .current_dir(&package)
        .output()
        .map_err(|error| format!("git: {error}"))?;
    let tracked = String::from_utf8_lossy(&tracked.stdout).into_owned();
    let mut count = 0;
    for name in tracked.split('\0').filter(|name| !name.is_empty()) {
        copy(&package.join(name), &staged.join(name.trim_start_matches("python/")))?;
        count += 1;
    }
    if count < 10 {
        return Err(String::from("the sources of the Python package were not found"));
    }
    let extension = staged.join("whimbrel/_whimbrel.abi3.so");
    folder_of(&extension)?;
    dist.strip("lib_whimbrel.so", &extension)?;
    let (major, minor) = elf::oldest_glibc(&extension)?;
    let licences = staged.join("licenses");
    for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
        copy(&dist.root.join(licence), &licences.join(licence))?;
    }
    write(&licences.join("THIRD-PARTY-NOTICES"), notices)?;

    let out = dist.folder.join("python");
    emptied(&out)?;
    let tag = format!("cp310-abi3-manylinux_{major}_{minor}_{}", std::env::consts::ARCH);
    let name = format!("whimbrel-{}-{tag}.whl", dist.version);
    // It reads the metadata from pyproject.toml; writing a zip is Python's own trade.
    check(
        Command::new("python3")
            .arg(package.join("packaging/pack.py"))
            .args(["--project", "pyproject.toml", "--version", &dist.version, "--tag", &tag, "--stage"])
            .arg(&staged)
            .arg("--out")
            .arg(out.join(&name))
            .current_dir(&package),
    )?;
    // The version that the wheel says is the one that its file is named by.
    if !read(&staged.join("METADATA"))?.contains(&format!("\nVersion: {}\n", dist.version)) {
        return Err(String::from("the wheel says another version"));
    }
    Ok(out.join(name))
}

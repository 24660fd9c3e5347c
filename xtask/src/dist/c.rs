//! The C package: headers, libraries, pkg-config, CMake and licences.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::{Dist, copy, filled, folder_of, read, said, write};
use crate::TaskResult;

/// What a program needs beside the archive: what rustc calls native-static-libs, for Linux. A test
/// asks rustc.
pub(crate) const PRIVATE: [&str; 7] = ["gcc_s", "util", "rt", "pthread", "m", "dl", "c"];

/// Lays the package out in the prefix.
pub(super) fn lay_out(dist: &Dist, notices: &str) -> TaskResult {
    let prefix = &dist.prefix;
    for header in ["whimbrel.h", "whimbrel.hpp"] {
        copy(&dist.root.join("include").join(header), &prefix.join("include").join(header))?;
    }

    let mut numbers = dist.version.split('.');
    let (major, minor, patch) =
        (numbers.next().unwrap_or("0"), numbers.next().unwrap_or("0"), numbers.next().unwrap_or("0"));
    let abi = abi(&dist.root)?;
    let library = prefix.join("lib").join(format!("libwhimbrel.so.{abi}.{minor}.{patch}"));
    folder_of(&library)?;
    dist.strip("libwhimbrel_ffi.so", &library)?;
    link(
        &format!("libwhimbrel.so.{abi}.{minor}.{patch}"),
        &prefix.join(format!("lib/libwhimbrel.so.{abi}")),
    )?;
    link(&format!("libwhimbrel.so.{abi}"), &prefix.join("lib/libwhimbrel.so"))?;
    copy(&dist.built.join("libwhimbrel_ffi.a"), &prefix.join("lib/libwhimbrel.a"))?;

    let packaging = dist.root.join("ffi/packaging");
    let private: Vec<String> = PRIVATE.iter().map(|name| format!("-l{name}")).collect();
    let values = [
        ("version", dist.version.as_str()),
        ("url", &dist.url),
        ("major", major),
        ("minor", minor),
        ("private", &private.join(" ")),
    ];
    let template = |name: &str| read(&packaging.join(name)).map(|text| filled(&text, &values));
    write(&prefix.join("lib/pkgconfig/whimbrel.pc"), &template("whimbrel.pc.in")?)?;
    let cmake = prefix.join("lib/cmake/Whimbrel");
    write(&cmake.join("WhimbrelConfig.cmake"), &template("WhimbrelConfig.cmake")?)?;
    write(&cmake.join("WhimbrelConfigVersion.cmake"), &template("WhimbrelConfigVersion.cmake.in")?)?;

    let documents = prefix.join("share/doc/whimbrel");
    for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
        copy(&dist.root.join(licence), &documents.join(licence))?;
    }
    write(&documents.join("THIRD-PARTY-NOTICES"), notices)
}

/// The number of the binary interface, as the header says it.
fn abi(root: &Path) -> Result<String, String> {
    let header = read(&root.join("include/whimbrel.h"))?;
    let line = header.lines().find_map(|line| line.strip_prefix("#define WHIMBREL_ABI_VERSION "));
    line.map(|number| number.trim().to_owned()).ok_or_else(|| String::from("the header has no ABI number"))
}

fn link(to: &str, at: &Path) -> TaskResult {
    if at.symlink_metadata().is_ok() {
        fs::remove_file(at).map_err(|error| said(at, error))?;
    }
    symlink(to, at).map_err(|error| said(at, error))
}

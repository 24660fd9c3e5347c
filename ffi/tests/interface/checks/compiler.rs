//! The C and C++ compilers.

use std::path::Path;
use std::process::Command;

use super::workspace;

/// Compiles a file without output; any warning fails.
pub(crate) fn check(file: &Path, language: &str, standard: &str) {
    let program = if language == "c" { "cc" } else { "c++" };
    let output = Command::new(program)
        .args(["-x", language, &format!("-std={standard}"), "-fsyntax-only"])
        .args(["-Wall", "-Wextra", "-Wpedantic", "-Werror"])
        .arg("-I")
        .arg(workspace::root().join("include"))
        .arg(file)
        .output()
        .unwrap_or_else(|error| panic!("{program} cannot be run: {error}"));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{} as {standard}:\n{complaint}", file.display());
}

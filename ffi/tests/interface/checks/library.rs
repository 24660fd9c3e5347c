//! The shared library as the dynamic linker sees it.

use std::process::Command;

use super::workspace;

/// The symbols that it exports, sorted.
pub(crate) fn exported() -> Vec<String> {
    let lines = run("nm", &["-D", "--defined-only", "--format=posix"]);
    let mut names: Vec<String> =
        lines.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect();
    names.sort();
    names
}

/// The name under which programs ask for it.
pub(crate) fn soname() -> String {
    let lines = run("readelf", &["-d", "-W"]);
    let line = lines.lines().find(|line| line.contains("(SONAME)")).unwrap_or_default();
    line.split(['[', ']']).nth(1).unwrap_or_default().to_owned()
}

fn run(program: &str, arguments: &[&str]) -> String {
    let library = workspace::libraries().join("libwhimbrel_ffi.so");
    let output = Command::new(program).args(arguments).arg(&library).output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

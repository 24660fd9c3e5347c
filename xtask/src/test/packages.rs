//! The packages as their users get them: made by `cargo xtask dist`, moved elsewhere, and used by
//! projects that have nothing else of this repository and, for Python and Node.js, no compiler.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::docs::DOCUMENTS;
use super::{build_folder, cargo, check};
use crate::TaskResult;
use crate::dist::{Dist, PRIVATE};

/// Runs the area. The release build takes minutes the first time.
pub(super) fn run(root: &Path) -> TaskResult {
    let dist = Dist::new(root)?;
    dist.make(true)?;
    system_libraries(root)?;
    let place = dist.folder.join("test");
    if place.exists() {
        fs::remove_dir_all(&place).map_err(|error| said(&place, error))?;
    }
    // Where it was made is not where it is installed.
    let prefix = place.join("opt/some where");
    fs::create_dir_all(&prefix).map_err(|error| said(&prefix, error))?;
    check(Command::new("cp").arg("-a").arg(format!("{}/.", dist.prefix.display())).arg(&prefix))?;
    c(root, &prefix, &place, &dist.version)?;
    cmake(root, &prefix, &place, &dist.version)?;

    check(cargo(root).args(["build", "--quiet", "-p", "whimbrel-sandbox"]))?;
    let bare = bare(&place, &build_folder(root))?;
    let python = installed_wheel(&dist, &place)?;
    let project = installed_npm(&dist, &place, &bare)?;
    let mut snippets = Command::new(&python);
    snippets.arg(root.join("tests/snippets/run.py")).arg("--node").arg(&project);
    snippets.args(DOCUMENTS).current_dir(root).env_clear().env("PATH", &bare);
    check(&mut snippets)
}

/// What a static program links with is what rustc says.
fn system_libraries(root: &Path) -> TaskResult {
    let output = cargo(root)
        .args(["rustc", "--package", "whimbrel-ffi", "--lib", "--crate-type", "staticlib"])
        .args(["--", "--print", "native-static-libs"])
        .output()
        .map_err(|error| format!("cargo: {error}"))?;
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let line = told
        .lines()
        .find_map(|line| line.split_once("native-static-libs: "))
        .map(|(_, libraries)| libraries.trim().to_owned())
        .ok_or_else(|| format!("rustc names no libraries:\n{told}"))?;
    let mut wanted: Vec<&str> =
        line.split_whitespace().map(|library| library.trim_start_matches("-l")).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let mut present = PRIVATE.to_vec();
    present.sort_unstable();
    if wanted != present {
        return Err(format!("rustc names the libraries {wanted:?}, the packages {present:?}"));
    }
    let config = root.join("ffi/packaging/WhimbrelConfig.cmake");
    let text = fs::read_to_string(&config).map_err(|error| said(&config, error))?;
    if text.contains(&format!("\"{}\"", PRIVATE.join(";"))) {
        return Ok(());
    }
    Err(format!("{} names other libraries", config.display()))
}

/// A C program with pkg-config, linked with the shared library and with the archive.
fn c(root: &Path, prefix: &Path, place: &Path, version: &str) -> TaskResult {
    let flags = |kind: &[&str]| {
        let output = Command::new("pkg-config")
            .args(kind)
            .arg(format!("whimbrel = {version}"))
            .env("PKG_CONFIG_PATH", prefix.join("lib/pkgconfig"))
            .output()
            .map_err(|error| format!("pkg-config: {error}"))?;
        if !output.status.success() {
            return Err(format!("pkg-config: {}", String::from_utf8_lossy(&output.stderr)));
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let shared = flags(&["--cflags", "--libs"])?;
    // With both there, the linker would take the shared one.
    let statically = flags(&["--cflags", "--libs", "--static"])?.replace("-lwhimbrel", "-l:libwhimbrel.a");
    for (name, flags) in [("c-shared", shared), ("c-static", statically)] {
        let program = place.join(name);
        // pkg-config writes for a shell, with the space in the folder escaped.
        let line = format!(
            "cc -Wall -Wextra -Werror -std=c11 '{}' -o '{}' {flags}",
            root.join("tests/packages/c/main.c").display(),
            program.display()
        );
        check(Command::new("sh").args(["-c", &line]))?;
        says(Command::new(&program).env("LD_LIBRARY_PATH", prefix.join("lib")), version)?;
    }
    // The archive needs nothing of ours at run time.
    says(&mut Command::new(place.join("c-static")), version)
}

/// C++ programs with CMake, with both targets; another major version is refused.
fn cmake(root: &Path, prefix: &Path, place: &Path, version: &str) -> TaskResult {
    let build = place.join("cmake");
    let configure = |wanted: &str| {
        let mut command = Command::new("cmake");
        command.arg("-S").arg(root.join("tests/packages/cpp")).arg("-B").arg(&build);
        command.arg(format!("-DCMAKE_PREFIX_PATH={}", prefix.display())).arg(format!("-DWANTED={wanted}"));
        command.stdout(std::process::Stdio::null());
        command
    };
    let refused = configure("99.0").stderr(std::process::Stdio::null()).status();
    if refused.is_ok_and(|status| status.success()) {
        return Err(String::from("CMake took version 99"));
    }
    check(&mut configure(version))?;
    check(Command::new("cmake").arg("--build").arg(&build).stdout(std::process::Stdio::null()))?;
    for kind in ["whimbrel", "whimbrel-static"] {
        says(&mut Command::new(build.join(format!("with-{kind}"))), version)?;
    }
    Ok(())
}

/// The program runs and says its version and that its client is stopped.
fn says(program: &mut Command, version: &str) -> TaskResult {
    let output = program.output().map_err(|error| format!("{program:?}: {error}"))?;
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() && told.starts_with(version) && told.contains("\"stopped\"") {
        return Ok(());
    }
    Err(format!(
        "{program:?} ended with {}: {told}{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    ))
}

/// A folder for PATH with Node.js and the sandbox, and no compiler.
fn bare(place: &Path, built: &Path) -> Result<PathBuf, String> {
    let bare = place.join("bin");
    fs::create_dir_all(&bare).map_err(|error| said(&bare, error))?;
    for name in ["node", "npm", "sh", "env"] {
        let found = which(name).ok_or_else(|| format!("there is no {name}"))?;
        symlink(&found, bare.join(name)).map_err(|error| said(&found, error))?;
    }
    let sandbox = built.join("whimbrel-sandbox");
    symlink(&sandbox, bare.join("whimbrel-sandbox")).map_err(|error| said(&sandbox, error))?;
    Ok(bare)
}

fn which(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// The interpreter of an empty virtual environment with the wheel in it.
fn installed_wheel(dist: &Dist, place: &Path) -> Result<PathBuf, String> {
    let environment = place.join("venv");
    check(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
    let python = environment.join("bin/python");
    let wheel = only(&dist.folder.join("python"), "whl")?;
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--no-index", "--disable-pip-version-check"]).arg(wheel);
    check(pip.env("PATH", place))?;
    Ok(python)
}

/// An empty project with the npm packages in it.
fn installed_npm(dist: &Dist, place: &Path, bare: &Path) -> Result<PathBuf, String> {
    let project = place.join("project");
    fs::create_dir_all(&project).map_err(|error| said(&project, error))?;
    let manifest = project.join("package.json");
    fs::write(&manifest, "{ \"private\": true }\n").map_err(|error| said(&manifest, error))?;
    let packages = fs::read_dir(dist.folder.join("npm")).map_err(|error| format!("npm: {error}"))?;
    let mut npm = Command::new("npm");
    npm.args(["install", "--offline", "--silent", "--no-audit", "--no-fund"]);
    npm.args(packages.flatten().map(|package| package.path())).current_dir(&project);
    check(npm.env("PATH", bare))?;
    let mut version = Command::new(project.join("node_modules/.bin/whimbrel"));
    let output =
        version.arg("--version").env("PATH", bare).output().map_err(|error| format!("whimbrel: {error}"))?;
    if String::from_utf8_lossy(&output.stdout).trim() != dist.version {
        return Err(format!("`npx whimbrel --version`: {}", String::from_utf8_lossy(&output.stderr)));
    }
    Ok(project)
}

/// The one file of that kind in a folder.
fn only(folder: &Path, extension: &str) -> Result<PathBuf, String> {
    let files = fs::read_dir(folder).map_err(|error| said(folder, error))?;
    let mut found: Vec<PathBuf> = files
        .flatten()
        .map(|file| file.path())
        .filter(|file| file.extension().is_some_and(|found| found == extension))
        .collect();
    match (found.pop(), found.is_empty()) {
        (Some(file), true) => Ok(file),
        _ => Err(format!("{} has not one file of kind {extension}", folder.display())),
    }
}

fn said(path: &Path, error: impl std::fmt::Display) -> String {
    format!("{}: {error}", path.display())
}

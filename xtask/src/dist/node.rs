//! The npm packages: `whimbrel`, which is JavaScript and types, and one for this platform with the
//! addon.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::{Dist, copy, elf, emptied, folder_of, read, said, write};
use crate::TaskResult;
use crate::test::{check, node};

/// Packs both and returns the path of the one for this platform.
pub(super) fn packages(dist: &Dist, notices: &str) -> Result<PathBuf, String> {
    node::install(&dist.root)?;
    node::compile(&dist.root)?;
    let package = dist.root.join("bindings/node");
    let out = dist.folder.join("npm");
    emptied(&out)?;
    let platform = platform()?;
    let name = format!("whimbrel-{}", platform.name);

    let stage = dist.folder.join("stage/npm");
    emptied(&stage)?;
    let manifest: Value = serde_json::from_str(&read(&package.join("package.json"))?)
        .map_err(|error| format!("package.json: {error}"))?;
    if manifest.get("version").and_then(Value::as_str) != Some(&dist.version) {
        return Err(format!("package.json has not the workspace's version {}", dist.version));
    }

    let main = stage.join("whimbrel");
    for file in files(&package.join("dist"))? {
        copy(&package.join("dist").join(&file), &main.join("dist").join(&file))?;
    }
    copy(&package.join("README.md"), &main.join("README.md"))?;
    write(&main.join("package.json"), &format!("{:#}\n", published(&manifest, &name, dist)))?;

    let addon = stage.join(&name);
    let library = addon.join("whimbrel.node");
    folder_of(&library)?;
    dist.strip("libwhimbrel_node.so", &library)?;
    elf::oldest_glibc(&library)?;
    write(&addon.join("package.json"), &format!("{:#}\n", for_platform(&manifest, &name, &platform)))?;
    let about =
        format!("The addon of the package `whimbrel` for {}. It comes with that package.\n", platform.name);
    write(&addon.join("README.md"), &about)?;
    write(&addon.join("THIRD-PARTY-NOTICES"), notices)?;

    for folder in [&main, &addon] {
        for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
            copy(&dist.root.join(licence), &folder.join(licence))?;
        }
        pack(folder, &out)?;
    }
    Ok(out.join(format!("{name}-{}.tgz", dist.version)))
}

/// What npm has to know of a platform.
struct Platform {
    name: String,
    os: &'static str,
    cpu: &'static str,
    libc: &'static str,
}

fn platform() -> Result<Platform, String> {
    let cpu = match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => return Err(format!("npm packages are not made for {other}")),
    };
    if !cfg!(target_os = "linux") {
        return Err(String::from("npm packages are made on Linux so far"));
    }
    Ok(Platform { name: format!("linux-{cpu}-gnu"), os: "linux", cpu, libc: "glibc" })
}

/// The manifest as it is published: without what only this repository needs.
fn published(manifest: &Value, platform: &str, dist: &Dist) -> Value {
    let mut published = manifest.clone();
    if let Some(members) = published.as_object_mut() {
        for private in ["private", "scripts", "devDependencies"] {
            members.remove(private);
        }
        members.insert(String::from("optionalDependencies"), json!({ platform: dist.version }));
    }
    published
}

fn for_platform(manifest: &Value, name: &str, platform: &Platform) -> Value {
    let of_main = |key: &str| manifest.get(key).cloned().unwrap_or_default();
    json!({
        "name": name,
        "version": of_main("version"),
        "description": "The addon of the package whimbrel",
        "license": of_main("license"),
        "repository": of_main("repository"),
        "engines": of_main("engines"),
        "os": [platform.os],
        "cpu": [platform.cpu],
        "libc": [platform.libc],
        "main": "whimbrel.node",
        "files": ["whimbrel.node", "THIRD-PARTY-NOTICES", "LICENSE-*"],
    })
}

fn pack(folder: &Path, out: &Path) -> TaskResult {
    let mut npm = Command::new("npm");
    npm.args(["pack", "--silent", "--ignore-scripts", "--pack-destination"]).arg(out);
    check(npm.current_dir(folder).stdout(std::process::Stdio::null()))
}

/// The names of the files in a folder.
fn files(folder: &Path) -> Result<Vec<String>, String> {
    let entries = std::fs::read_dir(folder).map_err(|error| said(folder, error))?;
    let mut names: Vec<String> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    Ok(names)
}

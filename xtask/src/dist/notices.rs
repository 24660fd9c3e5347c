//! Who else has a part in what is shipped: names, versions, licences and their texts.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::test::cargo;

/// What is shipped as machine code.
const SHIPPED: [&str; 3] = ["whimbrel-ffi", "whimbrel-python", "whimbrel-node"];

const HEAD: &str = "\
Third-party notices

The libraries of this package contain code of the projects below. Each is used under a permissive
licence, which follows the list of those that have it in common.
";

/// The text of the notices.
pub(super) fn write(root: &Path) -> Result<String, String> {
    let output = cargo(root)
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .args(["--filter-platform", &host(root)?])
        .output()
        .map_err(|error| format!("cargo metadata: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let metadata: Value =
        serde_json::from_slice(&output.stdout).map_err(|error| format!("cargo metadata: {error}"))?;
    // One text, and everybody who has it.
    let mut texts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in shipped(&metadata)? {
        let name = format!(
            "{} {} ({})",
            text(package, "name")?,
            text(package, "version")?,
            package.get("license").and_then(Value::as_str).unwrap_or("see below")
        );
        let folder = Path::new(text(package, "manifest_path")?).parent().unwrap_or(Path::new("."));
        let mut found = licences(folder)?;
        if found.is_empty() {
            // Its manifest says which licence, and its repository has the usual text of it.
            found.push(format!("The licence that its package names; {}\n", source(package)));
        }
        for licence in found {
            texts.entry(licence).or_default().insert(name.clone());
        }
    }
    let mut notices = String::from(HEAD);
    for (licence, packages) in texts {
        notices.push_str(&format!("\n{}\n\n", "=".repeat(80)));
        for package in packages {
            let _ = writeln!(notices, "{package}");
        }
        let _ = write!(notices, "\n{}\n", licence.trim_end());
    }
    Ok(notices)
}

/// The packages of others that the shipped ones are made of.
fn shipped(metadata: &Value) -> Result<Vec<&Value>, String> {
    let list = |value: &'_ Value, key: &str| value.get(key).and_then(Value::as_array).cloned();
    let packages: BTreeMap<&str, &Value> = metadata
        .get("packages")
        .and_then(Value::as_array)
        .ok_or("no packages")?
        .iter()
        .filter_map(|package| Some((package.get("id")?.as_str()?, package)))
        .collect();
    let nodes = metadata.pointer("/resolve/nodes").and_then(Value::as_array).ok_or("no graph")?;
    let graph: BTreeMap<&str, &Value> =
        nodes.iter().filter_map(|node| Some((node.get("id")?.as_str()?, node))).collect();
    let is_shipped = |package: &Value| {
        package.get("name").and_then(Value::as_str).is_some_and(|name| SHIPPED.contains(&name))
    };
    let mut next: Vec<String> =
        packages.iter().filter(|(_, package)| is_shipped(package)).map(|(id, _)| (*id).to_owned()).collect();
    let mut seen = BTreeSet::new();
    while let Some(id) = next.pop() {
        if !seen.insert(id.clone()) {
            continue;
        }
        let Some(node) = graph.get(id.as_str()) else { continue };
        for dependency in list(node, "deps").unwrap_or_default() {
            // What runs while compiling, or in tests, is not in the result.
            let kinds = list(&dependency, "dep_kinds").unwrap_or_default();
            let normal = kinds.iter().any(|kind| kind.get("kind").is_none_or(Value::is_null));
            let Some(package) = dependency.get("pkg").and_then(Value::as_str) else { continue };
            if normal && !packages.get(package).is_some_and(|package| is_macro(package)) {
                next.push(package.to_owned());
            }
        }
    }
    let of_others = |package: &&Value| package.get("source").is_some_and(|source| !source.is_null());
    Ok(seen.iter().filter_map(|id| packages.get(id.as_str()).copied()).filter(of_others).collect())
}

/// Whether a package is a procedural macro, which runs while compiling.
fn is_macro(package: &Value) -> bool {
    package.pointer("/targets").and_then(Value::as_array).into_iter().flatten().any(|target| {
        target
            .get("kind")
            .and_then(Value::as_array)
            .is_some_and(|kinds| kinds.iter().any(|kind| kind == "proc-macro"))
    })
}

/// The texts of licences that lie in a package.
fn licences(folder: &Path) -> Result<Vec<String>, String> {
    let mut texts = Vec::new();
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut files: Vec<_> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    files.sort();
    for file in files {
        let name = file.file_name().unwrap_or_default().to_string_lossy().to_ascii_uppercase();
        if ["LICENSE", "LICENCE", "COPYING", "NOTICE", "UNLICENSE"].iter().any(|word| name.starts_with(word))
        {
            let bytes = fs::read(&file).map_err(|error| format!("{}: {error}", file.display()))?;
            texts.push(String::from_utf8_lossy(&bytes).replace("\r\n", "\n"));
        }
    }
    Ok(texts)
}

fn source(package: &Value) -> String {
    match package.get("repository").and_then(Value::as_str) {
        Some(address) => format!("its text is at {address}"),
        None => String::from("it comes without a text"),
    }
}

fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str, String> {
    value.get(name).and_then(Value::as_str).ok_or_else(|| format!("a package has no {name}"))
}

/// The platform that is built for.
fn host(root: &Path) -> Result<String, String> {
    let mut rustc = std::process::Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    let output = rustc.arg("-vV").current_dir(root).output().map_err(|error| format!("rustc: {error}"))?;
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = told.lines().find_map(|line| line.strip_prefix("host: "));
    line.map(str::to_owned).ok_or_else(|| String::from("rustc names no platform"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shipped_is_named_and_what_only_compiles_is_not() {
        let root = crate::workspace::root().unwrap();
        let notices = write(&root).unwrap();
        for wanted in
            ["tokio 1.", "rusqlite 0.", "aws-lc-sys ", "Apache License", "Permission is hereby granted"]
        {
            assert!(notices.contains(wanted), "{wanted}");
        }
        for other in ["\ncbindgen ", "\nproptest ", "\nwhimbrel ", "\nserde_derive ", "GNU GENERAL PUBLIC"] {
            assert!(!notices.contains(other), "{other}");
        }
    }
}

//! `cargo xtask proto`: from `core/proto/data/schema.json` to the `.proto` files, the prost types and
//! the descriptor table of `whimbrel-proto`.
//!
//! The outputs are checked in, so that nobody who builds the library needs a protobuf compiler.
//! `--check` regenerates everything in memory and names the files that differ.

mod descriptors;
mod proto_files;
mod rust_types;
mod schema;
mod topics;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::{TaskResult, workspace};

/// Folders whose generated files belong entirely to this task, and the extension they carry.
const OWNED: [(&str, &str); 2] = [("core/proto/proto", "proto"), ("core/proto/src/generated", "rs")];

/// Runs the task.
pub(crate) fn run(arguments: &[String]) -> TaskResult {
    let check = match arguments {
        [] => false,
        [flag] if flag == "--check" => true,
        _ => return Err(String::from("the only option is --check")),
    };
    let root = workspace::root()?;
    let wanted = outputs(&root)?;
    let stale = stale_files(&root, &wanted)?;
    if check {
        return match stale.as_slice() {
            [] => Ok(()),
            files => Err(format!("stale, run `cargo xtask proto`: {}", files.join(", "))),
        };
    }
    for name in &stale {
        let path = root.join(name);
        match wanted.get(name) {
            Some(text) => {
                if let Some(folder) = path.parent() {
                    std::fs::create_dir_all(folder).map_err(|error| format!("{name}: {error}"))?;
                }
                std::fs::write(&path, text).map_err(|error| format!("{name}: {error}"))?;
                println!("wrote {name}");
            }
            None => {
                std::fs::remove_file(&path).map_err(|error| format!("{name}: {error}"))?;
                println!("removed {name}");
            }
        }
    }
    Ok(())
}

/// Every generated file's path from the root and its text.
fn outputs(root: &Path) -> Result<BTreeMap<String, String>, String> {
    let text = std::fs::read_to_string(root.join("core/proto/data/schema.json"))
        .map_err(|error| format!("core/proto/data/schema.json: {error}"))?;
    let schema = schema::Schema::parse(&text)?;
    let topics = topics::assign(&schema)?;
    let mut files = BTreeMap::new();
    let protos = proto_files::generate(&schema, &topics)?;
    for (module, text) in rust_types::generate(&schema, &topics, &protos)? {
        files.insert(format!("core/proto/src/generated/{module}.rs"), format_rust(root, &text)?);
    }
    let table = descriptors::generate(&schema)?;
    files.insert(String::from("core/proto/src/generated/table.rs"), format_rust(root, &table)?);
    let modules = rust_types::module_list();
    files.insert(String::from("core/proto/src/generated/mod.rs"), format_rust(root, &modules)?);
    for (name, text) in protos {
        files.insert(format!("core/proto/proto/{name}"), text);
    }
    Ok(files)
}

/// Names of files that differ from `wanted`, are missing, or are left over from an earlier run.
fn stale_files(root: &Path, wanted: &BTreeMap<String, String>) -> Result<Vec<String>, String> {
    let mut stale: Vec<String> = wanted
        .iter()
        .filter(|(name, text)| {
            std::fs::read_to_string(root.join(name)).ok().as_deref() != Some(text.as_str())
        })
        .map(|(name, _)| name.clone())
        .collect();
    for (folder, extension) in OWNED {
        let Ok(entries) = std::fs::read_dir(root.join(folder)) else { continue };
        for entry in entries {
            let path = entry.map_err(|error| format!("{folder}: {error}"))?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            let full = format!("{folder}/{name}");
            if path.extension().is_some_and(|found| found == extension) && !wanted.contains_key(&full) {
                stale.push(full);
            }
        }
    }
    Ok(stale)
}

/// The text as `cargo fmt` would leave it, so that formatting never makes a generated file stale.
fn format_rust(root: &Path, text: &str) -> Result<String, String> {
    let mut child = Command::new("rustfmt")
        .args(["--edition", "2024", "--config-path"])
        .arg(root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("rustfmt: {error}"))?;
    let mut input = child.stdin.take().ok_or("rustfmt has no standard input")?;
    // rustfmt reads everything before it writes, so one thread is enough.
    input.write_all(text.as_bytes()).map_err(|error| format!("rustfmt: {error}"))?;
    drop(input);
    let output = child.wait_with_output().map_err(|error| format!("rustfmt: {error}"))?;
    if !output.status.success() {
        return Err(String::from("rustfmt refused a generated file"));
    }
    String::from_utf8(output.stdout).map_err(|error| format!("rustfmt: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checked_in_files_are_what_the_schema_generates() {
        let root = workspace::root().unwrap();
        let wanted = outputs(&root).unwrap();
        assert_eq!(stale_files(&root, &wanted).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn a_changed_file_is_named() {
        let root = workspace::root().unwrap();
        let wanted =
            BTreeMap::from([(String::from("core/proto/proto/adv.proto"), String::from("something else"))]);
        let stale = stale_files(&root, &wanted).unwrap();
        assert!(stale.contains(&String::from("core/proto/proto/adv.proto")));
        assert!(stale.contains(&String::from("core/proto/src/generated/adv.rs")), "left over files count");
    }
}

//! `cargo xtask test`: what CI runs, in areas that can be run alone.
//!
//! Each area lives in a module of its own and is listed once, in [`AREAS`]. An area sets up what
//! it needs beside the Rust toolchain; set-up steps leave a stamp and are repeated only when
//! their inputs change.

mod docs;
mod faults;
mod interop;
mod lifecycle;
mod long;
pub(crate) mod node;
mod packages;
pub(crate) mod python;
mod rest;
mod rust;
pub(crate) mod stamp;

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use crate::{TaskResult, abi, bindings, coverage, demo, proto, workspace};

/// One part of the tests.
struct Area {
    name: &'static str,
    about: &'static str,
    run: fn(&Path) -> TaskResult,
}

/// All areas, in the order in which they run.
const AREAS: &[Area] = &[
    Area {
        name: "generated",
        about: "generated files are what their sources say",
        run: |_| {
            let check = [String::from("--check")];
            proto::run(&check)?;
            bindings::run(&check)?;
            coverage::run(&check)
        },
    },
    Area { name: "abi", about: "what callers of the last release rely on is still so", run: abi::check },
    Area { name: "lint", about: "format and lints of the whole workspace", run: rust::lint },
    Area { name: "deny", about: "licences and sources of the dependencies", run: rust::deny },
    Area {
        name: "rust",
        about: "the crates: vectors, properties, fuzz corpora, sandbox, scenarios",
        run: rust::test,
    },
    Area {
        name: "faults",
        about: "kills and chaos: nothing is lost, doubled or out of order",
        run: faults::run,
    },
    Area {
        name: "ffi",
        about: "the C interface, and C and C++ programs against the sandbox",
        run: rust::ffi,
    },
    Area {
        name: "node",
        about: "the Node.js package: types, and its tests against the sandbox",
        run: node::run,
    },
    Area {
        name: "python",
        about: "the Python package: types, stubs, and its tests against the sandbox",
        run: python::run,
    },
    Area {
        name: "lifecycle",
        about: "how programs of every language end, five times each",
        run: lifecycle::short,
    },
    Area {
        name: "docs",
        about: "the site, and the Python and JavaScript that documents show",
        run: docs::run,
    },
    Area {
        name: "packages",
        about: "the packages, installed and used where nothing else of this repository is",
        run: packages::run,
    },
    Area {
        name: "rest",
        about: "clients of existing REST APIs, unmodified, against the REST server",
        run: rest::run,
    },
    Area {
        name: "demo",
        about: "the demo: a Python, a Node.js and a C program chat with each other and a phone",
        run: demo::play,
    },
    Area {
        name: "interop",
        about: "Baileys and whatsmeow, unmodified, against the sandbox and the engine",
        run: interop::run,
    },
];

/// Campaigns that run only with `--long`, after the area that is named first, or alone by name.
const CAMPAIGNS: &[(&str, Area)] = &[
    ("faults", Area { name: "kills", about: "the kill tests at two thousand points", run: faults::kills }),
    ("faults", Area { name: "chaos", about: "the chaos test with ten thousand texts", run: faults::chaos }),
    ("rust", Area { name: "fuzz", about: "every fuzz target for two minutes", run: long::fuzz }),
    (
        "lifecycle",
        Area {
            name: "endings",
            about: "how programs of every language end, a hundred times each",
            run: lifecycle::long,
        },
    ),
];

/// Names for several areas at once.
const GROUPS: &[(&str, &str, &[&str])] = &[(
    "bindings",
    "all of C, C++, Python and Node.js",
    &["generated", "abi", "ffi", "node", "python", "lifecycle", "docs", "packages"],
)];

/// Runs the named areas, or all; with `--long` their campaigns too.
pub(crate) fn run(arguments: &[String]) -> TaskResult {
    if arguments.iter().any(|argument| argument == "help") {
        print!("{}", help());
        return Ok(());
    }
    let long = arguments.iter().any(|argument| argument == "--long");
    let names: Vec<&str> =
        arguments.iter().map(String::as_str).filter(|argument| *argument != "--long").collect();
    let chosen = choose(&names, long)?;
    let root = workspace::root()?;
    let mut failed = Vec::new();
    for area in chosen {
        println!("== {} ==", area.name);
        let started = Instant::now();
        let result = (area.run)(&root);
        let seconds = started.elapsed().as_secs_f32();
        match result {
            Ok(()) => println!("== {}: passed in {seconds:.1} s ==", area.name),
            Err(reason) => {
                println!("== {}: failed after {seconds:.1} s: {reason} ==", area.name);
                failed.push(area.name);
            }
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", "))) }
}

/// The areas and campaigns that are meant, in the order in which they run.
fn choose(names: &[&str], long: bool) -> Result<Vec<&'static Area>, String> {
    let mut wanted = Vec::new();
    for name in names {
        match GROUPS.iter().find(|(group, ..)| group == name) {
            Some((.., areas)) => wanted.extend(areas.iter().copied()),
            None => wanted.push(*name),
        }
    }
    let known =
        |name: &str| AREAS.iter().chain(CAMPAIGNS.iter().map(|(_, area)| area)).any(|one| one.name == name);
    if let Some(name) = wanted.iter().find(|name| !known(name)) {
        return Err(format!("there is no area \"{name}\"; `cargo xtask test help` lists them"));
    }
    let named = |name: &str| wanted.contains(&name);
    let areas = AREAS.iter().filter(|area| names.is_empty() || named(area.name));
    let campaigns = CAMPAIGNS
        .iter()
        .filter(|(of, area)| named(area.name) || (long && (names.is_empty() || named(of))))
        .map(|(_, area)| area);
    Ok(areas.chain(campaigns).collect())
}

/// The list of areas, campaigns and groups.
fn help() -> String {
    let mut text = String::new();
    for area in AREAS {
        text.push_str(&format!("  {:<12} {}\n", area.name, area.about));
    }
    text.push_str("\nWith --long, after their areas, or by name:\n");
    for (of, area) in CAMPAIGNS {
        text.push_str(&format!("  {:<12} {} ({of})\n", area.name, area.about));
    }
    text.push_str("\nSeveral at once:\n");
    for (name, about, areas) in GROUPS {
        text.push_str(&format!("  {name:<12} {about}: {}\n", areas.join(", ")));
    }
    text
}

/// Runs a program and passes its output on.
pub(crate) fn check(command: &mut Command) -> TaskResult {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command.status().map_err(|error| format!("{program}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{program} ended with {status}")) }
}

/// The `cargo` that runs this task.
pub(crate) fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    command
}

/// Where cargo puts what it builds for development.
pub(crate) fn build_folder(root: &Path) -> std::path::PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root.join("target"), |folder| root.join(folder))
        .join("debug")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(names: &[&str], long: bool) -> Vec<&'static str> {
        choose(names, long).unwrap().iter().map(|area| area.name).collect()
    }

    #[test]
    fn areas_groups_and_campaigns_are_chosen_by_name() {
        let all = chosen(&[], false);
        assert_eq!(all.len(), AREAS.len());
        assert_eq!(chosen(&[], true).len(), AREAS.len() + CAMPAIGNS.len());
        assert_eq!(chosen(&["faults", "abi"], false), ["abi", "faults"]);
        assert_eq!(chosen(&["faults"], true), ["faults", "kills", "chaos"]);
        assert_eq!(chosen(&["fuzz"], false), ["fuzz"]);
        assert!(chosen(&["bindings"], true).contains(&"endings"));
        assert!(choose(&["nonsense"], false).is_err());
        for (.., areas) in GROUPS {
            assert!(areas.iter().all(|name| all.contains(name)), "{areas:?}");
        }
        for (of, _) in CAMPAIGNS {
            assert!(all.contains(of), "{of}");
        }
    }
}

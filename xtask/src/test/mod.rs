//! `cargo xtask test`: what CI runs, in areas that can be run alone.
//!
//! Each area lives in a module of its own and is listed once, in [`AREAS`]. An area sets up what
//! it needs beside the Rust toolchain; set-up steps leave a stamp and are repeated only when
//! their inputs change.

mod faults;
mod interop;
mod long;
pub(crate) mod node;
pub(crate) mod python;
mod rust;
mod stamp;

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use crate::{TaskResult, bindings, coverage, demo, proto, workspace};

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

/// Campaigns that run only with `--long`, after the areas or alone by name.
const CAMPAIGNS: &[Area] = &[
    Area { name: "kills", about: "the kill tests at two thousand points (--long)", run: faults::kills },
    Area { name: "chaos", about: "the chaos test with ten thousand texts (--long)", run: faults::chaos },
    Area { name: "fuzz", about: "every fuzz target for two minutes (--long)", run: long::fuzz },
];

/// Runs the named areas, or all; the campaigns too with `--long`.
pub(crate) fn run(arguments: &[String]) -> TaskResult {
    if arguments.iter().any(|argument| argument == "help") {
        for area in AREAS.iter().chain(CAMPAIGNS) {
            println!("  {:<12} {}", area.name, area.about);
        }
        return Ok(());
    }
    let long = arguments.iter().any(|argument| argument == "--long");
    let names: Vec<&String> = arguments.iter().filter(|argument| *argument != "--long").collect();
    for name in &names {
        if AREAS.iter().chain(CAMPAIGNS).all(|area| area.name != *name) {
            return Err(format!("there is no area \"{name}\"; `cargo xtask test help` lists them"));
        }
    }
    let root = workspace::root()?;
    let named = |area: &&Area| names.iter().any(|name| *name == area.name);
    let areas = AREAS.iter().filter(|area| names.is_empty() || named(area));
    let campaigns = CAMPAIGNS.iter().filter(|area| named(area) || (long && names.is_empty()));
    let mut failed = Vec::new();
    for area in areas.chain(campaigns) {
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

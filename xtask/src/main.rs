//! The task runner: everything the repository does beyond `cargo build`, as `cargo xtask <task>`.
//!
//! Every task lives in a module of its own and is listed once, in [`TASKS`].

use std::process::ExitCode;

mod abi;
mod bench;
mod bindings;
mod coverage;
mod demo;
mod dist;
mod docs;
mod proto;
mod test;
mod workspace;

/// What a task returns: an error is a sentence for the person at the terminal.
type TaskResult = Result<(), String>;

/// One subcommand.
struct Task {
    name: &'static str,
    usage: &'static str,
    about: &'static str,
    run: fn(&[String]) -> TaskResult,
}

/// All subcommands, in the order in which the help shows them.
const TASKS: &[Task] = &[
    Task {
        name: "demo",
        usage: "",
        about: "a sandbox, and a Python, a Node.js and a C program that link to phones and chat",
        run: demo::run,
    },
    Task {
        name: "proto",
        usage: "[--check]",
        about: "write core/proto's .proto files and Rust types from its schema; --check only compares",
        run: proto::run,
    },
    Task {
        name: "bindings",
        usage: "[--check]",
        about: "write bindings/api.json and the typed sources of every language from core/api's tables",
        run: bindings::run,
    },
    Task {
        name: "abi",
        usage: "[--release]",
        about: "compare bindings/api.json with the surface of the last release; --release makes it that",
        run: abi::run,
    },
    Task {
        name: "coverage",
        usage: "[--check]",
        about: "write docs/features.md and the README's summary from docs/features.tsv and the sources",
        run: coverage::run,
    },
    Task {
        name: "bench",
        usage: "",
        about: "measure beside whatsapp-rust and Baileys, and write tests/bench/README.md",
        run: bench::run,
    },
    Task {
        name: "dist",
        usage: "[--prefix FOLDER] [--no-build] [--sandbox]",
        about: "make the packages: a C prefix, a Python wheel and npm packages, under target/dist",
        run: dist::run,
    },
    Task { name: "docs", usage: "", about: "build the documentation site, target/docs/html", run: docs::run },
    Task {
        name: "test",
        usage: "[--long] [AREA]...",
        about: "what CI runs, or some areas of it; --long adds campaigns; `cargo xtask test help` lists all",
        run: test::run,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((name, rest)) = arguments.split_first() else {
        print!("{}", help());
        return ExitCode::SUCCESS;
    };
    if matches!(name.as_str(), "help" | "-h" | "--help") {
        print!("{}", help());
        return ExitCode::SUCCESS;
    }
    let Some(task) = TASKS.iter().find(|task| task.name == name) else {
        eprint!("there is no task \"{name}\"\n\n{}", help());
        return ExitCode::from(2);
    };
    match (task.run)(rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("cargo xtask {}: {reason}", task.name);
            ExitCode::FAILURE
        }
    }
}

/// The list of tasks.
fn help() -> String {
    let mut text = String::from("usage: cargo xtask <task> [options]\n\n");
    for task in TASKS {
        let call = format!("{} {}", task.name, task.usage);
        text.push_str(&format!("  {:<24} {}\n", call.trim_end(), task.about));
    }
    text
}

//! `cargo xtask bench`: the no-I/O crates beside other clients, in one run, as a table with ratios, and
//! what it costs to send to large groups, to exchange long files, and to read a phone's history and app
//! state; written to `tests/bench/README.md` with the machine named. `cargo xtask bench groups`, `media`,
//! `history` or `appstate` does one part alone.

mod appstate;
mod history;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::{TaskResult, workspace};

/// One line of the table: key, what it is, and the ratio to whatsapp-rust that the architecture
/// asks for.
const OPERATIONS: &[(&str, &str, f64)] = &[
    ("warm_encrypt", "direct message, encrypt, warm session", 0.8),
    ("warm_decrypt", "direct message, decrypt, warm session", 0.8),
    ("session_from_bundle", "session from a bundle (X3DH, signature verified)", 0.7),
    ("sender_key_encrypt", "sender key, encrypt", 1.0),
    ("sender_key_decrypt", "sender key, decrypt", 1.0),
    ("node_encode", "node of an ack, encode", 0.9),
    ("node_decode", "node of an ack, decode", 0.9),
    ("frame_1500", "frame cipher, 1,500 bytes", 0.5),
    ("frame_64k", "frame cipher, 64 KiB", 0.5),
];

/// One line of the table of groups: key, what it is, and the bars of the architecture for the time
/// that passes and the engine's use of the processor, in nanoseconds.
const GROUPS: &[(&str, &str, Option<f64>, Option<f64>)] = &[
    ("group_1024_first", "1,024 members, first message", Some(3e9), None),
    ("group_1024_second", "1,024 members, second message", Some(20e6), None),
    ("group_1024_next", "1,024 members, each next one", Some(20e6), None),
    ("group_1024_burst", "1,024 members, each of 64 at once", None, None),
    ("group_256_first", "256 members, first message", None, Some(90e6)),
    ("group_256_second", "256 members, second message", None, None),
    ("group_256_next", "256 members, each next one", None, Some(70e3)),
    ("group_256_burst", "256 members, each of 64 at once", None, Some(70e3)),
];

/// Where the part about groups begins in the document.
const GROUPS_TITLE: &str = "\n## Large groups\n";

/// Where the part about long files begins in the document, behind that about groups.
const MEDIA_TITLE: &str = "\n## Long files\n";

/// One line of the table of files: key and what it is.
const MEDIA: &[(&str, &str)] =
    &[("media_up", "2 GiB up, cut twice"), ("media_down", "2 GiB down, cut twice")];

/// The bar of memory, in MiB.
const MEDIA_GROWTH: f64 = 16.0;

/// Runs the benchmarks and writes their tables.
pub(crate) fn run(arguments: &[String]) -> TaskResult {
    let root = workspace::root()?;
    let path = root.join("tests/bench/README.md");
    let written = |text: String| {
        std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
        println!("\nwritten to tests/bench/README.md");
        Ok(())
    };
    let known = || std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()));
    match arguments {
        [] => {}
        [part] if part == "groups" => return written(with_part(&known()?, GROUPS_TITLE, &groups(&root)?)),
        [part] if part == "media" => return written(with_part(&known()?, MEDIA_TITLE, &media(&root)?)),
        [part] if part == "appstate" => {
            return written(with_part(&known()?, appstate::TITLE, &appstate::run(&root)?));
        }
        [part] if part == "history" => {
            return written(with_part(&known()?, history::TITLE, &history::run(&root)?));
        }
        _ => return Err(String::from("usage: cargo xtask bench [groups|media|history|appstate]")),
    }
    let nightly = has_nightly();
    let mut results = BTreeMap::new();
    println!("Building; the other client's crates take some minutes the first time.");
    merge(&mut results, &rust(&root, nightly)?)?;
    merge(&mut results, &baileys(&root)?)?;
    let table = table(&results)?;
    print!("\n{table}");
    let text = readme(&table, nightly);
    let parts = [groups(&root)?, media(&root)?, history::run(&root)?, appstate::run(&root)?];
    written(format!("{text}{}", parts.concat()))
}

/// A document with one of its parts anew, at its place or at the end.
fn with_part(document: &str, title: &str, part: &str) -> String {
    let Some((before, after)) = document.split_once(title) else { return format!("{document}{part}") };
    let rest = after.find("\n## ").and_then(|next| after.get(next..)).unwrap_or_default();
    format!("{before}{part}{rest}")
}

/// What a long file costs, as a part of the document. Needs some 4 GiB in the folder for temporary files.
fn media(root: &Path) -> Result<String, String> {
    let mut command = Command::new("cargo");
    command.args(["run", "--release", "--quiet", "--locked", "--package", "whimbrel-bench-media"]);
    let lines = output(command.env_remove("CARGO_TARGET_DIR").current_dir(root.join("tests/bench")))?;
    let mut rows = BTreeMap::new();
    for line in lines.lines().filter(|line| line.starts_with('{')) {
        let value: Value = serde_json::from_str(line).map_err(|error| format!("{line}: {error}"))?;
        let name = value.get("name").and_then(Value::as_str).ok_or_else(|| format!("no name: {line}"))?;
        rows.insert(name.to_owned(), value);
    }
    let mut table = String::from(
        "| A file | time | per second | bare ciphers | memory grows by | bar |\n\
         | --- | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for (name, about) in MEDIA {
        let row = rows.get(*name).ok_or_else(|| format!("no result for {name}"))?;
        let number =
            |key: &str| row.get(key).and_then(Value::as_f64).ok_or_else(|| format!("no {key} for {name}"));
        let mib = |bytes: f64| bytes / f64::from(1 << 20);
        let (seconds, cipher) = (number("seconds")?, number("cipher_seconds")?);
        let (length, growth) = (mib(number("bytes")?), mib(number("growth_bytes")?));
        let missed = if growth > MEDIA_GROWTH { " missed" } else { "" };
        table.push_str(&format!(
            "| {about} | {seconds:.1} s | {:.0} MiB | {:.0} MiB | {growth:.1} MiB | ≤ {MEDIA_GROWTH:.0} MiB{missed} |\n",
            length / seconds,
            length / cipher,
        ));
    }
    print!("\n{table}");
    Ok(format!(
        "{MEDIA_TITLE}\n\
         One run of `cargo xtask bench media`: the engine in a process of its own, whose resident memory is\n\
         measured, and the sandbox's media host in another one, over TLS on the loopback interface. Each way is\n\
         cut after a quarter of the file and after another one, and goes on. Bare ciphers: what encryption\n\
         with a sidecar, and decryption with all checks, reach in the same process without files and network.\n\n\
         {table}\n\
         - Machine: {}.\n",
        machine()
    ))
}

/// What it costs to send to large groups, as a part of the document.
fn groups(root: &Path) -> Result<String, String> {
    let mut command = Command::new("cargo");
    command.args(["run", "--release", "--quiet", "--locked", "--package", "whimbrel-bench-groups"]);
    let lines = output(command.env_remove("CARGO_TARGET_DIR").current_dir(root.join("tests/bench")))?;
    let mut rows = BTreeMap::new();
    for line in lines.lines().filter(|line| line.starts_with('{')) {
        let value: Value = serde_json::from_str(line).map_err(|error| format!("{line}: {error}"))?;
        let name = value.get("name").and_then(Value::as_str).ok_or_else(|| format!("no name: {line}"))?;
        rows.insert(name.to_owned(), value);
    }
    let mut table = String::from(
        "| Sending to a group | time | bar | engine's CPU | bar | requests |\n\
         | --- | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for (name, about, wall_bar, cpu_bar) in GROUPS {
        let row = rows.get(*name).ok_or_else(|| format!("no result for {name}"))?;
        let number =
            |key: &str| row.get(key).and_then(Value::as_f64).ok_or_else(|| format!("no {key} for {name}"));
        let judged = |figure: f64, bar: &Option<f64>| match bar {
            None => "–".to_owned(),
            Some(bar) if figure > *bar => format!("≤ {} missed", shown(*bar)),
            Some(bar) => format!("≤ {}", shown(*bar)),
        };
        let (wall, cpu, requests) = (number("wall")?, number("cpu")?, number("requests")?);
        table.push_str(&format!(
            "| {about} | {} | {} | {} | {} | {requests:.0} |\n",
            shown(wall),
            judged(wall, wall_bar),
            shown(cpu),
            judged(cpu, cpu_bar),
        ));
    }
    print!("\n{table}");
    Ok(format!(
        "{GROUPS_TITLE}\n\
         One run of `cargo xtask bench groups`: the engine with its SQLite store on disk and the sandbox in one\n\
         process, over a socket of the loopback interface. Time is from the call to the service's word, and\n\
         includes what the sandbox does meanwhile, such as making up the keys of the members; the processor's\n\
         time is that of the engine's threads alone. Each next one: median time and mean use of 400 messages\n\
         one after the other. Requests are the IQs that the engine sent.\n\n\
         {table}\n\
         - Machine: {}.\n",
        machine()
    ))
}

/// The other client's crates are fastest with portable SIMD, which needs a nightly toolchain.
fn has_nightly() -> bool {
    Command::new("cargo").args(["+nightly", "--version"]).output().is_ok_and(|output| output.status.success())
}

fn rust(root: &Path, nightly: bool) -> Result<String, String> {
    let mut command = Command::new("cargo");
    if nightly {
        command.arg("+nightly");
    }
    command.args(["run", "--release", "--quiet", "--locked"]);
    if nightly {
        command.args(["--features", "simd"]);
    }
    // The toolchain that runs this task must not reach into the other one.
    for variable in ["CARGO", "RUSTUP_TOOLCHAIN", "CARGO_TARGET_DIR", "CARGO_MANIFEST_DIR"] {
        command.env_remove(variable);
    }
    output(command.current_dir(root.join("tests/bench")))
}

fn baileys(root: &Path) -> Result<String, String> {
    let folder = root.join("tests/interop/peers/baileys");
    if !folder.join("node_modules").exists() {
        output(Command::new("npm").args(["ci", "--ignore-scripts"]).current_dir(&folder))?;
    }
    output(Command::new("node").arg("bench.mjs").current_dir(&folder))
}

/// Standard output of a program that has to succeed; the rest goes to the terminal.
fn output(command: &mut Command) -> Result<String, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stderr(std::process::Stdio::inherit())
        .output()
        .map_err(|error| format!("{program}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{program} ended with {}", output.status));
    }
    String::from_utf8(output.stdout).map_err(|_| format!("{program} printed no text"))
}

/// Nanoseconds by operation and client.
type Results = BTreeMap<String, BTreeMap<String, f64>>;

fn merge(results: &mut Results, lines: &str) -> TaskResult {
    for line in lines.lines().filter(|line| line.starts_with('{')) {
        let value: Value = serde_json::from_str(line).map_err(|error| format!("{line}: {error}"))?;
        let name = value.get("name").and_then(Value::as_str).ok_or_else(|| format!("no name: {line}"))?;
        let row = results.entry(name.to_owned()).or_default();
        for client in ["whimbrel", "whatsapp-rust", "baileys"] {
            if let Some(time) = value.get(client).and_then(Value::as_f64) {
                row.insert(client.to_owned(), time);
            }
        }
    }
    Ok(())
}

fn table(results: &Results) -> Result<String, String> {
    let mut text = String::from(
        "| Operation | whimbrel | whatsapp-rust 0.7 | ratio | bar | Baileys 7 | ratio |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for (name, about, bar) in OPERATIONS {
        let row = results.get(*name).ok_or_else(|| format!("no result for {name}"))?;
        let time =
            |client: &str| row.get(client).copied().ok_or_else(|| format!("no {client} result for {name}"));
        let (ours, rust, baileys) = (time("whimbrel")?, time("whatsapp-rust")?, time("baileys")?);
        let missed = if ours / rust > *bar { " missed" } else { "" };
        text.push_str(&format!(
            "| {about} | {} | {} | {:.2} | ≤ {bar:.1}{missed} | {} | {:.4} |\n",
            shown(ours),
            shown(rust),
            ours / rust,
            shown(baileys),
            ours / baileys,
        ));
    }
    Ok(text)
}

fn shown(nanoseconds: f64) -> String {
    match nanoseconds {
        time if time < 1e3 => format!("{time:.0} ns"),
        time if time < 1e5 => format!("{:.2} µs", time / 1e3),
        time if time < 1e6 => format!("{:.0} µs", time / 1e3),
        time => format!("{:.2} ms", time / 1e6),
    }
}

fn readme(table: &str, nightly: bool) -> String {
    let form = if nightly {
        "built by the nightly toolchain with its portable SIMD, its fastest form"
    } else {
        "built by the stable toolchain; its fastest form needs a nightly one"
    };
    format!(
        "<!-- Written by `cargo xtask bench`. -->\n\
         # Benchmarks\n\n\
         Medians of one run of `cargo xtask bench`, each pair of Rust operations timed in turns in the same\n\
         process, Baileys right after them. Times move with the machine and with what else runs on it; the\n\
         ratios less. \"Bar\" is the ratio to whatsapp-rust that the project holds itself to.\n\n\
         {table}\n\
         - Machine: {}.\n\
         - whatsapp-rust: the crates `wacore-libsignal`, `wacore-binary` and `wacore-noise` 0.7 from the\n  \
           registry, with stores in memory, {form}.\n\
         - Baileys: 7.0.0-rc14 from npm, under Node.js, with stores in memory. It does not verify the\n  \
           signature of a bundle.\n\
         - The text is 64 bytes, padding included; the frame cipher seals in place.\n",
        machine()
    )
}

/// Processor and cores, for the reader of the figures.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let model = std::fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        line.split_once(':').map(|(_, model)| model.trim().to_owned())
    });
    let model = model.unwrap_or_else(|| String::from("unknown processor"));
    format!("{model}, {cores} cores, {} {}", std::env::consts::OS, std::env::consts::ARCH)
}

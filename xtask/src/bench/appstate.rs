//! What it costs to read what the devices of an account share.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Where the part begins in the document.
pub(super) const TITLE: &str = "\n## App state\n";

/// One line of the table: key, what it is, and the bar for the time, in seconds.
const LINES: &[(&str, &str, Option<f64>)] = &[
    ("appstate_10000_chats", "10,000 chats archived, muted and labelled, from snapshots", Some(2.0)),
    ("appstate_1000_changes", "1,000 changes of another device in one patch, to the last event", None),
];

/// Measures, and returns the part of the document.
pub(super) fn run(root: &Path) -> Result<String, String> {
    let mut command = Command::new("cargo");
    command.args(["run", "--release", "--quiet", "--locked", "--package", "whimbrel-bench-appstate"]);
    let lines = super::output(command.env_remove("CARGO_TARGET_DIR").current_dir(root.join("tests/bench")))?;
    let rows: Vec<Value> =
        lines.lines().filter_map(|line| serde_json::from_str(line).ok()).filter(Value::is_object).collect();
    let mut table =
        String::from("| Reading | entries | time | bar | each |\n| --- | ---: | ---: | ---: | ---: |\n");
    for (name, about, bar) in LINES {
        let row = rows.iter().find(|row| row.get("name").and_then(Value::as_str) == Some(name));
        let row = row.ok_or_else(|| format!("no result for {name}"))?;
        let number =
            |key: &str| row.get(key).and_then(Value::as_f64).ok_or_else(|| format!("no {key} for {name}"));
        let (seconds, entries) = (number("seconds")?, number("entries")?);
        let bar = bar.map_or_else(
            || "–".to_owned(),
            |bar| format!("≤ {bar} s{}", if seconds > bar { " missed" } else { "" }),
        );
        table.push_str(&format!(
            "| {about} | {entries} | {seconds:.2} s | {bar} | {:.1} µs |\n",
            seconds * 1e6 / entries.max(1.0)
        ));
    }
    print!("\n{table}");
    Ok(format!(
        "{TITLE}\n\
         One run of `cargo xtask bench appstate`: the engine with its SQLite store on disk, the phone and the service\n\
         in one process, over sockets of the loopback interface. Time is from the login until everything is checked,\n\
         decrypted and in the archive, what the sandbox does for it and the download of the snapshots included.\n\n\
         {table}\n\
         - Machine: {}.\n",
        super::machine()
    ))
}

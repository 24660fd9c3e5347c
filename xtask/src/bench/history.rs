//! What it costs to get the history of a phone into an archive that can be searched.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Where the part begins in the document.
pub(super) const TITLE: &str = "\n## History\n";

/// One line of the table: key, what it is, and the bars for the use of the processor in seconds and the
/// growth of memory in MiB.
const LINES: &[(&str, &str, Option<f64>, f64)] = &[
    ("history_150k", "150,000 messages, 49 MB inflated", Some(1.0), 32.0),
    ("history_1gb_killed_twice", "1,000,000 messages, killed twice on the way", None, 32.0),
];

/// Measures, and returns the part of the document. Needs some 3 GiB in the folder for temporary files.
pub(super) fn run(root: &Path) -> Result<String, String> {
    let mut command = Command::new("cargo");
    command.args(["run", "--release", "--quiet", "--locked", "--package", "whimbrel-bench-history"]);
    let lines = super::output(command.env_remove("CARGO_TARGET_DIR").current_dir(root.join("tests/bench")))?;
    let rows: Vec<Value> =
        lines.lines().filter_map(|line| serde_json::from_str(line).ok()).filter(Value::is_object).collect();
    let mut table = String::from(
        "| A history | inflated | time | CPU | bar | memory grows by | bar |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for (name, about, cpu_bar, growth_bar) in LINES {
        let row = rows.iter().find(|row| row.get("name").and_then(Value::as_str) == Some(name));
        let row = row.ok_or_else(|| format!("no result for {name}"))?;
        let number =
            |key: &str| row.get(key).and_then(Value::as_f64).ok_or_else(|| format!("no {key} for {name}"));
        let missed = |is: f64, bar: f64| if is > bar { " missed" } else { "" };
        let (cpu, growth) = (number("cpu_seconds")?, number("growth_bytes")? / f64::from(1 << 20));
        let cpu_bar = cpu_bar.map_or_else(|| "–".to_owned(), |bar| format!("≤ {bar} s{}", missed(cpu, bar)));
        table.push_str(&format!(
            "| {about} | {:.0} MB | {:.1} s | {cpu:.2} s | {cpu_bar} | {growth:.1} MiB | ≤ {growth_bar} MiB{} |\n",
            number("octets")? / 1e6,
            number("seconds")?,
            missed(growth, *growth_bar),
        ));
    }
    print!("\n{table}");
    Ok(format!(
        "{TITLE}\n\
         One run of `cargo xtask bench history`: the engine in a process of its own, the sandbox in another one.\n\
         Time is from the login until the whole history is stored and its words are indexed, the making of the\n\
         piece by the sandbox and its download among it. Processor and memory are those of the engine's process;\n\
         of the one that is killed, those of the last of its three.\n\n\
         {table}\n\
         - Machine: {}.\n",
        super::machine()
    ))
}

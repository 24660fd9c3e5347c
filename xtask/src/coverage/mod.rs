//! `cargo xtask coverage`: what there is, for whom, and how it is tested, as a table that cannot claim what is not
//! there.
//!
//! `docs/features.tsv` is written by hand: a row for each feature, with the operations and events that offer it, the
//! scenarios that run it, and the stories in which a client that is not ours takes part. Everything else is read from
//! the sources: whether such operations exist, whether the tests of each language call them, whether the named tests
//! exist and call the operation. Outcome: `docs/features.md`, and the summary in the README.

mod evidence;
mod page;
mod rows;

use std::collections::BTreeSet;
use std::path::Path;

use crate::{TaskResult, workspace};
use evidence::{Evidence, Language};
use rows::{Row, Surface};

const TABLE: &str = "docs/features.tsv";
const PAGE: &str = "docs/features.md";
const README: &str = "README.md";

/// Runs the task.
pub(crate) fn run(arguments: &[String]) -> TaskResult {
    let check = match arguments {
        [] => false,
        [flag] if flag == "--check" => true,
        _ => return Err(String::from("the only option is --check")),
    };
    let root = workspace::root()?;
    let rows = rows::read(&text(&root, TABLE)?)?;
    let evidence = Evidence::gather(&root)?;
    let complaints = complaints(&rows, &evidence);
    if !complaints.is_empty() {
        return Err(format!("{TABLE}:\n  {}", complaints.join("\n  ")));
    }
    let page = page::page(&rows, &evidence);
    let readme = page::with_summary(&text(&root, README)?, &page::summary(&rows, &evidence))?;
    for (name, wanted) in [(PAGE, page), (README, readme)] {
        if text(&root, name).ok().as_deref() == Some(wanted.as_str()) {
            continue;
        }
        if check {
            return Err(format!("{name} is stale, run `cargo xtask coverage`"));
        }
        std::fs::write(root.join(name), wanted).map_err(|error| format!("{name}: {error}"))?;
        println!("wrote {name}");
    }
    Ok(())
}

fn text(root: &Path, name: &str) -> Result<String, String> {
    std::fs::read_to_string(root.join(name)).map_err(|error| format!("{name}: {error}"))
}

/// What the table says that is not so, and what it leaves out.
fn complaints(rows: &[Row], evidence: &Evidence) -> Vec<String> {
    let mut found = Vec::new();
    let mut named = BTreeSet::new();
    for row in rows {
        let mut complain = |what: String| found.push(format!("{}: {what}", row.name()));
        for surface in &row.surfaces {
            named.insert(surface.clone());
            match surface {
                Surface::Operation(name) if !evidence.operations.contains(name) => {
                    complain(format!("there is no operation {name}"));
                }
                Surface::Operation(name) if row.works() && !evidence.is_run_by(name, &row.tests) => {
                    complain(format!("none of its tests calls {name}"));
                }
                Surface::Event(name) if !evidence.events.contains_key(name) => {
                    complain(format!("there is no event {name}"));
                }
                _ => {}
            }
        }
        if row.works() && row.tests.is_empty() {
            complain(String::from("no test runs it"));
        }
        for test in &row.tests {
            if !evidence.scenarios.contains(test) {
                complain(format!("there is no test {test}"));
            }
        }
        for story in row.baileys.iter().chain(&row.whatsmeow) {
            if !evidence.stories.contains(story) {
                complain(format!("there is no story {story}"));
            }
        }
    }
    for name in &evidence.operations {
        if !named.contains(&Surface::Operation(name.clone())) {
            found.push(format!("the operation {name} is in no row"));
        }
        for language in [Language::Python, Language::Node] {
            if !evidence.calls(language, name) {
                found.push(format!("no test calls the operation {name} from {}", language.name()));
            }
        }
    }
    for name in evidence.events.keys() {
        if !named.contains(&Surface::Event(name.clone())) {
            found.push(format!("the event {name} is in no row"));
        }
    }
    found
}

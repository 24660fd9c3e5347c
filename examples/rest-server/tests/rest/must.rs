//! The statements that the server was made for, and the tests that show them: a row of `tests/must.tsv` is
//! covered by the tests whose comments say `Covers .`

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Statements without a test, and why.
const OPEN: &[(&str, &str)] = &[
    ("A-048", "voice notes from other formats than Ogg are refused: nothing is converted yet"),
    ("A-138", "the manager page does not exist yet"),
    ("A-139", "the manager page does not exist yet"),
    ("A-140", "the manager page does not exist yet"),
    ("C-001", "the reference pages do not exist yet; the OpenAPI files do"),
    ("C-002", "the dashboard does not exist yet"),
    ("C-013", "the dashboard does not exist yet"),
    ("C-031", "the n8n flows do not exist yet"),
    ("C-032", "the dashboard does not exist yet"),
    ("C-040", "the n8n flows do not exist yet"),
    ("C-041", "the n8n flows do not exist yet"),
    ("C-046", "there is no pacing profile yet"),
];

/// The dialects that are there, by the letters of their rows.
const DIALECTS: [char; 2] = ['A', 'C'];

/// The ids of a comment: `A-001`, or `A-002 to A-005`.
fn ids(comment: &str) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    let mut range = false;
    for word in comment.split([' ', ',', '.']).filter(|word| !word.is_empty()) {
        if word == "to" {
            range = true;
            continue;
        }
        let Some((letter, number)) = word.split_once('-') else { continue };
        let Ok(number) = number.parse::<u32>() else { continue };
        let first = match (range, ids.last()) {
            (true, Some(last)) => last.split_once('-').unwrap().1.parse::<u32>().unwrap() + 1,
            _ => number,
        };
        ids.extend((first..=number).map(|number| format!("{letter}-{number:03}")));
        range = false;
    }
    ids
}

fn files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

/// Statement → tests.
fn covered() -> BTreeMap<String, BTreeSet<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rest");
    let mut sources = Vec::new();
    files(&root, &mut sources);
    let mut covered: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in sources {
        let text = std::fs::read_to_string(&path).unwrap();
        let mut waiting: Vec<String> = Vec::new();
        let mut is_test = false;
        for line in text.lines().map(str::trim) {
            if let Some(comment) = line.strip_prefix("/// Covers ") {
                waiting.extend(ids(comment));
            } else if let Some(comment) = line.strip_prefix("/// ").filter(|_| !waiting.is_empty()) {
                waiting.extend(ids(comment));
            } else if line.starts_with("#[tokio::test") || line == "#[test]" {
                is_test = true;
            } else if let Some(rest) = line.strip_prefix("async fn ").or_else(|| line.strip_prefix("fn ")) {
                if is_test {
                    let file = path.strip_prefix(&root).unwrap().display();
                    let name = format!("{file}::{}", rest.split('(').next().unwrap());
                    for id in waiting.drain(..) {
                        covered.entry(id).or_default().insert(name.clone());
                    }
                }
                waiting.clear();
                is_test = false;
            }
        }
    }
    covered
}

#[test]
fn every_statement_has_a_test_or_stands_open_with_its_reason() {
    let covered = covered();
    let rows = include_str!("../must.tsv").lines().skip(1);
    let rows: BTreeMap<&str, &str> = rows
        .map(|row| {
            let mut columns = row.split('\t');
            (columns.next().unwrap(), columns.nth(3).unwrap_or_default())
        })
        .collect();
    let (mut missing, mut shown) = (Vec::new(), 0);
    for (id, statement) in &rows {
        let tests = covered.get(*id).map(|tests| tests.iter().cloned().collect::<Vec<_>>().join(", "));
        println!("{id}\t{}\t{statement}", tests.as_deref().unwrap_or("-"));
        let open = OPEN.iter().any(|(open, _)| open == id);
        assert!(!(open && tests.is_some()), "{id} has a test and need not stand open");
        shown += usize::from(tests.is_some());
        if tests.is_none() && !open && DIALECTS.contains(&id.chars().next().unwrap()) {
            missing.push(*id);
        }
    }
    println!("{shown} of {} statements are shown by tests", rows.len());
    assert!(missing.is_empty(), "statements without a test: {missing:?}");
    let unknown: Vec<_> = covered.keys().filter(|id| !rows.contains_key(id.as_str())).collect();
    assert!(unknown.is_empty(), "tests for statements that there are not: {unknown:?}");
}

#[test]
fn ranges_of_statements_are_read() {
    assert_eq!(ids("A-001, A-003 to A-005."), ["A-001", "A-003", "A-004", "A-005"]);
}

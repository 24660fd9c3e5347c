//! What the sources say: which operations and events there are, which tests exist, and what those of each language
//! call.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

/// A language with tests of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Language {
    C,
    Python,
    Node,
}

impl Language {
    const ALL: [Self; 3] = [Self::C, Self::Python, Self::Node];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::C => "C or C++",
            Self::Python => "Python",
            Self::Node => "Node.js",
        }
    }

    /// Where its tests are, and how their files end.
    const fn tests(self) -> (&'static [&'static str], &'static [&'static str]) {
        match self {
            Self::C => (&["ffi/tests/c", "ffi/tests/cpp", "examples/c", "examples/cpp"], &["c", "cpp"]),
            Self::Python => (&["bindings/python/tests", "examples/python"], &["py"]),
            Self::Node => (&["bindings/node/test", "examples/node"], &["mjs", "ts", "mts"]),
        }
    }
}

/// All of it.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    pub(super) operations: BTreeSet<String>,
    /// With the names of their types.
    pub(super) events: BTreeMap<String, String>,
    /// `file::function`, or `folder/file::function` outside of the scenarios.
    pub(super) scenarios: BTreeSet<String>,
    pub(super) stories: BTreeSet<String>,
    /// The words of each language's tests that are called or compared with.
    words: BTreeMap<Language, BTreeSet<String>>,
}

impl Evidence {
    pub(super) fn gather(root: &Path) -> Result<Self, String> {
        let api =
            std::fs::read_to_string(root.join("bindings/api.json")).map_err(|error| error.to_string())?;
        let api: Value = serde_json::from_str(&api).map_err(|error| format!("bindings/api.json: {error}"))?;
        let mut evidence = Self::default();
        for operation in api.pointer("/operations").and_then(Value::as_array).into_iter().flatten() {
            evidence.operations.extend(name_of(operation));
        }
        for event in api.pointer("/events").and_then(Value::as_array).into_iter().flatten() {
            let schema = event.pointer("/schema/$ref").and_then(Value::as_str).unwrap_or_default();
            let class = schema.rsplit('/').next().unwrap_or_default().to_owned();
            evidence.events.extend(name_of(event).map(|name| (name, class)));
        }
        evidence.scenarios = test_functions(&root.join("tests/scenarios/tests"), "")?;
        for (folder, prefix) in [
            ("tests/faults/tests", "faults/"),
            ("tests/sandbox/tests", "sandbox/"),
            ("core/engine/src", "engine/"),
            ("core/media/src", "media/"),
        ] {
            evidence.scenarios.append(&mut test_functions(&root.join(folder), prefix)?);
        }
        for file in files(&root.join("bindings/python/tests"), &["py"])? {
            let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            let text = read(&file)?;
            let names = text.lines().filter_map(|line| {
                let line = line.strip_prefix("async ").unwrap_or(line);
                line.strip_prefix("def ")?.split('(').next().filter(|name| name.starts_with("test_"))
            });
            evidence.scenarios.extend(names.map(|name| format!("python/{stem}::{name}")));
        }
        evidence.stories = test_functions(&root.join("tests/interop/tests/stories"), "")?;
        for language in Language::ALL {
            let (folders, endings) = language.tests();
            let mut words = BTreeSet::new();
            for folder in folders {
                for file in files(&root.join(folder), endings)? {
                    let text = read(&file)?;
                    words.extend(text.split(|c: char| !c.is_alphanumeric() && c != '_').map(str::to_owned));
                }
            }
            evidence.words.insert(language, words);
        }
        Ok(evidence)
    }

    /// Whether the tests of a language call an operation.
    pub(super) fn calls(&self, language: Language, operation: &str) -> bool {
        let name = if language == Language::Node { camel(operation) } else { operation.to_owned() };
        let c_function = format!("whimbrel_{operation}");
        self.has(language, &name) || language == Language::C && self.has(language, &c_function)
    }

    /// Whether the tests of a language wait for an event.
    pub(super) fn hears(&self, language: Language, event: &str) -> bool {
        match language {
            Language::C => self.has(language, &format!("WHIMBREL_EVENT_{}", event.to_uppercase())),
            Language::Python => self.events.get(event).is_some_and(|class| self.has(language, class)),
            Language::Node => self.has(language, event),
        }
    }

    fn has(&self, language: Language, word: &str) -> bool {
        self.words.get(&language).is_some_and(|words| words.contains(word))
    }
}

fn name_of(entry: &Value) -> Option<String> {
    entry.get("name").and_then(Value::as_str).map(str::to_owned)
}

fn camel(snake: &str) -> String {
    let mut words = snake.split('_');
    let mut name = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        name.extend(letters.next().into_iter().flat_map(char::to_uppercase));
        name.push_str(letters.as_str());
    }
    name
}

fn read(file: &Path) -> Result<String, String> {
    std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))
}

/// The files in a folder and in those below it, but for what package managers put there.
fn files(folder: &Path, endings: &[&str]) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        if !folder.is_dir() || folder.ends_with("node_modules") {
            continue;
        }
        for entry in std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))? {
            let path = entry.map_err(|error| error.to_string())?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| endings.iter().any(|wanted| ending == *wanted)) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The test functions below a folder, as `file::function`; the files of a folder that is one test go by its name.
fn test_functions(folder: &Path, prefix: &str) -> Result<BTreeSet<String>, String> {
    let mut found = BTreeSet::new();
    for file in files(folder, &["rs"])? {
        let text = read(&file)?;
        let mut is_test = false;
        for line in text.lines().map(str::trim_start) {
            if line.starts_with("#[tokio::test") || line.starts_with("#[test]") {
                is_test = true;
            } else if let Some(name) = function_name(line).filter(|_| is_test) {
                is_test = false;
                let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
                found.insert(format!("{prefix}{stem}::{name}"));
            }
        }
    }
    Ok(found)
}

fn function_name(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("async fn ").or_else(|| line.strip_prefix("fn "))?;
    rest.split('(').next()
}

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
    /// The methods of the Rust client that each operation calls.
    methods: BTreeMap<String, BTreeSet<String>>,
    /// The words of the file of each test of ours, and of the helpers beside it.
    tests: BTreeMap<String, BTreeSet<String>>,
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
        evidence.methods = methods(&root.join("core/api/src/operations"))?;
        for (folder, helpers, prefix) in [
            ("tests/scenarios/tests", Some("tests/scenarios/src"), ""),
            ("tests/faults/tests", Some("tests/faults/src"), "faults/"),
            ("tests/sandbox/tests", None, "sandbox/"),
            ("core/engine/src", None, "engine/"),
            ("core/media/src", None, "media/"),
        ] {
            let mut helping = BTreeSet::new();
            if let Some(helpers) = helpers {
                for file in files(&root.join(helpers), &["rs"])? {
                    helping.extend(words(&read(&file)?));
                }
            }
            for (name, mut known) in test_words(&root.join(folder), prefix)? {
                known.extend(helping.iter().cloned());
                evidence.scenarios.insert(name.clone());
                evidence.tests.insert(name, known);
            }
        }
        for file in files(&root.join("bindings/python/tests"), &["py"])? {
            let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            let text = read(&file)?;
            let names = text.lines().filter_map(|line| {
                let line = line.strip_prefix("async ").unwrap_or(line);
                line.strip_prefix("def ")?.split('(').next().filter(|name| name.starts_with("test_"))
            });
            for name in names {
                let name = format!("python/{stem}::{name}");
                evidence.tests.insert(name.clone(), words(&text));
                evidence.scenarios.insert(name);
            }
        }
        evidence.stories = test_words(&root.join("tests/interop/tests/stories"), "")?.into_keys().collect();
        for language in Language::ALL {
            let (folders, endings) = language.tests();
            let mut words = BTreeSet::new();
            for folder in folders {
                for file in files(&root.join(folder), endings)? {
                    let text = read(&file)?;
                    words.extend(self::words(&text));
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

    /// Whether one of these tests of ours calls an operation: by the method of the Rust client behind it, in its own
    /// file or in a helper, or in Python by its name. Of an operation without a method, nothing is known.
    pub(super) fn is_run_by(&self, operation: &str, tests: &[String]) -> bool {
        let Some(methods) = self.methods.get(operation) else { return true };
        let calls = |test: &String| {
            let words = self.tests.get(test);
            words.is_some_and(|words| {
                let in_python = test.starts_with("python/");
                if in_python { words.contains(operation) } else { !words.is_disjoint(methods) }
            })
        };
        tests.iter().any(calls)
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

fn words(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').map(str::to_owned).collect()
}

/// The methods of the client that the operations in a folder call, by operation.
fn methods(folder: &Path) -> Result<BTreeMap<String, BTreeSet<String>>, String> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in files(folder, &["rs"])? {
        let text = read(&file)?;
        for block in text.split("impl Operation for ").skip(1) {
            let name = block
                .split_once("const NAME: &'static str = \"")
                .and_then(|(_, rest)| rest.split('"').next());
            let Some(name) = name else { continue };
            let calls = block.split("client").skip(1).filter_map(|rest| {
                let called = rest.trim_start().strip_prefix('.')?;
                let end = called.find(|c: char| !c.is_alphanumeric() && c != '_')?;
                called.get(end..)?.starts_with('(').then(|| called.get(..end).map(str::to_owned))?
            });
            let calls: BTreeSet<String> = calls.collect();
            if !calls.is_empty() {
                found.insert(name.to_owned(), calls);
            }
        }
    }
    Ok(found)
}

/// The test functions below a folder with the words of their files, as `file::function`; the files of a folder that is one test go by its name.
fn test_words(folder: &Path, prefix: &str) -> Result<BTreeMap<String, BTreeSet<String>>, String> {
    let mut found = BTreeMap::new();
    for file in files(folder, &["rs"])? {
        let text = read(&file)?;
        let known = words(&text);
        let mut is_test = false;
        for line in text.lines().map(str::trim_start) {
            if line.starts_with("#[tokio::test") || line.starts_with("#[test]") {
                is_test = true;
            } else if let Some(name) = function_name(line).filter(|_| is_test) {
                is_test = false;
                let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
                found.insert(format!("{prefix}{stem}::{name}"), known.clone());
            }
        }
    }
    Ok(found)
}

fn function_name(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("async fn ").or_else(|| line.strip_prefix("fn "))?;
    rest.split('(').next()
}

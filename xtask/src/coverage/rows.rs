//! The table that is written by hand.

/// The names of its columns.
const HEAD: [&str; 6] = ["area", "feature", "surface", "tests", "stories", "note"];

/// How a feature reaches a host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Surface {
    /// By an operation.
    Operation(String),
    /// By an event.
    Event(String),
    /// Not at all: the engine does it by itself.
    Engine,
    /// By a typed error that says that it is not supported, for the reason in the note.
    Refused,
    /// It does not exist.
    Missing,
}

/// One feature.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) area: String,
    pub(super) feature: String,
    pub(super) surfaces: Vec<Surface>,
    /// Tests of ours against the sandbox, as `file::function`, elsewhere than among the scenarios as
    /// `folder/file::function`, those in Python as `python/file::function`.
    pub(super) tests: Vec<String>,
    /// Stories with Baileys.
    pub(super) baileys: Vec<String>,
    /// Stories with whatsmeow.
    pub(super) whatsmeow: Vec<String>,
    pub(super) note: String,
}

impl Row {
    pub(super) fn name(&self) -> String {
        format!("{}, {}", self.area, self.feature)
    }

    /// Whether there is anything to try.
    pub(super) fn works(&self) -> bool {
        !self.surfaces.iter().any(|surface| matches!(surface, Surface::Missing | Surface::Refused))
    }
}

/// Reads the table.
pub(super) fn read(text: &str) -> Result<Vec<Row>, String> {
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let head = lines.next().map(|(_, line)| line.split('\t').collect::<Vec<_>>());
    if head.as_deref() != Some(&HEAD) {
        return Err(format!("the columns are to be {}", HEAD.join(", ")));
    }
    lines.map(|(at, line)| row(line).map_err(|error| format!("line {}: {error}", at + 1))).collect()
}

fn row(line: &str) -> Result<Row, String> {
    let columns: Vec<&str> = line.split('\t').collect();
    let [area, feature, surface, tests, stories, note] = columns.as_slice() else {
        return Err(format!("{} columns instead of {}", columns.len(), HEAD.len()));
    };
    let surfaces: Vec<Surface> = surface.split_whitespace().map(one_surface).collect();
    if surfaces.is_empty() {
        return Err(String::from("nothing says how it reaches a host"));
    }
    let mut row = Row {
        area: (*area).to_owned(),
        feature: (*feature).to_owned(),
        surfaces,
        tests: tests.split_whitespace().map(str::to_owned).collect(),
        baileys: Vec::new(),
        whatsmeow: Vec::new(),
        note: (*note).to_owned(),
    };
    for story in stories.split_whitespace() {
        match story.split_once('=') {
            Some(("baileys", name)) => row.baileys.push(name.to_owned()),
            Some(("whatsmeow", name)) => row.whatsmeow.push(name.to_owned()),
            _ => return Err(format!("{story} does not say with whom")),
        }
    }
    Ok(row)
}

fn one_surface(word: &str) -> Surface {
    match word {
        "engine" => Surface::Engine,
        "refused" => Surface::Refused,
        "missing" => Surface::Missing,
        _ => match word.strip_prefix("event:") {
            Some(name) => Surface::Event(name.to_owned()),
            None => Surface::Operation(word.to_owned()),
        },
    }
}

//! What safer-ffi says of the functions that it exports.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use safer_ffi::headers::Definer;
// The crate's functions register themselves where it is linked.
use whimbrel_ffi as _;

/// Keeps the functions, and notes the types, which the header defines.
#[derive(Default)]
struct Keeper {
    names: BTreeSet<String>,
    text: Vec<u8>,
}

impl Definer for Keeper {
    fn insert(&mut self, name: &str) -> bool {
        self.names.insert(name.to_owned())
    }

    fn out(&mut self) -> &mut dyn Write {
        &mut self.text
    }
}

/// Returns C that makes safer-ffi's type names mean the header's types, and its prototypes.
pub(crate) fn of_safer_ffi() -> (String, String) {
    let mut keeper = Keeper::default();
    safer_ffi::headers::builder()
        .with_banner("")
        .with_guard("AGREE")
        .generate_with_definer(&mut keeper)
        .unwrap();
    let text = String::from_utf8(keeper.text).unwrap();

    // A prototype ends with `);` at the end of a line; a type definition never has a line that
    // begins with a function's name.
    let mut prototypes = BTreeMap::new();
    let lines: Vec<&str> = text.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        let Some(name) = line.strip_suffix(" (").filter(|name| name.starts_with("whimbrel_")) else {
            continue;
        };
        let end = lines[at..].iter().position(|line| line.ends_with(");")).unwrap();
        let result = lines[at - 1];
        prototypes.insert(name.to_owned(), format!("{result} {}", lines[at..=at + end].join(" ")));
    }
    assert!(prototypes.len() > 30, "safer-ffi's prototypes were not found:\n{text}");

    let all = prototypes.values().map(String::as_str).collect::<Vec<_>>().join("\n");
    let types: BTreeSet<&str> = all
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter_map(|word| word.strip_suffix("_t"))
        .filter(|word| word.starts_with("whimbrel_"))
        .collect();
    let aliases: String = types.iter().map(|name| format!("typedef {name} {name}_t;\n")).collect();
    (aliases, all)
}

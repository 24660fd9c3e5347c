//! The header as cbindgen writes it.

use std::fs;
use std::path::Path;

/// Generates the header from the crate's source.
///
/// cbindgen looks for `no_mangle`; the crate says `ffi_export`, which comes to that. So it reads a
/// copy in which the one attribute is written as the other.
pub(crate) fn write(scratch: &Path) -> String {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let copy = scratch.join("src");
    fs::create_dir_all(&copy).unwrap();
    for file in fs::read_dir(crate_folder.join("src")).unwrap() {
        let file = file.unwrap();
        let source = fs::read_to_string(file.path()).unwrap();
        fs::write(copy.join(file.file_name()), source.replace("#[ffi_export]", "#[unsafe(no_mangle)]"))
            .unwrap();
    }
    let config = cbindgen::Config::from_file(crate_folder.join("cbindgen.toml")).unwrap();
    let bindings =
        cbindgen::Builder::new().with_config(config).with_src(copy.join("lib.rs")).generate().unwrap();
    let mut text = Vec::new();
    bindings.write(&mut text);
    String::from_utf8(text).unwrap()
}

/// The names of the functions that a header declares, sorted.
pub(crate) fn functions(header: &str) -> Vec<String> {
    // A declaration may be broken after its type: the name is what stands before the bracket.
    let mut names: Vec<String> = header
        .match_indices("WHIMBREL_API")
        .filter_map(|(at, word)| {
            let declaration = header.get(at + word.len()..)?.split_once('(')?.0;
            let name = declaration.rsplit(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next()?;
            name.starts_with("whimbrel_").then(|| name.to_owned())
        })
        .collect();
    names.sort();
    names
}

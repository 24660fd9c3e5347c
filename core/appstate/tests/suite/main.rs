//! App state: the vectors, the table of actions, what holds for any changes, and the fuzz corpus.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is the test's report")]

#[path = "../checks/mod.rs"]
mod checks;
mod properties;
mod registry;
mod secrecy;
mod vectors;

use std::path::Path;

#[test]
fn the_corpus_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/app_state");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        checks::app_state(&std::fs::read(entry.unwrap().path()).unwrap());
        count += 1;
    }
    assert!(count >= 12, "only {count} files");
}

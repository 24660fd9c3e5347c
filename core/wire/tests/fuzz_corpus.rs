//! Replays the corpora of the fuzz targets, so that what fuzzing once found stays found without a fuzzer.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a panic is the test's report")]

mod checks;

use std::{fs, path::Path};

fn replay(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut count = 0;
    for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        check(&fs::read(entry.unwrap().path()).unwrap());
        count += 1;
    }
    assert!(count >= 12, "only {count} files in {}", folder.display());
}

#[test]
fn decode_node_corpus_holds() {
    replay("decode_node", checks::decode_node);
}

#[test]
fn frames_corpus_holds() {
    replay("frames", checks::frames);
}

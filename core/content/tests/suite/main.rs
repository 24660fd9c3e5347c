//! What must hold for any bytes, and for what hosts compose.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is the report of a failed test")]

#[path = "../checks/mod.rs"]
mod checks;
mod composing;

use std::path::Path;
use std::sync::LazyLock;

use proptest::prelude::*;

static VECTORS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let path = format!("{}/../../tests/vectors/messages.json", env!("CARGO_MANIFEST_DIR"));
    let file: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let messages = file["messages"].as_array().unwrap();
    messages.iter().map(|vector| hex::decode(vector["hex"].as_str().unwrap()).unwrap()).collect()
});

#[test]
fn the_corpus_holds_and_so_do_the_vectors() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/content");
    let mut messages = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        messages += usize::from(checks::content(&std::fs::read(entry.unwrap().path()).unwrap()));
    }
    assert!(messages >= 20, "{messages}");
    for vector in VECTORS.iter() {
        assert!(checks::content(vector));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_taken_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        checks::content(&bytes);
    }

    #[test]
    fn damaged_vectors_are_taken_or_refused(
        which in 0_usize..169,
        at in any::<prop::sample::Index>(),
        octet in any::<u8>(),
        other in 0_usize..169,
    ) {
        let mut damaged = VECTORS[which].clone();
        if !damaged.is_empty() {
            let at = at.index(damaged.len());
            damaged[at] = octet;
        }
        checks::content(&damaged);
        // Two kinds in one message: the one with the lower field number counts.
        damaged.extend_from_slice(&VECTORS[other]);
        checks::content(&damaged);
    }
}

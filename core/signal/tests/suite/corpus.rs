//! Replays the corpus of the fuzz target, so that what it once found stays found.

use std::collections::BTreeSet;
use std::path::Path;

use crate::checks::{self, MODES, SCENE};

#[test]
fn the_corpus_holds_and_reaches_every_mode() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/signal_message");
    let mut reached = BTreeSet::new();
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let data = std::fs::read(entry.unwrap().path()).unwrap();
        let taken = checks::signal_message(&data);
        if let Some(mode) = data.first() {
            reached.insert((usize::from(*mode) % MODES.len(), taken));
        }
        files += 1;
    }
    assert!(files >= 24, "only {files} files");
    for (mode, name) in MODES.iter().enumerate() {
        assert!(reached.contains(&(mode, true)), "no valid {name}");
        assert!(reached.contains(&(mode, false)), "no refused {name}");
    }
}

#[test]
fn the_inputs_made_for_the_corpus_are_valid() {
    for input in &SCENE.inputs {
        assert!(checks::signal_message(input), "{}", MODES[usize::from(input[0])]);
    }
}

/// Every valid input cut at every length and with every octet altered once.
#[test]
fn all_small_damage_is_refused_without_a_trace() {
    for input in SCENE.inputs.iter().filter(|input| input[0] < 4) {
        for at in 1..input.len() {
            checks::signal_message(&input[..at]);
            let mut altered = input.clone();
            altered[at] ^= 1 << (at % 8);
            checks::signal_message(&altered);
        }
    }
}

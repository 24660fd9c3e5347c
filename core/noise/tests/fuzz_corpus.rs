//! Replays the corpus of the fuzz target, so that what fuzzing once found stays found without a
//! fuzzer, and changes it at random.

mod checks;

use std::fs;
use std::path::Path;

use checks::{Role, handshake};
use proptest::prelude::*;

#[test]
fn handshake_corpus_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/handshake");
    let mut count = 0;
    for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        handshake(&fs::read(entry.unwrap().path()).unwrap());
        count += 1;
    }
    assert!(count >= 12, "only {count} files in {}", folder.display());
}

const ROLES: [Role; 6] =
    [Role::Server, Role::Xx, Role::Ik, Role::OutdatedIk, Role::Pending, Role::Certificates];

#[test]
fn genuine_messages_are_accepted() {
    for role in ROLES {
        assert!(role.accepts(&role.genuine()), "{role:?}");
        handshake(&role.input(&role.genuine()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 200, ..Default::default() })]

    #[test]
    fn changed_messages_break_nothing(
        role in prop::sample::select(&ROLES[..]),
        at in any::<prop::sample::Index>(),
        cut in 0..3_usize,
        insert in prop::collection::vec(any::<u8>(), 0..3),
    ) {
        let mut message = role.genuine();
        let start = at.index(message.len());
        let end = message.len().min(start + cut);
        message.splice(start..end, insert);
        handshake(&role.input(&message));
    }

    #[test]
    fn no_bytes_break_anything(data in prop::collection::vec(any::<u8>(), 0..200)) {
        handshake(&data);
    }
}

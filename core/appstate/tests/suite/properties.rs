//! What holds for any changes.

use std::collections::BTreeMap;

use proptest::prelude::*;
use whimbrel_appstate::*;

use crate::checks;

/// A device that holds a collection.
#[derive(Default)]
struct Device {
    state: State,
    held: BTreeMap<IndexMac, Held>,
}

impl Device {
    fn take(&mut self, applied: Applied) {
        self.state = applied.state;
        for mac in applied.removed {
            self.held.remove(&mac);
        }
        for held in applied.put {
            self.held.insert(held.index_mac, held);
        }
    }

    /// The hash of what is held, worked out anew.
    fn rebuilt(&self) -> LtHash {
        let mut hash = LtHash::EMPTY;
        self.held.values().for_each(|held| hash.add(&held.value_mac));
        hash
    }

    /// Names and values.
    fn content(&self) -> BTreeMap<Vec<u8>, Vec<u8>> {
        self.held.values().map(|held| (held.entry.index.clone(), held.entry.value.clone())).collect()
    }
}

fn entry(name: u8, value: u8) -> Entry {
    Entry::new(&["pin_v1".to_owned(), format!("{name}@s.whatsapp.net")], vec![8, value & 0x7f], 5)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..Default::default() })]

    #[test]
    fn the_hash_follows_the_entries_and_any_split_gives_the_same(
        // Name, value and whether it is removed; `cut` ends a patch.
        changes in prop::collection::vec((0..6_u8, any::<u8>(), any::<bool>(), any::<bool>()), 1..30),
    ) {
        let keys = Keys::expand(&[1; 32]);
        let id = KeyId::new(0, 7);
        let mut author = Device::default();
        let mut reader = Device::default();
        let mut plain = BTreeMap::new();
        let mut drafts: BTreeMap<u8, Draft<'_>> = BTreeMap::new();
        let mut vector = 0_u128;
        let count = changes.len();
        for (number, (name, value, removed, cut)) in changes.into_iter().enumerate() {
            let entry = entry(name, value);
            let operation = if removed { Operation::Remove } else { Operation::Set };
            match operation {
                Operation::Set => plain.insert(entry.index.clone(), entry.value.clone()),
                Operation::Remove => plain.remove(&entry.index),
            };
            // The last word of a patch about an entry counts, as an author would have it.
            drafts.insert(name, Draft { operation, entry, key: (id, &keys) });
            if !cut && number + 1 < count {
                continue;
            }
            let drafts = std::mem::take(&mut drafts).into_values().collect();
            let held = |mac: &IndexMac| author.held.get(mac).map(|held| held.value_mac);
            let built = build(Collection::RegularLow, &author.state, (id, &keys), drafts, held, || {
                vector += 1;
                vector.to_be_bytes()
            });
            let built = built.unwrap();
            let patch = Patch::decode(&built.inline(Limits { mutations: 100, bytes: 100_000 }).unwrap());
            let held = |mac: &IndexMac| reader.held.get(mac).map(|held| held.value_mac);
            let read = patch.unwrap().check(Collection::RegularLow, &reader.state, |_| Some(&keys), held);
            let read = read.unwrap().unwrap();
            prop_assert!(!read.diverged);
            reader.take(read);
            author.take(built.applied);
            prop_assert_eq!(reader.state, author.state);
            prop_assert_eq!(reader.rebuilt(), reader.state.hash);
        }
        prop_assert_eq!(reader.content(), plain);
    }

    #[test]
    fn a_change_of_a_patch_never_passes(at in any::<prop::sample::Index>(), flip in 1..=255_u8) {
        let keys = Keys::expand(&[1; 32]);
        let key = (KeyId::new(0, 7), &keys);
        let drafts = vec![Draft { operation: Operation::Set, entry: entry(1, 2), key }];
        let built = build(Collection::Regular, &State::default(), key, drafts, |_| None, || [9; 16]).unwrap();
        let good = built.inline(Limits::default()).unwrap();
        let mut bad = good.clone();
        let place = at.index(bad.len());
        bad[place] ^= flip;
        let read = Patch::decode(&bad).and_then(|patch| {
            patch.check(Collection::Regular, &State::default(), |id| (id == key.0).then_some(&keys), |_| None)
        });
        // What the change left whole is what was written.
        if let Ok(Some(applied)) = read {
            prop_assert_eq!(applied, built.applied);
        }
        checks::app_state(&bad);
    }

    #[test]
    fn no_bytes_break_anything(data in prop::collection::vec(any::<u8>(), 0..300)) {
        checks::app_state(&data);
    }
}

#[test]
fn a_large_patch_goes_into_a_file() {
    let keys = Keys::expand(&[1; 32]);
    let key = (KeyId::new(0, 7), &keys);
    let drafts: Vec<_> =
        (0..101).map(|name| Draft { operation: Operation::Set, entry: entry(name, 1), key }).collect();
    let mut vector = 0_u128;
    let built = build(
        Collection::Regular,
        &State::default(),
        key,
        drafts,
        |_| None,
        || {
            vector += 1;
            vector.to_be_bytes()
        },
    )
    .unwrap();
    assert_eq!(built.inline(Limits::default()), None);
    assert!(built.inline(Limits { mutations: 2000, bytes: 100_000 }).is_some());
    let reference = whimbrel_proto::syncd::ExternalBlobReference::default();
    let mut patch = Patch::decode(&built.external(reference)).unwrap();
    let early = patch.clone().check(Collection::Regular, &State::default(), |_| Some(&keys), |_| None);
    assert!(matches!(early, Err(SyncError::Malformed(_))));
    patch.add(&built.file()).unwrap();
    let read = patch.check(Collection::Regular, &State::default(), |_| Some(&keys), |_| None).unwrap();
    assert_eq!(read.unwrap(), built.applied);
}

#[test]
fn an_author_who_gives_up_is_understood() {
    use whimbrel_proto::syncd::{ExitCode, SyncdPatch};
    let exit = |code| SyncdPatch {
        exit_code: Some(ExitCode { code: Some(code), text: None }),
        ..SyncdPatch::default()
    };
    let decode = |patch| Patch::decode(&whimbrel_proto::encode(&patch));
    assert_eq!(decode(exit(4)), Err(SyncError::GivenUp(4)));
    assert!(matches!(decode(exit(0)), Err(SyncError::Malformed(_))));
}

#[test]
fn a_phone_hands_a_collection_over_in_plain() {
    use whimbrel_proto::sync_action::{SyncActionData, SyncActionValue};
    use whimbrel_proto::syncd::{SyncdPlainTextRecord, SyncdSnapshotRecovery, SyncdVersion};
    let keys = Keys::expand(&[1; 32]);
    let id = KeyId::new(0, 7);
    let data = SyncActionData {
        index: Some(b"[\"setting_pushName\"]".to_vec()),
        value: Some(Box::new(SyncActionValue { timestamp: Some(5), ..SyncActionValue::default() })),
        padding: Some(Vec::new()),
        version: Some(1),
    };
    let mut hash = LtHash::EMPTY;
    hash.add(&[3; 32]);
    let given = SyncdSnapshotRecovery {
        version: Some(SyncdVersion { version: Some(12) }),
        collection_name: Some("critical_block".to_owned()),
        mutation_records: vec![SyncdPlainTextRecord {
            value: Some(Box::new(data)),
            key_id: Some(id.as_bytes().to_vec()),
            mac: Some(vec![3; 32]),
        }],
        collection_lthash: Some(hash.as_bytes().to_vec()),
    };
    let decoded = Recovery::decode(&whimbrel_proto::encode(&given)).unwrap();
    assert_eq!((decoded.collection, decoded.version()), (Collection::CriticalBlock, 12));
    assert!(matches!(decoded.clone().check(|_| None), Err(SyncError::MissingKeys(_))));
    let applied = decoded.check(|_| Some(&keys)).unwrap();
    assert_eq!(applied.state, State { version: 12, hash });
    assert_eq!(applied.put[0].index_mac, keys.index_mac(b"[\"setting_pushName\"]"));

    let short = SyncdSnapshotRecovery { collection_lthash: Some(vec![0; 64]), ..given };
    assert!(matches!(Recovery::decode(&whimbrel_proto::encode(&short)), Err(SyncError::Malformed(_))));
}

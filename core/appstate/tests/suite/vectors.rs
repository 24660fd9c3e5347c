//! The vectors, both ways.

use std::collections::BTreeMap;

use serde_json::Value;
use whimbrel_appstate::*;
use whimbrel_crypto::media::{Decryptor, Expected, MediaKeys, MediaType};
use whimbrel_proto::e2e::Message;

fn vectors() -> Value {
    let path = format!("{}/../../tests/vectors/app-state.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

fn octets<const N: usize>(value: &Value) -> [u8; N] {
    bytes(value).try_into().unwrap()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().unwrap().iter()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn sha256(text: &str) -> [u8; 32] {
    // The only digest that the crate under test has is keyed; the expansion of media keys is not it.
    use sha2::Digest as _;
    sha2::Sha256::digest(text).into()
}

/// The keys of the file, by their names.
struct Ring(BTreeMap<String, (KeyId, Keys)>);

impl Ring {
    fn of(vectors: &Value) -> Self {
        let key = |key: &Value| {
            let id = KeyId::from_slice(&bytes(&key["key_id"])).unwrap();
            (text(&key["name"]).to_owned(), (id, Keys::expand(&octets(&key["key_data"]))))
        };
        Self(list(&vectors["key_expansion"]).map(key).collect())
    }

    fn named(&self, name: &Value) -> (KeyId, &Keys) {
        let (id, keys) = &self.0[text(name)];
        (*id, keys)
    }

    fn by_id<'r>(&'r self) -> impl Fn(KeyId) -> Option<&'r Keys> {
        |id| self.0.values().find(|(other, _)| *other == id).map(|(_, keys)| keys)
    }
}

fn collection(value: &Value) -> Collection {
    Collection::named(text(value)).unwrap()
}

fn operation(value: &Value) -> Operation {
    if value == "SET" { Operation::Set } else { Operation::Remove }
}

/// What is held of a collection.
#[derive(Default)]
struct Book {
    state: State,
    held: BTreeMap<IndexMac, Held>,
}

impl Book {
    fn value(&self) -> impl Fn(&IndexMac) -> Option<ValueMac> {
        |mac| self.held.get(mac).map(|held| held.value_mac)
    }

    fn take(&mut self, applied: &Applied) {
        self.state = applied.state;
        for mac in &applied.removed {
            self.held.remove(mac);
        }
        for held in &applied.put {
            self.held.insert(held.index_mac, held.clone());
        }
    }

    fn agrees(&self, entries: &Value) {
        let expected: BTreeMap<IndexMac, ValueMac> =
            list(entries).map(|entry| (octets(&entry["index_mac"]), octets(&entry["value_mac"]))).collect();
        let held: BTreeMap<_, _> = self.held.iter().map(|(mac, held)| (*mac, held.value_mac)).collect();
        assert_eq!(held, expected);
    }
}

#[test]
fn names_of_keys_and_the_active_one() {
    let vectors = vectors();
    for key in list(&vectors["key_expansion"]) {
        let id = KeyId::from_slice(&bytes(&key["key_id"])).unwrap();
        assert_eq!(u64::from(id.device()), key["device_id"]);
        assert_eq!(u64::from(id.epoch()), key["epoch"]);
        assert_eq!(KeyId::new(id.device(), id.epoch()), id);
    }
    for case in list(&vectors["active_key"]["cases"]) {
        let ids = list(&case["ids"]).map(|id| KeyId::from_slice(&bytes(id)).unwrap());
        assert_eq!(active_key(ids).unwrap().as_bytes()[..], bytes(&case["active"]));
    }
    assert_eq!(active_key([]), None);
    assert_eq!(KeyId::from_slice(&[0; 5]), None);
}

#[test]
fn key_messages_are_what_the_schema_reads() {
    let vectors = vectors();
    let share: Message =
        whimbrel_proto::decode(&bytes(&vectors["key_messages"]["share_message_protobuf"])).unwrap();
    let share = share.protocol_message.unwrap().app_state_sync_key_share.unwrap();
    assert_eq!(share.keys.len(), 2);
    assert!(share.keys[0].key_data.is_some() && share.keys[1].key_data.is_none());
}

#[test]
fn index_codes() {
    let vectors = vectors();
    let ring = Ring::of(&vectors);
    for case in list(&vectors["index_mac"]) {
        let parts: Vec<&str> = list(&case["index"]).map(text).collect();
        let index = index_bytes(&parts);
        assert_eq!(index, bytes(&case["index_json_hex"]));
        assert_eq!(index_parts(&index).unwrap(), parts);
        let (_, keys) = ring.named(&case["key"]);
        assert_eq!(keys.index_mac(&index)[..], bytes(&case["index_mac"]));
    }
}

#[test]
fn hashes() {
    let vectors = vectors();
    for case in list(&vectors["lthash"]) {
        let mut hash = LtHash::from_slice(&bytes(&case["base"])).unwrap();
        list(&case["subtract"]).for_each(|value| hash.subtract(&octets(value)));
        list(&case["add"]).for_each(|value| hash.add(&octets(value)));
        assert_eq!(hash.as_bytes()[..], bytes(&case["result"]), "{}", case["name"]);
    }
    for case in list(&vectors["lthash_items"]) {
        let mut hash = LtHash::EMPTY;
        hash.add(&octets(&case["value_mac"]));
        assert_eq!(hash.as_bytes()[..], bytes(&case["expanded"]));
    }
}

#[test]
fn codes_of_snapshots_and_patches() {
    let vectors = vectors();
    let ring = Ring::of(&vectors);
    for case in list(&vectors["macs"]) {
        let collection = collection(&case["collection"]);
        let hash = sha256(&format!("lthash/{collection}")).repeat(4);
        let hash = LtHash::from_slice(&hash).unwrap();
        let (_, keys) = ring.named(&case["key"]);
        let version = case["version"].as_u64().unwrap();
        let snapshot = keys.snapshot_mac(&hash, version, collection);
        assert_eq!(snapshot[..], bytes(&case["snapshot_mac"]));
        let values = ["vm/0", "vm/1", "vm/2"].map(sha256);
        assert_eq!(keys.patch_mac(&snapshot, &values, version, collection)[..], bytes(&case["patch_mac"]));
    }
}

/// The mutations of a step, and the initial vectors of its author.
fn drafts<'r>(ring: &'r Ring, mutations: &Value) -> (Vec<Draft<'r>>, Vec<[u8; 16]>) {
    let draft = |mutation: &Value| Draft {
        operation: operation(&mutation["operation"]),
        entry: Entry::decode(&bytes(&mutation["sync_action_data_protobuf"])).unwrap(),
        key: ring.named(&mutation["key"]),
    };
    let ivs = list(mutations).map(|mutation| octets(&mutation["iv"])).collect();
    (list(mutations).map(draft).collect(), ivs)
}

#[test]
fn single_mutations() {
    let vectors = vectors();
    let ring = Ring::of(&vectors);
    for case in list(&vectors["mutations"]) {
        let plaintext = bytes(&case["sync_action_data_protobuf"]);
        let entry = Entry::decode(&plaintext).unwrap();
        assert_eq!(entry.encode(), plaintext);
        let index: Vec<String> = list(&case["index"]).map(|part| text(part).to_owned()).collect();
        let action = Action::read(&entry, case["operation"] == "REMOVE").unwrap();
        assert_eq!(action.index(), index);
        assert_eq!(i64::from(action.kind().unwrap().version()), case["action_version"].as_i64().unwrap());
        if case["operation"] == "SET" {
            assert_eq!(action.entry(entry.timestamp()), entry);
        }
        // Alone in a patch, it is sealed as its author did it.
        let (id, keys) = ring.named(&case["key"]);
        let one = serde_json::json!([case]);
        let (drafts, ivs) = drafts(&ring, &one);
        let mut ivs = ivs.into_iter();
        let built = build(
            Collection::Regular,
            &State::default(),
            (id, keys),
            drafts,
            |_| None,
            || ivs.next().unwrap(),
        );
        let patch = built.unwrap().inline(Limits::default()).unwrap();
        let blob = bytes(&case["value_blob"]);
        assert!(patch.windows(blob.len()).any(|part| part == blob));
        let index_mac = bytes(&case["index_mac"]);
        assert!(patch.windows(32).any(|part| part == index_mac));
    }
}

/// The content of a file on the media host.
fn decrypted(reference: &whimbrel_proto::syncd::ExternalBlobReference, blob: &[u8]) -> Vec<u8> {
    let key: [u8; 32] = reference.media_key.clone().unwrap().try_into().unwrap();
    let keys = MediaKeys::expand(&key, MediaType::AppState);
    let expected = Expected {
        file_enc_sha256: reference.file_enc_sha256.clone().map(|hash| hash.try_into().unwrap()),
        file_sha256: reference.file_sha256.clone().map(|hash| hash.try_into().unwrap()),
    };
    let mut decryptor = Decryptor::new(&keys, &expected);
    let mut file = Vec::new();
    decryptor.update(blob, &mut file);
    decryptor.finish(&mut file).unwrap();
    file
}

#[test]
fn the_sequence_is_read_and_written() {
    let vectors = vectors();
    let ring = Ring::of(&vectors);
    let sequence = &vectors["sequence"];
    let collection = collection(&sequence["collection"]);
    let mut book = Book::default();
    for step in list(&sequence["steps"]) {
        let name = text(&step["name"]);
        let mut patch = Patch::decode(&bytes(&step["syncd_patch_as_served"])).unwrap();
        let reference = patch.external().cloned();
        assert_eq!(reference.is_some(), step["external"].as_bool().unwrap());
        if let Some(reference) = &reference {
            let file = decrypted(reference, &bytes(&step["external_blob"]["blob"]));
            assert_eq!(file, bytes(&step["external_blob"]["syncd_mutations_protobuf"]));
            patch.add(&file).unwrap();
        }
        let applied = patch.check(collection, &book.state, ring.by_id(), book.value()).unwrap().unwrap();
        assert!(!applied.diverged, "{name}");
        assert_eq!(applied.missing_removes > 0, step["missing_remove"].as_bool().unwrap());
        assert_eq!(applied.state.hash.as_bytes()[..], bytes(&step["lthash_after"]), "{name}");

        // The same patch, made by us.
        let (drafts, ivs) = drafts(&ring, &step["mutations"]);
        let mut ivs = ivs.into_iter();
        let key = ring.named(&step["key"]);
        let built =
            build(collection, &book.state, key, drafts, book.value(), || ivs.next().unwrap()).unwrap();
        assert_eq!(built.mac[..], bytes(&step["patch_mac"]));
        assert_eq!(built.applied, applied, "{name}");
        let made = match reference {
            Some(reference) => {
                assert_eq!(built.file(), bytes(&step["external_blob"]["syncd_mutations_protobuf"]));
                built.external(reference)
            }
            None => built.inline(Limits::default()).unwrap(),
        };
        assert_eq!(made, bytes(&step["syncd_patch_as_uploaded"]), "{name}");

        book.take(&applied);
        book.agrees(&step["entries_after"]);
        // Once more is no change.
        let again = Patch::decode(&bytes(&step["syncd_patch_as_served"])).unwrap();
        assert_eq!(again.check(collection, &book.state, ring.by_id(), book.value()), Ok(None));
        // An entry under a new key is not removed in anybody's eyes.
        if name.starts_with("key rotation") {
            assert_eq!(applied.mutations.len(), 1);
            assert_eq!(applied.mutations[0].operation, Operation::Set);
        }
    }
}

#[test]
fn snapshots() {
    let vectors = vectors();
    let ring = Ring::of(&vectors);
    let case = &vectors["snapshot"];
    let reference = whimbrel_proto::decode(&bytes(&case["external_blob_reference_protobuf"])).unwrap();
    let file = decrypted(&reference, &bytes(&case["blob"]));
    assert_eq!(file, bytes(&case["syncd_snapshot_protobuf"]));
    let snapshot = Snapshot::decode(&file).unwrap();
    let applied = snapshot.check(collection(&case["collection"]), ring.by_id()).unwrap();
    assert!(!applied.diverged);
    assert_eq!(applied.state.version, case["version"].as_u64().unwrap());
    assert_eq!(applied.state.hash.as_bytes()[..], bytes(&case["lthash"]));
    let mut book = Book::default();
    book.take(&applied);
    book.agrees(&case["records"]);

    let other = Snapshot::decode(&file).unwrap();
    assert!(other.check(Collection::Regular, ring.by_id()).unwrap().diverged);
    let unknown = Snapshot::decode(&file).unwrap().check(Collection::Regular, |_| None);
    assert!(matches!(unknown, Err(SyncError::MissingKeys(ids)) if ids.len() == 2));

    let empty = &vectors["empty_snapshot"];
    let snapshot = Snapshot::decode(&bytes(&empty["syncd_snapshot_protobuf"])).unwrap();
    let applied = snapshot.check(collection(&empty["collection"]), ring.by_id()).unwrap();
    assert_eq!((applied.state.version, applied.put.len(), applied.diverged), (1, 0, false));
}

#[test]
fn the_same_entry_in_one_patch() {
    let vectors = vectors();
    let case = &vectors["same_index_in_one_patch"];
    let mut hash = LtHash::from_slice(&bytes(&case["lthash_before"])).unwrap();
    // The removal takes the old value out, the setting only adds: whatever their order.
    hash.subtract(&octets(&case["stored_value_mac"]));
    hash.add(&octets(&case["set_value_mac"]));
    assert_eq!(hash.as_bytes()[..], bytes(&case["lthash_index_mode"]));

    let ring = Ring::of(&vectors);
    let key = ring.named(&Value::from("K1"));
    let entry = Entry::new(&["pin_v1", "5511999990001@s.whatsapp.net"], vec![8, 1], 5);
    let draft = |operation| Draft { operation, entry: entry.clone(), key };
    let mut number = 0;
    let mut iv = || {
        number += 1;
        [number; 16]
    };
    let first =
        build(Collection::RegularLow, &State::default(), key, vec![draft(Operation::Set)], |_| None, &mut iv);
    let mut book = Book::default();
    book.take(&first.unwrap().applied);
    let both = vec![draft(Operation::Remove), draft(Operation::Set)];
    for drafts in [both.clone(), both.into_iter().rev().collect()] {
        let built = build(Collection::RegularLow, &book.state, key, drafts, book.value(), &mut iv).unwrap();
        let mut after = Book { state: book.state, held: book.held.clone() };
        after.take(&built.applied);
        assert_eq!(after.held.len(), 1);
        let mut rebuilt = LtHash::EMPTY;
        after.held.values().for_each(|held| rebuilt.add(&held.value_mac));
        assert_eq!(rebuilt, after.state.hash);
        assert_eq!(built.applied.mutations.len(), 1);
    }
    let twice = vec![draft(Operation::Set), draft(Operation::Set)];
    let refused = build(Collection::RegularLow, &book.state, key, twice, book.value(), &mut iv);
    assert!(matches!(refused, Err(SyncError::Duplicate)));
}

#[test]
fn what_is_wrong_is_refused_with_its_class() {
    let vectors = vectors();
    let ring = Ring::of(&vectors);
    let negative = &vectors["negative"];
    let collection = collection(&negative["collection"]);
    for case in list(&negative["cases"]) {
        let state = State { version: case["base_version"].as_u64().unwrap(), ..State::default() };
        let result = Patch::decode(&bytes(&case["syncd_patch"]))
            .and_then(|patch| patch.check(collection, &state, ring.by_id(), |_| None));
        let class = match result {
            Ok(Some(applied)) if applied.diverged => "snapshot_mac_mismatch",
            Ok(_) => "taken",
            Err(SyncError::Malformed(_)) => "malformed",
            Err(SyncError::MissingKeys(_)) => "missing_key",
            Err(SyncError::VersionGap { .. }) => "version_gap",
            Err(SyncError::PatchMac) => "patch_mac_mismatch",
            Err(SyncError::ValueMac) => "value_mac_mismatch",
            Err(SyncError::IndexMac) => "index_mac_mismatch",
            Err(SyncError::GivenUp(_) | SyncError::Duplicate) => "other",
        };
        assert_eq!(class, text(&case["expect"]), "{}", case["name"]);
    }
}

//! Links that move: what was written by the old holder opens here, and nothing else does.

mod baileys;
mod export;
mod whatsmeow;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use rand_chacha::ChaCha20Rng;
use serde_json::Value;
use whimbrel_crypto::curve::KeyPair;
use whimbrel_signal::{
    MAX_JUMP, OurKeys, PreKeySignalMessage, SenderKeyMessage, SenderKeyRecord, SessionRecord, SignalMessage,
};
use whimbrel_wire::Jid;

use super::{ImportSource, import};
use crate::error::{Code, Error};
use crate::store::{SqliteStore, Store};
use crate::transfer::ImportReport;

/// A folder that goes away with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("whimbrel-transfer-{}-{count}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Names of what is in it.
    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort_unstable();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn vectors(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors").join(name);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

fn rng() -> ChaCha20Rng {
    crate::random::generator(Some(1), 1).unwrap()
}

fn count(report: &ImportReport, what: &str) -> u64 {
    report.taken.iter().find(|taken| taken.what == what).map_or(0, |taken| taken.count)
}

fn refused(source: &ImportSource, store: &Path) -> (Code, String) {
    let error: Error = import(source, store).unwrap_err();
    assert!(!store.exists(), "a failed import leaves no store");
    (error.code(), error.message().to_owned())
}

/// Opens the messages that the vectors give, in order, with what was imported.
fn read_messages(store: &dyn Store, messages: &Value, device: impl Fn(&Value) -> Jid) {
    let account = store.account().unwrap().unwrap();
    let mut rng = rng();
    let mut records = std::collections::BTreeMap::new();
    for message in messages.as_array().unwrap() {
        let from = device(message);
        let record = records.entry(from.clone()).or_insert_with(|| {
            let stored = store.session(&from).unwrap();
            stored.map_or_else(SessionRecord::new, |bytes| SessionRecord::deserialize(&bytes).unwrap())
        });
        let ciphertext = bytes(&message["ciphertext"]);
        let opened = if message["type"] == "pkmsg" {
            let parsed = PreKeySignalMessage::parse(&ciphertext).unwrap();
            let signed = store.signed_pre_key(parsed.signed_prekey_id()).unwrap().map(|row| row.pair);
            let one_time: Option<KeyPair> =
                parsed.prekey_id().map(|id| store.pre_key(id).unwrap().unwrap().pair);
            let keys = OurKeys {
                identity: &account.keys.identity,
                signed_prekey: signed.as_ref(),
                one_time_prekey: one_time.as_ref(),
            };
            record.decrypt_prekey(&parsed, &keys, MAX_JUMP, &mut rng)
        } else {
            record.decrypt_message(&SignalMessage::parse(&ciphertext).unwrap(), MAX_JUMP, &mut rng)
        };
        let text = String::from_utf8(opened.unwrap().plaintext).unwrap();
        assert_eq!(text, message["plaintext"].as_str().unwrap());
        assert!(!record.is_unacknowledged());
    }
}

fn read_group(store: &dyn Store, group: &Jid, sender: &Jid, messages: &Value) {
    let record = store.sender_key(group, sender).unwrap().unwrap();
    let mut record = SenderKeyRecord::deserialize(&record).unwrap();
    for message in messages.as_array().unwrap() {
        let ciphertext = bytes(&message["ciphertext"]);
        let opened = record.decrypt(&SenderKeyMessage::parse(&ciphertext).unwrap(), MAX_JUMP).unwrap();
        assert_eq!(String::from_utf8(opened).unwrap(), message["plaintext"].as_str().unwrap());
    }
}

fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path, true).unwrap()
}

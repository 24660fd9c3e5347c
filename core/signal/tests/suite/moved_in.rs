//! Sessions and sender keys out of the stores of other clients go on where those stopped.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::Value;
use whimbrel_crypto::curve::{KeyPair, PrivateKey, PublicKey};
use whimbrel_signal::{
    MAX_JUMP, MessageKeys, OurKeys, PendingPreKey, PreKeySignalMessage, ReceivingParts, Seed,
    SenderKeyMessage, SenderKeyParts, SenderKeyRecord, SessionParts, SessionRecord, SignalMessage,
    SkippedKey,
};

use crate::common::vectors;

fn octets(value: &Value) -> Vec<u8> {
    STANDARD.decode(value.as_str().unwrap()).unwrap()
}

fn array<const N: usize>(value: &Value) -> [u8; N] {
    octets(value).try_into().unwrap()
}

fn public(value: &Value) -> PublicKey {
    PublicKey::parse(&octets(value)).unwrap()
}

fn number(value: &Value) -> u32 {
    value.as_u64().unwrap().try_into().unwrap()
}

fn unhex(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

fn whatsmeow_session(state: &Value) -> SessionParts {
    let sender = &state["SenderChain"];
    let receiving = state["ReceiverChains"].as_array().unwrap().iter().map(|chain| ReceivingParts {
        ratchet_key: public(&chain["SenderRatchetKeyPublic"]),
        chain_key: array(&chain["ChainKey"]["Key"]).into(),
        next: number(&chain["ChainKey"]["Index"]),
        skipped: chain["MessageKeys"]
            .as_array()
            .unwrap()
            .iter()
            .map(|key| (number(&key["Index"]), derived(key)))
            .collect(),
    });
    let pending = &state["PendingPreKey"];
    SessionParts {
        local_identity: public(&state["LocalIdentityPublic"]),
        remote_identity: public(&state["RemoteIdentityPublic"]),
        remote_registration_id: number(&state["RemoteRegistrationID"]),
        base_key: public(&state["SenderBaseKey"]),
        root_key: array(&state["RootKey"]).into(),
        ratchet: KeyPair::from_private(PrivateKey::from_bytes(array(&sender["SenderRatchetKeyPrivate"]))),
        sending_key: array(&sender["ChainKey"]["Key"]).into(),
        next_counter: number(&sender["ChainKey"]["Index"]),
        previous_counter: number(&state["PreviousCounter"]),
        receiving: receiving.collect(),
        pending: pending.is_object().then(|| PendingPreKey {
            registration_id: number(&state["LocalRegistrationID"]),
            signed_prekey_id: number(&pending["SignedPreKeyID"]),
            one_time_prekey_id: (pending["PreKeyID"]["IsEmpty"] == false)
                .then(|| number(&pending["PreKeyID"]["Value"])),
        }),
    }
}

fn derived(key: &Value) -> SkippedKey {
    SkippedKey::Derived(Box::new(MessageKeys {
        cipher: array(&key["CipherKey"]),
        mac: array(&key["MacKey"]),
        iv: array(&key["IV"]),
    }))
}

fn baileys_session(entry: &Value, local_identity: PublicKey, registration_id: u32) -> SessionParts {
    let ratchet = &entry["currentRatchet"];
    let chains = entry["_chains"].as_object().unwrap();
    let next = |chain: &Value| (chain["chainKey"]["counter"].as_i64().unwrap() + 1).try_into().unwrap();
    let sending = &chains[ratchet["ephemeralKeyPair"]["pubKey"].as_str().unwrap()];
    let receiving = chains.iter().filter(|(_, chain)| chain["chainType"] == 2).map(|(key, chain)| {
        let skipped = chain["messageKeys"].as_object().unwrap().iter();
        ReceivingParts {
            ratchet_key: public(&Value::from(key.as_str())),
            chain_key: array(&chain["chainKey"]["key"]).into(),
            next: next(chain),
            skipped: skipped
                .map(|(counter, seed)| (counter.parse().unwrap(), SkippedKey::Seed(Seed::new(array(seed)))))
                .collect(),
        }
    });
    let pending = &entry["pendingPreKey"];
    SessionParts {
        local_identity,
        remote_identity: public(&entry["indexInfo"]["remoteIdentityKey"]),
        remote_registration_id: number(&entry["registrationId"]),
        base_key: public(&entry["indexInfo"]["baseKey"]),
        root_key: array(&ratchet["rootKey"]).into(),
        ratchet: KeyPair::from_private(PrivateKey::from_bytes(array(
            &ratchet["ephemeralKeyPair"]["privKey"],
        ))),
        sending_key: array(&sending["chainKey"]["key"]).into(),
        next_counter: next(sending),
        previous_counter: number(&ratchet["previousCounter"]),
        receiving: receiving.collect(),
        pending: pending.is_object().then(|| PendingPreKey {
            registration_id,
            signed_prekey_id: number(&pending["signedKeyId"]),
            one_time_prekey_id: pending.get("preKeyId").map(number),
        }),
    }
}

/// Opens the listed messages in order; unknown senders bring their session with them.
fn open_all(listed: &Value, mut records: BTreeMap<String, SessionRecord>, keys: &OurKeys<'_>) {
    let rng = &mut ChaCha20Rng::seed_from_u64(1);
    let listed = listed.as_array().unwrap();
    assert_eq!(listed.len(), 4);
    for item in listed {
        let record = records.entry(item["address"].as_str().unwrap().to_owned()).or_default();
        let bytes = unhex(&item["ciphertext"]);
        let decrypted = if item["type"] == "msg" {
            record.decrypt_message(&SignalMessage::parse(&bytes).unwrap(), MAX_JUMP, rng)
        } else {
            record.decrypt_prekey(&PreKeySignalMessage::parse(&bytes).unwrap(), keys, MAX_JUMP, rng)
        };
        assert_eq!(decrypted.unwrap().plaintext, item["plaintext"].as_str().unwrap().as_bytes());
        assert!(!record.is_unacknowledged());
    }
}

#[test]
fn sessions_of_a_whatsmeow_database() {
    let file: Value = vectors("import-whatsmeow.json");
    let mut records = BTreeMap::new();
    for row in file["sessions"].as_array().unwrap() {
        let session: Value = serde_json::from_str(row["session"].as_str().unwrap()).unwrap();
        let archived = session["PreviousStates"].as_array().unwrap().iter().map(whatsmeow_session).collect();
        let record = SessionRecord::from_parts(Some(whatsmeow_session(&session["SessionState"])), archived);
        let record = SessionRecord::deserialize(&record.serialize()).unwrap();
        let address = &row["their_id"];
        records.insert(address.as_str().unwrap().to_owned(), record);
    }
    let account = &file["account"];
    let pair =
        |value: &Value| KeyPair::from_private(PrivateKey::from_bytes(unhex(value).try_into().unwrap()));
    let (identity, signed) =
        (pair(&account["identity"]["private"]), pair(&account["signed_pre_key"]["private"]));
    let one_time = pair(&account["pre_key"]["key"]);
    let keys =
        OurKeys { identity: &identity, signed_prekey: Some(&signed), one_time_prekey: Some(&one_time) };
    open_all(&file["decrypt_after_import"], records, &keys);
}

#[test]
fn sessions_of_a_baileys_folder() {
    let file: Value = vectors("import-baileys.json");
    let read = |name: &str| serde_json::from_str::<Value>(file["files"][name].as_str().unwrap()).unwrap();
    let creds = read("creds.json");
    let pair =
        |value: &Value| KeyPair::from_private(PrivateKey::from_bytes(array(&value["private"]["data"])));
    let (identity, signed) = (pair(&creds["signedIdentityKey"]), pair(&creds["signedPreKey"]["keyPair"]));
    let one_time = pair(&read("pre-key-1.json"));
    let registration_id = number(&creds["registrationId"]);
    let mut records = BTreeMap::new();
    for address in ["240000000000002_1.0", "240000000000003_1.12"] {
        let sessions = read(&format!("session-{address}.json"));
        let open = sessions["_sessions"].as_object().unwrap().values();
        let open = open.into_iter().find(|entry| entry["indexInfo"]["closed"] == -1).unwrap();
        let parts = baileys_session(open, identity.public, registration_id);
        records.insert(address.to_owned(), SessionRecord::from_parts(Some(parts), Vec::new()));
    }
    let keys =
        OurKeys { identity: &identity, signed_prekey: Some(&signed), one_time_prekey: Some(&one_time) };
    open_all(&file["decrypt_after_import"], records, &keys);
}

#[test]
fn sender_keys_of_a_whatsmeow_database() {
    let file: Value = vectors("import-whatsmeow.json");
    let rows = file["sender_keys"].as_array().unwrap();
    let listed = file["group_decrypt_after_import"].as_array().unwrap();
    let row = rows.iter().find(|row| row["sender_id"] == listed[0]["sender_id"]).unwrap();
    let key: Value = serde_json::from_str(row["sender_key"].as_str().unwrap()).unwrap();
    let states = key["SenderKeyStates"].as_array().unwrap().iter().map(|state| SenderKeyParts {
        key_id: number(&state["KeyID"]),
        signing_key: public(&state["SigningKeyPublic"]),
        chain_key: array(&state["SenderChainKey"]["ChainKey"]).into(),
        next: number(&state["SenderChainKey"]["Iteration"]),
        skipped: state["Keys"]
            .as_array()
            .unwrap()
            .iter()
            .map(|key| (number(&key["Iteration"]), Seed::new(array(&key["Seed"]))))
            .collect(),
    });
    let mut record = SenderKeyRecord::from_parts(states.collect());
    for item in listed {
        let bytes = unhex(&item["ciphertext"]);
        let opened = record.decrypt(&SenderKeyMessage::parse(&bytes).unwrap(), MAX_JUMP).unwrap();
        assert_eq!(opened, item["plaintext"].as_str().unwrap().as_bytes());
    }
}

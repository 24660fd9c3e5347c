//! Every step of the vectors: hash, chaining key, cipher key and number of uses.

use serde_json::Value;
use whimbrel_crypto::curve::{KeyPair, PrivateKey, PublicKey};

use super::*;

fn vectors(name: &str) -> Value {
    let path = format!("{}/../../tests/vectors/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

/// The agreement that a step mixes in, from the keys whose first letters the step names.
fn agreement(keys: &Value, step: &str) -> SharedSecret {
    let pair = |name: &str| bytes(&keys[name]["private"]).try_into().map(PrivateKey::from_bytes).unwrap();
    // Both halves come from the private keys, so that a wrong public key cannot go unnoticed.
    let (client, server) = match step {
        "ee" => ("client_ephemeral", "server_ephemeral"),
        "es" => ("client_ephemeral", "server_static"),
        "se" => ("client_static", "server_ephemeral"),
        "ss" => ("client_static", "server_static"),
        other => panic!("{other}"),
    };
    let server = KeyPair::from_private(pair(server));
    let by_client = pair(client).agree(&server.public).unwrap();
    let client: PublicKey = pair(client).public_key();
    assert_eq!(server.private.agree(&client).unwrap().as_bytes(), by_client.as_bytes());
    by_client
}

fn check(state: &Symmetric, step: &Value) {
    let name = &step["op"];
    assert_eq!(state.hash[..], bytes(&step["h"]), "h after {name}");
    assert_eq!(state.chaining[..], bytes(&step["ck"]), "ck after {name}");
    match &state.cipher {
        None => assert!(step["k"].is_null(), "no k after {name}"),
        Some((key, uses)) => {
            assert_eq!(key[..], bytes(&step["k"]), "k after {name}");
            assert_eq!(u64::from(*uses), step["n"].as_u64().unwrap(), "n after {name}");
        }
    }
}

/// Runs the steps as one side and as the other; they differ in who seals and who opens.
fn run(pattern: Pattern, handshake: &Value, keys: &Value) {
    let name = pattern.name();
    let mut first = bytes(&handshake["protocol_name_hex"]);
    if first.len() == 32 {
        first.truncate(name.len());
    }
    assert_eq!(name, first);

    for opening in [false, true] {
        let mut state = Symmetric::new(pattern);
        // `new` makes the first two steps at once.
        for step in handshake["steps"].as_array().unwrap().iter().skip(1) {
            let op = step["op"].as_str().unwrap();
            if op == "mixHash prologue" {
                assert_eq!(bytes(&step["input"]), PROLOGUE);
            } else if op.starts_with("mixHash") {
                state.mix_hash(&bytes(&step["input"]));
            } else if let Some(which) = op.strip_prefix("mixKey ") {
                let secret = agreement(keys, which);
                assert_eq!(secret.as_bytes()[..], bytes(&step["input"]), "{op}");
                state.mix_key(&secret);
            } else {
                let (text, sealed) = (bytes(&step["plaintext"]), bytes(&step["ciphertext"]));
                if opening {
                    assert_eq!(state.open(Part::Payload, &sealed).unwrap(), text, "{op}");
                } else {
                    assert_eq!(state.seal(&text).unwrap(), sealed, "{op}");
                }
            }
            check(&state, step);
        }
        assert_eq!(state.hash[..], bytes(&handshake["split"]["final_hash"]));
        let (to_server, to_client) = state.split().unwrap();
        assert_eq!(to_server.0[..], bytes(&handshake["split"]["client_to_server"]));
        assert_eq!(to_client.0[..], bytes(&handshake["split"]["server_to_client"]));
    }
}

#[test]
fn every_step_of_xx_is_the_one_of_the_vectors() {
    let vectors = vectors("noise-xx.json");
    run(Pattern::Xx, &vectors, &vectors["keys"]);
}

#[test]
fn every_step_of_ik_is_the_one_of_the_vectors() {
    let vectors = vectors("noise-ik.json");
    run(Pattern::Ik, &vectors["ik"], &vectors["keys"]);
}

#[test]
fn every_step_of_the_fallback_is_the_one_of_the_vectors() {
    let vectors = vectors("noise-ik.json");
    run(Pattern::XxFallback, &vectors["fallback"], &vectors["keys"]);
}

#[test]
fn nothing_is_sealed_before_an_agreement() {
    let mut state = Symmetric::new(Pattern::Xx);
    assert_eq!(state.seal(b"text"), Err(HandshakeError::Cipher));
    assert_eq!(state.open(Part::Static, &[0; 48]), Err(HandshakeError::Cipher));
}

#[test]
fn debug_prints_no_state() {
    let mut state = Symmetric::new(Pattern::Xx);
    let pair = KeyPair::from_private(PrivateKey::from_bytes([7; 32]));
    state.mix_key(&pair.private.agree(&pair.public).unwrap());
    assert_eq!(format!("{state:?}"), "Symmetric(..)");
}

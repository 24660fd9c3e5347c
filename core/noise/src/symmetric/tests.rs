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
fn xx_is_noise_but_for_one_hash_of_nothing() {
    let pair = |seed| KeyPair::from_private(PrivateKey::from_bytes([seed; 32]));
    let (own, server, ephemeral, server_ephemeral) = (pair(1), pair(2), pair(3), pair(4));
    let mut theirs = snow::Builder::new("Noise_XX_25519_AESGCM_SHA256".parse().unwrap())
        .prologue(&PROLOGUE)
        .unwrap()
        .local_private_key(server.private.as_bytes())
        .unwrap()
        .fixed_ephemeral_key_for_testing_only(server_ephemeral.private.as_bytes())
        .build_responder()
        .unwrap();
    let mut buffer = [0; 1000];
    theirs.read_message(ephemeral.public.as_bytes(), &mut buffer).unwrap();
    let length = theirs.write_message(b"chain", &mut buffer).unwrap();

    let mut state = Symmetric::new(Pattern::Xx);
    state.mix_hash(ephemeral.public.as_bytes());
    // The payload of the first message, which WhatsApp leaves out. All else is the same.
    state.mix_hash(&[]);
    let mut message = server_ephemeral.public.as_bytes().to_vec();
    state.mix_hash(&message);
    state.mix_key(&server_ephemeral.private.agree(&ephemeral.public).unwrap());
    message.extend(state.seal(server.public.as_bytes()).unwrap());
    state.mix_key(&server.private.agree(&ephemeral.public).unwrap());
    message.extend(state.seal(b"chain").unwrap());
    assert_eq!(buffer[..length], message);

    let mut message = state.seal(own.public.as_bytes()).unwrap();
    state.mix_key(&own.private.agree(&server_ephemeral.public).unwrap());
    message.extend(state.seal(b"payload").unwrap());
    let length = theirs.read_message(&message, &mut buffer).unwrap();
    assert_eq!(buffer[..length], *b"payload");
    assert_eq!(theirs.get_handshake_hash(), state.hash);

    let (to_server, to_client) = state.split().unwrap();
    let mut theirs = theirs.into_transport_mode().unwrap();
    let mut frame = b"frame".to_vec();
    to_server.sealer().unwrap().seal(&mut frame, 0).unwrap();
    let length = theirs.read_message(&frame, &mut buffer).unwrap();
    assert_eq!(buffer[..length], *b"frame");
    let length = theirs.write_message(b"answer", &mut buffer).unwrap();
    assert_eq!(to_client.opener().unwrap().open(&mut buffer[..length]).unwrap(), b"answer");
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

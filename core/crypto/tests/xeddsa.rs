//! The vectors of XEdDSA: signatures byte for byte, and the verdict on every bad one.
#![expect(clippy::unwrap_used, reason = "a panic is the failure report of a test")]

use serde_json::Value;
use whimbrel_crypto::curve::{PrivateKey, PublicKey};

fn vectors() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/xeddsa.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn bytes(case: &Value, key: &str) -> Vec<u8> {
    hex::decode(case[key].as_str().unwrap()).unwrap()
}

fn verifies(case: &Value) -> bool {
    let public = PublicKey::parse(&bytes(case, "public")).unwrap();
    let signature: Result<[u8; 64], _> = bytes(case, "signature").try_into();
    signature.is_ok_and(|signature| public.verify(&[&bytes(case, "message")], &signature).is_ok())
}

#[test]
fn signatures_are_the_ones_of_the_vectors() {
    let vectors = vectors();
    let cases = vectors["sign_random"].as_array().unwrap();
    assert!(!cases.is_empty());
    for case in cases {
        let private = PrivateKey::from_bytes(bytes(case, "private").try_into().unwrap());
        assert_eq!(private.as_bytes()[..], bytes(case, "clamped_private"), "{}", case["name"]);
        assert_eq!(private.public_key().as_bytes()[..], bytes(case, "public"), "{}", case["name"]);
        let message = bytes(case, "message");
        let random = bytes(case, "random").try_into().unwrap();
        // The message may come in parts.
        let (head, tail) = message.split_at(message.len() / 2);
        assert_eq!(private.sign(&[head, tail], &random)[..], bytes(case, "signature"), "{}", case["name"]);
        assert!(verifies(case), "{}", case["name"]);
    }
}

#[test]
fn signatures_of_other_libraries_verify() {
    let vectors = vectors();
    for list in ["sign_deterministic", "rust_bridge_random"] {
        let cases = vectors[list].as_array().unwrap();
        assert!(!cases.is_empty());
        for case in cases {
            assert_eq!(verifies(case), case["verifies"].as_bool().unwrap(), "{list}: {}", case["name"]);
        }
    }
}

#[test]
fn bad_signatures_are_refused() {
    let vectors = vectors();
    for list in ["verify_invalid", "verify_policy"] {
        let cases = vectors[list].as_array().unwrap();
        assert!(!cases.is_empty());
        for case in cases {
            assert_eq!(verifies(case), case["expect"].as_bool().unwrap(), "{list}: {}", case["name"]);
        }
    }
}

//! The vectors of padding, participant hashes and prekey digests; ids of messages.
#![expect(clippy::unwrap_used, reason = "a panic is the failure report of a test")]

use serde_json::Value;
use whimbrel_crypto::curve::PublicKey;
use whimbrel_crypto::digest::{contact_hash, pre_key_digest, version_hash};
use whimbrel_crypto::message_id::message_id;
use whimbrel_crypto::padding::{pad, unpad};
use whimbrel_crypto::phash::phash;

fn vectors(name: &str) -> Value {
    let path = format!("{}/../../tests/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

#[test]
fn padding_is_the_one_of_the_vectors() {
    let vectors = vectors("padding");
    for case in vectors["valid"].as_array().unwrap() {
        let message = bytes(&case["message"]);
        let padded = bytes(&case["padded"]);
        let length = u8::try_from(case["padLength"].as_u64().unwrap()).unwrap();
        let mut ours = message.clone();
        pad(&mut ours, length - 1);
        assert_eq!(ours, padded);
        assert_eq!(unpad(&padded), Ok(&message[..]));
    }
    for case in vectors["tolerated"].as_array().unwrap() {
        assert_eq!(unpad(&bytes(&case["padded"])), Ok(&bytes(&case["message"])[..]));
    }
    for case in vectors["invalid"].as_array().unwrap() {
        assert!(unpad(&bytes(&case["padded"])).is_err(), "{}", case["why"]);
    }
    // Whatever the random octet is, 1 to 16 octets are added.
    for random in 0..=255 {
        let mut padded = vec![1];
        pad(&mut padded, random);
        assert!((2..=17).contains(&padded.len()));
        assert_eq!(unpad(&padded), Ok(&[1][..]));
    }
}

#[test]
fn participant_hashes_are_the_ones_of_the_vectors() {
    let vectors = vectors("phash");
    let cases = vectors["cases"].as_array().unwrap();
    assert!(!cases.is_empty());
    for case in cases {
        let devices: Vec<(String, u16, String)> = case["devices"]
            .as_array()
            .unwrap()
            .iter()
            .map(|device| {
                let (user, server) = device.as_str().unwrap().split_once('@').unwrap();
                let (user, number) = user.split_once(':').unwrap_or((user, "0"));
                (user.to_owned(), number.parse().unwrap(), server.to_owned())
            })
            .collect();
        let parts = || devices.iter().map(|(user, device, server)| (user.as_str(), *device, server.as_str()));
        assert_eq!(phash(parts()), case["phash"].as_str().unwrap());
        assert_eq!(phash(parts().rev()), case["phash"].as_str().unwrap());
    }
}

#[test]
fn prekey_digests_and_contact_hashes_are_the_ones_of_the_vectors() {
    let keys = vectors("prekeys");
    let companion = vectors("pairing-qr")["companion"].clone();
    let public = |value: &Value| PublicKey::parse(&bytes(value)).unwrap();
    let one_time: Vec<_> =
        keys["pre_keys"].as_array().unwrap().iter().map(|key| public(&key["public"])).collect();
    let digest = |listed: &[usize]| {
        hex::encode(pre_key_digest(
            &public(&companion["identity"]["public"]),
            &public(&companion["signed_prekey"]["public"]),
            &bytes(&companion["signed_prekey"]["signature"]).try_into().unwrap(),
            listed.iter().map(|index| &one_time[*index]),
        ))
    };
    assert_eq!(digest(&[0, 1, 2, 3]), keys["digest"]["all_four_in_order"]);
    assert_eq!(digest(&[3, 1]), keys["digest"]["listed_4_2"]);
    assert_eq!(digest(&[]), keys["digest"]["no_one_time_keys"]);
    for case in keys["devices_update_hash"].as_array().unwrap() {
        assert_eq!(contact_hash(case["user"].as_str().unwrap()), case["hash"].as_str().unwrap());
    }
}

#[test]
fn the_version_is_hashed_with_md5() {
    // RFC 1321's own example.
    assert_eq!(hex::encode(version_hash("abc")), "900150983cd24fb0d6963f7d28e17f72");
}

#[test]
fn message_ids_have_the_shape_of_a_companions() {
    let id = message_id(1_795_168_800, "15550001", &[1; 16]);
    assert_eq!(id.len(), 22);
    assert!(id.starts_with("3EB0"));
    assert!(id.bytes().all(|digit| digit.is_ascii_digit() || (b'A'..=b'F').contains(&digit)));
    assert_ne!(id, message_id(1_795_168_800, "15550001", &[2; 16]));
    assert_ne!(id, message_id(1_795_168_801, "15550001", &[1; 16]));
}

//! The vectors of linking: the ADV proofs of QR linking, and the whole exchange of a code.
#![expect(clippy::unwrap_used, reason = "a panic is the failure report of a test")]

use serde_json::Value;
use whimbrel_crypto::adv::{self, Hosting};
use whimbrel_crypto::curve::{PrivateKey, PublicKey};
use whimbrel_crypto::pairing_code::{BundleRandom, Code, PairingCodeError, companion_finish, primary_open};

fn vectors(name: &str) -> Value {
    let path = format!("{}/../../tests/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

fn array<const N: usize>(value: &Value) -> [u8; N] {
    bytes(value).try_into().unwrap()
}

fn private(pair: &Value) -> PrivateKey {
    PrivateKey::from_bytes(array(&pair["private"]))
}

fn public(pair: &Value) -> PublicKey {
    PublicKey::from_bytes(array(&pair["public"]))
}

fn hosting(number: &Value) -> Hosting {
    if number.as_u64() == Some(1) { Hosting::Hosted } else { Hosting::Own }
}

#[test]
fn the_three_proofs_are_the_ones_of_the_vectors() {
    let vectors = vectors("pairing-qr");
    let companion = public(&vectors["companion"]["identity"]);
    let identity = private(&vectors["companion"]["identity"]);
    let secret: [u8; 32] = array(&vectors["companion"]["adv_secret"]);
    let account = private(&vectors["primary"]["account_identity"]);
    let account_key = public(&vectors["primary"]["account_identity"]);
    let cases = vectors["cases"].as_array().unwrap();
    assert!(!cases.is_empty());
    for case in cases {
        let name = &case["name"];
        let details = bytes(&case["adv_device_identity"]);
        let device = hosting(&case["fields"]["deviceType"]);
        let container = hosting(&case["fields"]["hmac_container_accountType"]);

        let random = array(&case["account_signature_random"]);
        let signature = adv::sign_account(&account, device, &details, &companion, &random);
        assert_eq!(signature[..], bytes(&case["account_signature"]), "{name}");
        adv::verify_account(&account_key, device, &details, &companion, &signature).unwrap();

        let signed = bytes(&case["adv_signed_device_identity"]);
        let hmac = adv::hmac(&secret, container, &signed);
        assert_eq!(hmac[..], bytes(&case["hmac"]), "{name}");
        adv::verify_hmac(&secret, container, &signed, &hmac).unwrap();
        assert!(adv::verify_hmac(&secret, container, &signed, &hmac[1..]).is_err());

        let made = bytes(&case["device_signature"]);
        adv::verify_device(&companion, device, &details, &account_key, &made).unwrap();
        let ours = adv::sign_device(&identity, &companion, &details, &account_key, &[7; 64]);
        adv::verify_device(&companion, device, &details, &account_key, &ours).unwrap();
        assert!(adv::verify_device(&account_key, device, &details, &companion, &ours).is_err());
    }
}

#[test]
fn key_index_lists_are_signed_as_in_the_vectors() {
    let vectors = vectors("pairing-qr");
    let account = private(&vectors["primary"]["account_identity"]);
    let lists = vectors["key_index_list"].as_array().unwrap();
    assert!(!lists.is_empty());
    for list in lists {
        let hosting = if list["hosted"].as_bool().unwrap() { Hosting::Hosted } else { Hosting::Own };
        let details = bytes(&list["details"]);
        let signature = adv::sign_key_index_list(&account, hosting, &details, &array(&list["random"]));
        assert_eq!(signature[..], bytes(&list["signature"]));
        adv::verify_key_index_list(&account.public_key(), hosting, &details, &signature).unwrap();
        assert!(
            adv::verify_key_index_list(&account.public_key(), hosting, &details[1..], &signature).is_err()
        );
    }
}

#[test]
fn codes_are_made_and_read_as_in_the_vectors() {
    let vectors = vectors("pairing-code");
    for case in vectors["codes"].as_array().unwrap() {
        let code = Code::from_random(array(&case["random"]));
        assert_eq!(code.shown(), case["shown"].as_str().unwrap());
        assert_eq!(Code::parse(case["code"].as_str().unwrap()), Some(code));
    }
    for case in vectors["code_input"]["examples"].as_array().unwrap() {
        let read = Code::parse(case["typed"].as_str().unwrap()).map(|code| code.shown().replace('-', ""));
        assert_eq!(read.as_deref(), case["code"].as_str());
    }
}

#[test]
fn both_sides_of_the_flow_are_the_ones_of_the_vectors() {
    let vectors = vectors("pairing-code");
    let flow = &vectors["flow"];
    let code = Code::parse(flow["code"].as_str().unwrap()).unwrap();
    let (companion, primary) = (&flow["companion"], &flow["primary"]);
    let hello = &flow["companion_hello"];
    let wrapped = code.wrap(&public(&companion["ephemeral"]), &array(&hello["salt"]), &array(&hello["iv"]));
    assert_eq!(wrapped[..], bytes(&hello["link_code_pairing_wrapped_companion_ephemeral_pub"]));
    assert_eq!(code.unwrap(&wrapped), Ok(public(&companion["ephemeral"])));

    let answer = &flow["primary_hello"];
    let wrapped = code.wrap(&public(&primary["ephemeral"]), &array(&answer["salt"]), &array(&answer["iv"]));
    assert_eq!(wrapped[..], bytes(&answer["link_code_pairing_wrapped_primary_ephemeral_pub"]));

    let finish = &flow["companion_finish"];
    let random = BundleRandom {
        salt: array(&finish["bundle_salt"]),
        nonce: array(&finish["bundle_iv"]),
        secret: array(&finish["random"]),
    };
    let (bundle, secret) = companion_finish(
        &private(&companion["ephemeral"]),
        &private(&companion["identity"]),
        &public(&primary["ephemeral"]),
        &public(&primary["identity"]),
        &random,
    )
    .unwrap();
    assert_eq!(bundle[..], bytes(&finish["link_code_pairing_wrapped_key_bundle"]));
    assert_eq!(secret[..], bytes(&finish["adv_secret"]));

    let open = |bundle: &[u8]| {
        primary_open(
            &private(&primary["ephemeral"]),
            &private(&primary["identity"]),
            &public(&companion["ephemeral"]),
            &public(&companion["identity"]),
            bundle,
        )
    };
    assert_eq!(open(&bundle).unwrap()[..], bytes(&finish["adv_secret"]));

    // Everything that can be wrong with what arrives.
    for case in vectors["errors"].as_array().unwrap() {
        let value = bytes(&case["value"]);
        if case["field"].as_str().unwrap().contains("bundle") {
            let wanted =
                if value.len() == 156 { PairingCodeError::WrongCode } else { PairingCodeError::Length };
            assert_eq!(open(&value).unwrap_err(), wanted, "{}", case["name"]);
        } else {
            assert_eq!(code.unwrap(&value), Err(PairingCodeError::Length), "{}", case["name"]);
        }
    }

    // Another code unwraps another key; the bundle then does not open.
    let typed = Code::parse(vectors["wrong_code"]["typed"].as_str().unwrap()).unwrap();
    let other = typed.unwrap(&bytes(&hello["link_code_pairing_wrapped_companion_ephemeral_pub"])).unwrap();
    assert_eq!(other.as_bytes()[..], bytes(&vectors["wrong_code"]["unwrapped_companion_ephemeral"]));
    let opened = primary_open(
        &private(&primary["ephemeral"]),
        &private(&primary["identity"]),
        &other,
        &public(&companion["identity"]),
        &bundle,
    );
    assert_eq!(opened.unwrap_err(), PairingCodeError::WrongCode);
}

#[test]
fn the_counter_block_carries_over_all_its_octets() {
    let vectors = vectors("pairing-code");
    let case = &vectors["ctr_carry"];
    let code = Code::parse(vectors["flow"]["code"].as_str().unwrap()).unwrap();
    let salt = array(&vectors["flow"]["companion_hello"]["salt"]);
    let wrapped = code.wrap(&PublicKey::from_bytes(array(&case["plaintext"])), &salt, &array(&case["iv"]));
    assert_eq!(wrapped[48..], bytes(&case["counter128"]));
}

#[test]
fn codes_are_not_printed() {
    assert_eq!(format!("{:?}", Code::from_random([1; 5])), "Code(..)");
    let random = BundleRandom { salt: [1; 32], nonce: [2; 12], secret: [3; 32] };
    assert_eq!(format!("{random:?}"), "BundleRandom(..)");
}

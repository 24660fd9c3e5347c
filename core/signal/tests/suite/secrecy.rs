//! What is printed holds no secret.

use whimbrel_crypto::curve::KeyPair;
use whimbrel_signal::{MAX_JUMP, OurKeys, OwnSenderKey, SenderKeyMessage, SenderKeyRecord, SkippedKey};

use crate::common::Device;

/// Every run of eight octets of `secret`, in the forms in which it could be printed.
fn assert_hidden(printed: &str, secret: &[u8]) {
    for window in secret.windows(8) {
        let decimal: Vec<_> = window.iter().map(u8::to_string).collect();
        let text = String::from_utf8_lossy(window);
        for form in [hex::encode(window), hex::encode_upper(window), decimal.join(", "), text.into_owned()] {
            assert!(!printed.contains(&form), "a secret shows in {printed}");
        }
    }
}

#[test]
fn sessions_hide_their_keys() {
    let (mut ana, mut ben) = (Device::new(61), Device::new(62));
    ana.start(&ben.bundle(Some(1)));
    let passed = ana.record.encrypt(b"passed").unwrap();
    let decrypted = ben.receive(&ana.record.encrypt(b"secret text").unwrap()).unwrap();
    let parts = ben.record.current_parts().unwrap();
    let skipped = &parts.receiving[0].skipped[0].1;
    let SkippedKey::Seed(seed) = skipped else { panic!("positions passed here keep their seed") };
    let message_keys = seed.message_keys();
    let group_keys = seed.group_keys();
    let derived = SkippedKey::Derived(Box::new(message_keys.clone()));
    let one_time = KeyPair::generate(&mut ben.rng);
    let ours = OurKeys {
        identity: &ben.identity,
        signed_prekey: Some(&ben.signed_prekey),
        one_time_prekey: Some(&one_time),
    };
    let printed = format!(
        "{:#?} {:?} {parts:#?} {parts:?} {skipped:?} {derived:?} {message_keys:?} {group_keys:?} {ours:?} {decrypted:?}",
        ben.record, ben.record
    );
    for secret in [
        &parts.root_key[..],
        &parts.sending_key[..],
        parts.ratchet.private.as_bytes(),
        &parts.receiving[0].chain_key[..],
        seed.as_bytes(),
        &message_keys.cipher,
        &message_keys.mac,
        &message_keys.iv,
        &group_keys.cipher,
        &group_keys.iv,
        ben.identity.private.as_bytes(),
        ben.signed_prekey.private.as_bytes(),
        one_time.private.as_bytes(),
        b"secret text",
    ] {
        assert_hidden(&printed, secret);
    }
    assert!(printed.contains("SessionRecord"), "{printed}");
    assert!(ben.receive(&passed).is_ok());
}

#[test]
fn sender_keys_hide_their_chains() {
    let mut rng = Device::new(63).rng;
    let mut key = OwnSenderKey::generate(&mut rng);
    let mut record = SenderKeyRecord::new();
    let distribution = key.distribution();
    record.process(&distribution);
    key.encrypt(b"passed", &mut rng).unwrap();
    let sent = key.encrypt(b"read", &mut rng).unwrap();
    record.decrypt(&SenderKeyMessage::parse(&sent).unwrap(), MAX_JUMP).unwrap();
    let parts: Vec<_> = record.parts().collect();
    let printed = format!("{key:#?} {key:?} {distribution:?} {record:?} {record:#?} {parts:?}");
    for secret in [
        &key.chain_key()[..],
        key.signing_key().private.as_bytes(),
        &parts[0].chain_key[..],
        parts[0].skipped[0].1.as_bytes(),
    ] {
        assert_hidden(&printed, secret);
    }
}

//! Moving sessions and sender keys through plain fields, as from and to the stores of other clients.

use whimbrel_signal::{
    CiphertextKind, MAX_JUMP, OwnSenderKey, SenderKeyMessage, SenderKeyParts, SenderKeyRecord, SessionRecord,
    SkippedKey,
};

use crate::common::Device;

#[test]
fn a_record_survives_being_taken_apart() {
    let (mut ana, mut ben) = (Device::new(51), Device::new(52));
    ana.start(&ben.bundle(Some(1)));
    ben.receive(&ana.record.encrypt(b"first").unwrap()).unwrap();
    ana.receive(&ben.record.encrypt(b"answer").unwrap()).unwrap();
    let passed = ana.record.encrypt(b"passed").unwrap();
    ben.receive(&ana.record.encrypt(b"second").unwrap()).unwrap();
    ben.start(&ana.bundle(Some(5)));

    let (current, archived) = (ben.record.current_parts(), ben.record.archived_parts().collect());
    let rebuilt = SessionRecord::from_parts(current, archived);
    assert_eq!(rebuilt.serialize(), ben.record.serialize());
    ben.record = rebuilt;
    assert_eq!(ben.receive(&passed).unwrap().plaintext, b"passed");
}

#[test]
fn keys_that_another_store_has_derived_early_open_their_messages() {
    let (mut ana, mut ben) = (Device::new(53), Device::new(54));
    ana.start(&ben.bundle(Some(1)));
    let passed = ana.record.encrypt(b"passed").unwrap();
    ben.receive(&ana.record.encrypt(b"first").unwrap()).unwrap();
    let mut parts = ben.record.current_parts().unwrap();
    for chain in &mut parts.receiving {
        for (_, key) in &mut chain.skipped {
            *key = SkippedKey::Derived(Box::new(key.message_keys()));
        }
        // Positions that have not been passed are not believed.
        chain.skipped.push((chain.next, chain.skipped[0].1.clone()));
    }
    ben.record = SessionRecord::from_parts(Some(parts), Vec::new());
    ben.restart();
    assert_eq!(passed.kind, CiphertextKind::PreKey);
    assert_eq!(ben.receive(&passed).unwrap().plaintext, b"passed");
    assert_eq!(ben.record.current_parts().unwrap().receiving[0].skipped, []);
}

#[test]
fn sender_keys_survive_being_taken_apart() {
    let mut rng = Device::new(55).rng;
    let mut key = OwnSenderKey::generate(&mut rng);
    let mut record = SenderKeyRecord::new();
    record.process(&key.distribution());
    let passed = key.encrypt(b"passed", &mut rng).unwrap();
    let read = key.encrypt(b"read", &mut rng).unwrap();
    record.decrypt(&SenderKeyMessage::parse(&read).unwrap(), MAX_JUMP).unwrap();

    let parts: Vec<SenderKeyParts> = record.parts().collect();
    let mut rebuilt = SenderKeyRecord::from_parts(parts);
    assert_eq!(rebuilt.serialize(), record.serialize());
    let opened = rebuilt.decrypt(&SenderKeyMessage::parse(&passed).unwrap(), MAX_JUMP);
    assert_eq!(opened, Ok(b"passed".to_vec()));

    let moved =
        OwnSenderKey::from_parts(key.key_id(), *key.chain_key(), key.iteration(), key.signing_key().clone());
    assert_eq!(moved.serialize(), key.serialize());
}

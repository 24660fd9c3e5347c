//! A failed call leaves the record as it was, octet for octet.

use proptest::prelude::*;
use whimbrel_crypto::curve::{KeyPair, PublicKey};
use whimbrel_signal::{
    BundleError, CiphertextKind, CiphertextMessage, DecryptError, MAX_JUMP, OurKeys, OwnSenderKey,
    PreKeySignalMessage, SenderKeyMessage, SenderKeyRecord, SignalMessage,
};

use crate::common::{Device, Failure};

/// A receiver with a session, an archived session and passed positions; and messages on the way to it.
fn scene() -> (Device, Vec<CiphertextMessage>) {
    let (mut ana, mut ben) = (Device::new(31), Device::new(32));
    ana.start(&ben.bundle(Some(1)));
    ben.receive(&ana.record.encrypt(b"old session").unwrap()).unwrap();
    ana.receive(&ben.record.encrypt(b"answer").unwrap()).unwrap();
    let old = ana.record.encrypt(b"late, old session").unwrap();
    ana.start(&ben.bundle(Some(2)));
    let passed = ana.record.encrypt(b"passed").unwrap();
    ben.receive(&ana.record.encrypt(b"new session").unwrap()).unwrap();
    ana.receive(&ben.record.encrypt(b"answer").unwrap()).unwrap();
    let step = ana.record.encrypt(b"steps the ratchet").unwrap();
    let ahead = ana.record.encrypt(b"ahead").unwrap();
    ana.start(&ben.bundle(Some(3)));
    let first = ana.record.encrypt(b"a third session").unwrap();
    ana.start(&ben.bundle(None));
    let first_without = ana.record.encrypt(b"a fourth session").unwrap();
    (ben, vec![old, passed, step, ahead, first, first_without])
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn an_altered_message_changes_nothing(
        which in 0usize..6,
        alterations in proptest::collection::vec((any::<prop::sample::Index>(), 1u8..=255), 1..4),
        cut in proptest::option::weighted(0.2, any::<prop::sample::Index>()),
        announced_otherwise in proptest::bool::weighted(0.1),
    ) {
        let (mut ben, mut messages) = scene();
        let original = messages.swap_remove(which);
        let mut bytes = original.bytes.clone();
        for (at, change) in alterations {
            let at = at.index(bytes.len());
            bytes[at] ^= change;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let kind = match (original.kind, announced_otherwise) {
            (CiphertextKind::Message, false) | (CiphertextKind::PreKey, true) => CiphertextKind::Message,
            _ => CiphertextKind::PreKey,
        };
        let before = ben.record.serialize();
        match ben.receive_bytes(kind, &bytes) {
            Err(_) => {
                prop_assert_eq!(ben.record.serialize(), before);
                // And the original still opens afterwards.
                prop_assert!(ben.receive(&original).is_ok());
            }
            // The outer fields of a first message are not all authenticated: the low version nibble,
            // the registration id, unknown fields. What was encrypted is.
            Ok(_) => prop_assert!(bytes == original.bytes || original.kind == CiphertextKind::PreKey),
        }
    }

    #[test]
    fn an_altered_group_message_changes_nothing(
        position in 0usize..3,
        at in any::<prop::sample::Index>(),
        change in 1u8..=255,
    ) {
        let mut rng = Device::new(33).rng;
        let mut key = OwnSenderKey::generate(&mut rng);
        let mut record = SenderKeyRecord::new();
        record.process(&key.distribution());
        let sent: Vec<_> = (0..3).map(|_| key.encrypt(b"to the group", &mut rng).unwrap()).collect();
        record.decrypt(&SenderKeyMessage::parse(&sent[1]).unwrap(), MAX_JUMP).unwrap();
        let mut bytes = sent[position].clone();
        let at = at.index(bytes.len());
        bytes[at] ^= change;
        let before = record.serialize();
        if let Ok(message) = SenderKeyMessage::parse(&bytes) {
            prop_assert!(record.decrypt(&message, MAX_JUMP).is_err());
        }
        prop_assert_eq!(record.serialize(), before);
    }
}

#[test]
fn missing_prekeys_are_named_and_change_nothing() {
    let (mut ben, messages) = scene();
    let before = ben.record.serialize();
    let message = PreKeySignalMessage::parse(&messages[4].bytes).unwrap();
    let mut keys = OurKeys { identity: &ben.identity, signed_prekey: None, one_time_prekey: None };
    let error = ben.record.decrypt_prekey(&message, &keys, MAX_JUMP, &mut ben.rng).unwrap_err();
    assert_eq!(error, DecryptError::InvalidSignedPreKeyId(7));
    keys.signed_prekey = Some(&ben.signed_prekey);
    let error = ben.record.decrypt_prekey(&message, &keys, MAX_JUMP, &mut ben.rng).unwrap_err();
    assert_eq!(error, DecryptError::InvalidPreKeyId(3));
    // A wrong key under the right id: the secret differs, so the code does not fit.
    keys.one_time_prekey = Some(&ben.identity);
    let error = ben.record.decrypt_prekey(&message, &keys, MAX_JUMP, &mut ben.rng).unwrap_err();
    assert_eq!(error, DecryptError::BadMac);
    assert_eq!(ben.record.serialize(), before);
}

#[test]
fn another_identity_on_a_known_session_is_refused() {
    let (mut ana, mut ben) = (Device::new(34), Device::new(35));
    ana.start(&ben.bundle(Some(1)));
    ben.receive(&ana.record.encrypt(b"first").unwrap()).unwrap();
    let mut second = ana.record.encrypt(b"second").unwrap();
    let identity = ana.identity.public.to_typed();
    let at = second.bytes.windows(33).position(|window| window == identity).unwrap();
    second.bytes[at + 1] ^= 1;
    let before = ben.record.serialize();
    assert_eq!(ben.receive(&second).unwrap_err(), Failure::Decrypt(DecryptError::IdentityMismatch));
    assert_eq!(ben.record.serialize(), before);
}

#[test]
fn a_device_that_has_a_new_identity_is_read_and_told() {
    let (mut ana, mut ben) = (Device::new(36), Device::new(37));
    ana.start(&ben.bundle(Some(1)));
    let first = ben.receive(&ana.record.encrypt(b"first").unwrap()).unwrap();
    assert_eq!(first.remote_identity, ana.identity.public);
    let mut linked_again = Device::new(38);
    linked_again.start(&ben.bundle(Some(2)));
    let second = ben.receive(&linked_again.record.encrypt(b"second").unwrap()).unwrap();
    assert_eq!(second.remote_identity, linked_again.identity.public);
    assert_eq!(ben.record.remote_registration_id(), Some(linked_again.registration_id));
    assert_eq!(ben.record.archived_base_keys().count(), 1);
}

#[test]
fn a_bundle_that_is_not_the_identitys_changes_nothing() {
    let (mut ana, ben) = (Device::new(39), Device::new(40));
    ana.start(&ben.bundle(None));
    let before = ana.record.serialize();
    let mut forged = ben.bundle(Some(1));
    forged.signed_prekey = KeyPair::generate(&mut ana.rng).public;
    let mut unusable = ben.bundle(Some(1));
    unusable.one_time_prekey = Some((1, PublicKey::from_bytes([0; 32])));
    for (bundle, error) in [(forged, BundleError::InvalidSignature), (unusable, BundleError::InvalidKey)] {
        let result = ana.record.process_bundle(&ana.identity, 1, &bundle, &mut ana.rng);
        assert_eq!(result, Err(error));
        assert_eq!(ana.record.serialize(), before);
    }
}

#[test]
fn an_unusable_ratchet_key_is_refused() {
    let (mut ben, messages) = scene();
    let mut bytes = messages[2].bytes.clone();
    bytes[4..36].fill(0);
    let before = ben.record.serialize();
    let message = SignalMessage::parse(&bytes).unwrap();
    let error = ben.record.decrypt_message(&message, MAX_JUMP, &mut ben.rng).unwrap_err();
    assert_eq!(error, DecryptError::InvalidKey);
    assert_eq!(ben.record.serialize(), before);
}

#[test]
fn an_empty_record_has_no_session() {
    let (_, messages) = scene();
    let mut stranger = Device::new(41);
    assert_eq!(stranger.receive(&messages[2]).unwrap_err(), Failure::Decrypt(DecryptError::NoSession));
}

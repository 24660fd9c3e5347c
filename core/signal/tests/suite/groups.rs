//! Sender keys over a line that loses, delays and repeats.

use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use whimbrel_signal::{
    EncryptError, GroupDecryptError, MAX_JUMP, MAX_PLAINTEXT, MAX_SENDER_KEY_STATES, OwnSenderKey,
    RecordError, SenderKeyMessage, SenderKeyRecord,
};

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(11)
}

fn decrypt(record: &mut SenderKeyRecord, bytes: &[u8]) -> Result<Vec<u8>, GroupDecryptError> {
    record.decrypt(&SenderKeyMessage::parse(bytes).unwrap(), MAX_JUMP)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn messages_are_read_once_in_any_order(
        plan in proptest::collection::vec((any::<u16>(), any::<bool>(), 0u32..5), 1..40),
    ) {
        let mut rng = rng();
        let mut key = OwnSenderKey::generate(&mut rng);
        let mut record = SenderKeyRecord::new();
        record.process(&key.distribution());
        let mut sent = Vec::new();
        for (number, (order, lost, gap)) in plan.into_iter().enumerate() {
            // A sender that leaves iterations out, as some do with every other one.
            for _ in 0..gap {
                key.encrypt(b"never sent", &mut rng).unwrap();
            }
            let text = format!("message {number}");
            let bytes = key.encrypt(text.as_bytes(), &mut rng).unwrap();
            if !lost {
                sent.push((order, text, bytes));
            }
        }
        sent.sort();
        for (_, text, bytes) in &sent {
            prop_assert_eq!(decrypt(&mut record, bytes), Ok(text.clone().into_bytes()));
            record = SenderKeyRecord::deserialize(&record.serialize()).unwrap();
        }
        let before = record.serialize();
        for (_, _, bytes) in &sent {
            let duplicate = matches!(decrypt(&mut record, bytes), Err(GroupDecryptError::Duplicate { .. }));
            prop_assert!(duplicate);
        }
        prop_assert_eq!(record.serialize(), before);
    }
}

#[test]
fn five_keys_are_kept() {
    let mut rng = rng();
    let mut keys: Vec<_> = (0..=MAX_SENDER_KEY_STATES).map(|_| OwnSenderKey::generate(&mut rng)).collect();
    let mut record = SenderKeyRecord::new();
    keys.iter().for_each(|key| record.process(&key.distribution()));
    for (index, key) in keys.iter_mut().enumerate() {
        let bytes = key.encrypt(b"x", &mut rng).unwrap();
        let expected = match index {
            0 => Err(GroupDecryptError::NoSenderKey { key_id: key.key_id() }),
            _ => Ok(b"x".to_vec()),
        };
        assert_eq!(decrypt(&mut record, &bytes), expected);
    }
}

#[test]
fn a_key_sent_again_keeps_earlier_messages_readable() {
    let mut rng = rng();
    let mut key = OwnSenderKey::generate(&mut rng);
    let mut record = SenderKeyRecord::new();
    record.process(&key.distribution());
    let sent: Vec<_> = (0..6).map(|_| key.encrypt(b"x", &mut rng).unwrap()).collect();
    decrypt(&mut record, &sent[2]).unwrap();
    record.process(&key.distribution());
    for index in [0, 1, 3, 4, 5] {
        assert_eq!(decrypt(&mut record, &sent[index]), Ok(b"x".to_vec()), "message {index}");
    }
    assert_eq!(decrypt(&mut record, &sent[2]), Err(GroupDecryptError::Duplicate { iteration: 2 }));
}

#[test]
fn a_key_of_another_owner_inherits_nothing() {
    let mut rng = rng();
    let (mut key, other) = (OwnSenderKey::generate(&mut rng), OwnSenderKey::generate(&mut rng));
    let mut record = SenderKeyRecord::new();
    record.process(&key.distribution());
    let early = key.encrypt(b"early", &mut rng).unwrap();
    let late = key.encrypt(b"late", &mut rng).unwrap();
    decrypt(&mut record, &late).unwrap();
    let same_id = OwnSenderKey::from_parts(key.key_id(), [4; 32], 9, other.signing_key().clone());
    record.process(&same_id.distribution());
    assert_eq!(decrypt(&mut record, &early), Err(GroupDecryptError::InvalidSignature));
}

#[test]
fn a_distribution_far_ahead_derives_nothing() {
    let mut rng = rng();
    let key = OwnSenderKey::generate(&mut rng);
    let mut record = SenderKeyRecord::new();
    record.process(&key.distribution());
    let far = OwnSenderKey::from_parts(key.key_id(), [4; 32], u32::MAX - 1, key.signing_key().clone());
    record.process(&far.distribution());
    assert_eq!(
        record.parts().map(|parts| (parts.next, parts.skipped.len())).collect::<Vec<_>>(),
        [(u32::MAX - 1, 0)]
    );
}

#[test]
fn a_used_up_chain_and_an_oversized_plaintext_are_refused() {
    let mut rng = rng();
    let signing = OwnSenderKey::generate(&mut rng).signing_key().clone();
    let mut key = OwnSenderKey::from_parts(1, [4; 32], u32::MAX - 1, signing);
    assert_eq!(key.encrypt(&vec![0; MAX_PLAINTEXT + 1], &mut rng), Err(EncryptError::TooLong));
    key.encrypt(b"last", &mut rng).unwrap();
    let stored = key.serialize();
    assert_eq!(key.encrypt(b"none", &mut rng), Err(EncryptError::ChainUsedUp));
    assert_eq!(key.serialize(), stored);
}

#[test]
fn later_formats_and_damaged_records_are_told_apart() {
    let mut rng = rng();
    let mut key = OwnSenderKey::generate(&mut rng);
    let mut record = SenderKeyRecord::new();
    record.process(&key.distribution());
    key.encrypt(b"lost", &mut rng).unwrap();
    decrypt(&mut record, &key.encrypt(b"read", &mut rng).unwrap()).unwrap();
    let (own, theirs) = (key.serialize(), record.serialize());
    for length in 0..own.len() {
        assert!(matches!(OwnSenderKey::deserialize(&own[..length]), Err(RecordError::Damaged(_))));
    }
    for length in 0..theirs.len() {
        assert!(matches!(SenderKeyRecord::deserialize(&theirs[..length]), Err(RecordError::Damaged(_))));
    }
    let newer = |mut bytes: Vec<u8>| {
        bytes[0] = 9;
        bytes
    };
    assert_eq!(OwnSenderKey::deserialize(&newer(own)).unwrap_err(), RecordError::NewerFormat(9));
    assert_eq!(SenderKeyRecord::deserialize(&newer(theirs)).unwrap_err(), RecordError::NewerFormat(9));
}

//! Crashes: no position encrypts two plaintexts, and gaps are only as long as the lease.

use std::collections::BTreeSet;

use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use whimbrel_signal::{
    MAX_JUMP, MAX_LEASE, OwnSenderKey, RecordError, SenderKeyMessage, SenderKeyRecord, SessionRecord,
    SignalMessage,
};

use crate::common::Device;

/// Two devices with an established session, the first one to send.
fn established() -> (Device, Device) {
    let (mut ana, mut ben) = (Device::new(1), Device::new(2));
    ana.start(&ben.bundle(Some(4)));
    let first = ana.record.encrypt(b"first").unwrap();
    ben.receive(&first).unwrap();
    let answer = ben.record.encrypt(b"answer").unwrap();
    ana.receive(&answer).unwrap();
    (ana, ben)
}

#[test]
fn a_crash_inside_a_lease_skips_to_its_end() {
    let (mut ana, mut ben) = established();
    assert_eq!(ana.record.lease_left(), 0);
    ana.record.lease(64);
    assert_eq!(ana.record.lease_left(), 64);
    let stored = ana.record.serialize();
    for number in 0..10u32 {
        let sent = ana.record.encrypt(b"before the crash").unwrap();
        assert_eq!(SignalMessage::parse(&sent.bytes).unwrap().counter(), number);
        ben.receive(&sent).unwrap();
    }
    assert_eq!(ana.record.lease_left(), 54);

    ana.record = SessionRecord::deserialize(&stored).unwrap();
    assert_eq!(ana.record.lease_left(), 0);
    assert_eq!(ana.record.next_counter(), Some(64));
    let sent = ana.record.encrypt(b"after the crash").unwrap();
    assert_eq!(ben.receive(&sent).unwrap().plaintext, b"after the crash");
}

#[test]
fn an_orderly_end_leaves_no_gap() {
    let (mut ana, _) = established();
    ana.record.lease(64);
    ana.record.encrypt(b"one").unwrap();
    ana.record.end_lease();
    ana.restart();
    assert_eq!(ana.record.next_counter(), Some(1));
}

#[test]
fn a_new_chain_has_no_lease() {
    let (mut ana, mut ben) = established();
    ana.record.lease(64);
    let sent = ana.record.encrypt(b"one").unwrap();
    ben.receive(&sent).unwrap();
    let answer = ben.record.encrypt(b"two").unwrap();
    ana.receive(&answer).unwrap();
    assert_eq!((ana.record.next_counter(), ana.record.lease_left()), (Some(0), 0));
}

#[test]
fn a_lease_is_never_as_long_as_a_jump() {
    let (mut ana, mut ben) = established();
    ana.record.lease(u32::MAX);
    assert_eq!(ana.record.lease_left(), MAX_LEASE);
    ana.restart();
    let sent = ana.record.encrypt(b"far").unwrap();
    ben.receive(&sent).unwrap();
}

#[test]
fn a_session_put_away_keeps_its_lease() {
    let (mut ana, mut ben) = established();
    let late = ben.record.encrypt(b"late").unwrap();
    ana.record.lease(10);
    ana.record.encrypt(b"covered").unwrap();
    ana.start(&ben.bundle(None));
    ana.restart();
    // Reading the late message brings the old session back, in the same chain as before.
    ana.receive(&late).unwrap();
    assert_eq!(ana.record.next_counter(), Some(10));
}

#[test]
fn later_formats_and_damaged_records_are_told_apart() {
    let (mut ana, mut ben) = established();
    ana.record.encrypt(b"skipped").unwrap();
    let sent = ana.record.encrypt(b"received").unwrap();
    ben.receive(&sent).unwrap();
    let stored = ben.record.serialize();

    let mut newer = stored.clone();
    newer[0] = 2;
    assert_eq!(SessionRecord::deserialize(&newer).unwrap_err(), RecordError::NewerFormat(2));
    for length in 0..stored.len() {
        let error = SessionRecord::deserialize(&stored[..length]).unwrap_err();
        assert!(matches!(error, RecordError::Damaged(_)), "{length}: {error:?}");
    }
    let longer = [stored, vec![0]].concat();
    assert!(matches!(SessionRecord::deserialize(&longer), Err(RecordError::Damaged(_))));
}

#[derive(Debug, Clone, Copy)]
enum Event {
    Send,
    Crash,
    OrderlyRestart,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![8 => Just(Event::Send), 1 => Just(Event::Crash), 1 => Just(Event::OrderlyRestart)]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_position_of_a_session_is_used_twice(
        lease in 1u32..20,
        events in proptest::collection::vec(event(), 1..80),
    ) {
        let (mut ana, mut ben) = established();
        let mut stored = ana.record.serialize();
        let mut used = BTreeSet::new();
        for event in events {
            match event {
                Event::Send => {
                    if ana.record.lease_left() == 0 {
                        ana.record.lease(lease);
                        stored = ana.record.serialize();
                    }
                    let sent = ana.record.encrypt(b"x").unwrap();
                    let counter = SignalMessage::parse(&sent.bytes).unwrap().counter();
                    prop_assert!(used.insert(counter), "counter {} again", counter);
                    ben.receive(&sent).unwrap();
                }
                Event::Crash => ana.record = SessionRecord::deserialize(&stored).unwrap(),
                Event::OrderlyRestart => {
                    ana.record.end_lease();
                    stored = ana.record.serialize();
                    ana.record = SessionRecord::deserialize(&stored).unwrap();
                }
            }
        }
    }

    #[test]
    fn no_iteration_of_a_sender_key_is_used_twice(
        lease in 1u32..20,
        events in proptest::collection::vec(event(), 1..40),
    ) {
        let mut rng = ChaCha20Rng::seed_from_u64(3);
        let mut key = OwnSenderKey::generate(&mut rng);
        let mut receiver = SenderKeyRecord::new();
        receiver.process(&key.distribution());
        let mut stored = key.serialize();
        for event in events {
            match event {
                Event::Send => {
                    if key.lease_left() == 0 {
                        key.lease(lease);
                        stored = key.serialize();
                    }
                    let sent = key.encrypt(b"x", &mut rng).unwrap();
                    // An iteration used again would be a duplicate to the receiver.
                    let message = SenderKeyMessage::parse(&sent).unwrap();
                    prop_assert_eq!(receiver.decrypt(&message, MAX_JUMP), Ok(b"x".to_vec()));
                }
                Event::Crash => key = OwnSenderKey::deserialize(&stored).unwrap(),
                Event::OrderlyRestart => {
                    key.end_lease();
                    stored = key.serialize();
                    key = OwnSenderKey::deserialize(&stored).unwrap();
                }
            }
        }
    }
}

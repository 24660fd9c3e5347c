//! How far a chain may jump and how much is kept.

use whimbrel_signal::{
    DecryptError, EncryptError, MAX_ARCHIVED_SESSIONS, MAX_JUMP, MAX_JUMP_OWN_DEVICE, MAX_PLAINTEXT,
    SignalMessage,
};

use crate::common::{Device, Failure};

fn established() -> (Device, Device) {
    let (mut ana, mut ben) = (Device::new(21), Device::new(22));
    ana.start(&ben.bundle(Some(4)));
    ben.receive(&ana.record.encrypt(b"first").unwrap()).unwrap();
    ana.receive(&ben.record.encrypt(b"answer").unwrap()).unwrap();
    (ana, ben)
}

fn skip(device: &mut Device, count: u32) {
    for _ in 0..count {
        device.record.encrypt(b"x").unwrap();
    }
}

#[test]
fn two_thousand_positions_may_be_passed() {
    let (mut ana, mut ben) = established();
    skip(&mut ana, MAX_JUMP);
    let just = ana.record.encrypt(b"just").unwrap();
    skip(&mut ana, 1);
    let too_far = ana.record.encrypt(b"too far").unwrap();
    assert_eq!(
        ben.receive(&too_far).unwrap_err(),
        Failure::Decrypt(DecryptError::FutureMessage { ahead: MAX_JUMP + 2 })
    );
    ben.receive(&just).unwrap();
    ben.receive(&too_far).unwrap();
}

#[test]
fn devices_of_our_own_may_be_further_ahead() {
    let (mut ana, mut ben) = established();
    let early = ana.record.encrypt(b"early").unwrap();
    skip(&mut ana, 4000);
    let kept = ana.record.encrypt(b"kept").unwrap();
    skip(&mut ana, 1999);
    let late = ana.record.encrypt(b"late").unwrap();
    let mut receive = |sent: &[u8]| {
        let message = SignalMessage::parse(sent).unwrap();
        ben.record
            .decrypt_message(&message, MAX_JUMP_OWN_DEVICE, &mut ben.rng)
            .map(|decrypted| decrypted.plaintext)
    };
    assert_eq!(receive(&late.bytes), Ok(b"late".to_vec()));
    // Of the passed positions the last two thousand are kept.
    assert_eq!(receive(&kept.bytes), Ok(b"kept".to_vec()));
    assert_eq!(receive(&early.bytes), Err(DecryptError::Duplicate { counter: 0 }));
    assert_eq!(ben.record.current_parts().unwrap().receiving.last().unwrap().skipped.len(), 1999);
    ben.restart();
}

#[test]
fn the_last_five_chains_of_the_other_side_are_kept() {
    let (mut ana, mut ben) = established();
    let mut late = Vec::new();
    for _ in 0..6 {
        late.push(ana.record.encrypt(b"late").unwrap());
        ben.receive(&ana.record.encrypt(b"in time").unwrap()).unwrap();
        ana.receive(&ben.record.encrypt(b"turn").unwrap()).unwrap();
    }
    assert_eq!(ben.record.current_parts().unwrap().receiving.len(), 5);
    assert_eq!(ben.receive(&late[0]).unwrap_err(), Failure::Decrypt(DecryptError::BadMac));
    for message in &late[1..] {
        ben.receive(message).unwrap();
    }
}

#[test]
fn forty_former_sessions_are_kept() {
    let (mut ana, mut ben) = established();
    let bundle = ben.bundle(None);
    let oldest = *ben.record.base_key().unwrap();
    for number in 0..=MAX_ARCHIVED_SESSIONS {
        assert!(ben.record.knows_base_key(&oldest), "after {number} sessions");
        ana.start(&bundle);
        ben.receive(&ana.record.encrypt(b"new session").unwrap()).unwrap();
    }
    assert_eq!(ben.record.archived_base_keys().count(), MAX_ARCHIVED_SESSIONS);
    assert!(!ben.record.knows_base_key(&oldest));
    ben.restart();
    assert_eq!(ben.record.archived_base_keys().count(), MAX_ARCHIVED_SESSIONS);
}

#[test]
fn nothing_is_used_up_by_a_refused_encryption() {
    let (mut ana, _) = established();
    let before = ana.record.serialize();
    assert_eq!(ana.record.encrypt(&vec![0; MAX_PLAINTEXT + 1]), Err(EncryptError::TooLong));
    assert_eq!(ana.record.serialize(), before);
    ana.record.archive_current();
    assert_eq!(ana.record.encrypt(b"x"), Err(EncryptError::NoSession));
    assert_eq!(Device::new(1).record.encrypt(b"x"), Err(EncryptError::NoSession));
}

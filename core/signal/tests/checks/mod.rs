//! What must hold for any bytes; shared by the fuzz target and the replay of its corpus.

use std::sync::LazyLock;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use whimbrel_crypto::curve::KeyPair;
use whimbrel_signal::{
    Bundle, CiphertextMessage, MAX_JUMP, OurKeys, OwnSenderKey, PreKeySignalMessage,
    SenderKeyDistributionMessage, SenderKeyMessage, SenderKeyRecord, SessionRecord, SignalMessage,
};

/// What the first octet of the input, modulo their number, says the rest is.
pub(crate) const MODES: [&str; 7] = [
    "message",
    "first message",
    "group message",
    "distribution",
    "session record",
    "sender key record",
    "own sender key",
];

/// A receiver with a current and an archived session, a passed position and a sender key; and one valid
/// input per mode.
pub(crate) struct Scene {
    identity: KeyPair,
    signed_prekey: KeyPair,
    one_time_prekey: KeyPair,
    record: SessionRecord,
    group: SenderKeyRecord,
    /// Valid inputs, the octet of the mode first.
    pub(crate) inputs: Vec<Vec<u8>>,
}

pub(crate) static SCENE: LazyLock<Scene> =
    LazyLock::new(|| build().expect("the scene is a valid conversation"));

fn build() -> Result<Scene, Box<dyn std::error::Error + Send + Sync>> {
    let rng = &mut ChaCha20Rng::seed_from_u64(77);
    let (identity, signed_prekey, one_time_prekey) =
        (KeyPair::generate(rng), KeyPair::generate(rng), KeyPair::generate(rng));
    let bundle = Bundle {
        registration_id: 5,
        identity: identity.public,
        signed_prekey_id: 1,
        signed_prekey: signed_prekey.public,
        signed_prekey_signature: identity.private.sign(&[&signed_prekey.public.to_typed()], &[3; 64]),
        one_time_prekey: Some((9, one_time_prekey.public)),
    };
    let keys = OurKeys {
        identity: &identity,
        signed_prekey: Some(&signed_prekey),
        one_time_prekey: Some(&one_time_prekey),
    };
    let ana = KeyPair::generate(rng);
    let (mut sender, mut record) = (SessionRecord::new(), SessionRecord::new());
    let mut passed = Vec::new();
    for _ in 0..2 {
        sender.process_bundle(&ana, 4, &bundle, rng)?;
        passed.push(sender.encrypt(b"passed")?);
        let first = sender.encrypt(b"first")?;
        record.decrypt_prekey(&PreKeySignalMessage::parse(&first.bytes)?, &keys, MAX_JUMP, rng)?;
        let answer = record.encrypt(b"answer")?;
        sender.decrypt_message(&SignalMessage::parse(&answer.bytes)?, MAX_JUMP, rng)?;
    }
    let step = sender.encrypt(b"steps the ratchet")?;
    let unread = sender.serialize();
    sender.process_bundle(&ana, 4, &bundle, rng)?;
    let first = sender.encrypt(b"a third session")?;

    let mut own = OwnSenderKey::generate(rng);
    let mut group = SenderKeyRecord::new();
    group.process(&own.distribution());
    let lost = own.encrypt(b"lost", rng)?;
    let read = own.encrypt(b"read", rng)?;
    group.decrypt(&SenderKeyMessage::parse(&read)?, MAX_JUMP)?;
    own.lease(3);

    let mode = |mode: u8, bytes: &[u8]| [&[mode], bytes].concat();
    let of = |octet: u8, message: &CiphertextMessage| mode(octet, &message.bytes);
    let inputs = vec![
        of(0, &step),
        of(1, &first),
        mode(2, &lost),
        mode(3, &own.distribution().to_bytes()),
        mode(4, &record.serialize()),
        mode(5, &group.serialize()),
        mode(6, &own.serialize()),
        mode(2, &own.encrypt(b"next", rng)?),
        mode(4, &unread),
        mode(4, &SessionRecord::new().serialize()),
        of(1, &passed[0]),
        of(1, &passed[1]),
    ];
    Ok(Scene { identity, signed_prekey, one_time_prekey, record, group, inputs })
}

/// Feeds the input to the scene, checks that a refusal changes nothing, and says whether it was taken.
pub(crate) fn signal_message(data: &[u8]) -> bool {
    let Some((mode, bytes)) = data.split_first() else { return false };
    let scene = &*SCENE;
    let rng = &mut ChaCha20Rng::seed_from_u64(78);
    match usize::from(*mode) % MODES.len() {
        0 => SignalMessage::parse(bytes).is_ok_and(|message| {
            on_record(&scene.record, |record| record.decrypt_message(&message, MAX_JUMP, rng).is_ok())
        }),
        1 => PreKeySignalMessage::parse(bytes).is_ok_and(|message| {
            let keys = OurKeys {
                identity: &scene.identity,
                signed_prekey: Some(&scene.signed_prekey),
                one_time_prekey: Some(&scene.one_time_prekey),
            };
            on_record(&scene.record, |record| record.decrypt_prekey(&message, &keys, MAX_JUMP, rng).is_ok())
        }),
        2 => SenderKeyMessage::parse(bytes).is_ok_and(|message| {
            let mut group = scene.group.clone();
            let taken = group.decrypt(&message, MAX_JUMP).is_ok();
            assert_eq!(taken, group.serialize() != scene.group.serialize());
            taken
        }),
        3 => SenderKeyDistributionMessage::parse(bytes).is_ok_and(|distribution| {
            let mut group = scene.group.clone();
            group.process(&distribution);
            assert!(group.knows_key(distribution.key_id()));
            let stored = group.serialize();
            assert_eq!(SenderKeyRecord::deserialize(&stored).map(|group| group.serialize()), Ok(stored));
            true
        }),
        4 => SessionRecord::deserialize(bytes).is_ok_and(|mut record| {
            // Reading moves behind a lease; from then on the form is stable.
            let stored = record.serialize();
            assert_eq!(SessionRecord::deserialize(&stored).map(|record| record.serialize()), Ok(stored));
            let _ = record.encrypt(b"x");
            true
        }),
        5 => SenderKeyRecord::deserialize(bytes).is_ok_and(|group| {
            assert_eq!(group.serialize(), bytes);
            true
        }),
        _ => OwnSenderKey::deserialize(bytes).is_ok_and(|mut own| {
            let stored = own.serialize();
            assert_eq!(OwnSenderKey::deserialize(&stored).map(|own| own.serialize()), Ok(stored));
            let _ = own.encrypt(b"x", rng);
            true
        }),
    }
}

fn on_record(before: &SessionRecord, call: impl FnOnce(&mut SessionRecord) -> bool) -> bool {
    let mut record = before.clone();
    let taken = call(&mut record);
    assert_eq!(taken, record.serialize() != before.serialize());
    taken
}

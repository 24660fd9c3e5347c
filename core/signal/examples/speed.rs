//! Measures the operations that happen per message. Run with `--release`.
//!
//! Prints the median of many rounds per operation, and the budget it is held to.

use std::hint::black_box;
use std::time::{Duration, Instant};

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use whimbrel_crypto::curve::KeyPair;
use whimbrel_signal::{
    Bundle, MAX_JUMP, OurKeys, OwnSenderKey, PreKeySignalMessage, SenderKeyMessage, SenderKeyRecord,
    SessionRecord, SignalMessage,
};

const ROUNDS: usize = 200;

/// Median time of one call when `per_round` calls are timed together.
fn median(per_round: u32, mut call: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            (0..per_round).for_each(|_| call());
            start.elapsed() / per_round
        })
        .collect();
    times.sort();
    times.get(ROUNDS / 2).copied().unwrap_or_default()
}

fn report(name: &str, budget_us: f64, time: Duration) {
    println!("{name:<32} {:>8.2} µs   budget {budget_us} µs", time.as_secs_f64() * 1e6);
}

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let (ana, ben) = (KeyPair::generate(&mut rng), KeyPair::generate(&mut rng));
    let (signed, one_time) = (KeyPair::generate(&mut rng), KeyPair::generate(&mut rng));
    let bundle = Bundle {
        registration_id: 5,
        identity: ben.public,
        signed_prekey_id: 1,
        signed_prekey: signed.public,
        signed_prekey_signature: ben.private.sign(&[&signed.public.to_typed()], &[3; 64]),
        one_time_prekey: Some((9, one_time.public)),
    };
    let plaintext = [0x41; 64];

    let mut first = SessionRecord::new();
    first.process_bundle(&ana, 4, &bundle, &mut rng)?;
    let first_message = first.encrypt(&plaintext)?;
    let message = PreKeySignalMessage::parse(&first_message.bytes)?;
    let keys = OurKeys { identity: &ben, signed_prekey: Some(&signed), one_time_prekey: Some(&one_time) };
    let mut receiver = SessionRecord::new();
    receiver.decrypt_prekey(&message, &keys, MAX_JUMP, &mut rng)?;
    let answer = receiver.encrypt(&plaintext)?;
    first.decrypt_message(&SignalMessage::parse(&answer.bytes)?, MAX_JUMP, &mut rng)?;
    // One copy is measured alone, so that the other stays in step with the receiver.
    let (mut sender, mut alone) = (first.clone(), first);

    let mut failures = 0u32;
    let encrypt = median(500, || {
        failures += u32::from(black_box(alone.encrypt(black_box(&plaintext))).is_err());
    });
    report("encrypt, warm", 2.5, encrypt);

    let mut decrypt = Vec::new();
    for _ in 0..ROUNDS {
        let sent: Vec<_> =
            (0..500).map(|_| sender.encrypt(&plaintext)).collect::<std::result::Result<_, _>>()?;
        let start = Instant::now();
        for message in &sent {
            let message = SignalMessage::parse(black_box(&message.bytes))?;
            black_box(receiver.decrypt_message(&message, MAX_JUMP, &mut rng)?);
        }
        decrypt.push(start.elapsed() / 500);
    }
    decrypt.sort();
    report("decrypt, warm", 2.6, decrypt.get(ROUNDS / 2).copied().unwrap_or_default());

    let build = median(5, || {
        let mut record = SessionRecord::new();
        failures += u32::from(record.process_bundle(&ana, 4, &bundle, &mut rng).is_err());
        black_box(record);
    });
    report("session from a bundle, verified", 250.0, build);

    let accept = median(5, || {
        let mut record = SessionRecord::new();
        failures += u32::from(record.decrypt_prekey(&message, &keys, MAX_JUMP, &mut rng).is_err());
        black_box(record);
    });
    report("session from a first message", 300.0, accept);

    let mut own = OwnSenderKey::generate(&mut rng);
    let mut theirs = SenderKeyRecord::new();
    theirs.process(&own.distribution());
    let (mut group_encrypt, mut group_decrypt) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let sent: Vec<_> =
            (0..50).map(|_| own.encrypt(&plaintext, &mut rng)).collect::<std::result::Result<_, _>>()?;
        group_encrypt.push(start.elapsed() / 50);
        let start = Instant::now();
        for message in &sent {
            black_box(theirs.decrypt(&SenderKeyMessage::parse(message)?, MAX_JUMP)?);
        }
        group_decrypt.push(start.elapsed() / 50);
    }
    group_encrypt.sort();
    group_decrypt.sort();
    report("sender key encrypt", 17.0, group_encrypt.get(ROUNDS / 2).copied().unwrap_or_default());
    report("sender key decrypt", 39.0, group_decrypt.get(ROUNDS / 2).copied().unwrap_or_default());

    let stored = receiver.serialize();
    report(
        &format!("store a record ({} octets)", stored.len()),
        1.0,
        median(500, || {
            black_box(receiver.serialize());
        }),
    );
    report(
        "read a record",
        1.0,
        median(500, || {
            failures += u32::from(SessionRecord::deserialize(black_box(&stored)).is_err());
        }),
    );
    if failures > 0 { Err("an operation failed".into()) } else { Ok(()) }
}

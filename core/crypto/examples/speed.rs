//! How long the primitives take, to compare providers: `cargo run --release --example speed`.
#![expect(clippy::unwrap_used, reason = "an example may end with a panic")]

use std::hint::black_box;
use std::time::Instant;

use whimbrel_crypto::aead::Aes256Gcm;
use whimbrel_crypto::curve::{KeyPair, PrivateKey};
use whimbrel_crypto::kdf::{HmacKey, hkdf_sha256};

/// Prints the best of ten rounds, which disturbances by other programs change least.
fn measure<T>(name: &str, times: u32, mut work: impl FnMut() -> T) {
    let mut best = f64::MAX;
    for _ in 0..10 {
        let start = Instant::now();
        for _ in 0..times {
            black_box(work());
        }
        best = best.min(start.elapsed().as_secs_f64() / f64::from(times));
    }
    println!("{name:32} {:8.2} µs", best * 1e6);
}

fn main() {
    let ours = KeyPair::from_private(PrivateKey::from_bytes([1; 32]));
    let theirs = KeyPair::from_private(PrivateKey::from_bytes([2; 32]));
    let message = [3; 200];
    let signature = ours.private.sign(&[&message], &[4; 64]);
    measure("X25519 public key", 200, || PrivateKey::from_bytes([1; 32]).public_key());
    measure("X25519 agreement", 200, || ours.private.agree(&theirs.public).unwrap());
    measure("XEdDSA first signature", 200, || PrivateKey::from_bytes([1; 32]).sign(&[&message], &[4; 64]));
    measure("XEdDSA further signature", 200, || ours.private.sign(&[&message], &[4; 64]));
    measure("XEdDSA verification", 200, || ours.public.verify(&[&message], &signature).unwrap());

    measure("HMAC-SHA-256, new key", 5000, || HmacKey::new(&[5; 32]).mac(&[&[1]]));
    let key = HmacKey::new(&[5; 32]);
    measure("HMAC-SHA-256, prepared key", 5000, || key.mac(&[&[1]]));
    measure("HKDF-SHA-256, 80 octets", 2000, || hkdf_sha256::<80>(&[6; 32], &[0; 32], b"WhisperMessageKeys"));

    let key = Aes256Gcm::new(&[7; 32]).unwrap();
    measure("AES-256-GCM, new key", 2000, || Aes256Gcm::new(&[7; 32]).unwrap());
    for length in [100, 1500, 65_536] {
        let mut text = vec![8; length];
        measure(&format!("AES-256-GCM seal, {length}"), 500, || key.seal(&[9; 12], &[], &mut text).unwrap());
    }
}

//! How much the media state machines cost beside the bare ciphers:
//! `cargo run --release -p whimbrel-crypto --example media_speed`.
#![expect(clippy::unwrap_used, reason = "an example may end with a panic")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use aes::{Aes256Dec, Aes256Enc};
use cbc::cipher::array::Array;
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use whimbrel_crypto::media::{BlobCheck, Decryptor, Encryptor, Expected, MediaKeys, MediaType};

const LENGTH: usize = 64 << 20;
const CHUNK: usize = 64 << 10;

/// Seconds that the processor has worked for this program, where the system tells it finely; else
/// those that went by.
fn processor(since: Instant) -> f64 {
    let told = std::fs::read_to_string("/proc/self/schedstat").ok();
    let nanos = told.and_then(|told| told.split_whitespace().next()?.parse::<u64>().ok());
    nanos.map_or_else(|| since.elapsed(), Duration::from_nanos).as_secs_f64()
}

/// Megabytes in a second of the processor, of the best of eight rounds.
fn measure(name: &str, mut work: impl FnMut()) -> f64 {
    let mut best = f64::MAX;
    for _ in 0..8 {
        let since = Instant::now();
        let start = processor(since);
        work();
        best = best.min(processor(since) - start);
    }
    #[expect(clippy::cast_precision_loss, reason = "a rate to look at")]
    let rate = LENGTH as f64 / best / 1e6;
    println!("{name:40} {rate:8.0} MB/s");
    rate
}

fn main() {
    let mut buffer = vec![7_u8; CHUNK];
    let rounds = LENGTH / CHUNK;
    let bare_encryption = measure("bare CBC, SHA-256 twice, HMAC", || {
        let mut cipher = cbc::Encryptor::<Aes256Enc>::new(&[1; 32].into(), &[2; 16].into());
        let (mut plain, mut blob) = (Sha256::new(), Sha256::new());
        let mut mac = Hmac::<Sha256>::new_from_slice(&[3; 32]).unwrap();
        for _ in 0..rounds {
            plain.update(&buffer);
            cipher.encrypt_blocks(Array::slice_as_chunks_mut(&mut buffer).0);
            blob.update(&buffer);
            mac.update(&buffer);
        }
        black_box((plain.finalize(), blob.finalize(), mac.finalize()));
    });
    let keys = MediaKeys::expand(&[9; 32], MediaType::Video);
    let mut out = Vec::new();
    let encryption = measure("Encryptor", || {
        let mut encryptor = Encryptor::new(&keys);
        for _ in 0..rounds {
            out.clear();
            encryptor.update(&buffer, &mut out);
        }
        black_box(encryptor.finish(&mut out));
    });
    measure("Encryptor with a sidecar", || {
        let mut encryptor = Encryptor::new(&keys).with_sidecar(&keys);
        for _ in 0..rounds {
            out.clear();
            encryptor.update(&buffer, &mut out);
        }
        black_box(encryptor.finish(&mut out));
    });
    let bare_decryption = measure("bare CBC backwards, SHA-256 twice, HMAC", || {
        let mut cipher = cbc::Decryptor::<Aes256Dec>::new(&[1; 32].into(), &[2; 16].into());
        let (mut plain, mut blob) = (Sha256::new(), Sha256::new());
        let mut mac = Hmac::<Sha256>::new_from_slice(&[3; 32]).unwrap();
        for _ in 0..rounds {
            blob.update(&buffer);
            mac.update(&buffer);
            cipher.decrypt_blocks(Array::slice_as_chunks_mut(&mut buffer).0);
            plain.update(&buffer);
        }
        black_box((plain.finalize(), blob.finalize(), mac.finalize()));
    });
    let decryption = measure("Decryptor", || {
        let mut decryptor = Decryptor::new(&keys, &Expected::default());
        for _ in 0..rounds {
            out.clear();
            decryptor.update(&buffer, &mut out);
        }
        black_box(decryptor.finish(&mut out).is_ok());
    });
    measure("BlobCheck", || {
        let mut check = BlobCheck::new(&keys, &Expected::default());
        for _ in 0..rounds {
            check.update(&buffer);
        }
        black_box(check.finish().is_ok());
    });
    println!(
        "beside the bare ciphers: {:.0} %, {:.0} %",
        encryption / bare_encryption * 100.0,
        decryption / bare_decryption * 100.0
    );
}

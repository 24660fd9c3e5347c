//! The engine's side.

use std::io::Read;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use whimbrel::events::EventKind;
use whimbrel::media::{DownloadOptions, MediaKind, MediaSource, MediaTarget, UploadOptions};
use whimbrel::{CallOptions, ClientOptions, Engine, EngineOptions};
use whimbrel_crypto::media::{Decryptor, Encryptor, Expected, MediaKeys, MediaType};

use crate::memory;

/// How much the ciphers get at once.
const STEP: usize = 128 * 1024;

pub async fn run(task: &Value) {
    let text = |name: &str| task[name].as_str().unwrap().to_owned();
    let root: [u8; 32] = serde_json::from_value(task["rootKey"].clone()).unwrap();
    let folder = PathBuf::from(text("folder"));
    let length = task["length"].as_u64().unwrap();
    let mut options = EngineOptions::default();
    options.endpoint.url = text("url");
    options.endpoint.noise_root = Some((root, 0));
    options.endpoint.extra_ca_pem = Some(text("ca"));
    let engine = Engine::new(options).unwrap();
    let mut options = ClientOptions::default();
    options.auto_start = false;
    options.temporary_folder = Some(folder.clone());
    let client = engine.open(folder.join("store"), options).unwrap();
    let code = client.link_with_qr(CallOptions::default()).await.unwrap();
    println!("qr {}", code.text);
    let mut events = client.events().unwrap();
    while !matches!(events.next().await.unwrap().kind, EventKind::Linked(_)) {}
    client.connect(CallOptions::default()).await.unwrap();

    let (encrypt, decrypt) = ciphers(length);
    let before = memory::now();
    memory::forget_peak();
    let start = Instant::now();
    let source = MediaSource::Reader(Box::new(Noise::new(length)));
    let uploaded = client.upload(source, MediaKind::Video, UploadOptions::default()).await.unwrap();
    report("media_up", start.elapsed(), encrypt, length, before);

    let before = memory::now();
    memory::forget_peak();
    let start = Instant::now();
    let target = MediaTarget::Path(folder.join("copy"));
    let got = client.download(&uploaded.reference, target, DownloadOptions::default()).await.unwrap();
    assert_eq!(got.length, length);
    report("media_down", start.elapsed(), decrypt, length, before);
    engine.close(Duration::from_secs(10)).await.unwrap();
}

fn report(name: &str, took: Duration, cipher: Duration, bytes: u64, before: u64) {
    println!(
        "{}",
        json!({
            "name": name,
            "seconds": took.as_secs_f64(),
            "cipher_seconds": cipher.as_secs_f64(),
            "bytes": bytes,
            "growth_bytes": memory::peak().saturating_sub(before),
        })
    );
}

/// What encryption with a sidecar, and decryption with all checks, take by themselves.
fn ciphers(length: u64) -> (Duration, Duration) {
    let keys = MediaKeys::expand(&[7; 32], MediaType::Video);
    let chunk = vec![0x5a; STEP];
    let mut out = Vec::with_capacity(2 * STEP);
    let rounds = length / STEP as u64;
    let mut encryptor = Encryptor::new(&keys).with_sidecar(&keys);
    let start = Instant::now();
    for _ in 0..rounds {
        encryptor.update(&chunk, &mut out);
        out.clear();
    }
    encryptor.finish(&mut out);
    let encrypt = start.elapsed();
    let mut decryptor = Decryptor::new(&keys, &Expected::default());
    let start = Instant::now();
    for _ in 0..rounds {
        decryptor.update(&chunk, &mut out);
        out.clear();
    }
    // What it says of these octets is of no interest.
    let _ = decryptor.finish(&mut out);
    (encrypt, start.elapsed())
}

/// Octets without an end of their own, made as they are read.
struct Noise {
    left: u64,
    state: u64,
}

impl Noise {
    fn new(length: u64) -> Self {
        Self { left: length, state: 0x9e37_79b9_7f4a_7c15 }
    }
}

impl Read for Noise {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        for octets in buffer[..length].chunks_mut(8) {
            self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let made = self.state.to_le_bytes();
            octets.copy_from_slice(&made[..octets.len()]);
        }
        self.left -= length as u64;
        Ok(length)
    }
}

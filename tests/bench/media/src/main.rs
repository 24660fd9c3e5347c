//! A long file up to the media hosts and down again, each cut twice on the way: how fast, beside the
//! bare ciphers, and how much memory the engine takes for it. The sandbox runs in this process, the
//! engine in another one, whose memory is measured. Prints one JSON object a line: `{"name",
//! "seconds", "cipher_seconds", "bytes", "growth_bytes"}`. The one argument is the length of the file;
//! 2 GiB if it is absent. `TMPDIR` is where some three times that length must fit.

mod child;
mod memory;

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;
use whimbrel_sandbox::{MediaFault, MediaFaultRule, MediaRequest, Options, Sandbox};

/// What phones send at most.
const LENGTH: u64 = 2 << 30;
const NUMBER: &str = "31612345678";
/// The engine's process is told by this what to do.
const TASK: &str = "WHIMBREL_BENCH_TASK";

#[tokio::main]
async fn main() {
    if let Ok(task) = std::env::var(TASK) {
        return child::run(&serde_json::from_str(&task).unwrap()).await;
    }
    let length = std::env::args().nth(1).map_or(LENGTH, |length| length.parse().unwrap());
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let folder = std::env::temp_dir().join(format!("whimbrel-bench-media-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    // After a quarter of the file, and after another quarter.
    for request in [MediaRequest::Upload, MediaRequest::Download] {
        for _ in 0..2 {
            sandbox.add_media_fault(MediaFaultRule::once(request, MediaFault::Cut { bytes: length / 4 }));
        }
    }
    let root = sandbox.noise_root();
    let task = serde_json::json!({
        "url": sandbox.ws_url(),
        "rootKey": root.public_key,
        "ca": sandbox.ca_pem(),
        "folder": folder,
        "length": length,
    });
    let mut engine = Command::new(std::env::current_exe().unwrap())
        .env(TASK, task.to_string())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let phone = sandbox.phone(NUMBER).await.unwrap();
    let mut lines = BufReader::new(engine.stdout.take().unwrap()).lines();
    while let Some(line) = lines.next_line().await.unwrap() {
        match line.strip_prefix("qr ") {
            Some(code) => drop(phone.scan(code).await.unwrap()),
            None => println!("{line}"),
        }
    }
    let ended = tokio::time::timeout(Duration::from_secs(10), engine.wait()).await.unwrap().unwrap();
    let _ = std::fs::remove_dir_all(&folder);
    assert!(ended.success(), "the engine's process ended with {ended}");
}

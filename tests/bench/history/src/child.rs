//! The engine's side.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use whimbrel::events::{EventKind, EventStream, HistoryKind};
use whimbrel::{CallOptions, Client, ClientOptions, Engine, EngineOptions, FindChats};

use crate::memory;

/// How often it says how far it is.
const PACE: Duration = Duration::from_millis(50);

pub async fn run(task: &Value) {
    let text = |name: &str| task[name].as_str().unwrap().to_owned();
    let root: [u8; 32] = serde_json::from_value(task["rootKey"].clone()).unwrap();
    let mut options = EngineOptions::default();
    options.endpoint.url = text("url");
    options.endpoint.noise_root = Some((root, 0));
    options.endpoint.extra_ca_pem = Some(text("ca"));
    let engine = Engine::new(options).unwrap();
    let mut options = ClientOptions::default();
    options.auto_start = false;
    let client = engine.open(PathBuf::from(text("folder")).join("store"), options).unwrap();
    let mut events = client.events().unwrap();
    if client.account().is_none() {
        let code = client.link_with_qr(CallOptions::default()).await.unwrap();
        println!("qr {}", code.text);
        while let Some(event) = events.next().await {
            if matches!(event.kind, EventKind::Linked(_)) {
                break;
            }
        }
    }
    client.connect(CallOptions::default()).await.unwrap();
    let (before, used) = (memory::now(), cpu());
    memory::forget_peak();
    println!("reading");
    tokio::select! {
        () = read(&mut events) => {}
        () = tell(&client) => unreachable!(),
    }
    let (used, growth) = (cpu() - used, memory::peak().saturating_sub(before));
    let chats = chats(&client).await;
    println!("{}", json!({ "chats": chats, "cpu_seconds": used, "growth_bytes": growth }));
    engine.close(Duration::from_secs(10)).await.unwrap();
}

/// Waits until the whole history is in the archive.
async fn read(events: &mut EventStream) {
    while let Some(event) = events.next().await {
        if let EventKind::History(sync) = event.kind
            && sync.kind == HistoryKind::Recent
            && sync.messages > 0
        {
            assert_eq!(sync.error, None);
            if sync.progress == Some(100) {
                return;
            }
        }
    }
    panic!("the events ended");
}

/// How many chats the archive has.
async fn chats(client: &Client) -> usize {
    let (mut count, mut find) = (0, FindChats::default());
    find.limit = Some(500);
    loop {
        let page = client.find_chats(find.clone(), CallOptions::default()).await.unwrap();
        count += page.items.len();
        match page.next {
            Some(next) => find.cursor = Some(next),
            None => return count,
        }
    }
}

async fn tell(client: &Client) {
    loop {
        tokio::time::sleep(PACE).await;
        println!("commits {}", client.store_commits());
    }
}

/// Seconds of the processor that this process has used, threads that have ended among them. Linux
/// only: elsewhere 0.
fn cpu() -> f64 {
    /// Linux counts in hundredths of a second for programs, on every machine.
    const TICKS: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name of the program, in brackets, may have spaces in it.
    let fields = stat.rsplit(") ").next().unwrap_or_default();
    let ticks = |at| fields.split(' ').nth(at).and_then(|ticks| ticks.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / TICKS
}

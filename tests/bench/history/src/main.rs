//! The history of a phone, from its pieces at the media hosts to an archive that can be searched: how
//! long it takes, what it uses of the processor, and how much memory. The sandbox runs in this process,
//! the engine in another one. Prints one JSON object a line: `{"name", "seconds", "cpu_seconds",
//! "growth_bytes", "messages", "octets"}`; octets are those of the inflated history. The second one is
//! killed twice on its way, and what it says is of its last process, but for the time.

mod child;
#[path = "../../media/src/memory.rs"]
mod memory;

use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use whimbrel_sandbox::phone::Past;
use whimbrel_sandbox::{Options, Sandbox};

const NUMBER: &str = "31612345678";
/// The engine's process is told by this what to do.
const TASK: &str = "WHIMBREL_BENCH_TASK";

#[tokio::main]
async fn main() {
    if let Ok(task) = std::env::var(TASK) {
        return child::run(&serde_json::from_str(&task).unwrap()).await;
    }
    let past = |chats, words| Past {
        chats,
        messages: 1000,
        words,
        newest: 0,
        // Phones make pieces of some dozens of MB; these are as large as the engine takes.
        chats_in_piece: 250,
        uploaded: true,
        ..Past::default()
    };
    let all = std::env::args().nth(1).is_none_or(|which| which != "small");
    measure("history_150k", &past(150, 28), 0).await;
    if all {
        measure("history_1gb_killed_twice", &past(1000, 140), 2).await;
    }
}

/// Hands a past to a new engine.
async fn measure(name: &str, past: &Past, kills: u32) {
    let octets = past.octets();
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let folder = std::env::temp_dir().join(format!("whimbrel-bench-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let phone = sandbox.phone(NUMBER).await.unwrap();
    phone.remember(past.clone());
    let task = task(&sandbox, &folder);
    let (mut engine, mut lines) = start(&task);
    let mut began = None;
    // Each of these writes a thousand messages.
    let writes = u64::from(past.chats);
    let mut killed = 0;
    let result: Value = loop {
        let line = lines.next_line().await.unwrap().expect("the engine's process has not ended");
        if let Some(code) = line.strip_prefix("qr ") {
            phone.scan(code).await.unwrap();
        } else if line == "reading" {
            began.get_or_insert_with(Instant::now);
        } else if let Some(commits) = line.strip_prefix("commits ") {
            let commits: u64 = commits.parse().unwrap();
            if killed < kills && commits > writes / 3 {
                engine.kill().await.unwrap();
                killed += 1;
                (engine, lines) = start(&task);
            }
        } else {
            break serde_json::from_str(&line).unwrap();
        }
    };
    let seconds = began.map_or(0.0, |began| began.elapsed().as_secs_f64());
    assert_eq!(killed, kills, "it was faster than its killer");
    assert_eq!(result["chats"], json!(past.chats));
    println!(
        "{}",
        json!({
            "name": name,
            "seconds": seconds,
            "cpu_seconds": result["cpu_seconds"],
            "growth_bytes": result["growth_bytes"],
            "messages": u64::from(past.chats) * u64::from(past.messages),
            "octets": octets,
        })
    );
    engine.wait().await.unwrap();
    sandbox.stop();
    let _ = std::fs::remove_dir_all(&folder);
}

fn task(sandbox: &Sandbox, folder: &Path) -> String {
    let root = sandbox.noise_root();
    json!({
        "url": sandbox.ws_url(),
        "rootKey": root.public_key,
        "ca": sandbox.ca_pem(),
        "folder": folder,
    })
    .to_string()
}

fn start(task: &str) -> (Child, Lines<BufReader<ChildStdout>>) {
    let mut engine = Command::new(std::env::current_exe().unwrap())
        .env(TASK, task)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let lines = BufReader::new(engine.stdout.take().unwrap()).lines();
    (engine, lines)
}

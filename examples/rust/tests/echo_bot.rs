//! The echo bot as a person runs it: a QR in the terminal, a phone that scans it, an answer.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a panic is the report of a failed test"
)]

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use whimbrel_sandbox::{Event, Options, Sandbox};

const DEADLINE: Duration = Duration::from_secs(30);

/// Reads the symbol off the terminal, as the phone's camera does: light blocks on dark ground.
fn read(lines: &[String]) -> String {
    /// Pixels a module: enough for a reader that samples.
    const SCALE: usize = 4;
    let rows: Vec<Vec<char>> = lines.iter().map(|line| line.chars().collect()).collect();
    let width = rows[0].len();
    let light = |x: usize, y: usize| {
        let block = rows[y / 2].get(x).copied().unwrap_or(' ');
        block == '█' || block == if y.is_multiple_of(2) { '▀' } else { '▄' }
    };
    let mut image =
        rqrr::PreparedImage::prepare_from_greyscale(width * SCALE, rows.len() * 2 * SCALE, |x, y| {
            if light(x / SCALE, y / SCALE) { 255 } else { 0 }
        });
    let grids = image.detect_grids();
    grids.first().expect("no symbol in the picture").decode().unwrap().1
}

#[tokio::test]
async fn the_echo_bot_links_and_answers() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let (owner, friend) =
        (sandbox.phone("15550001000").await.unwrap(), sandbox.phone("15550002000").await.unwrap());
    let folder = std::env::temp_dir().join(format!("whimbrel-echo-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let root: String = sandbox.noise_root().public_key.iter().map(|octet| format!("{octet:02x}")).collect();
    let ready = serde_json::json!({
        "ws": sandbox.ws_url(), "noiseRoot": { "publicKey": root, "serial": 0 }, "caPem": sandbox.ca_pem()
    });
    std::fs::write(folder.join("ready.json"), ready.to_string()).unwrap();

    let mut bot = Command::new(env!("CARGO_BIN_EXE_echo-bot"))
        .arg("--store")
        .arg(folder.join("echo.db"))
        .arg("--sandbox")
        .arg(folder.join("ready.json"))
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(bot.stdout.take().unwrap()).lines();
    let drawn = async {
        let mut symbol = Vec::new();
        // A blank line ends nothing: the symbol is as high as half its width.
        loop {
            let line = lines.next_line().await.unwrap().expect("the bot ended");
            let width = line.chars().count();
            symbol.push(line);
            if symbol.len() * 2 >= width {
                return symbol;
            }
        }
    };
    let symbol = tokio::time::timeout(DEADLINE, drawn).await.expect("no QR was drawn");
    owner.scan(&read(&symbol)).await.unwrap();
    let published =
        |event: &Event| matches!(event, Event::PrekeysUploaded { device, .. } if device == "15550001000:1");
    sandbox.events().wait_for(published, DEADLINE).await.unwrap();

    friend.send_text("15550001000", "hello").await.unwrap();
    let answer = friend.wait_message(|message| message.text == "hello", DEADLINE).await.unwrap();
    assert_eq!(answer.author, owner.lid().with_device(1).to_string());
    let _ = std::fs::remove_dir_all(&folder);
}

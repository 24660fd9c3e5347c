//! The media program as a person runs it: a picture that goes, one that comes, one that is interrupted.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a panic is the report of a failed test")]

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use whimbrel::media::MediaKind;
use whimbrel::{ClientOptions, Engine, EngineOptions};
use whimbrel_sandbox::phone::MediaToSend;
use whimbrel_sandbox::{MediaFault, MediaFaultRule, MediaRequest, Options, Sandbox};

const DEADLINE: Duration = Duration::from_secs(30);

/// A picture of one by two.
const PICTURE: &[u8] =
    b"GIF89a\x01\x00\x02\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x02\x00\x00\x02\x02D\x01\x00;";

struct Program {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Program {
    fn start(folder: &Path, words: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_media"));
        command.arg("--store").arg(folder.join("media.db"));
        command.arg("--sandbox").arg(folder.join("ready.json")).args(words).current_dir(folder);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// The next line that begins so, without its beginning.
    async fn line(&mut self, beginning: &str) -> String {
        let line = async {
            loop {
                let line = self.lines.next_line().await.unwrap().expect("the program ended");
                if let Some(rest) = line.strip_prefix(beginning) {
                    return rest.to_owned();
                }
            }
        };
        tokio::time::timeout(DEADLINE, line).await.expect("there was no such line")
    }

    /// Ends its input, and waits for its end.
    async fn end(mut self) -> bool {
        drop(self.child.stdin.take());
        tokio::time::timeout(DEADLINE, self.child.wait()).await.expect("it did not end").unwrap().success()
    }
}

#[tokio::test]
async fn pictures_are_sent_and_saved_and_sending_is_interrupted() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let (owner, friend) =
        (sandbox.phone("15550001000").await.unwrap(), sandbox.phone("15550002000").await.unwrap());
    let folder = std::env::temp_dir().join(format!("whimbrel-media-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("saved")).unwrap();
    let root: String = sandbox.noise_root().public_key.iter().map(|octet| format!("{octet:02x}")).collect();
    let ready = serde_json::json!({
        "ws": sandbox.ws_url(), "noiseRoot": { "publicKey": root, "serial": 0 }, "caPem": sandbox.ca_pem()
    });
    std::fs::write(folder.join("ready.json"), ready.to_string()).unwrap();
    std::fs::write(folder.join("picture.gif"), PICTURE).unwrap();

    let mut options = EngineOptions::default();
    options.endpoint = whimbrel_examples::sandbox(folder.join("ready.json").to_str().unwrap()).unwrap();
    let engine = Engine::new(options).unwrap();
    let mut manual = ClientOptions::default();
    manual.auto_start = false;
    let client = engine.open_async(folder.join("media.db"), manual).await.unwrap();
    let code = client.link_with_qr(Default::default()).await.unwrap();
    owner.scan(&code.text).await.unwrap();
    client.connect(Default::default()).await.unwrap();
    engine.close(DEADLINE).await.unwrap();

    let mut sending = Program::start(&folder, &["send", "15550002000", "picture.gif"]);
    let id = sending.line("sent picture.gif as ").await;
    assert_eq!(friend.wait_media(&id, DEADLINE).await.unwrap().bytes, PICTURE);
    assert!(sending.end().await);

    let mut saving = Program::start(&folder, &["save", "saved"]);
    friend.send_text("15550001000", "no file").await.unwrap();
    let (mimetype, bytes) = ("image/gif".to_owned(), PICTURE.to_vec());
    let file = MediaToSend { kind: MediaKind::Image, mimetype, bytes, caption: None };
    friend.send_media("15550001000", &file).await.unwrap();
    let saved = saving.line("saved ").await;
    assert_eq!(std::fs::read(folder.join(saved)).unwrap(), PICTURE);
    assert_eq!(std::fs::read_dir(folder.join("saved")).unwrap().count(), 1);
    assert!(saving.end().await);

    std::fs::write(folder.join("picture.gif"), [PICTURE, &[0; 1 << 20]].concat()).unwrap();
    let stall = MediaFault::Stall { bytes: 100_000 };
    sandbox.add_media_fault(MediaFaultRule::once(MediaRequest::Upload, stall));
    let mut stopped = Program::start(&folder, &["send", "15550002000", "picture.gif"]);
    stopped.line("picture.gif: ").await;
    assert!(!stopped.end().await);
    let _ = std::fs::remove_dir_all(&folder);
}

//! A host killed with SIGKILL at seeded points while it links, sends and receives: it never needs
//! a new link, loses no text, sends none twice, and uses no message key twice.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a panic is the report of a failed test"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use whimbrel_faults::Folder;
use whimbrel_sandbox::Event;
use whimbrel_sandbox::phone::Phone;
use whimbrel_sandbox::{Options, Sandbox};

/// Kills in one story; ten stories make the fifty points.
const KILLS: usize = 5;
const TEXTS: u32 = 20;
const DEADLINE: Duration = Duration::from_secs(30);

struct Story {
    seed: u64,
    sandbox: Sandbox,
    owner: Phone,
    folder: Folder,
    /// The phone said that linking worked: from here on no new link may be needed.
    linked: Arc<AtomicBool>,
}

struct Victim {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Story {
    fn start_victim(&self, peer: &str) -> Victim {
        let root: String =
            self.sandbox.noise_root().public_key.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut process = Command::new(env!("CARGO_BIN_EXE_victim"))
            .arg(self.folder.file("victim.db"))
            .arg(self.folder.file("notes"))
            .args([&self.sandbox.ws_url(), &root, peer, &TEXTS.to_string()])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Victim { process, lines }
    }

    /// Reacts to a line of the victim's.
    fn hear(&self, line: &str) {
        if let Some(text) = line.strip_prefix("qr ") {
            assert!(
                !self.linked.load(Ordering::SeqCst),
                "seed {}: a new link was needed after the phone had confirmed one",
                self.seed
            );
            let (owner, linked, text) = (self.owner.clone(), Arc::clone(&self.linked), text.to_owned());
            tokio::spawn(async move {
                if owner.scan(&text).await.is_ok() {
                    linked.store(true, Ordering::SeqCst);
                }
            });
        }
        assert!(!line.starts_with("failed"), "seed {}: {line}", self.seed);
        assert_ne!(line, "logged out", "seed {}", self.seed);
    }

    /// Runs the victim until the service has seen that many more events, then kills it there.
    async fn run_and_kill(&self, peer: &str, events: u32, pause: Duration) {
        let mut victim = self.start_victim(peer);
        let log = self.sandbox.events();
        let wanted = log.newest() + u64::from(events);
        let reached = async {
            let mut newest = log.newest();
            while newest < wanted {
                let seen = log.wait_after(newest, DEADLINE).await;
                newest = seen.last().map_or(wanted, |(number, _)| *number);
            }
            // Not a wait for something: it moves the point of the kill between two events.
            tokio::time::sleep(pause).await;
        };
        tokio::pin!(reached);
        let finished = loop {
            tokio::select! {
                () = &mut reached => break false,
                line = victim.lines.next_line() => match line.unwrap() {
                    Some(line) => self.hear(&line),
                    None => panic!("seed {}: the victim ended by itself", self.seed),
                },
            }
        };
        assert!(!finished);
        victim.process.kill().await.unwrap();
    }

    /// Runs the victim until it has sent everything and received everything.
    async fn run_to_the_end(&self, peer: &str) {
        let mut victim = self.start_victim(peer);
        let mut sent = false;
        let work = async {
            while !(sent && self.received().len() == TEXTS as usize) {
                let line = victim.lines.next_line().await.unwrap().expect("the victim ended by itself");
                self.hear(&line);
                sent |= line == "all sent";
            }
        };
        if tokio::time::timeout(DEADLINE, work).await.is_err() {
            for (number, event) in self.sandbox.events().after(0) {
                println!("{number} {event:?}");
            }
            panic!("seed {}: stuck, sent all: {sent}, received {:?}", self.seed, self.received().keys());
        }
        victim.process.kill().await.unwrap();
    }

    /// What the victim noted, by event id.
    fn received(&self) -> BTreeMap<String, (String, String)> {
        let notes = std::fs::read_to_string(self.folder.file("notes")).unwrap_or_default();
        notes
            .lines()
            .filter_map(|line| line.strip_prefix("received "))
            .filter_map(|line| {
                let mut parts = line.splitn(3, ' ');
                let (event, id, text) = (parts.next()?, parts.next()?, parts.next()?);
                text.starts_with("in ").then(|| (event.to_owned(), (id.to_owned(), text.to_owned())))
            })
            .collect()
    }
}

async fn tell(seed: u64) {
    println!("seed {seed}");
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let sandbox = Sandbox::start(Options { seed, ..Options::default() }).await.unwrap();
    let owner = sandbox.phone("15550001000").await.unwrap();
    let bob = sandbox.phone("15550002000").await.unwrap();
    let story = Story {
        seed,
        sandbox,
        owner,
        folder: Folder::new(&format!("kill-{seed}")).unwrap(),
        linked: Arc::new(AtomicBool::new(false)),
    };
    let peer = bob.number().to_owned();

    // The other person writes in step with what the victim does, so that kills fall before,
    // between and after texts.
    let writing = {
        let (bob, owner, log) = (bob.clone(), story.owner.number().to_owned(), story.sandbox.events());
        let victim = format!("{owner}:1");
        let steps: Vec<u32> = (0..TEXTS).map(|_| 1 + rng.next_u32() % 3).collect();
        tokio::spawn(async move {
            // Before it has published prekeys nobody can write to a new device.
            let published =
                |event: &Event| matches!(event, Event::PrekeysUploaded { device, .. } if *device == victim);
            let (mut newest, _) = log.wait_for_after(0, published, DEADLINE).await.unwrap();
            for (number, steps) in steps.into_iter().enumerate() {
                for _ in 0..steps {
                    // Every event that concerns the victim's device names it.
                    let concerns = |event: &Event| format!("{event:?}").contains(&victim);
                    (newest, _) = log.wait_for_after(newest, concerns, DEADLINE).await.unwrap();
                }
                bob.send_text(&owner, &format!("in {number}")).await.unwrap();
            }
        })
    };
    for _ in 0..KILLS {
        let events = 1 + rng.next_u32() % 40;
        let pause = Duration::from_micros(u64::from(rng.next_u32() % 4000));
        story.run_and_kill(&peer, events, pause).await;
    }
    story.run_to_the_end(&peer).await;
    tokio::time::timeout(DEADLINE, writing).await.unwrap().unwrap();

    // Received: every text once; the same event may be noted twice, under the same id.
    let received = story.received();
    let texts: BTreeSet<_> = received.values().map(|(_, text)| text.clone()).collect();
    assert_eq!(texts.len(), TEXTS as usize, "seed {seed}: lost texts");
    assert_eq!(received.len(), TEXTS as usize, "seed {seed}: a text came as two events: {received:?}");

    // Sent: every text reached the other person once.
    let mut arrived = Vec::new();
    while arrived.len() < TEXTS as usize {
        let message = bob.next_message(DEADLINE).await.unwrap_or_else(|error| {
            panic!("seed {seed}: {error}; arrived {arrived:?}");
        });
        arrived.push(message.text);
    }
    let more: Vec<_> =
        bob.messages_after(0, Duration::ZERO).await.into_iter().map(|(_, it)| it.text).collect();
    let mut wanted: Vec<_> = (0..TEXTS).map(|number| format!("out {number}")).collect();
    wanted.sort();
    let mut all = more;
    all.sort();
    assert_eq!(all, wanted, "seed {seed}");
    assert_eq!(story.sandbox.violations(), [], "seed {seed}: a message key was used twice");
}

/// Ten stories of five kills each; `WHIMBREL_STORIES` tells more, `WHIMBREL_SEED` one of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_kills_lose_nothing_and_double_nothing() {
    if let Ok(seed) = std::env::var("WHIMBREL_SEED") {
        return tell(seed.parse().unwrap()).await;
    }
    let stories = std::env::var("WHIMBREL_STORIES").map_or(10, |count| count.parse().unwrap());
    for seed in 0..stories {
        tell(seed).await;
    }
}

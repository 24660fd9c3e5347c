//! A client of ours in a process of its own, which may be killed at any moment.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::{mpsc, watch};
use whimbrel_faults::{Note, Order, Report};
use whimbrel_sandbox::Sandbox;
use whimbrel_sandbox::phone::Phone;

use crate::floor::Floor;

/// Texts that a client may have under way.
const WINDOW: usize = 8;

/// A client of ours.
pub(crate) struct Member {
    sandbox: Sandbox,
    phone: Phone,
    folder: PathBuf,
    name: String,
    state: Mutex<State>,
    /// Told when something was reported.
    moved: watch::Sender<()>,
    process: tokio::sync::Mutex<Option<Child>>,
    orders: tokio::sync::Mutex<Option<ChildStdin>>,
}

#[derive(Default)]
struct State {
    /// Where it gets its lines, and its index there.
    floor: Option<(Arc<Floor>, usize)>,
    under_way: Vec<Order>,
    device: Option<u16>,
    online: bool,
    linking: bool,
    /// It was unlinked on purpose.
    left: bool,
    heard: BTreeSet<String>,
    failure: Option<String>,
    kills: u32,
}

impl Member {
    pub(crate) fn new(
        sandbox: &Sandbox,
        phone: &Phone,
        folder: PathBuf,
        name: &str,
        moved: &watch::Sender<()>,
    ) -> Arc<Self> {
        Arc::new(Self {
            sandbox: sandbox.clone(),
            phone: phone.clone(),
            folder,
            name: name.to_owned(),
            state: Mutex::default(),
            moved: moved.clone(),
            process: tokio::sync::Mutex::new(None),
            orders: tokio::sync::Mutex::new(None),
        })
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn notes_path(&self) -> PathBuf {
        self.folder.join(format!("{}.notes", self.name))
    }

    /// Starts the process. It links itself if it was not linked before.
    pub(crate) async fn start(self: &Arc<Self>) {
        let root: String =
            self.sandbox.noise_root().public_key.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut process = Command::new(env!("CARGO_BIN_EXE_member"))
            .arg(self.folder.join(format!("{}.db", self.name)))
            .arg(self.notes_path())
            .args([&self.sandbox.ws_url(), &root])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let again: Vec<Order> = {
            let mut state = self.state();
            state.online = false;
            state.under_way.clone()
        };
        let mut orders = process.stdin.take().unwrap();
        for order in &again {
            write(&mut orders, order).await;
        }
        *self.orders.lock().await = Some(orders);
        *self.process.lock().await = Some(process);
        let (reports, mut heard) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                // The last line of a killed process may be half a line.
                if let Ok(report) = serde_json::from_str::<Report>(&line) {
                    let _ = reports.send(report);
                }
            }
        });
        let member = Arc::clone(self);
        tokio::spawn(async move {
            while let Some(report) = heard.recv().await {
                member.hear(report).await;
            }
        });
        self.order_more().await;
    }

    async fn hear(self: &Arc<Self>, report: Report) {
        let scan = {
            let mut state = self.state();
            match report {
                Report::Qr(text) => {
                    if state.device.is_some() && !state.left {
                        state.failure = Some("a new link was needed".to_owned());
                        None
                    } else {
                        (!std::mem::replace(&mut state.linking, true)).then_some(text)
                    }
                }
                Report::Online(device) => {
                    state.device = Some(device);
                    state.online = true;
                    None
                }
                Report::Sent(id) => {
                    state.under_way.retain(|order| order.id != id);
                    if let Some((floor, _)) = &state.floor {
                        floor.sent(&id);
                    }
                    None
                }
                Report::Noted(text) => {
                    state.heard.extend(text);
                    None
                }
                Report::LoggedOut(_) if state.left => {
                    state.online = false;
                    None
                }
                Report::Failed(what) | Report::LoggedOut(what) => {
                    state.failure = Some(what);
                    None
                }
            }
        };
        if let Some(text) = scan {
            self.phone.scan(&text).await.unwrap();
        }
        self.order_more().await;
        self.moved.send_replace(());
    }

    /// Gives orders as far as the window allows and it is this client's turn.
    pub(crate) async fn order_more(&self) {
        let mut orders = self.orders.lock().await;
        let Some(input) = orders.as_mut() else { return };
        loop {
            let order = {
                let mut state = self.state();
                if state.under_way.len() >= WINDOW {
                    return;
                }
                let next = state.floor.as_ref().and_then(|(floor, device)| floor.next(*device));
                let Some(order) = next else { return };
                state.under_way.push(order.clone());
                order
            };
            write(input, &order).await;
        }
    }

    /// Takes part in the conversation from now on.
    pub(crate) async fn talk(&self, device: usize, floor: &Arc<Floor>) {
        self.state().floor = Some((Arc::clone(floor), device));
        self.order_more().await;
    }

    /// Will be unlinked, which is no failure.
    pub(crate) fn leaves(&self) {
        self.state().left = true;
    }

    /// Whether it is linked, and to stay so.
    pub(crate) fn is_here(&self) -> bool {
        let state = self.state();
        state.device.is_some() && !state.left
    }

    /// Kills the process and starts another one.
    pub(crate) async fn kill_and_start(self: &Arc<Self>) {
        self.kill().await;
        self.state().kills += 1;
        self.start().await;
    }

    /// Kills the process for good.
    pub(crate) async fn kill(&self) {
        let mut orders = self.orders.lock().await;
        if let Some(mut process) = self.process.lock().await.take() {
            process.kill().await.unwrap();
        }
        *orders = None;
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// What went wrong beyond repair.
    pub(crate) fn failure(&self) -> Option<String> {
        self.state().failure.clone()
    }

    pub(crate) fn is_online(&self) -> bool {
        self.state().online
    }

    /// Number of its device, once linked.
    pub(crate) fn device(&self) -> Option<u16> {
        self.state().device
    }

    pub(crate) fn kills(&self) -> u32 {
        self.state().kills
    }

    /// Texts under way, for reports.
    pub(crate) fn under_way(&self) -> Vec<String> {
        self.state().under_way.iter().map(|order| order.id.clone()).collect()
    }

    /// Whether it has noted this text.
    pub(crate) fn has_heard(&self, text: &str) -> bool {
        self.state().heard.contains(text)
    }

    /// Everything it was given, over all its lives, in the order of the journal.
    pub(crate) fn notes(&self) -> Vec<Note> {
        let notes = std::fs::read_to_string(self.notes_path()).unwrap_or_default();
        let mut notes: Vec<Note> =
            notes.lines().map(|line| serde_json::from_str(line).expect("a note is whole")).collect();
        notes.sort_by_key(|note| note.sequence);
        // An event may be given again after a kill, under the same id and number.
        notes.dedup_by(|one, other| one.event == other.event && one.sequence == other.sequence);
        notes
    }
}

async fn write(input: &mut ChildStdin, order: &Order) {
    let line = format!("{}\n", serde_json::to_string(order).unwrap());
    // A process that was killed meanwhile gets the order again in its next life.
    let _ = input.write_all(line.as_bytes()).await;
}

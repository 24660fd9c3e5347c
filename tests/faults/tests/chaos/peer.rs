//! A client of Baileys. It is not killed: its store does not claim to survive that.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::watch;
use whimbrel_interop::{Event, Pair, Peer, Program, Start};
use whimbrel_sandbox::Sandbox;
use whimbrel_sandbox::phone::Phone;

use crate::STUCK;
use crate::floor::Floor;

/// How often a text is said at most.
const ATTEMPTS: u32 = 20;

/// A client of Baileys, linked.
pub(crate) struct Baileys {
    peer: Peer,
    pub(crate) device: u16,
    state: Mutex<State>,
    /// Told when it reports something.
    moved: watch::Sender<()>,
}

#[derive(Default)]
struct State {
    /// Logins so far.
    logins: u32,
    connected: bool,
    /// How often it showed each text.
    shown: BTreeMap<String, usize>,
    ended: bool,
}

impl Baileys {
    pub(crate) async fn link(
        sandbox: &Sandbox,
        phone: &Phone,
        store: std::path::PathBuf,
        moved: &watch::Sender<()>,
    ) -> Arc<Self> {
        let peer = Peer::spawn(Program::Baileys).await.unwrap();
        let start = Start::new(sandbox.ws_url(), sandbox.noise_root().public_key, store);
        peer.start(&start.pair(Pair::Qr)).await.unwrap();
        let address = phone.scan(&peer.qr().await.unwrap()).await.unwrap();
        peer.linked().await.unwrap();
        peer.connected().await.unwrap();
        peer.caught_up().await.unwrap();
        let recent = |event: &Event| matches!(event, Event::History { sync_type: Some(3), .. });
        peer.wait_to_see("the last piece of history", recent).await.unwrap();
        let state = Mutex::new(State { connected: true, ..State::default() });
        let peer = Arc::new(Self { peer, device: address.device(), state, moved: moved.clone() });
        tokio::spawn(listen(Arc::clone(&peer)));
        peer
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn hear(&self, event: Event) {
        let mut state = self.state();
        match event {
            Event::Connected(_) => {
                state.logins += 1;
                state.connected = true;
            }
            Event::Disconnected(_) => state.connected = false,
            Event::Message(message) => {
                if let Some(text) = message.text {
                    *state.shown.entry(text).or_default() += 1;
                }
            }
            _ => return,
        }
        drop(state);
        self.moved.send_replace(());
    }

    /// Says its lines, one after the other, each until the service has it.
    pub(crate) async fn talk(&self, device: usize, floor: &Floor) {
        while let Some(order) = floor.turn(device).await {
            for attempt in 1.. {
                assert!(attempt <= ATTEMPTS, "{} is not sent", order.id);
                let logins = self.state().logins;
                let said = self.peer.send_text_as(&order.id, &order.chat, &order.text).await;
                let Err(error) = said else { break };
                // It was cut off, or the service did not answer in time; the same id is never a
                // second message.
                eprintln!("{}: {}", order.id, error.to_string().lines().next().unwrap_or_default());
                self.comes_back(logins).await;
            }
            floor.sent(&order.id);
        }
    }

    /// Waits until it is connected again, unless its connection outlived the failure.
    async fn comes_back(&self, logins: u32) {
        let mut moved = self.moved.subscribe();
        if self.peer.info().await.unwrap().connected {
            return;
        }
        let back = async {
            while self.state().logins == logins {
                moved.changed().await.unwrap();
            }
        };
        tokio::time::timeout(STUCK, back).await.expect("Baileys did not come back");
    }

    /// Whether it has not noticed a loss of its connection.
    pub(crate) fn is_connected(&self) -> bool {
        self.state().connected
    }

    /// Whether it showed a text.
    pub(crate) fn has_shown(&self, text: &str) -> bool {
        self.state().shown.contains_key(text)
    }

    /// Why nothing more can be expected of it.
    pub(crate) fn failure(&self) -> Option<&'static str> {
        self.state().ended.then_some("the program ended")
    }

    pub(crate) async fn leave(&self) {
        self.peer.kill().await.unwrap();
    }
}

/// Takes what it reports, for as long as it runs.
async fn listen(peer: Arc<Baileys>) {
    while let Some(event) = peer.peer.next_event().await {
        peer.hear(event);
    }
    peer.state().ended = true;
    peer.moved.send_replace(());
}

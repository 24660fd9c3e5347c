//! A client of Baileys. It is not killed: its store does not claim to survive that.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use whimbrel_faults::Order;
use whimbrel_interop::{Event, Pair, Peer, Program, Start};
use whimbrel_sandbox::Sandbox;
use whimbrel_sandbox::phone::Phone;

/// How long it may be away before the run is stuck.
const AWAY: Duration = Duration::from_secs(60);

/// Between two looks at whether it is back.
const LOOK: Duration = Duration::from_millis(100);

/// A client of Baileys, linked.
pub(crate) struct Baileys {
    peer: Peer,
    pub(crate) device: u16,
    sent: AtomicUsize,
}

impl Baileys {
    pub(crate) async fn link(sandbox: &Sandbox, phone: &Phone, store: std::path::PathBuf) -> Self {
        let peer = Peer::spawn(Program::Baileys).await.unwrap();
        let start = Start::new(sandbox.ws_url(), sandbox.noise_root().public_key, store);
        peer.start(&start.pair(Pair::Qr)).await.unwrap();
        let address = phone.scan(&peer.qr().await.unwrap()).await.unwrap();
        peer.linked().await.unwrap();
        peer.connected().await.unwrap();
        peer.caught_up().await.unwrap();
        let recent = |event: &Event| matches!(event, Event::History { sync_type: Some(3), .. });
        peer.wait_to_see("the last piece of history", recent).await.unwrap();
        Self { peer, device: address.device(), sent: AtomicUsize::new(0) }
    }

    /// Says texts, one after the other, each until the service has it.
    pub(crate) async fn say(&self, orders: &[Order]) {
        for order in orders {
            while let Err(error) = self.peer.send_text_as(&order.id, &order.chat, &order.text).await {
                // It was cut off, or the service did not answer in time; the same id is never a
                // second message.
                eprintln!("{}: {}", order.id, error.to_string().lines().next().unwrap_or_default());
                self.comes_back().await;
            }
            self.sent.fetch_add(1, Ordering::Relaxed);
        }
    }

    async fn comes_back(&self) {
        let back = async {
            while !self.peer.info().await.unwrap().connected {
                tokio::time::sleep(LOOK).await;
            }
        };
        tokio::time::timeout(AWAY, back).await.expect("Baileys did not come back");
    }

    /// Texts that the service has.
    pub(crate) fn sent(&self) -> usize {
        self.sent.load(Ordering::Relaxed)
    }

    /// How often it showed each text.
    pub(crate) fn shown(&self) -> BTreeMap<String, usize> {
        let mut shown = BTreeMap::new();
        for event in self.peer.unread() {
            if let Event::Message(message) = event
                && let Some(text) = message.text
            {
                *shown.entry(text).or_default() += 1;
            }
        }
        shown
    }

    pub(crate) async fn leave(&self) {
        self.peer.kill().await.unwrap();
    }
}

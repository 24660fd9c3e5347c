//! Events: taken from the stream on the engine's threads, one batch at a time, and fetched by
//! JavaScript when a bell has told it so.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use napi::bindgen_prelude::Buffer;
use napi_derive::napi;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use whimbrel::{Event, EventStream};

use crate::client::Bell;

/// Events of one batch. What does not fit waits in the engine's bounded queue.
const BATCH: usize = 256;

/// Events that JavaScript fetches together.
#[napi(object)]
pub struct Batch {
    /// A JSON list of events.
    pub json: String,
    /// The raw messages of those events that have one, in their order, one after the other.
    pub raw: Option<Buffer>,
    /// Nothing follows.
    pub ended: bool,
}

/// A running subscription.
pub(crate) struct Subscription {
    slot: Arc<Slot>,
    pump: JoinHandle<()>,
}

/// The one batch that waits for JavaScript.
#[derive(Default)]
struct Slot {
    state: Mutex<State>,
    fetched: Notify,
    stop: Notify,
}

#[derive(Default)]
struct State {
    waiting: Option<Waiting>,
    /// Nothing follows what waits.
    over: bool,
}

/// A batch, ready to be fetched.
pub(crate) struct Waiting {
    json: String,
    raw: Vec<u8>,
    /// The last sequence number in it.
    pub(crate) sequence: Option<u64>,
}

impl Slot {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Subscription {
    pub(crate) fn start(runtime: &Handle, stream: EventStream, bell: Bell) -> Self {
        let slot = Arc::new(Slot::default());
        let pump = runtime.spawn(pump(stream, Over { slot: Arc::clone(&slot), bell }));
        Self { slot, pump }
    }

    /// What waits, if anything; the next batch is prepared only after this. And whether nothing
    /// follows it.
    pub(crate) fn fetch(&self) -> (Option<Waiting>, bool) {
        let mut state = self.slot.state();
        let waiting = state.waiting.take();
        let over = state.over;
        drop(state);
        if waiting.is_some() {
            self.slot.fetched.notify_one();
        }
        (waiting, over)
    }

    /// Ends the subscription; afterwards another one can be made.
    pub(crate) async fn stop(self) {
        self.slot.stop.notify_one();
        // A pump that panicked has dropped its stream as well.
        let _ = self.pump.await;
    }
}

/// Tells JavaScript that the stream is over, also when the engine's threads ended first.
struct Over {
    slot: Arc<Slot>,
    bell: Bell,
}

impl Drop for Over {
    fn drop(&mut self) {
        self.slot.state().over = true;
        self.bell.ring();
    }
}

/// Prepares one batch after the other, each after the one before was fetched.
async fn pump(mut stream: EventStream, over: Over) {
    let Over { slot, bell } = &over;
    loop {
        let events = tokio::select! {
            biased;
            () = slot.stop.notified() => return,
            events = stream.next_batch(BATCH) => events,
        };
        if events.is_empty() {
            return;
        }
        slot.state().waiting = Some(Waiting::new(&events));
        bell.ring();
        tokio::select! {
            biased;
            () = slot.stop.notified() => return,
            () = slot.fetched.notified() => {}
        }
    }
}

impl Waiting {
    fn new(events: &[Event]) -> Self {
        let shown: Vec<_> = events.iter().map(whimbrel_api::events::Event::from).collect();
        let mut raw = Vec::new();
        for event in events {
            raw.extend_from_slice(event.kind.raw().unwrap_or_default());
        }
        Self {
            // Text and numbers can always be written.
            json: serde_json::to_string(&shown).unwrap_or_else(|_| String::from("[]")),
            raw,
            sequence: events.iter().rev().find_map(|event| event.sequence),
        }
    }
}

impl Batch {
    /// What was fetched, for JavaScript. `None`: nothing waits, but something may follow.
    pub(crate) fn of(waiting: Option<Waiting>, ended: bool) -> Option<Self> {
        match waiting {
            None if ended => Some(Self { json: String::from("[]"), raw: None, ended }),
            None => None,
            Some(waiting) => {
                let raw = (!waiting.raw.is_empty()).then(|| Buffer::from(waiting.raw));
                Some(Self { json: waiting.json, raw, ended })
            }
        }
    }
}

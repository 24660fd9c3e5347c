//! Between the service, which only computes, and the tasks that hold sockets and phones.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::sync::watch;
use whimbrel_wire::Node;

use crate::events::EventLog;
use crate::gate::Gate;
use crate::hole::Hole;
use crate::media::{HOSTS, Shelf};
use crate::options::Options;
use crate::service::{Closing, Effect, Service, StreamId};

/// Waits until the sandbox stops.
pub(crate) async fn told_to_stop(stop: &mut watch::Receiver<bool>) {
    // Without a sender nobody is left who could want the sandbox.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// What a connection's task is told to do, in this order.
#[derive(Debug)]
pub(crate) enum Outgoing {
    /// Send a stanza.
    Node(Node),
    /// Send so many octets of a stanza's frame, and close without a word.
    Tear { node: Node, bytes: usize },
    /// Close, after a pause.
    Close { how: Closing, after: Duration },
}

/// The service and the way out of it.
#[derive(Debug)]
pub(crate) struct Hub {
    state: Mutex<State>,
    options: Options,
    events: EventLog,
    runtime: Handle,
    media: Arc<Shelf>,
    hole: Hole,
    gate: Gate,
    /// What the web page names; 0 if there is none.
    web_revision: AtomicU32,
}

#[derive(Debug)]
struct State {
    service: Service,
    outlets: BTreeMap<StreamId, mpsc::Sender<Outgoing>>,
}

impl Hub {
    pub(crate) fn new(options: Options, runtime: Handle) -> Arc<Self> {
        let events = EventLog::new();
        let media = Arc::new(Shelf::new(options.seed, options.clock.clone(), HOSTS));
        let service = Service::new(options.clone(), events.clone(), Arc::clone(&media));
        let state = Mutex::new(State { service, outlets: BTreeMap::new() });
        Arc::new(Self {
            state,
            options,
            events,
            runtime,
            media,
            hole: Hole::default(),
            gate: Gate::default(),
            web_revision: AtomicU32::new(0),
        })
    }

    /// The files of the media hosts.
    pub(crate) fn media(&self) -> &Arc<Shelf> {
        &self.media
    }

    /// The network between clients and this service.
    pub(crate) fn hole(&self) -> &Hole {
        &self.hole
    }

    /// Where clients come in.
    pub(crate) fn gate(&self) -> &Gate {
        &self.gate
    }

    /// The revision that the web page names, if there is a page.
    pub(crate) fn web_revision(&self) -> Option<u32> {
        Some(self.web_revision.load(Ordering::Relaxed)).filter(|revision| *revision != 0)
    }

    pub(crate) fn set_web_revision(&self, revision: Option<u32>) {
        self.web_revision.store(revision.unwrap_or(0), Ordering::Relaxed);
    }

    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    pub(crate) fn events(&self) -> &EventLog {
        &self.events
    }

    pub(crate) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number for a new connection, and what comes out of the service for it.
    pub(crate) fn open(&self) -> (StreamId, mpsc::Receiver<Outgoing>) {
        let (outlet, receiver) = mpsc::channel(self.options.limits.outgoing);
        let mut state = self.state();
        let stream = state.service.open_stream();
        state.outlets.insert(stream, outlet);
        (stream, receiver)
    }

    /// The connection is gone.
    pub(crate) fn closed(self: &Arc<Self>, stream: StreamId) {
        self.state().outlets.remove(&stream);
        self.run(|service| service.disconnected(stream));
    }

    /// Does something in the service and then what it wants done.
    ///
    /// Stanzas go into the connections' channels before the lock is released, so their order is
    /// the service's.
    pub(crate) fn run<T>(self: &Arc<Self>, work: impl FnOnce(&mut Service) -> T) -> T {
        let mut state = self.state();
        let (result, effects) = state.service.run(work);
        for effect in effects {
            self.perform(&mut state, effect);
        }
        result
    }

    fn perform(self: &Arc<Self>, state: &mut State, effect: Effect) {
        match effect {
            Effect::Send { stream, node, after_ms: 0 } => state.emit(stream, Outgoing::Node(node)),
            Effect::Send { stream, node, after_ms } => {
                let hub = Arc::clone(self);
                self.later(after_ms, move || hub.state().emit(stream, Outgoing::Node(node)));
            }
            Effect::Tear { stream, node, bytes } => state.emit(stream, Outgoing::Tear { node, bytes }),
            Effect::Close { stream, how, after_ms } => {
                state.emit(stream, Outgoing::Close { how, after: Duration::from_millis(after_ms) });
            }
            Effect::Wake { wake, after_ms } => {
                let hub = Arc::clone(self);
                self.later(after_ms, move || hub.run(|service| service.woken(wake)));
            }
        }
    }

    fn later(&self, after_ms: u64, work: impl FnOnce() + Send + 'static) {
        self.runtime.spawn(async move {
            tokio::time::sleep(Duration::from_millis(after_ms)).await;
            work();
        });
    }
}

impl State {
    fn emit(&mut self, stream: StreamId, outgoing: Outgoing) {
        let sent = self.outlets.get(&stream).map(|outlet| outlet.try_send(outgoing));
        // A client that reads too slowly is cut off: its channel ends.
        if let Some(Err(TrySendError::Full(_) | TrySendError::Closed(_))) = sent {
            self.outlets.remove(&stream);
        }
    }
}

//! Queues: what waits for a device until the device has it (transport document §6.8 and §6.10).

use std::collections::VecDeque;

use whimbrel_wire::{Jid, Node};

use super::accounts::DeviceId;
use super::effects::Wake;
use super::{Service, StreamId};
use crate::events::Event;
use crate::options::Pace;
use crate::stanza;

/// Days after which an undelivered stanza is given up.
const KEPT_DAYS: u64 = 30;
/// Stanzas handed out before the client asks, with [`Pace::Batches`].
const PRIMER: usize = 5;
/// Silence after which the rest is handed out unasked, in milliseconds.
const SILENCE_MS: u64 = 1000;

/// A stanza that a device does not have yet.
#[derive(Debug)]
struct Entry {
    number: u64,
    queued: u64,
    class: String,
    kind: Option<String>,
    id: String,
    from: Option<Jid>,
    participant: Option<Jid>,
    node: Node,
    /// Whether it went out over the present connection.
    sent: bool,
}

/// The stanzas for one device, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    entries: VecDeque<Entry>,
    last: u64,
    drain: Option<Drain>,
}

/// The handing out of what waited, in batches.
#[derive(Debug, Clone, Copy)]
struct Drain {
    /// Number of the last stanza that belongs to it.
    until: u64,
    /// Stanzas handed out.
    done: usize,
    /// Stanzas that it holds.
    count: usize,
}

impl Queue {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    fn add(&mut self, node: Node, now: u64, limit: usize) {
        self.last += 1;
        self.entries.push_back(Entry {
            number: self.last,
            queued: now,
            class: node.tag().to_owned(),
            kind: stanza::text(&node, "type"),
            id: stanza::id(&node),
            from: node.attr_jid("from"),
            participant: node.attr_jid("participant"),
            node,
            sent: false,
        });
        while self.entries.len() > limit {
            self.entries.pop_front();
        }
    }

    /// Takes out stanzas that a later one makes superfluous.
    pub(super) fn supersede(&mut self, superfluous: impl Fn(&Node) -> bool) {
        self.entries.retain(|entry| entry.sent || !superfluous(&entry.node));
    }

    /// The connection ended: everything unsettled counts as unsent.
    pub(super) fn disconnected(&mut self) {
        self.drain = None;
        for entry in &mut self.entries {
            entry.sent = false;
        }
    }

    fn expire(&mut self, now: u64) {
        let oldest = now.saturating_sub(KEPT_DAYS * 86_400);
        self.entries.retain(|entry| entry.queued >= oldest);
    }

    fn count(&self, class: &str) -> usize {
        self.entries.iter().filter(|entry| entry.class == class).count()
    }

    fn app_data(&self) -> usize {
        self.entries.iter().filter(|entry| entry.kind.as_deref() == Some("server_sync")).count()
    }
}

/// What a client says that it has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settlement<'a> {
    pub(super) class: &'a str,
    pub(super) id: &'a str,
    pub(super) to: Option<&'a Jid>,
    pub(super) participant: Option<&'a Jid>,
    pub(super) error: Option<&'a str>,
}

impl Service {
    /// Puts a stanza into a device's queue and sends it if the device takes part in live traffic.
    pub(super) fn push(&mut self, to: DeviceId, node: Node) {
        if self.count_only(to) {
            return;
        }
        let label = self.accounts.label(to);
        let (class, id) = (node.tag().to_owned(), stanza::id(&node));
        let (now, limit) = (self.now, self.options.limits.queue);
        let Some(device) = self.accounts.device_mut(to) else { return };
        device.queue.add(node, now, limit);
        let live = device.active && device.queue.drain.is_none();
        let stream = device.stream.filter(|_| live);
        self.log(Event::Queued { device: label, class, id });
        if let Some(stream) = stream {
            self.flush_live(to, stream);
        }
    }

    /// Counts a stanza for a device that nobody uses. Tells whether it is one.
    pub(super) fn count_only(&mut self, to: DeviceId) -> bool {
        let counted = self.accounts.device_mut(to).and_then(|device| device.counted.as_mut());
        counted.is_some_and(|counted| {
            *counted += 1;
            true
        })
    }

    fn flush_live(&mut self, to: DeviceId, stream: StreamId) {
        let Some(device) = self.accounts.device_mut(to) else { return };
        let mut ready = Vec::new();
        for entry in device.queue.entries.iter_mut().filter(|entry| !entry.sent) {
            entry.sent = true;
            ready.push(entry.node.clone());
        }
        for node in ready {
            self.send(stream, node);
        }
    }

    /// Begins to hand out what waited: the device has become active.
    pub(super) fn drain(&mut self, to: DeviceId, stream: StreamId) {
        let now = self.now;
        let Some(device) = self.accounts.device_mut(to) else { return };
        let queue = &mut device.queue;
        queue.expire(now);
        let count = queue.len();
        queue.drain = Some(Drain { until: queue.last, done: 0, count });
        let (messages, receipts) = (queue.count("message"), queue.count("receipt"));
        let (notifications, calls, app_data) =
            (queue.count("notification"), queue.count("call"), queue.app_data());
        if count > 0 {
            let preview = Node::new("offline_preview")
                .attr("count", count)
                .attr("message", messages)
                .attr("receipt", receipts)
                .attr("notification", notifications.saturating_sub(app_data))
                .attr("appdata", app_data)
                .attr("call", calls);
            self.bulletin(stream, preview);
        }
        match self.options.pace {
            Pace::Everything => self.drain_some(to, stream, usize::MAX),
            Pace::Batches | Pace::StrictBatches => self.drain_some(to, stream, PRIMER),
        }
    }

    /// Hands out up to `batch` further stanzas, and the end marker after the last.
    pub(super) fn drain_some(&mut self, to: DeviceId, stream: StreamId, batch: usize) {
        let Some(device) = self.accounts.device_mut(to) else { return };
        let Some(mut drain) = device.queue.drain else { return };
        let waiting = |entry: &&mut Entry| !entry.sent && entry.number <= drain.until;
        let mut ready = Vec::new();
        for entry in device.queue.entries.iter_mut().filter(waiting).take(batch) {
            entry.sent = true;
            ready.push(entry.node.clone());
        }
        let finished = !device.queue.entries.iter().any(|entry| !entry.sent && entry.number <= drain.until);
        let mut stanzas = Vec::new();
        for node in ready {
            drain.done += 1;
            stanzas.push(node.attr("offline", drain.done));
        }
        device.queue.drain = (!finished).then_some(drain);
        for node in stanzas {
            self.send(stream, node);
        }
        if finished {
            self.bulletin(stream, Node::new("offline").attr("count", drain.count));
            let label = self.accounts.label(to);
            self.log(Event::QueueDrained { device: label, count: drain.count });
            self.flush_live(to, stream);
        } else if self.options.pace == Pace::Batches {
            self.wake(Wake::Drain { stream, done: drain.done }, SILENCE_MS);
        }
    }

    /// The client has been silent since `done` stanzas were handed out.
    pub(super) fn drain_silence(&mut self, stream: StreamId, done: usize) {
        let Some(device) = self.device_on(stream) else { return };
        let drain = self.accounts.device(device).and_then(|found| found.queue.drain);
        if drain.is_some_and(|drain| drain.done == done) {
            self.drain_some(device, stream, usize::MAX);
        }
    }

    /// Forgets a stanza that a fault has swallowed, if it stands in the device's queue.
    pub(super) fn forget_queued(&mut self, device: DeviceId, node: &Node) {
        let id = stanza::id(node);
        if let Some(device) = self.accounts.device_mut(device) {
            device.queue.entries.retain(|entry| entry.id != id || entry.class != node.tag());
        }
    }

    /// Takes a stanza out of a device's queue because the device has it. Tells whether one was found.
    pub(super) fn settle(&mut self, device: DeviceId, what: Settlement<'_>) -> bool {
        let accounts = &self.accounts;
        let fits = |entry: &Entry| {
            let address = match (what.to, &entry.from) {
                (None, _) | (_, None) => true,
                (Some(to), Some(from)) if what.class == "message" => {
                    to == from || accounts.same_account(to, from)
                }
                (Some(to), Some(from)) => to == from || accounts.same_device(to, from),
            };
            let participant = match (&entry.participant, what.participant) {
                (None, _) => true,
                // Receipts leave it out when it equals the address.
                (Some(wanted), None) => what.to.is_some_and(|to| accounts.same_device(to, wanted)),
                (Some(wanted), Some(named)) if what.class == "message" => {
                    accounts.same_account(wanted, named)
                }
                (Some(wanted), Some(named)) => accounts.same_device(wanted, named),
            };
            entry.sent && entry.class == what.class && entry.id == what.id && address && participant
        };
        let found = accounts.device(device).and_then(|found| found.queue.entries.iter().position(fits));
        let Some(at) = found else { return false };
        if let Some(device) = self.accounts.device_mut(device) {
            device.queue.entries.remove(at);
        }
        let label = self.accounts.label(device);
        self.log(Event::Settled {
            device: label,
            class: what.class.to_owned(),
            id: what.id.to_owned(),
            error: what.error.map(str::to_owned),
        });
        true
    }
}

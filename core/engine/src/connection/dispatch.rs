//! Which stanza goes where.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, mpsc};
use tokio::time::Instant;
use whimbrel_wire::{Node, NodeRef};

use super::{Connection, iq};

/// How long the lane waits for more of what had waited at the service before it commits what it has:
/// a commit costs a write to disk, and one for hundreds of stanzas costs the same.
const GATHERING: Duration = Duration::from_secs(3);

/// A silence that ends the gathering.
const PAUSE: Duration = Duration::from_millis(25);

/// Stanzas that may wait for the inbound lane; a full queue stops the reading.
const INBOUND_STANZAS: usize = 400;

/// Bytes of stanzas that may wait for the inbound lane, in units of 1 KiB.
const INBOUND_KIB: u32 = 4 * 1024;

/// Stanzas on the way through the inbound lane.
#[derive(Default)]
pub(crate) struct Backlog {
    stanzas: AtomicU64,
    /// The lane waits for the host, and so for as long as that likes.
    held_up: AtomicBool,
    changed: Notify,
}

impl Backlog {
    /// Stanzas are dealt with: what follows from them is durable.
    pub(crate) fn done(&self, stanzas: usize) {
        self.stanzas.fetch_sub(stanzas as u64, Ordering::AcqRel);
        self.changed.notify_waiters();
    }

    /// The lane waits for the host, or does not any more.
    pub(crate) fn hold_up(&self, held_up: bool) {
        self.held_up.store(held_up, Ordering::Release);
        self.changed.notify_waiters();
    }

    fn is_over(&self) -> bool {
        self.stanzas.load(Ordering::Acquire) == 0 || self.held_up.load(Ordering::Acquire)
    }

    /// Ends when everything that came is dealt with, as far as that does not wait for the host.
    pub(crate) async fn over(&self) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if self.is_over() {
                return;
            }
            changed.await;
        }
    }
}

/// The inbound lane's end of the queue.
pub(crate) struct Inbound {
    queue: mpsc::Receiver<(Node, u32)>,
    room: Arc<Semaphore>,
    taken: Vec<(Node, u32)>,
}

/// The reader's end of all queues.
pub(super) struct Router {
    control: mpsc::Sender<Node>,
    inbound: mpsc::Sender<(Node, u32)>,
    room: Arc<Semaphore>,
}

/// Where a stanza belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Whoever waits for the answer.
    Answer,
    /// The session: the stream and the link.
    Session,
    /// The inbound lane.
    Lane,
}

pub(super) fn routes(control: mpsc::Sender<Node>) -> (Router, Inbound) {
    let (inbound, queue) = mpsc::channel(INBOUND_STANZAS);
    let room = Arc::new(Semaphore::new(INBOUND_KIB as usize));
    let lane = Inbound { queue, room: Arc::clone(&room), taken: Vec::new() };
    (Router { control, inbound, room }, lane)
}

fn way(node: &NodeRef<'_>) -> Way {
    match node.tag() {
        "iq" | "ack" if iq::is_answer(node) => Way::Answer,
        "iq" | "ib" | "success" | "failure" | "stream:error" | "xmlstreamend" => Way::Session,
        "notification" if is_about_keys_or_link(node) => Way::Session,
        _ => Way::Lane,
    }
}

/// Notifications about this device's own prekeys and about linking it.
fn is_about_keys_or_link(node: &NodeRef<'_>) -> bool {
    if node.attr_is("type", "encrypt") {
        return node.child_named("count").is_some() || node.child_named("digest").is_some();
    }
    node.attr_is("type", "link_code_companion_reg")
        || node.attr_is("type", "companion_reg_refresh")
        || crate::link::passkey::is_about(node)
}

impl Router {
    /// Passes a stanza on; waits while its queue is full. `size` is that of its frame. Returns
    /// `false` when the session is gone.
    pub(super) async fn route(&self, connection: &Connection, node: NodeRef<'_>, size: usize) -> bool {
        let node = match way(&node) {
            Way::Answer => match connection.answers.answer(node) {
                None => return true,
                // An ack may come after its waiter gave up; the lane knows what it means.
                Some(late) if late.tag() == "ack" => late,
                Some(_) => return true,
            },
            Way::Session => return self.control.send(node.into_owned()).await.is_ok(),
            Way::Lane => node,
        };
        if node.attr_value("offline").is_some() {
            connection.activity.offline_stanza();
        }
        connection.backlog.stanzas.fetch_add(1, Ordering::AcqRel);
        let node = node.into_owned();
        let kib = u32::try_from(size / 1024).unwrap_or(INBOUND_KIB).clamp(1, INBOUND_KIB);
        let fits = self.room.try_acquire_many(kib).map(tokio::sync::SemaphorePermit::forget);
        if fits.is_ok() {
            match self.inbound.try_send((node, kib)) {
                Ok(()) => return true,
                Err(mpsc::error::TrySendError::Closed(_)) => return true,
                Err(mpsc::error::TrySendError::Full(stanza)) => {
                    // A lane that has ended needs no more stanzas; the service keeps them.
                    let _ = connection.activity.stall(self.inbound.send(stanza)).await;
                }
            }
            return true;
        }
        let queued = async {
            if let Ok(permit) = self.room.acquire_many(kib).await {
                permit.forget();
                // A lane that has ended needs no more stanzas; the service keeps them.
                let _ = self.inbound.send((node, kib)).await;
            }
        };
        connection.activity.stall(queued).await;
        true
    }
}

impl super::Activity {
    /// Marks the reader as waiting for the host while a future runs.
    async fn stall<T>(&self, waiting: impl Future<Output = T>) -> T {
        use std::sync::atomic::Ordering;
        self.stalled.store(true, Ordering::Relaxed);
        let result = waiting.await;
        self.stalled.store(false, Ordering::Relaxed);
        self.received_now();
        result
    }
}

impl Inbound {
    /// Waits for stanzas and takes all that wait. Of what had waited at the service, it takes what
    /// comes without a pause, within bounds. Returns `false` when the connection is over and nothing
    /// is left.
    ///
    /// The lane must not wait for an answer of the service while it holds stanzas back: the
    /// answer may stand behind stanzas for which there is no room.
    pub(crate) async fn next_batch(&mut self, into: &mut Vec<Node>) -> bool {
        if self.queue.recv_many(&mut self.taken, INBOUND_STANZAS).await == 0 {
            return false;
        }
        if self.taken.iter().any(|(node, _)| node.attr_value("offline").is_some()) {
            self.gather().await;
        }
        let mut freed = 0;
        for (node, kib) in self.taken.drain(..) {
            freed += kib as usize;
            into.push(node);
        }
        self.taken.shrink_to(8);
        self.room.add_permits(freed);
        true
    }
}

impl Inbound {
    /// Takes more of what comes, until it is enough for one commit.
    async fn gather(&mut self) {
        let end = Instant::now() + GATHERING;
        loop {
            let kib: u32 = self.taken.iter().map(|(_, kib)| kib).sum();
            let room = INBOUND_STANZAS.saturating_sub(self.taken.len());
            if room == 0 || kib >= INBOUND_KIB {
                return;
            }
            let pause = (Instant::now() + PAUSE).min(end);
            match tokio::time::timeout_at(pause, self.queue.recv_many(&mut self.taken, room)).await {
                Ok(1..) => {}
                Ok(0) | Err(_) => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use whimbrel_wire::Jid;

    #[test]
    fn every_stanza_has_its_way() {
        let iq = |kind: &'static str| Node::new("iq").attr("type", kind);
        let notification = |kind: &'static str| Node::new("notification").attr("type", kind);
        for (node, expected) in [
            (iq("result"), Way::Answer),
            (iq("error"), Way::Answer),
            (Node::new("ack").attr("class", "message"), Way::Answer),
            (iq("get"), Way::Session),
            (iq("set"), Way::Session),
            (Node::new("success"), Way::Session),
            (Node::new("failure"), Way::Session),
            (Node::new("stream:error"), Way::Session),
            (Node::new("xmlstreamend"), Way::Session),
            (Node::new("ib"), Way::Session),
            (notification("encrypt").child(Node::new("count")), Way::Session),
            (notification("encrypt").child(Node::new("digest")), Way::Session),
            (notification("encrypt").child(Node::new("identity")), Way::Lane),
            (notification("companion_reg_refresh"), Way::Session),
            (notification("passkey_prologue_request"), Way::Session),
            (notification("devices"), Way::Lane),
            (Node::new("message"), Way::Lane),
            (Node::new("receipt"), Way::Lane),
            (Node::new("call"), Way::Lane),
            (Node::new("something"), Way::Lane),
        ] {
            assert_eq!(way(&node), expected, "{node}");
        }
    }

    fn connection() -> (Connection, Router, Inbound, mpsc::Receiver<Node>) {
        let (control_sender, control) = mpsc::channel(1);
        let (router, inbound) = routes(control_sender);
        let (connection, _) = Connection::idle(1);
        (connection, router, inbound, control)
    }

    fn message(id: usize) -> Node {
        Node::new("message").attr("id", id).attr("from", Jid::SERVER)
    }

    #[tokio::test]
    async fn a_full_queue_stops_the_reader_until_the_lane_takes_a_batch() {
        use std::sync::atomic::Ordering;
        let (connection, router, mut inbound, _control) = connection();
        for id in 0..INBOUND_STANZAS {
            assert!(router.route(&connection, message(id), 100).await);
        }
        let (mut batch, mut last) = (Vec::new(), Vec::new());
        let blocked = router.route(&connection, message(INBOUND_STANZAS), 100);
        tokio::pin!(blocked);
        tokio::select! {
            biased;
            _ = &mut blocked => panic!("there was no room"),
            () = std::future::ready(()) => {}
        }
        assert!(connection.activity.stalled.load(Ordering::Relaxed));
        assert!(inbound.next_batch(&mut batch).await);
        assert_eq!(batch.len(), INBOUND_STANZAS);
        assert!(blocked.await);
        assert!(inbound.next_batch(&mut last).await);
        assert!(last.first().unwrap().attr_is("id", "400"));
        assert!(!connection.activity.stalled.load(Ordering::Relaxed));
    }

    #[tokio::test]
    async fn large_stanzas_fill_the_queue_by_their_size() {
        let (connection, router, mut inbound, _control) = connection();
        for id in 0..4 {
            assert!(router.route(&connection, message(id), 1024 * 1024).await);
        }
        let blocked = router.route(&connection, message(4), 16 * 1024 * 1024);
        tokio::pin!(blocked);
        tokio::select! {
            biased;
            _ = &mut blocked => panic!("there was no room"),
            () = std::future::ready(()) => {}
        }
        let mut batch = Vec::new();
        assert!(inbound.next_batch(&mut batch).await);
        assert!(blocked.await, "one stanza of any size fits into an empty queue");
        assert!(inbound.next_batch(&mut batch).await);
        assert_eq!(batch.len(), 5);
    }

    #[tokio::test]
    async fn late_acks_reach_the_lane_and_late_results_nobody() {
        let (connection, router, mut inbound, _control) = connection();
        assert!(router.route(&connection, Node::new("iq").attr("type", "result").attr("id", "1"), 20).await);
        assert!(
            router.route(&connection, Node::new("ack").attr("class", "message").attr("id", "2"), 20).await
        );
        let mut batch = Vec::new();
        assert!(inbound.next_batch(&mut batch).await);
        assert_eq!(batch.iter().map(NodeRef::tag).collect::<Vec<_>>(), ["ack"]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_had_waited_is_gathered_and_the_rest_is_not() {
        let (connection, router, mut inbound, _control) = connection();
        let late = |id: usize| message(id).attr("offline", "1");
        let mut batch = Vec::new();
        let (taken, ()) = tokio::join!(inbound.next_batch(&mut batch), async {
            for id in 0..500 {
                assert!(router.route(&connection, late(id), 100).await);
                tokio::time::sleep(PAUSE / 5).await;
            }
        });
        assert!(taken);
        assert_eq!(batch.len(), INBOUND_STANZAS, "at most as many as fit into one transaction");
        batch.clear();
        assert!(inbound.next_batch(&mut batch).await);
        assert_eq!(batch.len(), 100);
        assert!(router.route(&connection, message(501), 100).await);
        batch.clear();
        let before = Instant::now();
        assert!(inbound.next_batch(&mut batch).await);
        assert_eq!((batch.len(), before.elapsed()), (1, Duration::ZERO));
    }

    #[tokio::test]
    async fn the_backlog_is_over_when_all_is_durable_or_the_host_is_waited_for() {
        let (connection, router, _inbound, _control) = connection();
        connection.backlog.over().await;
        for id in 0..2 {
            assert!(router.route(&connection, message(id), 100).await);
        }
        let is_over = || futures_util::FutureExt::now_or_never(connection.backlog.over()).is_some();
        assert!(!is_over());
        connection.backlog.hold_up(true);
        assert!(is_over());
        connection.backlog.hold_up(false);
        connection.backlog.done(1);
        assert!(!is_over());
        tokio::join!(connection.backlog.over(), async { connection.backlog.done(1) });
    }
}

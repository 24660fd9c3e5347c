//! Which stanza goes where.

use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc};
use whimbrel_wire::{Node, NodeRef};

use super::{Connection, iq};

/// Stanzas that may wait for the inbound lane; a full queue stops the reading.
pub(crate) const INBOUND_STANZAS: usize = 400;

/// Bytes of stanzas that may wait for the inbound lane, in units of 1 KiB.
const INBOUND_KIB: u32 = 4 * 1024;

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
    /// Waits for stanzas and takes all that wait. Returns `false` when the connection is over
    /// and nothing is left.
    ///
    /// The lane must not wait for an answer of the service while it holds stanzas back: the
    /// answer may stand behind stanzas for which there is no room.
    pub(crate) async fn next_batch(&mut self, into: &mut Vec<Node>) -> bool {
        if self.queue.recv_many(&mut self.taken, INBOUND_STANZAS).await == 0 {
            return false;
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
        let (outgoing, _) = mpsc::channel(1);
        let (control_sender, control) = mpsc::channel(1);
        let (router, inbound) = routes(control_sender);
        let connection = Connection {
            generation: 1,
            outgoing,
            answers: iq::Answers::open(),
            closing: tokio::sync::Notify::new(),
            activity: super::super::Activity::new(),
        };
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
}

//! One connection to the service: socket, handshake, frames, stanzas, requests.
//!
//! A connection is driven by one task, the session of [`client`](crate::client), which polls the
//! reader, the writer and the keepalive. The reader sorts stanzas into three ways: answers go to
//! those who wait for them, what concerns the stream or the link goes to the session, everything
//! else goes to the inbound lane. All queues are bounded; a full inbound queue stops the reading.

pub(crate) mod backoff;
pub(crate) mod dial;
pub(crate) mod dispatch;
mod handshake;
pub(crate) mod iq;
pub(crate) mod jump;
mod keepalive;
pub(crate) mod payload;
pub(crate) mod proxy;
mod reader;
pub(crate) mod slots;
mod socket;
pub(crate) mod stream;
pub(crate) mod tls;
mod writer;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch};
use tokio::time::Instant;
use whimbrel_wire::Node;

pub(crate) use dial::{Route, is_loopback};
pub(crate) use dispatch::Inbound;
pub(crate) use handshake::{Channel, HandshakeError, Identify, ServerKey, connect};
pub(crate) use iq::RequestIds;
pub(crate) use socket::{SocketError, Target};

use crate::error::{Code, Error, Outcome};
use iq::{Answers, Question};

/// Stanzas that wait for the writer.
const OUTGOING: usize = 64;

/// Stanzas that wait for the session.
const CONTROL: usize = 32;

/// What others see of a live connection.
pub(crate) struct Connection {
    /// Grows with each connection of a client.
    pub(crate) generation: u64,
    outgoing: mpsc::Sender<Node>,
    answers: Answers,
    closing: Notify,
    activity: Activity,
    /// What the inbound lane has not dealt with yet.
    pub(crate) backlog: Backlog,
}

/// When something last came, for the keepalive.
struct Activity {
    opened: Instant,
    received_ms: AtomicU64,
    /// The reader waits for room in the inbound queue: silence is ours, not the service's.
    stalled: AtomicBool,
    /// Stanzas that had waited at the service, since last asked.
    offline: AtomicU64,
    offline_came: Notify,
    /// Whether the service gave a sign of life when it was last asked for one.
    responsive: watch::Sender<bool>,
}

impl Activity {
    fn new() -> Self {
        Self {
            opened: Instant::now(),
            received_ms: AtomicU64::new(0),
            stalled: AtomicBool::new(false),
            offline: AtomicU64::new(0),
            offline_came: Notify::new(),
            responsive: watch::Sender::new(true),
        }
    }

    fn set_responsive(&self, responsive: bool) {
        self.responsive.send_if_modified(|known| std::mem::replace(known, responsive) != responsive);
    }

    fn received_now(&self) {
        let elapsed = u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.received_ms.store(elapsed, Ordering::Relaxed);
    }

    fn offline_stanza(&self) {
        self.offline.fetch_add(1, Ordering::Relaxed);
        self.offline_came.notify_one();
    }

    fn last_received(&self) -> Instant {
        let after = Duration::from_millis(self.received_ms.load(Ordering::Relaxed));
        self.opened.checked_add(after).unwrap_or(self.opened)
    }
}

/// Why a connection ended without a word of the service.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Lost {
    /// Closed, by either side.
    #[error("the connection was closed")]
    Closed,
    /// The socket broke.
    #[error("the socket failed: {0}")]
    Socket(Box<tokio_tungstenite::tungstenite::Error>),
    /// Something else than binary messages came.
    #[error("a message was not binary")]
    NotBinary,
    /// The bytes are no frames.
    #[error(transparent)]
    Frame(#[from] whimbrel_wire::FrameError),
    /// A frame was not sealed by the service.
    #[error("a frame could not be opened or sealed")]
    Cipher,
    /// A frame holds no stanza.
    #[error("a frame could not be decoded: {0}")]
    Decode(#[from] whimbrel_wire::DecodeError),
    /// Nothing came for too long.
    #[error("the service gave no sign of life")]
    Silent,
}

impl Lost {
    /// A stable lowercase word.
    pub(crate) const fn reason(&self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Socket(_) => "socket_failed",
            Self::NotBinary | Self::Frame(_) => "protocol_error",
            Self::Cipher => "frame_auth_failed",
            Self::Decode(_) => "bad_frame",
            Self::Silent => "silent",
        }
    }

    /// The WebSocket close code that says so.
    const fn close_code(&self) -> u16 {
        match self {
            Self::Closed | Self::Socket(_) | Self::Silent => 1000,
            Self::NotBinary => 1003,
            Self::Frame(error) => error.close_code(),
            Self::Cipher | Self::Decode(_) => 1002,
        }
    }
}

impl From<tokio_tungstenite::tungstenite::Error> for Lost {
    fn from(error: tokio_tungstenite::tungstenite::Error) -> Self {
        use tokio_tungstenite::tungstenite::Error as Socket;
        match error {
            Socket::ConnectionClosed | Socket::AlreadyClosed => Self::Closed,
            other => Self::Socket(Box::new(other)),
        }
    }
}

/// A connection with what drives it.
pub(crate) struct Live<P> {
    /// For everybody.
    pub(crate) connection: Arc<Connection>,
    /// Stanzas for the session.
    pub(crate) control: mpsc::Receiver<Node>,
    /// Stanzas for the inbound lane.
    pub(crate) inbound: Inbound,
    /// Reads, writes and keeps alive while it is polled; ends with the connection.
    pub(crate) pump: P,
}

/// Starts the traffic on an opened channel.
pub(crate) fn start(
    channel: handshake::Channel,
    generation: u64,
    keep_alive: keepalive::Keepalive,
) -> Live<impl Future<Output = Lost> + Send> {
    let (outgoing, queue) = mpsc::channel(OUTGOING);
    let (control_sender, control) = mpsc::channel(CONTROL);
    let (router, inbound) = dispatch::routes(control_sender);
    let connection = Arc::new(Connection {
        generation,
        outgoing,
        answers: Answers::open(),
        closing: Notify::new(),
        activity: Activity::new(),
        backlog: Backlog::default(),
    });
    let shared = Arc::clone(&connection);
    let pump = async move {
        let (mut reader, mut writer) = channel.split(router, queue);
        let lost = {
            let reading = reader.run(&shared);
            let writing = writer.run(&shared);
            let keeping = keep_alive.run(&shared);
            tokio::pin!(reading, writing, keeping);
            tokio::select! {
                biased;
                lost = &mut reading => lost,
                written = &mut writing => match written {
                    Ok(()) => Lost::Closed,
                    // What the service said before it closed still counts.
                    Err(lost) => tokio::time::timeout(LAST_WORDS, &mut reading).await.unwrap_or(lost),
                },
                lost = keeping => lost,
            }
        };
        shared.answers.close();
        // The other side may be gone.
        let _ = tokio::time::timeout(LAST_WORDS, writer.close(lost.close_code())).await;
        lost
    };
    Live { connection, control, inbound, pump }
}

/// How long an ending connection may take to say and hear what is left.
const LAST_WORDS: Duration = Duration::from_millis(500);

pub(crate) use dispatch::Backlog;
pub(crate) use keepalive::Keepalive;

impl Connection {
    /// A connection on which nothing comes; with what is to leave, of which so much may wait. It lasts as
    /// long as that is kept.
    #[cfg(test)]
    pub(crate) fn idle(room: usize) -> (Self, mpsc::Receiver<Node>) {
        let (outgoing, queue) = mpsc::channel(room);
        let connection = Self {
            generation: 1,
            outgoing,
            answers: Answers::open(),
            closing: Notify::new(),
            activity: Activity::new(),
            backlog: Backlog::default(),
        };
        (connection, queue)
    }

    /// Queues a stanza. Waits while the queue is full.
    pub(crate) async fn send(&self, node: Node) -> Result<(), Error> {
        self.outgoing.send(node).await.map_err(|_| lost(Outcome::NotSent))
    }

    /// Sends an IQ under an id and waits for its answer; an error answer is an error.
    pub(crate) async fn request(&self, id: String, iq: Node, timeout: Duration) -> Result<Node, Error> {
        let answer = self.exchange(iq.attr("id", id.clone()), &id, timeout).await?;
        iq::accept(answer)
    }

    /// Sends a stanza that has an id and waits for the ack with the same id, positive or not.
    pub(crate) async fn send_awaiting_ack(&self, node: Node, timeout: Duration) -> Result<Node, Error> {
        let Some(id) = node.attr_text("id").map(std::borrow::Cow::into_owned) else {
            return Err(Error::new(Code::Internal, "a stanza without an id cannot be acknowledged"));
        };
        self.exchange(node, &id, timeout).await
    }

    async fn exchange(&self, node: Node, id: &str, timeout: Duration) -> Result<Node, Error> {
        // Declared first, so dropped last: it looks for receivers that are gone.
        let waiter = Waiter { connection: self, id };
        let Some(answer) = self.answers.expect(id, Question::of(&node)) else {
            return Err(lost(Outcome::NotSent));
        };
        let deadline = Instant::now().checked_add(timeout);
        let deadline = deadline.unwrap_or_else(|| Instant::now() + Duration::from_secs(86_400));
        match tokio::time::timeout_at(deadline, self.outgoing.send(node)).await {
            Ok(sent) => sent.map_err(|_| lost(Outcome::NotSent))?,
            Err(_) => return Err(late(Outcome::NotSent)),
        }
        let answered = tokio::time::timeout_at(deadline, answer).await;
        drop(waiter);
        match answered {
            Ok(Ok(node)) => Ok(node),
            Ok(Err(_)) => Err(lost(Outcome::Unknown)),
            Err(_) => Err(late(Outcome::Unknown)),
        }
    }

    /// Writes what is queued, then closes.
    pub(crate) fn close(&self) {
        self.closing.notify_one();
    }

    /// Ends when a stanza arrives that had waited at the service, or when such stanzas may come.
    pub(crate) async fn offline_stanza(&self) {
        self.activity.offline_came.notified().await;
    }

    /// The service was told to deliver: from now on its silence counts.
    pub(crate) fn deliveries_begin(&self) {
        self.activity.offline_came.notify_one();
    }

    /// How many of them arrived since this was last asked.
    pub(crate) fn take_offline_stanzas(&self) -> u64 {
        self.activity.offline.swap(0, Ordering::Relaxed)
    }

    /// Whether the service gives signs of life, as far as was asked.
    pub(crate) fn watch_responsive(&self) -> watch::Receiver<bool> {
        self.activity.responsive.subscribe()
    }

    /// Ends when the connection is over.
    pub(crate) async fn closed(&self) {
        self.outgoing.closed().await;
    }

    /// Whether the connection is over.
    pub(crate) fn is_closed(&self) -> bool {
        self.outgoing.is_closed()
    }
}

/// Forgets an answer that nobody waits for any more, also when the waiting future is dropped.
struct Waiter<'a> {
    connection: &'a Connection,
    id: &'a str,
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.connection.answers.forget(self.id);
    }
}

fn lost(outcome: Outcome) -> Error {
    Error::new(Code::NotConnected, "the connection was lost").with_outcome(outcome)
}

fn late(outcome: Outcome) -> Error {
    Error::new(Code::TimedOut, "the service did not answer in time").with_outcome(outcome)
}

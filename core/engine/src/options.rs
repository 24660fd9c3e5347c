//! Options of engines, clients and calls. Every default is a sensible one for production.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use whimbrel_wire::Jid;

pub use crate::connection::proxy::Proxy;
use crate::messages::MessageKey;

/// Options of an [`Engine`](crate::Engine).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EngineOptions {
    /// Worker threads of the engine; default 2.
    pub worker_threads: usize,
    /// Where the service is; default the real one.
    pub endpoint: Endpoint,
    /// Version of the web client that is presented to the service, as `(2, 3000, revision)`.
    /// `None` (default): the newest of the built-in one and those that were found. It can be
    /// changed later with [`Engine::set_client_version`](crate::Engine::set_client_version).
    pub client_version: Option<[u32; 3]>,
    /// When the service refuses the version as too old, look for the present one on the
    /// service's page, at most once an hour, and try again (default `true`). Never done for a
    /// version that the host set.
    pub find_version: bool,
    /// How many clients may be connecting at a time; default 64. The others wait for their turn.
    pub connect_limit: usize,
    /// Longest silence after which the connection is probed; default 30 s. A probe that stays
    /// unanswered ends the connection, and a new one is made. After a login, twice this time of silence
    /// counts as the end of what had waited at the service, should it not say so.
    pub keep_alive: Duration,
    /// Seed of all randomness, for repeatable tests. `None` (default): the system's source.
    /// Never set it in production: keys become predictable.
    pub insecure_seed: Option<u64>,
    /// Where the engine's own threads log to. `None` (default): the process's subscriber.
    pub log: Option<tracing::Dispatch>,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            worker_threads: 2,
            endpoint: Endpoint::default(),
            client_version: None,
            find_version: true,
            connect_limit: 64,
            keep_alive: Duration::from_secs(30),
            insecure_seed: None,
            log: None,
        }
    }
}

/// Where the service is and how it proves itself.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Endpoint {
    /// WebSocket address; `wss://web.whatsapp.com/ws/chat` by default. `ws://` is accepted for
    /// loopback addresses only.
    pub url: String,
    /// Root key (32 bytes, Curve25519) and serial of the server's Noise certificate.
    /// `None` (default): the production root.
    pub noise_root: Option<([u8; 32], u32)>,
    /// A further TLS certificate authority in PEM form, such as a sandbox's. `None` by default.
    pub extra_ca_pem: Option<String>,
    /// Page that names the present version of the web client. `None` (default): the service's
    /// own if `url` is the service's, else none. `http://` is accepted for loopback addresses
    /// only.
    pub version_url: Option<String>,
}

/// WebSocket address of the service.
const SERVICE: &str = "wss://web.whatsapp.com/ws/chat";

impl Endpoint {
    /// Whether this is the service itself.
    pub(crate) fn is_real(&self) -> bool {
        self.url == SERVICE
    }
}

impl Default for Endpoint {
    fn default() -> Self {
        Self { url: SERVICE.to_owned(), noise_root: None, extra_ca_pem: None, version_url: None }
    }
}

/// Options of a [`Client`](crate::Client).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClientOptions {
    /// Connect as soon as the client is opened: log in when linked, else begin linking by QR
    /// (codes come as events). Default `true`. With `false` nothing happens until
    /// [`Client::connect`](crate::Client::connect) or one of the `link_…` calls.
    pub auto_start: bool,
    /// The host acknowledges events itself by
    /// [`Client::acknowledge`](crate::Client::acknowledge). Default `false`: taking an event
    /// from the stream acknowledges the one before it.
    pub manual_acknowledge: bool,
    /// Deadline of calls that do not give their own; default 60 s.
    pub request_timeout: Duration,
    /// Name under which the phone lists this device; default `whimbrel`.
    pub device_name: String,
    /// Events that may wait unacknowledged in the journal before the engine stops reading from
    /// the service; default 100,000.
    pub journal_limit: u64,
    /// The same in bytes of the journal; default 256 MiB.
    pub journal_limit_bytes: u64,
    /// Each commit waits until the disk has it (default `true`: survives power loss). With
    /// `false` commits survive a crash of the process but not of the machine.
    pub sync_to_disk: bool,
    /// Proxy for all connections of this client. `None` (default): connect directly.
    pub proxy: Option<Proxy>,
    /// Where encrypted files lie while they are uploaded. `None` (default): the system's folder for
    /// temporary files. Choose one on a disk if that is in memory.
    pub temporary_folder: Option<PathBuf>,
    /// Keep chats, messages and people, so that they can be looked up (default `true`). Without, the
    /// client keeps what it needs to send and receive, and nothing of what was said.
    pub archive: bool,
    /// How many days messages are kept in the archive. What is older is forgotten, with everything that people did
    /// to it, also starred and pinned messages; chats and people stay. `None` (default): for ever.
    pub archive_days: Option<u32>,
    /// Ask the phone for all of its history when linking, not only for the last weeks (default
    /// `false`). It takes effect with the next link, and needs [`archive`](Self::archive).
    pub full_history: bool,
    /// How many days of history to ask the phone for when linking. `None` (default): the phone decides.
    pub history_days: Option<u32>,
}

impl ClientOptions {
    /// Where temporary files lie.
    pub(crate) fn temporary_folder(&self) -> PathBuf {
        self.temporary_folder.clone().unwrap_or_else(std::env::temp_dir)
    }
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            auto_start: true,
            manual_acknowledge: false,
            request_timeout: Duration::from_secs(60),
            device_name: "whimbrel".to_owned(),
            journal_limit: 100_000,
            journal_limit_bytes: 256 << 20,
            sync_to_disk: true,
            proxy: None,
            temporary_folder: None,
            archive: true,
            archive_days: None,
            full_history: false,
            history_days: None,
        }
    }
}

/// Options of any call.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct CallOptions {
    /// Deadline, from the moment of the call. `None`: the client's `request_timeout`.
    pub timeout: Option<Duration>,
    /// What cancels the call, for calls that can say what became of their work then: sends and
    /// transfers of files.
    pub cancel: Option<Cancel>,
}

/// What a send waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SendWait {
    /// The message is durable: it will be sent, whatever happens to the process. What became of it
    /// follows as a [`SendStatus`](crate::events::EventKind::SendStatus) event.
    Queued,
    /// The service has the message.
    #[default]
    Sent,
    /// A device of the recipient has the message; in a group, a device of any other member. In the
    /// chat with oneself this is the same as [`Sent`](Self::Sent). That the service has it comes as a
    /// [`SendStatus`](crate::events::EventKind::SendStatus) event before.
    Delivered,
}

/// Cancels the call that was given a clone of it.
///
/// A message that has not left by then is withdrawn, and its call fails with
/// [`Outcome::NotSent`](crate::Outcome::NotSent). After that only the waiting ends, with
/// [`Outcome::Unknown`](crate::Outcome::Unknown), and the fate follows as an event.
#[derive(Clone, Debug)]
pub struct Cancel(Arc<CancelState>);

#[derive(Debug)]
struct CancelState {
    cancelled: watch::Sender<bool>,
    heeded: AtomicBool,
}

impl Default for Cancel {
    fn default() -> Self {
        Self(Arc::new(CancelState { cancelled: watch::Sender::new(false), heeded: AtomicBool::new(false) }))
    }
}

impl Cancel {
    /// Cancels.
    pub fn cancel(&self) {
        self.0.cancelled.send_replace(true);
    }

    /// Whether a call looks at it, and so ends by itself when it is cancelled.
    pub fn is_heeded(&self) -> bool {
        self.0.heeded.load(Ordering::Acquire)
    }

    /// A call will look at it.
    pub(crate) fn heed(&self) {
        self.0.heeded.store(true, Ordering::Release);
    }

    /// Ends when the call is cancelled.
    pub(crate) async fn cancelled(&self) {
        // The sender is a field of this, so there is no error.
        let _ = self.0.cancelled.subscribe().wait_for(|cancelled| *cancelled).await;
    }
}

/// Options of a look-up of a person.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct LookupOptions {
    /// Ask the service even if both addresses are known; default `false`.
    pub fresh: bool,
    /// Deadline, from the moment of the call. `None`: the client's `request_timeout`.
    pub timeout: Option<Duration>,
}

/// Options of a send.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct SendOptions {
    /// Message to quote.
    pub quote: Option<MessageKey>,
    /// Id of the new message: 1 to 64 characters of `A-Z a-z 0-9 . - _`. A repetition under the same id is never a second
    /// message. `None`: the engine makes one.
    pub message_id: Option<String>,
    /// What to wait for; default [`SendWait::Sent`].
    pub wait: SendWait,
    /// Deadline, from the moment of the call. `None`: the client's `request_timeout`.
    pub timeout: Option<Duration>,
    /// What cancels the call.
    pub cancel: Option<Cancel>,
    /// Needed for content that receivers may not see, and without meaning for any other.
    pub fallback: Option<Fallback>,
    /// The chat of the quoted message, if it is another one: [`Jid::STATUS`] for a reply to a status, which
    /// is sent to its poster. `None`: the same chat.
    pub quoted_chat: Option<Jid>,
    /// Who sees a status: 1 to 5,000 people. Without meaning for any other chat. `None`: those whom the
    /// account's own setting means.
    pub audience: Option<Vec<Jid>>,
    /// The name that the media hosts gave the file of a channel's post
    /// ([`Uploaded::handle`](crate::media::Uploaded::handle)). Without meaning for any other chat.
    pub media_handle: Option<String>,
}

/// What is sent behind content of best effort: buttons, lists and native flows, which the service may
/// refuse and clients may not draw.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fallback {
    /// Nothing: the host takes it that nobody may see the content.
    Nothing,
    /// A text that says what the content says.
    Composed,
    /// This text.
    Text(String),
}

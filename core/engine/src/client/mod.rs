//! A client: one linked account on an engine.

mod gate;
mod inner;
mod lanes;
mod lifecycle;
mod session;
mod status;
mod supervisor;
mod tasks;
mod versions;

use std::sync::{Arc, Weak};
use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use tokio::time::Instant;

pub(crate) use inner::{Inner, not_linked};
pub(crate) use status::Goal;

use crate::engine::{CLOSE_ON_DROP, Threads};
use crate::error::{Code, Error, Outcome};
use crate::events::{ConnectionState, EventStream, Identity};
use crate::link::{PairingCode, PasskeyCode, QrCode, code, logout, passkey};
use crate::options::{CallOptions, ClientOptions};
use crate::statistics::Statistics;
use crate::store::{Account, Store};
use crate::version::ClientVersion;

/// One account on an [`Engine`](crate::Engine), with its store. Cloning gives another handle to
/// the same client.
///
/// Every async method may be awaited on any executor: the work is done on the engine's threads.
/// Dropping the future of a call ends the waiting; what had left by then is not taken back.
/// When the last handle is dropped the client closes with a deadline of five seconds.
#[derive(Clone)]
pub struct Client {
    handle: Arc<ClientHandle>,
}

struct ClientHandle {
    inner: Arc<Inner>,
    threads: Arc<Threads>,
}

/// The account that a client is linked to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccountInfo {
    /// The account under its addresses.
    pub identity: Identity,
    /// Number of this device in the account.
    pub device: u16,
    /// The phone's platform, such as `android` or `iphone`.
    pub platform: String,
    /// Name that the account gives itself.
    pub push_name: Option<String>,
    /// Verified business name, if the account is a business.
    pub business_name: Option<String>,
}

impl Client {
    pub(crate) fn start(
        threads: Arc<Threads>,
        store: Arc<dyn Store>,
        options: ClientOptions,
        rng: ChaCha20Rng,
    ) -> Result<Self, Error> {
        let auto_start = options.auto_start;
        let inner = Arc::new(Inner::new(Arc::clone(&threads.shared), store, options, rng)?);
        if auto_start {
            // A client whose link has ended stays as it is until the host asks for another one.
            inner.link.set_wanted(inner.account().is_none_or(|account| !account.logged_out));
            inner.wish_connected()?;
        }
        inner.spawn(supervisor::run(Arc::clone(&inner)));
        inner.spawn(crate::messages::send::run(Arc::clone(&inner)));
        inner.spawn(crate::history::run(Arc::clone(&inner)));
        inner.spawn(crate::archive::trim::run(Arc::clone(&inner)));
        inner.spawn(crate::appstate::run(Arc::clone(&inner)));
        Ok(Self { handle: Arc::new(ClientHandle { inner, threads }) })
    }

    /// The engine that it runs on.
    pub(crate) fn engine(&self) -> crate::engine::Engine {
        crate::engine::Engine::of(&self.handle.threads)
    }

    pub(crate) fn downgrade(&self) -> Weak<Inner> {
        Arc::downgrade(&self.handle.inner)
    }

    pub(crate) fn begin_close(&self) {
        drop(self.handle.inner.spawn_close(CLOSE_ON_DROP));
    }

    pub(crate) fn inner(&self) -> &Arc<Inner> {
        &self.handle.inner
    }

    /// Runs a call on the engine's threads. It ends at its deadline, when the client cancels it
    /// while closing, or when the returned future is dropped.
    pub(crate) async fn call<T: Send + 'static, F: Future<Output = Result<T, Error>> + Send + 'static>(
        &self,
        operation: &'static str,
        timeout: Option<Duration>,
        work: impl FnOnce(Arc<Inner>, Instant) -> F + Send + 'static,
    ) -> Result<T, Error> {
        let inner = Arc::clone(self.inner());
        let timeout = timeout.unwrap_or(inner.options.request_timeout).min(LONGEST_TIMEOUT);
        let running = self.handle.threads.shared.handle.spawn(async move {
            let Some(_entered) = inner.gate.enter() else { return Err(crate::engine::closed()) };
            let deadline = Instant::now() + timeout;
            tokio::select! {
                biased;
                result = work(Arc::clone(&inner), deadline) => result,
                () = inner.gate.cancelled() => Err(cancelled()),
                // The work itself ends at the deadline, knowing what became of it; this is for
                // work that hangs.
                () = tokio::time::sleep_until(deadline + GRACE) => {
                    Err(Error::new(Code::TimedOut, "the call did not end in time").with_outcome(Outcome::Unknown))
                }
            }
        });
        let result = AbortOnDrop(running).await;
        result.map_err(|error| error.in_operation(operation))
    }

    /// Connects and stays connected, until [`disconnect`](Self::disconnect). Returns when the
    /// client is logged in and up to date.
    pub async fn connect(&self, options: CallOptions) -> Result<(), Error> {
        let connect = |inner: Arc<Inner>, deadline| async move {
            inner.linked_account()?;
            let wish = inner.wish_connected()?;
            inner.wait_online(wish, deadline).await
        };
        self.call("connect", options.timeout, connect).await
    }

    /// Disconnects and stays disconnected, until [`connect`](Self::connect).
    pub fn disconnect(&self) {
        self.inner().rest(None);
    }

    /// Begins linking by QR code, or joins the linking that is under way. Returns the first
    /// code; later ones come as [`Qr`](crate::events::EventKind::Qr) events, the end as
    /// [`Linked`](crate::events::EventKind::Linked) or
    /// [`LinkFailed`](crate::events::EventKind::LinkFailed).
    pub async fn link_with_qr(&self, options: CallOptions) -> Result<QrCode, Error> {
        let link = |inner: Arc<Inner>, deadline| async move {
            inner.refuse_if_linked()?;
            inner.link.set_wanted(true);
            let wish = inner.wish_connected()?;
            let mut shown = inner.link.watch_shown();
            let code = async {
                loop {
                    if let Some(shown) = shown.borrow_and_update().clone() {
                        let valid_for = shown.until.saturating_duration_since(Instant::now());
                        return QrCode { text: shown.text, valid_for };
                    }
                    if shown.changed().await.is_err() {
                        std::future::pending::<()>().await;
                    }
                }
            };
            inner.unless_hopeless(wish, deadline, code).await
        };
        self.call("link_with_qr", options.timeout, link).await
    }

    /// Begins linking by a code that is typed on the phone with this number, written with the
    /// country code. A QR code may be scanned at the same time. Asking again makes a new code
    /// and voids the one before.
    pub async fn link_with_code(&self, phone: &str, options: CallOptions) -> Result<PairingCode, Error> {
        let phone = code::phone_number(phone).map_err(|error| error.in_operation("link_with_code"))?;
        let link = |inner: Arc<Inner>, deadline| async move {
            inner.refuse_if_linked()?;
            inner.link.set_wanted(true);
            let wish = inner.wish_connected()?;
            let mut ready = inner.link.watch_ready();
            let connection = async {
                loop {
                    let connection = ready.borrow_and_update().clone();
                    if let Some(connection) = connection.filter(|connection| !connection.is_closed()) {
                        return connection;
                    }
                    if ready.changed().await.is_err() {
                        std::future::pending::<()>().await;
                    }
                }
            };
            let connection = inner.unless_hopeless(wish, deadline, connection).await?;
            let left = deadline.saturating_duration_since(Instant::now());
            let code = code::begin(&inner, &connection, phone, left).await?;
            Ok(PairingCode { code, valid_for: crate::link::code::LIFE })
        };
        self.call("link_with_code", options.timeout, link).await
    }

    /// Goes on with linking after [`PasskeyRequired`](crate::events::EventKind::PasskeyRequired): takes
    /// what the owner's authenticator answered to the options of that event, WebAuthn's
    /// `PublicKeyCredential` as JSON with base64url values. Returns when the phone has gone on, with a
    /// code: if the person sees the same one on the phone, call
    /// [`confirm_passkey`](Self::confirm_passkey). Give people time by the deadline.
    pub async fn answer_passkey(
        &self,
        assertion: impl Into<String>,
        options: CallOptions,
    ) -> Result<PasskeyCode, Error> {
        let assertion = assertion.into();
        let answer = |inner: Arc<Inner>, deadline| async move {
            let connection = inner.linking_connection()?;
            passkey::answer(&inner, &connection, assertion, deadline).await
        };
        self.call("answer_passkey", options.timeout, answer).await
    }

    /// Says that the person has seen the code of [`answer_passkey`](Self::answer_passkey) on the phone.
    /// Returns when the service has told the phone; a [`Linked`](crate::events::EventKind::Linked)
    /// event follows.
    pub async fn confirm_passkey(&self, options: CallOptions) -> Result<(), Error> {
        let confirm = |inner: Arc<Inner>, deadline: Instant| async move {
            let connection = inner.linking_connection()?;
            let left = deadline.saturating_duration_since(Instant::now());
            passkey::confirm(&inner, &connection, left).await
        };
        self.call("confirm_passkey", options.timeout, confirm).await
    }

    /// Removes this device from the account. The service is asked first; the link ends when it
    /// confirms. If it cannot be reached before the deadline the call fails, and the removal is
    /// finished after the next login.
    pub async fn logout(&self, options: CallOptions) -> Result<(), Error> {
        let logout = |inner: Arc<Inner>, deadline| async move { logout::by_host(&inner, deadline).await };
        self.call("logout", options.timeout, logout).await
    }

    /// The linked account; `None` without a link.
    pub fn account(&self) -> Option<AccountInfo> {
        let account = self.inner().linked_account().ok()?;
        Some(AccountInfo {
            identity: own_identity(&account)?,
            device: account.phone.as_ref()?.device(),
            platform: account.platform.clone(),
            push_name: account.push_name.clone(),
            business_name: account.business_name.clone(),
        })
    }

    /// The version of the web client that the next connection presents, and until when the
    /// service accepts it.
    pub fn client_version(&self) -> ClientVersion {
        self.inner().client_version()
    }

    /// Sets the version of the web client that the next connections present, of all clients on
    /// this client's engine; `None` leaves the choice to the engine again.
    pub fn set_client_version(&self, version: Option<[u32; 3]>) {
        self.inner().engine.versions.set(version);
    }

    /// Looks for the present version of the web client on the service's page, through this
    /// client's proxy, and keeps it. The next connections present it, unless the host has set
    /// one or the built-in one is newer. The engine does this by itself when the service refuses
    /// a version as too old.
    pub async fn find_client_version(&self, options: CallOptions) -> Result<ClientVersion, Error> {
        let find = |inner: Arc<Inner>, deadline| async move {
            match tokio::time::timeout_at(deadline, inner.find_client_version()).await {
                Ok(found) => found,
                Err(_) => Err(Error::new(Code::TimedOut, "the page with the version was not read in time")),
            }
        };
        self.call("find_client_version", options.timeout, find).await
    }

    /// How the connection is now.
    pub fn connection_state(&self) -> ConnectionState {
        self.inner().status().state
    }

    /// What went wrong with messages and was repaired since the client was opened.
    pub async fn statistics(&self) -> Statistics {
        self.inner().signal.lock().await.statistics.clone()
    }

    /// The events of this client. There is one consumer at a time; a second one is refused.
    pub fn events(&self) -> Result<EventStream, Error> {
        let inner = self.inner();
        let acknowledger: Option<Box<dyn Fn(u64) + Send + Sync>> = if inner.options.manual_acknowledge {
            None
        } else {
            let client = Arc::downgrade(inner);
            Some(Box::new(move |sequence| {
                if let Some(client) = client.upgrade() {
                    client.acknowledge(sequence);
                }
            }))
        };
        EventStream::new(Arc::clone(&inner.events), acknowledger)
            .map_err(|error| error.in_operation("events"))
    }

    /// Says that the host has taken all journaled events up to a sequence number; they are not
    /// offered again. What the client has not given out since it was opened is not acknowledged.
    /// For clients opened with [`manual_acknowledge`](ClientOptions::manual_acknowledge).
    pub fn acknowledge(&self, sequence: u64) {
        self.inner().acknowledge(sequence);
    }

    /// Transactions that the store has carried out since the client was opened: each is at least one
    /// write to disk. For monitoring.
    pub fn store_commits(&self) -> u64 {
        self.inner().commit.commits()
    }

    /// Whether the client is closed, or closing: calls fail with [`Code::Closed`]. What can be asked
    /// without waiting, such as [`account`](Self::account), tells how it was.
    pub fn is_closed(&self) -> bool {
        self.inner().gate.is_closed()
    }

    /// Closes: refuses new calls, finishes the running ones, writes what is owed, disconnects,
    /// and ends the event stream with [`Closed`](crate::events::EventKind::Closed). Calls that
    /// still run at the deadline fail with [`Code::Cancelled`]. The store can be opened again
    /// afterwards.
    pub async fn close(&self, timeout: Duration) -> Result<(), Error> {
        let closing = self.inner().spawn_close(timeout);
        closing.await.unwrap_or_else(|_| Err(Error::new(Code::Internal, "closing the client panicked")))
    }
}

/// Longest deadline of a call.
pub(crate) const LONGEST_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

/// What a call may take beyond its deadline to find out its outcome.
const GRACE: Duration = Duration::from_secs(5);

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("state", &self.connection_state()).finish_non_exhaustive()
    }
}

impl Drop for ClientHandle {
    fn drop(&mut self) {
        if !self.inner.gate.is_closed() {
            drop(self.inner.spawn_close(CLOSE_ON_DROP));
        }
    }
}

/// A running call, which ends with the future that waits for it.
struct AbortOnDrop<T>(tokio::task::JoinHandle<Result<T, Error>>);

impl<T> Future for AbortOnDrop<T> {
    type Output = Result<T, Error>;

    fn poll(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Self::Output> {
        std::pin::Pin::new(&mut self.0).poll(cx).map(|ended| match ended {
            Ok(result) => result,
            Err(error) if error.is_cancelled() => Err(crate::engine::closed().with_outcome(Outcome::Unknown)),
            Err(_) => Err(Error::new(Code::Internal, "the call panicked").with_outcome(Outcome::Unknown)),
        })
    }
}

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

pub(crate) fn cancelled() -> Error {
    Error::new(Code::Cancelled, "the client is closing").with_outcome(Outcome::Unknown)
}

/// The account's own addresses.
pub(crate) fn own_identity(account: &Account) -> Option<Identity> {
    let phone = account.phone.as_ref().map(whimbrel_wire::Jid::to_bare);
    let lid = account.lid.as_ref().map(whimbrel_wire::Jid::to_bare);
    let id = lid.clone().or_else(|| phone.clone())?;
    Some(Identity { id, phone, lid })
}

//! What the parts of a client share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use tokio::sync::watch;
use tokio::time::Instant;
use whimbrel_wire::Node;

use super::gate::Gate;
use super::status::{Goal, Status, Wish};
use super::tasks::Tasks;
use crate::channels;
use crate::clock;
use crate::connection::{Connection, RequestIds};
use crate::devices::fetching::Fetching;
use crate::engine::EngineShared;
use crate::error::{Code, Error, Outcome};
use crate::events::{ClosedReason, ConnectionState, Event, EventKind};
use crate::journal::{EventQueue, Limits};
use crate::link::LinkState;
use crate::media::MediaState;
use crate::messages::{Outbox, SignalState};
use crate::options::ClientOptions;
use crate::prekeys::Upkeep;
use crate::presence::PresenceState;
use crate::store::{Account, Changes, Committer, Store};

/// The shared state of one client. Tasks hold it; the host holds a [`Client`](super::Client).
pub(crate) struct Inner {
    pub(crate) engine: Arc<EngineShared>,
    pub(crate) options: ClientOptions,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) commit: Committer,
    pub(crate) events: Arc<EventQueue>,
    /// Sessions and keys of the Signal protocol: one unit of work at a time.
    pub(crate) signal: Arc<tokio::sync::Mutex<SignalState>>,
    /// Messages on their way out.
    pub(crate) outbox: Outbox,
    pub(crate) tasks: Tasks,
    /// The host's calls.
    pub(crate) gate: Gate,
    /// Closed for good, with the store let go.
    pub(super) closed: watch::Sender<bool>,
    pub(crate) request_ids: RequestIds,
    pub(crate) link: LinkState,
    account: Mutex<Option<Arc<Account>>>,
    connection: watch::Sender<Option<Arc<Connection>>>,
    status: watch::Sender<Status>,
    goal: watch::Sender<Goal>,
    rng: Mutex<ChaCha20Rng>,
    event_ids: AtomicU64,
    /// Server time minus ours, in milliseconds.
    clock_offset_ms: AtomicU64,
    /// Messages that the phone is to be asked for.
    pub(crate) phone: crate::retry::phone::Queue,
    /// Pieces of the history that wait to be read.
    pub(crate) history: crate::history::Queue,
    /// Devices whose keys are being asked for.
    pub(crate) fetching: Fetching,
    /// What is to be done about app state.
    pub(crate) app_state: crate::appstate::AppState,
    /// How far the service has this device's prekeys.
    pub(crate) prekeys: Upkeep,
    /// What this client says of itself, and whom it watches.
    pub(crate) presence: PresenceState,
    /// Which channels are watched.
    pub(crate) channels: channels::watch::Watched,
    /// Media hosts, and requests to the phone for files.
    pub(crate) media: MediaState,
}

impl Inner {
    pub(crate) fn new(
        engine: Arc<EngineShared>,
        store: Arc<dyn Store>,
        options: ClientOptions,
        mut rng: ChaCha20Rng,
    ) -> Result<Self, Error> {
        let limits = Limits { events: options.journal_limit, bytes: options.journal_limit_bytes };
        let events = Arc::new(EventQueue::new(Arc::clone(&store), limits)?);
        let commit =
            Committer::new(Arc::clone(&store), Arc::clone(&events), engine.handle.clone(), options.archive)?;
        let account = store.account()?.map(Arc::new);
        if let Some((version, found_at)) = account.as_ref().and_then(|account| account.found_version) {
            engine.versions.learn(version, found_at);
        }
        let tasks = Tasks::new(engine.handle.clone());
        let request_ids = RequestIds::new(&mut rng);
        Ok(Self {
            engine,
            options,
            commit,
            events,
            signal: Arc::default(),
            outbox: Outbox::default(),
            tasks,
            gate: Gate::default(),
            closed: watch::Sender::new(false),
            request_ids,
            link: LinkState::default(),
            account: Mutex::new(account),
            connection: watch::Sender::new(None),
            status: watch::Sender::new(Status::default()),
            goal: watch::Sender::new(Goal::Rest(Wish::default())),
            rng: Mutex::new(rng),
            event_ids: AtomicU64::new(0),
            clock_offset_ms: AtomicU64::new(0),
            phone: crate::retry::phone::Queue::default(),
            history: crate::history::Queue::default(),
            fetching: Fetching::default(),
            app_state: crate::appstate::AppState::default(),
            prekeys: Upkeep::default(),
            presence: PresenceState::default(),
            channels: channels::watch::Watched::default(),
            media: MediaState::default(),
            store,
        })
    }

    /// The client's randomness. Never hold it across an await.
    pub(crate) fn rng(&self) -> MutexGuard<'_, ChaCha20Rng> {
        self.rng.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn account_slot(&self) -> MutexGuard<'_, Option<Arc<Account>>> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keys and addresses of this device; `None` before the first linking attempt.
    pub(crate) fn account(&self) -> Option<Arc<Account>> {
        self.account_slot().clone()
    }

    /// The account if it is linked and not removed.
    pub(crate) fn linked_account(&self) -> Result<Arc<Account>, Error> {
        let account = self.account().ok_or_else(not_linked)?;
        if account.phone.is_none() {
            return Err(not_linked());
        }
        if account.logged_out {
            return Err(Error::new(Code::LoggedOut, "the service removed this device from the account"));
        }
        Ok(account)
    }

    /// Changes the account row together with whatever else `changes` holds, in one commit. All
    /// changes of the row go through here, so none is lost to another one.
    pub(crate) fn commit_account(
        &self,
        mut changes: Changes,
        edit: impl FnOnce(&mut Account),
    ) -> impl Future<Output = Result<(), Error>> + Send + 'static {
        let mut slot = self.account_slot();
        let result = match slot.as_deref().cloned() {
            None => Err(not_linked()),
            Some(mut account) => {
                edit(&mut account);
                changes.account = Some(account.clone());
                *slot = Some(Arc::new(account));
                // Submitted under the lock: the order of rows is the order of edits.
                Ok(self.commit.commit(changes))
            }
        };
        drop(slot);
        async move { result?.await }
    }

    /// Replaces the account row by another account's.
    pub(crate) fn commit_new_account(
        &self,
        mut changes: Changes,
        account: Account,
    ) -> impl Future<Output = Result<(), Error>> + Send + 'static {
        let mut slot = self.account_slot();
        changes.account = Some(account.clone());
        *slot = Some(Arc::new(account));
        let outcome = self.commit.commit(changes);
        drop(slot);
        outcome
    }

    /// After a failed commit: what is in memory may be ahead of the store, so it is read again.
    pub(crate) async fn recover_store(&self) -> Result<(), Error> {
        self.signal.lock().await.reset();
        let mut slot = self.account_slot();
        // Read first: while this fails, nothing that is not durable may be used.
        *slot = self.store.account()?.map(Arc::new);
        self.commit.reset();
        Ok(())
    }

    /// A journaled event with an id of its own. The id is random, so it stays unique over
    /// restarts and stores.
    pub(crate) fn event(&self, kind: EventKind) -> Event {
        Event { sequence: None, id: self.event_id(), recorded_at_ms: clock::now_ms(), kind }
    }

    /// An id that nothing else of this client has.
    pub(crate) fn event_id(&self) -> String {
        use std::fmt::Write as _;
        let count = self.event_ids.fetch_add(1, Ordering::Relaxed);
        let random: [u8; 12] = crate::random::bytes(&mut self.rng());
        let mut id = String::with_capacity(32);
        for byte in random {
            // Writing to a string cannot fail.
            let _ = write!(id, "{byte:02x}");
        }
        let _ = write!(id, "{count:x}");
        id
    }

    /// The service's clock, milliseconds since 1970, as far as it is known.
    pub(crate) fn server_now_ms(&self) -> i64 {
        clock::now_ms().saturating_add(self.clock_offset_ms.load(Ordering::Relaxed).cast_signed())
    }

    /// Learns the service's clock from a stamp in seconds.
    pub(crate) fn learn_server_time(&self, seconds: u64) {
        let server_ms = i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000);
        let offset = server_ms.saturating_sub(clock::now_ms());
        self.clock_offset_ms.store(offset.cast_unsigned(), Ordering::Relaxed);
    }

    /// Starts a task that is joined at close.
    pub(crate) fn spawn(self: &Arc<Self>, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// The connection that is logged in, if there is one now.
    pub(crate) fn connection(&self) -> Option<Arc<Connection>> {
        self.connection.borrow().clone()
    }

    /// Waits for a logged-in connection, or for the failure that makes waiting hopeless.
    pub(crate) async fn wait_for_connection(&self, deadline: Instant) -> Result<Arc<Connection>, Error> {
        let mut connection = self.connection.subscribe();
        let waited = tokio::time::timeout_at(deadline, async {
            loop {
                let goal = *self.goal.borrow();
                let made = connection.borrow_and_update().clone();
                match (goal, made) {
                    (Goal::Closed, None) => return Err(crate::engine::closed()),
                    // What the host has ended is no connection, even if it is not down yet.
                    (Goal::Rest(_), _) | (Goal::Connected(_), None) => drop(self.linked_account()?),
                    (_, Some(connection)) => return Ok(connection),
                }
                if connection.changed().await.is_err() {
                    return Err(crate::engine::closed());
                }
            }
        })
        .await;
        waited.unwrap_or_else(|_| {
            Err(Error::new(Code::TimedOut, "there was no connection before the deadline"))
        })
    }

    pub(crate) fn set_connection(&self, connection: Option<Arc<Connection>>) {
        self.connection.send_replace(connection);
    }

    /// The connection on which this client is being linked.
    pub(crate) fn linking_connection(&self) -> Result<Arc<Connection>, Error> {
        let connection = self.link.watch_ready().borrow().clone();
        let connection = connection.filter(|connection| !connection.is_closed());
        connection.ok_or_else(|| Error::new(Code::WrongState, "the client is not being linked"))
    }

    /// Sends an IQ on the logged-in connection and waits for its answer. An error answer is an
    /// error with the service's number.
    pub(crate) async fn request(&self, iq: Node, timeout: Duration) -> Result<Node, Error> {
        let connection = self.connection().ok_or_else(not_connected)?;
        connection.request(self.request_ids.next(), iq, timeout).await
    }

    pub(crate) fn watch_goal(&self) -> watch::Receiver<Goal> {
        self.goal.subscribe()
    }

    /// Wants a connection.
    pub(crate) fn wish_connected(&self) -> Result<Wish, Error> {
        let mut result = Err(crate::engine::closed());
        self.goal.send_if_modified(|goal| {
            let (Goal::Rest(last) | Goal::Connected(last)) = *goal else { return false };
            let wish = Wish { number: last.number.saturating_add(1), ..last };
            *goal = Goal::Connected(wish);
            result = Ok(wish);
            true
        });
        result
    }

    /// Wants no connection any more, unless a newer wish than `than` came in between.
    pub(crate) fn rest(&self, than: Option<Wish>) {
        self.goal.send_if_modified(|goal| match *goal {
            Goal::Connected(wish) if than.is_none_or(|than| wish.number <= than.number) => {
                *goal = Goal::Rest(Wish { epoch: wish.epoch.saturating_add(1), ..wish });
                true
            }
            _ => false,
        });
    }

    /// Ends everything. Returns whether this call was the first.
    pub(crate) fn set_closed(&self) -> bool {
        let first = self.goal.send_replace(Goal::Closed) != Goal::Closed;
        if first {
            // Whoever waits for a connection looks again.
            self.connection.send_modify(|_| {});
        }
        first
    }

    pub(crate) fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    pub(crate) fn watch_status(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }

    /// Writes the state, and tells the host if it changed.
    pub(crate) fn set_status(&self, state: ConnectionState, failure: Option<Error>, wish: Wish) {
        let mut changed = false;
        self.status.send_modify(|status| {
            changed = status.state != state;
            *status = Status { state: state.clone(), failure, wish };
        });
        if changed {
            tracing::info!(?state, "The connection changed its state.");
            self.events.connection(state);
        }
    }

    /// The engine cannot go on with this client.
    pub(crate) fn fail(&self, reason: ClosedReason) {
        self.set_closed();
        self.events.close(reason);
    }
}

pub(crate) fn not_linked() -> Error {
    Error::new(Code::NotLinked, "the client is not linked to a phone")
}

fn not_connected() -> Error {
    Error::new(Code::NotConnected, "there is no connection to the service").with_outcome(Outcome::NotSent)
}

//! One account: its client, its row, how its link stands, and the tasks that live with it.

use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use whimbrel::{CallOptions, Client, Jid};

use super::state::{Link, State};
use crate::failure::{Failure, Problem};
use crate::server::Server;
use crate::store::accounts::{self, AccountRow};

/// How long a request waits for a connection that is on its way.
const PATIENCE: Duration = Duration::from_secs(5);

/// One account.
pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) number: i64,
    pub(crate) tenant: String,
    pub(crate) client: Client,
    row: RwLock<AccountRow>,
    state: watch::Sender<State>,
    /// Wakes what sends.
    pub(crate) outbox: Notify,
    /// What became of messages that were handed to the engine, for requests that wait.
    pub(crate) fates: super::outbox::Fates,
    pub(crate) numbers: crate::commands::recipients::Known,
    server: Weak<Server>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Account {
    /// Starts the tasks of an account whose client is open.
    pub(crate) fn start(server: &Arc<Server>, row: AccountRow, client: Client) -> Result<Arc<Self>, Failure> {
        let events = client.events()?;
        let linked = client.account().is_some();
        let account = Arc::new(Self {
            id: row.id.clone(),
            number: row.number,
            tenant: row.tenant.clone(),
            client,
            row: RwLock::new(row),
            state: watch::Sender::new(State::new(linked)),
            outbox: Notify::new(),
            fates: super::outbox::Fates::default(),
            numbers: crate::commands::recipients::Known::default(),
            server: Arc::downgrade(server),
            tasks: Mutex::default(),
        });
        let pump = tokio::spawn(super::pump::run(Arc::clone(server), Arc::clone(&account), events));
        let sending = tokio::spawn(super::outbox::run(Arc::clone(server), Arc::clone(&account)));
        account.tasks.lock().unwrap_or_else(PoisonError::into_inner).extend([pump, sending]);
        if linked && !account.row().settings.dialects.contains_key("stayAway") {
            let client = account.client.clone();
            tokio::spawn(async move {
                // Its events say what became of it.
                let _ = client.connect(CallOptions::default()).await;
            });
        }
        Ok(account)
    }

    /// The row as it is now.
    pub(crate) fn row(&self) -> AccountRow {
        self.row.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn name(&self) -> String {
        self.row.read().unwrap_or_else(PoisonError::into_inner).name.clone()
    }

    pub(crate) fn profile(&self) -> String {
        self.row.read().unwrap_or_else(PoisonError::into_inner).profile.clone()
    }

    /// Changes the row, here and in the store.
    pub(crate) async fn change(&self, change: impl FnOnce(&mut AccountRow)) -> Result<AccountRow, Failure> {
        let changed = {
            let mut row = self.row.write().unwrap_or_else(PoisonError::into_inner);
            change(&mut row);
            row.updated_at = crate::store::now_ms();
            row.clone()
        };
        let (server, row) = (self.server()?, changed.clone());
        server.store.unit(move |unit| accounts::update(unit, &row)).await?;
        Ok(changed)
    }

    pub(crate) fn server(&self) -> Result<Arc<Server>, Failure> {
        self.server.upgrade().ok_or_else(|| Failure::new(Problem::Unavailable, "the server is stopping"))
    }

    /// How the link stands.
    pub(crate) fn state(&self) -> State {
        self.state.borrow().clone()
    }

    /// Follows how the link stands.
    pub(crate) fn watch(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }

    pub(crate) fn set_state(&self, mut state: State) {
        self.state.send_modify(|now| {
            // A pairing code is told by the call that asked for it, and stays beside QR codes.
            if state.link == Link::Linking && state.code.is_none() {
                state.code = now.code.take();
            }
            *now = state;
        });
    }

    /// Shows a pairing code.
    pub(crate) fn show_code(&self, code: &str) {
        self.state.send_modify(|state| {
            state.link = Link::Linking;
            state.code = Some(code.to_owned());
        });
    }

    pub(crate) fn is_linked(&self) -> bool {
        self.client.account().is_some()
    }

    /// Its own address by phone number, once it was linked.
    pub(crate) fn own_phone(&self) -> Option<Jid> {
        self.client.account().and_then(|account| account.identity.phone).map(|phone| phone.to_bare())
    }

    /// Waits until the state is one that is looked for, at most so long, and returns it as it is then.
    pub(crate) async fn wait_state(&self, timeout: Duration, wanted: impl Fn(&State) -> bool) -> State {
        let mut states = self.watch();
        let found = tokio::time::timeout(timeout, states.wait_for(|state| wanted(state))).await;
        match found {
            Ok(Ok(state)) => state.clone(),
            _ => self.state(),
        }
    }

    /// Refuses unless messages can go now. A connection that is on its way is waited for.
    pub(crate) async fn demand_online(&self) -> Result<(), Failure> {
        let on_its_way = |state: &State| matches!(state.link, Link::Connecting | Link::Pairing);
        let state = self.wait_state(PATIENCE, |state| !on_its_way(state)).await;
        match state.link {
            Link::Online => Ok(()),
            Link::Unlinked | Link::Linking => {
                Err(Failure::new(Problem::NotLinked, "the account is not linked to a phone"))
            }
            _ => Err(Failure::new(Problem::NotConnected, "the account is not connected")),
        }
    }

    /// Runs an operation of the engine by name.
    pub(crate) async fn operation(&self, name: &str, request: Value) -> Result<Value, Failure> {
        let entry = whimbrel_api::operations::find(name)?;
        let answer = entry.start(&self.client, &request.to_string(), CallOptions::default())?.await?;
        serde_json::from_str(&answer).map_err(|error| Failure::internal(&error))
    }

    /// Ends the tasks. What they had taken and not written is offered again.
    pub(crate) fn stop_tasks(&self) {
        for task in self.tasks.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            task.abort();
        }
    }

    pub(crate) async fn close(&self, timeout: Duration) {
        self.stop_tasks();
        if let Err(error) = self.client.close(timeout).await {
            tracing::warn!(account = self.id, %error, "A client did not close in order.");
        }
    }
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account").field("id", &self.id).finish_non_exhaustive()
    }
}

//! The part of a session after a login: bring-up, and what waited at the service (transport
//! document §6.1, §6.8).

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use whimbrel_wire::{Jid, Node};

use super::{End, Phase, Session};
use crate::account;
use crate::addons::waiting;
use crate::channels;
use crate::client::{Inner, lanes, own_identity};
use crate::connection::Connection;
use crate::connection::stream::{self, Success};
use crate::events::{ConnectionState, EventKind, Linked};
use crate::groups;
use crate::history;
use crate::link::logout;
use crate::prekeys;
use crate::presence;
use crate::store::{Account, Changes};

/// Stanzas asked for at a time.
const BATCH: u32 = 200;

/// How long after the first stanza of a batch the next one is asked for.
const DEBOUNCE: Duration = Duration::from_millis(100);

/// Silence after which what waited counts as arrived, in keepalives: a minute by default.
const SILENCE: u32 = 2;

/// How long the service may take for a request of the bring-up.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How often `active` is said before the connection is given up.
const ACTIVE_TRIES: u32 = 3;

/// The arrival of what waited.
#[derive(Debug)]
pub(super) struct Offline {
    /// Announced and not arrived yet.
    left: u64,
    /// When the next batch is due to be asked for.
    ask_at: Option<Instant>,
    /// When something last arrived.
    last: Instant,
    /// How long nothing may come before the end counts as said.
    silence: Duration,
    /// Everything has arrived, but is not dealt with yet.
    arrived: bool,
}

impl Offline {
    fn new(keep_alive: Duration) -> Self {
        let silence = keep_alive.saturating_mul(SILENCE);
        Self { left: 0, ask_at: None, last: Instant::now(), silence, arrived: false }
    }

    fn deadline(&self) -> Instant {
        let silent = self.last + self.silence;
        self.ask_at.map_or(silent, |ask| ask.min(silent))
    }

    /// Whether the service has been silent for so long that it will not say that all has arrived.
    fn is_over(&self, now: Instant) -> bool {
        self.last + self.silence <= now
    }
}

impl Session<'_> {
    /// The service accepted the login. What that changes is durable before anything is sent.
    pub(super) async fn on_success(&mut self, node: &Node) -> Result<(), End> {
        let Some(account) = self.client.account().filter(|account| account.phone.is_some()) else {
            tracing::warn!("The service greets a device that is not linked.");
            return Ok(());
        };
        if !matches!(self.phase, Phase::FirstWord) {
            return Ok(());
        }
        let success = Success::parse(node);
        if let Some(time) = success.time {
            self.client.learn_server_time(time);
        }
        if success.lid.is_none() {
            tracing::warn!("The service did not name this device's hidden address.");
        }
        let lid = success.lid.or_else(|| account.lid.clone());
        let former = account.lid.as_ref().map(Jid::to_bare);
        let former = former.filter(|former| lid.as_ref().is_some_and(|lid| !lid.same_account(former)));
        let mut changes = Changes::default();
        if let (Some(lid), Some(phone)) = (&lid, &account.phone) {
            changes.lid_pairs.push((lid.to_bare(), phone.to_bare()));
        }
        if account.pairing_unconfirmed {
            changes.events.extend(self.linked(&account));
        }
        let certified = self.certified.take();
        let committed = self.client.commit_account(changes, |account| {
            account.lid = lid;
            account.pairing_unconfirmed = false;
            account.login_counter = account.login_counter.saturating_add(1);
            account.server_key = certified.or(account.server_key);
            if account.push_name.is_none() {
                account.push_name = success.display_name;
            }
        });
        committed.await?;
        if let (Some(former), Some(account)) = (former, self.client.account())
            && let Some(lid) = &account.lid
        {
            // The service gave the account another LID: what is kept about its devices moves.
            self.client.unit(|unit| unit.succeed(&former, &lid.to_bare())).await?;
        }
        self.client.link.set_wanted(false);
        self.memory.logged_in_at = Some(Instant::now());
        self.memory.resume_failed = false;
        self.memory.denied = false;
        self.phase = Phase::CatchingUp(Offline::new(self.client.engine.keep_alive));
        // The time runs once the service was told to deliver; until then the bring-up has its own.
        self.deadline = None;
        if let Some(inbound) = self.inbound.take() {
            lanes::start(&self.client, &self.connection, inbound);
        }
        self.client.set_connection(Some(Arc::clone(&self.connection)));
        self.client.set_status(ConnectionState::CatchingUp, None, self.wish);
        self.client.spawn(bring_up(Arc::clone(&self.client), Arc::clone(&self.connection)));
        Ok(())
    }

    fn linked(&self, account: &crate::store::Account) -> Option<crate::events::Event> {
        let linked = Linked {
            account: own_identity(account)?,
            device: account.phone.as_ref()?.device(),
            platform: account.platform.clone(),
            business_name: account.business_name.clone(),
        };
        Some(self.client.event(EventKind::Linked(linked)))
    }

    pub(super) async fn on_offline_preview(&mut self, count: u64) {
        let Phase::CatchingUp(offline) = &mut self.phase else { return };
        offline.left = count;
        offline.last = Instant::now();
        offline.ask_at = None;
        self.deadline = Some(offline.deadline());
        if count > 0 {
            self.reply(Some(stream::offline_batch(BATCH))).await;
        }
    }

    /// The service begins to deliver, or one of the stanzas that waited has arrived.
    pub(super) fn on_offline_stanza(&mut self) {
        let arrived = self.connection.take_offline_stanzas();
        let Phase::CatchingUp(offline) = &mut self.phase else { return };
        offline.left = offline.left.saturating_sub(arrived);
        offline.last = Instant::now();
        if offline.left > 0 && offline.ask_at.is_none() && !offline.arrived {
            offline.ask_at = Some(offline.last + DEBOUNCE);
        }
        self.deadline = Some(offline.deadline());
    }

    pub(super) async fn on_offline_deadline(&mut self) {
        let Phase::CatchingUp(offline) = &mut self.phase else { return };
        let now = Instant::now();
        if offline.is_over(now) {
            tracing::warn!("The service did not say that all has arrived; going on.");
            self.go_online();
            return;
        }
        offline.ask_at = None;
        self.deadline = Some(offline.deadline());
        self.reply(Some(stream::offline_batch(BATCH))).await;
    }

    /// Everything that waited has arrived. Nothing is sent before it is dealt with: it may change the
    /// sessions that a send would use.
    pub(super) fn on_offline_end(&mut self) {
        if let Phase::CatchingUp(offline) = &mut self.phase {
            offline.arrived = true;
            offline.ask_at = None;
            offline.last = Instant::now();
            self.deadline = Some(offline.deadline());
        }
    }

    /// Whether only what has arrived is to be dealt with.
    pub(super) fn has_arrived(&self) -> bool {
        matches!(&self.phase, Phase::CatchingUp(offline) if offline.arrived)
    }

    pub(super) fn go_online(&mut self) {
        if !matches!(self.phase, Phase::CatchingUp(_)) {
            return;
        }
        self.phase = Phase::Online;
        self.deadline = None;
        self.client.set_status(ConnectionState::Online, None, self.wish);
        let (client, connection) = (Arc::clone(&self.client), Arc::clone(&self.connection));
        self.client.spawn(channels::watch::run(Arc::clone(&client), Arc::clone(&connection)));
        self.client.spawn(async move { presence::restore(&client, &connection).await });
    }

    /// Fetches again what is out of date, and then clears the bit.
    pub(super) fn on_dirty(&self, kind: String, timestamp: Option<String>) {
        if kind == "syncd_app_state" {
            self.client.app_state.look(Some((kind, timestamp)));
            return;
        }
        let (client, connection) = (Arc::clone(&self.client), Arc::clone(&self.connection));
        self.client.spawn(async move {
            let fetched = match kind.as_str() {
                "groups" | "communities" => groups::query_all(&client, &connection, TIMEOUT).await.map(drop),
                "account_sync" => account::look_again(&client, &connection).await,
                // What else may be out of date is asked for whenever it is needed.
                _ => Ok(()),
            };
            if let Err(error) = fetched {
                // The bit stays, and is told again at the next login.
                tracing::warn!(kind, %error, "What is out of date could not be fetched again.");
                return;
            }
            let clean = stream::clean(kind, timestamp);
            if let Err(error) = connection.request(client.request_ids.next(), clean, TIMEOUT).await {
                tracing::debug!(%error, "A dirty bit was not cleared.");
            }
        });
    }
}

/// What is said after a login, in this order: the session of use, prekeys if the service has
/// none, and that deliveries may begin.
async fn bring_up(client: Arc<Inner>, connection: Arc<Connection>) {
    // A lost connection shows in the requests below.
    let _ = connection.send(stream::unified_session(client.server_now_ms())).await;
    let Some(account) = client.account() else { return };
    if account.logging_out {
        // The host may have said so a moment ago: that is durable first.
        if client.commit.commit(Changes::default()).await.is_err() {
            connection.close();
            return;
        }
        if let Err(error) = logout::finish(&client, TIMEOUT).await {
            tracing::warn!(%error, "The removal of this device is still to be finished.");
        } else {
            return;
        }
    }
    // Asked at the same time: the answers are there when the client is online.
    let (asking, connecting) = (account::look(&client, &connection), deliver(&client, &connection, &account));
    tokio::join!(asking, connecting);
}

async fn deliver(client: &Arc<Inner>, connection: &Arc<Connection>, account: &Account) {
    // Others must be able to reach this device as soon as it is seen.
    let uploaded = !account.server_has_pre_keys && upload(client, connection, 1).await;
    if !say_active(client, connection).await {
        connection.close();
        return;
    }
    connection.deliveries_begin();
    client.app_state.look(None);
    history::tell_phone(client, connection).await;
    // The service ends connections often enough for a look at every login to be one in time.
    while matches!(client.unit(waiting::expire).await, Ok(true)) {}
    client.spawn(prekeys::keep_young(Arc::clone(client), Arc::clone(connection)));
    if uploaded {
        client.prekeys.need_not_compare();
        return;
    }
    if !account.server_has_pre_keys {
        upload(client, connection, 10).await;
    } else if let Err(error) = prekeys::check_at_login(client, connection).await {
        tracing::debug!(%error, "The prekeys at the service were not checked.");
    }
}

async fn upload(client: &Arc<Inner>, connection: &Connection, tries: u32) -> bool {
    match prekeys::provide(client, connection, tries).await {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(%error, "The prekeys were not uploaded.");
            false
        }
    }
}

async fn say_active(client: &Inner, connection: &Connection) -> bool {
    for _ in 0..ACTIVE_TRIES {
        match connection.request(client.request_ids.next(), stream::active(), TIMEOUT).await {
            Ok(_) => return true,
            Err(error) if connection.is_closed() => {
                tracing::debug!(%error, "The connection ended during the bring-up.");
                return false;
            }
            Err(error) => tracing::warn!(%error, "The service does not begin to deliver."),
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn by_default_a_minute_of_silence_ends_the_wait_for_what_had_waited() {
        let keep_alive = crate::options::EngineOptions::default().keep_alive;
        let mut offline = Offline::new(keep_alive);
        let minute = Duration::from_secs(60);
        assert_eq!(offline.deadline(), Instant::now() + minute);
        offline.ask_at = Some(Instant::now() + DEBOUNCE);
        assert_eq!(offline.deadline(), Instant::now() + DEBOUNCE);
        tokio::time::advance(minute - Duration::from_secs(1)).await;
        assert!(!offline.is_over(Instant::now()));
        offline.last = Instant::now();
        tokio::time::advance(minute).await;
        assert!(offline.is_over(Instant::now()));
    }
}

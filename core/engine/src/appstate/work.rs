//! The task: what is to be done, in which order, and when again (app-state document §9).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use whimbrel_appstate::{Collection, KeyId};

use super::events::{StateTrouble, StateTroubled};
use super::fetch::{self, Outcome};
use super::keys::{self, Ring};
use super::rows::AppStateChange;
use super::{recovery, upload};
use crate::client::{Goal, Inner};
use crate::clock;
use crate::connection::{Connection, stream};
use crate::error::Error;
use crate::events::EventKind;

/// Pause after a failure that may pass: doubled from the first to the second value.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(3600));
/// How long the keys of a new link are waited for before anything is read.
const FIRST_KEYS: Duration = Duration::from_secs(10);
/// When a collection that lacks a key is looked at again.
const BLOCKED: Duration = Duration::from_secs(6 * 3600);
/// How long a key is waited for before the host is told, seconds.
const NO_KEY: i64 = 7 * 24 * 3600;
/// Collections that are read anew in one go: each is counted in the store as well.
const START_OVERS: usize = 16;

/// Reads and writes until the client closes.
pub(crate) async fn run(client: Arc<Inner>) {
    let mut goal = client.watch_goal();
    let mut pause = PAUSE.0;
    let mut first_keys = None;
    loop {
        if *goal.borrow_and_update() == Goal::Closed {
            return;
        }
        let turn = async {
            let Some(connection) = client.connection().filter(|_| client.linked_account().is_ok()) else {
                return Ok(None);
            };
            turn(&client, &connection, &mut first_keys).await
        };
        let turned = tokio::select! {
            turned = turn => turned,
            () = closing(&client) => return,
        };
        let wait = match turned {
            Ok(wait) => {
                pause = if client.app_state.todo().later.is_empty() { PAUSE.0 } else { pause };
                wait
            }
            Err(error) => {
                tracing::warn!(%error, "App state is left for later.");
                // With the next connection everything is looked at anyhow.
                client.app_state.todo().later.extend(Collection::ALL);
                None
            }
        };
        let has_later = !client.app_state.todo().later.is_empty();
        let wait = if has_later && client.connection().is_some() {
            let now = pause;
            pause = PAUSE.1.min(pause.saturating_mul(2));
            Some(now)
        } else {
            wait
        };
        tokio::select! {
            () = client.app_state.wake.notified() => {}
            () = pausing(wait), if wait.is_some() => {
                let mut todo = client.app_state.todo();
                let again: Vec<Collection> = std::mem::take(&mut todo.later).into_iter().collect();
                todo.fetch.extend(again);
                let blocked: Vec<Collection> = std::mem::take(&mut todo.blocked).into_iter().collect();
                todo.fetch.extend(blocked);
            }
            changed = goal.changed() => if changed.is_err() { return },
        }
    }
}

async fn pausing(pause: Option<Duration>) {
    if let Some(pause) = pause {
        tokio::time::sleep(pause).await;
    }
}

/// Ends when the client closes, which waits for no answer.
async fn closing(client: &Inner) {
    drop(client.watch_goal().wait_for(|goal| *goal == Goal::Closed).await);
}

/// Does all that can be done now. Returns when to look again, if nothing happens before.
async fn turn(
    client: &Arc<Inner>,
    connection: &Arc<Connection>,
    first_keys: &mut Option<Instant>,
) -> Result<Option<Duration>, Error> {
    let ring = Ring::load(&*client.store)?;
    if ring.is_empty() && !client.app_state.todo().fetch.is_empty() {
        // A new link gets its keys from the phone in a moment: what is read before cannot be opened.
        let since = *first_keys.get_or_insert_with(Instant::now);
        let left = FIRST_KEYS.saturating_sub(since.elapsed());
        if !left.is_zero() {
            return Ok(Some(left));
        }
    }
    let given: Vec<Vec<u8>> = std::mem::take(&mut client.app_state.todo().recoveries);
    for bytes in given {
        recovery::take(client, &ring, bytes).await?;
    }
    let mut missing = BTreeSet::new();
    for _ in 0..START_OVERS {
        let wanted = std::mem::take(&mut client.app_state.todo().fetch);
        if wanted.is_empty() {
            break;
        }
        let outcomes = match fetch::fetch(client, connection, &ring, &wanted).await {
            Ok(outcomes) => outcomes,
            Err(error) => {
                client.app_state.todo().later.extend(wanted);
                return Err(error);
            }
        };
        for (collection, outcome) in outcomes {
            sort(client, connection, collection, outcome, &mut missing).await?;
        }
    }
    for (collection, outcome) in upload::run(client, connection, &ring).await? {
        sort(client, connection, collection, outcome, &mut missing).await?;
    }
    if !missing.is_empty() {
        keys::want(client, connection, &missing).await?;
        tell_of_keys(client).await?;
    }
    let again = !client.app_state.todo().fetch.is_empty();
    if again {
        // Something came up meanwhile; the wake that told of it may be used up.
        client.app_state.wake.notify_one();
    }
    clean(client, connection).await;
    let blocked = !client.app_state.todo().blocked.is_empty();
    Ok(blocked.then_some(BLOCKED))
}

async fn sort(
    client: &Arc<Inner>,
    connection: &Connection,
    collection: Collection,
    outcome: Outcome,
    missing: &mut BTreeSet<KeyId>,
) -> Result<(), Error> {
    match outcome {
        Outcome::Done => {}
        Outcome::More | Outcome::StartOver => {
            client.app_state.todo().fetch.insert(collection);
        }
        Outcome::Blocked(keys) => {
            tracing::info!(%collection, keys = keys.len(), "A collection waits for keys.");
            missing.extend(keys);
            client.app_state.todo().blocked.insert(collection);
        }
        Outcome::Later => {
            client.app_state.todo().later.insert(collection);
        }
        Outcome::Lost => recovery::ask(client, connection, collection).await?,
    }
    Ok(())
}

/// Tells the host of keys that nobody gives.
async fn tell_of_keys(client: &Inner) -> Result<(), Error> {
    let now = clock::now_seconds();
    let wanted = client.store.app_state_wanted()?;
    let overdue = wanted.into_iter().filter(|key| !key.told && now.saturating_sub(key.since) > NO_KEY);
    let overdue: Vec<_> = overdue.collect();
    if overdue.is_empty() {
        return Ok(());
    }
    client
        .unit(|unit| {
            for mut key in overdue {
                key.told = true;
                unit.changes.app_state.push(AppStateChange::Wanted(key));
            }
            let trouble = StateTrouble::NoKey;
            unit.event(EventKind::StateTrouble(StateTroubled { collection: None, trouble }));
            Ok(())
        })
        .await
}

/// Clears the bit of the service once everything was read.
async fn clean(client: &Inner, connection: &Connection) {
    let dirty = {
        let mut todo = client.app_state.todo();
        if !todo.later.is_empty() || !todo.fetch.is_empty() {
            return;
        }
        todo.dirty.take()
    };
    let Some((kind, timestamp)) = dirty else { return };
    let clean = stream::clean(kind, timestamp);
    if let Err(error) = connection.request(client.request_ids.next(), clean, fetch::TIMEOUT).await {
        tracing::debug!(%error, "A dirty bit was not cleared.");
    }
}

//! Writing what the host asked for (app-state document §8).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use rand_core::Rng as _;
use tokio::time::Instant;
use whimbrel_appstate::{
    Action, Built, Collection, Draft, Entry, Held, IndexMac, KeyId, Limits, Operation, Patch, build,
};
use whimbrel_proto::ProtoMessage as _;
use whimbrel_proto::sync_action::SyncActionValue;

use super::effects::{self, Changed};
use super::events::StateWritten;
use super::fetch::{self, Outcome};
use super::keys::Ring;
use super::rows::{AppStateChange, CollectionRow, PendingRow, Standing};
use super::stanza::{self, Asked};
use crate::client::Inner;
use crate::connection::Connection;
use crate::error::{Code, Error, Outcome as Fate};
use crate::events::EventKind;
use crate::media;
use crate::messages::Unit;

/// Attempts at a patch that another device's came before.
const ATTEMPTS: usize = 5;
/// Longest pause between them, milliseconds.
const JITTER: u64 = 500;
/// Wishes that go into one patch; the service takes twice as many.
const MOST: usize = 1000;
/// How long a file may take.
const FILE: Duration = Duration::from_secs(120);

/// Writes all that waits. Returns the collections that need something first.
pub(super) async fn run(
    client: &Arc<Inner>,
    connection: &Connection,
    ring: &Ring,
) -> Result<Vec<(Collection, Outcome)>, Error> {
    let mut left = Vec::new();
    let waiting: BTreeSet<Collection> =
        client.store.app_state_pending()?.iter().map(|row| row.collection).collect();
    for collection in waiting {
        let row = client.store.app_state_collection(collection)?;
        let is_blocked = {
            let todo = client.app_state.todo();
            todo.blocked.contains(&collection) || todo.later.contains(&collection)
        };
        if row.standing != Standing::Good || is_blocked || ring.active().is_none() {
            continue;
        }
        let outcome = write(client, connection, ring, collection).await?;
        if !matches!(outcome, Outcome::Done) {
            left.push((collection, outcome));
        }
    }
    Ok(left)
}

/// Writes what waits for one collection.
async fn write(
    client: &Arc<Inner>,
    connection: &Connection,
    ring: &Ring,
    collection: Collection,
) -> Result<Outcome, Error> {
    for attempt in 0..ATTEMPTS {
        if attempt > 0 {
            let pause = client.rng().next_u64() % JITTER;
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
        loop {
            let Some(plan) = plan(client, ring, collection).await? else { return Ok(Outcome::Done) };
            match send(client, connection, ring, collection, plan).await? {
                // There may be more than fits into one patch.
                Sent::Taken => {}
                Sent::Conflict(Outcome::Done) => break,
                Sent::Conflict(outcome) | Sent::Not(outcome) => return Ok(outcome),
            }
        }
    }
    tracing::info!(%collection, "Others write all the time; this device tries again later.");
    Ok(Outcome::Later)
}

/// A patch that is ready to leave.
struct Plan {
    row: CollectionRow,
    built: Built,
    wishes: Vec<PendingRow>,
}

/// What became of a patch.
enum Sent {
    Taken,
    /// Another device was first; its patches were taken, or not.
    Conflict(Outcome),
    Not(Outcome),
}

/// Makes a patch of what waits: of several wishes for one entry the last counts, and what holds already
/// is done. `None` if nothing is left.
async fn plan(client: &Arc<Inner>, ring: &Ring, collection: Collection) -> Result<Option<Plan>, Error> {
    let row = client.store.app_state_collection(collection)?;
    let Some((active, keys)) = ring.active() else { return Ok(None) };
    let pending = client.store.app_state_pending()?;
    let wishes: Vec<PendingRow> =
        pending.into_iter().filter(|wish| wish.collection == collection).take(MOST).collect();
    let mut last: BTreeMap<Vec<u8>, i64> = BTreeMap::new();
    for wish in &wishes {
        last.insert(wish.entry.index.clone(), wish.order);
    }
    let mut held: BTreeMap<IndexMac, Held> = BTreeMap::new();
    let mut drafts = Vec::new();
    for wish in &wishes {
        if last.get(&wish.entry.index) != Some(&wish.order) {
            continue;
        }
        let present = client.store.app_state_by_name(collection, &wish.entry.index)?;
        for entry in &present {
            held.insert(entry.index_mac, entry.clone());
        }
        let newest = present.iter().max_by_key(|held| held.key_id.epoch());
        if holds(newest, wish) {
            // It is told with the patch that leaves.
            continue;
        }
        let at = wish.created_at_ms.max(newest.map_or(0, |held| held.entry.timestamp().saturating_add(1)));
        // An entry under a former key stands under another code: it is taken out there (§4.5).
        for former in &present {
            let other_key = former.key_id != active || wish.operation == Operation::Remove;
            if let Some(keys) = ring.get(former.key_id).filter(|_| other_key) {
                let entry = Entry { value: only_time(at), ..former.entry.clone() };
                drafts.push(Draft { operation: Operation::Remove, entry, key: (former.key_id, keys) });
            }
        }
        if wish.operation == Operation::Set {
            let entry = Entry { value: timed(&wish.entry, at), ..wish.entry.clone() };
            drafts.push(Draft { operation: Operation::Set, entry, key: (active, keys) });
        }
    }
    if drafts.is_empty() {
        settle(client, &wishes).await?;
        return Ok(None);
    }
    let key: (KeyId, _) = (active, keys);
    let value = |index_mac: &IndexMac| held.get(index_mac).map(|held| held.value_mac);
    let built = {
        let mut rng = client.rng();
        build(collection, &row.state, key, drafts, value, || crate::random::bytes(&mut rng))
    };
    let built =
        built.map_err(|error| Error::new(Code::Internal, "a patch could not be made").because(error))?;
    Ok(Some(Plan { row, built, wishes }))
}

/// Whether an entry says already what is wished.
fn holds(present: Option<&Held>, wish: &PendingRow) -> bool {
    match (present, wish.operation) {
        (None, Operation::Remove) => true,
        (Some(held), Operation::Set) => {
            // Of the values all counts but the time, and of a range of messages nothing is lost.
            let same = |entry: &Entry| Action::read(entry, false);
            same(&held.entry) == same(&wish.entry)
        }
        _ => false,
    }
}

/// The value of an entry with another time.
fn timed(entry: &Entry, at_ms: i64) -> Vec<u8> {
    match Action::read(entry, false) {
        Some(action) if action.kind().is_some() => action.value(at_ms),
        _ => {
            // Of a field that comes twice the last one counts, so that nothing unknown is lost.
            let mut timed = entry.value.clone();
            timed.extend(only_time(at_ms));
            timed
        }
    }
}

fn only_time(at_ms: i64) -> Vec<u8> {
    SyncActionValue { timestamp: Some(at_ms), ..SyncActionValue::default() }.encode_to_vec()
}

async fn send(
    client: &Arc<Inner>,
    connection: &Connection,
    ring: &Ring,
    collection: Collection,
    plan: Plan,
) -> Result<Sent, Error> {
    let patch = match plan.built.inline(Limits::default()) {
        Some(patch) => patch,
        None => {
            let file = media::store_bytes(client, plan.built.file(), Instant::now() + FILE).await?;
            plan.built.external(file)
        }
    };
    let base = plan.row.state.version;
    let asked = Asked { collection, version: Some(base), patch: Some(patch) };
    let sent = connection.request(client.request_ids.next(), stanza::request(&[asked]), fetch::TIMEOUT).await;
    let answer = match sent {
        Ok(answer) => answer,
        Err(error) if error.outcome() == Fate::Unknown => {
            // It may have been taken: what the service has tells, and nothing is written twice.
            tracing::info!(%error, "It is not known whether a patch was taken.");
            return Ok(Sent::Not(Outcome::Later));
        }
        Err(error) => return Err(error),
    };
    let answer = stanza::answer(&answer).into_iter().find(|answer| answer.collection == collection);
    let Some(answer) = answer else { return Ok(Sent::Not(Outcome::Later)) };
    match answer.error {
        None if answer.patches.is_empty() && answer.version.is_none_or(|version| version == base + 1) => {
            commit(client, collection, plan).await?;
            Ok(Sent::Taken)
        }
        // Patches beside the answer: ours is the last of them, or it was not taken.
        None => fetch::take(client, ring, answer, true).await.map(Sent::Conflict),
        Some(409) => {
            let touched = touched(client, ring, collection, &answer.patches)?;
            let outcome = match fetch::take(client, ring, answer, false).await? {
                Outcome::More => {
                    let one = BTreeSet::from([collection]);
                    let mut ended = fetch::fetch(client, connection, ring, &one).await?;
                    ended.remove(&collection).unwrap_or(Outcome::Later)
                }
                outcome => outcome,
            };
            if matches!(outcome, Outcome::Done) {
                supersede(client, collection, &touched).await?;
            }
            Ok(Sent::Conflict(outcome))
        }
        Some(_) => fetch::take(client, ring, answer, true).await.map(Sent::Not),
    }
}

/// The entries that patches of others write.
fn touched(
    client: &Inner,
    ring: &Ring,
    collection: Collection,
    patches: &[Vec<u8>],
) -> Result<BTreeSet<Vec<u8>>, Error> {
    let mut touched = BTreeSet::new();
    let waiting = client.store.app_state_pending()?;
    let names: Vec<&[u8]> = waiting
        .iter()
        .filter(|wish| wish.collection == collection)
        .map(|wish| wish.entry.index.as_slice())
        .collect();
    for patch in patches.iter().filter_map(|bytes| Patch::decode(bytes).ok()) {
        let keys: Vec<_> = patch.key_ids().into_iter().filter_map(|id| ring.get(id)).collect();
        let macs: BTreeSet<&IndexMac> = patch.index_macs().collect();
        for name in &names {
            if keys.iter().any(|keys| macs.contains(&keys.index_mac(name))) {
                touched.insert(name.to_vec());
            }
        }
    }
    Ok(touched)
}

/// Another device wrote the same entries, and later than this one: its word counts (§8.4).
async fn supersede(client: &Inner, collection: Collection, touched: &BTreeSet<Vec<u8>>) -> Result<(), Error> {
    let mut lost = Vec::new();
    for wish in client.store.app_state_pending()? {
        if wish.collection != collection || !touched.contains(&wish.entry.index) {
            continue;
        }
        let present = fetch::present(client, collection, &wish.entry.index)?;
        let later = present
            .is_some_and(|held| held.entry.timestamp() > wish.created_at_ms && !holds(Some(&held), &wish));
        if later {
            lost.push(wish);
        }
    }
    if lost.is_empty() {
        return Ok(());
    }
    client
        .unit(|unit| {
            tell(unit, &lost, Some(Code::Superseded));
            Ok(())
        })
        .await
}

/// The service has the patch.
async fn commit(client: &Inner, collection: Collection, plan: Plan) -> Result<(), Error> {
    let Plan { row, built, wishes } = plan;
    let applied = built.applied;
    let next = CollectionRow { state: applied.state, ..row };
    client
        .unit(|unit| {
            fetch::put(unit, collection, next, &applied);
            for mutation in &applied.mutations {
                let removed = mutation.operation == Operation::Remove;
                let changed =
                    Changed { collection, entry: &mutation.entry, removed, own: true, silent: false };
                effects::take(unit, &changed)?;
            }
            tell(unit, &wishes, None);
            Ok(())
        })
        .await
}

/// Everything that was wished holds already.
async fn settle(client: &Inner, wishes: &[PendingRow]) -> Result<(), Error> {
    if wishes.is_empty() {
        return Ok(());
    }
    client
        .unit(|unit| {
            tell(unit, wishes, None);
            Ok(())
        })
        .await
}

/// Tells the host of the fate of wishes, once for each.
fn tell(unit: &mut Unit<'_>, wishes: &[PendingRow], error: Option<Code>) {
    let mut told: BTreeSet<&str> = BTreeSet::new();
    for wish in wishes {
        unit.changes.app_state.push(AppStateChange::Settled(wish.order));
        if told.insert(&wish.ticket) {
            let written = StateWritten { change: wish.ticket.clone(), error };
            unit.event(EventKind::StateWritten(written));
        }
    }
}

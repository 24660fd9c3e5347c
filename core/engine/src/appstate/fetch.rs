//! Reading what others changed (app-state document §6, §7).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use whimbrel_appstate::{
    Applied, Collection, Held, IndexMac, KeyId, Operation, Patch, Snapshot, State, SyncError,
};
use whimbrel_content::kinds::media::Media;
use whimbrel_content::{MediaKind, MediaReference, Secret};
use whimbrel_proto::syncd::ExternalBlobReference;

use super::effects::{self, Changed};
use super::events::{StateSynced, StateTrouble, StateTroubled};
use super::keys::Ring;
use super::rows::{AppStateChange, CollectionRow, Standing};
use super::stanza::{self, Answered, Asked};
use crate::client::Inner;
use crate::clock;
use crate::connection::Connection;
use crate::error::{Category, Code, Error};
use crate::events::EventKind;
use crate::media;
use crate::messages::Unit;
use crate::store::{Changes, StoreError};

/// How long the service may take for an answer.
pub(super) const TIMEOUT: Duration = Duration::from_secs(60);
/// How long a file may take.
const FILE: Duration = Duration::from_secs(300);
/// Answers after which a collection must be read; the bound of web clients.
const ROUNDS: usize = 500;
/// How often in a day a collection is read anew.
const START_OVERS: u32 = 3;
/// Seconds of a day.
const DAY: i64 = 24 * 3600;

/// What became of a collection.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It is read.
    Done,
    /// There is more to ask for.
    More,
    /// It cannot be read before these keys are here.
    Blocked(BTreeSet<KeyId>),
    /// It may be read later.
    Later,
    /// It is to be read anew.
    StartOver,
    /// It was read anew too often: the phone has to hand it over.
    Lost,
}

/// Reads collections to their end. Returns those that need something else.
pub(super) async fn fetch(
    client: &Arc<Inner>,
    connection: &Connection,
    ring: &Ring,
    collections: &BTreeSet<Collection>,
) -> Result<BTreeMap<Collection, Outcome>, Error> {
    let mut wanted = collections.clone();
    let mut ended = BTreeMap::new();
    for _ in 0..ROUNDS {
        let mut asked = Vec::new();
        for collection in wanted.clone() {
            let row = client.store.app_state_collection(collection)?;
            let version = match row.standing {
                // The whole is asked for once, and then what follows it.
                Standing::New | Standing::StartOver if row.state.version == 0 => None,
                Standing::Good | Standing::New | Standing::StartOver => Some(row.state.version),
                Standing::AskedPhone | Standing::GivenUp => {
                    wanted.remove(&collection);
                    // A phone that did not answer for a day is asked again.
                    if row.standing == Standing::AskedPhone && row.asked_at < clock::now_seconds() - DAY {
                        ended.insert(collection, Outcome::Lost);
                    }
                    continue;
                }
            };
            asked.push(Asked { collection, version, patch: None });
        }
        if asked.is_empty() {
            return Ok(ended);
        }
        let answer = connection.request(client.request_ids.next(), stanza::request(&asked), TIMEOUT).await?;
        let mut answers = stanza::answer(&answer);
        for Asked { collection, .. } in &asked {
            let place = answers.iter().position(|answer| answer.collection == *collection);
            let outcome = match place.map(|place| answers.swap_remove(place)) {
                Some(answer) => take(client, ring, answer, true).await?,
                // A collection that is missing in the answer is asked for another time.
                None => Outcome::Later,
            };
            if !matches!(outcome, Outcome::More) {
                wanted.remove(collection);
                ended.insert(*collection, outcome);
            }
        }
    }
    for collection in wanted {
        ended.insert(collection, Outcome::Later);
    }
    Ok(ended)
}

/// Takes what the service says about a collection. `reading`: nothing was written with the request.
pub(super) async fn take(
    client: &Arc<Inner>,
    ring: &Ring,
    answer: Answered,
    reading: bool,
) -> Result<Outcome, Error> {
    let collection = answer.collection;
    match answer.error {
        Some(400 | 404 | 405 | 406) => return start_over(client, collection, true).await,
        Some(409) if !reading => {}
        Some(code) => {
            tracing::warn!(%collection, code, "The service does not give a collection now.");
            return Ok(Outcome::Later);
        }
        None => {}
    }
    let mut row = client.store.app_state_collection(collection)?;
    let mut diverged = false;
    if let Some(reference) = &answer.snapshot {
        if row.standing == Standing::Good {
            tracing::warn!(%collection, "The whole of a collection came unasked; it is left.");
        } else {
            let Some(bytes) = download(client, reference).await? else {
                return start_over(client, collection, true).await;
            };
            let checked =
                Snapshot::decode(&bytes).and_then(|snapshot| snapshot.check(collection, |id| ring.get(id)));
            let applied = match checked {
                Ok(applied) => applied,
                Err(SyncError::MissingKeys(keys)) => return Ok(Outcome::Blocked(keys)),
                Err(error) => {
                    tracing::warn!(%collection, %error, "The whole of a collection is not what it should be.");
                    return start_over(client, collection, true).await;
                }
            };
            diverged |= applied.diverged;
            replace(client, collection, row, applied).await?;
            row = client.store.app_state_collection(collection)?;
        }
    }
    for bytes in &answer.patches {
        let patch = match Patch::decode(bytes) {
            Ok(patch) => patch,
            Err(error) => {
                tracing::warn!(%collection, %error, "A patch is not what it should be.");
                return start_over(client, collection, true).await;
            }
        };
        // Without a start, only the first patch of all can be read.
        let is_first = patch.version().is_none_or(|version| version <= 1);
        if row.standing != Standing::Good && row.state.version == 0 && !is_first {
            return start_over(client, collection, true).await;
        }
        match one(client, ring, collection, row, patch).await? {
            Ok(None) => {}
            Ok(Some((next, wrong))) => {
                row = next;
                diverged |= wrong;
            }
            Err(SyncError::MissingKeys(keys)) => return Ok(Outcome::Blocked(keys)),
            Err(error) => {
                tracing::warn!(%collection, %error, "A patch does not fit.");
                let fatal = !matches!(error, SyncError::VersionGap { .. });
                return start_over(client, collection, fatal).await;
            }
        }
    }
    if diverged {
        // Two devices see different collections: look at the whole, once (§6.3 no. 8).
        return diverge(client, collection).await;
    }
    if answer.more {
        return Ok(Outcome::More);
    }
    settle(client, collection).await?;
    Ok(Outcome::Done)
}

/// Checks and keeps one patch. Returns how the collection stands then, and whether its code is wrong.
async fn one(
    client: &Arc<Inner>,
    ring: &Ring,
    collection: Collection,
    row: CollectionRow,
    mut patch: Patch,
) -> Result<Result<Option<(CollectionRow, bool)>, SyncError>, Error> {
    if patch.version().is_some_and(|version| version <= row.state.version) {
        return Ok(Ok(None));
    }
    if let Some(reference) = patch.external().cloned() {
        let Some(bytes) = download(client, &reference).await? else {
            return Ok(Err(SyncError::Malformed("its file is gone")));
        };
        if let Err(error) = patch.add(&bytes) {
            return Ok(Err(error));
        }
    }
    let mut held = BTreeMap::new();
    if row.state.version == 0 && row.standing != Standing::Good {
        // What is held is of a collection that is begun anew, patch by patch.
        let app_state = vec![AppStateChange::Emptied(collection)];
        client.commit.commit(Changes { app_state, ..Changes::default() }).await?;
    }
    for index_mac in patch.index_macs() {
        if let Some(entry) = client.store.app_state_by_mac(collection, index_mac)? {
            held.insert(*index_mac, entry);
        }
    }
    let value = |index_mac: &IndexMac| held.get(index_mac).map(|held| held.value_mac);
    let applied = match patch.check(collection, &row.state, |id| ring.get(id), value) {
        Ok(Some(applied)) => applied,
        Ok(None) => return Ok(Ok(None)),
        Err(error) => return Ok(Err(error)),
    };
    if applied.missing_removes > 0 {
        tracing::debug!(%collection, "A patch takes out what is not there.");
    }
    let diverged = applied.diverged;
    // A collection may come as all of its patches instead of as a whole: what they say is not news.
    let silent = row.standing != Standing::Good;
    let next = CollectionRow { state: applied.state, ..row };
    keep(client, collection, next, applied, false, silent).await?;
    Ok(Ok(Some((next, diverged))))
}

/// Writes down what a patch made of a collection.
pub(super) async fn keep(
    client: &Inner,
    collection: Collection,
    row: CollectionRow,
    applied: Applied,
    own: bool,
    silent: bool,
) -> Result<(), Error> {
    client
        .unit(|unit| {
            put(unit, collection, row, &applied);
            for mutation in &applied.mutations {
                let removed = mutation.operation == Operation::Remove;
                let changed = Changed { collection, entry: &mutation.entry, removed, own, silent };
                effects::take(unit, &changed)?;
            }
            Ok(())
        })
        .await
}

/// The rows that a patch changes.
pub(super) fn put(unit: &mut Unit<'_>, collection: Collection, row: CollectionRow, applied: &Applied) {
    let rows = &mut unit.changes.app_state;
    rows.push(AppStateChange::Collection(collection, row));
    rows.extend(applied.removed.iter().map(|index_mac| AppStateChange::Removed(collection, *index_mac)));
    rows.extend(applied.put.iter().map(|held| AppStateChange::Put(collection, held.clone())));
}

/// Puts the whole of a collection in the place of what is held. The host hears of the differences; the
/// first time, of the whole only (§6.5).
pub(super) async fn replace(
    client: &Inner,
    collection: Collection,
    row: CollectionRow,
    applied: Applied,
) -> Result<(), Error> {
    let silent = row.standing == Standing::New;
    let former = client.store.app_state_entries(collection)?;
    let next = CollectionRow { state: applied.state, ..row };
    client
        .unit(|unit| {
            unit.changes.app_state.push(AppStateChange::Emptied(collection));
            put(unit, collection, next, &applied);
            for (entry, removed) in differences(&former, &applied.put) {
                effects::take(unit, &Changed { collection, entry, removed, own: false, silent })?;
            }
            Ok(())
        })
        .await
}

/// What is gone, then what is new or says something else.
fn differences<'e>(former: &'e [Held], present: &'e [Held]) -> Vec<(&'e whimbrel_appstate::Entry, bool)> {
    let before: BTreeMap<&[u8], &[u8]> =
        former.iter().map(|held| (&*held.entry.index, &*held.entry.value)).collect();
    let now: BTreeSet<&[u8]> = present.iter().map(|held| &*held.entry.index).collect();
    let gone = former.iter().filter(|held| !now.contains(&*held.entry.index));
    let gone = gone.map(|held| (&held.entry, true));
    let new = present.iter().filter(|held| before.get(&*held.entry.index) != Some(&&*held.entry.value));
    gone.chain(new.map(|held| (&held.entry, false))).collect()
}

/// A collection is read to its end.
async fn settle(client: &Inner, collection: Collection) -> Result<(), Error> {
    let row = client.store.app_state_collection(collection)?;
    if row.standing == Standing::Good {
        return Ok(());
    }
    let entries = client.store.app_state_entries(collection)?.len();
    let first = row.standing == Standing::New;
    client
        .unit(|unit| {
            let row = CollectionRow { standing: Standing::Good, ..row };
            unit.changes.app_state.push(AppStateChange::Collection(collection, row));
            if first {
                let entries = u64::try_from(entries).unwrap_or(u64::MAX);
                unit.event(EventKind::StateSynced(StateSynced { collection, entries }));
            }
            Ok(())
        })
        .await
}

/// The code of a whole collection does not match. It is looked at anew once; if that does not help, it
/// is kept as it is, as web clients do.
async fn diverge(client: &Inner, collection: Collection) -> Result<Outcome, Error> {
    let row = client.store.app_state_collection(collection)?;
    if counted(&row) >= 1 {
        tracing::warn!(%collection, "The devices of the account see different collections.");
        settle(client, collection).await?;
        return Ok(Outcome::Done);
    }
    start_over(client, collection, false).await
}

fn counted(row: &CollectionRow) -> u32 {
    let now = clock::now_seconds();
    if (0..DAY).contains(&now.saturating_sub(row.counted_from)) { row.start_overs } else { 0 }
}

/// A collection is to be read anew, unless that was tried: what is held of it stays to be compared.
pub(super) async fn start_over(
    client: &Inner,
    collection: Collection,
    fatal: bool,
) -> Result<Outcome, Error> {
    let row = client.store.app_state_collection(collection)?;
    let now = clock::now_seconds();
    let start_overs = counted(&row);
    // What is broken for good is tried once, what may have been a race a few times.
    let tried_in_vain = fatal && row.standing == Standing::StartOver;
    if start_overs >= START_OVERS || tried_in_vain {
        return Ok(Outcome::Lost);
    }
    let counted_from = if start_overs == 0 { now } else { row.counted_from };
    // What was never read stays what it is, so that the host is not told of all its entries.
    let standing =
        if row.standing == Standing::New && start_overs == 0 { Standing::New } else { Standing::StartOver };
    let row = CollectionRow {
        state: State::default(),
        standing,
        start_overs: start_overs.saturating_add(1),
        counted_from,
        ..row
    };
    client
        .unit(|unit| {
            unit.changes.app_state.push(AppStateChange::Collection(collection, row));
            let trouble = StateTrouble::StartedOver;
            unit.event(EventKind::StateTrouble(StateTroubled { collection: Some(collection), trouble }));
            Ok(())
        })
        .await?;
    Ok(Outcome::StartOver)
}

/// Downloads a file of app state; `None` if it is gone or is not what it should be.
async fn download(client: &Arc<Inner>, reference: &ExternalBlobReference) -> Result<Option<Vec<u8>>, Error> {
    let reference = MediaReference {
        kind: MediaKind::AppState,
        media: Media {
            direct_path: reference.direct_path.clone(),
            key: reference.media_key.clone().map(Secret::new),
            sha256: reference.file_sha256.clone(),
            encrypted_sha256: reference.file_enc_sha256.clone(),
            ..Media::default()
        },
        message: None,
    };
    match media::fetch_bytes(client, reference, Instant::now() + FILE).await {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error)
            if error.code().category() == Category::Media && error.code() != Code::MediaUnreachable =>
        {
            tracing::warn!(%error, "A file of app state cannot be downloaded.");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// The value that is held of an entry, under whatever key.
pub(super) fn present(
    client: &Inner,
    collection: Collection,
    index: &[u8],
) -> Result<Option<Held>, StoreError> {
    let mut held = client.store.app_state_by_name(collection, index)?;
    held.sort_by_key(|held| held.key_id.epoch());
    Ok(held.pop())
}

//! Keeping enough prekeys at the service. A batch is durable, and marked as offered, before it
//! leaves; one whose result was lost is never offered again.

use std::sync::Arc;
use std::time::Duration;

use whimbrel_wire::Node;

use super::stanza::{self, Held};
use super::{BATCH, LOW, generate};
use crate::client::Inner;
use crate::connection::Connection;
use crate::connection::backoff::Backoff;
use crate::error::{Code, Error, Outcome};
use crate::store::{Account, Changes, PreKeyRow};

/// How long the service may take for one request.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Uploads a new batch. A refusal that may pass is tried again up to `tries` times in all; what
/// is without an answer is left to the next login.
async fn upload(client: &Arc<Inner>, connection: &Connection, tries: u32) -> Result<(), Error> {
    let _one_at_a_time = client.prekeys.uploading.lock().await;
    let account = client.linked_account()?;
    let Some(signed) = client.store.signed_pre_key(account.signed_pre_key_id)? else {
        return Err(Error::new(Code::StoreCorrupt, "the signed prekey is missing"));
    };
    let batch = reserve(client).await?;
    let request = stanza::upload(&account.keys, &signed, &batch);
    drop(batch);
    let mut backoff = Backoff::default();
    for remaining in (0..tries.max(1)).rev() {
        match connection.request(client.request_ids.next(), request.clone(), TIMEOUT).await {
            Ok(_) => {
                tracing::debug!("The service has new prekeys.");
                return client
                    .commit_account(Changes::default(), |account| account.server_has_pre_keys = true)
                    .await;
            }
            // The keys do not fit together: repeating does not help.
            Err(error) if error.service_status() == 406 => return Err(error),
            Err(error) if error.outcome() == Outcome::Refused && remaining > 0 => {
                let wait = backoff.next(&mut *client.rng());
                tokio::select! {
                    () = tokio::time::sleep(error.retry_after().unwrap_or(wait)) => {}
                    () = connection.closed() => return Err(error),
                    () = client.gate.closed() => return Err(error),
                }
            }
            Err(error) => return Err(error),
        }
    }
    Err(Error::new(Code::Refused, "the service did not take the prekeys"))
}

/// The service is not known to have prekeys of this device: uploads a batch, unless one arrived of whose
/// result nobody heard.
pub(crate) async fn provide(client: &Arc<Inner>, connection: &Connection, tries: u32) -> Result<(), Error> {
    // Ids are used up by batches that were about to leave.
    if client.linked_account()?.next_pre_key_id > 1 {
        let answer = connection.request(client.request_ids.next(), stanza::count(), TIMEOUT).await?;
        if stanza::read_count(&answer).is_some_and(|count| count >= LOW) {
            let known = |account: &mut Account| account.server_has_pre_keys = true;
            return client.commit_account(Changes::default(), known).await;
        }
    }
    upload_or_compare(client, connection, tries).await
}

/// Uploads a new batch. If the service finds that the keys do not fit together, what it holds is
/// compared with what this device has, which repairs it once.
async fn upload_or_compare(client: &Arc<Inner>, connection: &Connection, tries: u32) -> Result<(), Error> {
    match upload(client, connection, tries).await {
        Err(error) if error.service_status() == 406 => {
            tracing::warn!("The service does not take the prekeys; comparing.");
            check_digest(client, connection).await
        }
        uploaded => uploaded,
    }
}

/// Makes a batch and commits it. Key generation takes tens of milliseconds: off the protocol's
/// threads.
async fn reserve(client: &Arc<Inner>) -> Result<Vec<PreKeyRow>, Error> {
    let account = client.linked_account()?;
    let mut rng = {
        use rand_core::SeedableRng as _;
        rand_chacha::ChaCha20Rng::from_rng(&mut *client.rng())
    };
    let store = Arc::clone(&client.store);
    let made = client
        .engine
        .handle
        .spawn_blocking(move || generate(&*store, account.next_pre_key_id, BATCH, &mut rng))
        .await
        .map_err(|error| Error::new(Code::Internal, "making prekeys panicked").because(error))?;
    let (batch, next) = made?;
    let mut changes = Changes::default();
    for row in &batch {
        changes.pre_keys.insert(row.id, Some(row.clone()));
    }
    client.commit_account(changes, |account| account.next_pre_key_id = next).await?;
    Ok(batch)
}

/// After a login: whether the service holds enough keys, and, once per process, whether they are
/// this device's.
pub(crate) async fn check_at_login(client: &Arc<Inner>, connection: &Connection) -> Result<(), Error> {
    if client.prekeys.is_to_compare() {
        return check_digest(client, connection).await;
    }
    let answer = connection.request(client.request_ids.next(), stanza::count(), TIMEOUT).await?;
    match stanza::read_count(&answer) {
        Some(count) if count < LOW => upload_or_compare(client, connection, 3).await,
        _ => Ok(()),
    }
}

/// Compares what the service holds with what this device has. A difference, or too few keys, is
/// repaired by an upload: once per connection, so that a service that goes on disagreeing does
/// not get one upload after the other.
pub(super) async fn check_digest(client: &Arc<Inner>, connection: &Connection) -> Result<(), Error> {
    let answer = match connection.request(client.request_ids.next(), stanza::digest_query(), TIMEOUT).await {
        Ok(answer) => answer,
        Err(error) if error.code() == Code::NotFound => return repair(client, connection).await,
        Err(error) => return Err(error),
    };
    let Some(held) = Held::parse(&answer) else {
        tracing::warn!("The service answered the question for its prekeys with something else.");
        return Ok(());
    };
    let account = client.linked_account()?;
    let store = Arc::clone(&client.store);
    // As many reads as there are keys: not on the protocol's threads.
    let compare = move || -> Result<bool, Error> {
        let ids = [Some(account.signed_pre_key_id), account.staged_signed_pre_key_id];
        let mut one_time = Vec::with_capacity(held.ids.len());
        for id in &held.ids {
            one_time.extend(store.pre_key(*id)?.map(|row| row.pair.public));
        }
        for id in ids.into_iter().flatten() {
            // A staged key may have arrived though its result did not.
            let signed = store.signed_pre_key(id)?;
            if signed.is_some_and(|signed| held.matches(&account.keys, &signed, &one_time)) {
                return Ok((held.ids.len() as u64) >= LOW);
            }
        }
        tracing::warn!("The service holds other prekeys than this device has; it gets new ones.");
        Ok(false)
    };
    let compared = client.engine.handle.spawn_blocking(compare).await;
    let fine = compared
        .map_err(|error| Error::new(Code::Internal, "comparing the prekeys panicked").because(error))??;
    if fine { Ok(()) } else { repair(client, connection).await }
}

async fn repair(client: &Arc<Inner>, connection: &Connection) -> Result<(), Error> {
    if !client.prekeys.is_first_repair_on(connection.generation) {
        return Ok(());
    }
    upload(client, connection, 3).await?;
    client.signal.lock().await.statistics.prekeys_replaced += 1;
    Ok(())
}

/// Acts on a notification about own prekeys, which was acknowledged already. One that comes
/// during an upload is answered by that upload.
pub(crate) async fn on_notification(client: Arc<Inner>, connection: Arc<Connection>, notification: Node) {
    let result = if notification.child_named("digest").is_some() {
        check_digest(&client, &connection).await
    } else if client.prekeys.uploading.try_lock().is_err() {
        return;
    } else {
        tracing::debug!(left = ?stanza::read_count(&notification), "The service runs out of prekeys.");
        refill(&client, &connection).await
    };
    if let Err(error) = result {
        tracing::warn!(%error, "The service has not got new prekeys.");
    }
}

async fn refill(client: &Arc<Inner>, connection: &Connection) -> Result<(), Error> {
    // Should this process end before the upload, the next login makes up for it.
    client.commit_account(Changes::default(), |account| account.server_has_pre_keys = false).await?;
    upload_or_compare(client, connection, 5).await
}

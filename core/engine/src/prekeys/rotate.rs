//! Changing the signed prekey from time to time (pairing document §8.5). The new one is durable
//! as staged before it leaves, and current when the service has it; a message may be built on
//! either meanwhile, and on an old one for weeks.

use std::sync::Arc;
use std::time::Duration;

use super::{next_id, sign, stanza, upload};
use crate::client::Inner;
use crate::connection::Connection;
use crate::error::{Code, Error};
use crate::store::{Account, Changes, SignedPreKeyRow};

/// Age at which a signed prekey is replaced, seconds.
const PERIOD: i64 = 27 * DAY;

/// How long an old one stays usable, seconds; longer, if there are few.
const KEPT: i64 = 60 * DAY;

/// So many stay usable however old they are, the current one included.
const KEPT_AT_LEAST: usize = 3;

/// How long to wait after a failure, and between looks at the age.
const PAUSE: Duration = Duration::from_secs(24 * 3600);

/// How long the service may take.
const TIMEOUT: Duration = Duration::from_secs(30);

const DAY: i64 = 24 * 3600;

/// Keeps the signed prekey young for as long as the connection lasts.
pub(crate) async fn keep_young(client: Arc<Inner>, connection: Arc<Connection>) {
    loop {
        if let Err(error) = rotate_if_due(&client, &connection).await {
            tracing::warn!(%error, "The signed prekey was not changed.");
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            () = connection.closed() => return,
            () = client.gate.closed() => return,
        }
    }
}

async fn rotate_if_due(client: &Arc<Inner>, connection: &Connection) -> Result<(), Error> {
    let account = client.linked_account()?;
    let staged = match account.staged_signed_pre_key_id {
        // A process ended before it heard of the result: the same key again.
        Some(id) => client.store.signed_pre_key(id)?,
        None => None,
    };
    let staged = match staged {
        Some(staged) => staged,
        None => {
            let current = current(client, &account)?;
            let age = client.server_now_ms().div_euclid(1000).saturating_sub(current.created_at);
            if age < PERIOD {
                return Ok(());
            }
            stage(client, &account).await?
        }
    };
    let request = stanza::rotate(&staged);
    match connection.request(client.request_ids.next(), request, TIMEOUT).await {
        Ok(_) => {
            tracing::info!("The service has a new signed prekey.");
            adopt(client, staged.id).await
        }
        Err(error) if error.service_status() == 406 => {
            drop_staged(client, staged.id).await?;
            Err(error)
        }
        Err(error) if error.service_status() == 409 => {
            drop_staged(client, staged.id).await?;
            upload::check_digest(client, connection).await
        }
        Err(error) => Err(error),
    }
}

fn current(client: &Inner, account: &Account) -> Result<SignedPreKeyRow, Error> {
    let current = client.store.signed_pre_key(account.signed_pre_key_id)?;
    current.ok_or_else(|| Error::new(Code::StoreCorrupt, "the signed prekey is missing"))
}

/// Makes a key under an id that no other key had. Durable before it leaves.
async fn stage(client: &Inner, account: &Account) -> Result<SignedPreKeyRow, Error> {
    let id = next_id(account.last_signed_pre_key_id);
    let mut staged = sign(&account.keys.identity, id, &mut client.rng());
    // Its age is measured by the service's clock too.
    staged.created_at = client.server_now_ms().div_euclid(1000);
    let mut changes = Changes::default();
    changes.signed_pre_keys.insert(id, Some(staged.clone()));
    let staging = client.commit_account(changes, |account| {
        account.staged_signed_pre_key_id = Some(id);
        account.last_signed_pre_key_id = id;
    });
    staging.await?;
    Ok(staged)
}

/// The service has the staged key. Keys that nobody can have any more go.
async fn adopt(client: &Inner, id: u32) -> Result<(), Error> {
    let mut changes = Changes::default();
    let now = client.server_now_ms().div_euclid(1000);
    for old in outlived(client.store.signed_pre_keys()?, now) {
        changes.signed_pre_keys.insert(old, None);
    }
    let adopting = client.commit_account(changes, |account| {
        account.signed_pre_key_id = id;
        account.staged_signed_pre_key_id = None;
    });
    adopting.await
}

/// Ids of keys that were replaced so long ago that no message can be built on them any more.
fn outlived(mut rows: Vec<SignedPreKeyRow>, now: i64) -> Vec<u32> {
    rows.sort_by_key(|row| std::cmp::Reverse((row.created_at, row.id)));
    let replaced_at = rows.iter().map(|newer| newer.created_at);
    let old = rows.iter().skip(1).zip(replaced_at).skip(KEPT_AT_LEAST - 1);
    old.filter(|(_, replaced_at)| now.saturating_sub(*replaced_at) > KEPT).map(|(row, _)| row.id).collect()
}

/// The service does not take this key, and nobody has it.
async fn drop_staged(client: &Inner, id: u32) -> Result<(), Error> {
    let mut changes = Changes::default();
    changes.signed_pre_keys.insert(id, None);
    client.commit_account(changes, |account| account.staged_signed_pre_key_id = None).await
}

#[cfg(test)]
mod tests {
    use whimbrel_crypto::curve::KeyPair;

    use super::*;

    #[test]
    fn old_keys_go_sixty_days_after_they_were_replaced_and_three_always_stay() {
        let mut rng = crate::random::generator(Some(1), 1).unwrap();
        let identity = KeyPair::generate(&mut rng);
        let mut rows: Vec<_> = (1..=6).map(|id| sign(&identity, id, &mut rng)).collect();
        for (row, days) in rows.iter_mut().zip([0, 27, 54, 81, 108, 135]) {
            row.created_at = days * DAY;
        }
        assert_eq!(outlived(rows.clone(), 135 * DAY), [2, 1]);
        assert_eq!(outlived(rows.clone(), 87 * DAY + 1), [1]);
        assert_eq!(outlived(rows.clone(), 87 * DAY), [0; 0]);
        rows.truncate(3);
        assert_eq!(outlived(rows, 10_000 * DAY), [0; 0]);
    }
}

//! Lists of devices: kept for a day, asked for when they are needed (delivery document §2.6).

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use whimbrel_wire::Jid;

use super::filter::{self, Checked};
use super::identity::Source;
use super::sessions;
use super::usync::{self, Context, UserAnswer};
use crate::client::Inner;
use crate::connection::Connection;
use crate::error::Error;
use crate::messages::Unit;
use crate::store::{DeviceList, StoreError};

/// How long a list is believed, in seconds.
const LIFE: i64 = 24 * 60 * 60;

/// Queries about one group that wait for answers at the same time.
pub(crate) const AT_ONCE: usize = 4;

/// How long the service may take for a query.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);

/// The list of a user, unless it is too old, or from a time that has not come: the clock was
/// wrong then.
pub(crate) fn fresh(unit: &Unit<'_>, user: &Jid) -> Result<Option<DeviceList>, StoreError> {
    let list = unit.device_list(user)?;
    Ok(list.filter(|list| (0..LIFE).contains(&unit.now().saturating_sub(list.fetched_at))))
}

/// How far a sender's clock may be ahead, in seconds.
const AHEAD: i64 = 60;

/// A message tells when its sender's list was last signed. A list that is older, and was asked for before
/// that, is given up (delivery document §1.13). What was asked for later is the best that there is, whatever
/// a sender says.
pub(crate) fn heard_of(unit: &mut Unit<'_>, sender: &Jid, signed_at: u64) -> Result<(), StoreError> {
    let user = sender.to_bare();
    let (Some(known), Ok(signed_at)) = (unit.device_list(&user)?, i64::try_from(signed_at)) else {
        return Ok(());
    };
    let is_possible = signed_at <= unit.now().saturating_add(AHEAD);
    if is_possible && known.signed_at < signed_at && known.fetched_at <= signed_at {
        tracing::debug!("A sender has another list of devices; it is asked for before the next message.");
        unit.give_up_list(&user)?;
    }
    Ok(())
}

/// Until when a list is believed, seconds.
pub(crate) const fn good_until(list: &DeviceList) -> i64 {
    list.fetched_at.saturating_add(LIFE)
}

/// Asks for the lists of users. Users of which the service says nothing keep what they have. Where a list is
/// signed by another key than the known one of the account, the account's phone is asked before it is judged.
pub(crate) async fn query(
    client: &Inner,
    connection: &Connection,
    users: &[Jid],
    context: Context,
) -> Result<(), Error> {
    let mut requests = Vec::new();
    for users in users.chunks(usync::USERS) {
        let id = client.request_ids.next();
        let query = usync::query(users, context, id.clone());
        requests.push(connection.request(id, query, TIMEOUT));
    }
    let mut answers = stream::iter(requests).buffered(AT_ONCE);
    while let Some(answer) = answers.next().await {
        let answers = usync::parse(&answer?);
        let doubtful = client.unit(|unit| {
            let mut doubtful = Vec::new();
            for answer in answers {
                if is_of_other_account(unit, &answer)? {
                    doubtful.push(answer);
                } else {
                    take(unit, &answer)?;
                }
            }
            Ok(doubtful)
        });
        for answer in doubtful.await? {
            sessions::refresh_phone(client, connection, &answer.user).await?;
            client.unit(|unit| take(unit, &answer)).await?;
        }
    }
    Ok(())
}

/// Whether a list is signed by another key than the known one of the account.
pub(crate) fn is_of_other_account(unit: &mut Unit<'_>, answer: &UserAnswer) -> Result<bool, StoreError> {
    let Some(devices) = &answer.devices else { return Ok(false) };
    let user = unit.canonical(&answer.user)?;
    let account = unit.identity(&user)?;
    Ok(filter::is_of_other_account(devices, account.as_ref()))
}

pub(crate) fn take(unit: &mut Unit<'_>, answer: &UserAnswer) -> Result<(), StoreError> {
    learn(unit, answer)?;
    let Some(devices) = &answer.devices else { return Ok(()) };
    let user = unit.canonical(&answer.user)?;
    let (account, stored) = (unit.identity(&user)?, unit.last_device_list(&user)?);
    match filter::check(devices, account.as_ref(), stored.as_ref(), unit.now()) {
        Ok(checked) => apply(unit, &user, checked),
        Err(error) => {
            tracing::warn!(%error, "A device list is not taken.");
            unit.fall_back_on_list(&user)
        }
    }
}

/// Learns the two addresses of a user.
pub(crate) fn learn(unit: &mut Unit<'_>, answer: &UserAnswer) -> Result<(), StoreError> {
    for twin in [&answer.lid, &answer.phone].into_iter().flatten() {
        unit.learn(&answer.user, twin, Source::Current)?;
    }
    Ok(())
}

/// Stores a checked list, and forgets the devices that are gone.
pub(crate) fn apply(unit: &mut Unit<'_>, user: &Jid, checked: Checked) -> Result<(), StoreError> {
    let Checked { list, registered_anew } = checked;
    for device in unit.session_devices(user)? {
        let listed = list.devices.iter().any(|entry| entry.device == device.device());
        if !listed || (registered_anew && device.has_device()) {
            unit.device_gone(&device)?;
        }
    }
    unit.changes.device_lists.insert(user.clone(), Some(list));
    Ok(())
}

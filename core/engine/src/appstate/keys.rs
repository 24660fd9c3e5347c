//! Keys: taking those that other devices share, asking for those that are missing, giving ours to
//! devices that ask (app-state document §4).

use std::collections::{BTreeMap, BTreeSet};

use whimbrel_appstate::{KeyId, Keys, active_key};
use whimbrel_proto::e2e::message::protocol_message::Type;
use whimbrel_proto::e2e::message::{
    AppStateSyncKey, AppStateSyncKeyData, AppStateSyncKeyFingerprint, AppStateSyncKeyId,
    AppStateSyncKeyRequest, AppStateSyncKeyShare, ProtocolMessage,
};
use whimbrel_wire::Jid;
use zeroize::Zeroizing;

use super::News;
use super::rows::{AppStateChange, KeyRow, WantedKey};
use crate::client::Inner;
use crate::clock;
use crate::connection::Connection;
use crate::error::Error;
use crate::messages::Unit;
use crate::messages::peer;
use crate::repair::Repair;
use crate::store::{Changes, Store, StoreError};

/// How often other devices are asked for the same key, seconds.
const AGAIN: i64 = 6 * 3600;

/// Keys that are given in one answer.
const MOST: usize = 100;

/// The account's keys, ready for use.
#[derive(Default)]
pub(super) struct Ring(BTreeMap<KeyId, Keys>);

impl Ring {
    pub(super) fn load(store: &dyn Store) -> Result<Self, StoreError> {
        Ok(Self(store.app_state_keys()?.iter().map(|row| (row.id, Keys::expand(&row.data))).collect()))
    }

    pub(super) fn get(&self, id: KeyId) -> Option<&Keys> {
        self.0.get(&id)
    }

    /// The key to write with.
    pub(super) fn active(&self) -> Option<(KeyId, &Keys)> {
        let id = active_key(self.0.keys().copied())?;
        Some((id, self.get(id)?))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Takes the keys that a device of the account shares. That it is one was checked before.
pub(crate) fn received(unit: &mut Unit<'_>, share: &AppStateSyncKeyShare) -> Result<(), StoreError> {
    let known = unit.store.app_state_keys()?;
    let mut denied = Vec::new();
    for key in &share.keys {
        let id = key.key_id.as_ref().and_then(|id| KeyId::from_slice(id.key_id.as_deref()?));
        let Some(id) = id else {
            tracing::warn!("A key of app state has a name of another length.");
            continue;
        };
        let shared = key.key_data.as_ref();
        let data = shared.and_then(|data| <[u8; 32]>::try_from(data.key_data.as_deref()?).ok());
        let Some(data) = data.map(Zeroizing::new) else {
            // The device answers that it does not have the key.
            denied.push(id);
            continue;
        };
        if known.iter().any(|known| known.id == id && known.data != data) {
            tracing::warn!("A key of app state came again with other octets; the first one stays.");
        }
        unit.changes.app_state.push(AppStateChange::Key(KeyRow {
            id,
            data,
            timestamp_ms: shared.and_then(|data| data.timestamp).unwrap_or_default(),
            fingerprint: shared.and_then(|data| data.fingerprint.as_ref()).map(whimbrel_proto::encode),
        }));
    }
    unit.wish(Repair::AppState(News::Keys(denied)));
    Ok(())
}

/// Another device of the account asks for keys.
pub(crate) fn requested(unit: &mut Unit<'_>, device: &Jid, request: &AppStateSyncKeyRequest) {
    let ids = request.key_ids.iter().filter_map(|id| KeyId::from_slice(id.key_id.as_deref()?));
    let ids: Vec<KeyId> = ids.take(MOST).collect();
    if !ids.is_empty() {
        unit.wish(Repair::GiveKeys(device.clone(), ids));
    }
}

fn named(id: KeyId) -> AppStateSyncKeyId {
    AppStateSyncKeyId { key_id: Some(id.as_bytes().to_vec()) }
}

/// Gives a device of the account the keys that it asks for, and says of the others that they are not
/// here.
pub(crate) async fn give(
    client: &Inner,
    connection: &Connection,
    device: &Jid,
    ids: &[KeyId],
) -> Result<(), Error> {
    let held = client.store.app_state_keys()?;
    let entry = |id: &KeyId| AppStateSyncKey {
        key_id: Some(named(*id)),
        key_data: held.iter().find(|row| row.id == *id).map(|row| AppStateSyncKeyData {
            key_data: Some(row.data.to_vec()),
            fingerprint: row
                .fingerprint
                .as_deref()
                .and_then(|bytes| whimbrel_proto::decode::<AppStateSyncKeyFingerprint>(bytes).ok()),
            timestamp: Some(row.timestamp_ms),
        }),
    };
    let message = ProtocolMessage {
        r#type: Some(Type::AppStateSyncKeyShare.into()),
        app_state_sync_key_share: Some(AppStateSyncKeyShare { keys: ids.iter().map(entry).collect() }),
        ..ProtocolMessage::default()
    };
    peer::send_to_device(client, connection, device.device(), message).await.map(drop)
}

/// Writes down that keys are missing, and asks the account's other devices for those that they were
/// not asked for lately.
pub(super) async fn want(
    client: &Inner,
    connection: &Connection,
    missing: &BTreeSet<KeyId>,
) -> Result<(), Error> {
    let now = clock::now_seconds();
    let known = client.store.app_state_wanted()?;
    let mut wanted = known.clone();
    for id in missing.iter().copied().filter(|id| !known.iter().any(|known| known.id == *id)) {
        wanted.push(WantedKey { id, since: now, asked_at: 0, told: false });
    }
    let due = |key: &&mut WantedKey| now.saturating_sub(key.asked_at) >= AGAIN || key.asked_at > now;
    let mut asked = Vec::new();
    for key in wanted.iter_mut().filter(due) {
        key.asked_at = now;
        asked.push(*key);
    }
    if asked.is_empty() {
        return Ok(());
    }
    let ids: Vec<KeyId> = asked.iter().map(|key| key.id).collect();
    ask(client, connection, &ids).await?;
    let app_state = asked.into_iter().map(AppStateChange::Wanted).collect();
    client.commit.commit(Changes { app_state, ..Changes::default() }).await
}

/// Asks all other devices; one that was reached is enough.
async fn ask(client: &Inner, connection: &Connection, ids: &[KeyId]) -> Result<(), Error> {
    let devices = client.unit(|unit| {
        let Some(own) = unit.account.lid.clone().or_else(|| unit.account.phone.clone()) else {
            return Ok(vec![0]);
        };
        let user = unit.canonical(&own.to_bare())?;
        let list = unit.device_list(&user)?.map(|list| list.devices).unwrap_or_default();
        let others = list.iter().map(|entry| entry.device).filter(|number| *number != own.device());
        // The phone is there, whatever is known.
        Ok(others.chain([0]).collect::<BTreeSet<u16>>().into_iter().collect())
    });
    let devices: Vec<u16> = devices.await?;
    let message = ProtocolMessage {
        r#type: Some(Type::AppStateSyncKeyRequest.into()),
        app_state_sync_key_request: Some(AppStateSyncKeyRequest {
            key_ids: ids.iter().copied().map(named).collect(),
        }),
        ..ProtocolMessage::default()
    };
    let mut result = Ok(());
    let mut reached = false;
    for device in devices {
        match peer::send_to_device(client, connection, device, message.clone()).await {
            Ok(_) => reached = true,
            Err(error) => result = Err(error),
        }
    }
    if reached {
        tracing::info!(keys = ids.len(), "Other devices were asked for keys of app state.");
        return Ok(());
    }
    result
}

//! Values as columns: addresses as text, keys as bytes, small lists packed.

use rusqlite::Row;
use rusqlite::types::ValueRef;
use whimbrel_crypto::curve::{KeyPair, PrivateKey};
use whimbrel_wire::jid::Jid;

use super::{StoreError, failed};
use crate::error::Code;
use crate::store::{DeviceListEntry, OutboxState};

/// An address column.
pub(super) fn jid(row: &Row<'_>, column: usize) -> Result<Jid, StoreError> {
    optional_jid(row, column)?.ok_or_else(|| StoreError::Corrupt("an address is missing".to_owned()))
}

/// An address column that may be null.
pub(super) fn optional_jid(row: &Row<'_>, column: usize) -> Result<Option<Jid>, StoreError> {
    match row.get_ref(column).map_err(failed)? {
        ValueRef::Null => Ok(None),
        value => {
            let text =
                value.as_str().map_err(|_| StoreError::Corrupt("an address is not text".to_owned()))?;
            let jid = text.parse().map_err(|_| StoreError::Corrupt("an address is malformed".to_owned()))?;
            Ok(Some(jid))
        }
    }
}

/// A column of exactly `N` bytes.
pub(super) fn array<const N: usize>(row: &Row<'_>, column: usize) -> Result<[u8; N], StoreError> {
    row.get_ref(column)
        .map_err(failed)?
        .as_blob()
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| StoreError::Corrupt("a key has the wrong length".to_owned()))
}

/// A column that holds a private key; the public half is computed.
pub(super) fn key_pair(row: &Row<'_>, column: usize) -> Result<KeyPair, StoreError> {
    Ok(KeyPair::from_private(PrivateKey::from_bytes(array(row, column)?)))
}

/// Seven bytes a device: number, key index, hosted.
pub(super) fn pack_devices(devices: &[DeviceListEntry]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(devices.len().saturating_mul(7));
    for device in devices {
        packed.extend(device.device.to_be_bytes());
        packed.extend(device.key_index.to_be_bytes());
        packed.push(u8::from(device.hosted));
    }
    packed
}

/// The inverse of [`pack_devices`].
pub(super) fn unpack_devices(packed: &[u8]) -> Result<Vec<DeviceListEntry>, StoreError> {
    let (entries, rest) = packed.as_chunks::<7>();
    if !rest.is_empty() {
        return Err(StoreError::Corrupt("a device list has the wrong length".to_owned()));
    }
    Ok(entries
        .iter()
        .map(|&[d0, d1, k0, k1, k2, k3, hosted]| DeviceListEntry {
            device: u16::from_be_bytes([d0, d1]),
            key_index: u32::from_be_bytes([k0, k1, k2, k3]),
            hosted: hosted != 0,
        })
        .collect())
}

/// 0 pending, 1 confirmed, the number of the refusal plus 1000, or the negative code of a failure.
pub(super) fn outbox_state_number(state: OutboxState) -> i64 {
    match state {
        OutboxState::Pending => 0,
        OutboxState::Confirmed => 1,
        OutboxState::Refused(status) => i64::from(status).saturating_add(1000),
        OutboxState::Failed(code) => i64::from(code.number()).saturating_neg(),
    }
}

/// The inverse of [`outbox_state_number`].
pub(super) fn outbox_state(number: i64) -> Result<OutboxState, StoreError> {
    match number {
        0 => Ok(OutboxState::Pending),
        1 => Ok(OutboxState::Confirmed),
        code if code < 0 => code
            .checked_neg()
            .and_then(|number| u16::try_from(number).ok())
            .and_then(Code::of_number)
            .map(OutboxState::Failed)
            .ok_or_else(|| StoreError::Corrupt("a sent message has an unknown state".to_owned())),
        other => other
            .checked_sub(1000)
            .and_then(|status| u16::try_from(status).ok())
            .map(OutboxState::Refused)
            .ok_or_else(|| StoreError::Corrupt("a sent message has an unknown state".to_owned())),
    }
}

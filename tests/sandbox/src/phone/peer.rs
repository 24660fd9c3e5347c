//! What a phone tells its companions from device to device (pairing document §12, app-state
//! document §4).

use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use rand_core::Rng as _;
use whimbrel_proto::e2e::message::{AppStateSyncKey, AppStateSyncKeyData, AppStateSyncKeyFingerprint};

use super::companions::Companions;
use super::content;
use super::keys::draw;

/// A key that collections of app state are encrypted with.
#[derive(Clone)]
struct AppStateKey {
    /// Device that made it, and epoch.
    id: [u8; 6],
    data: [u8; 32],
    created: Duration,
}

/// The account's app-state keys; the phone made all of them.
#[derive(Clone)]
pub(crate) struct AppStateKeys {
    keys: Vec<AppStateKey>,
}

impl std::fmt::Debug for AppStateKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AppStateKeys").field("count", &self.keys.len()).finish_non_exhaustive()
    }
}

impl AppStateKeys {
    /// Makes the first key. Epochs begin anywhere in 1..=65536.
    pub(crate) fn generate(rng: &mut ChaCha20Rng, now: Duration) -> Self {
        let epoch = 1 + rng.next_u32() % 65_536;
        let mut id = [0; 6];
        if let Some((_device, tail)) = id.split_first_chunk_mut::<2>() {
            tail.copy_from_slice(&epoch.to_be_bytes());
        }
        Self { keys: vec![AppStateKey { id, data: draw(rng), created: now }] }
    }

    /// All keys, as a new companion gets them.
    pub(crate) fn share_all(&self, companions: &Companions) -> Vec<AppStateSyncKey> {
        self.keys.iter().map(|key| Self::entry(key, companions)).collect()
    }

    /// The wanted keys; one that the phone does not hold goes out without data.
    pub(crate) fn share(&self, ids: &[Vec<u8>], companions: &Companions) -> Vec<AppStateSyncKey> {
        ids.iter()
            .map(|id| match self.keys.iter().find(|key| key.id == id.as_slice()) {
                Some(key) => Self::entry(key, companions),
                None => AppStateSyncKey { key_id: Some(content::key_id(id)), key_data: None },
            })
            .collect()
    }

    fn entry(key: &AppStateKey, companions: &Companions) -> AppStateSyncKey {
        AppStateSyncKey {
            key_id: Some(content::key_id(&key.id)),
            key_data: Some(AppStateSyncKeyData {
                key_data: Some(key.data.to_vec()),
                fingerprint: Some(AppStateSyncKeyFingerprint {
                    raw_id: Some(companions.raw_id()),
                    current_index: Some(companions.current_index()),
                    device_indexes: companions.valid_indexes(),
                }),
                timestamp: i64::try_from(key.created.as_millis()).ok(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phone::keys;

    #[test]
    fn known_keys_go_out_with_data_unknown_ones_without() {
        let keys = AppStateKeys::generate(&mut keys::rng(1, "15550001"), Duration::from_secs(5));
        let companions = Companions::new(7);
        let all = keys.share_all(&companions);
        let id = all[0].key_id.clone().unwrap().key_id.unwrap();
        assert_eq!((id.len(), &id[..2]), (6, &[0, 0][..]));
        assert_eq!(all[0].key_data.as_ref().unwrap().timestamp, Some(5_000));

        let shared = keys.share(&[id, vec![0, 0, 9, 9, 9, 9]], &companions);
        assert!(shared[0].key_data.is_some() && shared[1].key_data.is_none());
        assert!(!format!("{keys:?}").contains("data"));
    }
}

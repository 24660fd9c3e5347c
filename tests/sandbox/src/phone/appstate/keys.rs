//! The keys of an account's app state, as its phone holds them (app-state document §4).

use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use rand_core::Rng as _;
use whimbrel_appstate::{KeyId, Keys, active_key};
use whimbrel_proto::e2e::message::{AppStateSyncKey, AppStateSyncKeyData, AppStateSyncKeyFingerprint};

use super::super::companions::Companions;
use super::super::content;
use super::super::keys::draw;

/// A key that collections of app state are encrypted with.
#[derive(Clone)]
struct AppStateKey {
    /// Device that made it, and epoch.
    id: KeyId,
    data: [u8; 32],
    expanded: Keys,
    created: Duration,
}

impl AppStateKey {
    fn new(id: KeyId, data: [u8; 32], created: Duration) -> Self {
        Self { id, data, expanded: Keys::expand(&data), created }
    }
}

/// The account's app-state keys. The phone makes them, and takes those that companions make.
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
        let id = KeyId::new(0, 1 + rng.next_u32() % 65_536);
        Self { keys: vec![AppStateKey::new(id, draw(rng), now)] }
    }

    /// Makes a further key, which is the one to write with from now on.
    pub(crate) fn rotate(&mut self, rng: &mut ChaCha20Rng, now: Duration) -> KeyId {
        let newest = self.keys.iter().map(|key| key.id.epoch()).max().unwrap_or_default();
        let id = KeyId::new(0, newest.saturating_add(1));
        self.keys.push(AppStateKey::new(id, draw(rng), now));
        id
    }

    /// Takes the keys that a companion hands over.
    pub(crate) fn take_all(&mut self, shared: &[AppStateSyncKey], now: Duration) {
        shared.iter().for_each(|key| self.take(key, now));
    }

    /// Takes a key that a companion made.
    fn take(&mut self, shared: &AppStateSyncKey, now: Duration) {
        let id = shared.key_id.as_ref().and_then(|id| KeyId::from_slice(id.key_id.as_deref()?));
        let data = shared.key_data.as_ref().and_then(|data| data.key_data.as_deref());
        if let (Some(id), Some(Ok(data))) = (id, data.map(TryInto::try_into))
            && self.get(id).is_none()
        {
            self.keys.push(AppStateKey::new(id, data, now));
        }
    }

    /// The key with a name.
    pub(crate) fn get(&self, id: KeyId) -> Option<&Keys> {
        self.keys.iter().find(|key| key.id == id).map(|key| &key.expanded)
    }

    /// The key to write with.
    pub(crate) fn active(&self) -> Option<(KeyId, &Keys)> {
        let id = active_key(self.keys.iter().map(|key| key.id))?;
        Some((id, self.get(id)?))
    }

    /// All keys, as a new companion gets them.
    pub(crate) fn share_all(&self, companions: &Companions) -> Vec<AppStateSyncKey> {
        self.keys.iter().map(|key| Self::entry(key, companions)).collect()
    }

    /// One key, as a companion gets it.
    pub(crate) fn share_one(&self, id: KeyId, companions: &Companions) -> Vec<AppStateSyncKey> {
        self.share(&[id.as_bytes().to_vec()], companions)
    }

    /// The wanted keys without their data, as if the phone did not hold them.
    pub(crate) fn deny(ids: &[Vec<u8>]) -> Vec<AppStateSyncKey> {
        let entry = |id: &Vec<u8>| AppStateSyncKey { key_id: Some(content::key_id(id)), key_data: None };
        ids.iter().map(entry).collect()
    }

    /// The wanted keys; one that the phone does not hold goes out without data.
    pub(crate) fn share(&self, ids: &[Vec<u8>], companions: &Companions) -> Vec<AppStateSyncKey> {
        ids.iter()
            .map(|id| match self.keys.iter().find(|key| key.id.as_bytes() == id.as_slice()) {
                Some(key) => Self::entry(key, companions),
                None => AppStateSyncKey { key_id: Some(content::key_id(id)), key_data: None },
            })
            .collect()
    }

    fn entry(key: &AppStateKey, companions: &Companions) -> AppStateSyncKey {
        AppStateSyncKey {
            key_id: Some(content::key_id(key.id.as_bytes())),
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

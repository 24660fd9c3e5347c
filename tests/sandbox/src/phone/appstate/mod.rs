//! App state on the phone: it holds the keys, writes changes, and takes those of its companions, as any
//! client does (app-state document §12).

mod held;
mod keys;
mod patch;
mod recovery;
mod sync;
mod write;

use std::collections::BTreeMap;
use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use serde::{Deserialize, Serialize};
use whimbrel_appstate::{Action, Collection, index_parts};

use super::{Phone, PhoneError};
use held::Book;

pub use patch::PatchFault;

pub(super) use keys::AppStateKeys;
pub(super) use recovery::wanted_collection;

/// Who gets the keys of app state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeySharing {
    /// Companions that are linked, and those that ask.
    #[default]
    Share,
    /// Only those that ask.
    OnRequest,
    /// Nobody; who asks is told that the phone has no such key.
    Deny,
    /// Nobody; who asks gets no answer.
    Withhold,
}

/// A change of app state that the phone has made or taken.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StateChange {
    /// Name of the collection.
    pub collection: String,
    /// The version that it made.
    pub version: u64,
    /// Whether the entry is gone.
    pub removed: bool,
    /// Index of the entry; the first part is the name of the action.
    pub index: Vec<String>,
    /// Version of the action.
    pub action_version: i32,
    /// The value, as the JSON of its protobuf.
    pub value: serde_json::Value,
    /// Whether the phone wrote it itself.
    pub own: bool,
}

/// What a phone holds of app state.
#[derive(Debug)]
pub(crate) struct AppState {
    pub(crate) keys: AppStateKeys,
    books: BTreeMap<Collection, Book>,
    /// The first entries are written.
    begun: bool,
    /// What writers did wrong.
    violations: Vec<String>,
}

impl AppState {
    pub(crate) fn new(rng: &mut ChaCha20Rng, now: Duration) -> Self {
        Self {
            keys: AppStateKeys::generate(rng, now),
            books: BTreeMap::new(),
            begun: false,
            violations: Vec::new(),
        }
    }
}

impl Phone {
    /// What app state says under an index; `None` if there is no such entry.
    #[must_use]
    pub fn app_state(&self, index: &[&str]) -> Option<Action> {
        let index = whimbrel_appstate::index_bytes(index);
        let state = self.state();
        let held = state.app_state.books.values().find_map(|book| book.find(&index))?;
        Action::read(&held.entry, false)
    }

    /// All that app state holds: by collection, the parts of the indexes and the JSON of the values.
    #[must_use]
    pub fn app_state_entries(&self) -> Vec<(Collection, Vec<String>, serde_json::Value)> {
        let state = self.state();
        let entries = state.app_state.books.iter().flat_map(|(collection, book)| {
            book.entries().map(|held| {
                let index = index_parts(&held.entry.index).unwrap_or_default();
                (*collection, index, held::value_json(&held.entry))
            })
        });
        entries.collect()
    }

    /// Versions of the collections, as far as the phone has read them.
    #[must_use]
    pub fn app_state_version(&self, collection: Collection) -> u64 {
        self.state().app_state.books.get(&collection).map_or(0, |book| book.state.version)
    }

    /// What writers of app state did wrong: codes that do not match, entries that nobody can read.
    #[must_use]
    pub fn app_state_violations(&self) -> Vec<String> {
        self.state().app_state.violations.clone()
    }

    /// The first change that `wanted` accepts, of those already made and those to come.
    pub async fn wait_app_state(
        &self,
        wanted: impl FnMut(&StateChange) -> bool,
        deadline: Duration,
    ) -> Result<StateChange, PhoneError> {
        let found = self.inner.state_changes.wait_for(0, deadline, wanted).await;
        found.map(|(_, change)| change).ok_or(PhoneError::Timeout)
    }

    /// Changes with a number above `after`; waits for the first one if there is none.
    pub async fn app_state_changes_after(&self, after: u64, wait: Duration) -> Vec<(u64, StateChange)> {
        self.inner.state_changes.wait_after(after, wait).await
    }
}

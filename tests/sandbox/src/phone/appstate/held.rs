//! What the phone holds of a collection.

use std::collections::BTreeMap;

use whimbrel_appstate::{
    Applied, Collection, Entry, Held, IndexMac, Operation, Patch, State, SyncError, ValueMac, index_parts,
};
use whimbrel_proto::json::{Form, to_json};
use whimbrel_proto::sync_action::SyncActionValue;

use super::{AppState, StateChange};

/// One collection.
#[derive(Debug, Default)]
pub(super) struct Book {
    pub(super) state: State,
    by_mac: BTreeMap<IndexMac, Held>,
}

impl Book {
    pub(super) fn entries(&self) -> impl Iterator<Item = &Held> {
        self.by_mac.values()
    }

    /// The entry with an index, under whatever key.
    pub(super) fn find(&self, index: &[u8]) -> Option<&Held> {
        self.by_mac.values().find(|held| held.entry.index == index)
    }

    pub(super) fn value_mac(&self, index_mac: &IndexMac) -> Option<ValueMac> {
        self.by_mac.get(index_mac).map(|held| held.value_mac)
    }

    pub(super) fn take(&mut self, applied: &Applied) {
        self.state = applied.state;
        for index_mac in &applied.removed {
            self.by_mac.remove(index_mac);
        }
        for held in &applied.put {
            self.by_mac.insert(held.index_mac, held.clone());
        }
    }
}

impl AppState {
    /// Takes a patch that somebody wrote. The phone checks everything and notes what is wrong, but goes
    /// on: it must see what real clients with their faults do.
    pub(super) fn read(
        &mut self,
        collection: Collection,
        patch: Patch,
    ) -> Result<Vec<StateChange>, SyncError> {
        let book = self.books.entry(collection).or_default();
        let checked = {
            let (state, keys) = (book.state, &self.keys);
            patch.check(collection, &state, |id| keys.get(id), |mac| book.value_mac(mac))
        };
        match checked {
            Ok(None) => Ok(Vec::new()),
            Ok(Some(applied)) => {
                if applied.diverged {
                    let version = applied.state.version;
                    self.violations.push(format!("{collection} {version}: the code of the whole is wrong"));
                }
                book.take(&applied);
                Ok(changes(collection, &applied, false))
            }
            Err(error) => {
                if !matches!(error, SyncError::MissingKeys(_)) {
                    self.violations.push(format!("{collection} {}: {error}", book.state.version + 1));
                }
                Err(error)
            }
        }
    }
}

/// What a patch did, as tests see it.
pub(super) fn changes(collection: Collection, applied: &Applied, own: bool) -> Vec<StateChange> {
    let change = |mutation: &whimbrel_appstate::Mutation| StateChange {
        collection: collection.name().to_owned(),
        version: applied.state.version,
        removed: mutation.operation == Operation::Remove,
        index: index_parts(&mutation.entry.index).unwrap_or_default(),
        action_version: mutation.entry.version,
        value: value_json(&mutation.entry),
        own,
    };
    applied.mutations.iter().map(change).collect()
}

/// The value of an entry as JSON.
pub(super) fn value_json(entry: &Entry) -> serde_json::Value {
    let value: SyncActionValue = whimbrel_proto::decode(&entry.value).unwrap_or_default();
    to_json(&value, Form::default()).unwrap_or_default()
}

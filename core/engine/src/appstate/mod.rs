//! App state: what the devices of an account know together about chats, contacts, labels and settings
//! (app-state document).
//!
//! One task per client reads what others changed and writes what the host asks for. Every patch is one
//! transaction: the entries, the version and hash of the collection, what follows for the archive, and
//! the events. What the host asks for is written down before it is sent.

mod effects;
mod events;
mod fetch;
mod keys;
mod names;
mod range;
mod recovery;
pub(crate) mod rows;
mod stanza;
mod upload;
mod work;
mod write;

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use whimbrel_appstate::{Collection, KeyId};
use whimbrel_wire::NodeRef;

use crate::messages::Unit;
use crate::repair::Repair;
use crate::store::StoreError;

pub(crate) use effects::unarchive;
pub use events::{StateChange, StateSynced, StateTrouble, StateTroubled, StateWritten};
pub(crate) use keys::{give, received, requested};
pub use names::MessageName;
pub(crate) use recovery::answered;
pub use whimbrel_appstate::{Action, Collection as StateCollection, Kind, MessageRange, MessageRef};
pub(crate) use work::run;
pub use write::{LabelEdit, Mute, QuickReply, Setting, value_from_json};

/// What the task is to do, and what it knows while the client is open.
#[derive(Default)]
pub(crate) struct AppState {
    wake: Notify,
    todo: Mutex<Todo>,
}

#[derive(Debug, Default)]
struct Todo {
    /// Collections that are to be read.
    fetch: BTreeSet<Collection>,
    /// Collections that were refused or cut off, and are read again after a pause.
    later: BTreeSet<Collection>,
    /// Collections that wait for a key.
    blocked: BTreeSet<Collection>,
    /// Keys that no device that was asked has.
    denied: BTreeSet<KeyId>,
    /// What the phone handed over of collections that could not be read.
    recoveries: Vec<Vec<u8>>,
    /// A bit of the service that is to be cleared once all was read.
    dirty: Option<(String, Option<String>)>,
}

/// What arrived about app state, for the task.
#[derive(PartialEq)]
pub(crate) enum News {
    /// These collections have these versions now.
    Changed(Vec<(Collection, Option<u64>)>),
    /// Keys came; these the sender does not have.
    Keys(Vec<KeyId>),
    /// The phone handed over a collection that could not be read.
    Recovery(Vec<u8>),
}

impl AppState {
    fn todo(&self) -> MutexGuard<'_, Todo> {
        self.todo.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything is to be looked at: a login, or a word of the service.
    pub(crate) fn look(&self, dirty: Option<(String, Option<String>)>) {
        let mut todo = self.todo();
        todo.fetch.extend(Collection::ALL);
        todo.dirty = dirty.or(todo.dirty.take());
        drop(todo);
        self.wake.notify_one();
    }

    /// There is something to be written.
    fn wished(&self) {
        self.wake.notify_one();
    }

    pub(crate) fn take(&self, news: News) {
        let mut todo = self.todo();
        match news {
            News::Changed(collections) => todo.fetch.extend(collections.into_iter().map(|(name, _)| name)),
            News::Keys(denied) => {
                todo.denied.extend(denied);
                let blocked = std::mem::take(&mut todo.blocked);
                todo.fetch.extend(blocked);
            }
            News::Recovery(bytes) => todo.recoveries.push(bytes),
        }
        drop(todo);
        self.wake.notify_one();
    }
}

/// Another device changed collections; which of them are news here.
pub(crate) fn announced(unit: &mut Unit<'_>, node: &NodeRef<'_>) -> Result<(), StoreError> {
    let mut news = Vec::new();
    for (collection, version) in stanza::announced(node) {
        let held = unit.store.app_state_collection(collection)?.state.version;
        if version.is_none_or(|version| version > held) {
            news.push((collection, version));
        }
    }
    if !news.is_empty() {
        unit.wish(Repair::AppState(News::Changed(news)));
    }
    Ok(())
}

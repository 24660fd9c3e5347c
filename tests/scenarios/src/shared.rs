//! App state: clients that have read it, and what becomes of their changes.

use std::collections::BTreeSet;

use whimbrel::appstate::{StateCollection, StateWritten};
use whimbrel::events::{EventKind, EventStream};
use whimbrel::{Client, Engine};
use whimbrel_sandbox::phone::Phone;

use crate::{ANNA, World, next_kind, quiet};

/// Waits until all collections were read for the first time; returns how many entries there are.
pub async fn synced(events: &mut EventStream) -> u64 {
    let mut seen = BTreeSet::new();
    let mut entries = 0;
    while seen.len() < StateCollection::ALL.len() {
        let read = next_kind(events, |kind| match kind {
            EventKind::StateSynced(synced) => Some(synced.clone()),
            _ => None,
        });
        let read = read.await;
        assert!(seen.insert(read.collection), "{} was read for the first time twice", read.collection);
        entries += read.entries;
    }
    entries
}

/// A companion of Anna's that is linked, and has read everything.
pub async fn companion(world: &World, engine: &Engine, name: &str) -> (Client, EventStream, Phone) {
    let client = engine.open(world.store(name), quiet()).unwrap();
    let mut events = client.events().unwrap();
    let phone = world.link(&client, ANNA).await;
    synced(&mut events).await;
    (client, events, phone)
}

/// Waits until changes are written, in whatever order: collections are written one after the other.
pub async fn all_written(events: &mut EventStream, changes: impl IntoIterator<Item = String>) {
    let mut waiting: BTreeSet<String> = changes.into_iter().collect();
    while !waiting.is_empty() {
        let told = next_kind(events, |kind| match kind {
            EventKind::StateWritten(written) => Some(written.clone()),
            _ => None,
        });
        let told = told.await;
        assert_eq!(told.error, None, "{}", told.change);
        waiting.remove(&told.change);
    }
}

/// The fate of a change.
pub async fn written(events: &mut EventStream, change: &str) -> StateWritten {
    next_kind(events, |kind| match kind {
        EventKind::StateWritten(written) if written.change == change => Some(written.clone()),
        _ => None,
    })
    .await
}

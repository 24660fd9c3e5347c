//! What scenarios need and hosts never do. It is always built, so that tests and products are made of
//! the same crate.

use std::path::Path;
use std::sync::Arc;

use whimbrel_proto::e2e::message::HistorySyncNotification;

use crate::appstate::rows::AppStateChange;
use crate::client::Client;
use crate::engine::Engine;
use crate::error::Error;
use crate::history::HistoryChange;
use crate::options::ClientOptions;
use crate::store::failing::FailingStore;
pub use crate::store::failing::Moment;
use crate::store::sqlite::SqliteStore;
use crate::store::{Account, Changes, Store};

/// The disk of one client's store, which is in memory.
pub struct Disk(Arc<FailingStore>);

impl Disk {
    /// Lets every commit fail from now on, or none.
    pub fn fail(&self, fails: bool) {
        self.0.fail_next(if fails { u32::MAX } else { 0 });
    }
}

/// Opens a client whose disk can be made to fail.
pub fn open(engine: &Engine, options: ClientOptions) -> Result<(Client, Disk), Error> {
    engine.refuse_if_closed()?;
    let store = Arc::new(FailingStore::default());
    let client = engine.open_store(Arc::clone(&store) as Arc<dyn Store>, options)?;
    Ok((client, Disk(store)))
}

/// Lets the QR code on show be followed by the next one, as if its time were over.
pub fn next_code(client: &Client) {
    client.inner().link.hurry();
}

/// What a commit makes durable before something else may happen (pairing document §13.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// The keys of a device without a link; its public Noise key.
    Keys([u8; 32]),
    /// Another secret for codes.
    Secret,
    /// A link that a phone has proved.
    Link,
    /// One-time prekeys.
    PreKeys,
    /// A signed prekey that the service does not have yet.
    StagedKey,
    /// A message that the host wants to send.
    Accepted,
    /// The ratchet steps of a message on its way.
    Composed,
    /// A message that was received, and its event.
    Received,
    /// A piece of the history that was announced, by the number of its kind.
    HistoryAnnounced(i32),
    /// A part of a piece, and so many messages of it in all.
    HistoryRead(u64),
    /// That a piece of so many messages is in the archive, and the event of that.
    HistoryDone(u64),
    /// That a change of app state is with the service, and the event of that.
    StateWritten,
    /// That the host ends the link.
    LoggingOut,
    /// The end of the link, and its event.
    Ended,
}

/// Opens the client of a store file. `watch` is told of every step before it is durable and after; what
/// follows from the step waits until it returns. It is called on a thread that may be held up.
pub fn open_watched(
    engine: &Engine,
    path: impl AsRef<Path>,
    options: ClientOptions,
    watch: impl Fn(Step, Moment) + Send + Sync + 'static,
) -> Result<Client, Error> {
    engine.refuse_if_closed()?;
    let file = SqliteStore::open(path.as_ref(), options.sync_to_disk)?;
    // What changes is seen only before it has.
    let steps = std::sync::Mutex::new(Vec::new());
    let told = move |store: &dyn Store, changes: &Changes, moment: Moment| {
        let mut steps = steps.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if moment == Moment::Before {
            *steps = steps_of(store, changes);
        }
        for step in &*steps {
            watch(*step, moment);
        }
    };
    engine.open_store(Arc::new(FailingStore::watched(Box::new(file), Box::new(told))), options)
}

fn steps_of(store: &dyn Store, changes: &Changes) -> Vec<Step> {
    let mut steps = Vec::new();
    let former = store.account().ok().flatten();
    let former = former.as_ref();
    if let Some(account) = &changes.account {
        let noise = *account.keys.noise.public.as_bytes();
        if former.is_none_or(|former| *former.keys.noise.public.as_bytes() != noise) {
            steps.push(Step::Keys(noise));
        } else if former.is_some_and(|former| former.keys.adv_secret != account.keys.adv_secret) {
            steps.push(Step::Secret);
        }
        let begins = |flag: fn(&Account) -> bool| flag(account) && !former.is_some_and(flag);
        let begun = [
            (begins(|account| account.phone.is_some() && !account.logged_out), Step::Link),
            (begins(|account| account.staged_signed_pre_key_id.is_some()), Step::StagedKey),
            (begins(|account| account.logging_out), Step::LoggingOut),
        ];
        steps.extend(begun.into_iter().filter(|(is_so, _)| *is_so).map(|(_, step)| step));
    }
    let received = !changes.inbox.is_empty();
    let others = [
        (changes.forget_link, Step::Ended),
        (changes.pre_keys.values().any(Option::is_some), Step::PreKeys),
        (!changes.outbox.is_empty(), Step::Accepted),
        (!received && !changes.sessions.is_empty(), Step::Composed),
        (received && !changes.journal.is_empty(), Step::Received),
        (
            changes.app_state.iter().any(|change| matches!(change, AppStateChange::Settled(_))),
            Step::StateWritten,
        ),
    ];
    steps.extend(others.into_iter().filter(|(is_so, _)| *is_so).map(|(_, step)| step));
    for change in &changes.history {
        match change {
            HistoryChange::Announced(piece) => {
                let told: HistorySyncNotification =
                    whimbrel_proto::decode(&piece.notification).unwrap_or_default();
                steps.push(Step::HistoryAnnounced(told.sync_type.unwrap_or_default()));
            }
            HistoryChange::Read(_, read) => steps.push(Step::HistoryRead(read.messages)),
            HistoryChange::Done(id) => {
                let piece = store.next_piece(i64::MAX).ok().flatten();
                let piece = piece.filter(|piece| piece.message_id == *id);
                steps.push(Step::HistoryDone(piece.map_or(0, |piece| piece.read.messages)));
            }
            HistoryChange::Nonce(_) | HistoryChange::Owed(_) | HistoryChange::Receipted(_) => {}
        }
    }
    steps
}

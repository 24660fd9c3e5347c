//! Reading pieces, one at a time, in the order in which they were announced.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use whimbrel_history::ReadError;
use whimbrel_proto::e2e::message::HistorySyncNotification;

use super::events::{HistoryKind, HistorySync};
use super::full;
use super::get::{self, Place};
use super::older::Waiting;
use super::owed;
use super::piece::{HistoryChange, PieceRow};
use super::take;
use crate::addons::waiting;
use crate::client::{Goal, Inner};
use crate::clock;
use crate::error::{Code, Error};
use crate::events::EventKind;
use crate::store::{Changes, StoreError};

/// How often a piece is read that is not what it should be.
const ATTEMPTS: u32 = 2;

/// Pause after a failure that may pass.
const PAUSE: Duration = Duration::from_secs(30);

/// How long the phone has to hand a piece over again before it is asked once more for one that is gone from
/// the media hosts, and before a damaged one is given up, seconds.
const AGAIN: i64 = 3600;

/// How long a piece that is gone is waited for in all, seconds (media document §20.4).
const GIVEN_UP: i64 = 24 * 3600;

/// Wakes the reader of pieces.
#[derive(Default)]
pub(crate) struct Queue {
    wake: Notify,
    pub(super) waiting: Waiting,
    pub(super) full: full::Waiting,
}

impl Queue {
    /// A piece was announced, and is durable.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    /// The phone said its word on a request for all of its history.
    pub(crate) fn answered(&self, answer: full::Answer) {
        self.full.answered(answer);
    }
}

/// Why a piece was not read to its end.
#[derive(Debug)]
pub(super) enum Failure {
    /// The client closes.
    Closing,
    /// It may be read later.
    Later(Error),
    /// It is gone from the media hosts.
    Gone,
    /// It is not what it should be, from whichever media host.
    Corrupt,
    /// It came as it was made, and that is not what it should be.
    Damaged(ReadError),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Later(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Later(error.into())
    }
}

/// Reads pieces until the client closes.
pub(crate) async fn run(client: Arc<Inner>) {
    let mut goal = client.watch_goal();
    loop {
        if *goal.borrow_and_update() == Goal::Closed {
            return;
        }
        let pause = match next(&client).await {
            Ok(true) => continue,
            // The phone may never hand over what it was asked for.
            Ok(false) => Some(Duration::from_secs(AGAIN.unsigned_abs())),
            Err(Failure::Closing) => return,
            Err(Failure::Later(error)) => {
                tracing::warn!(%error, "A piece of the history is left for later.");
                Some(PAUSE)
            }
            // They are dealt with where they come up.
            Err(Failure::Damaged(_) | Failure::Corrupt | Failure::Gone) => None,
        };
        tokio::select! {
            () = client.history.wake.notified() => {}
            () = pausing(pause), if pause.is_some() => {}
            changed = goal.changed() => if changed.is_err() { return },
        }
    }
}

async fn pausing(pause: Option<Duration>) {
    if let Some(pause) = pause {
        tokio::time::sleep(pause).await;
    }
}

/// Deals with the oldest piece. Returns whether there was one.
async fn next(client: &Arc<Inner>) -> Result<bool, Failure> {
    if client.linked_account().is_err() {
        return Ok(false);
    }
    let now = clock::now_seconds();
    let Some(piece) = client.store.next_piece(now.saturating_sub(AGAIN))? else { return Ok(false) };
    let notification: HistorySyncNotification =
        whimbrel_proto::decode(&piece.notification).unwrap_or_default();
    if piece.read.failures >= ATTEMPTS && piece.read.asked_at > 0 {
        // The phone has not made it anew, or will not.
        finish(client, &piece, &notification, Some(Code::HistoryDamaged)).await?;
        return Ok(true);
    }
    let fetched = tokio::select! {
        fetched = get::fetch(client, &piece, &notification) => fetched,
        () = closing(client) => return Err(Failure::Closing),
    };
    let source = match fetched {
        Err(Failure::Gone) if now.saturating_sub(piece.announced_at) < GIVEN_UP => {
            get::ask_again(client, &piece, &notification).await?;
            return Ok(true);
        }
        Err(Failure::Corrupt) => {
            give_back(client, piece, &notification).await?;
            return Ok(true);
        }
        Err(Failure::Gone) => {
            finish(client, &piece, &notification, Some(Code::MediaGone)).await?;
            return Ok(true);
        }
        source => source?,
    };
    let file = match &source {
        Place::File(path) => Some(path.clone()),
        Place::Inline(_) => None,
    };
    let reading = {
        let (client, piece, notification) = (Arc::clone(client), piece.clone(), notification.clone());
        let runtime = client.engine.handle.clone();
        runtime.spawn_blocking(move || take::read(&client, piece, &notification, source))
    };
    let (piece, end) =
        reading.await.map_err(|_| Error::new(Code::Internal, "reading the history panicked"))?;
    match end {
        Ok(()) => {}
        Err(Failure::Damaged(error)) => {
            // It is downloaded again.
            get::remove(file);
            let failures = piece.read.failures.saturating_add(1);
            if failures < ATTEMPTS {
                let read = super::Read { failures, ..piece.read };
                let history = vec![HistoryChange::Read(piece.message_id.clone(), read)];
                client.commit.commit(Changes { history, ..Changes::default() }).await?;
                return Ok(true);
            }
            tracing::warn!(%error, "A piece of the history is damaged; what was read of it stays.");
            give_back(client, piece, &notification).await?;
            return Ok(true);
        }
        Err(failure) => {
            if client.linked_account().is_err() {
                // Nobody reads it to its end.
                get::remove(file);
            }
            return Err(failure);
        }
    }
    finish(client, &piece, &notification, None).await?;
    if file.is_some() {
        get::delete(client, &notification);
    }
    get::remove(file);
    Ok(true)
}

/// Asks the phone for a damaged piece anew, once; what comes and is damaged too is given up.
async fn give_back(
    client: &Arc<Inner>,
    mut piece: PieceRow,
    notification: &HistorySyncNotification,
) -> Result<(), Failure> {
    piece.read.failures = ATTEMPTS;
    if piece.read.asked_at > 0 || notification.original_message_id.is_some() {
        return finish(client, &piece, notification, Some(Code::HistoryDamaged)).await;
    }
    tokio::select! {
        asked = get::ask_anew(client, &piece, notification) => asked,
        () = closing(client) => Err(Failure::Closing),
    }
}

/// Ends when the client closes, which does not wait for a download.
pub(super) async fn closing(client: &Inner) {
    drop(client.watch_goal().wait_for(|goal| *goal == Goal::Closed).await);
}

/// Tells the host and the phone that a piece is done with.
async fn finish(
    client: &Inner,
    piece: &PieceRow,
    notification: &HistorySyncNotification,
    error: Option<Code>,
) -> Result<(), Failure> {
    let event = HistorySync {
        kind: HistoryKind::of_number(notification.sync_type.unwrap_or_default()),
        chunk: notification.chunk_order.unwrap_or_default(),
        progress: notification.progress,
        chats: piece.read.chats,
        messages: piece.read.messages,
        damaged: piece.read.damaged,
        calls: piece.read.calls,
        stickers: piece.read.stickers,
        request_id: notification.peer_data_request_session_id.clone().or_else(|| {
            let request = notification.full_history_sync_on_demand_request_metadata.as_ref();
            request.and_then(|request| request.request_id.clone())
        }),
        error,
    };
    let id = piece.message_id.clone();
    let told = event.clone();
    client
        .unit(|unit| {
            unit.changes.history.push(HistoryChange::Done(id.clone()));
            unit.changes.history.push(HistoryChange::Owed(id.clone()));
            unit.event(EventKind::History(event));
            waiting::history_came(unit)
        })
        .await?;
    client.history.waiting.done(&told);
    if let Some(connection) = client.connection() {
        owed::tell(client, &connection, id).await;
    }
    Ok(())
}

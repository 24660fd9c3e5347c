//! Reading pieces, one at a time, in the order in which they were announced.

use std::fs::File;
use std::io::{BufReader, Cursor, Read};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::sync::Notify;
use tokio::time::Instant;
use whimbrel_content::kinds::media::Media;
use whimbrel_content::{MediaKind, MediaReference, Secret};
use whimbrel_history::{Inflater, Limits, ReadError, Reader, WalkError, WalkLimits, Walker};
use whimbrel_proto::e2e::message::HistorySyncNotification;
use whimbrel_wire::{Jid, Node};

use super::events::{HistoryKind, HistorySync};
use super::older::Waiting;
use super::piece::{HistoryChange, PieceRow};
use super::reading::Reading;
use crate::client::{Goal, Inner};
use crate::clock;
use crate::devices::identity::Source;
use crate::error::{Category, Code, Error};
use crate::events::EventKind;
use crate::media;
use crate::store::{Changes, StoreError};

/// Octets of a piece that are inflated at a time: they may become a thousand times as many.
const STEP: usize = 4 << 10;

/// How often a piece is read that is not what it should be.
const ATTEMPTS: u32 = 2;

/// How long a connection may take, and a download without getting on.
const PATIENCE: Duration = Duration::from_secs(3600);

/// Pause after a failure that may pass.
const PAUSE: Duration = Duration::from_secs(30);

/// How long the phone has to hand a piece over again that is gone from the media hosts, before it is
/// asked once more, seconds.
const AGAIN: i64 = 3600;

/// How long a piece that is gone is waited for in all, seconds (media document §20.4).
const GIVEN_UP: i64 = 24 * 3600;

/// Wakes the reader of pieces.
#[derive(Default)]
pub(crate) struct Queue {
    wake: Notify,
    pub(super) waiting: Waiting,
}

impl Queue {
    /// A piece was announced, and is durable.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }
}

/// Why a piece was not read to its end.
#[derive(Debug)]
enum Failure {
    /// The client closes.
    Closing,
    /// It may be read later.
    Later(Error),
    /// It is gone from the media hosts.
    Gone,
    /// It is not what it should be.
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
            Ok(false) => None,
            Err(Failure::Closing) => return,
            Err(Failure::Later(error)) => {
                tracing::warn!(%error, "A piece of the history is left for later.");
                Some(PAUSE)
            }
            // Both are dealt with where they come up.
            Err(Failure::Damaged(_) | Failure::Gone) => None,
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
    let fetched = tokio::select! {
        fetched = fetch(client, &piece, &notification) => fetched,
        () = closing(client) => return Err(Failure::Closing),
    };
    let source = match fetched {
        Err(Failure::Gone) if now.saturating_sub(piece.announced_at) < GIVEN_UP => {
            ask_again(client, &piece, &notification).await?;
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
        let (client, piece) = (Arc::clone(client), piece.clone());
        client.engine.handle.clone().spawn_blocking(move || read(&client, piece, source))
    };
    let (piece, end) =
        reading.await.map_err(|_| Error::new(Code::Internal, "reading the history panicked"))?;
    let error = match end {
        Ok(()) => None,
        Err(Failure::Damaged(error)) => {
            // It is downloaded again.
            remove(file.clone());
            let failures = piece.read.failures.saturating_add(1);
            if failures < ATTEMPTS {
                let read = super::Read { failures, ..piece.read };
                let history = vec![HistoryChange::Read(piece.message_id.clone(), read)];
                client.commit.commit(Changes { history, ..Changes::default() }).await?;
                return Ok(true);
            }
            tracing::warn!(%error, "A piece of the history is damaged; what was read of it stays.");
            Some(Code::HistoryDamaged)
        }
        Err(failure) => {
            if client.linked_account().is_err() {
                // Nobody reads it to its end.
                remove(file);
            }
            return Err(failure);
        }
    };
    finish(client, &piece, &notification, error).await?;
    remove(file);
    Ok(true)
}

/// Ends when the client closes, which does not wait for a download.
async fn closing(client: &Inner) {
    drop(client.watch_goal().wait_for(|goal| *goal == Goal::Closed).await);
}

/// Removes a piece that was downloaded.
fn remove(file: Option<PathBuf>) {
    if let Some(error) = file.and_then(|file| std::fs::remove_file(file).err()) {
        tracing::warn!(%error, "A piece of the history that was read could not be removed.");
    }
}

/// Where a piece is read from.
enum Place {
    /// It came with its announcement.
    Inline(Vec<u8>),
    /// It was downloaded.
    File(PathBuf),
}

/// Gets a piece.
async fn fetch(
    client: &Arc<Inner>,
    piece: &PieceRow,
    notification: &HistorySyncNotification,
) -> Result<Place, Failure> {
    match &notification.initial_hist_bootstrap_inline_payload {
        Some(payload) if !payload.is_empty() => Ok(Place::Inline(payload.clone())),
        _ => download(client, piece, notification).await.map(Place::File),
    }
}

/// Downloads a piece beside the store, where it stays until it was read: a crash in between costs no
/// second download.
async fn download(
    client: &Arc<Inner>,
    piece: &PieceRow,
    notification: &HistorySyncNotification,
) -> Result<PathBuf, Failure> {
    let path = place(client, piece);
    if path.is_file() {
        return Ok(path);
    }
    let reference = MediaReference {
        kind: MediaKind::History,
        media: Media {
            direct_path: notification.direct_path.clone(),
            key: notification.media_key.clone().map(Secret::new),
            sha256: notification.file_sha256.clone(),
            encrypted_sha256: notification.file_enc_sha256.clone(),
            ..Media::default()
        },
        message: None,
    };
    // Without a link to the service nobody says where the media hosts are.
    client.wait_for_connection(Instant::now() + PATIENCE).await?;
    match media::fetch_piece(client, reference, path.clone(), Instant::now() + PATIENCE).await {
        Ok(()) => Ok(path),
        Err(error)
            if error.code().category() == Category::Media && error.code() != Code::MediaUnreachable =>
        {
            tracing::warn!(%error, "A piece of the history cannot be downloaded.");
            Err(Failure::Gone)
        }
        Err(error) => Err(error.into()),
    }
}

/// Where a piece is put.
fn place(client: &Inner, piece: &PieceRow) -> PathBuf {
    let hash = Sha256::digest(piece.message_id.as_bytes());
    let mut name = std::ffi::OsString::from("-history-");
    for octet in hash.iter().take(8) {
        name.push(format!("{octet:02x}"));
    }
    match client.store.file() {
        Some(store) => {
            let mut path = store.as_os_str().to_owned();
            path.push(name);
            path.into()
        }
        None => {
            let mut path = std::ffi::OsString::from("whimbrel");
            path.push(name);
            client.options.temporary_folder().join(path)
        }
    }
}

/// Asks the phone to hand a piece over again (media document §9.4). It comes under another id.
async fn ask_again(
    client: &Arc<Inner>,
    piece: &PieceRow,
    notification: &HistorySyncNotification,
) -> Result<(), Failure> {
    let key: Option<&[u8; 32]> = notification.media_key.as_deref().and_then(|key| key.try_into().ok());
    if let Some(key) = key {
        media::ask_for_piece(client, &piece.message_id, key).await?;
        tracing::info!("The phone is asked for a piece of the history again.");
    }
    let read = super::Read { asked_at: clock::now_seconds(), ..piece.read };
    let history = vec![HistoryChange::Read(piece.message_id.clone(), read)];
    client.commit.commit(Changes { history, ..Changes::default() }).await?;
    Ok(())
}

/// Reads a piece to its end, and makes it durable bit by bit. Returns it as far as that is.
fn read(client: &Inner, mut piece: PieceRow, place: Place) -> (PieceRow, Result<(), Failure>) {
    let end = match place {
        Place::Inline(payload) => read_all(client, &mut piece, Cursor::new(payload)),
        Place::File(path) => match File::open(&path) {
            Ok(file) => read_all(client, &mut piece, BufReader::with_capacity(64 << 10, file)),
            Err(error) => Err(unreadable(error)),
        },
    };
    (piece, end)
}

fn unreadable(error: std::io::Error) -> Failure {
    Error::new(Code::StoreFailed, "a piece of the history could not be read back").because(error).into()
}

fn read_all(client: &Inner, piece: &mut PieceRow, mut from: impl Read) -> Result<(), Failure> {
    let account = client.linked_account()?;
    let archive = client.options.archive;
    let mut walker = Walker::new(WalkLimits::default()).skip_records(piece.read.records);
    if !archive {
        walker = walker.without_messages();
    }
    let mut reader = Reader::with(Inflater::new(Limits::default().inflate), walker);
    let mut reading = Reading::new(&*client.store, &account, archive, piece.read);
    let goal = client.watch_goal();
    let mut step = vec![0; STEP];
    loop {
        if *goal.borrow() == Goal::Closed {
            return Err(Failure::Closing);
        }
        let length = from.read(&mut step).map_err(unreadable)?;
        if length == 0 {
            break;
        }
        let octets = step.get(..length).unwrap_or_default();
        let end = reader.update(octets, &mut |event| match reading.take(event) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                reading.failed = Some(error);
                ControlFlow::Break(())
            }
        });
        if let Some(error) = reading.failed.take() {
            return Err(error.into());
        }
        if let Err(error) = end {
            return Err(damaged(client, piece, &mut reading, reader.records(), error));
        }
        if reading.is_full() {
            keep(client, piece, &mut reading, reader.records())?;
        }
    }
    let records = reader.records();
    let end = reader.finish();
    keep(client, piece, &mut reading, records)?;
    index(client)?;
    end.map_err(Failure::Damaged)
}

/// Keeps what came before the damage.
fn damaged(
    client: &Inner,
    piece: &mut PieceRow,
    reading: &mut Reading<'_>,
    records: u64,
    error: ReadError,
) -> Failure {
    match keep(client, piece, reading, records) {
        Ok(()) if error == ReadError::Walk(WalkError::Stopped) => Failure::Closing,
        Ok(()) => Failure::Damaged(error),
        Err(failure) => failure,
    }
}

/// Makes what was read durable.
fn keep(
    client: &Inner,
    piece: &mut PieceRow,
    reading: &mut Reading<'_>,
    records: u64,
) -> Result<(), Failure> {
    reading.read.records = records.max(piece.read.records);
    let read = reading.read;
    let changes = Changes {
        archive: std::mem::take(&mut reading.changes),
        privacy_tokens: std::mem::take(&mut reading.tokens),
        nct_salt: reading.salt.take(),
        history: vec![HistoryChange::Read(piece.message_id.clone(), read)],
        ..Changes::default()
    };
    let pairs = std::mem::take(&mut reading.pairs);
    let runtime = &client.engine.handle;
    if pairs.is_empty() {
        runtime.block_on(client.commit.commit(changes))?;
    } else {
        runtime.block_on(client.unit(move |unit| {
            for (lid, phone) in &pairs {
                unit.learn(lid, phone, Source::Current)?;
            }
            unit.changes.absorb(changes);
            Ok(())
        }))?;
    }
    reading.taken();
    piece.read = read;
    Ok(())
}

/// Takes the words of what was read into the index.
fn index(client: &Inner) -> Result<(), Failure> {
    const MESSAGES: u32 = 1024;
    while client.options.archive && client.store.index_archive(MESSAGES)? {}
    Ok(())
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
        request_id: notification.peer_data_request_session_id.clone(),
        error,
    };
    let id = piece.message_id.clone();
    let told = event.clone();
    let phone = client.unit(|unit| {
        unit.changes.history.push(HistoryChange::Done(id));
        unit.event(EventKind::History(event));
        Ok(unit.account.phone.as_ref().map(Jid::to_bare))
    });
    let phone = phone.await?;
    client.history.waiting.done(&told);
    let Some(phone) = phone else { return Ok(()) };
    // Without a connection the phone announces the piece again, and is answered then.
    if let Some(connection) = client.connection() {
        let receipt = Node::new("receipt")
            .attr("id", piece.message_id.clone())
            .attr("to", phone)
            .attr("type", "hist_sync");
        if connection.send(receipt).await.is_err() {
            tracing::debug!("The phone is told of the history with the next connection.");
        }
    }
    Ok(())
}

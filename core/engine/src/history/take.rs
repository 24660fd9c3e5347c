//! Reading a piece into the archive, bit by bit.

use std::fs::File;
use std::io::{BufReader, Cursor, Read};
use std::ops::ControlFlow;

use whimbrel_history::{Inflater, Limits, ReadError, Reader, WalkError, WalkLimits, Walker};
use whimbrel_proto::e2e::message::HistorySyncNotification;

use super::get::Place;
use super::piece::{HistoryChange, PieceRow};
use super::progress::Meter;
use super::reading::Reading;
use super::work::Failure;
use crate::archive::trim;
use crate::client::{Goal, Inner};
use crate::devices::identity::Source;
use crate::error::{Code, Error};
use crate::stickers;
use crate::store::Changes;

/// Octets of a piece that are inflated at a time: they may become a thousand times as many.
const STEP: usize = 4 << 10;

/// Reads a piece to its end, and makes it durable bit by bit. Returns it as far as that is.
pub(super) fn read(
    client: &Inner,
    mut piece: PieceRow,
    notification: &HistorySyncNotification,
    place: Place,
) -> (PieceRow, Result<(), Failure>) {
    let end = match place {
        Place::Inline(payload) => {
            let meter = Meter::new(notification, payload.len() as u64);
            read_all(client, &mut piece, Cursor::new(payload), meter)
        }
        Place::File(path) => match File::open(&path) {
            Ok(file) => {
                let length = file.metadata().map_or(0, |metadata| metadata.len());
                let from = BufReader::with_capacity(64 << 10, file);
                read_all(client, &mut piece, from, Meter::new(notification, length))
            }
            Err(error) => Err(unreadable(error)),
        },
    };
    (piece, end)
}

fn unreadable(error: std::io::Error) -> Failure {
    Error::new(Code::StoreFailed, "a piece of the history could not be read back").because(error).into()
}

fn read_all(
    client: &Inner,
    piece: &mut PieceRow,
    mut from: impl Read,
    mut meter: Meter,
) -> Result<(), Failure> {
    let account = client.linked_account()?;
    let archive = client.options.archive;
    let mut walker = Walker::new(WalkLimits::default()).skip_records(piece.read.records);
    if !archive {
        walker = walker.without_messages();
    }
    let mut reader = Reader::with(Inflater::new(Limits::default().inflate), walker);
    let mut reading = Reading::new(&*client.store, &account, piece.read);
    if archive {
        reading = reading.into_archive(trim::oldest(client));
    }
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
        meter.advance(client, length, reading.read.messages);
        if reading.is_full() {
            keep(client, piece, &mut reading, reader.records())?;
        }
    }
    let records = reader.records();
    let end = reader.finish();
    keep(client, piece, &mut reading, records)?;
    meter.end(client, reading.read.messages);
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
    let mut history = vec![HistoryChange::Read(piece.message_id.clone(), read)];
    history.extend(reading.nonce.take().map(HistoryChange::Nonce));
    let changes = Changes {
        archive: std::mem::take(&mut reading.changes),
        privacy_tokens: std::mem::take(&mut reading.tokens),
        nct_salt: reading.salt.take(),
        history,
        ..Changes::default()
    };
    let pairs = std::mem::take(&mut reading.pairs);
    let used = std::mem::take(&mut reading.stickers);
    let runtime = &client.engine.handle;
    if pairs.is_empty() && changes.privacy_tokens.is_empty() && used.is_empty() {
        runtime.block_on(client.commit.commit(changes))?;
    } else {
        runtime.block_on(client.unit(move |unit| {
            unit.tokens_learned();
            for (lid, phone) in &pairs {
                unit.learn(lid, phone, Source::Current)?;
            }
            unit.changes.absorb(changes);
            stickers::used(unit, used)?;
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

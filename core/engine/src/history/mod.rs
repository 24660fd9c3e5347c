//! The history that the phone hands over (media document §17–§21): pieces are written down when they
//! are announced, and read one after the other into the archive. A piece is finished for the phone when
//! all of it is durable; a crash costs no more than the records since the last commit.

mod addons;
mod announced;
mod calls;
mod events;
#[cfg(test)]
mod fields;
mod full;
mod get;
mod message;
mod older;
mod owed;
mod piece;
mod progress;
mod reading;
mod take;
mod work;

pub(crate) use announced::{announced, refused};
pub use events::{HistoryKind, HistoryProgress, HistorySync};
pub(crate) use full::{Answer, answers};
pub(crate) use owed::{receipted, tell_phone};
pub(crate) use piece::{HistoryChange, OWED_RECEIPTS, PieceRow, Read};
pub(crate) use work::{Queue, run};

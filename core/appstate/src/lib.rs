#![forbid(unsafe_code)]
//! App state: five encrypted collections in which the devices of an account keep chat settings,
//! contacts, labels and the like (app-state document).
//!
//! A [`Collection`] is a map of encrypted entries with a version. A [`Patch`] makes the next version
//! of it, a [`Snapshot`] is the whole at one version; both are decoded, then checked against a
//! [`State`] and the account's [`Keys`]. [`build`] makes patches. What an entry says is an
//! [`Action`].
//!
//! Nothing here stores, downloads, draws random numbers or asks for the time.

mod action;
mod apply;
mod build;
mod collection;
mod entry;
mod error;
mod key;
mod lthash;
mod patch;
mod range;
mod record;
mod recovery;
mod snapshot;

pub use action::{Action, Kind, MessageRef};
pub use apply::{Applied, Held, Mutation, State};
pub use build::{Built, Draft, Limits, build};
pub use collection::Collection;
pub use entry::{Entry, index_bytes, index_parts};
pub use error::SyncError;
pub use key::{KeyId, Keys, active_key};
pub use lthash::LtHash;
pub use patch::{Patch, mutations};
pub use range::{MessageRange, RangedMessage};
pub use record::Operation;
pub use recovery::Recovery;
pub use snapshot::Snapshot;

/// Octets of every code: of an index, of a value, of a snapshot and of a patch.
pub const MAC: usize = 32;

/// The code of an index: the name of an entry, as far as the service knows it.
pub type IndexMac = [u8; MAC];

/// The code of a value.
pub type ValueMac = [u8; MAC];

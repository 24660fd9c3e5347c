//! What is kept of app state.

use whimbrel_appstate::{Collection, Entry, Held, IndexMac, KeyId, Operation, State};
use zeroize::Zeroizing;

/// A key that a device of the account shared.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct KeyRow {
    pub(crate) id: KeyId,
    pub(crate) data: Zeroizing<[u8; 32]>,
    /// When it was made, milliseconds since 1970.
    pub(crate) timestamp_ms: i64,
    /// `AppStateSyncKeyFingerprint`, encoded.
    pub(crate) fingerprint: Option<Vec<u8>>,
}

/// How a collection stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It was never read.
    #[default]
    New,
    /// It is read, patch by patch.
    Good,
    /// It is to be read anew; what is held of it stays until then, to be compared.
    StartOver,
    /// The phone was asked to hand it over.
    AskedPhone,
    /// Nothing helped. It is neither read nor written until the link or the phone changes.
    GivenUp,
}

impl Standing {
    pub(crate) const fn number(self) -> i64 {
        match self {
            Self::New => 0,
            Self::Good => 1,
            Self::StartOver => 2,
            Self::AskedPhone => 3,
            Self::GivenUp => 4,
        }
    }

    pub(crate) const fn of_number(number: i64) -> Self {
        match number {
            1 => Self::Good,
            2 => Self::StartOver,
            3 => Self::AskedPhone,
            4 => Self::GivenUp,
            _ => Self::New,
        }
    }
}

/// A collection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CollectionRow {
    pub(crate) state: State,
    pub(crate) standing: Standing,
    /// How often it was read anew since `counted_from`.
    pub(crate) start_overs: u32,
    /// Seconds since 1970.
    pub(crate) counted_from: i64,
    /// When the phone was last asked for it, seconds since 1970.
    pub(crate) asked_at: i64,
}

/// A change that the host asked for and the service has not taken yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PendingRow {
    /// Its place in the order of wishes; given by the store.
    pub(crate) order: i64,
    /// What the host knows the wish by. A wish may consist of several rows, all of one collection.
    pub(crate) ticket: String,
    pub(crate) collection: Collection,
    pub(crate) operation: Operation,
    pub(crate) entry: Entry,
    /// When it was wished for, milliseconds since 1970.
    pub(crate) created_at_ms: i64,
}

/// A key that is needed and not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WantedKey {
    pub(crate) id: KeyId,
    /// Since when, seconds since 1970.
    pub(crate) since: i64,
    /// When the other devices were last asked for it; 0 if they were not.
    pub(crate) asked_at: i64,
    /// The host was told that nobody gives it.
    pub(crate) told: bool,
}

/// One change of what is kept.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum AppStateChange {
    /// A key came. One that is there stays.
    Key(KeyRow),
    /// A key is wanted.
    Wanted(WantedKey),
    /// How a collection stands.
    Collection(Collection, CollectionRow),
    /// All entries of a collection go.
    Emptied(Collection),
    /// An entry goes.
    Removed(Collection, IndexMac),
    /// An entry is new, or has a new value.
    Put(Collection, Held),
    /// The host asks for a change.
    Pending(PendingRow),
    /// A change is done, or given up.
    Settled(i64),
    /// The salt of tokens for strangers is another one, or none.
    Salt(Option<Vec<u8>>),
}

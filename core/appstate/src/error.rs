//! Why a patch or a snapshot was not taken.

use std::collections::BTreeSet;

use crate::KeyId;

/// Why a patch or a snapshot was not taken. Nothing of it counts then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SyncError {
    /// It is not what the protocol says it is. A look at the whole collection may help.
    #[error("malformed: {0}")]
    Malformed(&'static str),
    /// Keys are needed that this device does not have yet; another device has them.
    #[error("keys are missing")]
    MissingKeys(BTreeSet<KeyId>),
    /// Patches between what is held and this one are missing.
    #[error("version {offered} does not follow version {held}")]
    VersionGap {
        /// The version that is held.
        held: u64,
        /// The version of the patch.
        offered: u64,
    },
    /// The author of the patch gave the collection up, with this number.
    #[error("the author gave the collection up with code {0}")]
    GivenUp(u64),
    /// No device of the account wrote this patch.
    #[error("the code of the patch does not match")]
    PatchMac,
    /// The value of an entry was changed, or its operation.
    #[error("the code of a value does not match")]
    ValueMac,
    /// An entry stands under the name of another one.
    #[error("the code of an index does not match")]
    IndexMac,
    /// One entry is written twice.
    #[error("an entry occurs twice")]
    Duplicate,
}

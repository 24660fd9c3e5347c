//! What an entry holds once it is decrypted (app-state document §2, §5).

use std::fmt;

use prost::Message;

use crate::SyncError;

/// `SyncActionData` with its value left encoded: an action of a newer client loses nothing.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
struct ActionData {
    #[prost(bytes = "vec", optional, tag = "1")]
    index: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "2")]
    value: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "3")]
    padding: Option<Vec<u8>>,
    #[prost(int32, optional, tag = "4")]
    version: Option<i32>,
}

/// A decrypted entry.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name: a JSON array of strings, in the octets of its author. Never written anew, as its
    /// code is over these octets.
    pub index: Vec<u8>,
    /// A `SyncActionValue`, encoded.
    pub value: Vec<u8>,
    /// The version of the action.
    pub version: i32,
}

impl Entry {
    /// An entry for an index that is given as its parts.
    pub fn new(index: &[impl AsRef<str>], value: Vec<u8>, version: i32) -> Self {
        Self { index: index_bytes(index), value, version }
    }

    /// Reads the plaintext of an entry.
    ///
    /// # Errors
    /// [`SyncError::Malformed`] when it is no such thing or has no index or version.
    pub fn decode(plaintext: &[u8]) -> Result<Self, SyncError> {
        let data = ActionData::decode(plaintext).map_err(|_| SyncError::Malformed("not an action"))?;
        Ok(Self {
            index: data.index.ok_or(SyncError::Malformed("an action without index"))?,
            value: data.value.unwrap_or_default(),
            version: data.version.ok_or(SyncError::Malformed("an action without version"))?,
        })
    }

    /// The plaintext of the entry; the padding is empty, but there, as all clients have it.
    pub fn encode(&self) -> Vec<u8> {
        let data = ActionData {
            index: Some(self.index.clone()),
            value: Some(self.value.clone()),
            padding: Some(Vec::new()),
            version: Some(self.version),
        };
        data.encode_to_vec()
    }

    /// The time of the entry, milliseconds since 1970; 0 if it has none.
    pub fn timestamp(&self) -> i64 {
        /// The one field of a `SyncActionValue` that all actions have.
        #[derive(Clone, PartialEq, Message)]
        struct Timed {
            #[prost(int64, optional, tag = "1")]
            timestamp: Option<i64>,
        }
        Timed::decode(&*self.value).ok().and_then(|timed| timed.timestamp).unwrap_or_default()
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Indexes name people, values say what the user does: lengths only.
        f.debug_struct("Entry")
            .field("index", &self.index.len())
            .field("value", &self.value.len())
            .field("version", &self.version)
            .finish()
    }
}

/// The octets of an index, as `JSON.stringify` writes them: no spaces, nothing escaped that need not be.
pub fn index_bytes(parts: &[impl AsRef<str>]) -> Vec<u8> {
    let parts: Vec<&str> = parts.iter().map(AsRef::as_ref).collect();
    // Strings always can be written.
    serde_json::to_vec(&parts).unwrap_or_default()
}

/// The parts of an index; `None` if it is not an array of strings, or an empty one.
pub fn index_parts(index: &[u8]) -> Option<Vec<String>> {
    serde_json::from_slice::<Vec<String>>(index).ok().filter(|parts| !parts.is_empty())
}

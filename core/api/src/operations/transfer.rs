//! Moving a link out, and copies of the store.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use whimbrel::{CallOptions, Client, Error, ExportOptions, Passphrase};

use super::{Done, Operation};

/// Writes the link into an encrypted file, to go on elsewhere.
///
/// The file holds keys, sessions, events that were not acknowledged and messages that were not
/// confirmed. This is a move: the client closes, and its store refuses to open from then on with
/// `STORE_MOVED`. Importing the file makes a store of it, here or elsewhere.
///
/// Other calls under way have half of the call's time to finish before they are cancelled. If the
/// call fails, the client may be closed, but its store opens again and there is no file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Export {
    /// Where the file is written. Nothing is overwritten.
    pub path: String,
    /// What the file is encrypted with, and needed to read it again.
    #[serde(deserialize_with = "passphrase")]
    #[schemars(with = "String")]
    pub passphrase: Passphrase,
    /// Leaves the link here as well, and the client open. The file is then a copy, which must
    /// not be used while this client is.
    #[serde(default)]
    pub keep: bool,
}

pub(crate) fn passphrase<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Passphrase, D::Error> {
    String::deserialize(deserializer).map(Passphrase::new)
}

impl Operation for Export {
    const NAME: &'static str = "export";
    type Output = Done;
    // It closes the client itself, and may be asked for again when it failed after that.
    const AFTER_CLOSE: bool = true;

    async fn run(self, client: &Client, call: CallOptions) -> Result<Done, Error> {
        let mut options = ExportOptions::default();
        options.keep = self.keep;
        options.timeout = call.timeout;
        client.export(self.path, self.passphrase, options).await.map(|()| Done {})
    }
}

/// Copies the store into a file that opens as a store, while the client goes on.
///
/// A backup is for the day when the store is lost. Opened, it notices that it is a copy of
/// something that went on, and begins its sessions anew. Use `export` to move to another place.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Backup {
    /// Where the copy is written. Nothing is overwritten.
    pub path: String,
}

impl Operation for Backup {
    const NAME: &'static str = "backup";
    type Output = Done;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Done, Error> {
        client.backup(self.path, options).await.map(|()| Done {})
    }
}

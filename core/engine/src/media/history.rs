//! Pieces of the history, which are files without a message for people (media document §9.4, §18.2).

use std::path::PathBuf;
use std::sync::Arc;

use tokio::time::Instant;
use whimbrel_content::MediaReference;
use whimbrel_crypto::media::RetryKey;

use super::options::{DownloadOptions, MediaTarget};
use super::{download, stanza};
use crate::client::Inner;
use crate::error::{Code, Error};

/// Downloads a piece into a file, which appears when all of it was checked.
pub(crate) async fn fetch_piece(
    client: &Arc<Inner>,
    reference: MediaReference,
    path: PathBuf,
    deadline: Instant,
) -> Result<(), Error> {
    // The phone hands a piece over anew instead of uploading it again.
    let options = DownloadOptions { ask_phone: false, ..DownloadOptions::default() };
    let target = MediaTarget::Path(path);
    download::run(Arc::clone(client), reference, target, options, deadline).await.map(drop)
}

/// Tells the phone that a piece is gone.
pub(crate) async fn ask_for_piece(client: &Inner, id: &str, key: &[u8; 32]) -> Result<(), Error> {
    let unavailable = |error| Error::new(Code::Internal, "the cipher is not available").because(error);
    let key = RetryKey::new(key).map_err(unavailable)?;
    let account = client.linked_account()?;
    let own = account.phone.as_ref().ok_or_else(crate::client::not_linked)?;
    let nonce = crate::random::bytes(&mut client.rng());
    let receipt = stanza::ask_for_piece(own, id, &key, &nonce)
        .ok_or_else(|| Error::new(Code::Internal, "the request could not be encrypted"))?;
    let connection = client.wait_for_connection(Instant::now() + client.options.request_timeout).await?;
    connection.send(receipt).await
}

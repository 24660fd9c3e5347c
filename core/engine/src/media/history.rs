//! Pieces of the history, which are files without a message for people (media document §9.4, §18.2).

use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::Method;
use tokio::time::Instant;
use whimbrel_content::{MediaKind, MediaReference};
use whimbrel_crypto::media::RetryKey;

use super::address::{self, encoded};
use super::options::{DownloadOptions, MediaTarget};
use super::progress::Progress;
use super::{download, failure, stanza};
use crate::client::Inner;
use crate::error::{Code, Error};
use crate::http::{self, Ask};

/// Downloads a piece into a file, which appears when all of it was checked.
pub(crate) async fn fetch_piece(
    client: &Arc<Inner>,
    reference: MediaReference,
    path: PathBuf,
    progress: Progress,
    deadline: Instant,
) -> Result<(), Error> {
    // The phone hands a piece over anew instead of uploading it again.
    let options =
        DownloadOptions { ask_phone: false, progress: Some(progress), ..DownloadOptions::default() };
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

/// A piece that is to be deleted from the media hosts.
pub(crate) struct PieceDeletion {
    /// SHA-256 of the encrypted file.
    pub(crate) hash: [u8; 32],
    /// The path of its announcement.
    pub(crate) path: String,
    /// What its announcement gives for this.
    pub(crate) handle: Option<String>,
    /// What the first piece gives for this.
    pub(crate) nonce: Option<String>,
}

impl PieceDeletion {
    /// What a host is asked for (media document §10).
    fn target(&self, auth: &str) -> String {
        let token = URL_SAFE_NO_PAD.encode(self.hash);
        let path = self.path.split('?').next().unwrap_or_default();
        let place = URL_SAFE_NO_PAD.encode(path);
        let kind = MediaKind::History.name();
        let auth = encoded(auth);
        let handle = self.handle.as_deref().filter(|_| self.nonce.is_some());
        let handle = handle.map(|handle| format!("&e_handle={}", encoded(handle))).unwrap_or_default();
        format!("/mms/{kind}/{token}?token={token}&d_md={place}&auth={auth}{handle}")
    }
}

/// Deletes a piece from the media hosts: the first that does it does it for all.
pub(crate) async fn delete_piece(client: &Arc<Inner>, deletion: PieceDeletion) -> Result<(), Error> {
    let deadline = Instant::now() + client.options.request_timeout;
    let hosts = client.media.hosts.get(client, deadline, None).await?;
    let target = deletion.target(&hosts.auth);
    let secret = deletion.nonce.as_deref().filter(|_| deletion.handle.is_some());
    // It shows that this device may delete the file.
    let secret = secret.map(|secret| ("companion_user_secret", secret));
    let headers: Vec<_> = address::HEADERS.iter().copied().chain(secret).collect();
    let route = client.engine.route(&client.options);
    let mut last = Error::new(Code::MediaUnreachable, "there is no host to delete the file from");
    for host in hosts.for_uploads() {
        if !address::is_path(&target) {
            break;
        }
        let ask = Ask {
            method: Method::DELETE,
            host: host.place(),
            headers: &headers,
            target: &target,
            from: None,
            body: None,
        };
        match http::send(&route, ask, || 0).await {
            Ok(answer) if (200..300).contains(&answer.status()) => return Ok(()),
            Ok(answer) => last = failure::refused(answer.status()),
            Err(error) => last = failure::unreachable(error),
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_deleted_by_its_hash_path_and_handle() {
        let mut deletion = PieceDeletion {
            hash: [0xff; 32],
            path: "/v/t62?ccb=1&oe=2".to_owned(),
            handle: Some("a/b".to_owned()),
            nonce: None,
        };
        let token = "__________________________________________8";
        let plain = format!("/mms/md-msg-hist/{token}?token={token}&d_md=L3YvdDYy&auth=x%2By");
        assert_eq!(deletion.target("x+y"), plain);
        deletion.nonce = Some("n".to_owned());
        assert_eq!(deletion.target("x+y"), format!("{plain}&e_handle=a%2Fb"));
    }
}

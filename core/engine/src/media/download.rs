//! Downloading: what the host of this engine calls.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;
use whimbrel_content::{MediaKind, MediaReference};
use whimbrel_crypto::media::{Expected, MediaError, MediaKeys, blob_length};

use super::address::{self, Host};
use super::failure;
use super::fetch::{Fetch, Missing};
use super::options::{DownloadOptions, MediaTarget};
use super::progress::Meter;
use super::sink::{Finished, Opening, Sink};
use crate::client::{Client, Inner};
use crate::error::{Code, Error};
use crate::events::MediaDirection;

/// How long the service may take to name hosts before other ways are tried.
const HOSTS: Duration = Duration::from_secs(10);

/// A file that was downloaded and checked. Printing it does not show its bytes.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Downloaded {
    /// Its length.
    pub length: u64,
    /// Its hash.
    pub sha256: [u8; 32],
    /// Its bytes, for [`MediaTarget::Memory`].
    pub bytes: Option<Bytes>,
    /// The phone had to upload it again: where it is from now on. Keep this in place of the reference
    /// that was given.
    pub moved: Option<MediaReference>,
}

impl fmt::Debug for Downloaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Downloaded").field("length", &self.length).finish_non_exhaustive()
    }
}

impl Client {
    /// Downloads the file of a message, decrypts it and checks everything about it: hash and code of what
    /// the hosts have, and hash of the file. Nothing is given out before.
    ///
    /// A download that breaks goes on where it was, at the same host or another one. When the file is
    /// gone, the phone is asked to upload it again, if the reference names its message. Repeating a call
    /// that failed is safe.
    ///
    /// # Errors
    /// [`Code::MediaGone`] when nobody has the file any more, [`Code::PhoneNoAnswer`] when the phone could
    /// not say; [`Code::MediaCorrupt`], [`Code::MediaNotAuthentic`], [`Code::MediaMalformed`] and
    /// [`Code::MediaMismatch`] when it is not the file that the message announces;
    /// [`Code::MediaTooLarge`], [`Code::MediaUnreachable`], [`Code::MediaRefused`],
    /// [`Code::RateLimited`], [`Code::FileFailed`] and [`Code::Cancelled`].
    pub async fn download(
        &self,
        reference: &MediaReference,
        target: MediaTarget,
        options: DownloadOptions,
    ) -> Result<Downloaded, Error> {
        let reference = reference.clone();
        let (timeout, cancel) = (options.timeout, options.cancel.clone());
        let download = move |client: Arc<Inner>, deadline| async move {
            run(client, reference, target, options, deadline).await
        };
        self.transfer("download", timeout, cancel, download).await
    }
}

/// Downloads a file.
pub(super) async fn run(
    client: Arc<Inner>,
    reference: MediaReference,
    target: MediaTarget,
    options: DownloadOptions,
    deadline: Instant,
) -> Result<Downloaded, Error> {
    let mut path = path(&reference)?;
    let mut kinds = kinds(&reference);
    let mut kind = kinds.next().unwrap_or(reference.kind);
    let folder = client.options.temporary_folder();
    let name = super::temporary_name(&client);
    let first = opening(&reference, kind)?;
    let made = tokio::task::spawn_blocking(move || Sink::new(target, &first, folder, name));
    let mut sink = made.await.map_err(failure::worker)?.map_err(failure::local)?;
    let DownloadOptions { max_length, ask_phone, transfer, progress, .. } = options;
    let meter = Meter::new(Arc::clone(&client), MediaDirection::Download, transfer, progress);
    let most = match &reference.media.key {
        Some(_) => blob_length(max_length).unwrap_or(u64::MAX),
        None => max_length,
    };
    let mut moved = None;
    loop {
        let (hosts, trusted) = hosts(&client, &reference, deadline).await?;
        let hash = match &reference.media.key {
            Some(_) => reference.media.encrypted_sha256.as_deref(),
            None => reference.media.sha256.as_deref(),
        };
        let target = address::download(&path, hash, reference.kind);
        let route = client.engine.route(&client.options);
        let opening = opening(&reference, kind)?;
        let fetch =
            Fetch { route, hosts, trusted, target, opening, most, most_of_file: max_length, meter: &meter };
        let expired = address::expiry(&path).is_some_and(|at| at < client.server_now_ms() / 1000);
        let can_ask = ask_phone && moved.is_none() && reference.message.is_some();
        let (missing, left) = if expired && can_ask {
            // The hosts would only say so.
            (Missing::Gone(403), Some(sink))
        } else {
            match fetch.run(sink).await {
                Ok(Finished { length, sha256, bytes }) => {
                    return Ok(Downloaded { length, sha256, bytes, moved });
                }
                Err(missing) => missing,
            }
        };
        let error = match missing {
            Missing::Final(error) => return Err(error),
            Missing::Wrong(MediaError::Mac) if kinds.len() > 0 => {
                // Clients differ in which keys a thumbnail has.
                kind = kinds.next().unwrap_or(kind);
                sink = renewed(left, &self::opening(&reference, kind)?)?;
                continue;
            }
            Missing::Wrong(error @ (MediaError::EncryptedHash | MediaError::TooShort | MediaError::Mac)) => {
                failure::wrong(error)
            }
            Missing::Wrong(error) => return Err(failure::wrong(error)),
            Missing::Gone(status) => {
                Error::new(Code::MediaGone, "the file is gone from the service").with_service_status(status)
            }
        };
        let (Some(message), Some(key), true) =
            (&reference.message, reference.media.key.as_ref().and_then(|key| key.key()), can_ask)
        else {
            return Err(error);
        };
        tracing::info!("The phone is asked to upload a file again.");
        path = client.media.phone.ask(&client, message, key, deadline).await?;
        if !address::is_path(&path) {
            return Err(Error::new(Code::MediaGone, "the phone named no place where the file would be"));
        }
        let mut there = reference.clone();
        there.media.direct_path = Some(path.clone());
        there.media.url = None;
        moved = Some(there);
        sink = renewed(left, &self::opening(&reference, kind)?)?;
    }
}

fn renewed(sink: Option<Sink>, opening: &Opening) -> Result<Sink, Error> {
    let mut sink = sink.ok_or_else(|| Error::new(Code::Internal, "the file's worker is gone"))?;
    sink.restart(opening).map_err(failure::local)?;
    Ok(sink)
}

/// Where the file is.
pub(super) fn path(reference: &MediaReference) -> Result<String, Error> {
    let media = &reference.media;
    address::path(media.direct_path.as_deref(), media.url.as_deref()).ok_or_else(|| {
        Error::new(Code::InvalidArgument, "the reference does not say where the file is on the media hosts")
    })
}

/// The kinds whose keys may open it.
fn kinds(reference: &MediaReference) -> std::vec::IntoIter<MediaKind> {
    let mut kinds = vec![reference.kind];
    let beside =
        |of: &MediaKind| of.thumbnail_types().first() == Some(&reference.kind) && *of != reference.kind;
    kinds.extend(MediaKind::ALL.into_iter().find(beside));
    kinds.into_iter()
}

/// How it is opened.
pub(super) fn opening(reference: &MediaReference, kind: MediaKind) -> Result<Opening, Error> {
    let wrong = |what: &'static str| Error::new(Code::InvalidArgument, what);
    let hash = |hash: &Option<Vec<u8>>| {
        let hash: Option<Result<[u8; 32], _>> = hash.as_deref().map(TryInto::try_into);
        hash.transpose().map_err(|_| wrong("the reference has a hash of a wrong length"))
    };
    let media = &reference.media;
    let expected =
        Expected { file_enc_sha256: hash(&media.encrypted_sha256)?, file_sha256: hash(&media.sha256)? };
    match &media.key {
        Some(key) => {
            let key = key.key().ok_or_else(|| wrong("the reference has a key of a wrong length"))?;
            Ok(Opening::Keys(MediaKeys::expand(key, kind), expected))
        }
        None if media.encrypted_sha256.is_some() => Err(wrong("the reference has no key for the file")),
        None => Ok(Opening::Plain(expected.file_sha256)),
    }
}

/// The hosts to ask in their order, and those that redirects may lead to.
pub(super) async fn hosts(
    client: &Inner,
    reference: &MediaReference,
    deadline: Instant,
) -> Result<(Vec<Host>, Vec<Host>), Error> {
    let connected = client.connection().is_some();
    let patience = if connected { HOSTS } else { Duration::ZERO };
    let fresh = client.media.hosts.get(client, deadline.min(Instant::now() + patience), None).await;
    let named = match fresh {
        Ok(hosts) => hosts.all(),
        Err(error) => match client.media.hosts.last(client).await {
            Some(hosts) => hosts.all(),
            None if client.engine.is_real => Host::known(),
            None if connected => return Err(error),
            // Nothing is known of the hosts of another service than the real one.
            None => client.media.hosts.get(client, waiting(client, deadline), None).await?.all(),
        },
    };
    let mut hosts = named.clone();
    // The host that the message names, after those that the service names.
    if let Some((host, _)) = reference.media.url.as_deref().and_then(address::split)
        && host.is_trusted(&named)
        && !hosts.contains(&host)
    {
        hosts.push(host);
    }
    Ok((hosts, named))
}

/// How long a connection is waited for.
fn waiting(client: &Inner, deadline: Instant) -> Instant {
    deadline.min(Instant::now() + client.options.request_timeout)
}

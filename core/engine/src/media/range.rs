//! Reading a part of a file without the rest (media document §5.4).

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use whimbrel_content::MediaReference;
use whimbrel_crypto::media::{MediaKeys, RangeError, RangePlan, RangeReader, Sidecar, blob_length};

use super::fetch::{Fetch, Missing};
use super::options::ReadOptions;
use super::progress::Meter;
use super::sink::Opening;
use super::{address, download, failure};
use crate::client::{Client, Inner};
use crate::error::{Code, Error};
use crate::events::MediaDirection;

/// Longest part.
const LONGEST: u64 = 16 << 20;

/// A part of a file. Printing it does not show its bytes.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Part {
    /// Its bytes.
    pub bytes: Bytes,
    /// Whether they were checked. Without codes from the message nothing tells that they are the sender's.
    pub verified: bool,
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = self.bytes.len();
        f.debug_struct("Part").field("length", &length).field("verified", &self.verified).finish()
    }
}

impl Client {
    /// Reads a part of a message's file, of at most 16 MiB, without the rest, as players do. With the
    /// codes of a message with sound or film the part is checked; without it is not, and says so.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] when the reference does not say how long the file is or the part lies
    /// beyond it, [`Code::MediaCorrupt`] when the part was changed, [`Code::MediaGone`] when the file must be
    /// downloaded through the phone first, and those of [`download`](Self::download).
    pub async fn read_media(
        &self,
        reference: &MediaReference,
        part: Range<u64>,
        options: ReadOptions,
    ) -> Result<Part, Error> {
        let reference = reference.clone();
        let (timeout, cancel) = (options.timeout, options.cancel.clone());
        let read = move |client: Arc<Inner>, deadline| async move {
            let invalid = |what: &'static str| Error::new(Code::InvalidArgument, what);
            let media = &reference.media;
            let key = media.key.as_ref().and_then(|key| key.key());
            let key = key.ok_or_else(|| invalid("the reference has no key for the file"))?;
            let length = media.length.and_then(blob_length);
            let length = length.ok_or_else(|| invalid("the reference does not say how long the file is"))?;
            if part.end.saturating_sub(part.start) > LONGEST {
                return Err(invalid("the part is longer than 16 MiB"));
            }
            let keys = MediaKeys::expand(key, reference.kind);
            let sidecar = options.streaming_sidecar.as_deref();
            let sidecar = sidecar.map(|sidecar| Sidecar::new(&keys, sidecar, length)).transpose();
            let sidecar =
                sidecar.map_err(|error| invalid("the codes are those of another file").because(error))?;
            let verified = sidecar.is_some();
            let plan = match verified {
                true => RangePlan::checked(part, length),
                false => RangePlan::unchecked(part, length),
            };
            let beyond = |error| invalid("the part lies beyond the file").because(error);
            let plan = plan.map_err(beyond)?;
            let fetched = plan.fetch();
            let mut reader = match sidecar {
                Some(sidecar) => RangeReader::checked(&keys, plan, sidecar).map_err(beyond)?,
                None => RangeReader::unchecked(&keys, plan),
            };
            let path = download::path(&reference)?;
            let (hosts, trusted) = download::hosts(&client, &reference, deadline).await?;
            let meter = Meter::new(Arc::clone(&client), MediaDirection::Download, None, None);
            let fetch = Fetch {
                route: client.engine.route(&client.options),
                trusted,
                target: address::download(&path, media.encrypted_sha256.as_deref(), reference.kind),
                opening: Opening::Plain(None),
                most: u64::MAX,
                most_of_file: u64::MAX,
                meter: &meter,
                hosts,
            };
            let mut last = Error::new(Code::MediaUnreachable, "there is no host to fetch the file from");
            for host in &fetch.hosts {
                let asked = fetch.ask_host(host, Some((fetched.start, Some(fetched.end)))).await;
                let mut answer = match asked {
                    Ok(answer) => answer,
                    Err(Missing::Gone(status)) => {
                        let gone = Error::new(Code::MediaGone, "the file is gone from the service");
                        return Err(gone.with_service_status(status));
                    }
                    Err(Missing::Wrong(error)) => return Err(failure::wrong(error)),
                    Err(Missing::Final(error)) => {
                        last = error;
                        continue;
                    }
                };
                let mut at = answer.part().map_or(0, |(from, _)| from);
                let mut bytes = Vec::new();
                // Who answers with the whole file is read up to the end of the part.
                while let Some(piece) = answer.next().await.map_err(failure::unreachable)? {
                    let piece = inside(&piece, at, &fetched);
                    at = at.saturating_add(piece.1);
                    reader.update(piece.0, &mut bytes).map_err(changed)?;
                    if at >= fetched.end {
                        break;
                    }
                }
                reader.finish().map_err(changed)?;
                return Ok(Part { bytes: bytes.into(), verified });
            }
            Err(last)
        };
        self.transfer("read_media", timeout, cancel, read).await
    }
}

/// What of a piece at an offset belongs to the range; and the length of the piece.
fn inside<'p>(piece: &'p [u8], at: u64, range: &Range<u64>) -> (&'p [u8], u64) {
    let length = piece.len() as u64;
    let from = range.start.saturating_sub(at).min(length);
    let to = range.end.saturating_sub(at).min(length);
    let index = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX);
    (piece.get(index(from)..index(to)).unwrap_or_default(), length)
}

fn changed(error: RangeError) -> Error {
    let message = "the part of the file is not the one that was announced";
    Error::new(Code::MediaCorrupt, message).because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_wanted_of_a_piece_is_taken() {
        let piece = b"0123456789";
        assert_eq!(inside(piece, 100, &(103..105)).0, b"34");
        assert_eq!(inside(piece, 100, &(90..102)).0, b"01");
        assert_eq!(inside(piece, 100, &(108..200)).0, b"89");
        assert_eq!(inside(piece, 100, &(0..100)).0, b"");
        assert_eq!(inside(piece, 100, &(110..120)), (&b""[..], 10));
    }
}

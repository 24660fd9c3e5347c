//! Bringing a sealed file to a media host (media document §7): hosts in their order, where an upload
//! broke it goes on, and a token that is refused is renewed once.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::Method;
use hyper::body::Frame;
use tokio::time::Instant;

use super::address::{self, Host};
use super::connection::Hosts;
use super::failure;

use super::progress::Meter;
use super::seal::{Manner, Sealed};
use super::spool::Spool;
use crate::client::Inner;
use crate::connection::Route;
use crate::error::{Code, Error};
use crate::http::{self, Answer, Ask, HttpError};

/// From this length on a host is asked first whether it has the file, or a part of it, already.
const ASK_FROM: u64 = 5 << 20;
/// How often all hosts are tried.
const ROUNDS: u32 = 3;
/// How often a host is tried on that breaks without having got on.
const TRIES: u32 = 2;
/// Redirects that are followed.
const REDIRECTS: u32 = 5;
/// Longest time that a host may ask to wait.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Longest answer of a host.
const LONGEST_ANSWER: usize = 64 * 1024;
/// How much of a file leaves at once.
const PIECE: usize = 64 * 1024;

/// Where a file is now.
pub(super) struct Stored {
    pub(super) url: Option<String>,
    pub(super) direct_path: Option<String>,
    pub(super) handle: Option<String>,
    /// Of pictures that are shown to the service by the host's word.
    pub(super) posted: Option<Posted>,
}

/// What a media host says of a picture that it took.
pub(crate) struct Posted {
    pub(crate) id: String,
    pub(crate) time: String,
    /// The host's proof that it has it.
    pub(crate) token: String,
}

/// Why one attempt failed, by what is to be done.
enum Failed {
    /// The token is not accepted.
    Token(u16),
    /// The connection broke; how much got there can be asked.
    Broken(HttpError),
    /// Another host may take it, after this time.
    Host(Error, Option<Duration>),
    /// Nobody will.
    Final(Error),
}

struct Upload<'a> {
    client: &'a Inner,
    route: Route,
    sealed: &'a Sealed,
    meter: &'a Arc<Meter>,
    path: String,
    token: String,
}

/// Brings a file to a host.
pub(super) async fn store(
    client: &Inner,
    sealed: &Sealed,
    manner: &Manner,
    meter: &Arc<Meter>,
    deadline: Instant,
) -> Result<Stored, Error> {
    let Some((path, token)) = address::upload(manner.kind, manner.destination, &sealed.hash) else {
        return Err(Error::new(Code::InvalidArgument, "files of this kind are not uploaded"));
    };
    let route = client.engine.route(&client.options);
    let upload = Upload { client, route, sealed, meter, path, token };
    let mut hosts = client.media.hosts.get(client, upload.hosts_deadline(deadline), None).await?;
    let mut renewed = false;
    let mut ask = sealed.blob_length >= ASK_FROM;
    let mut last = Error::new(Code::MediaUnreachable, "the service named no host that takes files");
    let mut round = 0;
    'rounds: while round < ROUNDS {
        let mut pause = Duration::from_secs(1 << round);
        for host in hosts.for_uploads() {
            match upload.at(&host, &hosts, &mut ask).await {
                Ok(stored) => return Ok(stored),
                Err(Failed::Final(error)) => return Err(error),
                Err(Failed::Token(status)) if renewed => return Err(failure::refused(status)),
                Err(Failed::Token(_)) => {
                    renewed = true;
                    let limit = upload.hosts_deadline(deadline);
                    hosts = client.media.hosts.get(client, limit, Some(&hosts)).await?;
                    continue 'rounds;
                }
                Err(Failed::Broken(error)) => last = failure::unreachable(error),
                Err(Failed::Host(error, wait)) => {
                    pause = pause.max(wait.unwrap_or_default());
                    last = error;
                }
            }
        }
        round += 1;
        if round < ROUNDS {
            tokio::time::sleep(pause.min(LONGEST_PAUSE)).await;
        }
    }
    Err(last)
}

impl Upload<'_> {
    /// How long the hosts are waited for.
    fn hosts_deadline(&self, deadline: Instant) -> Instant {
        deadline.min(Instant::now() + self.client.options.request_timeout)
    }

    /// Tries a host, and goes on with it as long as that gets on.
    async fn at(&self, host: &Host, hosts: &Hosts, ask: &mut bool) -> Result<Stored, Failed> {
        let mut broken: Option<(HttpError, u64)> = None;
        let mut tries = 0;
        loop {
            let (offset, done) = match *ask {
                false => (0, None),
                true => self.ask(host, hosts).await?,
            };
            if let Some(stored) = done {
                return Ok(stored);
            }
            if let Some((error, before)) = broken.take() {
                // What counts is what got there, not what left here.
                tries = if offset > before { 0 } else { tries + 1 };
                tracing::debug!(%error, tries, "An upload broke.");
                if tries >= TRIES {
                    return Err(Failed::Broken(error));
                }
            }
            self.meter.set_done(offset);
            match self.send(host, hosts, offset).await {
                Err(Failed::Broken(error @ HttpError::Connect(_))) => return Err(Failed::Broken(error)),
                Err(Failed::Broken(error)) => {
                    *ask = true;
                    broken = Some((error, offset));
                }
                other => return other,
            }
        }
    }

    /// Asks how much of the file is there (§7.5). Hosts that do not know the question have nothing.
    async fn ask(&self, host: &Host, hosts: &Hosts) -> Result<(u64, Option<Stored>), Failed> {
        let target = format!("{}&resume=1", self.target(hosts));
        let empty = http_body_util::Empty::new().map_err(|never| match never {}).boxed_unsync();
        let request = || Ask {
            method: Method::POST,
            host: host.place(),
            headers: address::HEADERS,
            target: &target,
            from: None,
            body: Some((empty, 0)),
        };
        let answer = http::send(&self.route, request(), || 0).await.map_err(Failed::Broken)?;
        match answer.status() {
            200 => {}
            status @ (401 | 403) => return Err(Failed::Token(status)),
            _ => return Ok((0, None)),
        }
        let text = answer.text(LONGEST_ANSWER).await.map_err(Failed::Broken)?.unwrap_or_default();
        let Ok(answer) = serde_json::from_str::<serde_json::Value>(&text) else { return Ok((0, None)) };
        match answer.get("resume").and_then(|resume| resume.as_str()) {
            Some("complete") => Ok((0, stored(&answer))),
            Some(offset) => {
                let offset = offset.parse().ok().filter(|offset| *offset <= self.sealed.blob_length);
                Ok((offset.unwrap_or(0), None))
            }
            None => Ok((0, None)),
        }
    }

    async fn send(&self, host: &Host, hosts: &Hosts, offset: u64) -> Result<Stored, Failed> {
        let mut target = self.target(hosts);
        if offset > 0 {
            target.push_str(&format!("&file_offset={offset}"));
        }
        let mut at = (host.clone(), target);
        for _ in 0..=REDIRECTS {
            let length = self.sealed.blob_length.saturating_sub(offset);
            let ask = Ask {
                method: Method::POST,
                host: at.0.place(),
                headers: address::HEADERS,
                target: &at.1,
                from: None,
                body: Some((body(&self.sealed.spool, offset, self.meter), length)),
            };
            let answer = http::send(&self.route, ask, || self.meter.done()).await.map_err(Failed::Broken)?;
            let status = answer.status();
            match status {
                200 => return self.stored(answer).await,
                301 | 302 | 307 | 308 => {
                    let named = hosts.all();
                    let there = answer.location().and_then(address::split);
                    let there =
                        there.filter(|(host, path)| host.is_trusted(&named) && address::is_path(path));
                    let Some(there) = there else { return Err(Failed::Host(failure::refused(status), None)) };
                    at = there;
                    self.meter.set_done(offset);
                }
                401 | 403 => return Err(Failed::Token(status)),
                // The host has another part of it than it said; it takes the whole.
                409 if offset > 0 => {
                    return Box::pin(self.send(host, hosts, 0)).await;
                }
                408 | 429 | 500..=599 => {
                    let wait = answer.retry_after();
                    let mut error = failure::refused(status);
                    if let Some(wait) = wait {
                        error = error.with_retry_after(wait);
                    }
                    return Err(Failed::Host(error, wait));
                }
                _ => return Err(Failed::Final(failure::refused(status))),
            }
        }
        Err(Failed::Host(failure::refused(307), None))
    }

    async fn stored(&self, answer: Answer) -> Result<Stored, Failed> {
        let text = answer.text(LONGEST_ANSWER).await.map_err(Failed::Broken)?.unwrap_or_default();
        let answer = serde_json::from_str(&text).ok();
        answer.as_ref().and_then(stored).ok_or_else(|| {
            let message = "the media host did not say where the file is";
            Failed::Host(Error::new(Code::MediaRefused, message).with_service_status(200), None)
        })
    }

    fn target(&self, hosts: &Hosts) -> String {
        let (path, token) = (&self.path, &self.token);
        format!("{path}?auth={}&token={token}", address::encoded(&hosts.auth))
    }
}

/// Reads where a file is now (§7.3).
fn stored(answer: &serde_json::Value) -> Option<Stored> {
    let text = |name: &str| answer.get(name).and_then(|value| value.as_str()).map(str::to_owned);
    // Numbers come as such, and as texts.
    let plain = |name: &str| {
        let value = answer.get(name)?;
        value.as_str().map(str::to_owned).or_else(|| value.as_u64().map(|number| number.to_string()))
    };
    let posted = match (plain("fbid"), plain("ts"), text("meta_hmac")) {
        (Some(id), Some(time), Some(token)) => Some(Posted { id, time, token }),
        _ => None,
    };
    let stored =
        Stored { url: text("url"), direct_path: text("direct_path"), handle: text("handle"), posted };
    address::path(stored.direct_path.as_deref(), stored.url.as_deref()).map(|_| stored)
}

/// What leaves, from an offset on.
fn body(spool: &Arc<Mutex<Spool>>, offset: u64, meter: &Arc<Meter>) -> http::Body {
    let (spool, meter) = (Arc::clone(spool), Arc::clone(meter));
    let pieces = stream::unfold(offset, move |at| {
        let (spool, meter) = (Arc::clone(&spool), Arc::clone(&meter));
        async move {
            let read = tokio::task::spawn_blocking(move || {
                spool.lock().unwrap_or_else(PoisonError::into_inner).read(at, PIECE)
            });
            let piece = read.await.map_err(io::Error::other).and_then(|read| read);
            match piece {
                Ok(piece) if piece.is_empty() => None,
                Ok(piece) => {
                    meter.advance(piece.len());
                    let next = at.saturating_add(piece.len() as u64);
                    Some((Ok(Frame::data(Bytes::from(piece))), next))
                }
                Err(error) => Some((Err(error), at)),
            }
        }
    });
    StreamBody::new(pieces).boxed_unsync()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_must_say_where_the_file_is() {
        let read = |text: &str| stored(&serde_json::from_str(text).unwrap());
        let both =
            read(r#"{"url":"https://mmg.whatsapp.net/v/a?x=1","direct_path":"/v/a?x=1","handle":"h"}"#)
                .unwrap();
        assert_eq!((both.direct_path.as_deref(), both.handle.as_deref()), (Some("/v/a?x=1"), Some("h")));
        assert!(read(r#"{"url":"https://mmg.whatsapp.net/v/a?x=1&mms3=true"}"#).is_some());
        let posted = read(r#"{"direct_path":"/v/a","fbid":77,"ts":1790000000,"meta_hmac":"AbC"}"#).unwrap();
        let posted = posted.posted.unwrap();
        assert_eq!(
            (posted.id.as_str(), posted.time.as_str(), posted.token.as_str()),
            ("77", "1790000000", "AbC")
        );
        for wrong in ["{}", r#"{"direct_path":"//evil/"}"#, r#"{"direct_path":7}"#, r#"{"url":"nonsense"}"#] {
            assert!(read(wrong).is_none(), "{wrong}");
        }
    }
}

//! Requests to the service's web hosts: HTTP/1.1 over the client's own way out, one connection for each.
//! Files go to and from the media hosts by it, and the page with the present version is read by it. No
//! redirects are followed here, nothing is compressed, and whoever asks bounds the answer.

#[cfg(test)]
mod tests;

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use hyper::{Method, Request, Response, header};
use hyper_util::rt::TokioIo;
use tokio::time::Instant;

use crate::connection::{Route, SocketError, dial};

/// As the web client names itself; hosts answer some others with pages for people.
const USER_AGENT: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 \
    (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

/// How long connecting may take, and how long nothing may come.
const CONNECT: Duration = Duration::from_secs(20);
pub(crate) const SILENCE: Duration = Duration::from_secs(30);

/// How much is read from the socket at once.
const BUFFER: usize = 64 * 1024;

/// The body of a request.
pub(crate) type Body = UnsyncBoxBody<Bytes, io::Error>;

/// Why a host gave no answer, or not all of it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpError {
    /// It could not be reached.
    #[error(transparent)]
    Connect(#[from] SocketError),
    /// The connection broke, or no HTTP came.
    #[error("the exchange with the host broke: {0}")]
    Broken(#[from] hyper::Error),
    /// Nothing came for too long.
    #[error("the host stopped answering")]
    Silent,
    /// The address cannot be asked for.
    #[error("the address is not one that can be asked for")]
    Address,
}

/// A host, and the port and manner in which it is reached.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Host<'a> {
    /// As in the `Host` header: with the port if it is not the usual one.
    pub(crate) authority: &'a str,
    pub(crate) name: &'a str,
    pub(crate) port: u16,
    pub(crate) tls: bool,
}

/// What is asked of a host.
pub(crate) struct Ask<'a> {
    pub(crate) method: Method,
    pub(crate) host: Host<'a>,
    /// Headers beside those that every request has.
    pub(crate) headers: &'a [(&'a str, &'a str)],
    /// Path and query.
    pub(crate) target: &'a str,
    /// From which octet on, for downloads.
    pub(crate) from: Option<(u64, Option<u64>)>,
    /// Its length is said in advance.
    pub(crate) body: Option<(Body, u64)>,
}

/// An answer whose body is still to be read. The connection ends with it.
pub(crate) struct Answer {
    response: Response<Incoming>,
    _connection: Driver,
}

struct Driver(tokio::task::JoinHandle<()>);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Asks. The caller bounds the time that the body may take to leave; here it is silence that ends it.
pub(crate) async fn send(route: &Route, ask: Ask<'_>, moved: impl Fn() -> u64) -> Result<Answer, HttpError> {
    let mut request = Request::builder()
        .method(ask.method)
        .uri(ask.target)
        .header(header::HOST, ask.host.authority)
        .header(header::USER_AGENT, USER_AGENT)
        .header(header::ACCEPT, "*/*")
        .header(header::ACCEPT_ENCODING, "identity");
    for (name, value) in ask.headers {
        request = request.header(*name, *value);
    }
    if let Some((from, to)) = ask.from {
        let to = to.map(|to| to.saturating_sub(1).to_string()).unwrap_or_default();
        request = request.header(header::RANGE, format!("bytes={from}-{to}"));
    }
    let body = match ask.body {
        Some((body, length)) => {
            request = request
                .header(header::CONTENT_TYPE, "application/octet-stream")
                .header(header::CONTENT_LENGTH, length);
            body
        }
        None => http_body_util::Empty::new().map_err(|never| match never {}).boxed_unsync(),
    };
    let request = request.body(body).map_err(|_| HttpError::Address)?;

    let dialled = dial::open(ask.host.name, ask.host.port, ask.host.tls, route);
    let stream = tokio::time::timeout(CONNECT, dialled).await.map_err(|_| HttpError::Silent)??;
    let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
        .max_buf_size(BUFFER)
        .handshake(TokioIo::new(stream))
        .await?;
    let driver = Driver(tokio::spawn(async move {
        // What goes wrong is told to whoever waits for the answer.
        let _ = connection.await;
    }));
    let answered = sender.send_request(request);
    tokio::pin!(answered);
    let mut last = (moved(), Instant::now());
    let response = loop {
        tokio::select! {
            biased;
            response = &mut answered => break response?,
            () = tokio::time::sleep_until(last.1 + SILENCE) => {
                let now = moved();
                if now == last.0 {
                    return Err(HttpError::Silent);
                }
                last = (now, Instant::now());
            }
        }
    };
    Ok(Answer { response, _connection: driver })
}

impl Answer {
    pub(crate) fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    fn header(&self, name: header::HeaderName) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    pub(crate) fn length(&self) -> Option<u64> {
        self.header(header::CONTENT_LENGTH)?.trim().parse().ok()
    }

    pub(crate) fn location(&self) -> Option<&str> {
        self.header(header::LOCATION)
    }

    /// After what time the host wants to be asked again.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        Some(Duration::from_secs(self.header(header::RETRY_AFTER)?.trim().parse().ok()?))
    }

    /// First octet and whole length, of an answer that is a part.
    pub(crate) fn part(&self) -> Option<(u64, Option<u64>)> {
        let range = self.header(header::CONTENT_RANGE)?.trim().strip_prefix("bytes ")?;
        let (range, length) = range.split_once('/')?;
        let from = range.split_once('-')?.0.parse().ok()?;
        Some((from, length.parse().ok()))
    }

    /// The next octets of the body; `None` at its end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, HttpError> {
        loop {
            let frame = tokio::time::timeout(SILENCE, self.response.body_mut().frame()).await;
            match frame.map_err(|_| HttpError::Silent)? {
                None => return Ok(None),
                Some(frame) => match frame?.into_data() {
                    Ok(data) if !data.is_empty() => return Ok(Some(data)),
                    _ => {}
                },
            }
        }
    }

    /// The whole body as text, if it has no more octets than `most`; what is no text in it is replaced.
    pub(crate) async fn text(mut self, most: usize) -> Result<Option<String>, HttpError> {
        let mut text = Vec::new();
        // Many servers end TLS without saying so; only a body whose length was said shows what is missing.
        let ends_with_connection = hyper::body::Body::size_hint(self.response.body()).exact().is_none()
            && self.header(header::TRANSFER_ENCODING).is_none();
        loop {
            let piece = match self.next().await {
                Ok(Some(piece)) => piece,
                Ok(None) => break,
                Err(HttpError::Broken(error)) if ends_with_connection && is_end(&error) => break,
                Err(error) => return Err(error),
            };
            if text.len().saturating_add(piece.len()) > most {
                return Ok(None);
            }
            text.extend_from_slice(&piece);
        }
        Ok(Some(String::from_utf8_lossy(&text).into_owned()))
    }
}

/// Whether a connection ended without having said so.
fn is_end(error: &hyper::Error) -> bool {
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<io::Error>());
    source.is_some_and(|source| source.kind() == io::ErrorKind::UnexpectedEof)
}

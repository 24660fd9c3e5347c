//! Answers of the media host, and the bodies in which faults are.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::Frame;
use hyper::{Response, StatusCode, header};

use super::blob::Blob;

/// How much of a file leaves at once.
const PIECE: u64 = 64 * 1024;

/// The body of an answer.
pub(super) type Body = BoxBody<Bytes, io::Error>;

/// An answer that says little.
pub(super) fn plain(status: u16, text: &str) -> Response<Body> {
    let body = Full::new(Bytes::from(text.to_owned())).map_err(|never| match never {}).boxed();
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}

/// An answer as JSON.
pub(super) fn json(value: &serde_json::Value) -> Response<Body> {
    with(plain(200, &value.to_string()), header::CONTENT_TYPE, "application/json")
}

/// Adds a header.
pub(super) fn with(
    mut response: Response<Body>,
    name: header::HeaderName,
    value: impl ToString,
) -> Response<Body> {
    if let Ok(value) = header::HeaderValue::from_str(&value.to_string()) {
        response.headers_mut().insert(name, value);
    }
    response
}

/// What is wrong with a body.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Wrong {
    /// The connection breaks before this offset of the file.
    pub(super) cut: Option<u64>,
    /// Nothing comes from this offset on.
    pub(super) stall: Option<u64>,
    /// A pause after every piece.
    pub(super) pause: Option<Duration>,
    /// The octet at this offset is another one.
    pub(super) flip: Option<u64>,
}

/// A part of a file.
pub(super) fn file(blob: Arc<Blob>, from: u64, to: u64, wrong: Wrong) -> Body {
    let pieces = stream::unfold(Some(from), move |at| {
        let blob = Arc::clone(&blob);
        async move {
            // What was given out so far leaves first, whatever goes wrong afterwards.
            tokio::task::yield_now().await;
            let at = at.filter(|at| *at < to)?;
            // Faults count from the beginning of this answer, which may be a part of the file.
            let done = at - from;
            let mut end = at.saturating_add(PIECE).min(to);
            for edge in [wrong.cut, wrong.stall].into_iter().flatten() {
                if done >= edge {
                    if wrong.stall == Some(edge) {
                        std::future::pending::<()>().await;
                    }
                    let broken = io::Error::new(io::ErrorKind::ConnectionReset, "cut by a fault");
                    return Some((Err(broken), None));
                }
                end = end.min(from.saturating_add(edge));
            }
            if let Some(pause) = wrong.pause.filter(|_| done > 0) {
                tokio::time::sleep(pause).await;
            }
            let length = usize::try_from(end - at).unwrap_or(usize::MAX);
            let piece = blob.read(at, length).map(|mut piece| {
                let flipped = wrong.flip.and_then(|flip| flip.checked_sub(at));
                let octet = flipped.and_then(|at| piece.get_mut(usize::try_from(at).ok()?));
                if let Some(octet) = octet {
                    *octet ^= 1;
                }
                Frame::data(Bytes::from(piece))
            });
            Some((piece, Some(end)))
        }
    });
    StreamBody::new(pieces).boxed()
}

//! Downloads, whole and in parts (media document §24.3).

use std::time::Duration;

use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode, header};

use super::answer::{self, Body, Wrong};
use super::faults::MediaFault;
use super::request::{Target, Wanted, range};
use super::server::Host;
use super::shelf::Found;
use crate::events::Event;

pub(super) fn give(
    host: &Host,
    target: &Target<'_>,
    fault: Option<MediaFault>,
    request: &Request<Incoming>,
) -> Response<Body> {
    let (blob, hash, plain) = match host.shelf().find(target) {
        Found::File { blob, hash, plain } => (blob, hash, plain),
        Found::Status(status) => return answer::plain(status, ""),
    };
    let length = match fault {
        Some(MediaFault::Truncate { bytes }) => bytes.min(blob.length()),
        _ => blob.length(),
    };
    let header = request.headers().get(header::RANGE).and_then(|range| range.to_str().ok());
    let header = header.filter(|_| fault != Some(MediaFault::IgnoreRange));
    let (from, to, partial) = match range(header, length) {
        Wanted::Whole => (0, length, false),
        Wanted::Part(from, to) => (from, to, true),
        Wanted::Beyond => {
            let response = answer::plain(416, "");
            return answer::with(response, header::CONTENT_RANGE, format!("bytes */{length}"));
        }
    };
    host.hub.events().push(Event::MediaDownloaded {
        host: host.number,
        hash: hex::encode(hash),
        from,
        length: to - from,
    });
    let wrong = match fault {
        Some(MediaFault::Cut { bytes }) => Wrong { cut: Some(bytes), ..Wrong::default() },
        Some(MediaFault::Stall { bytes }) => Wrong { stall: Some(bytes), ..Wrong::default() },
        Some(MediaFault::Slow { ms }) => Wrong { pause: Some(Duration::from_millis(ms)), ..Wrong::default() },
        Some(MediaFault::Flip { at }) => Wrong { flip: Some(at), ..Wrong::default() },
        _ => Wrong::default(),
    };
    let claimed = match fault {
        Some(MediaFault::ClaimLength { length }) => Some(length),
        Some(MediaFault::Chunked) => None,
        _ => Some(to - from),
    };
    let body = match *request.method() {
        Method::HEAD => answer::file(blob, 0, 0, Wrong::default()),
        _ => answer::file(blob, from, to, wrong),
    };
    let mut response = Response::new(body);
    if partial {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        let last = to.saturating_sub(1);
        response = answer::with(response, header::CONTENT_RANGE, format!("bytes {from}-{last}/{length}"));
    }
    if let Some(claimed) = claimed {
        response = answer::with(response, header::CONTENT_LENGTH, claimed);
    }
    let kind = if plain { "image/jpeg" } else { "application/octet-stream" };
    response = answer::with(response, header::CONTENT_TYPE, kind);
    response = answer::with(response, header::ACCEPT_RANGES, "bytes");
    response = answer::with(response, header::CACHE_CONTROL, "public, max-age=1209600");
    answer::with(response, header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")
}

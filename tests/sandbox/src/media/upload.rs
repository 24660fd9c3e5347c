//! Uploads: the checks in their order, the question how much is there, deletion (media document
//! §7, §10, §24.2).

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http_body_util::BodyExt as _;
use hyper::body::Incoming as RequestBody;
use hyper::{Request, Response, header};
use serde_json::json;

use super::answer::{self, Body};
use super::blob::Incoming;
use super::faults::MediaFault;
use super::request::{self, Kind, Target};
use super::server::Host;
use crate::events::Event;

/// An upload that may be made.
struct Admitted {
    kind: Kind,
    hash: [u8; 32],
    owner: String,
}

/// The first four checks, which all three requests share.
fn admit(host: &Host, target: &Target<'_>) -> Result<Admitted, u16> {
    let (kind, token) = request::upload(target.path).ok_or(404_u16)?;
    let auth = target.parameter("auth").filter(|auth| !auth.is_empty()).ok_or(401_u16)?;
    let owner = host.hub.run(|service| service.media_owner(auth)).ok_or(403_u16)?;
    let plain = |token: &str| token.trim_end_matches('=').to_owned();
    let token = token.replace("%3D", "=");
    if target.parameter("token").is_some_and(|repeated| plain(repeated) != plain(&token)) {
        return Err(400);
    }
    let hash = request::hash(&token).ok_or(400_u16)?;
    Ok(Admitted { kind, hash, owner })
}

/// How much of an upload is there (§7.5).
pub(super) fn ask(host: &Host, target: &Target<'_>) -> Response<Body> {
    let upload = match admit(host, target) {
        Ok(upload) => upload,
        Err(status) => return answer::plain(status, ""),
    };
    if host.shelf().holds(&upload.hash)
        && let Some(path) = host.shelf().path(&upload.hash)
    {
        let mut found = stored(host, &upload.kind, upload.hash, &path);
        if let Some(fields) = found.as_object_mut() {
            fields.insert("resume".to_owned(), json!("complete"));
        }
        host.hub.events().push(Event::MediaAsked { device: upload.owner, held: None });
        return answer::json(&found);
    }
    let held = host.shelf().partial_length(&upload.owner, &upload.hash);
    host.hub.events().push(Event::MediaAsked { device: upload.owner, held: Some(held) });
    answer::json(&json!({ "resume": held.to_string() }))
}

/// Takes an upload in.
pub(super) async fn take(
    host: &Host,
    target: &Target<'_>,
    fault: Option<MediaFault>,
    request: Request<RequestBody>,
) -> io::Result<Response<Body>> {
    let upload = match admit(host, target) {
        Ok(upload) => upload,
        Err(status) => return Ok(answer::plain(status, "")),
    };
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let Some(length) = length else { return Ok(answer::plain(411, "")) };
    let held = host.shelf().partial_length(&upload.owner, &upload.hash);
    let offset = match target.parameter("file_offset").map(str::parse::<u64>) {
        None => 0,
        Some(Ok(offset)) if offset == held => offset,
        Some(_) => return Ok(answer::plain(409, "")),
    };
    if length.saturating_add(offset) > host.shelf().limit() {
        return Ok(answer::plain(413, ""));
    }
    let kept = host.shelf().take_partial(&upload.owner, &upload.hash);
    let mut incoming = kept.filter(|_| offset > 0).unwrap_or_else(Incoming::new);
    if let Err(error) = read(&mut incoming, request.into_body(), fault.as_ref()).await {
        host.shelf().put_partial(&upload.owner, upload.hash, incoming);
        return Err(error);
    }
    let (hash, blob) = incoming.finish();
    if hash != upload.hash {
        return Ok(answer::plain(400, "the hash is another one"));
    }
    // A check of this host's own: it finds uploads that were not encrypted.
    let is_blob = blob.length() >= 26 && (blob.length() - 10).is_multiple_of(16);
    if !upload.kind.plain && !is_blob {
        return Ok(answer::plain(400, "the file is not encrypted"));
    }
    let length = blob.length();
    let path = host.shelf().keep(&upload.kind, hash, blob);
    host.hub.events().push(Event::MediaUploaded {
        device: upload.owner,
        host: host.number,
        kind: upload.kind.name.clone(),
        hash: hex::encode(hash),
        length,
        resumed_from: offset,
    });
    if let Some(MediaFault::Nonsense { body }) = fault {
        return Ok(answer::plain(200, &body));
    }
    Ok(answer::json(&stored(host, &upload.kind, hash, &path)))
}

/// Reads a body, up to a fault in it. What came before an error counts.
async fn read(incoming: &mut Incoming, mut body: RequestBody, fault: Option<&MediaFault>) -> io::Result<()> {
    let mut left = match fault {
        Some(MediaFault::Cut { bytes } | MediaFault::Stall { bytes }) => *bytes,
        _ => u64::MAX,
    };
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(io::Error::other)?.into_data() else { continue };
        let taken = usize::try_from(left).unwrap_or(usize::MAX).min(data.len());
        incoming.write(data.get(..taken).unwrap_or_default())?;
        left = left.saturating_sub(taken as u64);
        if left == 0 {
            if matches!(fault, Some(MediaFault::Stall { .. })) {
                std::future::pending::<()>().await;
            }
            return Err(io::Error::new(io::ErrorKind::ConnectionReset, "cut by a fault"));
        }
    }
    Ok(())
}

/// What a client is told about a file that is stored (§7.3).
fn stored(host: &Host, kind: &Kind, hash: [u8; 32], path: &str) -> serde_json::Value {
    let mut answer = json!({
        "url": format!("https://{}{path}&mms3=true", host.name),
        "direct_path": path,
        "handle": URL_SAFE_NO_PAD.encode(host.shelf().number().to_be_bytes()),
        "object_id": host.shelf().number().to_string(),
    });
    if let Some(fields) = answer.as_object_mut().filter(|_| kind.profile) {
        let post = host.shelf().post(hash);
        fields.insert("fbid".to_owned(), json!(post.id));
        fields.insert("ts".to_owned(), json!(post.time));
        fields.insert("meta_hmac".to_owned(), json!(post.token));
    }
    answer
}

/// Deletes a file (§10).
pub(super) fn delete(host: &Host, target: &Target<'_>) -> Response<Body> {
    match admit(host, target) {
        Ok(upload) if host.shelf().delete(&upload.hash) => {
            host.hub.events().push(Event::MediaDeleted { hash: hex::encode(upload.hash) });
            answer::plain(200, "")
        }
        Ok(_) => answer::plain(404, ""),
        Err(status) => answer::plain(status, ""),
    }
}

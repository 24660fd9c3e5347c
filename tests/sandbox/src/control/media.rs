//! Routes about the media hosts, and about files that phones send and receive.

use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::{Json, Router, routing};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use whimbrel_crypto::media::MediaType;

use super::Api;
use super::error::ApiError;
use super::extract::{Body, Query, Waiting};
use crate::MediaFaultRule;
use crate::phone::{MediaToSend, Phone};

/// Longest body of a request: a file of some megabytes as base64.
const LONGEST: usize = 64 << 20;

pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/media", routing::get(hosts))
        .route("/media/faults", routing::post(add_fault).delete(clear_faults))
        .route("/media/down", routing::post(down))
        .route("/media/expire", routing::post(expire))
        .route("/media/life", routing::post(life))
        .route("/media/limit", routing::post(limit))
        .route("/media/revoke", routing::post(revoke))
        .route("/phones/{number}/send-media", routing::post(send))
        .route("/phones/{number}/media/{id}", routing::get(received))
        .layer(DefaultBodyLimit::max(LONGEST))
}

fn find(api: &Api, number: &str) -> Result<Phone, ApiError> {
    api.sandbox.find_phone(number).ok_or_else(|| ApiError::not_found(format!("there is no phone {number}")))
}

async fn hosts(State(api): State<Api>) -> Json<Value> {
    Json(json!({ "hosts": api.sandbox.media_hosts() }))
}

async fn add_fault(State(api): State<Api>, Body(rule): Body<MediaFaultRule>) -> StatusCode {
    api.sandbox.add_media_fault(rule);
    StatusCode::NO_CONTENT
}

async fn clear_faults(State(api): State<Api>) -> StatusCode {
    api.sandbox.clear_media_faults();
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Down {
    host: usize,
    down: bool,
}

async fn down(State(api): State<Api>, Body(request): Body<Down>) -> Result<StatusCode, ApiError> {
    if api.sandbox.set_media_host_down(request.host, request.down) {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(ApiError::not_found("there is no such media host"))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expire {
    #[serde(default = "gone")]
    status: u16,
}

fn gone() -> u16 {
    410
}

async fn expire(State(api): State<Api>, Body(request): Body<Expire>) -> Result<StatusCode, ApiError> {
    if !(400..500).contains(&request.status) {
        return Err(ApiError::bad_request("status is one of 400 to 499"));
    }
    api.sandbox.expire_media(request.status);
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Life {
    ttl_s: Option<u64>,
    auth_ttl_s: Option<u64>,
}

async fn life(State(api): State<Api>, Body(request): Body<Life>) -> StatusCode {
    api.sandbox.set_media_life(request.ttl_s, request.auth_ttl_s);
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Limit {
    bytes: u64,
}

async fn limit(State(api): State<Api>, Body(request): Body<Limit>) -> StatusCode {
    api.sandbox.set_media_limit(request.bytes);
    StatusCode::NO_CONTENT
}

async fn revoke(State(api): State<Api>) -> StatusCode {
    api.sandbox.revoke_media_tokens();
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Send {
    to: String,
    kind: String,
    mimetype: String,
    #[serde(default)]
    caption: Option<String>,
    base64: String,
}

/// The message that was accepted by the service.
#[derive(Serialize)]
struct Sent {
    id: String,
}

async fn send(
    State(api): State<Api>,
    Path(number): Path<String>,
    Body(request): Body<Send>,
) -> Result<Json<Sent>, ApiError> {
    let kind = MediaType::from_name(&request.kind);
    let kind = kind.ok_or_else(|| ApiError::bad_request("kind is no kind of file"))?;
    let bytes = STANDARD.decode(&request.base64).map_err(|_| ApiError::bad_request("base64 is none"))?;
    let Send { to, mimetype, caption, .. } = request;
    let media = MediaToSend { kind, mimetype, bytes, caption };
    let id = find(&api, &number)?.send_media(&to, &media).await?;
    Ok(Json(Sent { id }))
}

/// The file of a message.
#[derive(Serialize)]
struct Received {
    kind: &'static str,
    mimetype: String,
    length: usize,
    base64: String,
}

async fn received(
    State(api): State<Api>,
    Path((number, id)): Path<(String, String)>,
    Query(waiting): Query<Waiting>,
) -> Result<Json<Received>, ApiError> {
    let opened = find(&api, &number)?.wait_media(&id, waiting.wait()?).await?;
    Ok(Json(Received {
        kind: opened.kind.name(),
        mimetype: opened.mimetype,
        length: opened.bytes.len(),
        base64: STANDARD.encode(&opened.bytes),
    }))
}

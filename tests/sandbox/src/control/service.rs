//! Routes about the service itself: what it holds, what happened, faults, time, the end.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Json, Router, routing};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::ApiError;
use super::extract::{Body, Query, Waiting};
use super::{Api, JsonList, Numbered, numbered};
use crate::{Event, FaultRule, Finding, RandomFaults, Restriction, Violation};

pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/state", routing::get(state))
        .route("/faults", routing::post(add_fault).delete(clear_faults))
        .route("/faults/random", routing::post(random_faults))
        .route("/stream-error", routing::post(stream_error))
        .route("/disconnect", routing::post(disconnect))
        .route("/unlink", routing::post(unlink))
        .route("/hosted", routing::post(hosted))
        .route("/bar", routing::post(bar))
        .route("/restrict", routing::post(restrict))
        .route("/restrict/lift", routing::post(lift_restriction))
        .route("/black-hole", routing::post(black_hole))
        .route("/version", routing::post(version))
        .route("/properties", routing::post(set_property))
        .route("/prekeys/lose", routing::post(lose_prekeys))
        .route("/refresh-code", routing::post(refresh_code))
        .route("/clock", routing::get(time).post(advance))
        .route("/events", routing::get(events))
        .route("/violations", routing::get(violations))
        .route("/findings", routing::get(findings))
        .route("/health", routing::get(health))
        .route("/shutdown", routing::post(shutdown))
}

async fn state(State(api): State<Api>) -> Json<crate::State> {
    Json(api.sandbox.state())
}

async fn add_fault(State(api): State<Api>, Body(rule): Body<FaultRule>) -> StatusCode {
    api.sandbox.add_fault(rule);
    StatusCode::NO_CONTENT
}

async fn random_faults(State(api): State<Api>, Body(faults): Body<RandomFaults>) -> StatusCode {
    api.sandbox.set_random_faults(faults);
    StatusCode::NO_CONTENT
}

async fn clear_faults(State(api): State<Api>) -> StatusCode {
    api.sandbox.clear_faults();
    StatusCode::NO_CONTENT
}

/// A property by which the service steers clients.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Property {
    code: u32,
    value: String,
}

async fn set_property(State(api): State<Api>, Body(property): Body<Property>) -> StatusCode {
    api.sandbox.set_property(property.code, &property.value);
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StreamError {
    device: String,
    code: Option<u16>,
    conflict: Option<String>,
}

fn done(done: bool, what: &str) -> Result<StatusCode, ApiError> {
    if done { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::not_found(what)) }
}

async fn stream_error(
    State(api): State<Api>,
    Body(request): Body<StreamError>,
) -> Result<StatusCode, ApiError> {
    let StreamError { device, code, conflict } = request;
    done(api.sandbox.stream_error(&device, code, conflict.as_deref()), "the device is not connected")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Device {
    device: String,
}

async fn disconnect(State(api): State<Api>, Body(request): Body<Device>) -> Result<StatusCode, ApiError> {
    done(api.sandbox.disconnect(&request.device), "the device is not connected")
}

async fn unlink(State(api): State<Api>, Body(request): Body<Device>) -> Result<StatusCode, ApiError> {
    done(api.sandbox.unlink(&request.device), "there is no such companion")
}

async fn hosted(State(api): State<Api>, Body(request): Body<Device>) -> Result<StatusCode, ApiError> {
    done(api.sandbox.set_hosted(&request.device), "there is no such companion")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bar {
    phone: String,
    reason: Option<u16>,
}

async fn bar(State(api): State<Api>, Body(request): Body<Bar>) -> Result<StatusCode, ApiError> {
    done(api.sandbox.bar(&request.phone, request.reason), "there is no such account")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Restrict {
    phone: String,
    kind: Restriction,
    lasts_s: Option<u64>,
    #[serde(default)]
    announce: bool,
}

async fn restrict(State(api): State<Api>, Body(request): Body<Restrict>) -> Result<StatusCode, ApiError> {
    let Restrict { phone, kind, lasts_s, announce } = request;
    let lasts = lasts_s.map(Duration::from_secs);
    done(api.sandbox.restrict(&phone, kind, lasts, announce), "there is no such account")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lift {
    phone: String,
    kind: Restriction,
    #[serde(default)]
    announce: bool,
}

async fn lift_restriction(State(api): State<Api>, Body(request): Body<Lift>) -> Result<StatusCode, ApiError> {
    let Lift { phone, kind, announce } = request;
    done(api.sandbox.lift_restriction(&phone, kind, announce), "there is no such account")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BlackHole {
    open: bool,
}

async fn black_hole(State(api): State<Api>, Body(request): Body<BlackHole>) -> StatusCode {
    api.sandbox.black_hole(request.open);
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Version {
    min: Option<[u32; 3]>,
    revision: Option<u32>,
}

async fn version(State(api): State<Api>, Body(request): Body<Version>) -> Json<Value> {
    if let Some(min) = request.min {
        api.sandbox.set_min_version(min);
    }
    api.sandbox.set_web_revision(request.revision);
    Json(json!({ "url": api.sandbox.web_url() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LosePrekeys {
    device: String,
    #[serde(default)]
    keep: usize,
}

async fn lose_prekeys(
    State(api): State<Api>,
    Body(request): Body<LosePrekeys>,
) -> Result<StatusCode, ApiError> {
    done(api.sandbox.lose_prekeys(&request.device, request.keep), "there is no such device")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RefreshCode {
    phone: String,
    #[serde(default)]
    by_hand: bool,
}

async fn refresh_code(
    State(api): State<Api>,
    Body(request): Body<RefreshCode>,
) -> Result<StatusCode, ApiError> {
    done(api.sandbox.refresh_code(&request.phone, request.by_hand), "no code is shown for this number")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_s: u64,
}

async fn time(State(api): State<Api>) -> Json<Value> {
    Json(json!({ "now": api.sandbox.clock().now() }))
}

async fn advance(State(api): State<Api>, Body(request): Body<Advance>) -> Json<Value> {
    let clock = api.sandbox.clock();
    clock.advance(Duration::from_secs(request.advance_s));
    Json(json!({ "now": clock.now() }))
}

async fn events(
    State(api): State<Api>,
    Query(waiting): Query<Waiting>,
) -> Result<Json<JsonList<Numbered<Event>>>, ApiError> {
    Ok(Json(numbered(api.sandbox.events().wait_after(waiting.after, waiting.wait()?).await)))
}

async fn violations(State(api): State<Api>) -> Json<JsonList<Violation>> {
    Json(JsonList { items: api.sandbox.violations() })
}

async fn findings(State(api): State<Api>) -> Json<JsonList<Finding>> {
    Json(JsonList { items: api.sandbox.findings() })
}

/// Shows that the program runs.
#[derive(Serialize)]
struct Health {
    status: &'static str,
}

async fn health() -> Json<Health> {
    Json(Health { status: "ok" })
}

async fn shutdown(State(api): State<Api>) -> StatusCode {
    api.stop.send_replace(true);
    StatusCode::ACCEPTED
}

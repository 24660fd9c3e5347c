//! Routes about app state: what phones hold and write of it, and how the service serves it.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Json, Router, routing};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use whimbrel_appstate::{Collection, Entry, Kind, Operation};
use whimbrel_proto::ProtoMessage as _;
use whimbrel_proto::json::{UnknownFields, from_json};
use whimbrel_proto::sync_action::SyncActionValue;

use super::error::ApiError;
use super::extract::{Body, Query, Waiting};
use super::{Api, JsonList, Numbered, numbered};
use crate::phone::{PatchFault, Phone, StateChange};
use crate::{AppStateFaultRule, AppStatePace};

pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/app-state/faults", routing::post(add_fault).delete(clear_faults))
        .route("/app-state/pace", routing::post(pace))
        .route("/phones/{number}/app-state", routing::get(show).post(write))
        .route("/phones/{number}/app-state/changes", routing::get(changes))
        .route("/phones/{number}/app-state/drop", routing::post(forget))
        .route("/phones/{number}/app-state/keys", routing::post(keys))
}

fn find(api: &Api, number: &str) -> Result<Phone, ApiError> {
    api.sandbox.find_phone(number).ok_or_else(|| ApiError::not_found(format!("there is no phone {number}")))
}

async fn add_fault(State(api): State<Api>, Body(rule): Body<AppStateFaultRule>) -> StatusCode {
    api.sandbox.add_app_state_fault(rule);
    StatusCode::NO_CONTENT
}

async fn clear_faults(State(api): State<Api>) -> StatusCode {
    api.sandbox.clear_app_state_faults();
    StatusCode::NO_CONTENT
}

async fn pace(State(api): State<Api>, Body(pace): Body<AppStatePace>) -> StatusCode {
    api.sandbox.set_app_state_pace(pace);
    StatusCode::NO_CONTENT
}

/// An entry of app state.
#[derive(Serialize)]
struct EntryView {
    collection: &'static str,
    index: Vec<String>,
    value: Value,
}

async fn show(State(api): State<Api>, Path(number): Path<String>) -> Result<Json<Value>, ApiError> {
    let phone = find(&api, &number)?;
    let view = |(collection, index, value): (Collection, _, _)| EntryView {
        collection: collection.name(),
        index,
        value,
    };
    let entries: Vec<EntryView> = phone.app_state_entries().into_iter().map(view).collect();
    let versions = api.sandbox.app_state_versions(&number);
    let violations = phone.app_state_violations();
    Ok(Json(json!({ "items": entries, "versions": versions, "violations": violations })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Write {
    /// Name of the action first.
    index: Vec<String>,
    /// A `SyncActionValue` as JSON.
    #[serde(default)]
    value: Value,
    #[serde(default)]
    remove: bool,
    /// That of the action if it is known.
    collection: Option<String>,
    /// That of the action if it is known.
    version: Option<i32>,
    /// What shall be wrong.
    fault: Option<PatchFault>,
}

async fn write(
    State(api): State<Api>,
    Path(number): Path<String>,
    Body(request): Body<Write>,
) -> Result<StatusCode, ApiError> {
    let phone = find(&api, &number)?;
    let name = request.index.first().map(String::as_str).unwrap_or_default();
    let kind = Kind::ALL.iter().find(|kind| kind.name() == name).copied();
    let collection = match &request.collection {
        Some(name) => Collection::named(name),
        None => kind.map(Kind::collection),
    };
    let collection = collection.ok_or_else(|| ApiError::bad_request("the collection is not known"))?;
    let version = request.version.or(kind.map(Kind::version));
    let version = version.ok_or_else(|| ApiError::bad_request("the version is not known"))?;
    let given = if request.value.is_null() { json!({}) } else { request.value };
    let value: Result<SyncActionValue, _> = from_json(&given, UnknownFields::Refuse);
    let mut value = value.map_err(|error| ApiError::bad_request(error.to_string()))?;
    if value.timestamp.is_none() {
        value.timestamp = i64::try_from(api.sandbox.clock().now_ms()).ok();
    }
    let operation = if request.remove { Operation::Remove } else { Operation::Set };
    let entry = Entry::new(&request.index, value.encode_to_vec(), version);
    phone.write_app_state(collection, vec![(operation, entry)], request.fault).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn changes(
    State(api): State<Api>,
    Path(number): Path<String>,
    Query(waiting): Query<Waiting>,
) -> Result<Json<JsonList<Numbered<StateChange>>>, ApiError> {
    let phone = find(&api, &number)?;
    Ok(Json(numbered(phone.app_state_changes_after(waiting.after, waiting.wait()?).await)))
}

async fn forget(State(api): State<Api>, Path(number): Path<String>) -> Result<StatusCode, ApiError> {
    if api.sandbox.drop_app_state(&number) {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(ApiError::not_found(format!("there is no phone {number}")))
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct Keys {
    /// Make another key first.
    rotate: bool,
    /// Hand all keys to all companions.
    share: bool,
}

async fn keys(
    State(api): State<Api>,
    Path(number): Path<String>,
    Body(request): Body<Keys>,
) -> Result<StatusCode, ApiError> {
    let phone = find(&api, &number)?;
    if request.rotate {
        phone.rotate_app_state_key(request.share).await?;
    } else if request.share {
        phone.share_app_state_keys().await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

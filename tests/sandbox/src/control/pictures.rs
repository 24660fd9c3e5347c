//! Routes about pictures of people and groups.

use axum::extract::{Path, State};
use axum::{Json, Router, routing};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};
use whimbrel_wire::Jid;

use super::Api;
use super::error::ApiError;
use super::extract::Body;

pub(super) fn routes() -> Router<Api> {
    Router::new().route("/phones/{number}/picture", routing::put(set))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Set {
    #[serde(default)]
    group: Option<String>,
    /// Without it the picture is removed.
    #[serde(default)]
    base64: Option<String>,
}

async fn set(
    State(api): State<Api>,
    Path(number): Path<String>,
    Body(request): Body<Set>,
) -> Result<Json<Value>, ApiError> {
    let group = request.group.as_deref().map(Jid::parse).transpose();
    let group = group.map_err(|_| ApiError::bad_request("the address is none"))?;
    let picture = request.base64.map(|text| STANDARD.decode(text)).transpose();
    let picture = picture.map_err(|_| ApiError::bad_request("the picture is no base64"))?;
    let id = api.sandbox.change_picture(&number, group.as_ref(), picture)?;
    Ok(Json(json!({ "id": id })))
}

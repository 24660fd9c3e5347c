//! Routes about calls.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Json, Router, routing};
use serde::Deserialize;

use super::Api;
use super::error::ApiError;
use super::extract::Body;
use crate::service::CallState;

pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/calls", routing::post(begin))
        .route("/calls/{id}", routing::get(show))
        .route("/calls/{id}/{action}", routing::post(act))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Begin {
    caller: String,
    callee: String,
    #[serde(default)]
    video: bool,
}

async fn begin(
    State(api): State<Api>,
    Body(request): Body<Begin>,
) -> Result<(StatusCode, Json<CallState>), ApiError> {
    let call = api.sandbox.call(&request.caller, &request.callee, request.video);
    let state = call.and_then(|call| call.state());
    let state = state.ok_or_else(|| ApiError::not_found("somebody does not exist"))?;
    Ok((StatusCode::CREATED, Json(state)))
}

async fn show(State(api): State<Api>, Path(id): Path<String>) -> Result<Json<CallState>, ApiError> {
    let state = api.sandbox.find_call(&id).and_then(|call| call.state());
    state.map(Json).ok_or_else(|| ApiError::not_found("there is no such call"))
}

async fn act(
    State(api): State<Api>,
    Path((id, action)): Path<(String, String)>,
) -> Result<Json<CallState>, ApiError> {
    let call = api.sandbox.find_call(&id).ok_or_else(|| ApiError::not_found("there is no such call"))?;
    match action.as_str() {
        "accept" => call.accept(),
        "reject" => call.reject(),
        "give-up" => call.give_up(),
        "hang-up" => call.hang_up(),
        _ => return Err(ApiError::not_found(format!("nothing is called {action}"))),
    }
    show(State(api), Path(id)).await
}

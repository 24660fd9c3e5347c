//! Routes about channels, and about who sees statuses.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Json, Router, routing};
use serde::Deserialize;
use whimbrel_wire::Jid;

use super::Api;
use super::error::ApiError;
use super::extract::Body;
use crate::{ChannelState, StatusAudience};

pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/channels", routing::post(create))
        .route("/channels/{jid}", routing::get(show))
        .route("/phones/{number}/status-privacy", routing::post(status_privacy))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Create {
    owner: String,
    #[serde(default)]
    followers: Vec<String>,
}

async fn create(
    State(api): State<Api>,
    Body(request): Body<Create>,
) -> Result<(StatusCode, Json<ChannelState>), ApiError> {
    let followers: Vec<&str> = request.followers.iter().map(String::as_str).collect();
    let channel = api.sandbox.create_channel(&request.owner, &followers);
    let state = channel.and_then(|channel| channel.state());
    let state = state.ok_or_else(|| ApiError::not_found("somebody does not exist"))?;
    Ok((StatusCode::CREATED, Json(state)))
}

async fn show(State(api): State<Api>, Path(jid): Path<String>) -> Result<Json<ChannelState>, ApiError> {
    let known = Jid::parse(&jid).ok().and_then(|jid| api.sandbox.find_channel(&jid));
    let state = known.and_then(|channel| channel.state());
    state.map(Json).ok_or_else(|| ApiError::not_found(format!("there is no channel {jid}")))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Privacy {
    audience: StatusAudience,
    #[serde(default)]
    people: Vec<String>,
}

async fn status_privacy(
    State(api): State<Api>,
    Path(number): Path<String>,
    Body(request): Body<Privacy>,
) -> Result<StatusCode, ApiError> {
    let people: Vec<&str> = request.people.iter().map(String::as_str).collect();
    match api.sandbox.set_status_privacy(&number, request.audience, &people) {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(ApiError::not_found("somebody does not exist")),
    }
}

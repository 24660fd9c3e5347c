//! Routes about channels, and about who sees statuses.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Json, Router, routing};
use serde::Deserialize;
use serde_json::Value;
use whimbrel_wire::Jid;

use super::Api;
use super::error::ApiError;
use super::extract::Body;
use crate::{Channel, ChannelError, ChannelState, StatusAudience};

pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/channels", routing::post(create))
        .route("/channels/live", routing::post(live))
        .route("/channels/{jid}", routing::get(show))
        .route("/channels/{jid}/{action}", routing::post(act))
        .route("/phones/{number}/terms", routing::post(want_terms))
        .route("/phones/{number}/status-privacy", routing::post(status_privacy))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Create {
    owner: String,
    name: Option<String>,
    #[serde(default)]
    followers: Vec<String>,
    /// What it is listed under in the directory.
    category: Option<String>,
}

async fn create(
    State(api): State<Api>,
    Body(request): Body<Create>,
) -> Result<(StatusCode, Json<ChannelState>), ApiError> {
    let followers: Vec<&str> = request.followers.iter().map(String::as_str).collect();
    let name = request.name.as_deref().unwrap_or("Channel");
    let channel = api.sandbox.create_named_channel(&request.owner, name, &followers);
    if let (Some(channel), Some(category)) = (&channel, &request.category) {
        channel.list(category, false);
    }
    let state = channel.and_then(|channel| channel.state());
    let state = state.ok_or_else(|| ApiError::not_found("somebody does not exist"))?;
    Ok((StatusCode::CREATED, Json(state)))
}

fn find(api: &Api, jid: &str) -> Result<Channel, ApiError> {
    let known = Jid::parse(jid).ok().and_then(|jid| api.sandbox.find_channel(&jid));
    known.ok_or_else(|| ApiError::not_found(format!("there is no channel {jid}")))
}

async fn show(State(api): State<Api>, Path(jid): Path<String>) -> Result<Json<ChannelState>, ApiError> {
    let state = find(&api, &jid)?.state();
    state.map(Json).ok_or_else(|| ApiError::not_found(format!("there is no channel {jid}")))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Act {
    /// Who does it on the phone.
    by: String,
    /// Whom it is done to.
    person: Option<String>,
    muted: Option<bool>,
    updates: Option<Value>,
}

async fn act(
    State(api): State<Api>,
    Path((jid, action)): Path<(String, String)>,
    Body(request): Body<Act>,
) -> Result<Json<ChannelState>, ApiError> {
    let channel = find(&api, &jid)?;
    let Act { by, person, muted, updates } = request;
    let person = person.ok_or_else(|| ApiError::bad_request("nobody is named"));
    let done = match action.as_str() {
        "follow" => channel.follow(&by),
        "unfollow" => channel.unfollow(&by),
        "mute" => channel.mute(&by, muted.unwrap_or(true)),
        "update" => channel.update(&by, updates.unwrap_or_default()),
        "delete" => channel.delete(&by),
        "invite" => channel.invite(&by, &person?),
        "accept" => channel.accept(&by),
        "demote" => channel.demote(&by, &person?),
        _ => return Err(ApiError::not_found(format!("nothing is called {action}"))),
    };
    done.map_err(|ChannelError { code, text }| match code {
        404 => ApiError::not_found(text),
        _ => ApiError::bad_request(format!("{code} {text}")),
    })?;
    show(State(api), Path(jid)).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Live {
    seconds: u64,
}

async fn live(State(api): State<Api>, Body(request): Body<Live>) -> StatusCode {
    api.sandbox.set_live_duration(request.seconds);
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Terms {
    notice: String,
}

async fn want_terms(
    State(api): State<Api>,
    Path(number): Path<String>,
    Body(request): Body<Terms>,
) -> Result<StatusCode, ApiError> {
    match api.sandbox.want_terms(&number, &request.notice) {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(ApiError::not_found("there is no such account")),
    }
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

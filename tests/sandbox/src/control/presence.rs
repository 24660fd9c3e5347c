//! Routes about what people show of themselves and see of others.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Json, Router, routing};
use serde::Deserialize;

use super::error::ApiError;
use super::extract::{Body, Query, Waiting};
use super::phones::find;
use super::{Api, JsonList, Numbered, numbered};
use crate::phone::{Sign, SignKind};

pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/phones/{number}/presence", routing::post(presence))
        .route("/phones/{number}/chat-state", routing::post(chat_state))
        .route("/phones/{number}/about", routing::post(about))
        .route("/phones/{number}/privacy", routing::post(privacy))
        .route("/phones/{number}/default-timer", routing::post(default_timer))
        .route("/phones/{number}/block", routing::post(block))
        .route("/phones/{number}/message-link", routing::post(message_link))
        .route("/phones/{number}/signs", routing::get(signs))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Presence {
    /// Whether the person looks at the phone.
    available: Option<bool>,
    /// Somebody to watch.
    watch: Option<String>,
}

async fn presence(
    State(api): State<Api>,
    Path(number): Path<String>,
    Body(request): Body<Presence>,
) -> Result<StatusCode, ApiError> {
    let phone = find(&api, &number)?;
    if let Some(available) = request.available {
        phone.set_available(available).await?;
    }
    if let Some(watch) = request.watch {
        phone.watch(&watch).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChatState {
    chat: String,
    state: SignKind,
}

async fn chat_state(
    State(api): State<Api>,
    Path(number): Path<String>,
    Body(request): Body<ChatState>,
) -> Result<StatusCode, ApiError> {
    find(&api, &number)?.set_chat_state(&request.chat, request.state).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct About {
    text: String,
}

async fn about(
    State(api): State<Api>,
    Path(number): Path<String>,
    Body(request): Body<About>,
) -> Result<StatusCode, ApiError> {
    find(&api, &number)?.set_about(&request.text).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Privacy {
    category: String,
    value: String,
}

async fn privacy(
    State(api): State<Api>,
    Path(number): Path<String>,
    Body(request): Body<Privacy>,
) -> Result<StatusCode, ApiError> {
    find(&api, &number)?.set_privacy(&request.category, &request.value).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DefaultTimer {
    seconds: u32,
}

async fn default_timer(
    State(api): State<Api>,
    Path(number): Path<String>,
    Body(request): Body<DefaultTimer>,
) -> Result<StatusCode, ApiError> {
    find(&api, &number)?.set_default_timer(request.seconds).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Block {
    person: String,
    blocked: bool,
}

async fn block(
    State(api): State<Api>,
    Path(number): Path<String>,
    Body(request): Body<Block>,
) -> Result<StatusCode, ApiError> {
    find(&api, &number)?.set_blocked(&request.person, request.blocked).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MessageLink {
    text: String,
}

async fn message_link(
    State(api): State<Api>,
    Path(number): Path<String>,
    Body(request): Body<MessageLink>,
) -> Result<Json<serde_json::Value>, ApiError> {
    find(&api, &number)?;
    let code = api.sandbox.make_message_link(&number, &request.text);
    Ok(Json(serde_json::json!({ "code": code })))
}

async fn signs(
    State(api): State<Api>,
    Path(number): Path<String>,
    Query(waiting): Query<Waiting>,
) -> Result<Json<JsonList<Numbered<Sign>>>, ApiError> {
    let phone = find(&api, &number)?;
    Ok(Json(numbered(phone.signs_after(waiting.after, waiting.wait()?).await)))
}

//! Routes about groups.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Json, Router, routing};
use serde::{Deserialize, Serialize};
use whimbrel_wire::Jid;

use super::error::ApiError;
use super::extract::Body;
use super::{Api, JsonList};
use crate::options::Addressing;
use crate::{Group, GroupState, NewGroup};

pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/crowd", routing::post(crowd))
        .route("/groups", routing::post(create).get(list))
        .route("/groups/{jid}", routing::get(show).patch(change))
        .route("/groups/{jid}/suggestions", routing::post(suggest))
        .route("/groups/{jid}/{action}", routing::post(members))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Crowd {
    count: usize,
}

/// Most people made by one request.
const CROWD_LIMIT: usize = 10_000;

async fn crowd(
    State(api): State<Api>,
    Body(request): Body<Crowd>,
) -> Result<(StatusCode, Json<JsonList<String>>), ApiError> {
    if request.count > CROWD_LIMIT {
        return Err(ApiError::bad_request(format!("count is at most {CROWD_LIMIT}")));
    }
    Ok((StatusCode::CREATED, Json(JsonList { items: api.sandbox.create_crowd(request.count) })))
}

fn find(api: &Api, jid: &str) -> Result<Group, ApiError> {
    let known = Jid::parse(jid).ok().and_then(|jid| api.sandbox.find_group(&jid));
    known.ok_or_else(|| ApiError::not_found(format!("there is no group {jid}")))
}

fn view(group: &Group) -> Result<Json<GroupState>, ApiError> {
    group.state().map(Json).ok_or_else(|| ApiError::not_found("the group is gone"))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Create {
    creator: String,
    #[serde(default)]
    subject: String,
    #[serde(default)]
    members: Vec<String>,
    addressing: Option<Addressing>,
    /// It is the announcement group of a community.
    #[serde(default)]
    announcements: bool,
}

async fn create(
    State(api): State<Api>,
    Body(request): Body<Create>,
) -> Result<(StatusCode, Json<GroupState>), ApiError> {
    let Create { creator, subject, members, addressing, announcements } = request;
    let new = NewGroup { creator, subject, members, addressing };
    let group = match announcements {
        true => api.sandbox.create_announcement_group(&new)?,
        false => api.sandbox.create_group(&new)?,
    };
    Ok((StatusCode::CREATED, view(&group)?))
}

async fn list(State(api): State<Api>) -> Json<JsonList<GroupState>> {
    Json(JsonList { items: api.sandbox.state().groups })
}

async fn show(State(api): State<Api>, Path(jid): Path<String>) -> Result<Json<GroupState>, ApiError> {
    view(&find(&api, &jid)?)
}

/// What shall be changed; what is left out stays.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    by: String,
    subject: Option<String>,
    announce: Option<bool>,
    locked: Option<bool>,
    addressing: Option<Addressing>,
    /// The service suspends it, or lifts that.
    suspended: Option<bool>,
}

async fn change(
    State(api): State<Api>,
    Path(jid): Path<String>,
    Body(request): Body<Change>,
) -> Result<Json<GroupState>, ApiError> {
    let group = find(&api, &jid)?;
    if let Some(subject) = &request.subject {
        group.set_subject(&request.by, subject)?;
    }
    if let Some(on) = request.announce {
        group.set_announce(&request.by, on)?;
    }
    if let Some(on) = request.locked {
        group.set_locked(&request.by, on)?;
    }
    if let Some(addressing) = request.addressing {
        group.set_addressing(addressing);
    }
    if let Some(on) = request.suspended {
        group.set_suspended(on);
    }
    view(&group)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Suggest {
    by: String,
    subject: String,
    #[serde(default)]
    description: String,
}

#[derive(Serialize)]
struct Suggested {
    jid: String,
}

async fn suggest(
    State(api): State<Api>,
    Path(jid): Path<String>,
    Body(request): Body<Suggest>,
) -> Result<(StatusCode, Json<Suggested>), ApiError> {
    let suggested = find(&api, &jid)?.suggest(&request.by, &request.subject, &request.description)?;
    Ok((StatusCode::CREATED, Json(Suggested { jid: suggested.to_string() })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Members {
    by: String,
    #[serde(default)]
    members: Vec<String>,
}

async fn members(
    State(api): State<Api>,
    Path((jid, action)): Path<(String, String)>,
    Body(request): Body<Members>,
) -> Result<Json<GroupState>, ApiError> {
    let group = find(&api, &jid)?;
    let members: Vec<&str> = request.members.iter().map(String::as_str).collect();
    match action.as_str() {
        "add" => group.add(&request.by, &members)?,
        "remove" => group.remove(&request.by, &members)?,
        "promote" => group.promote(&request.by, &members)?,
        "demote" => group.demote(&request.by, &members)?,
        "leave" => group.leave(&request.by)?,
        _ => return Err(ApiError::not_found("there is no such route")),
    }
    view(&group)
}

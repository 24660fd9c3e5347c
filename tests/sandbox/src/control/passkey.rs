//! Routes about linking by passkey: the service demands one, and a phone goes on with it.

use axum::extract::{Path, State};
use axum::{Json, Router, routing};
use serde::{Deserialize, Serialize};

use super::Api;
use super::error::ApiError;
use super::extract::Body;
use super::phones::find;

pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/passkey", routing::post(demand))
        .route("/phones/{number}/passkey", routing::post(go_on))
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct Demand {
    with_options: bool,
}

/// How many companions have to bring a passkey now.
#[derive(Serialize)]
struct Demanded {
    companions: usize,
}

async fn demand(State(api): State<Api>, Body(request): Body<Demand>) -> Json<Demanded> {
    Json(Demanded { companions: api.sandbox.demand_passkey(request.with_options) })
}

/// What the phone's screen shows.
#[derive(Serialize)]
struct Shown {
    code: String,
}

/// Waits for a companion's passkey and shows the code; the phone links the companion as soon as it confirms.
async fn go_on(State(api): State<Api>, Path(number): Path<String>) -> Result<Json<Shown>, ApiError> {
    let link = find(&api, &number)?.continue_passkey(&api.sandbox).await?;
    let code = link.code();
    tokio::spawn(link.finish());
    Ok(Json(Shown { code }))
}

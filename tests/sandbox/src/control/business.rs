//! Routes about businesses and bots.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Json, Router, routing};
use serde::Deserialize;
use serde_json::{Value, json};
use whimbrel_wire::Jid;

use super::Api;
use super::error::ApiError;
use super::extract::Body;

pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/bots", routing::post(offer_bot))
        .route("/phones/{number}/business", routing::post(make))
        .route("/phones/{number}/orders", routing::post(order))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    name: String,
}

async fn make(
    State(api): State<Api>,
    Path(number): Path<String>,
    Body(request): Body<Named>,
) -> Result<StatusCode, ApiError> {
    match api.sandbox.make_business(&number, &request.name) {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(ApiError::not_found("there is no such account")),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ordered {
    order: String,
    product: String,
}

async fn order(
    State(api): State<Api>,
    Path(number): Path<String>,
    Body(request): Body<Ordered>,
) -> Result<Json<Value>, ApiError> {
    let token = api.sandbox.order_product(&number, &request.order, &request.product);
    let token = token.ok_or_else(|| ApiError::not_found("there is no such product"))?;
    Ok(Json(json!({ "token": token })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bot {
    jid: String,
    name: String,
}

async fn offer_bot(State(api): State<Api>, Body(request): Body<Bot>) -> Result<StatusCode, ApiError> {
    let jid = Jid::parse(&request.jid).map_err(|_| ApiError::bad_request("this is no address"))?;
    api.sandbox.offer_bot(&jid, &request.name);
    Ok(StatusCode::NO_CONTENT)
}

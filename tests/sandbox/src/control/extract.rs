//! Extractors whose refusals have the form of all other errors.

use std::time::Duration;

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::error::ApiError;

/// Longest time that one request may wait for something to happen.
const LONGEST_WAIT: Duration = Duration::from_secs(120);

/// A JSON body.
pub(super) struct Body<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let axum::Json(value) = axum::Json::from_request(request, state).await?;
        Ok(Self(value))
    }
}

/// Query parameters.
pub(super) struct Query<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let axum::extract::Query(value) = axum::extract::Query::from_request_parts(parts, state).await?;
        Ok(Self(value))
    }
}

/// Reading of a list from some point on, possibly waiting for the next entry.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Waiting {
    /// Number of the last entry already known.
    #[serde(default)]
    pub(super) after: u64,
    /// How long to wait for a further entry if there is none.
    #[serde(default)]
    wait_ms: u64,
}

impl Waiting {
    /// The time to wait.
    pub(super) fn wait(&self) -> Result<Duration, ApiError> {
        let wait = Duration::from_millis(self.wait_ms);
        if wait > LONGEST_WAIT {
            return Err(ApiError::bad_request(format!("wait_ms is at most {}", LONGEST_WAIT.as_millis())));
        }
        Ok(wait)
    }
}

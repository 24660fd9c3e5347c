//! Errors of the control API: a status and `{"error": {"code", "message"}}`.

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::GroupError;
use crate::attach::AttachError;
use crate::phone::PhoneError;

/// What a request is answered with when it cannot be done.
#[derive(Debug)]
pub(super) struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl ApiError {
    /// The request itself is wrong.
    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: "bad_request", message: message.into() }
    }

    /// The route exists, but not for this method.
    pub(super) fn method_not_allowed() -> Self {
        Self {
            status: StatusCode::METHOD_NOT_ALLOWED,
            code: "method_not_allowed",
            message: "this route does not take that method".to_owned(),
        }
    }

    /// What the request names does not exist.
    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self { status: StatusCode::NOT_FOUND, code: "not_found", message: message.into() }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = json!({ "error": { "code": self.code, "message": self.message } });
        (self.status, Json(body)).into_response()
    }
}

impl From<PhoneError> for ApiError {
    fn from(error: PhoneError) -> Self {
        let status = match &error {
            PhoneError::Qr(_)
            | PhoneError::Code(_)
            | PhoneError::Attach(AttachError::BadNumber)
            | PhoneError::BadAddress => StatusCode::BAD_REQUEST,
            PhoneError::UnknownUser | PhoneError::UnknownMessage => StatusCode::NOT_FOUND,
            PhoneError::Timeout | PhoneError::NoRequest => StatusCode::GATEWAY_TIMEOUT,
            _ => StatusCode::CONFLICT,
        };
        Self { status, code: error.code(), message: error.to_string() }
    }
}

impl From<GroupError> for ApiError {
    fn from(error: GroupError) -> Self {
        let status = match error.code {
            403 => StatusCode::FORBIDDEN,
            404 => StatusCode::NOT_FOUND,
            409 => StatusCode::CONFLICT,
            _ => StatusCode::BAD_REQUEST,
        };
        Self { status, code: "refused", message: error.to_string() }
    }
}

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        Self { status: rejection.status(), code: "bad_request", message: rejection.body_text() }
    }
}

impl From<QueryRejection> for ApiError {
    fn from(rejection: QueryRejection) -> Self {
        Self { status: rejection.status(), code: "bad_request", message: rejection.body_text() }
    }
}

impl From<PathRejection> for ApiError {
    fn from(rejection: PathRejection) -> Self {
        Self { status: rejection.status(), code: "bad_request", message: rejection.body_text() }
    }
}

//! A request as handlers see it, and what they answer with.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::route::Route;
use crate::access::{Principal, Scope};
use crate::failure::{Failure, Problem};
use crate::hosting::Account;
use crate::server::Server;

/// A file that came with a request.
#[derive(Clone, Debug)]
pub(crate) struct Upload {
    pub(crate) content: Bytes,
    pub(crate) file_name: Option<String>,
    pub(crate) mimetype: Option<String>,
}

/// The body of a request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Input {
    /// The JSON, or the fields of a form; `Null` if there was none.
    pub(crate) json: Value,
    /// The file of a form, by the name of its part.
    pub(crate) files: BTreeMap<String, Upload>,
    /// The octets as they came.
    pub(crate) raw: Bytes,
    /// What the request says they are.
    pub(crate) content_type: Option<String>,
}

/// A request whose key was looked at.
pub(crate) struct Call {
    pub(crate) server: Arc<Server>,
    pub(crate) route: Arc<Route>,
    /// Parameters of the path, percent-decoded.
    pub(crate) path: BTreeMap<String, String>,
    /// Parameters of the query; the last of several counts.
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) headers: HeaderMap,
    pub(crate) input: Input,
    /// Absent on open routes.
    pub(crate) principal: Option<Principal>,
    /// The account that the request names, if the route is about one.
    pub(crate) account: Option<Arc<Account>>,
    /// Where the request comes from.
    pub(crate) peer: IpAddr,
    pub(crate) request_id: String,
    /// From this the ids of messages are made when the request may be repeated.
    pub(crate) seed: Option<[u8; 16]>,
    /// A protocol upgrade that the client asks for.
    pub(crate) upgrade: Option<axum::extract::ws::WebSocketUpgrade>,
}

/// What a handler answers with.
pub(crate) type Answer = Result<Reply, Failure>;

/// A successful answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
}

impl Reply {
    /// JSON.
    pub(crate) fn json(status: u16, value: &impl Serialize) -> Answer {
        let text = serde_json::to_vec(value).map_err(|error| Failure::internal(&error))?;
        Ok(Self::octets(status, "application/json; charset=utf-8", text))
    }

    /// Octets of a type.
    pub(crate) fn octets(status: u16, content_type: &'static str, octets: impl Into<Bytes>) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
        Self { status, headers, body: Body::from(octets.into()) }
    }

    /// Nothing.
    pub(crate) fn empty(status: u16) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::NO_CONTENT);
        Self { status, headers: HeaderMap::new(), body: Body::empty() }
    }

    /// With a header more; one that cannot be written is left out.
    pub(crate) fn header(mut self, name: header::HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }
}

impl Call {
    /// A parameter of the path.
    pub(crate) fn path(&self, name: &str) -> Result<&str, Failure> {
        let found = self.path.get(name).map(String::as_str);
        found.ok_or_else(|| Failure::new(Problem::NoRoute, "the path has no such part"))
    }

    /// A parameter of the query; an empty one counts as absent.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A number in the query.
    pub(crate) fn query_number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, Failure> {
        let parsed =
            self.query(name).map(|value| value.parse().map_err(|_| Failure::field(name, "is not a number")));
        parsed.transpose()
    }

    /// A header; an empty one counts as absent.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::trim)
            .filter(|value| !value.is_empty())
    }

    /// Who asks.
    pub(crate) fn principal(&self) -> Result<&Principal, Failure> {
        self.principal.as_ref().ok_or_else(|| Failure::new(Problem::Unauthorized, "a key is needed"))
    }

    /// Refuses who may not do this.
    pub(crate) fn demand(&self, scope: Scope) -> Result<&Principal, Failure> {
        let principal = self.principal()?;
        if principal.may(scope) {
            return Ok(principal);
        }
        Err(Failure::new(Problem::Forbidden, format!("the key lacks the scope {}", scope.name())))
    }

    /// The account that the request is about.
    pub(crate) fn account(&self) -> Result<Arc<Account>, Failure> {
        let account = self.account.clone();
        account.ok_or_else(|| Failure::new(Problem::AccountNotFound, "the request names no account"))
    }

    /// The body as a typed value, after it was checked against the route's schema.
    pub(crate) fn body<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        let value = match &self.input.json {
            Value::Null => Value::Object(Map::new()),
            value => value.clone(),
        };
        serde_json::from_value(value).map_err(|error| Failure::field("", error.to_string()))
    }

    /// The id of a message that this request makes: the same if the request is a repetition.
    pub(crate) fn message_id(&self, number: u32) -> Result<String, Failure> {
        crate::commands::sending::message_id(self.seed, number)
    }
}

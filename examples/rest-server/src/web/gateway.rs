//! What happens to every request: found, read, recognised, limited, checked, done, answered.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{FromRequestParts as _, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use http_body_util::BodyExt as _;
use sha2::{Digest as _, Sha256};

use super::call::{Call, Input, Reply};
use super::route::Gate;
use super::table::{Bound, Found};
use crate::access::limits::{Rate, Standing};
use crate::access::{KeyKind, secret};
use crate::dialects::{Dialect, Manner};
use crate::failure::{Failure, Problem};
use crate::server::Server;
use crate::store::idempotency::{self, Known};

/// How long a handler may take; what it began goes on.
const PATIENCE: Duration = Duration::from_secs(60);

/// The largest answer that is remembered for a repetition.
const REMEMBERED: usize = 1 << 20;

/// Answers a request.
pub(crate) async fn handle(server: Arc<Server>, peer: SocketAddr, request: Request) -> Response {
    let started = Instant::now();
    let (parts, body) = request.into_parts();
    let request_id = request_id(&parts.headers);
    let peer = server.client_address(peer.ip(), &parts.headers);
    let found = server.table.find(&parts.method, parts.uri.path());
    let (dialect, name, mut response) = match found {
        Found::Route(bound, path) => {
            let dialect = Arc::clone(&bound.dialect);
            let name = bound.route.id;
            let mut request = Request::from_parts(parts, body);
            let upgrade = upgrade(&mut request).await;
            let response = serve(&server, bound, path, peer, &request_id, request, upgrade).await;
            (dialect.name(), name, response)
        }
        Found::WrongMethod(dialect, allowed) => {
            let mut response = unrouted(dialect.as_ref(), &parts.method, parts.uri.path());
            let names: Vec<_> = allowed.iter().map(Method::as_str).collect();
            if let Ok(value) = HeaderValue::from_str(&names.join(", ")) {
                response.headers_mut().insert(header::ALLOW, value);
            }
            (dialect.name(), "", response)
        }
        Found::Nothing => {
            let dialect = server.owner_of(parts.uri.path());
            (dialect.name(), "", unrouted(dialect.as_ref(), &parts.method, parts.uri.path()))
        }
    };
    server.metrics.request(dialect, name, response.status().as_u16(), started.elapsed());
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert(HeaderName::from_static("x-request-id"), value);
    }
    response
}

/// The id of the request that the client gave, if it is one, or a new one.
fn request_id(headers: &HeaderMap) -> String {
    let given = headers.get("x-request-id").and_then(|value| value.to_str().ok());
    let given = given.filter(|text| text.len() <= 64 && text.bytes().all(|octet| octet.is_ascii_graphic()));
    given.map_or_else(|| uuid::Uuid::new_v4().to_string(), str::to_owned)
}

async fn upgrade(request: &mut Request) -> Option<WebSocketUpgrade> {
    if !request.headers().contains_key(header::UPGRADE) {
        return None;
    }
    let (mut parts, body) = std::mem::take(request).into_parts();
    let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &()).await.ok();
    *request = Request::from_parts(parts, body);
    upgrade
}

fn unrouted(dialect: &dyn Dialect, method: &Method, path: &str) -> Response {
    let failure = Failure::new(Problem::NoRoute, format!("Cannot {method} {path}"));
    into_response(dialect.failure(&failure, &Manner::default()), &failure)
}

fn into_response(reply: Reply, failure: &Failure) -> Response {
    let mut response = plain(reply);
    if let Some(seconds) = failure.retry_after_seconds() {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn plain(reply: Reply) -> Response {
    let mut response = Response::new(reply.body);
    *response.status_mut() = reply.status;
    *response.headers_mut() = reply.headers;
    response
}

async fn serve(
    server: &Arc<Server>,
    bound: Bound,
    path: BTreeMap<String, String>,
    peer: IpAddr,
    request_id: &str,
    request: Request,
    upgrade: Option<WebSocketUpgrade>,
) -> Response {
    let (parts, body) = request.into_parts();
    let query = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
    let mut call = Call {
        server: Arc::clone(server),
        route: Arc::clone(&bound.route),
        path,
        query: query.map(|(name, value)| (name.into_owned(), value.into_owned())).collect(),
        headers: parts.headers,
        input: Input::default(),
        principal: None,
        account: None,
        peer,
        request_id: request_id.to_owned(),
        seed: None,
        upgrade,
    };
    let dialect = Arc::clone(&bound.dialect);
    let mut standing = None;
    match admit(&mut call, &bound, body, &mut standing).await {
        Err(failure) => {
            let reply = dialect.failure(&failure, &dialect.manner(&call));
            with_standing(into_response(reply, &failure), standing)
        }
        Ok(()) => with_standing(perform(server, bound, call).await, standing),
    }
}

/// Reads the request, finds out who asks, and whether that may be.
async fn admit(
    call: &mut Call,
    bound: &Bound,
    body: Body,
    standing: &mut Option<Standing>,
) -> Result<(), Failure> {
    let (server, route) = (Arc::clone(&call.server), Arc::clone(&call.route));
    let media = usize::try_from(server.settings.max_media).unwrap_or(usize::MAX);
    // A file in base64 is a third larger than the file.
    let limit = if route.large { media.saturating_add(media / 2) } else { server.settings.max_body };
    let form = route.body.as_ref().map(|(form, _)| *form);
    let lenient = bound.dialect.is_lenient();
    let read = super::body::read(&call.headers, body, form, lenient, limit).await;
    // A body that cannot be read is told to those only who may ask: the key comes first.
    let unreadable = match read {
        Ok(input) => {
            call.input = input;
            None
        }
        Err(failure) => Some(failure),
    };
    bound.dialect.prepare(call);
    let identified = bound.dialect.identify(call).await?;
    call.principal = identified.principal;
    call.account = identified.account;
    enter(call, route.gate)?;
    for (bucket, rate) in bound.dialect.rates(call) {
        take(call, standing, &bucket, rate)?;
    }
    if let Some(failure) = unreadable {
        return Err(failure);
    }
    if let Some(schema) = &bound.schema {
        if lenient {
            schema.bend(&mut call.input.json);
        }
        let absent = call.input.json.is_null();
        if absent && (route.body_required || !call.input.files.is_empty()) {
            call.input.json = serde_json::json!({});
        }
        if !call.input.json.is_null() {
            schema.check(&call.input.json)?;
        }
    }
    Ok(())
}

fn enter(call: &Call, gate: Gate) -> Result<(), Failure> {
    match gate {
        Gate::Open => Ok(()),
        Gate::Root => match call.principal()?.kind {
            KeyKind::Root => Ok(()),
            _ => Err(Failure::new(Problem::Forbidden, "the root key is needed")),
        },
        Gate::Key(scope) => call.demand(scope).map(|_| ()),
        Gate::Account(scope) => {
            let principal = call.demand(scope)?;
            let account = call.account()?;
            if principal.sees(&account.tenant, &account.id) {
                Ok(())
            } else {
                Err(Failure::new(Problem::AccountNotFound, "there is no such account"))
            }
        }
    }
}

fn take(call: &Call, standing: &mut Option<Standing>, bucket: &str, rate: Rate) -> Result<(), Failure> {
    let now = call.server.limits.take(bucket, rate, Instant::now());
    if standing.is_none_or(|before| now.remaining < before.remaining || now.refused.is_some()) {
        *standing = Some(now);
    }
    match now.refused {
        None => Ok(()),
        Some(after) => Err(Failure::new(Problem::RateLimited, "too many requests").after(after)),
    }
}

fn with_standing(mut response: Response, standing: Option<Standing>) -> Response {
    let Some(standing) = standing else { return response };
    let reset = crate::store::now_ms() / 1000 + i64::try_from(standing.full_in.as_secs()).unwrap_or(0) + 1;
    let headers = response.headers_mut();
    headers.insert("x-ratelimit-limit", HeaderValue::from(standing.limit));
    headers.insert("x-ratelimit-remaining", HeaderValue::from(standing.remaining));
    headers.insert("x-ratelimit-reset", HeaderValue::from(reset));
    response
}

/// Does what is asked, once however often it is asked under one idempotency key.
async fn perform(server: &Arc<Server>, bound: Bound, mut call: Call) -> Response {
    let dialect = Arc::clone(&bound.dialect);
    let key = call.header("idempotency-key").map(str::to_owned);
    let asker = call.principal.as_ref().map(|principal| principal.key.clone());
    let (Some(key), Some(asker), true) = (key, asker, bound.route.method == Method::POST) else {
        return run(&bound, call).await;
    };
    let place = (asker, key);
    if place.1.len() > 128 {
        return refuse(&dialect, &call, &Failure::field("Idempotency-Key", "is longer than 128 characters"));
    }
    let Some(_only) = server.running.enter(&place) else {
        let failure =
            Failure::new(Problem::IdempotencyConflict, "the first request with this key is under way");
        return refuse(&dialect, &call, &failure.after(Duration::from_secs(1)));
    };
    let hash = request_hash(&call);
    let claimed = match secret::random::<16>() {
        Ok(seed) => {
            let (asker, key) = place.clone();
            server.store.unit(move |unit| idempotency::claim(unit, &asker, &key, hash, seed)).await
        }
        Err(error) => Err(Failure::internal(&error)),
    };
    match claimed {
        Err(failure) => refuse(&dialect, &call, &failure),
        Ok(Known::OtherBody) => {
            let failure = Failure::new(Problem::IdempotencyConflict, "the key was used for another request");
            refuse(&dialect, &call, &failure)
        }
        Ok(Known::Answered { status, content_type, body }) => {
            let mut response = Response::new(Body::from(body));
            *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
            if let Ok(value) = HeaderValue::from_str(&content_type) {
                response.headers_mut().insert(header::CONTENT_TYPE, value);
            }
            response.headers_mut().insert("idempotency-replayed", HeaderValue::from_static("true"));
            response
        }
        Ok(Known::New(seed) | Known::Begun(seed)) => {
            call.seed = Some(seed);
            let response = run(&bound, call).await;
            remember(server, place, response).await
        }
    }
}

fn request_hash(call: &Call) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in [call.route.id.as_bytes(), call.input.raw.as_ref(), call.input.json.to_string().as_bytes()] {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    for (name, value) in call.path.iter().chain(&call.query) {
        hash.update(format!("{name}={value};"));
    }
    for (name, upload) in &call.input.files {
        hash.update(name.as_bytes());
        hash.update(&upload.content);
    }
    hash.finalize().into()
}

async fn remember(server: &Arc<Server>, (asker, key): (String, String), response: Response) -> Response {
    let (parts, body) = response.into_parts();
    let body = match body.collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(_) => bytes::Bytes::new(),
    };
    let status = parts.status.as_u16();
    let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let content_type = content_type.unwrap_or_default().to_owned();
    let kept = body.clone();
    let done = server.store.unit(move |unit| {
        // What failed for want of a connection, of time or of room did nothing and may be tried again.
        if status >= 500 || status == 429 || status == 409 || kept.len() > REMEMBERED {
            idempotency::release(unit, &asker, &key)
        } else {
            idempotency::answer(unit, &asker, &key, status, &content_type, &kept)
        }
    });
    if let Err(failure) = done.await {
        tracing::warn!(%failure, "An answer could not be kept for repetitions.");
    }
    Response::from_parts(parts, Body::from(body))
}

async fn run(bound: &Bound, call: Call) -> Response {
    let manner = bound.dialect.manner(&call);
    let answer = match tokio::time::timeout(PATIENCE, (bound.route.handler)(call)).await {
        Ok(answer) => answer,
        Err(_) => Err(Failure::new(Problem::Timeout, "no answer in time; what was begun goes on")),
    };
    match answer {
        Ok(reply) => plain(reply),
        Err(failure) => into_response(bound.dialect.failure(&failure, &manner), &failure),
    }
}

fn refuse(dialect: &Arc<dyn Dialect>, call: &Call, failure: &Failure) -> Response {
    into_response(dialect.failure(failure, &dialect.manner(call)), failure)
}

//! The native dialect, under `/v1`: strict, typed, with problem+json errors.

mod accounts;
mod events;
mod forms;
mod keys;
mod media;
mod messages;
mod operations;
mod pages;
mod paths;
mod webhooks;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::http::header;
use serde_json::{Value, json};

use super::{Dialect, Identified, Identifying, Manner, Packing, Parcel};
use crate::access::KeyKind;
use crate::events::native::{TYPES, render};
use crate::failure::{Failure, Problem};
use crate::hosting::Account;
use crate::store::events::EventRow;
use crate::store::webhooks::WebhookRow;
use crate::web::call::{Call, Reply};
use crate::web::openapi::Description;
use crate::web::route::Route;

/// The native dialect.
pub(crate) struct Native;

/// How long a receiver of a webhook may take.
const TIMEOUT: Duration = Duration::from_secs(30);

impl Dialect for Native {
    fn name(&self) -> &'static str {
        "native"
    }

    fn owns(&self, path: &str) -> bool {
        matches!(path.split('/').nth(1).unwrap_or_default(), "v1" | "docs" | "openapi" | "healthz" | "readyz")
    }

    fn routes(&self) -> Vec<Route> {
        let mut routes = Vec::new();
        routes.extend(pages::routes());
        routes.extend(accounts::routes());
        routes.extend(messages::routes());
        routes.extend(media::routes());
        routes.extend(events::routes());
        routes.extend(webhooks::routes());
        routes.extend(keys::routes());
        routes.extend(paths::routes());
        routes.extend(operations::routes());
        routes
    }

    fn is_lenient(&self) -> bool {
        false
    }

    fn identify<'a>(&'a self, call: &'a Call) -> Identifying<'a> {
        Box::pin(async move {
            let Some(key) = bearer(call) else { return Ok(Identified::default()) };
            let principal = call.server.principal(key, call.peer).await?;
            let Some(principal) = principal else {
                return Err(Failure::new(Problem::Unauthorized, "the key is not valid"));
            };
            let account = match call.path.get("account") {
                None => None,
                Some(id) => {
                    let account = call.server.hosting.get(id);
                    let seen = account.filter(|account| principal.sees(&account.tenant, &account.id));
                    let missing = || Failure::new(Problem::AccountNotFound, "there is no such account");
                    Some(seen.ok_or_else(missing)?)
                }
            };
            Ok(Identified { principal: Some(principal), account })
        })
    }

    fn failure(&self, failure: &Failure, manner: &Manner) -> Reply {
        let errors: Vec<_> = failure
            .violations
            .iter()
            .map(|violation| json!({"field": violation.field, "rule": violation.rule}))
            .collect();
        let problem = failure.problem;
        let mut body = json!({
            "type": format!("https://whimbrel.dev/problems/{}", problem.code()),
            "title": problem.title(),
            "status": problem.status(),
            "detail": failure.detail,
            "code": problem.code(),
            "instance": manner.request_id,
            "retryable": problem.is_retryable(),
        });
        if let Some(members) = body.as_object_mut() {
            if let Some(seconds) = failure.retry_after_seconds() {
                members.insert("retryAfter".to_owned(), Value::from(seconds));
            }
            if !errors.is_empty() {
                members.insert("errors".to_owned(), Value::Array(errors));
            }
        }
        let mut reply = Reply::octets(problem.status(), "application/problem+json", body.to_string());
        if problem == Problem::Unauthorized {
            reply = reply.header(header::WWW_AUTHENTICATE, "Bearer");
        }
        reply
    }

    fn names(&self, event: &EventRow, _: &Account, webhook: &WebhookRow) -> Vec<String> {
        let wanted =
            webhook.events.is_empty() || webhook.events.iter().any(|name| matches_type(name, &event.kind));
        if wanted { vec![event.kind.clone()] } else { Vec::new() }
    }

    fn parcel<'a>(
        &'a self,
        _: &'a str,
        _: u32,
        event: &'a EventRow,
        _: &'a Arc<Account>,
        _: &'a WebhookRow,
    ) -> Packing<'a> {
        let body = render(event);
        let parcel = Parcel { suffix: String::new(), headers: BTreeMap::new(), body, timeout: TIMEOUT };
        Box::pin(std::future::ready(parcel))
    }
}

/// Whether a name in a subscription means a type: itself, or all under a word, as `message.*`.
pub(crate) fn matches_type(name: &str, kind: &str) -> bool {
    name == "*"
        || name == kind
        || name.strip_suffix(".*").is_some_and(|head| kind.split('.').next() == Some(head))
}

/// Whether a name in a subscription can match anything.
pub(crate) fn is_type(name: &str) -> bool {
    TYPES.iter().any(|(kind, _)| matches_type(name, kind))
}

/// The key: in the header, or in the query for what cannot set headers, such as the event source of a page.
fn bearer(call: &Call) -> Option<&str> {
    let header = call.header("authorization").and_then(|value| value.split_once(' '));
    let header =
        header.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, key)| key.trim());
    let streams = matches!(call.route.id, "stream_account_events" | "stream_events" | "websocket");
    header.or_else(|| call.query("key").filter(|_| streams))
}

/// What the OpenAPI file says about the dialect.
pub(crate) fn description(server: &str) -> Description {
    let error = json!({
        "type": "object",
        "description": "A problem, as RFC 9457 has it.",
        "required": ["type", "title", "status", "detail", "code", "retryable"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "code": {"type": "string", "enum": Problem::ALL.map(Problem::code)},
            "instance": {"type": "string", "description": "The id of the request, as in X-Request-Id."},
            "retryable": {"type": "boolean"},
            "retryAfter": {"type": "integer", "description": "Seconds."},
            "errors": {"type": "array", "items": {
                "type": "object",
                "properties": {"field": {"type": "string"}, "rule": {"type": "string"}},
            }},
        },
    });
    let event = json!({
        "type": "object",
        "required": ["id", "type", "account", "time", "data"],
        "properties": {
            "id": {"type": "string", "description": "Grows within an account."},
            "type": {"type": "string"},
            "account": {"type": "string"},
            "time": {"type": "string", "format": "date-time"},
            "data": {"type": "object"},
        },
    });
    let webhooks = TYPES.iter().map(|(kind, about)| ((*kind).to_owned(), (*about).to_owned(), event.clone()));
    Description {
        title: "whimbrel: native API",
        about: "Accounts, messages, media, groups, channels and everything else the engine can do.",
        security: vec![("key", json!({"type": "http", "scheme": "bearer"}))],
        server: server.to_owned(),
        error,
        webhooks: webhooks.collect(),
    }
}

/// Whether a principal may make things for a whole tenant.
fn is_of_tenant(kind: KeyKind) -> bool {
    matches!(kind, KeyKind::Root | KeyKind::Tenant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subscriptions_name_types_or_all_under_a_word() {
        assert!(matches_type("message.*", "message.received") && matches_type("call", "call"));
        assert!(!matches_type("message.*", "call") && !matches_type("mess.*", "message.received"));
        assert!(is_type("group.*") && !is_type("groups.*"));
    }
}

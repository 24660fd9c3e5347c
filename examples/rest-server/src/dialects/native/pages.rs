//! Probes, counts and descriptions.

use std::collections::BTreeMap;

use axum::http::Method;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::store::outbox;
use crate::web::call::{Answer, Call, Reply};
use crate::web::openapi;
use crate::web::route::{Gate, Route, route};

pub(super) fn routes() -> Vec<Route> {
    let rows = vec![
        route(Method::GET, "/healthz", "healthz", Gate::Open, healthz)
            .about("Whether the process lives.")
            .answers::<Value>(200, "It does."),
        route(Method::GET, "/readyz", "readyz", Gate::Open, readyz)
            .about("Whether the stores can be used. It says nothing of the service: accounts have states.")
            .answers::<Value>(200, "They can."),
        route(Method::GET, "/v1/metrics", "get_metrics", Gate::Root, metrics)
            .about("Counts for Prometheus.")
            .answers_with(200, "text/plain; version=0.0.4", "The counts."),
        route(Method::GET, "/v1/dialects", "list_dialects", Gate::Open, dialects)
            .about("Names the dialects that this server speaks.")
            .answers::<Value>(200, "Their names."),
        route(Method::GET, "/openapi/{file}", "get_openapi", Gate::Open, file)
            .about("The OpenAPI file of a dialect, such as `native.json`.")
            .answers::<Value>(200, "The file."),
    ];
    rows.into_iter().map(|route| route.tag("Server")).collect()
}

async fn healthz(_: Call) -> Answer {
    Reply::json(200, &json!({"status": "ok"}))
}

async fn readyz(call: Call) -> Answer {
    call.server.store.unit(outbox::depth).await?;
    Reply::json(200, &json!({"status": "ok"}))
}

async fn metrics(call: Call) -> Answer {
    let depth = call.server.store.unit(outbox::depth).await?;
    let mut states: BTreeMap<&'static str, u64> = BTreeMap::new();
    for account in call.server.hosting.all() {
        *states.entry(account.state().link.name()).or_default() += 1;
    }
    let text = call.server.metrics.render(&states, depth);
    Ok(Reply::octets(200, "text/plain; version=0.0.4; charset=utf-8", text))
}

async fn dialects(call: Call) -> Answer {
    Reply::json(200, &json!({"dialects": call.server.dialects.keys().collect::<Vec<_>>()}))
}

async fn file(call: Call) -> Answer {
    let name = call.path("file")?;
    let (name, _) =
        name.rsplit_once('.').filter(|(_, end)| *end == "json").ok_or_else(|| Failure::missing("file"))?;
    let description = match name {
        "native" => super::description(&call.server.url),
        "evolution" => crate::dialects::evolution::description(&call.server.url),
        _ => return Err(Failure::missing("file")),
    };
    let routes = call.server.routes().filter(|(dialect, _)| *dialect == name).map(|(_, route)| route);
    Reply::json(200, &openapi::render(&description, routes))
}

//! Sending: everything under `/message`.

mod files;
mod kinds;
mod menus;
mod status;

use axum::http::Method;
use serde_json::Value;

use crate::access::Scope;
use crate::web::call::{Answer, Call};
use crate::web::route::{Gate, Origin, Route, route};

pub(super) fn routes() -> Vec<Route> {
    let rows = [kinds::routes(), files::routes(), menus::routes(), status::routes()];
    rows.into_iter().flatten().collect()
}

/// A row that sends something.
fn sends<F, R>(name: &'static str, origin: Origin, about: &'static str, handler: F) -> Route
where
    F: Fn(Call) -> R + Send + Sync + 'static,
    R: Future<Output = Answer> + Send + 'static,
{
    let path = format!("/message/{name}/{{instanceName}}");
    route(Method::POST, path, name, Gate::Account(Scope::Send), handler)
        .tag("Messages")
        .about(about)
        .origin(origin)
        .native("send_message")
        .answers::<Value>(201, "The record of the message.")
}

//! One route for every operation of the engine.

use std::sync::Arc;

use axum::http::Method;
use serde_json::Value;
use whimbrel_api::operations::{Entry, OPERATIONS};

use crate::access::Scope;
use crate::failure::Failure;
use crate::web::call::{Answer, Call, Reply};
use crate::web::route::{Gate, Route, route};

/// Operations that are no business of clients of the server, and why.
pub(super) const LEFT_OUT: &[(&str, &str)] = &[
    ("acknowledge", "events are acknowledged to the engine when they are in the server's log"),
    ("backup", "writes a file on the server's machine"),
    ("connect", "has a route of its own"),
    ("debug_echo", "is for tests of bindings"),
    ("debug_fail", "is for tests of bindings"),
    ("describe_media", "reads a file on the server's machine"),
    ("disconnect", "has a route of its own"),
    ("download_media", "has a route of its own"),
    ("download_picture", "writes a file on the server's machine"),
    ("export", "writes a file on the server's machine"),
    ("link_with_code", "has a route of its own"),
    ("link_with_qr", "has a route of its own"),
    ("logout", "has a route of its own"),
    ("set_client_version", "acts on all accounts of the server"),
    ("set_cover_photo", "reads a file on the server's machine"),
    ("set_picture", "reads a file on the server's machine"),
    ("unpack_sticker_pack", "writes files on the server's machine"),
    ("upload_media", "has a route of its own"),
];

/// Members of requests that name files of the server's machine without saying so by their names.
const FILES: &[(&str, &str)] = &[("create_channel", "picture"), ("update_channel", "picture")];

/// What an operation's key has to allow.
pub(super) fn scope(name: &str) -> Scope {
    let reads = ["get_", "find_", "list_", "check_", "preview_", "resolve_", "count_", "browse_", "search_"];
    let manages =
        ["set_", "edit_", "update_", "change_", "create_", "delete_", "order_", "label_", "confirm_"];
    let links = ["answer_passkey", "confirm_passkey"];
    if links.contains(&name) {
        Scope::Link
    } else if reads.iter().any(|head| name.starts_with(head)) {
        Scope::Read
    } else if manages.iter().any(|head| name.starts_with(head)) {
        Scope::Manage
    } else {
        Scope::Send
    }
}

pub(super) fn routes() -> Vec<Route> {
    let offered = |entry: &&'static Entry| !LEFT_OUT.iter().any(|(name, _)| *name == entry.name);
    OPERATIONS.iter().filter(offered).map(operation).collect()
}

fn operation(entry: &'static Entry) -> Route {
    let path = format!("/v1/accounts/{{account}}/operations/{}", entry.name);
    let handler = move |call: Call| async move { run(entry, call).await };
    route(Method::POST, path, entry.name, Gate::Account(scope(entry.name)), handler)
        .tag("Operations")
        .about("Runs the engine's operation of this name; its reference describes it.")
        .native(entry.name)
        .takes_schema(Arc::new(move |generator| entry.request_schema(generator)))
        .body_optional()
        .answers_schema(
            200,
            "The operation's answer.",
            Arc::new(move |generator| entry.response_schema(generator)),
        )
}

async fn run(entry: &'static Entry, call: Call) -> Answer {
    let request = match &call.input.json {
        Value::Null => Value::Object(serde_json::Map::new()),
        value => value.clone(),
    };
    without_local_files(entry.name, &request)?;
    Reply::json(200, &call.account()?.operation(entry.name, request).await?)
}

/// Refuses requests that name files of the server's machine.
pub(super) fn without_local_files(operation: &str, value: &Value) -> Result<(), Failure> {
    match value {
        Value::Object(members) => members.iter().try_for_each(|(name, value)| {
            let lower = name.to_ascii_lowercase();
            let is_path = lower.ends_with("path") && lower != "directpath";
            let is_file = FILES.contains(&(operation, name.as_str()));
            if (is_path || is_file) && !value.is_null() {
                return Err(Failure::field(
                    name.as_str(),
                    "names a file of the server, which is not allowed",
                ));
            }
            without_local_files(operation, value)
        }),
        Value::Array(items) => items.iter().try_for_each(|item| without_local_files(operation, item)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_operation_is_offered_or_left_out_for_a_reason() {
        for (name, reason) in LEFT_OUT {
            assert!(OPERATIONS.iter().any(|entry| entry.name == *name), "{name}");
            assert!(!reason.is_empty());
        }
        assert_eq!(routes().len() + LEFT_OUT.len(), OPERATIONS.len());
    }

    #[test]
    fn files_of_the_machine_cannot_be_named_anywhere() {
        for request in [json!({"path": "/x"}), json!({"a": [{"thumbnailPath": "/x"}]})] {
            assert!(without_local_files("send_message", &request).is_err(), "{request}");
        }
        assert!(without_local_files("send_message", &json!({"directPath": "/v/t62", "path": null})).is_ok());
        assert!(without_local_files("create_channel", &json!({"name": "x", "picture": "/x"})).is_err());
    }
}

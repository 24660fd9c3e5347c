//! Friendlier paths for operations that are used often: members of the request are in the path, the others in
//! the body or, of what only looks, in the query. The rows are data; what they mean is the engine's.

use std::sync::Arc;

use axum::http::Method;
use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};
use whimbrel_api::operations::{Entry, find};

use super::operations::{scope, without_local_files};
use crate::failure::Failure;
use crate::web::call::{Answer, Call, Reply};
use crate::web::route::{Gate, MakeSchema, Route, route};
use crate::web::schema::bend;

/// A row: the method, the path behind the account's, its group, the operation, and what it does. A parameter of
/// the path is the member of the request that has its name.
type Row = (&'static str, &'static str, &'static str, &'static str, &'static str);

const ROWS: &[Row] = &[
    (
        "PATCH",
        "/messages/{targetId}",
        "Messages",
        "edit_message",
        "Gives a text that this account sent other words.",
    ),
    (
        "POST",
        "/messages/{targetId}/revoke",
        "Messages",
        "revoke_message",
        "Takes a message back, for everyone.",
    ),
    (
        "POST",
        "/messages/{targetId}/reactions",
        "Messages",
        "react",
        "Reacts to a message, or takes that back.",
    ),
    ("POST", "/messages/{targetId}/pin", "Messages", "pin_message", "Pins a message, or takes that back."),
    ("POST", "/messages/{targetId}/forward", "Messages", "forward_message", "Forwards a message."),
    ("GET", "/chats", "Chats", "find_chats", "Lists chats, the one with the newest message first."),
    ("DELETE", "/chats/{chat}", "Chats", "delete_chat", "Deletes a chat on all devices of the account."),
    ("PUT", "/chats/{chat}/mute", "Chats", "mute_chat", "Mutes a chat, or takes that back."),
    ("PUT", "/chats/{chat}/pin", "Chats", "pin_chat", "Pins a chat, or takes that back."),
    (
        "PUT",
        "/chats/{chat}/archive",
        "Chats",
        "archive_chat",
        "Archives a chat, or takes it out of the archive.",
    ),
    ("PUT", "/chats/{chat}/read", "Chats", "mark_chat", "Marks a chat as read or unread."),
    ("PUT", "/chats/{chat}/timer", "Chats", "set_chat_timer", "Changes after how long messages disappear."),
    ("PUT", "/chats/{chat}/presence", "Chats", "set_chat_state", "Shows that somebody types or speaks."),
    ("POST", "/chats/{chat}/receipts", "Chats", "mark_read", "Marks messages as read; their sender is told."),
    ("POST", "/chats/{chat}/history", "Chats", "request_history", "Asks the phone for older messages."),
    ("GET", "/contacts", "Contacts", "find_contacts", "Lists people by name."),
    ("PUT", "/contacts/{person}", "Contacts", "save_contact", "Writes somebody into the address book."),
    ("DELETE", "/contacts/{person}", "Contacts", "remove_contact", "Takes somebody out of the address book."),
    ("POST", "/numbers/check", "Contacts", "check_numbers", "Asks which numbers are registered."),
    ("POST", "/users", "Contacts", "get_user_info", "Asks the service about people."),
    ("GET", "/pictures/{owner}", "Contacts", "get_picture", "Tells where a profile or group picture is."),
    ("GET", "/blocklist", "Contacts", "get_blocked", "Lists who is blocked."),
    ("PUT", "/blocklist/{person}", "Contacts", "block", "Blocks somebody."),
    ("DELETE", "/blocklist/{person}", "Contacts", "unblock", "Takes a block back."),
    ("PUT", "/profile/name", "Contacts", "set_push_name", "Changes the own name."),
    ("PUT", "/profile/about", "Contacts", "set_about", "Changes what the own profile says."),
    ("GET", "/profile/about", "Contacts", "get_about", "Tells what a profile says."),
    ("PUT", "/presence", "Contacts", "set_presence", "Shows the account online or offline."),
    ("GET", "/privacy", "Contacts", "get_privacy", "Tells the privacy settings."),
    ("PUT", "/privacy/{category}", "Contacts", "set_privacy", "Changes a privacy setting."),
    ("GET", "/groups", "Groups", "list_groups", "Lists the groups that the account is in."),
    ("POST", "/groups", "Groups", "create_group", "Makes a group."),
    ("POST", "/groups/join", "Groups", "join_by_link", "Joins a group by its invitation link."),
    ("GET", "/groups/{group}", "Groups", "get_group", "Tells of a group."),
    ("DELETE", "/groups/{group}", "Groups", "leave_group", "Leaves a group."),
    ("PUT", "/groups/{group}/subject", "Groups", "set_group_subject", "Renames a group."),
    (
        "PUT",
        "/groups/{group}/description",
        "Groups",
        "set_group_description",
        "Changes what a group says of itself.",
    ),
    (
        "PUT",
        "/groups/{group}/settings/{setting}",
        "Groups",
        "set_group_setting",
        "Changes a setting of a group.",
    ),
    ("POST", "/groups/{group}/participants", "Groups", "add_participants", "Adds members."),
    ("POST", "/groups/{group}/participants/remove", "Groups", "remove_participants", "Removes members."),
    (
        "POST",
        "/groups/{group}/participants/promote",
        "Groups",
        "promote_participants",
        "Makes members admins.",
    ),
    ("POST", "/groups/{group}/participants/demote", "Groups", "demote_participants", "Makes admins members."),
    ("GET", "/groups/{group}/invite", "Groups", "get_invite_link", "Tells the invitation link."),
    ("POST", "/groups/{group}/invite/reset", "Groups", "reset_invite_link", "Makes a new invitation link."),
    ("GET", "/groups/{group}/requests", "Groups", "list_join_requests", "Lists who asks to join."),
    (
        "POST",
        "/groups/{group}/requests",
        "Groups",
        "decide_join_requests",
        "Lets people in, or turns them away.",
    ),
    ("POST", "/communities", "Communities", "create_community", "Makes a community."),
    ("GET", "/communities/{community}/groups", "Communities", "list_community_groups", "Lists its groups."),
    ("POST", "/communities/{community}/groups", "Communities", "link_groups", "Puts groups into it."),
    (
        "POST",
        "/communities/{community}/groups/unlink",
        "Communities",
        "unlink_groups",
        "Takes groups out of it.",
    ),
    ("DELETE", "/communities/{community}", "Communities", "leave_community", "Leaves a community."),
    ("GET", "/channels", "Channels", "list_channels", "Lists the channels that the account follows or has."),
    ("POST", "/channels", "Channels", "create_channel", "Makes a channel."),
    ("GET", "/channels/{channel}", "Channels", "get_channel", "Tells of a channel."),
    ("GET", "/channels/{channel}/posts", "Channels", "get_posts", "Lists posts of a channel."),
    ("PUT", "/channels/{channel}/following", "Channels", "follow_channel", "Follows a channel."),
    ("DELETE", "/channels/{channel}/following", "Channels", "unfollow_channel", "Follows it no longer."),
    ("PUT", "/channels/{channel}/mute", "Channels", "mute_channel", "Mutes a channel, or takes that back."),
    ("GET", "/labels", "Chats", "list_labels", "Lists labels."),
    ("POST", "/calls/{callId}/reject", "Calls", "reject_call", "Says no to a call."),
];

pub(super) fn routes() -> Vec<Route> {
    ROWS.iter().filter_map(made).collect()
}

/// A row of the table; `None` if the engine has no such operation, which a test finds.
fn made(&(method, path, tag, name, about): &'static Row) -> Option<Route> {
    let entry = find(name).ok()?;
    let method: Method = method.parse().ok()?;
    let path = format!("/v1/accounts/{{account}}{path}");
    let handler = move |call: Call| async move { run(entry, call).await };
    let mut made = route(method.clone(), path, name, Gate::Account(scope(name)), handler)
        .tag(tag)
        .about(about)
        .native(entry.name)
        .alias()
        .answers_schema(
            200,
            "The operation's answer.",
            Arc::new(move |generator| entry.response_schema(generator)),
        );
    let rest = rest_of(entry, made.parameters());
    let members = rest.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    if method == Method::GET {
        for (member, schema) in members {
            made = made.query_schema(member, fixed(schema));
        }
        return Some(made);
    }
    let needed = rest.get("required").and_then(Value::as_array).is_some_and(|names| !names.is_empty());
    if !members.is_empty() {
        made = made.takes_schema(fixed(rest));
    }
    Some(if needed { made } else { made.body_optional() })
}

/// A schema that is the same wherever it is put.
fn fixed(schema: Value) -> MakeSchema {
    Arc::new(move |_: &mut SchemaGenerator| Schema::try_from(schema.clone()).unwrap_or_default())
}

/// The schema of an operation's request without the members that are in the path.
fn rest_of<'a>(entry: &Entry, path: impl Iterator<Item = &'a str>) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut schema = entry.request_schema(&mut SchemaGenerator::new(settings)).to_value();
    for name in path {
        if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
            properties.remove(name);
        }
        if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
            required.retain(|member| member != name);
        }
    }
    schema
}

async fn run(entry: &'static Entry, call: Call) -> Answer {
    let mut members = match &call.input.json {
        Value::Object(members) => members.clone(),
        _ => Map::new(),
    };
    without_local_files(entry.name, &Value::Object(members.clone()))?;
    if call.route.method == Method::GET {
        members =
            call.query.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect();
        let mut query = Value::Object(members);
        bend(&mut query, &rest_of(entry, call.route.parameters()));
        members = query.as_object().cloned().unwrap_or_default();
    }
    for name in call.route.parameters().filter(|name| *name != "account") {
        members.insert(name.to_owned(), json!(call.path(name)?));
    }
    let account = call.account()?;
    let answer = account.operation(entry.name, Value::Object(members)).await;
    Reply::json(200, &answer.map_err(|failure| in_query(failure, &call))?)
}

/// What is wrong with a query is told of it.
fn in_query(mut failure: Failure, call: &Call) -> Failure {
    if call.route.method == Method::GET {
        failure.detail = failure.detail.replace("the request is malformed", "the query is malformed");
    }
    failure
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_an_operation_whose_members_its_path_names() {
        assert_eq!(routes().len(), ROWS.len());
        for (_, path, _, name, _) in ROWS {
            let entry = find(name).unwrap();
            let schema = rest_of(entry, std::iter::empty());
            for part in path.split('/').filter_map(|part| part.strip_prefix('{')) {
                let member = part.trim_end_matches('}');
                assert!(schema["properties"].get(member).is_some(), "{name} has no {member}");
            }
        }
    }
}

//! The dialect of Evolution API, in the forms of its versions and of two services built on it. Input of all
//! forms is accepted everywhere; answers and events follow the profile that is kept with the instance.

mod chats;
mod errors;
mod events;
mod forms;
mod groups;
mod instances;
mod messages;
mod packing;
mod record;
mod settings;
mod socket;
pub(crate) mod socketio;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::{Dialect, Identified, Identifying, Manner, Packing, Parcel, Retrying};
use crate::failure::{Failure, Problem};
use crate::hosting::Account;
use crate::store::events::EventRow;
use crate::store::webhooks::WebhookRow;
use crate::web::call::{Answer, Call, Reply};
use crate::web::openapi::Description;
use crate::web::route::{Gate, Origin, Route, route};

/// The dialect.
pub(crate) struct Evolution;

/// The name of the dialect in rows.
pub(crate) const NAME: &str = "evolution";

/// How long a receiver of a webhook may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The form of answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    /// The hosted service of the first description.
    Nm,
    /// Version 2.
    V2,
    /// Version 1.8.
    V1,
    /// One id per number.
    Flow,
}

impl Profile {
    pub(crate) fn of(name: &str) -> Self {
        match name {
            "v2" => Self::V2,
            "v1" => Self::V1,
            "flow" => Self::Flow,
            _ => Self::Nm,
        }
    }
}

/// The first segments of its paths.
const SEGMENTS: [&str; 26] = [
    "",
    "instance",
    "message",
    "chat",
    "group",
    "webhook",
    "websocket",
    "settings",
    "proxy",
    "label",
    "call",
    "business",
    "template",
    "chatwoot",
    "rabbitmq",
    "nats",
    "sqs",
    "kafka",
    "pusher",
    "typebot",
    "openai",
    "dify",
    "flowise",
    "n8n",
    "evoai",
    "verify-creds",
];

impl Dialect for Evolution {
    fn name(&self) -> &'static str {
        NAME
    }

    fn owns(&self, path: &str) -> bool {
        SEGMENTS.contains(&path.split('/').nth(1).unwrap_or_default())
    }

    fn routes(&self) -> Vec<Route> {
        let mut routes = vec![
            route(Method::GET, "/", "welcome", Gate::Open, welcome)
                .tag("Server")
                .about("Says that the server is there.")
                .origin(Origin::Project)
                .answers::<Value>(200, "It is."),
        ];
        routes.extend(instances::routes());
        routes.extend(messages::routes());
        routes.extend(chats::routes());
        routes.extend(groups::routes());
        routes.extend(settings::routes());
        routes.extend(socket::routes());
        routes
    }

    fn prepare(&self, call: &mut Call) {
        flatten(&mut call.input.json);
    }

    fn identify<'a>(&'a self, call: &'a Call) -> Identifying<'a> {
        Box::pin(async move {
            if call.route.gate == Gate::Open {
                return Ok(Identified::default());
            }
            let query = call.query("apikey").filter(|_| call.route.id == "socket");
            let Some(key) = call.header("apikey").or(query) else {
                return Err(Failure::new(Problem::Unauthorized, "the apikey header is missing"));
            };
            let Some(principal) = call.server.principal(key, call.peer).await? else {
                return Err(
                    Failure::new(Problem::Unauthorized, "the key is not valid").with(json!("invalid"))
                );
            };
            let Some(name) = call.path.get("instanceName") else {
                return Ok(Identified { principal: Some(principal), account: None });
            };
            let account = call.server.hosting.by_name(&principal, name);
            let missing =
                || Failure::new(Problem::AccountNotFound, format!("The \"{name}\" instance does not exist"));
            let account = account.ok_or_else(missing)?;
            Ok(Identified { principal: Some(principal), account: Some(account) })
        })
    }

    fn manner(&self, call: &Call) -> Manner {
        let account = call.account.as_ref().map(|account| account.profile());
        Manner {
            profile: account.unwrap_or_else(|| call.server.settings.evolution_profile.clone()),
            request_id: call.request_id.clone(),
        }
    }

    fn failure(&self, failure: &Failure, manner: &Manner) -> Reply {
        errors::render(failure, Profile::of(&manner.profile), &manner.request_id)
    }

    fn names(&self, event: &EventRow, account: &Account, webhook: &WebhookRow) -> Vec<String> {
        let names = events::names(event, &account.row());
        names.into_iter().filter(|name| events::is_wanted(name, &webhook.events)).map(str::to_owned).collect()
    }

    fn parcel<'a>(
        &'a self,
        name: &'a str,
        part: u32,
        event: &'a EventRow,
        account: &'a Arc<Account>,
        webhook: &'a WebhookRow,
    ) -> Packing<'a> {
        let option = |name: &str| webhook.options.get(name).and_then(Value::as_bool).unwrap_or(false);
        let (by_events, with_files) = (option("byEvents"), option("base64"));
        Box::pin(async move {
            let suffix = if by_events { format!("/{}", name.replace('.', "-")) } else { String::new() };
            let mut body = events::envelope(name, part, event, account, &webhook.url);
            packing::complete(name, event, account, with_files, &mut body).await;
            Parcel { suffix, headers: BTreeMap::new(), body, timeout: TIMEOUT }
        })
    }

    fn retrying(&self) -> Retrying {
        Retrying::Evolution
    }
}

/// Puts the nested forms of version 1 into the flat ones: `textMessage{text}` and its like, and `options{…}`.
fn flatten(body: &mut Value) {
    let Some(members) = body.as_object_mut() else { return };
    const NESTED: [&str; 10] = [
        "textMessage",
        "mediaMessage",
        "audioMessage",
        "stickerMessage",
        "locationMessage",
        "pollMessage",
        "reactionMessage",
        "listMessage",
        "statusMessage",
        "buttonMessage",
    ];
    let mut inner = Map::new();
    for name in NESTED {
        if let Some(Value::Object(nested)) = members.remove(name) {
            inner.extend(nested);
        }
    }
    if let Some(contacts) = members.remove("contactMessage") {
        inner.insert("contact".to_owned(), contacts);
    }
    // What the forms of other versions call by other names.
    for (former, name) in [("image", "sticker"), ("footer", "footerText")] {
        if !members.contains_key(name)
            && let Some(value) = inner.remove(former)
        {
            inner.insert(name.to_owned(), value);
        }
    }
    if let Some(Value::Object(options)) = members.remove("options") {
        for (name, value) in options {
            match (name.as_str(), value) {
                ("mentions", Value::Object(mentions)) => {
                    for (name, value) in mentions {
                        let name = if name == "mentioned" { "mentioned" } else { "mentionsEveryOne" };
                        inner.insert(name.to_owned(), value);
                    }
                }
                (_, value) => {
                    inner.insert(name, value);
                }
            }
        }
    }
    for (name, value) in inner {
        members.entry(name).or_insert(value);
    }
    if let Some(value) = members.remove("everyOne") {
        members.entry("mentionsEveryOne").or_insert(value);
    }
}

async fn welcome(call: Call) -> Answer {
    Reply::json(
        200,
        &json!({
            "status": 200,
            "message": "Welcome to the Evolution API, it is working!",
            "version": "2.3.6",
            "clientName": "whimbrel",
            "manager": format!("{}/manager", call.server.url),
            "documentation": format!("{}/docs/evolution", call.server.url),
            "whatsappWebVersion": "",
        }),
    )
}

/// What the OpenAPI file says about the dialect.
pub(crate) fn description(server: &str) -> Description {
    let error = json!({
        "type": "object",
        "required": ["status", "error", "response"],
        "properties": {
            "status": {"type": "integer"},
            "error": {"type": "string"},
            "response": {"type": "object", "properties": {"message": {}}},
        },
    });
    let body = json!({
        "type": "object",
        "required": ["event", "instance", "data"],
        "properties": {
            "event": {"type": "string"},
            "instance": {"type": "string"},
            "data": {},
            "date_time": {"type": "string"},
            "timestamp": {"type": "string"},
            "sender": {"type": ["string", "null"]},
            "server_url": {"type": "string"},
        },
    });
    let webhooks =
        events::ALL.iter().map(|(_, wire, about)| ((*wire).to_owned(), (*about).to_owned(), body.clone()));
    Description {
        title: "whimbrel: Evolution API",
        about: "The routes, bodies and events of Evolution API, for clients that exist.",
        security: vec![("apikey", json!({"type": "apiKey", "in": "header", "name": "apikey"}))],
        server: server.to_owned(),
        error,
        webhooks: webhooks.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_bodies_of_version_one_become_flat() {
        let mut body = json!({
            "number": "1",
            "textMessage": {"text": "hi"},
            "options": {"delay": 5, "mentions": {"everyOne": true, "mentioned": ["2"]}, "quoted": {"key": {"id": "A"}}},
        });
        flatten(&mut body);
        assert_eq!(
            body,
            json!({
                "number": "1", "text": "hi", "delay": 5, "mentionsEveryOne": true, "mentioned": ["2"],
                "quoted": {"key": {"id": "A"}},
            })
        );
    }
}

//! Webhooks, settings, proxies and labels of an instance, and what this server does not have.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::events::is_config_name;
use super::{NAME, Profile};
use crate::access::Scope;
use crate::delivery::{Deliveries, new_webhook};
use crate::events::native::time;
use crate::failure::{Failure, Problem};
use crate::hosting::Account;
use crate::server::Server;
use crate::store::accounts::AccountSettings;
use crate::store::now_ms;
use crate::store::webhooks::WebhookRow;
use crate::web::call::{Answer, Call, Reply};
use crate::web::route::{Gate, Origin, Route, route};

pub(super) fn routes() -> Vec<Route> {
    let (manage, read) = (Gate::Account(Scope::Manage), Gate::Account(Scope::Read));
    let path = |name: &str| format!("/{name}/{{instanceName}}");
    let mut rows = vec![
        route(Method::POST, path("webhook/set"), "setWebhook", manage, set_hook)
            .about("Sets the instance's webhook.")
            .origin(Origin::Stated)
            .native("create_webhook")
            .takes::<WebhookBody>()
            .answers::<Value>(201, "The webhook."),
        route(Method::GET, path("webhook/find"), "findWebhook", read, find_hook)
            .about("Tells of the instance's webhook.")
            .origin(Origin::Stated)
            .native("get_webhook")
            .answers::<Value>(200, "The webhook, or null."),
        route(Method::POST, path("settings/set"), "setSettings", manage, set)
            .about("Changes what the instance does by itself.")
            .origin(Origin::Project)
            .native("change_account")
            .takes::<InstanceSettings>()
            .answers::<Value>(201, "The settings."),
        route(Method::GET, path("settings/find"), "findSettings", read, find)
            .about("Tells what the instance does by itself.")
            .origin(Origin::Project)
            .native("get_account_row")
            .answers::<Value>(200, "The settings."),
        route(Method::POST, path("proxy/set"), "setProxy", manage, set_proxy)
            .about("Sets the instance's proxy to the service. It acts with the next start of the server.")
            .origin(Origin::Project)
            .native("change_account")
            .takes::<ProxyForm>()
            .answers::<Value>(201, "The proxy."),
        route(Method::GET, path("proxy/find"), "findProxy", read, find_proxy)
            .about("Tells of the instance's proxy.")
            .origin(Origin::Project)
            .native("get_account_row")
            .answers::<Value>(200, "The proxy, or null."),
        route(Method::GET, path("label/findLabels"), "findLabels", read, labels)
            .about("Lists labels.")
            .origin(Origin::Project)
            .native("list_labels")
            .answers::<Value>(200, "The labels."),
        route(Method::POST, path("label/handleLabel"), "handleLabel", manage, label)
            .about("Puts a label on a chat, or takes it off.")
            .origin(Origin::Project)
            .native("label_chat")
            .takes::<LabelForm>()
            .answers::<Value>(200, "What was done."),
        route(Method::PUT, path("label/handleLabel"), "handleLabel", manage, label)
            .alias()
            .about("Puts a label on a chat, or takes it off.")
            .origin(Origin::Project)
            .native("label_chat")
            .takes::<LabelForm>()
            .answers::<Value>(200, "What was done."),
        route(Method::POST, path("call/offer"), "offerCall", Gate::Account(Scope::Send), no_calls)
            .about("Refused: there are no media for calls yet.")
            .origin(Origin::Project)
            .takes::<Map<String, Value>>()
            .body_optional()
            .answers::<Value>(201, "Never."),
        route(Method::POST, path("chatwoot/set"), "setChatwoot", manage, no_chatwoot)
            .about("Refused: there is no Chatwoot.")
            .origin(Origin::Project)
            .takes::<Map<String, Value>>()
            .body_optional()
            .answers::<Value>(201, "Never."),
        route(Method::GET, path("chatwoot/find"), "findChatwoot", read, no_chatwoot)
            .about("Refused: there is no Chatwoot.")
            .origin(Origin::Project)
            .answers::<Value>(200, "Never."),
    ];
    for broker in ["websocket", "rabbitmq", "nats", "sqs", "kafka", "pusher"] {
        rows.push(
            route(Method::POST, path(&format!("{broker}/set")), set_id(broker), manage, move |call| {
                set_broker(call, broker)
            })
            .about("Keeps a subscription.")
            .origin(Origin::Project)
            .takes::<Map<String, Value>>()
            .answers::<Value>(201, "The subscription."),
        );
        rows.push(
            route(Method::GET, path(&format!("{broker}/find")), find_id(broker), read, move |call| {
                find_broker(call, broker)
            })
            .about("Tells of a subscription.")
            .origin(Origin::Project)
            .answers::<Value>(200, "The subscription."),
        );
    }
    rows.into_iter().map(|route| route.tag("Settings")).collect()
}

fn set_id(broker: &str) -> &'static str {
    match broker {
        "websocket" => "setWebsocket",
        "rabbitmq" => "setRabbitmq",
        "nats" => "setNats",
        "sqs" => "setSqs",
        "kafka" => "setKafka",
        _ => "setPusher",
    }
}

fn find_id(broker: &str) -> &'static str {
    match broker {
        "websocket" => "findWebsocket",
        "rabbitmq" => "findRabbitmq",
        "nats" => "findNats",
        "sqs" => "findSqs",
        "kafka" => "findKafka",
        _ => "findPusher",
    }
}

/// A webhook, flat or with the names of version 2 or 1.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct WebhookForm {
    /// Whether it is on.
    pub(super) enabled: Option<bool>,
    /// Where events are posted.
    pub(super) url: Option<String>,
    /// Headers of every request; `jwt_key` signs a bearer token instead.
    pub(super) headers: Option<BTreeMap<String, String>>,
    /// Whether the event's name is put behind the address.
    #[serde(alias = "byEvents", alias = "webhook_by_events")]
    pub(super) webhook_by_events: Option<bool>,
    /// Whether files are in the bodies.
    #[serde(alias = "base64", alias = "webhook_base64")]
    pub(super) webhook_base64: Option<bool>,
    /// What it is told of; empty: everything.
    pub(super) events: Option<Vec<String>>,
}

/// A webhook, flat or in `webhook`.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
struct WebhookBody {
    /// The form of version 2.
    webhook: Option<WebhookForm>,
    #[serde(flatten)]
    flat: WebhookForm,
}

/// Sets the webhook of an instance.
pub(super) async fn set_webhook(
    server: &Arc<Server>,
    account: &Account,
    form: WebhookForm,
) -> Result<Arc<WebhookRow>, Failure> {
    let enabled = form.enabled.unwrap_or(true);
    let former = server.deliveries.of_account(&account.id, NAME);
    let mut row = match &former {
        Some(former) => (**former).clone(),
        None => new_webhook(&account.tenant, Some(&account.id), NAME, ""),
    };
    row.enabled = enabled;
    if let Some(url) = form.url {
        // What some clients send for an address when they switch a webhook off is none.
        row.url = if enabled || url.starts_with("http") { url } else { String::new() };
    }
    if enabled && !(row.url.starts_with("http://") || row.url.starts_with("https://")) {
        return Err(Failure::new(Problem::Validation, "Invalid \"url\" property"));
    }
    if let Some(events) = form.events {
        if let Some(unknown) = events.iter().find(|name| !is_config_name(name)) {
            return Err(Failure::field("events", format!("has an unknown event: {unknown}")));
        }
        row.events = events;
    } else if former.is_none() && account.profile() == "flow" {
        row.events = ["MESSAGES_UPSERT", "CONNECTION_UPDATE", "QRCODE_UPDATED"].map(str::to_owned).to_vec();
    }
    if let Some(headers) = form.headers {
        row.headers = headers;
    }
    if let Some(by_events) = form.webhook_by_events {
        row.options.insert("byEvents".to_owned(), by_events.into());
    }
    if let Some(base64) = form.webhook_base64 {
        row.options.insert("base64".to_owned(), base64.into());
    }
    row.updated_at = now_ms();
    Deliveries::put(server, row).await
}

fn hook(row: &WebhookRow, account: &Account) -> Value {
    let option = |name: &str| row.options.get(name).cloned().unwrap_or(Value::Bool(false));
    let shown = json!({
        "id": row.id, "url": row.url, "headers": row.headers, "enabled": row.enabled, "events": row.events,
        "webhookByEvents": option("byEvents"), "webhookBase64": option("base64"),
        "createdAt": time(row.created_at), "updatedAt": time(row.updated_at), "instanceId": account.id,
    });
    match Profile::of(&account.profile()) {
        Profile::V1 => json!({"webhook": {"instanceName": account.name(), "webhook": {
            "url": row.url, "events": row.events, "enabled": row.enabled,
            "webhook_by_events": option("byEvents"), "webhook_base64": option("base64"),
        }}}),
        _ => shown,
    }
}

async fn set_hook(call: Call) -> Answer {
    let body: WebhookBody = call.body()?;
    let account = call.account()?;
    let row = set_webhook(&call.server, &account, body.webhook.unwrap_or(body.flat)).await?;
    Reply::json(201, &hook(&row, &account))
}

async fn find_hook(call: Call) -> Answer {
    let account = call.account()?;
    let row = call.server.deliveries.of_account(&account.id, NAME);
    Reply::json(200, &row.map_or(Value::Null, |row| hook(&row, &account)))
}

/// What an instance does by itself. What is absent stays as it is.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct InstanceSettings {
    /// Calls are declined.
    #[serde(alias = "reject_call")]
    reject_call: Option<bool>,
    /// What callers are then told.
    #[serde(alias = "msg_call")]
    msg_call: Option<String>,
    /// Groups make no events.
    #[serde(alias = "groups_ignore")]
    groups_ignore: Option<bool>,
    /// The instance shows itself online.
    #[serde(alias = "always_online")]
    always_online: Option<bool>,
    /// Messages are marked as read when they come.
    #[serde(alias = "read_messages")]
    read_messages: Option<bool>,
    /// Statuses are marked as seen when they come.
    #[serde(alias = "read_status")]
    read_status: Option<bool>,
    /// All of the history is asked for at linking.
    #[serde(alias = "sync_full_history")]
    sync_full_history: Option<bool>,
    /// Kept, and not used.
    wavoip_token: Option<String>,
}

impl InstanceSettings {
    pub(super) fn merge(&self, settings: &mut AccountSettings) {
        let flags = [
            (&mut settings.reject_calls, self.reject_call),
            (&mut settings.ignore_groups, self.groups_ignore),
            (&mut settings.always_online, self.always_online),
            (&mut settings.read_messages, self.read_messages),
            (&mut settings.read_status, self.read_status),
            (&mut settings.full_history, self.sync_full_history),
        ];
        for (place, value) in flags {
            *place = value.unwrap_or(*place);
        }
        if let Some(text) = &self.msg_call {
            settings.call_text.clone_from(text);
        }
        if let Some(token) = &self.wavoip_token {
            settings.dialects.insert("wavoipToken".to_owned(), Value::from(token.as_str()));
        }
    }
}

/// The settings as a profile shows them.
pub(super) fn shown(settings: &AccountSettings, profile: Profile) -> Value {
    let token = settings.dialects.get("wavoipToken").cloned().unwrap_or_else(|| Value::from(""));
    if profile == Profile::V1 {
        return json!({
            "reject_call": settings.reject_calls, "msg_call": settings.call_text,
            "groups_ignore": settings.ignore_groups, "always_online": settings.always_online,
            "read_messages": settings.read_messages, "read_status": settings.read_status,
            "sync_full_history": settings.full_history,
        });
    }
    json!({
        "rejectCall": settings.reject_calls, "msgCall": settings.call_text,
        "groupsIgnore": settings.ignore_groups, "alwaysOnline": settings.always_online,
        "readMessages": settings.read_messages, "readStatus": settings.read_status,
        "syncFullHistory": settings.full_history, "wavoipToken": token,
    })
}

async fn set(call: Call) -> Answer {
    let form: InstanceSettings = call.body()?;
    let account = call.account()?;
    let row = account.change(|row| form.merge(&mut row.settings)).await?;
    let settings = shown(&row.settings, Profile::of(&row.profile));
    Reply::json(201, &json!({"settings": {"instanceName": row.name, "settings": settings}}))
}

async fn find(call: Call) -> Answer {
    let row = call.account()?.row();
    Reply::json(200, &shown(&row.settings, Profile::of(&row.profile)))
}

/// A proxy.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
struct ProxyForm {
    /// Whether it is used.
    enabled: Option<bool>,
    /// Its host.
    host: Option<String>,
    /// Its port.
    port: Option<String>,
    /// Its protocol: `http` or `socks5`.
    protocol: Option<String>,
    /// Its user.
    username: Option<String>,
    /// Its password.
    password: Option<String>,
}

/// The address of a proxy from its parts; `None` without a host.
pub(super) fn proxy_address(
    protocol: Option<&str>,
    host: Option<&str>,
    port: Option<&str>,
    username: Option<&str>,
    password: Option<&str>,
) -> Result<Option<String>, Failure> {
    let Some(host) = host.filter(|host| !host.is_empty()) else { return Ok(None) };
    let protocol = match protocol.unwrap_or("http") {
        "https" => "http",
        "socks" => "socks5",
        other => other,
    };
    let encode = |text: &str| {
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    let user = username
        .filter(|user| !user.is_empty())
        .map(|user| format!("{}:{}@", encode(user), encode(password.unwrap_or_default())));
    let address = format!("{protocol}://{}{host}:{}", user.unwrap_or_default(), port.unwrap_or("8080"));
    match whimbrel::Proxy::parse(&address) {
        Ok(_) => Ok(Some(address)),
        Err(_) => Err(Failure::new(Problem::Validation, "Invalid proxy")),
    }
}

async fn set_proxy(call: Call) -> Answer {
    let form: ProxyForm = call.body()?;
    let account = call.account()?;
    let address = proxy_address(
        form.protocol.as_deref(),
        form.host.as_deref(),
        form.port.as_deref(),
        form.username.as_deref(),
        form.password.as_deref(),
    )?;
    let enabled = form.enabled.unwrap_or(true);
    let row = account.change(|row| row.settings.proxy = address.filter(|_| enabled)).await?;
    Reply::json(
        201,
        &json!({"proxy": {"instanceName": row.name, "proxy": {
            "enabled": enabled, "host": form.host, "port": form.port, "protocol": form.protocol,
            "username": form.username, "password": null,
        }}}),
    )
}

async fn find_proxy(call: Call) -> Answer {
    let row = call.account()?.row();
    let Some(address) = row.settings.proxy else { return Reply::json(200, &Value::Null) };
    let (protocol, rest) = address.split_once("://").unwrap_or(("http", &address));
    let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
    let (host, port) = place.rsplit_once(':').unwrap_or((place, ""));
    Reply::json(
        200,
        &json!({
            "enabled": true, "host": host, "port": port, "protocol": protocol, "username": null, "password": null,
            "instanceId": row.id,
        }),
    )
}

async fn labels(call: Call) -> Answer {
    let found = call.account()?.operation("list_labels", json!({})).await?;
    let labels = found.get("labels").or_else(|| found.get("items")).and_then(Value::as_array).cloned();
    let label = |label: &Value| {
        json!({
            "color": label.get("color").map(ToString::to_string), "name": label.get("name"),
            "id": label.get("id").or_else(|| label.get("label")), "predefinedId": null,
        })
    };
    Reply::json(200, &labels.unwrap_or_default().iter().map(label).collect::<Vec<_>>())
}

/// A label of a chat.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct LabelForm {
    /// The chat's number or address.
    number: String,
    /// The label.
    label_id: String,
    /// What is done with it.
    action: LabelAction,
}

/// What is done with a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum LabelAction {
    Add,
    Remove,
}

async fn label(call: Call) -> Answer {
    let form: LabelForm = call.body()?;
    let account = call.account()?;
    account.demand_online().await?;
    let to = super::forms::recipient(&account, &form.number).await?;
    let add = form.action == LabelAction::Add;
    account.operation("label_chat", json!({"label": form.label_id, "chat": to.id, "labelled": add})).await?;
    let mut body = json!({"numberJid": to.shown(), "labelId": form.label_id});
    if let Some(members) = body.as_object_mut() {
        members.insert(if add { "add" } else { "remove" }.to_owned(), Value::Bool(true));
    }
    Reply::json(200, &body)
}

async fn no_calls(_: Call) -> Answer {
    Err(Failure::new(Problem::NotSupported, "there are no media for calls yet"))
}

async fn no_chatwoot(_: Call) -> Answer {
    Err(Failure::new(Problem::Validation, "Chatwoot is disabled"))
}

/// Subscriptions for which this server has no sink are kept, and said to be off; that for sockets is on.
async fn set_broker(call: Call, broker: &'static str) -> Answer {
    let account = call.account()?;
    let body = call.input.json.clone();
    let inner = body.get(broker).filter(|inner| inner.is_object()).cloned().unwrap_or(body);
    let events = inner.get("events").cloned().unwrap_or_else(|| json!([]));
    let asked = inner.get("enabled").and_then(Value::as_bool).unwrap_or(false);
    let kept = json!({"enabled": asked && broker == "websocket", "events": events});
    let value = kept.clone();
    account
        .change(|row| {
            row.settings.dialects.insert(broker.to_owned(), value);
        })
        .await?;
    Reply::json(201, &kept)
}

async fn find_broker(call: Call, broker: &'static str) -> Answer {
    let row = call.account()?.row();
    let kept = row.settings.dialects.get(broker).cloned();
    Reply::json(200, &kept.unwrap_or_else(|| json!({"enabled": false, "events": []})))
}

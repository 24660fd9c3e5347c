//! Instances: made, linked, looked at, restarted, logged out, deleted.

use std::time::Duration;

use axum::http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::settings::{self, InstanceSettings, WebhookForm};
use super::{NAME, Profile};
use crate::access::{KeyKind, Scope};
use crate::commands::linking;
use crate::commands::media::encode;
use crate::config::EVOLUTION_PROFILES;
use crate::events::native::time;
use crate::failure::{Failure, Problem};
use crate::hosting::state::Link;
use crate::hosting::{Account, Hosting, NewAccount};
use crate::store::accounts::AccountSettings;
use crate::web::call::{Answer, Call, Reply};
use crate::web::route::{Gate, Origin, Route, route};

/// How long a request waits for the first code.
const FIRST_CODE: Duration = Duration::from_secs(10);

/// How long a request waits for a connection.
const CONNECTION: Duration = Duration::from_secs(5);

pub(super) fn routes() -> Vec<Route> {
    let gate = Gate::Account(Scope::Link);
    let read = Gate::Account(Scope::Read);
    let path = |name: &str| format!("/instance/{name}/{{instanceName}}");
    let rows = vec![
        route(Method::POST, "/instance/create", "createInstance", Gate::Key(Scope::Manage), create)
            .about("Makes an instance, and a first QR code when `qrcode` is true.")
            .origin(Origin::Stated)
            .native("create_account")
            .takes::<CreateForm>()
            .answers::<Value>(201, "The instance and its token."),
        route(Method::GET, path("connect"), "connectInstance", gate, connect)
            .about("Begins linking anew and answers with a QR code; with `number`, a pairing code too.")
            .origin(Origin::Stated)
            .native("link_account")
            .query::<String>("number", "A phone number, for a pairing code.")
            .answers::<Value>(200, "The code, or the state of an instance that is connected."),
        route(Method::GET, path("getQR"), "getQR", gate, get_qr)
            .about("Answers with a QR code, also as `qr`.")
            .origin(Origin::Stated)
            .native("link_account")
            .answers::<Value>(200, "The code, or the state of an instance that is connected."),
        route(Method::POST, path("getQR"), "getQR", gate, get_qr)
            .alias()
            .about("Answers with a QR code, also as `qr`.")
            .origin(Origin::Stated)
            .native("link_account")
            .answers::<Value>(200, "The code, or the state of an instance that is connected."),
        route(Method::GET, path("connectionState"), "connectionState", read, state)
            .about("Tells whether the instance is connected.")
            .origin(Origin::Stated)
            .native("get_state")
            .answers::<Value>(200, "The state."),
        route(Method::GET, "/instance/fetchInstances", "fetchInstances", Gate::Key(Scope::Read), fetch)
            .about("Lists the instances that the key sees.")
            .origin(Origin::Stated)
            .native("list_accounts")
            .query::<String>("instanceName", "Only the one of this name.")
            .query::<String>("instanceId", "Only the one of this id.")
            .query::<String>("number", "Only the one of this number.")
            .answers::<Value>(200, "The instances."),
        route(Method::DELETE, path("delete"), "deleteInstance", Gate::Account(Scope::Manage), delete)
            .about("Deletes an instance and everything of it.")
            .origin(Origin::Stated)
            .native("delete_account")
            .answers::<Value>(200, "It is gone."),
        route(Method::PUT, path("restart"), "restartInstance", gate, restart)
            .about("Connects anew. The link stays.")
            .origin(Origin::Stated)
            .native("connect_account")
            .answers::<Value>(200, "The state, or a QR code."),
        route(Method::POST, path("restart"), "restartInstance", gate, restart)
            .alias()
            .about("Connects anew. The link stays.")
            .origin(Origin::Project)
            .native("connect_account")
            .answers::<Value>(200, "The state, or a QR code."),
        route(Method::PUT, path("logout"), "logoutInstance", gate, logout)
            .about("Ends the link. The instance stays.")
            .origin(Origin::Stated)
            .native("unlink_account")
            .answers::<Value>(200, "It is logged out."),
        route(Method::DELETE, path("logout"), "logoutInstance", gate, logout)
            .alias()
            .about("Ends the link. The instance stays.")
            .origin(Origin::Project)
            .native("unlink_account")
            .answers::<Value>(200, "It is logged out."),
        route(Method::POST, path("setPresence"), "setPresence", Gate::Account(Scope::Send), presence)
            .about("Shows the instance online or offline.")
            .origin(Origin::Project)
            .native("set_presence")
            .takes::<PresenceForm>()
            .answers::<Value>(201, "What is shown."),
        route(Method::POST, "/verify-creds", "verifyCreds", Gate::Key(Scope::Read), verify)
            .about("Says that the key is valid.")
            .origin(Origin::Project)
            .answers::<Value>(200, "It is."),
    ];
    rows.into_iter().map(|route| route.tag("Instances")).collect()
}

/// A new instance.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
struct CreateForm {
    /// Names it in every route.
    #[schemars(required, length(min = 1))]
    instance_name: String,
    /// `WHATSAPP-BAILEYS`.
    integration: Option<String>,
    /// Whether linking begins, and a QR code is answered with.
    qrcode: bool,
    /// A phone number, for a pairing code beside the QR code; an empty text means none.
    number: Option<String>,
    /// The token of the instance; one is made if absent.
    token: Option<String>,
    /// The form of answers: `nm`, `v2`, `v1` or `flow`.
    profile: Option<String>,
    #[serde(flatten)]
    settings: InstanceSettings,
    /// A proxy: its host.
    proxy_host: Option<String>,
    /// Its port.
    proxy_port: Option<String>,
    /// Its protocol, `http` or `socks5`.
    proxy_protocol: Option<String>,
    /// Its user.
    proxy_username: Option<String>,
    /// Its password.
    proxy_password: Option<String>,
    /// The webhook.
    webhook: Option<WebhookForm>,
    /// The address of the webhook.
    webhook_url: Option<String>,
    /// Whether the event's name is put behind it.
    webhook_by_events: Option<bool>,
    /// Whether files are in its bodies.
    webhook_base64: Option<bool>,
    /// What it is told of.
    webhook_events: Option<Vec<String>>,
}

async fn create(call: Call) -> Answer {
    let form: CreateForm = call.body()?;
    let principal = call.principal()?;
    if matches!(principal.kind, KeyKind::Account) {
        return Err(Failure::new(Problem::Forbidden, "the token of an instance makes no instances"));
    }
    if form.integration.as_deref().is_some_and(|name| !name.is_empty() && name != "WHATSAPP-BAILEYS") {
        return Err(Failure::new(Problem::Validation, "Invalid integration"));
    }
    let profile = form.profile.clone().unwrap_or_else(|| call.server.settings.evolution_profile.clone());
    if !EVOLUTION_PROFILES.contains(&profile.as_str()) {
        return Err(Failure::field("profile", "is not one of nm, v2, v1 and flow"));
    }
    let token = form.token.clone().filter(|token| !token.is_empty());
    if token.as_ref().is_some_and(|token| token.len() < 16) {
        tracing::warn!("The token of an instance is short enough to be guessed.");
    }
    let mut settings = AccountSettings::default();
    form.settings.merge(&mut settings);
    settings.proxy = settings::proxy_address(
        form.proxy_protocol.as_deref(),
        form.proxy_host.as_deref(),
        form.proxy_port.as_deref(),
        form.proxy_username.as_deref(),
        form.proxy_password.as_deref(),
    )?;
    let new = NewAccount {
        tenant: principal.tenant.clone(),
        name: form.instance_name.clone(),
        user: principal.user,
        dialect: NAME,
        profile: profile.clone(),
        settings,
        key: token,
    };
    let made = Hosting::create(&call.server, new).await;
    let (account, token) = made.map_err(|failure| match failure.problem {
        Problem::Conflict => {
            let name = &form.instance_name;
            Failure::new(Problem::Conflict, format!("This name \"{name}\" is already in use."))
        }
        _ => failure,
    })?;
    let flat = form.webhook_url.as_ref().map(|url| WebhookForm {
        enabled: Some(true),
        url: Some(url.clone()),
        webhook_by_events: form.webhook_by_events,
        webhook_base64: form.webhook_base64,
        events: form.webhook_events.clone(),
        ..WebhookForm::default()
    });
    if let Some(webhook) = form.webhook.or(flat) {
        settings::set_webhook(&call.server, &account, webhook).await?;
    }
    let mut qrcode = None;
    if form.qrcode {
        qrcode = Some(first_code(&account, form.number.as_deref()).await?);
    }
    Reply::json(201, &created(&call, &account, &token, Profile::of(&profile), qrcode))
}

/// A code to be scanned, and one to be typed if there is a number.
async fn first_code(account: &std::sync::Arc<Account>, number: Option<&str>) -> Result<Value, Failure> {
    let number = number.filter(|number| !number.is_empty());
    let code = match number {
        Some(number) => Some(linking::code(account, number).await?),
        None => None,
    };
    let qr = match linking::qr(account, FIRST_CODE).await {
        Ok(qr) => qr,
        // With a pairing code alone there is no picture to show.
        Err(_) if code.is_some() => return Ok(qr_object("", code.as_deref(), 0, None)),
        Err(failure) => return Err(failure),
    };
    Ok(qr_object(&qr.text, code.as_deref(), qr.count, None))
}

/// A QR code as this dialect shows it.
pub(super) fn qr_object(text: &str, code: Option<&str>, count: u32, instance: Option<&str>) -> Value {
    let picture = linking::png(text).map(|png| format!("data:image/png;base64,{}", encode(&png)));
    let picture = picture.ok().filter(|_| !text.is_empty());
    let code = code.map(|code| code.replace('-', ""));
    let mut object = Map::new();
    if let Some(instance) = instance {
        object.insert("instance".to_owned(), Value::from(instance));
    }
    object.insert("pairingCode".to_owned(), json!(code));
    object.insert("code".to_owned(), Value::from(text));
    object.insert("base64".to_owned(), json!(picture));
    if instance.is_none() {
        object.insert("count".to_owned(), Value::from(count));
    }
    Value::Object(object)
}

fn created(call: &Call, account: &Account, token: &str, profile: Profile, qrcode: Option<Value>) -> Value {
    let row = account.row();
    let status = match profile {
        Profile::V1 => "created",
        _ => word(account, profile),
    };
    let hash = match profile {
        Profile::Nm | Profile::V1 => json!({"apikey": token}),
        Profile::V2 | Profile::Flow => Value::from(token),
    };
    let webhook = call.server.deliveries.of_account(&account.id, NAME);
    let mut body = json!({
        "instance": {
            "instanceName": row.name, "instanceId": row.id, "integration": "WHATSAPP-BAILEYS",
            "webhookWaBusiness": null, "accessTokenWaBusiness": "", "status": status,
        },
        "hash": hash,
        "webhook": webhook.map(|webhook| json!({
            "webhookUrl": webhook.url,
            "webhookByEvents": webhook.options.get("byEvents"),
            "webhookBase64": webhook.options.get("base64"),
        })).unwrap_or_else(|| json!({})),
        "websocket": {"enabled": false},
        "rabbitmq": {"enabled": false}, "nats": {"enabled": false}, "sqs": {"enabled": false},
        "settings": settings::shown(&row.settings, profile),
    });
    if let (Some(members), Some(qrcode)) = (body.as_object_mut(), qrcode) {
        members.insert("qrcode".to_owned(), qrcode);
    }
    body
}

/// The word for how an instance stands.
pub(super) fn word(account: &Account, profile: Profile) -> &'static str {
    let state = account.state();
    super::events::state_word(state.link.name(), state.status.map(i64::from), profile)
}

/// What is answered of an instance that is connected.
fn standing(account: &Account) -> Value {
    let word = word(account, Profile::of(&account.profile()));
    json!({"instance": {"instanceName": account.name(), "state": word}})
}

async fn connect(call: Call) -> Answer {
    let account = call.account()?;
    if account.is_linked() {
        if account.state().link != Link::Online {
            linking::connect(&account, CONNECTION).await?;
        }
        return Reply::json(200, &standing(&account));
    }
    Reply::json(200, &first_code(&account, call.query("number")).await?)
}

async fn get_qr(call: Call) -> Answer {
    let account = call.account()?;
    if account.is_linked() {
        return Reply::json(200, &standing(&account));
    }
    let mut qr = first_code(&account, None).await?;
    let picture = qr.get("base64").cloned();
    if let (Some(members), Some(picture)) = (qr.as_object_mut(), picture) {
        members.insert("qr".to_owned(), picture);
    }
    Reply::json(200, &qr)
}

async fn state(call: Call) -> Answer {
    let account = call.account()?;
    let word = word(&account, Profile::of(&account.profile()));
    let body = json!({
        "instance": {"instanceName": account.name(), "state": word, "status": word},
        "status": word,
    });
    Reply::json(200, &body)
}

/// An instance in a list.
fn row(call: &Call, account: &Account) -> Value {
    let row = account.row();
    let profile = Profile::of(&row.profile);
    let word = word(account, profile);
    let linked = account.is_linked();
    let number = row.standing.phone.as_deref().and_then(|phone| phone.split('@').next()).map(str::to_owned);
    if profile == Profile::V1 {
        return json!({"instance": {
            "instanceName": row.name, "instanceId": row.id, "owner": row.standing.phone,
            "profileName": row.standing.push_name, "profilePictureUrl": null, "profileStatus": null,
            "status": word, "serverUrl": call.server.url, "apikey": null,
        }});
    }
    json!({
        "id": row.id, "name": row.name, "connectionStatus": word,
        "ownerJid": row.standing.phone.clone().filter(|_| linked),
        "profileName": row.standing.push_name, "profilePicUrl": null,
        "integration": "WHATSAPP-BAILEYS", "number": number.filter(|_| linked), "businessId": null,
        "token": null, "clientName": "whimbrel",
        "disconnectionReasonCode": row.standing.ended_status,
        "disconnectionObject": row.standing.ended,
        "disconnectionAt": row.standing.ended_at.map(time),
        "createdAt": time(row.created_at), "updatedAt": time(row.updated_at),
        "Chatwoot": null, "Proxy": null, "Rabbitmq": null, "Nats": null, "Sqs": null, "Websocket": null,
        "Setting": settings::shown(&row.settings, profile),
        "_count": {"Message": 0, "Contact": 0, "Chat": 0},
    })
}

async fn fetch(call: Call) -> Answer {
    let mut seen = call.server.hosting.seen_by(call.principal()?);
    let digits = |account: &Account| account.row().standing.phone.unwrap_or_default();
    if let Some(name) = call.query("instanceName") {
        seen.retain(|account| account.name() == name);
    }
    if let Some(id) = call.query("instanceId") {
        seen.retain(|account| account.id == id);
    }
    if let Some(number) = call.query("number") {
        seen.retain(|account| digits(account).split('@').next() == Some(number));
    }
    let named = call.query("instanceName").or_else(|| call.query("instanceId"));
    if let (Some(name), true) = (named, seen.is_empty()) {
        return Err(Failure::new(Problem::AccountNotFound, format!("Instance \"{name}\" not found")));
    }
    Reply::json(200, &seen.iter().map(|account| row(&call, account)).collect::<Vec<_>>())
}

fn success(message: &str) -> Answer {
    Reply::json(200, &json!({"status": "SUCCESS", "error": false, "response": {"message": message}}))
}

async fn delete(call: Call) -> Answer {
    let account = call.account()?;
    if call.principal()?.kind == KeyKind::Account && account.profile() == "flow" {
        return Err(Failure::new(Problem::Forbidden, "numbers are deleted on the dashboard"));
    }
    Hosting::delete(&call.server, &account).await?;
    success("Instance deleted")
}

async fn restart(call: Call) -> Answer {
    let account = call.account()?;
    if account.is_linked() {
        linking::reconnect(&account, CONNECTION).await?;
        return Reply::json(200, &standing(&account));
    }
    Reply::json(200, &first_code(&account, None).await?)
}

async fn logout(call: Call) -> Answer {
    let account = call.account()?;
    let unlinked = linking::unlink(&account).await;
    unlinked.map_err(|failure| match failure.problem {
        Problem::NotLinked => {
            let name = account.name();
            Failure::new(Problem::NotLinked, format!("The \"{name}\" instance is not connected"))
        }
        _ => failure,
    })?;
    success("Instance logged out")
}

/// What is shown.
#[derive(Deserialize, JsonSchema)]
struct PresenceForm {
    /// `available`, `unavailable`, and the words for chats, which mean `available`.
    presence: PresenceWord,
}

/// The words for what is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum PresenceWord {
    Unavailable,
    Available,
    Composing,
    Recording,
    Paused,
}

async fn presence(call: Call) -> Answer {
    let form: PresenceForm = call.body()?;
    let available = form.presence != PresenceWord::Unavailable;
    let account = call.account()?;
    account.demand_online().await?;
    let request = json!({"availability": if available { "available" } else { "unavailable" }});
    account.operation("set_presence", request).await?;
    Reply::json(201, &json!({"presence": call.input.json.get("presence")}))
}

async fn verify(call: Call) -> Answer {
    let role = match call.principal()?.kind {
        KeyKind::Root => "global",
        KeyKind::Tenant => "tenant",
        KeyKind::Account => "instance",
        KeyKind::Personal => "user",
    };
    Reply::json(
        200,
        &json!({
            "status": 200, "message": "Credentials are valid", "role": role,
            "facebookAppId": null, "facebookConfigId": null, "facebookUserToken": null,
        }),
    )
}

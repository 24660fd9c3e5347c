//! Who is blocked, and who may see what.

use axum::http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::forms::recipient;
use super::super::record::text;
use super::{both, path};
use crate::access::Scope;
use crate::failure::Failure;
use crate::web::call::{Answer, Call, Reply};
use crate::web::route::{Gate, Origin, Route, route};

pub(super) fn routes() -> Vec<Route> {
    let (read, manage) = (Gate::Account(Scope::Read), Gate::Account(Scope::Manage));
    let mut rows = vec![
        route(Method::GET, path("fetchPrivacySettings"), "fetchPrivacySettings", read, privacy_settings)
            .about("Tells the privacy settings.")
            .origin(Origin::Project)
            .native("get_privacy")
            .answers::<Value>(200, "The settings."),
    ];
    rows.extend(both(|method| {
        route(method, path("updateBlockStatus"), "updateBlockStatus", manage, blocked)
            .about("Blocks somebody, or takes that back.")
            .origin(Origin::Project)
            .native("block")
            .takes::<BlockForm>()
            .answers::<Value>(201, "It is done.")
    }));
    rows.extend(both(|method| {
        route(method, path("updatePrivacySettings"), "updatePrivacySettings", manage, set_privacy)
            .about("Changes privacy settings.")
            .origin(Origin::Project)
            .native("set_privacy")
            .takes::<PrivacyForm>()
            .answers::<Value>(201, "It is done.")
    }));
    rows
}

/// Somebody who is blocked or not.
#[derive(Deserialize, JsonSchema)]
struct BlockForm {
    /// Who.
    number: String,
    /// Which of both.
    status: BlockStatus,
}

/// Blocked or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum BlockStatus {
    Block,
    Unblock,
}

async fn blocked(call: Call) -> Answer {
    let form: BlockForm = call.body()?;
    let account = call.account()?;
    account.demand_online().await?;
    let who = recipient(&account, &form.number).await?;
    let operation = if form.status == BlockStatus::Block { "block" } else { "unblock" };
    account.operation(operation, json!({"person": who.id})).await?;
    Reply::json(201, &json!({"block": "success"}))
}

/// The words of this dialect for categories, and the engine's.
const CATEGORIES: [(&str, &str); 6] = [
    ("readreceipts", "read_receipts"),
    ("profile", "picture"),
    ("status", "about"),
    ("online", "online"),
    ("last", "last_seen"),
    ("groupadd", "group_add"),
];

/// The words of this dialect for values, and the engine's.
const VALUES: [(&str, &str); 5] = [
    ("all", "everyone"),
    ("contacts", "contacts"),
    ("contact_blacklist", "contacts_except"),
    ("none", "nobody"),
    ("match_last_seen", "match_last_seen"),
];

async fn privacy_settings(call: Call) -> Answer {
    let account = call.account()?;
    account.demand_online().await?;
    let found = account.operation("get_privacy", json!({"fresh": true})).await?;
    let settings = found.get("settings").and_then(Value::as_array).cloned().unwrap_or_default();
    let value = |category: &str| {
        let of = settings.iter().find(|setting| text(setting, "/category") == Some(category));
        let told = of.and_then(|setting| text(setting, "/value"));
        let word = told
            .map(|told| VALUES.iter().find(|(_, engine)| *engine == told).map_or(told, |(word, _)| *word));
        json!(word)
    };
    let shown: Map<String, Value> =
        CATEGORIES.iter().map(|(name, category)| ((*name).to_owned(), value(category))).collect();
    Reply::json(200, &Value::Object(shown))
}

/// Who may see what. What is absent stays as it is.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
struct PrivacyForm {
    /// `all` or `none`.
    readreceipts: Option<String>,
    /// `all`, `contacts`, `contact_blacklist` or `none`.
    profile: Option<String>,
    /// As `profile`.
    status: Option<String>,
    /// `all` or `match_last_seen`.
    online: Option<String>,
    /// As `profile`.
    last: Option<String>,
    /// As `profile`.
    groupadd: Option<String>,
}

async fn set_privacy(call: Call) -> Answer {
    let form: PrivacyForm = call.body()?;
    let account = call.account()?;
    account.demand_online().await?;
    let wanted = [&form.readreceipts, &form.profile, &form.status, &form.online, &form.last, &form.groupadd];
    let mut done = Map::new();
    for ((name, category), value) in CATEGORIES.into_iter().zip(wanted) {
        let Some(value) = value else { continue };
        let word = VALUES.iter().find(|(word, _)| word == value).map(|(_, engine)| *engine);
        let word = word.ok_or_else(|| Failure::field(name, "is not one of the words for it"))?;
        account.operation("set_privacy", json!({"category": category, "value": word})).await?;
        done.insert(name.to_owned(), Value::from(value.as_str()));
    }
    Reply::json(201, &json!({"update": "success", "data": done}))
}

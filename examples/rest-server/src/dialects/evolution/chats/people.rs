//! Profiles and pictures, those of others and the own one.

use axum::http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::forms::recipient;
use super::super::record::text;
use super::{both, path};
use crate::access::Scope;
use crate::commands::media::{self, Given};
use crate::failure::{Failure, Problem};
use crate::hosting::Account;
use crate::web::call::{Answer, Call, Reply};
use crate::web::route::{Gate, Origin, Route, route};

pub(super) fn routes() -> Vec<Route> {
    let (read, manage) = (Gate::Account(Scope::Read), Gate::Account(Scope::Manage));
    let picture_of = |method: Method| {
        route(method, path("fetchProfilePictureUrl"), "fetchProfilePictureUrl", read, picture)
            .about("Tells where somebody's profile picture is; null if there is none to be seen.")
            .native("get_picture")
            .answers::<Value>(200, "The address.")
    };
    let mut rows = vec![
        picture_of(Method::GET).origin(Origin::Stated).query::<String>("number", "Whose."),
        picture_of(Method::POST).alias().origin(Origin::Project).takes::<NumberForm>().body_optional(),
        route(Method::POST, path("fetchProfile"), "fetchProfile", read, profile)
            .about("Tells of somebody's profile, or of the own one.")
            .native("get_user_info")
            .takes::<NumberForm>()
            .body_optional()
            .origin(Origin::Project)
            .answers::<Value>(200, "The profile."),
        route(Method::POST, path("fetchBusinessProfile"), "fetchBusinessProfile", read, business)
            .about("Tells of a business.")
            .origin(Origin::Project)
            .native("get_business_profile")
            .takes::<NumberForm>()
            .answers::<Value>(200, "The profile."),
        route(Method::POST, path("updateProfileName"), "updateProfileName", manage, rename)
            .about("Changes the own name.")
            .origin(Origin::Project)
            .native("set_push_name")
            .takes::<NameForm>()
            .answers::<Value>(200, "It is done."),
        route(Method::POST, path("updateProfileStatus"), "updateProfileStatus", manage, about)
            .about("Changes what the own profile says.")
            .origin(Origin::Project)
            .native("set_about")
            .takes::<StatusForm>()
            .answers::<Value>(200, "It is done."),
        route(Method::DELETE, path("removeProfilePicture"), "removeProfilePicture", manage, no_picture)
            .about("Removes the own picture.")
            .origin(Origin::Project)
            .native("remove_picture")
            .answers::<Value>(200, "It is done."),
    ];
    rows.extend(both(|method| {
        route(method, path("updateProfilePicture"), "updateProfilePicture", manage, own_picture)
            .about("Changes the own picture.")
            .origin(Origin::Project)
            .native("set_picture")
            .takes_upload::<PictureForm>()
            .answers::<Value>(200, "It is done.")
    }));
    rows
}

/// Somebody.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
struct NumberForm {
    /// A phone number with its country code, or an address.
    number: Option<String>,
}

async fn picture(call: Call) -> Answer {
    let form: NumberForm = call.body()?;
    let number = form.number.or_else(|| call.query("number").map(str::to_owned));
    let number = number.ok_or_else(|| Failure::field("number", "is required"))?;
    let account = call.account()?;
    account.demand_online().await?;
    let who = recipient(&account, &number).await?;
    let url = picture_url(&account, &who.id).await;
    Reply::json(200, &json!({"wuid": who.shown(), "profilePictureUrl": url}))
}

/// Where a picture is; `None` if there is none to be seen.
async fn picture_url(account: &Account, owner: &str) -> Option<String> {
    let picture = account.operation("get_picture", json!({"owner": owner, "size": "full"})).await.ok()?;
    text(&picture, "/url").map(str::to_owned)
}

async fn profile(call: Call) -> Answer {
    let form: NumberForm = call.body()?;
    let account = call.account()?;
    account.demand_online().await?;
    let number = match form.number.filter(|number| !number.is_empty()) {
        Some(number) => number,
        None => account.own_phone().map(|own| own.to_string()).unwrap_or_default(),
    };
    let who = recipient(&account, &number).await?;
    let info = account.operation("get_user_info", json!({"people": [who.id]})).await?;
    let info = info
        .pointer("/people/0")
        .or_else(|| info.pointer("/items/0"))
        .or_else(|| info.pointer("/users/0"))
        .cloned();
    let info = info.unwrap_or(Value::Null);
    let is_business = info.get("isBusiness").and_then(Value::as_bool).unwrap_or(false);
    let business = if is_business {
        let person = json!({"business": who.id});
        account.operation("get_business_profile", person).await.unwrap_or(Value::Null)
    } else {
        Value::Null
    };
    let found = account
        .operation("find_contacts", json!({"person": who.id, "limit": 1}))
        .await
        .unwrap_or(Value::Null);
    let name = ["name", "pushName"].iter().find_map(|name| text(&found, &format!("/items/0/{name}")));
    let own = account.own_phone().is_some_and(|own| who.phone.as_deref() == Some(&own.to_string()));
    let name = name.map(str::to_owned).or_else(|| account.row().standing.push_name.filter(|_| own));
    Reply::json(
        200,
        &json!({
            "wuid": who.shown(), "name": name, "numberExists": true,
            "picture": picture_url(&account, &who.id).await,
            "status": {"status": info.pointer("/about/text"), "setAt": info.pointer("/about/changedAt")},
            "isBusiness": is_business, "email": business.get("email"),
            "description": business.get("description"),
            "website": business.pointer("/websites/0"),
        }),
    )
}

async fn business(call: Call) -> Answer {
    let form: NumberForm = call.body()?;
    let account = call.account()?;
    account.demand_online().await?;
    let number = form.number.ok_or_else(|| Failure::field("number", "is required"))?;
    let who = recipient(&account, &number).await?;
    let found = account.operation("get_business_profile", json!({"business": who.id})).await;
    let mut found = match found {
        Ok(found) => found,
        Err(failure) if failure.problem == Problem::NotFound => json!({"isBusiness": false}),
        Err(failure) => return Err(failure),
    };
    if let Some(members) = found.as_object_mut() {
        members.insert("wuid".to_owned(), Value::from(who.shown()));
    }
    Reply::json(200, &found)
}

fn updated() -> Answer {
    Reply::json(200, &json!({"update": "success"}))
}

/// A name.
#[derive(Deserialize, JsonSchema)]
struct NameForm {
    /// The name.
    name: String,
}

async fn rename(call: Call) -> Answer {
    let form: NameForm = call.body()?;
    let account = call.account()?;
    account.demand_online().await?;
    account.operation("set_push_name", json!({"name": form.name})).await?;
    account.change(|row| row.standing.push_name = Some(form.name)).await?;
    updated()
}

/// What a profile says.
#[derive(Deserialize, JsonSchema)]
struct StatusForm {
    /// The words.
    status: String,
}

async fn about(call: Call) -> Answer {
    let form: StatusForm = call.body()?;
    let account = call.account()?;
    account.demand_online().await?;
    account.operation("set_about", json!({"text": form.status})).await?;
    updated()
}

/// A picture.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
struct PictureForm {
    /// An address, or the file in base64.
    picture: Option<String>,
}

async fn own_picture(call: Call) -> Answer {
    let form: PictureForm = call.body()?;
    set_picture(&call, form.picture.as_deref(), None).await?;
    updated()
}

/// Sets the picture of the account or of a group.
pub(in super::super) async fn set_picture(
    call: &Call,
    text: Option<&str>,
    group: Option<&str>,
) -> Result<(), Failure> {
    let account = call.account()?;
    account.demand_online().await?;
    let given = Given { text, upload: call.input.files.values().next(), ..Given::default() };
    let file = media::obtain(&call.server, given).await?;
    let (name, described) = media::keep(&call.server, &file).await?;
    let request = json!({"group": group, "path": described.get("path")});
    let done = account.operation("set_picture", request).await;
    // It was read; what is left behind is forgotten with the folder.
    let _ = tokio::fs::remove_file(media::path_of(&call.server, &name)).await;
    done.map(|_| ())
}

async fn no_picture(call: Call) -> Answer {
    let account = call.account()?;
    account.demand_online().await?;
    account.operation("remove_picture", json!({})).await?;
    updated()
}

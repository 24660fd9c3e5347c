//! Groups.

use axum::http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::chats::set_picture;
use super::forms::recipient;
use super::record::{address, text};
use crate::access::Scope;
use crate::commands::sending::{self, Outgoing};
use crate::failure::{Failure, Problem};
use crate::hosting::Account;
use crate::web::call::{Answer, Call, Reply};
use crate::web::route::{Gate, Origin, Route, route};

pub(super) fn routes() -> Vec<Route> {
    let (read, manage) = (Gate::Account(Scope::Read), Gate::Account(Scope::Manage));
    let path = |name: &str| format!("/group/{name}/{{instanceName}}");
    let mut rows = vec![
        route(Method::POST, path("create"), "createGroup", manage, create)
            .about("Creates a group.")
            .origin(Origin::Stated)
            .native("create_group")
            .takes::<CreateForm>()
            .answers::<Value>(201, "The group."),
        route(Method::GET, path("fetchAllGroups"), "fetchAllGroups", read, fetch)
            .about("Lists the groups that the account is in.")
            .origin(Origin::Stated)
            .native("list_groups")
            .query::<bool>("getParticipants", "Whether members are listed.")
            .answers::<Value>(200, "The groups."),
        described(route(Method::GET, path("findGroupInfos"), "findGroupInfos", read, info))
            .about("Tells of one group.")
            .native("get_group")
            .answers::<Value>(200, "The group."),
        described(route(Method::GET, path("participants"), "groupParticipants", read, members))
            .about("Lists the members of a group.")
            .native("get_group")
            .answers::<Value>(200, "The members."),
        described(route(Method::GET, path("inviteCode"), "inviteCode", read, invite))
            .about("Tells the group's invitation link.")
            .native("get_invite_link")
            .answers::<Value>(200, "The link."),
        route(Method::GET, path("inviteInfo"), "inviteInfo", read, preview)
            .about("Tells of the group behind an invitation link.")
            .origin(Origin::Project)
            .native("preview_invite_link")
            .query::<String>("inviteCode", "The code.")
            .answers::<Value>(200, "The group."),
        route(Method::GET, path("acceptInviteCode"), "acceptInviteCode", manage, join)
            .about("Joins a group by its invitation link.")
            .origin(Origin::Project)
            .native("join_by_link")
            .query::<String>("inviteCode", "The code.")
            .answers::<Value>(200, "The group."),
        described(route(Method::DELETE, path("leaveGroup"), "leaveGroup", manage, leave))
            .about("Leaves a group.")
            .native("leave_group")
            .answers::<Value>(200, "It is left."),
        route(Method::POST, path("sendInvite"), "sendInvite", Gate::Account(Scope::Send), send_invite)
            .about("Sends the invitation link to people.")
            .origin(Origin::Project)
            .native("get_invite_link")
            .takes::<InviteForm>()
            .answers::<Value>(200, "It is sent."),
    ];
    // Version 1 changes by PUT what version 2 changes by POST.
    for method in [Method::POST, Method::PUT] {
        let both = |route: Route| {
            let route = described(route).origin(Origin::Project);
            if route.method == Method::PUT { route.alias() } else { route }
        };
        let changed = |name: &'static str, operation, handler| {
            both(route(method.clone(), path(name), operation, manage, handler))
                .answers::<Value>(201, "It is done.")
        };
        rows.push(
            changed("updateParticipant", "updateParticipant", boxed(participants))
                .about("Adds, removes, promotes or demotes members.")
                .native("add_participants")
                .takes::<ParticipantForm>(),
        );
        rows.push(
            changed("updateGroupSubject", "updateGroupSubject", boxed(subject))
                .about("Renames a group.")
                .native("set_group_subject")
                .takes::<SubjectForm>(),
        );
        rows.push(
            changed("updateGroupDescription", "updateGroupDescription", boxed(describe))
                .about("Changes what a group says of itself.")
                .native("set_group_description")
                .takes::<DescriptionForm>(),
        );
        rows.push(
            changed("updateGroupPicture", "updateGroupPicture", boxed(picture))
                .about("Changes a group's picture.")
                .native("set_picture")
                .takes_upload::<PictureForm>(),
        );
        rows.push(
            changed("updateSetting", "updateSetting", boxed(setting))
                .about("Changes who may write and who may change a group.")
                .native("set_group_setting")
                .takes::<SettingForm>(),
        );
        rows.push(
            changed("toggleEphemeral", "toggleEphemeral", boxed(ephemeral))
                .about("Changes after how long messages of a group disappear.")
                .native("set_chat_timer")
                .takes::<EphemeralForm>(),
        );
        rows.push(
            changed("revokeInviteCode", "revokeInviteCode", boxed(revoke))
                .about("Makes a new invitation link; the former one is void.")
                .native("reset_invite_link")
                .takes::<GroupForm>()
                .body_optional(),
        );
    }
    rows.into_iter().map(|route| route.tag("Groups")).collect()
}

type Handler = fn(Call) -> std::pin::Pin<Box<dyn Future<Output = Answer> + Send>>;

/// Handlers of one type, so that one loop can make their rows.
fn boxed(handler: Handler) -> Handler {
    handler
}

fn described(route: Route) -> Route {
    route.origin(Origin::Project).query::<String>("groupJid", "The group, if it is not in the body.")
}

/// The group that a request names, in the query or the body.
fn group_of(call: &Call) -> Result<String, Failure> {
    let named = call.query("groupJid").map(str::to_owned);
    let named = named.or_else(|| text(&call.input.json, "/groupJid").map(str::to_owned));
    let missing = || Failure::new(Problem::Validation, "The group id needs to be informed in the query");
    let named = named.filter(|group| !group.is_empty()).ok_or_else(missing)?;
    Ok(if named.contains('@') { named } else { format!("{named}@g.us") })
}

/// A group as this dialect shows it.
pub(super) fn metadata(group: &Value, participants: bool) -> Value {
    let people = group.get("participants").and_then(Value::as_array).cloned().unwrap_or_default();
    let flag = |name: &str| group.get(name).and_then(Value::as_bool).unwrap_or(false);
    let mut shown = json!({
        "id": group.get("id"), "subject": group.get("subject"),
        "subjectOwner": address(group.get("subjectAuthor")), "subjectTime": group.get("subjectChangedAt"),
        "pictureUrl": null, "size": group.get("size").cloned().unwrap_or_else(|| json!(people.len())),
        "creation": group.get("createdAt"), "owner": address(group.get("creator")),
        "desc": group.pointer("/description/text"), "descId": group.pointer("/description/id"),
        "restrict": flag("locked"), "announce": flag("announce"),
        "isCommunity": flag("isCommunity"), "isCommunityAnnounce": flag("isAnnouncements"),
        "linkedParent": group.get("community"),
    });
    if participants && let Some(members) = shown.as_object_mut() {
        members.insert("participants".to_owned(), Value::Array(people.iter().map(member).collect()));
    }
    shown
}

fn member(participant: &Value) -> Value {
    let who = participant.get("who");
    let admin = match text(participant, "/role") {
        Some("admin") => Some("admin"),
        Some("superadmin" | "super_admin" | "creator" | "owner") => Some("superadmin"),
        _ => None,
    };
    json!({
        "id": address(who), "admin": admin,
        "phoneNumber": who.and_then(|who| who.get("phone")), "lid": who.and_then(|who| who.get("lid")),
    })
}

async fn people(account: &Account, numbers: &[String]) -> Result<Vec<String>, Failure> {
    let mut people = Vec::new();
    for number in numbers {
        people.push(recipient(account, number).await?.id);
    }
    Ok(people)
}

/// A new group.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct CreateForm {
    /// Its name.
    subject: String,
    /// What it says of itself.
    #[serde(default)]
    description: Option<String>,
    /// Its first members.
    #[schemars(length(min = 1))]
    participants: Vec<String>,
    /// Whether they become admins.
    #[serde(default)]
    promote_participants: Option<bool>,
    /// Its picture: an address, or base64.
    #[serde(default)]
    profile_picture: Option<String>,
}

async fn create(call: Call) -> Answer {
    let form: CreateForm = call.body()?;
    let account = call.account()?;
    account.demand_online().await?;
    let people = people(&account, &form.participants).await?;
    let description = form.description.filter(|text| !text.is_empty());
    let request = json!({"subject": form.subject, "participants": people, "description": description});
    let made = account.operation("create_group", request).await?;
    let mut group = made.get("group").cloned().unwrap_or(Value::Null);
    let id = text(&group, "/id").unwrap_or_default().to_owned();
    if form.promote_participants == Some(true) {
        account.operation("promote_participants", json!({"group": id, "participants": people})).await?;
        group = account.operation("get_group", json!({"group": id, "fresh": true})).await?;
    }
    if let Some(picture) = form.profile_picture.filter(|text| !text.is_empty()) {
        set_picture(&call, Some(&picture), Some(&id)).await?;
    }
    Reply::json(201, &metadata(&group, true))
}

async fn fetch(call: Call) -> Answer {
    let account = call.account()?;
    account.demand_online().await?;
    let found = account.operation("list_groups", json!({})).await?;
    let groups = found.get("groups").and_then(Value::as_array).cloned().unwrap_or_default();
    let with = call.query("getParticipants").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    Reply::json(200, &groups.iter().map(|group| metadata(group, with)).collect::<Vec<_>>())
}

async fn info(call: Call) -> Answer {
    let account = call.account()?;
    let group = group_of(&call)?;
    account.demand_online().await?;
    let found = account.operation("get_group", json!({"group": group, "fresh": true})).await?;
    Reply::json(200, &metadata(&found, true))
}

async fn members(call: Call) -> Answer {
    let account = call.account()?;
    let group = group_of(&call)?;
    account.demand_online().await?;
    let found = account.operation("get_group", json!({"group": group, "fresh": true})).await?;
    let people = found.get("participants").and_then(Value::as_array).cloned().unwrap_or_default();
    let shown = people.iter().map(|participant| {
        let mut shown = member(participant);
        if let Some(members) = shown.as_object_mut() {
            members.insert("name".to_owned(), Value::Null);
            members.insert("imgUrl".to_owned(), Value::Null);
        }
        shown
    });
    Reply::json(200, &json!({"participants": shown.collect::<Vec<_>>()}))
}

/// Members and what is done with them.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ParticipantForm {
    /// What is done.
    action: ParticipantAction,
    /// With whom.
    #[schemars(length(min = 1))]
    participants: Vec<String>,
    /// The group, if it is not in the query.
    #[serde(default)]
    #[expect(dead_code, reason = "it is read where every route looks for it")]
    group_jid: Option<String>,
}

/// What is done with members.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum ParticipantAction {
    Add,
    Remove,
    Promote,
    Demote,
}

fn participants(call: Call) -> std::pin::Pin<Box<dyn Future<Output = Answer> + Send>> {
    Box::pin(async move {
        let form: ParticipantForm = call.body()?;
        let (account, group) = (call.account()?, group_of(&call)?);
        account.demand_online().await?;
        let people = people(&account, &form.participants).await?;
        let operation = match form.action {
            ParticipantAction::Add => "add_participants",
            ParticipantAction::Remove => "remove_participants",
            ParticipantAction::Promote => "promote_participants",
            ParticipantAction::Demote => "demote_participants",
        };
        let done = account.operation(operation, json!({"group": group, "participants": people})).await?;
        let results =
            done.get("results").or_else(|| done.get("participants")).and_then(Value::as_array).cloned();
        let shown = results.unwrap_or_default().into_iter().map(|result| {
            let status = result.get("refused").and_then(Value::as_u64).unwrap_or(200);
            json!({"status": status.to_string(), "jid": address(result.get("who")), "content": result.get("invitation")})
        });
        Reply::json(201, &json!({"updateParticipants": shown.collect::<Vec<_>>()}))
    })
}

fn updated() -> Answer {
    Reply::json(201, &json!({"update": "success"}))
}

/// A name.
#[derive(Deserialize, JsonSchema)]
struct SubjectForm {
    /// The group's name from now on.
    subject: String,
}

fn subject(call: Call) -> std::pin::Pin<Box<dyn Future<Output = Answer> + Send>> {
    Box::pin(async move {
        let form: SubjectForm = call.body()?;
        let (account, group) = (call.account()?, group_of(&call)?);
        account.demand_online().await?;
        account.operation("set_group_subject", json!({"group": group, "subject": form.subject})).await?;
        updated()
    })
}

/// What a group says of itself.
#[derive(Deserialize, JsonSchema)]
struct DescriptionForm {
    /// The words; empty: none.
    description: String,
}

fn describe(call: Call) -> std::pin::Pin<Box<dyn Future<Output = Answer> + Send>> {
    Box::pin(async move {
        let form: DescriptionForm = call.body()?;
        let (account, group) = (call.account()?, group_of(&call)?);
        account.demand_online().await?;
        let words = Some(form.description).filter(|text| !text.is_empty());
        account.operation("set_group_description", json!({"group": group, "text": words})).await?;
        updated()
    })
}

/// A picture.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
struct PictureForm {
    /// An address, or the file in base64.
    image: Option<String>,
}

fn picture(call: Call) -> std::pin::Pin<Box<dyn Future<Output = Answer> + Send>> {
    Box::pin(async move {
        let form: PictureForm = call.body()?;
        let group = group_of(&call)?;
        set_picture(&call, form.image.as_deref(), Some(&group)).await?;
        updated()
    })
}

/// Who may write, and who may change the group.
#[derive(Deserialize, JsonSchema)]
struct SettingForm {
    /// Which of both, and how.
    action: SettingAction,
}

/// Who may write, and who may change the group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum SettingAction {
    Announcement,
    NotAnnouncement,
    Locked,
    Unlocked,
}

fn setting(call: Call) -> std::pin::Pin<Box<dyn Future<Output = Answer> + Send>> {
    Box::pin(async move {
        let form: SettingForm = call.body()?;
        let (account, group) = (call.account()?, group_of(&call)?);
        account.demand_online().await?;
        let (setting, enabled) = match form.action {
            SettingAction::Announcement => ("announce", true),
            SettingAction::NotAnnouncement => ("announce", false),
            SettingAction::Locked => ("locked", true),
            SettingAction::Unlocked => ("locked", false),
        };
        let request = json!({"group": group, "setting": setting, "enabled": enabled});
        account.operation("set_group_setting", request).await?;
        Reply::json(201, &json!({"updateSetting": call.input.json.get("action")}))
    })
}

/// After how long messages disappear.
#[derive(Deserialize, JsonSchema)]
struct EphemeralForm {
    /// Seconds: 0, 86400, 604800 or 7776000.
    #[schemars(extend("enum" = [0, 86400, 604800, 7776000]))]
    expiration: u32,
}

fn ephemeral(call: Call) -> std::pin::Pin<Box<dyn Future<Output = Answer> + Send>> {
    Box::pin(async move {
        let form: EphemeralForm = call.body()?;
        let (account, group) = (call.account()?, group_of(&call)?);
        account.demand_online().await?;
        account.operation("set_chat_timer", json!({"chat": group, "seconds": form.expiration})).await?;
        Reply::json(201, &json!({"success": true}))
    })
}

/// A group.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
struct GroupForm {
    /// Its address, if it is not in the query.
    group_jid: Option<String>,
}

fn revoke(call: Call) -> std::pin::Pin<Box<dyn Future<Output = Answer> + Send>> {
    Box::pin(async move {
        let (account, group) = (call.account()?, group_of(&call)?);
        account.demand_online().await?;
        let link = account.operation("reset_invite_link", json!({"group": group})).await?;
        Reply::json(201, &json!({"revoked": true, "inviteCode": link.get("code")}))
    })
}

async fn invite(call: Call) -> Answer {
    let (account, group) = (call.account()?, group_of(&call)?);
    account.demand_online().await?;
    let link = account.operation("get_invite_link", json!({"group": group})).await?;
    Reply::json(200, &json!({"inviteUrl": link.get("url"), "inviteCode": link.get("code")}))
}

fn code_of(call: &Call) -> Result<String, Failure> {
    let code = call.query("inviteCode").ok_or_else(|| Failure::field("inviteCode", "is required"))?;
    if code.len() != 22 || !code.bytes().all(|octet| octet.is_ascii_alphanumeric()) {
        return Err(Failure::field("inviteCode", "is not a code of 22 letters and digits"));
    }
    Ok(code.to_owned())
}

async fn preview(call: Call) -> Answer {
    let (account, code) = (call.account()?, code_of(&call)?);
    account.demand_online().await?;
    let found = account.operation("preview_invite_link", json!({"link": code})).await?;
    let group = found.get("group").filter(|group| group.is_object()).cloned().unwrap_or(found);
    Reply::json(200, &metadata(&group, true))
}

async fn join(call: Call) -> Answer {
    let (account, code) = (call.account()?, code_of(&call)?);
    account.demand_online().await?;
    let joined = account.operation("join_by_link", json!({"link": code})).await?;
    Reply::json(200, &json!({"accepted": true, "groupJid": joined.get("group")}))
}

async fn leave(call: Call) -> Answer {
    let (account, group) = (call.account()?, group_of(&call)?);
    account.demand_online().await?;
    account.operation("leave_group", json!({"group": group})).await?;
    Reply::json(200, &json!({"groupJid": group, "leave": true}))
}

/// An invitation.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct InviteForm {
    /// The group.
    group_jid: String,
    /// The words above the link.
    description: String,
    /// Who gets it.
    #[schemars(length(min = 1))]
    numbers: Vec<String>,
}

async fn send_invite(call: Call) -> Answer {
    let form: InviteForm = call.body()?;
    let account = call.account()?;
    account.demand_online().await?;
    let link = account.operation("get_invite_link", json!({"group": form.group_jid})).await?;
    let url = text(&link, "/url").unwrap_or_default();
    let words = format!("{}\n\n{url}", form.description);
    for (number, index) in form.numbers.iter().zip(0_u32..) {
        let to = recipient(&account, number).await?;
        let mut outgoing = Outgoing::new(to, json!({"type": "text", "text": words}));
        outgoing.extras = Map::new();
        outgoing.message_id = Some(call.message_id(index)?);
        sending::send(&call.server, &account, outgoing).await?;
    }
    Reply::json(200, &json!({"send": true, "inviteUrl": url}))
}

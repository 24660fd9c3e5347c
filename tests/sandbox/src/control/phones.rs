//! Routes about simulated phones.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Json, Router, routing};
use serde::{Deserialize, Serialize};
use whimbrel_proto::e2e::Message as Plain;
use whimbrel_wire::Jid;

use super::error::ApiError;
use super::extract::{Body, Query, Waiting};
use super::{Api, JsonList, Numbered, numbered};
use crate::LidStanding;
use crate::phone::{Message, Past, Phone, Receipt, SwitchChange, Switches};

pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/phones", routing::post(create).get(list))
        .route("/phones/{number}", routing::get(show))
        .route("/phones/{number}/scan", routing::post(scan))
        .route("/phones/{number}/code", routing::post(code))
        .route("/phones/{number}/send", routing::post(send))
        .route("/phones/{number}/messages", routing::get(messages))
        .route("/phones/{number}/receipts", routing::get(receipts))
        .route("/phones/{number}/read", routing::post(read))
        .route("/phones/{number}/past", routing::post(past))
        .route("/phones/{number}/unlink", routing::post(unlink))
        .route("/phones/{number}/switches", routing::post(switches))
        .route("/phones/{number}/offline", routing::post(offline))
        .route("/phones/{number}/online", routing::post(online))
        .route("/phones/{number}/migrate", routing::post(migrate))
        .route("/phones/{number}/new-lid", routing::post(new_lid))
        .route("/phones/{number}/new-raw-id", routing::post(new_raw_id))
        .route("/phones/{number}/change-number", routing::post(change_number))
        .route("/phones/{number}/share-number", routing::post(share_number))
        .route("/phones/{number}/reset-session", routing::post(reset_session))
        .route("/phones/{number}/forget-group-keys", routing::post(forget_group_keys))
        .route("/phones/{number}/let-add", routing::post(let_add))
}

/// A phone as the API shows it.
#[derive(Serialize)]
struct PhoneView {
    phone: String,
    name: String,
    jid: String,
    lid: String,
    online: bool,
    companions: Vec<u16>,
    switches: Switches,
}

impl PhoneView {
    fn of(phone: &Phone) -> Self {
        Self {
            phone: phone.number().to_owned(),
            name: phone.name().to_owned(),
            jid: phone.jid().to_string(),
            lid: phone.lid().to_string(),
            online: phone.is_online(),
            companions: phone.companions(),
            switches: phone.switches(),
        }
    }
}

pub(super) fn find(api: &Api, number: &str) -> Result<Phone, ApiError> {
    api.sandbox.find_phone(number).ok_or_else(|| ApiError::not_found(format!("there is no phone {number}")))
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct Create {
    phone: Option<String>,
    name: Option<String>,
    lid: Option<LidStanding>,
}

async fn create(
    State(api): State<Api>,
    Body(request): Body<Create>,
) -> Result<(StatusCode, Json<PhoneView>), ApiError> {
    let Create { phone, name, lid } = request;
    let phone = match lid {
        Some(lid) => api.sandbox.create_phone_standing(phone.as_deref(), name.as_deref(), lid).await?,
        None => api.sandbox.create_phone(phone.as_deref(), name.as_deref()).await?,
    };
    if api.echo {
        phone.set_switches(SwitchChange { echo: Some(true), ..SwitchChange::default() });
    }
    Ok((StatusCode::CREATED, Json(PhoneView::of(&phone))))
}

async fn list(State(api): State<Api>) -> Json<JsonList<PhoneView>> {
    Json(JsonList { items: api.sandbox.phones().iter().map(PhoneView::of).collect() })
}

async fn show(State(api): State<Api>, Path(number): Path<String>) -> Result<Json<PhoneView>, ApiError> {
    Ok(Json(PhoneView::of(&find(&api, &number)?)))
}

/// Gives a phone a past, which it hands to the companions that are linked from now on.
async fn past(
    State(api): State<Api>,
    Path(number): Path<String>,
    Body(past): Body<Past>,
) -> Result<StatusCode, ApiError> {
    find(&api, &number)?.remember(past);
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scan {
    qr: String,
}

/// The device that linking has created.
#[derive(Serialize)]
struct Linked {
    device: String,
}

async fn scan(
    State(api): State<Api>,
    Path(number): Path<String>,
    Body(request): Body<Scan>,
) -> Result<Json<Linked>, ApiError> {
    let device = find(&api, &number)?.scan(&request.qr).await?;
    Ok(Json(Linked { device: device.to_string() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Code {
    code: String,
}

async fn code(
    State(api): State<Api>,
    Path(number): Path<String>,
    Body(request): Body<Code>,
) -> Result<Json<Linked>, ApiError> {
    let device = find(&api, &number)?.enter_code(&request.code).await?;
    Ok(Json(Linked { device: device.to_string() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Send {
    to: String,
    /// A text.
    text: Option<String>,
    /// A message of any kind as protobuf, hexadecimal.
    raw: Option<String>,
    /// Who sees it, of a status.
    audience: Option<Vec<String>>,
}

/// The message that was accepted by the service.
#[derive(Serialize)]
struct Sent {
    id: String,
}

async fn send(
    State(api): State<Api>,
    Path(number): Path<String>,
    Body(request): Body<Send>,
) -> Result<Json<Sent>, ApiError> {
    let phone = find(&api, &number)?;
    let message = match (&request.text, request.raw) {
        (Some(text), None) => Plain { conversation: Some(text.clone()), ..Plain::default() },
        (None, Some(raw)) => {
            let message = hex::decode(raw).ok().and_then(|bytes| whimbrel_proto::decode(&bytes).ok());
            message.ok_or_else(|| ApiError::bad_request("raw is no message in hexadecimal"))?
        }
        _ => return Err(ApiError::bad_request("one of text and raw is needed")),
    };
    let id = match (request.audience, request.text) {
        (Some(audience), _) => {
            let audience: Vec<&str> = audience.iter().map(String::as_str).collect();
            phone.post_status(&audience, message).await?
        }
        (None, Some(text)) => phone.send_text(&request.to, &text).await?,
        (None, None) => phone.send_message(&request.to, message).await?,
    };
    Ok(Json(Sent { id }))
}

async fn messages(
    State(api): State<Api>,
    Path(number): Path<String>,
    Query(waiting): Query<Waiting>,
) -> Result<Json<JsonList<Numbered<Message>>>, ApiError> {
    let phone = find(&api, &number)?;
    Ok(Json(numbered(phone.messages_after(waiting.after, waiting.wait()?).await)))
}

async fn receipts(
    State(api): State<Api>,
    Path(number): Path<String>,
    Query(waiting): Query<Waiting>,
) -> Result<Json<JsonList<Numbered<Receipt>>>, ApiError> {
    let phone = find(&api, &number)?;
    Ok(Json(numbered(phone.receipts_after(waiting.after, waiting.wait()?).await)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    chat: String,
    ids: Vec<String>,
}

async fn read(
    State(api): State<Api>,
    Path(number): Path<String>,
    Body(request): Body<Read>,
) -> Result<StatusCode, ApiError> {
    find(&api, &number)?.mark_read(&request.chat, &request.ids).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unlink {
    device: u16,
}

async fn unlink(
    State(api): State<Api>,
    Path(number): Path<String>,
    Body(request): Body<Unlink>,
) -> Result<StatusCode, ApiError> {
    find(&api, &number)?.unlink(request.device).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn switches(
    State(api): State<Api>,
    Path(number): Path<String>,
    Body(change): Body<SwitchChange>,
) -> Result<Json<Switches>, ApiError> {
    let phone = find(&api, &number)?;
    phone.set_switches(change);
    Ok(Json(phone.switches()))
}

async fn offline(State(api): State<Api>, Path(number): Path<String>) -> Result<StatusCode, ApiError> {
    find(&api, &number)?.go_offline().await;
    Ok(StatusCode::NO_CONTENT)
}

async fn online(State(api): State<Api>, Path(number): Path<String>) -> Result<StatusCode, ApiError> {
    find(&api, &number)?.go_online().await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn migrate(State(api): State<Api>, Path(number): Path<String>) -> Result<StatusCode, ApiError> {
    find(&api, &number)?;
    api.sandbox.migrate(&number).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn new_lid(State(api): State<Api>, Path(number): Path<String>) -> Result<Json<PhoneView>, ApiError> {
    let phone = find(&api, &number)?;
    api.sandbox.renew_lid(&number)?;
    Ok(Json(PhoneView::of(&phone)))
}

async fn new_raw_id(State(api): State<Api>, Path(number): Path<String>) -> Result<StatusCode, ApiError> {
    find(&api, &number)?.change_raw_id().await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeNumber {
    to: String,
}

async fn change_number(
    State(api): State<Api>,
    Path(number): Path<String>,
    Body(request): Body<ChangeNumber>,
) -> Result<Json<PhoneView>, ApiError> {
    let phone = find(&api, &number)?;
    api.sandbox.change_number(&number, &request.to)?;
    Ok(Json(PhoneView::of(&phone)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ShareNumber {
    to: String,
}

async fn share_number(
    State(api): State<Api>,
    Path(number): Path<String>,
    Body(request): Body<ShareNumber>,
) -> Result<Json<Sent>, ApiError> {
    let id = find(&api, &number)?.share_number(&request.to).await?;
    Ok(Json(Sent { id }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ResetSession {
    device: String,
}

/// Whether there was something to forget.
#[derive(Serialize)]
struct Reset {
    existed: bool,
}

async fn reset_session(
    State(api): State<Api>,
    Path(number): Path<String>,
    Body(request): Body<ResetSession>,
) -> Result<Json<Reset>, ApiError> {
    let existed = find(&api, &number)?.reset_session(&request.device)?;
    Ok(Json(Reset { existed }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ForgetGroupKeys {
    group: String,
}

async fn forget_group_keys(
    State(api): State<Api>,
    Path(number): Path<String>,
    Body(request): Body<ForgetGroupKeys>,
) -> Result<Json<Reset>, ApiError> {
    let group = Jid::parse(&request.group).map_err(|_| ApiError::bad_request("group is no address"))?;
    let existed = find(&api, &number)?.forget_group_keys(&group);
    Ok(Json(Reset { existed }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LetAdd {
    who: String,
}

/// Who may add the person to groups: `all`, `contacts` or `none`.
async fn let_add(
    State(api): State<Api>,
    Path(number): Path<String>,
    Body(request): Body<LetAdd>,
) -> Result<StatusCode, ApiError> {
    if !matches!(request.who.as_str(), "all" | "contacts" | "none") {
        return Err(ApiError::bad_request("who is all, contacts or none"));
    }
    find(&api, &number)?;
    api.sandbox.let_add(&number, &request.who);
    Ok(StatusCode::NO_CONTENT)
}

//! Sending.

use axum::http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::forms::{Common, KeyForm, recipient};
use crate::access::Scope;
use crate::commands::media::{self, Given};
use crate::commands::sending::{self, Outgoing};
use crate::failure::{Failure, Problem};
use crate::web::call::{Answer, Call, Reply};
use crate::web::route::{Gate, Origin, Route, route};

pub(super) fn routes() -> Vec<Route> {
    let send = |name: &'static str, origin: Origin, route: Route| {
        route
            .tag("Messages")
            .about(name)
            .origin(origin)
            .native("send_message")
            .answers::<Value>(201, "The record of the message.")
    };
    let gate = Gate::Account(Scope::Send);
    let path = |name: &str| format!("/message/{name}/{{instanceName}}");
    vec![
        send(
            "Sends a text.",
            Origin::Stated,
            route(Method::POST, path("sendText"), "sendText", gate, text).takes::<Text>(),
        ),
        send(
            "Sends an image, a video, a sound or a document.",
            Origin::Stated,
            route(Method::POST, path("sendMedia"), "sendMedia", gate, file).takes_upload::<Media>(),
        ),
        send(
            "Sends a round video.",
            Origin::Project,
            route(Method::POST, path("sendPtv"), "sendPtv", gate, round).takes_upload::<Round>(),
        ),
        send(
            "Sends a voice note.",
            Origin::Stated,
            route(Method::POST, path("sendWhatsAppAudio"), "sendWhatsAppAudio", gate, voice)
                .takes_upload::<Voice>(),
        ),
        send(
            "Sends a sticker.",
            Origin::Project,
            route(Method::POST, path("sendSticker"), "sendSticker", gate, sticker).takes_upload::<Sticker>(),
        ),
        send(
            "Sends a place.",
            Origin::Stated,
            route(Method::POST, path("sendLocation"), "sendLocation", gate, location).takes::<Location>(),
        ),
        send(
            "Sends one or several contacts.",
            Origin::Project,
            route(Method::POST, path("sendContact"), "sendContact", gate, contact).takes::<Contacts>(),
        ),
        send(
            "Reacts to a message, or takes that back with an empty text.",
            Origin::Project,
            route(Method::POST, path("sendReaction"), "sendReaction", gate, reaction).takes::<Reaction>(),
        ),
        send(
            "Sends a poll.",
            Origin::Project,
            route(Method::POST, path("sendPoll"), "sendPoll", gate, poll).takes::<Poll>(),
        ),
        send(
            "Sends a list to choose from.",
            Origin::Stated,
            route(Method::POST, path("sendList"), "sendList", gate, list)
                .query::<String>(
                    "fallback",
                    "`text`: numbered lines are sent behind it for those who cannot see it.",
                )
                .takes::<List>(),
        ),
        send(
            "Sends words with buttons.",
            Origin::Stated,
            route(Method::POST, path("sendButtons"), "sendButtons", gate, buttons)
                .query::<String>(
                    "fallback",
                    "`text`: numbered lines are sent behind it for those who cannot see it.",
                )
                .takes::<Buttons>(),
        ),
        send(
            "Sends a status.",
            Origin::Project,
            route(Method::POST, path("sendStatus"), "sendStatus", gate, status).takes_upload::<Status>(),
        ),
        send(
            "Refused: templates are of the Cloud API.",
            Origin::Project,
            route(Method::POST, path("sendTemplate"), "sendTemplate", gate, template)
                .takes::<Map<String, Value>>(),
        ),
    ]
}

/// A text.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Text {
    #[serde(flatten)]
    common: Common,
    /// The words.
    text: String,
}

async fn text(call: Call) -> Answer {
    let form: Text = call.body()?;
    if form.text.is_empty() {
        return Err(Failure::new(Problem::Validation, "Text is required"));
    }
    form.common.send(&call, json!({"type": "text", "text": form.text}), "composing", None, Map::new()).await
}

/// Gets hold of a file and keeps it: its name, and what the engine is told of it.
async fn attach(
    call: &Call,
    text: Option<&str>,
    mimetype: Option<&str>,
    file_name: Option<&str>,
) -> Result<(String, Value, media::File), Failure> {
    let given = Given { text, upload: call.input.files.values().next(), mimetype, file_name };
    let file = media::obtain(&call.server, given).await.map_err(|failure| match failure.problem {
        Problem::Validation if failure.violations.iter().any(|violation| violation.field == "media") => {
            Failure::new(Problem::Validation, "Owned media must be a url or base64")
        }
        _ => failure,
    })?;
    let (name, described) = media::keep(&call.server, &file).await?;
    Ok((name, described, file))
}

/// A file.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Media {
    #[serde(flatten)]
    common: Common,
    /// What kind of message it becomes.
    mediatype: MediaType,
    /// An address, or the file in base64; not needed beside the part `file` of a form.
    #[serde(default)]
    media: Option<String>,
    /// What the file is, such as `image/jpeg`.
    #[serde(default)]
    mimetype: Option<String>,
    /// The words below it.
    #[serde(default)]
    caption: Option<String>,
    /// The name that is shown for a document.
    #[serde(default)]
    file_name: Option<String>,
}

/// What kind of message a file becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum MediaType {
    Image,
    Document,
    Video,
    Audio,
}

async fn file(call: Call) -> Answer {
    let form: Media = call.body()?;
    let by_address = form.media.as_deref().is_some_and(|text| text.starts_with("http"));
    if form.mediatype == MediaType::Document
        && !by_address
        && form.file_name.is_none()
        && call.input.files.is_empty()
    {
        return Err(Failure::new(Problem::Validation, "For base64 the file name must be informed."));
    }
    let (name, media, file) =
        attach(&call, form.media.as_deref(), form.mimetype.as_deref(), form.file_name.as_deref()).await?;
    let (kind, shows) = match form.mediatype {
        MediaType::Image => ("image", "composing"),
        MediaType::Video => ("video", "composing"),
        MediaType::Document => ("document", "composing"),
        MediaType::Audio => ("audio", "recording"),
    };
    let mut content = json!({"type": kind, "media": media});
    if let Some(members) = content.as_object_mut() {
        if form.mediatype != MediaType::Audio {
            members.insert("caption".to_owned(), json!(form.caption));
        }
        if form.mediatype == MediaType::Document {
            members.insert("fileName".to_owned(), json!(file.file_name));
        }
    }
    form.common.send(&call, content, shows, Some(name), Map::new()).await
}

/// A round video.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Round {
    #[serde(flatten)]
    common: Common,
    /// An address, or the file in base64.
    #[serde(default)]
    video: Option<String>,
}

async fn round(call: Call) -> Answer {
    let form: Round = call.body()?;
    let (name, media, _) = attach(&call, form.video.as_deref(), None, None).await?;
    form.common
        .send(&call, json!({"type": "video_note", "media": media}), "recording", Some(name), Map::new())
        .await
}

/// A voice note.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Voice {
    #[serde(flatten)]
    common: Common,
    /// An address, or the file in base64, with or without `data:audio/ogg;base64,` before it.
    #[serde(default)]
    audio: Option<String>,
    /// `true`, as if absent: a voice note; `false`: a sound as it is.
    #[serde(default)]
    encoding: Option<bool>,
}

async fn voice(call: Call) -> Answer {
    let form: Voice = call.body()?;
    let as_note = form.encoding.unwrap_or(true);
    let (name, mut media, file) = attach(&call, form.audio.as_deref(), None, None).await?;
    if as_note && !file.content.starts_with(b"OggS") {
        return Err(Failure::new(Problem::Validation, "audio cannot be converted"));
    }
    if as_note && let Some(members) = media.as_object_mut() {
        members.insert("mimetype".to_owned(), Value::from("audio/ogg; codecs=opus"));
    }
    let content = json!({"type": if as_note { "voice" } else { "audio" }, "media": media});
    form.common.send(&call, content, "recording", Some(name), Map::new()).await
}

/// A sticker.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Sticker {
    #[serde(flatten)]
    common: Common,
    /// An address, or the WebP file in base64.
    #[serde(default)]
    sticker: Option<String>,
}

async fn sticker(call: Call) -> Answer {
    let form: Sticker = call.body()?;
    let (name, media, file) = attach(&call, form.sticker.as_deref(), None, None).await?;
    if file.mimetype != "image/webp" {
        return Err(Failure::new(Problem::Validation, "a sticker has to be WebP"));
    }
    form.common
        .send(&call, json!({"type": "sticker", "media": media}), "composing", Some(name), Map::new())
        .await
}

/// A place.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Location {
    #[serde(flatten)]
    common: Common,
    /// Degrees to the north.
    #[schemars(range(min = -90.0, max = 90.0))]
    latitude: f64,
    /// Degrees to the east.
    #[schemars(range(min = -180.0, max = 180.0))]
    longitude: f64,
    /// What it is called.
    #[serde(default)]
    name: Option<String>,
    /// Its address.
    #[serde(default)]
    address: Option<String>,
}

async fn location(call: Call) -> Answer {
    let form: Location = call.body()?;
    let content = json!({
        "type": "location", "latitude": form.latitude, "longitude": form.longitude,
        "name": form.name, "address": form.address,
    });
    form.common.send(&call, content, "composing", None, Map::new()).await
}

/// Contacts.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Contacts {
    #[serde(flatten)]
    common: Common,
    /// One or several.
    #[schemars(length(min = 1))]
    contact: Vec<Contact>,
}

/// A contact.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Contact {
    /// The whole name.
    full_name: String,
    /// The number as the service has it, in digits.
    #[serde(default)]
    wuid: Option<String>,
    /// The number as people write it.
    phone_number: String,
    /// Where they work.
    #[serde(default)]
    organization: Option<String>,
    /// Their address for mail.
    #[serde(default)]
    email: Option<String>,
    /// Their page.
    #[serde(default)]
    url: Option<String>,
}

impl Contact {
    fn vcard(&self) -> String {
        // What ends lines or separates fields would change the card.
        let clean = |text: &str| text.replace(['\r', '\n', ';'], " ");
        let digits: String = self.phone_number.chars().filter(char::is_ascii_digit).collect();
        let wuid = self.wuid.as_deref().map(clean).filter(|text| !text.is_empty()).unwrap_or(digits);
        let name = clean(&self.full_name);
        let mut card = format!("BEGIN:VCARD\nVERSION:3.0\nN:{name}\nFN:{name}\n");
        let fields = [("ORG", &self.organization), ("EMAIL", &self.email), ("URL", &self.url)];
        for (field, value) in fields {
            if let Some(value) = value.as_deref().filter(|value| !value.is_empty()) {
                card.push_str(&format!("{field}:{}\n", clean(value)));
            }
        }
        card.push_str(&format!(
            "item1.TEL;waid={wuid}:{}\nitem1.X-ABLabel:Celular\nEND:VCARD",
            clean(&self.phone_number)
        ));
        card
    }
}

async fn contact(call: Call) -> Answer {
    let form: Contacts = call.body()?;
    let content = match form.contact.as_slice() {
        [one] => json!({"type": "contact", "name": one.full_name, "vcard": one.vcard()}),
        several => json!({
            "type": "contacts",
            "name": format!("{} contacts", several.len()),
            "names": several.iter().map(|one| one.full_name.as_str()).collect::<Vec<_>>(),
            "vcards": several.iter().map(Contact::vcard).collect::<Vec<_>>(),
        }),
    };
    form.common.send(&call, content, "composing", None, Map::new()).await
}

/// A reaction.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Reaction {
    /// The message.
    key: KeyForm,
    /// One emoji, or nothing to take a reaction back.
    reaction: String,
}

async fn reaction(call: Call) -> Answer {
    let form: Reaction = call.body()?;
    let account = call.account()?;
    if form.reaction.chars().any(|character| character.is_ascii_alphanumeric()) {
        return Err(Failure::new(Problem::Validation, "Reaction must be an emoji"));
    }
    let (Some(id), Some(chat)) = (form.key.id.clone(), form.key.remote_jid.clone()) else {
        return Err(Failure::field("key", "needs id and remoteJid"));
    };
    account.demand_online().await?;
    let to = recipient(&account, &chat).await?;
    let sender = match (form.key.from_me, &form.key.participant) {
        (Some(true), _) => account.own_phone().map(|own| own.to_string()),
        (_, Some(participant)) => Some(recipient(&account, participant).await?.id),
        _ => None,
    };
    let emoji = Some(form.reaction.clone()).filter(|emoji| !emoji.is_empty());
    let request = json!({"chat": to.id, "targetId": id, "sender": sender, "emoji": emoji});
    let sent = account.operation("react", request).await?;
    let data = json!({
        "messageId": sent.get("messageId"), "chat": to.json(), "fromMe": true,
        "timestamp": crate::store::now_ms() / 1000,
    });
    let said = super::record::Said {
        kind: "reactionMessage".to_owned(),
        message: json!({"reactionMessage": {
            "key": {"remoteJid": chat, "fromMe": form.key.from_me.unwrap_or(false), "id": id}, "text": form.reaction,
        }}),
        context: Value::Null,
    };
    Reply::json(201, &super::record::record(&data, said, &account.row(), Some("PENDING")))
}

/// A poll.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Poll {
    #[serde(flatten)]
    common: Common,
    /// The question.
    name: String,
    /// How many answers somebody may choose; 0: any number.
    #[schemars(range(min = 0, max = 12))]
    selectable_count: u32,
    /// The answers.
    #[schemars(length(min = 2, max = 12), extend("uniqueItems" = true))]
    values: Vec<String>,
}

async fn poll(call: Call) -> Answer {
    let form: Poll = call.body()?;
    let content = json!({
        "type": "poll", "name": form.name, "options": form.values, "selectable": form.selectable_count,
    });
    form.common.send(&call, content, "composing", None, Map::new()).await
}

/// A list.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct List {
    #[serde(flatten)]
    common: Common,
    /// The head.
    title: String,
    /// The words.
    #[serde(default)]
    description: Option<String>,
    /// What is written on the button that opens it.
    #[serde(default)]
    button_text: Option<String>,
    /// The foot.
    #[serde(default)]
    footer_text: Option<String>,
    /// What is in it.
    #[schemars(length(min = 1))]
    sections: Vec<Section>,
}

/// A part of a list.
#[derive(Deserialize, JsonSchema)]
struct Section {
    /// Its head.
    #[serde(default)]
    title: Option<String>,
    /// What is in it.
    #[schemars(length(min = 1))]
    rows: Vec<Row>,
}

/// A line of a list.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Row {
    /// What is written.
    title: String,
    /// What is written below.
    #[serde(default)]
    description: Option<String>,
    /// Comes back when it is chosen.
    row_id: String,
}

/// What is sent behind content that receivers may not see.
fn fallback(call: &Call) -> Map<String, Value> {
    let mut more = Map::new();
    let word = if call.query("fallback") == Some("text") { "composed" } else { "nothing" };
    more.insert("fallback".to_owned(), Value::from(word));
    more
}

async fn list(call: Call) -> Answer {
    let form: List = call.body()?;
    let mut ids: Vec<&str> =
        form.sections.iter().flat_map(|section| &section.rows).map(|row| row.row_id.as_str()).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    if ids.len() != count {
        return Err(Failure::new(Problem::Validation, "rowId must be unique"));
    }
    let sections: Vec<_> = form
        .sections
        .iter()
        .map(|section| {
            let row =
                |row: &Row| json!({"id": row.row_id, "title": row.title, "description": row.description});
            json!({"title": section.title, "rows": section.rows.iter().map(row).collect::<Vec<_>>()})
        })
        .collect();
    let content = json!({
        "type": "list",
        "title": form.title,
        "description": form.description.unwrap_or_default(),
        "button": form.button_text.unwrap_or_else(|| "Menu".to_owned()),
        "footer": form.footer_text.filter(|text| !text.is_empty()),
        "sections": sections,
    });
    form.common.send(&call, content, "composing", None, fallback(&call)).await
}

/// Words with buttons.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Buttons {
    #[serde(flatten)]
    common: Common,
    /// The head.
    title: String,
    /// The words.
    #[serde(default)]
    description: Option<String>,
    /// The foot.
    #[serde(default)]
    footer: Option<String>,
    /// The address of a picture above.
    #[serde(default)]
    thumbnail_url: Option<String>,
    /// The buttons.
    buttons: Vec<Button>,
}

/// A button.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Button {
    /// What it does.
    #[serde(rename = "type")]
    kind: ButtonType,
    /// What is written on it.
    #[serde(default)]
    display_text: Option<String>,
    /// Comes back when it is pressed.
    #[serde(default)]
    id: Option<String>,
    /// The page that it opens.
    #[serde(default)]
    url: Option<String>,
    /// What it copies.
    #[serde(default)]
    copy_code: Option<String>,
    /// Who it calls.
    #[serde(default)]
    phone_number: Option<String>,
    /// The currency of a payment.
    #[serde(default)]
    currency: Option<String>,
    /// Who is paid.
    #[serde(default)]
    name: Option<String>,
    /// The kind of the payment's key.
    #[serde(default)]
    key_type: Option<String>,
    /// The payment's key.
    #[serde(default)]
    key: Option<String>,
}

/// What a button does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum ButtonType {
    Reply,
    Copy,
    Url,
    Call,
    Pix,
}

impl Button {
    /// The button as the service's flows have it.
    fn flow(&self) -> Value {
        let shown = self.display_text.clone().unwrap_or_default();
        let (name, params) = match self.kind {
            ButtonType::Reply => ("quick_reply", json!({"display_text": shown, "id": self.id})),
            ButtonType::Copy => ("cta_copy", json!({"display_text": shown, "copy_code": self.copy_code})),
            ButtonType::Url => {
                ("cta_url", json!({"display_text": shown, "url": self.url, "merchant_url": self.url}))
            }
            ButtonType::Call => {
                ("cta_call", json!({"display_text": shown, "phone_number": self.phone_number}))
            }
            ButtonType::Pix => (
                "payment_info",
                json!({
                    "currency": self.currency,
                    "total_amount": {"value": 0, "offset": 100},
                    "reference_id": "", "type": "physical-goods",
                    "order": {"status": "pending", "subtotal": {"value": 0, "offset": 100}, "order_type": "ORDER", "items": []},
                    "payment_settings": [{"type": "pix_static_code", "pix_static_code": {
                        "merchant_name": self.name, "key": self.key,
                        "key_type": self.key_type.as_deref().map(str::to_ascii_uppercase),
                    }}],
                }),
            ),
        };
        json!({"name": name, "paramsJson": params.to_string(), "label": self.display_text})
    }
}

/// The rules that Evolution has for buttons.
fn demand_buttons(buttons: &[Button]) -> Result<(), Failure> {
    let count = |kind: ButtonType| buttons.iter().filter(|button| button.kind == kind).count();
    let (replies, pix) = (count(ButtonType::Reply), count(ButtonType::Pix));
    let wrong = if buttons.is_empty() {
        "At least one button is required"
    } else if pix > 1 {
        "Only one PIX button is allowed"
    } else if pix == 1 && buttons.len() > 1 {
        "PIX button cannot be mixed with other button types"
    } else if replies > 3 {
        "Maximum of 3 reply buttons allowed"
    } else if replies > 0 && replies < buttons.len() {
        "Reply buttons cannot be mixed with other button types"
    } else {
        return Ok(());
    };
    Err(Failure::new(Problem::Validation, wrong))
}

async fn buttons(call: Call) -> Answer {
    let form: Buttons = call.body()?;
    demand_buttons(&form.buttons)?;
    // Evolution writes the head in bold above the words.
    let body = match form.description.as_deref().filter(|text| !text.is_empty()) {
        Some(description) => format!("*{}*\n\n{description}", form.title),
        None => format!("*{}*", form.title),
    };
    let mut content = json!({
        "type": "interactive",
        "body": body,
        "footer": form.footer,
        "buttons": form.buttons.iter().map(Button::flow).collect::<Vec<_>>(),
    });
    let mut file = None;
    if let Some(url) = form.thumbnail_url.as_deref().filter(|url| !url.is_empty()) {
        let obtained = media::obtain(&call.server, Given { text: Some(url), ..Given::default() }).await?;
        let account = call.account()?;
        let (name, described) = media::keep(&call.server, &obtained).await?;
        let path = described.get("path").cloned().unwrap_or(Value::Null);
        let uploaded = account.operation("upload_media", json!({"path": path, "kind": "image"})).await?;
        if let Some(members) = content.as_object_mut() {
            members.insert("header".to_owned(), json!({"media": {"reference": uploaded.get("reference")}}));
        }
        file = Some(name);
    }
    form.common.send(&call, content, "composing", file, fallback(&call)).await
}

/// A status.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Status {
    /// What it is.
    #[serde(rename = "type")]
    kind: StatusType,
    /// The words, or the file as an address or in base64.
    #[serde(default)]
    content: Option<String>,
    /// The words below a file.
    #[serde(default)]
    caption: Option<String>,
    /// The colour behind a text, such as `#008000`.
    #[serde(default)]
    background_color: Option<String>,
    /// The font of a text.
    #[serde(default)]
    #[schemars(range(min = 0, max = 5))]
    font: Option<i32>,
    /// Who sees it.
    #[serde(default)]
    status_jid_list: Vec<String>,
    /// Everybody sees it whom the account's own setting means.
    #[serde(default)]
    all_contacts: bool,
}

/// What a status is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum StatusType {
    Text,
    Image,
    Audio,
    Video,
}

async fn status(call: Call) -> Answer {
    let form: Status = call.body()?;
    if form.status_jid_list.is_empty() && !form.all_contacts {
        return Err(Failure::new(Problem::Validation, "StatusJidList is required"));
    }
    let account = call.account()?;
    let mut file = None;
    let content = if form.kind == StatusType::Text {
        let colour = form.background_color.as_deref().and_then(colour);
        let text = form.content.clone().filter(|text| !text.is_empty());
        let text = text.ok_or_else(|| Failure::new(Problem::Validation, "Content is required"))?;
        json!({"type": "text", "text": text, "style": {"background": colour, "font": form.font}})
    } else {
        let (name, media, _) = attach(&call, form.content.as_deref(), None, None).await?;
        file = Some(name);
        match form.kind {
            StatusType::Image => json!({"type": "image", "media": media, "caption": form.caption}),
            StatusType::Video => json!({"type": "video", "media": media, "caption": form.caption}),
            _ => json!({"type": "voice", "media": media}),
        }
    };
    let to = crate::commands::recipients::resolve(&account, "status@broadcast").await?;
    let mut outgoing = Outgoing::new(to, content);
    if !form.all_contacts {
        let mut audience = Vec::new();
        for person in &form.status_jid_list {
            audience.push(recipient(&account, person).await?.id);
        }
        outgoing.extras.insert("audience".to_owned(), json!(audience));
    }
    outgoing.file = file;
    outgoing.message_id = Some(call.message_id(0)?);
    let accepted = sending::send(&call.server, &account, outgoing).await?;
    let said = super::record::said(&accepted.event);
    Reply::json(201, &super::record::record(&accepted.event.data, said, &account.row(), Some("PENDING")))
}

/// A colour as `#RRGGBB`, without anything showing through.
fn colour(text: &str) -> Option<u32> {
    let digits = text.strip_prefix('#')?;
    let colour = u32::from_str_radix(digits, 16).ok()?;
    (digits.len() == 6).then_some(0xff00_0000 | colour)
}

async fn template(_: Call) -> Answer {
    Err(Failure::new(Problem::Validation, "Method not available in the Baileys service"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn button(kind: ButtonType) -> Button {
        Button {
            kind,
            display_text: None,
            id: None,
            url: None,
            copy_code: None,
            phone_number: None,
            currency: None,
            name: None,
            key_type: None,
            key: None,
        }
    }

    #[test]
    fn buttons_obey_the_rules_of_evolution() {
        use ButtonType::{Pix, Reply, Url};
        let judge = |kinds: &[ButtonType]| {
            let buttons: Vec<_> = kinds.iter().map(|kind| button(*kind)).collect();
            demand_buttons(&buttons).map_err(|failure| failure.detail)
        };
        assert_eq!(judge(&[]).unwrap_err(), "At least one button is required");
        assert_eq!(judge(&[Reply, Reply, Reply, Reply]).unwrap_err(), "Maximum of 3 reply buttons allowed");
        assert_eq!(
            judge(&[Reply, Url]).unwrap_err(),
            "Reply buttons cannot be mixed with other button types"
        );
        assert_eq!(judge(&[Pix, Pix]).unwrap_err(), "Only one PIX button is allowed");
        assert_eq!(judge(&[Pix, Url]).unwrap_err(), "PIX button cannot be mixed with other button types");
        assert!(judge(&[Reply, Reply]).is_ok() && judge(&[Pix]).is_ok() && judge(&[Url, Url]).is_ok());
    }

    #[test]
    fn a_card_cannot_be_changed_by_what_is_in_it() {
        let contact = Contact {
            full_name: "Ben\nEND:VCARD".to_owned(),
            wuid: None,
            phone_number: "+31 6 87654321".to_owned(),
            organization: None,
            email: None,
            url: None,
        };
        let card = contact.vcard();
        assert_eq!(card.matches("\nEND:VCARD").count(), 1);
        assert!(card.contains("waid=31687654321:+31 6 87654321"));
    }

    #[test]
    fn colours_are_opaque() {
        assert_eq!(colour("#008000"), Some(0xff00_8000));
        assert_eq!(colour("green"), None);
    }
}

//! Lists and buttons. Phones draw them in part, and which changes: without a fallback some see nothing.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::forms::Common;
use super::sends;
use crate::commands::media::{self, Given};
use crate::failure::{Failure, Problem};
use crate::web::call::{Answer, Call};
use crate::web::route::{Origin, Route};

pub(super) fn routes() -> Vec<Route> {
    let menu = |name, about, handler: Sender| {
        sends(name, Origin::Stated, about, handler).query::<String>(
            "fallback",
            "`text`: numbered lines are sent behind it for those who cannot see it.",
        )
    };
    vec![
        menu("sendList", "Sends a list to choose from.", |call| Box::pin(list(call))).takes::<List>(),
        menu("sendButtons", "Sends words with buttons.", |call| Box::pin(buttons(call))).takes::<Buttons>(),
    ]
}

type Sender = fn(Call) -> std::pin::Pin<Box<dyn Future<Output = Answer> + Send>>;

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
}

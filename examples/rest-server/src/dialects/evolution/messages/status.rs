//! Statuses.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::super::forms::recipient;
use super::super::record::{record, said};
use super::files::attach;
use super::sends;
use crate::commands::sending::{self, Outgoing};
use crate::failure::{Failure, Problem};
use crate::web::call::{Answer, Call, Reply};
use crate::web::route::{Origin, Route};

pub(super) fn routes() -> Vec<Route> {
    vec![sends("sendStatus", Origin::Project, "Sends a status.", status).takes_upload::<Status>()]
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
    let said = said(&accepted.event);
    Reply::json(201, &record(&accepted.event.data, said, &account.row(), Some("PENDING")))
}

/// A colour as `#RRGGBB`, without anything showing through.
fn colour(text: &str) -> Option<u32> {
    let digits = text.strip_prefix('#')?;
    let colour = u32::from_str_radix(digits, 16).ok()?;
    (digits.len() == 6).then_some(0xff00_0000 | colour)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_opaque() {
        assert_eq!(colour("#008000"), Some(0xff00_8000));
        assert_eq!(colour("green"), None);
    }
}

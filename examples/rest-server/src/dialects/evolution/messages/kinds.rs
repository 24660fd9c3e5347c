//! Texts, places, contacts, reactions and polls.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::forms::{Common, KeyForm, recipient};
use super::super::record::{Said, record};
use super::sends;
use crate::failure::{Failure, Problem};
use crate::web::call::{Answer, Call, Reply};
use crate::web::route::{Origin, Route};

pub(super) fn routes() -> Vec<Route> {
    let project = Origin::Project;
    vec![
        sends("sendText", Origin::Stated, "Sends a text.", text).takes::<Text>(),
        sends("sendLocation", Origin::Stated, "Sends a place.", location).takes::<Location>(),
        sends("sendContact", project, "Sends one or several contacts.", contact).takes::<Contacts>(),
        sends(
            "sendReaction",
            project,
            "Reacts to a message, or takes that back with an empty text.",
            reaction,
        )
        .takes::<Reaction>(),
        sends("sendPoll", project, "Sends a poll.", poll).takes::<Poll>(),
        sends("sendTemplate", project, "Refused: templates are of the Cloud API.", template)
            .takes::<Map<String, Value>>(),
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
    let said = Said {
        kind: "reactionMessage".to_owned(),
        message: json!({"reactionMessage": {
            "key": {"remoteJid": chat, "fromMe": form.key.from_me.unwrap_or(false), "id": id}, "text": form.reaction,
        }}),
        context: Value::Null,
    };
    Reply::json(201, &record(&data, said, &account.row(), Some("PENDING")))
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

async fn template(_: Call) -> Answer {
    Err(Failure::new(Problem::Validation, "Method not available in the Baileys service"))
}

#[cfg(test)]
mod tests {
    use super::*;

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
}

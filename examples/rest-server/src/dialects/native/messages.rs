//! Messages.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::forms::{AcceptedMessage, FileSource, NewMessage};
use super::operations::without_local_files;
use crate::access::Scope;
use crate::commands::media::{self, Given};
use crate::commands::recipients;
use crate::commands::sending::{self, Outgoing};
use crate::failure::{Failure, Problem};
use crate::web::call::{Answer, Call, Reply};
use crate::web::route::{Gate, Route, route};

/// How long a request may wait for the service's word.
const ACK: Duration = Duration::from_secs(30);

pub(super) fn routes() -> Vec<Route> {
    let messages = "/v1/accounts/{account}/messages";
    vec![
        route(Method::POST, messages, "post_message", Gate::Account(Scope::Send), send)
            .tag("Messages")
            .about("Sends a message of any kind. It is kept when this answers, and sent under one id whatever happens.")
            .native("send_message")
            .query::<String>("wait", "`ack`: answer when the service has it, within 30 seconds.")
            .takes::<NewMessage>()
            .large()
            .answers::<AcceptedMessage>(202, "It is kept.")
            .answers::<AcceptedMessage>(201, "The service has it."),
        route(Method::GET, messages, "list_messages", Gate::Account(Scope::Read), list)
            .tag("Messages")
            .about("Finds messages in the archive, newest first.")
            .native("find_messages")
            .query::<String>("chat", "In this chat.")
            .query::<String>("sender", "By this person.")
            .query::<String>("text", "With these words.")
            .query::<i64>("after", "From this time on, seconds since 1970.")
            .query::<i64>("before", "Before this time, seconds since 1970.")
            .query::<u32>("limit", "At most so many, 1 to 500; 50 if absent.")
            .query::<String>("cursor", "`next` of the page before.")
            .answers::<Value>(200, "A page of messages, as `find_messages` has it."),
        route(Method::GET, format!("{messages}/{{message}}"), "read_message", Gate::Account(Scope::Read), get)
            .tag("Messages")
            .about("Tells everything that is known of a message: who has it and read it, reactions, votes.")
            .native("get_message")
            .query::<String>("chat", "The chat; looked up if absent.")
            .answers::<Value>(200, "The message, as `get_message` has it."),
    ]
}

async fn send(call: Call) -> Answer {
    let account = call.account()?;
    let form: NewMessage = call.body()?;
    let to = recipients::resolve(&account, &form.to).await.map_err(|failure| named(failure, "to"))?;
    let content = match (form.content, form.text) {
        (Some(content), None) => content,
        (None, Some(text)) => {
            let mut content = Map::new();
            content.insert("type".to_owned(), Value::from("text"));
            content.insert("text".to_owned(), Value::from(text));
            content
        }
        _ => return Err(Failure::field("content", "is needed, or text in its place")),
    };
    let mut content = Value::Object(content);
    without_local_files("send_message", &content)?;
    let mut outgoing = Outgoing::new(to, Value::Null);
    if let Some(source) = form.file {
        outgoing.file = Some(attach(&call, &source, &mut content).await?);
    }
    outgoing.content = content;
    let extras = [
        ("quote", form.quote.map(Value::Object)),
        ("mentions", Some(json!(form.mentions))),
        ("forwarded", Some(Value::Bool(form.forwarded))),
        ("viewOnce", Some(Value::Bool(form.view_once))),
        ("fallback", form.fallback.map(Value::from)),
        ("fallbackText", form.fallback_text.map(Value::from)),
    ];
    outgoing.extras =
        extras.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    (outgoing.delay_ms, outgoing.shows) = (form.delay_ms, "composing");
    outgoing.message_id = Some(call.message_id(0)?);
    let accepted = sending::send(&call.server, &account, outgoing).await?;
    let waits = call.query("wait") == Some("ack");
    if waits {
        sending::wait_sent(&account, &accepted.message_id, ACK).await?;
    }
    let (status, word) = if waits { (201, "sent") } else { (202, "queued") };
    let view = AcceptedMessage { id: accepted.message_id, status: word, to: accepted.to.json() };
    Reply::json(status, &view)
}

fn named(mut failure: Failure, field: &str) -> Failure {
    for violation in &mut failure.violations {
        violation.field = field.to_owned();
    }
    failure
}

/// Gets hold of the file of a message, and names it in the content.
async fn attach(call: &Call, source: &FileSource, content: &mut Value) -> Result<String, Failure> {
    let text = match (&source.url, &source.base64, &source.media) {
        (Some(text), None, None) | (None, Some(text), None) => Some(text.as_str()),
        (None, None, Some(_)) => None,
        _ => return Err(Failure::field("file", "needs one of url, base64 and media")),
    };
    if source.url.as_deref().is_some_and(|url| !url.starts_with("http")) {
        return Err(Failure::field("file.url", "is neither http nor https"));
    }
    let given =
        Given { text, upload: None, mimetype: source.mimetype.as_deref(), file_name: source.name.as_deref() };
    let file = match &source.media {
        Some(id) => super::media::uploaded(call, id).await?,
        None => media::obtain(&call.server, given).await?,
    };
    let (name, described) = media::keep(&call.server, &file).await?;
    let Some(members) = content.as_object_mut() else {
        return Err(Failure::field("content", "is not an object"));
    };
    members.insert("media".to_owned(), described);
    if members.get("type").and_then(Value::as_str) == Some("document") && !members.contains_key("fileName") {
        members.insert("fileName".to_owned(), json!(file.file_name));
    }
    Ok(name)
}

async fn list(call: Call) -> Answer {
    let account = call.account()?;
    let mut request = Map::new();
    for name in ["chat", "sender", "text", "cursor"] {
        if let Some(value) = call.query(name) {
            request.insert(name.to_owned(), Value::from(value));
        }
    }
    for name in ["after", "before", "limit"] {
        if let Some(value) = call.query_number::<i64>(name)? {
            request.insert(name.to_owned(), Value::from(value));
        }
    }
    Reply::json(200, &account.operation("find_messages", Value::Object(request)).await?)
}

async fn get(call: Call) -> Answer {
    let account = call.account()?;
    let id = call.path("message")?;
    if let Some(chat) = call.query("chat") {
        let request = json!({"chat": chat, "messageId": id});
        return Reply::json(200, &account.operation("get_message", request).await?);
    }
    let found = account.operation("find_messages", json!({"messageId": id, "limit": 1})).await?;
    let first = found.get("items").and_then(Value::as_array).and_then(|items| items.first());
    let first = first.ok_or_else(|| Failure::new(Problem::NotFound, "there is no such message"))?;
    let place = json!({
        "chat": first.pointer("/chat/id"),
        "messageId": id,
        "sender": first.pointer("/sender/id"),
    });
    Reply::json(200, &account.operation("get_message", place).await?)
}

//! Files: pictures, videos, sounds, documents, voice notes and stickers.

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
    let about = "Sends an image, a video, a sound or a document.";
    vec![
        sends("sendMedia", Origin::Stated, about, file).takes_upload::<Media>(),
        sends("sendPtv", Origin::Project, "Sends a round video.", round).takes_upload::<Round>(),
        sends("sendWhatsAppAudio", Origin::Stated, "Sends a voice note.", voice).takes_upload::<Voice>(),
        sends("sendSticker", Origin::Project, "Sends a sticker.", sticker).takes_upload::<Sticker>(),
    ]
}

/// Gets hold of a file and keeps it: its name, and what the engine is told of it.
pub(super) async fn attach(
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

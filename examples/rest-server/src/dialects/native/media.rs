//! Files: uploaded to this server, and downloaded from messages.

use std::sync::Arc;

use axum::http::{Method, header};
use rusqlite::{OptionalExtension as _, params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access::{Scope, secret};
use crate::commands::media::{self, File};
use crate::events::native::time;
use crate::failure::{Failure, Problem};
use crate::hosting::Account;
use crate::store::now_ms;
use crate::web::call::{Answer, Call, Reply};
use crate::web::route::{Gate, Route, route};

/// How long a file of this server is kept.
const KEPT_MS: i64 = 24 * 3600 * 1000;

/// A file that was uploaded.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct UploadedFile {
    /// Names it in `file.media` of a message.
    id: String,
    /// What it is.
    mimetype: String,
    /// Its length in bytes.
    size: usize,
    /// When it is forgotten.
    expires_at: String,
}

/// A file of a message.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Reference {
    /// `content.media.reference` of the message.
    reference: String,
}

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(
            Method::POST,
            "/v1/accounts/{account}/media",
            "upload_file",
            Gate::Account(Scope::Send),
            upload,
        )
        .tag("Media")
        .about("Uploads a file, to be sent once or several times within a day.")
        .takes_octets()
        .answers::<UploadedFile>(201, "It is kept."),
        route(Method::GET, "/v1/accounts/{account}/media/{id}", "get_file", Gate::Account(Scope::Read), get)
            .tag("Media")
            .about("Answers with a file that was uploaded.")
            .answers_with(200, "application/octet-stream", "The file."),
        route(
            Method::POST,
            "/v1/accounts/{account}/media/download",
            "download_file",
            Gate::Account(Scope::Read),
            download,
        )
        .tag("Media")
        .about(
            "Downloads the file of a message; should the service not have it any more, the phone is asked.",
        )
        .native("download_media")
        .takes::<Reference>()
        .answers_with(200, "application/octet-stream", "The file."),
    ]
}

async fn upload(call: Call) -> Answer {
    let account = call.account()?;
    let content = match call.input.files.values().next() {
        Some(file) => file.content.clone(),
        None => call.input.raw.clone(),
    };
    if content.is_empty() {
        return Err(Failure::field("", "the body is empty"));
    }
    let declared =
        call.input.content_type.clone().filter(|kind| !kind.starts_with("application/octet-stream"));
    let declared = declared.filter(|kind| !kind.starts_with("multipart/"));
    let mimetype = declared.unwrap_or_else(|| media::kind_of(&content, None));
    let size = content.len();
    let length = i64::try_from(size).unwrap_or(i64::MAX);
    let file = File { content, mimetype: mimetype.clone(), file_name: None };
    let (name, _) = media::keep(&call.server, &file).await?;
    let id = secret::token(26).map_err(|error| Failure::internal(&error))?;
    let expires_at = now_ms() + KEPT_MS;
    let row = (id.clone(), account.id.clone(), name, mimetype.clone());
    let done = call.server.store.unit(move |unit| {
        let (id, account, name, mimetype) = row;
        unit.execute(
            "INSERT INTO media (id, account, file, mimetype, size, created_at, expires_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![id, account, name, mimetype, length, now_ms(), expires_at],
        )?;
        Ok(())
    });
    done.await?;
    Reply::json(201, &UploadedFile { id, mimetype, size, expires_at: time(expires_at) })
}

/// A file that was uploaded to an account.
async fn find(call: &Call, account: &Arc<Account>, id: &str) -> Result<File, Failure> {
    let (account, id) = (account.id.clone(), id.to_owned());
    let found = call.server.store.unit(move |unit| {
        let row = unit.query_row(
            "SELECT file, mimetype, file_name FROM media WHERE id = ?1 AND account = ?2 AND expires_at > ?3",
            params![id, account, now_ms()],
            |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, Option<String>>(2)?)),
        );
        Ok(row.optional()?)
    });
    let (name, mimetype, file_name) = found.await?.ok_or_else(|| Failure::missing("file"))?;
    let content = tokio::fs::read(media::path_of(&call.server, &name)).await;
    let content = content.map_err(|_| Failure::new(Problem::MediaGone, "the file is gone"))?;
    Ok(File { content: content.into(), mimetype, file_name })
}

/// The file that a message of this request is sent with.
pub(super) async fn uploaded(call: &Call, id: &str) -> Result<File, Failure> {
    find(call, &call.account()?, id).await
}

async fn get(call: Call) -> Answer {
    let file = find(&call, &call.account()?, call.path("id")?).await?;
    Ok(Reply::octets(200, "application/octet-stream", file.content)
        .header(header::CONTENT_TYPE, &file.mimetype)
        .header(header::CONTENT_DISPOSITION, "attachment")
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
}

async fn download(call: Call) -> Answer {
    let form: Reference = call.body()?;
    let content = media::download(&call.account()?, &form.reference).await?;
    let kind = media::kind_of(&content, None);
    Ok(Reply::octets(200, "application/octet-stream", content)
        .header(header::CONTENT_TYPE, &kind)
        .header(header::CONTENT_DISPOSITION, "attachment")
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
}

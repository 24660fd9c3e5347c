//! Files in requests: fetched from an address, decoded from base64, or taken from a form; kept in the
//! server's folder until they were sent.

use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use serde_json::{Value, json};

use crate::failure::{Failure, Problem};
use crate::hosting::Account;
use crate::server::Server;
use crate::web::call::Upload;

/// A file that is to be sent.
#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(crate) content: Bytes,
    pub(crate) mimetype: String,
    pub(crate) file_name: Option<String>,
}

/// Where a file in a request may be.
#[derive(Clone, Debug, Default)]
pub(crate) struct Given<'a> {
    /// An address, or base64 with or without the head of a data URL.
    pub(crate) text: Option<&'a str>,
    /// The file of a form.
    pub(crate) upload: Option<&'a Upload>,
    /// What the request says it is; wins over everything else.
    pub(crate) mimetype: Option<&'a str>,
    pub(crate) file_name: Option<&'a str>,
}

/// Gets hold of a file.
pub(crate) async fn obtain(server: &Server, given: Given<'_>) -> Result<File, Failure> {
    let said = given.mimetype.map(str::to_owned);
    let named = given.file_name.map(str::to_owned);
    if let Some(upload) = given.upload {
        demand_size(server, upload.content.len())?;
        let declared = upload.mimetype.clone().filter(|kind| kind != "application/octet-stream");
        let file_name = named.or_else(|| upload.file_name.clone());
        let mimetype = said.or(declared).unwrap_or_else(|| kind_of(&upload.content, file_name.as_deref()));
        return Ok(File { content: upload.content.clone(), mimetype, file_name });
    }
    let text = given.text.map(str::trim).filter(|text| !text.is_empty());
    let text = text.ok_or_else(|| Failure::field("media", "is required"))?;
    if text.starts_with("http://") || text.starts_with("https://") {
        let fetched = server.fetcher.file(text).await?;
        let file_name = named.or(fetched.file_name);
        let told = fetched.mimetype.filter(|kind| kind != "application/octet-stream");
        let mimetype = said.or(told).unwrap_or_else(|| kind_of(&fetched.content, file_name.as_deref()));
        return Ok(File { content: fetched.content.into(), mimetype, file_name });
    }
    let (head, data) = match text.strip_prefix("data:").and_then(|text| text.split_once(',')) {
        Some((head, data)) => {
            (head.split(';').next().map(str::to_owned).filter(|kind| kind.contains('/')), data)
        }
        None => (None, text),
    };
    let content = decode(data).ok_or_else(|| Failure::field("media", "is neither an address nor base64"))?;
    demand_size(server, content.len())?;
    let mimetype = said.or(head).unwrap_or_else(|| kind_of(&content, named.as_deref()));
    Ok(File { content: content.into(), mimetype, file_name: named })
}

fn demand_size(server: &Server, length: usize) -> Result<(), Failure> {
    if u64::try_from(length).unwrap_or(u64::MAX) > server.settings.max_media {
        return Err(Failure::new(Problem::MediaTooLarge, "the file is too large"));
    }
    Ok(())
}

/// Decodes base64 as clients write it: with or without padding, in either alphabet, with line ends.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let text: String = text.chars().filter(|character| !character.is_ascii_whitespace()).collect();
    if text.is_empty() {
        return None;
    }
    let bare = text.trim_end_matches('=');
    STANDARD
        .decode(&text)
        .or_else(|_| STANDARD_NO_PAD.decode(bare))
        .or_else(|_| URL_SAFE_NO_PAD.decode(bare))
        .ok()
}

/// Encodes as base64.
pub(crate) fn encode(octets: &[u8]) -> String {
    STANDARD.encode(octets)
}

/// What a file is, by its first octets or its name.
pub(crate) fn kind_of(content: &[u8], file_name: Option<&str>) -> String {
    let starts = |magic: &[u8]| content.starts_with(magic);
    let at = |place: usize, magic: &[u8]| content.get(place..).is_some_and(|rest| rest.starts_with(magic));
    let by_content = if starts(b"\xff\xd8\xff") {
        "image/jpeg"
    } else if starts(b"\x89PNG") {
        "image/png"
    } else if starts(b"GIF8") {
        "image/gif"
    } else if starts(b"RIFF") && at(8, b"WEBP") {
        "image/webp"
    } else if starts(b"RIFF") && at(8, b"WAVE") {
        "audio/wav"
    } else if starts(b"OggS") {
        "audio/ogg; codecs=opus"
    } else if at(4, b"ftypM4A") {
        "audio/mp4"
    } else if at(4, b"ftyp") {
        "video/mp4"
    } else if starts(b"ID3") || starts(b"\xff\xfb") || starts(b"\xff\xf3") {
        "audio/mpeg"
    } else if starts(b"fLaC") {
        "audio/flac"
    } else if starts(b"%PDF") {
        "application/pdf"
    } else {
        ""
    };
    if !by_content.is_empty() {
        return by_content.to_owned();
    }
    let extension = file_name.and_then(|name| name.rsplit_once('.')).map(|(_, end)| end.to_ascii_lowercase());
    match extension.as_deref().unwrap_or_default() {
        "jpg" | "jpeg" => "image/jpeg",
        "png" => "image/png",
        "webp" => "image/webp",
        "gif" => "image/gif",
        "mp4" => "video/mp4",
        "mp3" => "audio/mpeg",
        "ogg" | "opus" => "audio/ogg; codecs=opus",
        "m4a" => "audio/mp4",
        "wav" => "audio/wav",
        "pdf" => "application/pdf",
        "txt" => "text/plain",
        "csv" => "text/csv",
        "json" => "application/json",
        "zip" => "application/zip",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        _ => "application/octet-stream",
    }
    .to_owned()
}

/// Writes a file into the server's folder. Returns its name there, and the engine's word for it.
pub(crate) async fn keep(server: &Server, file: &File) -> Result<(String, Value), Failure> {
    let name = uuid::Uuid::new_v4().to_string();
    let path = path_of(server, &name);
    tokio::fs::write(&path, &file.content).await.map_err(|error| Failure::internal(&error))?;
    let media = json!({"path": path.to_string_lossy(), "mimetype": file.mimetype});
    Ok((name, media))
}

/// Where a file of the server's folder is.
pub(crate) fn path_of(server: &Server, name: &str) -> PathBuf {
    server.settings.data.join("files").join(name)
}

/// Downloads the file of a message.
pub(crate) async fn download(account: &Arc<Account>, reference: &str) -> Result<Vec<u8>, Failure> {
    let server = account.server()?;
    let path = path_of(&server, &uuid::Uuid::new_v4().to_string());
    let request = json!({
        "reference": reference, "path": path.to_string_lossy(), "maxLength": server.settings.max_media,
    });
    let done = account.operation("download_media", request).await;
    let content = match done {
        Ok(_) => tokio::fs::read(&path).await.map_err(|error| Failure::internal(&error)),
        Err(failure) => Err(failure),
    };
    // Nothing is left behind; it may not be there if the download failed.
    let _ = tokio::fs::remove_file(&path).await;
    content
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_as_clients_write_it() {
        for text in ["aGk/", "aGk_", "aG\nk/ "] {
            assert_eq!(decode(text).as_deref(), Some(b"hi?".as_slice()), "{text}");
        }
        assert_eq!(decode("aGkh").as_deref(), Some(b"hi!".as_slice()));
        assert_eq!(decode("aA==").as_deref(), decode("aA").as_deref());
        assert_eq!(decode("not base64!"), None);
        assert_eq!(decode(""), None);
    }

    #[test]
    fn files_are_known_by_content_before_name() {
        assert_eq!(kind_of(b"%PDF-1.7", Some("x.png")), "application/pdf");
        assert_eq!(kind_of(b"\0\0\0\x18ftypmp42", None), "video/mp4");
        assert_eq!(kind_of(b"hello", Some("a.txt")), "text/plain");
        assert_eq!(kind_of(b"hello", None), "application/octet-stream");
    }
}

//! Bodies: JSON, forms, forms with files, octets. Compatible dialects take what their clients send, whatever
//! the request says it is.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::extract::{DefaultBodyLimit, FromRequest as _, Multipart};
use axum::http::{HeaderMap, Request, header};
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde_json::{Map, Value};

use super::call::{Input, Upload};
use super::route::BodyForm;
use crate::failure::{Failure, Problem};

fn too_large(limit: usize) -> Failure {
    Failure::new(Problem::MediaTooLarge, format!("the body is larger than {limit} bytes"))
}

/// Reads a body of at most so many octets.
async fn octets(body: Body, limit: usize) -> Result<Bytes, Failure> {
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large(limit)),
        Err(_) => Err(Failure::field("", "the body ended early")),
    }
}

/// Reads and understands a body.
pub(crate) async fn read(
    headers: &HeaderMap,
    body: Body,
    form: Option<BodyForm>,
    lenient: bool,
    limit: usize,
) -> Result<Input, Failure> {
    let content_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let kind = content_type.as_deref().unwrap_or_default().to_ascii_lowercase();
    if kind.starts_with("multipart/form-data") && form != Some(BodyForm::Raw) {
        return multipart(headers, body, limit, content_type).await;
    }
    let raw = octets(body, limit).await?;
    let mut input = Input { raw: raw.clone(), content_type, ..Input::default() };
    if form == Some(BodyForm::Raw) || raw.iter().all(u8::is_ascii_whitespace) {
        return Ok(input);
    }
    let first = raw.iter().copied().find(|octet| !octet.is_ascii_whitespace());
    let looks_json = matches!(first, Some(b'{' | b'['));
    if kind.starts_with("application/x-www-form-urlencoded") && !(lenient && looks_json) {
        let pairs = form_urlencoded::parse(&raw);
        let owned = pairs.map(|(name, value)| (name.into_owned(), value.into_owned()));
        input.json = nested(owned);
        return Ok(input);
    }
    let is_json = kind.is_empty() || kind.contains("json") || (lenient && looks_json);
    if !is_json && form.is_none() {
        // Nobody asked for a body.
        return Ok(input);
    }
    if !is_json && form == Some(BodyForm::Upload) {
        let upload = Upload { content: raw, file_name: None, mimetype: input.content_type.clone() };
        input.files.insert("file".to_owned(), upload);
        return Ok(input);
    }
    match serde_json::from_slice(&raw) {
        Ok(value) => input.json = value,
        Err(_) if form.is_none() && lenient => {}
        Err(error) => return Err(Failure::field("", format!("the body is not JSON: {error}"))),
    }
    Ok(input)
}

async fn multipart(
    headers: &HeaderMap,
    body: Body,
    limit: usize,
    content_type: Option<String>,
) -> Result<Input, Failure> {
    let mut request = Request::new(Body::new(Limited::new(body, limit)));
    *request.headers_mut() = headers.clone();
    // The limit stands above; this switches off the framework's own, which is smaller.
    DefaultBodyLimit::disable().apply(&mut request);
    let bad = |error: &dyn std::fmt::Display| Failure::field("", format!("the form is not valid: {error}"));
    let mut parts = Multipart::from_request(request, &()).await.map_err(|error| bad(&error))?;
    let (mut pairs, mut files) = (Vec::new(), BTreeMap::new());
    while let Some(part) = parts.next_field().await.map_err(|error| bad(&error))? {
        let name = part.name().unwrap_or_default().to_owned();
        let file_name = part.file_name().map(str::to_owned);
        let mimetype = part.content_type().map(str::to_owned);
        let content = part.bytes().await.map_err(|error| match error.status().as_u16() {
            413 => too_large(limit),
            _ => bad(&error),
        })?;
        let is_text = mimetype.as_deref().is_none_or(|kind| kind.starts_with("text/plain"));
        match String::from_utf8(content.to_vec()) {
            Ok(text) if file_name.is_none() && is_text => pairs.push((name, text)),
            _ => {
                files.insert(name, Upload { content, file_name, mimetype });
            }
        }
    }
    Ok(Input { json: nested(pairs.into_iter()), files, raw: Bytes::new(), content_type })
}

/// Fields of a form or query as JSON: `a[b]=c` is a member of a member, `a[]=c` an item of a list.
pub(crate) fn nested(pairs: impl Iterator<Item = (String, String)>) -> Value {
    let mut root = Value::Object(Map::new());
    for (name, value) in pairs {
        let (head, rest) = name.split_once('[').unwrap_or((&name, ""));
        let mut steps = vec![head];
        steps.extend(rest.split('[').map(|step| step.trim_end_matches(']')).take_while(|_| !rest.is_empty()));
        put(&mut root, &steps, value);
    }
    root
}

fn put(place: &mut Value, steps: &[&str], value: String) {
    let Some((step, rest)) = steps.split_first() else {
        *place = Value::String(value);
        return;
    };
    if step.is_empty() || (place.is_array() && step.parse::<usize>().is_ok()) {
        if !place.is_array() {
            *place = Value::Array(Vec::new());
        }
        if let Some(items) = place.as_array_mut() {
            let mut item = Value::Null;
            put(&mut item, rest, value);
            items.push(item);
        }
        return;
    }
    if !place.is_object() {
        *place = Value::Object(Map::new());
    }
    if let Some(members) = place.as_object_mut() {
        put(members.entry((*step).to_owned()).or_insert(Value::Null), rest, value);
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use serde_json::json;

    use super::*;

    fn headers(kind: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        headers
    }

    async fn json_of(kind: &'static str, body: &'static str, lenient: bool) -> Result<Value, Failure> {
        let input = read(&headers(kind), Body::from(body), Some(BodyForm::Json), lenient, 1000).await;
        input.map(|input| input.json)
    }

    #[tokio::test]
    async fn json_is_json_whatever_a_compatible_client_calls_it() {
        let form = "application/x-www-form-urlencoded";
        assert_eq!(json_of(form, " {\"a\":1}", true).await.unwrap(), json!({"a": 1}));
        assert_eq!(
            json_of(form, "a=1&b%5Bc%5D=2&d[]=3&d[]=4", true).await.unwrap(),
            json!({
                "a": "1", "b": {"c": "2"}, "d": ["3", "4"],
            })
        );
        assert_eq!(json_of("application/json", "", true).await.unwrap(), Value::Null);
        assert_eq!(json_of("application/json", "{", true).await.unwrap_err().problem, Problem::Validation);
    }

    #[tokio::test]
    async fn forms_give_texts_and_files() {
        let body = "--x\r\nContent-Disposition: form-data; name=\"delay\"\r\nContent-Type: text/plain; type=number\r\n\r\n12\r\n\
                    --x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.bin\"\r\nContent-Type: application/octet-stream\r\n\r\n\u{1}\u{2}\r\n--x--\r\n";
        let headers = headers("multipart/form-data; boundary=x");
        let input = read(&headers, Body::from(body), Some(BodyForm::Upload), true, 10_000).await.unwrap();
        assert_eq!(input.json, json!({"delay": "12"}));
        let file = &input.files["file"];
        assert_eq!((&file.content[..], file.file_name.as_deref()), (&[1, 2][..], Some("a.bin")));
    }

    #[tokio::test]
    async fn bodies_over_the_limit_are_refused() {
        let body = Body::from(vec![b' '; 2000]);
        let failure = read(&HeaderMap::new(), body, Some(BodyForm::Json), true, 1000).await.unwrap_err();
        assert_eq!(failure.problem, Problem::MediaTooLarge);
    }
}

//! The service's GraphQL interface: JSON in stanzas of `w:mex` (features document §4.1). The numbers of
//! the operations are in a table of `whimbrel-proto`.

use std::time::Duration;

use serde_json::{Value, json};
use whimbrel_proto::mex;
use whimbrel_wire::{Jid, Node, NodeRef};

use crate::client::Inner;
use crate::connection::{Connection, iq};
use crate::error::{Code, Error, Outcome};

/// Asks for an operation by its name and returns what stands under `root` in the answer.
pub(crate) async fn ask(
    client: &Inner,
    connection: &Connection,
    operation: &'static str,
    variables: Value,
    root: &str,
    timeout: Duration,
) -> Result<Value, Error> {
    let Some(request) = request(operation, &variables) else {
        return Err(Error::new(Code::Internal, "the operation has no number"));
    };
    let answer = connection.request(client.request_ids.next(), request, timeout).await?;
    read(&answer, root)
}

/// The stanza that asks for an operation; `None` if it is not in the table. Changes are asked for like
/// questions.
pub(crate) fn request(operation: &str, variables: &Value) -> Option<Node> {
    let body = json!({ "variables": variables }).to_string();
    let query = Node::new("query").attr("query_id", mex::newest(operation)?).text(body);
    Some(Node::new("iq").attr("to", Jid::SERVER).attr("type", "get").attr("xmlns", "w:mex").child(query))
}

/// What an answer has under `root`; an error in it is an error.
pub(crate) fn read(answer: &NodeRef<'_>, root: &str) -> Result<Value, Error> {
    let Some(mut body) = answer.child_bytes("result").and_then(body) else { return Err(unreadable()) };
    if let Some(error) = body.get("errors").and_then(Value::as_array).and_then(|errors| error(errors)) {
        return Err(error);
    }
    body.get_mut("data").and_then(|data| data.get_mut(root)).map(Value::take).ok_or_else(unreadable)
}

/// The JSON of an answer or announcement.
pub(crate) fn body(json: &[u8]) -> Option<Value> {
    serde_json::from_slice(json).ok()
}

fn unreadable() -> Error {
    Error::new(Code::Refused, "the service's answer could not be read").with_outcome(Outcome::Unknown)
}

/// The error of an answer. Which one counts: one that sums up the others, else one with a number, else
/// the first, as the web client has it.
fn error(errors: &[Value]) -> Option<Error> {
    let detail = |error: &Value, name: &str| error.get("extensions").and_then(|more| more.get(name)).cloned();
    let sums_up = |error: &&Value| detail(error, "is_summary") == Some(Value::Bool(true));
    let has_number = |error: &&Value| detail(error, "error_code").is_some_and(|code| code.is_u64());
    let telling = errors.iter().find(sums_up).or_else(|| errors.iter().find(has_number));
    let telling = telling.or_else(|| errors.first())?;
    let status = detail(telling, "error_code").and_then(|code| code.as_u64());
    let status = status.and_then(|status| u16::try_from(status).ok()).unwrap_or(500);
    Some(iq::refusal(status))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(body: &str) -> Node {
        Node::new("iq").child(Node::new("result").text(body.to_owned()))
    }

    #[test]
    fn requests_carry_the_number_and_the_variables() {
        let request = request("FetchGroupIsInternal", &json!({ "id": "1@g.us" })).unwrap();
        assert!(request.attr_is("xmlns", "w:mex") && request.attr_is("type", "get"));
        let query = request.child_named("query").unwrap();
        assert!(query.attr_is("query_id", "34119218944390847"));
        assert_eq!(query.content_text(), Some(r#"{"variables":{"id":"1@g.us"}}"#));
        assert_eq!(super::request("NoSuchThing", &json!({})), None);
    }

    #[test]
    fn answers_are_read_and_errors_told_apart() {
        let read = |body: &str| read(&answer(body), "root");
        assert_eq!(read(r#"{"data":{"root":{"id":"1"}}}"#).unwrap(), json!({ "id": "1" }));
        assert_eq!(read(r#"{"data":{"root":null},"errors":[]}"#).unwrap(), Value::Null);
        let status = |body: &str| {
            let error = read(body).unwrap_err();
            (error.code(), error.service_status(), error.outcome())
        };
        let one = r#"{"data":null,"errors":[{"message":"no","extensions":{"error_code":403}}]}"#;
        assert_eq!(status(one), (Code::Forbidden, 403, Outcome::Refused));
        // One that sums up goes before others with a number, and these before the first.
        let several = r#"{"errors":[{},{"extensions":{"error_code":404}},
            {"extensions":{"error_code":429,"is_summary":true}}]}"#;
        assert_eq!(status(several), (Code::RateLimited, 429, Outcome::Refused));
        let numbered = r#"{"errors":[{},{"extensions":{"error_code":404}}]}"#;
        assert_eq!(status(numbered), (Code::NotFound, 404, Outcome::Refused));
        assert_eq!(status(r#"{"errors":[{}]}"#).1, 500);
        for nothing in ["", "[]", r#"{"data":{}}"#, r#"{"data":null}"#] {
            assert_eq!(status(nothing), (Code::Refused, 0, Outcome::Unknown), "{nothing}");
        }
        assert!(super::read(&Node::new("iq"), "root").is_err());
    }
}

//! Failures in the words of Evolution.

use serde_json::{Value, json};

use super::Profile;
use crate::failure::{Failure, Problem};
use crate::web::call::Reply;

/// The status and the word for a kind of failure.
fn words(failure: &Failure, profile: Profile) -> (u16, &'static str) {
    let nm = profile == Profile::Nm;
    let invalid_key = failure.extra == Some(json!("invalid"));
    match failure.problem {
        Problem::Unauthorized if nm && invalid_key => (403, "Forbidden"),
        Problem::Unauthorized => (401, "Unauthorized"),
        Problem::Forbidden | Problem::RecipientBlocked => (403, "Forbidden"),
        Problem::AccountNotFound if nm => (404, "Instance not found"),
        Problem::AccountNotFound | Problem::NotFound | Problem::NoRoute => (404, "Not Found"),
        Problem::Conflict if nm => (409, "Instance exists"),
        Problem::Conflict => (403, "Forbidden"),
        Problem::IdempotencyConflict => (409, "Conflict"),
        Problem::MediaTooLarge => (413, "Payload Too Large"),
        Problem::RateLimited | Problem::ReachoutRestricted if nm => (429, "Rate limit exceeded"),
        Problem::RateLimited | Problem::ReachoutRestricted => (429, "Too Many Requests"),
        Problem::NotSupported => (501, "Not Implemented"),
        Problem::Unavailable => (503, "Service Unavailable"),
        Problem::Internal if nm => (500, "Internal error"),
        Problem::Internal | Problem::Upstream | Problem::ClientOutdated => (500, "Internal Server Error"),
        Problem::Timeout => (504, "Gateway Timeout"),
        Problem::Validation
        | Problem::NotLinked
        | Problem::NotConnected
        | Problem::RecipientNotOnWhatsapp
        | Problem::MediaUnreachable
        | Problem::MediaGone
        | Problem::EditWindowPassed => (400, "Bad Request"),
    }
}

/// What is said of a failure.
fn message(failure: &Failure) -> Value {
    match failure.problem {
        Problem::Unauthorized => json!("Unauthorized"),
        Problem::Internal => json!("Internal Server Error"),
        Problem::RecipientNotOnWhatsapp => match &failure.extra {
            Some(extra) => json!([extra]),
            None => json!([failure.detail]),
        },
        Problem::Validation if !failure.violations.is_empty() => {
            let texts = failure.violations.iter().map(|violation| {
                let words = format!("{} {}", violation.field, violation.rule);
                words.trim().to_owned()
            });
            json!(texts.collect::<Vec<_>>())
        }
        Problem::RateLimited => json!("Too many requests"),
        _ => json!([failure.detail]),
    }
}

/// The answer.
pub(super) fn render(failure: &Failure, profile: Profile, request_id: &str) -> Reply {
    let (status, word) = words(failure, profile);
    let mut response = json!({"message": message(failure)});
    if status >= 500
        && let Some(members) = response.as_object_mut()
    {
        // Finds the line in the log.
        members.insert("id".to_owned(), Value::from(request_id));
    }
    let body = json!({"status": status, "error": word, "response": response});
    Reply::octets(status, "application/json; charset=utf-8", body.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_differ_where_their_sources_do() {
        let words = |problem, profile| words(&Failure::new(problem, "x"), profile);
        assert_eq!(words(Problem::Conflict, Profile::Nm), (409, "Instance exists"));
        assert_eq!(words(Problem::Conflict, Profile::V2), (403, "Forbidden"));
        assert_eq!(words(Problem::AccountNotFound, Profile::Nm), (404, "Instance not found"));
        let invalid = Failure::new(Problem::Unauthorized, "x").with(json!("invalid"));
        assert_eq!(super::words(&invalid, Profile::Nm), (403, "Forbidden"));
        assert_eq!(super::words(&invalid, Profile::V2), (401, "Unauthorized"));
    }
}

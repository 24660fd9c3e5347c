//! Questions and answers about restrictions: JSON in stanzas of `w:mex` (features document §4.1, §13.3,
//! §16.3, §16.4).

use serde_json::{Value, json};
use whimbrel_wire::{Node, NodeRef};

use super::{RestrictionKind, Word};
use crate::error::Error;
use crate::mex;

const TIMELOCK: &str = "FetchReachoutTimelock";
const CAP: &str = "FetchNewChatMessageCappingInfo";

const TIMELOCK_ANSWER: &str = "xwa2_fetch_account_reachout_timelock";
const TIMELOCK_NOTICE: &str = "xwa2_notify_account_reachout_timelock";
const CAP_ANSWER: &str = "xwa2_message_capping_info";
const CAP_NOTICE: &str = "xwa2_notify_new_chat_messages_capping_info_update";

/// The question how a restriction stands, if there is one.
pub(super) fn query(kind: RestrictionKind) -> Option<Node> {
    match kind {
        RestrictionKind::ReachoutTimelock => mex::request(TIMELOCK, &json!({})),
        RestrictionKind::NewChatCap => {
            mex::request(CAP, &json!({ "input": { "type": "INDIVIDUAL_NEW_CHAT_THREAD" } }))
        }
        RestrictionKind::Other => None,
    }
}

/// What the answer says.
pub(super) fn answered(kind: RestrictionKind, answer: &NodeRef<'_>) -> Option<Word> {
    let data = data(answer.child_bytes("result")?)?;
    match kind {
        RestrictionKind::ReachoutTimelock => timelock(data.get(TIMELOCK_ANSWER)?),
        RestrictionKind::NewChatCap => cap(data.get(CAP_ANSWER)?),
        RestrictionKind::Other => None,
    }
}

/// All that the answer says.
pub(super) fn state(kind: RestrictionKind, answer: &NodeRef<'_>) -> Result<Value, Error> {
    let root = match kind {
        RestrictionKind::NewChatCap => CAP_ANSWER,
        RestrictionKind::ReachoutTimelock | RestrictionKind::Other => TIMELOCK_ANSWER,
    };
    mex::read(answer, root)
}

/// What a notification says; `None` if it is about something else.
pub(super) fn notified(notification: &NodeRef<'_>) -> Option<(RestrictionKind, Word)> {
    let data = data(notification.child_bytes("update")?)?;
    // By what it holds: names of notifications have changed before.
    if let Some(state) = data.get(TIMELOCK_NOTICE) {
        return Some((RestrictionKind::ReachoutTimelock, timelock(state)?));
    }
    Some((RestrictionKind::NewChatCap, cap(data.get(CAP_NOTICE)?)?))
}

fn data(json: &[u8]) -> Option<Value> {
    mex::body(json)?.get_mut("data").map(Value::take)
}

fn timelock(state: &Value) -> Option<Word> {
    let active = match state.get("is_active")? {
        Value::Bool(active) => *active,
        Value::String(text) => text.eq_ignore_ascii_case("true"),
        _ => return None,
    };
    if !active {
        return Some(Word::Lifted);
    }
    let reason = state.get("enforcement_type").and_then(Value::as_str).filter(|reason| !reason.is_empty());
    Some(Word::Active { until: seconds(state, "time_enforcement_ends"), reason: reason.map(str::to_owned) })
}

fn cap(state: &Value) -> Option<Word> {
    let status = state.get("capping_status")?.as_str()?;
    if status != "CAPPED" {
        return Some(Word::Lifted);
    }
    Some(Word::Active { until: seconds(state, "cycle_end_timestamp"), reason: None })
}

/// A time; numbers may be strings.
fn seconds(state: &Value, field: &str) -> Option<i64> {
    match state.get(field)? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(json: &str) -> Node {
        let update = Node::new("update").attr("op_name", "X").text(json.to_owned());
        Node::new("notification").attr("type", "mex").child(update)
    }

    fn answer(json: &str) -> Node {
        Node::new("iq").child(Node::new("result").text(json.to_owned()))
    }

    #[test]
    fn questions_name_their_operation() {
        let timelock = query(RestrictionKind::ReachoutTimelock).unwrap();
        assert!(timelock.attr_is("xmlns", "w:mex"));
        let body = timelock.child_named("query").unwrap();
        assert!(body.attr_is("query_id", "23983697327930364"));
        for kind in [RestrictionKind::ReachoutTimelock, RestrictionKind::NewChatCap] {
            let query = query(kind).unwrap();
            let json: Value = serde_json::from_slice(query.child_bytes("query").unwrap()).unwrap();
            assert!(json["variables"].is_object());
        }
        assert!(query(RestrictionKind::Other).is_none());
    }

    #[test]
    fn answers_and_notifications_are_read_in_the_forms_that_occur() {
        let until = |until, reason: Option<&str>| Word::Active { until, reason: reason.map(str::to_owned) };
        let kind = RestrictionKind::ReachoutTimelock;
        let text = r#"{"data":{"xwa2_fetch_account_reachout_timelock":{"is_active":true,"time_enforcement_ends":"1795999999","enforcement_type":"WEB_COMPANION_ONLY"}}}"#;
        assert_eq!(
            answered(kind, &answer(text)),
            Some(until(Some(1_795_999_999), Some("WEB_COMPANION_ONLY")))
        );
        let text = r#"{"data":{"xwa2_fetch_account_reachout_timelock":{"is_active":false}}}"#;
        assert_eq!(answered(kind, &answer(text)), Some(Word::Lifted));
        let text = r#"{"data":{"xwa2_notify_account_reachout_timelock":{"is_active":true,"time_enforcement_ends":17}}}"#;
        assert_eq!(notified(&notice(text)), Some((kind, until(Some(17), None))));
        let text = r#"{"data":{"xwa2_notify_account_reachout_timelock":{"is_active":true,"time_enforcement_ends":null}}}"#;
        assert_eq!(notified(&notice(text)), Some((kind, until(None, None))));

        let kind = RestrictionKind::NewChatCap;
        let text = r#"{"data":{"xwa2_message_capping_info":{"cycle_end_timestamp":"1797000000","capping_status":"CAPPED"}}}"#;
        assert_eq!(answered(kind, &answer(text)), Some(until(Some(1_797_000_000), None)));
        let text = r#"{"data":{"xwa2_notify_new_chat_messages_capping_info_update":{"capping_status":"FIRST_WARNING"}}}"#;
        assert_eq!(notified(&notice(text)), Some((kind, Word::Lifted)));
    }

    #[test]
    fn what_says_nothing_changes_nothing() {
        for text in [
            "",
            "[]",
            "{}",
            r#"{"data":null,"errors":[{"message":"no"}]}"#,
            r#"{"data":{"xwa2_fetch_account_reachout_timelock":null}}"#,
            r#"{"data":{"xwa2_fetch_account_reachout_timelock":{"is_active":1}}}"#,
            r#"{"data":{"xwa2_notify_newsletter_on_join":{}}}"#,
        ] {
            assert_eq!(answered(RestrictionKind::ReachoutTimelock, &answer(text)), None, "{text}");
            assert_eq!(answered(RestrictionKind::NewChatCap, &answer(text)), None, "{text}");
            assert_eq!(notified(&notice(text)), None, "{text}");
        }
        assert_eq!(notified(&Node::new("notification")), None);
    }
}

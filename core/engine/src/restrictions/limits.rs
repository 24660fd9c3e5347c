//! How far the account may go: the lock on reaching out, and how many chats it may begin.

use serde_json::Value;
use tokio::time::Instant;

use super::{RestrictionKind, stanza};
use crate::client::{Client, Inner};
use crate::connection::Connection;
use crate::error::{Code, Error};
use crate::options::CallOptions;

/// What the service says of an account's limits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccountLimits {
    /// Whether the account may not write to people whom it has had no contact with.
    pub reachout_locked: bool,
    /// When that ends, seconds since 1970, if the service said so.
    pub reachout_until: Option<i64>,
    /// The service's word for the reason, such as `BIZ_QUALITY`, if it gave one.
    pub reachout_reason: Option<String>,
    /// How many chats the account may begin; `None` where the service does not count them.
    pub new_chats: Option<NewChats>,
}

/// How many chats an account may begin in a time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewChats {
    /// So many in all, if the service said it.
    pub total: Option<i64>,
    /// So many of them are begun.
    pub used: Option<i64>,
    /// When the time began, seconds since 1970.
    pub cycle_start: Option<i64>,
    /// When it ends.
    pub cycle_end: Option<i64>,
    /// The service's word: `NONE`, `FIRST_WARNING`, `SECOND_WARNING`, `CAPPED`.
    pub status: String,
    /// The service's word for one extension: `NOT_ELIGIBLE`, `ELIGIBLE`, `ACTIVE_IN_CURRENT_CYCLE`,
    /// `EXHAUSTED`.
    pub extension: Option<String>,
    /// The service's word for what a paid verification adds: `NOT_ELIGIBLE`, `NOT_ACTIVE`, `ACTIVE`,
    /// `ACTIVE_UPGRADE_AVAILABLE`.
    pub verification: Option<String>,
}

impl Client {
    /// Asks the service how far this account may go. What it says is heeded from then on, as when it says so
    /// by itself.
    ///
    /// # Errors
    /// [`Code::Refused`]; [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn limits(&self, options: CallOptions) -> Result<AccountLimits, Error> {
        self.call("get_limits", options.timeout, move |client, deadline| async move {
            client.linked_account()?;
            let connection = client.wait_for_connection(deadline).await?;
            let lock = ask(&client, &connection, RestrictionKind::ReachoutTimelock, deadline).await?;
            let cap = match ask(&client, &connection, RestrictionKind::NewChatCap, deadline).await {
                Ok(cap) => cap,
                // A service without a cap has no such question.
                Err(error) if matches!(error.code(), Code::Refused | Code::NotFound) => None,
                Err(error) => return Err(error),
            };
            Ok(read(lock.as_ref(), cap.as_ref()))
        })
        .await
    }
}

async fn ask(
    client: &Inner,
    connection: &Connection,
    kind: RestrictionKind,
    deadline: Instant,
) -> Result<Option<Value>, Error> {
    let Some(query) = stanza::query(kind) else { return Ok(None) };
    let left = deadline.saturating_duration_since(Instant::now());
    let answer = connection.request(client.request_ids.next(), query, left).await?;
    if let Some(word) = stanza::answered(kind, &answer) {
        client.unit(|unit| unit.hear_of_restriction(kind, word)).await?;
    }
    stanza::state(kind, &answer).map(|state| Some(state).filter(|state| !state.is_null()))
}

fn number(state: &Value, name: &str) -> Option<i64> {
    match state.get(name)? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn word(state: &Value, name: &str) -> Option<String> {
    state.get(name).and_then(Value::as_str).map(str::to_owned).filter(|word| !word.is_empty())
}

fn read(lock: Option<&Value>, cap: Option<&Value>) -> AccountLimits {
    let locked = |lock: &Value| match lock.get("is_active") {
        Some(Value::Bool(active)) => *active,
        Some(Value::String(text)) => text.eq_ignore_ascii_case("true"),
        _ => false,
    };
    let lock = lock.filter(|lock| locked(lock));
    AccountLimits {
        reachout_locked: lock.is_some(),
        reachout_until: lock.and_then(|lock| number(lock, "time_enforcement_ends")),
        reachout_reason: lock.and_then(|lock| word(lock, "enforcement_type")),
        new_chats: cap.map(|cap| NewChats {
            total: number(cap, "total_quota"),
            used: number(cap, "used_quota"),
            cycle_start: number(cap, "cycle_start_timestamp"),
            cycle_end: number(cap, "cycle_end_timestamp"),
            status: word(cap, "capping_status").unwrap_or_default(),
            extension: word(cap, "ote_status"),
            verification: word(cap, "mv_status"),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_in_the_forms_that_occur() {
        let lock = serde_json::json!({ "is_active": true, "time_enforcement_ends": "17", "enforcement_type": "DEFAULT" });
        let cap = serde_json::json!({ "total_quota": "100", "used_quota": 7, "capping_status": "NONE", "mv_status": "ACTIVE" });
        let limits = read(Some(&lock), Some(&cap));
        assert_eq!((limits.reachout_locked, limits.reachout_until), (true, Some(17)));
        let chats = limits.new_chats.unwrap();
        assert_eq!((chats.total, chats.used, chats.status.as_str()), (Some(100), Some(7), "NONE"));
        assert_eq!((chats.verification.as_deref(), chats.extension), (Some("ACTIVE"), None));
        let over = serde_json::json!({ "is_active": false, "time_enforcement_ends": "17" });
        assert_eq!(read(Some(&over), None), AccountLimits::default());
    }
}

//! What the service announces about profiles.

use serde_json::Value;
use whimbrel_wire::NodeRef;

use super::about::{self, ProfileAbout};
use super::usernames;
use crate::events::{EventKind, Identity};
use crate::messages::Unit;
use crate::mex;
use crate::repair::Repair;
use crate::store::StoreError;

/// Somebody says something else of itself.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct AboutChanged {
    /// Who: a person, or this account, on another device.
    pub who: Identity,
    /// What is said now.
    pub about: ProfileAbout,
}

/// Somebody has another user name.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct UsernameChanged {
    /// Who: a person, or this account, on another device.
    pub who: Identity,
    /// The name; `None`: there is none any more.
    pub username: Option<String>,
}

const ABOUT: &str = "xwa2_notify_text_status_on_update";
/// Where announcements of user names are: those of others, and that of this account.
const USERNAMES: [&str; 3] =
    ["xwa2_notify_username_on_change", "xwa2_notify_username_delete", "xwa2_notify_wa_user"];

/// Deals with a `status` notification: what somebody says of itself.
pub(crate) fn about(unit: &mut Unit<'_>, node: &NodeRef<'_>) -> Result<(), StoreError> {
    let (Some(from), Some(set)) = (node.attr_jid("from"), node.child_named("set")) else { return Ok(()) };
    let text = set.content_text().map(str::to_owned).filter(|text| !text.is_empty());
    let changed_at = node.attr_u64("t").and_then(|time| i64::try_from(time).ok());
    let who = unit.identity_of(&from.to_account())?;
    let about = ProfileAbout { text, changed_at, ..ProfileAbout::default() };
    unit.event(EventKind::AboutChanged(AboutChanged { who, about }));
    Ok(())
}

/// Deals with an announcement of the GraphQL interface. Whether it was about a profile.
pub(crate) fn announced(unit: &mut Unit<'_>, node: &NodeRef<'_>) -> Result<bool, StoreError> {
    let body = node.child_bytes("update").and_then(mex::body);
    let Some(data) = body.as_ref().and_then(|body| body.get("data")).and_then(Value::as_object) else {
        return Ok(false);
    };
    // By what it holds: names of notifications have changed before.
    if let Some((who, about)) = data.get(ABOUT).and_then(about::announced) {
        let who = unit.identity_of(&who)?;
        unit.event(EventKind::AboutChanged(AboutChanged { who, about }));
        return Ok(true);
    }
    for root in USERNAMES {
        if let Some((who, username)) = data.get(root).and_then(usernames::announced) {
            let who = unit.identity_of(&who)?;
            unit.event(EventKind::UsernameChanged(UsernameChanged { who, username }));
            return Ok(true);
        }
    }
    Ok(false)
}

/// Deals with the `<status>` and `<username>` of an `account_sync` notification.
pub(crate) fn changed_elsewhere(unit: &mut Unit<'_>, node: &NodeRef<'_>) -> Result<(), StoreError> {
    if node.child_named("status").is_some() {
        unit.wish(Repair::About);
    }
    if let Some(change) = node.child_named("username")
        && let Some(own) = unit.account.phone.clone()
    {
        let who = unit.identity_of(&own.to_account())?;
        let name = change.attr_text("username").map(std::borrow::Cow::into_owned);
        let deleted = change.attr_is("action", "delete");
        let username = name.filter(|name| !deleted && !name.is_empty());
        unit.event(EventKind::UsernameChanged(UsernameChanged { who, username }));
    }
    Ok(())
}

//! Settings of a group (features document §2.4).

use serde_json::{Value, json};
use whimbrel_wire::{Jid, Node};

use super::super::switch::GroupSetting;
use super::request;

/// The operation of the GraphQL interface that changes a setting, and what it answers under.
pub(crate) const PROPERTY: (&str, &str) = ("UpdateGroupProperty", "xwa2_group_update_property");

/// Gives a group another name.
pub(crate) fn subject(group: &Jid, subject: &str) -> Node {
    request(group, "set", Node::new("subject").text(subject.to_owned()))
}

/// Sets after how many seconds messages of a group disappear; 0: never.
pub(crate) fn timer(group: &Jid, seconds: u32) -> Node {
    let timer = match seconds {
        0 => Node::new("not_ephemeral"),
        seconds => Node::new("ephemeral").attr("expiration", seconds),
    };
    request(group, "set", timer)
}

/// Gives a group a description in the place of the one that is known, or takes that away.
pub(crate) fn description(group: &Jid, id: &str, former: Option<&str>, text: Option<&str>) -> Node {
    let description = match text {
        Some(text) => described(id, former, text),
        None => empty(id, former).attr("delete", "true"),
    };
    request(group, "set", description)
}

pub(super) fn described(id: &str, former: Option<&str>, text: &str) -> Node {
    empty(id, former).child(Node::new("body").text(text.to_owned()))
}

fn empty(id: &str, former: Option<&str>) -> Node {
    Node::new("description").attr("id", id.to_owned()).attr_opt("prev", former.map(ToOwned::to_owned))
}

/// Turns something on or off; `None` for what is asked for in [`property`].
pub(crate) fn setting(group: &Jid, setting: GroupSetting, on: bool) -> Option<Node> {
    Some(request(group, "set", setting.element(on)?))
}

/// The variables that turn off or on what has no element; `None` for what has one.
pub(crate) fn property(group: &Jid, setting: GroupSetting, on: bool) -> Option<Value> {
    match setting {
        GroupSetting::SharingLimited => {
            let limit = json!({ "limit_sharing_enabled": on, "limit_sharing_trigger": "CHAT_SETTING" });
            Some(json!({ "group_id": group.to_string(), "update": { "limit_sharing": limit } }))
        }
        _ => None,
    }
}

//! Stanzas about privacy (features document §8.1, §8.2). Pure.

use std::collections::BTreeMap;

use whimbrel_wire::{Jid, Node, NodeRef};

use crate::devices::usync::{self, Mode};

/// What stands for the hash of a list that there is none of.
const NO_LIST: &str = "none";

fn request(kind: &'static str, xmlns: &'static str, child: Node) -> Node {
    Node::new("iq").attr("to", Jid::SERVER).attr("type", kind).attr("xmlns", xmlns).child(child)
}

/// The frame of requests about lists: an account that lives by its LID has to say so.
fn privacy(by_lid: bool) -> Node {
    Node::new("privacy").attr_opt("addressing_mode", by_lid.then_some("lid"))
}

/// Asks for all settings.
pub(super) fn ask() -> Node {
    request("get", "privacy", Node::new("privacy"))
}

/// Sets a category.
pub(super) fn set(category: &str, value: &str) -> Node {
    let category = Node::new("category").attr("name", category.to_owned()).attr("value", value.to_owned());
    request("set", "privacy", Node::new("privacy").child(category))
}

/// The settings in an answer or notification, by the service's words; those that the service could not
/// tell are left out.
pub(super) fn settings(node: &NodeRef<'_>) -> BTreeMap<String, String> {
    let privacy = node.child_named("privacy");
    let categories = privacy.into_iter().flat_map(|privacy| privacy.children_named("category"));
    let settings = categories.filter_map(|category| {
        let (name, value) = (category.attr_text("name")?, category.attr_text("value")?);
        Some((name.into_owned(), value.into_owned()))
    });
    settings.filter(|(name, value)| !name.is_empty() && !value.is_empty() && value != "error").collect()
}

/// Asks who is left out of a category.
pub(super) fn ask_list(category: &str, by_lid: bool) -> Node {
    let list = Node::new("list").attr("name", category.to_owned()).attr("value", "contact_blacklist");
    request("get", "privacy", privacy(by_lid).child(list))
}

/// Somebody on a list: the address there, and the phone number beside it.
pub(super) type Listed = (Jid, Option<Jid>);

/// A list, and the hash that a change of it has to name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct List {
    pub(super) dhash: String,
    pub(super) people: Vec<Listed>,
}

/// The list in an answer; without one it is empty.
pub(super) fn list(answer: &NodeRef<'_>) -> List {
    let list = answer.child_named("privacy").and_then(|privacy| privacy.child_named("list"));
    let dhash = list.and_then(|list| list.attr_text("dhash")).map(std::borrow::Cow::into_owned);
    let people = list.into_iter().flat_map(|list| list.children_named("user")).filter_map(|user| {
        let jid = user.attr_jid("jid")?.to_account();
        jid.is_account().then(|| (jid, user.attr_jid("pn_jid").map(|phone| phone.to_account())))
    });
    List { dhash: dhash.unwrap_or_else(|| NO_LIST.to_owned()), people: people.collect() }
}

/// Adds people to a list and takes others from it.
pub(super) fn change_list(
    category: &str,
    dhash: &str,
    add: &[Listed],
    remove: &[Listed],
    by_lid: bool,
) -> Node {
    let user = |action: &'static str| {
        move |(jid, phone): &Listed| {
            Node::new("user")
                .attr("action", action)
                .attr("jid", jid)
                .attr_opt("pn_jid", phone.as_ref().filter(|_| jid.is_lid()))
        }
    };
    let category = Node::new("category")
        .attr("name", category.to_owned())
        .attr("value", "contact_blacklist")
        .attr("dhash", dhash.to_owned())
        .children(add.iter().map(user("add")))
        .children(remove.iter().map(user("remove")));
    request("set", "privacy", privacy(by_lid).child(category))
}

/// Sets the timer of new chats.
pub(super) fn set_timer(seconds: u32) -> Node {
    let mode = Node::new("disappearing_mode").attr("duration", seconds);
    request("set", "disappearing_mode", mode)
}

/// Asks for the timer that somebody wants in new chats.
pub(super) fn ask_timer(who: &Jid, sid: String) -> Node {
    let protocols = Node::new("query").child(Node::new("disappearing_mode"));
    let user = Node::new("user").attr("jid", who);
    usync::request(protocols, [user], Mode::Query, "interactive", sid)
}

/// The timer in a `<disappearing_mode>` of a notification: seconds, and when it was set.
pub(super) fn timer(node: &NodeRef<'_>) -> Option<(u32, Option<i64>)> {
    let mode = node.child_named("disappearing_mode")?;
    let time = mode.attr_u64("t").and_then(|time| i64::try_from(time).ok()).filter(|time| *time > 0);
    Some((mode.attr_u32("duration")?, time))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::groups::tests::forms::{comparable, from_json, vectors};

    /// The stanzas that another client was seen to send.
    fn sent(client: &str, operation: &str, number: usize) -> Node {
        from_json(&vectors("features-requests")["requests"][client][operation]["stanzas"][number])
    }

    #[test]
    fn requests_are_those_of_other_clients() {
        for (node, expected) in [
            (ask(), sent("whatsmeow", "TryFetchPrivacySettings", 0)),
            (set("last", "none"), sent("whatsmeow", "SetPrivacySetting(last,none)", 0)),
            (set_timer(604_800), sent("whatsmeow", "SetDefaultDisappearingTimer", 0)),
        ] {
            assert_eq!(comparable(&node), comparable(&expected));
        }
    }

    #[test]
    fn lists_are_read_and_changed_by_their_hash() {
        let (lid, pn) = (Jid::lid("7"), Jid::pn("15550001"));
        let user = Node::new("user").attr("jid", &lid).attr("pn_jid", &pn);
        let list_node = Node::new("list").attr("name", "last").attr("dhash", "17").child(user);
        let answer = Node::new("iq").child(Node::new("privacy").child(list_node));
        let read = list(&answer);
        assert_eq!(read, List { dhash: "17".into(), people: vec![(lid.clone(), Some(pn.clone()))] });
        let empty = list(&Node::new("iq").child(Node::new("privacy")));
        assert_eq!(empty, List { dhash: "none".into(), people: Vec::new() });
        let change = change_list("last", "17", &read.people, &[(pn.clone(), None)], true);
        let privacy = change.child_named("privacy").unwrap();
        assert!(privacy.attr_is("addressing_mode", "lid"));
        let category = privacy.child_named("category").unwrap();
        assert!(category.attr_is("dhash", "17") && category.attr_is("value", "contact_blacklist"));
        let users: Vec<_> = category.children_named("user").collect();
        assert!(users[0].attr_is("action", "add") && users[0].attr_jid("pn_jid") == Some(pn.clone()));
        assert!(users[1].attr_is("action", "remove") && users[1].attr_value("pn_jid").is_none());
        assert!(
            ask_list("last", false).child_named("privacy").unwrap().attr_value("addressing_mode").is_none()
        );
    }

    #[test]
    fn what_the_service_could_not_tell_is_left_out() {
        let category = |name: &'static str, value: &'static str| {
            Node::new("category").attr("name", name).attr("value", value)
        };
        let privacy = Node::new("privacy").children([
            category("last", "none"),
            category("online", "error"),
            category("cover_photo", "friends"),
        ]);
        let read = settings(&Node::new("iq").child(privacy));
        let expected = [("cover_photo", "friends"), ("last", "none")];
        assert_eq!(read, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    }

    #[test]
    fn timers_are_read_with_or_without_their_time() {
        let mode = |node: Node| Node::new("notification").child(node);
        let set = Node::new("disappearing_mode").attr("duration", 86_400_u32);
        assert_eq!(timer(&mode(set.clone())), Some((86_400, None)));
        assert_eq!(timer(&mode(set.attr("t", 17_u32))), Some((86_400, Some(17))));
        assert_eq!(timer(&mode(Node::new("disappearing_mode"))), None);
    }
}

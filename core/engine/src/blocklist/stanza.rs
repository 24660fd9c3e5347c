//! Stanzas about the block list. Pure.

use whimbrel_wire::{Jid, Node, NodeRef};

/// Somebody on the list: the address there, and the phone number beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) jid: Jid,
    pub(super) phone: Option<Jid>,
}

/// The list as the service tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct List {
    pub(super) dhash: String,
    pub(super) items: Vec<Item>,
}

/// Asks for the list.
pub(super) fn ask() -> Node {
    Node::new("iq").attr("to", Jid::SERVER).attr("type", "get").attr("xmlns", "blocklist")
}

/// Puts somebody on the list.
pub(super) fn block(who: &Item) -> Node {
    // Who is known by a hidden address only is said to be so.
    let unknown = who.phone.is_none() && who.jid.is_lid();
    change(
        Node::new("item")
            .attr("action", "block")
            .attr("jid", &who.jid)
            .attr_opt("pn_jid", who.phone.as_ref().filter(|_| who.jid.is_lid()))
            .attr_opt("unknown_identifier", unknown.then_some("true")),
    )
}

/// Takes somebody off the list.
pub(super) fn unblock(jid: &Jid) -> Node {
    change(Node::new("item").attr("action", "unblock").attr("jid", jid))
}

fn change(item: Node) -> Node {
    Node::new("iq").attr("to", Jid::SERVER).attr("type", "set").attr("xmlns", "blocklist").child(item)
}

fn text(node: &NodeRef<'_>, name: &str) -> Option<String> {
    node.attr_text(name).map(std::borrow::Cow::into_owned)
}

fn item(node: &NodeRef<'_>) -> Option<Item> {
    let jid = node.attr_jid("jid")?.to_account();
    jid.is_account().then(|| Item { jid, phone: node.attr_jid("pn_jid").map(|phone| phone.to_account()) })
}

/// The whole list in an answer.
pub(super) fn list(answer: &NodeRef<'_>) -> List {
    let list = answer.child_named("list");
    List {
        dhash: list.and_then(|list| text(list, "dhash")).unwrap_or_default(),
        items: list.into_iter().flat_map(|list| list.children_named("item")).filter_map(item).collect(),
    }
}

/// The hash of the list after a change, if the answer says it.
pub(super) fn hash(answer: &NodeRef<'_>) -> Option<String> {
    text(answer.child_named("list")?, "dhash")
}

/// What another device did with the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Notice {
    /// It is to be asked for.
    Ask,
    /// From one list to the next.
    Changed { before: Option<String>, after: String, blocked: Vec<Item>, unblocked: Vec<Item> },
}

/// Reads the `<blocklist>` of a notification.
pub(super) fn notice(node: &NodeRef<'_>) -> Option<Notice> {
    let list = node.child_named("blocklist")?;
    let items: Vec<&NodeRef<'_>> = list.children_named("item").collect();
    let (Some(after), false) = (text(list, "dhash"), list.attr_is("action", "modify") || items.is_empty())
    else {
        return Some(Notice::Ask);
    };
    let of = |action: &str| {
        items.iter().filter(|node| node.attr_is("action", action)).filter_map(|node| item(node)).collect()
    };
    Some(Notice::Changed {
        before: text(list, "prev_dhash"),
        after,
        blocked: of("block"),
        unblocked: of("unblock"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::groups::tests::forms::{comparable, from_json, vectors};

    fn sent(client: &str, operation: &str) -> Node {
        from_json(&vectors("features-requests")["requests"][client][operation]["stanzas"][0])
    }

    #[test]
    fn requests_are_those_of_other_clients() {
        let jid = Jid::lid("999888777666555");
        let known = Item { jid: jid.clone(), phone: Some(Jid::pn("5511888888888")) };
        let hidden = Item { jid: jid.clone(), phone: None };
        for (node, expected) in [
            (ask(), sent("whatsmeow", "GetBlocklist")),
            (block(&known), sent("whatsmeow", "UpdateBlocklist(block,pn)")),
            (block(&hidden), sent("zapo", "privacy.blockUser")),
            (unblock(&jid), sent("whatsmeow", "UpdateBlocklist(unblock,lid)")),
        ] {
            assert_eq!(comparable(&node), comparable(&expected));
        }
        let by_number = Item { jid: Jid::pn("1"), phone: Some(Jid::pn("1")) };
        let item = block(&by_number).child_named("item").cloned().unwrap();
        assert!(item.attr_value("pn_jid").is_none() && item.attr_value("unknown_identifier").is_none());
    }

    #[test]
    fn changes_are_told_apart_from_what_has_to_be_asked_for() {
        let jid = Jid::lid("7");
        let item = |action: &'static str| Node::new("item").attr("jid", &jid).attr("action", action);
        let told = |list: Node| notice(&Node::new("notification").child(list));
        let list = || Node::new("blocklist").attr("dhash", "2").attr("prev_dhash", "1");
        let one = vec![Item { jid: jid.clone(), phone: None }];
        let expected = Notice::Changed {
            before: Some("1".into()),
            after: "2".into(),
            blocked: one,
            unblocked: Vec::new(),
        };
        assert_eq!(told(list().child(item("block"))), Some(expected));
        assert_eq!(told(list().attr("action", "modify").child(item("block"))), Some(Notice::Ask));
        assert_eq!(told(list()), Some(Notice::Ask));
        assert_eq!(told(Node::new("blocklist").child(item("block"))), Some(Notice::Ask));
        assert_eq!(notice(&Node::new("notification")), None);
    }

    #[test]
    fn lists_are_read_whole() {
        let user = Node::new("item").attr("jid", Jid::lid("7")).attr("pn_jid", Jid::pn("1"));
        let group = Node::new("item").attr("jid", Jid::group("1-2"));
        let answer = Node::new("iq").child(Node::new("list").attr("dhash", "5").children([user, group]));
        let read = list(&answer);
        assert_eq!(read.items, [Item { jid: Jid::lid("7"), phone: Some(Jid::pn("1")) }]);
        assert_eq!((read.dhash.as_str(), hash(&answer).as_deref()), ("5", Some("5")));
        assert_eq!((list(&Node::new("iq")), hash(&Node::new("iq"))), (List::default(), None));
    }
}

//! What faults do to stanzas on their way to a device. Pure.

use whimbrel_wire::{Content, Jid, Node};

/// First octet of a Signal message of a version that nobody speaks.
const NO_VERSION: u8 = 0x22;

/// A copy of a node whose parts are made anew.
fn rebuilt(node: &Node, part: &impl Fn(&Node) -> Node) -> Node {
    let copy = without_content(node);
    match node.content() {
        Content::Nodes(nodes) => copy.children(nodes.iter().map(part)),
        Content::Bytes(bytes) => copy.bytes(bytes.clone()),
        Content::None => copy,
    }
}

fn without_content(node: &Node) -> Node {
    let mut copy = Node::new(node.tag().to_owned());
    for attr in node.attrs() {
        copy.set_attr(attr.key.clone(), attr.value.clone());
    }
    copy
}

/// Changes the octets of every node of a tag.
fn octets(node: &Node, tag: &str, change: &impl Fn(&mut Vec<u8>)) -> Node {
    match node.content() {
        Content::Bytes(bytes) if node.tag() == tag => {
            let mut bytes = bytes.clone().into_owned();
            change(&mut bytes);
            without_content(node).bytes(bytes)
        }
        _ => rebuilt(node, &|part| octets(part, tag, change)),
    }
}

/// The last bit of every ciphertext is flipped.
pub(crate) fn corrupted(node: &Node) -> Node {
    octets(node, "enc", &|bytes| {
        if let Some(last) = bytes.last_mut() {
            *last ^= 1;
        }
    })
}

/// Every ciphertext is of a version that nobody speaks.
pub(crate) fn of_no_version(node: &Node) -> Node {
    octets(node, "enc", &|bytes| {
        if let Some(first) = bytes.first_mut() {
            *first = NO_VERSION;
        }
    })
}

/// Every ciphertext is of a type that nobody knows.
pub(crate) fn of_unknown_type(node: &Node) -> Node {
    rebuilt(node, &|part| match part.tag() {
        "enc" => part.clone().attr("type", "frskmsg"),
        _ => part.clone(),
    })
}

/// There is no ciphertext for this device.
pub(crate) fn unavailable(node: &Node, kind: Option<&str>) -> Node {
    let others = node.child_nodes().iter().filter(|child| child.tag() != "enc").cloned();
    let unavailable = Node::new("unavailable").attr_opt("type", kind.map(str::to_owned));
    without_content(node).child(unavailable).children(others)
}

fn by_session(enc: &Node) -> bool {
    enc.tag() == "enc" && !enc.attr_is("type", "skmsg")
}

fn has_both(node: &Node) -> bool {
    let encs = || node.children_named("enc");
    encs().any(by_session) && encs().any(|enc| !by_session(enc))
}

/// A group message without what brings its sender key; `None` if it has none.
pub(crate) fn without_sender_key(node: &Node) -> Option<Node> {
    let others = node.child_nodes().iter().filter(|child| !by_session(child)).cloned();
    has_both(node).then(|| without_content(node).children(others))
}

/// A group message whose common ciphertext comes before what brings its key.
pub(crate) fn sender_key_last(node: &Node) -> Node {
    let parts = || node.child_nodes().iter();
    let late = parts().filter(|part| by_session(part)).cloned();
    without_content(node).children(parts().filter(|part| !by_session(part)).cloned()).children(late)
}

/// An attribute of the first child is another one.
pub(crate) fn child_marked(node: &Node, name: &str, value: &str) -> Node {
    let mut children = node.child_nodes().iter().cloned();
    let first = children.next().map(|first| first.attr(name.to_owned(), value.to_owned()));
    without_content(node).children(first).children(children)
}

/// A retry receipt of a device with another registration id.
pub(crate) fn of_other_registration(node: &Node) -> Node {
    octets(node, "registration", &|bytes| {
        if let Some(last) = bytes.last_mut() {
            *last ^= 1;
        }
    })
}

/// An answer about devices in which some people's devices are others.
pub(crate) fn with_devices(node: &Node, of: &impl Fn(&Jid) -> Option<Node>) -> Node {
    let others = node.attr_jid("jid").filter(|_| node.tag() == "user").and_then(|user| of(&user));
    match others {
        Some(others) => rebuilt(node, &|part| match part.tag() {
            "devices" => others.clone(),
            _ => part.clone(),
        }),
        None => rebuilt(node, &|part| with_devices(part, of)),
    }
}

/// How an answer about devices is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WrongList {
    /// Companions are left out.
    Missing,
    /// A companion that does not exist is named.
    Extra,
    /// The account's signature over the list does not hold.
    Signature,
}

/// An answer about devices that is wrong.
pub(crate) fn devices(node: &Node, how: WrongList) -> Node {
    match (how, node.tag()) {
        (WrongList::Missing, "device-list") => {
            let kept = node.children_named("device").filter(|device| device.attr_is("id", "0")).cloned();
            without_content(node).children(kept)
        }
        (WrongList::Extra, "device-list") => {
            node.clone().child(Node::new("device").attr("id", 98_u16).attr("key-index", 98_u16))
        }
        (WrongList::Signature, "key-index-list") => octets(node, "key-index-list", &|bytes| {
            // The end is the signature's.
            if let Some(last) = bytes.last_mut() {
                *last ^= 1;
            }
        }),
        _ => rebuilt(node, &|part| devices(part, how)),
    }
}

/// Whether a stanza brings a ciphertext to a device.
pub(crate) fn is_message(node: &Node) -> bool {
    node.tag() == "message" && node.child_named("enc").is_some() && node.attr_jid("from") != Some(Jid::SERVER)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enc(kind: &'static str) -> Node {
        Node::new("enc").attr("v", "2").attr("type", kind).bytes(vec![0x33, 1, 2])
    }

    fn message() -> Node {
        Node::new("message").attr("id", "M").child(enc("pkmsg")).child(enc("skmsg")).child(Node::new("meta"))
    }

    fn shape(node: &Node) -> Vec<String> {
        node.child_nodes()
            .iter()
            .map(|part| {
                part.attr_text("type").map_or_else(|| part.tag().to_owned(), |kind| kind.into_owned())
            })
            .collect()
    }

    #[test]
    fn ciphertexts_are_damaged_and_nothing_else() {
        let bytes = |node: &Node| node.child_named("enc").unwrap().content_bytes().unwrap().to_vec();
        assert_eq!(bytes(&corrupted(&message())), [0x33, 1, 3]);
        assert_eq!(bytes(&of_no_version(&message())), [NO_VERSION, 1, 2]);
        assert_eq!(shape(&of_unknown_type(&message())), ["frskmsg", "frskmsg", "meta"]);
        assert!(corrupted(&message()).attr_is("id", "M"));
    }

    #[test]
    fn keys_are_taken_out_or_put_last() {
        assert_eq!(shape(&without_sender_key(&message()).unwrap()), ["skmsg", "meta"]);
        assert_eq!(without_sender_key(&Node::new("message").child(enc("skmsg"))), None);
        assert_eq!(shape(&sender_key_last(&message())), ["skmsg", "meta", "pkmsg"]);
        assert_eq!(shape(&unavailable(&message(), Some("view_once"))), ["view_once", "meta"]);
    }

    #[test]
    fn people_are_given_other_devices_and_receipts_another_registration() {
        let user = |jid: Jid| Node::new("user").attr("jid", jid).child(Node::new("devices"));
        let answer = Node::new("iq").child(
            Node::new("usync").child(Node::new("list").child(user(Jid::lid("1"))).child(user(Jid::lid("2")))),
        );
        let changed = with_devices(&answer, &|jid| {
            (*jid == Jid::lid("2")).then(|| Node::new("devices").attr("of", "old"))
        });
        let users = changed.first_child().unwrap().first_child().unwrap().child_nodes();
        let old = |user: &Node| user.child_named("devices").unwrap().attr_is("of", "old");
        assert_eq!(users.iter().map(old).collect::<Vec<_>>(), [false, true]);
        let receipt = Node::new("receipt").child(Node::new("registration").bytes(vec![0, 0, 0, 4]));
        let changed = of_other_registration(&receipt);
        assert_eq!(changed.child_bytes("registration"), Some(&[0, 0, 0, 5][..]));
    }

    #[test]
    fn lists_of_devices_are_wrong_in_three_ways() {
        let device = |id: u16| Node::new("device").attr("id", id);
        let list = Node::new("device-list").child(device(0)).child(device(3));
        let signed = Node::new("key-index-list").bytes(vec![7, 7]);
        let answer = Node::new("iq").child(Node::new("devices").child(list).child(signed));
        let inside = |how| devices(&answer, how).child_named("devices").unwrap().clone();
        let count = |how| inside(how).child_named("device-list").unwrap().child_nodes().len();
        assert_eq!(
            (count(WrongList::Missing), count(WrongList::Extra), count(WrongList::Signature)),
            (1, 3, 2)
        );
        assert_eq!(inside(WrongList::Signature).child_bytes("key-index-list"), Some(&[7, 6][..]));
        let marked = child_marked(&Node::new("ib").child(Node::new("offline_preview")), "count", "9");
        assert!(marked.child_named("offline_preview").unwrap().attr_is("count", "9"));
    }
}

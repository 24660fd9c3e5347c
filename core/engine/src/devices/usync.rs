//! The user query (delivery document §2.5): devices and LIDs of users. Pure.

use whimbrel_wire::{Jid, Node, NodeRef};

/// Users in one query.
pub(crate) const USERS: usize = 256;

/// Why the question is asked; the service weighs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Context {
    /// A message is about to be sent.
    Message,
    /// Something said that a list is out of date.
    Notification,
}

/// How much of the answer is new; the service takes it as a hint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// A question.
    Query,
    /// Everything that is known.
    Full,
}

/// What the service says about one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UserAnswer {
    /// The user as it was asked for.
    pub(crate) user: Jid,
    /// Its LID.
    pub(crate) lid: Option<Jid>,
    /// Its phone number.
    pub(crate) phone: Option<Jid>,
    /// Whether there is an account; `None` if the answer does not say so.
    pub(crate) registered: Option<bool>,
    /// Its devices; `None` if the answer has none.
    pub(crate) devices: Option<Devices>,
}

/// A device list before it is checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Devices {
    /// As listed, device 0 included.
    pub(crate) listed: Vec<Listed>,
    /// `ADVSignedKeyIndexList`, encoded.
    pub(crate) signed: Option<Vec<u8>>,
}

/// One listed device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) device: u16,
    pub(crate) key_index: Option<u32>,
    pub(crate) hosted: bool,
}

/// Asks for devices and LIDs of bare users. `sid` is any text that is unique.
pub(crate) fn query(users: &[Jid], context: Context, sid: String) -> Node {
    let protocols =
        Node::new("query").child(Node::new("devices").attr("version", "2")).child(Node::new("lid"));
    let list = users.iter().map(|user| Node::new("user").attr("jid", user));
    let context = match context {
        Context::Message => "message",
        Context::Notification => "notification",
    };
    request(protocols, list, Mode::Query, context, sid)
}

/// Asks whether there is an account behind a bare address, and for its two addresses. Numbers are
/// asked for as such: the service answers with the number that is registered, which may be
/// spelled differently.
pub(crate) fn addresses(user: &Jid, sid: String) -> Node {
    let (contact, asked) = if user.is_pn() {
        let number = Node::new("contact").bytes(format!("+{}", user.user()).into_bytes());
        (Node::new("contact"), Node::new("user").child(number))
    } else {
        (Node::new("contact").attr("addressing_mode", "lid"), Node::new("user").attr("jid", user))
    };
    let protocols = Node::new("query").child(contact).child(Node::new("lid"));
    request(protocols, [asked], Mode::Query, "interactive", sid)
}

/// A query. Each protocol is asked for all users.
pub(crate) fn request(
    protocols: Node,
    users: impl IntoIterator<Item = Node>,
    mode: Mode,
    context: &'static str,
    sid: String,
) -> Node {
    let mode = match mode {
        Mode::Query => "query",
        Mode::Full => "full",
    };
    let usync = Node::new("usync")
        .attr("sid", sid)
        .attr("mode", mode)
        .attr("last", true)
        .attr("index", "0")
        .attr("context", context)
        .child(protocols)
        .child(Node::new("list").children(users));
    Node::new("iq").attr("to", Jid::SERVER).attr("type", "get").attr("xmlns", "usync").child(usync)
}

/// Reads the answer. Users that it omits are not in the result.
pub(crate) fn parse(answer: &NodeRef<'_>) -> Vec<UserAnswer> {
    let list = answer.child_named("usync").and_then(|usync| usync.child_named("list"));
    list.map_or_else(Vec::new, |list| list.children_named("user").filter_map(user).collect())
}

/// Reads what is said of one user.
pub(crate) fn user(node: &NodeRef<'_>) -> Option<UserAnswer> {
    let user = node.attr_jid("jid")?.to_bare().normalized();
    let lid = node.child_named("lid").and_then(|lid| lid.attr_jid("val"));
    Some(UserAnswer {
        lid: lid.map(|lid| lid.to_bare()).filter(Jid::is_lid),
        registered: node.child_named("contact").and_then(|contact| {
            match contact.attr_text("type")?.as_ref() {
                "in" => Some(true),
                "out" | "invalid" => Some(false),
                _ => None,
            }
        }),
        phone: node.attr_jid("pn_jid").map(|phone| phone.to_bare().normalized()).filter(Jid::is_pn),
        devices: node
            .child_named("devices")
            .filter(|devices| devices.child_named("error").is_none())
            .and_then(devices),
        user,
    })
}

/// Reads a list with its signed part, as queries and notifications have it. A list without
/// devices is none: device 0 always exists.
fn devices(node: &NodeRef<'_>) -> Option<Devices> {
    let listed: Vec<Listed> =
        node.child_named("device-list")?.children_named("device").filter_map(listed).collect();
    if listed.is_empty() {
        return None;
    }
    let signed = node.child_bytes("key-index-list").filter(|signed| !signed.is_empty()).map(<[u8]>::to_vec);
    Some(Devices { listed, signed })
}

fn listed(node: &NodeRef<'_>) -> Option<Listed> {
    Some(Listed {
        device: u16::try_from(node.attr_u64("id")?).ok()?,
        key_index: node.attr_u32("key-index"),
        hosted: node.attr_true("is_hosted"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(users: impl IntoIterator<Item = Node>) -> Node {
        let list = Node::new("list").children(users);
        Node::new("iq").child(Node::new("usync").child(Node::new("result")).child(list))
    }

    #[test]
    fn a_query_asks_for_devices_and_lids() {
        let users = [Jid::pn("15550001"), Jid::lid("42")];
        let node = query(&users, Context::Message, "s1".to_owned());
        assert!(node.attr_is("xmlns", "usync") && node.attr_is("type", "get"));
        let usync = node.require_child("usync").unwrap();
        for (key, value) in
            [("sid", "s1"), ("mode", "query"), ("last", "true"), ("index", "0"), ("context", "message")]
        {
            assert!(usync.attr_is(key, value), "{key}");
        }
        let protocols: Vec<_> =
            usync.child_named("query").unwrap().child_nodes().iter().map(|p| p.tag()).collect();
        assert_eq!(protocols, ["devices", "lid"]);
        let asked = usync.child_named("list").unwrap().children_named("user");
        assert!(asked.zip(users).all(|(node, user)| node.attr_value("jid").unwrap().as_jid() == Some(&user)));
    }

    #[test]
    fn answers_hold_lists_lids_and_signatures() {
        let device = |id: u16| Node::new("device").attr("id", id);
        let list = Node::new("device-list")
            .child(device(0))
            .child(device(7).attr("key-index", 19_u32))
            .child(device(99).attr("key-index", 3_u32).attr("is_hosted", true));
        let devices = Node::new("devices").child(list).child(Node::new("key-index-list").bytes(vec![1, 2]));
        let user = Node::new("user")
            .attr("jid", Jid::pn("1"))
            .child(devices)
            .child(Node::new("lid").attr("val", Jid::lid("42")));
        let expected = UserAnswer {
            user: Jid::pn("1"),
            lid: Some(Jid::lid("42")),
            phone: None,
            registered: None,
            devices: Some(Devices {
                listed: vec![
                    Listed { device: 0, key_index: None, hosted: false },
                    Listed { device: 7, key_index: Some(19), hosted: false },
                    Listed { device: 99, key_index: Some(3), hosted: true },
                ],
                signed: Some(vec![1, 2]),
            }),
        };
        assert_eq!(parse(&answer([user])), [expected]);
    }

    #[test]
    fn errors_and_empty_lists_are_no_lists() {
        let failed = Node::new("devices").child(Node::new("error").attr("code", "429"));
        let empty = Node::new("devices").child(Node::new("device-list"));
        for devices in [failed, empty] {
            let parsed = parse(&answer([Node::new("user").attr("jid", Jid::lid("1")).child(devices)]));
            assert_eq!(parsed.first().map(|user| user.devices.clone()), Some(None));
        }
        assert!(parse(&answer([Node::new("user").attr("jid", "undefined")])).is_empty());
        assert!(parse(&Node::new("iq")).is_empty());
    }
}

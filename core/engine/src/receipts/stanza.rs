//! `<receipt>` in both directions (delivery document §4.11). Pure.

use whimbrel_wire::{Jid, Node, NodeRef};

use crate::events::ReceiptKind;
use crate::messages::Received;

/// Ids in one receipt.
pub(crate) const IDS: usize = 256;

/// What is said of a received message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// This device has it; nobody looks at it now.
    Delivered,
    /// This device has it, and somebody looks at its messages.
    LookedAt,
    /// This device has the copy of what another own device sent.
    Sender,
    /// A message from device to device of the account was dealt with.
    Peer,
    /// A part of the history was dealt with.
    History,
}

impl Kind {
    const fn name(self) -> Option<&'static str> {
        match self {
            // Nobody was said to be available, and `inactive` says just that.
            Self::Delivered => Some("inactive"),
            Self::LookedAt => None,
            Self::Sender => Some("sender"),
            Self::Peer => Some("peer_msg"),
            Self::History => Some("hist_sync"),
        }
    }
}

/// The receipt for a received message.
pub(crate) fn delivery(message: &Received<'_>, kind: Kind) -> Node {
    let to = if kind == Kind::History { message.from.to_bare() } else { message.from.clone() };
    let repeats = matches!(kind, Kind::Delivered | Kind::LookedAt | Kind::Sender);
    // Of statuses there are no inactive devices (messages document §16).
    let is_status = message.from.is_status();
    Node::new("receipt")
        .attr("id", message.id.clone().into_owned())
        .attr("to", to)
        .attr_opt("type", kind.name().filter(|_| !is_status || kind != Kind::Delivered))
        .attr_opt("context", is_status.then_some("status"))
        .attr_opt("participant", message.participant.as_ref().filter(|_| repeats))
        .attr_opt("recipient", message.recipient.as_ref().filter(|_| repeats))
}

/// Who wrote messages that were read.
pub(crate) struct Author {
    /// As the chat addresses people.
    pub(crate) id: Jid,
    /// Phone number of somebody who is addressed by LID, if it is known.
    pub(crate) phone: Option<Jid>,
}

/// Says that the person read messages: `ids` are of one chat and one author, at most [`IDS`]. Told to the
/// author, or to this account's other devices only.
pub(crate) fn read(
    chat: &Jid,
    author: Option<&Author>,
    ids: &[String],
    time: i64,
    told: bool,
) -> Option<Node> {
    let (first, rest) = ids.split_first()?;
    let list = (!rest.is_empty()).then(|| {
        let items = rest.iter().map(|id| Node::new("item").attr("id", id.clone()));
        Node::new("list").children(items)
    });
    let status = chat.is_status();
    Some(
        Node::new("receipt")
            .attr("id", first.clone())
            .attr("to", chat)
            .attr("type", if told { "read" } else { "read-self" })
            .attr_opt("participant", author.map(|author| &author.id))
            .attr_opt(
                "peer_participant_pn",
                author.and_then(|author| author.phone.as_ref()).filter(|_| status),
            )
            .attr("t", time)
            .attr_opt("context", status.then_some("status"))
            .child_opt(list),
    )
}

/// What a received receipt is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Something for the host.
    Tell(ReceiptKind),
    /// Somebody wants a message again.
    Retry,
    /// Nothing that concerns this client.
    Nothing,
}

/// The meaning of a receipt's type.
pub(crate) fn meaning(kind: Option<&str>) -> Meaning {
    match kind {
        None | Some("" | "inactive" | "delivery") => Meaning::Tell(ReceiptKind::Delivered),
        Some("read") => Meaning::Tell(ReceiptKind::Read),
        Some("played") => Meaning::Tell(ReceiptKind::Played),
        Some("read-self" | "played-self") => Meaning::Tell(ReceiptKind::ReadSelf),
        Some("retry") => Meaning::Retry,
        // `sender`: another own device has a copy. `server-error` is about media, `peer_msg`
        // and `hist_sync` about what only phones send, `enc_rekey_retry` about calls.
        Some(_) => Meaning::Nothing,
    }
}

/// The messages that a receipt names: its id, and those in its list.
pub(crate) fn ids(node: &NodeRef<'_>) -> Vec<String> {
    let first = node.attr_text("id").map(std::borrow::Cow::into_owned);
    let items = node.child_named("list").into_iter().flat_map(|list| list.children_named("item"));
    let rest = items.filter_map(|item| item.attr_text("id")).map(std::borrow::Cow::into_owned);
    first.into_iter().chain(rest).filter(|id| !id.is_empty()).take(IDS).collect()
}

/// Readers in the grouped form: one message, many people.
pub(crate) struct Reader {
    pub(crate) user: Jid,
    pub(crate) timestamp: Option<i64>,
    pub(crate) meaning: Option<Meaning>,
}

/// Reads the grouped form: the message, and who did something with it.
pub(crate) fn grouped(node: &NodeRef<'_>) -> Option<(String, Vec<Reader>)> {
    let participants = node.child_named("participants")?;
    let id = participants.attr_text("key").or_else(|| node.attr_text("id"))?.into_owned();
    let readers = participants.children_named("user").filter_map(|user| {
        Some(Reader {
            user: user.attr_jid("jid")?.normalized(),
            timestamp: user.attr_u64("t").and_then(|time| i64::try_from(time).ok()),
            meaning: user.attr_text("type").map(|kind| meaning(Some(&kind))),
        })
    });
    Some((id, readers.take(IDS).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(node: &Node) -> Received<'_> {
        Received::parse(node).unwrap()
    }

    #[test]
    fn deliveries_go_where_the_message_came_from() {
        let device = Jid::lid("7").with_device(3);
        let direct = Node::new("message").attr("id", "A").attr("from", &device).attr("t", "1");
        let node = delivery(&received(&direct), Kind::Delivered);
        assert_eq!(node.to_string(), r#"<receipt id="A" to=J:"7:3@lid" type="inactive"/>"#);
        let node = delivery(&received(&direct), Kind::LookedAt);
        assert_eq!(node.to_string(), r#"<receipt id="A" to=J:"7:3@lid"/>"#);
        let copy = direct.clone().attr("recipient", Jid::lid("9"));
        let node = delivery(&received(&copy), Kind::Sender);
        assert_eq!(node.to_string(), r#"<receipt id="A" to=J:"7:3@lid" type="sender" recipient=J:"9@lid"/>"#);
        let group = direct.clone().attr("from", Jid::group("1-2")).attr("participant", &device);
        let node = delivery(&received(&group), Kind::Delivered);
        assert_eq!(node.attr_jid("participant"), Some(device));
        let node = delivery(&received(&direct), Kind::History);
        assert_eq!(node.to_string(), r#"<receipt id="A" to=J:"7@lid" type="hist_sync"/>"#);
    }

    #[test]
    fn reads_name_many_messages() {
        let ids = ["A", "B", "C"].map(str::to_owned);
        let node = read(&Jid::lid("7"), None, &ids, 5, true).unwrap();
        assert!(node.attr_is("id", "A") && node.attr_is("type", "read") && node.attr_is("t", "5"));
        assert_eq!(super::ids(&node), ids);
        let author = Author { id: Jid::lid("8"), phone: Some(Jid::pn("998")) };
        let one = read(&Jid::STATUS, Some(&author), &ids[..1], 5, true).unwrap();
        assert!(one.child_named("list").is_none() && one.attr_is("context", "status"));
        assert_eq!(one.attr_jid("participant"), Some(Jid::lid("8")));
        assert!(read(&Jid::lid("7"), None, &[], 5, true).is_none());
        assert!(read(&Jid::lid("7"), None, &ids, 5, false).unwrap().attr_is("type", "read-self"));
    }

    #[test]
    fn types_have_meanings() {
        for (kind, expected) in [
            (None, Meaning::Tell(ReceiptKind::Delivered)),
            (Some("inactive"), Meaning::Tell(ReceiptKind::Delivered)),
            (Some("read"), Meaning::Tell(ReceiptKind::Read)),
            (Some("played"), Meaning::Tell(ReceiptKind::Played)),
            (Some("read-self"), Meaning::Tell(ReceiptKind::ReadSelf)),
            (Some("retry"), Meaning::Retry),
            (Some("sender"), Meaning::Nothing),
            (Some("server-error"), Meaning::Nothing),
            (Some("of-tomorrow"), Meaning::Nothing),
        ] {
            assert_eq!(meaning(kind), expected, "{kind:?}");
        }
    }

    #[test]
    fn the_grouped_form_has_one_message_and_many_people() {
        let user = |jid: Jid| Node::new("user").attr("jid", jid).attr("t", "9");
        let participants = Node::new("participants")
            .attr("key", "A")
            .child(user(Jid::lid("1")))
            .child(user(Jid::lid("2")).attr("type", "read"))
            .child(Node::new("user"));
        let (id, readers) = grouped(&Node::new("receipt").attr("id", "x").child(participants)).unwrap();
        assert_eq!(id, "A");
        let read: Vec<_> = readers.iter().map(|reader| (reader.user.clone(), reader.meaning)).collect();
        assert_eq!(read, [(Jid::lid("1"), None), (Jid::lid("2"), Some(Meaning::Tell(ReceiptKind::Read)))]);
        assert_eq!(readers.first().unwrap().timestamp, Some(9));
    }

    #[test]
    fn a_list_is_cut_at_the_limit() {
        let items = (0..300).map(|id| Node::new("item").attr("id", format!("i{id}")));
        let node = Node::new("receipt").attr("id", "A").child(Node::new("list").children(items));
        assert_eq!(ids(&node).len(), IDS);
    }
}

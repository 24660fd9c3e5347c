//! `<presence>` and `<chatstate>` in both directions (features document §6). Pure.

use whimbrel_wire::{Jid, Node, NodeRef};

use super::Availability;
use crate::events::{ChatState, LastSeen};

/// Tells the service whether this account is online.
pub(super) fn own(availability: Availability, name: &str) -> Node {
    let kind = match availability {
        Availability::Available => "available",
        Availability::Unavailable => "unavailable",
    };
    // Some clients read the name with its marks; Baileys leaves them out.
    Node::new("presence").attr("type", kind).attr("name", name.replace('@', ""))
}

/// Asks for the presence of a person or group. `token`: what shows that the person knows this account.
pub(super) fn subscribe(to: &Jid, token: Option<Node>) -> Node {
    Node::new("presence").attr("type", "subscribe").attr("to", to).child_opt(token)
}

/// Asks for it no more.
pub(super) fn unsubscribe(to: &Jid) -> Node {
    Node::new("presence").attr("type", "unsubscribe").attr("to", to)
}

/// Says what is done in a chat.
pub(super) fn chat_state(to: &Jid, state: ChatState) -> Node {
    let what = match state {
        ChatState::Composing => Node::new("composing"),
        ChatState::Recording => Node::new("composing").attr("media", "audio"),
        ChatState::Paused => Node::new("paused"),
    };
    Node::new("chatstate").attr("to", to).child(what)
}

/// What a presence says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Presence {
    pub(super) available: bool,
    pub(super) last_seen: LastSeen,
    /// Of a group: how many are online.
    pub(super) members: Option<u32>,
}

/// Reads a presence; `None` for one that says nothing of anybody.
pub(super) fn presence(node: &NodeRef<'_>) -> Option<Presence> {
    let members = node.attr_u32("count");
    let available = match node.attr_text("type").as_deref() {
        None | Some("" | "available") => members.is_none_or(|members| members > 0),
        Some("unavailable") => false,
        Some(_) => return None,
    };
    let last_seen = match node.attr_text("last").as_deref() {
        Some("deny") => LastSeen::Hidden,
        // `none` and `error` as well: nobody knows.
        Some(time) => time.parse().map_or(LastSeen::Unknown, LastSeen::At),
        None => LastSeen::Unknown,
    };
    Some(Presence { available, last_seen, members })
}

/// Reads what is done in a chat.
pub(super) fn chat_state_of(node: &NodeRef<'_>) -> Option<ChatState> {
    if node.child_named("paused").is_some() {
        return Some(ChatState::Paused);
    }
    let composing = node.child_named("composing")?;
    Some(if composing.attr_is("media", "audio") { ChatState::Recording } else { ChatState::Composing })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::groups::tests::forms::{comparable, from_json, from_xml, vectors};

    fn peer() -> Jid {
        Jid::pn("5511888888888")
    }

    /// The stanzas that another client was seen to send.
    fn sent(client: &str, operation: &str, number: usize) -> Node {
        from_json(&vectors("features-requests")["requests"][client][operation]["stanzas"][number])
    }

    #[test]
    fn what_is_said_is_what_other_clients_say() {
        for (node, expected) in [
            (own(Availability::Available, "Tester"), sent("whatsmeow", "SendPresence(available)", 0)),
            (own(Availability::Unavailable, "Te@ster"), sent("whatsmeow", "SendPresence(unavailable)", 0)),
            (subscribe(&peer(), None), sent("whatsmeow", "SubscribePresence", 0)),
            (chat_state(&peer(), ChatState::Composing), sent("whatsmeow", "SendChatPresence(composing)", 0)),
            (chat_state(&peer(), ChatState::Recording), sent("whatsmeow", "SendChatPresence(recording)", 0)),
            (chat_state(&peer(), ChatState::Paused), sent("whatsmeow", "SendChatPresence(paused)", 0)),
        ] {
            assert_eq!(comparable(&node), comparable(&expected));
        }
        assert!(unsubscribe(&peer()).attr_is("type", "unsubscribe"));
    }

    #[test]
    fn what_comes_is_read_as_other_clients_read_it() {
        let mut read = Vec::new();
        for case in vectors("features-requests")["inbound"].as_array().unwrap() {
            let node = from_xml(case["stanza"].as_str().unwrap());
            match node.tag() {
                "presence" => {
                    let presence = presence(&node).unwrap();
                    read.push(format!("{} {:?}", presence.available, presence.last_seen));
                }
                "chatstate" => read.push(format!("{:?}", chat_state_of(&node).unwrap())),
                _ => {}
            }
        }
        let expected =
            ["true Unknown", "false At(1795176000)", "false Hidden", "Composing", "Recording", "Paused"];
        assert_eq!(read, expected);
    }

    #[test]
    fn groups_count_and_what_says_nothing_is_left_out() {
        let group = |count: u32| Node::new("presence").attr("from", Jid::group("1-2")).attr("count", count);
        assert_eq!(presence(&group(3)).map(|read| (read.available, read.members)), Some((true, Some(3))));
        assert_eq!(presence(&group(0)).map(|read| (read.available, read.members)), Some((false, Some(0))));
        for last in ["none", "error", ""] {
            let node = Node::new("presence").attr("type", "unavailable").attr("last", last);
            assert_eq!(presence(&node).map(|read| read.last_seen), Some(LastSeen::Unknown));
        }
        assert_eq!(presence(&Node::new("presence").attr("type", "subscribe")), None);
        assert_eq!(chat_state_of(&Node::new("chatstate").child(Node::new("dancing"))), None);
        assert_eq!(chat_state_of(&Node::new("chatstate")), None);
    }
}

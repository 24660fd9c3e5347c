//! The stanza of a report. Pure.

use whimbrel_wire::{Jid, Node, NodeRef};

/// A message of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reported {
    pub(super) message_id: String,
    /// Seconds since 1970.
    pub(super) timestamp: i64,
    pub(super) author: Jid,
    /// Encoded `Message`; empty if it is not known.
    pub(super) content: Vec<u8>,
}

/// The form of what goes along in the clear.
const RAW: &str = "3";

/// Reports a chat.
pub(super) fn report(chat: &Jid, messages: &[Reported], token: Option<Node>) -> Node {
    let flow = match (messages.is_empty(), chat.is_status(), chat.is_group()) {
        (_, true, _) => "StatusReport",
        (false, ..) => "MessageMenu",
        (true, _, true) => "GroupInfoReport",
        (true, ..) => "ContactInfo",
    };
    let list = Node::new("spam_list").attr("spam_flow", flow).attr("jid", chat);
    let list = list.children(messages.iter().map(|message| {
        let raw = (!message.content.is_empty())
            .then(|| Node::new("raw").attr("v", RAW).bytes(message.content.clone()));
        Node::new("message")
            .attr("id", message.message_id.clone())
            .attr("t", message.timestamp)
            .attr("from", chat)
            .attr_opt("participant", (!chat.is_account()).then_some(&message.author))
            .child_opt(raw)
    }));
    Node::new("iq")
        .attr("to", Jid::SERVER)
        .attr("type", "set")
        .attr("xmlns", "spam")
        .child(list)
        .child_opt(token)
}

/// The service's id of a report.
pub(super) fn report_id(answer: &NodeRef<'_>) -> Option<String> {
    let id = answer.child_named("report_id")?.content_text()?;
    Some(id.to_owned()).filter(|id| !id.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_say_what_they_are_about() {
        let message =
            Reported { message_id: "A".into(), timestamp: 5, author: Jid::lid("7"), content: vec![1, 2] };
        let group = report(&Jid::group("1-2"), std::slice::from_ref(&message), None);
        let list = group.child_named("spam_list").unwrap();
        assert!(group.attr_is("xmlns", "spam") && list.attr_is("spam_flow", "MessageMenu"));
        let said = list.child_named("message").unwrap();
        assert_eq!(said.attr_jid("participant"), Some(Jid::lid("7")));
        assert_eq!(said.child_bytes("raw"), Some(&[1, 2][..]));
        let flow = |chat: &Jid, messages: &[Reported]| {
            let made = report(chat, messages, None);
            made.child_named("spam_list").unwrap().attr_text("spam_flow").unwrap().into_owned()
        };
        assert_eq!(flow(&Jid::lid("7"), &[]), "ContactInfo");
        assert_eq!(flow(&Jid::group("1-2"), &[]), "GroupInfoReport");
        assert_eq!(flow(&Jid::STATUS, &[message]), "StatusReport");
        let person = report(&Jid::lid("7"), &[], Some(Node::new("tctoken").bytes(vec![3])));
        assert!(person.child_named("tctoken").is_some());
        let answer = Node::new("iq").child(Node::new("report_id").text("r1".to_owned()));
        assert_eq!((report_id(&answer).as_deref(), report_id(&Node::new("iq"))), (Some("r1"), None));
    }
}

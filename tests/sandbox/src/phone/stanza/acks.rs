//! What settles a received stanza: acks and receipts (transport document §6.10, delivery document §4.11).

use whimbrel_wire::{Jid, Node};

/// The ack of any received stanza; address attributes are echoed, nothing is invented.
pub(crate) fn ack(stanza: &Node) -> Node {
    let mut ack = Node::new("ack").attr("class", stanza.tag().to_owned());
    for (key, source) in
        [("id", "id"), ("to", "from"), ("participant", "participant"), ("recipient", "recipient")]
    {
        if let Some(value) = stanza.attr_value(source) {
            ack.set_attr(key, value.clone().into_owned());
        }
    }
    // Messages are acknowledged without their type; an identity notification too.
    let identity = stanza.attr_is("type", "encrypt") && stanza.child_named("identity").is_some();
    if stanza.tag() != "message"
        && !identity
        && let Some(kind) = stanza.attr_value("type")
    {
        ack.set_attr("type", kind.clone().into_owned());
    }
    ack
}

/// An ack that says why a message cannot be used.
pub(crate) fn nack(stanza: &Node, code: u16) -> Node {
    ack(stanza).attr("error", code)
}

/// The delivery receipt of a message.
pub(crate) fn delivery(message: &Node, own: bool) -> Node {
    let mut receipt = Node::new("receipt");
    if let Some(id) = message.attr_value("id") {
        receipt.set_attr("id", id.clone().into_owned());
    }
    if let Some(from) = message.attr_value("from") {
        receipt.set_attr("to", from.clone().into_owned());
    }
    if let Some(participant) = message.attr_value("participant") {
        receipt.set_attr("participant", participant.clone().into_owned());
    }
    if message.attr_jid("from").is_some_and(|from| from.is_status()) {
        receipt.set_attr("context", "status");
    }
    if message.attr_is("category", "peer") {
        receipt.set_attr("type", "peer_msg");
    } else if own {
        receipt.set_attr("type", "sender");
        if let Some(recipient) = message.attr_value("recipient") {
            receipt.set_attr("recipient", recipient.clone().into_owned());
        }
    }
    receipt
}

/// A read receipt for messages of one author in one chat, who is named in groups.
pub(crate) fn read(chat: &Jid, participant: Option<&Jid>, ids: &[String], now: u64) -> Node {
    let mut ids = ids.iter();
    let receipt = Node::new("receipt")
        .attr_opt("id", ids.next().cloned())
        .attr("to", chat.clone())
        .attr_opt("participant", participant)
        .attr_opt("context", chat.is_status().then_some("status"))
        .attr("type", "read")
        .attr("t", now);
    let more: Vec<Node> = ids.map(|id| Node::new("item").attr("id", id.clone())).collect();
    if more.is_empty() { receipt } else { receipt.child(Node::new("list").children(more)) }
}

/// All message ids that a receipt is about.
pub(crate) fn receipt_ids(receipt: &Node) -> Vec<String> {
    let first = receipt.attr_text("id").map(|id| id.into_owned());
    let list = receipt.child_named("list");
    let more = list.into_iter().flat_map(|list| list.children_named("item"));
    first.into_iter().chain(more.filter_map(|item| Some(item.attr_text("id")?.into_owned()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ack_echoes_addresses_and_type() {
        let receipt = Node::new("receipt")
            .attr("id", "M1")
            .attr("from", Jid::lid("1001").with_device(3))
            .attr("type", "read")
            .attr("t", 5_u64);
        assert_eq!(
            ack(&receipt).to_string(),
            r#"<ack class="receipt" id="M1" to=J:"1001:3@lid" type="read"/>"#
        );
        let message = Node::new("message").attr("id", "M2").attr("from", Jid::pn("5")).attr("type", "text");
        assert_eq!(
            nack(&message, 488).to_string(),
            r#"<ack class="message" id="M2" to=J:"5@s.whatsapp.net" error="488"/>"#
        );
        let identity = Node::new("notification")
            .attr("id", "7")
            .attr("from", Jid::pn("5"))
            .attr("type", "encrypt")
            .child(Node::new("identity"));
        assert_eq!(
            ack(&identity).to_string(),
            r#"<ack class="notification" id="7" to=J:"5@s.whatsapp.net"/>"#
        );
    }

    #[test]
    fn receipts_differ_for_others_own_copies_and_peer_messages() {
        let message = Node::new("message").attr("id", "M1").attr("from", Jid::lid("1001").with_device(3));
        assert_eq!(delivery(&message, false).to_string(), r#"<receipt id="M1" to=J:"1001:3@lid"/>"#);
        let copy = message.clone().attr("recipient", Jid::lid("2002"));
        assert_eq!(
            delivery(&copy, true).to_string(),
            r#"<receipt id="M1" to=J:"1001:3@lid" type="sender" recipient=J:"2002@lid"/>"#
        );
        let peer = message.attr("category", "peer");
        assert_eq!(
            delivery(&peer, true).to_string(),
            r#"<receipt id="M1" to=J:"1001:3@lid" type="peer_msg"/>"#
        );
    }

    #[test]
    fn ids_of_a_read_receipt_come_back() {
        let ids = ["A", "B", "C"].map(str::to_owned);
        let receipt = read(&Jid::lid("1001").with_device(3), None, &ids, 9);
        assert_eq!(receipt_ids(&receipt), ids);
        assert_eq!(
            read(&Jid::group("120363"), Some(&Jid::lid("1001")), &ids[..1], 9).to_string(),
            r#"<receipt id="A" to=J:"120363@g.us" participant=J:"1001@lid" type="read" t="9"/>"#
        );
    }
}

//! "I cannot read this, send it again": retry receipts both ways (delivery document §4.8, §4.9).

use whimbrel_crypto::curve::PublicKey;
use whimbrel_signal::Bundle;
use whimbrel_wire::{Jid, Node};

use super::be_number;
use super::keys::{SignedPrekey, one_time_node, read_keys, type_node};
use super::messages::Envelope;

/// Fresh keys that the other side may start a new session with.
#[derive(Debug)]
pub(crate) struct OfferedKeys<'a> {
    pub(crate) identity: &'a PublicKey,
    pub(crate) one_time: (u32, PublicKey),
    pub(crate) signed: &'a SignedPrekey,
}

/// Asks the author of a message to send it again.
pub(crate) fn request(
    message: &Envelope,
    registration_id: u32,
    count: u32,
    reason: u32,
    keys: Option<OfferedKeys<'_>>,
) -> Node {
    let retry = Node::new("retry")
        .attr("v", "1")
        .attr("count", count)
        .attr("id", message.id.clone())
        .attr("t", message.timestamp)
        .attr_opt("error", (reason != 0).then_some(reason));
    let keys = keys.map(|keys| {
        Node::new("keys")
            .child(type_node())
            .child(Node::new("identity").bytes(keys.identity.as_bytes().to_vec()))
            .child(one_time_node(keys.one_time.0, &keys.one_time.1))
            .child(keys.signed.node())
    });
    Node::new("receipt")
        .attr("id", message.id.clone())
        .attr("to", message.group.as_ref().unwrap_or(&message.author))
        .attr_opt("participant", message.group.as_ref().map(|_| &message.author))
        .attr("type", "retry")
        // Without the chat an own device does not find what it has sent.
        .attr_opt("recipient", message.recipient.as_ref().filter(|_| !message.peer))
        .attr_opt("category", message.peer.then_some("peer"))
        .child(retry)
        .child(Node::new("registration").bytes(registration_id.to_be_bytes().to_vec()))
        .child_opt(keys)
}

/// A received wish to send something again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wish {
    pub(crate) id: String,
    /// The device that could not read.
    pub(crate) device: Jid,
    /// The group that the message went to.
    pub(crate) group: Option<Jid>,
    /// The chat, when the device is one of the own account.
    pub(crate) recipient: Option<Jid>,
    pub(crate) count: u32,
    pub(crate) registration_id: Option<u32>,
    pub(crate) keys: Option<Bundle>,
}

/// Reads a retry receipt.
pub(crate) fn read(receipt: &Node) -> Option<Wish> {
    let retry = receipt.child_named("retry")?;
    let registration_id = receipt.child_bytes("registration").and_then(be_number);
    let from = receipt.attr_jid("from")?;
    let (device, group) = if from.is_group() || from.is_status() {
        (receipt.attr_jid("participant")?, Some(from))
    } else {
        (from, None)
    };
    Some(Wish {
        id: retry.attr_text("id").or_else(|| receipt.attr_text("id"))?.into_owned(),
        device: Some(device).filter(Jid::is_account)?,
        group,
        recipient: receipt.attr_jid("recipient"),
        count: retry.attr_u32("count").unwrap_or(1),
        registration_id,
        keys: receipt.child_named("keys").and_then(|keys| read_keys(keys, registration_id?)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(peer: bool, recipient: Option<Jid>) -> Envelope {
        Envelope {
            id: "M1".to_owned(),
            author: Jid::lid("1001").with_device(3),
            group: None,
            recipient,
            timestamp: 7,
            push_name: None,
            offline: false,
            peer,
            author_twin: None,
            recipient_twin: None,
        }
    }

    #[test]
    fn a_request_with_keys_reads_back() {
        let signed = SignedPrekey { id: 1, public: PublicKey::from_bytes([2; 32]), signature: [3; 64] };
        let identity = PublicKey::from_bytes([1; 32]);
        let one_time = (9, PublicKey::from_bytes([4; 32]));
        let keys = OfferedKeys { identity: &identity, one_time, signed: &signed };
        let mut receipt = request(&envelope(false, None), 10_875, 2, 7, Some(keys));
        receipt.set_attr("from", Jid::lid("2002"));
        let wish = read(&receipt).unwrap();
        assert_eq!((wish.id.as_str(), wish.count, wish.registration_id), ("M1", 2, Some(10_875)));
        assert_eq!(wish.keys.map(|keys| keys.one_time_prekey), Some(Some(one_time)));
    }

    #[test]
    fn own_devices_are_told_the_chat_or_that_it_was_a_peer_message() {
        let copy = request(&envelope(false, Some(Jid::lid("2002"))), 1, 1, 0, None);
        assert_eq!(
            copy.to_string(),
            r#"<receipt id="M1" to=J:"1001:3@lid" type="retry" recipient=J:"2002@lid"><retry v="1" count="1" id="M1" t="7"/><registration>00000001</registration></receipt>"#
        );
        assert!(request(&envelope(true, None), 1, 1, 0, None).attr_is("category", "peer"));
    }
}

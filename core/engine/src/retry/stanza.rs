//! Retry receipts (delivery document §4.8, §4.9). Pure.

use whimbrel_crypto::curve::KeyPair;
use whimbrel_wire::{Jid, Node, NodeRef};

use crate::connection::payload::be24;
use crate::devices::bundles::{self, DeviceBundle};
use crate::messages::Received;
use crate::store::{PreKeyRow, SignedPreKeyRow};

/// Type octet of curve keys.
const KEY_TYPE: u8 = 5;

/// Requests after which a message is given up.
pub(crate) const TRIES: u8 = 4;

/// Why a message could not be opened, as numbered on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    NoSession = 1,
    InvalidKey = 2,
    InvalidKeyId = 3,
    InvalidMessage = 4,
    InvalidSignature = 5,
    FutureMessage = 6,
    BadMac = 7,
    InvalidProof = 12,
}

impl Reason {
    /// Whether a new session may help.
    pub(crate) const fn is_of_session(self) -> bool {
        !matches!(self, Self::InvalidSignature | Self::InvalidProof)
    }

    /// A stable lowercase word, for the host.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::NoSession => "no_session",
            Self::InvalidKey => "invalid_key",
            Self::InvalidKeyId => "invalid_key_id",
            Self::InvalidMessage => "invalid_message",
            Self::InvalidSignature => "invalid_signature",
            Self::FutureMessage => "future_message",
            Self::BadMac => "bad_mac",
            Self::InvalidProof => "invalid_proof",
        }
    }
}

/// Fresh keys that let the other side begin a new session.
pub(crate) struct Keys<'a> {
    pub(crate) identity: &'a KeyPair,
    pub(crate) signed: &'a SignedPreKeyRow,
    pub(crate) one_time: &'a PreKeyRow,
    pub(crate) proof: Option<&'a [u8]>,
}

/// Asks for a message again; `count` is the number of this request, from 1.
pub(crate) fn request(
    message: &Received<'_>,
    count: u8,
    reason: Reason,
    registration_id: u32,
    keys: Option<Keys<'_>>,
) -> Node {
    let id = message.id.clone().into_owned();
    let retry = Node::new("retry")
        .attr("v", "1")
        .attr("count", u16::from(count))
        .attr("id", id.clone())
        .attr("t", message.timestamp)
        .attr("error", reason as u16);
    Node::new("receipt")
        .attr("id", id)
        .attr("to", &message.from)
        .attr("type", "retry")
        .attr_opt("participant", message.participant.as_ref())
        .attr_opt("recipient", message.recipient.as_ref())
        .attr_opt("category", message.peer.then_some("peer"))
        .child(retry)
        .child(Node::new("registration").bytes(registration_id.to_be_bytes().to_vec()))
        .child_opt(keys.map(Keys::build))
}

impl Keys<'_> {
    fn build(self) -> Node {
        let key = |tag: &'static str, id: u32, pair: &KeyPair| {
            Node::new(tag)
                .child(Node::new("id").bytes(be24(id).to_vec()))
                .child(Node::new("value").bytes(pair.public.as_bytes().to_vec()))
        };
        let signature = Node::new("signature").bytes(self.signed.signature.to_vec());
        Node::new("keys")
            .child(Node::new("type").bytes(vec![KEY_TYPE]))
            .child(Node::new("identity").bytes(self.identity.public.as_bytes().to_vec()))
            .child(key("key", self.one_time.id, &self.one_time.pair))
            .child(key("skey", self.signed.id, &self.signed.pair).child(signature))
            .child_opt(self.proof.map(|proof| Node::new("device-identity").bytes(proof.to_vec())))
    }
}

/// Somebody's request for a message of ours.
pub(crate) struct Request {
    pub(crate) message_id: String,
    /// The asking device.
    pub(crate) device: Jid,
    /// The chat: the asker, a group, or what an own device names.
    pub(crate) chat: Jid,
    /// It is about a message that is not for people.
    pub(crate) peer: bool,
    pub(crate) count: u8,
    pub(crate) registration_id: Option<u32>,
    /// `Some(None)`: there are keys, but not usable ones.
    pub(crate) keys: Option<Option<DeviceBundle>>,
}

/// Reads a retry receipt; `None` if it makes no sense. An own device says which chat it means.
pub(crate) fn parse(node: &NodeRef<'_>) -> Option<Request> {
    let retry = node.child_named("retry")?;
    let from = node.attr_jid("from")?.normalized();
    let participant = node.attr_jid("participant").map(Jid::normalized);
    let device = if from.is_account() { from.clone() } else { participant? };
    let chat = match node.attr_jid("recipient") {
        Some(recipient) if from.is_account() => recipient.normalized(),
        _ => from.to_bare(),
    };
    let registration = node.child_named("registration");
    let keys = node.child_named("keys").map(|keys| {
        // Without a one-time key the requester could not tell the new session from an old one.
        keys.child_named("key")?;
        bundles::keys(keys, registration)
    });
    Some(Request {
        message_id: node.attr_text("id")?.into_owned(),
        device,
        chat,
        peer: node.attr_is("category", "peer"),
        count: retry.attr_u64("count").and_then(|count| u8::try_from(count).ok()).unwrap_or(u8::MAX),
        registration_id: registration
            .and_then(|registration| registration.require_array().ok())
            .map(|id| u32::from_be_bytes(*id)),
        keys,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random;

    fn message() -> Node {
        Node::new("message").attr("id", "A1").attr("from", Jid::lid("7").with_device(3)).attr("t", "1000")
    }

    #[test]
    fn a_first_request_has_no_keys() {
        let node = message();
        let receipt = request(&Received::parse(&node).unwrap(), 1, Reason::BadMac, 0x0102, None);
        assert_eq!(
            receipt.to_string(),
            r#"<receipt id="A1" to=J:"7:3@lid" type="retry"><retry v="1" count="1" id="A1" t="1000" error="7"/><registration>00000102</registration></receipt>"#
        );
        let peer = message().attr("category", "peer");
        let receipt = request(&Received::parse(&peer).unwrap(), 1, Reason::BadMac, 1, None);
        assert!(receipt.attr_is("category", "peer"));
    }

    #[test]
    fn a_request_with_keys_is_read_as_a_bundle() {
        let mut rng = random::generator(Some(1), 1).unwrap();
        let identity = KeyPair::generate(&mut rng);
        let signed = crate::prekeys::sign(&identity, 5, &mut rng);
        let one_time = PreKeyRow { id: 0x01_0203, pair: KeyPair::generate(&mut rng), offered: true };
        let node = message();
        let keys = Keys { identity: &identity, signed: &signed, one_time: &one_time, proof: Some(&[1, 2]) };
        let sent = request(&Received::parse(&node).unwrap(), 2, Reason::NoSession, 77, Some(keys));
        let mut arrived = sent;
        arrived.remove_attr("to");
        let read = parse(&arrived.attr("from", Jid::lid("9").with_device(2))).unwrap();
        assert_eq!((read.count, read.registration_id), (2, Some(77)));
        assert_eq!((read.device, read.chat), (Jid::lid("9").with_device(2), Jid::lid("9")));
        let bundle = read.keys.unwrap().unwrap();
        assert_eq!(bundle.bundle.verify(), Ok(()));
        assert_eq!(bundle.bundle.one_time_prekey, Some((0x01_0203, one_time.pair.public)));
        assert_eq!(bundle.proof, Some(vec![1, 2]));
    }

    #[test]
    fn chats_are_told_by_own_devices_and_groups() {
        let receipt = Node::new("receipt")
            .attr("id", "A1")
            .attr("type", "retry")
            .child(Node::new("retry").attr("count", "1"));
        let own = receipt.clone().attr("from", Jid::lid("1").with_device(4)).attr("recipient", Jid::lid("9"));
        let read = parse(&own).unwrap();
        assert_eq!((read.device, read.chat), (Jid::lid("1").with_device(4), Jid::lid("9")));
        let group = receipt.clone().attr("from", Jid::group("1-2"));
        assert!(parse(&group).is_none());
        let read = parse(&group.attr("participant", Jid::lid("5"))).unwrap();
        assert_eq!((read.device, read.chat), (Jid::lid("5"), Jid::group("1-2")));
        assert!(parse(&Node::new("receipt").attr("id", "A1").attr("from", Jid::lid("5"))).is_none());
        let unusable = receipt.attr("from", Jid::lid("5")).child(Node::new("keys"));
        assert!(parse(&unusable).unwrap().keys.unwrap().is_none());
    }
}

//! Messages from this device to other devices of its account that are not for people (delivery
//! document §3.8): requests to the phone.

use std::collections::VecDeque;
use std::time::Duration;

use rand_core::Rng as _;
use whimbrel_crypto::message_id::message_id;
use whimbrel_proto::e2e::Message as Content;
use whimbrel_proto::e2e::message::ProtocolMessage;
use whimbrel_signal::CiphertextKind;
use whimbrel_wire::{Jid, Node};

use super::send;
use super::signal_state::Unit;
use super::stanza::{self, Sealed};
use crate::client::{Inner, not_linked};
use crate::connection::Connection;
use crate::devices::bundles;
use crate::devices::sessions::{self, Target};
use crate::error::{Code, Error, Outcome};
use crate::store::StoreError;

/// How long the service may take to accept one.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Messages that are kept in case the other device asks for them again.
const KEPT: usize = 64;

/// How urgently the phone is woken (messages document §10.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Priority {
    /// As for messages.
    High,
    /// Even if the phone saves power.
    HighForce,
}

impl Priority {
    const fn word(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::HighForce => "high_force",
        }
    }
}

/// Sent messages, for devices that could not open them. They matter for as long as somebody
/// waits for what follows from them, so they are not stored.
#[derive(Default)]
pub(crate) struct PeerMessages(VecDeque<(String, Vec<u8>)>);

impl PeerMessages {
    fn keep(&mut self, id: &str, content: Vec<u8>) {
        if self.0.len() >= KEPT {
            self.0.pop_front();
        }
        self.0.push_back((id.to_owned(), content));
    }

    /// Encoded content of a sent message.
    pub(crate) fn get(&self, id: &str) -> Option<&[u8]> {
        self.0.iter().find(|(kept, _)| kept == id).map(|(_, content)| content.as_slice())
    }
}

/// A stanza for one own device.
struct Peer<'a> {
    id: &'a str,
    priority: Option<Priority>,
    proof: Option<&'a [u8]>,
}

impl Peer<'_> {
    fn build(self, sealed: Sealed) -> Node {
        let proof = self.proof.filter(|_| sealed.kind == CiphertextKind::PreKey);
        Node::new("message")
            .attr("id", self.id.to_owned())
            .attr("to", &sealed.device)
            .attr("type", "text")
            .attr("category", "peer")
            .attr_opt("push_priority", self.priority.map(Priority::word))
            .child(Node::new("meta").attr("appdata", "default"))
            .child(sealed.enc(None))
            .child_opt(proof.map(|proof| Node::new("device-identity").bytes(proof.to_vec())))
    }
}

/// Sends a control message to the phone and waits until the service has it. `wanted` is part of
/// the unit of work that encrypts it, and may find out that it is not needed any more: then
/// nothing is sent and `None` is returned. Otherwise the id of the message, which its answer
/// names.
pub(crate) async fn send_to_phone(
    client: &Inner,
    connection: &Connection,
    message: ProtocolMessage,
    priority: Option<Priority>,
    wanted: impl FnOnce(&mut Unit<'_>) -> Result<bool, StoreError> + Send,
) -> Result<Option<String>, Error> {
    send(client, connection, 0, message, priority, wanted).await
}

/// Sends a control message to a device of the account, the phone being number 0.
pub(crate) async fn send_to_device(
    client: &Inner,
    connection: &Connection,
    device: u16,
    message: ProtocolMessage,
) -> Result<Option<String>, Error> {
    send(client, connection, device, message, Some(Priority::High), |_| Ok(true)).await
}

async fn send(
    client: &Inner,
    connection: &Connection,
    device: u16,
    message: ProtocolMessage,
    priority: Option<Priority>,
    wanted: impl FnOnce(&mut Unit<'_>) -> Result<bool, StoreError> + Send,
) -> Result<Option<String>, Error> {
    let target = client.unit(|unit| own(unit, device)).await?.ok_or_else(not_linked)?;
    let key = target.key.clone();
    if !client.unit(|unit| unit.has_session(&key)).await? {
        sessions::fetch(client, connection, vec![target.clone()], bundles::Reason::NoSession).await?;
    }
    let content = Content { protocol_message: Some(Box::new(message)), ..Content::default() };
    let content = whimbrel_proto::encode(&content);
    let composed = client.unit(|unit| {
        if !wanted(unit)? {
            return Ok(None);
        }
        compose(unit, target, content, priority).map(Some)
    });
    let Some(composed) = composed.await? else { return Ok(None) };
    let (id, node) =
        composed.ok_or_else(|| Error::new(Code::NoSession, "there is no session with the device"))?;
    let answer = connection.send_awaiting_ack(node, TIMEOUT).await?;
    match stanza::ack(&answer).and_then(|ack| ack.error) {
        None => Ok(Some(id)),
        Some(status) => Err(Error::new(Code::Refused, "the service refused a message to an own device")
            .with_service_status(status)
            .with_outcome(Outcome::Refused)),
    }
}

/// A device of the account: its session is kept by LID, and stanzas name it by number.
fn own(unit: &mut Unit<'_>, device: u16) -> Result<Option<Target>, StoreError> {
    let Some(wire) = unit.account.phone.as_ref().map(Jid::to_bare) else { return Ok(None) };
    let wire = wire.with_device(device);
    Ok(Some(Target { key: unit.canonical(&wire)?, wire }))
}

fn compose(
    unit: &mut Unit<'_>,
    phone: Target,
    content: Vec<u8>,
    priority: Option<Priority>,
) -> Result<Option<(String, Node)>, StoreError> {
    let mut noise = [0; 16];
    unit.rng().fill_bytes(&mut noise);
    let now = u64::try_from(unit.now()).unwrap_or(0);
    let id = message_id(now, phone.wire.user(), &noise);
    let Some(sealed) = send::seal_one(unit, phone, content.clone())? else { return Ok(None) };
    let node = Peer { id: &id, priority, proof: unit.account.signed_identity.as_deref() }.build(sealed);
    unit.peer_messages().keep(&id, content);
    Ok(Some((id, node)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_message_has_one_ciphertext_and_no_list_of_devices() {
        let sealed = |kind| Sealed { device: Jid::pn("15550001"), kind, bytes: vec![9] };
        let peer = || Peer { id: "A1", priority: Some(Priority::HighForce), proof: Some(&[1]) };
        let node = peer().build(sealed(CiphertextKind::Message));
        assert_eq!(
            node.to_string(),
            r#"<message id="A1" to=J:"15550001@s.whatsapp.net" type="text" category="peer" push_priority="high_force"><meta appdata="default"/><enc v="2" type="msg">09</enc></message>"#
        );
        let node = peer().build(sealed(CiphertextKind::PreKey));
        assert_eq!(node.child_bytes("device-identity"), Some(&[1][..]));
    }

    #[test]
    fn the_latest_are_kept() {
        let mut messages = PeerMessages::default();
        for number in 0..=KEPT {
            messages.keep(&number.to_string(), vec![1]);
        }
        assert!(messages.get("0").is_none() && messages.get("1").is_some());
        assert_eq!(messages.0.len(), KEPT);
    }
}

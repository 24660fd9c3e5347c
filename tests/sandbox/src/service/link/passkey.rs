//! Linking that the account's owner confirms with a passkey: the service carries the parts of the
//! exchange between the companion and the phone (pairing document §7). How phones speak to the service
//! about it is not known, so their side comes through methods instead of stanzas.

use std::fmt;

use whimbrel_wire::{Jid, Node};

use super::super::{Service, StreamId};
use crate::events::{Event, PasskeyStep};
use crate::stanza::{self, Refusal};

/// What an authenticator is asked.
const OPTIONS: &str = r#"{"challenge":"AAEC","timeout":600000,"rpId":"whatsapp.com","allowCredentials":[],"userVerification":"required","extensions":{"uvm":true}}"#;
/// Octets of an encrypted request, at most.
const REQUEST_LIMIT: usize = 1024;

/// A passkey that was demanded of a companion.
#[derive(Debug, Default)]
pub(super) struct Passkey {
    reference: Option<String>,
    offer: Option<Offer>,
    /// The phone's part was sent on.
    continued: bool,
    nonce: Option<[u8; 32]>,
    request: Option<Vec<u8>>,
}

/// What a companion offers, once an authenticator has answered.
#[derive(Clone)]
pub(crate) struct Offer {
    /// The service's name for the exchange.
    pub(crate) reference: String,
    /// The companion's part, encoded.
    pub(crate) prologue: Vec<u8>,
}

impl fmt::Debug for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Offer").field("reference", &self.reference).finish_non_exhaustive()
    }
}

impl Service {
    /// Demands a passkey of every companion that is being linked, with the options or without.
    /// Tells how many there are.
    pub(crate) fn demand_passkey(&mut self, with_options: bool) -> usize {
        let streams: Vec<StreamId> = self.links.companions.keys().copied().collect();
        for stream in &streams {
            if let Some(companion) = self.links.companions.get_mut(stream) {
                companion.passkey = Some(Passkey::default());
            }
            let options = with_options.then(options);
            let demand = self.notification("passkey_prologue_request", Jid::SERVER).child_opt(options);
            self.send(*stream, demand);
        }
        streams.len()
    }

    /// A request of a companion about the passkey.
    pub(super) fn passkey_request(
        &mut self,
        stream: StreamId,
        request: &Node,
    ) -> Result<Option<Node>, Refusal> {
        let malformed = || Refusal::code(400);
        let child = request.first_child().ok_or_else(malformed)?;
        let reference = format!("2@{}", hex::encode(self.random::<16>()));
        let companion = self.links.companions.get_mut(&stream).ok_or_else(malformed)?;
        // Nothing of this is asked for unless the service has begun it.
        let passkey = companion.passkey.as_mut().ok_or_else(malformed)?;
        let (step, answer) = match (child.tag(), stanza::plain(request, "type")) {
            ("passkey_request_options", Some("get")) => return Ok(Some(options())),
            ("ref", Some("get")) => {
                *passkey = Passkey { reference: Some(reference.clone()), ..Passkey::default() };
                return Ok(Some(Node::new("ref").bytes(reference.into_bytes())));
            }
            ("passkey_prologue", Some("set")) => {
                let reference = passkey.reference.clone().ok_or_else(malformed)?;
                let part = |tag| child.child_bytes(tag).filter(|bytes| !bytes.is_empty()).map(<[u8]>::to_vec);
                let assertion = part("webauthn_assertion").ok_or_else(malformed)?;
                serde_json::from_slice::<serde_json::Value>(&assertion).map_err(|_| malformed())?;
                part("credential_id").ok_or_else(malformed)?;
                let prologue = part("prologue_payload").ok_or_else(malformed)?;
                passkey.offer = Some(Offer { reference, prologue });
                (PasskeyStep::Offered, None)
            }
            ("companion_nonce", Some("set")) if passkey.continued => {
                passkey.nonce = Some(stanza::octets(request, "companion_nonce").ok_or_else(malformed)?);
                (PasskeyStep::Opened, None)
            }
            ("encrypted_pairing_request", Some("set")) if passkey.nonce.is_some() => {
                let sealed = child.content_bytes().filter(|sealed| sealed.len() <= REQUEST_LIMIT);
                passkey.request = Some(sealed.ok_or_else(malformed)?.to_vec());
                // The phone uploads under this name.
                companion.refs.extend(passkey.reference.clone());
                (PasskeyStep::Requested, None)
            }
            _ => return Err(malformed()),
        };
        self.log(Event::Passkey { connection: stream.0, step });
        Ok(answer)
    }

    /// What a companion has offered.
    pub(crate) fn passkey_offer(&self, stream: StreamId) -> Option<Offer> {
        self.passkey(stream)?.offer.clone()
    }

    /// Sends a companion the phone's part. Tells whether it has offered something.
    pub(crate) fn continue_passkey(&mut self, stream: StreamId, phone: Vec<u8>) -> bool {
        let companion = self.links.companions.get_mut(&stream);
        let Some(passkey) = companion.and_then(|companion| companion.passkey.as_mut()) else { return false };
        if passkey.offer.is_none() {
            return false;
        }
        passkey.continued = true;
        let part = Node::new("primary_ephemeral_identity").bytes(phone);
        let notification = self.notification("crsc_continuation", Jid::SERVER).child(part);
        self.send(stream, notification);
        true
    }

    /// The nonce to which a companion had committed itself.
    pub(crate) fn passkey_nonce(&self, stream: StreamId) -> Option<[u8; 32]> {
        self.passkey(stream)?.nonce
    }

    /// The request with a companion's keys, for the phone only.
    pub(crate) fn passkey_keys(&self, stream: StreamId) -> Option<Vec<u8>> {
        self.passkey(stream)?.request.clone()
    }

    fn passkey(&self, stream: StreamId) -> Option<&Passkey> {
        self.links.companions.get(&stream)?.passkey.as_ref()
    }
}

fn options() -> Node {
    Node::new("passkey_request_options").bytes(OPTIONS.as_bytes().to_vec())
}

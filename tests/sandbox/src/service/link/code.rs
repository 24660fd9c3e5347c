//! Linking by pairing code: the service only carries the parts of the exchange between the companion
//! and the phone (pairing document §6).

use whimbrel_wire::{Jid, Node};

use super::super::accounts::{AccountId, DeviceId, Space};
use super::super::{Service, StreamId};
use crate::events::Event;
use crate::stanza::{self, Refusal};

/// Octets of a wrapped ephemeral key.
const WRAPPED_KEY: usize = 80;
/// Octets of a wrapped key bundle.
const KEY_BUNDLE: usize = 156;
/// Times that a phone may answer one code.
const HELLOS: u32 = 3;
/// Names of operating systems that the service takes in the display text.
const SYSTEMS: [&str; 9] =
    ["Windows", "Mac OS", "macOS", "Linux", "Ubuntu", "Debian", "Android", "iOS", "Chrome OS"];

/// A pairing code under way.
#[derive(Debug)]
pub(super) struct CodeSession {
    reference: String,
    account: AccountId,
    pub(super) companion: StreamId,
    hellos: u32,
    ends: u64,
}

impl Service {
    /// The code that a registration connection waits for.
    pub(super) fn code_of(&self, stream: StreamId) -> Option<usize> {
        self.links.codes.iter().position(|session| session.companion == stream && self.now < session.ends)
    }

    pub(super) fn companion_by_code(&self, reference: &str) -> Option<StreamId> {
        let fits = |session: &&CodeSession| session.reference == reference && self.now < session.ends;
        self.links.codes.iter().find(fits).map(|session| session.companion)
    }

    /// An `md` request on a registration connection.
    pub(super) fn companion_code_request(&mut self, stream: StreamId, request: &Node) {
        let part = request.child_named("link_code_companion_reg").cloned();
        let stage = part.as_ref().and_then(|part| stanza::plain(part, "stage"));
        let answer = match (&part, stage) {
            (Some(part), Some("companion_hello")) => self.companion_hello(stream, part),
            (Some(part), Some("companion_finish")) => self.companion_finish(stream, part),
            (None, _) => self.passkey_request(stream, request),
            (Some(_), Some("get_country_code")) => Ok(Some(
                Node::new("link_code_companion_reg").child(Node::new("country_code").attr("iso", "DE")),
            )),
            _ => Err(Refusal::code(400)),
        };
        let answer = match answer {
            Ok(child) => stanza::result(request).child_opt(child),
            Err(refusal) => stanza::error(request, &refusal),
        };
        self.send(stream, answer);
    }

    /// Asks the companion that shows a code for this number for another one, by itself or by its
    /// person. Tells whether there is such a code.
    pub(crate) fn refresh_code(&mut self, number: &str, by_hand: bool) -> bool {
        let Some(account) = self.accounts.by_pn(number) else { return false };
        let session = self.links.codes.iter().find(|session| session.account == account);
        let Some((stream, reference)) = session.map(|session| (session.companion, session.reference.clone()))
        else {
            return false;
        };
        let part = Node::new("link_code_companion_reg")
            .attr("stage", "refresh_code")
            .attr("force_manual_refresh", if by_hand { "true" } else { "false" })
            .child(Node::new("link_code_pairing_ref").text(reference));
        let notification = self.notification("link_code_companion_reg", Jid::SERVER).child(part);
        self.send(stream, notification);
        true
    }

    /// Sends a stanza to every companion that is being linked. Tells how many there are.
    pub(crate) fn inject_into_linking(&mut self, stanza: &Node) -> usize {
        let streams: Vec<StreamId> = self.links.companions.keys().copied().collect();
        for stream in &streams {
            self.send(*stream, stanza.clone());
        }
        streams.len()
    }

    fn companion_hello(&mut self, stream: StreamId, part: &Node) -> Result<Option<Node>, Refusal> {
        let malformed = || Refusal::code(400);
        let ready = self.links.companions.get(&stream).is_some_and(|companion| companion.offered.is_none());
        let number = part.attr_jid("jid").filter(Jid::is_pn).ok_or_else(malformed)?;
        let wrapped = part.child_bytes("link_code_pairing_wrapped_companion_ephemeral_pub");
        let noise_key: [u8; 32] =
            stanza::octets(part, "companion_server_auth_key_pub").ok_or_else(malformed)?;
        let registered = self.links.companions.get(&stream).map(|companion| companion.registration.noise_key);
        let platform = part.child_text("companion_platform_id").unwrap_or_default();
        let display = part.child_text("companion_platform_display").unwrap_or_default();
        let known_system = display
            .split_once(" (")
            .and_then(|(_, system)| system.strip_suffix(')'))
            .is_some_and(|system| SYSTEMS.iter().any(|known| system.starts_with(known)));
        if !ready
            || wrapped.is_none_or(|wrapped| wrapped.len() != WRAPPED_KEY)
            || registered != Some(noise_key)
            || !("1"..="9").contains(&platform)
            || !known_system
            || part.child_bytes("link_code_pairing_nonce").is_none()
        {
            return Err(malformed());
        }
        let account = self.accounts.find(&number.to_bare()).ok_or_else(|| Refusal::code(404))?;
        let reference = format!("3@{}", hex::encode(self.random::<16>()));
        let ends = self.now + self.options.limits.code.as_secs();
        self.links.codes.retain(|session| session.account != account && session.companion != stream);
        let session =
            CodeSession { reference: reference.clone(), account, companion: stream, hellos: 0, ends };
        self.links.codes.push(session);
        self.relay_to_phone(account, part, "companion_hello", &reference);
        let reference = Node::new("link_code_pairing_ref").text(reference);
        Ok(Some(Node::new("link_code_companion_reg").attr("stage", "companion_hello").child(reference)))
    }

    /// The phone's part: its user has typed the code.
    pub(in super::super) fn primary_hello(&mut self, phone: DeviceId, part: &Node) -> Result<(), Refusal> {
        if phone.number != 0 {
            return Err(Refusal::code(403));
        }
        let wrapped = part.child_bytes("link_code_pairing_wrapped_primary_ephemeral_pub");
        if wrapped.is_none_or(|wrapped| wrapped.len() != WRAPPED_KEY)
            || stanza::octets::<32>(part, "primary_identity_pub").is_none()
        {
            return Err(Refusal::code(400));
        }
        let reference = part.child_text("link_code_pairing_ref").ok_or_else(|| Refusal::code(400))?;
        let now = self.now;
        let session = self
            .links
            .codes
            .iter_mut()
            .find(|session| {
                session.reference == reference && session.account == phone.account && now < session.ends
            })
            .filter(|session| session.hellos < HELLOS);
        let Some(session) = session else {
            let number = self.accounts.label(phone);
            self.log(Event::CodeRefused { number });
            return Err(Refusal::code(404));
        };
        session.hellos += 1;
        let companion = session.companion;
        let relayed = Node::new("link_code_companion_reg")
            .attr("stage", "primary_hello")
            .children(part.child_nodes().iter().cloned());
        let notification = self.notification("link_code_companion_reg", Jid::SERVER).child(relayed);
        self.send(companion, notification);
        Ok(())
    }

    fn companion_finish(&mut self, stream: StreamId, part: &Node) -> Result<Option<Node>, Refusal> {
        let bundle = part.child_bytes("link_code_pairing_wrapped_key_bundle");
        let identity: Option<[u8; 32]> = stanza::octets(part, "companion_identity_public");
        let registered = self.links.companions.get(&stream).map(|companion| companion.registration.identity);
        if bundle.is_none_or(|bundle| bundle.len() != KEY_BUNDLE)
            || identity.is_none()
            || identity != registered
        {
            return Err(Refusal::code(400));
        }
        let reference =
            part.child_text("link_code_pairing_ref").ok_or_else(|| Refusal::code(400))?.to_owned();
        let now = self.now;
        let account = self
            .links
            .codes
            .iter()
            .find(|session| {
                session.reference == reference && session.companion == stream && now < session.ends
            })
            .filter(|session| session.hellos > 0)
            .map(|session| session.account)
            .ok_or_else(|| Refusal::code(404))?;
        self.relay_to_phone(account, part, "companion_finish", &reference);
        Ok(None)
    }

    fn relay_to_phone(&mut self, account: AccountId, part: &Node, stage: &'static str, reference: &str) {
        let children =
            part.child_nodes().iter().filter(|child| child.tag() != "link_code_pairing_ref").cloned();
        let relayed = Node::new("link_code_companion_reg")
            .attr("stage", stage)
            .attr_opt("jid", self.accounts.bare(account, Space::Pn))
            .attr_opt("should_show_push_notification", stanza::text(part, "should_show_push_notification"))
            .child(Node::new("link_code_pairing_ref").text(reference.to_owned()))
            .children(children);
        let notification = self.notification("link_code_companion_reg", Jid::SERVER).child(relayed);
        self.push(DeviceId { account, number: 0 }, notification);
    }
}

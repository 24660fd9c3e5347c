//! Receiving from groups: the pairwise part with the sender key first, then what is for all.

use whimbrel_crypto::padding;
use whimbrel_proto::e2e::Message as Plain;
use whimbrel_wire::{Jid, Node};

use crate::phone::seen::Familiar;
use crate::phone::sessions::Unread;
use crate::phone::stanza::acks;
use crate::phone::stanza::messages::{self, Envelope};
use crate::phone::state::{Outcome, State};

/// What a stanza held once it was decrypted.
type Plaintext = Result<Plain, Unreadable>;

/// Why there is nothing to show.
#[derive(Debug, Clone, Copy)]
enum Unreadable {
    /// It could not be decrypted.
    Locked(Unread),
    /// It was decrypted, but is no message.
    Garbled,
}

impl From<Unread> for Unreadable {
    fn from(unread: Unread) -> Self {
        Self::Locked(unread)
    }
}

impl State {
    /// Reacts to a message of a group.
    pub(crate) fn group_message(&mut self, node: &Node, envelope: Envelope, group: &Jid) -> Outcome {
        let pairwise = messages::read_ciphertext(node);
        let shared = messages::read_shared(node);
        let Some(first) = pairwise.map(|(ciphertext, _)| ciphertext.bytes()).or(shared) else {
            return Outcome::reply(acks::nack(node, 488));
        };
        let author = self.people.session_address(&envelope.author);
        let own = self.is_own(&envelope.author);
        let answered = pairwise.map_or(0, |(_, answered)| answered);
        let familiar = self.seen.look_up(&author, &envelope.id, first);
        if familiar == Familiar::Same {
            return Outcome::reply(self.settle(node, own));
        }
        // Without any word of its own for this device, the author must hear at once how to reach it.
        let unannounced = pairwise.is_none();
        match self.open(node, &envelope, group, &author, own) {
            Ok(plain) => {
                self.seen.was_read(&author, &envelope.id, first);
                self.show(node, envelope, own, familiar, plain)
            }
            Err(Unreadable::Garbled) => Outcome::reply(acks::nack(node, 491)),
            Err(Unreadable::Locked(Unread::Retry(reason))) if unannounced && reason == 1 => {
                self.ask_for(node, &envelope, &author, answered, (reason, true))
            }
            Err(Unreadable::Locked(unread)) => self.unread(node, &envelope, &author, answered, unread),
        }
    }

    fn open(&mut self, node: &Node, envelope: &Envelope, group: &Jid, author: &Jid, own: bool) -> Plaintext {
        let mut plain = Err(Unreadable::Locked(Unread::Duplicate));
        if let Some((ciphertext, _)) = messages::read_ciphertext(node) {
            match self.decrypt(node, author, own, ciphertext) {
                Ok(padded) => {
                    let read = unwrapped(parse(&padded)?, own);
                    self.take_distribution(&read, group, author);
                    plain = Ok(read);
                }
                // The key in it was taken before.
                Err(Unread::Duplicate) => {}
                // One receipt asks for both; the shared part could not be read anyway.
                Err(unread) => return Err(unread.into()),
            }
        }
        if let Some(shared) = messages::read_shared(node) {
            let padded = self.groups.decrypt(group, author, shared)?;
            return parse(&padded);
        }
        tracing::trace!(id = envelope.id, "a group message without a shared part");
        plain
    }

    fn take_distribution(&mut self, plain: &Plain, group: &Jid, author: &Jid) {
        let Some(key) = &plain.sender_key_distribution_message else { return };
        let named = key.group_id.as_deref().and_then(|id| Jid::parse(id).ok());
        match &key.axolotl_sender_key_distribution_message {
            Some(distribution) if named.as_ref() == Some(group) => {
                self.groups.take_key(group, author, distribution);
            }
            _ => tracing::warn!(%author, "a phone got a sender key for another group"),
        }
    }

    /// The service tells of a change in a group.
    pub(crate) fn group_changed(&mut self, node: &Node) {
        let Some(group) = node.attr_jid("from").filter(Jid::is_group) else { return };
        self.groups.changed(&group, node.child_named("remove").is_some());
    }
}

/// Baileys answers the retry receipts of own devices with the form of copies in direct chats.
fn unwrapped(mut plain: Plain, own: bool) -> Plain {
    match plain.device_sent_message.take_if(|_| own).and_then(|sent| sent.message) {
        Some(inner) => *inner,
        None => plain,
    }
}

fn parse(padded: &[u8]) -> Plaintext {
    let plain = padding::unpad(padded).ok().and_then(|plain| whimbrel_proto::decode::<Plain>(plain).ok());
    plain.ok_or(Unreadable::Garbled)
}

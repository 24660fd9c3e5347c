//! Which message the host means, as the chat names it (messages document §5).

use whimbrel_content::addons::Addon;
use whimbrel_content::compose::{Envelope, SECRET};
use whimbrel_content::key::Key;
use whimbrel_crypto::message_secret::NONCE;
use whimbrel_wire::Jid;

use crate::client::Inner;
use crate::error::{Code, Error};
use crate::groups::Addressing;
use crate::messages::MessageKey;
use crate::messages::compose::{canonical, person};
use crate::messages::outbox;
use crate::store::ParentRow;

/// A message as the chat names it.
pub(super) struct Named {
    pub(super) key: Key,
    /// Who wrote it, as the chat addresses people.
    author: Jid,
    /// This account, likewise.
    own: Jid,
}

/// This account as a chat addresses it.
fn own(client: &Inner, chat: &Jid) -> Result<Jid, Error> {
    let account = client.linked_account()?;
    let by_phone = match chat.is_group() {
        true => client.store.group(chat)?.is_some_and(|group| group.addressing == Addressing::PhoneNumber),
        false => chat.is_pn(),
    };
    let (first, other) = match by_phone {
        true => (&account.phone, &account.lid),
        false => (&account.lid, &account.phone),
    };
    first.as_ref().or(other.as_ref()).map(Jid::to_bare).ok_or_else(crate::client::not_linked)
}

impl Named {
    /// Finds out which message is meant. A message of this client needs no sender.
    pub(super) fn find(client: &Inner, chat: &Jid, key: &MessageKey) -> Result<Self, Error> {
        let id = key.message_id.as_str();
        if id.is_empty() {
            return Err(Error::new(Code::InvalidArgument, "the message id is empty"));
        }
        let own = own(client, chat)?;
        let account = client.linked_account()?;
        let is_own = |user: &Jid| {
            let own = [&account.phone, &account.lid];
            own.into_iter().flatten().any(|own| own.same_account(user))
        };
        let author = match &key.sender {
            Some(sender) => sender.to_account(),
            None if outbox::find(&*client.store, chat, id)?.is_some() => own.clone(),
            None => match parents(client, chat, id)?.as_slice() {
                [only] => only.author.clone(),
                _ if chat.is_group() || chat.is_status() => {
                    let message = "the sender of the message is needed in groups";
                    return Err(Error::new(Code::InvalidArgument, message));
                }
                _ => chat.clone(),
            },
        };
        if is_own(&author) {
            return Ok(Self { key: Key::own(chat, id), author: own.clone(), own });
        }
        let author = person(client, chat, &author)?;
        Ok(Self { key: Key::foreign(chat, id, &author), author, own })
    }

    /// What is kept of the message for what belongs to it.
    pub(super) fn parent(&self, client: &Inner, chat: &Jid) -> Result<ParentRow, Error> {
        let account = client.linked_account()?;
        let author = canonical(client, &account, &self.author)?;
        for row in parents(client, chat, &self.key.id)? {
            if canonical(client, &account, &row.author)? == author {
                return Ok(row);
            }
        }
        Err(Error::new(Code::NotFound, "the message, or its secret, is not known to this client"))
    }

    /// What an envelope to the message is made with.
    pub(super) fn envelope<'a>(&'a self, secret: &'a [u8; SECRET], nonce: [u8; NONCE]) -> Envelope<'a> {
        Envelope { target: &self.key, secret, author: &self.author, own: &self.own, nonce }
    }
}

/// What is kept of the messages of a chat with an id.
fn parents(client: &Inner, chat: &Jid, id: &str) -> Result<Vec<ParentRow>, Error> {
    let account = client.linked_account()?;
    let mut rows = Vec::new();
    for row in client.store.parents_of(id)? {
        if canonical(client, &account, &row.chat)? == *chat {
            rows.push(row);
        }
    }
    Ok(rows)
}

/// Where what was done to a message is to be remembered, and what it was.
pub(super) struct Done {
    pub(super) parent: ParentRow,
    pub(super) what: Addon,
}

//! What the host wants to send becomes a message: with the chat's timer, with people named as the chat
//! names them, and within the limits (messages document §6, §21.1).

use rand_core::Rng as _;
use whimbrel_content::compose::{self, Composed, Draft, Refused, SECRET};
use whimbrel_content::context::Quote;
use whimbrel_content::stanza::{StanzaType, attributes};
use whimbrel_proto::e2e::Message;
use whimbrel_wire::Jid;

use super::MessageKey;
use super::outbox;
use super::timers::timer_of;
use crate::archive::query::MessageQuery;
use crate::channels;
use crate::client::Inner;
use crate::devices::identity;
use crate::error::{Code, Error};
use crate::options::Fallback;
use crate::store::Account;

/// Why the content crate refuses something, for the host.
pub(crate) fn refused(refused: &Refused) -> Error {
    let code = match refused {
        Refused::ReadOnly => Code::NotSupported,
        Refused::Cipher => Code::Internal,
        _ => Code::InvalidArgument,
    };
    Error::new(code, refused.to_string())
}

/// The secret of a new message.
pub(crate) fn secret(client: &Inner) -> [u8; SECRET] {
    let mut secret = [0; SECRET];
    client.rng().fill_bytes(&mut secret);
    secret
}

/// The address under which a chat is kept: the LID when that is known.
pub(crate) fn canonical(client: &Inner, account: &Account, chat: &Jid) -> Result<Jid, Error> {
    let own = account.phone.as_ref().is_some_and(|own| chat.same_account(own));
    match &account.lid {
        Some(lid) if own => Ok(lid.to_bare()),
        _ => Ok(identity::canonical(&*client.store, chat)?),
    }
}

/// A message that a new one quotes.
pub(super) struct Quoted {
    pub(super) key: MessageKey,
    /// Its chat, if it is another one than that of the new message.
    pub(super) chat: Option<Jid>,
}

/// Makes a message of a draft.
pub(super) fn draft(
    client: &Inner,
    chat: &Jid,
    mut draft: Draft,
    quote: Option<Quoted>,
) -> Result<Composed, Error> {
    if let Some(key) = quote {
        draft.context.quote = Some(quoted(client, chat, key)?);
    }
    draft.is_status = chat.is_status();
    if chat.is_newsletter() {
        return channels::send::compose_post(draft);
    }
    for mention in &mut draft.context.mentions {
        *mention = person(client, chat, mention)?;
    }
    if draft.context.timer.is_none() {
        draft.context.timer = timer_of(&*client.store, chat)?;
    }
    if chat.is_group() {
        let group = client.store.group(chat)?;
        draft.in_announcement_group = group.is_some_and(|group| group.is_announcements);
    }
    let composed = draft.compose(secret(client)).map_err(|reason| refused(&reason))?;
    let about = attributes(&composed.message);
    if about.kind == StanzaType::Media && about.mediatype.is_none() {
        return Err(Error::new(Code::NotSupported, "the service drops content of this kind in silence"));
    }
    Ok(composed)
}

/// The text that goes with content of best effort, as the host wants it.
pub(super) fn fallback(composed: &Composed, wanted: Option<Fallback>) -> Result<Option<String>, Error> {
    if !composed.best_effort {
        return Ok(None);
    }
    match wanted {
        None => Err(Error::new(
            Code::InvalidArgument,
            "receivers may not see content of this kind: a fallback has to be chosen",
        )),
        Some(Fallback::Nothing) => Ok(None),
        Some(Fallback::Composed) => Ok(composed.fallback.clone()),
        Some(Fallback::Text(text)) if text.is_empty() => {
            Err(Error::new(Code::InvalidArgument, "the text of the fallback is empty"))
        }
        Some(Fallback::Text(text)) => Ok(Some(text)),
    }
}

/// The message that a new one quotes, with what this client has of it.
fn quoted(client: &Inner, chat: &Jid, quoted: Quoted) -> Result<Quote, Error> {
    let Quoted { key: MessageKey { message_id, sender }, chat: other } = quoted;
    if other.as_ref().is_some_and(|other| !other.is_status() || !chat.is_account()) {
        let message = "of other chats, only statuses are quoted, and in the chat with their poster";
        return Err(Error::new(Code::InvalidArgument, message));
    }
    let place = other.as_ref().unwrap_or(chat);
    let author = match sender {
        Some(sender) => person(client, chat, &sender)?,
        None if chat.is_group() => {
            let message = "the sender of the quoted message is needed in groups";
            return Err(Error::new(Code::InvalidArgument, message));
        }
        None => chat.clone(),
    };
    match known(client, place, &message_id)? {
        Some(Known { message, .. }) => {
            compose::quote(&message_id, &author, other.as_ref(), &message).map_err(|reason| refused(&reason))
        }
        // Receivers look the message up by its id first.
        None => Ok(Quote {
            id: message_id,
            author: Some(author.to_bare()),
            chat: other,
            copy: Some(Box::default()),
        }),
    }
}

/// A message that this client has.
pub(crate) struct Known {
    pub(crate) message: Message,
    /// The service's time of it, seconds.
    pub(crate) sent_at: i64,
    /// This account wrote it.
    pub(crate) own: bool,
}

/// Looks a message up: among those that were sent from here, and in the archive if there is one.
pub(crate) fn known(client: &Inner, chat: &Jid, id: &str) -> Result<Option<Known>, Error> {
    let read = |content: &[u8]| whimbrel_proto::decode::<Message>(content).ok();
    if let Some(row) = outbox::find(&*client.store, chat, id)? {
        let sent_at =
            if row.confirmed_at > 0 { row.confirmed_at } else { row.created_at_ms.div_euclid(1000) };
        return Ok(read(&row.content).map(|message| Known { message, sent_at, own: true }));
    }
    if !client.options.archive {
        return Ok(None);
    }
    let query = MessageQuery {
        chat: Some(chat.clone()),
        message_id: Some(id.to_owned()),
        limit: 1,
        ..MessageQuery::default()
    };
    let found = client.store.find_messages(&query)?.into_iter().next();
    // What was taken back has no content any more.
    Ok(found.filter(|found| !found.content.is_empty()).and_then(|found| {
        let (sent_at, own) = (found.position.timestamp, found.author.is_none());
        read(&found.content).map(|message| Known { message, sent_at, own })
    }))
}

/// Somebody, as the chat addresses people.
pub(crate) fn person(client: &Inner, chat: &Jid, user: &Jid) -> Result<Jid, Error> {
    let account = client.linked_account()?;
    let group = if chat.is_group() { client.store.group(chat)? } else { None };
    let user = user.to_account();
    let known = canonical(client, &account, &user)?;
    let member = group.as_ref().and_then(|group| group.member(&user).or_else(|| group.member(&known)));
    Ok(member.map_or(known, |member| member.id.clone()).to_bare())
}

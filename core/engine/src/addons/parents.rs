//! What is kept of messages for what belongs to them later (messages document §8): their secrets, by
//! which votes, answers and the like are opened, and the options of polls.

use whimbrel_content::classify::{Class, reread};
use whimbrel_content::context::Trigger;
use whimbrel_content::kinds::poll::Poll;
use whimbrel_content::{Content, Secret};
use whimbrel_proto::e2e::Message;
use whimbrel_wire::Jid;

use crate::archive::query::MessageQuery;
use crate::messages::Unit;
use crate::store::{OutboxRow, ParentKey, ParentRow, StoreError};

/// Messages of one id and chat that the archive is asked for.
const ARCHIVED: u32 = 8;

/// A poll as it is kept.
pub(crate) fn encode_poll(poll: &Poll) -> Option<Vec<u8>> {
    let message = Content::Poll(poll.clone()).to_message(&whimbrel_content::context::Context::default());
    message.ok().map(|message| whimbrel_proto::encode(&message))
}

/// The poll in a row.
pub(crate) fn poll_of(row: &ParentRow) -> Option<Poll> {
    let message: Message = whimbrel_proto::decode(row.poll.as_deref()?).ok()?;
    match reread(message, &row.chat, false).class {
        Class::Message(shown) => match shown.content {
            Content::Poll(poll) => Some(poll),
            _ => None,
        },
        _ => None,
    }
}

impl ParentRow {
    pub(crate) fn key(&self) -> ParentKey {
        (self.chat.clone(), self.author.clone(), self.message_id.clone())
    }
}

impl Unit<'_> {
    /// What is kept of messages of a chat with an id, by the present addresses of their authors.
    pub(crate) fn parents(&mut self, chat: &Jid, id: &str) -> Result<Vec<ParentRow>, StoreError> {
        let mut found: Vec<ParentRow> = Vec::new();
        let changed = self.changes.parents.iter().filter(|((.., changed), _)| changed == id);
        let changed: Vec<(ParentKey, Option<ParentRow>)> =
            changed.map(|(key, row)| (key.clone(), row.clone())).collect();
        let stored = self.store.parents_of(id)?;
        let stored = stored.into_iter().filter(|row| changed.iter().all(|(key, _)| *key != row.key()));
        let rows: Vec<ParentRow> = stored.chain(changed.iter().filter_map(|(_, row)| row.clone())).collect();
        for row in rows {
            if self.canonical(&row.chat)? == *chat {
                found.push(row);
            }
        }
        if found.is_empty() {
            found = self.archived_parents(chat, id)?;
        }
        Ok(found)
    }

    /// What the archive has of messages that came with the history.
    fn archived_parents(&mut self, chat: &Jid, id: &str) -> Result<Vec<ParentRow>, StoreError> {
        let query = MessageQuery {
            chat: Some(chat.clone()),
            message_id: Some(id.to_owned()),
            limit: ARCHIVED,
            ..MessageQuery::default()
        };
        let own = match self.account.phone.as_ref().map(Jid::to_bare) {
            Some(own) => self.canonical(&own)?,
            None => return Ok(Vec::new()),
        };
        let mut found = Vec::new();
        for message in self.store.find_messages(&query)? {
            let Ok(wire) = whimbrel_proto::decode::<Message>(&message.content) else { continue };
            let received = reread(wire, chat, message.author.is_none());
            let Class::Message(shown) = received.class else { continue };
            let Some(secret) = received.secret.filter(|secret| secret.key().is_some()) else { continue };
            let poll = match &shown.content {
                Content::Poll(poll) => encode_poll(poll),
                _ => None,
            };
            found.push(ParentRow {
                chat: chat.clone(),
                author: message.author.unwrap_or_else(|| own.clone()),
                message_id: id.to_owned(),
                secret,
                poll,
                sent_at: message.position.timestamp,
                saved_at: self.now(),
            });
        }
        Ok(found)
    }

    /// Keeps what belongs to a message that came.
    pub(crate) fn keep_parent(
        &mut self,
        (chat, author, id): (&Jid, &Jid, &str),
        secret: Option<&Secret>,
        content: &Content,
        sent_at: i64,
    ) {
        let Some(secret) = secret.filter(|secret| secret.key().is_some()) else { return };
        let poll = match content {
            Content::Poll(poll) => encode_poll(poll),
            _ => None,
        };
        let row = ParentRow {
            chat: chat.clone(),
            author: author.to_bare(),
            message_id: id.to_owned(),
            secret: secret.clone(),
            poll,
            sent_at,
            saved_at: self.now(),
        };
        self.changes.parents.insert(row.key(), Some(row));
    }

    /// Keeps what belongs to a message of this device.
    pub(crate) fn keep_sent_parent(&mut self, row: &OutboxRow) -> Result<(), StoreError> {
        let Ok(message) = whimbrel_proto::decode::<Message>(&row.content) else { return Ok(()) };
        let received = reread(message, &row.chat, true);
        if let Class::Message(shown) = received.class
            && let Some(own) = self.account.phone.as_ref().map(Jid::to_bare)
        {
            let own = self.canonical(&own)?;
            let place = (&row.chat, &own, row.message_id.as_str());
            let sent_at = row.created_at_ms.div_euclid(1000);
            // A chat that was begun with the account's timer has it from now on.
            let timer = shown.context.timer.as_ref();
            if let Some(timer) = timer.filter(|timer| timer.trigger == Some(Trigger::AccountSetting)) {
                self.learn_timer(&row.chat, timer)?;
            }
            self.keep_parent(place, received.secret.as_ref(), &shown.content, sent_at);
        }
        Ok(())
    }

    /// Every address by which somebody may have been named, the given one first.
    pub(crate) fn names_of(&mut self, user: &Jid) -> Result<Vec<Jid>, StoreError> {
        let user = user.to_bare();
        let mut names = vec![user.clone(), self.canonical(&user)?.to_bare()];
        for other in self.other_addresses(&user)? {
            names.push(other.to_bare());
        }
        let mut seen = Vec::with_capacity(names.len());
        for name in names {
            if !seen.contains(&name) {
                seen.push(name);
            }
        }
        Ok(seen)
    }
}

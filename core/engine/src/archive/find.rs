//! Looking things up.

use std::collections::BTreeMap;
use std::sync::Arc;

use whimbrel_content::Content;
use whimbrel_content::addons::{OptionVotes, Tally, Vote};
use whimbrel_content::classify::{Class, Shown};
use whimbrel_content::context::Context;
use whimbrel_content::key::Key;
use whimbrel_content::reread;
use whimbrel_wire::Jid;

use super::query::{
    ChatQuery, ContactQuery, Details, FoundChat, FoundContact, FoundLabel, FoundMessage, MessageQuery,
    Position, search,
};
use super::row::{AnswerRow, Author, KeepRow, PastMemberRow, PinRow, Target, VoteRow};
use super::stored::{
    Chat, Contact, Label, PastMember, PollVote, Recipient, StoredAnswer, StoredMessage, StoredPin,
    StoredReaction,
};
use super::trim;
use crate::client::{Client, Inner, own_identity};
use crate::clock;
use crate::devices::identity;
use crate::error::{Code, Error};
use crate::events::Identity;
use crate::options::CallOptions;
use crate::store::{Account, Store, StoreError};

/// What a page has if nothing is said.
const PAGE: u32 = 50;

/// The largest page.
const LARGEST_PAGE: u32 = 500;

/// Messages that are indexed at a time; others may write in between.
const INDEXED_AT_ONCE: u32 = 1024;

/// A part of what was found.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Page<T> {
    /// What was found, in order.
    pub items: Vec<T>,
    /// Where the next page begins: ask the same again with it. `None`: this is all.
    pub next: Option<String>,
}

/// Which messages to find. What is `None` is not looked at.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct FindMessages {
    /// In this chat.
    pub chat: Option<Jid>,
    /// By this person; an address of this account stands for what it wrote itself.
    pub sender: Option<Jid>,
    /// With this id.
    pub message_id: Option<String>,
    /// Only those that are pinned in their chat now.
    pub pinned: bool,
    /// With all these words, or words that begin like them; letters and accents alike.
    pub text: Option<String>,
    /// From this time on, seconds since 1970.
    pub after: Option<i64>,
    /// Before this time, seconds since 1970.
    pub before: Option<i64>,
    /// At most so many, 1 to 500; default 50.
    pub limit: Option<u32>,
    /// [`next`](Page::next) of the page before.
    pub cursor: Option<String>,
}

/// Which chats to find. What is `None` is not looked at.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct FindChats {
    /// This chat.
    pub chat: Option<Jid>,
    /// With this in its name.
    pub name: Option<String>,
    /// With unread messages only.
    pub unread: bool,
    /// Archived ones, or those that are not.
    pub archived: Option<bool>,
    /// Pinned ones, or those that are not.
    pub pinned: Option<bool>,
    /// Those behind the phone's lock, or those that are not.
    pub locked: Option<bool>,
    /// With the label of this id.
    pub label: Option<String>,
    /// At most so many, 1 to 500; default 50.
    pub limit: Option<u32>,
    /// [`next`](Page::next) of the page before.
    pub cursor: Option<String>,
}

/// Which people to find. What is `None` is not looked at.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct FindContacts {
    /// This person.
    pub person: Option<Jid>,
    /// With this in one of their names.
    pub name: Option<String>,
    /// At most so many, 1 to 500; default 50.
    pub limit: Option<u32>,
    /// [`next`](Page::next) of the page before.
    pub cursor: Option<String>,
}

impl Client {
    /// Finds messages, newest first.
    ///
    /// # Errors
    /// [`Code::NotSupported`] if the client has no archive; [`Code::InvalidArgument`].
    pub async fn find_messages(
        &self,
        find: FindMessages,
        options: CallOptions,
    ) -> Result<Page<StoredMessage>, Error> {
        let look = move |look: &mut Look| look.messages(find);
        self.look("find_messages", options, look).await
    }

    /// A message with everything that is known of it: who has it and read it, how the votes of a poll stand,
    /// and who comes to an event. `sender` is needed only where two people used the same id in one chat.
    ///
    /// # Errors
    /// [`Code::NotFound`]; [`Code::NotSupported`] if the client has no archive.
    pub async fn stored_message(
        &self,
        chat: &Jid,
        message_id: &str,
        sender: Option<&Jid>,
        options: CallOptions,
    ) -> Result<StoredMessage, Error> {
        let (chat, id, sender) = (chat.to_account(), message_id.to_owned(), sender.cloned());
        let look = move |look: &mut Look| look.details(&chat, id, sender.as_ref());
        self.look("get_message", options, look).await
    }

    /// Finds chats, the one with the newest message first.
    ///
    /// # Errors
    /// [`Code::NotSupported`] if the client has no archive; [`Code::InvalidArgument`].
    pub async fn find_chats(&self, find: FindChats, options: CallOptions) -> Result<Page<Chat>, Error> {
        self.look("find_chats", options, move |look| look.chats(find)).await
    }

    /// Lists the account's labels, in their order.
    ///
    /// # Errors
    /// [`Code::NotSupported`] if the client has no archive.
    pub async fn labels(&self, options: CallOptions) -> Result<Vec<Label>, Error> {
        self.look("list_labels", options, Look::labels).await
    }

    /// Finds people, by name.
    ///
    /// # Errors
    /// [`Code::NotSupported`] if the client has no archive; [`Code::InvalidArgument`].
    pub async fn find_contacts(
        &self,
        find: FindContacts,
        options: CallOptions,
    ) -> Result<Page<Contact>, Error> {
        self.look("find_contacts", options, move |look| look.contacts(find)).await
    }

    /// Tells who is in a group no more, as far as the phone told, the latest first. Who left since this client
    /// was linked came as [`GroupChanged`](crate::events::EventKind::GroupChanged).
    ///
    /// # Errors
    /// [`Code::NotSupported`] if the client has no archive.
    pub async fn past_members(&self, group: &Jid, options: CallOptions) -> Result<Vec<PastMember>, Error> {
        let group = group.clone();
        self.look("find_past_members", options, move |look| look.past_members(&group)).await
    }

    /// Looks into the archive on a thread that may wait for the disk.
    async fn look<T: Send + 'static>(
        &self,
        operation: &'static str,
        options: CallOptions,
        work: impl FnOnce(&mut Look) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let look = |client: Arc<Inner>, _| async move {
            if !client.options.archive {
                let message = "the client was opened without an archive";
                return Err(Error::new(Code::NotSupported, message));
            }
            let runtime = client.engine.handle.clone();
            let looking = runtime.spawn_blocking(move || {
                // What is too old is not found any more, whenever it was last looked for.
                trim::all(&client)?;
                let account = client.account();
                work(&mut Look { client, account, known: BTreeMap::new() })
            });
            looking.await.unwrap_or_else(|_| Err(Error::new(Code::Internal, "looking something up panicked")))
        };
        self.call(operation, options.timeout, look).await
    }
}

/// A look into the archive.
struct Look {
    client: Arc<Inner>,
    account: Option<Arc<Account>>,
    /// People who were met on the way.
    known: BTreeMap<Jid, Identity>,
}

fn wrong(message: &'static str) -> Error {
    Error::new(Code::InvalidArgument, message)
}

fn limit(limit: Option<u32>) -> Result<u32, Error> {
    match limit.unwrap_or(PAGE) {
        limit @ 1..=LARGEST_PAGE => Ok(limit),
        _ => Err(wrong("the limit is not 1 to 500")),
    }
}

fn position(cursor: Option<&str>) -> Result<Option<Position>, Error> {
    let read = |cursor| Position::read(cursor).ok_or_else(|| wrong("the cursor is not of an earlier page"));
    cursor.map(read).transpose()
}

/// The cursor behind a page that is full.
fn next<T>(found: &[T], limit: u32, place: impl Fn(&T) -> String) -> Option<String> {
    let full = usize::try_from(limit).is_ok_and(|limit| found.len() >= limit);
    found.last().filter(|_| full).map(place)
}

impl Look {
    fn store(&self) -> &dyn Store {
        &*self.client.store
    }

    fn own(&self) -> Option<Identity> {
        own_identity(self.account.as_deref()?)
    }

    /// The address under which the archive has a chat or a person.
    fn address(&self, jid: &Jid) -> Result<Jid, StoreError> {
        match self.own() {
            Some(own) if is_own(&own, jid) => Ok(own.id),
            _ => identity::canonical(self.store(), jid),
        }
    }

    fn author(&self, jid: &Jid) -> Result<Author, StoreError> {
        let own = self.own().is_some_and(|own| is_own(&own, jid));
        if own { Ok(None) } else { self.address(jid).map(Some) }
    }

    fn identity(&mut self, address: &Jid) -> Result<Identity, StoreError> {
        if let Some(known) = self.known.get(address) {
            return Ok(known.clone());
        }
        let identity = match self.own() {
            Some(own) if is_own(&own, address) => own,
            _ => {
                let id = identity::canonical(self.store(), address)?;
                let (phone, lid) = if id.is_lid() {
                    (self.store().phone_of(&id)?, Some(id.clone()))
                } else {
                    (id.is_pn().then(|| id.clone()), None)
                };
                Identity { id, phone, lid }
            }
        };
        self.known.insert(address.clone(), identity.clone());
        Ok(identity)
    }

    fn who(&mut self, author: &Author, otherwise: &Identity) -> Result<Identity, StoreError> {
        match author {
            Some(address) => self.identity(address),
            // Without a link there is nobody who "I" would be.
            None => Ok(self.own().unwrap_or_else(|| otherwise.clone())),
        }
    }

    /// Whoever did something, if that is known.
    fn somebody(
        &mut self,
        author: Option<&Author>,
        otherwise: &Identity,
    ) -> Result<Option<Identity>, StoreError> {
        author.map(|author| self.who(author, otherwise)).transpose()
    }

    fn past_members(&mut self, group: &Jid) -> Result<Vec<PastMember>, Error> {
        let found = self.store().past_members(&self.address(group)?)?;
        let group = self.identity(group)?;
        let mut members = Vec::with_capacity(found.len());
        for PastMemberRow { person, removed, at } in found {
            members.push(PastMember { who: self.who(&person, &group)?, removed, at });
        }
        Ok(members)
    }

    fn messages(&mut self, find: FindMessages) -> Result<Page<StoredMessage>, Error> {
        let limit = limit(find.limit)?;
        let words = match &find.text {
            Some(text) => Some(search(text).ok_or_else(|| wrong("there is no word in the text"))?),
            None => None,
        };
        if words.is_some() {
            while self.store().index_archive(INDEXED_AT_ONCE)? {}
        }
        let query = MessageQuery {
            chat: find.chat.as_ref().map(|chat| self.address(chat)).transpose()?,
            author: find.sender.as_ref().map(|sender| self.author(sender)).transpose()?,
            message_id: find.message_id,
            words,
            after: find.after,
            before: find.before,
            pinned_at: find.pinned.then(clock::now_seconds),
            from: position(find.cursor.as_deref())?,
            limit,
        };
        let found = self.store().find_messages(&query)?;
        let next = next(&found, limit, |message| message.position.write());
        let items = found.into_iter().map(|message| self.message(message)).collect::<Result<_, _>>()?;
        Ok(Page { items, next })
    }

    fn message(&mut self, found: FoundMessage) -> Result<StoredMessage, StoreError> {
        let chat = self.identity(&found.chat)?;
        let sender = self.who(&found.author, &chat)?;
        let shown = shown(&found);
        let revoked = match &found.revoked {
            Some((by, at)) => Some((self.who(by, &chat)?, *at)),
            None => None,
        };
        let mut reactions = Vec::with_capacity(found.reactions.len());
        for reaction in &found.reactions {
            reactions.push(StoredReaction {
                sender: self.who(&reaction.sender, &chat)?,
                emoji: reaction.emoji.clone().unwrap_or_default(),
                at_ms: reaction.at_ms,
            });
        }
        let pinned = match found.pin {
            Some(PinRow { sender, until: Some(until), at_ms }) if until > clock::now_seconds() => {
                Some(StoredPin { by: self.somebody(sender.as_ref(), &chat)?, at_ms, until })
            }
            _ => None,
        };
        let kept = match found.keep {
            Some(KeepRow { sender, at_ms, .. }) => Some((self.somebody(sender.as_ref(), &chat)?, at_ms)),
            None => None,
        };
        let (content, context, view_once) = match shown {
            Some(Shown { content, context, view_once, .. }) => (Some(content), context, view_once),
            None => (None, Context::default(), false),
        };
        Ok(StoredMessage {
            message_id: found.message_id,
            chat,
            sender,
            from_me: found.author.is_none(),
            timestamp: found.position.timestamp,
            text: content.as_ref().and_then(Content::body),
            content,
            context,
            view_once,
            status: found.status,
            starred: found.starred,
            edited_at_ms: found.edited_at_ms,
            revoked,
            notice: found.notice,
            reactions,
            recipients: Vec::new(),
            votes: Vec::new(),
            answers: Vec::new(),
            pinned,
            kept,
            comments: found.comments,
            raw: found.content,
        })
    }

    fn details(&mut self, chat: &Jid, id: String, sender: Option<&Jid>) -> Result<StoredMessage, Error> {
        let author = sender.map(|sender| self.author(sender)).transpose()?;
        let target = Target { chat: self.address(chat)?, message_id: id, author };
        let Details { message, receipts, votes, answers } = self
            .store()
            .message_details(&target)?
            .ok_or_else(|| Error::new(Code::NotFound, "there is no such message in the archive"))?;
        let mut stored = self.message(message)?;
        for (who, times) in receipts {
            stored.recipients.push(Recipient {
                who: self.identity(&who)?,
                delivered_at: times.delivered_at,
                read_at: times.read_at,
                played_at: times.played_at,
            });
        }
        for AnswerRow { person, answer, guests, at_ms } in answers {
            let who = self.who(&person, &stored.chat)?;
            stored.answers.push(StoredAnswer { who, answer, guests, at_ms });
        }
        if let Some(Content::Poll(poll)) = &stored.content {
            let mut tally = Tally::default();
            for VoteRow { voter, options, at_ms } in votes {
                let voter = self.who(&voter, &stored.chat)?;
                let vote = Vote { target: Key::default(), selected: options, sent_at_ms: Some(at_ms) };
                tally.add(poll, &voter.id, &vote);
            }
            let mut counted = Vec::new();
            for OptionVotes { option, voters, .. } in tally.result(poll) {
                let voters = voters.iter().map(|voter| self.identity(voter)).collect::<Result<_, _>>()?;
                counted.push(PollVote { option, voters });
            }
            stored.votes = counted;
        }
        Ok(stored)
    }

    fn chats(&mut self, find: FindChats) -> Result<Page<Chat>, Error> {
        let limit = limit(find.limit)?;
        let query = ChatQuery {
            chat: find.chat.as_ref().map(|chat| self.address(chat)).transpose()?,
            name: find.name,
            unread: find.unread,
            archived: find.archived,
            pinned: find.pinned,
            locked: find.locked,
            label: find.label,
            from: position(find.cursor.as_deref())?,
            limit,
        };
        let found = self.store().find_chats(&query)?;
        let next = next(&found, limit, |chat| chat.position.write());
        let items = found.into_iter().map(|chat| self.chat(chat)).collect::<Result<_, _>>()?;
        Ok(Page { items, next })
    }

    fn chat(&mut self, found: FoundChat) -> Result<Chat, StoreError> {
        Ok(Chat {
            chat: self.identity(&found.address)?,
            name: found.name,
            latest_at: found.position.timestamp,
            unread: found.unread,
            archived: found.archived,
            pinned_at: found.pinned_at,
            muted_until: found.muted_until,
            locked: found.locked,
            marked_unread: found.marked_unread,
            labels: found.labels,
            timer: found.timer,
            has_older: found.history_end.map(|end| matches!(end, 0 | 2)),
        })
    }

    fn labels(&mut self) -> Result<Vec<Label>, Error> {
        let label = |found: FoundLabel| Label {
            id: found.id,
            name: found.row.name,
            color: found.row.color,
            predefined: found.row.predefined,
            order: found.row.order,
        };
        Ok(self.store().labels()?.into_iter().map(label).collect())
    }

    fn contacts(&mut self, find: FindContacts) -> Result<Page<Contact>, Error> {
        let limit = limit(find.limit)?;
        let from = find.cursor.as_deref().map(str::parse).transpose();
        let query = ContactQuery {
            person: find.person.as_ref().map(|person| self.address(person)).transpose()?,
            name: find.name,
            from: from.map_err(|_| wrong("the cursor is not of an earlier page"))?,
            limit,
        };
        let found = self.store().find_contacts(&query)?;
        let next = next(&found, limit, |contact| contact.row.to_string());
        let items = found.into_iter().map(|contact| self.contact(contact)).collect::<Result<_, _>>()?;
        Ok(Page { items, next })
    }

    fn contact(&mut self, found: FoundContact) -> Result<Contact, StoreError> {
        Ok(Contact {
            who: self.identity(&found.address)?,
            name: found.name,
            first_name: found.first_name,
            push_name: found.push_name,
            username: found.username,
        })
    }
}

fn is_own(own: &Identity, jid: &Jid) -> bool {
    [&own.phone, &own.lid].into_iter().flatten().any(|address| address.same_account(jid))
}

/// What a message that was kept shows.
fn shown(found: &FoundMessage) -> Option<Shown> {
    if found.content.is_empty() {
        return None;
    }
    let message = whimbrel_proto::decode(&found.content).ok()?;
    match reread(message, &found.chat, found.author.is_none()).class {
        Class::Message(shown) => Some(*shown),
        _ => None,
    }
}

//! The records of a piece, as changes of the archive (media document §20.2).

use std::collections::BTreeMap;

use whimbrel_history::{Event, RawMessage};
use whimbrel_proto::history::{Conversation, InlineContact};
use whimbrel_wire::Jid;

use super::message::{Kept, Key};
use super::piece::Read;
use crate::archive::row::{
    ArchiveChange, Author, ChatRow, MessageRow, PersonRow, ReactionRow, SentStatus, Target, Times, VoteRow,
};
use crate::devices::identity;
use crate::store::{Account, Store, StoreError, Token};

/// Times beyond this are in milliseconds.
const MILLISECONDS: i64 = 100_000_000_000;

/// What was read and is not durable yet.
pub(super) struct Reading<'a> {
    store: &'a dyn Store,
    account: &'a Account,
    /// Whether there is an archive for it.
    archive: bool,
    /// Addresses as the archive has them, of this piece.
    known: BTreeMap<String, Option<Jid>>,
    pub(super) changes: Vec<ArchiveChange>,
    /// Octets of messages in them.
    pub(super) size: usize,
    /// Addresses that belong together.
    pub(super) pairs: Vec<(Jid, Jid)>,
    pub(super) tokens: Vec<(Jid, Token)>,
    pub(super) salt: Option<Vec<u8>>,
    pub(super) read: Read,
    /// Why it cannot go on.
    pub(super) failed: Option<StoreError>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(store: &'a dyn Store, account: &'a Account, archive: bool, read: Read) -> Self {
        Self {
            store,
            account,
            archive,
            known: BTreeMap::new(),
            changes: Vec::new(),
            size: 0,
            pairs: Vec::new(),
            tokens: Vec::new(),
            salt: None,
            read,
            failed: None,
        }
    }

    /// Whether it should be made durable before more is read.
    pub(super) fn is_full(&self) -> bool {
        const CHANGES: usize = 1024;
        const OCTETS: usize = 1 << 20;
        self.changes.len().max(self.pairs.len()) >= CHANGES || self.size >= OCTETS
    }

    /// What is there was taken; addresses may be others now.
    pub(super) fn taken(&mut self) {
        self.size = 0;
        self.known.clear();
    }

    /// Takes a record.
    pub(super) fn take(&mut self, event: Event<'_>) -> Result<(), StoreError> {
        match event {
            Event::Message { chat, message, .. } => self.message(Some(chat), message)?,
            Event::Status(message) => self.message(None, message)?,
            Event::ChatEnds { chat, .. } => self.chat(*chat)?,
            Event::Damaged(_) => self.read.damaged = self.read.damaged.saturating_add(1),
            Event::PushName(name) => {
                let pushed = name.pushname.filter(|name| !name.is_empty() && name != "-");
                if let (Some(id), Some(pushed)) = (name.id, pushed) {
                    self.person(&id, PersonRow { push_name: Some(pushed), ..PersonRow::default() })?;
                }
            }
            Event::LidMapping(pair) => self.pair(pair.lid_jid.as_deref(), pair.pn_jid.as_deref()),
            Event::InlineContact(contact) => self.contact(contact)?,
            Event::Account(account) => {
                if let (Some(lid), Some(username)) = (account.lid, account.username) {
                    self.person(&lid, PersonRow { username: Some(username), ..PersonRow::default() })?;
                }
            }
            Event::NctSalt(salt) => self.salt = Some(salt.to_vec()),
            _ => {}
        }
        Ok(())
    }

    /// The address under which something is kept.
    fn address(&mut self, text: &str) -> Result<Option<Jid>, StoreError> {
        if let Some(known) = self.known.get(text) {
            return Ok(known.clone());
        }
        let address = match text.parse::<Jid>() {
            Err(_) => None,
            Ok(jid) => {
                let jid = jid.to_bare().normalized();
                let own = self.is_own(&jid);
                match &self.account.lid {
                    Some(lid) if own => Some(lid.to_bare()),
                    _ => Some(identity::canonical(self.store, &jid)?),
                }
            }
        };
        self.known.insert(text.to_owned(), address.clone());
        Ok(address)
    }

    fn is_own(&self, jid: &Jid) -> bool {
        [&self.account.phone, &self.account.lid].into_iter().flatten().any(|own| own.same_account(jid))
    }

    fn message(&mut self, chat: Option<&str>, message: RawMessage<'_>) -> Result<(), StoreError> {
        self.read.messages = self.read.messages.saturating_add(1);
        if !self.archive {
            return Ok(());
        }
        let Some(mut kept) = Kept::read(message) else {
            self.read.damaged = self.read.damaged.saturating_add(1);
            return Ok(());
        };
        let Some(key) = kept.key.take() else { return Ok(()) };
        let Some(chat) = key.chat.as_deref().or(chat) else { return Ok(()) };
        let Some(chat) = self.address(chat)? else { return Ok(()) };
        if !kept.is_shown() {
            return Ok(());
        }
        let Some(author) = self.author(&chat, &key, kept.participant.as_deref())? else { return Ok(()) };
        if let (Some(author), Some(name)) = (&author, kept.push_name.take()) {
            let row = PersonRow { push_name: Some(name), ..PersonRow::default() };
            self.changes.push(ArchiveChange::Person(author.clone(), Box::new(row)));
        }
        let target =
            || Target { chat: chat.clone(), message_id: key.id.clone(), author: Some(author.clone()) };
        let status = match (&author, kept.status) {
            (None, status) => Some(status.and_then(SentStatus::of_number).unwrap_or(SentStatus::Sent)),
            (Some(_), _) => None,
        };
        self.size = self.size.saturating_add(kept.content.len());
        self.changes.push(ArchiveChange::Message(Box::new(MessageRow {
            chat: chat.clone(),
            author: author.clone(),
            message_id: key.id.clone(),
            timestamp: i64::try_from(kept.timestamp).unwrap_or(i64::MAX),
            content: std::mem::take(&mut kept.content),
            status,
            starred: kept.starred,
            unread: false,
            notice: (kept.notice != 0).then(|| (kept.notice, std::mem::take(&mut kept.notice_parameters))),
        })));
        for receipt in std::mem::take(&mut kept.receipts) {
            let Some(who) = self.address(&receipt.user)? else { continue };
            let (delivered_at, read_at, played_at) =
                (receipt.delivered_at, receipt.read_at, receipt.played_at);
            let told = delivered_at.or(read_at).or(played_at).is_some();
            if author.is_none() && told && !self.is_own(&who) {
                self.changes.push(ArchiveChange::Times {
                    chat: chat.clone(),
                    message_ids: vec![key.id.clone()],
                    who: Some(who),
                    times: Times { delivered_at, read_at, played_at },
                });
            }
        }
        for reaction in std::mem::take(&mut kept.reactions) {
            let Some(sender) = self.modifier(&chat, reaction.key.as_ref())? else { continue };
            let emoji = Some(reaction.emoji).filter(|emoji| !emoji.is_empty());
            let row = ReactionRow { sender, emoji, at_ms: reaction.at_ms };
            self.changes.push(ArchiveChange::Reaction(target(), row));
        }
        for update in std::mem::take(&mut kept.votes) {
            let Some(voter) = self.modifier(&chat, update.key.as_ref())? else { continue };
            let options = update.vote.unwrap_or_default().options;
            let options = options.into_iter().filter_map(|hash| hash.try_into().ok()).collect();
            let row = VoteRow { voter, options, at_ms: update.at_ms };
            self.changes.push(ArchiveChange::Vote(target(), row));
        }
        Ok(())
    }

    /// Who wrote a message; `None` if that cannot be said.
    fn author(
        &mut self,
        chat: &Jid,
        key: &Key,
        participant: Option<&str>,
    ) -> Result<Option<Author>, StoreError> {
        if key.from_me {
            return Ok(Some(None));
        }
        if chat.is_account() {
            return Ok(Some(Some(chat.clone())));
        }
        let Some(participant) = key.participant.as_deref().or(participant) else {
            // The service itself, in a group.
            return Ok(Some(Some(chat.clone())));
        };
        let address = self.address(participant)?;
        Ok(address.map(|address| if self.is_own(&address) { None } else { Some(address) }))
    }

    /// Who did something to a message: the author of the key that did it.
    fn modifier(&mut self, chat: &Jid, key: Option<&Key>) -> Result<Option<Author>, StoreError> {
        match key {
            Some(key) => self.author(chat, key, None),
            None => Ok(None),
        }
    }

    fn person(&mut self, id: &str, row: PersonRow) -> Result<(), StoreError> {
        if let Some(person) = self.address(id)?.filter(Jid::is_account) {
            self.changes.push(ArchiveChange::Person(person, Box::new(row)));
        }
        Ok(())
    }

    fn contact(&mut self, contact: InlineContact) -> Result<(), StoreError> {
        self.pair(contact.lid_jid.as_deref(), contact.pn_jid.as_deref());
        let Some(id) = contact.lid_jid.or(contact.pn_jid) else { return Ok(()) };
        let row = PersonRow {
            name: contact.full_name,
            first_name: contact.first_name,
            username: contact.username,
            push_name: None,
        };
        self.person(&id, row)
    }

    fn pair(&mut self, lid: Option<&str>, phone: Option<&str>) {
        let parse = |text: Option<&str>| text.and_then(|text| text.parse::<Jid>().ok());
        if let (Some(lid), Some(phone)) = (parse(lid), parse(phone)) {
            self.pairs.push((lid.to_bare(), phone.to_bare()));
        }
    }

    fn chat(&mut self, chat: Conversation) -> Result<(), StoreError> {
        self.read.chats = self.read.chats.saturating_add(1);
        let Some(id) = chat.id.as_deref() else { return Ok(()) };
        self.pair(chat.lid_jid.as_deref().or(Some(id)), chat.pn_jid.as_deref().or(Some(id)));
        let Some(address) = self.address(id)? else { return Ok(()) };
        if let (Some(token), Some(at)) = (chat.tc_token, chat.tc_token_timestamp) {
            let seconds = |at: u64| i64::try_from(at).unwrap_or(i64::MAX);
            let token = Token {
                token,
                timestamp: seconds(at),
                sender_timestamp: chat.tc_token_sender_timestamp.map(seconds),
            };
            self.tokens.push((address.clone(), token));
        }
        if !self.archive {
            return Ok(());
        }
        let seconds = |at: u64| {
            let at = i64::try_from(at).unwrap_or(i64::MAX);
            if at > MILLISECONDS { at.div_euclid(1000) } else { at }
        };
        let mut name = chat.name.filter(|name| !name.is_empty());
        if address.is_account() {
            let row = PersonRow {
                name: name.take(),
                username: chat.username.filter(|name| !name.is_empty()),
                ..PersonRow::default()
            };
            if row != PersonRow::default() {
                self.changes.push(ArchiveChange::Person(address.clone(), Box::new(row)));
            }
        }
        let row = ChatRow {
            name,
            latest_at: chat.conversation_timestamp.or(chat.last_msg_timestamp).map(seconds),
            unread: chat.unread_count,
            archived: chat.archived,
            pinned_at: chat.pinned.map(i64::from),
            muted_until: chat.mute_end_time.map(seconds),
            timer: chat.ephemeral_expiration,
            history_end: chat.end_of_history_transfer_type.and_then(|end| u32::try_from(end).ok()),
            is_old: true,
        };
        self.changes.push(ArchiveChange::Chat(address, Box::new(row)));
        Ok(())
    }
}

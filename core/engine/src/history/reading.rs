//! The records of a piece, as changes of the archive (media document §20.2).

use std::collections::BTreeMap;

use whimbrel_history::{Event, RawMessage};
use whimbrel_proto::history::past_participant::LeaveReason;
use whimbrel_proto::history::{Conversation, InlineContact, PastParticipants, StickerMetadata};
use whimbrel_wire::Jid;

use super::addons::Place;
use super::message::{Kept, Key};
use super::piece::Read;
use crate::archive::row::{
    ArchiveChange, Author, ChatRow, MessageRow, PastMemberRow, PersonRow, SentStatus, Target,
};
use crate::devices::identity;
use crate::store::{Account, Store, StoreError, Token};

/// Times beyond this are in milliseconds.
const MILLISECONDS: i64 = 100_000_000_000;

/// The notice that stands for a message that was taken back (messages document §15.2).
const REVOKED: u32 = 1;

/// A time in seconds, whichever unit the phone took.
pub(super) fn seconds(at: u64) -> i64 {
    let at = i64::try_from(at).unwrap_or(i64::MAX);
    if at > MILLISECONDS { at.div_euclid(1000) } else { at }
}

/// What was read and is not durable yet.
pub(super) struct Reading<'a> {
    store: &'a dyn Store,
    account: &'a Account,
    /// Whether there is an archive for it.
    archive: bool,
    /// Messages from before this time, in seconds, are not kept.
    oldest: Option<i64>,
    /// Addresses as the archive has them, of this piece.
    known: BTreeMap<String, Option<Jid>>,
    pub(super) changes: Vec<ArchiveChange>,
    /// Octets of messages in them.
    pub(super) size: usize,
    /// Addresses that belong together.
    pub(super) pairs: Vec<(Jid, Jid)>,
    pub(super) tokens: Vec<(Jid, Token)>,
    pub(super) salt: Option<Vec<u8>>,
    /// Stickers that were used lately.
    pub(super) stickers: Vec<StickerMetadata>,
    /// What the media hosts want to see when pieces are deleted there.
    pub(super) nonce: Option<String>,
    pub(super) read: Read,
    /// Why it cannot go on.
    pub(super) failed: Option<StoreError>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(store: &'a dyn Store, account: &'a Account, read: Read) -> Self {
        Self {
            store,
            account,
            archive: false,
            oldest: None,
            known: BTreeMap::new(),
            changes: Vec::new(),
            size: 0,
            pairs: Vec::new(),
            tokens: Vec::new(),
            salt: None,
            stickers: Vec::new(),
            nonce: None,
            read,
            failed: None,
        }
    }

    /// Keeps messages, and of these what is not older than a time in seconds.
    pub(super) fn into_archive(mut self, oldest: Option<i64>) -> Self {
        (self.archive, self.oldest) = (true, oldest);
        self
    }

    /// Whether the host does not want to keep what is that old.
    pub(super) fn is_too_old(&self, timestamp: i64) -> bool {
        self.oldest.is_some_and(|oldest| timestamp < oldest)
    }

    /// Whether it should be made durable before more is read.
    pub(super) fn is_full(&self) -> bool {
        const CHANGES: usize = 1024;
        const OCTETS: usize = 1 << 20;
        self.changes.len().max(self.pairs.len()).max(self.stickers.len()) >= CHANGES || self.size >= OCTETS
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
            Event::CompanionMetaNonce(nonce) => self.nonce = Some(nonce.to_owned()),
            Event::RecentSticker(sticker) => {
                self.read.stickers = self.read.stickers.saturating_add(1);
                self.stickers.push(*sticker);
            }
            Event::PastParticipants(past) if self.archive => self.past_members(past)?,
            Event::CallLog(call) if self.archive => self.call(*call)?,
            // The table of fields says why what is not here is left out.
            _ => {}
        }
        Ok(())
    }

    /// The address under which something is kept.
    pub(super) fn address(&mut self, text: &str) -> Result<Option<Jid>, StoreError> {
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

    pub(super) fn is_own(&self, jid: &Jid) -> bool {
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
        let Some(author) = self.author(&chat, &key, kept.participant.as_deref())? else { return Ok(()) };
        let timestamp = i64::try_from(kept.timestamp).unwrap_or(i64::MAX);
        if self.is_too_old(timestamp) {
            return Ok(());
        }
        let at_ms = timestamp.saturating_mul(1000);
        let place = Place { chat: &chat, id: &key.id, author: &author, at_ms };
        if !kept.is_shown() {
            self.standing(&place, &kept.content);
            return Ok(());
        }
        if let (Some(author), Some(name)) = (&author, kept.push_name.take()) {
            let row = PersonRow { push_name: Some(name), ..PersonRow::default() };
            self.changes.push(ArchiveChange::Person(author.clone(), Box::new(row)));
        }
        let status = match (&author, kept.status) {
            (None, status) => Some(status.and_then(SentStatus::of_number).unwrap_or(SentStatus::Sent)),
            (Some(_), _) => None,
        };
        self.size = self.size.saturating_add(kept.content.len());
        self.changes.push(ArchiveChange::Message(Box::new(MessageRow {
            chat: chat.clone(),
            author: author.clone(),
            message_id: key.id.clone(),
            timestamp,
            // Only sealed add-ons need it afterwards.
            content: if kept.addons.is_empty() {
                std::mem::take(&mut kept.content)
            } else {
                kept.content.clone()
            },
            status,
            starred: kept.starred,
            unread: false,
            notice: (kept.notice != 0 && kept.notice != REVOKED)
                .then(|| (kept.notice, std::mem::take(&mut kept.notice_parameters))),
        })));
        self.folded(&place, &mut kept)?;
        if kept.notice == REVOKED {
            let at = if kept.revoked_at == 0 { timestamp } else { seconds(kept.revoked_at) };
            let target =
                Target { chat: chat.clone(), message_id: key.id.clone(), author: Some(author.clone()) };
            self.changes.push(ArchiveChange::Revoked(target, author.clone(), at));
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
    pub(super) fn modifier(&mut self, chat: &Jid, key: Option<&Key>) -> Result<Option<Author>, StoreError> {
        match key {
            Some(key) => self.author(chat, key, None),
            None => Ok(None),
        }
    }

    /// Every address by which somebody may have been named.
    pub(super) fn names(&self, author: &Author) -> Result<Vec<Jid>, StoreError> {
        Ok(match author {
            None => {
                [&self.account.lid, &self.account.phone].into_iter().flatten().map(Jid::to_bare).collect()
            }
            Some(address) => {
                let phone = if address.is_lid() { self.store.phone_of(address)? } else { None };
                std::iter::once(address.clone()).chain(phone).collect()
            }
        })
    }

    fn past_members(&mut self, past: PastParticipants) -> Result<(), StoreError> {
        let group = self.address(past.group_jid.as_deref().unwrap_or_default())?;
        let Some(group) = group.filter(Jid::is_group) else { return Ok(()) };
        for member in past.past_participants {
            let Some(person) = self.address(member.user_jid.as_deref().unwrap_or_default())? else {
                continue;
            };
            let row = PastMemberRow {
                person: if self.is_own(&person) { None } else { Some(person) },
                removed: member.leave_reason == Some(LeaveReason::Removed as i32),
                at: member.leave_ts.map_or(0, seconds),
            };
            self.changes.push(ArchiveChange::PastMember(group.clone(), row));
        }
        Ok(())
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
            locked: chat.locked,
            is_old: true,
        };
        self.changes.push(ArchiveChange::Chat(address, Box::new(row)));
        Ok(())
    }
}

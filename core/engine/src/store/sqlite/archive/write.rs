//! Changes of the archive, in the order in which they came.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _, ToSql, Transaction};
use whimbrel_wire::Jid;

use super::schema::{BY_ID, BY_NUMBER, EMPTIED, PEOPLE};
use super::{ME, answer, words};
use crate::archive::edit;
use crate::archive::row::{
    AnswerRow, ArchiveChange, Author, ChatRow, KeepRow, MessageRow, PastMemberRow, PersonRow, PinRow,
    ReactionRow, SentStatus, Target, Times, VoteRow,
};
use crate::store::sqlite::{StoreError, failed};

/// Applies changes in a transaction of their own.
pub(in crate::store) fn write(
    connection: &mut Connection,
    changes: &[ArchiveChange],
) -> Result<(), StoreError> {
    let transaction = connection.transaction().map_err(failed)?;
    apply(&transaction, changes)?;
    transaction.commit().map_err(failed)
}

/// Applies changes within a transaction.
pub(in crate::store::sqlite) fn apply(
    transaction: &Transaction<'_>,
    changes: &[ArchiveChange],
) -> Result<(), StoreError> {
    if changes.is_empty() {
        return Ok(());
    }
    let mut writing =
        Writing { transaction, chats: BTreeMap::new(), people: BTreeMap::new(), news: BTreeMap::new() };
    for change in changes {
        writing.apply(change)?;
    }
    writing.finish()
}

/// What the messages of a transaction mean for their chat.
#[derive(Default)]
struct News {
    latest_at: i64,
    unread: i64,
}

/// A transaction, with the numbers that were looked up in it.
pub(super) struct Writing<'t> {
    transaction: &'t Transaction<'t>,
    chats: BTreeMap<Jid, i64>,
    people: BTreeMap<Jid, i64>,
    news: BTreeMap<i64, News>,
}

impl Writing<'_> {
    pub(super) fn run(&self, sql: &str, parameters: &[&dyn ToSql]) -> Result<usize, StoreError> {
        self.transaction
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(parameters))
            .map_err(failed)
    }

    fn number(&self, sql: &str, parameters: &[&dyn ToSql]) -> Result<Option<i64>, StoreError> {
        self.transaction
            .prepare_cached(sql)
            .and_then(|mut statement| statement.query_row(parameters, |row| row.get(0)).optional())
            .map_err(failed)
    }

    fn apply(&mut self, change: &ArchiveChange) -> Result<(), StoreError> {
        match change {
            ArchiveChange::Message(row) => self.message(row, false),
            ArchiveChange::Call(row) => self.message(row, true),
            ArchiveChange::Status(target, status, at) => self.status(target, *status, *at),
            ArchiveChange::Times { chat, message_ids, who, times } => {
                self.times(chat, message_ids, who, *times)
            }
            ArchiveChange::Reaction(target, row) => self.reaction(target, row),
            ArchiveChange::Vote(target, row) => self.vote(target, row),
            ArchiveChange::Pinned(target, row) => self.pinned(target, row),
            ArchiveChange::Kept(target, row) => self.kept(target, row),
            ArchiveChange::Commented(target, who, id) => self.commented(target, who, id),
            ArchiveChange::Answered(target, row) => self.answered(target, row),
            ArchiveChange::OptionAdded(target, option) => self.option_added(target, option),
            ArchiveChange::PastMember(group, row) => self.past_member(group, row),
            ArchiveChange::Edited(target, content, at_ms) => self.edited(target, content, *at_ms),
            ArchiveChange::Revoked(target, by, at) => self.revoked(target, by, *at),
            ArchiveChange::Starred(target, starred) => self.starred(target, *starred),
            ArchiveChange::Deleted(target) => self.deleted(target),
            ArchiveChange::MarkedRead(chat, until) => self.marked_read(chat, *until),
            ArchiveChange::Cleared { chat, until, starred, chat_too } => {
                self.cleared(chat, *until, *starred, *chat_too)
            }
            ArchiveChange::PutAway(chat, until) => self.put_away(chat, *until),
            ArchiveChange::TakenOut(chat) => self.taken_out(chat),
            ArchiveChange::Label(label, row) => self.label(label, row.as_ref()),
            ArchiveChange::LabelOrder(labels) => self.label_order(labels),
            ArchiveChange::Labelled(label, chat, labelled) => self.labelled(label, chat, *labelled),
            ArchiveChange::Chat(chat, row) => self.chat_row(chat, row),
            ArchiveChange::Person(person, row) => self.person_row(person, row),
            ArchiveChange::Moved(former, present) => self.moved(former, present),
            ArchiveChange::Owner(phone, lid) => self.owner(phone.as_ref(), lid.as_ref()),
        }
    }

    /// The number of a chat, which is made if it is new.
    pub(super) fn chat(&mut self, address: &Jid) -> Result<i64, StoreError> {
        if let Some(number) = self.chats.get(address) {
            return Ok(*number);
        }
        let number = self.numbered("chats", address)?;
        self.chats.insert(address.clone(), number);
        Ok(number)
    }

    /// The number of an author, which is made if it is new.
    fn person(&mut self, author: &Author) -> Result<i64, StoreError> {
        let Some(address) = author else { return Ok(ME) };
        if let Some(number) = self.people.get(address) {
            return Ok(*number);
        }
        let number = self.numbered("people", address)?;
        self.people.insert(address.clone(), number);
        Ok(number)
    }

    fn by_address(&self, table: &str, address: &str) -> Result<Option<i64>, StoreError> {
        self.number(&format!("SELECT id FROM {table} WHERE address = ?1"), &[&address])
    }

    fn numbered(&self, table: &str, address: &Jid) -> Result<i64, StoreError> {
        let text = address.to_string();
        if let Some(number) = self.by_address(table, &text)? {
            return Ok(number);
        }
        self.run(&format!("INSERT INTO {table} (address) VALUES (?1)"), &[&text])?;
        Ok(self.transaction.last_insert_rowid())
    }

    /// The number of a message that is in the archive.
    pub(super) fn find(&mut self, target: &Target) -> Result<Option<i64>, StoreError> {
        let chat = self.chat(&target.chat)?;
        match &target.author {
            Some(author) => {
                let author = self.person(author)?;
                let sql = "SELECT id FROM messages WHERE message_id = ?1 AND chat = ?2 AND author = ?3";
                self.number(sql, &[&target.message_id, &chat, &author])
            }
            None => {
                let sql = "SELECT id FROM messages WHERE message_id = ?1 AND chat = ?2";
                self.number(sql, &[&target.message_id, &chat])
            }
        }
    }

    /// One that comes again changes its status only: what is here may have been edited since.
    fn message(&mut self, row: &MessageRow, is_call: bool) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO messages \
             (chat, author, message_id, timestamp, content, status, starred, notice, is_call) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (message_id, chat, author) DO NOTHING";
        const AGAIN: &str = "UPDATE messages SET status = max(ifnull(status, 0), ?4), \
             starred = max(starred, ?5) WHERE message_id = ?1 AND chat = ?2 AND author = ?3";
        let chat = self.chat(&row.chat)?;
        let author = self.person(&row.author)?;
        let status = row.status.map(|status| status as i64);
        let notice = row.notice.as_ref().map(|(kind, parameters)| pack_notice(*kind, parameters));
        let added = self.run(
            SQL,
            &[
                &chat,
                &author,
                &row.message_id,
                &row.timestamp,
                &row.content,
                &status,
                &row.starred,
                &notice,
                &is_call,
            ],
        )?;
        if added == 0 {
            if status.is_some() || row.starred {
                self.run(AGAIN, &[&row.message_id, &chat, &author, &status.unwrap_or(0), &row.starred])?;
            }
            return Ok(());
        }
        let news = self.news.entry(chat).or_default();
        news.latest_at = news.latest_at.max(row.timestamp);
        news.unread = news.unread.saturating_add(i64::from(row.unread));
        Ok(())
    }

    /// A status never goes back, except that what could not be sent is known at once.
    fn status(&mut self, target: &Target, status: SentStatus, at: i64) -> Result<(), StoreError> {
        let Some(message) = self.find(target)? else { return Ok(()) };
        let number = status as i64;
        match status {
            SentStatus::Failed => self.run("UPDATE messages SET status = 0 WHERE id = ?1", &[&message])?,
            SentStatus::Sent if at > 0 => self.run(
                "UPDATE messages SET status = max(ifnull(status, 0), ?2), timestamp = ?3 WHERE id = ?1",
                &[&message, &number, &at],
            )?,
            _ => self.run(
                "UPDATE messages SET status = max(ifnull(status, 0), ?2) WHERE id = ?1",
                &[&message, &number],
            )?,
        };
        Ok(())
    }

    /// The first time of each kind counts.
    fn times(&mut self, chat: &Jid, ids: &[String], who: &Author, times: Times) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO receipts VALUES (?1, ?2, ?3, ?4, ?5) \
             ON CONFLICT (message, recipient) DO UPDATE SET \
             delivered_at = ifnull(delivered_at, excluded.delivered_at), \
             read_at = ifnull(read_at, excluded.read_at), \
             played_at = ifnull(played_at, excluded.played_at)";
        let Some(who) = who else { return self.read_here(chat, ids) };
        let recipient = self.person(&Some(who.clone()))?;
        let status = match times {
            Times { played_at: Some(_), .. } => SentStatus::Played,
            Times { read_at: Some(_), .. } => SentStatus::Read,
            _ => SentStatus::Delivered,
        };
        for id in ids {
            let target = Target { chat: chat.clone(), message_id: id.clone(), author: Some(None) };
            let Some(message) = self.find(&target)? else { continue };
            self.run(SQL, &[&message, &recipient, &times.delivered_at, &times.read_at, &times.played_at])?;
            self.run(
                "UPDATE messages SET status = max(ifnull(status, 0), ?2) WHERE id = ?1",
                &[&message, &(status as i64)],
            )?;
        }
        Ok(())
    }

    /// This account read messages: nothing up to the newest of them is unread any more.
    fn read_here(&mut self, chat: &Jid, ids: &[String]) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE chats SET marked_unread = 0, unread = min(unread, (SELECT count(*) FROM messages \
             WHERE chat = ?1 AND author <> 0 AND (timestamp, id) > (SELECT timestamp, id FROM messages \
             WHERE message_id = ?2 AND chat = ?1))) WHERE id = ?1";
        let chat = self.chat(chat)?;
        self.settle_news(chat)?;
        for id in ids {
            let known = "SELECT id FROM messages WHERE message_id = ?1 AND chat = ?2";
            if self.number(known, &[id, &chat])?.is_some() {
                self.run(SQL, &[&chat, id])?;
            }
        }
        Ok(())
    }

    /// The newest counts, whatever the order in which they come.
    fn reaction(&mut self, target: &Target, row: &ReactionRow) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO reactions VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT (message, sender) DO UPDATE SET emoji = excluded.emoji, at_ms = excluded.at_ms \
             WHERE excluded.at_ms >= at_ms";
        let Some(message) = self.find(target)? else { return Ok(()) };
        let sender = self.person(&row.sender)?;
        let emoji = row.emoji.as_deref().unwrap_or_default();
        self.run(SQL, &[&message, &sender, &emoji, &row.at_ms]).map(drop)
    }

    fn vote(&mut self, target: &Target, row: &VoteRow) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO votes VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT (message, voter) DO UPDATE SET options = excluded.options, at_ms = excluded.at_ms \
             WHERE excluded.at_ms >= at_ms";
        let Some(message) = self.find(target)? else { return Ok(()) };
        let voter = self.person(&row.voter)?;
        self.run(SQL, &[&message, &voter, &row.options.concat(), &row.at_ms]).map(drop)
    }

    fn pinned(&mut self, target: &Target, row: &PinRow) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO pins VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (chat, message_id) \
             DO UPDATE SET sender = excluded.sender, until = excluded.until, at_ms = excluded.at_ms \
             WHERE excluded.at_ms >= at_ms";
        let (chat, sender) = (self.chat(&target.chat)?, self.someone(row.sender.as_ref())?);
        self.run(SQL, &[&chat, &target.message_id, &sender, &row.until, &row.at_ms]).map(drop)
    }

    fn kept(&mut self, target: &Target, row: &KeepRow) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO keeps VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (chat, message_id) \
             DO UPDATE SET sender = excluded.sender, kept = excluded.kept, at_ms = excluded.at_ms \
             WHERE excluded.at_ms >= at_ms";
        let (chat, sender) = (self.chat(&target.chat)?, self.someone(row.sender.as_ref())?);
        self.run(SQL, &[&chat, &target.message_id, &sender, &row.kept, &row.at_ms]).map(drop)
    }

    fn commented(&mut self, target: &Target, who: &Author, id: &str) -> Result<(), StoreError> {
        const SQL: &str = "INSERT OR IGNORE INTO comments VALUES (?1, ?2, ?3, ?4)";
        let (chat, sender) = (self.chat(&target.chat)?, self.person(who)?);
        self.run(SQL, &[&chat, &target.message_id, &sender, &id]).map(drop)
    }

    fn answered(&mut self, target: &Target, row: &AnswerRow) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO answers VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (message, person) \
             DO UPDATE SET answer = excluded.answer, guests = excluded.guests, at_ms = excluded.at_ms \
             WHERE excluded.at_ms >= at_ms";
        let Some(message) = self.find(target)? else { return Ok(()) };
        let person = self.person(&row.person)?;
        let number = row.answer.map(answer::number);
        self.run(SQL, &[&message, &person, &number, &row.guests, &row.at_ms]).map(drop)
    }

    fn past_member(&mut self, group: &Jid, row: &PastMemberRow) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO past_members VALUES (?1, ?2, ?3, ?4) ON CONFLICT (chat, person) \
             DO UPDATE SET removed = excluded.removed, at = excluded.at WHERE excluded.at >= at";
        let (chat, person) = (self.chat(group)?, self.person(&row.person)?);
        self.run(SQL, &[&chat, &person, &row.removed, &row.at]).map(drop)
    }

    /// The number of somebody who may not be known.
    fn someone(&mut self, who: Option<&Author>) -> Result<Option<i64>, StoreError> {
        who.map(|who| self.person(who)).transpose()
    }

    fn option_added(&mut self, target: &Target, option: &str) -> Result<(), StoreError> {
        const CONTENT: &str = "SELECT content FROM messages WHERE id = ?1 AND revoked_at IS NULL";
        let Some(message) = self.find(target)? else { return Ok(()) };
        let original: Option<Vec<u8>> = self
            .transaction
            .prepare_cached(CONTENT)
            .and_then(|mut it| it.query_row([message], |row| row.get(0)).optional())
            .map_err(failed)?;
        let content = original.and_then(|original| edit::with_option(&original, option));
        let Some(content) = content else { return Ok(()) };
        self.run("UPDATE messages SET content = ?2 WHERE id = ?1", &[&message, &content])?;
        words::again(self.transaction, message, &content)
    }

    fn edited(&mut self, target: &Target, content: &[u8], at_ms: i64) -> Result<(), StoreError> {
        const OLDER: &str = "SELECT content FROM messages \
             WHERE id = ?1 AND revoked_at IS NULL AND ifnull(edited_at_ms, 0) <= ?2";
        const SQL: &str = "UPDATE messages SET content = ?2, edited_at_ms = ?3 WHERE id = ?1";
        let Some(message) = self.find(target)? else { return Ok(()) };
        let original: Option<Vec<u8>> = self
            .transaction
            .prepare_cached(OLDER)
            .and_then(|mut it| it.query_row((message, at_ms), |row| row.get(0)).optional())
            .map_err(failed)?;
        let Some(original) = original else { return Ok(()) };
        let content = edit::edited(&original, content);
        self.run(SQL, &[&message, &content, &at_ms])?;
        words::again(self.transaction, message, &content)
    }

    /// What was said is gone, with all that was said about it.
    fn revoked(&mut self, target: &Target, by: &Author, at: i64) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE messages SET content = x'', revoked_at = ?2, revoked_by = ?3 \
             WHERE id = ?1 AND revoked_at IS NULL";
        let Some(message) = self.find(target)? else { return Ok(()) };
        let by = self.person(by)?;
        if self.run(SQL, &[&message, &at, &by])? > 0 {
            words::again(self.transaction, message, &[])?;
            for table in ["reactions", "votes", "answers"] {
                self.run(&format!("DELETE FROM {table} WHERE message = ?1"), &[&message])?;
            }
            self.forget_by_id("id = ?1", &[&message])?;
        }
        Ok(())
    }

    fn chat_row(&mut self, chat: &Jid, row: &ChatRow) -> Result<(), StoreError> {
        const NOW: &str = "UPDATE chats SET name = ifnull(?2, name), latest_at = max(latest_at, ?3), \
             unread = ifnull(?4, unread), archived = ifnull(?5, archived), \
             pinned_at = ifnull(?6, pinned_at), muted_until = ifnull(?7, muted_until), \
             timer = ifnull(?8, timer), history_end = ifnull(?9, history_end), \
             locked = ifnull(?10, locked) WHERE id = ?1";
        // Where something is known already it is newer than the history.
        const OLD: &str = "UPDATE chats SET name = ifnull(name, ?2), latest_at = max(latest_at, ?3), \
             unread = max(unread, ifnull(?4, 0)), archived = ifnull(archived, ?5), \
             pinned_at = ifnull(pinned_at, ?6), muted_until = ifnull(muted_until, ?7), \
             timer = ifnull(timer, ?8), history_end = ifnull(?9, history_end), \
             locked = ifnull(locked, ?10) WHERE id = ?1";
        let number = self.chat(chat)?;
        self.settle_news(number)?;
        self.run(
            if row.is_old { OLD } else { NOW },
            &[
                &number,
                &row.name,
                &row.latest_at.unwrap_or(0),
                &row.unread,
                &row.archived,
                &row.pinned_at,
                &row.muted_until,
                &row.timer,
                &row.history_end,
                &row.locked,
            ],
        )
        .map(drop)
    }

    fn person_row(&mut self, person: &Jid, row: &PersonRow) -> Result<(), StoreError> {
        // An empty text takes a name away.
        const SQL: &str = "UPDATE people SET name = nullif(ifnull(?2, name), ''), \
             first_name = nullif(ifnull(?3, first_name), ''), \
             push_name = ifnull(?4, push_name), username = ifnull(?5, username) WHERE id = ?1";
        let number = self.person(&Some(person.clone()))?;
        self.run(SQL, &[&number, &row.name, &row.first_name, &row.push_name, &row.username]).map(drop)
    }

    /// Gives a chat and a person another address. If there are rows under both, the former's become
    /// the present's.
    fn moved(&mut self, former: &Jid, present: &Jid) -> Result<(), StoreError> {
        self.chats.remove(former);
        self.people.remove(former);
        let (old, new) = (former.to_string(), present.to_string());
        match (self.by_address("chats", &old)?, self.by_address("chats", &new)?) {
            (Some(from), None) => {
                self.run("UPDATE chats SET address = ?2 WHERE id = ?1", &[&from, &new])?;
            }
            (Some(from), Some(to)) => self.merge_chats(from, to)?,
            (None, _) => {}
        }
        match (self.by_address("people", &old)?, self.by_address("people", &new)?) {
            (Some(from), None) => {
                self.run("UPDATE people SET address = ?2 WHERE id = ?1", &[&from, &new])?;
            }
            (Some(from), Some(to)) => self.merge_people(from, to)?,
            (None, _) => {}
        }
        Ok(())
    }

    fn merge_chats(&mut self, from: i64, to: i64) -> Result<(), StoreError> {
        const CHAT: &str = "UPDATE chats AS here SET name = ifnull(here.name, there.name), \
             latest_at = max(here.latest_at, there.latest_at), unread = here.unread + there.unread, \
             archived = ifnull(here.archived, there.archived), \
             pinned_at = ifnull(here.pinned_at, there.pinned_at), \
             muted_until = ifnull(here.muted_until, there.muted_until), \
             timer = ifnull(here.timer, there.timer), locked = ifnull(here.locked, there.locked), \
             marked_unread = max(here.marked_unread, there.marked_unread), \
             history_end = ifnull(here.history_end, there.history_end) \
             FROM chats AS there WHERE here.id = ?2 AND there.id = ?1";
        if let Some(news) = self.news.remove(&from) {
            let here = self.news.entry(to).or_default();
            here.latest_at = here.latest_at.max(news.latest_at);
            here.unread = here.unread.saturating_add(news.unread);
        }
        self.run(CHAT, &[&from, &to])?;
        // What is in both stays as it is under the present address.
        self.run("UPDATE OR IGNORE messages SET chat = ?2 WHERE chat = ?1", &[&from, &to])?;
        for table in BY_ID.iter().chain(&["past_members"]) {
            self.run(&format!("UPDATE OR IGNORE {table} SET chat = ?2 WHERE chat = ?1"), &[&from, &to])?;
            self.run(&format!("DELETE FROM {table} WHERE chat = ?1"), &[&from])?;
        }
        self.drop_messages("chat = ?1", &[&from])?;
        self.run("UPDATE OR IGNORE labelled SET chat = ?2 WHERE chat = ?1", &[&from, &to])?;
        self.run("DELETE FROM labelled WHERE chat = ?1", &[&from])?;
        self.run("DELETE FROM chats WHERE id = ?1", &[&from]).map(drop)
    }

    fn merge_people(&self, from: i64, to: i64) -> Result<(), StoreError> {
        const PERSON: &str = "UPDATE people AS here SET name = ifnull(here.name, there.name), \
             first_name = ifnull(here.first_name, there.first_name), \
             push_name = ifnull(here.push_name, there.push_name), \
             username = ifnull(here.username, there.username) \
             FROM people AS there WHERE here.id = ?2 AND there.id = ?1";
        self.run(PERSON, &[&from, &to])?;
        for (table, column) in PEOPLE {
            let sql = format!("UPDATE OR IGNORE {table} SET {column} = ?2 WHERE {column} = ?1");
            self.run(&sql, &[&from, &to])?;
        }
        self.drop_messages("author = ?1", &[&from])?;
        for (table, column) in PEOPLE.into_iter().filter(|(table, _)| *table != "messages") {
            self.run(&format!("DELETE FROM {table} WHERE {column} = ?1"), &[&from])?;
        }
        self.run("UPDATE messages SET revoked_by = ?2 WHERE revoked_by = ?1", &[&from, &to])?;
        self.run("DELETE FROM people WHERE id = ?1", &[&from]).map(drop)
    }

    /// Forgets messages of the same name as others: pins and the like stand by the name, and stay.
    pub(super) fn drop_messages(&self, which: &str, parameters: &[&dyn ToSql]) -> Result<(), StoreError> {
        drop_messages(self.transaction, which, parameters)
    }

    pub(super) fn forget_by_id(&self, which: &str, parameters: &[&dyn ToSql]) -> Result<(), StoreError> {
        forget_by_id(self.transaction, which, parameters)
    }

    fn owner(&mut self, phone: Option<&Jid>, lid: Option<&Jid>) -> Result<(), StoreError> {
        const SAME: &str =
            "SELECT phone IS ?1 AND lid IS ?2, phone IS NULL OR phone IS ?1 OR lid IS ?2 FROM archive_state";
        let (phone, lid) = (phone.map(Jid::to_string), lid.map(Jid::to_string));
        let (known, same): (bool, bool) = self
            .transaction
            .prepare_cached(SAME)
            .and_then(|mut it| it.query_row((&phone, &lid), |row| Ok((row.get(0)?, row.get(1)?))))
            .map_err(failed)?;
        if known {
            return Ok(());
        }
        if !same {
            self.forget()?;
        }
        self.run("UPDATE archive_state SET phone = ?1, lid = ?2", &[&phone, &lid]).map(drop)
    }

    fn forget(&mut self) -> Result<(), StoreError> {
        self.chats.clear();
        self.people.clear();
        self.news.clear();
        for table in EMPTIED {
            self.run(&format!("DELETE FROM {table}"), &[])?;
        }
        self.run("UPDATE archive_state SET indexed = 0", &[]).map(drop)
    }

    /// Forgets the number of a chat that is gone.
    pub(super) fn forget_chat(&mut self, chat: &Jid) {
        self.chats.remove(chat);
    }

    /// Writes down what the messages so far mean for a chat.
    pub(super) fn settle_news(&mut self, chat: i64) -> Result<(), StoreError> {
        const SQL: &str =
            "UPDATE chats SET latest_at = max(latest_at, ?2), unread = unread + ?3 WHERE id = ?1";
        let Some(News { latest_at, unread }) = self.news.remove(&chat) else { return Ok(()) };
        self.run(SQL, &[&chat, &latest_at, &unread]).map(drop)
    }

    fn finish(mut self) -> Result<(), StoreError> {
        while let Some(chat) = self.news.keys().next().copied() {
            self.settle_news(chat)?;
        }
        Ok(())
    }
}

fn run(transaction: &Transaction<'_>, sql: &str, parameters: &[&dyn ToSql]) -> Result<(), StoreError> {
    let run = transaction.prepare_cached(sql).and_then(|mut statement| statement.execute(parameters));
    run.map(drop).map_err(failed)
}

/// Forgets messages, and what people did to them. `which` is a condition with its parameters.
pub(super) fn drop_messages(
    transaction: &Transaction<'_>,
    which: &str,
    parameters: &[&dyn ToSql],
) -> Result<(), StoreError> {
    let those = format!("(SELECT id FROM messages WHERE {which})");
    run(transaction, &format!("DELETE FROM message_words WHERE rowid IN {those}"), parameters)?;
    for table in BY_NUMBER {
        run(transaction, &format!("DELETE FROM {table} WHERE message IN {those}"), parameters)?;
    }
    run(transaction, &format!("DELETE FROM messages WHERE {which}"), parameters)?;
    words::shrunk(transaction)
}

/// Forgets pins and the like of messages.
pub(super) fn forget_by_id(
    transaction: &Transaction<'_>,
    which: &str,
    parameters: &[&dyn ToSql],
) -> Result<(), StoreError> {
    for table in BY_ID {
        let those = format!("(SELECT chat, message_id FROM messages WHERE {which})");
        run(transaction, &format!("DELETE FROM {table} WHERE (chat, message_id) IN {those}"), parameters)?;
    }
    Ok(())
}

/// A notice of the service in one column: its number and its parameters.
fn pack_notice(kind: u32, parameters: &[String]) -> Vec<u8> {
    use prost::Message as _;
    Notice { kind, parameters: parameters.to_vec() }.encode_to_vec()
}

/// What the service wrote in a chat.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Notice {
    #[prost(uint32, tag = "1")]
    pub(super) kind: u32,
    #[prost(string, repeated, tag = "2")]
    pub(super) parameters: Vec<String>,
}

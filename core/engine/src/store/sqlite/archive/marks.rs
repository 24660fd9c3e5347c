//! What app state says of chats and messages of the archive.

use whimbrel_wire::Jid;

use super::write::Writing;
use crate::archive::row::{LabelRow, Target};
use crate::store::sqlite::StoreError;

impl Writing<'_> {
    pub(super) fn starred(&mut self, target: &Target, starred: bool) -> Result<(), StoreError> {
        let Some(message) = self.find(target)? else { return Ok(()) };
        self.run("UPDATE messages SET starred = ?2 WHERE id = ?1", &[&message, &starred]).map(drop)
    }

    pub(super) fn deleted(&mut self, target: &Target) -> Result<(), StoreError> {
        let Some(message) = self.find(target)? else { return Ok(()) };
        self.forget_by_id("id = ?1", &[&message])?;
        self.drop_messages("id = ?1", &[&message])
    }

    /// Nothing up to a time is unread any more; without a time the chat is to be looked at again.
    pub(super) fn marked_read(&mut self, chat: &Jid, until: Option<i64>) -> Result<(), StoreError> {
        const READ: &str = "UPDATE chats SET marked_unread = 0, unread = min(unread, (SELECT count(*) \
             FROM messages WHERE chat = ?1 AND author <> 0 AND timestamp > ?2)) WHERE id = ?1";
        let chat = self.chat(chat)?;
        self.settle_news(chat)?;
        match until {
            Some(until) => self.run(READ, &[&chat, &until]).map(drop),
            None => self.run("UPDATE chats SET marked_unread = 1 WHERE id = ?1", &[&chat]).map(drop),
        }
    }

    /// Messages that came since the author looked stay, and so does their chat.
    pub(super) fn cleared(
        &mut self,
        chat: &Jid,
        until: i64,
        starred: bool,
        chat_too: bool,
    ) -> Result<(), StoreError> {
        const THOSE: &str = "chat = ?1 AND timestamp <= ?2 AND (?3 OR starred = 0)";
        const UNREAD: &str = "UPDATE chats SET marked_unread = 0, unread = min(unread, (SELECT count(*) \
             FROM messages WHERE chat = ?1 AND author <> 0)) WHERE id = ?1";
        const GONE: &str =
            "DELETE FROM chats WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM messages WHERE chat = ?1)";
        let number = self.chat(chat)?;
        self.settle_news(number)?;
        self.forget_by_id(THOSE, &[&number, &until, &starred])?;
        self.drop_messages(THOSE, &[&number, &until, &starred])?;
        self.run(UNREAD, &[&number])?;
        if chat_too && self.run(GONE, &[&number])? > 0 {
            self.run("DELETE FROM labelled WHERE chat = ?1", &[&number])?;
            self.forget_chat(chat);
        }
        Ok(())
    }

    pub(super) fn label(&mut self, label: &str, row: Option<&LabelRow>) -> Result<(), StoreError> {
        let Some(row) = row else {
            self.run("DELETE FROM labelled WHERE label = ?1", &[&label])?;
            return self.run("DELETE FROM labels WHERE label = ?1", &[&label]).map(drop);
        };
        // An edit that does not say the place leaves it.
        let sql = "INSERT INTO labels VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (label) DO UPDATE SET \
             name = excluded.name, color = excluded.color, predefined = excluded.predefined, \
             place = ifnull(excluded.place, place)";
        self.run(sql, &[&label, &row.name, &row.color, &row.predefined, &row.order]).map(drop)
    }

    pub(super) fn put_away(&mut self, chat: &Jid, until: i64) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE chats SET archived = 1 WHERE id = ?1 AND NOT EXISTS \
             (SELECT 1 FROM messages WHERE chat = ?1 AND author <> 0 AND timestamp > ?2)";
        let chat = self.chat(chat)?;
        self.run(SQL, &[&chat, &until]).map(drop)
    }

    pub(super) fn taken_out(&mut self, chat: &Jid) -> Result<(), StoreError> {
        let chat = self.chat(chat)?;
        self.run("UPDATE chats SET archived = 0 WHERE id = ?1 AND archived = 1", &[&chat]).map(drop)
    }

    /// Labels that are not named stand where they stood.
    pub(super) fn label_order(&mut self, labels: &[String]) -> Result<(), StoreError> {
        for (place, label) in (0_i64..).zip(labels) {
            self.run("UPDATE labels SET place = ?2 WHERE label = ?1", &[label, &place])?;
        }
        Ok(())
    }

    pub(super) fn labelled(&mut self, label: &str, chat: &Jid, labelled: bool) -> Result<(), StoreError> {
        let chat = self.chat(chat)?;
        let sql = match labelled {
            true => "INSERT OR IGNORE INTO labelled VALUES (?1, ?2)",
            false => "DELETE FROM labelled WHERE label = ?1 AND chat = ?2",
        };
        self.run(sql, &[&label, &chat]).map(drop)
    }
}

//! Rows that are read through what the unit has changed.

use whimbrel_wire::Jid;

use super::Unit;
use crate::store::{DeviceList, InboxEntry, InboxState, OutboxRow, StoreError};

/// When a device list that is not believed any more was fetched.
const GIVEN_UP: i64 = i64::MIN;

impl Unit<'_> {
    /// Devices of a user, as last told.
    pub(crate) fn device_list(&self, user: &Jid) -> Result<Option<DeviceList>, StoreError> {
        Ok(self.last_device_list(user)?.filter(|list| list.fetched_at != GIVEN_UP))
    }

    /// As [`device_list`](Self::device_list), given up or not: what new lists are judged by.
    pub(crate) fn last_device_list(&self, user: &Jid) -> Result<Option<DeviceList>, StoreError> {
        match self.changes.device_lists.get(user) {
            Some(changed) => Ok(changed.clone()),
            None => self.store.device_list(user),
        }
    }

    /// Gives a list up: another one is asked for before the next message. An older one is not taken in its
    /// place, and another epoch of the account is still noticed.
    pub(crate) fn give_up_list(&mut self, user: &Jid) -> Result<(), StoreError> {
        if let Some(list) = self.device_list(user)? {
            let list = DeviceList { fetched_at: GIVEN_UP, ..list };
            self.changes.device_lists.insert(user.clone(), Some(list));
        }
        Ok(())
    }

    /// Takes a list that was given up for the best that there is: the service has none that is newer.
    pub(crate) fn fall_back_on_list(&mut self, user: &Jid) -> Result<(), StoreError> {
        if let Some(list) = self.last_device_list(user)?.filter(|list| list.fetched_at == GIVEN_UP) {
            let list = DeviceList { fetched_at: 0, ..list };
            self.changes.device_lists.insert(user.clone(), Some(list));
        }
        Ok(())
    }

    /// What is known of a received message, whichever addresses its chat and author had when it
    /// came: of several, what came furthest.
    pub(crate) fn inbox(
        &mut self,
        chat: &Jid,
        author: &Jid,
        id: &str,
    ) -> Result<Option<InboxEntry>, StoreError> {
        let changed = self.changes.inbox.iter().rev().filter(|entry| entry.message_id == id).cloned();
        let entries: Vec<InboxEntry> = changed.chain(self.store.inbox_of(id)?).collect();
        let mut best: Option<InboxEntry> = None;
        for entry in entries {
            let same = (entry.chat == *chat || self.canonical(&entry.chat)? == *chat)
                && (entry.author == *author || self.canonical(&entry.author)? == *author);
            if same && best.as_ref().is_none_or(|best| progress(&entry) > progress(best)) {
                best = Some(entry);
            }
        }
        Ok(best)
    }

    /// What is known of received messages with an id, whatever their chats and authors. Of a message
    /// that this unit has dealt with, the latest entry.
    pub(crate) fn inbox_of(&self, id: &str) -> Result<Vec<InboxEntry>, StoreError> {
        let mut entries: Vec<InboxEntry> = Vec::new();
        let changed = self.changes.inbox.iter().rev().filter(|entry| entry.message_id == id).cloned();
        for entry in changed.chain(self.store.inbox_of(id)?) {
            if !entries.iter().any(|newer| newer.chat == entry.chat && newer.author == entry.author) {
                entries.push(entry);
            }
        }
        Ok(entries)
    }

    /// A sent message, whichever address its chat had when it was accepted.
    pub(crate) fn outbox(&mut self, chat: &Jid, id: &str) -> Result<Option<OutboxRow>, StoreError> {
        let chat = self.canonical(&chat.to_bare())?;
        for row in self.store.outbox_of(id)? {
            if row.chat == chat || self.canonical(&row.chat)? == chat {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }

    /// Base key saved at an earlier retry of a message, whichever address the device had then.
    pub(crate) fn retry_base_key(&mut self, device: &Jid, id: &str) -> Result<Option<[u8; 32]>, StoreError> {
        if let Some(key) = self.store.retry_base_key(device, id)? {
            return Ok(Some(key));
        }
        for other in self.other_addresses(device)? {
            if let Some(key) = self.store.retry_base_key(&other, id)? {
                return Ok(Some(key));
            }
        }
        Ok(None)
    }
}

/// How far a received message came.
fn progress(entry: &InboxEntry) -> u16 {
    match entry.state {
        InboxState::Failed { retries, .. } => u16::from(retries),
        InboxState::Done | InboxState::History => u16::MAX,
    }
}

//! The timers of chats with people: what is sent there says it, as what comes there does (messages
//! document §6.4). Groups have theirs in their own rows.

use whimbrel_content::context::{Initiator, Timer, Trigger};
use whimbrel_wire::Jid;

use super::signal_state::Unit;
use crate::archive::row::{ArchiveChange, ChatRow};
use crate::privacy;
use crate::store::{Store, StoreError, TimerRow};

impl TimerRow {
    fn new(chat: Jid, timer: &Timer) -> Self {
        Self {
            chat,
            seconds: timer.seconds,
            set_at: timer.set_at.unwrap_or_default(),
            initiator: timer.initiator.map(|initiator| initiator as i32),
            trigger: timer.trigger.map(|trigger| trigger as i32),
            initiated_by_me: timer.initiated_by_me,
        }
    }

    fn timer(&self) -> Timer {
        Timer {
            seconds: self.seconds,
            set_at: Some(self.set_at).filter(|at| *at > 0),
            initiator: self.initiator.and_then(|number| Initiator::try_from(number).ok()),
            trigger: self.trigger.and_then(|number| Trigger::try_from(number).ok()),
            initiated_by_me: self.initiated_by_me,
            initiator_device: None,
        }
    }
}

impl Unit<'_> {
    /// Takes the word of whoever wrote last about a chat's timer: the one that was set last counts.
    pub(crate) fn learn_timer(&mut self, chat: &Jid, timer: &Timer) -> Result<(), StoreError> {
        if !chat.is_account() {
            return Ok(());
        }
        let known = match self.changes.timers.get(chat) {
            Some(row) => Some(row.clone()),
            None => known(self.store, chat)?,
        };
        let row = TimerRow::new(chat.clone(), timer);
        if known.is_none_or(|known| known.set_at <= row.set_at && known != row) {
            let timer = ChatRow { timer: Some(row.seconds), ..ChatRow::default() };
            self.changes.archive.push(ArchiveChange::Chat(chat.clone(), Box::new(timer)));
            self.changes.timers.insert(chat.clone(), row);
        }
        Ok(())
    }
}

/// The timer of a chat, also where it was set before the chat was known by its LID.
fn known(store: &dyn Store, chat: &Jid) -> Result<Option<TimerRow>, StoreError> {
    let here = store.chat_timer(chat)?;
    if here.is_some() || !chat.is_lid() {
        return Ok(here);
    }
    match store.phone_of(chat)? {
        Some(phone) => store.chat_timer(&phone),
        None => Ok(None),
    }
}

/// A timer that somebody else wrote down, as this account writes it: whoever set it stays the same.
pub(crate) fn from_other(timer: &Timer) -> Timer {
    let initiator = timer.initiator.map(|initiator| match initiator {
        Initiator::InitiatedByMe => Initiator::InitiatedByOther,
        Initiator::InitiatedByOther => Initiator::InitiatedByMe,
        other => other,
    });
    Timer { initiator, initiated_by_me: timer.initiated_by_me.map(|by_me| !by_me), ..timer.clone() }
}

/// The timer that what is sent to a chat says.
pub(crate) fn timer_of(store: &dyn Store, chat: &Jid) -> Result<Option<Timer>, StoreError> {
    if chat.is_group() {
        let seconds = store.group(chat)?.map_or(0, |group| group.ephemeral);
        return Ok((seconds > 0).then(|| Timer { seconds, ..Timer::default() }));
    }
    match known(store, chat)? {
        Some(row) => Ok((row.seconds > 0).then(|| row.timer())),
        None => privacy::of_new_chat(store, chat),
    }
}

//! Envelopes that came before the message they belong to, or without it (messages document §5): they are
//! kept until it comes, by whatever way, and told then; or told sealed when it has not come in time.

use whimbrel_content::addons::Sealed;
use whimbrel_content::classify::{Class, reread};
use whimbrel_wire::Jid;

use super::receive::{self, Patience};
use crate::messages::Unit;
use crate::messages::arrival::Arrived;
use crate::store::StoreError;

/// How many wait at most. When there are more, the one that waits longest is told sealed.
pub(crate) const AT_MOST: usize = 1000;

/// How long one waits, seconds.
pub(crate) const PATIENCE: i64 = 14 * 24 * 3600;

/// Octets of the largest message that waits; people's votes and words are far smaller.
const LARGEST: usize = 64 << 10;

/// Those that are given up at a time.
const AT_ONCE: usize = 100;

/// An envelope that waits, and the message that brought it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WaitingRow {
    pub(crate) chat: Jid,
    /// The device that wrote it.
    pub(crate) author: Jid,
    pub(crate) message_id: String,
    /// Id of the message that it belongs to.
    pub(crate) target_id: String,
    /// It is of this account.
    pub(crate) own: bool,
    /// The service's time, seconds.
    pub(crate) timestamp: i64,
    pub(crate) offline: bool,
    /// Event that it completes.
    pub(crate) completes: Option<String>,
    /// `Message`, encoded.
    pub(crate) content: Vec<u8>,
    /// When it came, seconds.
    pub(crate) since: i64,
}

/// Chat, author and id of the message that brought an envelope.
pub(crate) type WaitingKey = (Jid, Jid, String);

impl WaitingRow {
    pub(crate) fn key(&self) -> WaitingKey {
        (self.chat.clone(), self.author.clone(), self.message_id.clone())
    }
}

/// What a unit of work changes about envelopes that wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum WaitingChange {
    Waits(WaitingRow),
    /// It was told, or there is nothing to tell any more.
    Gone(WaitingKey),
}

/// Which envelopes of those that wait.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Which<'a> {
    /// Those to a message with an id.
    To(&'a str),
    /// That of a message with an id.
    Of(&'a str),
    /// So many that wait longest.
    Oldest(usize),
}

impl Which<'_> {
    pub(crate) fn is(self, row: &WaitingRow) -> bool {
        match self {
            Self::To(id) => row.target_id == id,
            Self::Of(id) => row.message_id == id,
            Self::Oldest(_) => true,
        }
    }
}

/// Lets an envelope wait for its message, if it can. Returns whether it does.
pub(super) fn wait(
    unit: &mut Unit<'_>,
    arrived: &Arrived<'_>,
    sealed: &Sealed,
    raw: &[u8],
) -> Result<bool, StoreError> {
    if !sealed.can_be_opened() || sealed.target.id.is_empty() || raw.len() > LARGEST {
        return Ok(false);
    }
    if unit.waiting_count()? >= AT_MOST {
        give_up(unit, Which::Oldest(1), |_| true)?;
    }
    let row = WaitingRow {
        chat: arrived.chat.clone(),
        author: arrived.author.clone(),
        message_id: arrived.message_id.clone(),
        target_id: sealed.target.id.clone(),
        own: arrived.own,
        timestamp: arrived.timestamp,
        offline: arrived.offline,
        completes: arrived.completes.clone(),
        content: raw.to_vec(),
        since: unit.now(),
    };
    unit.changes.waiting.push(WaitingChange::Waits(row));
    tracing::debug!("What came for a message waits for it.");
    Ok(true)
}

/// Tells what waited for a message that is known now.
pub(crate) fn came(unit: &mut Unit<'_>, chat: &Jid, id: &str) -> Result<(), StoreError> {
    for row in unit.waiting(Which::To(id))? {
        if unit.canonical(&row.chat)? == *chat {
            tell(unit, row, Patience::Waiting)?;
        }
    }
    Ok(())
}

/// Tells what waited for messages that the archive got from a piece of the history.
pub(crate) fn history_came(unit: &mut Unit<'_>) -> Result<(), StoreError> {
    for (chat, id) in unit.store.waiting_targets()? {
        let chat = unit.canonical(&chat)?;
        if !unit.parents(&chat, &id)?.is_empty() {
            came(unit, &chat, &id)?;
        }
    }
    Ok(())
}

/// Forgets the envelope of a message that was revoked before it could be opened.
pub(super) fn revoked(unit: &mut Unit<'_>, chat: &Jid, id: &str) -> Result<(), StoreError> {
    for row in unit.waiting(Which::Of(id))? {
        if unit.canonical(&row.chat)? == *chat {
            unit.changes.waiting.push(WaitingChange::Gone(row.key()));
        }
    }
    Ok(())
}

/// Tells some of those that waited too long. Returns whether there may be more.
pub(crate) fn expire(unit: &mut Unit<'_>) -> Result<bool, StoreError> {
    let before = unit.now().saturating_sub(PATIENCE);
    give_up(unit, Which::Oldest(AT_ONCE), |row| row.since <= before)
}

/// Tells some of those that wait, since nothing will come any more. Returns whether there may be more.
pub(crate) fn end(unit: &mut Unit<'_>) -> Result<bool, StoreError> {
    give_up(unit, Which::Oldest(AT_ONCE), |_| true)
}

fn give_up(
    unit: &mut Unit<'_>,
    which: Which<'_>,
    wanted: impl Fn(&WaitingRow) -> bool,
) -> Result<bool, StoreError> {
    let mut some = false;
    for row in unit.waiting(which)? {
        if wanted(&row) {
            some = true;
            tell(unit, row, Patience::Over)?;
        }
    }
    Ok(some)
}

/// Tells what an envelope says, and forgets it, unless it is to wait for another message still: one with the
/// id of that which it belongs to may be somebody else's.
fn tell(unit: &mut Unit<'_>, row: WaitingRow, patience: Patience) -> Result<(), StoreError> {
    let key = row.key();
    let (chat, author) = (unit.canonical(&row.chat)?, unit.canonical(&row.author)?);
    let read = whimbrel_proto::decode(&row.content).map(|message| reread(message, &chat, row.own).class);
    let done = match read {
        Ok(Class::Addon(what)) => {
            let arrived = Arrived {
                message_id: row.message_id,
                chat: &chat,
                author: &author,
                own: row.own,
                timestamp: row.timestamp,
                push_name: None,
                offline: row.offline,
                completes: row.completes,
            };
            receive::take(unit, arrived, *what, row.content, patience)?
        }
        // It was read when it came.
        _ => true,
    };
    if done {
        unit.changes.waiting.push(WaitingChange::Gone(key));
    }
    Ok(())
}

impl Unit<'_> {
    /// Envelopes that wait, the one that waits longest first, as this unit leaves them.
    fn waiting(&self, which: Which<'_>) -> Result<Vec<WaitingRow>, StoreError> {
        let changes = &self.changes.waiting;
        let is_gone = |key: &WaitingKey, since: usize| {
            let later = changes.get(since..).unwrap_or_default();
            later.iter().any(|change| matches!(change, WaitingChange::Gone(gone) if gone == key))
        };
        let (which, limit) = match which {
            // Some of them may be gone.
            Which::Oldest(limit) => (Which::Oldest(limit.saturating_add(changes.len())), limit),
            which => (which, usize::MAX),
        };
        let mut rows = self.store.waiting(which)?;
        rows.retain(|row| !is_gone(&row.key(), 0));
        for (at, change) in changes.iter().enumerate() {
            if let WaitingChange::Waits(row) = change
                && which.is(row)
                && !is_gone(&row.key(), at)
            {
                rows.push(row.clone());
            }
        }
        rows.truncate(limit);
        Ok(rows)
    }

    fn waiting_count(&self) -> Result<usize, StoreError> {
        let mut count = self.store.waiting_count()?;
        for change in &self.changes.waiting {
            match change {
                WaitingChange::Waits(_) => count = count.saturating_add(1),
                WaitingChange::Gone(_) => count = count.saturating_sub(1),
            }
        }
        Ok(count)
    }
}

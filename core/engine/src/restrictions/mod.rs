//! Restrictions of the account: for a time it may not write to people with whom it has no chat
//! (features document §16.3, §16.4). The service refuses such messages with 463 or 475; from then on
//! they are held back here, so that a host that goes on does not make it worse. Whatever else is sent
//! goes on.

mod limits;
mod stanza;

pub use limits::{AccountLimits, NewChats};

use std::sync::Arc;
use std::time::Duration;

use whimbrel_wire::{Jid, NodeRef};

use crate::client::Inner;
use crate::connection::Connection;
use crate::error::{Code, Error, Outcome};
use crate::events::EventKind;
use crate::messages::Unit;
use crate::repair::Repair;
use crate::store::StoreError;

/// How long the service may take for its answer about a restriction.
const TIMEOUT: Duration = Duration::from_secs(30);

/// What an account is restricted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RestrictionKind {
    /// The account may not write to people whom it has had no contact with.
    ReachoutTimelock,
    /// The account has begun as many chats as it may for now.
    NewChatCap,
    /// A kind that this version does not know.
    Other,
}

/// The account may not begin chats for a time, or may again.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Restriction {
    /// What it is restricted in.
    pub kind: RestrictionKind,
    /// Whether the restriction is in force; `false`: it was lifted.
    pub active: bool,
    /// When it ends by itself, seconds since 1970, if the service said so.
    pub until: Option<i64>,
    /// The service's word for its reason, such as `BIZ_QUALITY`, if it gave one.
    pub reason: Option<String>,
}

impl RestrictionKind {
    /// The restriction that a refusal of a message speaks of.
    pub(crate) fn of_status(status: u16) -> Option<Self> {
        match status {
            463 => Some(Self::ReachoutTimelock),
            475 => Some(Self::NewChatCap),
            _ => None,
        }
    }

    /// How long a restriction is believed in whose end the service does not name, in seconds: a
    /// minute as in Baileys, and for the cap as long as what is known of it may be kept.
    const fn default_span(self) -> i64 {
        match self {
            Self::ReachoutTimelock => 60,
            Self::NewChatCap | Self::Other => 3600,
        }
    }

    /// The stable number in stores and journals.
    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::Other => 0,
            Self::ReachoutTimelock => 1,
            Self::NewChatCap => 2,
        }
    }

    /// The inverse of [`number`](Self::number).
    pub(crate) const fn of_number(number: u32) -> Self {
        match number {
            1 => Self::ReachoutTimelock,
            2 => Self::NewChatCap,
            _ => Self::Other,
        }
    }
}

/// A restriction as it is stored. It stays when it is over, until the service takes a message again that
/// it would have refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lock {
    pub(crate) kind: RestrictionKind,
    /// Seconds since 1970.
    pub(crate) until: i64,
    /// Whether the service named that end.
    pub(crate) named: bool,
}

impl Lock {
    fn holds(&self, now: i64) -> bool {
        let left = self.until.saturating_sub(now);
        // A clock that went back must not stretch what was only supposed.
        left > 0 && (self.named || left <= self.kind.default_span())
    }
}

/// What the service says about a restriction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    Active { until: Option<i64>, reason: Option<String> },
    Lifted,
}

impl Unit<'_> {
    /// Why a message to a chat is not sent for now, if it is not.
    pub(crate) fn held_back(&mut self, chat: &Jid) -> Result<Option<Error>, StoreError> {
        let now = self.now();
        let locks: Vec<Lock> = self.locks()?.into_iter().filter(|lock| lock.holds(now)).collect();
        let Some(last) = locks.iter().max_by_key(|lock| lock.until) else { return Ok(None) };
        // Who was given a token is no stranger.
        if !self.is_first_contact(chat)? || self.credential(chat)?.is_some() {
            return Ok(None);
        }
        let error = Error::new(Code::Restricted, "the account may not begin chats for now")
            .with_outcome(Outcome::NotSent);
        let left = u64::try_from(last.until.saturating_sub(now)).unwrap_or(0);
        let named = locks.iter().all(|lock| lock.named);
        Ok(Some(if named { error.with_retry_after(Duration::from_secs(left)) } else { error }))
    }

    /// Whether a chat is with somebody else of whom no message came and who was sent none.
    fn is_first_contact(&mut self, chat: &Jid) -> Result<bool, StoreError> {
        if !chat.is_account() || self.is_own(chat) {
            return Ok(false);
        }
        let account = self.canonical(&chat.to_account())?;
        let mut addresses = self.other_addresses(&account)?;
        addresses.push(account);
        for address in addresses {
            if self.store.is_known_chat(&address)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The service refused a message because of a restriction. It is asked for the details, once in
    /// the time that the restriction is believed in.
    pub(crate) fn refused_by(&mut self, kind: RestrictionKind) -> Result<(), StoreError> {
        let now = self.now();
        if self.locks()?.iter().any(|lock| lock.kind == kind && lock.holds(now)) {
            return Ok(());
        }
        self.set_lock(Lock { kind, until: now.saturating_add(kind.default_span()), named: false })?;
        self.tell_restriction(kind, true, None, None);
        let asked = self.restriction_asked(kind);
        if !(0..kind.default_span()).contains(&now.saturating_sub(*asked)) {
            *asked = now;
            self.wish(Repair::Restriction(kind));
        }
        Ok(())
    }

    /// The service took a message: if it began a chat, restrictions that were over are gone for good.
    pub(crate) fn taken_from(&mut self, chat: &Jid) -> Result<(), StoreError> {
        let now = self.now();
        let over: Vec<Lock> = self.locks()?.into_iter().filter(|lock| !lock.holds(now)).collect();
        if over.is_empty() || !self.is_first_contact(chat)? {
            return Ok(());
        }
        for lock in over {
            self.lift(lock.kind)?;
        }
        Ok(())
    }

    /// The service says how things are.
    fn hear_of_restriction(&mut self, kind: RestrictionKind, word: Word) -> Result<(), StoreError> {
        let now = self.now();
        let known = self.locks()?.into_iter().find(|lock| lock.kind == kind);
        match word {
            Word::Lifted if known.is_some() => self.lift(kind),
            Word::Lifted => Ok(()),
            Word::Active { until, reason } => {
                let until = until.filter(|until| *until > now);
                let lock = match (until, known) {
                    (Some(until), _) => Lock { kind, until, named: true },
                    // Nothing new.
                    (None, Some(known)) if known.holds(now) => known,
                    (None, _) => Lock { kind, until: now.saturating_add(kind.default_span()), named: false },
                };
                if known != Some(lock) {
                    self.set_lock(lock)?;
                    self.tell_restriction(kind, true, until, reason);
                }
                Ok(())
            }
        }
    }

    fn lift(&mut self, kind: RestrictionKind) -> Result<(), StoreError> {
        self.drop_lock(kind)?;
        self.tell_restriction(kind, false, None, None);
        Ok(())
    }

    fn tell_restriction(
        &mut self,
        kind: RestrictionKind,
        active: bool,
        until: Option<i64>,
        reason: Option<String>,
    ) {
        tracing::info!(?kind, active, ?until, "The service restricts the account, or lifts that.");
        self.event(EventKind::Restriction(Restriction { kind, active, until, reason }));
    }
}

/// A notification of type `mex`; those that are not about restrictions have no effect in this version.
pub(crate) fn notification(unit: &mut Unit<'_>, node: &NodeRef<'_>) -> Result<(), StoreError> {
    match stanza::notified(node) {
        Some((kind, word)) => unit.hear_of_restriction(kind, word),
        None => Ok(()),
    }
}

/// Asks the service how things are.
pub(crate) async fn query(
    client: &Arc<Inner>,
    connection: &Arc<Connection>,
    kind: RestrictionKind,
) -> Result<(), Error> {
    let Some(query) = stanza::query(kind) else { return Ok(()) };
    let answer = connection.request(client.request_ids.next(), query, TIMEOUT).await?;
    let Some(word) = stanza::answered(kind, &answer) else {
        tracing::info!(?kind, "The service does not say how long a restriction lasts.");
        return Ok(());
    };
    client.unit(|unit| unit.hear_of_restriction(kind, word)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_only_supposed_ends_soon_whatever_the_clock_does() {
        let lock = |until, named| Lock { kind: RestrictionKind::ReachoutTimelock, until, named };
        assert!(lock(1060, false).holds(1000));
        assert!(!lock(1060, false).holds(1060));
        assert!(!lock(1060, false).holds(900));
        assert!(lock(1060, true).holds(900));
        assert!(!lock(1060, true).holds(1060));
        for kind in [RestrictionKind::ReachoutTimelock, RestrictionKind::NewChatCap, RestrictionKind::Other] {
            assert_eq!(RestrictionKind::of_number(kind.number().into()), kind);
        }
    }
}

//! What comes for another message: which one it means, whether its sender may do it, and what is in
//! its envelope (messages document §5, §7, §8).

use whimbrel_content::addons::{Addon as What, NotOpened, Parent, Sealed};
use whimbrel_content::key::{Actor, Arrival, NotAllowed, Own};
use whimbrel_wire::Jid;

use super::parents::{encode_poll, poll_of};
use super::{Addon, Target, waiting};
use crate::events::EventKind;
use crate::groups::Role;
use crate::messages::Unit;
use crate::messages::arrival::Arrived;
use crate::store::{ParentRow, StoreError};

/// Why an add-on is not told to the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Refused {
    #[error(transparent)]
    NotAllowed(#[from] NotAllowed),
    /// What the service does not check, and receivers ignore.
    #[error("the vote is for more options than the poll lets select")]
    TooManyOptions,
}

/// What becomes of an envelope that nothing opens so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    /// It came just now, and may wait for the message that it belongs to.
    New,
    /// It waits, and goes on waiting.
    Waiting,
    /// It has waited enough.
    Over,
}

/// Journals something that changes or annotates a message, if its sender may do that. What is sealed waits
/// for the message that it belongs to.
pub(crate) fn arrived(
    unit: &mut Unit<'_>,
    arrived: Arrived<'_>,
    what: What,
    raw: Vec<u8>,
) -> Result<(), StoreError> {
    take(unit, arrived, what, raw, Patience::New).map(drop)
}

/// As [`arrived`]. Returns whether it is dealt with: an envelope may wait instead.
pub(super) fn take(
    unit: &mut Unit<'_>,
    arrived: Arrived<'_>,
    what: What,
    raw: Vec<u8>,
    patience: Patience,
) -> Result<bool, StoreError> {
    let people = unit.own();
    let arrival = Arrival { chat: arrived.chat, sender: arrived.author, people: &people };
    let by_author_key = what.target().from_me;
    let target = what.target().resolve(&arrival);
    let named = match &target.author {
        Some(author) => Some(unit.canonical(author)?),
        None => None,
    };
    let known = unit.parents(arrived.chat, &target.id)?;
    let mut parent = None;
    for row in &known {
        if named.as_ref() == Some(&unit.canonical(&row.author)?) {
            parent = Some(row.clone());
        }
    }
    let is_known = parent.is_some();
    // Nobody changes what another one wrote by calling it their own.
    let forged = parent.is_none() && !known.is_empty() && named.is_some();
    if parent.is_none()
        && let [only] = known.as_slice()
    {
        parent = Some(only.clone());
    }
    let author = match &parent {
        Some(parent) => Some(unit.canonical(&parent.author)?),
        None => named,
    };
    let (what, opened) = open(unit, &arrived, what, author.as_ref(), parent.as_ref())?;
    if let What::Sealed(sealed) = &what
        && !is_known
    {
        let waits = match patience {
            Patience::New => waiting::wait(unit, &arrived, sealed, &raw)?,
            Patience::Waiting => true,
            Patience::Over => false,
        };
        if waits {
            return Ok(false);
        }
    }
    let sender = unit.canonical(&arrived.author.to_bare())?;
    let is_author = author.as_ref() == Some(&sender) && !(forged && changes(&what));
    let actor = actor(unit, arrived.chat, &sender, is_author)?;
    let mut options = Vec::new();
    let judged = judge(actor, &what, by_author_key, arrived.timestamp, parent.as_ref(), &mut options);
    if let Err(reason) = judged {
        tracing::warn!(kind = what.kind(), %reason, "What somebody did to a message does not count.");
        return Ok(true);
    }
    remember(unit, &what, parent);
    if matches!(what, What::Revoke(_)) {
        waiting::revoked(unit, arrived.chat, &target.id)?;
    }
    let event = Addon {
        chat: unit.identity_of(arrived.chat)?,
        sender: unit.identity_of(arrived.author)?,
        sender_device: arrived.author.device(),
        from_me: arrived.own,
        timestamp: arrived.timestamp,
        offline: arrived.offline,
        completes: arrived.completes,
        message_id: arrived.message_id,
        target: Target {
            message_id: target.id,
            from_me: author.as_ref().map_or(target.from_me, |author| unit.is_own(author)),
            author,
        },
        what,
        options,
        raw,
        opened,
    };
    unit.event(EventKind::Addon(Box::new(event)));
    Ok(true)
}

/// Whether it is the author's alone, as who calls the message their own claims.
const fn changes(what: &What) -> bool {
    matches!(what, What::Edit(_) | What::Revoke(_) | What::EventEdit(_) | What::PollEdit(_))
}

/// Takes the envelope off, if there is one and what opens it is known.
fn open(
    unit: &mut Unit<'_>,
    arrived: &Arrived<'_>,
    what: What,
    author: Option<&Jid>,
    parent: Option<&ParentRow>,
) -> Result<(What, Option<Vec<u8>>), StoreError> {
    let sealed = match what {
        What::Sealed(sealed) => sealed,
        what => return Ok((what, None)),
    };
    let (Some(author), Some(parent)) = (author, parent) else { return Ok((What::Sealed(sealed), None)) };
    let Some(secret) = parent.secret.key() else { return Ok((What::Sealed(sealed), None)) };
    let mut authors = unit.names_of(&parent.author)?;
    authors.extend(unit.names_of(author)?);
    let modifiers = unit.names_of(arrived.author)?;
    let parent = Parent { secret, authors: &authors, modifiers: &modifiers };
    Ok(match unseal(&sealed, &parent) {
        Ok((what, text)) => (what, Some(text)),
        Err(reason) => {
            tracing::warn!(%reason, "What came for a message stays sealed.");
            (What::Sealed(sealed), None)
        }
    })
}

fn unseal(sealed: &Sealed, parent: &Parent<'_>) -> Result<(What, Vec<u8>), NotOpened> {
    let text = sealed.decrypt(parent)?;
    Ok((sealed.read(&text)?, text.to_vec()))
}

/// What is known of whoever acts. What nothing is known of is for the service to judge, which lets
/// only members write to a group.
fn actor(unit: &mut Unit<'_>, chat: &Jid, sender: &Jid, is_author: bool) -> Result<Actor, StoreError> {
    let mut actor = Actor { is_author, is_admin: true, is_member: true, in_group: chat.is_group() };
    let group = if actor.in_group { unit.group(chat)? } else { None };
    if let Some(group) = group.filter(|group| !group.stale) {
        let mut role = None;
        for name in unit.names_of(sender)? {
            role = role.or_else(|| group.member(&name).map(|member| member.role));
        }
        // Whoever has left since may have been a member when they wrote.
        actor.is_admin = role.is_some_and(|role| role != Role::Member);
    }
    Ok(actor)
}

fn judge(
    actor: Actor,
    what: &What,
    by_author: bool,
    now: i64,
    parent: Option<&ParentRow>,
    options: &mut Vec<String>,
) -> Result<(), Refused> {
    let poll = parent.and_then(poll_of);
    match what {
        What::Edit(edit) => {
            let age =
                parent.filter(|parent| parent.sent_at > 0).map(|parent| now.saturating_sub(parent.sent_at));
            actor.may_edit(edit.is_editable(), age.unwrap_or_default())?;
        }
        What::Revoke(_) => actor.may_revoke(by_author)?,
        What::EventEdit(_) | What::PollEdit(_) => actor.may_change()?,
        What::PollOption(_) => actor.may_add_option(poll.is_none_or(|poll| poll.open))?,
        What::Keep(_) => actor.may_keep(false)?,
        What::Vote(vote) => {
            actor.may_annotate()?;
            if let Some(poll) = &poll {
                let allowed = usize::try_from(poll.selectable).unwrap_or(usize::MAX);
                if allowed != 0 && vote.selected.len() > allowed {
                    return Err(Refused::TooManyOptions);
                }
                options.extend(vote.options(poll).into_iter().map(str::to_owned));
            }
        }
        _ => actor.may_annotate()?,
    }
    Ok(())
}

/// Keeps what is kept of a message up to date with what was done to it.
pub(super) fn remember(unit: &mut Unit<'_>, what: &What, parent: Option<ParentRow>) {
    let Some(mut parent) = parent else { return };
    match what {
        What::Revoke(_) => {
            unit.changes.parents.insert(parent.key(), None);
        }
        What::PollEdit(edit) => {
            parent.poll = encode_poll(&edit.poll);
            unit.changes.parents.insert(parent.key(), Some(parent));
        }
        What::PollOption(added) => {
            if let Some(mut poll) = poll_of(&parent)
                && !poll.options.contains(&added.option)
            {
                poll.options.push(added.option.clone());
                parent.poll = encode_poll(&poll);
                unit.changes.parents.insert(parent.key(), Some(parent));
            }
        }
        _ => {}
    }
}

impl Unit<'_> {
    /// This account by its two addresses.
    pub(crate) fn own(&self) -> Own {
        let bare = |jid: &Option<Jid>| jid.as_ref().map(Jid::to_bare);
        Own { phone: bare(&self.account.phone), lid: bare(&self.account.lid) }
    }
}

//! What a unit of work means for the archive.
//!
//! The archive is made of the same facts that the host is told, so that it cannot say something else:
//! of the journaled events of a unit, and of what the outbox took in or got rid of.

use whimbrel_content::addons::{Addon as What, Parent, Sealed};
use whimbrel_content::classify::Class;
use whimbrel_content::context::Context;
use whimbrel_content::protocol::Protocol;
use whimbrel_content::{Content, reread};
use whimbrel_wire::Jid;

use super::row::{
    AnswerRow, ArchiveChange, Author, ChatRow, KeepRow, MessageRow, PersonRow, PinRow, ReactionRow,
    SentStatus, Target, Times, VoteRow,
};
use crate::devices::identity;
use crate::events::{Addon, ChannelPost, EventKind, GroupChange, Message, PostChange, Receipt, ReceiptKind};
use crate::store::{Changes, OutboxRow, OutboxState, ParentRow, Settlement, Store};

/// Adds to a unit of work what it means for the archive. `store` is what was before it.
pub(crate) fn project(changes: &mut Changes, store: &dyn Store) {
    let mut archive = Vec::new();
    if let Some(account) = changes.account.as_ref().filter(|account| account.phone.is_some()) {
        let bare = |jid: &Option<Jid>| jid.as_ref().map(Jid::to_bare);
        archive.push(ArchiveChange::Owner(bare(&account.phone), bare(&account.lid)));
    }
    for (group, row) in &changes.groups {
        if let Some(row) = row {
            let row = ChatRow { name: Some(row.subject.clone()), ..ChatRow::default() };
            archive.push(ArchiveChange::Chat(group.clone(), Box::new(row)));
        }
    }
    for row in &changes.outbox {
        accepted(row, changes, store, &mut archive);
    }
    for fate in &changes.outbox_settled {
        settled(fate, changes, store, &mut archive);
    }
    for event in &changes.events {
        told(&event.kind, &mut archive);
    }
    archive.append(&mut changes.archive);
    // Last: what came before may stand under addresses that were replaced on the way.
    for (lid, phone) in &changes.lid_pairs {
        archive.push(ArchiveChange::Moved(phone.clone(), lid.clone()));
    }
    for (former, present) in &changes.former_addresses {
        if let Some(present) = present {
            archive.push(ArchiveChange::Moved(former.clone(), present.clone()));
        }
    }
    changes.archive = archive;
}

/// The name of a message of this account.
fn own(chat: &Jid, message_id: &str) -> Target {
    Target { chat: chat.clone(), message_id: message_id.to_owned(), author: Some(None) }
}

/// A message that the host sends.
fn accepted(row: &OutboxRow, changes: &Changes, store: &dyn Store, archive: &mut Vec<ArchiveChange>) {
    let Ok(message) = whimbrel_proto::decode(&row.content) else { return };
    let status = status(row.state);
    match reread(message, &row.chat, true).class {
        Class::Message(_) => archive.push(ArchiveChange::Message(Box::new(MessageRow {
            chat: row.chat.clone(),
            author: None,
            message_id: row.message_id.clone(),
            timestamp: if row.confirmed_at > 0 {
                row.confirmed_at
            } else {
                row.created_at_ms.div_euclid(1000)
            },
            content: row.content.clone(),
            status: Some(status),
            starred: false,
            unread: false,
            notice: None,
        }))),
        // Before the service has it, it may still come to nothing.
        Class::Addon(addon) if status == SentStatus::Sent => {
            let addon = match *addon {
                What::Sealed(sealed) => opened(&sealed, &row.chat, changes, store),
                addon => Some(addon),
            };
            let Some(addon) = addon else { return };
            let key = addon.target();
            // In groups the author stands there by the address of the group, which may be another one than
            // that of the archive: the id is enough.
            let author = key.from_me.then_some(None);
            let target = Target { chat: row.chat.clone(), message_id: key.id.clone(), author };
            annotated(target, &addon, (None, &row.message_id), row.created_at_ms, archive);
        }
        _ => {}
    }
}

/// Opens an envelope that this account made.
fn opened(sealed: &Sealed, chat: &Jid, changes: &Changes, store: &dyn Store) -> Option<What> {
    let account = changes.account.clone().map_or_else(|| store.account(), |account| Ok(Some(account)));
    let account = account.ok().flatten()?;
    let own: Vec<Jid> = [&account.lid, &account.phone].into_iter().flatten().map(Jid::to_bare).collect();
    let stored = store.parents_of(&sealed.target.id).ok()?;
    let parents = changes.parents.values().flatten().chain(&stored);
    // It may be kept under an address that was in use before.
    let is_here = |row: &&ParentRow| {
        let moved = || changes.lid_pairs.iter().any(|(lid, phone)| *lid == *chat && *phone == row.chat);
        row.chat == *chat
            || moved()
            || identity::canonical(store, &row.chat).is_ok_and(|present| present == *chat)
    };
    let parent = parents.filter(|row| row.message_id == sealed.target.id).find(is_here)?;
    let mut authors = vec![parent.author.clone()];
    if own.iter().any(|address| address.same_account(&parent.author)) {
        authors.extend(own.iter().cloned());
    } else if let Ok(Some(phone)) = store.phone_of(&parent.author) {
        authors.push(phone);
    }
    let opening = Parent { secret: parent.secret.key()?, authors: &authors, modifiers: &own };
    sealed.open(&opening).ok()
}

const fn status(state: OutboxState) -> SentStatus {
    match state {
        OutboxState::Pending => SentStatus::Pending,
        OutboxState::Confirmed => SentStatus::Sent,
        OutboxState::Refused(_) | OutboxState::Failed(_) => SentStatus::Failed,
    }
}

fn settled(fate: &Settlement, changes: &Changes, store: &dyn Store, archive: &mut Vec<ArchiveChange>) {
    let target = own(&fate.chat, &fate.message_id);
    archive.push(ArchiveChange::Status(target, status(fate.state), fate.confirmed_at));
    if fate.state != OutboxState::Confirmed {
        return;
    }
    let stored = store.outbox_of(&fate.message_id).unwrap_or_default();
    let rows = changes.outbox.iter().chain(&stored).filter(|row| row.message_id == fate.message_id);
    if let Some(row) = rows.into_iter().find(|row| row.chat == fate.chat) {
        // What it does to another message holds now; a message of its own is there already.
        accepted(&OutboxRow { state: fate.state, ..row.clone() }, changes, store, archive);
    }
}

/// The content of a message that replaces that of another one, encoded.
fn whole(content: Content) -> Option<Vec<u8>> {
    let message = content.to_message(&Context::default());
    message.ok().map(|message| whimbrel_proto::encode(&message))
}

/// What somebody did to a message, by a message with an id.
pub(crate) fn annotated(
    target: Target,
    what: &What,
    (who, id): (Author, &str),
    at_ms: i64,
    archive: &mut Vec<ArchiveChange>,
) {
    match what {
        What::Reaction(reaction) => {
            let at_ms = reaction.sent_at_ms.unwrap_or(at_ms);
            let row = ReactionRow { sender: who, emoji: reaction.emoji.clone(), at_ms };
            archive.push(ArchiveChange::Reaction(target, row));
        }
        What::Vote(vote) => {
            let at_ms = vote.sent_at_ms.unwrap_or(at_ms);
            let row = VoteRow { voter: who, options: vote.selected.clone(), at_ms };
            archive.push(ArchiveChange::Vote(target, row));
        }
        What::Edit(edit) => {
            let at_ms = edit.sent_at_ms.unwrap_or(at_ms);
            archive.push(ArchiveChange::Edited(target, whimbrel_proto::encode(&*edit.message), at_ms));
        }
        What::PollEdit(edit) => {
            if let Some(poll) = whole(Content::Poll(edit.poll.clone())) {
                archive.push(ArchiveChange::Edited(target, poll, at_ms));
            }
        }
        What::EventEdit(edit) => {
            if let Some(event) = whole(Content::Event(edit.event.clone())) {
                archive.push(ArchiveChange::Edited(target, event, at_ms));
            }
        }
        What::PollOption(added) => {
            archive.push(ArchiveChange::OptionAdded(target, added.option.clone()));
        }
        What::EventAnswer(answer) => {
            archive.push(ArchiveChange::Answered(
                target,
                AnswerRow {
                    person: who,
                    answer: answer.answer,
                    guests: answer.extra_guests.and_then(|guests| u32::try_from(guests).ok()).unwrap_or(0),
                    at_ms: answer.sent_at_ms.unwrap_or(at_ms),
                },
            ));
        }
        What::Pin(pin) => {
            let at_ms = pin.sent_at_ms.unwrap_or(at_ms);
            let until = match (pin.pinned, pin.duration) {
                (false, _) => None,
                // As other clients do (messages document §7.6).
                (true, None | Some(0)) => return,
                (true, Some(seconds)) => Some(at_ms.div_euclid(1000).saturating_add(i64::from(seconds))),
            };
            archive.push(ArchiveChange::Pinned(target, PinRow { sender: Some(who), until, at_ms }));
        }
        What::Keep(keep) => {
            let at_ms = keep.sent_at_ms.unwrap_or(at_ms);
            archive.push(ArchiveChange::Kept(target, KeepRow { sender: Some(who), kept: keep.kept, at_ms }));
        }
        What::Comment(_) => archive.push(ArchiveChange::Commented(target, who, id.to_owned())),
        What::Revoke(_) => archive.push(ArchiveChange::Revoked(target, who, at_ms.div_euclid(1000))),
        _ => {}
    }
}

fn told(kind: &EventKind, archive: &mut Vec<ArchiveChange>) {
    match kind {
        EventKind::Message(message) => received(message, archive),
        EventKind::Addon(addon) => {
            let Addon { chat, sender, from_me, timestamp, target, what, message_id, .. } = &**addon;
            let author = if target.from_me { Some(None) } else { target.author.clone().map(Some) };
            let target = Target { chat: chat.id.clone(), message_id: target.message_id.clone(), author };
            let who = (!from_me).then(|| sender.id.clone());
            annotated(target, what, (who, message_id), timestamp.saturating_mul(1000), archive);
        }
        EventKind::GroupChanged(changed) => {
            if let GroupChange::Ephemeral(seconds) = changed.change {
                let row = ChatRow { timer: Some(seconds), ..ChatRow::default() };
                archive.push(ArchiveChange::Chat(changed.chat.id.clone(), Box::new(row)));
            }
        }
        EventKind::Control(control) => {
            if let Protocol::ChatTimer { timer, .. } = &control.what {
                let row = ChatRow { timer: Some(timer.seconds), ..ChatRow::default() };
                archive.push(ArchiveChange::Chat(control.chat.id.clone(), Box::new(row)));
            }
        }
        EventKind::Receipt(receipt) => receipt_came(receipt, archive),
        EventKind::ChannelPost(post) => posted(post, archive),
        EventKind::ChannelJoined(event) => named(&event.channel.id, &event.channel.name, archive),
        EventKind::ChannelChanged(event) => {
            if let Some(name) = &event.name {
                named(&event.channel, name, archive);
            }
        }
        _ => {}
    }
}

fn received(event: &Message, archive: &mut Vec<ArchiveChange>) {
    let author = (!event.from_me).then(|| event.sender.id.clone());
    if let (Some(author), Some(name)) = (&author, &event.push_name) {
        let row = PersonRow { push_name: Some(name.clone()), ..PersonRow::default() };
        archive.push(ArchiveChange::Person(author.clone(), Box::new(row)));
    }
    archive.push(ArchiveChange::Message(Box::new(MessageRow {
        chat: event.chat.id.clone(),
        status: author.is_none().then_some(SentStatus::Sent),
        author,
        message_id: event.message_id.clone(),
        timestamp: event.timestamp,
        content: event.raw.clone(),
        starred: false,
        unread: event.unread,
        notice: None,
    })));
}

fn named(channel: &Jid, name: &str, archive: &mut Vec<ArchiveChange>) {
    let row = ChatRow { name: Some(name.to_owned()).filter(|name| !name.is_empty()), ..ChatRow::default() };
    archive.push(ArchiveChange::Chat(channel.clone(), Box::new(row)));
}

/// A post stands there as written by its channel.
fn posted(post: &ChannelPost, archive: &mut Vec<ArchiveChange>) {
    let author = (!post.from_me).then(|| post.channel.clone());
    let chat = post.channel.clone();
    if post.change == PostChange::New {
        archive.push(ArchiveChange::Message(Box::new(MessageRow {
            chat,
            status: author.is_none().then_some(SentStatus::Sent),
            author,
            message_id: post.message_id.clone(),
            timestamp: post.timestamp,
            content: post.raw.clone(),
            starred: false,
            unread: !post.from_me,
            notice: None,
        })));
        return;
    }
    let target = Target { chat, message_id: post.message_id.clone(), author: Some(author.clone()) };
    let at_ms = post.edited_at_ms.unwrap_or_else(|| post.timestamp.saturating_mul(1000));
    archive.push(match post.change {
        PostChange::Revoked => ArchiveChange::Revoked(target, author, at_ms.div_euclid(1000)),
        _ => ArchiveChange::Edited(target, post.raw.clone(), at_ms),
    });
}

fn receipt_came(event: &Receipt, archive: &mut Vec<ArchiveChange>) {
    let at = Some(event.timestamp);
    let (who, times) = match event.kind {
        ReceiptKind::Delivered => {
            (Some(event.sender.id.clone()), Times { delivered_at: at, ..Times::default() })
        }
        ReceiptKind::Read => (Some(event.sender.id.clone()), Times { read_at: at, ..Times::default() }),
        ReceiptKind::Played => (Some(event.sender.id.clone()), Times { played_at: at, ..Times::default() }),
        ReceiptKind::ReadSelf => (None, Times { read_at: at, ..Times::default() }),
    };
    let (chat, message_ids) = (event.chat.id.clone(), event.message_ids.clone());
    archive.push(ArchiveChange::Times { chat, message_ids, who, times });
}

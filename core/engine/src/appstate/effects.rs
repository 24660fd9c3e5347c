//! What an entry means: for the archive, for what is known of people, and for the host (app-state
//! document §9, §10).

use whimbrel_appstate::{Action, Collection, Entry, MessageRange};
use whimbrel_proto::sync_action::sync_action_value::ContactAction;
use whimbrel_wire::Jid;

use super::events::StateChange;
use super::names;
use super::rows::AppStateChange;
use crate::archive::row::{ArchiveChange, ChatRow, LabelRow, PersonRow};
use crate::devices::identity::Source;
use crate::events::{EventKind, Identity};
use crate::messages::Unit;
use crate::stickers;
use crate::store::StoreError;

/// One change of an entry.
pub(super) struct Changed<'e> {
    pub(super) collection: Collection,
    pub(super) entry: &'e Entry,
    pub(super) removed: bool,
    /// This client did it.
    pub(super) own: bool,
    /// The host hears of the whole instead.
    pub(super) silent: bool,
}

/// Does what an entry says.
pub(super) fn take(unit: &mut Unit<'_>, changed: &Changed<'_>) -> Result<(), StoreError> {
    // An index that is no list of texts is kept for the hash, and means nothing (§6.5).
    let Some(action) = Action::read(changed.entry, changed.removed) else { return Ok(()) };
    learn(unit, &action, changed.removed)?;
    let subject = match names::subject(&action).and_then(names::address) {
        Some(subject) => Some(unit.identity_of(&subject)?),
        None => None,
    };
    let message = match names::message(&action) {
        Some(message) => Some(names::name(unit, &message)?),
        None => None,
    };
    let change = StateChange {
        collection: changed.collection,
        action,
        removed: changed.removed,
        at_ms: changed.entry.timestamp(),
        subject,
        message,
        own: changed.own,
    };
    let unarchives = unit.unarchives()?;
    archive(&change, unarchives, &mut unit.changes.archive);
    if !changed.silent {
        unit.event(kind(change));
    }
    Ok(())
}

/// What is noted of whether messages take chats out of the archive of chats.
#[derive(Clone, PartialEq, Eq, prost::Message)]
struct Unarchives {
    #[prost(bool, tag = "1")]
    on: bool,
}

const UNARCHIVES: &str = "unarchive_chats";

impl Unit<'_> {
    fn unarchives(&mut self) -> Result<bool, StoreError> {
        Ok(self.note::<Unarchives>(UNARCHIVES)?.unwrap_or_default().on)
    }

    fn set_unarchives(&mut self, on: bool) -> Result<(), StoreError> {
        if self.unarchives()? != on {
            self.set_note(UNARCHIVES, &Unarchives { on });
        }
        Ok(())
    }
}

/// Takes a chat in which somebody wrote out of the archive of chats, if that is how the account wants it.
/// Every device does so by itself: nothing is written for the others.
pub(crate) fn unarchive(unit: &mut Unit<'_>, chat: &Jid) -> Result<(), StoreError> {
    if (chat.is_account() || chat.is_group()) && unit.unarchives()? {
        unit.changes.archive.push(ArchiveChange::TakenOut(chat.clone()));
    }
    Ok(())
}

/// What is known of people and of the account.
fn learn(unit: &mut Unit<'_>, action: &Action, removed: bool) -> Result<(), StoreError> {
    match action {
        Action::Contact { person, value } if !removed => {
            let ContactAction { lid_jid, pn_jid, .. } = &**value;
            for other in [lid_jid, pn_jid].into_iter().flatten() {
                pair(unit, person, other)?;
            }
            Ok(())
        }
        Action::PnForLidChat { lid, value } if !removed => match &value.pn_jid {
            Some(phone) => pair(unit, lid, phone),
            None => Ok(()),
        },
        Action::PushName { value } if !removed => {
            unit.push_name.clone_from(&value.name);
            Ok(())
        }
        Action::UnarchiveChats { value } => {
            unit.set_unarchives(!removed && value.unarchive_chats.unwrap_or_default())
        }
        Action::RemoveRecentSticker { file_hash, value } if !removed => {
            stickers::removed(unit, file_hash, value.last_sticker_sent_ts)
        }
        Action::NctSalt { value } => {
            let salt = value.salt.clone().filter(|salt| !removed && !salt.is_empty());
            unit.changes.app_state.push(AppStateChange::Salt(salt));
            Ok(())
        }
        _ => Ok(()),
    }
}

fn pair(unit: &mut Unit<'_>, one: &str, other: &str) -> Result<(), StoreError> {
    let (Some(one), Some(other)) = (names::address(one), names::address(other)) else { return Ok(()) };
    if one.is_lid() == other.is_lid() || !one.is_account() || !other.is_account() {
        return Ok(());
    }
    // What the phone's address book says may be older than what the service said since.
    unit.learn(&one, &other, Source::Seed)
}

/// Which event tells of it.
fn kind(change: StateChange) -> EventKind {
    let change = Box::new(change);
    match &change.action {
        Action::Archive { .. }
        | Action::Pin { .. }
        | Action::Mute { .. }
        | Action::MarkChatAsRead { .. }
        | Action::ClearChat { .. }
        | Action::DeleteChat { .. }
        | Action::Lock { .. }
        | Action::UserStatusMute { .. } => EventKind::ChatChanged(change),
        Action::Star { .. } | Action::DeleteMessageForMe { .. } => EventKind::MessageMarked(change),
        Action::Contact { .. } | Action::LidContact { .. } | Action::OutContact { .. } => {
            EventKind::ContactChanged(change)
        }
        Action::PushName { .. }
        | Action::Locale { .. }
        | Action::UnarchiveChats { .. }
        | Action::ChatLockSettings { .. }
        | Action::DisableLinkPreviews { .. }
        | Action::RelayAllCalls { .. }
        | Action::StatusPrivacy { .. }
        | Action::TimeFormat { .. }
        | Action::Favorites { .. } => EventKind::SettingChanged(change),
        Action::LabelEdit { .. }
        | Action::LabelChat { .. }
        | Action::LabelMessage { .. }
        | Action::LabelReordering { .. } => EventKind::LabelChanged(change),
        Action::QuickReply { .. } => EventKind::QuickReplyChanged(change),
        _ => EventKind::StateChanged(change),
    }
}

/// What the archive keeps of it.
fn archive(change: &StateChange, unarchives: bool, archive: &mut Vec<ArchiveChange>) {
    let StateChange { action, subject, message, removed, .. } = change;
    let set = !*removed;
    match (action, subject, message) {
        (Action::Archive { value, .. }, Some(chat), _) => {
            let archived = set && value.archived.unwrap_or_default();
            let range = MessageRange::read(value.message_range.as_ref());
            // What came since takes the chat out again (§10.2).
            if let Some(until) = range.end().filter(|_| archived && unarchives) {
                archive.push(ArchiveChange::PutAway(chat.id.clone(), until));
                return;
            }
            let archived = Some(archived);
            of_chat(chat, ChatRow { archived, ..ChatRow::default() }, archive);
        }
        (Action::Pin { value, .. }, Some(chat), _) => {
            let pinned = set && value.pinned.unwrap_or_default();
            // Zero would mean that it is not pinned.
            let pinned_at = Some(if pinned { change.at_ms.div_euclid(1000).max(1) } else { 0 });
            of_chat(chat, ChatRow { pinned_at, ..ChatRow::default() }, archive);
        }
        (Action::Mute { value, .. }, Some(chat), _) => {
            let muted = set && value.muted.unwrap_or_default();
            let end = value.mute_end_timestamp.unwrap_or_default();
            let until = if end < 0 { -1 } else { end.div_euclid(1000) };
            let muted_until = Some(if muted { until } else { 0 });
            of_chat(chat, ChatRow { muted_until, ..ChatRow::default() }, archive);
        }
        (Action::Lock { value, .. }, Some(chat), _) => {
            let locked = Some(set && value.locked.unwrap_or_default());
            of_chat(chat, ChatRow { locked, ..ChatRow::default() }, archive);
        }
        (Action::MarkChatAsRead { value, .. }, Some(chat), _) if set => {
            let range = MessageRange::read(value.message_range.as_ref());
            let read = value.read.unwrap_or_default().then(|| range.end().unwrap_or(i64::MAX));
            archive.push(ArchiveChange::MarkedRead(chat.id.clone(), read));
        }
        (Action::ClearChat { delete_starred, value, .. }, Some(chat), _) if set => {
            let range = MessageRange::read(value.message_range.as_ref());
            archive.push(ArchiveChange::Cleared {
                chat: chat.id.clone(),
                until: range.end().unwrap_or(change.at_ms.div_euclid(1000)),
                starred: *delete_starred,
                chat_too: false,
            });
        }
        (Action::DeleteChat { value, .. }, Some(chat), _) if set => {
            let range = MessageRange::read(value.message_range.as_ref());
            archive.push(ArchiveChange::Cleared {
                chat: chat.id.clone(),
                until: range.end().unwrap_or(change.at_ms.div_euclid(1000)),
                starred: true,
                chat_too: true,
            });
        }
        (Action::Star { value, .. }, Some(chat), Some(message)) => {
            let starred = set && value.starred.unwrap_or_default();
            archive.push(ArchiveChange::Starred(names::target(chat, message), starred));
        }
        (Action::DeleteMessageForMe { .. }, Some(chat), Some(message)) if set => {
            archive.push(ArchiveChange::Deleted(names::target(chat, message)));
        }
        (Action::Contact { value, .. }, Some(who), _) => {
            let ContactAction { full_name, first_name, username, .. } = (**value).clone();
            of_person(who, full_name, first_name, username, set, archive);
        }
        (Action::LidContact { value, .. }, Some(who), _) => {
            let value = (**value).clone();
            of_person(who, value.full_name, value.first_name, value.username, set, archive);
        }
        (Action::OutContact { value, .. }, Some(who), _) => {
            let value = (**value).clone();
            of_person(who, value.full_name, value.first_name, None, set, archive);
        }
        (Action::LabelEdit { label, value }, _, _) => {
            let gone = *removed || value.deleted.unwrap_or_default();
            let row = (!gone).then(|| LabelRow {
                name: value.name.clone().unwrap_or_default(),
                color: value.color,
                predefined: value.predefined_id,
                order: value.order_index,
            });
            archive.push(ArchiveChange::Label(label.clone(), row));
        }
        (Action::LabelReordering { value }, _, _) if set => {
            let labels = value.sorted_label_ids.iter().map(ToString::to_string).collect();
            archive.push(ArchiveChange::LabelOrder(labels));
        }
        (Action::LabelChat { label, value, .. }, Some(chat), _) => {
            let labelled = set && value.labeled.unwrap_or_default();
            archive.push(ArchiveChange::Labelled(label.clone(), chat.id.clone(), labelled));
        }
        _ => {}
    }
}

fn of_chat(chat: &Identity, row: ChatRow, archive: &mut Vec<ArchiveChange>) {
    archive.push(ArchiveChange::Chat(chat.id.clone(), Box::new(row)));
}

fn of_person(
    who: &Identity,
    name: Option<String>,
    first_name: Option<String>,
    username: Option<String>,
    set: bool,
    archive: &mut Vec<ArchiveChange>,
) {
    // An empty text takes a name away.
    let text = |text: Option<String>| Some(text.filter(|_| set).unwrap_or_default());
    let row = PersonRow {
        name: text(name),
        first_name: text(first_name),
        username: username.filter(|_| set),
        ..PersonRow::default()
    };
    archive.push(ArchiveChange::Person(who.id.clone(), Box::new(row)));
}

//! About whom and what an action is.

use whimbrel_appstate::{Action, MessageRef};
use whimbrel_wire::Jid;

use crate::archive::row::Target;
use crate::events::Identity;
use crate::messages::Unit;
use crate::store::StoreError;

/// A message, by the addresses that this engine uses elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MessageName {
    /// Id within the chat and sender.
    pub message_id: String,
    /// Whether this account wrote it.
    pub from_me: bool,
    /// Who wrote it, in groups.
    pub sender: Option<Identity>,
}

/// The chat or person of an action, as it stands in the index.
pub(super) fn subject(action: &Action) -> Option<&str> {
    Some(match action {
        Action::Archive { chat, .. }
        | Action::Pin { chat, .. }
        | Action::Mute { chat, .. }
        | Action::MarkChatAsRead { chat, .. }
        | Action::ClearChat { chat, .. }
        | Action::DeleteChat { chat, .. }
        | Action::Lock { chat, .. }
        | Action::LabelChat { chat, .. }
        | Action::LabelMessage { chat, .. }
        | Action::AgentChatAssignment { chat, .. }
        | Action::AgentChatOpened { chat, .. }
        | Action::BotWelcomeRequest { chat, .. }
        | Action::CustomerData { chat, .. } => chat,
        Action::Star { message, .. } | Action::DeleteMessageForMe { message, .. } => &message.chat,
        Action::UserStatusMute { person, .. }
        | Action::Contact { person, .. }
        | Action::LidContact { person, .. }
        | Action::OutContact { person, .. } => person,
        Action::PnForLidChat { lid, .. } | Action::ShareOwnPn { lid } => lid,
        _ => return None,
    })
}

/// The message of an action.
pub(super) fn message(action: &Action) -> Option<MessageRef> {
    match action {
        Action::Star { message, .. } | Action::DeleteMessageForMe { message, .. } => Some(message.clone()),
        Action::LabelMessage { chat, id, from_me, participant, .. } => Some(MessageRef {
            chat: chat.clone(),
            id: id.clone(),
            from_me: *from_me,
            participant: Some(participant.clone()).filter(|participant| participant != "0"),
        }),
        _ => None,
    }
}

/// An address of an index; `None` for what is none.
pub(super) fn address(text: &str) -> Option<Jid> {
    let jid: Jid = text.parse().ok()?;
    (!jid.is_server()).then(|| jid.normalized().to_bare())
}

/// A message as hosts know it.
pub(super) fn name(unit: &mut Unit<'_>, message: &MessageRef) -> Result<MessageName, StoreError> {
    let sender = match message.participant.as_deref().and_then(address) {
        Some(sender) => Some(unit.identity_of(&sender)?),
        None => None,
    };
    Ok(MessageName { message_id: message.id.clone(), from_me: message.from_me, sender })
}

/// A message as the archive knows it. Baileys names no author in groups, where the id is enough.
pub(super) fn target(chat: &Identity, message: &MessageName) -> Target {
    let author = match (&message.sender, message.from_me) {
        (_, true) => Some(None),
        (Some(sender), false) => Some(Some(sender.id.clone())),
        (None, false) if chat.id.is_account() => Some(Some(chat.id.clone())),
        (None, false) => None,
    };
    Target { chat: chat.id.clone(), message_id: message.message_id.clone(), author }
}

//! What others do: online, writing.

use whimbrel_wire::NodeRef;

use super::stanza;
use crate::events::{ChatStateChanged, PresenceChanged};
use crate::messages::{Replies, Unit};
use crate::store::StoreError;

/// Something that the host is told once what came with it is durable.
#[derive(Clone, Debug)]
pub(crate) enum Sign {
    Presence(PresenceChanged),
    ChatState(ChatStateChanged),
}

/// Deals with a `<presence>`, which is not acknowledged.
pub(crate) fn presence(
    unit: &mut Unit<'_>,
    node: &NodeRef<'_>,
    replies: &mut Replies,
) -> Result<(), StoreError> {
    let (Some(from), Some(read)) = (node.attr_jid("from"), stanza::presence(node)) else { return Ok(()) };
    let from = from.to_account();
    if from.is_account() || from.is_group() {
        replies.signs.push(Sign::Presence(PresenceChanged {
            who: unit.identity_of(&from)?,
            available: read.available,
            last_seen: read.last_seen,
            members_online: read.members,
        }));
    }
    Ok(())
}

/// Deals with a `<chatstate>`, which is not acknowledged. What this account does elsewhere is no news.
pub(crate) fn chat_state(
    unit: &mut Unit<'_>,
    node: &NodeRef<'_>,
    replies: &mut Replies,
) -> Result<(), StoreError> {
    let (Some(chat), Some(state)) = (node.attr_jid("from"), stanza::chat_state_of(node)) else {
        return Ok(());
    };
    let sender = node.attr_jid("participant").unwrap_or_else(|| chat.clone());
    // Of a group without the person there is nothing to tell; what waited is long over.
    let is_told = sender.is_account() && node.attr_value("offline").is_none() && !unit.is_own(&sender);
    if is_told {
        replies.signs.push(Sign::ChatState(ChatStateChanged {
            chat: unit.identity_of(&chat.to_account())?,
            sender: unit.identity_of(&sender.to_account())?,
            state,
        }));
    }
    Ok(())
}

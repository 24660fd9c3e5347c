//! How far this device's view of a chat reaches (app-state document §10.2).

use whimbrel_appstate::{MessageRange, RangedMessage};
use whimbrel_wire::Jid;

use crate::archive::query::MessageQuery;
use crate::store::{Store, StoreError};

/// Messages that are named.
const NAMED: u32 = 1;

/// Up to the newest message of a chat, if the archive has one; else up to now.
pub(super) fn of(
    store: &dyn Store,
    chat: &Jid,
    named: &str,
    now_ms: i64,
) -> Result<MessageRange, StoreError> {
    let query = MessageQuery { chat: Some(chat.clone()), limit: NAMED, ..MessageQuery::default() };
    let newest = store.find_messages(&query)?;
    let message = |found: &crate::archive::query::FoundMessage| RangedMessage {
        chat: named.to_owned(),
        id: found.message_id.clone(),
        from_me: found.author.is_none(),
        // Readers refuse keys of groups without an author, unless the account is the author.
        participant: found.author.as_ref().filter(|_| chat.is_group()).map(ToString::to_string),
        timestamp: found.position.timestamp,
    };
    let messages: Vec<RangedMessage> = newest.iter().map(message).collect();
    let last = messages.iter().map(|message| message.timestamp).max();
    Ok(MessageRange {
        last_message_at: Some(last.unwrap_or_else(|| now_ms.div_euclid(1000))),
        last_system_message_at: None,
        messages,
    })
}

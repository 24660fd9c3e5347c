//! Marking messages as read, which their authors are told.

use whimbrel_wire::Jid;

use super::stanza::{self, Author};
use crate::archive::row::{ArchiveChange, Times};
use crate::client::Client;
use crate::devices::{identity, sessions};
use crate::error::{Code, Error};
use crate::messages::Unit;
use crate::options::CallOptions;
use crate::store::{Changes, StoreError};

impl Client {
    /// Marks messages as read, and tells the person who wrote them so; in direct chats and of statuses only if
    /// this account's privacy lets it ([`privacy`](Self::privacy)), and else just its other devices. `sender`
    /// is needed in groups; in direct chats it is absent. All messages are by that one person.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for no messages, or a group without a sender;
    /// [`Code::NotLinked`]; [`Code::TimedOut`] if the service did not confirm in time.
    pub async fn mark_read(
        &self,
        chat: &Jid,
        sender: Option<&Jid>,
        message_ids: &[String],
        options: CallOptions,
    ) -> Result<(), Error> {
        let operation = "mark_read";
        let chat = chat.to_account();
        let sender = sender.map(Jid::to_account).filter(|_| !chat.is_account());
        check(&chat, sender.as_ref(), message_ids).map_err(|error| error.in_operation(operation))?;
        let ids = message_ids.to_vec();
        self.call(operation, options.timeout, move |client, deadline| async move {
            client.linked_account()?;
            let connection = client.wait_for_connection(deadline).await?;
            let here = identity::canonical(&*client.store, &chat)?;
            // In groups it is always told, as official clients have it.
            let is_private = !chat.is_group();
            let (chat, sender, told) = client
                .unit(|unit| {
                    let (chat, sender) = addresses(unit, &chat, sender)?;
                    Ok((chat, sender, !is_private || unit.tells_of_reading()?))
                })
                .await?;
            let time = client.server_now_ms().div_euclid(1000);
            for ids in ids.chunks(stanza::IDS) {
                let Some(receipt) = stanza::read(&chat, sender.as_ref(), ids, time, told) else { continue };
                let left = deadline.saturating_duration_since(tokio::time::Instant::now());
                connection.send_awaiting_ack(receipt, left).await?;
            }
            // Nobody tells this device what it did itself.
            let read = Times { read_at: Some(time), ..Times::default() };
            let read = ArchiveChange::Times { chat: here, message_ids: ids, who: None, times: read };
            client.commit.commit(Changes { archive: vec![read], ..Changes::default() }).await
        })
        .await
    }
}

/// The chat and the author as stanzas address them: in a group, as the group addresses its members.
fn addresses(
    unit: &mut Unit<'_>,
    chat: &Jid,
    sender: Option<Jid>,
) -> Result<(Jid, Option<Author>), StoreError> {
    let group = if chat.is_group() { unit.group(chat)? } else { None };
    let member = |sender: &Jid| group.as_ref().and_then(|group| group.member(sender));
    let sender = sender.map(|sender| member(&sender).map_or(sender, |member| member.id.clone()));
    let sender = match sender {
        // Statuses are addressed as people are kept.
        Some(sender) if chat.is_status() => Some(unit.canonical(&sender)?),
        sender => sender,
    };
    let author = match sender {
        Some(id) => {
            let phone = if id.is_lid() { unit.phone_of(&id)? } else { None };
            Some(Author { id, phone })
        }
        None => None,
    };
    let by_phone = unit.prefers_phone()?;
    Ok((sessions::wire_user(unit, chat, by_phone)?, author))
}

fn check(chat: &Jid, sender: Option<&Jid>, ids: &[String]) -> Result<(), Error> {
    let wrong = |message| Err(Error::new(Code::InvalidArgument, message));
    if ids.is_empty() || ids.iter().any(String::is_empty) {
        return wrong("no message is named");
    }
    if chat.is_account() {
        return Ok(());
    }
    if !chat.is_group() && !chat.is_broadcast() {
        return wrong("messages of this kind of chat cannot be marked as read");
    }
    if sender.is_none() {
        return wrong("the sender of the messages is needed outside of direct chats");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_marked_is_told_apart() {
        let ids = ["A".to_owned()];
        let (person, group) = (Jid::lid("7"), Jid::group("1-2"));
        assert!(check(&person, None, &ids).is_ok());
        assert!(check(&group, Some(&person), &ids).is_ok());
        for (chat, sender, ids) in [
            (&person, None, &[][..]),
            (&person, None, &[String::new()][..]),
            (&group, None, &ids[..]),
            (&Jid::newsletter("1"), Some(&person), &ids[..]),
        ] {
            assert_eq!(check(chat, sender, ids).unwrap_err().code(), Code::InvalidArgument);
        }
    }
}

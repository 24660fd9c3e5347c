//! The timer of a group's messages (features document §2.4).

use std::time::Duration;

use whimbrel_content::compose::limits::CHAT_TIMERS;
use whimbrel_wire::Jid;

use super::exchange::{invalid, left};
use super::row::GroupRow;
use super::{group_address, stanza};
use crate::archive::row::{ArchiveChange, ChatRow};
use crate::client::Client;
use crate::error::Error;
use crate::messages::SentMessage;

impl Client {
    /// Sets the timer of a group; see [`set_chat_timer`](Client::set_chat_timer).
    pub(crate) async fn set_group_timer(
        &self,
        group: &Jid,
        seconds: u32,
        timeout: Option<Duration>,
    ) -> Result<SentMessage, Error> {
        let operation = "set_chat_timer";
        let group = group_address(group).map_err(|error| error.in_operation(operation))?;
        if !CHAT_TIMERS.contains(&seconds) {
            return Err(invalid("no client offers such a timer").in_operation(operation));
        }
        self.call(operation, timeout, move |client, deadline| async move {
            client.linked_account()?;
            let connection = client.wait_for_connection(deadline).await?;
            let request = stanza::settings::timer(&group, seconds);
            connection.request(client.request_ids.next(), request, left(deadline)).await?;
            let now = client.server_now_ms().div_euclid(1000);
            client
                .unit(|unit| {
                    if let Some(known) = unit.group(&group)? {
                        let row = GroupRow { ephemeral: seconds, ..(*known).clone() };
                        unit.put_group(&group, Some(row));
                    }
                    // Nobody tells this device what it did itself.
                    let chat = ChatRow { timer: Some(seconds), ..ChatRow::default() };
                    unit.changes.archive.push(ArchiveChange::Chat(group.clone(), Box::new(chat)));
                    let chat = unit.identity_of(&group)?;
                    Ok(SentMessage { message_id: String::new(), chat, timestamp: now, server_id: None })
                })
                .await
        })
        .await
    }
}

//! Saying that somebody writes or records.

use whimbrel_wire::Jid;

use super::{stanza, watch};
use crate::client::Client;
use crate::error::{Code, Error};
use crate::events::ChatState;
use crate::options::CallOptions;

impl Client {
    /// Says in a chat what is being done: writing, recording, or neither any more. Others forget it after
    /// about 25 s: say it again every ten seconds, and end it with [`ChatState::Paused`] or a message.
    /// They see it while this account is available ([`set_presence`](Self::set_presence)). Nothing tells
    /// whether it arrived, and it is never kept for later.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for a chat that is neither with a person nor a group;
    /// [`Code::NotLinked`]; [`Code::TimedOut`] without a connection before the deadline.
    pub async fn set_chat_state(
        &self,
        chat: &Jid,
        state: ChatState,
        options: CallOptions,
    ) -> Result<(), Error> {
        let operation = "set_chat_state";
        let chat = chat.to_account();
        if !chat.is_account() && !chat.is_group() {
            let error = Error::new(Code::InvalidArgument, "nobody sees who writes in this kind of chat");
            return Err(error.in_operation(operation));
        }
        self.call(operation, options.timeout, move |client, deadline| async move {
            client.linked_account()?;
            let connection = client.wait_for_connection(deadline).await?;
            let (_, to) = client.unit(|unit| watch::addresses(unit, &chat)).await?;
            connection.send(stanza::chat_state(&to, state)).await
        })
        .await
    }
}

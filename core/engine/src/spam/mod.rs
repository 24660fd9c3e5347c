//! Reporting people and groups to the service (features document §15.3). What is reported is read by people
//! there: the messages go along in the clear, as official clients have it.

mod stanza;

use tokio::time::Instant;
use whimbrel_wire::Jid;

use crate::archive::row::Target;
use crate::client::{Client, Inner};
use crate::devices::{identity, sessions};
use crate::error::{Code, Error};
use crate::options::CallOptions;
use crate::properties::Property;
use crate::tokens::Credential;
use stanza::Reported;

/// Most messages of a report.
const MESSAGES: usize = 5;

impl Client {
    /// Reports a person, a group or a status to the service, with messages of the chat that are in the
    /// archive. They are handed over in the clear. Returns the service's id of the report, if it says one.
    /// Nobody is blocked by it.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for another kind of chat, or more than five messages;
    /// [`Code::NotFound`] for a message that the archive does not have; [`Code::Refused`];
    /// [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn report_spam(
        &self,
        chat: &Jid,
        message_ids: &[String],
        options: CallOptions,
    ) -> Result<Option<String>, Error> {
        let operation = "report_spam";
        let chat = chat.to_account();
        check(&chat, message_ids).map_err(|error| error.in_operation(operation))?;
        let ids = message_ids.to_vec();
        self.call(operation, options.timeout, move |client, deadline| async move {
            client.linked_account()?;
            let here = identity::canonical(&*client.store, &chat)?;
            let mut messages = Vec::with_capacity(ids.len());
            for id in ids {
                messages.push(reported(&client, &here, id)?);
            }
            let connection = client.wait_for_connection(deadline).await?;
            let (to, token) = client
                .unit(|unit| {
                    let by_phone = unit.prefers_phone()?;
                    let to = sessions::wire_user(unit, &chat, by_phone)?;
                    let token = unit.credential_for(&chat, Property::TokenOnReports, false)?;
                    Ok((to, token.map(Credential::node)))
                })
                .await?;
            let request = stanza::report(&to, &messages, token);
            let left = deadline.saturating_duration_since(Instant::now());
            let answer = connection.request(client.request_ids.next(), request, left).await?;
            Ok(stanza::report_id(&answer))
        })
        .await
    }
}

fn reported(client: &Inner, chat: &Jid, message_id: String) -> Result<Reported, Error> {
    let target = Target { chat: chat.clone(), message_id, author: None };
    let details = client.store.message_details(&target)?;
    let Some(details) = details else {
        return Err(Error::new(Code::NotFound, "a message of the report is not in the archive"));
    };
    // Without one it is of this account.
    let author = match details.message.author {
        Some(author) => author,
        None => crate::privacy::own(client)?,
    };
    Ok(Reported {
        message_id: target.message_id,
        timestamp: details.message.position.timestamp,
        author,
        content: details.message.content,
    })
}

fn check(chat: &Jid, ids: &[String]) -> Result<(), Error> {
    let wrong = |message| Err(Error::new(Code::InvalidArgument, message));
    if !(chat.is_account() || chat.is_group() || chat.is_status()) {
        return wrong("only people, groups and statuses are reported");
    }
    if ids.len() > MESSAGES || ids.iter().any(String::is_empty) {
        return wrong("a report has at most five messages, each with its id");
    }
    Ok(())
}

//! Sending a text, as the host asks for it.

use rand_core::Rng as _;
use tokio::time::Instant;
use whimbrel_crypto::message_id::message_id;
use whimbrel_wire::Jid;

use super::content::{self, Quote};
use super::outbox::{self, Accepted, GivenUp, refusal};
use super::{MessageKey, SentMessage};
use crate::client::{Client, Inner};
use crate::clock;
use crate::devices::identity;
use crate::error::{Code, Error, Outcome};
use crate::options::SendOptions;
use crate::random;
use crate::store::{Changes, OutboxRow, OutboxState};

/// Longest text, in bytes: what the phone's own app lets people type.
const LONGEST: usize = 65_536;

/// Longest id.
const LONGEST_ID: usize = 64;

impl Client {
    /// Sends a text, and returns when the service has it. The message is durable before it
    /// leaves: after a crash it is sent under the same id. A repetition under the same
    /// [`message_id`](SendOptions::message_id) returns what became of the first.
    ///
    /// # Errors
    /// The error's [`outcome`](Error::outcome) says whether the message may have arrived. After
    /// [`Outcome::Unknown`] the engine goes on trying, and the fate follows as a
    /// [`SendStatus`](crate::events::EventKind::SendStatus) event.
    pub async fn send_text(
        &self,
        chat: &Jid,
        text: &str,
        options: SendOptions,
    ) -> Result<SentMessage, Error> {
        let operation = "send_text";
        let SendOptions { quote, message_id, timeout } = options;
        let chat = chat.to_account();
        check(&chat, text, message_id.as_deref()).map_err(|error| error.in_operation(operation))?;
        // Taken in before anything is awaited: calls that are made one after the other are sent in
        // that order, whether or not the host waits for each.
        let accepted = accept(self.inner(), &chat, text, quote, message_id);
        let (row, accepted) = accepted.map_err(|error| error.in_operation(operation))?;
        self.call(operation, timeout, move |client, deadline| async move {
            client.await_fate(row, accepted, deadline).await
        })
        .await
        // The client may have closed since; the message was accepted all the same.
        .map_err(|error| match error.code() {
            Code::Closed => error.with_outcome(Outcome::Unknown),
            _ => error,
        })
    }
}

/// Makes a message and hands it to the outbox.
fn accept(
    client: &Inner,
    chat: &Jid,
    text: &str,
    quote: Option<MessageKey>,
    id: Option<String>,
) -> Result<((Jid, String), Accepted), Error> {
    let Some(_entered) = client.gate.enter() else { return Err(crate::engine::closed()) };
    let row = compose(client, chat, text, quote, id)?;
    let key = (row.chat.clone(), row.message_id.clone());
    Ok((key, client.outbox.accept(&*client.store, row)?))
}

fn check(chat: &Jid, text: &str, id: Option<&str>) -> Result<(), Error> {
    let wrong = |message| Err(Error::new(Code::InvalidArgument, message));
    if chat.is_broadcast() || chat.is_newsletter() {
        return Err(Error::new(Code::NotSupported, "this version sends to people and groups only"));
    }
    if !chat.is_account() && !chat.is_group() {
        return wrong("the address is not that of a person or group");
    }
    if text.is_empty() {
        return wrong("the text is empty");
    }
    if text.len() > LONGEST {
        return wrong("the text is longer than 65,536 bytes");
    }
    let legal = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'-' | b'_');
    match id {
        Some(id) if id.is_empty() || id.len() > LONGEST_ID || !id.bytes().all(legal) => {
            wrong("the message id is not 1 to 64 characters of A-Z a-z 0-9 . - _")
        }
        _ => Ok(()),
    }
}

/// Makes the row of a new message.
fn compose(
    client: &Inner,
    chat: &Jid,
    text: &str,
    quote: Option<MessageKey>,
    id: Option<String>,
) -> Result<OutboxRow, Error> {
    let account = client.linked_account()?;
    let own = account.phone.as_ref().map(Jid::to_bare).ok_or_else(crate::client::not_linked)?;
    // Kept under the LID when that is known, like everything else.
    let chat = match &account.lid {
        Some(lid) if chat.same_account(&own) => lid.to_bare(),
        _ => identity::canonical(&*client.store, chat)?,
    };
    let quote = match quote {
        None => None,
        Some(MessageKey { message_id, sender }) => {
            let content = outbox::find(&*client.store, &chat, &message_id)?;
            let content = content.and_then(|row| whimbrel_proto::decode(&row.content).ok());
            let author = match sender {
                Some(sender) => author(client, &chat, &sender)?,
                None if chat.is_group() => {
                    let message = "the sender of the quoted message is needed in groups";
                    return Err(Error::new(Code::InvalidArgument, message));
                }
                None => chat.clone(),
            };
            Some(Quote { message_id, author, content })
        }
    };
    let (secret, noise) = {
        let mut rng = client.rng();
        let mut secret = [0; 32];
        rng.fill_bytes(&mut secret);
        (secret, random::bytes::<16>(&mut rng))
    };
    let now = u64::try_from(clock::now_seconds()).unwrap_or(0);
    Ok(OutboxRow {
        content: whimbrel_proto::encode(&content::text(text, quote, secret)),
        message_id: id.unwrap_or_else(|| message_id(now, own.user(), &noise)),
        chat,
        state: OutboxState::Pending,
        created_at_ms: clock::now_ms(),
        confirmed_at: 0,
    })
}

/// Who wrote a quoted message, as the chat addresses people.
fn author(client: &Inner, chat: &Jid, sender: &Jid) -> Result<Jid, Error> {
    let group = if chat.is_group() { client.store.group(chat)? } else { None };
    let member = group.as_ref().and_then(|group| group.member(sender)).map(|member| member.id.clone());
    match member {
        Some(member) => Ok(member),
        None => Ok(identity::canonical(&*client.store, sender)?),
    }
}

impl Inner {
    /// Waits for the fate of a message.
    async fn await_fate(
        &self,
        (chat, id): (Jid, String),
        accepted: Accepted,
        deadline: Instant,
    ) -> Result<SentMessage, Error> {
        let mut fate = match accepted {
            Accepted::Waiting(fate) => fate,
            Accepted::Settled(row) => return self.settled(&row).await,
        };
        let lost =
            || Error::new(Code::Internal, "the outbox forgot a message").with_outcome(Outcome::Unknown);
        if let Ok(fate) = tokio::time::timeout_at(deadline, &mut fate).await {
            return fate.unwrap_or_else(|_| Err(lost()));
        }
        match self.outbox.give_up(&id) {
            GivenUp::Settling => fate.await.unwrap_or_else(|_| Err(lost())),
            GivenUp::OnItsWay => Err(Error::new(
                Code::TimedOut,
                "the service did not confirm the message in time; the engine goes on trying",
            )
            .with_outcome(Outcome::Unknown)),
            GivenUp::Dropped => {
                let outbox_dropped = vec![(chat, id)];
                let dropped = self.commit.commit(Changes { outbox_dropped, ..Changes::default() }).await;
                // A row that could not be deleted is sent at the next start.
                dropped.map_err(|error| error.with_outcome(Outcome::Unknown))?;
                Err(Error::new(Code::TimedOut, "the message could not be sent in time"))
            }
        }
    }

    /// The fate of a message that settled before.
    async fn settled(&self, row: &OutboxRow) -> Result<SentMessage, Error> {
        match row.state {
            OutboxState::Refused(status) => Err(refusal(status)),
            OutboxState::Confirmed | OutboxState::Pending => {
                let chat = self.unit(|unit| unit.identity_of(&row.chat)).await?;
                Ok(SentMessage { message_id: row.message_id.clone(), chat, timestamp: row.confirmed_at })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_sent_has_codes_of_its_own() {
        let person = Jid::lid("7");
        assert!(check(&person, "hi", Some("3EB0.a-b_c")).is_ok());
        let code = |chat: &Jid, text: &str, id| check(chat, text, id).unwrap_err().code();
        assert!(check(&Jid::group("1-2"), "hi", None).is_ok());
        assert_eq!(code(&Jid::newsletter("1"), "hi", None), Code::NotSupported);
        assert_eq!(code(&Jid::STATUS, "hi", None), Code::NotSupported);
        assert_eq!(code(&Jid::SERVER, "hi", None), Code::InvalidArgument);
        assert_eq!(code(&person, "", None), Code::InvalidArgument);
        assert_eq!(code(&person, &"x".repeat(LONGEST + 1), None), Code::InvalidArgument);
        for id in ["", "a b", "é", &"x".repeat(65)] {
            assert_eq!(code(&person, "hi", Some(id)), Code::InvalidArgument, "{id}");
        }
    }
}

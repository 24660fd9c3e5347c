//! Sending a message, as the host asks for it, and waiting for what becomes of it.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use whimbrel_content::Content;
use whimbrel_content::compose::Draft;
use whimbrel_content::kinds::text::Text;
use whimbrel_crypto::message_id::message_id;
use whimbrel_wire::Jid;

use super::SentMessage;
use super::compose::{self, Quoted, canonical};
use super::outbox::fate::refusal;
use super::outbox::{Accepted, First, GivenUp, Withdrawn, Word};
use super::route::Route;
use crate::client::{Client, Inner};
use crate::clock;
use crate::error::{Code, Error, Outcome};
use crate::options::{CallOptions, Cancel, SendOptions, SendWait};
use crate::random;
use crate::status::audience;
use crate::store::{Changes, OutboxRow, OutboxState};

/// Longest id.
const LONGEST_ID: usize = 64;

/// What is waited for, how long, and under which id.
pub(crate) struct Submission {
    pub(crate) message_id: Option<String>,
    pub(crate) wait: SendWait,
    pub(crate) timeout: Option<Duration>,
    pub(crate) cancel: Option<Cancel>,
    /// How it gets where it goes, if the chat alone does not say so.
    pub(crate) route: Option<Route>,
}

/// A message that was taken in, and how its fate is waited for.
struct Pending {
    key: (Jid, String),
    accepted: Accepted,
    timeout: Option<Duration>,
    cancel: Option<Cancel>,
}

impl Client {
    /// Sends a text; see [`send`](Self::send).
    ///
    /// # Errors
    /// Those of [`send`](Self::send).
    pub async fn send_text(
        &self,
        chat: &Jid,
        text: &str,
        options: SendOptions,
    ) -> Result<SentMessage, Error> {
        self.send_draft("send_text", chat, Draft::new(Content::Text(Text::new(text))), options).await
    }

    /// Sends a message of any kind, and returns when the service has it, or as
    /// [`wait`](SendOptions::wait) says. The message is durable before it leaves: after a crash it
    /// is sent under the same id. A repetition under the same
    /// [`message_id`](SendOptions::message_id) returns what became of the first, or sends it if that
    /// failed before it left.
    ///
    /// The fate of every accepted message is told exactly once: by the answer of a call that
    /// waits for [`SendWait::Sent`], or else by a
    /// [`SendStatus`](crate::events::EventKind::SendStatus) event. After a crash of the process an
    /// answer that was given may be repeated by an event.
    ///
    /// A status goes to `status@broadcast` and to the [`audience`](SendOptions::audience) alone; without one
    /// the service is asked for the account's own setting first. A post of a channel is not encrypted.
    ///
    /// In a chat with a timer the message says so by itself. Content of best effort (buttons, lists,
    /// native flows) needs a [`fallback`](SendOptions::fallback), which is a message of its own.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] if receivers would not show it; nothing has happened then. The error's
    /// [`outcome`](Error::outcome) says whether the message may have arrived. After
    /// [`Outcome::Unknown`] the engine goes on trying, and the fate follows as an event; after
    /// [`Outcome::NotSent`] it will not be sent.
    pub async fn send(&self, chat: &Jid, draft: Draft, options: SendOptions) -> Result<SentMessage, Error> {
        self.send_draft("send_message", chat, draft, options).await
    }

    async fn send_draft(
        &self,
        operation: &'static str,
        chat: &Jid,
        draft: Draft,
        options: SendOptions,
    ) -> Result<SentMessage, Error> {
        let SendOptions { message_id, wait, timeout, cancel, .. } = options;
        let SendOptions { quote, quoted_chat, fallback, audience, media_handle, .. } = options;
        let route = if chat.is_status() {
            Some(match audience {
                Some(people) => audience::named(&people).map_err(|error| error.in_operation(operation))?,
                None => self.own_audience(operation, timeout).await?,
            })
        } else {
            chat.is_newsletter().then_some(Route::Post { media_handle })
        };
        let quote = quote.map(|key| Quoted { key, chat: quoted_chat });
        let submission = Submission { message_id, wait, timeout, cancel, route };
        let fallback_chat = chat.to_account();
        let mut after = None;
        let sent = self.submit(operation, chat, submission, |client, chat| {
            let composed = compose::draft(client, chat, draft, quote)?;
            after = compose::fallback(&composed, fallback)?;
            Ok(composed.message)
        });
        let pending = sent?;
        if let Some(text) = after {
            // Taken in right behind it, so that nothing comes in between. Its fate comes as an event.
            let submission = Submission {
                message_id: Some(fallback_id(&pending.key.1)),
                wait: SendWait::Queued,
                timeout: None,
                cancel: None,
                route: None,
            };
            self.submit(operation, &fallback_chat, submission, |client, chat| {
                let draft = Draft::new(Content::Text(Text::new(text)));
                Ok(compose::draft(client, chat, draft, None)?.message)
            })?;
        }
        self.await_sending(operation, pending).await
    }

    /// Sends what another part of the engine makes of a chat.
    pub(crate) async fn send_made(
        &self,
        operation: &'static str,
        chat: &Jid,
        submission: Submission,
        make: impl FnOnce(&Inner, &Jid) -> Result<whimbrel_proto::e2e::Message, Error>,
    ) -> Result<SentMessage, Error> {
        let pending = self.submit(operation, chat, submission, make)?;
        self.await_sending(operation, pending).await
    }

    /// Takes a message in before anything is awaited: calls that are made one after the other are sent
    /// in that order, whether or not the host waits for each.
    fn submit(
        &self,
        operation: &'static str,
        chat: &Jid,
        submission: Submission,
        make: impl FnOnce(&Inner, &Jid) -> Result<whimbrel_proto::e2e::Message, Error>,
    ) -> Result<Pending, Error> {
        let Submission { message_id, wait, timeout, cancel, route } = submission;
        let chat = chat.to_account();
        let accepted = check(&chat, message_id.as_deref())
            .and_then(|()| accept(self.inner(), &chat, (message_id, route), wait, make));
        let (key, accepted) = accepted.map_err(|error| error.in_operation(operation))?;
        Ok(Pending { key, accepted, timeout, cancel })
    }

    /// Waits as long as the host wants to for a message that was accepted.
    async fn await_sending(&self, operation: &'static str, pending: Pending) -> Result<SentMessage, Error> {
        let Pending { key, accepted, timeout, cancel } = pending;
        if let Some(cancel) = &cancel {
            cancel.heed();
        }
        let mut taking = Taking { client: Arc::clone(self.inner()), id: key.1.clone(), taken: false };
        let result = self
            .call(operation, timeout, move |client, deadline| async move {
                client.await_fate(key, accepted, deadline, cancel).await
            })
            .await;
        taking.taken = match &result {
            Ok(_) => true,
            Err(error) => error.outcome() != Outcome::Unknown && error.code() != Code::Closed,
        };
        // The client may have closed since; the message was accepted all the same.
        result.map_err(|error| match error.code() {
            Code::Closed => error.with_outcome(Outcome::Unknown),
            _ => error,
        })
    }

    /// Takes back a message that was accepted but has not left yet: it will not be sent, and calls
    /// that wait for it end with [`Code::Cancelled`] and [`Outcome::NotSent`].
    ///
    /// # Errors
    /// [`Code::WrongState`] if it has left, or may have; [`Code::NotFound`] if there is no such
    /// message.
    pub async fn cancel_send(&self, chat: &Jid, message_id: &str, options: CallOptions) -> Result<(), Error> {
        let (chat, id) = (chat.to_account(), message_id.to_owned());
        let withdraw = |client: Arc<Inner>, _| async move {
            let account = client.linked_account()?;
            let chat = canonical(&client, &account, &chat)?;
            match client.outbox.withdraw(&*client.store, &chat, &id)? {
                Withdrawn::Dropped(chat) => {
                    let dropped = Changes { outbox_dropped: vec![(chat, id)], ..Changes::default() };
                    client.commit.commit(dropped).await.map_err(|error| error.with_outcome(Outcome::Unknown))
                }
                Withdrawn::Left => Err(Error::new(Code::WrongState, "the message has left, or may have")),
                Withdrawn::Unknown => Err(Error::new(Code::NotFound, "no such message is on its way")),
            }
        };
        self.call("cancel_send", options.timeout, withdraw).await
    }
}

/// A call on the way to its host with the fate of a message.
struct Taking {
    client: Arc<Inner>,
    id: String,
    taken: bool,
}

impl Drop for Taking {
    fn drop(&mut self) {
        if !self.taken {
            self.client.outbox.untaken(&self.id);
        } else if let Some(key) = self.client.outbox.taken(&self.id) {
            self.client.commit_later(Changes { outbox_told: vec![key], ..Changes::default() });
        }
    }
}

/// Makes a message and hands it to the outbox.
fn accept(
    client: &Inner,
    chat: &Jid,
    (id, route): (Option<String>, Option<Route>),
    wait: SendWait,
    make: impl FnOnce(&Inner, &Jid) -> Result<whimbrel_proto::e2e::Message, Error>,
) -> Result<((Jid, String), Accepted), Error> {
    let Some(_entered) = client.gate.enter() else { return Err(crate::engine::closed()) };
    let account = client.linked_account()?;
    let own = account.phone.as_ref().map(Jid::to_bare).ok_or_else(crate::client::not_linked)?;
    let chat = canonical(client, &account, chat)?;
    let for_self = [&account.phone, &account.lid].into_iter().flatten().any(|own| own.same_account(&chat));
    let message = make(client, &chat)?;
    let route = match route {
        None if chat.is_status() => audience::of_act(&*client.store, &message)?,
        route => route,
    };
    let noise = random::bytes::<16>(&mut client.rng());
    let now = u64::try_from(clock::now_seconds()).unwrap_or(0);
    let id = id.unwrap_or_else(|| message_id(now, own.user(), &noise));
    let row = OutboxRow::new(chat, id, whimbrel_proto::encode(&message), clock::now_ms());
    let row = OutboxRow { route, ..row };
    let key = (row.chat.clone(), row.message_id.clone());
    // There is no recipient but the account itself, or none that says so.
    let unheard = for_self || row.chat.is_newsletter();
    let wait = if unheard && wait == SendWait::Delivered { SendWait::Sent } else { wait };
    Ok((key, client.outbox.accept(&*client.store, row, wait)?))
}

/// Id of the text that goes with content of best effort.
fn fallback_id(id: &str) -> String {
    let kept: String = id.chars().take(LONGEST_ID.saturating_sub(2)).collect();
    format!("{kept}-F")
}

fn check(chat: &Jid, id: Option<&str>) -> Result<(), Error> {
    let wrong = |message| Err(Error::new(Code::InvalidArgument, message));
    if chat.is_broadcast() && !chat.is_status() {
        return Err(Error::new(Code::NotSupported, "this version does not send to broadcast lists"));
    }
    if !(chat.is_account() || chat.is_group() || chat.is_status() || chat.is_newsletter()) {
        return wrong("the address is not that of a person, a group, the statuses or a channel");
    }
    let legal = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'-' | b'_');
    match id {
        Some(id) if id.is_empty() || id.len() > LONGEST_ID || !id.bytes().all(legal) => {
            wrong("the message id is not 1 to 64 characters of A-Z a-z 0-9 . - _")
        }
        _ => Ok(()),
    }
}

impl Inner {
    /// Waits for the fate of a message.
    async fn await_fate(
        &self,
        (chat, id): (Jid, String),
        accepted: Accepted,
        deadline: Instant,
        cancel: Option<Cancel>,
    ) -> Result<SentMessage, Error> {
        let sent = match accepted.word {
            First::Settled(row) => self.settled(&row).await?,
            First::Waiting(mut fate) => {
                let word = tokio::select! {
                    biased;
                    word = &mut fate => word,
                    error = end_of_waiting(deadline, cancel.as_ref()) => match self.give_up(&id, error).await {
                        Some(error) => return Err(error),
                        None => fate.await,
                    },
                };
                match word.unwrap_or_else(|_| {
                    Err(Error::new(Code::Internal, "the outbox forgot a message")
                        .with_outcome(Outcome::Unknown))
                })? {
                    Word::Sent(sent) => sent,
                    Word::Queued => {
                        let chat = self.unit(|unit| unit.identity_of(&chat)).await?;
                        SentMessage { message_id: id.clone(), chat, timestamp: 0, server_id: None }
                    }
                }
            }
        };
        let Some(delivery) = accepted.delivery else { return Ok(sent) };
        tokio::select! {
            biased;
            // A sender that is gone was dropped with the link.
            delivered = delivery => match delivered {
                Ok(()) => Ok(sent),
                Err(_) => Err(crate::client::not_linked().with_outcome(Outcome::Unknown)),
            },
            error = end_of_waiting(deadline, cancel.as_ref()) => {
                self.outbox.forget_delivery(&id);
                Err(error.with_outcome(Outcome::Unknown))
            }
        }
    }

    /// The host does not wait any more. Returns what it is told; `None` if the fate is here in a
    /// moment.
    async fn give_up(&self, id: &str, error: Error) -> Option<Error> {
        match self.outbox.give_up(id) {
            GivenUp::Settling => None,
            GivenUp::OnItsWay => Some(error.with_outcome(Outcome::Unknown)),
            GivenUp::Dropped(chat) => {
                let outbox_dropped = vec![(chat, id.to_owned())];
                let dropped = self.commit.commit(Changes { outbox_dropped, ..Changes::default() }).await;
                self.outbox.forget_delivery(id);
                match dropped {
                    Ok(()) => Some(error.with_outcome(Outcome::NotSent)),
                    // A row that could not be deleted is sent at the next start.
                    Err(failed) => Some(failed.with_outcome(Outcome::Unknown)),
                }
            }
        }
    }

    /// The fate of a message that settled before.
    async fn settled(&self, row: &OutboxRow) -> Result<SentMessage, Error> {
        match row.state {
            OutboxState::Refused(status) => Err(refusal(status)),
            OutboxState::Confirmed | OutboxState::Pending | OutboxState::Failed(_) => {
                let chat = self.unit(|unit| unit.identity_of(&row.chat)).await?;
                let (message_id, timestamp) = (row.message_id.clone(), row.confirmed_at);
                Ok(SentMessage { message_id, chat, timestamp, server_id: None })
            }
        }
    }
}

/// Ends when the host has waited long enough, with the error that says so.
async fn end_of_waiting(deadline: Instant, cancel: Option<&Cancel>) -> Error {
    let cancelled = async {
        match cancel {
            Some(cancel) => cancel.cancelled().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        () = cancelled => Error::new(Code::Cancelled, "the call was cancelled"),
        () = tokio::time::sleep_until(deadline) => {
            Error::new(Code::TimedOut, "what was waited for did not happen in time")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_nothing_can_be_sent_has_codes_of_its_own() {
        let person = Jid::lid("7");
        assert!(check(&person, Some("3EB0.a-b_c")).is_ok() && check(&Jid::group("1-2"), None).is_ok());
        let code = |chat: &Jid, id| check(chat, id).unwrap_err().code();
        assert!(check(&Jid::newsletter("1"), None).is_ok() && check(&Jid::STATUS, None).is_ok());
        let list: Jid = "1234@broadcast".parse().unwrap();
        assert_eq!(code(&list, None), Code::NotSupported);
        assert_eq!(code(&Jid::SERVER, None), Code::InvalidArgument);
        for id in ["", "a b", "é", &"x".repeat(65)] {
            assert_eq!(code(&person, Some(id)), Code::InvalidArgument, "{id}");
        }
        assert_eq!(fallback_id(&"x".repeat(64)).len(), 64);
    }
}

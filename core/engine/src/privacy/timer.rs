//! The timer that this account wants in new chats.

use std::time::Duration;

use prost::Message as _;
use whimbrel_content::context::{Initiator, Timer, Trigger};
use whimbrel_wire::Jid;

use super::change::{left, own};
use super::stanza;
use crate::client::{Client, Inner};
use crate::clock;
use crate::connection::Connection;
use crate::contacts::DefaultTimer;
use crate::error::{Code, Error, Outcome};
use crate::messages::Unit;
use crate::options::CallOptions;
use crate::store::{Store, StoreError};

/// The timers that official clients know: off, a day, a week, 90 days.
const TIMERS: [u32; 4] = [0, 86_400, 604_800, 7_776_000];

impl Client {
    /// Sets the timer that this account wants in new chats: 0 for none, 86,400 for a day, 604,800 for a week
    /// or 7,776,000 seconds for 90 days. Chats that exist keep theirs; those that this client begins by
    /// writing have it from their first message on. The account's other devices and people who know it are
    /// told.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for another number; [`Code::Refused`]; [`Code::NotLinked`];
    /// [`Code::TimedOut`].
    pub async fn set_default_timer(&self, seconds: u32, options: CallOptions) -> Result<(), Error> {
        let operation = "set_default_timer";
        if !TIMERS.contains(&seconds) {
            let message = "the timer of new chats is off, a day, a week or 90 days";
            return Err(Error::new(Code::InvalidArgument, message).in_operation(operation));
        }
        self.call(operation, options.timeout, move |client, deadline| async move {
            client.linked_account()?;
            let connection = client.wait_for_connection(deadline).await?;
            let request = stanza::set_timer(seconds);
            connection.request(client.request_ids.next(), request, left(deadline)).await?;
            client.unit(|unit| unit.keep_default_timer(seconds)).await
        })
        .await
    }

    /// The timer that this account wants in new chats. That of others is in
    /// [`user_info`](Self::user_info).
    ///
    /// # Errors
    /// [`Code::Refused`]; [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn default_timer(&self, options: CallOptions) -> Result<DefaultTimer, Error> {
        self.call("get_default_timer", options.timeout, move |client, deadline| async move {
            let connection = client.wait_for_connection(deadline).await?;
            fetch(&client, &connection, left(deadline)).await
        })
        .await
    }
}

/// Asks for the timer, and keeps it.
pub(super) async fn fetch(
    client: &Inner,
    connection: &Connection,
    timeout: Duration,
) -> Result<DefaultTimer, Error> {
    let own = own(client)?;
    let id = client.request_ids.next();
    let request = stanza::ask_timer(&own, id.clone());
    let answer = connection.request(id, request, timeout).await?;
    let told = crate::contacts::timer_in(&answer).ok_or_else(|| {
        let message = "the service did not say which timer this account wants";
        Error::new(Code::Refused, message).with_outcome(Outcome::Unknown)
    })?;
    client.unit(|unit| unit.keep_default_timer(told.seconds)).await?;
    Ok(told)
}

/// What is noted of it.
#[derive(Clone, PartialEq, Eq, prost::Message)]
struct Row {
    #[prost(uint32, tag = "1")]
    seconds: u32,
}

const SUBJECT: &str = "default_timer";

impl Unit<'_> {
    /// Notes which timer this account wants in new chats.
    pub(crate) fn keep_default_timer(&mut self, seconds: u32) -> Result<(), StoreError> {
        if self.note::<Row>(SUBJECT)?.is_none_or(|known| known.seconds != seconds) {
            self.set_note(SUBJECT, &Row { seconds });
        }
        Ok(())
    }
}

/// The timer that a chat begins with, if this account wants one: a chat with a person of which nothing came,
/// nothing was taken by the service, and of which no timer is known.
pub(crate) fn of_new_chat(store: &dyn Store, chat: &Jid) -> Result<Option<Timer>, StoreError> {
    if !chat.is_account() || chat.is_bot() {
        return Ok(None);
    }
    let Some(note) = store.note(SUBJECT)? else { return Ok(None) };
    let seconds = Row::decode(note.as_slice()).map_or(0, |row| row.seconds);
    if seconds == 0 || store.is_known_chat(chat)? {
        return Ok(None);
    }
    // What was written before the chat was known by its LID counts as well.
    if chat.is_lid()
        && let Some(phone) = store.phone_of(chat)?
        && store.is_known_chat(&phone)?
    {
        return Ok(None);
    }
    Ok(Some(Timer {
        seconds,
        set_at: Some(clock::now_seconds()),
        initiator: Some(Initiator::InitiatedByMe),
        trigger: Some(Trigger::AccountSetting),
        initiated_by_me: Some(true),
        initiator_device: None,
    }))
}

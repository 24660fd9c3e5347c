//! The timer that this account wants in new chats.

use super::change::{left, own};
use super::stanza;
use crate::client::Client;
use crate::contacts::DefaultTimer;
use crate::error::{Code, Error, Outcome};
use crate::options::CallOptions;

/// The timers that official clients know: off, a day, a week, 90 days.
const TIMERS: [u32; 4] = [0, 86_400, 604_800, 7_776_000];

impl Client {
    /// Sets the timer that this account wants in new chats: 0 for none, 86,400 for a day, 604,800 for a week
    /// or 7,776,000 seconds for 90 days. Chats that exist keep theirs. The account's other devices and
    /// people who know it are told.
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
            connection.request(client.request_ids.next(), request, left(deadline)).await.map(drop)
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
            let own = own(&client)?;
            let connection = client.wait_for_connection(deadline).await?;
            let id = client.request_ids.next();
            let request = stanza::ask_timer(&own, id.clone());
            let answer = connection.request(id, request, left(deadline)).await?;
            crate::contacts::timer_in(&answer).ok_or_else(|| {
                let message = "the service did not say which timer this account wants";
                Error::new(Code::Refused, message).with_outcome(Outcome::Unknown)
            })
        })
        .await
    }
}

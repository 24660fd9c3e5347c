//! Watching how posts of channels are received (features document §4.4). The service tells it for some
//! minutes at a time; it is asked again before they are over, and after each login.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use whimbrel_wire::{Jid, NodeRef};

use super::{address, stanza};
use crate::client::{Client, Inner};
use crate::connection::Connection;
use crate::error::{Code, Error};
use crate::groups::{left, unclear};
use crate::options::CallOptions;

/// Channels that are watched at a time.
const WATCHED: usize = 64;

/// How long the service may take for its answer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Longest time that is believed, and what is waited after an answer that could not be had.
const LONGEST: Duration = Duration::from_secs(3600);
const AGAIN: Duration = Duration::from_secs(60);

/// Which channels are watched, and when the service is to be asked again.
#[derive(Default)]
pub(crate) struct Watched {
    due: Mutex<BTreeMap<Jid, Instant>>,
    changed: Notify,
}

impl Watched {
    fn due(&self) -> MutexGuard<'_, BTreeMap<Jid, Instant>> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Watches a channel no more.
    pub(super) fn forget(&self, channel: &Jid) {
        self.due().remove(channel);
    }

    fn has_room_for(&self, channel: &Jid) -> bool {
        let due = self.due();
        due.len() < WATCHED || due.contains_key(channel)
    }

    fn put(&self, channel: Jid, at: Instant) {
        self.due().insert(channel, at);
        self.changed.notify_one();
    }

    /// Puts off the next question, if the channel is still watched.
    fn postpone(&self, channel: &Jid, at: Instant) {
        if let Some(due) = self.due().get_mut(channel) {
            *due = at;
        }
    }

    /// The service forgot everything with the last connection.
    fn all_due(&self) {
        let now = Instant::now();
        self.due().values_mut().for_each(|due| *due = now);
    }

    /// The channel to ask for next, and when.
    fn next(&self) -> Option<(Jid, Instant)> {
        let due = self.due();
        due.iter().min_by_key(|(_, at)| **at).map(|(channel, at)| (channel.clone(), *at))
    }
}

impl Client {
    /// Watches how posts of a channel are received: changes are told as
    /// [`ChannelCounts`](crate::events::EventKind::ChannelCounts) events while this client is connected. It
    /// is asked for again in time and after each login until this process ends; at most 64 are watched at a
    /// time.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`]; [`Code::Forbidden`] if this account does not follow the channel;
    /// [`Code::NotFound`]; [`Code::WrongState`] when too many are watched; [`Code::NotLinked`];
    /// [`Code::TimedOut`].
    pub async fn watch_channel(&self, channel: &Jid, options: CallOptions) -> Result<(), Error> {
        let operation = "watch_channel";
        let channel = address(channel).map_err(|error| error.in_operation(operation))?;
        self.call(operation, options.timeout, move |client, deadline| async move {
            client.linked_account()?;
            if !client.channels.has_room_for(&channel) {
                return Err(Error::new(Code::WrongState, "too many channels are watched"));
            }
            let connection = client.wait_for_connection(deadline).await?;
            let lasts = ask(&client, &connection, &channel, left(deadline)).await?;
            client.channels.put(channel, Instant::now() + again_after(lasts));
            Ok(())
        })
        .await
    }

    /// Ends what [`watch_channel`](Self::watch_channel) began: it is not asked for again. What the service
    /// still tells until the time is over is told on.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`].
    pub async fn unwatch_channel(&self, channel: &Jid) -> Result<(), Error> {
        let channel = address(channel).map_err(|error| error.in_operation("unwatch_channel"))?;
        self.inner().channels.forget(&channel);
        Ok(())
    }
}

/// When the service is asked again: with a tenth of the time left.
fn again_after(lasts: Duration) -> Duration {
    lasts.min(LONGEST).saturating_sub(lasts / 10)
}

/// Asks again in time, until the connection is over.
pub(crate) async fn run(client: Arc<Inner>, connection: Arc<Connection>) {
    client.channels.all_due();
    loop {
        let next = client.channels.next();
        let due = async {
            match &next {
                Some((_, at)) => tokio::time::sleep_until(*at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = connection.closed() => return,
            () = client.channels.changed.notified() => continue,
            () = due => {}
        }
        let Some((channel, _)) = next else { continue };
        match ask(&client, &connection, &channel, TIMEOUT).await {
            Ok(lasts) => client.channels.postpone(&channel, Instant::now() + again_after(lasts)),
            Err(error) if matches!(error.code(), Code::Forbidden | Code::NotFound) => {
                tracing::debug!(%error, "A channel is watched no more.");
                client.channels.forget(&channel);
            }
            Err(error) => {
                tracing::debug!(%error, "A channel could not be watched for now.");
                client.channels.postpone(&channel, Instant::now() + AGAIN);
            }
        }
    }
}

async fn ask(
    client: &Inner,
    connection: &Connection,
    channel: &Jid,
    timeout: Duration,
) -> Result<Duration, Error> {
    let request = stanza::watch(channel);
    let answer = connection.request(client.request_ids.next(), request, timeout).await?;
    lasts(&answer).ok_or_else(|| unclear("the service did not say how long it tells"))
}

/// How long the service tells, which is never nothing.
fn lasts(answer: &NodeRef<'_>) -> Option<Duration> {
    let seconds = answer.child_named("live_updates")?.attr_u64("duration")?;
    (seconds > 0).then(|| Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_next_question_is_the_one_that_is_due_first() {
        let watched = Watched::default();
        assert_eq!(watched.next(), None);
        let (now, channel) = (Instant::now(), |id: &str| Jid::newsletter(id));
        watched.put(channel("1"), now + Duration::from_secs(9));
        watched.put(channel("2"), now + Duration::from_secs(5));
        assert_eq!(watched.next().map(|(next, _)| next), Some(channel("2")));
        watched.postpone(&channel("2"), now + Duration::from_secs(20));
        assert_eq!(watched.next().map(|(next, _)| next), Some(channel("1")));
        watched.all_due();
        assert!(watched.next().is_some_and(|(_, at)| at <= Instant::now()));
        watched.forget(&channel("1"));
        // What was forgotten while it was asked for does not come back.
        watched.postpone(&channel("1"), now);
        assert_eq!(watched.next().map(|(next, _)| next), Some(channel("2")));
        assert_eq!(again_after(Duration::from_secs(300)), Duration::from_secs(270));
    }

    #[test]
    fn so_many_are_watched_and_no_more() {
        let watched = Watched::default();
        for id in 0..WATCHED {
            assert!(watched.has_room_for(&Jid::newsletter(&id.to_string())));
            watched.put(Jid::newsletter(&id.to_string()), Instant::now());
        }
        assert!(watched.has_room_for(&Jid::newsletter("0")));
        assert!(!watched.has_room_for(&Jid::newsletter("x")));
    }
}

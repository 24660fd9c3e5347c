//! The host's end of the event queue.

use std::sync::Arc;

use super::EventQueue;
use crate::error::Error;
use crate::events::Event;

/// The events of a client, in order. There is one consumer per client at a time.
///
/// Unless the client was opened with `manual_acknowledge`, asking for the next event
/// acknowledges the ones given out before: the host has taken them. What was not acknowledged
/// is offered again after a restart, and to the next stream.
pub struct EventStream {
    queue: Arc<EventQueue>,
    acknowledger: Option<Box<dyn Fn(u64) + Send + Sync>>,
    taken: Option<u64>,
}

impl EventStream {
    /// Subscribes. `acknowledger` is called with each sequence number that the host has taken;
    /// `None` leaves acknowledging to the host.
    pub(crate) fn new(
        queue: Arc<EventQueue>,
        acknowledger: Option<Box<dyn Fn(u64) + Send + Sync>>,
    ) -> Result<Self, Error> {
        queue.subscribe()?;
        Ok(Self { queue, acknowledger, taken: None })
    }

    /// Waits for the next event. `None` after [`Closed`](crate::events::EventKind::Closed).
    ///
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Event> {
        self.acknowledge_taken();
        let event = self.queue.next().await?;
        self.taken = event.sequence.or(self.taken);
        Some(event)
    }

    /// Waits until there is at least one event and returns what is there, at most `max`
    /// (at least one). Empty after [`Closed`](crate::events::EventKind::Closed).
    ///
    /// Dropping the future loses nothing.
    pub async fn next_batch(&mut self, max: usize) -> Vec<Event> {
        self.acknowledge_taken();
        let mut batch = Vec::new();
        if let Some(first) = self.queue.next().await {
            batch.push(first);
            self.queue.take_ready(&mut batch, max.max(1));
        }
        self.taken = batch.iter().rev().find_map(|event| event.sequence).or(self.taken);
        batch
    }

    /// Acknowledges what was given out, without waiting for the next event. Does nothing with
    /// manual acknowledgement.
    pub fn acknowledge_taken(&mut self) {
        if let (Some(acknowledge), Some(sequence)) = (&self.acknowledger, self.taken.take()) {
            acknowledge(sequence);
        }
    }
}

impl std::fmt::Debug for EventStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventStream").field("taken", &self.taken).finish_non_exhaustive()
    }
}

impl Drop for EventStream {
    fn drop(&mut self) {
        self.queue.unsubscribe();
    }
}

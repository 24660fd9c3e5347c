//! From a client's events to its host.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};
use whimbrel::EventStream;

use crate::event::whimbrel_event;
use crate::handler::EventHandler;
use crate::outstanding::Owed;
use crate::queue::Feed;
use crate::thread::EventsThread;

/// Events in a batch at most.
const BATCH: usize = 256;

/// Gives batches of events to a handler until the client is closed, then releases the handler.
/// One batch is under way at a time; taking the next one acknowledges it.
pub(crate) fn start(
    runtime: &Handle,
    thread: Arc<EventsThread>,
    mut events: EventStream,
    handler: EventHandler,
    mut closed: watch::Receiver<bool>,
    ended: Owed,
) {
    runtime.spawn(async move {
        let mut sink = Some(Sink::new(handler));
        while let Some(ready) = sink.take() {
            let batch: Vec<_> = events.next_batch(BATCH).await.into_iter().map(whimbrel_event::new).collect();
            if batch.is_empty() {
                thread.run(move || {
                    drop(ready);
                    drop(ended);
                });
                return;
            }
            sink = ready.give(&thread, batch, &mut closed).await;
        }
    });
}

enum Sink {
    /// A function of the host, called on the thread of its callbacks.
    Handler(EventHandler),
    /// A queue from which the host takes: it holds up no other callback.
    Queue { feed: Feed, _handler: EventHandler },
}

impl Sink {
    fn new(handler: EventHandler) -> Self {
        match Feed::behind(&handler) {
            Some(feed) => Self::Queue { feed, _handler: handler },
            None => Self::Handler(handler),
        }
    }

    /// Gives a batch and waits until it is taken; `None` if the engine ends first.
    async fn give(
        self,
        thread: &EventsThread,
        batch: Vec<whimbrel_event>,
        closed: &mut watch::Receiver<bool>,
    ) -> Option<Self> {
        match self {
            Self::Handler(handler) => {
                let (back, returned) = oneshot::channel();
                thread.run(move || {
                    handler.call(&batch);
                    // The other end is gone only when the engine is.
                    let _ = back.send(handler);
                });
                returned.await.ok().map(Self::Handler)
            }
            Self::Queue { feed, _handler } => {
                feed.give(batch, closed).await;
                Some(Self::Queue { feed, _handler })
            }
        }
    }
}

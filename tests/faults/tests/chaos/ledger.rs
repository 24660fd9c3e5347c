//! What the service reported. It forgets old events; a long run needs them all.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::watch;
use whimbrel_sandbox::{Event, EventLog};

use crate::STUCK;

/// What follows from the service's events so far.
#[derive(Default)]
pub(crate) struct Ledger {
    /// Number of the last event that is in it.
    pub(crate) newest: u64,
    /// When a message was taken for the first and for the last time: it is sent again, under its id,
    /// after a crash and for devices that were missed.
    pub(crate) accepted: BTreeMap<String, (u64, u64)>,
    /// Devices and the messages that were put into their queues.
    pub(crate) queued: BTreeSet<(String, String)>,
    /// Devices that do not know of a new device yet, and the notifications that will tell them.
    pub(crate) untold: BTreeSet<(String, String)>,
    /// A new device is being announced: notifications follow.
    announcing: bool,
    /// Devices and the messages that they refused as known (487).
    pub(crate) taken_for_known: BTreeSet<(String, String)>,
    /// Devices that were unlinked.
    pub(crate) unlinked: Vec<String>,
    /// Messages that were asked for again.
    pub(crate) retries: usize,
    /// Faults that struck.
    pub(crate) struck: usize,
}

impl Ledger {
    fn enter(&mut self, number: u64, event: Event) {
        self.newest = number;
        // The announcements follow the linking, with nothing between them.
        let announcement = matches!(&event, Event::Queued { class, .. } if class == "notification");
        self.announcing &= announcement || matches!(event, Event::FaultApplied { .. });
        match event {
            Event::Linked { .. } => self.announcing = true,
            Event::Accepted { id, .. } => {
                self.accepted.entry(id).or_insert((number, number)).1 = number;
            }
            Event::Queued { device, class, id } if class == "message" => {
                self.queued.insert((device, id));
            }
            Event::Queued { device, id, .. } if self.announcing => {
                self.untold.insert((device, id));
            }
            Event::Settled { device, class, id, .. } if class == "notification" => {
                self.untold.remove(&(device, id));
            }
            Event::Settled { device, id, error: Some(error), .. } if error == "487" => {
                self.taken_for_known.insert((device, id));
            }
            Event::Unlinked { device } => {
                self.untold.retain(|(told, _)| *told != device);
                self.unlinked.push(device);
            }
            Event::Receipt { ids, kind, .. } if kind == "retry" => self.retries += ids.len(),
            Event::FaultApplied { .. } => self.struck += 1,
            _ => {}
        }
    }
}

/// The ledger, kept up to date.
pub(crate) struct Clerk(Arc<Mutex<Ledger>>);

impl Clerk {
    /// Follows the events of a service, and writes them down.
    pub(crate) fn follow(log: EventLog, file: PathBuf, moved: watch::Sender<()>) -> Self {
        let ledger = Arc::new(Mutex::new(Ledger::default()));
        let weak = Arc::downgrade(&ledger);
        let mut file = std::io::BufWriter::new(std::fs::File::create(file).unwrap());
        tokio::spawn(async move {
            let mut newest = 0;
            loop {
                let events = log.wait_after(newest, STUCK).await;
                let Some(ledger) = weak.upgrade() else { return };
                for (number, event) in events {
                    assert_eq!(number, newest + 1, "events were forgotten before they were written down");
                    newest = number;
                    writeln!(file, "{number} {event:?}").unwrap();
                    ledger.lock().unwrap().enter(number, event);
                }
                file.flush().unwrap();
                moved.send_replace(());
            }
        });
        Self(ledger)
    }

    pub(crate) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.0.lock().unwrap()
    }
}

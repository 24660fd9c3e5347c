//! Those who wait until a recipient's device has their message.

use tokio::sync::oneshot;
use whimbrel_wire::Jid;

use super::Outbox;
use super::jobs::Jobs;
use crate::options::SendWait;
use crate::store::OutboxRow;

pub(super) struct Deliveries {
    pub(super) chat: Jid,
    pub(super) waiters: Vec<oneshot::Sender<()>>,
}

impl Outbox {
    /// A device of somebody else has messages of a chat, which has or had these addresses.
    pub(crate) fn delivered(&self, chat: &[Jid], ids: &[String]) {
        let mut jobs = self.lock();
        if jobs.deliveries.is_empty() {
            return;
        }
        let same = |waiting: &Jid| chat.contains(waiting);
        for id in ids {
            if jobs.deliveries.get(id).is_some_and(|waiting| same(&waiting.chat)) {
                let waiters = jobs.deliveries.remove(id).map(|waiting| waiting.waiters);
                for waiter in waiters.into_iter().flatten() {
                    // Whoever does not wait any more need not be told.
                    let _ = waiter.send(());
                }
            }
        }
    }

    /// Forgets those who do not wait for a delivery any more.
    pub(in crate::messages) fn forget_delivery(&self, id: &str) {
        let mut jobs = self.lock();
        if let Some(waiting) = jobs.deliveries.get_mut(id) {
            waiting.waiters.retain(|waiter| !waiter.is_closed());
            if waiting.waiters.is_empty() {
                jobs.deliveries.remove(id);
            }
        }
    }
}

impl Jobs {
    pub(super) fn await_delivery(
        &mut self,
        row: &OutboxRow,
        wait: SendWait,
    ) -> Option<oneshot::Receiver<()>> {
        if wait != SendWait::Delivered {
            return None;
        }
        let (sender, receiver) = oneshot::channel();
        let waiting = self.deliveries.entry(row.message_id.clone());
        let waiting = waiting.or_insert_with(|| Deliveries { chat: row.chat.clone(), waiters: Vec::new() });
        waiting.waiters.push(sender);
        Some(receiver)
    }
}

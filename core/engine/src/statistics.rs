//! Counts of what went wrong and was repaired, for hosts that watch over their clients.

use std::collections::BTreeMap;

/// What went wrong and was repaired since the client was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// Received messages that could not be decrypted, by the reason that their
    /// [`Undecryptable`](crate::events::Undecryptable) events give, or by the number with which
    /// they were refused. Each attempt counts.
    pub undecryptable: BTreeMap<&'static str, u64>,
    /// Messages that a sender was asked to send again; each request counts.
    pub retries_sent: u64,
    /// Messages that a sender was not asked for because it, or all senders together, had been
    /// asked too often.
    pub retries_withheld: u64,
    /// Requests of others to send a message again that were answered.
    pub retries_answered: u64,
    /// Requests of others that were not answered, for whatever reason.
    pub retries_ignored: u64,
    /// Messages that the phone was asked for.
    pub phone_requests: u64,
    /// Messages that the phone handed over.
    pub phone_answers: u64,
    /// Messages that could be delivered after an [`Undecryptable`](crate::events::Undecryptable)
    /// event.
    pub completed: u64,
    /// Sessions that were begun anew after several failures.
    pub sessions_renewed: u64,
    /// How often the service held other prekeys than this device, or hardly any, and got new ones.
    pub prekeys_replaced: u64,
}

impl Statistics {
    pub(crate) fn failed(&mut self, reason: &'static str) {
        let count = self.undecryptable.entry(reason).or_insert(0);
        *count = count.saturating_add(1);
    }
}

/// Adds one to a count.
pub(crate) const fn count(counter: &mut u64) {
    *counter = counter.saturating_add(1);
}

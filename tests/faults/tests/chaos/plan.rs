//! Who says what, and where. Follows from the seed alone.

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use whimbrel_faults::Order;

use crate::cast::{Account, Cast};

/// A text, who says it, and who is to hear it.
pub(crate) struct Line {
    pub(crate) order: Order,
    /// Index of the device that says it.
    pub(crate) speaker: usize,
    /// Accounts whose devices get it.
    pub(crate) audience: Vec<Account>,
}

/// Every text of a run.
pub(crate) struct Plan {
    pub(crate) lines: Vec<Line>,
}

impl Plan {
    /// Spreads the texts over all devices; two of five go to the groups.
    pub(crate) fn new(seed: u64, texts: usize, cast: &Cast) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed ^ 0x706c_616e);
        let speakers: Vec<_> = cast.devices().collect();
        let mut counts = vec![0_u32; speakers.len()];
        let lines = (0..texts).map(|_| {
            let speaker = rng.next_u32() as usize % speakers.len();
            let account = speakers[speaker].account;
            counts[speaker] += 1;
            let number = counts[speaker];
            let others: Vec<Account> = Account::ALL.into_iter().filter(|other| *other != account).collect();
            let (chat, audience) = if let Some(group) = cast.groups().get(rng.next_u32() as usize % 5) {
                (group.clone(), Account::ALL.to_vec())
            } else {
                let other = others[rng.next_u32() as usize % others.len()];
                (cast.phone(other).jid().to_string(), vec![account, other])
            };
            let order = Order {
                id: format!("CHAOS-{speaker}-{number}"),
                chat,
                text: format!("text {number} of device {speaker}"),
            };
            Line { order, speaker, audience }
        });
        Self { lines: lines.collect() }
    }

    /// What a device says, in order.
    pub(crate) fn said_by(&self, device: usize) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(move |line| line.speaker == device)
    }

    /// What a device has to hear: what is said to its account, or by another device of it.
    pub(crate) fn heard_by(&self, device: usize, account: Account) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(move |line| line.speaker != device && line.audience.contains(&account))
    }
}

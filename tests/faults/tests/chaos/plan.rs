//! Who says what, where, and who comes and goes meanwhile. Follows from the seed alone.

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use whimbrel_faults::Order;

use crate::cast::{Account, Cast, Role};

/// Lines that may be on their way before an earlier one has arrived: the conversation stays together.
pub(crate) const AHEAD: usize = 48;

/// Somebody is out of a group once in so many lines.
const BLOCK: usize = 150;

/// A text, who says it, and who is to hear it.
pub(crate) struct Line {
    pub(crate) order: Order,
    /// Index of the device that says it.
    pub(crate) speaker: usize,
    /// Accounts whose devices get it, unless they are away.
    pub(crate) audience: Vec<Account>,
    /// Absence that must be over before this can be said: the speaker was out of the group.
    pub(crate) after: Option<usize>,
}

/// Somebody is not in a group for a while, and says nothing there between these lines.
pub(crate) struct Absence {
    pub(crate) account: Account,
    /// Index of the group.
    pub(crate) group: usize,
    /// Whether an admin removes him; else he leaves by himself.
    pub(crate) removed: bool,
    pub(crate) from: usize,
    pub(crate) until: usize,
}

/// What happens to the company once the conversation has come to a line.
#[derive(Clone, Copy)]
pub(crate) enum Change {
    Parts(usize),
    Returns(usize),
    /// The device with this index is linked.
    Joins(usize),
    /// The device with this index is unlinked.
    Leaves(usize),
}

/// Everything that is said, and who is there.
pub(crate) struct Plan {
    pub(crate) lines: Vec<Line>,
    pub(crate) absences: Vec<Absence>,
    /// By the line at which they begin.
    pub(crate) changes: Vec<(usize, Change)>,
}

impl Plan {
    /// Spreads the texts over all devices, half as many to those of Baileys; two of five go to the
    /// groups.
    pub(crate) fn new(seed: u64, texts: usize, cast: &Cast) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed ^ 0x706c_616e);
        let mut draw = |below: usize| rng.next_u32() as usize % below;
        let absences = absences(texts, &mut draw);
        let joins = texts * (25 + draw(20)) / 100;
        let leaves = texts * (50 + draw(20)) / 100;
        let devices: Vec<_> = cast.devices().collect();
        let mut counts = vec![0_u32; devices.len()];
        let mut lines = Vec::with_capacity(texts);
        for index in 0..texts {
            let here = |device: usize| match devices[device].role {
                Role::Stays => true,
                Role::Joins => index >= joins + AHEAD,
                Role::Leaves => index < leaves,
            };
            let speakers: Vec<usize> = (0..devices.len())
                .filter(|device| here(*device))
                .flat_map(|device| vec![device; if devices[device].is_ours() { 2 } else { 1 }])
                .collect();
            let speaker = speakers[draw(speakers.len())];
            let account = devices[speaker].account;
            let group = draw(5);
            let away = absences.iter().any(|absence| {
                absence.account == account
                    && absence.group == group
                    && (absence.from..absence.until).contains(&index)
            });
            let (chat, audience, after) = match cast.groups().get(group).filter(|_| !away) {
                Some(chat) => {
                    let after = absences.iter().rposition(|absence| {
                        absence.account == account && absence.group == group && absence.until <= index
                    });
                    (chat.clone(), Account::ALL.to_vec(), after)
                }
                None => {
                    let others: Vec<_> = Account::ALL.into_iter().filter(|other| *other != account).collect();
                    let other = others[draw(others.len())];
                    (cast.phone(other).jid().to_string(), vec![account, other], None)
                }
            };
            counts[speaker] += 1;
            let number = counts[speaker];
            let order = Order {
                id: format!("CHAOS-{speaker}-{number}"),
                chat,
                text: format!("text {number} of device {speaker}"),
            };
            lines.push(Line { order, speaker, audience, after });
        }
        let mut changes = Vec::new();
        for (index, absence) in absences.iter().enumerate() {
            changes.push((absence.from, Change::Parts(index)));
            changes.push((absence.until - AHEAD, Change::Returns(index)));
        }
        for (index, device) in devices.iter().enumerate() {
            match device.role {
                Role::Stays => {}
                Role::Joins => changes.push((joins, Change::Joins(index))),
                Role::Leaves => changes.push((leaves, Change::Leaves(index))),
            }
        }
        changes.sort_by_key(|(line, _)| *line);
        Self { lines, absences, changes }
    }

    /// What a device may have to hear: what is said to its account, or by another device of it.
    pub(crate) fn meant_for(&self, device: usize, account: Account) -> impl Iterator<Item = (usize, &Line)> {
        let lines = self.lines.iter().enumerate();
        lines.filter(move |(_, line)| line.speaker != device && line.audience.contains(&account))
    }
}

/// One absence in every block of lines. Ana is the groups' admin and stays.
fn absences(texts: usize, draw: &mut impl FnMut(usize) -> usize) -> Vec<Absence> {
    let [_, others @ ..] = Account::ALL;
    let blocks = 0..texts / BLOCK;
    let absences = blocks.map(|block| {
        let from = block * BLOCK + 10 + draw(30);
        Absence {
            account: others[draw(others.len())],
            group: draw(2),
            removed: draw(2) == 0,
            from,
            until: from + AHEAD + 10 + draw(40),
        }
    });
    absences.collect()
}

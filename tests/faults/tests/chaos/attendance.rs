//! Who was there when something was said. Moments are numbers of the service's events.
//!
//! The rule of the test: a text that was said from beginning to end while a device was certainly there
//! must be in its journal; one that was said from beginning to end while it certainly was not there must
//! not be. The beginning is when the speaker was told to say it; the end is when the service took it,
//! for the first time where it must be there, for the last time where it must not: a text is sent
//! again after a crash and for devices that were missed. What lies across a coming or going may be there
//! or not; it is counted.

use std::sync::Mutex;

use crate::cast::Account;

/// Whether a device has to have a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Must,
    May,
    Never,
}

/// When a text was said.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Said {
    pub(crate) given: u64,
    pub(crate) taken: u64,
    pub(crate) taken_last: u64,
}

/// A time away.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Away {
    /// Up to here certainly there.
    pub(crate) leaving: u64,
    /// From here certainly gone.
    pub(crate) gone: u64,
    /// Up to here certainly gone.
    pub(crate) returning: u64,
    /// From here certainly there again.
    pub(crate) back: u64,
}

impl Away {
    /// Everything up to here is certain; whoever goes is not gone yet.
    pub(crate) fn leaving(at: u64) -> Self {
        Self { leaving: at, gone: u64::MAX, returning: u64::MAX, back: u64::MAX }
    }

    /// Not there from the beginning.
    pub(crate) fn not_yet() -> Self {
        Self { gone: 0, ..Self::leaving(0) }
    }

    fn due(&self, said: &Said) -> Due {
        if said.taken <= self.leaving || said.given >= self.back {
            Due::Must
        } else if said.given >= self.gone && said.taken_last <= self.returning {
            Due::Never
        } else {
            Due::May
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// A device, by its index, from all chats.
    Device(usize),
    /// An account, from a group.
    Member(Account, String),
}

/// All times away.
#[derive(Default)]
pub(crate) struct Attendance(Mutex<Vec<(Who, Away)>>);

impl Attendance {
    /// Somebody goes, or is not there yet. Returns what to change when more happens.
    pub(crate) fn add(&self, who: Who, away: Away) -> usize {
        let mut all = self.0.lock().unwrap();
        all.push((who, away));
        all.len() - 1
    }

    pub(crate) fn change(&self, away: usize, change: impl FnOnce(&mut Away)) {
        change(&mut self.0.lock().unwrap()[away].1);
    }

    /// Whether a device has to have a text of a chat.
    pub(crate) fn due(&self, device: usize, account: Account, chat: &str, said: &Said) -> Due {
        let all = self.0.lock().unwrap();
        let concerned = all.iter().filter(|(who, _)| match who {
            Who::Device(index) => *index == device,
            Who::Member(member, group) => *member == account && group == chat,
        });
        let mut due = Due::Must;
        for (_, away) in concerned {
            match away.due(said) {
                Due::Never => return Due::Never,
                Due::May => due = Due::May,
                Due::Must => {}
            }
        }
        due
    }
}

#[test]
fn only_what_lies_across_a_coming_or_going_is_uncertain() {
    let away = Away { leaving: 10, gone: 20, returning: 30, back: 40 };
    let due = |given, taken, taken_last| away.due(&Said { given, taken, taken_last });
    let dues = [(1, 10), (9, 11), (15, 25), (20, 30), (20, 31), (39, 41), (40, 41)]
        .map(|(given, taken)| due(given, taken, taken));
    assert_eq!(dues, [Due::Must, Due::May, Due::May, Due::Never, Due::May, Due::May, Due::Must]);
    assert_eq!([due(1, 10, 50), due(21, 22, 31)], [Due::Must, Due::May]);
    let first = Said { given: 0, taken: 1, taken_last: 1 };
    assert_eq!(Away::not_yet().due(&first), Due::Never);
    let later = Said { given: 6, taken: 7, taken_last: 7 };
    assert_eq!(Away::leaving(5).due(&later), Due::May);
}

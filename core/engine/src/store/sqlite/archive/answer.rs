//! Answers to events, as they are stored: by their numbers in the protocol (messages document §7.5).

use whimbrel_content::addons::Going;

pub(super) const fn number(answer: Going) -> i64 {
    match answer {
        Going::Going => 1,
        Going::NotGoing => 2,
        Going::Maybe => 3,
    }
}

pub(super) const fn of_number(number: i64) -> Option<Going> {
    match number {
        1 => Some(Going::Going),
        2 => Some(Going::NotGoing),
        3 => Some(Going::Maybe),
        _ => None,
    }
}

//! When a delivery that failed is tried again.

use std::time::Duration;

use crate::dialects::Retrying;
use crate::fetching::Received;
use crate::store::webhooks::DeliveryRow;

/// The native waits after each failed try, in seconds: about a day in all.
const NATIVE: [u64; 8] = [5, 30, 120, 600, 3600, 3 * 3600, 6 * 3600, 12 * 3600];

/// How old a delivery may grow.
const OLDEST_MS: i64 = 24 * 3600 * 1000;

/// Evolution's own waits, which its receivers know: 5 s, doubled up to 300 s, nine of them.
const EVOLUTION_TRIES: u32 = 9;
const EVOLUTION_CAP: u64 = 300;

/// What is done after a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Delivered,
    Again(Duration),
    /// It can be replayed.
    Dead,
    /// The receiver says that it is gone for good: the webhook is paused too.
    Gone,
}

/// Judges a try. `tries`: how many there were, this one with them; `age_ms`: since the first was due.
pub(crate) fn verdict(retrying: Retrying, tries: u32, received: &Received, age_ms: i64) -> Verdict {
    let status = match received {
        Received::Status(status) => *status,
        Received::Failed(_) => 0,
    };
    match status {
        200..=299 => return Verdict::Delivered,
        410 => return Verdict::Gone,
        400 | 401 | 403 | 404 | 422 if retrying == Retrying::Evolution => return Verdict::Dead,
        _ => {}
    }
    if age_ms > OLDEST_MS {
        return Verdict::Dead;
    }
    let seconds = match retrying {
        Retrying::Evolution if tries <= EVOLUTION_TRIES => {
            Some((5_u64 << tries.saturating_sub(1).min(6)).min(EVOLUTION_CAP))
        }
        Retrying::Evolution => native(tries.saturating_sub(EVOLUTION_TRIES).saturating_add(3)),
        Retrying::Native => native(tries),
    };
    seconds.map_or(Verdict::Dead, |seconds| Verdict::Again(Duration::from_secs(seconds)))
}

fn native(tries: u32) -> Option<u64> {
    NATIVE.get(usize::try_from(tries).ok()?.checked_sub(1)?).copied()
}

/// A wait, longer or shorter by up to a fifth, so that receivers that come back are not overrun. The same for
/// the same try.
pub(crate) fn jittered(wait: Duration, delivery: &DeliveryRow) -> i64 {
    let wait = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
    let spread =
        delivery.id.wrapping_mul(31).wrapping_add(i64::from(delivery.tries).wrapping_mul(7)).rem_euclid(41);
    wait.saturating_add(wait / 100 * (spread - 20))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(retrying: Retrying, status: u16) -> Vec<u64> {
        let mut waits = Vec::new();
        let mut age = 0;
        for tries in 1.. {
            match verdict(retrying, tries, &Received::Status(status), age) {
                Verdict::Again(wait) => {
                    waits.push(wait.as_secs());
                    age += i64::try_from(wait.as_millis()).unwrap();
                }
                _ => return waits,
            }
        }
        waits
    }

    #[test]
    fn a_failing_receiver_is_tried_for_about_a_day() {
        assert_eq!(waits(Retrying::Native, 500), NATIVE);
        let evolution = waits(Retrying::Evolution, 500);
        assert_eq!(evolution[..9], [5, 10, 20, 40, 80, 160, 300, 300, 300]);
        assert!(evolution.iter().sum::<u64>() > 20 * 3600, "{evolution:?}");
    }

    #[test]
    fn some_answers_are_final() {
        let judge = |retrying, status| verdict(retrying, 1, &Received::Status(status), 0);
        assert_eq!(judge(Retrying::Native, 204), Verdict::Delivered);
        assert_eq!(judge(Retrying::Native, 410), Verdict::Gone);
        assert_eq!(judge(Retrying::Evolution, 404), Verdict::Dead);
        assert!(matches!(judge(Retrying::Native, 404), Verdict::Again(_)));
        assert!(matches!(judge(Retrying::Native, 302), Verdict::Again(_)), "redirects are not followed");
    }
}

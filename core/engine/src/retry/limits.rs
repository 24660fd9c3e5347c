//! How much repairing a device may cause, so that one that is broken or hostile floods neither
//! this client, nor the service, nor the store. In memory, and bounded itself.

use std::collections::BTreeMap;

use whimbrel_wire::Jid;

use crate::messages::Unit;

/// Devices whose use of the limits is remembered; the one that was quiet for longest is forgotten.
const DEVICES: usize = 256;

/// Requests of one device for one message that are looked at (delivery document §4.9).
const REQUESTS: u8 = 9;

/// Requests that are remembered.
const REQUESTS_KEPT: usize = 2048;

/// How long a session lives at least before it is given up for want of another idea, milliseconds.
const SESSION_LIFE: i64 = 3_600_000;

/// Failures in a row after which the session with a device is begun anew from fetched keys.
const FAILURES: u8 = 5;

/// What one device may cause: more than an honest one needs that has lost its sessions while
/// hundreds of messages were on their way.
const PER_DEVICE: Rate = Rate { burst: 300, every_ms: 3_000 };

/// What all devices together may cause.
const OVERALL: Rate = Rate { burst: 1_500, every_ms: 250 };

/// What may be asked of the own phone.
const PHONE: Rate = Rate { burst: 20, every_ms: 10_000 };

/// So many at once, and one more after each interval.
#[derive(Clone, Copy)]
struct Rate {
    burst: u32,
    every_ms: i64,
}

/// What is left of a rate.
#[derive(Clone, Copy)]
struct Bucket {
    left: u32,
    /// From when on the next refill is counted.
    since_ms: i64,
}

impl Bucket {
    const fn full(rate: Rate, now_ms: i64) -> Self {
        Self { left: rate.burst, since_ms: now_ms }
    }

    fn refill(&mut self, rate: Rate, now_ms: i64) {
        let passed = now_ms.saturating_sub(self.since_ms);
        if passed < 0 {
            // The clock went back: what was left is left.
            self.since_ms = now_ms;
            return;
        }
        let more = passed.checked_div(rate.every_ms).unwrap_or(0);
        let filled = u32::try_from(more).unwrap_or(u32::MAX).saturating_add(self.left);
        self.left = filled.min(rate.burst);
        self.since_ms = self.since_ms.saturating_add(more.saturating_mul(rate.every_ms));
    }

    fn take(&mut self, rate: Rate, now_ms: i64) -> bool {
        self.refill(rate, now_ms);
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }
}

/// A few rows, of which the one that was not used for longest goes first.
struct Recent<K, V> {
    rows: BTreeMap<K, (u64, V)>,
    uses: u64,
    room: usize,
}

impl<K: Ord + Clone, V> Recent<K, V> {
    const fn new(room: usize) -> Self {
        Self { rows: BTreeMap::new(), uses: 0, room }
    }

    fn get(&self, key: &K) -> Option<&V> {
        self.rows.get(key).map(|(_, value)| value)
    }

    fn of(&mut self, key: &K, new: impl FnOnce() -> V) -> &mut V {
        self.uses = self.uses.saturating_add(1);
        if !self.rows.contains_key(key) && self.rows.len() >= self.room {
            let oldest = self.rows.iter().min_by_key(|(_, (used, _))| *used).map(|(key, _)| key.clone());
            if let Some(oldest) = oldest {
                self.rows.remove(&oldest);
            }
        }
        let (used, value) = self.rows.entry(key.clone()).or_insert_with(|| (0, new()));
        *used = self.uses;
        value
    }

    fn remove(&mut self, key: &K) {
        self.rows.remove(key);
    }
}

/// A rate for each device and one for all.
struct Meter {
    devices: Recent<Jid, Bucket>,
    all: Option<Bucket>,
}

impl Meter {
    const fn new() -> Self {
        Self { devices: Recent::new(DEVICES), all: None }
    }

    fn take(&mut self, device: &Jid, now_ms: i64) -> bool {
        let own = self.devices.of(device, || Bucket::full(PER_DEVICE, now_ms));
        // Who has used up its own share takes nothing from the others.
        own.take(PER_DEVICE, now_ms)
            && self.all.get_or_insert(Bucket::full(OVERALL, now_ms)).take(OVERALL, now_ms)
    }
}

/// What was used of the limits.
pub(crate) struct Limits {
    /// Messages of a device that this client asks for again.
    asking: Meter,
    /// Requests of a device that this client answers.
    answering: Meter,
    phone: Option<Bucket>,
    /// How often a device asked for a message.
    requests: Recent<(Jid, String), u8>,
    /// When the session with a device was last given up.
    renewed: Recent<Jid, i64>,
    /// Messages of a device in a row that could not be opened.
    failures: Recent<Jid, u8>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            asking: Meter::new(),
            answering: Meter::new(),
            phone: None,
            requests: Recent::new(REQUESTS_KEPT),
            renewed: Recent::new(DEVICES),
            failures: Recent::new(DEVICES),
        }
    }
}

impl Unit<'_> {
    /// Whether a device may be asked for a message now.
    pub(crate) fn may_ask(&mut self, device: &Jid) -> bool {
        let now_ms = self.now_ms();
        self.limits().asking.take(device, now_ms)
    }

    /// Whether a device asked for a message lately: it gets it as the answer to that.
    pub(crate) fn asked_for(&mut self, device: &Jid, message_id: &str) -> bool {
        self.limits().requests.get(&(device.clone(), message_id.to_owned())).is_some()
    }

    /// Whether a device that asks for a message is to be answered now.
    pub(crate) fn may_answer(&mut self, device: &Jid, message_id: &str) -> bool {
        let now_ms = self.now_ms();
        let limits = self.limits();
        let asked = limits.requests.of(&(device.clone(), message_id.to_owned()), || 0);
        *asked = asked.saturating_add(1);
        *asked <= REQUESTS && limits.answering.take(device, now_ms)
    }

    /// Whether the phone may be asked for a message now.
    pub(crate) fn may_ask_phone(&mut self) -> bool {
        let now_ms = self.now_ms();
        self.limits().phone.get_or_insert(Bucket::full(PHONE, now_ms)).take(PHONE, now_ms)
    }

    /// Whether the session with a device may be given up now: at most once an hour. If so, it is
    /// taken as done.
    pub(crate) fn may_renew(&mut self, device: &Jid) -> bool {
        let now_ms = self.now_ms();
        let limits = self.limits();
        let age = limits.renewed.get(device).map(|at| now_ms.saturating_sub(*at));
        if age.is_some_and(|age| (0..SESSION_LIFE).contains(&age)) {
            return false;
        }
        *limits.renewed.of(device, || now_ms) = now_ms;
        true
    }

    /// A message of a device could not be opened. Returns whether so many in a row could not that
    /// the session is to be begun anew.
    pub(crate) fn failed_to_open(&mut self, device: &Jid) -> bool {
        let failures = self.limits().failures.of(device, || 0);
        *failures = failures.saturating_add(1);
        if *failures < FAILURES {
            return false;
        }
        *failures = 0;
        self.may_renew(device)
    }

    /// A message of a device was opened in a session.
    pub(crate) fn opened(&mut self, device: &Jid) {
        self.limits().failures.remove(device);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_empties_and_fills_again() {
        let rate = Rate { burst: 3, every_ms: 100 };
        let mut bucket = Bucket::full(rate, 1_000);
        let taken = (0..5).filter(|_| bucket.take(rate, 1_000)).count();
        assert_eq!(taken, 3);
        assert!(!bucket.take(rate, 1_099) && bucket.take(rate, 1_100) && !bucket.take(rate, 1_199));
        assert!(bucket.take(rate, 1_200));
        assert!(!bucket.take(rate, 5), "a clock that went back gives nothing");
        assert!(bucket.take(rate, 105));
        let taken = (0..9).filter(|_| bucket.take(rate, i64::MAX)).count();
        assert_eq!(taken, 3);
    }

    #[test]
    fn one_device_cannot_use_up_what_others_need() {
        let mut meter = Meter::new();
        let (loud, quiet) = (Jid::lid("1"), Jid::lid("2"));
        let taken = (0..10_000).filter(|_| meter.take(&loud, 0)).count();
        assert_eq!(taken, PER_DEVICE.burst as usize);
        assert!(meter.take(&quiet, 0));
        let crowd: usize = (10..200_u32)
            .map(|user| (0..400).filter(|_| meter.take(&Jid::lid(&user.to_string()), 0)).count())
            .sum();
        assert!(crowd < OVERALL.burst as usize, "{crowd}");
    }

    #[test]
    fn the_memory_of_devices_is_bounded() {
        let mut recent = Recent::new(3);
        for number in 0..10 {
            *recent.of(&number, || 0) += 1;
            *recent.of(&0, || 0) += 1;
        }
        assert_eq!(recent.rows.keys().copied().collect::<Vec<_>>(), [0, 8, 9]);
        assert_eq!(recent.get(&0), Some(&11));
    }
}

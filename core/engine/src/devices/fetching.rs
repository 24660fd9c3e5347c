//! Devices whose keys the service is asked for: whoever needs a session with one of them waits for the
//! answer instead of asking too. The service hands out another one-time key each time.

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use whimbrel_wire::Jid;

/// Who is asked for.
#[derive(Default)]
pub(crate) struct Fetching {
    devices: Mutex<BTreeSet<Jid>>,
    changed: Notify,
}

/// That devices are asked for by whoever holds this.
pub(super) struct Claim<'f> {
    fetching: &'f Fetching,
    devices: BTreeSet<Jid>,
}

impl Fetching {
    fn lock(&self) -> MutexGuard<'_, BTreeSet<Jid>> {
        self.devices.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until nobody else asks for any of the devices.
    pub(super) async fn claim(&self, devices: BTreeSet<Jid>) -> Claim<'_> {
        loop {
            let mut changed = pin!(self.changed.notified());
            // From before the look on, so that no end is missed.
            changed.as_mut().enable();
            {
                let mut asked = self.lock();
                if asked.is_disjoint(&devices) {
                    asked.extend(devices.iter().cloned());
                    return Claim { fetching: self, devices };
                }
            }
            changed.await;
        }
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.fetching.lock().retain(|device| !self.devices.contains(device));
        self.fetching.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    #[tokio::test]
    async fn whoever_needs_the_same_device_waits_and_others_do_not() {
        let fetching = Fetching::default();
        let (ana, ben) = (Jid::lid("1"), Jid::lid("2"));
        let first = fetching.claim(BTreeSet::from([ana.clone()])).await;
        let mut second = pin!(fetching.claim(BTreeSet::from([ana.clone(), ben.clone()])));
        assert!(second.as_mut().now_or_never().is_none());
        let third = fetching.claim(BTreeSet::from([ben.clone()])).now_or_never();
        assert!(third.is_some());
        drop(first);
        assert!(second.as_mut().now_or_never().is_none(), "the other device is still asked for");
        drop(third);
        let second = second.await;
        assert_eq!(fetching.lock().len(), 2);
        drop(second);
        assert!(fetching.lock().is_empty());
    }
}

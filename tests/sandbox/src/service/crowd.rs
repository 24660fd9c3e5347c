//! People who only fill groups: they have real keys, but no phones. What is sent to them is counted and
//! forgotten.

use super::Service;
use super::accounts::Device;
use super::prekeys::KeyStore;
use crate::options::LidStanding;

/// Their numbers begin with this.
const PREFIX: u64 = 15_559_000_000;

impl Service {
    /// Makes so many accounts and returns their numbers.
    pub(crate) fn make_crowd(&mut self, count: usize) -> Vec<String> {
        let mut numbers = Vec::with_capacity(count);
        let mut next = PREFIX;
        while numbers.len() < count {
            next += 1;
            let number = next.to_string();
            if self.accounts.by_pn(&number).is_some() {
                continue;
            }
            let lid = self.free_lid();
            let [registration] = self.random();
            let keys = KeyStore::drawn_on_demand(1 + u32::from(registration), self.random());
            let device = Device { counted: Some(0), ..Device::new(keys, self.now) };
            let standing = LidStanding::Migrated;
            self.accounts.create(number.clone(), lid, String::new(), standing, device, self.now);
            numbers.push(number);
        }
        numbers
    }
}

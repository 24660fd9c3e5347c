//! Which devices hold the key that this device encrypts to a group with: written down after the
//! service has the message that hands it out (delivery document §1.15, row 3). Pure.

use whimbrel_wire::Jid;

use super::row::{UnreadableGroup, address_kind, put_address, take_address};

/// The devices that hold one key, under the addresses by which sessions are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Holders {
    pub(crate) key_id: u32,
    /// Sorted, each once.
    devices: Vec<Jid>,
}

impl Holders {
    /// Nobody holds a new key.
    pub(crate) const fn of(key_id: u32) -> Self {
        Self { key_id, devices: Vec::new() }
    }

    /// The devices, in order.
    pub(crate) fn devices(&self) -> &[Jid] {
        &self.devices
    }

    pub(crate) fn contains(&self, device: &Jid) -> bool {
        self.devices.binary_search(device).is_ok()
    }

    /// Adds devices; whether any was new.
    pub(crate) fn add(&mut self, devices: impl IntoIterator<Item = Jid>) -> bool {
        let before = self.devices.len();
        self.devices.extend(devices);
        self.devices.sort_unstable();
        self.devices.dedup();
        self.devices.len() != before
    }

    /// Takes one out; whether it was in.
    pub(crate) fn remove(&mut self, device: &Jid) -> bool {
        self.devices.binary_search(device).map(|at| self.devices.remove(at)).is_ok()
    }

    /// The same devices under other addresses.
    pub(crate) fn map<E>(&mut self, mut address: impl FnMut(&Jid) -> Result<Jid, E>) -> Result<(), E> {
        for device in &mut self.devices {
            *device = address(device)?;
        }
        self.devices.sort_unstable();
        self.devices.dedup();
        Ok(())
    }

    /// The stored form, about a dozen bytes for a person: the address, and the numbers of the devices.
    pub(crate) fn pack(&self) -> Vec<u8> {
        let mut packed = Vec::with_capacity(self.devices.len().saturating_mul(12).saturating_add(4));
        packed.extend(self.key_id.to_be_bytes());
        for of_one in self.devices.chunk_by(Jid::same_bare) {
            // No account comes near so many devices; what is left out is handed the key again.
            let of_one = of_one.get(..usize::from(u8::MAX)).unwrap_or(of_one);
            let Some(user) = of_one.first().map(Jid::to_bare) else { continue };
            packed.push(address_kind(&user));
            put_address(&mut packed, &user);
            packed.push(u8::try_from(of_one.len()).unwrap_or(u8::MAX));
            packed.extend(of_one.iter().flat_map(|device| device.device().to_be_bytes()));
        }
        packed
    }

    /// The inverse of [`pack`](Self::pack).
    pub(crate) fn unpack(packed: &[u8]) -> Result<Self, UnreadableGroup> {
        let (key_id, mut rest) = packed.split_first_chunk().ok_or(UnreadableGroup)?;
        let mut holders = Self::of(u32::from_be_bytes(*key_id));
        holders.devices.reserve(rest.len() / 12);
        while let Some((kind, after)) = rest.split_first() {
            rest = after;
            let user = take_address(&mut rest, *kind)?.ok_or(UnreadableGroup)?;
            let (count, after) = rest.split_first().ok_or(UnreadableGroup)?;
            let bytes = usize::from(*count).saturating_mul(2);
            let (numbers, after) = after.split_at_checked(bytes).ok_or(UnreadableGroup)?;
            rest = after;
            let (numbers, _) = numbers.as_chunks::<2>();
            holders
                .devices
                .extend(numbers.iter().map(|number| user.with_device(u16::from_be_bytes(*number))));
        }
        holders.devices.sort_unstable();
        Ok(holders)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holders_are_read_as_they_were_written() {
        let mut holders = Holders::of(7);
        assert_eq!(Holders::unpack(&holders.pack()), Ok(holders.clone()));
        let devices = [Jid::lid("42").with_device(3), Jid::pn("15550001"), Jid::lid("42"), Jid::lid("07")];
        assert!(holders.add(devices.clone()));
        assert!(!holders.add(devices.clone()));
        assert_eq!(Holders::unpack(&holders.pack()), Ok(holders.clone()));
        assert!(devices.iter().all(|device| holders.contains(device)));
        assert!(holders.remove(&devices[0]) && !holders.remove(&devices[0]));
        assert!(!holders.contains(&devices[0]) && holders.contains(&devices[2]));
    }

    #[test]
    fn a_large_group_is_small_and_a_damaged_form_is_refused() {
        let mut holders = Holders::of(u32::MAX);
        let people = (0..1024_u64).map(|n| Jid::lid(&(999_888_777_000_000 + n).to_string()));
        holders.add(people.flat_map(|person| [person.clone(), person.with_device(12)]));
        let packed = holders.pack();
        assert!(packed.len() < 15_000, "{}", packed.len());
        assert_eq!(Holders::unpack(&packed).unwrap().devices().len(), 2048);
        assert!((5..16).all(|cut| Holders::unpack(&packed[..cut]).is_err()));
    }

    #[test]
    fn addresses_that_turn_out_to_be_one_are_one() {
        let mut holders = Holders::of(1);
        holders.add([Jid::pn("1"), Jid::lid("5"), Jid::pn("2")]);
        let lid = |jid: &Jid| Ok::<_, ()>(if *jid == Jid::pn("1") { Jid::lid("5") } else { jid.clone() });
        holders.map(lid).unwrap();
        assert_eq!(holders.devices().len(), 2);
        assert!(holders.contains(&Jid::lid("5")) && holders.contains(&Jid::pn("2")));
    }
}

//! Who is who: the two addresses of each person, which source of such pairs is believed how far,
//! and the addresses that people had before (delivery document §2.1, §2.2).

use std::collections::BTreeMap;

use whimbrel_wire::{Jid, NodeRef};

use crate::events::{EventKind, Identity, NumberChanged};
use crate::messages::Unit;
use crate::store::{Store, StoreError};

/// Addresses kept in memory; beyond it they are read again.
const ADDRESSES: usize = 128;

/// Pairs of one address with another that wait to be looked up at the service.
const DOUBTS: usize = 32;

/// Former addresses that are followed from one to the next.
const HOPS: usize = 8;

/// How far a source of address pairs is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// An answer of the service, a word of the own phone, or a live stanza: replaces what was
    /// known.
    Current,
    /// A stanza that waited for this client, and may be old: shown to the host where nothing else
    /// is known, but neither stored nor built upon.
    Replayed,
    /// What others say about third people, such as the members of a group: taken where nothing is
    /// known. Where it differs the service is asked once.
    Seed,
}

/// What is known of addresses, in memory.
#[derive(Default)]
pub(crate) struct Addresses {
    /// LID of a phone number, or that none is known.
    lids: BTreeMap<Jid, Option<Jid>>,
    /// Phone number of a LID, or that none is known.
    phones: BTreeMap<Jid, Option<Jid>>,
    /// LID of the person who had an address before, or that nobody had.
    successors: BTreeMap<Jid, Option<Jid>>,
    /// The other address of either address, as replayed stanzas say.
    hints: BTreeMap<Jid, Jid>,
    /// Whom the service is to be asked about, and about whom it was asked.
    doubts: BTreeMap<Jid, bool>,
}

impl Addresses {
    /// Makes room. Hints and doubts go with it: they cost another look at most.
    pub(crate) fn trim(&mut self) {
        for table in [&mut self.lids, &mut self.phones, &mut self.successors] {
            if table.len() > ADDRESSES {
                table.clear();
            }
        }
        if self.hints.len() > ADDRESSES {
            self.hints.clear();
        }
        if self.doubts.len() > ADDRESSES {
            self.doubts.clear();
        }
    }

    fn doubt(&mut self, phone: &Jid) {
        let waiting = self.doubts.values().filter(|asked| !**asked).count();
        if waiting < DOUBTS {
            self.doubts.entry(phone.clone()).or_insert(false);
        }
    }
}

/// The LID and the phone number of a pair of addresses that is one.
fn sorted(one: &Jid, other: &Jid) -> Option<(Jid, Jid)> {
    let (one, other) = (one.to_account(), other.to_account());
    match (one.is_lid() && other.is_pn(), one.is_pn() && other.is_lid()) {
        (true, _) => Some((one, other)),
        (_, true) => Some((other, one)),
        _ => None,
    }
}

impl Unit<'_> {
    /// LID of a bare phone number, if known.
    pub(crate) fn lid_of(&mut self, phone: &Jid) -> Result<Option<Jid>, StoreError> {
        if let (Some(own), Some(lid)) = (&self.account.phone, &self.account.lid)
            && own.same_account(phone)
        {
            return Ok(Some(lid.to_bare()));
        }
        if let Some(known) = self.addresses().lids.get(phone) {
            return Ok(known.clone());
        }
        let lid = self.store.lid_of(phone)?;
        self.addresses().lids.insert(phone.clone(), lid.clone());
        Ok(lid)
    }

    /// Phone number of a bare LID, if known.
    pub(crate) fn phone_of(&mut self, lid: &Jid) -> Result<Option<Jid>, StoreError> {
        if let (Some(phone), Some(own)) = (&self.account.phone, &self.account.lid)
            && own.same_account(lid)
        {
            return Ok(Some(phone.to_bare()));
        }
        if let Some(known) = self.addresses().phones.get(lid) {
            return Ok(known.clone());
        }
        let phone = self.store.phone_of(lid)?;
        self.addresses().phones.insert(lid.clone(), phone.clone());
        Ok(phone)
    }

    /// LID of the person who had a bare address before.
    fn successor_of(&mut self, former: &Jid) -> Result<Option<Jid>, StoreError> {
        if let Some(known) = self.addresses().successors.get(former) {
            return Ok(known.clone());
        }
        let lid = self.store.successor_of(former)?;
        self.addresses().successors.insert(former.clone(), lid.clone());
        Ok(lid)
    }

    /// The address under which everything about a device is kept: by LID when that is known, and
    /// by the present one if the person had another before (delivery document §2.1).
    pub(crate) fn canonical(&mut self, jid: &Jid) -> Result<Jid, StoreError> {
        if !jid.is_account() {
            return Ok(jid.clone());
        }
        let mut account = jid.to_account();
        for _ in 0..HOPS {
            let next = if account.is_pn() {
                match self.lid_of(&account)? {
                    Some(lid) => Some(lid),
                    None => self.successor_of(&account)?,
                }
            } else if self.phone_of(&account)?.is_some() {
                // In use: whatever it once led to, it stands for itself.
                None
            } else {
                self.successor_of(&account)?
            };
            match next {
                Some(next) => account = next,
                None => break,
            }
        }
        Ok(account.with_device(jid.device()))
    }

    /// A person or chat under every address known for it.
    pub(crate) fn identity_of(&mut self, jid: &Jid) -> Result<Identity, StoreError> {
        let id = self.canonical(&jid.to_bare())?;
        let (mut phone, mut lid) = (None, None);
        if id.is_lid() {
            (phone, lid) = (self.phone_of(&id)?, Some(id.clone()));
        } else if id.is_pn() {
            phone = Some(id.clone());
        }
        if let Some(hint) = self.addresses().hints.get(&id) {
            if id.is_lid() {
                phone = phone.or_else(|| Some(hint.clone()));
            } else {
                lid = Some(hint.clone());
            }
        }
        Ok(Identity { id, phone, lid })
    }

    /// The other addresses that a device has or had, best known first.
    pub(crate) fn other_addresses(&mut self, device: &Jid) -> Result<Vec<Jid>, StoreError> {
        let account = self.canonical(&device.to_bare())?;
        let mut others: Vec<Jid> = Vec::new();
        if account.is_lid() {
            others.extend(self.phone_of(&account)?);
        }
        others.extend(self.addresses().hints.get(&account).cloned());
        if account.is_lid() {
            others.extend(self.store.former_addresses(&account)?);
            let mut changed = self.changes.former_addresses.iter();
            others.extend(
                changed
                    .by_ref()
                    .filter(|(_, lid)| lid.as_ref() == Some(&account))
                    .map(|(former, _)| former.clone()),
            );
        }
        Ok(others.into_iter().map(|account| account.with_device(device.device())).collect())
    }

    /// Whether an address is this account's.
    pub(crate) fn is_own(&self, jid: &Jid) -> bool {
        [&self.account.phone, &self.account.lid].into_iter().flatten().any(|own| own.same_account(jid))
    }

    /// Learns that two addresses, one by LID and one by phone number, are the same person's. What
    /// is kept under an address that the person is not known by any more moves with it, in this
    /// unit of work.
    pub(crate) fn learn(&mut self, one: &Jid, other: &Jid, source: Source) -> Result<(), StoreError> {
        let Some((lid, phone)) = sorted(one, other) else { return Ok(()) };
        // Our own pair is what the service said at login.
        if self.is_own(&lid) || self.is_own(&phone) {
            return Ok(());
        }
        let (known_lid, known_phone) = (self.lid_of(&phone)?, self.phone_of(&lid)?);
        if known_lid.as_ref() == Some(&lid) {
            return Ok(());
        }
        let unknown = known_lid.is_none() && known_phone.is_none();
        match source {
            Source::Replayed => {
                if unknown {
                    let hints = &mut self.addresses().hints;
                    hints.insert(lid.clone(), phone.clone());
                    hints.insert(phone, lid);
                }
                return Ok(());
            }
            Source::Seed if !unknown => {
                self.addresses().doubt(&phone);
                return Ok(());
            }
            Source::Current | Source::Seed => {}
        }
        self.set_pair(&lid, &phone)?;
        self.move_person(&phone, &lid)?;
        if let Some(former) = known_lid {
            self.succeed(&former, &lid)?;
        }
        if let Some(former) = known_phone {
            self.leave(&former, &lid);
            let who = self.identity_of(&lid)?;
            self.event(EventKind::NumberChanged(NumberChanged { who, former }));
        }
        Ok(())
    }

    /// Writes a pair down; either side's stale partner is forgotten, and both are in use.
    fn set_pair(&mut self, lid: &Jid, phone: &Jid) -> Result<(), StoreError> {
        for address in [lid, phone] {
            if self.successor_of(address)?.is_some() {
                self.changes.former_addresses.insert(address.clone(), None);
            }
        }
        let stale = (self.phone_of(lid)?, self.lid_of(phone)?);
        let addresses = self.addresses();
        for address in [lid, phone] {
            addresses.successors.insert(address.clone(), None);
            addresses.hints.remove(address);
        }
        if let (Some(stale), _) = &stale {
            addresses.lids.insert(stale.clone(), None);
        }
        if let (_, Some(stale)) = &stale {
            addresses.phones.insert(stale.clone(), None);
        }
        addresses.lids.insert(phone.clone(), Some(lid.clone()));
        addresses.phones.insert(lid.clone(), Some(phone.clone()));
        self.changes.lid_pairs.push((lid.clone(), phone.clone()));
        Ok(())
    }

    /// A person has another LID than before, under which everything goes on.
    pub(crate) fn succeed(&mut self, former: &Jid, lid: &Jid) -> Result<(), StoreError> {
        self.leave(former, lid);
        self.move_person(former, lid)
    }

    /// An address is not its person's any more: whoever uses it still means that person, until it
    /// is somebody else's.
    fn leave(&mut self, former: &Jid, lid: &Jid) {
        self.addresses().successors.insert(former.clone(), Some(lid.clone()));
        self.changes.former_addresses.insert(former.clone(), Some(lid.clone()));
    }

    /// Whom the service is to be asked about; everybody is named once.
    pub(crate) fn take_doubts(&mut self) -> Vec<Jid> {
        let mut new = Vec::new();
        for (phone, asked) in &mut self.addresses().doubts {
            if !std::mem::replace(asked, true) {
                new.push(phone.clone());
            }
        }
        new
    }
}

/// The address under which a person's messages are kept, as [`Unit::canonical`] tells it, from
/// what is durable.
pub(crate) fn canonical(store: &dyn Store, jid: &Jid) -> Result<Jid, StoreError> {
    let mut account = jid.to_account();
    if !account.is_account() {
        return Ok(account);
    }
    for _ in 0..HOPS {
        let next = if account.is_pn() {
            match store.lid_of(&account)? {
                Some(lid) => Some(lid),
                None => store.successor_of(&account)?,
            }
        } else if store.phone_of(&account)?.is_some() {
            None
        } else {
            store.successor_of(&account)?
        };
        match next {
            Some(next) => account = next,
            None => break,
        }
    }
    Ok(account)
}

/// Learns the caller's addresses from a call.
pub(crate) fn learn_from_call(unit: &mut Unit<'_>, call: &NodeRef<'_>) -> Result<(), StoreError> {
    let Some(from) = call.attr_jid("from") else { return Ok(()) };
    let source = if call.attr_value("offline").is_some() { Source::Replayed } else { Source::Current };
    for key in ["sender_lid", "sender_pn"] {
        if let Some(twin) = call.attr_jid(key) {
            unit.learn(&from, &twin, source)?;
        }
    }
    for action in call.child_nodes() {
        let creator = action.attr_jid("call-creator").unwrap_or_else(|| from.clone());
        if let Some(phone) = action.attr_jid("caller_pn") {
            unit.learn(&creator, &phone, source)?;
        }
    }
    Ok(())
}

//! Accounts and their devices: who exists, under which addresses.

use std::collections::{BTreeMap, BTreeSet};

use whimbrel_wire::{Jid, Node, Server};

use super::StreamId;
use super::appstate::Collections;
use super::offline::Queue;
use super::prekeys::KeyStore;
use super::proof::KeyIndexList;
use super::restrictions::Restrictions;
use super::settings::Settings;
use crate::options::Addressing;
use crate::options::LidStanding;

/// The two address spaces of people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Space {
    /// Phone numbers.
    Pn,
    /// Hidden numbers.
    Lid,
}

impl Space {
    /// The space of a person's or device's address.
    pub(crate) fn of(jid: &Jid) -> Option<Self> {
        match jid.to_account().server() {
            Server::Pn if !jid.is_server() => Some(Self::Pn),
            Server::Lid if !jid.is_server() => Some(Self::Lid),
            _ => None,
        }
    }

    /// The other one.
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Pn => Self::Lid,
            Self::Lid => Self::Pn,
        }
    }
}

impl From<Addressing> for Space {
    fn from(addressing: Addressing) -> Self {
        match addressing {
            Addressing::Lid => Self::Lid,
            Addressing::Pn => Self::Pn,
        }
    }
}

/// Number of an account, in the order of creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct AccountId(pub(super) usize);

/// A device of an account; number 0 is the phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DeviceId {
    pub(crate) account: AccountId,
    pub(crate) number: u16,
}

/// A person.
#[derive(Debug)]
pub(crate) struct Account {
    pub(super) id: AccountId,
    /// Digits of the phone number.
    pub(super) pn: String,
    /// Digits of the hidden number.
    pub(super) lid: String,
    pub(super) standing: LidStanding,
    /// Push name, empty if none was announced.
    pub(super) name: String,
    pub(super) created: u64,
    /// Key index list as signed by the phone.
    pub(super) key_index_list: Option<KeyIndexList>,
    /// What was answered about the devices before the last companion went.
    pub(super) former_devices: Option<Node>,
    pub(super) devices: BTreeMap<u16, Device>,
    /// Highest device number that a companion ever had.
    pub(super) last_companion: u16,
    /// Accounts that exchanged a message with this one.
    pub(super) contacts: BTreeSet<AccountId>,
    pub(super) settings: Settings,
    pub(super) collections: Collections,
    /// Logins are refused with this reason.
    pub(super) barred: Option<u16>,
    pub(super) restrictions: Restrictions,
}

impl Account {
    /// Identity key of the phone, which signs the account's statements.
    pub(super) fn identity(&self) -> Option<[u8; 32]> {
        self.devices.get(&0).map(|phone| phone.keys.identity)
    }

    /// The account's address without a device.
    pub(super) fn bare(&self, space: Space) -> Jid {
        self.jid(0, space)
    }

    /// The account's other address beside the one in this space, if others may know it.
    pub(super) fn twin(&self, space: Space) -> Option<Jid> {
        let hidden = space == Space::Pn && self.standing == LidStanding::PnOnly;
        (!hidden).then(|| self.bare(space.other()))
    }

    /// Address of a device.
    pub(super) fn jid(&self, number: u16, space: Space) -> Jid {
        let hosted = self.devices.get(&number).is_some_and(|device| device.hosted);
        let (user, server) = match (space, hosted) {
            (Space::Pn, false) => (&self.pn, Server::Pn),
            (Space::Pn, true) => (&self.pn, Server::Hosted),
            (Space::Lid, false) => (&self.lid, Server::Lid),
            (Space::Lid, true) => (&self.lid, Server::HostedLid),
        };
        Jid::new(user, server).with_device(number)
    }
}

/// A device.
#[derive(Debug)]
pub(crate) struct Device {
    /// Key by which a companion is recognised at login; phones have none here.
    pub(super) noise_key: Option<[u8; 32]>,
    pub(super) keys: KeyStore,
    /// `DeviceProps` of a companion.
    pub(super) props: Vec<u8>,
    /// Signed identity of a companion, all four fields.
    pub(super) signed_identity: Option<Vec<u8>>,
    pub(super) key_index: u32,
    /// Whether it runs at the provider of a business instead of at home (signal document §2.8).
    pub(super) hosted: bool,
    pub(super) created: u64,
    pub(super) last_seen: u64,
    /// The connection, if there is one.
    pub(super) stream: Option<StreamId>,
    /// Whether queued and live stanzas are delivered.
    pub(super) active: bool,
    pub(super) queue: Queue,
    /// Whether the device has said it is available.
    pub(super) available: bool,
    /// People whose presence it wants to know, while connected.
    pub(super) subscriptions: BTreeSet<AccountId>,
    /// In which form it last asked for the device lists of people.
    pub(super) listed: BTreeMap<AccountId, Space>,
    /// Requests that it made, pings left out.
    pub(super) requests: u64,
    /// Set for devices that nobody ever uses: how many stanzas were for them. They are not kept.
    pub(super) counted: Option<u64>,
}

impl Device {
    pub(super) fn new(keys: KeyStore, now: u64) -> Self {
        Self {
            noise_key: None,
            keys,
            props: Vec::new(),
            signed_identity: None,
            key_index: 0,
            hosted: false,
            created: now,
            last_seen: now,
            stream: None,
            active: false,
            queue: Queue::default(),
            available: false,
            subscriptions: BTreeSet::new(),
            listed: BTreeMap::new(),
            requests: 0,
            counted: None,
        }
    }
}

/// All accounts.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    list: Vec<Account>,
    by_pn: BTreeMap<String, AccountId>,
    by_lid: BTreeMap<String, AccountId>,
}

impl Accounts {
    pub(super) fn get(&self, id: AccountId) -> Option<&Account> {
        self.list.get(id.0)
    }

    pub(super) fn get_mut(&mut self, id: AccountId) -> Option<&mut Account> {
        self.list.get_mut(id.0)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Account> {
        self.list.iter()
    }

    pub(super) fn by_pn(&self, pn: &str) -> Option<AccountId> {
        self.by_pn.get(pn).copied()
    }

    pub(super) fn by_lid(&self, lid: &str) -> Option<AccountId> {
        self.by_lid.get(lid).copied()
    }

    /// The account that an address belongs to, whatever the device.
    pub(super) fn find(&self, jid: &Jid) -> Option<AccountId> {
        match Space::of(jid)? {
            Space::Pn => self.by_pn(jid.user()),
            Space::Lid => self.by_lid(jid.user()),
        }
    }

    /// The device that an address names, existing or not.
    pub(super) fn device_named(&self, jid: &Jid) -> Option<DeviceId> {
        Some(DeviceId { account: self.find(jid)?, number: jid.device() })
    }

    pub(super) fn device(&self, id: DeviceId) -> Option<&Device> {
        self.get(id.account)?.devices.get(&id.number)
    }

    pub(super) fn device_mut(&mut self, id: DeviceId) -> Option<&mut Device> {
        self.get_mut(id.account)?.devices.get_mut(&id.number)
    }

    /// All devices of an account.
    pub(super) fn devices(&self, account: AccountId) -> Vec<DeviceId> {
        self.get(account).map_or_else(Vec::new, |found| {
            found.devices.keys().map(|number| DeviceId { account, number: *number }).collect()
        })
    }

    /// How events and reports call a device.
    pub(super) fn label(&self, id: DeviceId) -> String {
        let pn = self.get(id.account).map_or("?", |account| account.pn.as_str());
        if id.number == 0 { pn.to_owned() } else { format!("{pn}:{}", id.number) }
    }

    /// Reverse of [`Accounts::label`].
    pub(super) fn labelled(&self, label: &str) -> Option<DeviceId> {
        let (pn, number) = match label.split_once(':') {
            Some((pn, number)) => (pn, number.parse().ok()?),
            None => (label, 0),
        };
        let id = DeviceId { account: self.by_pn(pn)?, number };
        self.device(id).map(|_| id)
    }

    /// Address of a device.
    pub(super) fn jid(&self, id: DeviceId, space: Space) -> Option<Jid> {
        self.get(id.account).map(|account| account.jid(id.number, space))
    }

    /// Address of an account.
    pub(super) fn bare(&self, id: AccountId, space: Space) -> Option<Jid> {
        self.get(id).map(|account| account.bare(space))
    }

    /// Whether two addresses name the same device (or person), perhaps one by PN and one by LID.
    pub(super) fn same_device(&self, a: &Jid, b: &Jid) -> bool {
        a == b || self.device_named(a).is_some_and(|named| Some(named) == self.device_named(b))
    }

    /// Whether two addresses belong to the same person.
    pub(super) fn same_account(&self, a: &Jid, b: &Jid) -> bool {
        self.find(a).is_some_and(|found| Some(found) == self.find(b))
    }

    /// Gives an account another hidden number. Under the old one nobody is found any more.
    pub(super) fn change_lid(&mut self, id: AccountId, lid: String) {
        if let Some(account) = self.list.get_mut(id.0) {
            self.by_lid.remove(&account.lid);
            self.by_lid.insert(lid.clone(), id);
            account.lid = lid;
        }
    }

    /// Gives an account another phone number, which must be free.
    pub(super) fn change_pn(&mut self, id: AccountId, pn: String) {
        if let Some(account) = self.list.get_mut(id.0) {
            self.by_pn.remove(&account.pn);
            self.by_pn.insert(pn.clone(), id);
            account.pn = pn;
        }
    }

    /// Adds an account with its phone. The numbers must be free.
    pub(super) fn create(
        &mut self,
        pn: String,
        lid: String,
        name: String,
        standing: LidStanding,
        phone: Device,
        now: u64,
    ) -> AccountId {
        let id = AccountId(self.list.len());
        self.by_pn.insert(pn.clone(), id);
        self.by_lid.insert(lid.clone(), id);
        self.list.push(Account {
            id,
            pn,
            lid,
            standing,
            name,
            created: now,
            key_index_list: None,
            former_devices: None,
            devices: BTreeMap::from([(0, phone)]),
            contacts: BTreeSet::new(),
            settings: Settings::default(),
            collections: Collections::default(),
            barred: None,
            restrictions: Restrictions::new(),
            last_companion: 0,
        });
        id
    }
}

//! Notifications that the service itself sends (pairing document §9.2, signal document §5.10).

use std::collections::BTreeSet;

use whimbrel_wire::{Jid, Node};

use super::Service;
use super::accounts::{AccountId, DeviceId, Space};
use super::proof::KeyIndexList;

impl Service {
    /// A notification with a fresh id at the present time.
    pub(super) fn notification(&mut self, kind: &'static str, from: Jid) -> Node {
        Node::new("notification")
            .attr("type", kind)
            .attr("from", from)
            .attr("id", self.next_id())
            .attr("t", self.now)
    }

    /// Tells everybody concerned that a companion was linked.
    pub(super) fn device_added(&mut self, device: DeviceId) {
        self.announce_change(device, "add");
    }

    /// Tells everybody concerned that a companion was unlinked.
    pub(super) fn device_removed(&mut self, device: DeviceId) {
        self.announce_change(device, "remove");
    }

    fn announce_change(&mut self, device: DeviceId, operation: &'static str) {
        for target in self.informed_devices(device) {
            // Both forms are in use. whatsmeow ignores a change under an address that it has no list
            // for, so everybody is told in the form in which he asked for the list.
            let listed = self.accounts.device(target).and_then(|target| target.listed.get(&device.account));
            let space = listed.copied().unwrap_or(Space::Pn);
            if let Some(change) = self.device_change(device, operation, space) {
                self.push(target, change);
            }
        }
        self.announce_own_devices(device);
    }

    /// The announcement of a change under one of the owner's two addresses.
    fn device_change(&mut self, device: DeviceId, operation: &'static str, space: Space) -> Option<Node> {
        let account = self.accounts.get(device.account)?;
        // The hidden address stands beside the phone number, not the other way round.
        let by_pn = space == Space::Pn;
        let lid = if by_pn { account.twin(Space::Pn) } else { None };
        let from = account.bare(space);
        let changed = Node::new("device")
            .attr("jid", account.jid(device.number, space))
            .attr_opt("lid", lid.as_ref().map(|lid| lid.with_device(device.number)))
            .attr_opt("key-index", account.devices.get(&device.number).map(|added| added.key_index));
        let list = account.key_index_list.clone();
        let mut signed =
            Node::new("key-index-list").attr("ts", list.as_ref().map_or(self.now, |list| list.timestamp));
        if let (Some(list), "add") = (list, operation) {
            signed = signed.bytes(list.signed);
        }
        let change = Node::new(operation)
            .attr("device_hash", self.device_hash(device.account, space))
            .attr_opt("device_lid_hash", lid.is_some().then(|| self.device_hash(device.account, Space::Lid)))
            .child(changed)
            .child(signed);
        Some(self.notification("devices", from).attr_opt("lid", lid).child(change))
    }

    /// The devices of everybody who knows this device's owner, and the owner's other devices.
    fn informed_devices(&self, device: DeviceId) -> Vec<DeviceId> {
        let mut accounts = BTreeSet::from([device.account]);
        if let Some(account) = self.accounts.get(device.account) {
            accounts.extend(account.contacts.iter().copied());
        }
        accounts.extend(self.groups.companions_of(device.account));
        accounts
            .into_iter()
            .flat_map(|account| self.accounts.devices(account))
            .filter(|other| *other != device)
            .collect()
    }

    /// The complete device list, to the account's own other companions.
    fn announce_own_devices(&mut self, device: DeviceId) {
        let Some(list) = self.own_device_list(device.account) else { return };
        let Some(own) = self.accounts.bare(device.account, Space::Pn) else { return };
        let others = self.accounts.devices(device.account).into_iter().filter(|other| *other != device);
        for target in others.collect::<Vec<_>>() {
            let notification = self.notification("account_sync", own.clone()).child(list.clone());
            self.push(target, notification);
        }
    }

    fn own_device_list(&self, id: AccountId) -> Option<Node> {
        let account = self.accounts.get(id)?;
        let devices = account.devices.iter().map(|(number, device)| {
            Node::new("device")
                .attr("jid", account.jid(*number, Space::Pn))
                .attr("lid", account.jid(*number, Space::Lid))
                .attr_opt("key-index", (*number != 0).then_some(device.key_index))
        });
        let list = account.key_index_list.as_ref().map(KeyIndexList::node);
        Some(
            Node::new("devices")
                .attr("dhash", self.device_hash(id, Space::Pn))
                .children(devices)
                .child_opt(list),
        )
    }

    /// The same notification to all devices of an account but one.
    pub(super) fn notify_account(
        &mut self,
        account: AccountId,
        except: Option<DeviceId>,
        mut make: impl FnMut(&mut Self) -> Node,
    ) {
        for device in self.accounts.devices(account) {
            if Some(device) != except {
                let notification = make(self);
                self.push(device, notification);
            }
        }
    }
}

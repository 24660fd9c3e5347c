//! Notifications that the service itself sends (pairing document §9.2, signal document §5.10).

use std::collections::BTreeSet;

use whimbrel_wire::{Jid, Node};

use super::Service;
use super::accounts::{AccountId, DeviceId, Space};

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
        let Some(account) = self.accounts.get(device.account) else { return };
        let (pn, lid) = (account.bare(Space::Pn), account.bare(Space::Lid));
        let index = account.devices.get(&device.number).map(|added| added.key_index);
        let list = account.key_index_list.clone();
        let node = Node::new("device")
            .attr("jid", account.jid(device.number, Space::Pn))
            .attr("lid", account.jid(device.number, Space::Lid))
            .attr_opt("key-index", index);
        let mut signed =
            Node::new("key-index-list").attr("ts", list.as_ref().map_or(self.now, |list| list.timestamp));
        if let (Some(list), "add") = (list, operation) {
            signed = signed.bytes(list.signed);
        }
        let change = Node::new(operation)
            .attr("device_hash", self.device_hash(device.account, Space::Pn))
            .attr("device_lid_hash", self.device_hash(device.account, Space::Lid))
            .child(node)
            .child(signed);
        for target in self.informed_devices(device) {
            let notification =
                self.notification("devices", pn.clone()).attr("lid", lid.clone()).child(change.clone());
            self.push(target, notification);
        }
        self.announce_own_devices(device);
    }

    /// The devices of everybody who knows this device's owner, and the owner's other devices.
    fn informed_devices(&self, device: DeviceId) -> Vec<DeviceId> {
        let mut accounts = BTreeSet::from([device.account]);
        if let Some(account) = self.accounts.get(device.account) {
            accounts.extend(account.contacts.iter().copied());
        }
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
        let list = account
            .key_index_list
            .as_ref()
            .map(|list| Node::new("key-index-list").attr("ts", list.timestamp).bytes(list.signed.clone()));
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

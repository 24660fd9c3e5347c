//! The list of an account's devices: publishing, changes, removal (pairing document §9, §10).

use whimbrel_wire::Node;

use super::accounts::{AccountId, DeviceId, Space};
use super::proof::{self, KeyIndexList};
use super::{Closing, Service, StreamId, millis};
use crate::events::Event;
use crate::stanza::{self, Refusal};

impl Service {
    /// An `md` request of a device that is logged in. `Ok(false)` means that the answer comes later.
    pub(super) fn md(&mut self, stream: StreamId, device: DeviceId, request: &Node) -> Result<bool, Refusal> {
        let child = request.first_child().ok_or_else(|| Refusal::code(400))?;
        match child.tag() {
            "pair-device" => self.pair_device(stream, device, request).map(|()| false),
            "key-index-list" => self.publish_list(device, request).map(|()| true),
            "remove-companion-device" => self.remove_requested(stream, device, request).map(|()| false),
            "link_code_companion_reg" if stanza::plain(child, "stage") == Some("primary_hello") => {
                self.primary_hello(device, child).map(|()| true)
            }
            _ => Err(Refusal::code(400)),
        }
    }

    /// The key index list in a phone's request, checked against its identity and its predecessor.
    pub(super) fn checked_list(&self, account: AccountId, parent: &Node) -> Result<KeyIndexList, Refusal> {
        let node = parent.child_named("key-index-list").ok_or_else(|| Refusal::code(400))?;
        let account = self.accounts.get(account).ok_or_else(|| Refusal::code(403))?;
        let identity = account.identity().ok_or_else(|| Refusal::code(403))?;
        let list = node
            .content_bytes()
            .and_then(|signed| proof::key_index_list(&identity, signed))
            .ok_or_else(|| Refusal::code(400))?;
        if node.attr_u64("ts").is_none() {
            return Err(Refusal::code(400));
        }
        if account.key_index_list.as_ref().is_some_and(|known| known.timestamp > list.timestamp) {
            return Err(Refusal::code(409));
        }
        Ok(list)
    }

    fn publish_list(&mut self, phone: DeviceId, request: &Node) -> Result<(), Refusal> {
        if phone.number != 0 {
            return Err(Refusal::code(403));
        }
        let list = self.checked_list(phone.account, request)?;
        let account = self.accounts.get_mut(phone.account).ok_or_else(|| Refusal::code(403))?;
        let dropped: Vec<u16> = account
            .devices
            .iter()
            .filter(|(number, device)| **number != 0 && !list.admits(device.key_index))
            .map(|(number, _)| *number)
            .collect();
        account.key_index_list = Some(list);
        for number in dropped {
            self.remove_device(DeviceId { number, ..phone });
        }
        Ok(())
    }

    fn remove_requested(
        &mut self,
        stream: StreamId,
        asking: DeviceId,
        request: &Node,
    ) -> Result<(), Refusal> {
        let node = request.child_named("remove-companion-device").ok_or_else(|| Refusal::code(400))?;
        if node.attr_true("all") {
            if asking.number != 0 {
                return Err(Refusal::code(403));
            }
            self.answer(stream, asking, request, stanza::result(request));
            let companions =
                self.accounts.devices(asking.account).into_iter().filter(|device| device.number != 0);
            for device in companions.collect::<Vec<_>>() {
                self.remove_device(device);
            }
            return Ok(());
        }
        let jid = node.attr_jid("jid").ok_or_else(|| Refusal::code(400))?;
        let device = self.accounts.device_named(&jid).ok_or_else(|| Refusal::code(404))?;
        let allowed = device.account == asking.account && device.number != 0;
        if !allowed || (asking.number != 0 && asking != device) {
            return Err(Refusal::code(403));
        }
        if self.accounts.device(device).is_none() {
            return Err(Refusal::code(404));
        }
        self.answer(stream, asking, request, stanza::result(request));
        self.remove_device(device);
        Ok(())
    }

    /// Unlinks a companion: tells it, forgets it, tells the others.
    pub(crate) fn remove_device(&mut self, device: DeviceId) {
        if device.number == 0 {
            return;
        }
        let label = self.accounts.label(device);
        let former = self.device_list(device.account, None);
        let Some(account) = self.accounts.get_mut(device.account) else { return };
        account.former_devices = former;
        let Some(removed) = account.devices.remove(&device.number) else { return };
        self.log(Event::Unlinked { device: label });
        if let Some(stream) = removed.stream {
            let conflict = Node::new("conflict").attr("type", "device_removed");
            self.send(stream, Node::new("stream:error").attr("code", "401").child(conflict));
            self.send(stream, Node::new("xmlstreamend"));
            self.close(stream, Closing::Code(1000), millis(self.options.limits.close_delay));
        }
        self.device_removed(device);
    }

    /// Unlinks the device with this label, as the service does after long absence.
    pub(crate) fn remove_labelled(&mut self, label: &str) -> bool {
        match self.accounts.labelled(label) {
            Some(device) if device.number != 0 => {
                self.remove_device(device);
                true
            }
            _ => false,
        }
    }

    /// Marks a companion as one that runs at the provider of a business. Nobody is told, as nobody is of
    /// a device that was so from its beginning. Tells whether it existed.
    pub(crate) fn set_hosted(&mut self, label: &str) -> bool {
        let device = self.accounts.labelled(label).filter(|device| device.number != 0);
        device.and_then(|device| self.accounts.device_mut(device)).is_some_and(|device| {
            device.hosted = true;
            true
        })
    }

    /// The participant hash of a person's devices (signal document §2.9).
    pub(super) fn device_hash(&self, account: AccountId, space: Space) -> String {
        super::messages::participant_hash(
            self.accounts.devices(account).into_iter().filter_map(|device| self.accounts.jid(device, space)),
        )
    }
}

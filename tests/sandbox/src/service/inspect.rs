//! What tests may look at and do from outside: state of the devices, faults at once.

use serde::Serialize;
use whimbrel_wire::Node;

use super::accounts::Space;
use super::{Service, StreamId};

/// A device as the service knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeviceState {
    /// `number` (the phone) or `number:device`.
    pub device: String,
    /// Its address by LID.
    pub lid: String,
    /// Whether it is connected.
    pub connected: bool,
    /// Whether it takes part in live traffic.
    pub active: bool,
    /// Stanzas that it does not have yet.
    pub queued: usize,
    /// One-time pre-keys left.
    pub prekeys: usize,
    /// Id of its signed pre-key.
    pub signed_prekey: u32,
    /// How often it gave an id of a pre-key to another key.
    pub reused_prekeys: usize,
    /// Its index in the signed list.
    pub key_index: u32,
    /// When it was linked, in seconds.
    pub created: u64,
    /// Encoded `DeviceProps`, in hex.
    pub props: String,
    /// Requests (`<iq>`) that it made, pings left out.
    pub requests: u64,
    /// Of members of a crowd: how many stanzas were for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counted: Option<u64>,
}

impl Service {
    pub(crate) fn device_states(&self) -> Vec<DeviceState> {
        let ids = self.accounts.iter().flat_map(|account| self.accounts.devices(account.id));
        ids.filter_map(|id| {
            let device = self.accounts.device(id)?;
            Some(DeviceState {
                device: self.accounts.label(id),
                lid: self.accounts.jid(id, Space::Lid)?.to_string(),
                connected: device.stream.is_some(),
                active: device.active,
                queued: device.queue.len(),
                prekeys: device.keys.count(),
                signed_prekey: device.keys.signed.id,
                reused_prekeys: device.keys.reused,
                key_index: device.key_index,
                created: device.created,
                props: hex::encode(&device.props),
                requests: device.requests,
                counted: device.counted,
            })
        })
        .collect()
    }

    fn stream_of(&self, label: &str) -> Option<StreamId> {
        self.accounts.device(self.accounts.labelled(label)?)?.stream
    }

    pub(crate) fn stream_error_to(&mut self, label: &str, code: Option<u16>, conflict: Option<&str>) -> bool {
        let Some(stream) = self.stream_of(label) else { return false };
        self.stream_error(stream, code, conflict);
        true
    }

    /// Sends a stanza as it is, past the queue. Tells whether the device is connected.
    pub(crate) fn inject(&mut self, label: &str, node: Node) -> bool {
        let Some(stream) = self.stream_of(label) else { return false };
        self.send(stream, node);
        true
    }

    /// Puts a stanza into a device's queue. Tells whether the device exists.
    pub(crate) fn enqueue(&mut self, label: &str, node: Node) -> bool {
        let Some(device) = self.accounts.labelled(label) else { return false };
        self.push(device, node);
        true
    }

    pub(crate) fn cut_device(&mut self, label: &str) -> bool {
        let Some(stream) = self.stream_of(label) else { return false };
        self.cut(stream);
        true
    }

    pub(crate) fn bar(&mut self, number: &str, reason: Option<u16>) -> bool {
        let account = self.accounts.by_pn(number).and_then(|id| self.accounts.get_mut(id));
        account.is_some_and(|account| {
            account.barred = reason;
            true
        })
    }
}

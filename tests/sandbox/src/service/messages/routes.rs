//! What became of messages: needed to recognise repeats and to find the way of receipts.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use whimbrel_wire::Jid;

use super::super::accounts::{AccountId, DeviceId};

/// Messages remembered; the oldest are forgotten.
const KEPT: usize = 200_000;

/// A message that was accepted.
#[derive(Debug, Clone)]
pub(crate) struct Route {
    /// Chat as the author addressed it.
    pub(in super::super) chat: Jid,
    pub(in super::super) time: u64,
    /// Recipients that have asked for it again and have not been answered.
    pub(in super::super) asked: BTreeSet<DeviceId>,
    /// Of a group message whose sender was told the true hash: how far it got.
    pub(in super::super) incomplete: Option<Incomplete>,
}

/// How far a group message got whose sender did not know all devices.
#[derive(Debug, Clone)]
pub(crate) struct Incomplete {
    /// Who was a member when it came: for others it never was.
    pub(in super::super) members: BTreeSet<AccountId>,
    /// Devices that were named in it so far.
    pub(in super::super) named: BTreeSet<DeviceId>,
}

/// The memory of messages.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    by_author: BTreeMap<(DeviceId, String), Route>,
    /// Authors of what a device received, by id: ids are unique per author only.
    by_recipient: BTreeMap<(DeviceId, String), Vec<DeviceId>>,
    order: VecDeque<(DeviceId, String)>,
}

impl Routes {
    pub(in super::super) fn get(&self, author: DeviceId, id: &str) -> Option<&Route> {
        self.by_author.get(&(author, id.to_owned()))
    }

    /// Authors of messages with this id that went to the device.
    pub(in super::super) fn authors(&self, recipient: DeviceId, id: &str) -> &[DeviceId] {
        self.by_recipient.get(&(recipient, id.to_owned())).map_or(&[], Vec::as_slice)
    }

    pub(super) fn record(&mut self, author: DeviceId, id: &str, chat: &Jid, time: u64, targets: &[DeviceId]) {
        let key = (author, id.to_owned());
        if let Some(route) = self.by_author.get_mut(&key) {
            route.asked.retain(|asking| !targets.contains(asking));
        } else {
            let route = Route { chat: chat.to_bare(), time, asked: BTreeSet::new(), incomplete: None };
            self.by_author.insert(key.clone(), route);
            self.order.push_back(key);
        }
        for target in targets {
            let authors = self.by_recipient.entry((*target, id.to_owned())).or_default();
            if !authors.contains(&author) {
                authors.push(author);
            }
        }
        while self.order.len() > KEPT {
            let Some(oldest) = self.order.pop_front() else { return };
            self.by_author.remove(&oldest);
            let (author, id) = oldest;
            self.by_recipient.retain(|(_, known), authors| {
                if *known == id {
                    authors.retain(|known| *known != author);
                }
                !authors.is_empty()
            });
        }
    }

    /// A recipient asks for the message again.
    pub(in super::super) fn ask_again(&mut self, author: DeviceId, id: &str, asking: DeviceId) {
        if let Some(route) = self.by_author.get_mut(&(author, id.to_owned())) {
            route.asked.insert(asking);
        }
    }

    /// Notes how far a group message got.
    pub(super) fn set_incomplete(&mut self, author: DeviceId, id: &str, incomplete: Option<Incomplete>) {
        if let Some(route) = self.by_author.get_mut(&(author, id.to_owned())) {
            route.incomplete = incomplete;
        }
    }
}

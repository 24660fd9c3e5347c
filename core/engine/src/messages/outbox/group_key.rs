//! Messages to a group that wait until the service has the one that hands out the group's key.

use whimbrel_wire::Jid;

use super::Outbox;
use super::jobs::{Job, Jobs, Stage, Ticket};

pub(super) struct HandingOut {
    /// The message that hands the key out.
    order: u64,
    waiting: Vec<u64>,
}

impl Outbox {
    /// A message waits until the service has the one that hands out the key of its group.
    pub(in crate::messages) fn wait_for_key(&self, ticket: &Ticket) {
        let mut jobs = self.lock();
        if let Some(job) = jobs.by_order.get_mut(&ticket.order) {
            job.stage = Stage::Waiting;
        }
        match jobs.handing_out.get_mut(&ticket.row.chat) {
            Some(handing_out) => handing_out.waiting.push(ticket.order),
            // The service was quicker with its word than the lane with this: nothing would wake it later.
            None => jobs.line_up(),
        }
    }
}

impl Jobs {
    /// A message that hands out the key of its group has left.
    pub(super) fn hands_out_key(&mut self, chat: Jid, order: u64) {
        self.handing_out.entry(chat).or_insert(HandingOut { order, waiting: Vec::new() }).order = order;
    }

    /// Whether a message waits for the one that hands out the key of its group.
    pub(super) fn waits_for_key(&mut self, ticket: &Ticket) -> bool {
        let Some(handing_out) = self.handing_out.get_mut(&ticket.row.chat) else { return false };
        let on_its_way = |job: &Job| job.stage != Stage::Waiting;
        let waits = handing_out.order != ticket.order
            && self.by_order.get(&handing_out.order).is_some_and(on_its_way);
        if waits {
            handing_out.waiting.push(ticket.order);
        }
        waits
    }

    /// The service said its word on the message that hands out the key of a group, or never will.
    pub(super) fn key_is_out(&mut self, order: u64) {
        let of = |(_, handing_out): &(&Jid, &HandingOut)| handing_out.order == order;
        let Some(chat) = self.handing_out.iter().find(of).map(|(chat, _)| chat.clone()) else { return };
        let mut waiting =
            self.handing_out.remove(&chat).map(|handing_out| handing_out.waiting).unwrap_or_default();
        waiting.sort_unstable();
        waiting.dedup();
        for order in waiting.into_iter().rev() {
            self.ready.push_front(order);
        }
    }
}

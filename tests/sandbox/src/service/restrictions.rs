//! Restrictions of accounts: whom they may not write to, and how they are told (features document
//! §16.3, §16.4).

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use whimbrel_wire::{Jid, Node};

use super::Service;
use super::accounts::{AccountId, DeviceId};
use super::iq::Reply;
use crate::Restriction;
use crate::events::Event;
use crate::stanza::{self, Refusal};

/// Restrictions of an account and their ends, seconds; without an end they last until they are lifted.
pub(super) type Restrictions = BTreeMap<Restriction, Option<u64>>;

impl Service {
    pub(crate) fn restrict(
        &mut self,
        number: &str,
        restriction: Restriction,
        lasts: Option<Duration>,
        announce: bool,
    ) -> bool {
        let until = lasts.map(|lasts| self.now.saturating_add(lasts.as_secs()));
        let Some(id) = self.accounts.by_pn(number) else { return false };
        if let Some(account) = self.accounts.get_mut(id) {
            account.restrictions.insert(restriction, until);
        }
        if announce {
            self.announce_restriction(id, restriction);
        }
        true
    }

    pub(crate) fn lift_restriction(
        &mut self,
        number: &str,
        restriction: Restriction,
        announce: bool,
    ) -> bool {
        let Some(id) = self.accounts.by_pn(number) else { return false };
        if let Some(account) = self.accounts.get_mut(id) {
            account.restrictions.remove(&restriction);
        }
        if announce {
            self.announce_restriction(id, restriction);
        }
        true
    }

    /// With which error a message to a person is refused, if it is the first and the sender is restricted.
    pub(super) fn refused_contact(&self, own: AccountId, recipient: AccountId) -> Option<u16> {
        let account = self.accounts.get(own)?;
        if own == recipient || account.contacts.contains(&recipient) {
            return None;
        }
        let in_force = |(_, until): &(&Restriction, &Option<u64>)| until.is_none_or(|until| until > self.now);
        account.restrictions.iter().find(in_force).map(|(restriction, _)| match restriction {
            Restriction::ReachoutTimelock | Restriction::TokensOnly => 463,
            Restriction::NewChatCap => 475,
        })
    }

    /// How a restriction stands.
    pub(super) fn restriction_state(&self, account: AccountId, restriction: Restriction) -> Value {
        let until = self.accounts.get(account).and_then(|account| account.restrictions.get(&restriction));
        let active = until.is_some_and(|until| until.is_none_or(|until| until > self.now));
        let end = until.copied().flatten().filter(|_| active).map(|until| until.to_string());
        match restriction {
            Restriction::ReachoutTimelock => json!({
                "is_active": active,
                "time_enforcement_ends": end,
                "enforcement_type": active.then_some("DEFAULT"),
            }),
            Restriction::TokensOnly => Value::Null,
            Restriction::NewChatCap => json!({
                "total_quota": "100",
                "used_quota": if active { "100" } else { "50" },
                "cycle_start_timestamp": self.now.to_string(),
                "cycle_end_timestamp": end,
                "server_sent_timestamp": self.now.to_string(),
                "ote_status": "NOT_ELIGIBLE",
                "mv_status": "NOT_ELIGIBLE",
                "capping_status": if active { "CAPPED" } else { "NONE" },
            }),
        }
    }

    /// Somebody reports others: what is said of whom, and which messages go along.
    pub(super) fn spam_report(&mut self, device: DeviceId, request: &Node) -> Result<Reply, Refusal> {
        let list = request.child_named("spam_list").ok_or_else(|| Refusal::code(400))?;
        let (flow, chat) = (stanza::text(list, "spam_flow"), list.attr_jid("jid"));
        let (Some(flow), Some(chat)) = (flow, chat) else { return Err(Refusal::code(400)) };
        let messages: Vec<String> = list.children_named("message").map(stanza::id).collect();
        let raw =
            list.children_named("message").filter(|message| message.child_named("raw").is_some()).count();
        let device = self.accounts.label(device);
        self.log(Event::SpamReported { device, chat: chat.to_string(), flow, messages, raw });
        let id = self.next_id();
        Ok(Reply::Child(Node::new("report_id").text(id)))
    }

    fn announce_restriction(&mut self, account: AccountId, restriction: Restriction) {
        let (name, root) = match restriction {
            // Nobody is told of this one.
            Restriction::TokensOnly => return,
            Restriction::ReachoutTimelock => {
                ("NotificationUserReachoutTimelockUpdate", "xwa2_notify_account_reachout_timelock")
            }
            Restriction::NewChatCap => {
                ("MessageCappingInfoNotification", "xwa2_notify_new_chat_messages_capping_info_update")
            }
        };
        let state = self.restriction_state(account, restriction);
        let json = json!({ "data": { root: state } }).to_string();
        let companions = self.accounts.devices(account).into_iter().filter(|device| device.number != 0);
        for device in companions.collect::<Vec<_>>() {
            let update = Node::new("update").attr("op_name", name).text(json.clone());
            let notification = self.notification("mex", Jid::SERVER).child(update);
            self.push(device, notification);
        }
    }
}

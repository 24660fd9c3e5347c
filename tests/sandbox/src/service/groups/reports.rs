//! Reports to admins, suspensions and locks (features document §2.9).

use serde_json::{Value, json};
use whimbrel_wire::{Jid, Node};

use super::super::Service;
use super::super::accounts::AccountId;
use super::super::mex::Answer;
use super::Actor;
use super::stanza::growth_locked;
use super::state::{Group, Report};
use crate::stanza::{self, Refusal};

/// Whether members report to the admins.
const SWITCH: &str = "allow_admin_reports";

impl Service {
    /// A member reports messages.
    pub(super) fn report_messages(&mut self, actor: Actor, jid: &Jid, asked: &Node) -> Result<Node, Refusal> {
        let now = self.now;
        let group = self.groups.get_mut(jid.user()).ok_or_else(|| Refusal::code(404))?;
        if !group.switches.contains(SWITCH) {
            return Err(Refusal::code(403));
        }
        let named: Vec<String> = asked
            .children_named("report")
            .map(|entry| stanza::text(entry, "message_id"))
            .collect::<Option<_>>()
            .filter(|named: &Vec<String>| !named.is_empty())
            .ok_or_else(|| Refusal::code(400))?;
        let mut answer = Node::new("reports");
        for message in named {
            answer.push_child(Node::new("report").attr("message_id", message.clone()));
            group.reports.push(Report { message, by: actor.account, time: now });
        }
        let admins: Vec<AccountId> = group.members().filter(|member| group.is_admin(*member)).collect();
        self.log_group(jid, "reports", actor.account, &[]);
        self.tell_members(jid, actor.account, actor.device, admins, &Node::new("reports"));
        Ok(answer)
    }

    /// What was reported.
    pub(super) fn reported(&self, group: &Group) -> Node {
        let entries = group.reports.iter().map(|report| {
            Node::new("report")
                .attr("message_id", report.message.clone())
                .attr_opt("reporter", self.accounts.bare(report.by, group.mode()))
                .attr("timestamp", report.time)
        });
        Node::new("reports").children(entries)
    }

    /// Suspends a group, or lifts that.
    pub(crate) fn suspend_group(&mut self, jid: &Jid, on: bool) -> bool {
        let Some(group) = self.groups.get_mut(jid.user()) else { return false };
        group.suspended = on;
        group.appealed &= on;
        self.tell_all(jid, &Node::new(if on { "suspended" } else { "unsuspended" }));
        true
    }

    /// Lets nobody in by the link for some seconds; 0 ends that.
    pub(crate) fn lock_growth(&mut self, jid: &Jid, seconds: u64) -> bool {
        let until = self.now + seconds;
        let Some(group) = self.groups.get_mut(jid.user()) else { return false };
        group.growth_locked = (seconds > 0).then_some(until);
        let told = if seconds > 0 { growth_locked(until) } else { Node::new("growth_unlocked") };
        self.tell_all(jid, &told);
        true
    }

    /// Announces something to all members, in the name of the owner.
    pub(crate) fn tell_all(&mut self, jid: &Jid, child: &Node) {
        let Some(group) = self.groups.find(jid) else { return };
        let (people, creator): (Vec<AccountId>, AccountId) = (group.members().collect(), group.creator);
        self.tell_members(jid, group.owner().unwrap_or(creator), None, people, child);
    }

    /// Somebody asks to lift a suspension.
    pub(super) fn appeal(&mut self, actor: Actor, input: &Value) -> Answer {
        let id = input.get("group_jid").and_then(Value::as_str).ok_or_else(|| Refusal::code(400))?;
        let now = self.now;
        let group = self.groups.get_mut(id).ok_or_else(|| Refusal::code(404))?;
        if !group.is_admin(actor.account) {
            return Err(Refusal::code(403));
        }
        if !group.suspended {
            return Err(Refusal::code(400));
        }
        let again = std::mem::replace(&mut group.appealed, true);
        let code = if again { "APPEAL_ALREADY_EXISTS" } else { "SUCCESS" };
        let answer =
            json!({ "response_code": code, "error_message": null, "appeal_creation_time": now.to_string() });
        Ok(("wa_create_group_suspension_appeal", answer))
    }
}

//! What comes of calls (features document §12.1, §12.4). What carries keys is answered by a receipt,
//! everything else by an ack; keys of calls are not opened, since there are no media.

use whimbrel_wire::{Jid, NodeRef};

use super::events::{CallEnded, CallOffered, CallProgress, CallStep};
use super::stanza::answer;
use crate::events::EventKind;
use crate::messages::{Replies, Unit};
use crate::store::StoreError;

/// Deals with a `<call>`.
pub(crate) fn call(unit: &mut Unit<'_>, node: &NodeRef<'_>, replies: &mut Replies) -> Result<(), StoreError> {
    let (Some(from), Some(action)) = (node.attr_jid("from"), node.first_child()) else {
        replies.ack(node, None);
        return Ok(());
    };
    if let Some(answer) = answer(node, action) {
        replies.push(answer);
    }
    let Some(call_id) = action.attr_text("call-id").filter(|id| !id.is_empty()) else { return Ok(()) };
    let call_id = call_id.into_owned();
    let creator = action.attr_jid("call-creator").unwrap_or_else(|| from.clone());
    let caller = unit.identity_of(&creator)?;
    let timestamp = time(node, unit.now());
    let offline = node.attr_value("offline").is_some();
    let step = match action.tag() {
        tag @ ("offer" | "offer_notice") => {
            let group = action.attr_jid("group-jid").filter(Jid::is_group).map(|group| group.to_bare());
            let video = action.child_named("video").is_some() || action.attr_is("media", "video");
            let several = action.child_named("group_info").is_some() || action.attr_is("type", "group");
            unit.event(EventKind::CallOffered(Box::new(CallOffered {
                call_id,
                caller,
                push_name: text(node, "notify"),
                video,
                is_group: several || group.is_some(),
                group,
                is_notice: tag == "offer_notice",
                offline,
                timestamp,
            })));
            return Ok(());
        }
        "terminate" => {
            let reason = text(action, "reason").unwrap_or_default();
            let is_elsewhere = reason.ends_with("_elsewhere");
            let duration = action.attr_u64("duration").filter(|duration| *duration > 0);
            let own = unit.is_own(&creator.to_account());
            unit.event(EventKind::CallEnded(Box::new(CallEnded {
                call_id,
                caller,
                // Whoever talked ends a call with how long; one that nobody took says nothing of the kind.
                missed: !own && !is_elsewhere && duration.is_none(),
                reason,
                is_elsewhere,
                duration_ms: duration,
                offline,
                timestamp,
            })));
            return Ok(());
        }
        "preaccept" => CallStep::Ringing,
        "accept" => CallStep::Accepted,
        "reject" => CallStep::Rejected,
        "group_update" => CallStep::Changed,
        tag => {
            tracing::debug!(tag, "A step of a call is about its media.");
            return Ok(());
        }
    };
    let who = unit.identity_of(&from)?;
    unit.event(EventKind::CallProgress(CallProgress { call_id, caller, who, step, timestamp }));
    Ok(())
}

fn text(node: &NodeRef<'_>, name: &str) -> Option<String> {
    node.attr_text(name).map(std::borrow::Cow::into_owned).filter(|text| !text.is_empty())
}

fn time(node: &NodeRef<'_>, otherwise: i64) -> i64 {
    node.attr_u64("t").and_then(|time| i64::try_from(time).ok()).unwrap_or(otherwise)
}

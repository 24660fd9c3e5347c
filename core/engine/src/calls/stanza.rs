//! The stanzas of calls (features document §12). Pure.

use whimbrel_wire::{Jid, Node, NodeRef, Server};

/// Answers a step of a call.
pub(super) fn answer(call: &NodeRef<'_>, action: &NodeRef<'_>) -> Option<Node> {
    let id = call.attr_text("id")?.into_owned();
    let from = call.attr_jid("from")?;
    if matches!(action.tag(), "offer" | "accept" | "reject" | "enc_rekey") {
        let about = Node::new(action.tag().to_owned())
            .attr_opt("call-id", action.attr_text("call-id").map(std::borrow::Cow::into_owned))
            .attr_opt("call-creator", action.attr_jid("call-creator"));
        return Some(Node::new("receipt").attr("id", id).attr("to", from).child(about));
    }
    let kind = action.tag().to_owned();
    Some(Node::new("ack").attr("class", "call").attr("id", id).attr("to", from).attr("type", kind))
}

/// Says no to a call.
pub(super) fn reject(id: &str, own: &Jid, caller: &Jid, call_id: &str) -> Node {
    let reject = Node::new("reject")
        .attr("call-id", call_id.to_owned())
        .attr("call-creator", caller)
        .attr("count", "0");
    Node::new("call").attr("from", own).attr("to", caller).attr("id", id.to_owned()).child(reject)
}

/// Asks for a link to a call.
pub(super) fn link_create(id: &str, video: bool, starts_at: Option<i64>) -> Node {
    let event = starts_at.map(|time| Node::new("event").attr("start_time", time.to_string()));
    to_calls(id, Node::new("link_create").attr("media", media(video)).child_opt(event))
}

/// Asks what a link leads to.
pub(super) fn link_query(id: &str, token: &str, video: bool) -> Node {
    to_calls(id, Node::new("link_query").attr("token", token.to_owned()).attr("media", media(video)))
}

fn to_calls(id: &str, action: Node) -> Node {
    Node::new("call").attr("id", id.to_owned()).attr("to", Jid::server_only(Server::Call)).child(action)
}

pub(super) const fn media(video: bool) -> &'static str {
    if video { "video" } else { "audio" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::groups::tests::forms::{comparable, from_json, from_xml, vectors};

    fn theirs(client: &str, operation: &str) -> Node {
        from_json(&vectors("features-requests")["requests"][client][operation]["stanzas"][0])
    }

    #[test]
    fn requests_are_those_of_other_clients() {
        let (own, caller) = (Jid::pn("5511999999999"), Jid::lid("999888777666555"));
        let ours = reject("$MSGID", &own, &caller, "CALLID01");
        assert_eq!(comparable(&ours), comparable(&theirs("whatsmeow", "RejectCall")));
        let link = link_create("$ID", true, Some(1_763_700_000));
        assert_eq!(comparable(&link), comparable(&theirs("baileys", "createCallLink(video,event)")));
        let link = link_create("$ID", false, None);
        assert_eq!(comparable(&link), comparable(&theirs("baileys", "createCallLink(audio)")));
    }

    #[test]
    fn steps_are_answered_as_the_web_client_does() {
        let inbound = vectors("features-requests")["inbound"].clone();
        let mut seen = 0;
        for case in inbound.as_array().unwrap() {
            let stanza = from_xml(case["stanza"].as_str().unwrap());
            if stanza.tag() != "call" {
                continue;
            }
            let expected = from_xml(case["zapo_answer"][0].as_str().unwrap());
            let ours = answer(&stanza, stanza.first_child().unwrap()).unwrap();
            assert_eq!(comparable(&ours), comparable(&expected), "{}", case["name"]);
            seen += 1;
        }
        assert!(seen >= 8, "{seen}");
    }
}

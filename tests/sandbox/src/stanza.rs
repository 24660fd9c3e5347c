//! Reading and making of stanzas, as far as several parts of the service need it alike.

use std::borrow::Cow;

use whimbrel_wire::{AttrValue, Jid, Node};

use crate::faults::Seen;

/// The parts of a stanza that fault rules look at.
pub(crate) fn seen(node: &Node) -> Seen<'_> {
    Seen {
        tag: node.tag(),
        xmlns: plain(node, "xmlns"),
        kind: plain(node, "type"),
        id: plain(node, "id"),
        child: node.first_child().map(|child| child.tag()),
        from: match node.attr_value("from") {
            Some(AttrValue::Jid(from)) => Some(from.user()),
            _ => None,
        },
    }
}

/// Text of an attribute that is no address.
pub(crate) fn plain<'n>(node: &'n Node, key: &str) -> Option<&'n str> {
    match node.attr_value(key)? {
        AttrValue::Text(text) => Some(text.as_str()),
        AttrValue::Jid(_) => None,
    }
}

/// Text of an attribute, an address in its text form.
pub(crate) fn text(node: &Node, key: &str) -> Option<String> {
    node.attr_text(key).map(Cow::into_owned)
}

/// The id, empty if there is none.
pub(crate) fn id(node: &Node) -> String {
    text(node, "id").unwrap_or_default()
}

/// Content of a child, as exactly `N` octets.
pub(crate) fn octets<const N: usize>(node: &Node, child: &str) -> Option<[u8; N]> {
    node.child_bytes(child)?.try_into().ok()
}

/// A big-endian number of up to four octets in a child.
pub(crate) fn number(node: &Node, child: &str) -> Option<u32> {
    let bytes = node.child_bytes(child)?;
    if bytes.is_empty() || bytes.len() > 4 {
        return None;
    }
    Some(bytes.iter().fold(0, |value, byte| value << 8 | u32::from(*byte)))
}

/// The answer to a request: its `from` mirrors where the request went.
pub(crate) fn result(request: &Node) -> Node {
    answer(request, "result")
}

/// The refusal of a request.
pub(crate) fn error(request: &Node, refusal: &Refusal) -> Node {
    let error = Node::new("error")
        .attr("code", refusal.code)
        .attr("text", refusal.text.clone())
        .attr_opt("backoff", refusal.backoff);
    answer(request, "error").child(error)
}

fn answer(request: &Node, kind: &'static str) -> Node {
    Node::new("iq")
        .attr("id", id(request))
        .attr("type", kind)
        .attr("from", request.attr_jid("to").unwrap_or(Jid::SERVER))
}

/// Why a stanza is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: u16,
    pub(crate) text: String,
    pub(crate) backoff: Option<u32>,
}

impl Refusal {
    /// A refusal with the usual text of its code (transport document §6.9).
    pub(crate) fn code(code: u16) -> Self {
        let text = match code {
            400 => "bad-request",
            401 => "not-authorized",
            403 => "forbidden",
            404 => "item-not-found",
            405 => "not-allowed",
            406 => "not-acceptable",
            409 => "conflict",
            410 => "gone",
            419 => "resource-limit",
            423 => "locked",
            429 => "rate-overlimit",
            500 => "internal-server-error",
            501 => "feature-not-implemented",
            503 => "service-unavailable",
            530 => "partial-server-error",
            _ => "error",
        };
        Self { code, text: text.to_owned(), backoff: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_from_where_the_request_went() {
        let request = Node::new("iq").attr("id", "7.8-1").attr("to", Jid::GROUPS).attr("type", "get");
        assert_eq!(result(&request).to_string(), r#"<iq id="7.8-1" type="result" from=J:"g.us"/>"#);
        assert_eq!(
            error(&request, &Refusal::code(404)).to_string(),
            r#"<iq id="7.8-1" type="error" from=J:"g.us"><error code="404" text="item-not-found"/></iq>"#
        );
    }

    #[test]
    fn numbers_are_big_endian_and_short() {
        let node = Node::new("x")
            .child(Node::new("id").bytes(vec![0, 1, 2]))
            .child(Node::new("no").bytes(vec![0; 5]));
        assert_eq!(number(&node, "id"), Some(258));
        assert_eq!(number(&node, "no"), None);
        assert_eq!(octets::<3>(&node, "id"), Some([0, 1, 2]));
        assert_eq!(octets::<4>(&node, "id"), None);
    }
}

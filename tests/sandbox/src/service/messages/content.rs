//! What a stanza says about a content that the service cannot read: by it messages are routed, and
//! refused (messages document §3, §17).

use whimbrel_wire::Node;

use super::super::{Service, StreamId};
use super::{MessageError, Outbound};
use crate::stanza;

/// The types that there are.
const TYPES: [&str; 7] = ["text", "media", "poll", "reaction", "event", "pay", "medianotify"];
/// Media types of answers, which must have no child `<biz>`.
const ANSWERS: [&str; 3] = ["native_flow_response", "list_response", "buttons_response"];

impl Service {
    /// Looks at the attributes that depend on the content.
    pub(super) fn check_content(
        &mut self,
        stream: StreamId,
        message: &Outbound<'_>,
    ) -> Result<(), MessageError> {
        let node = message.node;
        let kind = stanza::plain(node, "type").unwrap_or_default();
        let encs = message.copies.iter().flat_map(|(_, encs)| encs.iter()).chain(message.bare.iter());
        let mediatypes: Vec<&str> = encs.filter_map(|enc| stanza::plain(enc, "mediatype")).collect();
        let has_biz = node.child_named("biz").is_some();
        let is_peer = node.attr_is("category", "peer");
        let wrong = if !TYPES.contains(&kind) {
            Some("type of a message")
        } else if kind == "media" && mediatypes.is_empty() {
            // The live service drops these in silence, which no test would notice.
            Some("media without a media type")
        } else if has_biz && (kind != "text" || !mediatypes.is_empty()) {
            Some("interactive content that is no text")
        } else if has_biz && mediatypes.iter().any(|kind| ANSWERS.contains(kind)) {
            Some("interactive child of an answer")
        } else if is_peer
            && (node.child_named("reporting").is_some() || node.child_named("tctoken").is_some())
        {
            Some("token of a message between own devices")
        } else {
            None
        };
        match wrong {
            Some(what) if self.find_fault(Some(message.sender), stream, what, message.id.clone()) => Err(479),
            _ => Ok(()),
        }
    }
}

/// Whether an administrator takes another member's message back.
pub(super) fn is_admin_revoke(node: &Node) -> bool {
    node.attr_is("edit", "8")
}

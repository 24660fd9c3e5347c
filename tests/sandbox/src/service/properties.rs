//! The table of properties by which the service steers clients (features document §15.1).

use whimbrel_wire::Node;

use crate::stanza;

/// The hash of the (empty) table of server properties.
const PROPS_HASH: &str = "sandbox-1";

/// Server properties: none, so clients keep their defaults.
pub(super) fn props(request: &Node) -> Node {
    let hash = request.child_named("props").and_then(|props| stanza::text(props, "hash"));
    let props = Node::new("props")
        .attr("protocol", "1")
        .attr("ab_key", "sandbox")
        .attr("hash", PROPS_HASH)
        .attr("refresh", "86400")
        .attr("refresh_id", "1");
    props.attr("delta_update", hash.as_deref() == Some(PROPS_HASH))
}

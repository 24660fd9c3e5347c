//! The table of properties by which the service steers clients (features document §15.1).

use std::collections::BTreeMap;

use whimbrel_wire::Node;

use super::Service;
use crate::stanza;

/// The table: at first empty, so that clients keep their defaults.
#[derive(Debug, Default)]
pub(super) struct Properties {
    values: BTreeMap<u32, String>,
    changes: u64,
}

impl Properties {
    /// Whether a property is set to something that means yes.
    pub(super) fn is_on(&self, code: u32) -> bool {
        self.values.get(&code).is_some_and(|value| matches!(value.as_str(), "1" | "true"))
    }

    /// Who has the table already is told just that.
    pub(super) fn answer(&self, request: &Node) -> Node {
        let known = request.child_named("props").and_then(|props| stanza::text(props, "hash"));
        let hash = format!("sandbox-{}", self.changes);
        let same = known.as_deref() == Some(hash.as_str());
        let props = Node::new("props")
            .attr("protocol", "1")
            .attr("ab_key", "sandbox")
            .attr("hash", hash)
            .attr("refresh", "86400")
            .attr("refresh_id", "1")
            .attr("delta_update", same);
        let values = self.values.iter().filter(|_| !same).map(|(code, value)| {
            Node::new("prop").attr("config_code", *code).attr("config_value", value.clone())
        });
        props.children(values)
    }
}

impl Service {
    /// Sets a property for all clients that ask from now on.
    pub(crate) fn set_property(&mut self, code: u32, value: &str) {
        self.properties.values.insert(code, value.to_owned());
        self.properties.changes += 1;
    }
}

//! The question for properties and its answer. Pure.

use std::collections::BTreeMap;

use whimbrel_wire::{Jid, Node, NodeRef};

use super::Property;

/// What the service answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) hash: Option<String>,
    pub(super) refresh_id: Option<String>,
    /// After so many seconds they are to be asked for again.
    pub(super) refresh: Option<i64>,
    /// What is not among them stays as it was.
    pub(super) delta: bool,
    /// There is no table in it: it is the one that is known.
    pub(super) unchanged: bool,
    /// Those that this engine heeds.
    pub(super) values: BTreeMap<u32, String>,
}

/// Asks for the properties. `hash`, `refresh_id`: of those that are known.
pub(super) fn ask(hash: Option<String>, refresh_id: Option<String>) -> Node {
    let props =
        Node::new("props").attr("protocol", "1").attr_opt("hash", hash).attr_opt("refresh_id", refresh_id);
    Node::new("iq").attr("to", Jid::SERVER).attr("type", "get").attr("xmlns", "abt").child(props)
}

/// Reads the answer.
pub(super) fn answer(node: &NodeRef<'_>) -> Option<Answer> {
    let props = node.child_named("props")?;
    let text = |node: &NodeRef<'_>, name: &str| node.attr_text(name).map(std::borrow::Cow::into_owned);
    let values = props.children_named("prop").filter_map(|prop| {
        let code = prop.attr_u32("config_code").or_else(|| prop.attr_u32("name"))?;
        let value = text(prop, "config_value").or_else(|| text(prop, "value"))?;
        Property::is_heeded(code).then_some((code, value))
    });
    Some(Answer {
        hash: text(props, "hash"),
        refresh_id: text(props, "refresh_id"),
        refresh: text(props, "refresh").and_then(|seconds| seconds.parse().ok()),
        delta: props.attr_true("delta_update"),
        unchanged: props.child_named("prop").is_none(),
        values: values.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_names_what_is_known() {
        let node = ask(Some("h".into()), Some("3".into()));
        let props = node.child_named("props").unwrap();
        assert!(node.attr_is("xmlns", "abt") && props.attr_is("protocol", "1"));
        assert!(props.attr_is("hash", "h") && props.attr_is("refresh_id", "3"));
        assert!(ask(None, None).child_named("props").unwrap().attr_value("hash").is_none());
    }

    #[test]
    fn only_what_is_heeded_is_read_in_both_spellings() {
        let prop = |code: u32, value: &'static str| {
            Node::new("prop").attr("config_code", code).attr("config_value", value)
        };
        let event = Node::new("prop").attr("event_code", "5").attr("sampling_weight", "1");
        let other = Node::new("prop").attr("name", "909").attr("value", "3");
        let props = Node::new("props").attr("hash", "h").attr("refresh", "600").attr("delta_update", "true");
        let props = props.children([prop(865, "60"), prop(7, "x"), event, other]);
        let read = answer(&Node::new("iq").child(props)).unwrap();
        assert_eq!(read.values, [(865, "60".to_owned()), (909, "3".to_owned())].into());
        assert!(read.delta && !read.unchanged && read.refresh == Some(600));
        assert!(answer(&Node::new("iq").child(Node::new("props"))).unwrap().unchanged);
        assert_eq!(answer(&Node::new("iq")), None);
    }
}

//! Reading nodes.
//!
//! `attr_…` and `child…` return nothing for what is absent or unusable; `require_…` say what is missing,
//! for stanzas that make no sense without it.

use super::{AttrValue, Content, NodeRef};
use crate::jid::Jid;
use std::borrow::Cow;

/// Why a stanza cannot be used: names the node and the part, never a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// An attribute that must be there is not, or is empty.
    #[error("<{tag}> has no attribute {attr}")]
    MissingAttr {
        /// Tag of the node.
        tag: String,
        /// Name of the attribute.
        attr: String,
    },
    /// An attribute does not hold what it must.
    #[error("attribute {attr} of <{tag}> is not {expected}")]
    BadAttr {
        /// Tag of the node.
        tag: String,
        /// Name of the attribute.
        attr: String,
        /// What it should be, for people.
        expected: &'static str,
    },
    /// A child that must be there is not.
    #[error("<{tag}> has no child <{child}>")]
    MissingChild {
        /// Tag of the node.
        tag: String,
        /// Tag of the missing child.
        child: String,
    },
    /// The content is not what it must be.
    #[error("the content of <{tag}> is not {expected}")]
    BadContent {
        /// Tag of the node.
        tag: String,
        /// What it should be, for people.
        expected: &'static str,
    },
    /// Another node than the one to read.
    #[error("<{found}> stands where <{expected}> should")]
    WrongTag {
        /// Tag that should be there.
        expected: String,
        /// Tag that is there.
        found: String,
    },
}

/// Longest tag that an error repeats, in characters: tags come from the other side.
const SHOWN_TAG: usize = 32;

fn shown(tag: &str) -> String {
    tag.chars().take(SHOWN_TAG).flat_map(char::escape_debug).collect()
}

impl<'a> NodeRef<'a> {
    /// The value of an attribute.
    #[inline]
    pub fn attr_value(&self, key: &str) -> Option<&AttrValue<'a>> {
        self.attrs.iter().rev().find(|attr| attr.key == key).map(|attr| &attr.value)
    }

    /// The text of an attribute; a JID is rendered as `user@server`.
    pub fn attr_text(&self, key: &str) -> Option<Cow<'_, str>> {
        self.attr_value(key).map(AttrValue::as_text)
    }

    /// Whether an attribute is there and has this text. Compares without allocating unless the value is a
    /// JID.
    pub fn attr_is(&self, key: &str, text: &str) -> bool {
        match self.attr_value(key) {
            Some(AttrValue::Text(value)) => *value == text,
            Some(AttrValue::Jid(jid)) => jid.to_string() == text,
            None => false,
        }
    }

    /// The address in an attribute, whether it came as a JID or as text.
    pub fn attr_jid(&self, key: &str) -> Option<Jid> {
        self.attr_value(key)?.to_jid()
    }

    /// The number in an attribute.
    pub fn attr_u64(&self, key: &str) -> Option<u64> {
        match self.attr_value(key)? {
            AttrValue::Text(text) => decimal(text),
            AttrValue::Jid(_) => None,
        }
    }

    /// The number in an attribute, if 32 bits hold it.
    pub fn attr_u32(&self, key: &str) -> Option<u32> {
        u32::try_from(self.attr_u64(key)?).ok()
    }

    /// Whether an attribute is there and says `true`.
    pub fn attr_true(&self, key: &str) -> bool {
        self.attr_is(key, "true")
    }

    /// The first child with this tag.
    pub fn child_named(&self, tag: &str) -> Option<&NodeRef<'a>> {
        self.child_nodes().iter().find(|child| child.tag == tag)
    }

    /// All children with this tag.
    pub fn children_named<'n>(&'n self, tag: &'n str) -> impl Iterator<Item = &'n NodeRef<'a>> {
        self.child_nodes().iter().filter(move |child| child.tag == tag)
    }

    /// All children.
    #[inline]
    pub fn child_nodes(&self) -> &[NodeRef<'a>] {
        match &self.content {
            Content::Nodes(nodes) => nodes,
            _ => &[],
        }
    }

    /// The first child, whatever its tag.
    pub fn first_child(&self) -> Option<&NodeRef<'a>> {
        self.child_nodes().first()
    }

    /// The bytes between the tags.
    #[inline]
    pub fn content_bytes(&self) -> Option<&[u8]> {
        match &self.content {
            Content::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The bytes between the tags as text.
    pub fn content_text(&self) -> Option<&str> {
        self.content_bytes().and_then(|bytes| std::str::from_utf8(bytes).ok())
    }

    /// The bytes of the first child with this tag.
    pub fn child_bytes(&self, tag: &str) -> Option<&[u8]> {
        self.child_named(tag)?.content_bytes()
    }

    /// The text of the first child with this tag.
    pub fn child_text(&self, tag: &str) -> Option<&str> {
        self.child_named(tag)?.content_text()
    }

    /// Refuses any other tag.
    pub fn require_tag(&self, tag: &str) -> Result<(), NodeError> {
        if self.tag == tag {
            return Ok(());
        }
        Err(NodeError::WrongTag { expected: String::from(tag), found: shown(&self.tag) })
    }

    /// The text of an attribute that must be there and not be empty.
    pub fn require_text(&self, key: &str) -> Result<Cow<'_, str>, NodeError> {
        self.require_value(key).map(AttrValue::as_text)
    }

    /// The address in an attribute that must be there.
    pub fn require_jid(&self, key: &str) -> Result<Jid, NodeError> {
        self.require_value(key)?.to_jid().ok_or_else(|| self.bad_attr(key, "a JID"))
    }

    /// The number in an attribute that must be there.
    pub fn require_u64(&self, key: &str) -> Result<u64, NodeError> {
        self.require_value(key)?;
        self.attr_u64(key).ok_or_else(|| self.bad_attr(key, "a number"))
    }

    /// The number in an attribute that must be there, at most 32 bits.
    pub fn require_u32(&self, key: &str) -> Result<u32, NodeError> {
        self.require_value(key)?;
        self.attr_u32(key).ok_or_else(|| self.bad_attr(key, "a 32-bit number"))
    }

    /// The first child with this tag, which must be there.
    pub fn require_child(&self, tag: &str) -> Result<&NodeRef<'a>, NodeError> {
        self.child_named(tag)
            .ok_or_else(|| NodeError::MissingChild { tag: shown(&self.tag), child: String::from(tag) })
    }

    /// The bytes between the tags, which must be there.
    pub fn require_bytes(&self) -> Result<&[u8], NodeError> {
        self.content_bytes().ok_or_else(|| self.bad_content("bytes"))
    }

    /// The bytes between the tags, which must be there and exactly `N`.
    pub fn require_array<const N: usize>(&self) -> Result<&[u8; N], NodeError> {
        self.require_bytes()?.try_into().map_err(|_| self.bad_content("of the right length"))
    }

    /// The text between the tags, which must be there.
    pub fn require_content_text(&self) -> Result<&str, NodeError> {
        self.content_text().ok_or_else(|| self.bad_content("text"))
    }

    /// An error that says what an attribute of this node should have been.
    pub fn bad_attr(&self, key: &str, expected: &'static str) -> NodeError {
        NodeError::BadAttr { tag: shown(&self.tag), attr: String::from(key), expected }
    }

    /// An error that says what the content of this node should have been.
    pub fn bad_content(&self, expected: &'static str) -> NodeError {
        NodeError::BadContent { tag: shown(&self.tag), expected }
    }

    fn require_value(&self, key: &str) -> Result<&AttrValue<'a>, NodeError> {
        match self.attr_value(key) {
            Some(AttrValue::Text(text)) if text.is_empty() => {}
            Some(value) => return Ok(value),
            None => {}
        }
        Err(NodeError::MissingAttr { tag: shown(&self.tag), attr: String::from(key) })
    }
}

/// Plain decimal: unlike `str::parse`, no `+`.
fn decimal(text: &str) -> Option<u64> {
    if text.starts_with('+') { None } else { text.parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Node;

    fn stanza() -> Node {
        Node::new("iq")
            .attr("from", "123:4@lid")
            .attr("to", Jid::pn("9"))
            .attr("t", 1_795_168_800_u64)
            .attr("sum", "+5")
            .attr("big", "4294967296")
            .attr("empty", "")
            .attr("ok", true)
            .child(Node::new("a").bytes(vec![1, 2]))
            .child(Node::new("b").text("hé"))
            .child(Node::new("a"))
    }

    #[test]
    fn attributes_read_in_the_wanted_type() {
        let node = stanza();
        assert_eq!(node.attr_text("to").as_deref(), Some("9@s.whatsapp.net"));
        assert!(node.attr_is("to", "9@s.whatsapp.net") && !node.attr_is("none", ""));
        assert_eq!(node.attr_jid("from"), Some(Jid::lid("123").with_device(4)));
        assert_eq!(node.attr_jid("to"), Some(Jid::pn("9")));
        assert_eq!((node.attr_jid("t"), node.attr_jid("empty")), (None, None));
        assert_eq!(
            (node.attr_u64("t"), node.attr_u64("sum"), node.attr_u64("to")),
            (Some(1_795_168_800), None, None)
        );
        assert_eq!((node.attr_u32("big"), node.attr_u64("big")), (None, Some(1 << 32)));
        assert!(node.attr_true("ok") && !node.attr_true("t"));
    }

    #[test]
    fn children_are_found_by_tag() {
        let node = stanza();
        assert_eq!(node.child_bytes("a"), Some(&[1, 2][..]));
        assert_eq!(node.child_text("b"), Some("hé"));
        assert_eq!(node.children_named("a").count(), 2);
        assert_eq!(node.first_child().map(NodeRef::tag), Some("a"));
        assert!(node.child_named("c").is_none() && Node::new("x").child_nodes().is_empty());
    }

    #[test]
    fn errors_name_the_node_and_the_part() {
        let node = stanza();
        for (error, text) in [
            (node.require_text("id").unwrap_err(), "<iq> has no attribute id"),
            (node.require_text("empty").unwrap_err(), "<iq> has no attribute empty"),
            (node.require_jid("t").unwrap_err(), "attribute t of <iq> is not a JID"),
            (node.require_u64("sum").unwrap_err(), "attribute sum of <iq> is not a number"),
            (node.require_u32("big").unwrap_err(), "attribute big of <iq> is not a 32-bit number"),
            (node.require_child("c").unwrap_err(), "<iq> has no child <c>"),
            (node.require_bytes().unwrap_err(), "the content of <iq> is not bytes"),
            (node.require_tag("ack").unwrap_err(), "<iq> stands where <ack> should"),
        ] {
            assert_eq!(error.to_string(), text);
        }
        let a = node.require_child("a").unwrap();
        assert_eq!(a.require_array::<2>(), Ok(&[1, 2]));
        assert_eq!(
            a.require_array::<3>().unwrap_err().to_string(),
            "the content of <a> is not of the right length"
        );
    }

    #[test]
    fn a_hostile_tag_does_not_fill_the_log() {
        let node = Node::new("\n".repeat(1000));
        let error = node.require_bytes().unwrap_err().to_string();
        assert!(error.len() < 120 && !error.contains('\n'), "{error}");
    }

    #[test]
    fn owned_copies_are_equal() {
        let name = "x".repeat(40);
        let node = NodeRef::new(name.as_str()).attr(&name, &name).child(NodeRef::new("c").text(&name));
        let owned: Node = node.to_node();
        assert_eq!(owned, node);
    }
}

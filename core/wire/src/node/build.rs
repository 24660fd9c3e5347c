//! Building nodes.

use super::{Attr, AttrValue, Content, NodeRef};
use crate::text::Text;
use std::borrow::Cow;

impl<'a> NodeRef<'a> {
    /// A node with neither attributes nor content.
    #[inline]
    pub fn new(tag: impl Into<Text<'a>>) -> Self {
        NodeRef { tag: tag.into(), attrs: Vec::new(), content: Content::None }
    }

    /// Sets an attribute. A key that is there already keeps its place and takes the new value.
    #[must_use]
    #[inline]
    pub fn attr(mut self, key: impl Into<Text<'a>>, value: impl Into<AttrValue<'a>>) -> Self {
        self.set_attr(key, value);
        self
    }

    /// Sets an attribute if there is a value for it.
    #[must_use]
    pub fn attr_opt(self, key: impl Into<Text<'a>>, value: Option<impl Into<AttrValue<'a>>>) -> Self {
        match value {
            Some(value) => self.attr(key, value),
            None => self,
        }
    }

    /// Adds a child; bytes that stood there are replaced.
    #[must_use]
    #[inline]
    pub fn child(mut self, child: NodeRef<'a>) -> Self {
        self.push_child(child);
        self
    }

    /// Adds a child if there is one.
    #[must_use]
    pub fn child_opt(self, child: Option<NodeRef<'a>>) -> Self {
        match child {
            Some(child) => self.child(child),
            None => self,
        }
    }

    /// Adds children; of no children nothing changes.
    #[must_use]
    pub fn children(mut self, children: impl IntoIterator<Item = NodeRef<'a>>) -> Self {
        for child in children {
            self.push_child(child);
        }
        self
    }

    /// Makes bytes the content; children that stood there are replaced.
    #[must_use]
    #[inline]
    pub fn bytes(mut self, bytes: impl Into<Cow<'a, [u8]>>) -> Self {
        self.content = Content::Bytes(bytes.into());
        self
    }

    /// Makes text the content, which the wire carries as UTF-8 bytes.
    #[must_use]
    pub fn text(self, text: impl Into<Cow<'a, str>>) -> Self {
        match text.into() {
            Cow::Borrowed(text) => self.bytes(text.as_bytes()),
            Cow::Owned(text) => self.bytes(text.into_bytes()),
        }
    }

    /// Sets an attribute in place, like [`NodeRef::attr`].
    pub fn set_attr(&mut self, key: impl Into<Text<'a>>, value: impl Into<AttrValue<'a>>) {
        let (key, value) = (key.into(), value.into());
        match self.attrs.iter_mut().find(|attr| attr.key == key) {
            Some(attr) => attr.value = value,
            None => {
                if self.attrs.capacity() == 0 {
                    self.attrs.reserve_exact(6);
                }
                self.attrs.push(Attr { key, value });
            }
        }
    }

    /// Removes an attribute; without it nothing changes.
    pub fn remove_attr(&mut self, key: &str) {
        self.attrs.retain(|attr| attr.key != key);
    }

    /// Adds a child in place, like [`NodeRef::child`].
    pub fn push_child(&mut self, child: NodeRef<'a>) {
        match &mut self.content {
            Content::Nodes(nodes) => nodes.push(child),
            content => *content = Content::Nodes(vec![child]),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Content, Jid, Node};

    #[test]
    fn a_key_is_never_repeated() {
        let node = Node::new("iq").attr("id", "1").attr("type", "get").attr("id", "2");
        assert_eq!(node.attrs().len(), 2);
        assert_eq!(node.to_string(), r#"<iq id="2" type="get"/>"#);
    }

    #[test]
    fn optional_parts_appear_only_with_a_value() {
        let node = Node::new("ack")
            .attr_opt("participant", None::<Jid>)
            .attr_opt("id", Some("7"))
            .child_opt(None)
            .child_opt(Some(Node::new("meta")));
        assert_eq!(node.to_string(), r#"<ack id="7"><meta/></ack>"#);
    }

    #[test]
    fn no_children_are_no_content() {
        assert_eq!(Node::new("list").children([]).content(), &Content::None);
    }

    #[test]
    fn values_of_every_type_have_their_text() {
        let node = Node::new("x")
            .attr("a", 7_u64)
            .attr("b", true)
            .attr("c", -3_i64)
            .attr("d", "t".to_owned())
            .attr("e", &Jid::STATUS)
            .attr("f", 5_u16);
        assert_eq!(node.to_string(), r#"<x a="7" b="true" c="-3" d="t" e=J:"status@broadcast" f="5"/>"#);
    }

    #[test]
    fn attributes_and_children_change_in_place() {
        let mut node = Node::new("x").attr("a", "1").attr("b", "2").bytes(vec![1]);
        node.remove_attr("a");
        node.push_child(Node::new("y").text("hey"));
        assert_eq!(node.to_string(), r#"<x b="2"><y>686579</y></x>"#);
    }
}

//! The stanza tree: tag, attributes, children or bytes (transport document §3.1).

mod build;
mod read;
mod show;
mod value;

pub use read::NodeError;
pub use value::AttrValue;

use crate::text::Text;
use std::borrow::Cow;

/// A stanza or part of one, which may borrow text and bytes from the frame it was read from or from the
/// caller who builds it.
///
/// ```
/// use whimbrel_wire::{Jid, Node};
///
/// let ping = Node::new("iq").attr("id", "28415.3917-1").attr("to", Jid::SERVER).attr("type", "get");
/// assert!(ping.attr_is("type", "get"));
/// assert_eq!(ping.to_string(), r#"<iq id="28415.3917-1" to=J:"s.whatsapp.net" type="get"/>"#);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct NodeRef<'a> {
    tag: Text<'a>,
    attrs: Vec<Attr<'a>>,
    content: Content<'a>,
}

/// A stanza that owns everything it holds.
pub type Node = NodeRef<'static>;

/// One attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attr<'a> {
    /// Its name.
    pub key: Text<'a>,
    /// Its value.
    pub value: AttrValue<'a>,
}

/// What stands between the tags.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Content<'a> {
    /// Nothing.
    #[default]
    None,
    /// Child nodes.
    Nodes(Vec<NodeRef<'a>>),
    /// Bytes; text content is UTF-8.
    Bytes(Cow<'a, [u8]>),
}

impl<'a> NodeRef<'a> {
    /// What the decoder starts from; a node without a tag never leaves this crate.
    pub(crate) const EMPTY: Self = NodeRef { tag: Text::EMPTY, attrs: Vec::new(), content: Content::None };

    #[inline]
    pub(crate) fn parts_mut(&mut self) -> (&mut Text<'a>, &mut Vec<Attr<'a>>, &mut Content<'a>) {
        (&mut self.tag, &mut self.attrs, &mut self.content)
    }

    pub(crate) fn tag_text(&self) -> &Text<'a> {
        &self.tag
    }

    /// The tag.
    #[inline]
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// The attributes in the order they were written. A frame may repeat a key; then the last one counts,
    /// which is what the `attr_…` readers return.
    #[inline]
    pub fn attrs(&self) -> &[Attr<'a>] {
        &self.attrs
    }

    /// What stands between the tags.
    #[inline]
    pub fn content(&self) -> &Content<'a> {
        &self.content
    }

    /// Takes the content out.
    pub fn into_content(self) -> Content<'a> {
        self.content
    }

    /// The same node, borrowing nothing.
    pub fn into_owned(self) -> Node {
        NodeRef {
            tag: self.tag.into_owned(),
            attrs: self.attrs.into_iter().map(Attr::into_owned).collect(),
            content: self.content.into_owned(),
        }
    }

    /// A copy that borrows nothing.
    pub fn to_node(&self) -> Node {
        self.clone().into_owned()
    }
}

impl Attr<'_> {
    pub(crate) const EMPTY: Self = Attr { key: Text::EMPTY, value: AttrValue::EMPTY };

    fn into_owned(self) -> Attr<'static> {
        Attr { key: self.key.into_owned(), value: self.value.into_owned() }
    }
}

impl Content<'_> {
    fn into_owned(self) -> Content<'static> {
        match self {
            Content::None => Content::None,
            Content::Nodes(nodes) => Content::Nodes(nodes.into_iter().map(NodeRef::into_owned).collect()),
            Content::Bytes(bytes) => Content::Bytes(Cow::Owned(bytes.into_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_stay_small() {
        assert!(size_of::<Attr<'_>>() <= 56, "{}", size_of::<Attr<'_>>());
        assert!(size_of::<NodeRef<'_>>() <= 80, "{}", size_of::<NodeRef<'_>>());
    }
}

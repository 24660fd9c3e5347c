//! Nodes in XML shape, for logs.

use super::{Attr, AttrValue, Content, NodeRef};
use crate::codec::MAX_DEPTH;
use std::fmt::{self, Write as _};

/// Longest content that is shown. Keys, ciphertext and messages are longer.
const SHOWN_BYTES: usize = 4;
/// Longest attribute value that is shown in full, in characters.
const SHOWN_TEXT: usize = 128;

impl fmt::Display for NodeRef<'_> {
    /// One line of XML shape. JID values are marked `J:`; content beyond a few bytes is only counted, since
    /// it may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(self, f, 1)
    }
}

impl fmt::Debug for NodeRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for Content<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show_content(self, f, 1)
    }
}

fn show(node: &NodeRef<'_>, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
    f.write_char('<')?;
    show_text(node.tag(), f)?;
    for Attr { key, value } in node.attrs() {
        f.write_char(' ')?;
        show_text(key, f)?;
        f.write_str(if matches!(value, AttrValue::Jid(_)) { "=J:\"" } else { "=\"" })?;
        show_text(&value.as_text(), f)?;
        f.write_char('"')?;
    }
    if *node.content() == Content::None {
        return f.write_str("/>");
    }
    f.write_char('>')?;
    show_content(node.content(), f, depth)?;
    f.write_str("</")?;
    show_text(node.tag(), f)?;
    f.write_char('>')
}

fn show_content(content: &Content<'_>, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
    match content {
        Content::None => Ok(()),
        // Decoded nodes never get here; a deeper one can only have been built by hand.
        Content::Nodes(_) if depth >= MAX_DEPTH => f.write_char('…'),
        Content::Nodes(nodes) => nodes.iter().try_for_each(|child| show(child, f, depth + 1)),
        Content::Bytes(bytes) if bytes.len() > SHOWN_BYTES => write!(f, "[{} bytes]", bytes.len()),
        Content::Bytes(bytes) => bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}")),
    }
}

fn show_text(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut characters = text.chars();
    for character in characters.by_ref().take(SHOWN_TEXT) {
        match character {
            '<' => f.write_str("&lt;")?,
            '"' => f.write_str("&quot;")?,
            '\'' => f.write_char('\'')?,
            other => write!(f, "{}", other.escape_debug())?,
        }
    }
    if characters.next().is_some() { f.write_char('…') } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use crate::{Jid, Node};

    #[test]
    fn secrets_in_content_are_counted_and_not_shown() {
        let node = Node::new("a")
            .child(Node::new("key").bytes(vec![0x41; 32]))
            .child(Node::new("id").bytes(vec![0, 1, 2]));
        assert_eq!(format!("{node:?}"), "<a><key>[32 bytes]</key><id>000102</id></a>");
    }

    #[test]
    fn hostile_text_stays_on_one_short_line() {
        let node = Node::new("x").attr("name", "\"<\n\u{1b}[31m").attr("long", "y".repeat(5000));
        let shown = node.to_string();
        assert!(shown.starts_with(r#"<x name="&quot;&lt;\n\u{1b}[31m" long="yyy"#), "{shown}");
        assert!(shown.len() < 250 && shown.ends_with("…\"/>"), "{shown}");
    }

    #[test]
    fn a_tower_of_nodes_is_cut() {
        let tower = (0..1000).fold(Node::new("t"), |inner, _| Node::new("t").child(inner));
        assert!(tower.to_string().len() < 2000);
        assert_eq!(Node::new("to").attr("j", Jid::SERVER).to_string(), r#"<to j=J:"s.whatsapp.net"/>"#);
    }
}

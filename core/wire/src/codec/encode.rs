//! From nodes to bytes, in the canonical form (transport document §3.5).

use super::{
    FLAG_COMPRESSED, MAX_DEPTH, MAX_INFLATED, domain,
    packed::{Alphabet, pack},
    server_token, tag, zlib,
};
use crate::{
    jid::{Jid, Server},
    node::{AttrValue, Content, NodeRef},
    tokens::{self, Code},
};

/// Why a node cannot be written. Only nodes that no decoder would accept are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// A tag, key or user of a device is empty.
    #[error("a tag, key or part of a JID is empty")]
    MissingValue,
    /// A node has more attributes or children than a list can count.
    #[error("a list has more than 65535 items")]
    ListTooLong,
    /// Text or bytes are longer than their length can say.
    #[error("a value is longer than 4 GiB")]
    ValueTooLong,
    /// Nodes are nested too deeply.
    #[error("nodes are nested too deeply")]
    Depth,
    /// A device number that addresses of this server cannot have.
    #[error("a JID has a device that its server does not allow")]
    Device,
    /// The node is larger than what the other side inflates.
    #[error("the node is too large to be compressed")]
    TooLarge,
    /// The compressor failed.
    #[error("the compressor failed")]
    Compressor,
}

/// Appends the plaintext of a frame: the flag byte and the node. On an error `out` is as it was.
pub fn encode(node: &NodeRef<'_>, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let start = out.len();
    out.push(0);
    let result = write_node(node, out, 1);
    if result.is_err() {
        out.truncate(start);
    }
    result
}

/// Appends the plaintext of a frame with the node compressed. Not every client reads such frames in order,
/// so this is for those who know their peer. On an error `out` is as it was.
pub fn encode_compressed(node: &NodeRef<'_>, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let mut body = Vec::new();
    write_node(node, &mut body, 1)?;
    if body.len() > MAX_INFLATED {
        return Err(EncodeError::TooLarge);
    }
    let start = out.len();
    out.push(FLAG_COMPRESSED);
    zlib::deflate(&body, out).map_err(|_| {
        out.truncate(start);
        EncodeError::Compressor
    })
}

fn write_node(node: &NodeRef<'_>, out: &mut Vec<u8>, depth: usize) -> Result<(), EncodeError> {
    if depth > MAX_DEPTH {
        return Err(EncodeError::Depth);
    }
    let content = node.content();
    write_list(1 + 2 * node.attrs().len() + usize::from(*content != Content::None), out)?;
    write_name(node.tag_text().as_bytes(), out)?;
    for attr in node.attrs() {
        write_name(attr.key.as_bytes(), out)?;
        match &attr.value {
            AttrValue::Text(text) => write_text(text.as_bytes(), out)?,
            AttrValue::Jid(jid) => write_jid(jid, out)?,
        }
    }
    match content {
        Content::None => Ok(()),
        Content::Bytes(bytes) => write_bytes(bytes, out),
        Content::Nodes(nodes) => {
            write_list(nodes.len(), out)?;
            nodes.iter().try_for_each(|child| write_node(child, out, depth + 1))
        }
    }
}

#[inline]
fn write_list(len: usize, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    match (len, u8::try_from(len), u16::try_from(len)) {
        (0, ..) => out.push(tag::LIST_EMPTY),
        (_, Ok(len), _) => out.extend([tag::LIST_8, len]),
        (_, _, Ok(len)) => {
            out.push(tag::LIST_16);
            out.extend(len.to_be_bytes());
        }
        _ => return Err(EncodeError::ListTooLong),
    }
    Ok(())
}

/// Text that must not be empty.
#[inline]
fn write_name(text: &[u8], out: &mut Vec<u8>) -> Result<(), EncodeError> {
    if text.is_empty() { Err(EncodeError::MissingValue) } else { write_text(text, out) }
}

#[inline]
fn write_text(text: &[u8], out: &mut Vec<u8>) -> Result<(), EncodeError> {
    match tokens::code_of(text) {
        Some(Code::Single(code)) => out.push(code),
        Some(Code::Double(dictionary, index)) => out.extend([tag::DICTIONARY_0 + dictionary, index]),
        None => match Alphabet::of(text) {
            Some(alphabet) => {
                out.push(if alphabet == Alphabet::Nibble { tag::NIBBLE_8 } else { tag::HEX_8 });
                pack(text, out);
            }
            None => return write_bytes(text, out),
        },
    }
    Ok(())
}

#[inline]
fn write_bytes(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), EncodeError> {
    match (u8::try_from(bytes.len()), u32::try_from(bytes.len())) {
        (Ok(len), _) => out.extend([tag::BINARY_8, len]),
        (_, Ok(len)) if len < 1 << 20 => {
            let [_, high, middle, low] = len.to_be_bytes();
            out.extend([tag::BINARY_20, high, middle, low]);
        }
        (_, Ok(len)) => {
            out.push(tag::BINARY_32);
            out.extend(len.to_be_bytes());
        }
        _ => return Err(EncodeError::ValueTooLong),
    }
    out.extend_from_slice(bytes);
    Ok(())
}

fn write_jid(jid: &Jid, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let (user, server, device) = (jid.user_bytes(), jid.server(), jid.device());
    if device > server.max_device().unwrap_or(0) {
        return Err(EncodeError::Device);
    }
    match (server, domain::of(server), u8::try_from(device)) {
        (Server::Msgr, ..) if !user.is_empty() => {
            out.push(tag::FB_JID);
            write_text(user, out)?;
            out.extend(device.to_be_bytes());
            write_text(server.name().as_bytes(), out)
        }
        (Server::Interop, ..) if !user.is_empty() => {
            out.push(tag::INTEROP_JID);
            write_text(user, out)?;
            out.extend(device.to_be_bytes());
            out.extend(jid.integrator().to_be_bytes());
            write_text(server.name().as_bytes(), out)
        }
        (_, Some(domain), Ok(device)) if device > 0 => {
            out.extend([tag::AD_JID, domain, device]);
            write_name(user, out)
        }
        _ if device > 0 => Err(EncodeError::MissingValue),
        _ => {
            out.push(tag::JID_PAIR);
            if user.is_empty() {
                out.push(tag::LIST_EMPTY);
            } else {
                write_text(user, out)?;
            }
            match server_token::of(server) {
                Some(token) => out.push(token),
                None => write_name(jid.server_name().as_bytes(), out)?,
            }
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Node;

    fn error(node: &Node) -> EncodeError {
        let mut out = vec![1, 2, 3];
        let error = encode(node, &mut out).unwrap_err();
        assert_eq!(out, [1, 2, 3], "the buffer is left alone");
        error
    }

    #[test]
    fn nodes_that_nobody_could_read_are_refused() {
        assert_eq!(error(&Node::new("")), EncodeError::MissingValue);
        assert_eq!(error(&Node::new("x").attr("", "y")), EncodeError::MissingValue);
        assert_eq!(error(&Node::new("x").attr("j", Jid::SERVER.with_device(3))), EncodeError::MissingValue);
        assert_eq!(
            error(&Node::new("x").attr("j", Jid::with_server_name("u", ""))),
            EncodeError::MissingValue
        );
        assert_eq!(error(&Node::new("x").attr("j", Jid::pn("1").with_device(256))), EncodeError::Device);
        assert_eq!(error(&Node::new("x").attr("j", Jid::group("1").with_device(1))), EncodeError::Device);
        let tower = (0..128).fold(Node::new("t"), |inner, _| Node::new("t").child(inner));
        assert_eq!(error(&tower), EncodeError::Depth);
        let wide = Node::new("w").children((0..65_536).map(|_| Node::new("c")));
        assert_eq!(error(&wide), EncodeError::ListTooLong);
    }
}

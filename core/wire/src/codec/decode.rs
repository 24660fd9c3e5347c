//! From bytes to nodes.

use super::{
    FLAG_COMPRESSED, MAX_DEPTH, MAX_ITEMS, domain,
    packed::{Alphabet, unpack},
    tag, zlib,
};
use crate::{
    jid::{Jid, Server},
    node::{Attr, AttrValue, Content, NodeRef},
    text::Text,
    tokens,
};
use std::borrow::Cow;

/// Why a plaintext is not a node; one variant for each class of the transport document §3.7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum DecodeError {
    /// There are no bytes at all.
    #[error("the frame is empty")]
    EmptyFrame,
    /// The bytes end before the node does.
    #[error("the frame ends too early")]
    Eof,
    /// A node's list has no items.
    #[error("a node is empty")]
    EmptyNode,
    /// Something else stands where a node must begin.
    #[error("a node is not a list")]
    NotAList,
    /// A tag, key or part of a JID is empty.
    #[error("a tag, key or part of a JID is empty")]
    MissingValue,
    /// A list stands where text must.
    #[error("a list stands where text must")]
    ListInString,
    /// A JID stands in a tag, key or part of a JID.
    #[error("a JID stands where text must")]
    NestedJid,
    /// A value begins with an unassigned byte.
    #[error("a value begins with an unassigned byte")]
    ReservedTag,
    /// Text is not UTF-8.
    #[error("text is not UTF-8")]
    Utf8,
    /// A packed digit is not in its alphabet.
    #[error("a packed digit is not in its alphabet")]
    PackedDigit,
    /// A packed string of odd length has no bytes.
    #[error("a packed string of odd length has no bytes")]
    PackedOddEmpty,
    /// The domain byte of a JID is unknown.
    #[error("the domain of a JID is unknown")]
    JidDomain,
    /// A Messenger or interop JID names another server.
    #[error("the server of a JID does not fit its form")]
    JidServer,
    /// Bytes follow the node.
    #[error("bytes follow the node")]
    TrailingBytes,
    /// Nodes are nested too deeply.
    #[error("nodes are nested too deeply")]
    Depth,
    /// There are too many nodes and attributes.
    #[error("there are too many nodes and attributes")]
    TooManyItems,
    /// The compressed body is not a zlib stream.
    #[error("the body is not a valid zlib stream")]
    Zlib,
    /// Bytes follow the zlib stream.
    #[error("bytes follow the zlib stream")]
    ZlibTrailing,
    /// The inflated body is too large.
    #[error("the inflated body is too large")]
    InflatedTooLarge,
}

impl DecodeError {
    /// The name of the class, for logs and tests.
    pub const fn class(self) -> &'static str {
        match self {
            DecodeError::EmptyFrame => "empty_frame",
            DecodeError::Eof => "eof",
            DecodeError::EmptyNode => "empty_node",
            DecodeError::NotAList => "not_a_list",
            DecodeError::MissingValue => "missing_value",
            DecodeError::ListInString => "list_in_string",
            DecodeError::NestedJid => "nested_jid",
            DecodeError::ReservedTag => "reserved_tag",
            DecodeError::Utf8 => "utf8",
            DecodeError::PackedDigit => "packed_digit",
            DecodeError::PackedOddEmpty => "packed_odd_empty",
            DecodeError::JidDomain => "jid_domain",
            DecodeError::JidServer => "jid_server",
            DecodeError::TrailingBytes => "trailing_bytes",
            DecodeError::Depth => "depth",
            DecodeError::TooManyItems => "too_many_items",
            DecodeError::Zlib => "zlib",
            DecodeError::ZlibTrailing => "zlib_trailing",
            DecodeError::InflatedTooLarge => "inflated_too_large",
        }
    }
}

/// Whether interop JIDs carry their server (transport document §3.6): the service writes it, clients do not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InteropForm {
    /// It must be there: frames from the service.
    #[default]
    WithServer,
    /// It may be there: frames from clients.
    ServerOptional,
}

/// Decodes the plaintext of one transport frame from the service: a flag byte and one node.
///
/// The node borrows from `plaintext`; if that was compressed it owns its parts.
pub fn decode_frame(plaintext: &[u8]) -> Result<NodeRef<'_>, DecodeError> {
    decode_frame_with(plaintext, InteropForm::WithServer)
}

/// Decodes the plaintext of one transport frame from either side.
pub fn decode_frame_with(plaintext: &[u8], interop: InteropForm) -> Result<NodeRef<'_>, DecodeError> {
    let (flags, body) = plaintext.split_first().ok_or(DecodeError::EmptyFrame)?;
    if flags & FLAG_COMPRESSED == 0 {
        decode_body(body, interop)
    } else {
        let body = zlib::inflate(body)?;
        decode_body(&body, interop).map(NodeRef::into_owned)
    }
}

fn decode_body(body: &[u8], interop: InteropForm) -> Result<NodeRef<'_>, DecodeError> {
    let mut reader = Reader { rest: body, items: 0, interop };
    let node = reader.node(1)?;
    if reader.rest.is_empty() { Ok(node) } else { Err(DecodeError::TrailingBytes) }
}

struct Reader<'a> {
    rest: &'a [u8],
    /// Nodes and attributes so far.
    items: usize,
    interop: InteropForm,
}

/// What to reserve for a list that announces `count` items: announced sizes are claims, so the rest must
/// grow with what really arrives.
#[inline]
fn reserve(count: usize) -> usize {
    count.min(16)
}

impl<'a> Reader<'a> {
    #[inline]
    fn byte(&mut self) -> Result<u8, DecodeError> {
        let (byte, rest) = self.rest.split_first().ok_or(DecodeError::Eof)?;
        self.rest = rest;
        Ok(*byte)
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (array, rest) = self.rest.split_first_chunk().ok_or(DecodeError::Eof)?;
        self.rest = rest;
        Ok(*array)
    }

    #[inline]
    fn u16(&mut self) -> Result<u16, DecodeError> {
        self.array().map(u16::from_be_bytes)
    }

    #[inline]
    fn take(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(DecodeError::Eof)?;
        self.rest = rest;
        Ok(taken)
    }

    #[inline]
    fn count(&mut self, items: usize) -> Result<(), DecodeError> {
        self.items += items;
        if self.items > MAX_ITEMS { Err(DecodeError::TooManyItems) } else { Ok(()) }
    }

    fn node(&mut self, depth: usize) -> Result<NodeRef<'a>, DecodeError> {
        if depth > MAX_DEPTH {
            return Err(DecodeError::Depth);
        }
        let size = match self.byte()? {
            tag::LIST_8 => usize::from(self.byte()?),
            tag::LIST_16 => usize::from(self.u16()?),
            tag::LIST_EMPTY => 0,
            0xf0..=0xf4 => return Err(DecodeError::ReservedTag),
            _ => return Err(DecodeError::NotAList),
        };
        let after_tag = size.checked_sub(1).ok_or(DecodeError::EmptyNode)?;
        let tag = self.text()?;
        let count = after_tag / 2;
        self.count(1 + count)?;
        let attrs = self.attrs(count)?;
        let content = if after_tag % 2 == 1 { self.content(depth)? } else { Content::None };
        Ok(NodeRef::from_parts(tag, attrs, content))
    }

    #[inline]
    fn attrs(&mut self, count: usize) -> Result<Vec<Attr<'a>>, DecodeError> {
        let mut attrs = Vec::with_capacity(reserve(count));
        for _ in 0..count {
            let key = self.text()?;
            let value = self.value()?;
            attrs.push(Attr { key, value });
        }
        Ok(attrs)
    }

    fn content(&mut self, depth: usize) -> Result<Content<'a>, DecodeError> {
        let count = match self.byte()? {
            tag::LIST_EMPTY => 0,
            tag::LIST_8 => usize::from(self.byte()?),
            tag::LIST_16 => usize::from(self.u16()?),
            first @ tag::BINARY_8..=tag::BINARY_32 => {
                return self.binary(first).map(|bytes| Content::Bytes(Cow::Borrowed(bytes)));
            }
            first => {
                let bytes = match self.value_from(first)? {
                    AttrValue::Text(text) => text.into_bytes(),
                    AttrValue::Jid(jid) => Cow::Owned(jid.to_string().into_bytes()),
                };
                return Ok(Content::Bytes(bytes));
            }
        };
        if count == 0 {
            return Ok(Content::None);
        }
        let mut nodes = Vec::with_capacity(reserve(count));
        for _ in 0..count {
            nodes.push(self.node(depth + 1)?);
        }
        Ok(Content::Nodes(nodes))
    }

    /// An attribute value: text, which may be empty, or a JID.
    #[inline]
    fn value(&mut self) -> Result<AttrValue<'a>, DecodeError> {
        let first = self.byte()?;
        self.value_from(first)
    }

    #[inline]
    fn value_from(&mut self, first: u8) -> Result<AttrValue<'a>, DecodeError> {
        match first {
            tag::LIST_EMPTY => Ok(AttrValue::Text(Text::token(""))),
            tag::JID_PAIR => self.jid_pair().map(AttrValue::Jid),
            tag::AD_JID => self.ad_jid().map(AttrValue::Jid),
            tag::FB_JID => self.fb_jid().map(AttrValue::Jid),
            tag::INTEROP_JID => self.interop_jid().map(AttrValue::Jid),
            first => self.text_from(first).map(AttrValue::Text),
        }
    }

    /// A tag, key or part of a JID: text that is not empty.
    #[inline]
    fn text(&mut self) -> Result<Text<'a>, DecodeError> {
        let first = self.byte()?;
        if let Some(token) = tokens::single(first) {
            return Ok(Text::token(token));
        }
        self.long_text(first)
    }

    fn long_text(&mut self, first: u8) -> Result<Text<'a>, DecodeError> {
        if first == tag::LIST_EMPTY {
            return Err(DecodeError::MissingValue);
        }
        let text = self.text_from(first)?;
        if text.is_empty() { Err(DecodeError::MissingValue) } else { Ok(text) }
    }

    /// Text in any of its forms, all but LIST_EMPTY.
    #[inline]
    fn text_from(&mut self, first: u8) -> Result<Text<'a>, DecodeError> {
        match first {
            ..=tag::LAST_SINGLE => tokens::single(first).map(Text::token).ok_or(DecodeError::MissingValue),
            tag::DICTIONARY_0..=tag::DICTIONARY_3 => {
                let index = self.byte()?;
                tokens::double(first - tag::DICTIONARY_0, index)
                    .map(Text::token)
                    .ok_or(DecodeError::ReservedTag)
            }
            tag::NIBBLE_8 => self.packed(Alphabet::Nibble),
            tag::HEX_8 => self.packed(Alphabet::Hex),
            tag::BINARY_8..=tag::BINARY_32 => {
                let bytes = self.binary(first)?;
                std::str::from_utf8(bytes).map(Text::borrowed).map_err(|_| DecodeError::Utf8)
            }
            tag::LIST_8 | tag::LIST_16 => Err(DecodeError::ListInString),
            tag::INTEROP_JID | tag::FB_JID | tag::AD_JID | tag::JID_PAIR => Err(DecodeError::NestedJid),
            0xf0..=0xf4 => Err(DecodeError::ReservedTag),
        }
    }

    #[inline]
    fn packed(&mut self, alphabet: Alphabet) -> Result<Text<'a>, DecodeError> {
        let head = self.byte()?;
        let bytes = self.take(usize::from(head & 0x7f))?;
        unpack(alphabet, bytes, head & 0x80 != 0).map(Text::from)
    }

    #[inline]
    fn binary(&mut self, first: u8) -> Result<&'a [u8], DecodeError> {
        let len = match first {
            tag::BINARY_8 => usize::from(self.byte()?),
            tag::BINARY_20 => {
                let [high, middle, low] = self.array()?;
                // 20 bits: the top four are ignored.
                u32::from_be_bytes([0, high & 0x0f, middle, low]) as usize
            }
            _ => self.array().map(u32::from_be_bytes)? as usize,
        };
        self.take(len)
    }

    #[inline]
    fn jid_pair(&mut self) -> Result<Jid, DecodeError> {
        let user = match self.byte()? {
            tag::LIST_EMPTY => Text::token(""),
            first => self.long_text(first)?,
        };
        let server = self.text()?;
        Ok(match Server::from_name(&server) {
            Some(known) => Jid::from_parts(user.into_smol(), known, 0, 0),
            None => Jid::unknown(&user, &server),
        })
    }

    #[inline]
    fn ad_jid(&mut self) -> Result<Jid, DecodeError> {
        let server = domain::server(self.byte()?).ok_or(DecodeError::JidDomain)?;
        let device = self.byte()?;
        let user = self.text()?;
        Ok(Jid::from_parts(user.into_smol(), server, device.into(), 0))
    }

    fn fb_jid(&mut self) -> Result<Jid, DecodeError> {
        let user = self.text()?;
        let device = self.u16()?;
        self.expect_server(Server::Msgr)?;
        Ok(Jid::from_parts(user.into_smol(), Server::Msgr, device, 0))
    }

    fn interop_jid(&mut self) -> Result<Jid, DecodeError> {
        let user = self.text()?;
        let device = self.u16()?;
        let integrator = self.u16()?;
        match self.interop {
            InteropForm::WithServer => self.expect_server(Server::Interop)?,
            InteropForm::ServerOptional => {
                self.rest = self.rest.strip_prefix(INTEROP_SERVER).unwrap_or(self.rest);
            }
        }
        Ok(Jid::from_parts(user.into_smol(), Server::Interop, device, integrator))
    }

    fn expect_server(&mut self, server: Server) -> Result<(), DecodeError> {
        if self.text()? == server.name() { Ok(()) } else { Err(DecodeError::JidServer) }
    }
}

/// `interop` is not a token, so this is the one way to write it.
const INTEROP_SERVER: &[u8] = b"\xfc\x07interop";

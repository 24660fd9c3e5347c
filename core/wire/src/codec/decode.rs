//! From bytes to nodes.

use super::{
    FLAG_COMPRESSED, MAX_DEPTH, MAX_ITEMS, domain,
    packed::{Alphabet, unpack},
    server_token, tag, zlib,
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
#[inline]
pub fn decode_frame(plaintext: &[u8]) -> Result<NodeRef<'_>, DecodeError> {
    decode_frame_with(plaintext, InteropForm::WithServer)
}

/// Decodes the plaintext of one transport frame from either side.
pub fn decode_frame_with(plaintext: &[u8], interop: InteropForm) -> Result<NodeRef<'_>, DecodeError> {
    // The root, too, is read into its place, which is with the caller; see `Reader`.
    let mut result = Ok(NodeRef::EMPTY);
    if let Ok(root) = &mut result
        && let Err(error) = read_frame(plaintext, interop, root)
    {
        result = Err(error);
    }
    result
}

fn read_frame<'a>(
    plaintext: &'a [u8],
    interop: InteropForm,
    root: &mut NodeRef<'a>,
) -> Result<(), DecodeError> {
    let (flags, body) = plaintext.split_first().ok_or(DecodeError::EmptyFrame)?;
    if flags & FLAG_COMPRESSED == 0 {
        return read_body(body, interop, root);
    }
    let body = zlib::inflate(body)?;
    let mut inflated = NodeRef::EMPTY;
    read_body(&body, interop, &mut inflated)?;
    *root = inflated.into_owned();
    Ok(())
}

fn read_body<'a>(body: &'a [u8], interop: InteropForm, root: &mut NodeRef<'a>) -> Result<(), DecodeError> {
    let mut reader = Reader { rest: body, items: 0, interop };
    reader.node(root, 1)?;
    if reader.rest.is_empty() { Ok(()) } else { Err(DecodeError::TrailingBytes) }
}

/// What is left to read, and the budget.
///
/// Values are read into their place instead of being returned: a node has many small parts, and moving each
/// of them through a `Result` costs more than reading it.
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

    fn node(&mut self, node: &mut NodeRef<'a>, depth: usize) -> Result<(), DecodeError> {
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
        let (tag, attrs, content) = node.parts_mut();
        self.name(tag)?;
        let count = after_tag / 2;
        self.items += 1 + count;
        if self.items > MAX_ITEMS {
            return Err(DecodeError::TooManyItems);
        }
        attrs.reserve_exact(reserve(count));
        for _ in 0..count {
            attrs.push(Attr::EMPTY);
            if let Some(attr) = attrs.last_mut() {
                self.name(&mut attr.key)?;
                self.value(&mut attr.value)?;
            }
        }
        if after_tag % 2 == 1 { self.content(content, depth) } else { Ok(()) }
    }

    fn content(&mut self, content: &mut Content<'a>, depth: usize) -> Result<(), DecodeError> {
        let count = match self.byte()? {
            tag::LIST_EMPTY => 0,
            tag::LIST_8 => usize::from(self.byte()?),
            tag::LIST_16 => usize::from(self.u16()?),
            first @ tag::BINARY_8..=tag::BINARY_32 => {
                *content = Content::Bytes(Cow::Borrowed(self.binary(first)?));
                return Ok(());
            }
            first => return self.text_content(first, content),
        };
        if count == 0 {
            return Ok(());
        }
        *content = Content::Nodes(Vec::with_capacity(reserve(count)));
        if let Content::Nodes(nodes) = content {
            for _ in 0..count {
                nodes.push(NodeRef::EMPTY);
                if let Some(node) = nodes.last_mut() {
                    self.node(node, depth + 1)?;
                }
            }
        }
        Ok(())
    }

    /// Content that a peer wrote like an attribute value: the bytes of its text.
    fn text_content(&mut self, first: u8, content: &mut Content<'a>) -> Result<(), DecodeError> {
        let mut value = AttrValue::EMPTY;
        self.value_from(first, &mut value)?;
        *content = Content::Bytes(match value {
            AttrValue::Text(text) => text.into_bytes(),
            AttrValue::Jid(jid) => Cow::Owned(jid.to_string().into_bytes()),
        });
        Ok(())
    }

    /// An attribute value: text, which may be empty, or a JID.
    #[inline]
    fn value(&mut self, value: &mut AttrValue<'a>) -> Result<(), DecodeError> {
        let first = self.byte()?;
        if let Some(token) = tokens::single(first) {
            *value = AttrValue::Text(Text::literal(token));
            return Ok(());
        }
        self.value_from(first, value)
    }

    fn value_from(&mut self, first: u8, value: &mut AttrValue<'a>) -> Result<(), DecodeError> {
        match first {
            tag::LIST_EMPTY => return Ok(()),
            tag::JID_PAIR | tag::AD_JID | tag::FB_JID | tag::INTEROP_JID => {
                *value = AttrValue::Jid(Jid::SERVER);
            }
            _ => {}
        }
        match value {
            AttrValue::Text(text) => self.text(first, text),
            AttrValue::Jid(jid) => self.jid(first, jid),
        }
    }

    /// A tag, key or part of a JID: text that is not empty.
    #[inline]
    fn name(&mut self, text: &mut Text<'a>) -> Result<(), DecodeError> {
        let first = self.byte()?;
        if let Some(token) = tokens::single(first) {
            *text = Text::literal(token);
            return Ok(());
        }
        self.long_name(first, text)
    }

    fn long_name(&mut self, first: u8, text: &mut Text<'a>) -> Result<(), DecodeError> {
        if first == tag::LIST_EMPTY {
            return Err(DecodeError::MissingValue);
        }
        self.text(first, text)?;
        if text.is_empty() { Err(DecodeError::MissingValue) } else { Ok(()) }
    }

    /// Text in any of its forms, all but LIST_EMPTY.
    fn text(&mut self, first: u8, text: &mut Text<'a>) -> Result<(), DecodeError> {
        match first {
            ..=tag::LAST_SINGLE => {
                *text = Text::literal(tokens::single(first).ok_or(DecodeError::MissingValue)?);
            }
            tag::DICTIONARY_0..=tag::DICTIONARY_3 => {
                let token = tokens::double(first - tag::DICTIONARY_0, self.byte()?);
                *text = Text::literal(token.ok_or(DecodeError::ReservedTag)?);
            }
            tag::NIBBLE_8 => return self.packed(Alphabet::Nibble, text),
            tag::HEX_8 => return self.packed(Alphabet::Hex, text),
            tag::BINARY_8..=tag::BINARY_32 => {
                let bytes = self.binary(first)?;
                *text = Text::borrowed(std::str::from_utf8(bytes).map_err(|_| DecodeError::Utf8)?);
            }
            tag::LIST_8 | tag::LIST_16 => return Err(DecodeError::ListInString),
            tag::INTEROP_JID | tag::FB_JID | tag::AD_JID | tag::JID_PAIR => {
                return Err(DecodeError::NestedJid);
            }
            0xf0..=0xf4 => return Err(DecodeError::ReservedTag),
        }
        Ok(())
    }

    #[inline]
    fn packed(&mut self, alphabet: Alphabet, text: &mut Text<'_>) -> Result<(), DecodeError> {
        let head = self.byte()?;
        let bytes = self.take(usize::from(head & 0x7f))?;
        unpack(alphabet, bytes, head & 0x80 != 0, text)
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

    fn jid(&mut self, form: u8, jid: &mut Jid) -> Result<(), DecodeError> {
        match form {
            tag::JID_PAIR => self.jid_pair(jid),
            tag::AD_JID => {
                let server = domain::server(self.byte()?).ok_or(DecodeError::JidDomain)?;
                let device = self.byte()?;
                self.user(jid)?;
                jid.set_server(server, device.into(), 0);
                Ok(())
            }
            tag::FB_JID => {
                self.user(jid)?;
                let device = self.u16()?;
                self.expect_server(Server::Msgr)?;
                jid.set_server(Server::Msgr, device, 0);
                Ok(())
            }
            _ => self.interop_jid(jid),
        }
    }

    /// The user of a JID, which must not be empty.
    #[inline]
    fn user(&mut self, jid: &mut Jid) -> Result<(), DecodeError> {
        match self.byte()? {
            // Phone numbers and hidden ids; others take the way through a text that may be borrowed.
            tag::NIBBLE_8 => self.packed(Alphabet::Nibble, jid.user_mut())?,
            first => {
                let mut user = Text::EMPTY;
                self.long_name(first, &mut user)?;
                *jid.user_mut() = user.into_owned();
            }
        }
        if jid.is_server() { Err(DecodeError::MissingValue) } else { Ok(()) }
    }

    #[inline]
    fn jid_pair(&mut self, jid: &mut Jid) -> Result<(), DecodeError> {
        match self.rest.split_first() {
            Some((&tag::LIST_EMPTY, rest)) => self.rest = rest,
            _ => self.user(jid)?,
        }
        let first = self.byte()?;
        if let Some(server) = server_token::read(first) {
            jid.set_server(server, 0, 0);
            return Ok(());
        }
        let mut server = Text::EMPTY;
        self.long_name(first, &mut server)?;
        match Server::from_name(&server) {
            Some(known) => jid.set_server(known, 0, 0),
            None => *jid = Jid::unknown(jid.user(), &server),
        }
        Ok(())
    }

    fn interop_jid(&mut self, jid: &mut Jid) -> Result<(), DecodeError> {
        self.user(jid)?;
        let device = self.u16()?;
        let integrator = self.u16()?;
        match self.interop {
            InteropForm::WithServer => self.expect_server(Server::Interop)?,
            InteropForm::ServerOptional => {
                self.rest = self.rest.strip_prefix(INTEROP_SERVER).unwrap_or(self.rest);
            }
        }
        jid.set_server(Server::Interop, device, integrator);
        Ok(())
    }

    fn expect_server(&mut self, server: Server) -> Result<(), DecodeError> {
        let mut name = Text::EMPTY;
        self.name(&mut name)?;
        if name == server.name() { Ok(()) } else { Err(DecodeError::JidServer) }
    }
}

/// `interop` is not a token, so this is the one way to write it.
const INTEROP_SERVER: &[u8] = b"\xfc\x07interop";

#![forbid(unsafe_code)]
//! The wire format: frames, binary nodes, the token dictionary and JIDs.
//!
//! Everything here is a pure function or a small state machine over bytes: no sockets, no clock, no
//! encryption. From the socket inwards:
//!
//! - [`header`]: the first bytes of a connection, both ways.
//! - [`frame`]: three length bytes and a payload; [`frame::FrameDecoder`] takes the stream in any pieces.
//! - encryption, in another crate;
//! - [`codec`]: the plaintext of a frame to and from a [`Node`], with or without compression.
//! - [`node`]: the stanza tree, its builder and its readers.
//! - [`jid`]: addresses, which nodes carry as values of their own kind.
//!
//! Input is hostile. Every decoder returns a typed error instead of panicking, has bounded recursion and
//! grows its memory with the bytes that arrive, never with the sizes they announce.

pub mod codec;
pub mod frame;
pub mod header;
mod inline;
pub mod jid;
pub mod node;
pub mod text;
pub mod tokens;

pub use codec::{DecodeError, EncodeError, decode_frame, encode, encode_compressed};
pub use frame::{FrameDecoder, FrameError, FrameLimits, encode_frame};
pub use header::{ConnectionHeader, HeaderError, HeaderParser};
pub use jid::{Jid, JidError, Server};
pub use node::{Attr, AttrValue, Content, Node, NodeError, NodeRef};
pub use text::Text;

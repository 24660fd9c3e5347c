//! Frame plaintext and nodes (transport document §3.2–3.7).
//!
//! A plaintext is a flag byte and one node, which may be compressed. [`decode_frame`] is total: whatever the
//! bytes, it returns a node or one [`DecodeError`], with bounded recursion and memory. [`encode`] writes the
//! canonical form.

mod decode;
mod encode;
mod packed;
mod zlib;

pub use decode::{DecodeError, InteropForm, decode_frame, decode_frame_with};
pub use encode::{EncodeError, encode, encode_compressed};

/// Deepest nesting of nodes; the root counts as 1.
pub const MAX_DEPTH: usize = 128;
/// Most nodes and attributes in one frame.
pub const MAX_ITEMS: usize = 2_000_000;
/// Largest inflated node.
pub const MAX_INFLATED: usize = 16 * 1024 * 1024;

/// Flag bit: the rest of the plaintext is one zlib stream.
const FLAG_COMPRESSED: u8 = 0x02;

/// The first bytes of values that are not tokens.
mod tag {
    pub(super) const LIST_EMPTY: u8 = 0x00;
    pub(super) const LAST_SINGLE: u8 = 0xeb;
    pub(super) const DICTIONARY_0: u8 = 0xec;
    pub(super) const DICTIONARY_3: u8 = 0xef;
    pub(super) const INTEROP_JID: u8 = 0xf5;
    pub(super) const FB_JID: u8 = 0xf6;
    pub(super) const AD_JID: u8 = 0xf7;
    pub(super) const LIST_8: u8 = 0xf8;
    pub(super) const LIST_16: u8 = 0xf9;
    pub(super) const JID_PAIR: u8 = 0xfa;
    pub(super) const HEX_8: u8 = 0xfb;
    pub(super) const BINARY_8: u8 = 0xfc;
    pub(super) const BINARY_20: u8 = 0xfd;
    pub(super) const BINARY_32: u8 = 0xfe;
    pub(super) const NIBBLE_8: u8 = 0xff;
}

/// The domain byte of an AD_JID.
mod domain {
    use crate::jid::Server;

    pub(super) const fn of(server: Server) -> Option<u8> {
        match server {
            Server::Pn => Some(0),
            Server::Lid => Some(1),
            Server::Hosted => Some(128),
            Server::HostedLid => Some(129),
            _ => None,
        }
    }

    pub(super) const fn server(domain: u8) -> Option<Server> {
        match domain {
            0 => Some(Server::Pn),
            1 => Some(Server::Lid),
            129 => Some(Server::HostedLid),
            even if even >= 128 && even.is_multiple_of(2) => Some(Server::Hosted),
            _ => None,
        }
    }
}

/// The single-byte tokens among the server names, which spare most JIDs the search for a name.
mod server_token {
    use crate::jid::Server;

    #[inline]
    pub(super) const fn read(byte: u8) -> Option<Server> {
        match byte {
            0x03 => Some(Server::Pn),
            0x76 => Some(Server::Lid),
            0x1c => Some(Server::Group),
            0x0d => Some(Server::Broadcast),
            0x64 => Some(Server::Call),
            0xcc => Some(Server::Msgr),
            _ => None,
        }
    }

    #[inline]
    pub(super) const fn of(server: Server) -> Option<u8> {
        match server {
            Server::Pn => Some(0x03),
            Server::Lid => Some(0x76),
            Server::Group => Some(0x1c),
            Server::Broadcast => Some(0x0d),
            Server::Call => Some(0x64),
            Server::Msgr => Some(0xcc),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{jid::Server, tokens};

    #[test]
    fn server_tokens_are_those_of_the_dictionary() {
        for byte in 0..=255 {
            let named = tokens::single(byte).and_then(Server::from_name);
            assert_eq!(server_token::read(byte), named, "{byte:02x}");
            if let Some(server) = named {
                assert_eq!(server_token::of(server), Some(byte));
            }
        }
    }

    #[test]
    fn domains_lead_back_to_their_server() {
        for byte in 0..=255 {
            match domain::server(byte) {
                // All even values from 128 on are spellings of one server.
                Some(Server::Hosted) => assert_eq!(domain::of(Server::Hosted), Some(128)),
                Some(server) => assert_eq!(domain::of(server), Some(byte)),
                None => assert!((2..128).contains(&byte) || (byte > 130 && byte % 2 == 1)),
            }
        }
    }
}

//! The connection header: the first bytes a client sends (transport document §1.2).
//!
//! ```text
//! [ 'E' 'D' 00 01 | length: 3 bytes | routing info ]  'W' 'A' 06 03
//! ```
//!
//! The part in brackets is there only if the client holds routing info from an earlier connection.

use crate::tokens::DICTIONARY_VERSION;

/// Version of the protocol.
pub const PROTOCOL_VERSION: u8 = 6;
/// What every header ends with: magic, protocol and dictionary. It is also the prologue of the handshake.
pub const PROLOGUE: [u8; 4] = [b'W', b'A', PROTOCOL_VERSION, DICTIONARY_VERSION];
/// What announces routing info.
const ROUTING_MAGIC: [u8; 4] = [b'E', b'D', 0, 1];
/// Longest routing info.
pub const MAX_ROUTING_INFO: usize = 1024;

/// Why bytes are not a connection header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// The bytes begin like nothing a client sends.
    #[error("the magic bytes are wrong")]
    Magic,
    /// Another protocol version.
    #[error("protocol version {0} is not supported")]
    Protocol(u8),
    /// Another token dictionary.
    #[error("dictionary version {0} is not supported")]
    Dictionary(u8),
    /// More routing info than the service hands out.
    #[error("routing info of {0} bytes is longer than 1024")]
    RoutingInfoTooLong(usize),
}

/// A connection header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectionHeader {
    /// Routing info from an earlier connection.
    pub routing_info: Option<Vec<u8>>,
}

impl ConnectionHeader {
    /// Appends the header.
    pub fn write(&self, out: &mut Vec<u8>) -> Result<(), HeaderError> {
        if let Some(info) = &self.routing_info {
            let len = u16::try_from(info.len()).ok().filter(|len| usize::from(*len) <= MAX_ROUTING_INFO);
            let [high, low] = len.ok_or(HeaderError::RoutingInfoTooLong(info.len()))?.to_be_bytes();
            out.extend(ROUTING_MAGIC);
            out.extend([0, high, low]);
            out.extend_from_slice(info);
        }
        out.extend(PROLOGUE);
        Ok(())
    }
}

/// Reads a connection header from the pieces in which the stream arrives, and nothing beyond it.
#[derive(Debug, Default)]
pub struct HeaderParser {
    routing_info: Option<Vec<u8>>,
    state: State,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    /// Nothing has come.
    #[default]
    Start,
    /// So many bytes of the routing magic have come.
    RoutingMagic(usize),
    /// So many bytes of the length of the routing info have come, with this value.
    RoutingLength(usize, usize),
    /// So many bytes of routing info are to come.
    RoutingInfo(usize),
    /// So many bytes of the prologue have come.
    Prologue(usize),
    /// The bytes are not a header.
    Failed(HeaderError),
}

impl HeaderParser {
    /// A parser at the beginning of a connection.
    pub fn new() -> Self {
        HeaderParser::default()
    }

    /// Takes bytes from `input` until the header is complete. `None` means that the input is used up; call
    /// again with more. Wrong bytes are refused as soon as they come, and then for ever.
    pub fn parse(&mut self, input: &mut &[u8]) -> Result<Option<ConnectionHeader>, HeaderError> {
        while let Some((byte, rest)) = input.split_first() {
            *input = rest;
            match self.step(*byte) {
                Ok(State::Prologue(4)) => {
                    self.state = State::Start;
                    return Ok(Some(ConnectionHeader { routing_info: self.routing_info.take() }));
                }
                Ok(state) => self.state = state,
                Err(error) => {
                    self.state = State::Failed(error);
                    return Err(error);
                }
            }
        }
        match self.state {
            State::Failed(error) => Err(error),
            _ => Ok(None),
        }
    }

    fn step(&mut self, byte: u8) -> Result<State, HeaderError> {
        match self.state {
            State::Failed(error) => Err(error),
            State::Start if ROUTING_MAGIC.first() == Some(&byte) => Ok(State::RoutingMagic(1)),
            State::Start => prologue(0, byte),
            State::RoutingMagic(at) if ROUTING_MAGIC.get(at) == Some(&byte) => Ok(match at + 1 {
                4 => State::RoutingLength(0, 0),
                next => State::RoutingMagic(next),
            }),
            State::RoutingMagic(_) => Err(HeaderError::Magic),
            State::RoutingLength(at, high) => match (at + 1, high << 8 | usize::from(byte)) {
                (3, len) if len > MAX_ROUTING_INFO => Err(HeaderError::RoutingInfoTooLong(len)),
                (3, len) => {
                    self.routing_info = Some(Vec::new());
                    Ok(if len == 0 { State::Prologue(0) } else { State::RoutingInfo(len) })
                }
                (next, value) => Ok(State::RoutingLength(next, value)),
            },
            State::RoutingInfo(missing) => {
                self.routing_info.get_or_insert_default().push(byte);
                Ok(if missing == 1 { State::Prologue(0) } else { State::RoutingInfo(missing - 1) })
            }
            State::Prologue(at) => prologue(at, byte),
        }
    }
}

fn prologue(at: usize, byte: u8) -> Result<State, HeaderError> {
    match (at, PROLOGUE.get(at) == Some(&byte)) {
        (_, true) => Ok(State::Prologue(at + 1)),
        (2, _) => Err(HeaderError::Protocol(byte)),
        (3, _) => Err(HeaderError::Dictionary(byte)),
        _ => Err(HeaderError::Magic),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(routing_info: Option<&[u8]>) -> Vec<u8> {
        let mut out = Vec::new();
        ConnectionHeader { routing_info: routing_info.map(<[u8]>::to_vec) }.write(&mut out).unwrap();
        out
    }

    #[test]
    fn headers_have_the_documented_bytes() {
        assert_eq!(hex::encode(written(None)), "57410603");
        assert_eq!(
            hex::encode(written(Some(&[8, 2, 8, 5]))),
            "45440001000004080208055741 0603".replace(' ', "")
        );
    }

    #[test]
    fn a_header_split_anywhere_is_read_and_nothing_more() {
        let long = vec![7; MAX_ROUTING_INFO];
        for info in [None, Some(&[][..]), Some(&[8, 2, 8, 5]), Some(&long)] {
            let mut stream = written(info);
            let len = stream.len();
            stream.extend([0, 0, 1, 9]);
            for cut in 0..=len {
                let (mut left, mut right) = stream.split_at(cut);
                let mut parser = HeaderParser::new();
                let header = parser.parse(&mut left).unwrap().or_else(|| parser.parse(&mut right).unwrap());
                assert_eq!(header.unwrap().routing_info.as_deref(), info);
                assert_eq!([left, right].concat(), [0, 0, 1, 9]);
            }
        }
    }

    #[test]
    fn wrong_bytes_are_refused_at_once_and_for_ever() {
        for (bytes, error) in [
            (&b"G"[..], HeaderError::Magic),
            (b"WB", HeaderError::Magic),
            (b"WA\x05", HeaderError::Protocol(5)),
            (b"WA\x06\x02", HeaderError::Dictionary(2)),
            (b"EE", HeaderError::Magic),
            (b"ED\x00\x02", HeaderError::Magic),
            (b"ED\x00\x01\x00\x04\x01", HeaderError::RoutingInfoTooLong(1025)),
            (b"ED\x00\x01\x00\x00\x01\x07GET", HeaderError::Magic),
        ] {
            let mut parser = HeaderParser::new();
            assert_eq!(parser.parse(&mut &bytes[..]), Err(error));
            assert_eq!(parser.parse(&mut &PROLOGUE[..]), Err(error));
            assert_eq!(parser.parse(&mut &[][..]), Err(error));
        }
        let header = ConnectionHeader { routing_info: Some(vec![0; MAX_ROUTING_INFO + 1]) };
        assert_eq!(header.write(&mut Vec::new()), Err(HeaderError::RoutingInfoTooLong(1025)));
    }
}

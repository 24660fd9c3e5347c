//! Frames: three length bytes and a payload (transport document §1.3).
//!
//! Frames are independent of the messages of the socket: a message may hold several frames or a piece of one.

/// Length bytes before each payload.
pub const FRAME_HEADER_LEN: usize = 3;
/// The largest payload that the length bytes can announce.
pub const MAX_FRAME_LEN: usize = (1 << 24) - 1;
/// Length of the authentication tag, below which no transport frame can be.
const TAG_LEN: usize = 16;
/// A buffer that one large frame has blown up is let go beyond this.
const KEPT_CAPACITY: usize = 16 * 1024;

/// Why bytes are not a frame, or a payload does not fit in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The payload is too short for this phase of the connection.
    #[error("a frame of {len} bytes is shorter than {min}")]
    TooShort {
        /// Announced length.
        len: usize,
        /// Least length now.
        min: usize,
    },
    /// The payload is too long for this phase of the connection.
    #[error("a frame of {len} bytes is longer than {max}")]
    TooLong {
        /// Announced length.
        len: usize,
        /// Greatest length now.
        max: usize,
    },
}

impl FrameError {
    /// The WebSocket close code that tells the other side: 1002 protocol error or 1009 too big.
    pub const fn close_code(self) -> u16 {
        match self {
            FrameError::TooShort { .. } => 1002,
            FrameError::TooLong { .. } => 1009,
        }
    }
}

/// How long a payload may be in a phase of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameLimits {
    min: usize,
    max: usize,
}

impl FrameLimits {
    /// While the handshake lasts: not empty, at most 64 KiB.
    pub const HANDSHAKE: FrameLimits = FrameLimits { min: 1, max: 64 * 1024 };
    /// Afterwards: at least an authentication tag, at most what the length bytes can say.
    pub const TRANSPORT: FrameLimits = FrameLimits::transport(MAX_FRAME_LEN);

    /// After the handshake, with a lower maximum.
    pub const fn transport(max: usize) -> FrameLimits {
        FrameLimits { min: TAG_LEN, max: if max < MAX_FRAME_LEN { max } else { MAX_FRAME_LEN } }
    }

    /// The longest payload.
    pub const fn max(self) -> usize {
        self.max
    }

    const fn check(self, len: usize) -> Result<(), FrameError> {
        if len < self.min {
            Err(FrameError::TooShort { len, min: self.min })
        } else if len > self.max {
            Err(FrameError::TooLong { len, max: self.max })
        } else {
            Ok(())
        }
    }
}

/// Puts frames together from the pieces in which the stream arrives.
///
/// It takes from the input only what belongs to the frame at hand, so it never holds more than one frame,
/// and its limits can change between two frames of one message.
///
/// ```
/// use whimbrel_wire::{FrameDecoder, FrameLimits};
///
/// let mut decoder = FrameDecoder::new(FrameLimits::HANDSHAKE);
/// let mut message: &[u8] = &[0, 0, 2, 7, 8, 0, 0];
/// assert_eq!(decoder.next_frame(&mut message).unwrap().as_deref(), Some(&[7, 8][..]));
/// assert_eq!(decoder.next_frame(&mut message).unwrap(), None);
/// assert!(decoder.is_mid_frame() && message.is_empty());
/// ```
#[derive(Debug)]
pub struct FrameDecoder {
    limits: FrameLimits,
    state: State,
    payload: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// So many length bytes have come, with this value.
    Header { bytes: usize, value: usize },
    /// So many bytes are to come.
    Payload { missing: usize },
    /// The payload is complete and with the caller.
    Taken,
    /// The stream is not a stream of frames.
    Failed(FrameError),
}

const START: State = State::Header { bytes: 0, value: 0 };

impl FrameDecoder {
    /// A decoder at the beginning of a stream.
    pub const fn new(limits: FrameLimits) -> Self {
        FrameDecoder { limits, state: START, payload: Vec::new() }
    }

    /// Changes the limits for the frames whose length has not come yet.
    pub const fn set_limits(&mut self, limits: FrameLimits) {
        self.limits = limits;
    }

    /// Takes bytes from `input` until one frame is complete, and returns its payload, which may be decrypted
    /// in place. `None` means that the input is used up; call again with more. After an error the stream
    /// cannot be read any further, and every call returns the same error.
    pub fn next_frame(&mut self, input: &mut &[u8]) -> Result<Option<&mut [u8]>, FrameError> {
        loop {
            match self.state {
                State::Failed(error) => return Err(error),
                State::Taken => {
                    self.payload.clear();
                    self.payload.shrink_to(KEPT_CAPACITY);
                    self.state = START;
                }
                State::Header { bytes: FRAME_HEADER_LEN, value } => {
                    if let Err(error) = self.limits.check(value) {
                        self.state = State::Failed(error);
                        return Err(error);
                    }
                    self.state = State::Payload { missing: value };
                }
                State::Header { bytes, value } => {
                    let Some((byte, rest)) = input.split_first() else {
                        return Ok(None);
                    };
                    *input = rest;
                    self.state = State::Header { bytes: bytes + 1, value: value << 8 | usize::from(*byte) };
                }
                State::Payload { missing: 0 } => {
                    self.state = State::Taken;
                    return Ok(Some(&mut self.payload));
                }
                State::Payload { missing } => {
                    if input.is_empty() {
                        return Ok(None);
                    }
                    let (taken, rest) = input.split_at_checked(missing).unwrap_or((input, &[]));
                    self.payload.extend_from_slice(taken);
                    self.state = State::Payload { missing: missing - taken.len() };
                    *input = rest;
                }
            }
        }
    }

    /// Whether the stream would be cut inside a frame if it ended now.
    pub const fn is_mid_frame(&self) -> bool {
        matches!(self.state, State::Payload { .. } | State::Header { bytes: 1.., .. })
    }
}

/// The length bytes of a payload of `len` bytes.
pub fn frame_header(len: usize) -> Result<[u8; FRAME_HEADER_LEN], FrameError> {
    if len > MAX_FRAME_LEN {
        return Err(FrameError::TooLong { len, max: MAX_FRAME_LEN });
    }
    let [.., high, middle, low] = len.to_be_bytes();
    Ok([high, middle, low])
}

/// Appends one frame.
pub fn encode_frame(payload: &[u8], out: &mut Vec<u8>) -> Result<(), FrameError> {
    out.extend(frame_header(payload.len())?);
    out.extend_from_slice(payload);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds the pieces one after the other and collects the frames.
    fn collect<'a>(limits: FrameLimits, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Vec<u8>> {
        let mut decoder = FrameDecoder::new(limits);
        let mut frames = Vec::new();
        for mut piece in pieces {
            while let Some(frame) = decoder.next_frame(&mut piece).unwrap() {
                frames.push(frame.to_vec());
            }
            assert!(piece.is_empty());
        }
        assert!(!decoder.is_mid_frame());
        frames
    }

    #[test]
    fn a_stream_split_anywhere_gives_the_same_frames() {
        let frames: Vec<Vec<u8>> =
            [1, 2, 3, 255, 256, 300].iter().map(|len| vec![*len as u8; *len]).collect();
        let mut stream = Vec::new();
        for frame in &frames {
            encode_frame(frame, &mut stream).unwrap();
        }
        for cut in 0..=stream.len() {
            let (left, right) = stream.split_at(cut);
            assert_eq!(collect(FrameLimits::HANDSHAKE, [left, right]), frames, "{cut}");
        }
        for size in 1..8 {
            assert_eq!(collect(FrameLimits::HANDSHAKE, stream.chunks(size)), frames, "{size}");
        }
    }

    #[test]
    fn lengths_outside_the_phase_are_refused_as_soon_as_announced() {
        let short = FrameError::TooShort { len: 0, min: 1 };
        let long = FrameError::TooLong { len: 65_537, max: 65_536 };
        for (limits, header, error) in [
            (FrameLimits::HANDSHAKE, [0, 0, 0], short),
            (FrameLimits::HANDSHAKE, [1, 0, 1], long),
            (FrameLimits::TRANSPORT, [0, 0, 15], FrameError::TooShort { len: 15, min: 16 }),
            (FrameLimits::transport(1000), [0, 3, 0xe9], FrameError::TooLong { len: 1001, max: 1000 }),
        ] {
            let mut decoder = FrameDecoder::new(limits);
            assert_eq!(decoder.next_frame(&mut &header[..]), Err(error));
            assert_eq!(decoder.next_frame(&mut &[0, 0, 20][..]), Err(error), "the error stays");
        }
        assert_eq!((short.close_code(), long.close_code()), (1002, 1009));
    }

    #[test]
    fn announced_bytes_are_not_allocated() {
        let mut decoder = FrameDecoder::new(FrameLimits::TRANSPORT);
        assert_eq!(decoder.next_frame(&mut &[0xff, 0xff, 0xff, 1, 2][..]), Ok(None));
        assert!(decoder.payload.capacity() < 64);
        assert!(decoder.is_mid_frame());
    }

    #[test]
    fn a_large_frame_does_not_keep_its_memory() {
        let mut stream = Vec::new();
        encode_frame(&vec![7; 1 << 20], &mut stream).unwrap();
        encode_frame(&[8; 16], &mut stream).unwrap();
        let mut decoder = FrameDecoder::new(FrameLimits::TRANSPORT);
        let mut input = stream.as_slice();
        assert_eq!(decoder.next_frame(&mut input).unwrap().map(|frame| frame.len()), Some(1 << 20));
        assert_eq!(decoder.next_frame(&mut input).unwrap().map(|frame| frame.len()), Some(16));
        assert!(decoder.payload.capacity() <= KEPT_CAPACITY);
    }

    #[test]
    fn limits_change_between_frames_of_one_message() {
        let mut stream = Vec::new();
        encode_frame(&[1], &mut stream).unwrap();
        encode_frame(&vec![2; 100_000], &mut stream).unwrap();
        let mut decoder = FrameDecoder::new(FrameLimits::HANDSHAKE);
        let mut input = stream.as_slice();
        assert_eq!(decoder.next_frame(&mut input).unwrap().map(|frame| frame.len()), Some(1));
        decoder.set_limits(FrameLimits::TRANSPORT);
        assert_eq!(decoder.next_frame(&mut input).unwrap().map(|frame| frame.len()), Some(100_000));
    }

    #[test]
    fn a_payload_beyond_24_bits_is_refused() {
        assert_eq!(frame_header(MAX_FRAME_LEN), Ok([255; 3]));
        let error = FrameError::TooLong { len: MAX_FRAME_LEN + 1, max: MAX_FRAME_LEN };
        let mut out = Vec::new();
        assert_eq!(encode_frame(&vec![0; MAX_FRAME_LEN + 1], &mut out), Err(error));
        assert!(out.is_empty());
    }
}

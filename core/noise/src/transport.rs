//! The cipher of the frames after a handshake (transport document §2.7).

use whimbrel_crypto::aead::Aes256Gcm;

use crate::error::TransportError;

/// The nonce of the frame, or handshake text, with this number.
pub(crate) fn nonce(number: u32) -> [u8; 12] {
    let [a, b, c, d] = number.to_be_bytes();
    [0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d]
}

/// Numbers the frames of one direction.
#[derive(Debug)]
struct Counter(u32);

impl Counter {
    /// The nonce of the next frame. The last number is never used, so that nothing ever wraps.
    fn nonce(&self) -> Result<[u8; 12], TransportError> {
        if self.0 == u32::MAX { Err(TransportError::Exhausted) } else { Ok(nonce(self.0)) }
    }

    fn used(&mut self) {
        self.0 = self.0.saturating_add(1);
    }
}

/// Seals the frames of one direction, in the order in which they are written.
#[derive(Debug)]
pub struct Sealer {
    cipher: Aes256Gcm,
    counter: Counter,
}

impl Sealer {
    pub(crate) fn new(cipher: Aes256Gcm) -> Self {
        Self { cipher, counter: Counter(0) }
    }

    /// Seals everything from `start` on where it stands and appends the tag. What is before, such
    /// as room for the length of the frame, stays. Every sealed frame must be sent, in order.
    ///
    /// # Errors
    /// All numbers are used, or the cipher fails; the content of `frame` is then worthless.
    pub fn seal(&mut self, frame: &mut Vec<u8>, start: usize) -> Result<(), TransportError> {
        let nonce = self.counter.nonce()?;
        let text = frame.get_mut(start..).unwrap_or_default();
        let tag = self.cipher.seal(&nonce, &[], text)?;
        self.counter.used();
        frame.extend_from_slice(&tag);
        Ok(())
    }
}

/// Opens the frames of the other direction, in the order in which they were written.
#[derive(Debug)]
pub struct Opener {
    cipher: Aes256Gcm,
    counter: Counter,
}

impl Opener {
    pub(crate) fn new(cipher: Aes256Gcm) -> Self {
        Self { cipher, counter: Counter(0) }
    }

    /// Opens a frame where it stands and returns its text.
    ///
    /// # Errors
    /// The frame is not the next one of the other side. That ends the connection: the frame cannot
    /// be asked for again, and whoever changed it would change the next.
    pub fn open<'f>(&mut self, frame: &'f mut [u8]) -> Result<&'f mut [u8], TransportError> {
        let text = self.cipher.open(&self.counter.nonce()?, &[], frame)?;
        self.counter.used();
        Ok(text)
    }
}

/// Both directions, as one side has them after a handshake.
#[derive(Debug)]
pub struct Transport {
    /// For what this side sends.
    pub sealer: Sealer,
    /// For what this side receives.
    pub opener: Opener,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (Sealer, Opener) {
        let cipher = || Aes256Gcm::new(&[3; 32]).unwrap();
        (Sealer::new(cipher()), Opener::new(cipher()))
    }

    #[test]
    fn frames_come_back_in_order() {
        let (mut sealer, mut opener) = pair();
        for length in [0, 1, 1500, 65_536] {
            let mut frame = vec![1, 2, 3];
            frame.resize(3 + length, 0x5a);
            sealer.seal(&mut frame, 3).unwrap();
            assert_eq!(frame.len(), 3 + length + 16);
            assert_eq!(frame[..3], [1, 2, 3]);
            assert_eq!(opener.open(&mut frame[3..]).unwrap(), vec![0x5a; length]);
        }
    }

    #[test]
    fn a_lost_frame_is_noticed() {
        let (mut sealer, mut opener) = pair();
        let (mut first, mut second) = (vec![1], vec![2]);
        sealer.seal(&mut first, 0).unwrap();
        sealer.seal(&mut second, 0).unwrap();
        assert_eq!(opener.open(&mut second.clone()), Err(TransportError::Authentication));
        assert_eq!(opener.open(&mut first).unwrap(), [1]);
        assert_eq!(opener.open(&mut second).unwrap(), [2]);
        assert_eq!(opener.open(&mut []), Err(TransportError::Authentication));
    }

    #[test]
    fn the_counter_never_wraps() {
        let (mut sealer, mut opener) = pair();
        sealer.counter = Counter(u32::MAX - 1);
        opener.counter = Counter(u32::MAX - 1);
        let mut frame = vec![7];
        sealer.seal(&mut frame, 0).unwrap();
        assert_eq!(opener.open(&mut frame).unwrap(), [7]);
        for _ in 0..2 {
            assert_eq!(sealer.seal(&mut frame, 0), Err(TransportError::Exhausted));
            assert_eq!(opener.open(&mut frame), Err(TransportError::Exhausted));
        }
    }

    #[test]
    fn the_nonce_ends_in_the_number() {
        assert_eq!(nonce(0x0102_0304), [0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]);
    }
}

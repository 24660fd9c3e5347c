//! Packed strings: two digits to a byte, high half first.

use super::decode::DecodeError;
use smol_str::SmolStr;

/// Longest text that is packed when writing. (Reading allows 254 digits.)
const MAX_PACKED: usize = 127;

const NIBBLE_DIGITS: &[u8] = b"0123456789-.";
const HEX_DIGITS: &[u8] = b"0123456789ABCDEF";

/// The two alphabets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alphabet {
    /// `0-9`, `-`, `.`
    Nibble,
    /// `0-9`, `A-F`
    Hex,
}

impl Alphabet {
    /// The alphabet in which `text` is packed, digits alone as nibbles. `None` if it is not packable.
    #[inline]
    pub(super) fn of(text: &[u8]) -> Option<Alphabet> {
        if text.is_empty() || text.len() > MAX_PACKED {
            return None;
        }
        let mut letters = false;
        let mut punctuation = false;
        for byte in text {
            match byte {
                b'0'..=b'9' => {}
                b'A'..=b'F' => letters = true,
                b'-' | b'.' => punctuation = true,
                _ => return None,
            }
        }
        match (letters, punctuation) {
            (false, _) => Some(Alphabet::Nibble),
            (true, false) => Some(Alphabet::Hex),
            (true, true) => None,
        }
    }

    #[inline]
    fn digits(self) -> &'static [u8] {
        match self {
            Alphabet::Nibble => NIBBLE_DIGITS,
            Alphabet::Hex => HEX_DIGITS,
        }
    }
}

/// Appends the length byte and the packed digits of a text that [`Alphabet::of`] accepted; both alphabets
/// give the digits of such a text the same values but for the letters and punctuation.
#[inline]
pub(super) fn pack(text: &[u8], out: &mut Vec<u8>) {
    let (pairs, odd) = text.as_chunks::<2>();
    let head = text.len().div_ceil(2) as u8;
    out.push(if odd.is_empty() { head } else { head | 0x80 });
    out.extend(pairs.iter().map(|[high, low]| value(*high) << 4 | value(*low)));
    if let [last] = odd {
        out.push(value(*last) << 4 | 0x0f);
    }
}

#[inline]
fn value(byte: u8) -> u8 {
    match byte {
        b'-' => 10,
        b'.' => 11,
        b'A'..=b'F' => byte - b'A' + 10,
        digit => digit & 0x0f,
    }
}

/// The text of packed `bytes`; if `odd`, the low half of the last byte is padding.
#[inline]
pub(super) fn unpack(alphabet: Alphabet, bytes: &[u8], odd: bool) -> Result<SmolStr, DecodeError> {
    if odd && bytes.is_empty() {
        return Err(DecodeError::PackedOddEmpty);
    }
    // Ids and phone numbers fit the short buffer, which is not worth clearing 254 bytes for.
    if bytes.len() <= 12 {
        unpack_into(&mut [0; 24], alphabet, bytes, odd)
    } else {
        unpack_into(&mut [0; 254], alphabet, bytes, odd)
    }
}

#[inline]
fn unpack_into(
    buffer: &mut [u8],
    alphabet: Alphabet,
    bytes: &[u8],
    odd: bool,
) -> Result<SmolStr, DecodeError> {
    let digits = alphabet.digits();
    let digit = |half: u8| digits.get(usize::from(half)).copied().ok_or(DecodeError::PackedDigit);
    let (whole, padded) = match bytes.split_last() {
        Some((last, whole)) if odd => (whole, Some(*last)),
        _ => (bytes, None),
    };
    let (pairs, _) = buffer.as_chunks_mut::<2>();
    let mut pairs = pairs.iter_mut();
    for (byte, pair) in whole.iter().zip(&mut pairs) {
        *pair = [digit(byte >> 4)?, digit(byte & 0x0f)?];
    }
    if let (Some(byte), Some([high, _])) = (padded, pairs.next()) {
        *high = digit(byte >> 4)?;
    }
    let len = 2 * bytes.len() - usize::from(odd);
    let text = buffer.get(..len).and_then(|text| std::str::from_utf8(text).ok());
    text.map(SmolStr::new).ok_or(DecodeError::PackedDigit)
}

//! Packed strings: two digits to a byte, high half first.

use super::decode::DecodeError;
use smol_str::SmolStr;

/// Longest text that is packed when writing. (Reading allows 254 digits.)
const MAX_PACKED: usize = 127;

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
    // Ids and phone numbers fit the short buffer, which is not worth clearing 256 bytes for.
    if bytes.len() <= 12 {
        unpack_into(&mut [0; 24], alphabet, bytes, odd)
    } else {
        unpack_into(&mut [0; 256], alphabet, bytes, odd)
    }
}

/// Four packed bytes, eight characters, at a time.
#[inline]
fn unpack_into(
    buffer: &mut [u8],
    alphabet: Alphabet,
    bytes: &[u8],
    odd: bool,
) -> Result<SmolStr, DecodeError> {
    let mut left = bytes.len();
    let mut invalid = 0;
    for (chunk, word) in bytes.chunks(4).zip(buffer.as_chunks_mut::<8>().0) {
        // Bytes that are not there, and the padding, count as zeros, which are digits of both alphabets.
        let mut packed = match chunk.first_chunk() {
            Some(four) => u32::from_be_bytes(*four),
            None => {
                let low = chunk.iter().fold(0, |low, byte| low << 8 | u32::from(*byte));
                low << (8 * (4 - chunk.len()))
            }
        };
        left -= chunk.len();
        if odd && left == 0 {
            packed &= !(0x0f << (8 * (4 - chunk.len())));
        }
        let digits = spread(packed);
        invalid |= alphabet.invalid(digits);
        *word = alphabet.characters(digits).to_be_bytes();
    }
    let text = buffer.get(..2 * bytes.len() - usize::from(odd));
    match text.map(std::str::from_utf8) {
        Some(Ok(text)) if invalid == 0 => Ok(SmolStr::new(text)),
        _ => Err(DecodeError::PackedDigit),
    }
}

/// A one in each byte.
const ONES: u64 = 0x0101_0101_0101_0101;

/// Eight halves, each to a byte of its own, the first one highest.
#[inline]
fn spread(packed: u32) -> u64 {
    let wide = u64::from(packed);
    let wide = (wide | wide << 16) & 0x0000_ffff_0000_ffff;
    let wide = (wide | wide << 8) & 0x00ff_00ff_00ff_00ff;
    (wide | wide << 4) & 0x0f0f_0f0f_0f0f_0f0f
}

impl Alphabet {
    /// Not zero if one of eight digits has no character: nibbles from 12 on.
    #[inline]
    fn invalid(self, digits: u64) -> u64 {
        match self {
            Alphabet::Nibble => (digits + 4 * ONES) & (16 * ONES),
            Alphabet::Hex => 0,
        }
    }

    /// The characters of eight valid digits. No byte carries into the next: all results are ASCII.
    #[inline]
    fn characters(self, digits: u64) -> u64 {
        let beyond_nine = ((digits + 6 * ONES) >> 4) & ONES;
        let numerals = digits + u64::from(b'0') * ONES;
        match self {
            // 10 is `-`, 11 is `.`, both 13 below where numerals would go on.
            Alphabet::Nibble => numerals - 13 * beyond_nine,
            Alphabet::Hex => numerals + 7 * beyond_nine,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The plain definition, one half at a time.
    fn expected(alphabet: Alphabet, bytes: &[u8], odd: bool) -> Option<String> {
        let mut halves: Vec<u8> = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]).collect();
        if odd {
            halves.pop();
        }
        let digits = match alphabet {
            Alphabet::Nibble => "0123456789-.",
            Alphabet::Hex => "0123456789ABCDEF",
        };
        halves.into_iter().map(|half| digits.chars().nth(half.into())).collect()
    }

    #[test]
    fn every_byte_at_every_place_unpacks_by_definition() {
        for alphabet in [Alphabet::Nibble, Alphabet::Hex] {
            for len in [1, 2, 3, 4, 5, 8, 11, 12, 13, 127] {
                for place in 0..len {
                    for byte in 0..=255 {
                        let mut bytes = vec![0x12; len];
                        bytes[place] = byte;
                        for odd in [false, true] {
                            let text = unpack(alphabet, &bytes, odd).ok();
                            assert_eq!(text.as_deref(), expected(alphabet, &bytes, odd).as_deref());
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn packing_is_undone_by_unpacking() {
        for text in ["0", "28415.3917-1", "3EB0C0FFEE0123456789ABC", "F", "-", "..", &"12".repeat(63)] {
            let alphabet = Alphabet::of(text.as_bytes()).unwrap();
            let mut packed = Vec::new();
            pack(text.as_bytes(), &mut packed);
            assert_eq!(unpack(alphabet, &packed[1..], packed[0] & 0x80 != 0).unwrap(), text);
        }
        for text in ["", "a", "1 ", "A-", &"1".repeat(128)] {
            assert_eq!(Alphabet::of(text.as_bytes()), None, "{text}");
        }
    }
}

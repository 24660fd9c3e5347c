//! Packed strings: two digits to a byte, high half first.

use super::decode::DecodeError;
use crate::{inline::INLINE_LEN, text::Text};

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
        // Without branches in the loop, which compilers then do for many bytes at once.
        let (mut letters, mut punctuation, mut others) = (false, false, false);
        for byte in text {
            let digit = byte.wrapping_sub(b'0') < 10;
            let letter = byte.wrapping_sub(b'A') < 6;
            let mark = byte.wrapping_sub(b'-') < 2;
            letters |= letter;
            punctuation |= mark;
            others |= !(digit | letter | mark);
        }
        if others {
            return None;
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

/// The value of a digit: numerals have theirs in the low half; letters are 9 below it, marks 3 above.
#[inline]
fn value(byte: u8) -> u8 {
    let letter = byte >> 6;
    let numeral = byte >> 4 & 1;
    (byte & 0x0f) + 9 * letter - 3 * (1 - (letter | numeral))
}

/// Makes `text` the text of packed `bytes`; if `odd`, the low half of the last byte is padding.
#[inline]
pub(super) fn unpack(
    alphabet: Alphabet,
    bytes: &[u8],
    odd: bool,
    text: &mut Text<'_>,
) -> Result<(), DecodeError> {
    if odd && bytes.is_empty() {
        return Err(DecodeError::PackedOddEmpty);
    }
    // Phone numbers and almost all ids are that short.
    if bytes.len() <= INLINE_LEN / 2
        && let Some(inline) = text.make_inline()
    {
        let len = (2 * bytes.len() - usize::from(odd)) as u8;
        let (words, last) = inline.ascii_mut(len).as_chunks_mut::<8>();
        let mut words = words.iter_mut();
        return unpack_words(alphabet, bytes, odd, |word| match words.next() {
            Some(place) => *place = word,
            None => last.iter_mut().zip(word).for_each(|(place, byte)| *place = byte),
        });
    }
    let mut long = [[0; 8]; 32];
    let mut words = long.iter_mut();
    unpack_words(alphabet, bytes, odd, |word| {
        if let Some(place) = words.next() {
            *place = word;
        }
    })?;
    let characters = long.as_flattened().get(..2 * bytes.len() - usize::from(odd)).unwrap_or_default();
    *text = Text::copied(std::str::from_utf8(characters).map_err(|_| DecodeError::PackedDigit)?);
    Ok(())
}

/// Hands out eight characters, of four bytes, at a time; the last ones are filled up with zeros.
#[inline]
fn unpack_words(
    alphabet: Alphabet,
    bytes: &[u8],
    odd: bool,
    mut write: impl FnMut([u8; 8]),
) -> Result<(), DecodeError> {
    let mut left = bytes.len();
    let mut invalid = 0;
    for chunk in bytes.chunks(4) {
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
        write(alphabet.characters(digits).to_be_bytes());
    }
    if invalid == 0 { Ok(()) } else { Err(DecodeError::PackedDigit) }
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

    fn unpacked(alphabet: Alphabet, bytes: &[u8], odd: bool) -> Option<String> {
        let mut text = Text::literal("before");
        unpack(alphabet, bytes, odd, &mut text).ok().map(|()| text.to_string())
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
                            assert_eq!(unpacked(alphabet, &bytes, odd), expected(alphabet, &bytes, odd));
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
            let odd = packed[0] & 0x80 != 0;
            assert_eq!(unpacked(alphabet, &packed[1..], odd).as_deref(), Some(text));
        }
        for text in ["", "a", "1 ", "A-", &"1".repeat(128)] {
            assert_eq!(Alphabet::of(text.as_bytes()), None, "{text}");
        }
    }
}

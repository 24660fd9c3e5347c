//! The token dictionary, version 3 (transport document §3.4).
//!
//! A token's *number* counts through the whole dictionary: 1–235 are the single-byte tokens, 236 and up the
//! four double-byte dictionaries of 256 each.

mod hash;

/// Dictionary version that the connection header announces.
pub const DICTIONARY_VERSION: u8 = 3;

/// All numbers, including the unused 0.
const TOKEN_COUNT: usize = 236 + 4 * 256;
/// First number of the double-byte dictionaries.
const FIRST_DOUBLE: usize = 236;

include!(concat!(env!("OUT_DIR"), "/tokens.rs"));

/// How a token is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    /// One byte, 1–235.
    Single(u8),
    /// Dictionary 0–3 and index.
    Double(u8, u8),
}

/// The token with a single-byte code. 0 is not a token.
#[inline]
pub(crate) fn single(code: u8) -> Option<&'static str> {
    match TOKENS.get(usize::from(code)) {
        Some(&token) if code != 0 && usize::from(code) < FIRST_DOUBLE => Some(token),
        _ => None,
    }
}

/// The token at `index` of dictionary 0–3.
#[inline]
pub(crate) fn double(dictionary: u8, index: u8) -> Option<&'static str> {
    TOKENS.get(FIRST_DOUBLE + 256 * usize::from(dictionary) + usize::from(index)).copied()
}

/// The code of `text`, if it is a token.
#[inline]
pub(crate) fn code_of(text: &[u8]) -> Option<Code> {
    let hash = hash::hash(text);
    let displacement = *DISPLACEMENTS.get(hash::bucket(hash))?;
    let number = usize::from(*SLOTS.get(hash::slot(hash, displacement))?);
    if text.is_empty() || TOKENS.get(number)?.as_bytes() != text {
        return None;
    }
    match number.checked_sub(FIRST_DOUBLE) {
        None => u8::try_from(number).ok().map(Code::Single),
        Some(double) => Some(Code::Double(u8::try_from(double / 256).ok()?, (double % 256) as u8)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest, Sha256};

    fn json_list(tokens: &[&str]) -> String {
        format!("[{}]", tokens.iter().map(|t| format!("\"{t}\"")).collect::<Vec<_>>().join(","))
    }

    #[test]
    fn the_tables_are_dictionary_version_3() {
        let double: Vec<String> = TOKENS[FIRST_DOUBLE..].chunks(256).map(json_list).collect();
        let compact = format!(
            "{{\"single\":{},\"double\":[{}]}}",
            json_list(&TOKENS[..FIRST_DOUBLE]),
            double.join(",")
        );
        assert_eq!(
            hex::encode(Sha256::digest(compact)),
            "e1be0531882535d7aeab0c9f063789256eae9e24eedb14b39cf6dedf63f38995"
        );
    }

    #[test]
    fn every_token_is_found_under_its_own_code() {
        for code in 1..=235 {
            assert_eq!(code_of(single(code).unwrap().as_bytes()), Some(Code::Single(code)));
        }
        for dictionary in 0..4 {
            for index in 0..=255 {
                let token = double(dictionary, index).unwrap();
                assert_eq!(code_of(token.as_bytes()), Some(Code::Double(dictionary, index)));
            }
        }
        assert_eq!(single(0), None);
        assert_eq!(single(236), None);
        assert_eq!(double(4, 0), None);
    }

    #[test]
    fn near_misses_are_not_tokens() {
        for token in &TOKENS[1..] {
            for near in [format!("{token}x"), format!("x{token}"), token.to_uppercase()] {
                assert_eq!(code_of(near.as_bytes()).is_some(), TOKENS.contains(&near.as_str()), "{near}");
            }
        }
        for word in ["", "ib", "newsletter", "hosted", "bot", "c.us", "interop", "backoff"] {
            assert_eq!(code_of(word.as_bytes()), None, "{word}");
        }
    }
}

//! HMAC-SHA-256 and HKDF-SHA-256.
//!
//! The inputs are short, so that most of the time goes into setting a key up: a [`HmacKey`] does it
//! once for all messages under that key. Nothing is allocated.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Length of a block of SHA-256, to which keys are filled up.
const BLOCK: usize = 64;
/// HKDF counts its rounds in one octet.
const MAX_OUTPUT: usize = 255 * 32;

/// An HMAC-SHA-256 key that is ready for use. It is never printed.
#[derive(Clone)]
pub struct HmacKey(Hmac<Sha256>);

impl HmacKey {
    /// Prepares a key of any length.
    pub fn new(key: &[u8]) -> Self {
        let mut block = Zeroizing::new([0; BLOCK]);
        if let Some(start) = block.get_mut(..key.len()) {
            start.copy_from_slice(key);
        } else if let Some(start) = block.first_chunk_mut::<32>() {
            *start = Sha256::digest(key).into();
        }
        Self(Hmac::new((&*block).into()))
    }

    /// The code of the concatenated parts.
    pub fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut hmac = self.0.clone();
        for part in parts {
            hmac.update(part);
        }
        hmac.finalize().into_bytes().into()
    }

    /// A code of which the message comes in parts.
    pub(crate) fn begin(&self) -> Hmac<Sha256> {
        self.0.clone()
    }

    /// Whether `mac` is the code of the concatenated parts, in constant time.
    pub fn verifies(&self, parts: &[&[u8]], mac: &[u8]) -> bool {
        self.mac(parts).as_slice().ct_eq(mac).into()
    }
}

impl fmt::Debug for HmacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HmacKey(..)")
    }
}

/// HMAC-SHA-256 of the concatenated parts.
pub fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    HmacKey::new(key).mac(parts)
}

/// HKDF-SHA-256 with `N` octets of output. No salt is the same as an empty one.
pub fn hkdf_sha256<const N: usize>(input: &[u8], salt: &[u8], info: &[u8]) -> Zeroizing<[u8; N]> {
    const { assert!(N <= MAX_OUTPUT, "HKDF gives no more than 255 blocks") };
    let extracted = Zeroizing::new(hmac_sha256(salt, &[input]));
    let expand = HmacKey::new(&*extracted);
    let mut output = Zeroizing::new([0; N]);
    let mut previous = Zeroizing::new([0; 32]);
    for (round, block) in (1_u8..=255).zip(output.chunks_mut(32)) {
        let before: &[u8] = if round == 1 { &[] } else { &*previous };
        let next = expand.mac(&[before, info, &[round]]);
        *previous = next;
        for (to, from) in block.iter_mut().zip(&*previous) {
            *to = *from;
        }
    }
    output
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex<const N: usize>(text: &str) -> [u8; N] {
        hex::decode(text).unwrap().try_into().unwrap()
    }

    #[test]
    fn the_cases_of_rfc_4231_hold() {
        let code = hmac_sha256(&[0x0b; 20], &[b"Hi ", b"There"]);
        assert_eq!(code, hex("b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"));
        // A key beyond the block is hashed first.
        let long = HmacKey::new(&[0xaa; 131]);
        let text = b"Test Using Larger Than Block-Size Key - Hash Key First";
        let code = hex::<32>("60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
        assert_eq!(long.mac(&[text]), code);
        assert!(long.verifies(&[text], &code));
        assert!(!long.verifies(&[text], &code[..31]));
        assert!(!long.verifies(&[b"other"], &code));
    }

    #[test]
    fn the_cases_of_rfc_5869_hold() {
        let salt: [u8; 13] = hex("000102030405060708090a0b0c");
        let info: [u8; 10] = hex("f0f1f2f3f4f5f6f7f8f9");
        assert_eq!(
            *hkdf_sha256::<42>(&[0x0b; 22], &salt, &info),
            hex(concat!(
                "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf",
                "34007208d5b887185865"
            ))
        );
        assert_eq!(
            *hkdf_sha256::<42>(&[0x0b; 22], &[], &[]),
            hex(concat!(
                "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d",
                "9d201395faa4b61a96c8"
            ))
        );
    }

    #[test]
    fn the_longest_output_is_that_of_another_implementation() {
        let mut expected = [0; MAX_OUTPUT];
        hkdf::Hkdf::<Sha256>::new(Some(b"salt"), b"input").expand(b"info", &mut expected).unwrap();
        assert_eq!(*hkdf_sha256::<MAX_OUTPUT>(b"input", b"salt", b"info"), expected);
    }

    #[test]
    fn the_key_is_not_printed() {
        assert_eq!(format!("{:?}", HmacKey::new(&[0xab; 32])), "HmacKey(..)");
    }
}

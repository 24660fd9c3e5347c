//! AES-256-CBC with PKCS#7 padding, in the buffer that leaves.

use aes::{Aes256Dec, Aes256Enc};
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};

const BLOCK: usize = 16;

/// Size of the ciphertext of `length` octets: the padding always adds at least one.
pub(crate) const fn encrypted_len(length: usize) -> usize {
    (length / BLOCK + 1) * BLOCK
}

/// Appends the ciphertext of `plaintext` to `out`.
pub(crate) fn encrypt_onto(out: &mut Vec<u8>, key: &[u8; 32], iv: &[u8; 16], plaintext: &[u8]) {
    let start = out.len();
    out.extend_from_slice(plaintext);
    out.resize(start + encrypted_len(plaintext.len()), 0);
    if let Some(buffer) = out.get_mut(start..) {
        let cipher = cbc::Encryptor::<Aes256Enc>::new(key.into(), iv.into());
        // The buffer has room for the padding, the only thing this can complain about.
        let padded = cipher.encrypt_padded::<Pkcs7>(buffer, plaintext.len());
        debug_assert!(padded.is_ok());
    }
}

/// The plaintext, or `None` for a length or padding that no encryption produces.
pub(crate) fn decrypt(key: &[u8; 32], iv: &[u8; 16], ciphertext: &[u8]) -> Option<Vec<u8>> {
    if ciphertext.is_empty() {
        return None;
    }
    let mut buffer = ciphertext.to_vec();
    let cipher = cbc::Decryptor::<Aes256Dec>::new(key.into(), iv.into());
    let length = cipher.decrypt_padded::<Pkcs7>(&mut buffer).ok()?.len();
    buffer.truncate(length);
    Some(buffer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_comes_back() {
        for length in 0..70 {
            let plaintext = vec![0x5a; length];
            let mut out = vec![1, 2, 3];
            encrypt_onto(&mut out, &[7; 32], &[9; 16], &plaintext);
            assert_eq!(out.len(), 3 + encrypted_len(length));
            assert_eq!(out[..3], [1, 2, 3]);
            assert_eq!(decrypt(&[7; 32], &[9; 16], &out[3..]), Some(plaintext));
        }
    }

    #[test]
    fn impossible_ciphertexts_are_refused() {
        assert_eq!(decrypt(&[7; 32], &[9; 16], &[]), None);
        assert_eq!(decrypt(&[7; 32], &[9; 16], &[0; 15]), None);
        assert_eq!(decrypt(&[7; 32], &[9; 16], &[0; 16]), None);
    }
}

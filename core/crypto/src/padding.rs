//! Padding of message plaintexts (delivery document §1.12): `n` octets of value `n`.

/// The padding of a decrypted message is not one that any client writes. The ratchet has moved
/// all the same, so asking for a retry cannot help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the padding is malformed")]
pub struct PaddingError;

/// Appends 1 to 16 octets of padding, the number taken from a random octet.
pub fn pad(message: &mut Vec<u8>, random: u8) {
    let count = (random & 0x0f) + 1;
    message.resize(message.len().saturating_add(count.into()), count);
}

/// The message without its padding.
///
/// # Errors
/// [`PaddingError`] for empty input, a count of zero or beyond the length, or octets that differ.
pub fn unpad(padded: &[u8]) -> Result<&[u8], PaddingError> {
    let count = *padded.last().ok_or(PaddingError)?;
    let end = padded.len().checked_sub(count.into()).ok_or(PaddingError)?;
    let (message, padding) = padded.split_at_checked(end).ok_or(PaddingError)?;
    if padding.is_empty() || padding.iter().any(|octet| *octet != count) {
        return Err(PaddingError);
    }
    Ok(message)
}

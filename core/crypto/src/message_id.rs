//! Ids of outgoing messages (delivery document §3.1).

use sha2::{Digest, Sha256};

/// An id as companion devices make them: `3EB0` and 18 upper-case hexadecimal digits.
///
/// `now` is in seconds since 1970; `user` is the own phone number's user part; `random` must be
/// fresh. The id is the service's key for dropping duplicates, so it must be unique per sender.
pub fn message_id(now: u64, user: &str, random: &[u8; 16]) -> String {
    let mut hash = Sha256::new();
    hash.update(now.to_be_bytes());
    hash.update(user.as_bytes());
    hash.update(b"@c.us");
    hash.update(random);
    let mut id = String::with_capacity(22);
    id.push_str("3EB0");
    for octet in hash.finalize().iter().take(9) {
        for digit in [octet >> 4, octet & 15] {
            id.extend(char::from_digit(digit.into(), 16).map(|digit| digit.to_ascii_uppercase()));
        }
    }
    id
}

//! Signatures of deliveries: `t=<seconds>,v1=<hex>`, an HMAC-SHA256 of time and body for each secret.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// An HMAC-SHA256 in hexadecimal.
pub(crate) fn hmac(secret: &str, parts: &[&[u8]]) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    for part in parts {
        mac.update(part);
    }
    hex::encode(mac.finalize().into_bytes())
}

/// The header: while a secret is changed, one signature by each.
pub(crate) fn header(secrets: &[&str], time: i64, body: &[u8]) -> String {
    let head = format!("{time}.");
    let mut header = format!("t={time}");
    for secret in secrets {
        header.push_str(",v1=");
        header.push_str(&hmac(secret, &[head.as_bytes(), body]));
    }
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_hmac_of_time_and_body() {
        // RFC 4231, case 2.
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(hmac("Jefe", &[b"what do ya want ", b"for nothing?"]), expected);
        let header = header(&["a", "b"], 7, b"{}");
        assert_eq!(header, format!("t=7,v1={},v1={}", hmac("a", &[b"7.{}"]), hmac("b", &[b"7.{}"])));
    }
}

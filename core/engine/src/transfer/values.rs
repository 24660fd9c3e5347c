//! Values in the JSON of other clients.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use whimbrel_crypto::curve::PublicKey;
use zeroize::Zeroizing;

/// Octets in any of the shapes in which they are written: base64 text, a list of numbers, an
/// object of numbers by index, or an object whose `data` is one of the first two.
pub(super) fn octets(value: &Value) -> Option<Zeroizing<Vec<u8>>> {
    let octets = match value {
        Value::String(text) => STANDARD.decode(text).ok()?,
        Value::Array(numbers) => numbers.iter().map(octet).collect::<Option<_>>()?,
        Value::Object(fields) if fields.get("type").is_some_and(|kind| kind == "Buffer") => {
            return octets(fields.get("data")?).filter(|_| !fields.get("data").is_some_and(Value::is_object));
        }
        Value::Object(fields) => {
            (0..fields.len()).map(|index| octet(fields.get(&index.to_string())?)).collect::<Option<_>>()?
        }
        _ => return None,
    };
    Some(Zeroizing::new(octets))
}

fn octet(value: &Value) -> Option<u8> {
    u8::try_from(value.as_u64()?).ok()
}

/// Exactly `N` octets.
pub(super) fn array<const N: usize>(value: &Value) -> Option<[u8; N]> {
    octets(value)?.as_slice().try_into().ok()
}

/// A public key with or without its type.
pub(super) fn public_key(value: &Value) -> Option<PublicKey> {
    PublicKey::parse(&octets(value)?).ok()
}

/// A number, also one that is written as text.
pub(super) fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => text.parse().ok(),
        other => other.as_i64(),
    }
}

/// A number that fits into 32 bits.
pub(super) fn number(value: &Value) -> Option<u32> {
    u32::try_from(integer(value)?).ok()
}

/// A text that is not empty.
pub(super) fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// A field of an object; null if it is not there.
pub(super) fn at<'v>(value: &'v Value, path: &[&str]) -> &'v Value {
    path.iter().fold(value, |value, name| value.get(name).unwrap_or(&Value::Null))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_shape_of_octets_is_read() {
        for value in [
            json!("AQID"),
            json!([1, 2, 3]),
            json!({"0": 1, "1": 2, "2": 3}),
            json!({"type": "Buffer", "data": "AQID"}),
            json!({"type": "Buffer", "data": [1, 2, 3]}),
        ] {
            assert_eq!(octets(&value).unwrap().as_slice(), [1, 2, 3], "{value}");
        }
        for value in
            [json!(null), json!("*"), json!([256]), json!({"1": 1}), json!({"type": "Buffer"}), json!(7)]
        {
            assert!(octets(&value).is_none(), "{value}");
        }
        assert_eq!((integer(&json!("7")), integer(&json!(7)), number(&json!(-1))), (Some(7), Some(7), None));
    }
}

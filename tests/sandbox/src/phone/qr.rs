//! Reading a linking code the way a phone's camera does (pairing document §3.2).

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// What a linking code says about the companion that shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkingCode {
    /// The service's handle for the companion's connection.
    pub reference: String,
    /// The companion's Noise static key.
    pub noise_key: [u8; 32],
    /// The companion's identity key.
    pub identity_key: [u8; 32],
    /// The secret that only somebody who saw the code can know.
    pub adv_secret: [u8; 32],
    /// The kind of client, one character; `None` in the form of old clients.
    pub client_type: Option<char>,
}

impl std::fmt::Debug for LinkingCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LinkingCode")
            .field("reference", &self.reference)
            .field("client_type", &self.client_type)
            .finish_non_exhaustive()
    }
}

/// Why a text is not a linking code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QrError {
    /// There are fewer parts than any known form has.
    #[error("the code has too few parts")]
    TooFewParts,
    /// The last part is one character, but of no kind of client that may be linked.
    #[error("the code names no kind of client that may be linked")]
    ClientType,
    /// The form of old clients, which the service refuses since April 2026.
    #[error("the code has no client type, and the phone is not lenient")]
    NoClientType,
    /// One of the three keys is not 32 octets in base64.
    #[error("a key of the code is not 32 octets in base64")]
    Key,
    /// The reference is empty.
    #[error("the code has no reference")]
    NoReference,
}

/// Kinds of client that a code may name; `0` (unknown) is refused by the service.
const CLIENT_TYPES: &str = "123456789cdef";

/// Reads the text of a linking code. `lenient` accepts the form without a client type.
pub fn parse(text: &str, lenient: bool) -> Result<LinkingCode, QrError> {
    let text = text.trim();
    let body = match text.split_once('#') {
        Some((address, rest)) if address.starts_with("http") => rest,
        _ => text,
    };
    // The reference is opaque and may hold commas, so the parts are counted from the end.
    let (head, last) = body.rsplit_once(',').ok_or(QrError::TooFewParts)?;
    let mut characters = last.chars();
    let (client_type, keys) = match (characters.next(), characters.next()) {
        (Some(kind), None) if CLIENT_TYPES.contains(kind) => (Some(kind), head),
        (Some(_), None) => return Err(QrError::ClientType),
        _ => (None, body),
    };
    let mut parts = keys.rsplitn(4, ',');
    let mut next = || parts.next().ok_or(QrError::TooFewParts);
    let (adv, identity, noise, reference) = (next()?, next()?, next()?, next()?);
    if reference.is_empty() {
        return Err(QrError::NoReference);
    }
    let code = LinkingCode {
        reference: reference.to_owned(),
        noise_key: key(noise)?,
        identity_key: key(identity)?,
        adv_secret: key(adv)?,
        client_type,
    };
    if client_type.is_none() && !lenient {
        return Err(QrError::NoClientType);
    }
    Ok(code)
}

fn key(text: &str) -> Result<[u8; 32], QrError> {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    [&alphabet::STANDARD, &alphabet::URL_SAFE]
        .into_iter()
        .find_map(|alphabet| GeneralPurpose::new(alphabet, config).decode(text).ok())
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or(QrError::Key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phone::vectors;

    #[test]
    fn reads_every_form_that_clients_show() {
        let vectors = vectors::load("pairing-qr.json");
        let companion = &vectors["companion"];
        for case in vectors["qr_strings"]["built"].as_array().unwrap() {
            for form in ["with_url_prefix", "bare"] {
                let code = parse(case[form].as_str().unwrap(), false).unwrap();
                assert_eq!(code.reference, case["ref"].as_str().unwrap());
                assert_eq!(code.client_type.unwrap().to_string(), case["client_type"].as_str().unwrap());
                assert_eq!(hex::encode(code.noise_key), companion["noise"]["public"].as_str().unwrap());
                assert_eq!(hex::encode(code.identity_key), companion["identity"]["public"].as_str().unwrap());
                assert_eq!(hex::encode(code.adv_secret), companion["adv_secret"].as_str().unwrap());
            }
        }
    }

    #[test]
    fn accepts_old_and_url_safe_forms_when_lenient() {
        let vectors = vectors::load("pairing-qr.json");
        for case in vectors["qr_strings"]["accept_also"].as_array().unwrap() {
            let text = case["text"].as_str().unwrap();
            let code = parse(text, true).unwrap();
            assert_eq!(code.client_type.map(String::from), case["client_type"].as_str().map(str::to_owned));
            let strict = parse(text, false);
            if code.client_type.is_none() {
                assert_eq!(strict, Err(QrError::NoClientType));
            } else {
                assert_eq!(strict, Ok(code));
            }
        }
    }

    #[test]
    fn refuses_what_is_no_linking_code() {
        let vectors = vectors::load("pairing-qr.json");
        for case in vectors["qr_strings"]["refuse"].as_array().unwrap() {
            let refused = parse(case["text"].as_str().unwrap(), true);
            assert!(refused.is_err(), "{}: {refused:?}", case["name"]);
        }
        assert_eq!(parse("", true), Err(QrError::TooFewParts));
        assert_eq!(parse("https://example.com/#nothing", true), Err(QrError::TooFewParts));
    }

    #[test]
    fn debug_hides_the_secret() {
        let vectors = vectors::load("pairing-qr.json");
        let text = vectors["qr_strings"]["built"][0]["bare"].as_str().unwrap();
        let printed = format!("{:?}", parse(text, false).unwrap());
        assert!(!printed.contains("adv_secret"), "{printed}");
    }
}

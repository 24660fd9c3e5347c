//! QR codes: their text, and how one follows the other (pairing document §3.2, §3.3). Pure.

use std::collections::VecDeque;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::store::DeviceKeys;

/// What every text begins with, so that any camera can open it.
const PREFIX: &str = "https://wa.me/settings/linked_devices#";

/// Kind of client that the code announces: Chrome, as the device properties say.
pub(super) const CLIENT_TYPE: &str = "1";

/// How long the first code of a round is shown.
const FIRST: Duration = Duration::from_secs(60);

/// How long each further one is shown.
const FURTHER: Duration = Duration::from_secs(20);

/// The text of a code.
pub(crate) fn text(reference: &str, keys: &DeviceKeys) -> String {
    let noise = STANDARD.encode(keys.noise.public.as_bytes());
    let identity = STANDARD.encode(keys.identity.public.as_bytes());
    let secret = STANDARD.encode(keys.adv_secret);
    format!("{PREFIX}{reference},{noise},{identity},{secret},{CLIENT_TYPE}")
}

/// The refs of one `pair-device` request that are still to be shown.
#[derive(Debug, Default)]
pub(crate) struct Round {
    left: VecDeque<String>,
    first: bool,
}

impl Round {
    pub(crate) fn new(refs: Vec<String>) -> Self {
        Self { left: refs.into(), first: true }
    }

    /// The next ref with the time for which it is shown.
    pub(crate) fn next(&mut self) -> Option<(String, Duration)> {
        let reference = self.left.pop_front()?;
        let time = if std::mem::take(&mut self.first) { FIRST } else { FURTHER };
        Some((reference, time))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use whimbrel_crypto::curve::{KeyPair, PrivateKey, PublicKey};

    use super::*;

    #[test]
    fn texts_are_those_of_the_vectors() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/pairing-qr.json");
        let vectors: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let companion = &vectors["companion"];
        let bytes =
            |value: &Value| -> [u8; 32] { hex::decode(value.as_str().unwrap()).unwrap().try_into().unwrap() };
        let pair = |value: &Value| KeyPair {
            private: PrivateKey::from_bytes([1; 32]),
            public: PublicKey::from_bytes(bytes(&value["public"])),
        };
        let keys = DeviceKeys {
            noise: pair(&companion["noise"]),
            identity: pair(&companion["identity"]),
            registration_id: 1,
            adv_secret: bytes(&companion["adv_secret"]),
        };
        let mut compared = 0;
        for built in vectors["qr_strings"]["built"].as_array().unwrap() {
            if built["client_type"] == CLIENT_TYPE {
                assert_eq!(
                    text(built["ref"].as_str().unwrap(), &keys),
                    built["with_url_prefix"].as_str().unwrap()
                );
                compared += 1;
            }
        }
        assert!(compared > 0);
    }

    #[test]
    fn the_first_code_of_each_round_is_shown_for_a_minute() {
        let refs = |round: &mut Round| {
            std::iter::from_fn(|| round.next()).map(|(_, time)| time.as_secs()).sum::<u64>()
        };
        let six = || (0..6).map(|n| n.to_string()).collect::<Vec<_>>();
        let mut round = Round::new(six());
        assert_eq!(round.next(), Some(("0".to_owned(), FIRST)));
        assert_eq!(round.next(), Some(("1".to_owned(), FURTHER)));
        assert_eq!(refs(&mut Round::new(six())), 160);
        assert_eq!(Round::new(Vec::new()).next(), None);
    }
}

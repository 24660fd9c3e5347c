//! Linking by a typed code, the phone's side (pairing document §6).

use whimbrel_crypto::curve::{KeyPair, PrivateKey, PublicKey};
use whimbrel_crypto::pairing_code::{Code, PairingCodeError, WRAPPED_BUNDLE, WRAPPED_KEY, primary_open};

use super::stanza::link::{CompanionFinish, CompanionHello};

/// Why a typed code does not lead to a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// The text is not eight characters that codes are made of.
    #[error("a pairing code has eight characters, without 0, I, O and U")]
    Malformed,
    /// What the companion sent has the wrong form.
    #[error("the companion's part of the exchange is malformed")]
    Companion,
    /// The companion shows another code.
    #[error("the pairing code is wrong")]
    Wrong,
}

impl From<PairingCodeError> for CodeError {
    fn from(error: PairingCodeError) -> Self {
        match error {
            PairingCodeError::Length => Self::Companion,
            // A wrong code unwraps a useless key, which shows in one of these two ways.
            PairingCodeError::Agreement | PairingCodeError::WrongCode => Self::Wrong,
        }
    }
}

/// Reads what the user typed.
pub(crate) fn read(typed: &str) -> Result<Code, CodeError> {
    Code::parse(typed).ok_or(CodeError::Malformed)
}

/// What has to be drawn for one attempt.
#[derive(Clone)]
pub(crate) struct Randomness {
    pub(crate) ephemeral: [u8; 32],
    pub(crate) salt: [u8; 32],
    pub(crate) counter: [u8; 16],
}

/// A code that was typed for a companion's request.
#[derive(Debug)]
pub(crate) struct Typed {
    companion_ephemeral: PublicKey,
    ephemeral: PrivateKey,
    wrapped: [u8; WRAPPED_KEY],
}

impl Typed {
    /// Takes the code. Slow on purpose, so not for an asynchronous task's own thread.
    pub(crate) fn new(code: &Code, hello: &CompanionHello, random: Randomness) -> Result<Self, CodeError> {
        let companion_ephemeral = code.unwrap(&hello.wrapped_ephemeral)?;
        let ephemeral = KeyPair::from_private(PrivateKey::from_bytes(random.ephemeral));
        let mut counter = random.counter;
        // Clients disagree about the carry out of the low half, so it must not happen.
        if let Some(last) = counter.last_mut() {
            *last &= 0x7f;
        }
        let wrapped = code.wrap(&ephemeral.public, &random.salt, &counter);
        Ok(Self { companion_ephemeral, ephemeral: ephemeral.private, wrapped })
    }

    /// The phone's ephemeral key, wrapped for the companion.
    pub(crate) fn wrapped(&self) -> Vec<u8> {
        self.wrapped.to_vec()
    }

    /// Opens the companion's answer and derives the secret of the link.
    pub(crate) fn open(
        &self,
        identity: &PrivateKey,
        finish: &CompanionFinish,
    ) -> Result<[u8; 32], CodeError> {
        if finish.wrapped_bundle.len() != WRAPPED_BUNDLE {
            return Err(CodeError::Companion);
        }
        let companion = PublicKey::from_bytes(finish.identity);
        let secret = primary_open(
            &self.ephemeral,
            identity,
            &self.companion_ephemeral,
            &companion,
            &finish.wrapped_bundle,
        )?;
        Ok(*secret)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phone::vectors::{self, array, octets};
    use serde_json::Value;

    struct Flow {
        hello: CompanionHello,
        finish: CompanionFinish,
        random: Randomness,
        identity: PrivateKey,
    }

    fn flow(vectors: &Value) -> Flow {
        let flow = &vectors["flow"];
        let reference = flow["ref_ascii"].as_str().unwrap().as_bytes().to_vec();
        Flow {
            hello: CompanionHello {
                reference: reference.clone(),
                wrapped_ephemeral: octets(
                    &flow["companion_hello"]["link_code_pairing_wrapped_companion_ephemeral_pub"],
                ),
                noise_key: array(&flow["companion_hello"]["companion_server_auth_key_pub"]),
            },
            finish: CompanionFinish {
                reference,
                wrapped_bundle: octets(&flow["companion_finish"]["link_code_pairing_wrapped_key_bundle"]),
                identity: array(&flow["companion_finish"]["companion_identity_public"]),
            },
            random: Randomness {
                ephemeral: array(&flow["primary"]["ephemeral"]["private"]),
                salt: array(&flow["primary_hello"]["salt"]),
                counter: array(&flow["primary_hello"]["iv"]),
            },
            identity: PrivateKey::from_bytes(array(&flow["primary"]["identity"]["private"])),
        }
    }

    #[test]
    fn the_right_code_gives_the_secret() {
        let vectors = vectors::load("pairing-code.json");
        let flow = flow(&vectors);
        let code = read(vectors["flow"]["code"].as_str().unwrap()).unwrap();
        let typed = Typed::new(&code, &flow.hello, flow.random).unwrap();
        let wrapped = &vectors["flow"]["primary_hello"]["link_code_pairing_wrapped_primary_ephemeral_pub"];
        assert_eq!(hex::encode(typed.wrapped()), wrapped.as_str().unwrap());
        let secret = typed.open(&flow.identity, &flow.finish).unwrap();
        assert_eq!(
            hex::encode(secret),
            vectors["flow"]["primary_opens_bundle"]["adv_secret"].as_str().unwrap()
        );
    }

    #[test]
    fn a_wrong_code_is_noticed_when_the_bundle_comes() {
        let vectors = vectors::load("pairing-code.json");
        let flow = flow(&vectors);
        let code = read(vectors["wrong_code"]["typed"].as_str().unwrap()).unwrap();
        let typed = Typed::new(&code, &flow.hello, flow.random).unwrap();
        assert_eq!(typed.open(&flow.identity, &flow.finish), Err(CodeError::Wrong));
    }

    #[test]
    fn malformed_parts_are_refused() {
        let vectors = vectors::load("pairing-code.json");
        let code = read(vectors["flow"]["code"].as_str().unwrap()).unwrap();
        for error in vectors["errors"].as_array().unwrap() {
            let mut flow = flow(&vectors);
            let value = octets(&error["value"]);
            if error["field"].as_str().unwrap().contains("ephemeral") {
                flow.hello.wrapped_ephemeral = value;
                assert_eq!(
                    Typed::new(&code, &flow.hello, flow.random).map(|_| ()),
                    Err(CodeError::Companion)
                );
            } else {
                flow.finish.wrapped_bundle = value;
                let typed = Typed::new(&code, &flow.hello, flow.random).unwrap();
                assert!(typed.open(&flow.identity, &flow.finish).is_err(), "{}", error["name"]);
            }
        }
    }

    #[test]
    fn typing_is_forgiving_about_case_and_dashes_only() {
        let vectors = vectors::load("pairing-code.json");
        for example in vectors["code_input"]["examples"].as_array().unwrap() {
            let read = read(example["typed"].as_str().unwrap()).ok();
            let plain = read.map(|code| code.shown().replace('-', ""));
            assert_eq!(plain.as_deref(), example["code"].as_str());
        }
    }

    #[test]
    fn the_counter_never_carries() {
        let vectors = vectors::load("pairing-code.json");
        let flow = flow(&vectors);
        let code = read(vectors["flow"]["code"].as_str().unwrap()).unwrap();
        let random = Randomness { counter: [0xff; 16], ..flow.random };
        let typed = Typed::new(&code, &flow.hello, random).unwrap();
        assert_eq!(typed.wrapped().get(47), Some(&0x7f));
    }
}

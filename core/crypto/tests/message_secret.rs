//! Envelopes under a message's secret, against the protocol's vectors.

#![expect(clippy::unwrap_used, reason = "a panic is the report of a failed test")]

use serde_json::Value;
use whimbrel_crypto::aead::AeadError;
use whimbrel_crypto::message_secret::{BotAnswer, Derivation, NONCE, UseCase, bot_secret};

fn vectors(name: &str) -> Value {
    let path = format!("{}/../../tests/vectors/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap()
}

fn octets(value: &Value, name: &str) -> Vec<u8> {
    hex::decode(text(value, name)).unwrap()
}

fn fixed<const N: usize>(value: &Value, name: &str) -> [u8; N] {
    octets(value, name).try_into().unwrap()
}

const USE_CASES: [UseCase; 8] = [
    UseCase::PollVote,
    UseCase::EventResponse,
    UseCase::Reaction,
    UseCase::Comment,
    UseCase::EventEdit,
    UseCase::MessageEdit,
    UseCase::PollEdit,
    UseCase::PollAddOption,
];

/// Checks key, sealing and opening, and that nothing else opens it.
fn check(case: &Value, label: &str, names: [&str; 3]) {
    let use_case = USE_CASES.into_iter().find(|known| known.label() == label).unwrap();
    let [id, author, modifier] = names.map(|name| text(case, name));
    let secret = fixed(case, "messageSecret");
    let derivation = Derivation { secret: &secret, parent_id: id, parent_author: author, modifier, use_case };
    let nonce: [u8; NONCE] = fixed(case, "iv");
    let (plaintext, sealed) = (octets(case, "plaintext"), octets(case, "encPayload"));
    assert_eq!(derivation.key().to_vec(), octets(case, "key"), "{label}");
    assert_eq!(derivation.seal(&nonce, &plaintext).unwrap(), sealed, "{label}");
    assert_eq!(*derivation.open(&nonce, &sealed).unwrap(), plaintext, "{label}");
    let other = Derivation { modifier: "1@lid", ..derivation };
    assert_eq!(other.open(&nonce, &sealed).unwrap_err(), AeadError::Tag, "{label}");
    assert!(!format!("{derivation:?}").contains(id));
}

#[test]
fn every_envelope_of_both_files_is_sealed_and_opened() {
    let file = vectors("message-secret.json");
    let cases = file["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 9);
    for case in cases {
        let names = ["originalMessageId", "originalSender", "modificationSender"];
        check(case, text(case, "label"), names);
    }
    let file = vectors("messages.json");
    let cases: Vec<_> = file["secret_addons"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|case| case["useCase"] != "Bot Message")
        .collect();
    assert_eq!(cases.len(), 9);
    for case in cases {
        check(case, text(case, "useCase"), ["parentId", "parentAuthor", "modifier"]);
    }
}

#[test]
fn answers_of_bots_are_opened() {
    let file = vectors("message-secret.json");
    let messages = vectors("messages.json");
    let addon = messages["secret_addons"].as_array().unwrap().last().unwrap();
    for (case, names) in [
        (&file["bot"], ["messageId", "targetSender", "bot"]),
        (addon, ["parentId", "parentAuthor", "modifier"]),
    ] {
        let secret = fixed(case, "messageSecret");
        assert_eq!(*bot_secret(&secret), fixed(case, "botMessageSecret"));
        let [salt_id, asker, bot] = names.map(|name| text(case, name));
        let answer = BotAnswer { secret: &secret, salt_id, asker, bot };
        let sealed = octets(case, "encPayload");
        assert_eq!(*answer.open(&fixed(case, "iv"), &sealed).unwrap(), octets(case, "plaintext"));
        let other = BotAnswer { salt_id: "other", ..answer };
        assert_eq!(other.open(&fixed(case, "iv"), &sealed).unwrap_err(), AeadError::Tag);
    }
}
